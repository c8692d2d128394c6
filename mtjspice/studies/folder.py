"""A study's folder: the study file beside the results, so that everything after the run needs the folder alone."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mtjspice import __version__
from mtjspice.errors import InputError
from mtjspice.files import write_atomically
from mtjspice.studies import rare_study
from mtjspice.studies.driver import stored_trim
from mtjspice.studies.space import Point
from mtjspice.studies.store import FILE, Store
from mtjspice.studies.study import Study
from mtjspice.studies.study_file import load_study, parse_study

if TYPE_CHECKING:
    import xarray

STUDY_FILE = "study.toml"
_HOME = "# files that this study names are looked for in: "


def results(study: Study, folder: Path | str) -> "xarray.Dataset":
    """Return the results of a study so far, opened lazily, with what was trimmed among the coordinates.

    See `mtjspice.studies.lazy.open_dataset`.
    """
    from mtjspice.studies.lazy import open_dataset

    path = Path(folder)
    if study.analysis == rare_study.ANALYSIS:
        return _chosen_points(study, path)
    about: dict[str, str | int | float] = {
        "title": study.title, "analysis": study.analysis, "study_seed": study.space.seed, "mtjspice": __version__
    }  # fmt: skip
    data = open_dataset(path, study.space, study.subject.units, about)
    if study.trim is None:
        return data
    with Store(path, write=False) as store:
        trimmed = stored_trim(store)
    if not trimmed:
        return data
    values = np.array(list(trimmed.values())).reshape([data.sizes[name] for name in study.trim.per])
    return data.assign_coords({study.trim.dimension: (study.trim.per, values, {"units": study.trim.unit})})


def _chosen_points(study: Study, folder: Path) -> "xarray.Dataset":
    """Points that a method has chosen, in the order in which it asked for them first, and its estimate."""
    import xarray

    with Store(folder, write=False) as store:
        found = [store.at(place) for place in range(store.planned())]
    records = [record for record in found if record is not None]
    units = {one.name: one.unit for one in study.space.spreads}
    names = list(dict.fromkeys(name for record in records for name in record.results))
    results = {
        name: ("sample", [record.results.get(name, np.nan) for record in records],
               {"units": study.subject.units.get(name, "")})
        for name in names
    }  # fmt: skip
    given = {
        name: ("sample", [record.values[name] for record in records], {"units": unit}) for name, unit in units.items()
    }
    return xarray.Dataset(
        {
            **results,
            "status": ("sample", np.array([record.status for record in records], str)),
            "seed": ("sample", np.array([record.seed for record in records], np.int64)),
        },
        coords=given,
        attrs={
            "title": study.title, "analysis": study.analysis, "study_seed": study.space.seed, "mtjspice": __version__,
            "estimate": json.dumps(rare_study.stored_estimate(folder)),
        },
    )  # fmt: skip


@dataclass(frozen=True)
class StudyFolder:
    """A folder and the study that it belongs to."""

    path: Path
    study: Study

    def dataset(self) -> "xarray.Dataset":
        """See `results`."""
        return results(self.study, self.path)

    def trimmed(self) -> Mapping[tuple[float | int | str, ...], float]:
        """What was trimmed before the points were evaluated."""
        with Store(self.path, write=False) as store:
            return stored_trim(store)

    def point(self, index: tuple[int, ...]) -> Point:
        """One point of the study; InputError for a place outside its space, or before anything was trimmed."""
        if self.study.analysis == rare_study.ANALYSIS:
            return self._chosen(index)
        trimmed = self.trimmed() if self.study.trim is not None else {}
        if self.study.trim is not None and not trimmed:
            raise InputError(f"{self.path}: nothing was trimmed yet; run the study first")
        return self.study.point(index, trimmed)

    def _chosen(self, index: tuple[int, ...]) -> Point:
        with Store(self.path, write=False) as store:
            record = store.at(index[0]) if len(index) == 1 and index[0] >= 0 else None
            count = store.planned()
        if record is None:
            raise InputError(f"there is no point {','.join(map(str, index))}; the method has asked for {count}")
        return Point(index, record.values, record.seed)


def create(file: Path, folder: Path, resume: bool) -> StudyFolder:
    """Take a study file into a folder for its results.

    InputError if the folder has results and ``resume`` is False.
    """
    study = load_study(file)
    if (folder / FILE).exists() and not resume:
        raise InputError(f"{folder} has results already; --resume goes on with them, another --out begins anew")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot create {folder}: {error.strerror or error}") from None
    if file.absolute() != (folder / STUDY_FILE).absolute():
        home = f"{_HOME}{file.absolute().parent}\n"
        write_atomically(folder / STUDY_FILE, home + file.read_text(encoding="utf-8"))
        return StudyFolder(folder, study)
    return open_folder(folder)


def open_folder(folder: Path) -> StudyFolder:
    """Open a folder that `create` has made; InputError for another one."""
    file = folder / STUDY_FILE
    if not file.is_file():
        raise InputError(f"{folder} is no folder of a study: it has no {STUDY_FILE}")
    text = file.read_text(encoding="utf-8")
    first = text.splitlines()[0] if text else ""
    home = Path(first.removeprefix(_HOME)) if first.startswith(_HOME) else folder
    return StudyFolder(folder, parse_study(text, str(file), home))
