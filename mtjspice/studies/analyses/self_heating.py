"""A junction under a train of pulses: what the heat of earlier pulses does to toggling, against the repetition rate.

The closed form beside the simulation is that of one thermal resistance and capacitance under rectangular pulses of
equal power: each leaves p R (1 - exp(-w/tau)), which decays with tau = R C until the next.
"""

from dataclasses import dataclass
from math import exp, expm1, nan
from typing import TYPE_CHECKING

from mtjspice.device.derived import conductance
from mtjspice.studies.analyses.base import Analysis, Cell, Table, table
from mtjspice.studies.analyses.estimates import Curve, curves, rests_on, sweep_units
from mtjspice.studies.analyses.options import require_result, sweep_of
from mtjspice.studies.study import Study
from mtjspice.studies.subjects.train import TrainSubject

if TYPE_CHECKING:
    import xarray

NAME = "self-heating"
PERIOD = "period"
RISE, PEAK = "temperature_rise", "temperature_peak"


@dataclass(frozen=True)
class Heated:
    """The results of a study along the period, at one combination of the other sweeps; rises in K."""

    probability: Curve
    rise: Curve
    peak: Curve


def _check(study: Study) -> None:
    sweep_of(study, PERIOD, NAME)
    for name in ("probability", RISE, PEAK):
        require_result(study, name, NAME)


def pulse_train_rise(
    power: float, resistance: float, capacitance: float, width: float, period: float, pulses: int
) -> float:
    """Return the temperature rise (K) just before the last of ``pulses`` pulses of ``power`` (W) and ``width`` (s)."""
    tau = resistance * capacitance
    if tau == 0:
        return 0.0
    left = power * resistance * -expm1(-width / tau) * exp(-(period - width) / tau)
    return left * expm1(-(pulses - 1) * period / tau) / expm1(-period / tau)


def heated(data: "xarray.Dataset", study: Study) -> list[Heated]:
    """Return the curves along the period, for every combination of the other sweeps."""
    found = (curves(data, study, name, PERIOD) for name in ("probability", RISE, PEAK))
    return [Heated(*three) for three in zip(*found, strict=True)]


def closed_form(study: Study, where: dict[str, Cell], period: float) -> float:
    """Return the rise (K) that `pulse_train_rise` gives, for a junction that is half of the time in either state; NaN
    for another subject."""  # fmt: skip
    subject = study.subject
    if not isinstance(subject, TrainSubject):
        return nan
    values = {**subject.values, **where}
    if not {"voltage", "pulse_width"} <= values.keys():  # drawn
        return nan
    card, volts = subject.card_at(where), float(values["voltage"])
    power = volts**2 * (conductance(card, 1.0, volts) + conductance(card, -1.0, volts)) / 2
    return pulse_train_rise(
        power, card.thermal_resistance, card.thermal_capacitance, float(values["pulse_width"]), period, subject.pulses
    )


def _tables(data: "xarray.Dataset", study: Study) -> tuple[Table, ...]:
    found = heated(data, study)
    rows: list[dict[str, Cell]] = [
        {
            **one.probability.where, PERIOD: float(period), "rate": 1 / float(period),
            "P(toggle)": float(one.probability.y.value[k]), "low": float(one.probability.y.low[k]),
            "high": float(one.probability.y.high[k]), "pulses": int(one.probability.y.trials[k]),
            "rise": float(one.rise.y.value[k]), "peak": float(one.peak.y.value[k]),
            "closed form": closed_form(study, one.probability.where, float(period)),
            "points": int(one.probability.y.points[k]),
            "missing": one.probability.y.planned - int(one.probability.y.points[k]),
        }
        for one in found for k, period in enumerate(one.probability.x)
    ]  # fmt: skip
    notes = (
        "rise: above the temperature around, when the last pulse begins; peak: the largest after that; averages of "
        "all junctions.",
        "closed form: the rise of a first-order thermal RC under rectangular pulses, half of the time in either state.",
        rests_on([one.probability for one in found]),
    )
    units = {**sweep_units(study), "rate": "Hz", "rise": "K", "peak": "K", "closed form": "K"}
    return (table("toggling against the repetition rate", rows, units, notes),)


SELF_HEATING = Analysis(
    NAME, "toggling and temperature rise against the repetition rate of pulses", _check, _tables, {}
)  # fmt: skip
