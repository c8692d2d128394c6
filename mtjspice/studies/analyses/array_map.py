"""Maps of an array: the pulse that reaches every written cell, and the probability that it switches."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mtjspice.errors import InputError
from mtjspice.studies.analyses.base import Analysis, Cell, Table, table
from mtjspice.studies.analyses.estimates import combinations, estimates, result_names, sweep_units
from mtjspice.studies.analyses.options import known_results, sweep_of, text
from mtjspice.studies.study import Study

if TYPE_CHECKING:
    import xarray

NAME = "array-map"
QUANTITIES = {"amplitude": "V", "width": "s", "probability": ""}


@dataclass(frozen=True, eq=False)
class Map:
    """One quantity of cells, ``values`` (rows, columns), NaN where there is none; at one combination of sweeps."""

    where: dict[str, Cell]
    quantity: str
    unit: str
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    values: NDArray[np.float64]
    trials: int


def _row_sweep(study: Study) -> str:
    return text(study, "row", "bench.row")


def _check(study: Study) -> None:
    sweep_of(study, _row_sweep(study), NAME)
    known = known_results(study)
    if known is not None and not any(_numbers(known, quantity) for quantity in QUANTITIES):
        raise InputError(f"analysis {NAME!r} needs the results {'<k>, '.join(QUANTITIES)}<k>, which meram_array has")


def _numbers(names: "list[str] | frozenset[str]", quantity: str) -> list[int]:
    """The k of results <quantity><k>, increasing."""
    found = (re.fullmatch(rf"{quantity}([0-9]+)", name) for name in names)
    return sorted(int(one[1]) for one in found if one is not None)


def maps(data: "xarray.Dataset", study: Study) -> list[Map]:
    """Return the maps of all quantities that there are, for every combination of the other sweeps.

    Widths and amplitudes have the numbers of their columns; probabilities count the written cells, in that order.
    """
    names = result_names(data)
    sweep = sweep_of(study, _row_sweep(study), NAME)
    order = np.argsort(np.array(sweep.values, float))
    axis = [one.name for one in study.space.sweeps].index(sweep.name)
    rows = tuple(int(float(sweep.values[k])) for k in order)
    written = _numbers(names, "width") or _numbers(names, "amplitude")
    found = []
    for where, index in combinations(study, (sweep.name,)):
        place = (*index[:axis], order, *index[axis:])
        for quantity, unit in QUANTITIES.items():
            numbers = _numbers(names, quantity)
            if not numbers:
                continue
            cells = [estimates(data, study, f"{quantity}{k}").at(place) for k in numbers]  # type: ignore[arg-type]
            same = quantity == "probability" and len(written) == len(numbers)
            columns = tuple(written if same else numbers)
            values = np.stack([one.value for one in cells], axis=-1)
            found.append(Map(where, quantity, unit, rows, columns, values, max(int(one.trials.max()) for one in cells)))
    return found


def _tables(data: "xarray.Dataset", study: Study) -> tuple[Table, ...]:
    found = maps(data, study)
    tables = []
    for quantity, unit in QUANTITIES.items():
        rows = [_row(one) for one in found if one.quantity == quantity]
        if not rows:
            continue
        some = next(one for one in found if one.quantity == quantity)
        numbers = ("nearest", "farthest", "smallest", "largest", "mean", "sd")
        notes = [
            f"nearest: row {some.rows[0]}, column {some.columns[0]}; farthest: row {some.rows[-1]}, column "
            f"{some.columns[-1]}; {len(some.rows)} rows of {len(some.columns)} written columns."
        ]
        notes += [f"Each cell rests on {some.trials} trials."] if some.trials else []
        title = "switching probability" if quantity == "probability" else f"{quantity} of the write pulse"
        tables.append(table(title, rows, {**sweep_units(study), **dict.fromkeys(numbers, unit)}, notes))
    return tuple(tables) or (table("array map", [], {}, ("no point is finished",)),)


def _row(one: Map) -> dict[str, Cell]:
    there = one.values[np.isfinite(one.values)]
    nan = float("nan")
    mean = float(there.mean()) if there.size else nan
    return {
        **one.where, "nearest": float(one.values[0, 0]), "farthest": float(one.values[-1, -1]),
        "smallest": float(there.min()) if there.size else nan, "largest": float(there.max()) if there.size else nan,
        "mean": mean, "sd": float(there.std(ddof=1)) if there.size > 1 else nan,
        "range": f"{100 * (there.max() - there.min()) / abs(mean):.3g} %" if there.size and mean else "-",
        "cells": int(there.size), "missing": int(one.values.size - there.size),
    }  # fmt: skip


ARRAY_MAP = Analysis(
    NAME, "write pulse and switching probability over rows and columns of an array", _check, _tables,
    {"row": "the sweep of rows; bench.row by default"},
)  # fmt: skip
