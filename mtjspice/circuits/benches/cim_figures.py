"""What compute-in-memory columns do: how straight their sums are, what a cycle costs, how their P-bits are drawn."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mtjspice.circuits.benches.cim import CimBench, ColumnBench, ExSituBench, Floats
from mtjspice.circuits.library.cim import CimColumn, ExSituColumn
from mtjspice.circuits.measurements import Voltage
from mtjspice.circuits.technology import Technology
from mtjspice.circuits.testbench import Testbench
from mtjspice.device import derived
from mtjspice.device.card import MTJCard
from mtjspice.device.constants import ROOM_TEMPERATURE
from mtjspice.device.temperature import at_temperature
from mtjspice.errors import InputError
from mtjspice.statistics import Proportion, wilson

if TYPE_CHECKING:
    import xarray


@dataclass(frozen=True)
class WeightedSum:
    """Analogue sums of a column against the ideal ones, sum of x_j w_j.

    ``ideal`` (n,) are whole numbers, ``output`` (n,) is outd - outp (V) at the decision, ``sign`` (n,) what the
    comparator said (1 or -1). ``gain`` (V for one weight) and ``offset`` (V) are those of the straight line with the
    smallest squares; ``errors`` (n,) is what is left, in weights.
    """

    rows: int
    ideal: Floats
    output: Floats
    sign: Floats
    gain: float
    offset: float

    @property
    def errors(self) -> Floats:
        """Deviations from the line, in weights."""
        return (self.output - self.offset) / self.gain - self.ideal

    @property
    def rms_error(self) -> float:
        """Root of the mean square of `errors`, in weights."""
        return float(np.sqrt(np.mean(self.errors**2)))

    @property
    def max_error(self) -> float:
        """Largest of `errors`, in weights; below 1/2 the sum can be rounded to the right whole number."""
        return float(np.abs(self.errors).max())

    @property
    def wrong_signs(self) -> Proportion:
        """Signs that are not those of sums other than 0."""
        counted = self.ideal != 0
        return wilson(int((self.sign != np.sign(self.ideal))[counted].sum()), int(counted.sum()))


def weighted_sum(
    column: CimColumn, *, seed: int, arrays: int = 4, patterns: int = 8, **settings: float | str
) -> WeightedSum:
    """Compute sums for drawn states and inputs, with junctions that stand still.

    ``arrays`` draws of the states, each with ``patterns`` inputs: first all rows, then one to all of them, drawn from
    ``seed``. ``settings`` are those of `CimBench`. InputError for less than two sums or all of one value.
    """
    if arrays < 1 or patterns < 1 or arrays * patterns < 2:
        raise InputError(f"arrays = {arrays} and patterns = {patterns} must make at least two sums")
    rng = np.random.default_rng(seed)
    ideal, output, sign = [], [], []
    for _ in range(arrays):
        # as many weights of 1 as of -1 would leave large sums out: the share of P data bits is drawn, too
        data = np.where(rng.random(column.rows) < rng.random(), 1, -1)
        pbit = np.where(rng.random(column.rows) < 0.25, data, -data)
        inputs = ["1" * column.rows, *(_pattern(rng, column.rows) for _ in range(patterns - 1))]
        bench = CimBench(
            column, states=tuple(int(one) for pair in zip(data, pbit, strict=True) for one in pair),
            inputs=",".join(inputs), cycles=patterns, parts="compute", **settings,  # type: ignore[arg-type]
        )  # fmt: skip
        found = bench.testbench().run().attrs
        ideal += [bench.ideal(k) for k in range(patterns)]
        output += [found[f"difference{k}"] for k in range(patterns)]
        sign += [1.0 if found[f"sign{k}"] > bench.supply / 2 else -1.0 for k in range(patterns)]
    if len(set(ideal)) < 2:
        raise InputError("all drawn sums are equal; ask for more arrays or patterns")
    gain, offset = np.polyfit(ideal, output, 1)
    return WeightedSum(column.rows, np.array(ideal), np.array(output), np.array(sign), float(gain), float(offset))


def _pattern(rng: np.random.Generator, rows: int) -> str:
    """Inputs of which one to all are 1."""
    chosen = rng.permutation(rows)[: rng.integers(1, rows + 1)]
    return "".join("1" if j in chosen else "0" for j in range(rows))


# --- cost ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cost:
    """What a cycle of a column takes; energies in J for the whole column, times in s.

    ``energies`` is by phase and source, ``times`` by phase, ``junctions`` by phase what of it heats the junctions.
    """

    name: str
    rows: int
    times: Mapping[str, float]
    energies: Mapping[str, Mapping[str, float]]
    junctions: Mapping[str, float]
    pulse_width: float
    amplitude: float

    @property
    def cycle_time(self) -> float:
        """Duration of a cycle, s."""
        return sum(self.times.values())

    @property
    def draw_time(self) -> float:
        """Time until new P-bits stand in the crossbar, s."""
        return self.cycle_time - self.times["compute"]

    @property
    def energy(self) -> float:
        """Energy of a cycle for each P-bit, J."""
        return sum(sum(one.values()) for one in self.energies.values()) / self.rows

    @property
    def draw_energy(self) -> float:
        """Energy for each P-bit without computing, J."""
        return self.energy - sum(self.energies["compute"].values()) / self.rows

    @property
    def junction_share(self) -> float:
        """Share of the energy that heats the junctions."""
        return sum(self.junctions.values()) / (self.energy * self.rows)

    def by_source(self) -> dict[str, float]:
        """Energy of a cycle for each P-bit by source, J."""
        names = next(iter(self.energies.values()))
        return {name: sum(one[name] for one in self.energies.values()) / self.rows for name in names}

    def throughput(self, parallel: int) -> float:
        """P-bits per second of ``parallel`` P-bits that work at once."""
        return parallel / self.cycle_time


@dataclass(frozen=True)
class Comparison:
    """Both columns with the same card, technology, pulse, number of rows and read-out.

    ``paper`` has the ratios of IEDM 2024, of other circuits and another process: for comparison only.
    """

    in_situ: Cost
    ex_situ: Cost
    paper: Mapping[str, float] = field(default_factory=lambda: {"time": 6.0, "energy": 2.19})

    @property
    def time_ratio(self) -> float:
        """Cycle of the ex-situ column over that of the in-situ one."""
        return self.ex_situ.cycle_time / self.in_situ.cycle_time

    @property
    def energy_ratio(self) -> float:
        """Energy of a cycle, ex situ over in situ."""
        return self.ex_situ.energy / self.in_situ.energy

    @property
    def draw_ratios(self) -> tuple[float, float]:
        """Ratios of time and energy without computing, which is the same in both."""
        return (
            self.ex_situ.draw_time / self.in_situ.draw_time,
            self.ex_situ.draw_energy / self.in_situ.draw_energy,
        )

    def table(self, parallel: int = 64) -> str:
        """Both costs as text; the throughput is that of ``parallel`` P-bits."""
        lines = [f"{'':24}{'in situ':>12}{'ex situ':>12}{'ratio':>8}{'paper':>8}"]
        both = (self.in_situ, self.ex_situ)

        def line(name: str, values: tuple[float, ...], paper: str = "") -> None:
            shown = "".join(f"{value:12.4g}" for value in values)
            ratio = f"{values[1] / values[0]:8.2f}" if values[0] else f"{'':8}"
            lines.append(f"{name:24}{shown}{ratio}{paper:>8}")

        line("cycle (ns)", tuple(one.cycle_time * 1e9 for one in both), f"{self.paper['time']:g}")
        line("energy (fJ/P-bit)", tuple(one.energy * 1e15 for one in both), f"{self.paper['energy']:g}")
        line("draw (ns)", tuple(one.draw_time * 1e9 for one in both))
        line("draw (fJ/P-bit)", tuple(one.draw_energy * 1e15 for one in both))
        line(f"P-bits/ns of {parallel}", tuple(one.throughput(parallel) * 1e-9 for one in both))
        line("junctions (%)", tuple(one.junction_share * 100 for one in both))
        for phase in self.ex_situ.energies:
            line(f"  {phase} (fJ/P-bit)", tuple(
                sum(one.energies.get(phase, {}).values()) * 1e15 / one.rows for one in both))  # fmt: skip
        for source in self.ex_situ.by_source():
            line(f"  {source} (fJ/P-bit)", tuple(one.by_source().get(source, 0.0) * 1e15 for one in both))
        return "\n".join(lines)


def cost(bench: ColumnBench) -> Cost:
    """Measure the cost of the last of a bench's cycles, with junctions that stand still."""
    if bench.parts != "both":
        raise InputError(f"the cost is that of whole cycles, not of {bench.parts} alone")
    testbench = bench.testbench()
    data = testbench.run()
    found = data.attrs
    phases = bench.phases()
    energies = {
        phase.name: {name: found[f"energy_{phase.name}_{name}"] for name in bench.sources()} for phase in phases
    }
    start = bench.starts()[-1]
    heat = {phase.name: _junction_energy(testbench, data, start + phase.begin, start + phase.end) for phase in phases}
    return Cost(
        bench.circuit.name, bench.rows, {phase.name: phase.end - phase.begin for phase in phases}, energies, heat,
        found["pulse_width"], found["amplitude"],
    )  # fmt: skip


