"""Min-entropy assessments (SP 800-90B) as a table and as a figure.

Nothing here computes entropy. matplotlib is imported by the figure only.
"""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from mtjspice.bits.sp800_90b.assessment import NAMES, Assessment, Estimate
from mtjspice.bits.sp800_90b.iid import IidResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

IDEAL: Mapping[int, tuple[tuple[float, float] | None, ...]] = {
    1_000: (
        (0.8067, 0.8843), (0.4596, 0.7067), (0.8828, 0.9872), None, (0.7501, 0.8337), (0.7493, 0.8911),
        None, (0.8205, 0.9596), (0.8141, 0.9584), (0.8186, 0.9628), (0.4596, 0.7067),
    ),
    10_000: (
        (0.9354, 0.9625), (0.6685, 0.8505), (0.9602, 0.9963), (0.5215, 0.7129), (0.8551, 0.9095), (0.8544, 0.964),
        (0.9395, 0.987), (0.9403, 0.9873), (0.9399, 0.9869), (0.9399, 0.9867), (0.5215, 0.6976),
    ),
    100_000: (
        (0.9793, 0.988), (0.8046, 0.9017), (0.9875, 0.9988), (0.7165, 0.8333), (0.9077, 0.9265), (0.9071, 0.9885),
        (0.9807, 0.9963), (0.9803, 0.9959), (0.9806, 0.995), (0.9803, 0.9955), (0.7165, 0.8245),
    ),
    1_000_000: (
        (0.9936, 0.9962), (0.8879, 0.9438), (0.9963, 0.9996), (0.818, 0.9073), (0.9166, 0.9433), (0.92, 0.9963),
        (0.9938, 0.9987), (0.9937, 0.9985), (0.9938, 0.9986), (0.9936, 0.9988), (0.818, 0.8993),
    ),
}  # fmt: skip
"""What ideal bits score: quantiles 0.05 and 0.95 of the ten estimates, in the order of `NAMES`, and of their minimum.

For each number of bits from NumPy's PCG64 (``default_rng(seed).integers(0, 2, n, dtype=uint8)``): seeds 0 to 999, for
10^6 bits 0 to 399. None where the estimator cannot be applied.
"""

_TITLES = {
    "markov": "Markov",
    "t-tuple": "t-tuple",
    "multi-markov-model-with-counting": "multi-Markov model with counting",
    "lz78y": "LZ78Y",
}
_SHOWN = {
    "p_01": "p 0→1 = {:.6g}",
    "p_10": "p 1→0 = {:.6g}",
    "p_upper": "p ≤ {:.6g}",
    "p": "p = {:.6g}",
    "p_global": "p global ≤ {:.6g}",
    "p_local": "p local = {:.6g}",
    "correct": "{} correct",
    "longest_run": "longest run {}",
    "length": "tuples of {}",
}


def table(assessment: Assessment) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Header and rows: the estimates, and last the assessed min-entropy."""
    rows: list[tuple[str, ...]] = [
        (estimate.name, _value(estimate.min_entropy), _remark(estimate)) for estimate in assessment.estimates
    ]
    rows.append(("assessed", _value(assessment.min_entropy), f"the least: {assessment.smallest}"))
    return ("estimator", "min-entropy [bit/bit]", "from"), rows


def _value(entropy: float | None) -> str:
    return "n/a" if entropy is None else f"{entropy:.6f}"


def _remark(estimate: Estimate) -> str:
    if estimate.min_entropy is None:
        return estimate.note
    shown = [text.format(estimate.parameters[key]) for key, text in _SHOWN.items() if key in estimate.parameters]
    return "; ".join([*shown, *([estimate.note] if estimate.note else [])])


def iid_table(result: IidResult) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Header and rows: every permutation test and further test with its verdict."""
    rows: list[tuple[str, ...]] = []
    for one in result.permutation_tests:
        ranks = "" if one.passed is None else f"{one.greater} greater, {one.equal} equal, {one.smaller} smaller"
        rows.append((one.name, f"{one.statistic:.6g}", "; ".join(filter(None, (ranks, one.note))), _passed(one.passed)))
    for other in result.further_tests:
        p = "" if other.p_value is None else f"p = {other.p_value:.4g}"
        rows.append(
            (other.name, f"{other.statistic:.6g}", "; ".join(filter(None, (p, other.note))), _passed(other.passed))
        )
    return ("test", "statistic", "permutations, or p-value", "verdict"), rows


def _passed(verdict: bool | None) -> str:
    return {True: "pass", False: "FAIL", None: "left out"}[verdict]


def figure(assessments: Mapping[str, Assessment]) -> "Figure":
    """The estimates of labelled assessments as dots, beside what ideal bits score.

    The bands hold nine in ten sequences of ideal bits, of the number in `IDEAL` next to that of the first assessment:
    the estimators are confidence bounds, and the least of ten stays well below 1 for perfect bits.
    """
    from mtjspice.reports import style

    return style.styled(_draw)(assessments)


def _draw(assessments: Mapping[str, Assessment]) -> "Figure":
    from mtjspice.reports import style

    if not assessments:
        raise ValueError("no assessment to draw")
    rows = (*NAMES, "assessed")
    figure, grid = style.new_figure(3.6 + 0.25 * len(assessments))
    axis: Axes = grid[0, 0]
    length = _nearest(next(iter(assessments.values())).length)
    bands = [(place, *band) for place, band in enumerate(IDEAL[length]) if band is not None]
    for place, low, high in bands:
        axis.barh(place, high - low, left=low, height=0.8, color=style.SKY, alpha=0.45, linewidth=0)
    colours = (style.BLUE, style.RED, style.GREEN, style.PURPLE, style.ORANGE, style.BLACK)
    step = 0.7 / len(assessments)
    for number, (label, assessment) in enumerate(assessments.items()):
        colour, marker = colours[number % len(colours)], "osD^v"[number % 5]
        shift = (number - (len(assessments) - 1) / 2) * step
        values = {estimate.name: estimate.min_entropy for estimate in assessment.estimates}
        values["assessed"] = assessment.min_entropy
        drawn = [(value, place + shift) for place, name in enumerate(rows) if (value := values.get(name)) is not None]
        axis.plot(*zip(*drawn, strict=True), marker, color=colour, markersize=4.5, linestyle="", label=label, zorder=3)
        for place, name in enumerate(rows):
            if name in values and values[name] is None:
                axis.annotate("n/a", (0.01, place + shift), color=colour, fontsize=7, va="center")
        axis.plot([assessment.min_entropy] * 2, [-0.6, len(rows) - 0.4], color=colour, linewidth=0.8, linestyle=":")
    axis.barh(
        0, 0, color=style.SKY, alpha=0.45, label=f"9 of 10 sequences of $10^{{{round(math.log10(length))}}}$ ideal bits"
    )
    axis.axhline(len(NAMES) - 0.5, color="#888888", linewidth=0.8)
    axis.set_yticks(range(len(rows)), [_TITLES.get(name, name.replace("-", " ")) for name in rows])
    axis.get_yticklabels()[-1].set_fontweight("bold")
    axis.set(xlabel="min-entropy per bit (bit)", xlim=(0, 1.02), ylim=(len(rows) - 0.4, -0.6))
    axis.grid(visible=False, axis="y")
    figure.legend(loc="outside upper left", fontsize=8, ncols=3)
    return figure


def _nearest(length: int) -> int:
    """The length in `IDEAL` whose logarithm is next to that of ``length``."""
    return min(IDEAL, key=lambda known: max(known, length) / min(known, length))
