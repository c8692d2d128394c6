"""Levels that make a MeRAM word's columns switch with given probabilities, found on the circuit itself.

A noiseless transient shows what pulses of several levels put on the junctions, macrospins with thermal field how those
pulses switch; a smooth curve through their counts is inverted. Rails are calibrated at one control voltage, or control
voltages (pulse widths) at one rail.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit

from mtjspice.circuits.benches.word import RAIL_SHARE
from mtjspice.circuits.benches.word_program import WordConditions, delivered, switched
from mtjspice.device.macrospin import ANTIPARALLEL, PARALLEL
from mtjspice.errors import InputError, choose
from mtjspice.studies import seeds

Floats = NDArray[np.float64]
TRIALS = 20_000
"""Macrospins a level and direction by default."""

_LEVELS = 9
_DEGREE = 3  # of the polynomial in the level that the logit of a probability follows on the branch
_CONTROLS = (0.3, 0.36, 0.43, 0.47, 0.52, 0.63, 0.8, 1.0)  # of the supply; widths of 2 to 0.35 ns in gf180mcu
_DROP = 1.025  # rail over junction's voltage, a first guess
_MARGIN = 0.05  # of the rail, below what ideal pulses would take, and twice as much above: real edges are slower
_WIDTH_MARGIN = 0.3  # of the width; probabilities follow it more slowly


@dataclass(frozen=True)
class Wanted:
    """Pulses of ideal shape: ``by`` "voltage" or "width", the other one ``fixed``; ``values`` are theirs (V or s).

    A value of 0 is no pulse. ``probabilities`` of switching from P to AP are what the circuit is to give.
    """

    by: str
    fixed: float
    values: tuple[float, ...]
    probabilities: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Calibration:
    """How a selected column switches under pulses of ``levels`` (n,), V: of the rail (``by`` "voltage") or the control.

    ``other`` (V) is the constant one of the two. ``rising`` and ``falling`` (n,) are counts of ``trials`` macrospins
    that switched from P to AP and from AP to P; ``amplitudes`` (V) and ``widths`` (s), both (n,), are those of the
    pulses at a junction in P. ``reset_failure`` is the fraction of AP junctions that a reset pulse leaves there.
    """

    by: str
    other: float
    levels: Floats
    rising: NDArray[np.int64]
    falling: NDArray[np.int64]
    trials: int
    amplitudes: Floats
    widths: Floats
    reset_failure: float

    def probabilities(self, level: ArrayLike) -> tuple[Floats, Floats]:
        """Switching probabilities P to AP and AP to P of pulses at ``level`` (V), same shape."""
        x = self._scaled(np.asarray(level, np.float64))
        rising, falling = (np.asarray(expit(np.polyval(one[0], x))) for one in self._fits)
        return rising, falling

    def invert(self, probability: ArrayLike) -> Floats:
        """Levels (V) that switch from P with ``probability``, same shape; InputError outside the calibrated range."""
        grid = np.linspace(self.levels.min(), self.levels.max(), 2001)
        grid = grid if self.by == "voltage" else grid[::-1]  # a lower control makes a wider pulse
        curve = np.maximum.accumulate(self.probabilities(grid)[0])
        wanted = np.asarray(probability, np.float64)
        outside = wanted[(wanted < curve[0]) | (wanted > curve[-1])]
        if outside.size:
            raise InputError(
                f"no calibrated pulse of this word switches with the probability {outside.flat[0]:.3g}; it reaches "
                f"{curve[0]:.3g} to {curve[-1]:.3g}"
            )
        return np.asarray(np.interp(wanted, curve, grid))

    @property
    def error(self) -> float:
        """Bound of the probabilities' error: two standard errors of the fit, and its largest misfit beyond noise."""
        bound = 0.0
        for counts, (coefficients, covariance) in zip((self.rising, self.falling), self._fits, strict=True):
            powers = np.vander(self._scaled(self.levels), _DEGREE + 1)
            p = expit(powers @ coefficients)
            slope = p * (1 - p)
            spread = slope * np.sqrt(np.einsum("ij,jk,ik->i", powers, covariance, powers))
            noise = np.sqrt(np.maximum(slope, 1 / self.trials) / self.trials)
            misfit = np.maximum(0.0, np.abs(counts / self.trials - p) - 2 * noise)
            bound = max(bound, float((2 * spread + misfit).max()))
        return bound

    def as_dict(self) -> dict[str, Any]:
        """Plain types, for JSON."""
        found = {key: value.tolist() if isinstance(value, np.ndarray) else value for key, value in asdict(self).items()}
        return {**found, "error": self.error}

    @cached_property
    def _fits(self) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats]]:
        """Coefficients and their covariance for both directions: least squares in logits, weighted by the counts."""
        return self._fit(self.rising), self._fit(self.falling)

    def _fit(self, counts: NDArray[np.int64]) -> tuple[Floats, Floats]:
        p = (counts + 0.5) / (self.trials + 1)  # no infinite logits
        weights = np.sqrt(self.trials * p * (1 - p))
        powers = np.vander(self._scaled(self.levels), _DEGREE + 1) * weights[:, None]
        inverse = np.linalg.pinv(powers)
        return np.asarray(inverse @ (weights * logit(p))), np.asarray(inverse @ inverse.T)

    def _scaled(self, level: Floats) -> Floats:
        low, high = self.levels.min(), self.levels.max()
        return np.asarray((2 * level - low - high) / (high - low))


