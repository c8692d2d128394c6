"""How wide is the stochastic window, and what makes it wide? The junction alone, its drive, and the circuit's pulse."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mtjspice.papers.experiment import Context, Experiment
from mtjspice.papers.findings import Finding, Status, Value
from mtjspice.papers.pbit import claims, ranges
from mtjspice.papers.pbit import switching_figures as figures
from mtjspice.papers.pbit.switching_figures import BOTH, CIRCUIT, IDEAL, SPREAD, Point
from mtjspice.papers.pbit.windows import (
    SPREADS,
    WINDOWS,
    broadened,
    crossing,
    first_peak,
    resampled,
    spread_for,
    window,
)
from mtjspice.papers.sections import Section

if TYPE_CHECKING:
    from mtjspice.device.card import MTJCard
    from mtjspice.papers.pbit.cells import CellPulses
    from mtjspice.statistics import Proportion

Floats = NDArray[np.float64]

_FITTED = (
    "The card was made for this number (models/cards/imec_iedm24.toml: anisotropy, field and spread are fitted to it),"
    " so that it is an input here and no evidence."
)
_STACK = "stack, anisotropy and VCMA coefficient of the card"


def run(context: Context) -> Section:
    """Fokker-Planck curves with macrospins as a check; macrospins on waveforms of the transistor-level column."""
    from mtjspice.device.switching import switching_probability
    from mtjspice.papers.pbit import cells

    tolerance = context.effort(1e-3, 1e-4)
    volts = np.arange(0.7, 4.01, context.effort(0.05, 0.025))
    ideal, spread = cells.card(spread=False), cells.card()
    alone = switching_probability(ideal, volts, [claims.PULSE_WIDTH], tolerance=tolerance)
    curves = {IDEAL: alone.probability.values[:, 0]}
    # the same integral over the spread that the solver makes itself, which the check points show
    curves[SPREAD] = broadened(volts, curves[IDEAL], spread.cycle_to_cycle_spread)
    checks, worst = _checks(context, volts, curves)

    # close where the intrinsic curve rises: its window is a few steps wide
    steep = np.arange(1.40, 1.82, context.effort(0.06, 0.03))
    rails = np.concatenate([[1.0, 1.2], steep, np.arange(1.9, 2.71, context.effort(0.4, 0.2))])
    trials = context.effort(250, 1500)  # a row, of which there are 8
    pulses = [cells.cell_pulses(rail=float(rail)) for rail in rails]
    seeds = cells.streams(context.seed, 2 + 2 * len(rails))
    counted = {
        name: [_all(junction, one, trials, seed) for one, seed in zip(pulses, seeds[2 + offset :: 2], strict=False)]
        for offset, (name, junction) in enumerate(((CIRCUIT, ideal), (BOTH, spread)))
    }
    amplitudes = np.array([one.amplitude for one in pulses])
    rng = np.random.default_rng(seeds[0])
    circuit_windows = {name: resampled(amplitudes, counted[name], rng) for name in counted}
    draws = _mismatch(context, seeds[1])
    half = crossing(volts, curves[SPREAD], 0.5)
    widths = np.arange(0.1, 2.01, 0.05) * 1e-9
    drives = np.array([half, 1.75, 2.0, 2.5])
    against = switching_probability(spread, drives, widths, tolerance=1e-3).probability.values
    peaks = [first_peak(widths, row) for row in against]
    needed = {
        name: np.array([window(volts, broadened(volts, curves[IDEAL], one), levels) for one in SPREADS])
        for name, levels in WINDOWS.items()
    }
    own = {name: window(volts, curves[IDEAL], levels) for name, levels in WINDOWS.items()}
    wide = {name: window(volts, curves[SPREAD], levels) for name, levels in WINDOWS.items()}
    best = float(curves[SPREAD].max())
    at_one = {name: spread_for(needed[name], claims.WINDOW_VOLTS) for name in WINDOWS}
    error = float((alone.high - alone.low).max()) / 2
    slope = 0.8 / own["10 to 90 %"]

    findings = [
        Finding(
            key="peak", quantity="pulse width of the first peak of P", paper=claims.FIRST_PEAK,
            ours=Value(
                value=peaks[2][0], unit="s", low=min(p[0] for p in peaks), high=max(p[0] for p in peaks),
                kind=f"at 2 V; from {drives[-1]:g} V to {drives[0]:.2f} V",
            ),
            status=Status.NOT_COMPARABLE, reason=_FITTED + " The width depends on the amplitude, which is not given.",
        ),
        Finding(
            key="half", quantity="amplitude for P = 1/2 at 700 ps", paper=claims.HALF_VOLTAGE,
            ours=ranges.bounded(half, 2 * error / 1.5, "V"),
            status=Status.NOT_COMPARABLE, reason=_FITTED,
        ),
        Finding(
            key="window", quantity="stochastic window", paper=claims.WINDOW,
            ours="; ".join(f"{name}: {_shown(value, best)}" for name, value in wide.items()),
            status=Status.NOT_COMPARABLE,
            reason=_FITTED + " The paper does not say between which probabilities it counts.",
            assumed="spread of the drive of 15 % from pulse to pulse, set to make the window about 1 V",
        ),
        Finding(
            key="intrinsic", quantity="window of the junction alone, 10 to 90 %",
            ours=ranges.bounded(own["10 to 90 %"], 4 * error / slope, "V"), assumed=_STACK,
            status=Status.LEFT_OPEN,
            reason=(
                f"Thermal agitation of this junction makes {own['10 to 90 %']:.2f} V (1 to 99 %: {own['1 to 99 %']:.2f}"
                " V). A window of a volt is not that of one junction under equal pulses."
            ),
        ),
        Finding(
            key="circuit", quantity="window with the pulse of the circuit, 10 to 90 %, no spread of the drive",
            ours=circuit_windows[CIRCUIT], status=Status.LEFT_OPEN,
            reason="Edges and droop of a pulse that transistors make replace the trapezoid; macrospins on it.",
            assumed=f"{_STACK}; column of this project in gf180mcu",
        ),
        Finding(
            key="mismatch", quantity="spread of the pulse from transistor mismatch, column to column",
            ours=(
                f"amplitude {ranges.relative_deviation(draws[0])}, width {ranges.relative_deviation(draws[1])}"
                " (standard deviations, 95 %)"
            ),
            status=Status.LEFT_OPEN,
            reason=f"{len(draws[0])} draws of the transistors. All P-bits of a column share one pulse.",
            assumed="column of this project in gf180mcu",
        ),
        Finding(
            key="needed", quantity="spread of the drive that makes a window of 1 V",
            ours=", ".join(f"{name}: {_share(value)}" for name, value in at_one.items()), status=Status.LEFT_OPEN,
            reason=(
                "Relative standard deviation of the voltage from pulse to pulse, or from device to device where the"
                " window is that of an array's mean: the mean curve does not tell the two apart. Mismatch of"
                " this circuit makes what the finding before says."
            ),
            assumed=_STACK,
        ),
        Finding(
            key="same", quantity="highest P at the amplitude of P(700 ps) = 1/2",
            ours=Value(value=peaks[0][1], digits=2), status=Status.LEFT_OPEN,
            reason=(
                f"At that amplitude the first peak lies at {peaks[0][0] * 1e12:.0f} ps and is no higher than this. So a"
                " peak at 700 ps and 50 % at 1.5 V and 700 ps belong to different amplitudes, in this model."
            ),
            assumed=_STACK,
        ),
        Finding(
            key="methods", quantity="macrospin against Fokker-Planck, largest difference",
            ours=Value(value=worst, digits=2), status=Status.LEFT_OPEN,
            reason=f"In standard errors of the counting, {len(checks)} points; chance alone gives about 2 to 3.",
        ),
    ]  # fmt: skip
    return Section(
        answer=(
            f"Under equal pulses the junction of this card goes from 10 to 90 % within {own['10 to 90 %']:.2f} V. The"
            f" volt of the paper takes a spread of the voltage, if it means 10 to 90 %: {_share(at_one['10 to 90 %'])};"
            f" if it means 1 to 99 %: {_share(at_one['1 to 99 %'])}. The card has"
            f" {spread.cycle_to_cycle_spread * 100:.0f} %, put there for that purpose; with it P does not exceed"
            f" {best:.2f}.",
            "The pulse that a CMOS column makes has a window of"
            f" {circuit_windows[CIRCUIT].value:.2f} V ({circuit_windows[CIRCUIT].limits[0]:.2f} to"
            f" {circuit_windows[CIRCUIT].limits[1]:.2f}, 95 %), and mismatch of its transistors varies the amplitude by"
            f" {ranges.relative_deviation(draws[0])}: neither gives a volt. What remains are devices that differ, or"
            " drives and junctions that change from pulse to pulse. In the first case each device has a narrow window"
            " of its own, and one setting for all leaves most of them far from 1/2.",
            "700 ps, 1.5 V and 1 V are what the card was fitted to: that they come out, as far as they do, is no"
            " evidence for these numbers.",
        ),
        findings=findings,
        plates=figures.plates(
            volts, curves, checks, amplitudes, counted, widths, drives, against, needed, _width_checks(context, widths)
        ),
        setting=(
            f"Card imec_iedm24 at 300 K; Fokker-Planck with a tolerance of {tolerance:g}; column of 8 rows in gf180mcu,"
            f" {len(rails)} write rails, {8 * trials} macrospins each on its waveforms; pulses of 700 ps, edges of 50"
            " ps."
        ),
    )


def _checks(context: Context, volts: Floats, curves: dict[str, Floats]) -> tuple[list[Point], float]:
    """Macrospin points on the trapezoid, and the largest distance from the curves in standard errors."""
    from mtjspice.device.switching import switching_probability
    from mtjspice.papers.pbit import cells

    trials = context.effort(1000, 10000)
    found, worst = [], 0.0
    at = np.array([1.2, 1.4, 1.5, 1.6, 1.8, 2.2])
    for name, junction in ((IDEAL, cells.card(spread=False)), (SPREAD, cells.card())):
        data = switching_probability(junction, at, [claims.PULSE_WIDTH], "macrospin", trials=trials, seed=context.seed)
        for k, volt in enumerate(at):
            p, low, high = (float(data[key].values[k, 0]) for key in ("probability", "low", "high"))
            expected = float(np.interp(volt, volts, curves[name]))
            worst = max(worst, abs(p - expected) / max((high - low) / 3.92, 1e-12))
            found.append((f"{name}, macrospins", float(volt), p, low, high))
    return found, worst


def _width_checks(context: Context, widths: Floats) -> tuple[Floats, list[tuple[float, ...]], int]:
    """Some widths; P of macrospins there at 2 V and its limits; how many."""
    from mtjspice.device.switching import switching_probability
    from mtjspice.papers.pbit import cells

    trials, at = context.effort(400, 4000), widths[2::4]
    data = switching_probability(cells.card(), [2.0], at, "macrospin", trials=trials, seed=context.seed)
    return at, [tuple(data[key].values[0].tolist()) for key in ("probability", "low", "high")], trials


def _all(junction: "MTJCard", pulses: "CellPulses", trials: int, seed: int) -> "Proportion":
    """All rows together: they see one pulse."""
    from mtjspice.papers.pbit import cells
    from mtjspice.statistics import wilson

    found = cells.switched(junction, pulses, trials, seed)
    return wilson(sum(one.count for one in found), sum(one.trials for one in found))


def _mismatch(context: Context, seed: int) -> Floats:
    """Amplitudes and widths of the pulse over draws of the transistors, (2, draws)."""
    from mtjspice.circuits.benches.cim import CimBench
    from mtjspice.circuits.benches.offset import mismatch_seeds
    from mtjspice.circuits.library.cim import CimColumn
    from mtjspice.circuits.technology import technology
    from mtjspice.papers.pbit import cells

    bench = CimBench(CimColumn(technology(cells.TECHNOLOGY), card=cells.card(), rows=cells.ROWS), parts="refresh")
    found = list(bench.testbench().measure_draws(mismatch_seeds(context.effort(12, 40), seed)))
    return np.array([[one["amplitude"] for one in found], [one["pulse_width"] for one in found]])


def _share(spread: float) -> str:
    return f"{spread * 100:.0f} %" if np.isfinite(spread) else "none does, P no longer reaches both levels"


def _shown(value: float, best: float) -> str:
    return f"{value:.2f} V" if np.isfinite(value) else f"not reached, P does not exceed {best:.2f}"


EXPERIMENT = Experiment(
    key="switching",
    title="The stochastic window",
    question="What makes the switching probability rise over a volt, and do 700 ps and 1.5 V belong together?",
    run=run,
    draw={"amplitude": figures.draw_amplitude, "spread": figures.draw_spread, "width": figures.draw_width},
    minutes=(0.3, 0.7),
)
