"""What was measured of energy and area of a bit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mtjspice.papers.findings import Value
from mtjspice.papers.meram.energy_figures import energy_of
from mtjspice.papers.meram.text import percent

if TYPE_CHECKING:
    from mtjspice.layout.area import Row
    from mtjspice.papers.meram.samples import Way
    from mtjspice.reports.area import Outcome
    from mtjspice.studies.operation import Cycles

TECHNOLOGY = "gf180mcu"
TOLERANCE = 0.05  # by which energies are trusted at least; more if the word with moving junctions takes more


@dataclass(frozen=True, eq=False)
class Measured:
    """The comparison, co-simulated ``cycles``, and energies of a bit (J) of words whose junctions stand still.

    ``still`` is of a second cycle with the pulses of the cycles, ``standing`` of a first cycle with those of the
    comparison; neither has wires. ``ways`` are those to Gaussian numbers.
    """

    outcome: "Outcome"
    cycles: "Cycles"
    still: float
    standing: float
    ways: "Sequence[Way]"

    @property
    def word(self) -> "Row":
        """The word."""
        return self.outcome.word

    @property
    def per_cycle(self) -> NDArray[np.float64]:
        """Energy of a bit (J) in each cycle."""
        return np.asarray(self.cycles.energy.sum(axis=(1, 2)) / self.cycles.data.shape[1])

    @property
    def moving(self) -> Value:
        """Energy of a bit with moving junctions."""
        from scipy.stats import t as student

        mean, cycles = float(self.per_cycle.mean()), len(self.per_cycle)
        error = float(student.ppf(0.975, cycles - 1) * self.per_cycle.std(ddof=1) / np.sqrt(cycles))
        return Value(value=mean, unit="J", low=mean - error, high=mean + error, kind="95 %, Student over cycles")

    @property
    def junctions(self) -> Value:
        """Share of the junctions' heat."""
        share = self.cycles.junction_energy.sum(axis=1) / self.cycles.data.shape[1] / self.per_cycle
        return Value(
            value=float(share.mean()), unit="%", low=float(share.min()), high=float(share.max()),
            kind=f"range of {len(share)} cycles",
        )  # fmt: skip

    @property
    def trust(self) -> float:
        """Relative error within which energies are given."""
        return max(TOLERANCE, abs(self.moving.value / self.standing - 1))

    @cached_property
    def silicon(self) -> "Sequence[Row]":
        """CMOS of the same process."""
        return [
            row for row in self.outcome.rows
            if row.technology == TECHNOLOGY and row.energy and row.name.startswith(("LFSR", "ChaCha", "Philox"))
        ]  # fmt: skip

    @property
    def registers(self) -> "Sequence[Row]":
        """Shift registers with an area."""
        return [row for row in self.silicon if row.name.startswith("LFSR") and row.area_per_bit]

    @property
    def nominal(self) -> "Row":
        """The shortest register at the nominal supply."""
        return next(row for row in self.registers if row.name == f"LFSR-8, {self.outcome.supplies[0]:g} V")

    @cached_property
    def products(self) -> Mapping[str, float]:
        """Energy times area of others over the word's."""
        return {row.name: ratio for row in self.silicon if (ratio := self.outcome.ratio(row)) is not None}

    @cached_property
    def savings(self) -> Mapping[str, Value]:
        """Share of the energy that the word saves."""
        return {row.name: saving(self.word, row, self.trust) for row in self.silicon}

    @property
    def best(self) -> str:
        """The generator over which the word's advantage is largest."""
        return max(self.products, key=lambda name: self.products[name])

    @property
    def cell_share(self) -> float:
        """Share of the cells in the word's area."""
        return next(one for one in self.outcome.areas if one.name.startswith("meram_word8")).cell_share

    @property
    def bare(self) -> float:
        """Advantage of junctions' heat and cells alone over the nominal register."""
        word = next(one for one in self.outcome.areas if one.name.startswith("meram_word8"))
        heat = self.junctions.value * self.moving.value
        return energy_of(self.nominal) * area_of(self.nominal) / (heat * word.cells / word.bits)

    @property
    def wired(self) -> str:
        """Which wires are in the energies."""
        return "drawn wires" if self.outcome.wires else "no wires (KLayout is not there)"


def area_of(row: "Row") -> float:
    """Area of a bit, m2, of a generator that has one."""
    assert row.area_per_bit is not None
    return row.area_per_bit


def saving(word: "Row", row: "Row", trust: float) -> Value:
    """Saved share of the energy; its limits if the word takes more or less by ``trust``."""
    value, low, high = (1 - energy_of(word) * factor / energy_of(row) for factor in (1, 1 + trust, 1 - trust))
    return Value(value=value, unit="%", low=low, high=high, kind=f"energies to {percent(trust)}")
