"""Switching probabilities of the macrospin without trials: the Fokker-Planck equation on the whole sphere.

The density of m is expanded in real spherical harmonics and propagated through the voltage; the chance to end in
the other well afterwards is its product with the committor, which the falling edge carries backward in time. One
forward run therefore gives the probability at every pulse width. Spread of the VCMA drive: quadrature over its
Gaussian deviation. Resolution (degree, time step, number of deviations) follows from the tolerance, and the error
estimate is the difference from a coarser one. See Brown, Phys. Rev. 130, 1677 (1963), and docs/design.md.
"""

from dataclasses import dataclass, replace
from itertools import pairwise
from math import pi, sqrt

import numpy as np
from numpy.typing import ArrayLike

from mtjspice.device import generator, harmonics, llg, propagation, wells
from mtjspice.device.generator import Floats, Generator
from mtjspice.device.problem import Lanes, Problem, Progress, Resolution
from mtjspice.device.propagation import LANES
from mtjspice.device.resolution import Probability, solve_adaptively
from mtjspice.errors import InputError

__all__ = ["Density", "Probability", "density", "follow", "switching_map"]


def switching_map(
    rows: ArrayLike,
    volts: ArrayLike,
    widths: ArrayLike,
    *,
    edge: float = 5e-11,
    state: int = 1,
    tolerance: float = 1e-6,
    max_degree: int = 160,
    progress: Progress | None = None,
) -> Probability:
    """Probabilities (lanes, widths) after trapezoidal pulses, as `macrospin.pulse`, and relaxation at V = 0.

    ``rows`` from `llg.parameters`, one or (lanes, columns); ``volts`` (lanes,) amplitudes; ``widths`` (k,) full
    widths at half maximum in seconds; ``edge`` (s) rise and fall time; ``state`` +1 starts in P, -1 in AP;
    ``tolerance`` absolute. ``progress`` is told the finished fraction. Raises InputError for what the equation does
    not cover and where ``max_degree`` does not reach the tolerance.
    """
    amplitudes = np.atleast_1d(np.asarray(volts, float))
    table = _cases(rows, len(amplitudes), state, tolerance)
    lengths = np.atleast_1d(np.asarray(widths, float))
    if lengths.ndim != 1 or not len(lengths) or not np.all(np.isfinite(lengths)) or not np.all(np.isfinite(amplitudes)):
        raise InputError("a switching map needs finite voltages and pulse widths")
    if not 0 < edge <= lengths.min():
        raise InputError(
            f"pulse width {lengths.min():g} s must be at least the edge time {edge:g} s, which is positive"
        )
    if np.any(table[..., llg.VCMA_LAG] > 0):
        parts = []
        for number, width in enumerate(lengths):
            times = np.unique([0.0, edge, width, width + edge])
            shape = np.array([0.0, 1.0, 1.0, 0.0]) if width > edge else np.array([0.0, 1.0, 0.0])
            parts.append(follow(table, times, amplitudes[:, None] * shape, state=state, tolerance=tolerance))
            if progress is not None:
                progress((number + 1) / len(lengths))
        return Probability(
            np.stack([part.switched for part in parts], axis=1),
            np.stack([part.stayed for part in parts], axis=1),
            np.stack([part.error for part in parts], axis=1),
            max(part.degree for part in parts),
        )
    times, back = np.unique(lengths - edge, return_inverse=True)

    def solve(system: Generator, lanes: Lanes, density: Floats, chance: Floats, resolution: Resolution) -> Floats:
        level = amplitudes[lanes.case] * lanes.factor

        def rise(time: Floats) -> Floats:
            now = np.multiply.outer(time / edge, level)
            return generator.coefficients(lanes.rows, now, now * lanes.drive)

        x = propagation.ramp(system, rise, density, edge, resolution.reach)
        q = propagation.ramp(system, lambda time: rise(edge - time), chance, edge, resolution.reach, backward=True)
        plateau = generator.coefficients(lanes.rows, level, level * lanes.drive)
        return propagation.project(system, plateau, x, q, times, resolution.floor)

    problem = Problem(table, amplitudes, np.arange(len(table)), True, state, len(times), solve)
    result = solve_adaptively(problem, tolerance, max_degree, progress)
    return replace(
        result, switched=result.switched[:, back], stayed=result.stayed[:, back], error=result.error[:, back]
    )


