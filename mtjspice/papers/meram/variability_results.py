"""What was computed of cells that differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mtjspice.papers.meram import exact
from mtjspice.papers.meram.exact import DIVERGENCE, OFFSETS, Estimate, Reached
from mtjspice.papers.meram.variability_figures import OFFSET, SPREADS

if TYPE_CHECKING:
    from mtjspice.papers.meram.spreads import Drawn, Mismatch, Slope
    from mtjspice.papers.meram.variability_images import Effect, Images


@dataclass(frozen=True)
class Results:
    """What was computed: exact ``laws`` of ``devices`` by encoding and spread, ``arrays`` by what errors share, ..."""

    devices: int
    laws: Mapping[str, Sequence[Mapping[str, Estimate]]]
    arrays: Mapping[str, tuple[Estimate, Estimate]]
    images: "Images"
    slopes: "Sequence[Slope]"
    drawn: "tuple[Drawn, Drawn]"
    mismatch: "Mismatch"

    def _reached(self, encoding: str, what: str, limit: float) -> Reached:
        return exact.reached_within(np.array(SPREADS), [one[what] for one in self.laws[encoding]], limit)

    @property
    def offsets(self) -> dict[str, Reached]:
        """Spread at which the mean is off by `OFFSET`, by encoding."""
        return {name: self._reached(name, OFFSETS, OFFSET) for name in self.laws}

    @property
    def doubled(self) -> Reached:
        """Spread at which product words diverge twice as much."""
        return self._reached("product:8", DIVERGENCE, 2 * self.laws["product:8"][0][DIVERGENCE].value)

    @property
    def tolerated(self) -> float:
        """Spread that neither doubles a divergence nor moves a mean by `OFFSET`."""
        return min(SPREADS[-1], self.doubled.value, *(one.value for one in self.offsets.values()))

    @property
    def seen_from(self) -> float:
        """Ratio of distances of images beyond the spread of single runs."""
        return 1 + self.images.chance.single

    @property
    def worst_calibrated(self) -> "Effect":
        """The largest ratio of images where every word is calibrated and cells differ."""
        return max(self.calibrated, key=_ratio)

    @property
    def calibrated(self) -> "list[Effect]":
        """Effects of cells that differ, of calibrated words."""
        return [one for one in self.images.effects if one.calibrated and one.spread]

    def slope(self, name: str) -> "Slope":
        """Slope at P = 1/2."""
        return next(one for one in self.slopes if one.target == 0.5 and one.name == name)


def _ratio(one: "Effect") -> float:
    return one.value
