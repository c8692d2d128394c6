"""Which random dimension moves a result most: by regression, or by Sobol indices where the points allow them."""

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from mtjspice.errors import InputError
from mtjspice.studies.analyses.base import Analysis, Cell, Table, table
from mtjspice.studies.analyses.estimates import result_names, sweep_units
from mtjspice.studies.analyses.options import require_result, switching_suffix, text, whole
from mtjspice.studies.sensitivity import Ranking, regression_ranking, sobol_from_design
from mtjspice.studies.study import Study

if TYPE_CHECKING:
    import xarray

NAME = "sensitivity"


@dataclass(frozen=True)
class Ranked:
    """A ranking at one combination of the sweeps."""

    where: dict[str, Cell]
    ranking: Ranking


def _check(study: Study) -> None:
    if not study.space.spreads:
        raise InputError(f"analysis {NAME!r} needs random dimensions; the study has none")
    if study.space.trials > 1:
        raise InputError(
            f"analysis {NAME!r} takes one result a sample; let a point count more trials of its own instead"
        )
    whole(study, "resamples", 1000, 100, 100_000)
    if text(study, "result"):
        require_result(study, text(study, "result"), NAME)
    else:
        switching_suffix(study, NAME, ("probability0", "probability"))


def result_of(study: Study, data: "xarray.Dataset") -> str:
    """Return the result that is ranked."""
    return text(study, "result") or f"probability{switching_suffix(study, NAME, result_names(data))}"


def rankings(data: "xarray.Dataset", study: Study) -> list[Ranked]:
    """Rank the random dimensions at every combination of the sweeps."""
    names = [one.name for one in study.space.spreads]
    x = np.stack([np.asarray(data[name].values, float) for name in names], axis=-1)
    result = data[result_of(study, data)]
    sweeps = [sweep.name for sweep in study.space.sweeps]
    seed, resamples = study.space.seed, whole(study, "resamples", 1000)
    found = []
    for index in product(*(range(data.sizes[name]) for name in sweeps)):
        here = result.isel(dict(zip(sweeps, index, strict=True)))
        y = np.asarray(here.values, float)
        if study.space.sampling == "saltelli":
            ranking = sobol_from_design(y, len(names), names, seed, resamples)
        else:
            ranking = regression_ranking(x, y, names, seed=seed, resamples=resamples)
        found.append(Ranked({name: here[name].values.item() for name in sweeps}, ranking))
    return found


def _tables(data: "xarray.Dataset", study: Study) -> tuple[Table, ...]:
    rows: list[dict[str, Cell]] = []
    notes = [f"result: {result_of(study, data)}; low and high: 95 % by bootstrap over the samples"]
    for one in rankings(data, study):
        ranking = one.ranking
        for k in ranking.by_magnitude():
            row: dict[str, Cell] = {**one.where, "parameter": ranking.names[k]}
            if ranking.total is None:
                row |= {"coefficient": ranking.value[k], "low": ranking.low[k], "high": ranking.high[k],
                        "share": ranking.share[k]}  # fmt: skip
            else:
                assert ranking.total_low is not None
                assert ranking.total_high is not None
                row |= {"total": ranking.total[k], "low": ranking.total_low[k], "high": ranking.total_high[k],
                        "first order": ranking.value[k]}  # fmt: skip
            rows.append(row | {"samples": ranking.used, "left out": ranking.left_out})
        place = ", ".join(f"{name} = {value}" for name, value in one.where.items())
        what = "R^2 of the linear model" if ranking.total is None else "sum of the first-order indices"
        notes.append(f"{place + ': ' if place else ''}{what}: {ranking.explained:.3f}")
        notes += [ranking.note] if ranking.note else []
    sobol = study.space.sampling == "saltelli"
    title = "Sobol indices" if sobol else "standardised regression coefficients"
    return (table(f"{title}, the greatest influence first", rows, sweep_units(study), notes),)


SENSITIVITY = Analysis(
    NAME, "which random dimension moves a result most", _check, _tables,
    {"result": "the result that is ranked (probability0)", "resamples": "bootstrap samples (1000)",
     "junction": "number of the junction, where the result is a probability (0)"},
)  # fmt: skip
