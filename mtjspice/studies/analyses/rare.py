"""The estimate of a rare failure, see `mtjspice.studies.rare_study`."""

import json
from math import isfinite, nan
from typing import TYPE_CHECKING, Any

from scipy.special import ndtri

from mtjspice.errors import MtjspiceError
from mtjspice.studies.analyses.base import Analysis, Cell, Table, table
from mtjspice.studies.rare_study import ANALYSIS, OPTIONS, failure_of
from mtjspice.studies.study import Study

if TYPE_CHECKING:
    import xarray


def _check(study: Study) -> None:
    failure_of(study)


def estimate_of(data: "xarray.Dataset") -> dict[str, Any]:
    """Return the estimate; MtjspiceError before there is one."""
    found = json.loads(str(data.attrs.get("estimate", "null")))
    if found is None:
        raise MtjspiceError("there is no estimate yet: the run has not finished (--resume goes on)")
    return dict(found)


def _tables(data: "xarray.Dataset", study: Study) -> tuple[Table, ...]:
    failure, found = failure_of(study), estimate_of(data)
    probability = float(found["probability"])
    sigma = -float(ndtri(probability)) if 0 < probability < 1 else nan
    effective = float(found["effective_samples"])
    row: dict[str, Cell] = {
        "failure": f"{failure.result} {failure.fails} {failure.threshold:g}", "probability": probability,
        "low": float(found["low"]), "high": float(found["high"]), "sigma": sigma, "method": str(found["method"]),
        "points": int(found["evaluations"]), "effective samples": effective if isfinite(effective) else nan,
    }  # fmt: skip
    notes = [f"low and high: {100 * float(found['confidence']):g} %; sigma: of a one-sided normal"]
    if probability > 0:
        notes.append(f"an interval as narrow by plain Monte Carlo: about {effective / probability:.2g} points")
    if not found["trustworthy"]:
        notes.append(f"not to be trusted: {found['note']}")
    elif found["note"]:
        notes.append(str(found["note"]))
    return (table("probability of a failure", [row], {}, notes),)


RARE = Analysis(ANALYSIS, "the probability of a rare failure", _check, _tables, OPTIONS)
