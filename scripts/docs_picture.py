"""Draw docs/images/word.png: one cycle of the MeRAM word, and its switching probability beside the prediction.

The job is that of `mtjspice demo` with its default effort and seed 1. The numbers stand in docs/images/word.csv;
`--check` repeats the job (two to five minutes) and only says whether they and the picture are what would be written.
"""

import csv
import io
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from docs_examples import alike
from matplotlib.figure import Figure

from mtjspice import demo
from mtjspice.reports.style import BLUE, RED, SKY, save, styled
from mtjspice.spice.engines import find_libngspice
from mtjspice.spice.pool import CosimPool
from mtjspice.studies import operation, pulses, switching

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
SEED = 1
CYCLE = ("reset", "write", "read")
COLOURS = ("#f3e3c3", "#d9e8f4", "#dff0e4")
GREY = "#b0b0b0"
CURVE = ("pulse_width", "counted", "low", "high", "predicted", "predicted_low", "predicted_high")
TOLERANCE = 0.02  # of probabilities and m_z, of volts and nanoseconds

Rows = dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float64]]]


def compute() -> tuple[Rows, Rows]:
    """Run the job: the columns of the curve; and time (ns), junction voltages, m_z of one cycle, 8 junctions."""
    effort, bench = demo.Effort(), demo.default_bench()
    with CosimPool(find_libngspice()) as pool:
        calibration = pulses.calibrate_pulse(bench, pool, SEED)
        points = switching.switching_curve(
            bench, calibration, effort.widths, pool,
            repeats=effort.repeats, predicted_trials=effort.predicted_trials, seed=SEED,
        )  # fmt: skip
        half = switching.trim_half_point(bench, calibration, points, pool, trials=effort.trim_trials, seed=SEED)
        _, trace = operation.operate(
            bench, pool, reset_control=calibration.control_for(demo.RESET_WIDTH), write_control=half.control,
            chunks=effort.chunks, cycles=effort.cycles, seed=SEED,
        )  # fmt: skip
    columns = [
        (p.pulse_width * 1e9, p.circuit.value, p.circuit.low, p.circuit.high, *(
            (p.predicted.value, p.predicted.low, p.predicted.high)))
        for p in points
    ]  # fmt: skip
    curve = dict(zip(CURVE, np.array(columns).T, strict=True))
    times = trace.result.times / trace.slot - 1  # slots since the first read
    shown = np.flatnonzero((times >= 0) & (times <= len(CYCLE)))[::4]
    cycle = {"time": times[shown] * trace.slot * 1e9}
    for bit in range(bench.word.bits):
        cycle |= {f"volts{bit}": trace.result.voltages[shown, bit], f"m_z{bit}": trace.result.m_z[shown, bit]}
    return curve, cycle


@styled
def draw(curve: Rows, cycle: Rows) -> Figure:
    """Two panels of waveforms at the left, the curve at the right."""
    figure = Figure(figsize=(8.4, 3.3), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=[1, 1.05])
    volts, m_z = left.subplots(2, 1, sharex=True)
    time, slot = cycle["time"], cycle["time"][-1] / len(CYCLE)
    bits = [name.removeprefix("m_z") for name in cycle if name.startswith("m_z")]
    ends = {bit: cycle[f"m_z{bit}"][-1] for bit in bits}
    picked = {min(bits, key=lambda bit: ends[bit]): (BLUE, "AP"), max(bits, key=lambda bit: ends[bit]): (RED, "P")}
    for bit in sorted(bits, key=lambda bit: bit in picked):
        colour, state = picked.get(bit, (GREY, ""))
        width, label = (1.3, f"ends in {state}") if state else (0.6, None)
        volts.plot(time, cycle[f"volts{bit}"], color=colour, linewidth=width)
        m_z.plot(time, cycle[f"m_z{bit}"], color=colour, linewidth=width, label=label)
    for axis in (volts, m_z):
        for index, (name, colour) in enumerate(zip(CYCLE, COLOURS, strict=True)):
            axis.axvspan(index * slot, (index + 1) * slot, color=colour, zorder=0, linewidth=0)
            if axis is volts:
                axis.text((index + 0.5) * slot, 1.36, name, ha="center", va="bottom", fontsize=8)
    volts.set(ylabel="junction [V]", ylim=(-0.85, 1.6))
    m_z.set(ylabel="$m_z$ (1: P, -1: AP)", xlabel="time in the cycle [ns]", xlim=(0, time[-1]), ylim=(-1.15, 1.15))
    m_z.legend(loc="center left", bbox_to_anchor=(0.68, 0.5), fontsize=8)

    axis = right.subplots()
    x = curve["pulse_width"]
    axis.fill_between(x, curve["predicted_low"], curve["predicted_high"], color=SKY, alpha=0.5, linewidth=0)
    axis.plot(x, curve["predicted"], color=BLUE, label="macrospins on the circuit's waveform")
    errors = [curve["counted"] - curve["low"], curve["high"] - curve["counted"]]
    axis.errorbar(
        x, curve["counted"], np.maximum(errors, 0), fmt="o", markersize=4, color=RED, capsize=2, linewidth=1,
        label="counted in the transistor circuit",
    )  # fmt: skip
    axis.set(xlabel="pulse width at the junction [ns]", ylabel="switching probability P to AP", ylim=(-0.03, 1.3))
    axis.set_yticks(np.linspace(0, 1, 6))
    axis.legend(loc="upper right", fontsize=8, title="bars and band: 95 %", title_fontsize=8)
    return figure


def as_csv(tables: tuple[Rows, Rows]) -> str:
    """Both tables, one below the other."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for table in tables:
        writer.writerow(table)
        writer.writerows([[f"{value:.5g}" for value in row] for row in zip(*table.values(), strict=True)])
        writer.writerow([])
    return text.getvalue()


def from_csv(text: str) -> tuple[Rows, Rows]:
    """What `as_csv` wrote."""
    tables = []
    for part in text.strip().split("\n\n"):
        header, *rows = csv.reader(io.StringIO(part))
        tables.append(dict(zip(header, np.array(rows, dtype=np.float64).T, strict=True)))
    curve, cycle = tables
    return curve, cycle


def same(kept: Rows, fresh: Rows) -> bool:
    """Whether two tables agree on average; another simulator takes other time steps."""
    first = next(iter(kept))
    return kept.keys() == fresh.keys() and all(
        float(np.abs(np.interp(fresh[first], kept[first], kept[name]) - fresh[name]).mean()) < TOLERANCE
        for name in kept
    )


def main() -> int:
    table, picture = IMAGES / "word.csv", IMAGES / "word.png"
    if "--draw" not in sys.argv[1:]:
        fresh = compute()
        if "--check" in sys.argv[1:]:
            kept = from_csv(table.read_text(encoding="utf-8"))
            with TemporaryDirectory() as folder:
                drawn = Path(folder) / picture.name
                save(draw(*kept), drawn)
                right = all(map(same, kept, fresh)) and alike(picture, drawn)
            if not right:
                print("docs/images/word is out of date; run scripts/docs_picture.py", file=sys.stderr)
            return 0 if right else 1
        table.write_text(as_csv(fresh), encoding="utf-8")
    save(draw(*from_csv(table.read_text(encoding="utf-8"))), picture)
    return 0


if __name__ == "__main__":
    sys.exit(main())
