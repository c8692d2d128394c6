"""Switching probabilities, write error rates and trajectories of a junction under a voltage pulse: the front.

`switching_probability` and `write_error_rate` put a `Question` to one of several methods and turn its `Answer` into a
dataset with intervals and provenance. A method is a function; `METHODS` names those of this layer, and a caller adds
others by passing a larger mapping.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from types import MappingProxyType

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from mtjspice import __version__
from mtjspice.device import derived, fokker_planck, llg, macrospin, wells
from mtjspice.device import temperature as temperatures
from mtjspice.device.card import MTJCard, load_card
from mtjspice.device.constants import ROOM_TEMPERATURE
from mtjspice.device.macrospin import ANTIPARALLEL, PARALLEL, Waveform
from mtjspice.errors import InputError, choose
from mtjspice.files import netcdf_attribute
from mtjspice.statistics import wilson

Floats = NDArray[np.float64]
Attributes = Mapping[str, str | int | float]
Progress = Callable[[float], None]

DIRECTIONS = MappingProxyType({"p-ap": PARALLEL, "ap-p": ANTIPARALLEL})
CONFIDENCE = 0.95
DEFAULT_EDGE = 5e-11  # s
PROBABILITY_TOLERANCE = 1e-5
ERROR_RATE_TOLERANCE = 1e-13
MINIMUM_BARRIER = 5.0  # kT; below it a state does not outlive the pulse that is to switch it

LARGEST_TRAJECTORY = 10_000_000  # samples

# macrospin trials in one compiled call: short enough for progress and Ctrl-C. Part of the results (seeds).
_BATCH = 8192
_RELAXATION = 2e-9  # s, typical, for progress only
# the Fokker-Planck equation has no noise step; a row needs one, which must not limit the fields
_NO_NOISE_STEP = 1e-16

# what derived seeds are for; the numbers are part of the results
_NOISE, _INITIAL_STATES, _TRAJECTORY = 1, 2, 3


@dataclass(frozen=True, eq=False)
class Question:
    """What is asked of a method: ``card`` under pulses of ``voltages`` (n,) V and ``widths`` (k,) s, from ``state``.

    ``edge`` is the rise and fall time (s), ``widths`` are full widths at half maximum. ``trials``, ``seed``,
    ``precision`` and ``noise_step`` (s) are for methods that count, ``tolerance`` (absolute) for those that solve.
    """

    card: MTJCard
    voltages: Floats
    widths: Floats
    state: int
    temperature: float
    edge: float
    trials: int
    seed: int
    tolerance: float
    precision: str
    noise_step: float


@dataclass(frozen=True, eq=False)
class Estimate:
    """Probabilities and their limits, each (voltages, widths)."""

    value: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, eq=False)
class Answer:
    """What a method found: the chances to ``switched`` and ``stayed``, trials a point, and provenance.

    ``trials`` is 0 for a method that does not count; its limits are then value -+ estimated error.
    """

    switched: Estimate
    stayed: Estimate
    trials: int
    attributes: Attributes = field(default_factory=dict)


Method = Callable[[Question, Progress], Answer]


def counted(counts: NDArray[np.int64], trials: int, attributes: Attributes) -> Answer:
    """Make an answer of switched ``counts`` (voltages, widths) out of ``trials`` each, with Wilson intervals."""

    def estimate(successes: NDArray[np.int64]) -> Estimate:
        found = [wilson(int(count), trials, CONFIDENCE) for count in successes.ravel()]
        low, high = np.array([p.low for p in found]), np.array([p.high for p in found])
        return Estimate(successes / trials, low.reshape(successes.shape), high.reshape(successes.shape))

    about: Attributes = {"interval": "Wilson score interval", "confidence": CONFIDENCE}
    return Answer(estimate(counts), estimate(trials - counts), trials, {**about, **attributes})


def by_fokker_planck(question: Question, progress: Progress) -> Answer:
    """Solve the Fokker-Planck equation (`fokker_planck.switching_map`): no trials, an error estimate instead."""
    row = llg.parameters(question.card, question.temperature, _NO_NOISE_STEP)
    found = fokker_planck.switching_map(
        row, question.voltages, question.widths,
        edge=question.edge, state=question.state, tolerance=question.tolerance, progress=progress,
    )  # fmt: skip

    def estimate(value: Floats) -> Estimate:
        return Estimate(value, np.clip(value - found.error, 0, 1), np.clip(value + found.error, 0, 1))

    attributes: Attributes = {
        "interval": "value minus and plus the estimated error",
        "tolerance": question.tolerance,
        "degree": found.degree,
    }
    return Answer(estimate(found.switched), estimate(found.stayed), 0, attributes)


def by_macrospin(question: Question, progress: Progress) -> Answer:
    """Count trials of the stochastic macrospin (`macrospin.run`), all voltages of a pulse width together.

    Every trial of every point has its own noise and initial state. They derive from the seed, the value of the pulse
    width and the place among the voltages, so that more widths change none of the others.
    """
    row = llg.parameters(question.card, question.temperature, question.noise_step)
    llg.check_step(row, question.voltages)
    counts = np.zeros((len(question.voltages), len(question.widths)), np.int64)
    lanes = np.arange(len(question.voltages) * question.trials)
    work = question.widths + question.edge + _RELAXATION
    finished, undecided = 0.0, 0
    for column, width in enumerate(question.widths):
        shape = macrospin.pulse(1.0, float(width), question.edge)
        noise = int(_seeds(question.seed, _NOISE, *_bits(width)).generate_state(1)[0])
        for batch, begin in enumerate(range(0, len(lanes), _BATCH)):
            which = lanes[begin : begin + _BATCH] // question.trials
            rng = np.random.Generator(np.random.Philox(_seeds(question.seed, _INITIAL_STATES, *_bits(width), batch)))
            initial = macrospin.thermal_states(
                question.card, np.full(len(which), question.state), rng, question.temperature
            )
            outcome = macrospin.run(
                row, initial, shape.times, np.multiply.outer(question.voltages, shape.volts), noise,
                choice=which, first_device=begin, precision=question.precision,
            )  # fmt: skip
            counts[:, column] += np.bincount(which[outcome.states != question.state], minlength=len(counts))
            undecided += outcome.undecided
            finished += work[column] * len(which) / len(lanes)
            progress(min(1.0, finished / work.sum()))
    attributes: Attributes = {
        "seed": netcdf_attribute(question.seed),
        "precision": question.precision,
        "noise_step": question.noise_step,
        "undecided": undecided,
    }
    return counted(counts, question.trials, attributes)


METHODS: Mapping[str, Method] = MappingProxyType({"fokker-planck": by_fokker_planck, "macrospin": by_macrospin})


def switching_probability(
    card: MTJCard | str | Path,
    voltage: ArrayLike,
    pulse_width: ArrayLike,
    method: str = "fokker-planck",
    direction: str = "p-ap",
    temperature: float = ROOM_TEMPERATURE,
    trials: int = 1000,
    seed: int = 1,
    *,
    edge: float = DEFAULT_EDGE,
    tolerance: float = PROBABILITY_TOLERANCE,
    precision: str = "float64",
    noise_step: float = llg.DEFAULT_NOISE_STEP,
    progress: Progress | None = None,
    methods: Mapping[str, Method] = METHODS,
) -> xr.Dataset:
    """Probability that a voltage pulse switches the junction, for every voltage and pulse width.

    ``card`` is a card, the name of one, or the path of a ``.toml`` file. ``voltage`` (V) and ``pulse_width`` (s, full
    width at half maximum of a trapezoid with rise and fall time ``edge``, s) are numbers or one-dimensional arrays
    without repetitions, in any order. ``direction`` "p-ap" starts in the thermal P state and asks for AP, "ap-p" the
    other way; afterwards the junction relaxes at 0 V. ``temperature`` is in kelvin.

    ``method`` is one of ``methods``: "fokker-planck" has no sampling error (``tolerance`` is its absolute error;
    trials, seed, precision and noise step play no part), "macrospin" counts ``trials`` a point from ``seed``;
    ``precision`` "float32" halves its time. ``progress`` is told the finished fraction.

    Returns a dataset with the dimensions (voltage, pulse_width) and the variables ``probability``, ``low``, ``high``
    and ``trials``: Wilson's 95 % interval of the counted trials, or, with ``trials`` = 0, the deterministic value
    minus and plus its estimated error. The attributes hold the provenance, the card as TOML included.
    Raises InputError for bad input, among it a card that cannot hold its states; warns (`derived.BreakdownWarning`)
    above the breakdown voltage.
    """
    question = _question(
        card, voltage, pulse_width, direction, temperature, trials, seed, edge, tolerance, precision, noise_step
    )
    answer = methods[choose("method", method, methods)](question, progress or _ignore)
    title = "switching probability"
    return _dataset(question, answer, answer.switched, "probability", title, method, direction)


def write_error_rate(
    card: MTJCard | str | Path,
    voltage: ArrayLike,
    pulse_width: ArrayLike,
    method: str = "fokker-planck",
    direction: str = "p-ap",
    temperature: float = ROOM_TEMPERATURE,
    trials: int = 1000,
    seed: int = 1,
    *,
    edge: float = DEFAULT_EDGE,
    tolerance: float = ERROR_RATE_TOLERANCE,
    precision: str = "float64",
    noise_step: float = llg.DEFAULT_NOISE_STEP,
    progress: Progress | None = None,
    methods: Mapping[str, Method] = METHODS,
) -> xr.Dataset:
    """Probability that a voltage pulse fails to switch the junction; see `switching_probability` for the arguments.

    The variable is ``write_error_rate`` instead of ``probability``. It is what the method says of the junctions that
    stayed; by "fokker-planck" with a tolerance at which 1e-12 has a meaning.
    """
    question = _question(
        card, voltage, pulse_width, direction, temperature, trials, seed, edge, tolerance, precision, noise_step
    )
    answer = methods[choose("method", method, methods)](question, progress or _ignore)
    return _dataset(question, answer, answer.stayed, "write_error_rate", "write error rate", method, direction)


def _ignore(fraction: float) -> None:
    pass


def _question(
    card: MTJCard | str | Path, voltage: ArrayLike, pulse_width: ArrayLike, direction: str, temperature: float,
    trials: int, seed: int, edge: float, tolerance: float, precision: str, noise_step: float,
) -> Question:  # fmt: skip
    """Check everything that does not depend on the method."""
    state = DIRECTIONS[choose("direction", direction, DIRECTIONS)]
    voltages, widths = _sweep("voltage", voltage, "V"), _sweep("pulse width", pulse_width, "s")
    _check_edge(edge, widths)
    if not (trials >= 1 and trials == int(trials)):
        raise InputError(f"the number of trials must be a whole number of 1 or more, not {trials}")
    _check_seed(seed)
    choose("precision", precision, ("float32", "float64"))
    temperatures.check(temperature)
    loaded = _card(card)
    _require_two_states(loaded, temperature)
    derived.warn_above_breakdown(loaded, voltages)
    return Question(
        loaded, voltages, widths, state, temperature, edge, int(trials), seed, tolerance, precision, noise_step
    )


def _card(card: MTJCard | str | Path) -> MTJCard:
    return card if isinstance(card, MTJCard) else load_card(str(card))


def _sweep(what: str, given: ArrayLike, unit: str) -> Floats:
    try:
        values = np.atleast_1d(np.asarray(given, float))
    except (TypeError, ValueError):
        raise InputError(f"{what} {given!r}: expected a number in {unit}, or a one-dimensional array of them") from None
    if values.ndim != 1:
        raise InputError(f"{what}: a sweep is one-dimensional, not of shape {values.shape}")
    if len(values) == 0:
        raise InputError(f"{what}: the sweep is empty; at least one value")
    if not np.all(np.isfinite(values)):
        raise InputError(f"{what} {values[~np.isfinite(values)][0]} {unit} is not finite")
    distinct, number = np.unique(values, return_counts=True)
    if len(distinct) < len(values):
        raise InputError(f"{what} {distinct[number > 1][0]:g} {unit} is given more than once")
    return values


def _check_edge(edge: float, widths: Floats) -> None:
    if not (edge > 0 and isfinite(edge)):
        raise InputError(f"edge time {edge:g} s must be positive and finite")
    if widths.min() < edge:
        raise InputError(
            f"pulse width {widths.min():g} s is shorter than the edge time {edge:g} s; widths are measured at half "
            "maximum and must be at least the edge time"
        )


def _check_seed(seed: int) -> None:
    if not (0 <= seed < 2**32 and seed == int(seed)):
        raise InputError(f"seed {seed} is out of range; allowed: 0 to {2**32 - 1}")


def _require_two_states(card: MTJCard, temperature: float) -> None:
    """Switching has a meaning only where both states last, fields along z taken into account."""
    derived.require_retention(card, temperature, MINIMUM_BARRIER)
    try:
        lower = wells.barrier(llg.parameters(card, temperature, _NO_NOISE_STEP))
    except InputError as error:
        raise InputError(f"card {card.name!r}: {error}") from None
    if lower < MINIMUM_BARRIER:
        raise InputError(
            f"card {card.name!r}: with the fields along z the lower barrier at {temperature:g} K is {lower:.3g} kT, "
            f"too low to hold a state; at least {MINIMUM_BARRIER:g} kT"
        )


def _seeds(seed: int, *purpose: int) -> np.random.SeedSequence:
    return np.random.SeedSequence(seed, spawn_key=purpose)


def _bits(value: float) -> tuple[int, int]:
    """A float64 as two words of a seed."""
    low, high = np.array([value], "<f8").view("<u4").tolist()
    return low, high


def _provenance(card: MTJCard, temperature: float) -> dict[str, str | int | float]:
    return {
        "card": card.name,
        "card_toml": card.to_toml(),
        "temperature": float(temperature),
        "temperature_units": "K",
        "mtjspice": __version__,
    }


def _dataset(
    question: Question, answer: Answer, estimate: Estimate, name: str, title: str, method: str, direction: str
) -> xr.Dataset:
    dims = ("voltage", "pulse_width")
    towards = "P to AP" if question.state == PARALLEL else "AP to P"
    trials = np.full(estimate.value.shape, answer.trials, np.int64)
    limits = str(answer.attributes.get("interval", "interval"))
    return xr.Dataset(
        {
            name: (dims, estimate.value, {"long_name": f"{title}, {towards}", "units": "1"}),
            "low": (dims, estimate.low, {"long_name": f"lower limit, {limits}", "units": "1"}),
            "high": (dims, estimate.high, {"long_name": f"upper limit, {limits}", "units": "1"}),
            "trials": (dims, trials, {"long_name": "number of trials; 0: not counted but computed", "units": "1"}),
        },
        coords={
            "voltage": ("voltage", question.voltages, {"long_name": "pulse voltage, top against bottom", "units": "V"}),
            "pulse_width": ("pulse_width", question.widths, {"long_name": "pulse width, FWHM", "units": "s"}),
        },
        attrs={
            "title": f"{title}, {towards}",
            **_provenance(question.card, question.temperature),
            "method": method,
            "direction": direction,
            "edge": float(question.edge),
            "edge_units": "s",
            **answer.attributes,
        },
    )


def trajectory(
    card: MTJCard | str | Path,
    waveform: Waveform | None = None,
    seed: int = 1,
    device: int = 0,
    temperature: float = ROOM_TEMPERATURE,
    state: int = PARALLEL,
    *,
    voltage: float | None = None,
    pulse_width: float | None = None,
    edge: float = DEFAULT_EDGE,
    initial: ArrayLike | None = None,
    duration: float | None = None,
    interval: float = 1e-12,
    noise_step: float = llg.DEFAULT_NOISE_STEP,
    line_current: ArrayLike | None = None,
) -> xr.Dataset:
    """One path of the magnetization under a ``waveform``, or a pulse of ``voltage`` (V) and ``pulse_width`` (s).

    The noise is that of number ``device`` in `macrospin.run` with the same ``seed``; from the same start the path is
    the same, to rounding. The start is drawn from the thermal well ``state`` (+1 P, -1 AP) at ``temperature`` (K),
    or ``initial`` (3,), a direction. The path begins with the waveform and lasts ``duration`` (s), by default until
    three relaxation times (at most 100 ns) after its end; beyond the waveform V = 0. ``interval`` (s) separates the
    samples. ``line_current`` (A) of the spin-orbit line is a number, or one for each time of the waveform; it is 0
    after the waveform.

    Returns a dataset with the dimensions (time, component): ``magnetization``, ``voltage`` (V), ``conductance`` (S)
    and, for a card that heats itself, ``temperature`` (K). Raises InputError for bad input; warns above breakdown.
    """
    loaded = _card(card)
    wave = _waveform(waveform, voltage, pulse_width, edge)
    if seed != int(seed) or device != int(device) or not 0 <= device < 2**32:
        raise InputError(f"seed {seed} and device {device} must be whole numbers from 0 to {2**32 - 1}")
    _check_seed(seed)
    temperatures.check(temperature)
    row = llg.parameters(loaded, temperature, noise_step)
    llg.check_step(row, wave.volts)
    lines = _lines(loaded, wave, line_current)
    if np.any(lines):
        row[llg.FULL] = 1.0  # a line current acts in the full equation only
    derived.warn_above_breakdown(loaded, wave.volts)
    times = _samples(loaded, temperature, wave, duration, interval)
    path = np.zeros((len(times), llg.STATE))
    path[0, :3] = _start(loaded, temperature, state, seed, device, initial)
    path[0, llg.DRIVE] = wave.volts[0]
    _integrate(row, int(seed), int(device), path, times, wave, lines)
    attributes = {
        "title": "trajectory of the magnetization",
        **_provenance(loaded, temperature),
        "seed": netcdf_attribute(seed),
        "device": netcdf_attribute(device),
        "noise_step": float(noise_step),
    }
    return _path_dataset(row, path, times, wave, attributes)


def _waveform(waveform: Waveform | None, voltage: float | None, width: float | None, edge: float) -> Waveform:
    if waveform is not None:
        if voltage is not None or width is not None:
            raise InputError("give a waveform or a voltage and a pulse width, not both")
        return waveform
    if voltage is None or width is None:
        raise InputError("a trajectory needs a waveform, or both a voltage and a pulse width")
    volts, widths = _sweep("voltage", voltage, "V"), _sweep("pulse width", width, "s")
    if len(volts) > 1 or len(widths) > 1:
        raise InputError("a trajectory is of one voltage and one pulse width")
    _check_edge(edge, widths)
    return macrospin.pulse(float(volts[0]), float(widths[0]), edge)


def _lines(card: MTJCard, wave: Waveform, line_current: ArrayLike | None) -> Floats:
    if line_current is None:
        return np.zeros(len(wave.times))
    lines = np.asarray(line_current, float)
    if lines.shape not in ((), wave.times.shape) or not np.all(np.isfinite(lines)):
        raise InputError("a line current must be a finite number of amperes, or one for each time of the waveform")
    if np.any(lines) and card.spin_hall_angle == 0:
        raise InputError(f"card {card.name!r} has no spin-orbit line (spin_hall_angle = 0), so no line current")
    return np.array(np.broadcast_to(lines, wave.times.shape))


def _samples(card: MTJCard, temperature: float, wave: Waveform, duration: float | None, interval: float) -> Floats:
    """Times of the samples: every ``interval``, and the end."""
    if duration is None:
        rest = min(3 * derived.derive(card, temperature).relaxation_time, macrospin.DECISION_TIME)
        duration = float(wave.times[-1] - wave.times[0]) + rest
    for what, value in (("duration", duration), ("sampling interval", interval)):
        if not (value > 0 and isfinite(value)):
            raise InputError(f"{what} {value:g} s must be positive and finite")
    if duration / interval > LARGEST_TRAJECTORY:
        raise InputError(
            f"a trajectory of {duration:g} s every {interval:g} s has more than {LARGEST_TRAJECTORY} samples; "
            f"the interval must be at least {duration / LARGEST_TRAJECTORY:.2g} s"
        )
    steps = np.arange(int(duration / interval + 1e-6) + 1) * interval
    if duration - steps[-1] > 1e-6 * interval:
        steps = np.append(steps, duration)
    return np.asarray(wave.times[0] + steps)


def _start(card: MTJCard, temperature: float, state: int, seed: int, device: int, initial: ArrayLike | None) -> Floats:
    if initial is None:
        rng = np.random.Generator(np.random.Philox(_seeds(seed, _TRAJECTORY, device)))
        return macrospin.thermal_states(card, [state], rng, temperature)[0]
    direction = np.asarray(initial, float)
    if direction.shape != (3,) or not np.all(np.isfinite(direction)) or not np.any(direction):
        raise InputError("an initial magnetization must be a direction of three finite numbers")
    length = float(np.linalg.norm(direction))
    return direction if abs(length - 1) < 1e-12 else direction / length


def _integrate(row: Floats, seed: int, device: int, path: Floats, times: Floats, wave: Waveform, lines: Floats) -> None:
    """Fill ``path`` (samples, STATE) from its first row; steps end at samples and at corners of the waveform."""
    end = wave.times[-1]
    corners = wave.times[(wave.times > times[0]) & (wave.times < times[-1])]
    cuts = np.union1d(times, corners)
    during = cuts <= end
    volts = np.where(during, np.interp(cuts, wave.times, wave.volts), 0.0)
    currents = np.where(during, np.interp(cuts, wave.times, lines), 0.0)
    state = path[0].copy()
    sample = 1
    for k in range(len(cuts) - 1):
        # at its end the waveform drops to 0, whatever its last value
        here, line = (volts[k], currents[k]) if cuts[k] < end else (0.0, 0.0)
        llg.advance(row, seed, device, state, cuts[k], cuts[k + 1], here, volts[k + 1], line, currents[k + 1])
        if cuts[k + 1] == times[sample]:
            path[sample] = state
            sample += 1


def _path_dataset(row: Floats, path: Floats, times: Floats, wave: Waveform, attributes: Attributes) -> xr.Dataset:
    volts = np.where(times <= wave.times[-1], np.interp(times, wave.times, wave.volts), 0.0)
    temperature = row[llg.TEMPERATURE] + path[:, llg.RISE]
    conductance = _conductance(row, path[:, 2], volts, temperature)
    result = xr.Dataset(
        {
            "magnetization": (("time", "component"), path[:, :3], {"long_name": "magnetization", "units": "1"}),
            "voltage": ("time", volts, {"long_name": "voltage, top against bottom", "units": "V"}),
            "conductance": ("time", conductance, {"long_name": "conductance", "units": "S"}),
        },
        coords={
            "time": ("time", times, {"long_name": "time", "units": "s"}),
            "component": ("component", ["x", "y", "z"]),
        },
        attrs=dict(attributes),
    )
    if row[llg.THERMAL_RESISTANCE] > 0:
        result["temperature"] = ("time", temperature, {"long_name": "temperature of the free layer", "units": "K"})
    return result


def _conductance(row: Floats, m_z: Floats, volts: Floats, temperature: Floats) -> Floats:
    """G(m_z, V) as `llg.conductance`, with the TMR that a heated junction has left (as in the full equation)."""
    coefficient, ambient = row[llg.POLARIZATION_COEFFICIENT], row[llg.TEMPERATURE]
    lost = np.maximum(0.0, 1 - coefficient * temperature**1.5) / (1 - coefficient * ambient**1.5)
    julliere = (row[llg.POLARIZATION] * lost) ** 2
    tmr = np.where(lost == 1.0, row[llg.TMR], 2 * julliere / (1 - julliere))
    antiparallel = 1 / (1 + tmr / (1 + (volts / row[llg.TMR_HALF_VOLTAGE]) ** 2))
    shape = 1 + (row[llg.CONDUCTANCE_LINEAR] + row[llg.CONDUCTANCE_QUADRATIC] * volts) * volts
    return np.asarray(row[llg.CONDUCTANCE_P] * shape * ((1 + m_z) + antiparallel * (1 - m_z)) / 2)
