"""The folder of a reproduction: sections as they were finished, one file each, with what they depend on."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import mtjspice
from mtjspice.errors import InputError
from mtjspice.files import write_atomically
from mtjspice.papers.experiment import Context, Experiment
from mtjspice.papers.sections import Section, section_of
from mtjspice.resources import data

_CODE = ("device", "spice", "circuits", "layout", "studies", "bits", "generative")


@dataclass(frozen=True)
class Stored:
    """A section in a folder: there, or ``missing`` says in a line why it is not. ``seconds`` is how long it took."""

    section: Section | None
    missing: str = ""
    quick: bool = False
    seed: int = 0
    seconds: float = 0.0


def path_of(folder: Path, paper: str, experiment: str) -> Path:
    """Where a section lies."""
    return folder / paper / f"{experiment}.json"


def save(path: Path, stored: Stored, key: str) -> None:
    """Write a section, or why there is none, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "key": key, "missing": stored.missing, "quick": stored.quick, "seed": stored.seed,
        "seconds": round(stored.seconds, 1), "section": stored.section.as_dict() if stored.section else None,
    }  # fmt: skip
    write_atomically(path, json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def load(path: Path) -> Stored | None:
    """Read a section; None where there is no file. InputError for a file that is none of ours."""
    content = _content(path)
    if content is None:
        return None
    try:
        section = content["section"]
        return Stored(
            section_of(section) if section else None, content["missing"], content["quick"], content["seed"],
            content["seconds"],
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path} is damaged ({error}); remove it and run again") from None


def finished(path: Path, key: str) -> bool:
    """Whether the file holds the section that a run with that key would give."""
    content = _content(path)
    return content is not None and content.get("key") == key and content.get("section") is not None


def key_of(paper: str, experiment: Experiment, context: Context) -> str:
    """Hash of all that a section depends on: code, cards, effort, seed."""
    parts = (_digest(paper), experiment.key, context.quick, context.seed)
    return sha256(repr(parts).encode()).hexdigest()


@cache
def _digest(paper: str) -> str:
    """Hash of the code and the data that sections of a paper depend on."""
    digest = sha256()
    for path in _files(paper):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _files(paper: str) -> Iterator[Path]:
    package, models = Path(mtjspice.__file__).parent, Path(str(data("models")))
    for folder in (*(package / name for name in _CODE), package / "papers" / paper.replace("-", "_")):
        yield from sorted(folder.rglob("*.py"))
    yield from sorted(models.rglob("*.toml"))


def _content(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path} ({error}); remove it and run again") from None
    if not isinstance(found, dict):
        raise InputError(f"{path} is damaged; remove it and run again")
    return found
