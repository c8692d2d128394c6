"""Examinations of bit streams as a table and as a figure.

Nothing here computes statistics. matplotlib is imported by the figure only.
"""

from typing import TYPE_CHECKING

from mtjspice.bits.examination import Examination
from mtjspice.statistics import Proportion

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PREDICTORS = {
    "markov": "Markov",
    "markov-device": "Markov, device",
    "logistic": "logistic",
    "logistic-pairs": "logistic, pairs",
    "perceptron": "perceptron",
    "recurrence": "recurrence",
}


def table(examination: Examination) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Header and rows: what was asked, the value, its interval, the p-value for ideal bits, and remarks."""
    header = ("quantity", "value", f"{100 * examination.confidence:g} % interval", "p-value", "remark")
    p_values = {question.asked: _p(question.p_value) for question in examination.asked}
    rows: list[tuple[str, ...]] = [("bits", str(examination.length), "", "", "")]
    ones = examination.diagnosis.ones
    rows.append(("ones", f"{ones.value:.6f}", _range(ones.low, ones.high, 6), p_values.get("ones", ""), ""))
    rows.append(_autocorrelation(examination, p_values.get("autocorrelation", "")))
    for entropy in examination.entropies:
        name = f"Shannon entropy, blocks of {entropy.block}"
        p_value = "" if entropy.p_value is None or entropy.block == 1 else _p(entropy.p_value)
        rows.append((name, f"{entropy.shannon.value:.6f}", _range(entropy.shannon.low, entropy.shannon.high, 6),
                     p_value, "bit per bit"))  # fmt: skip
    if examination.entropies:
        last = examination.entropies[-1]
        low, high = last.min_entropy.low, last.min_entropy.high
        commonest = f"bit per bit; commonest block {last.commonest:0{last.block}b}"
        rows.append((f"min-entropy, blocks of {last.block}", f"{last.min_entropy.value:.6f}", _range(low, high, 6), "",
                     commonest))  # fmt: skip
    rows += _drift(examination, p_values)
    rows += _similarity(examination, p_values)
    rows += _predictions(examination, p_values)
    if examination.complexity is not None:
        complexity = examination.complexity
        rows.append(("linear complexity", str(complexity.value), "", p_values.get("linear complexity", ""),
                     f"of the first {complexity.bits} bits"))  # fmt: skip
    for recovery in examination.recoveries:
        rows.append(("generator recovered", "yes", "", "", recovery.describe()))
    if examination.health is not None:
        health = examination.health
        number = health["repetition_count"]["alarms"] + health["adaptive_proportion"]["alarms"]
        rows.append(("health alarms", str(number), "", p_values.get("health", ""),
                     f"for a min-entropy of {health['min_entropy']:g}"))  # fmt: skip
    rows += [(name, "n/a", "", "", reason) for name, reason in examination.absent.items()
             if reason != "not asked for" and not (name == "entropies" and examination.entropies)]  # fmt: skip
    return header, rows


def _p(value: float) -> str:
    return f"{value:.3g}"


def _range(low: float, high: float, digits: int) -> str:
    return f"{low:.{digits}f} to {high:.{digits}f}"


def _autocorrelation(examination: Examination, p_value: str) -> tuple[str, ...]:
    values = [r for r in examination.diagnosis.autocorrelation if r == r]
    if not values:
        return ("autocorrelation", "n/a", "", "", "constant bits have none")
    lag = max(range(len(values)), key=lambda k: abs(values[k])) + 1
    outside = len(examination.diagnosis.lags_outside_band)
    band = examination.diagnosis.band
    remark = f"largest, at lag {lag}; {outside} of {len(values)} lags outside the band"
    return ("autocorrelation", f"{values[lag - 1]:+.5f}", _range(-band, band, 5), p_value, remark)


def _drift(examination: Examination, p_values: dict[str, str]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    if examination.lanes:
        worst = examination.worst_lanes[0]
        lane = examination.lanes[worst]
        rows.append(("ones of the worst lane", f"{lane.value:.6f}", _range(lane.low, lane.high, 6),
                     p_values.get("lanes", ""), f"lane {worst} of {len(examination.lanes)}; p: all alike"))  # fmt: skip
    if examination.drift is not None:
        values = [window.value for window in examination.drift.windows.ones]
        begin = examination.drift.stream.exceeds_white_from
        beyond = "not noisier than independent bits" if begin is None else f"noisier than independent from {begin} bits"
        rows.append(("drift of the ones", f"{min(values):.4f} to {max(values):.4f}", "", p_values.get("drift", ""),
                     f"in windows of {examination.drift.windows.size} bits; {beyond}"))  # fmt: skip
        if "drift of devices" in p_values:
            rows.append(("drift of devices", "", "", p_values["drift of devices"], "the least of all, corrected"))
    return rows


def _similarity(examination: Examination, p_values: dict[str, str]) -> list[tuple[str, ...]]:
    found = examination.similarity
    if found is None:
        return []
    of = "lanes" if examination.lanes else "parts"
    remark = f"{found.pairs} pairs of {found.streams} {of}"
    if found.worst is not None:
        remark += (
            f"; {found.worst.first} and {found.worst.second} farthest from expectation: {found.worst.distance:.4f}"
        )
    return [(f"Hamming distance of {of}", f"{found.mean:.6f}", _range(found.low, found.high, 6),
             p_values.get("similarity", ""), remark)]  # fmt: skip


def _predictions(examination: Examination, p_values: dict[str, str]) -> list[tuple[str, ...]]:
    if examination.predictions is None:
        return []
    rows: list[tuple[str, ...]] = [
        (f"next bit, {_PREDICTORS[one.name]}", f"{one.accuracy.value:.5f}",
         _range(one.accuracy.low, one.accuracy.high, 5), _p(one.p_value),
         f"guessing {one.majority:.5f}; {one.cross_entropy:.5f} bit per bit")
        for one in examination.predictions.results
    ]  # fmt: skip
    best = examination.predictions.best
    rows.append(("next bit, best", "", "", p_values.get("prediction", ""), f"{_PREDICTORS[best.name]}, corrected"))
    return rows


# --- figure --------------------------------------------------------------------------------------------------


def figure(examination: Examination) -> "Figure":
    """Ones against time, autocorrelation, Allan deviation, and the lanes' ones or the predictors' accuracy."""
    from mtjspice.reports import style

    return style.styled(_draw)(examination)


def _draw(examination: Examination) -> "Figure":
    from mtjspice.reports import style

    figure, axes = style.new_figure(5.2 if not examination.lanes else 7.2, 2 if not examination.lanes else 3, 2)
    _draw_windows(axes[0, 0], examination)
    _draw_autocorrelation(axes[0, 1], examination)
    _draw_allan(axes[1, 0], examination)
    _draw_predictors(axes[1, 1], examination)
    if examination.lanes:
        grid = axes[2, 0].get_gridspec()
        for axis in axes[2]:
            axis.remove()
        _draw_lanes(figure.add_subplot(grid[2, :]), examination)
    return figure


def _missing(axis: "Axes", reason: str) -> None:
    """Say why there is nothing to see."""
    import textwrap

    axis.grid(visible=False)
    axis.set_xticks([])
    axis.set_yticks([])
    axis.text(0.5, 0.5, textwrap.fill(reason, 34), ha="center", va="center", transform=axis.transAxes, color="#666666")


def _errors(proportions: list[Proportion]) -> list[list[float]]:
    """Lengths of error bars, in percent."""
    return [
        [100 * (one.value - one.low) for one in proportions],
        [100 * (one.high - one.value) for one in proportions],
    ]


def _draw_windows(axis: "Axes", examination: Examination) -> None:
    from mtjspice.reports import style

    axis.set_title("Ones against time")
    if examination.drift is None:
        _missing(axis, examination.absent["drift"])
        return
    windows = examination.drift.windows
    exponent = max(0, len(str(examination.length - 1)) - 1) // 3 * 3
    middle = [(k + 0.5) * windows.size / 10**exponent for k in range(len(windows.ones))]
    low, high = ([100 * getattr(one, end) for one in windows.ones] for end in ("low", "high"))
    axis.fill_between(middle, low, high, color=style.SKY, alpha=0.45, linewidth=0)
    axis.plot(middle, [100 * one.value for one in windows.ones], color=style.BLUE, linewidth=0.9)
    axis.axhline(50, color=style.BLACK, linewidth=0.8, linestyle="--")
    unit = f"$10^{{{exponent}}}$ bits" if exponent else "bits"
    axis.set(xlabel=f"time ({unit}), in windows of {windows.size}", ylabel="ones (%)")
    axis.set_xlim(0, examination.length / 10**exponent)
    axis.ticklabel_format(axis="y", useOffset=False)


def _draw_autocorrelation(axis: "Axes", examination: Examination) -> None:
    from mtjspice.reports import style

    axis.set_title("Autocorrelation")
    values = examination.diagnosis.autocorrelation
    if any(r != r for r in values):
        _missing(axis, "constant bits have none")
        return
    lags = range(1, len(values) + 1)
    band = examination.diagnosis.band
    axis.axhspan(
        -band, band, color=style.SKY, alpha=0.45, linewidth=0, label=f"{100 * examination.confidence:g} % band"
    )
    axis.vlines(lags, 0, values, color=style.BLUE, linewidth=1)
    axis.plot(lags, values, "o", color=style.BLUE, markersize=2.5)
    axis.axhline(0, color=style.BLACK, linewidth=0.6)
    reach = max(2.2 * band, 1.15 * max(abs(r) for r in values))
    axis.set(xlabel="lag (bits)", ylabel="autocorrelation", ylim=(-reach, reach), xlim=(0, len(values) + 1))
    axis.ticklabel_format(axis="y", style="sci", scilimits=(-2, 2), useMathText=True)
    axis.legend(loc="lower right", fontsize=7, borderaxespad=0.1)


def _draw_allan(axis: "Axes", examination: Examination) -> None:
    from mtjspice.reports import style

    axis.set_title("Allan deviation of the ones")
    if examination.drift is None:
        _missing(axis, examination.absent["drift"])
        return
    found = examination.drift.stream
    axis.set(xscale="log", yscale="log", xlabel="averaging length (bits)", ylabel="deviation")
    lanes = len(examination.drift.devices)
    for number, device in enumerate(examination.drift.devices[:64]):
        label = f"each of {lanes} devices" if not number else None
        axis.plot(device.lengths * lanes, device.deviation, color="#999999", linewidth=0.5, label=label, zorder=1)
    axis.plot(found.lengths, found.white, color=style.BLACK, linewidth=0.9, linestyle="--", label="independent bits")
    errors = [found.deviation - found.low, found.high - found.deviation]
    axis.errorbar(found.lengths, found.deviation, errors, color=style.BLUE, marker="o", markersize=3, linewidth=1,
                  elinewidth=0.9, label="stream")  # fmt: skip
    axis.legend(loc="lower left", fontsize=7, borderaxespad=0.1)


def _draw_predictors(axis: "Axes", examination: Examination) -> None:
    from mtjspice.reports import style

    axis.set_title("Next bit guessed right")
    if examination.predictions is None:
        _missing(axis, f"predictors: {examination.absent['predictions']}")
        return
    results = examination.predictions.results
    accuracies = [one.accuracy for one in results]
    places = list(range(len(results)))
    axis.errorbar([100 * one.value for one in accuracies], places, xerr=_errors(accuracies), color=style.BLUE,
                  marker="o", markersize=4, linestyle="", elinewidth=1.2, capsize=2)  # fmt: skip
    guessing = 100 * results[0].majority
    axis.axvline(guessing, color=style.BLACK, linewidth=0.9, linestyle="--", label="guessing the commoner bit")
    axis.set_yticks(places, [_PREDICTORS[one.name] for one in results])
    axis.set(xlabel="accuracy on new bits (%)", ylim=(len(results) - 0.4, -1.1))
    low, high = axis.get_xlim()
    axis.set_xlim(min(low, guessing - 0.05 * (high - low)), max(high, guessing + 0.05 * (high - low)))
    axis.grid(visible=False, axis="y")
    axis.ticklabel_format(axis="x", useOffset=False)
    axis.legend(loc="upper right", fontsize=7, borderaxespad=0.1, frameon=True, framealpha=1, edgecolor="none")


def _draw_lanes(axis: "Axes", examination: Examination) -> None:
    from mtjspice.reports import style

    axis.set_title("Ones of each lane")
    lanes = list(examination.lanes)
    worst = set(examination.worst_lanes)
    for chosen, colour, marker, label in (
        (False, style.BLUE, "o", None), (True, style.RED, "D", f"farthest {len(worst)} from 50 %"),
    ):  # fmt: skip
        some = [k for k in range(len(lanes)) if (k in worst) == chosen]
        if some:
            axis.errorbar(some, [100 * lanes[k].value for k in some], _errors([lanes[k] for k in some]), color=colour,
                          marker=marker, markersize=3.5, linestyle="", elinewidth=1, label=label)  # fmt: skip
    axis.axhline(50, color=style.BLACK, linewidth=0.8, linestyle="--")
    axis.set(xlabel="lane", ylabel="ones (%)", xlim=(-0.7, len(lanes) - 0.3))
    if len(lanes) <= 32:
        axis.set_xticks(range(len(lanes)))
    axis.grid(visible=False, axis="x")
    axis.legend(loc="best", fontsize=7)
