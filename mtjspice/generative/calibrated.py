"""Calibration of a device that makes noise words: its mean and standard deviation, taken out of every number.

It corrects what is the same for all numbers; memory, tails and steps stay.
"""

from dataclasses import dataclass
from math import isfinite, sqrt

import numpy as np
from numpy.typing import NDArray

from mtjspice.errors import InputError
from mtjspice.generative.gaussian import GaussianSource
from mtjspice.generative.law import Law

Floats = NDArray[np.float64]
_BATCHES = 50
NUMBERS = 100_000
"""Numbers that a calibration takes if nothing else is said."""


@dataclass(frozen=True)
class Calibration:
    """``mean`` and ``deviation`` of a device from ``numbers`` of them (0: from its law), with standard errors."""

    mean: float
    deviation: float
    mean_error: float = 0.0
    deviation_error: float = 0.0
    numbers: int = 0

    def __post_init__(self) -> None:
        if not (isfinite(self.mean) and isfinite(self.deviation) and self.deviation > 0):
            raise InputError(
                f"a device that gives {self.mean:g} with the deviation {self.deviation:g} has no calibration"
            )


def measured(source: GaussianSource, numbers: int = NUMBERS) -> Calibration:
    """Calibration from the next ``numbers`` of a source, which they use up; InputError for fewer than 1000.

    Standard errors are those of the means of 50 batches of successive numbers, so that memory shorter than a batch
    counts.
    """
    if numbers < 1000:
        raise InputError(f"a calibration needs 1000 numbers or more, not {numbers}")
    values = source.normal((numbers,))
    mean, deviation = float(values.mean()), float(values.std())
    batches = values[: numbers - numbers % _BATCHES].reshape(_BATCHES, -1)
    root = sqrt(_BATCHES)
    squares = ((batches - mean) ** 2).mean(axis=1)
    return Calibration(
        mean,
        deviation,
        float(batches.mean(axis=1).std(ddof=1)) / root,
        float(squares.std(ddof=1)) / root / (2 * deviation) if deviation else 0.0,
        numbers,
    )


def from_law(law: Law) -> Calibration:
    """Calibration from an exact law."""
    return Calibration(law.mean, law.standard_deviation)


class CalibratedGaussian(GaussianSource):
    """(x - mean) / deviation of the numbers x of ``source``."""

    def __init__(self, source: GaussianSource, calibration: Calibration, label: str = "") -> None:
        self._source, self._calibration = source, calibration
        self.label = label or f"{source.label}, calibrated"
        self.provenance = {
            **source.provenance,
            "calibration_numbers": calibration.numbers,
            "calibration_mean": calibration.mean,
            "calibration_mean_error": calibration.mean_error,
            "calibration_deviation": calibration.deviation,
            "calibration_deviation_error": calibration.deviation_error,
        }

    @property
    def bits_per_number(self) -> float | None:  # type: ignore[override]
        """Those of the source; what the calibration took is not counted."""
        return self._source.bits_per_number

    def normal(self, shape: tuple[int, ...]) -> Floats:
        """The next numbers."""
        return (self._source.normal(shape) - self._calibration.mean) / self._calibration.deviation

    def law(self) -> Law | None:
        """The source's law, moved and stretched."""
        law, c = self._source.law(), self._calibration
        return None if law is None else law.affine(1 / c.deviation, -c.mean / c.deviation)