def _junction_energy(testbench: Testbench, data: "xarray.Dataset", begin: float, end: float) -> float:
    """Integral of V^2 G over all junctions that stand still, J."""
    time = np.asarray(data["time"].values)
    inside = (time >= begin) & (time <= end)
    vectors = {str(name): np.asarray(data[name].values)[inside] for name in data.data_vars}
    total = 0.0
    for junction, state in zip(testbench.junctions(), testbench.states, strict=True):
        volts = Voltage(junction.top, junction.bottom).values(vectors)
        card = at_temperature(junction.card, testbench.temperature)
        conductance = np.array([derived.conductance(card, float(state), float(one)) for one in volts])
        total += float(np.trapezoid(volts**2 * conductance, time[inside]))
    return total


def in_situ_against_ex_situ(
    technology: Technology, card: MTJCard, rows: int = 8, *, corner: str = "", temperature: float = ROOM_TEMPERATURE,
    **settings: float,
) -> Comparison:  # fmt: skip
    """Compare both columns at equal card, technology, pulse, read-out and rows.

    All inputs are 1. The rows go through the four combinations of the P-bit that was drawn and the bit that the
    crossbar held, so that half of them are written. Measured is the second of two cycles. ``settings`` are those that
    both benches have.
    """
    options = {"cycles": 2, "corner": corner, "temperature": temperature, **settings}
    data = [1 if j % 2 == 0 else -1 for j in range(rows)]
    held = [1 if j % 4 < 2 else -1 for j in range(rows)]
    drawn = [1 if (j + 1) % 4 < 2 else -1 for j in range(rows)]
    in_situ = CimBench(
        CimColumn(technology, card=card, rows=rows),
        states=tuple(one for pair in zip(data, held, strict=True) for one in pair), **options,  # type: ignore[arg-type]
    )  # fmt: skip
    ex_situ = ExSituBench(
        ExSituColumn(technology, card=card, rows=rows),
        states=tuple(one for row in zip(data, held, drawn, strict=True) for one in row), **options,  # type: ignore[arg-type]
    )  # fmt: skip
    return Comparison(cost(in_situ), cost(ex_situ))


