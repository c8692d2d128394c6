"""Batched macrospin engine: many trials of one card under given voltage waveforms, compiled and parallel."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from math import atan2, floor, hypot, inf, isfinite
from typing import Any

import numpy as np
from numba import get_num_threads, njit, prange
from numpy.typing import ArrayLike, NDArray
from scipy.special import ive

from mtjspice.device import derived, lanes, llg
from mtjspice.device.card import MTJCard
from mtjspice.device.constants import ROOM_TEMPERATURE
from mtjspice.device.derived import derive
from mtjspice.device.llg import advance, decided
from mtjspice.device.temperature import check
from mtjspice.errors import InputError, choose

DECISION_DEPTH = 4.0  # kT below the saddle at which a final state counts as decided
DECISION_CAP = 0.8  # of the barrier, for devices whose barrier is only a few kT
_AZIMUTHS = 512
_ANY_STEP = 1e-15  # s; equilibrium does not depend on the step
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

    p(m) ~ exp(-E/kT) with m_z > 0 (P) or m_z < 0 (AP): the polar angle by inversion of its tabulated distribution,
    then the azimuth, which is von Mises distributed given m_z for a disc and tabulated for an ellipse.
    Raises InputError for a card without two wells (Stoner and Wohlfarth: h^(2/3) + |h_z|^(2/3) < 1).
    """
    wanted = np.atleast_1d(np.asarray(states))
    if not np.all(np.isin(wanted, (PARALLEL, ANTIPARALLEL))):
        raise InputError("an initial state is +1 (P) or -1 (AP)")
    row = llg.parameters(card, check(temperature), noise_step=_ANY_STEP)
    _require_wells(card, row)
    # energies in kT are minus these times the components of m
    anisotropy, shape, along_z = (row[llg.MOMENT] * row[[llg.FIELD_K, llg.FIELD_SHAPE_Y, llg.FIELD_Z]]).tolist()
    across = row[llg.MOMENT] * hypot(row[llg.FIELD_X], row[llg.FIELD_Y])
    direction = atan2(row[llg.FIELD_Y], row[llg.FIELD_X])
    # uniform in the angle from the z axis: resolves the narrow wells of low temperatures
    theta = np.linspace(0.0, np.pi / 2, 40001)
    z, transverse = np.cos(theta), np.sin(theta)
    azimuthal = _azimuthal_weight(across * transverse, shape * transverse**2, direction)
    m_z = np.empty(len(wanted))
    for sign in np.unique(wanted):
        chosen = wanted == sign
        exponent = anisotropy * z * z / 2 + along_z * sign * z + across * transverse
        exponent = exponent + np.maximum(0.0, -shape) * transverse**2 / 2
        density = np.exp(exponent - exponent.max()) * azimuthal * transverse
        cumulative = np.concatenate(([0.0], np.cumsum((density[1:] + density[:-1]) / 2)))
        angle = np.interp(rng.random(int(chosen.sum())) * cumulative[-1], cumulative, theta)
        m_z[chosen] = sign * np.cos(angle)
    radius = np.sqrt(np.maximum(0.0, 1 - m_z * m_z))
    if shape == 0:
        azimuth = direction + rng.vonmises(0.0, across * radius)
    else:
        azimuth = _tabulated_azimuth(across * radius, shape * radius**2, direction, rng)
    return np.column_stack((radius * np.cos(azimuth), radius * np.sin(azimuth), m_z))


def _require_wells(card: MTJCard, row: NDArray[np.float64]) -> None:
    """Raise InputError unless the energy has a minimum on either side of the equator."""
    if derive(card).thermal_stability_zero_field <= 0 or derived.barrier_field(card) <= 0:
        h = derive(card).reduced_field
        raise InputError(
            f"card {card.name!r} has no stable states: bias field over anisotropy field is {h:.3g} (must be < 1)"
        )
    h = hypot(row[llg.FIELD_X], row[llg.FIELD_Y]) / row[llg.FIELD_K]
    h_z = row[llg.FIELD_Z] / row[llg.FIELD_K]
    # for a disc; an ellipse only raises the threshold where its long axis lies along the field
    if h ** (2 / 3) + abs(h_z) ** (2 / 3) >= 1:
        raise InputError(
            f"card {card.name!r} has one stable state only: bias and perpendicular field over anisotropy field "
            f"are {h:.3g} and {h_z:.3g} (must satisfy h^(2/3) + |h_z|^(2/3) < 1)"
        )


