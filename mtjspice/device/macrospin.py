"""Batched macrospin engine: many trials of one card under given voltage waveforms, compiled and parallel."""

from dataclasses import dataclass
from math import floor, inf

import numpy as np
from numba import njit, prange
from numpy.typing import ArrayLike, NDArray
from scipy.special import ive

from mtjspice.device import llg
from mtjspice.device.card import MTJCard
from mtjspice.device.constants import ROOM_TEMPERATURE
from mtjspice.device.derived import derive
from mtjspice.device.llg import advance, decided
from mtjspice.errors import InputError

DECISION_DEPTH = 4.0  # kT below the saddle at which a final state counts as decided
DECISION_CAP = 0.8  # of the barrier, for devices whose barrier is only a few kT
_STEPS_BETWEEN_DECISIONS = 16.0  # noise steps; an advance costs one extra noise node each time it is entered
DECISION_TIME = 1e-7  # s, longest relaxation before the sign of m_z decides

PARALLEL = 1
ANTIPARALLEL = -1


@dataclass(frozen=True)
class Waveform:
    """A piecewise-linear voltage V(t): increasing times in seconds, volts at them."""

    times: NDArray[np.float64]
    volts: NDArray[np.float64]

    def __post_init__(self) -> None:
        times, volts = np.asarray(self.times, float), np.asarray(self.volts, float)
        if times.ndim != 1 or times.shape != volts.shape or len(times) < 2:
            raise InputError("a waveform needs two arrays of equal length, two points or more")
        if not (np.all(np.isfinite(times)) and np.all(np.isfinite(volts)) and np.all(np.diff(times) > 0)):
            raise InputError("a waveform needs increasing times and finite voltages")
        object.__setattr__(self, "times", times)
        object.__setattr__(self, "volts", volts)


def pulse(amplitude: float, width: float, edge: float = 5e-11, delay: float = 0.0) -> Waveform:
    """Trapezoid of full width at half maximum ``width`` (s) with rise and fall time ``edge`` (s)."""
    if not 0 <= delay < inf:
        raise InputError(f"pulse delay {delay:g} s must not be negative")
    if not 0 < edge <= width:
        raise InputError(f"pulse width {width:g} s must be at least the edge time {edge:g} s, which is positive")
    corners = [delay, delay + edge, delay + width, delay + width + edge]
    volts = [0.0, amplitude, amplitude, 0.0]
    if width == edge:
        del corners[2], volts[2]
    if delay > 0:
        corners.insert(0, 0.0)
        volts.insert(0, 0.0)
    return Waveform(np.array(corners), np.array(volts))


@dataclass(frozen=True)
class Outcome:
    """Final states of a batch: ``magnetization`` (trials, 3); ``undecided`` counts the trials still near the
    saddle when the relaxation time ran out (the sign of m_z decides those)."""  # fmt: skip

    magnetization: NDArray[np.float64]
    undecided: int

    @property
    def states(self) -> NDArray[np.int8]:
        """+1 for P, -1 for AP."""
        return np.where(self.magnetization[:, 2] >= 0, PARALLEL, ANTIPARALLEL).astype(np.int8)


def thermal_states(
    card: MTJCard,
    states: ArrayLike,
    rng: np.random.Generator,
    temperature: float = ROOM_TEMPERATURE,
) -> NDArray[np.float64]:
    """Draw magnetizations (n, 3) from the Boltzmann law inside the wells ``states`` (n,), +1 for P, -1 for AP.

    p(m) ~ exp[Delta_0 (m_z^2 + 2 h m_x + 2 h_z m_z)] with m_z > 0 (P) or m_z < 0 (AP): the polar angle by
    inversion of its tabulated distribution, then the azimuth, which is von Mises distributed given m_z.
    Raises InputError for a card without two wells (Stoner and Wohlfarth: h^(2/3) + |h_z|^(2/3) < 1).
    """
    wanted = np.atleast_1d(np.asarray(states))
    if not np.all(np.isin(wanted, (PARALLEL, ANTIPARALLEL))):
        raise InputError("an initial state is +1 (P) or -1 (AP)")
    figures = derive(card, temperature)
    h = figures.reduced_field
    if not h < 1:
        raise InputError(
            f"card {card.name!r} has no stable states: bias field over anisotropy field is {h:.3g} (must be < 1)"
        )
    h_z = card.perpendicular_field / figures.anisotropy_field
    if h ** (2 / 3) + abs(h_z) ** (2 / 3) >= 1:
        raise InputError(
            f"card {card.name!r} has one stable state only: bias and perpendicular field over anisotropy field "
            f"are {h:.3g} and {h_z:.3g} (must satisfy h^(2/3) + |h_z|^(2/3) < 1)"
        )
    delta0 = figures.thermal_stability_zero_field
    # uniform in the angle from the z axis: resolves the narrow wells of low temperatures
    theta = np.linspace(0.0, np.pi / 2, 40001)
    z, transverse = np.cos(theta), np.sin(theta)
    m_z = np.empty(len(wanted))
    for sign in (PARALLEL, ANTIPARALLEL):
        chosen = wanted == sign
        kappa = 2 * delta0 * h * transverse
        exponent = delta0 * (z * z + 2 * h_z * sign * z) + kappa
        density = np.exp(exponent - exponent.max()) * ive(0, kappa) * transverse
        cumulative = np.concatenate(([0.0], np.cumsum((density[1:] + density[:-1]) / 2)))
        angle = np.interp(rng.random(int(chosen.sum())) * cumulative[-1], cumulative, theta)
        m_z[chosen] = sign * np.cos(angle)
    radius = np.sqrt(np.maximum(0.0, 1 - m_z * m_z))
    azimuth = rng.vonmises(0.0, 2 * delta0 * h * radius)
    return np.column_stack((radius * np.cos(azimuth), radius * np.sin(azimuth), m_z))