def calibrate(
    conditions: WordConditions, wanted: Wanted, reset_control: float, *, trials: int = TRIALS, seed: int = 1,
    progress: Callable[[float], None] = lambda done: None,
) -> Calibration:  # fmt: skip
    """Calibrate a selectable word for the ``wanted`` pulses, by two transients and macrospins.

    ``reset_control`` (V) belongs to the reset pulse, at the write rail of the conditions. InputError for pulses that
    the circuit cannot make, SimulatorError where the simulator fails.
    """
    choose("what a pulse is programmed by", wanted.by, ("voltage", "width"))
    if trials < 100:
        raise InputError(f"a calibration takes 100 macrospins a level or more, not {trials}")
    values = np.array([value for value in wanted.values if value])
    if not values.size or (values <= 0).any() or wanted.fixed <= 0:
        raise InputError("the program has no pulses that raise the voltage of a junction; a MeRAM word makes no others")
    low, high = float(values.min()), float(values.max())
    card, technology = conditions.word.card, conditions.word.technology
    volts = (low + high) / 2 if wanted.by == "voltage" else wanted.fixed
    supply, ceiling = technology.supply_voltage, _highest_rail(conditions)
    guess = _checked_rail(_DROP * volts, volts, ceiling)
    controls = supply * np.array(_CONTROLS)
    first = delivered(conditions, [(guess, float(control)) for control in controls])
    progress(0.3)
    widths = np.array([one.width for one in first])
    shortest, longest = (wanted.fixed,) * 2 if wanted.by == "voltage" else (low, high)
    # a pulse about as long as the trigger is ended by it, not by the control voltage
    own = (widths > 0) & (widths < 0.9 * conditions.timing.trigger_high)
    ends = _controls(np.array([longest, shortest]), controls[own], widths[own])
    if wanted.by == "voltage":
        other = float(ends[0])
        drop = guess / first[int(np.argmin(np.abs(controls - other)))].amplitude
        top = min(ceiling, (1 + 2 * _MARGIN) * _checked_rail(drop * high, high, ceiling))
        levels = np.linspace((1 - _MARGIN) * drop * low, top, _LEVELS)
        pulses = [(float(level), other) for level in levels]
    else:
        drop = guess / first[int(np.argmin(np.abs(controls - ends.mean())))].amplitude
        other = _checked_rail(drop * volts, volts, ceiling)
        beyond = np.clip([(1 + _WIDTH_MARGIN) * high, (1 - _WIDTH_MARGIN) * low], widths[own].min(), widths[own].max())
        levels = _controls(np.linspace(beyond[0], beyond[1], _LEVELS), controls[own], widths[own])
        pulses = [(other, float(level)) for level in levels]
    made = delivered(conditions, [*pulses, (conditions.levels.write_rail, reset_control)])
    progress(0.6)
    temperature, noise = conditions.temperature, seeds.word(seed, seeds.CALIBRATION)
    rising = switched(card, made[:-1], PARALLEL, trials, noise, temperature)
    progress(0.8)
    falling = switched(card, made, ANTIPARALLEL, trials, noise, temperature)
    progress(1.0)
    return Calibration(
        wanted.by, other, levels, rising, falling[:-1], trials, np.array([one.amplitude for one in made[:-1]]),
        np.array([one.width for one in made[:-1]]), 1 - float(falling[-1]) / trials,
    )  # fmt: skip


def _controls(wanted: Floats, controls: Floats, widths: Floats) -> Floats:
    """Control voltages of ``wanted`` widths (s); InputError beyond the ``widths`` that ``controls`` make."""
    from scipy.interpolate import PchipInterpolator

    if widths.size < 2 or (np.diff(widths) >= 0).any():
        raise InputError("the pulse generator of this word makes no pulses whose width follows the control voltage")
    shortest, longest = float(widths.min()), float(widths.max())
    for width in wanted.tolist():
        if not shortest <= width <= longest:
            raise InputError(
                f"pulse width {width * 1e9:.3g} ns is out of reach of the word's generator; it makes "
                f"{shortest * 1e9:.3g} to {longest * 1e9:.3g} ns"
            )
    curve = PchipInterpolator(np.log(widths[::-1]), controls[::-1])
    return np.asarray(curve(np.log(wanted)))


def _highest_rail(conditions: WordConditions) -> float:
    """Highest write rail, V, that the word's switches pass."""
    supply = conditions.word.technology.supply_voltage
    return supply if conditions.word.column.switch.halves == "both" else RAIL_SHARE * supply


def _checked_rail(rail: float, volts: float, ceiling: float) -> float:
    if rail > ceiling:
        raise InputError(
            f"a pulse of {volts:.3g} V on the junction takes a write rail of about {rail:.3g} V; the word's switches "
            f"pass {ceiling:.3g} V"
        )
    return rail
