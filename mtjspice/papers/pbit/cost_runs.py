"""Columns in place and beside, simulated at several settings, for the experiment on cost."""

from typing import TYPE_CHECKING

from mtjspice.papers.experiment import Context
from mtjspice.papers.pbit import claims

if TYPE_CHECKING:
    from mtjspice.circuits.benches.cim_figures import Comparison
    from mtjspice.statistics import Proportion

TECHNOLOGIES = ("gf180mcu", "sky130", "freepdk45")
FAST = {"settle": 2.0e-9, "decision": 0.8e-9, "restore": 0.3e-9}
"""A shorter computing phase, s; whether the sums still come out is a finding."""
MAIN, QUICKER, LESS = "gf180mcu, 8 rows", "gf180mcu, 4 rows, fast", "gf180mcu, 4 rows, RA/2"


def comparisons(context: Context) -> dict[str, "Comparison"]:
    """Both columns at each setting."""
    from mtjspice.circuits.benches.cim_figures import in_situ_against_ex_situ
    from mtjspice.circuits.technology import technology
    from mtjspice.papers.pbit import cells

    wanted: list[tuple[str, str, int, str, dict[str, float]]] = [
        (MAIN, "gf180mcu", 8, "", {}), ("gf180mcu, 4 rows", "gf180mcu", 4, "", {}),
        (QUICKER, "gf180mcu", 4, "", FAST), (LESS, "gf180mcu", 4, "", {}),
    ]  # fmt: skip
    wanted += context.effort(
        [("sky130, 4 rows", "sky130", 4, "", {})],
        [
            ("gf180mcu, 16 rows", "gf180mcu", 16, "", {}), ("gf180mcu, 8 rows, ss", "gf180mcu", 8, "ss", {}),
            ("gf180mcu, 8 rows, ff", "gf180mcu", 8, "ff", {}), ("sky130, 8 rows", "sky130", 8, "", {}),
        ],
    )  # fmt: skip
    card = cells.card()
    half = card.replace(resistance_area_product=card.resistance_area_product / 2)
    return {
        name: in_situ_against_ex_situ(technology(tech), half if name == LESS else card, rows, corner=corner, **settings)
        for name, tech, rows, corner, settings in wanted
    }


def reached() -> dict[str, tuple[float, float]]:
    """Supply (V) of each technology, and the probability that a pulse of this amplitude switches."""
    from mtjspice.circuits.technology import technology
    from mtjspice.device.switching import switching_probability
    from mtjspice.papers.pbit import cells

    supplies = {name: technology(name).supply_voltage for name in TECHNOLOGIES}
    # more than the amplitude for 1/2 is no obstacle, since rails go down to any value
    volts = [min(supply, 1.8) for supply in supplies.values()]
    distinct = sorted(set(volts))
    found = switching_probability(cells.card(), distinct, [claims.PULSE_WIDTH], tolerance=1e-3).probability.values[:, 0]
    at = dict(zip(distinct, found.tolist(), strict=True))
    return {name: (supply, at[volt]) for (name, supply), volt in zip(supplies.items(), volts, strict=True)}


def computing_for(found: "Comparison", ratio: float) -> float:
    """Computing time (s), the same in both columns, at which the cycles have that ratio."""
    inside, beside = found.in_situ.draw_time, found.ex_situ.draw_time
    return (beside - ratio * inside) / (ratio - 1)


def sums(context: Context) -> tuple["Proportion", float]:
    """Wrong signs and error (weights) of sums of 4 rows with the shorter phase."""
    from mtjspice.circuits.benches.cim_figures import weighted_sum
    from mtjspice.circuits.library.cim import CimColumn
    from mtjspice.circuits.technology import technology
    from mtjspice.papers.pbit import cells

    column = CimColumn(technology(cells.TECHNOLOGY), card=cells.card(), rows=4)
    found = weighted_sum(
        column, seed=cells.streams(context.seed, 1)[0], arrays=context.effort(2, 6), patterns=8, **FAST
    )
    return found.wrong_signs, found.rms_error