def decision_depth(row: NDArray[np.float64]) -> float:
    """Depth below the saddle (in kT) at which a state counts as decided; the shallower well reaches it too."""
    if row[llg.FIELD_K] <= 0:
        return 0.0
    h, h_z = row[llg.FIELD_X] / row[llg.FIELD_K], abs(row[llg.FIELD_Z]) / row[llg.FIELD_K]
    theta = np.linspace(0.0, np.pi / 2, 1001)
    well = np.max(np.cos(theta) ** 2 + 2 * h * np.sin(theta) - 2 * h_z * np.cos(theta)) - 2 * h
    return float(min(DECISION_DEPTH, DECISION_CAP * row[llg.DELTA_0] * max(0.0, well)))


@njit(cache=True)
def relax(
    p: NDArray[np.float64],
    seed: int,
    device: int,
    m: NDArray[np.float64],
    start: float,
    depth: float,
    limit: float,
) -> bool:
    """Go on at V = 0 from ``start`` until the state is decided; False if ``limit`` seconds did not suffice."""
    t = start
    step = p[llg.NOISE_STEP]
    node = floor(start / step + 1e-7)
    while t < start + limit:
        if decided(p, m, depth):
            return True
        node += _STEPS_BETWEEN_DECISIONS
        advance(p, seed, device, m, t, node * step, 0.0, 0.0)
        t = node * step
    return False


@njit(parallel=True, cache=True)
def _run(
    p: NDArray[np.float64],
    seed: int,
    first_device: int,
    m: NDArray[np.float64],
    times: NDArray[np.float64],
    volts: NDArray[np.float64],
    choice: NDArray[np.int64],
    relaxing: bool,
    depth: float,
    limit: float,
) -> NDArray[np.bool_]:
    n = m.shape[0]
    done = np.ones(n, np.bool_)
    for trial in prange(n):
        row = volts[choice[trial]]
        state = m[trial].copy()
        for k in range(len(times) - 1):
            advance(p, seed, first_device + trial, state, times[k], times[k + 1], row[k], row[k + 1])
        if relaxing:
            done[trial] = relax(p, seed, first_device + trial, state, times[-1], depth, limit)
        m[trial] = state
    return done


def run(
    row: NDArray[np.float64],
    initial: NDArray[np.float64],
    times: NDArray[np.float64],
    volts: NDArray[np.float64],
    seed: int,
    *,
    choice: NDArray[np.int64] | None = None,
    first_device: int = 0,
    relaxing: bool = True,
) -> Outcome:
    """Integrate ``initial`` (n, 3) through waveforms on common ``times`` (k,), then relax at V = 0.

    ``volts`` is (k,) or (waveforms, k); ``choice`` (n,) says which waveform a trial sees (default: in turn).
    Trial i has the noise of device ``first_device + i``; ``row`` comes from `llg.parameters`.
    """
    table = np.atleast_2d(np.asarray(volts, float))
    if choice is None:
        choice = np.arange(len(initial)) % len(table)
    m = np.array(initial, dtype=float, order="C")
    # the compiled loop checks no bounds
    if m.ndim != 2 or m.shape[1] != 3 or table.ndim != 2 or table.shape[1] != len(times):
        raise ValueError("run needs initial states (n, 3) and waveforms that have a voltage for each time")
    if len(choice) != len(m) or (len(m) and not 0 <= np.min(choice) <= np.max(choice) < len(table)):
        raise ValueError("choice must name one of the waveforms for each trial")
    done = _run(
        row, _word(seed), first_device, m, np.ascontiguousarray(times, dtype=float), np.ascontiguousarray(table),
        choice, relaxing, decision_depth(row) if relaxing else 0.0, DECISION_TIME,
    )  # fmt: skip
    return Outcome(m, int(np.count_nonzero(~done)))


def _word(seed: int) -> int:
    """Check that a seed fits the 32-bit key word of the noise."""
    if not 0 <= seed < 2**32:
        raise InputError(f"seed {seed} is out of range; allowed: 0 to {2**32 - 1}")
    return seed


def switching(
    card: MTJCard,
    waveform: Waveform,
    trials: int,
    seed: int,
    *,
    state: int = PARALLEL,
    temperature: float = ROOM_TEMPERATURE,
    noise_step: float = llg.DEFAULT_NOISE_STEP,
    substeps: int = 1,
) -> Outcome:
    """Apply a waveform to thermally equilibrated devices in ``state`` and return where they ended.

    The switching probability is ``np.mean(outcome.states != state)``.
    """
    if trials < 1:
        raise InputError(f"the number of trials must be positive, not {trials}")
    rng = np.random.Generator(np.random.Philox(key=[_word(seed), 0x1217]))
    initial = thermal_states(card, np.full(trials, state), rng, temperature)
    row = llg.parameters(card, temperature, noise_step, substeps=substeps)
    return run(row, initial, waveform.times, waveform.volts, seed)


def settle(
    rows: NDArray[np.float64],
    magnetization: NDArray[np.float64],
    seed: int,
    devices: NDArray[np.int64],
    start: float,
) -> Outcome:
    """Go on at V = 0 from time ``start`` (s) with the same noise until every state is decided.

    ``rows`` (n, columns) and ``magnetization`` (n, 3) describe n junctions with device numbers ``devices``.
    """
    m = np.array(magnetization, dtype=float, order="C")
    undecided = 0
    for row, state, device in zip(rows, m, devices, strict=True):
        done = relax(row, _word(seed), int(device), state, start, decision_depth(row), DECISION_TIME)
        undecided += not done
    return Outcome(m, undecided)
