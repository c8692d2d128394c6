"""What a Gaussian number costs, by the source of its bits and by what makes numbers of them; where MeRAM stops winning.

"180 nm" is the process of the comparison, measured or counted; "28 nm" is that scaled by the textbook's rule, and
published generators. Converters are the same for all bits of a node.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from mtjspice.papers.meram.converters import Converter, converters
from mtjspice.papers.meram.slots import PRODUCT, TREE, Costs

if TYPE_CHECKING:
    from mtjspice.circuits.technology import Technology
    from mtjspice.layout.area import Row
    from mtjspice.reports.area import Outcome
    from mtjspice.studies.operation import Cycles

OLD, NEW = "180 nm", "28 nm"
LENGTH, VOLTAGE = 0.1, 0.9  # of the scaled process: ratio of lengths, and supply (V)
WORD_BITS = 8
FAIR, PRODUCT_WORDS, TREE_WORDS = "MeRAM, fair bits", "MeRAM, product words", "MeRAM, trees"
NOTHING = "none"
HOW = {"measured": "simulated", "counted": "counted", "scaled": "scaled", "published": "published"}  # by status
PUBLISHED = {OLD: ("180 nm",), NEW: ("28 nm", "28 nm and 65 nm")}


@dataclass(frozen=True)
class Bits:
    """A source of bits: ``energy`` J a bit; ``rate`` (bit/s) and ``area`` (m2) of all of it, None where not known."""

    node: str
    name: str
    energy: float
    rate: float | None
    area: float | None
    status: str


@dataclass(frozen=True)
class Way:
    """A way to a number: ``energy`` in J, of which ``converter_energy``; ``rate`` in numbers/s and ``area`` in m2.

    ``error`` is the root of the mean squared difference from N(0, 1), coupled by quantiles.
    """

    node: str
    source: str
    converter: str
    bits: int
    bit_energy: float
    converter_energy: float
    rate: float | None
    area: float | None
    status: str
    error: float | None

    @property
    def energy(self) -> float:
        """Energy of a number, J."""
        return self.bits * self.bit_energy + self.converter_energy

    @property
    def junctions(self) -> bool:
        """Whether its bits come from MeRAM."""
        return self.source.startswith("MeRAM")


@dataclass(frozen=True)
class BreakEven:
    """What a CMOS way would have to have to equal ``cheapest``, the one with junctions of its node that takes least.

    ``bit_energy`` (J): bits that take less make CMOS win; not positive if the converter alone takes more.
    ``area`` (m2): a smaller one makes CMOS win at equal rate. ``rate`` (numbers/s): beyond it, words that make as many
    take more area than one unit of CMOS. Both are None where rate or area is not known.
    """

    way: Way
    cheapest: Way
    bit_energy: float
    area: float | None
    rate: float | None

    @property
    def lost(self) -> bool:
        """Whether CMOS takes less energy."""
        return self.way.energy < self.cheapest.energy


def ways(outcome: "Outcome", cycles: "Cycles", costs: Costs, wires: float, low: float, seed: int) -> list[Way]:
    """All ways; ``wires`` is what drawn wires make of a word's energy, ``low`` (V) the supply of converters."""
    from mtjspice.circuits.technology import technology
    from mtjspice.layout import baselines, plan

    tech = technology(outcome.technology)
    area_of = cache(plan.area)
    share = baselines.utilisation(tech, area_of)
    areas = {name: area_of(one) for name, one in baselines.cells(tech).items()}
    parts = converters(seed)
    found: list[Way] = []
    for node, volts in ((OLD, low), (NEW, tech.supply_voltage)):
        energies = baselines.cell_energies(tech, volts)
        scale = _scale(tech) if node == NEW else 1.0
        size = LENGTH**2 if node == NEW else 1.0
        word = _word(outcome, cycles, node, tech)
        found += _direct(costs, wires, word, outcome)
        for source in (word, *_sources(outcome, node, tech)):
            for part in parts.values():
                hazards = not part.bound
                spent = scale * part.core.energy(energies, hazards)
                fastest = None if node == NEW else part.core.frequency(energies) / part.core.clocks
                found.append(_way(source, part, spent, fastest, size * part.core.area(areas, share)))
    return found


def _scale(tech: "Technology") -> float:
    return LENGTH * (VOLTAGE / tech.supply_voltage) ** 2


