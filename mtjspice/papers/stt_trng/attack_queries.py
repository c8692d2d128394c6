"""How many bits must be known before a source is broken: fraction of random starts, against bits seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mtjspice.papers.sections import Columns, Plate
from mtjspice.papers.stt_trng.columns import add, empty
from mtjspice.statistics import Proportion, wilson

if TYPE_CHECKING:
    from matplotlib.figure import Figure

AHEAD = 2000  # later bits, all of which must be predicted
LEAST = 128  # bits of a stretch in which generators other than registers on record are looked for
UNKNOWN = "LFSR of 32, taps unknown"
_SHORT = (16, 24, 32, 40, 48, 64, 96, LEAST - 1, LEAST, 192, 256, 512)
_TWISTER = (1024, 8192, 19968, 20096, 20224, 20480, 25600)
_OTHERS = (LEAST, 1024, 8192, 25600)
_FEW = 6  # numbers that have a tick each
_COLUMNS = ("source", "bits seen", "starts broken", "low", "high", "starts")


@dataclass(frozen=True)
class Broken:
    """Starts of which all later bits were predicted from ``bits`` bits."""

    source: str
    bits: int
    starts: Proportion


def queries(sources: Mapping[str, str], short: Sequence[str], starts: tuple[int, int], seed: int) -> list[Broken]:
    """Attack random starts of every source; ``starts`` are those of short states and of all others."""
    found = []
    for label, text in {**sources, UNKNOWN: sources["LFSR of 32"]}.items():
        weak = label in short or label == UNKNOWN
        numbers = _TWISTER if label == "MT19937" else _SHORT if weak else _OTHERS
        count = starts[0] if weak else starts[1]
        for bits in numbers:
            hits = sum(_broken(text, bits, seed + k, label == UNKNOWN) for k in range(count))
            found.append(Broken(label, bits, wilson(hits, count)))
    return found


def _broken(text: str, bits: int, seed: int, unknown: bool) -> bool:
    """Whether all later bits of one start follow from its first ones."""
    from mtjspice.generative.attack.equations import SoftBits
    from mtjspice.generative.attack.recovery import recover_stream
    from mtjspice.generative.attack.victim import Plan

    plan = Plan.parse(text)
    stream = plan.open(seed, bits + AHEAD).stream(bits + AHEAD).bits()
    soft = SoftBits(np.arange(bits), stream[:bits], np.zeros(bits))
    found = recover_stream(soft, "unknown" if unknown else plan.family, np.random.default_rng([seed, bits]))
    return found is not None and bool((found.bits(bits, AHEAD) == stream[bits:]).all())


def needed(found: Sequence[Broken], source: str) -> int | None:
    """Fewest of the numbers of bits after which all starts were broken; None if that was never so."""
    return min((one.bits for one in found if one.source == source and one.starts.value == 1), default=None)


def unbroken(found: Sequence[Broken], sources: Sequence[str], bits: int) -> Proportion:
    """Starts of several sources together."""
    chosen = [one.starts for one in found if one.source in sources and one.bits == bits]
    return wilson(sum(one.count for one in chosen), sum(one.trials for one in chosen))


def plate(found: Sequence[Broken]) -> Plate:
    """Fraction of the starts against bits seen."""
    columns = empty(_COLUMNS)
    for one in found:
        add(columns, one.source, one.bits, one.starts.value, one.starts.low, one.starts.high, one.starts.trials)
    sources = dict.fromkeys(one.source for one in found)
    broken = {source: needed(found, source) for source in sources}
    starts = {one.starts.trials for one in found}
    return Plate(
        key="queries",
        caption=(
            f"Fraction of random starts of which all of {AHEAD} later bits are predicted, against the bits that the"
            f" attacker knows; {min(starts)} to {max(starts)} starts, 95 % intervals; a row reaches from none (below)"
            " to all (above, filled). Known taps unless said otherwise; congruential generators are only looked for in"
            f" {LEAST} bits or more. By chance so many bits are guessed once in 2^{AHEAD} starts. Blue: no start was"
            " broken."
        ),
        alt="; ".join(f"{k}: {f'all from {v} bits on' if v else 'never all'}" for k, v in broken.items()) + ".",
        columns=columns,
    )


def draw(columns: Columns) -> "Figure":
    """A row a source."""
    return draw_rows(columns, "bits seen", "starts broken", "bits known")


def draw_rows(columns: Columns, x: str, y: str, label: str) -> "Figure":
    """A row a source, in it the fraction ``y`` from 0 (below) to 1 (above) with its interval, against ``x``."""
    from mtjspice.reports.style import BLUE, RED, new_figure

    names = list(dict.fromkeys(columns["source"].tolist()))
    figure, grid = new_figure(0.8 + 0.25 * len(names))
    axis = grid[0, 0]
    for row, name in enumerate(names):
        mine = columns["source"] == name
        at, rate, low, high = (columns[key][mine] for key in (x, y, "low", "high"))
        colour = RED if rate.any() else BLUE
        axis.axhline(row + 0.35, color="#dddddd", linewidth=0.6)
        axis.plot(at, row + 0.35 - 0.7 * rate, "-", color=colour, linewidth=0.9)
        axis.vlines(at, row + 0.35 - 0.7 * low, row + 0.35 - 0.7 * high, color=colour, linewidth=0.9)
        for reached, face in ((rate == 1, colour), (rate < 1, "white")):
            axis.plot(at[reached], (row + 0.35 - 0.7 * rate)[reached], "o", markersize=3.5, color=colour,
                      markerfacecolor=face)  # fmt: skip
    axis.set(xscale="log", xlabel=label, ylim=(len(names) - 0.4, -0.6))
    numbers = np.unique(columns[x])
    if numbers.size <= _FEW:
        axis.set_xticks(numbers, [f"{number:g}" for number in numbers])
        axis.minorticks_off()
    axis.set_yticks(range(len(names)), names, fontsize=8)
    axis.grid(visible=False, axis="y")
    return figure
