"""The folder of a reproduction: sections as they were finished, one file each, with what they depend on."""

import json
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import mtjspice
from mtjspice.errors import InputError
from mtjspice.files import write_atomically
from mtjspice.papers.catalogue import PAPERS
from mtjspice.papers.experiment import Experiment
from mtjspice.papers.sections import Section, section_of
from mtjspice.resources import data

_WITHOUT = ("cli",)  # nothing that is stored depends on it
_DATA = (".toml", ".npz", ".va", ".lib", ".spice", ".pm", ".json")


@dataclass(frozen=True)
class Stored:
    """A section in a folder: there, or ``missing`` says in a line why it is not. ``seconds`` is how long it took.

    ``key`` is that of the run that made it, see `key_of`.
    """

    section: Section | None
    missing: str = ""
    quick: bool = False
    seed: int = 0
    seconds: float = 0.0
    key: str = ""


def path_of(folder: Path, paper: str, experiment: str) -> Path:
    """Where a section lies."""
    return folder / paper / f"{experiment}.json"


def save(path: Path, stored: Stored) -> None:
    """Write a section, or why there is none, whole or not at all; what is missing does not replace a section."""
    before = _content(path)
    if stored.section is None and before is not None and before.get("section") is not None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "key": stored.key, "missing": stored.missing, "quick": stored.quick, "seed": stored.seed,
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
        found = Stored(
            section_of(section) if section else None, str(content["missing"]), bool(content["quick"]),
            int(content["seed"]), float(content["seconds"]), str(content["key"]),
        )  # fmt: skip
        if found.section is None and not found.missing:
            raise ValueError("it has neither a section nor a reason")
        return found
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path} is damaged ({error}); remove it and run again") from None


def finished(path: Path, key: str) -> bool:
    """Whether the file holds the section that a run with that key would give."""
    content = _content(path)
    return content is not None and content.get("key") == key and content.get("section") is not None


def key_of(paper: str, experiment: Experiment, quick: bool, seed: int) -> str:
    """Hash of all that a section depends on: the package, its models, optional modules, effort, seed.

    Data that were fetched and the simulators are not in it.
    """
    optional = tuple(find_spec(name) is not None for name in ("klayout", "torch"))
    parts = (code_of(paper), experiment.key, optional, quick, seed)
    return sha256(repr(parts).encode()).hexdigest()


@cache
def code_of(paper: str) -> str:
    """Hash of the code and the models that sections of a paper depend on."""
    digest = sha256()
    package, models = Path(mtjspice.__file__).parent, Path(str(data("models")))
    others = {package / "papers" / key.replace("-", "_") for key in PAPERS if key != paper}
    others |= {package / name for name in (*_WITHOUT, "data")}
    for root, endings in ((package, (".py",)), (models, _DATA)):
        for path in sorted(root.rglob("*")):
            if path.suffix in endings and not others & set(path.parents):
                digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


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