# --- statistics of the P-bits --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Refresh:
    """States (1 P, -1 AP) of the P-bits before and after each pulse, (cycles, rows), and of the data bits.

    ``data_before`` and ``data_after`` (rows,) are those at begin and end; ``data_changed`` whether any was another one
    at the end of any cycle.
    """

    before: NDArray[np.int64]
    after: NDArray[np.int64]
    data_before: NDArray[np.int64]
    data_after: NDArray[np.int64]
    data_changed: bool
    pulse_width: float
    amplitude: float
    energy: float

    @property
    def switched(self) -> Proportion:
        """Counted P-bits that a pulse switched."""
        return wilson(int((self.before != self.after).sum()), self.before.size)

    @property
    def antiparallel(self) -> Proportion:
        """Counted P-bits that are AP after a pulse."""
        return wilson(int((self.after == -1).sum()), self.after.size)


def refresh(bench: CimBench, *, seed: int, **options: Any) -> Refresh:
    """Run the bench's cycles in co-simulation; ``options`` go to `Testbench.run`. Energy is that of the last cycle.

    Each cycle has a new draw of the card's cycle-to-cycle spread.
    """
    if bench.parts == "compute":
        raise InputError("cycles of computing alone refresh nothing")
    data = bench.testbench().run("cosim", seed=seed, **{"drive_hold": bench.cycle_time, **options})
    time = np.asarray(data["time"].values)
    ends = np.array([*bench.starts(), bench.starts()[-1] + bench.cycle_time])
    # the last point not after the end of a cycle: all is at rest there
    points = np.searchsorted(time, ends * (1 + 1e-9), side="right") - 1
    m_z = data["magnetization"].sel(component="z").values[points].reshape(len(ends), bench.rows, bench.per_row)
    states = np.where(m_z > 0, 1, -1).astype(np.int64)
    bits, pbits = states[..., 0], states[..., 1]
    return Refresh(
        pbits[:-1], pbits[1:], bits[0], bits[-1], bool((bits != bits[0]).any()), data.attrs["pulse_width"],
        data.attrs["amplitude"], data.attrs["energy"],
    )  # fmt: skip
