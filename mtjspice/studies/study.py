"""A study: a subject, the space of its points, and what is made of the results."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import mtjspice
from mtjspice.studies.space import Point, Space, Value
from mtjspice.studies.store import content_key
from mtjspice.studies.subjects.base import Subject
from mtjspice.studies.trim import Trim, Trimmed, applied

# packages whose code results depend on
_CODE = ("device", "spice", "circuits", "studies/subjects")


@dataclass(frozen=True)
class Study:
    """What is to be done: ``subject`` at all points of ``space``, after a ``trim``, if any; ``analysis`` is the name of
    what is made of it, with its ``options``."""  # fmt: skip

    title: str
    subject: Subject
    space: Space
    analysis: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    trim: Trim | None = None

    def __post_init__(self) -> None:
        self.subject.check(self.space)
        if self.trim is not None:
            self.subject.dimension(self.trim.dimension)
            self.trim.check(self.space)

    def points(self, trimmed: Trimmed) -> Iterator[Point]:
        """All points, in the order of their places, with what was trimmed first."""
        points = self.space.points()
        return points if self.trim is None else applied(self.trim, trimmed, points)

    def point(self, index: Sequence[int], trimmed: Trimmed) -> Point:
        """One point; InputError for a place outside the space."""
        point = self.space.point(index)
        return point if self.trim is None else next(applied(self.trim, trimmed, [point]))


def keyed(subject: Subject, points: Iterator[Point] | Sequence[Point]) -> Iterator[tuple[str, Point]]:
    """Yield every point with its key: the hash of all that its results depend on.

    That is the subject (deck, models, card, engine, settings), the code of this package, the point's values and its
    seed; not the place in the space, nor the other points.
    """
    known: dict[tuple[Value | None, ...], str] = {}
    for point in points:
        # models and engines differ from corner to corner and fidelity to fidelity, and are the same for many points
        which = tuple(point.values.get(name) for name in ("corner", "technology", "fidelity"))
        which = (*which, "process" in point.values)
        if which not in known:
            known[which] = content_key(identity=subject.identity(point.values), code=code_version())
        yield content_key(subject=known[which], values=sorted(point.values.items()), seed=point.seed), point


@cache
def code_version() -> str:
    """The hash of the source code that results depend on."""
    digest = sha256()
    folder = Path(mtjspice.__file__).parent
    for package in _CODE:
        for path in sorted((folder / package).rglob("*.py")):
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
