"""The analysis of a study that names none: mean, spread and range of every result over samples and trials."""

from itertools import product
from math import nan, sqrt
from typing import TYPE_CHECKING

import numpy as np

from mtjspice.studies.analyses.base import Analysis, Cell, Table, table
from mtjspice.studies.study import Study

if TYPE_CHECKING:
    import xarray


def _check(study: Study) -> None:
    """It fits every study."""


def _tables(data: "xarray.Dataset", study: Study) -> tuple[Table, ...]:
    names = [str(name) for name in data.data_vars if name not in ("status", "seed")]
    inner = tuple(name for name in ("sample", "trial") if name in data.dims)
    sweeps = [sweep.name for sweep in study.space.sweeps]
    rows: list[dict[str, Cell]] = []
    for index in product(*(range(data.sizes[name]) for name in sweeps)):
        here = data.isel(dict(zip(sweeps, index, strict=True)))
        where: dict[str, Cell] = {name: here[name].values.item() for name in sweeps}
        for name in names:
            found = np.asarray(here[name].values, float).ravel()
            found = found[np.isfinite(found)]
            n = len(found)
            row = {**where, "result": name, "mean": float(found.mean()) if n else nan}
            if inner:
                deviation = float(found.std(ddof=1)) if n > 1 else nan
                row |= {
                    "standard error": deviation / sqrt(n) if n else nan, "standard deviation": deviation,
                    "smallest": float(found.min()) if n else nan, "largest": float(found.max()) if n else nan,
                }  # fmt: skip
            rows.append(row | {"unit": str(data[name].attrs.get("units", "")), "points": n})
    units = {sweep.name: sweep.unit for sweep in study.space.sweeps}
    return (table("results", rows, units),)


SUMMARY = Analysis("summary", "mean, spread and range of every result", _check, _tables, {})
