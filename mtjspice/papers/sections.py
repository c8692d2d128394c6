"""A section of a report as data: text, findings, and the columns that its figures are drawn from."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtjspice.papers.findings import Finding, finding_of

Columns = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, kw_only=True)
class Plate:
    """A figure before it is drawn: ``columns`` of equal length, named with their units ("pulse width [s]"), SI.

    ``alt`` says in words what the figure shows.
    """

    key: str
    caption: str
    alt: str
    columns: Mapping[str, Sequence[float | str]]

    def __post_init__(self) -> None:
        if len({len(column) for column in self.columns.values()}) != 1:
            raise ValueError(f"figure {self.key}: columns must have one length")

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The columns as arrays of numbers or of text."""
        return {name: np.asarray(column) for name, column in self.columns.items()}

    def csv(self) -> str:
        """The columns as a CSV file."""
        lines = io.StringIO()
        writer = csv.writer(lines, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows(zip(*self.columns.values(), strict=True))
        return lines.getvalue()

    def as_dict(self) -> dict[str, Any]:
        """Plain types for JSON."""
        plain = {name: np.asarray(column).tolist() for name, column in self.columns.items()}
        return {"key": self.key, "caption": self.caption, "alt": self.alt, "columns": plain}


@dataclass(frozen=True, kw_only=True)
class Section:
    """What an experiment found: ``answer`` in paragraphs, findings, figures; ``setting`` says what it was run with."""

    answer: Sequence[str]
    findings: Sequence[Finding]
    plates: Sequence[Plate]
    setting: str

    def __post_init__(self) -> None:
        for kind, keys in (("finding", [f.key for f in self.findings]), ("figure", [p.key for p in self.plates])):
            twice = {key for key in keys if keys.count(key) > 1}
            if twice:
                raise ValueError(f"{kind} {twice.pop()!r} is there twice")

    def as_dict(self) -> dict[str, Any]:
        """Plain types for JSON."""
        return {
            "answer": list(self.answer),
            "findings": [finding.as_dict() for finding in self.findings],
            "plates": [plate.as_dict() for plate in self.plates],
            "setting": self.setting,
        }


def section_of(stored: dict[str, Any]) -> Section:
    """Read back what `Section.as_dict` gave."""
    return Section(
        answer=tuple(stored["answer"]),
        findings=tuple(finding_of(one) for one in stored["findings"]),
        plates=tuple(Plate(**one) for one in stored["plates"]),
        setting=stored["setting"],
    )
