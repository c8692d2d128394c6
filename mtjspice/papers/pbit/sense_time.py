"""The time of a read as an axis of the cost: what it stands for, and where noise from beside the array wins."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mtjspice.papers.findings import Finding, Status, Value
from mtjspice.papers.pbit import claims

if TYPE_CHECKING:
    from mtjspice.circuits.benches.cim_figures import Comparison
    from mtjspice.generative.sde.cost import Demand

ROWS = 4
FACTORS = (0.25, 0.5)  # of the settling times


@dataclass(frozen=True)
class Sensed:
    """A column ex situ with settling times by a factor: both reads (s), energy of a P-bit (J), smallest margin (V)."""

    seconds: float
    energy: float
    right: bool
    margin: float


@dataclass(frozen=True, eq=False)
class Sensing:
    """``fixed`` (s) is the cycle ex situ without its reads, ``beside`` of it without computing."""

    measured: Sequence[Sensed]
    fixed: float
    beside: float
    inside: float
    draw_energies: tuple[float, float]
    writing: float
    computing: float
    density: float
    stands: Sequence[tuple[str, float]]

    def ratio(self, seconds: float) -> float:
        """Cycle ex situ over in situ, bit for bit."""
        return (self.fixed + seconds) / self.inside

    def overlapped(self, seconds: float) -> float:
        """The same where the next bits are drawn and read while the column computes, and then written in."""
        busy = self.beside - self.writing + seconds
        return (max(self.computing, busy) + self.writing) / self.inside

    def words(self, seconds: float, sharing: int = 1) -> float:
        """Bits of words a weight and pass up to which words are as fast, ``sharing`` weights to a generator."""
        return self.inside / (self.beside + seconds) / sharing

    def seconds_for(self, ratio: float) -> float:
        """Both reads (s) at which the cycles have that ratio."""
        return ratio * self.inside - self.fixed


def computed(main: "Comparison", demand: "Demand") -> Sensing:
    """Simulate shorter reads; ``main`` has the safe one."""
    from mtjspice.device import derived
    from mtjspice.papers.pbit import cells

    beside, inside = main.ex_situ, main.in_situ
    both = beside.times["sense"] + beside.times["compare"]
    short = [_sensed(factor) for factor in FACTORS]
    measured = [*short, Sensed(both, beside.energy, right=True, margin=float("nan"))]
    # the benches' settling is that of 10 fF, 4 of the line and 6 of the outputs, in each of two reads
    resistance = derived.derive(cells.card()).resistance_antiparallel
    settling = 2 * resistance * 10e-15
    return Sensing(
        measured, beside.cycle_time - both, beside.draw_time - both, inside.cycle_time,
        (inside.draw_energy, beside.draw_energy), beside.times["write"], beside.times["compute"],
        demand.word_bits / demand.pbits,
        (("latches", both - settling - 2e-9), ("here", both), ("twice the RA", both + settling),
         ("lines of 100 fF", both + 9 * settling), ("two reads at 1 MS/s", 2e-6)),
    )  # fmt: skip


def _sensed(factor: float) -> Sensed:
    """Settling times of both reads by a factor; right if the drawn bits are read and written in as at rest."""
    from mtjspice.circuits.benches.cim import ExSituBench
    from mtjspice.circuits.library.cim import ExSituColumn
    from mtjspice.circuits.technology import technology
    from mtjspice.papers.pbit import cells

    rows = np.arange(ROWS)
    data, held, drawn = (np.where(one, 1, -1) for one in (rows % 2 == 0, rows % 4 < 2, (rows + 1) % 4 < 2))
    states = tuple(int(one) for row in zip(data, held, drawn, strict=True) for one in row)
    column = ExSituColumn(technology(cells.TECHNOLOGY), card=cells.card(), rows=ROWS)
    safe = ExSituBench(column, states=states, cycles=2)
    bench = ExSituBench(
        column, states=states, cycles=2, line_settle=factor * safe.line_settle, latch_delay=factor * safe.latch_delay
    )
    found = bench.testbench().run().attrs
    times = {phase.name: phase.end - phase.begin for phase in bench.phases()}
    high = np.array([found[f"sampled{j}_volts"] for j in rows]) > bench.supply / 2
    # q - qb at the latch: its sign is the bit, drawn or held
    sampled, compared = (np.array([found[f"{name}_margin{j}"] for j in rows]) for name in ("sense", "compare"))
    right = bool((high == (drawn < 0)).all() or (high == (drawn > 0)).all()) and _told(sampled, drawn)
    right = right and _told(compared, held)
    return Sensed(
        times["sense"] + times["compare"], found["energy"] / ROWS, right,
        float(np.abs(np.concatenate([sampled, compared])).min()),
    )  # fmt: skip


def _told(margins: NDArray[np.float64], states: NDArray[np.int64]) -> bool:
    """Whether the sign of a margin tells the states, in one sense or the other."""
    signs = np.sign(margins) * states
    return bool((signs > 0).all() or (signs < 0).all())


def findings(one: Sensing) -> list[Finding]:
    """Sense time for the paper's ratio, the shortest that works, and where words win."""
    seconds = one.seconds_for(claims.FASTER_RATIO)
    working = [sensed for sensed in one.measured if sensed.right]
    failed = [sensed.seconds for sensed in one.measured if not sensed.right]
    shortest = min(working, key=lambda sensed: sensed.seconds)
    energies = [sensed.energy for sensed in working]
    at = {name: f"{one.ratio(s):.1f}" for name, s in one.stands}
    return [
        Finding(
            key="sense",
            quantity=f"time of both reads at which a cycle ex situ is {claims.FASTER_RATIO:g} times that in situ",
            paper=claims.FASTER, ours=Value(value=seconds, unit="s"), status=Status.NOT_COMPARABLE,
            reason=(
                f"The ratio is ({one.fixed * 1e9:.1f} ns + reads) / {one.inside * 1e9:.1f} ns, so that it says how long"
                f" reads are: {', '.join(f'{name} {ratio}' for name, ratio in at.items())}. The paper does not say how"
                " long they are."
            ),
            assumed="both circuits with 4 rows; settling of 10 fF through the AP state in each read",
        ),
        Finding(
            key="shortest", quantity="shortest time of both reads, of those tried, that reads and writes right",
            ours=Value(value=shortest.seconds, unit="s"), status=Status.LEFT_OPEN,
            reason=(
                f"Nominal transistors; the ratio is {one.ratio(shortest.seconds):.1f} then. "
                + (f"{_nanoseconds(failed)} are too short. " if failed else "None that was tried is too short. ")
                + f"Energy hardly follows: {min(energies) * 1e12:.2f} to {max(energies) * 1e12:.2f} pJ a P-bit where"
                " the reads are right."
            ),
            assumed="both circuits with 4 rows; no mismatch, which takes a larger margin",
        ),
        Finding(
            key="density",
            quantity="bits of noise words a weight and pass up to which words are faster than P-bits in place",
            ours=Value(value=one.words(one.stands[1][1]), digits=2), status=Status.LEFT_OPEN,
            reason=(
                f"One generator a weight; with one for 16 weights {one.words(one.stands[1][1], 16):.2g}, at two reads"
                f" of 1 us each {one.words(one.stands[-1][1]):.2g}. Our network takes {one.density:.4f}. In energy it"
                f" is {one.draw_energies[0] / one.draw_energies[1]:.2g}, measured with the reads of this project."
            ),
            assumed=(
                "both circuits with 4 rows; networks of this project, not of equal quality; words drawn like"
            " written bits, with the second read and the write"
            ),
        ),
    ]  # fmt: skip


def _nanoseconds(values: Sequence[float]) -> str:
    return ", ".join(f"{one * 1e9:.1f} ns" for one in values)


def answer(one: Sensing) -> str:
    """Where noise from beside wins, over the sense time."""
    name, long = one.stands[-1]
    sharing, slow = (one.words(seconds) / one.density for seconds in (one.stands[1][1], long))
    best = min(one.ratio(0.0), one.overlapped(0.0))
    return (
        (
            "However short a read is, drawing a bit for every weight beside the array is not faster: with reads of no"
            " length, while the column computes, its cycle is as long as in place or longer."
            if best > 1 - 1e-9
            else f"With reads of no length, bits drawn beside the array would take {best:.2f} of the time in place."
        )
        + " The ordinary network is faster than P-bits in place as long as one generator of noise serves fewer than"
        f" {sharing:.0f} weights with reads as here. With {name} it "
        + (f"may serve {slow:.0f}." if slow >= 1 else f"would take {1 / slow:.1f} generators a weight.")
    )
