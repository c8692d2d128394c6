"""What mismatch does to a sense amplifier: its input-referred offset, and counted wrong reads."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from math import nan, sqrt
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri, ndtr, stdtrit

from mtjspice.circuits.benches.read import AnyReadPath, decision, read_bench
from mtjspice.circuits.library.cells import ReferenceCell
from mtjspice.circuits.library.read import ReadPath
from mtjspice.circuits.measurements import Crossing, Voltage
from mtjspice.circuits.stimulus import EDGE
from mtjspice.device import derived
from mtjspice.device.temperature import at_temperature
from mtjspice.errors import InputError, SimulatorError
from mtjspice.statistics import Proportion, wilson

if TYPE_CHECKING:
    import xarray

Floats = NDArray[np.float64]
T = TypeVar("T")
R = TypeVar("R")

THREADS = 2  # each waits for a simulator in a process of its own
LARGEST_OFFSET = 0.8  # relative conductance at which the search for an offset ends


@dataclass(frozen=True)
class Offset:
    """Input-referred offsets of a sense amplifier, as relative conductances, for draws of the transistors' mismatch.

    ``offsets`` (n,) is where the decision turns: a cell that conducts (1 + offset) times what the reference does. A
    cell that conducts more is taken for P. ``parallel`` and ``antiparallel`` are what a junction has there,
    G/G_reference - 1 at the voltage on it while the decision falls (``voltages``, V, P and AP). ``confidence`` is
    that of the intervals of mean and standard deviation, which hold for a normal distribution.
    """

    seeds: tuple[int, ...]
    offsets: Floats
    parallel: float
    antiparallel: float
    voltages: tuple[float, float]
    confidence: float = 0.95

    @property
    def mean(self) -> float:
        """The mean: a systematic offset."""
        return float(self.offsets.mean())

    @property
    def deviation(self) -> float:
        """The standard deviation."""
        return float(self.offsets.std(ddof=1))

    @property
    def mean_interval(self) -> tuple[float, float]:
        """Interval of the mean (Student)."""
        n = len(self.offsets)
        half = float(stdtrit(n - 1, 0.5 + self.confidence / 2)) * self.deviation / sqrt(n)
        return self.mean - half, self.mean + half

    @property
    def deviation_interval(self) -> tuple[float, float]:
        """Interval of the standard deviation (chi-squared)."""
        n = len(self.offsets)
        tail = (1 - self.confidence) / 2
        bounds = (chdtri(n - 1, tail), chdtri(n - 1, 1 - tail))
        low, high = (self.deviation * sqrt((n - 1) / float(bound)) for bound in bounds)
        return low, high

    @property
    def margins(self) -> tuple[float, float]:
        """Distance of P and of AP from the mean offset, in standard deviations; negative: misread as a rule."""
        return (self.parallel - self.mean) / self.deviation, (self.mean - self.antiparallel) / self.deviation

    @property
    def error_rate(self) -> float:
        """Share of wrong reads, half of them of P, that a normal distribution of the offsets gives."""
        return float(np.mean(ndtr(-np.array(self.margins))))

    @property
    def error_rate_interval(self) -> tuple[float, float]:
        """The same with the standard deviation at the ends of its interval."""
        low, high = (
            float(np.mean(ndtr(-np.array(self.margins) * self.deviation / deviation)))
            for deviation in self.deviation_interval
        )
        return min(low, high), max(low, high)


def offset(
    path: ReadPath,
    seeds: Sequence[int],
    *,
    resolution: float = 2e-3,
    progress: Callable[[float], None] | None = None,
    **options: float | str | None,
) -> Offset:
    """Measure the offset of a read path's transistors for each mismatch seed, by bisection to ``resolution``.

    The cell's junction is replaced by a copy of the reference's that conducts (1 + offset) times as much at every
    voltage. All transistors count, those of cell and reference too. ``options`` are those of `read_bench`, which a
    read needs as well. ``progress`` is told the finished share. InputError for a technology without mismatch, fewer
    than two seeds, and an offset beyond `LARGEST_OFFSET`.
    """
    if not isinstance(path, ReadPath):
        raise InputError(f"{path.name} has no reference to measure an offset against")
    if len(seeds) < 2:
        raise InputError(f"an offset distribution needs at least two mismatch seeds, not {len(seeds)}")
    if not 0 < resolution < LARGEST_OFFSET:
        raise InputError(f"resolution = {resolution:g} is out of range; allowed: 0 to {LARGEST_OFFSET:g}")
    _compared(path, 0.0)  # what cannot be compared is an error before any run
    found = _in_threads(lambda seed: _offset_of(path, seed, resolution, options), seeds, progress)
    (parallel_voltage, parallel), (antiparallel_voltage, antiparallel) = (
        _signal(path, state, options) for state in (1, -1)
    )
    voltages = (parallel_voltage, antiparallel_voltage)
    return Offset(tuple(seeds), np.array(found), parallel, antiparallel, voltages)


def _compared(path: ReadPath, ratio: float) -> ReadPath:
    """The path with a cell that conducts (1 + ratio) times what the reference does."""
    reference = path.reference
    if not isinstance(reference, ReferenceCell):
        raise InputError(f"{path.name}: the offset is measured against a ReferenceCell, not {reference.name}")
    if reference.kind == "resistor":
        return replace(path, cell=replace(reference, resistance=reference.resistance / (1 + ratio)))
    product = reference.card.resistance_area_product / (1 + ratio)
    return replace(path, cell=replace(reference, card=reference.card.replace(resistance_area_product=product)))


def _offset_of(path: ReadPath, seed: int, resolution: float, options: Mapping[str, float | str | None]) -> float:
    def low(ratio: float) -> bool:
        """Whether the cell is taken for one that conducts more."""
        bench = read_bench(_compared(path, ratio), state=None, mismatch_seed=seed, restore=EDGE, **options)  # type: ignore[arg-type]
        return float(bench.run().attrs["difference"]) < 0

    # steps away from 0 until the decision turns, then halves
    sign = -1.0 if low(0.0) else 1.0
    inner, outer = 0.0, sign * max(8 * resolution, 0.02)
    while low(outer) == (sign < 0):
        inner, outer = outer, 2 * outer
        if abs(outer) > LARGEST_OFFSET:
            raise InputError(f"mismatch seed {seed}: the offset of {path.amplifier.name} is beyond {inner:+.2g}")
    while abs(outer - inner) > resolution:
        middle = (inner + outer) / 2
        inner, outer = (middle, outer) if low(middle) == (sign < 0) else (inner, middle)
    return (inner + outer) / 2


def _signal(path: ReadPath, state: int, options: Mapping[str, float | str | None]) -> tuple[float, float]:
    """Voltage on the nominal junction during the decision (V, signed), and its G/G_reference - 1 there.

    The voltage is the mean weighted with itself, that of the charge, from ``sense`` until the outputs are a tenth of
    the supply apart: what comes later only confirms the decision. A comparator on settled lines compares what they had
    at ``sense``; what its clock adds is common to both.
    """
    bench = read_bench(path, state=state, **options)  # type: ignore[arg-type]
    junction = bench.junctions()[0]
    data = bench.run()
    time, vectors = np.asarray(data["time"].values), _vectors(data)
    supply = float(data["v(vdd)"][0])
    begin = Crossing(Voltage("sense"), supply / 2, "rise").evaluate(time, vectors)
    apart = (np.abs(Voltage("q", "qb").values(vectors)) > supply / 10) & (time > begin)
    volts = Voltage(junction.top, junction.bottom).values(vectors)
    if "enable" in path.controls:
        voltage = float(np.interp(begin - EDGE, time, volts))
    else:
        inside = (time >= begin) & (time <= (time[np.argmax(apart)] if apart.any() else time[-1]))
        weight, t = np.abs(volts[inside]), time[inside]
        voltage = float(np.trapezoid(volts[inside] * weight, t) / np.trapezoid(weight, t))
    card = at_temperature(junction.card, bench.temperature)
    return voltage, derived.conductance(card, float(state), voltage) / _reference(path, voltage, bench.temperature) - 1


def _reference(path: ReadPath, voltage: float, temperature: float) -> float:
    """Conductance (S) of the reference."""
    reference = path.reference
    assert isinstance(reference, ReferenceCell)  # else _compared has refused it
    if reference.kind == "resistor":
        return 1 / reference.resistance
    return derived.conductance(at_temperature(reference.card, temperature), 0.0, voltage)


def _vectors(data: "xarray.Dataset") -> dict[str, Floats]:
    return {str(name): np.asarray(data[name].values) for name in data.data_vars}


# --- wrong reads ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ReadYield:
    """Counted wrong reads: of all, of P and of AP cells; ``predicted`` is the share that an offset distribution gives
    (NaN without one)."""  # fmt: skip

    wrong: Proportion
    wrong_parallel: Proportion
    wrong_antiparallel: Proportion
    predicted: float = nan

    @property
    def value(self) -> float:
        """Share of right reads."""
        return 1 - self.wrong.value


def read_yield(
    path: AnyReadPath,
    reads: int,
    seed: int,
    *,
    offsets: Offset | None = None,
    confidence: float = 0.95,
    progress: Callable[[float], None] | None = None,
    **options: float | str | None,
) -> ReadYield:
    """Count wrong reads over ``reads`` draws of the mismatch, drawn from ``seed``; every second cell is AP.

    A read without a decision counts as wrong. ``offsets`` is a distribution measured with the same ``options`` (those
    of `read_bench`), for the prediction. InputError for a technology without mismatch and for less than two reads,
    SimulatorError where runs fail.
    """
    if reads < 2:
        raise InputError(f"a yield needs at least two reads, not {reads}")
    seeds = mismatch_seeds(reads, seed)
    counts = []
    for state, drawn, before in ((1, seeds[::2], 0), (-1, seeds[1::2], len(seeds[::2]))):
        bench = read_bench(path, state=state, mismatch_seed=drawn[0], restore=EDGE, **options)  # type: ignore[arg-type]
        supply = bench.points("vdd")[0][1]

        def tell(done: int, before: int = before) -> None:
            if progress is not None:
                progress((before + done) / reads)

        found = [one["difference"] for one in bench.measure_draws(drawn, workers=THREADS, progress=tell)]
        failed = int(np.isnan(found).sum())
        if failed:
            raise SimulatorError(f"{failed} of {len(found)} reads of {path.amplifier.name} could not be simulated")
        counts.append((sum(decision(one, supply) != -state for one in found), len(found)))
    (wrong_p, of_p), (wrong_ap, of_ap) = counts
    return ReadYield(
        wilson(wrong_p + wrong_ap, reads, confidence), wilson(wrong_p, of_p, confidence),
        wilson(wrong_ap, of_ap, confidence), nan if offsets is None else offsets.error_rate,
    )  # fmt: skip


def mismatch_seeds(count: int, seed: int) -> tuple[int, ...]:
    """Return ``count`` seeds for draws of the mismatch, in ngspice's range."""
    return tuple(int(one) for one in np.random.default_rng(seed).integers(1, 2**31, size=count))


def _in_threads(function: Callable[[T], R], items: Sequence[T], progress: Callable[[float], None] | None) -> list[R]:
    results = []
    with ThreadPoolExecutor(THREADS) as pool:
        try:
            for result in pool.map(function, items):
                results.append(result)
                if progress is not None:
                    progress(len(results) / len(items))
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return results