def _word(outcome: "Outcome", cycles: "Cycles", node: str, tech: "Technology") -> Bits:
    word = outcome.word
    assert word.energy is not None
    assert word.area is not None
    if node == OLD:
        return Bits(OLD, FAIR, word.energy, word.throughput, word.area, word.status)
    return Bits(NEW, FAIR, word.energy * shrunk(cycles, _scale(tech)), None, word.area * LENGTH**2, "scaled")


def shrunk(cycles: "Cycles", scale: float) -> float:
    """Energy of the scaled word over the word's: logic scales, the write rail keeps its volts, junctions their heat."""
    rail = float(cycles.energy[:, :, cycles.sources.index("vw")].sum())
    whole, heat = float(cycles.energy.sum()), float(cycles.junction_energy.sum())
    drivers = max(rail - heat, 0.0)
    return ((whole - drivers - heat) * scale + drivers * LENGTH + heat) / whole


def _direct(costs: Costs, wires: float, word: Bits, outcome: "Outcome") -> list[Way]:
    """Words programmed to the law, which need no converter."""
    from mtjspice.papers.meram.exact import law_of
    from mtjspice.papers.meram.width import errors

    found = []
    assert outcome.word.energy is not None
    for name, encoding in ((PRODUCT_WORDS, PRODUCT), (TREE_WORDS, TREE)):
        energy, latency = costs.number(encoding, WORD_BITS)
        scaled = word.energy / outcome.word.energy
        law = law_of(f"{encoding}:{WORD_BITS}")
        rate = None if word.rate is None else 1 / latency
        found.append(
            Way(
                word.node, name, NOTHING, WORD_BITS, energy * wires * scaled / WORD_BITS, 0.0, rate, word.area,
                word.status, errors(law, float(law.values[-1]))[0],
            )
        )  # fmt: skip
    return found


def _sources(outcome: "Outcome", node: str, tech: "Technology") -> list[Bits]:
    """Bits of CMOS: of the process itself, or scaled, and published ones of the node."""
    found = []
    for row in outcome.rows:
        if row.energy is None:
            continue
        if row.status == "published":
            if row.technology in PUBLISHED[node]:
                found.append(Bits(node, row.name, row.energy, row.throughput, row.area, row.status))
        elif row.name.startswith(("LFSR", "ChaCha", "Philox")):
            if node == OLD:
                found.append(Bits(node, row.name, row.energy, row.throughput, row.area, row.status))
            elif row.name.endswith(f", {tech.supply_voltage:g} V"):
                found.append(_scaled(row, tech))
    return found


def _scaled(row: "Row", tech: "Technology") -> Bits:
    assert row.energy is not None
    name = row.name.partition(",")[0]
    area = None if row.area is None else row.area * LENGTH**2
    return Bits(NEW, f"{name}, {VOLTAGE:g} V", row.energy * _scale(tech), None, area, "scaled")


def _way(source: Bits, part: Converter, spent: float, fastest: float | None, area: float) -> Way:
    from mtjspice.papers.meram.width import errors

    rate = None if source.rate is None or fastest is None else min(source.rate / part.bits, fastest)
    error = None if part.law is None else errors(part.law, float(part.law.values[-1]))[0]
    whole = None if source.area is None else source.area + area
    return Way(source.node, source.name, part.name, part.bits, source.energy, spent, rate, whole, source.status, error)


def cheapest(found: Sequence[Way], node: str) -> Way:
    """The way with junctions that takes least, of a node."""
    return min((one for one in found if one.junctions and one.node == node), key=lambda one: one.energy)


def break_even(found: Sequence[Way]) -> list[BreakEven]:
    """Every CMOS way against the cheapest one with junctions of its node."""
    best = {node: cheapest(found, node) for node in {one.node for one in found}}
    return [_against(one, best[one.node]) for one in found if not one.junctions]


def _against(way: Way, best: Way) -> BreakEven:
    bit_energy = (best.energy - way.converter_energy) / way.bits
    if way.rate is None or best.rate is None or way.area is None or best.area is None:
        return BreakEven(way, best, bit_energy, None, None)
    return BreakEven(way, best, bit_energy, best.area * way.rate / best.rate, best.rate * way.area / best.area)