def follow(
    rows: ArrayLike,
    times: ArrayLike,
    volts: ArrayLike,
    *,
    state: int = 1,
    tolerance: float = 1e-6,
    max_degree: int = 160,
    progress: Progress | None = None,
) -> Probability:
    """Probabilities (lanes,) after any piecewise-linear voltage and relaxation at V = 0.

    ``times`` (k,) increasing, s; ``volts`` (k,) or (lanes, k); otherwise as `switching_map`. V drops to 0 after the
    last time.
    """
    corners, table = _waveforms(times, volts)
    given = np.atleast_2d(np.asarray(rows, float))
    table = np.broadcast_to(table, (max(len(table), len(given)), len(corners)))
    cases = _cases(rows, len(table), state, tolerance)

    def solve(system: Generator, lanes: Lanes, density: Floats, chance: Floats, resolution: Resolution) -> Floats:
        signal = _Signal(lanes.rows, corners, table[lanes.case] * lanes.factor[:, None], lanes.drive)
        x = density
        for first, last in signal.pieces():
            x = signal.propagate(system, x, first, last, resolution)
        return np.asarray((chance * x).sum(axis=0)[None, :])

    order = table[:, np.argmax(np.abs(table).max(axis=0))]
    result = solve_adaptively(
        Problem(cases, order, np.arange(len(cases)), False, state, 1, solve), tolerance, max_degree, progress
    )
    return replace(result, switched=result.switched[:, 0], stayed=result.stayed[:, 0], error=result.error[:, 0])


@dataclass(frozen=True)
class Density:
    """Density of m at ``times`` (k,): coefficients (k, n) of the real harmonics up to ``degree``."""

    times: Floats
    degree: int
    coefficients: Floats

    def on_grid(self, polar: ArrayLike, azimuth: ArrayLike) -> Floats:
        """Density per solid angle (k, polar, azimuth) at angles in radians."""
        theta, phi = np.asarray(polar, float), np.asarray(azimuth, float)
        return np.array([harmonics.synthesise(self.degree, row, theta, phi) for row in self.coefficients])

    def mean(self) -> Floats:
        """Averages of m_x, m_y, m_z; (k, 3)."""
        return np.asarray(self.coefficients[:, [3, 1, 2]] * sqrt(4 * pi / 3))

    def mean_square_z(self) -> Floats:
        """Averages of m_z^2; (k,)."""
        return np.asarray(1 / 3 + 2 / 3 * self.coefficients[:, 6] * sqrt(4 * pi / 5))


def density(
    row: ArrayLike, times: ArrayLike, volts: ArrayLike, at: ArrayLike, *, state: int = 1, degree: int = 60
) -> Density:
    """Density at the increasing times ``at`` (s) under the voltage through ``times``, ``volts`` (k,), then V = 0.

    The cycle-to-cycle spread is left out (one density for each drive). Raises InputError as `switching_map`.
    """
    given = _cases(row, 1, state, 1e-9)
    corners, table = _waveforms(times, volts)
    instants = np.atleast_1d(np.asarray(at, float))
    if np.any(np.diff(instants) < 0) or instants[0] < corners[0]:
        raise InputError("the times of densities must increase and not precede the waveform")
    if instants[-1] > corners[-1]:
        late = instants[-1] * (1 + 1e-12)
        corners = np.concatenate((corners, [np.nextafter(corners[-1], late), late]))
        table = np.concatenate((table, np.zeros((1, 2))), axis=1)
    lanes = np.broadcast_to(given, (LANES, given.shape[1]))
    signal = _Signal(lanes, corners, np.broadcast_to(table, (LANES, len(corners))), np.ones(LANES))
    system = generator.generator(degree, signal.sample())
    well = wells.find(system, given[0])
    x = _columns(well.densities[0 if state == 1 else 1])
    resolution, now, rows = Resolution(degree, 1.0, 1e-15), float(corners[0]), []
    for instant in instants:
        for first, last in signal.pieces(now, float(instant)):
            x = signal.propagate(system, x, first, last, resolution)
        now = float(instant)
        rows.append(x[:, 0].copy())
    return Density(instants, degree, np.array(rows))


