"""What the heat of earlier pulses does to later bits, against the repetition rate and the thermal resistance.

Each junction goes through reset, perturb and rest again and again, its temperature with it: the compiled equation of
the device, one junction after the other, with one thermal resistance and capacitance.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mtjspice.papers.experiment import Context, Experiment
from mtjspice.papers.findings import Finding, Status, Value
from mtjspice.papers.sections import Columns, Plate, Section
from mtjspice.papers.stt_trng import limits
from mtjspice.papers.stt_trng.columns import Lists, add, empty
from mtjspice.papers.stt_trng.devices import CARD

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CURIE = 1120.0  # K, assumed
TIME_CONSTANT = 1e-8  # s, assumed: the slow end of what is reported
RESISTANCES = (0.0, 8e3, 1e5, 3e5)  # K/W, assumed
EDGE = 5e-11
NOISE_STEP = 2e-12  # s
FOLLOWED = 2e-8  # s after a perturbation; in a longer rest only heat flows
_RATE, _RTH, _LAG, _LAG_LOW, _LAG_HIGH = "rate [Hz]", "thermal resistance [K/W]", "lag 1", "lag 1 low", "lag 1 high"
_P, _P_LOW, _P_HIGH, _RISE, _FAILED = "P", "P low", "P high", "rise before the perturbation [K]", "failed resets"
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Cycle:
    """Reset (V, s), pause (s), perturb (V, s), and the period (s); forward voltage sets P."""

    reset: float
    reset_width: float
    pause: float
    perturb: float
    perturb_width: float
    period: float

    def corners(self) -> tuple[Floats, Floats]:
        """Times (s) and voltages of a cycle."""
        second = self.reset_width + self.pause
        times = [0.0, EDGE, self.reset_width, self.reset_width + EDGE,
                 second, second + EDGE, second + self.perturb_width, second + self.perturb_width + EDGE]  # fmt: skip
        volts = [0.0, self.reset, self.reset, 0.0, 0.0, -self.perturb, -self.perturb, 0.0]
        return np.array(times), np.array(volts)


def cycles() -> dict[str, Cycle]:
    """The cycle of 10 ns pulses at three rates, and one of short pulses that fits into 10 ns."""
    from mtjspice.device.half_voltage import half_voltage

    long, short = (abs(half_voltage(CARD, width).voltage) for width in (1e-8, 3e-9))
    return {
        "100 kHz": Cycle(0.8, 8e-9, 6e-9, long, 1e-8, 1e-5),
        "10 MHz": Cycle(0.8, 8e-9, 6e-9, long, 1e-8, 1e-7),
        "33 MHz": Cycle(0.8, 8e-9, 6e-9, long, 1e-8, 3e-8),
        "100 MHz, short pulses": Cycle(1.4, 3e-9, 1.5e-9, short, 3e-9, 1e-8),
    }


@dataclass(frozen=True)
class Counted:
    """Bits of many junctions, (junctions, cycles), and their mean rise (K) before the perturbation by the last bit."""

    bits: NDArray[np.uint8]
    rise: float
    rise_difference: float
    failed_resets: float


def follow(cycle: Cycle, resistance: float, junctions: int, count: int, seed: int) -> Counted:
    """Follow junctions through ``count`` cycles, the first two apart, which warm up."""
    from mtjspice.device import llg, macrospin
    from mtjspice.device.card import load_card

    card = load_card(CARD).replace(curie_temperature=CURIE)
    if resistance:
        card = card.replace(thermal_resistance=resistance, thermal_capacitance=TIME_CONSTANT / resistance)
    row = llg.parameters(card, 300.0, NOISE_STEP)
    times, volts = cycle.corners()
    rng = np.random.default_rng([seed, 7])
    start = macrospin.thermal_states(card, np.where(np.arange(junctions) % 2, 1, -1), rng)
    bits = np.zeros((junctions, count), np.uint8)
    rises, reset = np.zeros((junctions, count)), np.zeros((junctions, count))
    rest = min(cycle.period, times[-1] + FOLLOWED)
    left = np.exp(-(cycle.period - rest) / TIME_CONSTANT)
    for junction in range(junctions):
        state = np.zeros(llg.STATE)
        state[:3] = start[junction]
        for number in range(count):
            begin = number * rest
            for k in range(len(times) - 1):
                llg.advance(row, seed, junction, state, begin + times[k], begin + times[k + 1], volts[k], volts[k + 1])
                if k == 3:
                    rises[junction, number] = state[llg.RISE]
                    reset[junction, number] = state[2] < 0
            llg.advance(row, seed, junction, state, begin + times[-1], begin + rest, 0.0, 0.0)
            state[llg.RISE] *= left
            bits[junction, number] = state[2] < 0
    last, before = bits[:, 1:-1], rises[:, 2:]
    difference = float(before[last == 1].mean() - before[last == 0].mean())
    return Counted(bits[:, 2:], float(before.mean()), difference, float(reset[:, 2:].mean()))


def run(context: Context) -> Section:
    """Count bits of every rate and thermal resistance."""
    from mtjspice.statistics import wilson

    junctions, count = context.effort((10, 42), (40, 102))
    columns = empty((_RATE, _RTH, _LAG, _LAG_LOW, _LAG_HIGH, _P, _P_LOW, _P_HIGH, _RISE, _FAILED))
    found: dict[tuple[str, float], tuple[Counted, float, float]] = {}
    made = cycles()
    for i, (name, cycle) in enumerate(made.items()):
        for j, resistance in enumerate(context.effort((RESISTANCES[0], *RESISTANCES[-2:]), RESISTANCES)):
            counted = follow(cycle, resistance, junctions, count, (context.seed + 10 * i + j) % 2**32)
            lag, error = _lag_one(counted.bits)
            p = wilson(int(counted.bits.sum()), counted.bits.size)
            found[name, resistance] = counted, lag, error
            add(columns, 1 / cycle.period, resistance, lag, lag - error, lag + error, p.value, p.low, p.high,
                counted.rise, counted.failed_resets)  # fmt: skip
    slope = _sensitivity(made["100 kHz"])
    return _section(made, found, columns, slope, junctions * (count - 2))


def _lag_one(bits: NDArray[np.uint8]) -> tuple[float, float]:
    """Lag-1 correlation within junctions, and half of its 95 % interval."""
    x = bits - bits.mean()
    lag = float((x[:, 1:] * x[:, :-1]).mean() / (x**2).mean())
    return lag, 1.96 / np.sqrt(x[:, 1:].size)


def _sensitivity(cycle: Cycle) -> float:
    """dP/dT (1/K) of the perturbation at 300 K, the film and the field heated together."""
    from mtjspice.device.card import load_card
    from mtjspice.device.switching import switching_probability

    card = load_card(CARD).replace(curie_temperature=CURIE)
    low, high = (
        float(switching_probability(card, -cycle.perturb, cycle.perturb_width, temperature=at).probability.item())
        for at in (297.0, 303.0)
    )
    return (high - low) / 6


def _section(
    made: dict[str, Cycle], found: dict[tuple[str, float], tuple[Counted, float, float]],
    columns: Lists, slope: float, bits: int,
) -> Section:  # fmt: skip
    worst = RESISTANCES[-1]
    slow, fast = "100 kHz", "33 MHz"
    assumed = (
        f"thermal resistance swept from 8 to 300 K/mW, time constant {TIME_CONSTANT * 1e9:g} ns, T_c {CURIE:g} K; card"
        f" {CARD}; reset 0.8 V for 8 ns, 6 ns before a perturbation of 10 ns"
    )
    findings = []
    for name in made:
        counted, lag, error = found[name, worst]
        cold = found[name, 0.0][0].bits.mean()
        findings.append(
            Finding(
                key="lag-" + name.split(",")[0].replace(" ", "-").lower(),
                quantity=f"{name}: correlation of successive bits at {worst / 1e3:g} K/mW",
                ours=Value(value=lag, low=lag - error, high=lag + error, kind="95 %", digits=2),
                status=Status.LEFT_OPEN,
                reason=(
                    f"P is {counted.bits.mean():.3f} where it is {cold:.3f} without heating; the junction is"
                    f" {counted.rise:.1f} K warmer before the perturbation, by {counted.rise_difference:+.2f} K"
                    f" different after a one. {counted.failed_resets:.1%} of the resets fail."
                ),
                assumed=assumed,
            )
        )
    difference = found[slow, worst][0].rise_difference
    expected = slope * difference
    findings.append(
        Finding(
            key="linear", quantity="100 kHz: correlation that follows from the heat of the reset",
            ours=Value(value=expected, digits=2), status=Status.LEFT_OPEN,
            reason=(
                f"dP/dT = {slope:.4f} /K by the Fokker-Planck equation times {difference:+.2f} K, the mean difference"
                " after a one and after a zero in the run: the reset heats a junction that holds AP differently, and"
                " some of that is left when the perturbation comes. A pause of 10 µs does not help, a longer one"
                " between the pulses would."
            ),
            assumed=assumed,
        )
    )  # fmt: skip
    p_slow, p_fast = (found[name, worst][0].bits.mean() for name in (slow, fast))
    warmer = found[fast, worst][0].rise - found[slow, worst][0].rise
    cold, hot = (found["100 MHz, short pulses", r][0].bits.mean() for r in (0.0, worst))
    clear = [key for key, (_, lag, error) in found.items() if key[1] > 0 and abs(lag) > error]
    return Section(
        answer=(
            f"Between cycles of 10 µs heat is gone: {1e-5 / TIME_CONSTANT:.0f} time constants. At 100 kHz the heat"
            f" that counts is that of the reset of the same cycle. With {worst / 1e3:g} K/mW it leaves"
            f" {found[slow, worst][0].rise:.1f} K when the perturbation begins and moves P to {p_slow:.3f}; the trim"
            " takes that in, as long as the cycle stays.",
            f"Memory is weaker than bias. After the reset a junction that held AP differs by {difference:+.2f} K from"
            f" one that held P, which makes {expected:+.4f} of correlation; XOR of three junctions does not let it"
            " through."
            + (f" The counts show a correlation beyond 95 % in {len(clear)} of {sum(key[1] > 0 for key in found)} cases"
               f" (one in twenty is chance)."),
            f"At {fast} the junction is {warmer:.1f} K warmer than at 100 kHz, which moves P by {slope * warmer:.3f}"
            f" by the slope dP/dT; raw bits bear {limits.raw_limit():.4f}, so that a voltage is trimmed at the rate at"
            f" which it is used (counted: {p_fast:.3f}). 100 MHz leaves no room for pulses of 10 ns and a reset; with"
            f" pulses of 3 ns and 1.4 V the power is larger, and P becomes {hot:.3f}. Even without heating it is"
            f" {cold:.3f} there, not 1/2: 1.5 ns after the reset a junction has not found back to equilibrium, and its"
            " next bit begins nearer to the axis.",
        ),
        findings=findings,
        plates=(
            Plate(
                key="rate",
                caption=(
                    f"Left: P of {bits} bits at the voltage that gives 1/2 from equilibrium without heating; right:"
                    " correlation of successive bits of a junction. 95 % intervals. Three rates with pulses of 10 ns,"
                    f" and 100 MHz with pulses of 3 ns (hollow). Time constant {TIME_CONSTANT * 1e9:g} ns, thermal"
                    " resistances as assumed."
                ),
                alt=f"P moves away from one half with the rate, up to {max(columns[_P]):.2f}; correlations stay small.",
                columns=columns,
            ),
        ),
        setting=(
            f"Macrospin with self-heating, {bits} bits a case; card {CARD} with T_c = {CURIE:g} K; cycles of reset,"
            " pause, perturbation and rest."
        ),
    )  # fmt: skip


def draw_rate(columns: Columns) -> "Figure":
    """P and correlation against the rate."""
    from mtjspice.reports.style import BLACK, BLUE, GREEN, ORANGE, RED, new_figure

    figure, grid = new_figure(3.0, columns=2)
    panels = ((_P, _P_LOW, _P_HIGH, "P", 0.5), (_LAG, _LAG_LOW, _LAG_HIGH, "correlation of successive bits", 0.0))
    resistances = np.unique(columns[_RTH])
    rates = np.unique(columns[_RATE])
    for axis, (value, low, high, label, ideal) in zip(grid[0], panels, strict=True):
        for number, (resistance, colour, marker) in enumerate(
            zip(resistances, (BLACK, BLUE, ORANGE, RED, GREEN), "oos^D", strict=False)
        ):
            mine = columns[_RTH] == resistance
            order = np.argsort(columns[_RATE][mine])
            at = np.searchsorted(rates, columns[_RATE][mine][order]) + 0.14 * (number - (len(resistances) - 1) / 2)
            y = columns[value][mine][order]
            name = f"{resistance / 1e3:g} K/mW" if resistance else "no heating"
            axis.vlines(at, columns[low][mine][order], columns[high][mine][order], color=colour, linewidth=1.1)
            short = rates[np.round(at).astype(int)] >= 1e8
            axis.plot(at[~short], y[~short], marker, markersize=4, color=colour, label=name)
            axis.plot(at[short], y[short], marker, markersize=4, color=colour, markerfacecolor="white")
        axis.axhline(ideal, color=BLACK, linewidth=0.7)
        axis.set_xticks(range(len(rates)), [f"{rate / 1e6:.3g}" for rate in rates])
        axis.set(xlabel="cycles per second [MHz]", ylabel=label)
    grid[0, 0].legend(fontsize=8)
    return figure


EXPERIMENT = Experiment(
    key="heating",
    title="Does a junction remember the heat of its last bit?",
    question="What does self-heating do to bias and memory at 100 kHz and at 100 MHz?",
    run=run,
    draw={"rate": draw_rate},
    minutes=(0.4, 4.6),
)
