"""Can the next bit be guessed by models that know nothing of the source? And what do min-entropy estimates say?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log2
from typing import TYPE_CHECKING

from mtjspice.papers.sections import Columns, Plate
from mtjspice.papers.stt_trng.columns import add, empty
from mtjspice.statistics import Proportion

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MEMORY = "emulated:fair,lanes=16,heating=1,memory=3"  # a bit draws the next ones of its junction after it
SOURCES: Mapping[str, str] = {
    "LFSR of 16": "lfsr:16",
    "LFSR of 32": "lfsr:32",
    "MT19937": "mt19937",
    "PCG64": "pcg64",
    "ChaCha20": "chacha20",
    "junctions, P = 0.60": "emulated:fair,p=0.6,lanes=16",
    "junctions with memory": MEMORY,
    "with memory, XOR of three": f"{MEMORY}+xor:3",
    "with memory, Toeplitz": f"{MEMORY}+toeplitz:1024,min-entropy=0.9",
}
MODELS = ("markov", "logistic", "perceptron", "recurrence")
_COLUMNS = (
    "source",
    "model",
    "bits learnt",
    "next bits guessed",
    "low",
    "high",
    "commoner bit",
    "min-entropy [bit/bit]",
)


@dataclass(frozen=True)
class Guess:
    """One model on one source: ``right`` of the later bits, ``common`` of which have the commoner value."""

    source: str
    model: str
    learnt: int
    right: Proportion
    common: float
    p_value: float


@dataclass(frozen=True)
class Guesses:
    """All of them; ``entropy`` is the estimate of SP 800-90B by source, bit per bit, of ``bits`` bits."""

    guesses: tuple[Guess, ...]
    entropy: Mapping[str, float]
    bits: int

    def best(self, source: str) -> Guess:
        """The model with the smallest p-value on the most bits; of equal ones the better one."""
        mine = [one for one in self.guesses if one.source == source]
        most = max(one.learnt for one in mine)
        return min((one for one in mine if one.learnt == most), key=lambda one: (one.p_value, -one.right.value))

    def guessed(self, source: str) -> float:
        """Min-entropy that is left to the best model, bit per bit: -log2 of the fraction it guesses."""
        return abs(log2(self.best(source).right.value))


def guesses(learnt: Sequence[int], bits: int, seed: int) -> Guesses:
    """Every model on every source after each number of ``learnt`` bits; min-entropy of ``bits`` bits."""
    from mtjspice.bits.prediction import predict
    from mtjspice.bits.sp800_90b.assessment import assess
    from mtjspice.generative.attack.victim import Plan

    found, entropy = [], {}
    for label, text in SOURCES.items():
        count = max(bits, 2 * max(learnt))
        stream = Plan.parse(text).open(seed, count).stream(count).bits()
        for number in learnt:
            for one in predict(stream[: 2 * number], MODELS, seed=seed).results:
                found.append(Guess(label, one.name, number, one.accuracy, one.majority, one.p_value))
        entropy[label] = assess(stream[:bits], workers=1).min_entropy
    return Guesses(tuple(found), entropy, bits)


def plate(found: Guesses) -> Plate:
    """Guessed bits against bits learnt."""
    columns = empty(_COLUMNS)
    for one in found.guesses:
        add(columns, one.source, one.model, one.learnt, one.right.value, one.right.low, one.right.high, one.common,
            found.entropy[one.source])  # fmt: skip
    return Plate(
        key="guesses",
        caption=(
            "Next bits that models guess right after they learnt half of a stream, on the other half: Markov, logistic,"
            f" perceptron and the shortest linear recurrence; 95 % intervals. Lines: always the commoner bit. Right:"
            f" min-entropy by SP 800-90B of {found.bits:,} bits, and what the best model leaves. Memory: a junction"
            " whose bits draw the next ones after them."
        ),
        alt="; ".join(
            f"{label}: {found.best(label).right.value:.3f} ({found.best(label).model}), min-entropy {value:.2f}"
            for label, value in found.entropy.items()
        ) + ".",
        columns=columns,
    )  # fmt: skip


def draw(columns: Columns) -> "Figure":
    """Left: a row a source, a mark a model after the most bits. Right: min-entropy estimated and left."""
    import numpy as np

    from mtjspice.reports.style import BLACK, BLUE, GREEN, ORANGE, PURPLE, RED, new_figure

    figure, grid = new_figure(3.5, 1, 2, sharey=True, width_ratios=(3, 2))
    left, right = grid[0]
    sources = list(dict.fromkeys(columns["source"].tolist()))
    most = columns["bits learnt"] == columns["bits learnt"].max()
    names = list(dict.fromkeys(columns["model"].tolist()))
    for number, (model, colour, marker) in enumerate(zip(names, (BLUE, GREEN, PURPLE, ORANGE), "os^D", strict=False)):
        mine = most & (columns["model"] == model)
        at = np.array([sources.index(one) for one in columns["source"][mine]]) + 0.17 * (number - 1.5)
        left.hlines(at, columns["low"][mine], columns["high"][mine], color=colour, linewidth=1.2)
        left.plot(columns["next bits guessed"][mine], at, marker, markersize=4, color=colour, label=model)
    for place, source in enumerate(sources):
        mine = most & (columns["source"] == source)
        left.vlines(columns["commoner bit"][mine][0], place - 0.42, place + 0.42, color=BLACK, linewidth=1.0)
        estimate = columns["min-entropy [bit/bit]"][mine][0]
        kept = -np.log2(columns["next bits guessed"][mine].max())
        right.plot(estimate, place - 0.15, "v", markersize=5, color=BLACK, label="SP 800-90B" if not place else "_")
        right.plot(kept, place + 0.15, "<", markersize=5, color=RED, label="left by a model" if not place else "_")
    left.set(xlabel="next bits guessed", xlim=(0.47, 1.02), ylim=(len(sources) - 0.5, -0.5))
    left.set_yticks(range(len(sources)), sources, fontsize=8)
    right.set(xlabel="min-entropy [bit/bit]", xlim=(-0.05, 1.05))
    handles = [*left.get_legend_handles_labels()[0], *right.get_legend_handles_labels()[0]]
    labels = [*left.get_legend_handles_labels()[1], *right.get_legend_handles_labels()[1]]
    figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=8)
    return figure