@dataclass(frozen=True)
class _Signal:
    """Voltages (LANES, k) at ``times`` (k,) of a chunk of lanes, and what the anisotropy sees of them."""

    rows: Floats
    times: Floats
    volts: Floats
    scale: Floats

    def pieces(self, start: float | None = None, stop: float | None = None) -> list[tuple[float, float]]:
        """Intervals without a corner from ``start`` to ``stop``, by default all, until a lagging drive has decayed."""
        begin = float(self.times[0]) if start is None else start
        if stop is None:
            stop = float(self.times[-1]) + 40 * float(self.rows[..., llg.VCMA_LAG].max())
        inner = self.times[(self.times > begin) & (self.times < stop)]
        ends = np.concatenate(([begin], inner, [stop]))
        return [(float(a), float(b)) for a, b in pairwise(ends) if b > a]

    def level(self, instants: Floats) -> Floats:
        """Voltages (n, LANES) at ``instants`` (n,)."""
        late = instants > self.times[-1]
        return np.stack([np.where(late, 0.0, np.interp(instants, self.times, lane)) for lane in self.volts], axis=1)

    def drive(self, instants: Floats) -> Floats:
        """Solution of tau dV_e/dt = V - V_e with V_e = V(0) at the start; (n, LANES)."""
        tau = self.rows[..., llg.VCMA_LAG]
        if not np.any(tau > 0):
            return self.level(instants)
        lag = np.maximum(tau, 1e-18)
        edges = np.append(self.times, np.inf)
        now = self.volts[:, 0].copy()
        result = np.empty((len(instants), len(tau)))
        for k in range(len(self.times)):
            end = edges[k + 1]
            last = k == len(self.times) - 1
            slope = 0 * now if last else (self.volts[:, k + 1] - self.volts[:, k]) / (end - edges[k])
            level = 0 * now if last else self.volts[:, k]
            inside = (instants >= edges[k]) & (instants <= end)
            for n in np.flatnonzero(inside):
                result[n] = _lagging(instants[n] - edges[k], level, slope, now, lag)
            if not last:
                now = _lagging(end - edges[k], level, slope, now, lag)
        return np.where(tau > 0, result, self.level(instants))

    def coefficients(self, instants: Floats) -> Floats:
        """Coefficients (n, LANES, FAMILIES) at ``instants`` (n,)."""
        return generator.coefficients(self.rows, self.level(instants), self.drive(instants) * self.scale)

    def sample(self) -> Floats:
        """Coefficients at a few times between all corners, to see which families occur."""
        return self.coefficients(np.concatenate((self.times, (self.times[1:] + self.times[:-1]) / 2)))

    def propagate(self, system: Generator, x: Floats, first: float, last: float, resolution: Resolution) -> Floats:
        """Take the densities x (n, LANES) from time ``first`` to ``last``, between which there is no corner."""
        # inside the interval: the voltage may jump at its end
        inner = first + (last - first) * np.array([1e-6, 0.5, 1 - 1e-6])
        table = self.coefficients(inner)
        if np.allclose(table, table[1], rtol=1e-13, atol=0):
            return propagation.hold(system, table[1], x, last - first, resolution.floor)
        return propagation.ramp(system, lambda time: self.coefficients(first + time), x, last - first, resolution.reach)


def _lagging(time: float, level: Floats, slope: Floats, start: Floats, lag: Floats) -> Floats:
    """V_e after ``time`` under V = level + slope t, from ``start``."""
    return np.asarray(level + slope * (time - lag) + (start - level + slope * lag) * np.exp(-time / lag))


def _waveforms(times: ArrayLike, volts: ArrayLike) -> tuple[Floats, Floats]:
    corners, table = np.asarray(times, float), np.atleast_2d(np.asarray(volts, float))
    if corners.ndim != 1 or len(corners) < 2 or table.ndim != 2 or table.shape[1] != len(corners):
        raise InputError("a waveform needs two times or more and a voltage for each of them")
    if not (np.all(np.isfinite(corners)) and np.all(np.diff(corners) > 0) and np.all(np.isfinite(table))):
        raise InputError("a waveform needs increasing times and finite voltages")
    return corners, table


def _cases(rows: ArrayLike, count: int, state: int, tolerance: float) -> Floats:
    """Check the parameter rows and repeat a single one ``count`` times."""
    table = np.atleast_2d(np.asarray(rows, float))
    if table.shape[1] != llg.COLUMNS or len(table) not in (1, count):
        raise InputError(f"{len(table)} parameter rows do not fit {count} voltages")
    if state not in (1, -1):
        raise InputError("an initial state is +1 (P) or -1 (AP)")
    if not 1e-15 <= tolerance < 1:
        raise InputError(f"tolerance {tolerance:g} is out of range; allowed: 1e-15 to 1")
    for present, what in (
        (table[:, llg.TORQUE_MODEL] > 1, "the Slonczewski torque model"),
        (table[:, llg.THERMAL_RESISTANCE] > 0, "self-heating"),
    ):
        if np.any(present):
            raise InputError(f"the Fokker-Planck solver does not cover {what}; use the macrospin method")
    for row in np.unique(table, axis=0):
        wells.barrier(row)
    return np.broadcast_to(table, (count, table.shape[1]))


def _columns(vector: Floats) -> Floats:
    return np.ascontiguousarray(np.repeat(vector[:, None], LANES, axis=1))
