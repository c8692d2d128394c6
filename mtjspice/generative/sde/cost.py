"""Speed, energy and wear of drop-connect in the array against bits drawn beside it, from measured costs of a P-bit."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from mtjspice.errors import InputError

ENDURANCE = 1e12
"""Write-read pulses that devices of IEDM 2024 survived."""


@dataclass(frozen=True)
class Column:
    """What a P-bit costs in a column: ``cycle_time`` (s) in which all parallel P-bits are renewed and used once.

    ``energy`` (J a P-bit) includes the computing with it. ``draw_time`` and ``draw_energy`` are without computing.
    """

    cycle_time: float
    energy: float
    draw_time: float
    draw_energy: float

    def __post_init__(self) -> None:
        if not min(self.cycle_time, self.energy, self.draw_time, self.draw_energy) > 0:
            raise InputError("times and energies of a column must be positive")
        if self.draw_time > self.cycle_time or self.draw_energy > self.energy:
            raise InputError("drawing P-bits cannot take longer or cost more than the whole cycle")


IN_SITU = Column(6.1e-9, 1212e-15, 1.9e-9, 315e-15)
"""Measured in this repository: gf180mcu, card imec_iedm24, 8 rows (`in_situ_against_ex_situ`; docs/circuits.md)."""
EX_SITU = Column(26.0e-9, 4408e-15, 21.8e-9, 2928e-15)
"""The column whose P-bits are drawn beside it, sensed and written in; measured likewise."""
SOURCE = "measured: gf180mcu, imec_iedm24, 8 rows (mtjspice.circuits.benches.cim_figures.in_situ_against_ex_situ)"
PAPER = {
    "in_situ_bits_per_ns": 29.8, "in_situ_pj_per_bit": 0.089, "ex_situ_bits_per_ns": 4.97, "ex_situ_pj_per_bit": 0.196,
}  # fmt: skip
"""Table II of IEDM 2024, of circuits that it does not show; its parallel width is not given."""


@dataclass(frozen=True)
class Demand:
    """What an image takes: ``steps`` passes through ``weights`` weights, and ``numbers`` noise numbers ex situ."""

    weights: int
    steps: int
    numbers: int
    word: int = 8

    def __post_init__(self) -> None:
        if min(self.weights, self.steps, self.numbers, self.word) < 1:
            raise InputError("an image takes 1 weight, step, number and bit or more")

    @property
    def pbits(self) -> int:
        """P-bits in situ: each weight, each step."""
        return self.weights * self.steps

    @property
    def word_bits(self) -> int:
        """Bits of the noise words ex situ."""
        return self.numbers * self.word


@dataclass(frozen=True)
class Cost:
    """Of one image at the parallel width ``parallel``: ``time`` (s), ``energy`` (J), ``pbits``.

    ``pulses_per_pbit`` is how often each junction that draws is pulsed, ``images`` how many images it survives.
    """

    scheme: str
    parallel: int
    time: float
    energy: float
    pbits: int
    pulses_per_pbit: float
    images: float

    @property
    def images_per_second(self) -> float:
        """Throughput."""
        return 1 / self.time


IN_PLACE, WRITTEN, WORDS = "drop-connect in place", "drop-connect, bits written in", "noise words beside the array"


def costs(
    demand: Demand, parallel: int, in_situ: Column = IN_SITU, ex_situ: Column = EX_SITU, endurance: float = ENDURANCE
) -> tuple[Cost, Cost, Cost]:
    """Cost of an image in three schemes, at ``parallel`` weights (and as many generators) that work at once.

    `IN_PLACE` renews all P-bits in place; `WRITTEN` draws the same P-bits beside the column and writes them in, as the
    ex-situ column of the paper's comparison does; `WORDS` is an ordinary network (columns that compute without drawing)
    to whose output numbers are added, made of 8-bit words, drawn beside the array by as many generators while the
    columns compute, so that the longer of the two counts. The adders are not counted. InputError for less than 1
    parallel P-bit.
    """
    if parallel < 1:
        raise InputError(f"1 P-bit or more works at once, not {parallel}")
    passes = np.ceil(demand.weights / parallel) * demand.steps
    draws = np.ceil(demand.word_bits / parallel)
    compute_time, compute_energy = in_situ.cycle_time - in_situ.draw_time, in_situ.energy - in_situ.draw_energy
    # in place each weight has its own P-bit; beside the array, generators are shared
    return (
        Cost(IN_PLACE, parallel, float(passes * in_situ.cycle_time), demand.pbits * in_situ.energy, demand.pbits,
             demand.steps, endurance / demand.steps),
        Cost(WRITTEN, parallel, float(passes * ex_situ.cycle_time), demand.pbits * ex_situ.energy, demand.pbits,
             float(passes), float(endurance / passes)),
        Cost(WORDS, parallel, float(max(passes * compute_time, draws * ex_situ.draw_time)),
             demand.pbits * compute_energy + demand.word_bits * ex_situ.draw_energy, demand.word_bits,
             float(draws), float(endurance / draws)),
    )  # fmt: skip


def width_sweep(
    demand: Demand, widths: Sequence[int], in_situ: Column = IN_SITU, ex_situ: Column = EX_SITU
) -> list[tuple[Cost, Cost, Cost]]:
    """`costs` over the parallel width."""
    return [costs(demand, width, in_situ, ex_situ) for width in widths]


def break_even_word_bits(in_situ: Column = IN_SITU, ex_situ: Column = EX_SITU) -> float:
    """Bits of noise words per P-bit in place at which both take the same energy; below it, words win."""
    return in_situ.draw_energy / ex_situ.draw_energy


def break_even_sharing(in_situ: Column = IN_SITU, ex_situ: Column = EX_SITU) -> float:
    """Weights that must share one bit drawn beside the column until drawing it costs less energy than P-bits in place.

    Shared bits make another law of the noise; the networks of this package have a bit for each weight.
    """
    return ex_situ.draw_energy / in_situ.draw_energy


def table(demand: Demand, parallel: int, in_situ: Column = IN_SITU, ex_situ: Column = EX_SITU) -> dict[str, Any]:
    """Plain types for JSON: the costs at one width and over widths, with what they rest on."""
    widths = [2**k for k in range(15)]
    return {
        "demand": {**asdict(demand), "pbits": demand.pbits, "word_bits": demand.word_bits},
        "columns": {"in_situ": asdict(in_situ), "ex_situ": asdict(ex_situ)},
        "columns_source": SOURCE if (in_situ, ex_situ) == (IN_SITU, EX_SITU) else "given",
        "paper": dict(PAPER),
        "at_width": [_plain(cost) for cost in costs(demand, parallel, in_situ, ex_situ)],
        "sweep": [[_plain(cost) for cost in found] for found in width_sweep(demand, widths, in_situ, ex_situ)],
        "break_even_word_bits_per_pbit": break_even_word_bits(in_situ, ex_situ),
        "break_even_weights_per_bit": break_even_sharing(in_situ, ex_situ),
    }


def _plain(cost: Cost) -> dict[str, Any]:
    return {**asdict(cost), "images_per_second": cost.images_per_second}
