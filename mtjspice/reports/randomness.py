"""Results of the SP 800-22 suite as tables and figures; nothing here computes statistics.

matplotlib is imported by the figures only.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mtjspice.bits.sp800_22.battery import UNIFORM, BatteryResult, Row
from mtjspice.bits.sp800_22.result import SuiteResult, TestResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Table = tuple[tuple[str, ...], list[tuple[str, ...]]]

_ROOM = 0.21  # inches a test takes in a figure
_MARGIN = 1.0
_FLOOR = 1e-8  # smallest p-value on a logarithmic axis; smaller ones are drawn there, as triangles


def table(suite: SuiteResult) -> Table:
    """Header and rows, one a test: p-value (the smallest of several), threshold, verdict, remark."""
    header = ("test", "p-value", "threshold", "verdict", "remark")
    return header, [_row_of_test(result) for result in suite.results]


def _row_of_test(result: TestResult) -> tuple[str, ...]:
    if not result.p_values:
        return result.name, "", "", "n/a", result.note
    smallest = min(result.p_values)
    several = ""
    if len(result.p_values) > 1:
        where = result.labels[result.p_values.index(smallest)]
        several = f"smallest of {len(result.p_values)}: {where}"
    remark = "; ".join(filter(None, (several, result.note)))
    threshold = f"{float(result.parameters['threshold']):.3g}"
    return result.name, _p(smallest), threshold, "pass" if result.passed else "FAIL", remark


def every_table(suite: SuiteResult) -> Table:
    """Header and rows, one a p-value: test, which one, p-value, threshold, whether it is below, remark."""
    rows: list[tuple[str, ...]] = []
    for result in suite.results:
        if not result.p_values:
            rows.append((result.name, "", "", "", "n/a", result.note))
        limit = float(result.parameters.get("threshold", 0.0))
        for label, p in zip(result.labels, result.p_values, strict=True):
            verdict = "pass" if p >= limit else "FAIL"
            rows.append((result.name, label, _p(p), f"{limit:.3g}", verdict, result.note))
    return ("test", "of", "p-value", "threshold", "verdict", "remark"), rows


def summary(suite: SuiteResult) -> str:
    """One line: how many tests pass, and how many single p-values are small against how many should be."""
    judged = [result for result in suite.results if result.passed is not None]
    passed = sum(bool(result.passed) for result in judged)
    expected = suite.significance * suite.p_value_count
    return (
        f"{passed} of {len(judged)} tests passed; {suite.p_values_below()} of {suite.p_value_count} p-values are below "
        f"{suite.significance:g} ({expected:.3g} expected by chance)"
    )


def battery_table(battery: BatteryResult, every: bool = False) -> Table:
    """Header and rows, one a test: the worst of its rows, unless ``every`` asks for all of them."""
    header = ("test", "sequences", "proportion", "allowed", "uniformity", "verdict", "remark")
    if every:
        return header, [_battery_cells(row, row.label) for row in battery.rows]
    rows = []
    for group in grouped(battery):
        worst = min(group, key=_badness)
        failed = sum(_failed(row) for row in group)
        several = f"worst of {len(group)}: {worst.label}" if len(group) > 1 else ""
        if len(group) > 1 and failed:
            several = f"{failed} of {len(group)} fail, worst: {worst.label}"
        rows.append(_battery_cells(worst, several))
    return header, rows


def battery_summary(battery: BatteryResult) -> str:
    """One line: how many rows fail against how many should."""
    judged = sum(row.proportion_passed is not None for row in battery.rows)
    failed = f"{len(battery.failed())} of {judged} rows fail ({battery.expected_failures():.2g} expected by chance)"
    return f"{battery.sequences} sequences of {battery.sequence_length} bits: {failed}"


def grouped(battery: BatteryResult) -> list[list[Row]]:
    """Rows of each test."""
    return [[row for row in battery.rows if row.test == name] for name in battery.p_values]


def _failed(row: Row) -> bool:
    return False in (row.proportion_passed, row.uniformity_passed)


def _badness(row: Row) -> tuple[bool, float]:
    """Sort failing rows first, then by how far down the interval or how little uniform."""
    share = 1.0 if row.proportion is None else row.proportion
    return not _failed(row), min(share, 1.0 if row.uniformity is None else row.uniformity**0.1)


def _battery_cells(row: Row, remark: str) -> tuple[str, ...]:
    remark = "; ".join(filter(None, (remark, row.note)))
    if row.proportion is None:
        return row.test, "0", "", "", "", "n/a", remark
    verdict = "n/a" if row.proportion_passed is None else "FAIL" if _failed(row) else "pass"
    uniformity = "" if row.uniformity is None else _p(row.uniformity)
    allowed = f"{row.low:.4f} to {row.high:.4f}"
    return row.test, str(row.sequences), f"{row.proportion:.4f}", allowed, uniformity, verdict, remark


def _p(value: float) -> str:
    if value == 0:
        return "0"
    return f"{value:.4f}" if value >= 1e-3 else f"{value:.1e}"


# --- figures ---------------------------------------------------------------------------------------------------


def figure(suite: SuiteResult) -> "Figure":
    """All p-values, one line a test, on a logarithmic axis, with the significance and each test's threshold."""
    from mtjspice.reports import style

    return style.styled(_figure)(suite)