def _azimuthal_exponent(
    field: NDArray[np.float64], shape: NDArray[np.float64], direction: float, azimuth: NDArray[np.float64]
) -> NDArray[np.float64]:
    """In-plane part of -E/kT at each ``azimuth``, less its largest possible value."""
    aligned = field[:, None] * (np.cos(azimuth - direction) - 1)
    return aligned - shape[:, None] * np.sin(azimuth) ** 2 / 2 - np.maximum(0.0, -shape)[:, None] / 2


def _azimuthal_weight(field: NDArray[np.float64], shape: NDArray[np.float64], direction: float) -> NDArray[np.float64]:
    """Mean over the azimuth of exp(`_azimuthal_exponent`); a Bessel function for a disc."""
    if not np.any(shape):
        return np.asarray(ive(0, field))
    azimuth = np.linspace(0.0, 2 * np.pi, _AZIMUTHS, endpoint=False)
    weight = np.empty(len(field))
    for part in range(0, len(field), 1000):
        here = slice(part, part + 1000)
        weight[here] = np.exp(_azimuthal_exponent(field[here], shape[here], direction, azimuth)).mean(axis=1)
    return weight


def _tabulated_azimuth(
    field: NDArray[np.float64], shape: NDArray[np.float64], direction: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draw one azimuth for each entry by inversion of its own tabulated distribution."""
    azimuth = np.linspace(0.0, 2 * np.pi, _AZIMUTHS + 1)
    result = np.empty(len(field))
    for part in range(0, len(field), 1000):
        here = slice(part, part + 1000)
        density = np.exp(_azimuthal_exponent(field[here], shape[here], direction, azimuth))
        cumulative = np.cumsum((density[:, 1:] + density[:, :-1]) / 2, axis=1)
        target = rng.random(len(density)) * cumulative[:, -1]
        k = np.minimum(np.sum(cumulative < target[:, None], axis=1), _AZIMUTHS - 1)
        lines = np.arange(len(density))
        below = np.where(k > 0, cumulative[lines, np.maximum(k - 1, 0)], 0.0)
        result[here] = azimuth[k] + (target - below) / (cumulative[lines, k] - below) * azimuth[1]
    return result


def decision_depth(row: NDArray[np.float64]) -> float:
    """Depth below the saddle (in kT) at which a state counts as decided; the shallower well reaches it too."""
    saddle = float(row[llg.SADDLE])
    if not isfinite(saddle):
        return 0.0
    well = _well_energy(row)
    return float(min(DECISION_DEPTH, DECISION_CAP * row[llg.MOMENT] * max(0.0, saddle - well)))


def _well_energy(row: NDArray[np.float64]) -> float:
    """Energy (T) at the bottom of the shallower well, on a grid of directions."""
    theta = np.linspace(0.0, np.pi / 2, 501)[:, None]
    plain = row[llg.FIELD_SHAPE_Y] == 0 and row[llg.FIELD_Y] == 0
    phi = np.zeros(1) if plain else np.linspace(0.0, 2 * np.pi, 181)
    x, y, z = np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta) + 0 * phi
    against = -np.sign(row[llg.FIELD_Z]) if row[llg.FIELD_Z] else 1.0
    return float(
        np.min(
            -0.5 * (row[llg.FIELD_K] * z * z - row[llg.FIELD_SHAPE_Y] * y * y)
            - row[llg.FIELD_X] * x
            - row[llg.FIELD_Y] * y
            - row[llg.FIELD_Z] * against * z
        )
    )


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
        node += lanes.STEPS_BETWEEN_DECISIONS
        advance(p, seed, device, m, t, node * step, 0.0, 0.0)
        t = node * step
    return False


@njit(parallel=True, cache=True, error_model="numpy")
def _run_full(
    rows: NDArray[np.float64], card_of: NDArray[np.int64], seed: int, first_device: int, states: NDArray[np.float64],
    times: NDArray[np.float64], volts: NDArray[np.float64], choice: NDArray[np.int64], relaxing: bool,
    depths: NDArray[np.float64], limit: float, lines: NDArray[np.float64],
) -> NDArray[np.bool_]:  # fmt: skip
    """Trial by trial, for rows with the column FULL set; ``states`` (n, STATE) in place."""
    n = states.shape[0]
    done = np.ones(n, np.bool_)
    for trial in prange(n):
        p, row, line = rows[card_of[trial]], volts[choice[trial]], lines[choice[trial]]
        device = first_device + trial
        state = states[trial].copy()
        for k in range(len(times) - 1):
            llg.advance(p, seed, device, state, times[k], times[k + 1], row[k], row[k + 1], line[k], line[k + 1])
        if relaxing:
            done[trial] = relax(p, seed, device, state, times[-1], depths[card_of[trial]], limit)
        states[trial] = state
    return done


def _run_lanes(precision: str, arguments: tuple[Any, ...], n: int) -> NDArray[np.bool_]:
    """Blocks of trials on the threads that numba would use; the compiled block lets the interpreter go."""
    threads = get_num_threads()
    width = min(lanes.LANES, -(-n // (8 * threads)) * 8)  # narrower blocks where there are few trials
    done = np.ones(n, np.bool_)
    work = partial(lanes.block, np.empty(0, precision), *arguments, done)
    with ThreadPoolExecutor(threads) as pool:
        parts = [pool.submit(work, begin, min(width, n - begin)) for begin in range(0, n, width)]
        try:
            for part in parts:
                part.result()
        finally:
            pool.shutdown(cancel_futures=True)  # on an interrupt, the blocks at work end and the others never start
    return done


def run(
    rows: NDArray[np.float64],
    initial: NDArray[np.float64],
    times: NDArray[np.float64],
    volts: NDArray[np.float64],
    seed: int,
    *,
    choice: NDArray[np.int64] | None = None,
    card_of: NDArray[np.int64] | None = None,
    first_device: int = 0,
    relaxing: bool = True,
    precision: str = "float64",
    lines: NDArray[np.float64] | None = None,
) -> Outcome:
    """Integrate ``initial`` (n, 3) through waveforms on common ``times`` (k,), then relax at V = 0.

    ``rows`` from `llg.parameters` is (COLUMNS,) or (cards, COLUMNS); then ``card_of`` (n,) says which card a trial is
    (default: in turn), and all must share noise step, substeps and drive hold. ``volts`` is (k,) or (waveforms, k);
    ``choice`` (n,) says which waveform a trial sees (default: in turn). Trial i has the noise of device
    ``first_device + i``. ``precision`` "float32" halves the time; its distributions are those of "float64", its
    trajectories are not. ``lines`` (like ``volts``, A) is the current of a spin-orbit line. Raises InputError where
    the step does not resolve the precession at one of the voltages.
    """
    table = np.atleast_2d(np.asarray(volts, float))
    cards = np.atleast_2d(np.asarray(rows, float))
    n = len(initial)
    if choice is None:
        choice = np.arange(n) % len(table)
    if card_of is None:
        card_of = np.arange(n) % len(cards)
    m = np.array(initial, dtype=float, order="C")
    # the compiled loop checks no bounds
    if m.ndim != 2 or m.shape[1] != 3 or table.ndim != 2 or table.shape[1] != len(times):
        raise ValueError("run needs initial states (n, 3) and waveforms that have a voltage for each time")
    for index, count, what in ((choice, len(table), "waveforms"), (card_of, len(cards), "cards")):
        if len(index) != n or (n and not 0 <= np.min(index) <= np.max(index) < count):
            raise ValueError(f"each trial must name one of the {what}")
    if cards.shape[1] != llg.COLUMNS or np.ptp(cards[:, [llg.NOISE_STEP, llg.SUBSTEPS, llg.DRIVE_HOLD]], axis=0).any():
        raise ValueError("the cards of a run must be parameter rows with the same noise step, substeps and drive hold")
    if not (np.all(np.isfinite(table)) and np.all(np.isfinite(times)) and np.all(np.diff(times) > 0)):
        raise InputError("a waveform needs increasing times and finite voltages")
    choose("precision", precision, ("float32", "float64"))
    for p in cards:
        llg.check_step(p, table)
    depths = np.array([decision_depth(p) if relaxing else 0.0 for p in cards])
    common = (
        np.ascontiguousarray(cards), np.ascontiguousarray(card_of, dtype=np.int64), _word(seed), first_device
    )  # fmt: skip
    waveforms = (
        np.ascontiguousarray(times, dtype=float), np.ascontiguousarray(table),
        np.ascontiguousarray(choice, dtype=np.int64), relaxing, depths, DECISION_TIME,
    )  # fmt: skip
    if lines is not None or np.any(cards[:, llg.FULL]):
        if precision != "float64":
            raise InputError("single precision is for devices without self-heating, lag, current-driven torque and SOT")
        currents = np.zeros_like(table) if lines is None else np.broadcast_to(np.asarray(lines, float), table.shape)
        states = np.zeros((n, llg.STATE))
        states[:, :3] = m
        states[:, llg.DRIVE] = table[choice, 0]
        forced = common[0].copy()
        forced[:, llg.FULL] = 1.0  # a line current acts in the full equation only
        done = _run_full(forced, *common[1:], states, *waveforms, np.ascontiguousarray(currents))
        m = states[:, :3].copy()
    else:
        done = _run_lanes(precision, (*common, m, *waveforms), n)
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