def _figure(suite: SuiteResult) -> "Figure":
    from mtjspice.reports import style

    tests = suite.results
    drawing, grid = style.new_figure(_MARGIN + _ROOM * len(tests))
    axis: Axes = grid[0, 0]
    smallest = min((p for result in tests for p in result.p_values), default=1.0)
    floor = max(_FLOOR, min(2e-5, smallest / 3))
    _test_axis(axis, [result.name for result in tests])
    for line, result in enumerate(tests):
        if result.passed is None:
            _write(axis, line, f"n/a: {result.note}")
            continue
        threshold = float(result.parameters["threshold"])
        axis.plot([threshold] * 2, [line - 0.38, line + 0.38], color=style.BLACK, linewidth=1.2)
        for p, height in zip(result.p_values, _heights(line, len(result.p_values)), strict=True):
            _mark(axis, max(p, floor), height, p >= threshold, beyond=p < floor)
    axis.axvline(suite.significance, color=style.ORANGE, linestyle="--", linewidth=1.1)
    axis.set_xscale("log")
    axis.set(xlim=(floor, 1.15), xlabel="p-value")
    drawing.legend(
        handles=[
            _key(style.BLUE, "o", "p-value"),
            _key(style.RED, "D", "below the threshold of its test"),
            _key(style.BLACK, "|", "threshold"),
            _key(style.ORANGE, "--", f"significance {suite.significance:g}"),
        ],
        loc="outside upper center", ncols=4, fontsize=8, handletextpad=0.4, columnspacing=1.2,
    )  # fmt: skip
    return drawing


def battery_figure(battery: BatteryResult) -> "Figure":
    """Proportions of passing sequences with their allowed range, and p-values of the uniformity, one line a test."""
    from mtjspice.reports import style

    return style.styled(_battery_figure)(battery)


def _battery_figure(battery: BatteryResult) -> "Figure":
    from mtjspice.reports import style

    groups = grouped(battery)
    drawing, grid = style.new_figure(
        _MARGIN + _ROOM * len(groups), 1, 2, sharey=True, gridspec_kw={"width_ratios": [1.25, 1]}
    )
    left: Axes = grid[0, 0]
    right: Axes = grid[0, 1]
    _test_axis(left, [group[0].test for group in groups])
    left.use_sticky_edges = False
    uniform = [row.uniformity for row in battery.rows if row.uniformity is not None]
    floor = max(_FLOOR, min(UNIFORM / 10, min(uniform, default=1.0) / 3))
    for line, group in enumerate(groups):
        known = [row for row in group if row.proportion is not None]
        if not known:
            _write(left, line, "n/a")
        else:
            low, high = known[0].low, known[0].high
            left.barh(line, high - low, left=low, height=0.8, color=style.SKY, alpha=0.4, linewidth=0)
        for row, height in zip(known, _heights(line, len(known)), strict=True):
            _mark(left, row.proportion or 0.0, height, row.proportion_passed)
            if row.uniformity is not None:
                _mark(right, max(row.uniformity, floor), height, row.uniformity_passed, beyond=row.uniformity < floor)
    right.axvline(UNIFORM, color=style.ORANGE, linestyle="--", linewidth=1.1)
    right.tick_params(axis="y", length=0, labelleft=False)
    right.grid(visible=False, axis="y")
    right.set_xscale("log")
    right.set(xlim=(floor, 1.3), xlabel="uniformity of p-values, $P_T$")
    left.set_xlabel(f"proportion of sequences with p ≥ {battery.significance:g}")
    drawing.legend(
        handles=[
            _key(style.BLUE, "o", "within"),
            _key(style.RED, "D", "outside"),
            _key(style.SKY, "s", "allowed proportion"),
            _key(style.ORANGE, "--", f"least uniformity {UNIFORM:g}"),
        ],
        loc="outside upper center", ncols=4, fontsize=8, handletextpad=0.4, columnspacing=1.2,
    )  # fmt: skip
    return drawing


def _test_axis(axis: "Axes", names: Sequence[str]) -> None:
    axis.set_yticks(range(len(names)), names)
    axis.set_ylim(len(names) - 0.4, -0.6)
    axis.tick_params(axis="y", length=0)
    axis.grid(visible=False, axis="y")


def _heights(line: int, number: int) -> Sequence[float]:
    """Spread the marks of one test over its line, the first on top."""
    return [line + 0.6 * ((k + 0.5) / number - 0.5) for k in range(number)]


def _write(axis: "Axes", line: int, text: str) -> None:
    axis.text(
        0.015, line, text, transform=axis.get_yaxis_transform(), va="center", fontsize=7.5, color="#555555", zorder=4,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
    )  # fmt: skip


def _mark(axis: "Axes", value: float, height: float, good: bool | None, beyond: bool = False) -> None:
    from mtjspice.reports import style

    failing = good is False
    axis.plot(
        value, height, linestyle="", clip_on=False, zorder=3, alpha=0.9 if failing else 0.5, markeredgewidth=0,
        marker="<" if beyond else "D" if failing else "o", markersize=4.5 if failing else 3.2,
        color=style.RED if failing else style.BLUE if good else "#888888",
    )  # fmt: skip


def _key(colour: str, mark: str, label: str) -> object:
    from matplotlib.lines import Line2D

    if mark == "--":
        return Line2D([], [], color=colour, linestyle="--", label=label, linewidth=1.1)
    return Line2D(
        [], [], color=colour, linestyle="", marker=mark, label=label, markersize=5, markeredgewidth=mark == "|"
    )
