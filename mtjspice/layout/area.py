"""Energy and area of generators of random bits, and the figure that puts them together.

The figure is the product ``E x A``: J a bit times the area that makes one bit of an operation, m2. Lower is better in
both factors. What papers call "energy per bit per area" could also be read as

* ``E / A``, the energy of a bit for each area that makes it (J/m2): it becomes *better* when the same circuit is drawn
  larger, so that it ranks nothing;
* ``E x A / R``, the product divided by the bits a second that the whole area delivers (J m2 s): it is the only one of
  the three in which a generator of many bits an operation and a fast one of a single bit are equally good if they
  deliver as much, and two copies side by side as good as one.

An area that nobody has drawn is a guess: areas come through a parameter, from layouts of the same `Circuit` objects.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import sqrt

import numpy as np

from mtjspice.circuits.benches.lfsr import Wires, unchanged
from mtjspice.circuits.circuit import Circuit
from mtjspice.circuits.elements import Part
from mtjspice.circuits.library.array import MeramArray
from mtjspice.circuits.library.cells import Cell1T1M, Cell2T2M, DifferentialPair, STTCell
from mtjspice.circuits.library.cim import CimColumn, ExSituColumn
from mtjspice.circuits.library.digital import FlipFlop
from mtjspice.circuits.library.meram import MeramWord
from mtjspice.circuits.library.trng import SttTrng
from mtjspice.circuits.technology import Technology
from mtjspice.device.card import load_card
from mtjspice.errors import InputError
from mtjspice.layout import baselines, cores
from mtjspice.layout.baselines import Baseline
from mtjspice.layout.generators import WORD_BITS, Generator, generators

CLAIM = 1e3  # of Nat. Commun. 16, 5022 (2025), against "traditional hardware"
_STORAGE = (Cell1T1M, Cell2T2M, STTCell, DifferentialPair, FlipFlop)

REGISTERS = (8, 16, 32)  # stages
ARRAYS = ((16, 8), (64, 8), (64, 64))  # rows, columns

AreaOf = Callable[[Circuit], float]
Stage = Callable[[str], None]


# --- areas ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Breakdown:
    """Area of a circuit (m2), and that of the ``cells`` within it that hold its bits, each drawn alone.

    It holds ``bits``, of which one operation makes ``at_once``.
    """

    name: str
    bits: int
    total: float
    cells: float
    at_once: int

    @property
    def per_bit(self) -> float:
        """Area of a bit with its share of everything, m2."""
        return self.total / self.bits

    @property
    def per_operation_bit(self) -> float:
        """Area that makes one bit of an operation, m2."""
        return self.total / self.at_once

    @property
    def periphery(self) -> float:
        """All that is not a cell, m2."""
        return self.total - self.cells

    @property
    def cell_share(self) -> float:
        """Share of the cells."""
        return self.cells / self.total


def breakdown(circuit: Circuit, bits: int, area_of: AreaOf, at_once: int | None = None) -> Breakdown:
    """Take the area of a circuit and of its storage cells (of junctions, or flip-flops) at any depth.

    One operation makes ``at_once`` bits, by default all.
    """
    if bits < 1:
        raise InputError(f"{circuit.name} has {bits} bits; at least 1 is needed")
    cells: dict[Circuit, int] = {}
    for cell in _cells(circuit):
        cells[cell] = cells.get(cell, 0) + 1
    drawn = sum(number * area_of(cell) for cell, number in cells.items())
    return Breakdown(circuit.name, bits, area_of(circuit), drawn, at_once or bits)


def breakdowns(technology: Technology, area_of: AreaOf, quick: bool = False) -> tuple[Breakdown, ...]:
    """Cells, words, arrays with their periphery, and the other generators with junctions.

    An operation of an array is of one row: the pulse reaches as many cells as there are columns. ``quick`` leaves the
    largest array out.
    """
    meram, pair = load_card("meram100"), load_card("imec_iedm24")
    found = [
        breakdown(Cell1T1M(technology, card=meram), 1, area_of), breakdown(Cell2T2M(technology, card=pair), 1, area_of),
        *(breakdown(MeramWord(technology, card=meram, bits=bits), bits, area_of) for bits in (WORD_BITS, 16)),
    ]  # fmt: skip
    for rows, columns in ARRAYS[:-1] if quick else ARRAYS:
        array = MeramArray(technology, card=meram, rows=rows, columns=columns)
        found.append(breakdown(array, rows * columns, area_of, columns))
    stt = SttTrng(technology, card=load_card("stt_trng_10ns"), channels=4)
    inside, beside = (kind(technology, card=pair, rows=8) for kind in (CimColumn, ExSituColumn))
    return (*found, breakdown(stt, 4, area_of), breakdown(inside, 8, area_of), breakdown(beside, 8, area_of))


def _cells(circuit: Circuit) -> Iterator[Circuit]:
    if isinstance(circuit, _STORAGE):
        yield circuit
        return
    for element in circuit.elements:
        if isinstance(element, Part):
            yield from _cells(element.circuit)


@dataclass(frozen=True)
class Scaling:
    """Area of a family of circuits: ``shared`` once, ``per_bit`` for each bit (m2); ``residual`` is the worst miss."""

    shared: float
    per_bit: float
    residual: float

    def at(self, bits: int) -> float:
        """Area (m2) of a circuit of that many bits."""
        return self.shared + bits * self.per_bit


def scaling(circuits: Mapping[int, Circuit], area_of: AreaOf) -> Scaling:
    """Fit the areas of circuits by their number of bits (words of several widths, arrays of several sizes)."""
    if len(circuits) < 2:
        raise InputError("a scaling needs circuits of two or more sizes")
    bits = np.array(list(circuits), dtype=np.float64)
    areas = np.array([area_of(one) for one in circuits.values()])
    slope, constant = np.polyfit(bits, areas, 1)
    return Scaling(float(constant), float(slope), float(np.abs(constant + slope * bits - areas).max()))


# --- the figure ----------------------------------------------------------------------------------------------


def energy_per_bit_per_area(energy: float, area: float, bits: int = 1) -> float:
    """The figure: energy of a bit (J) times the area (m2) that makes one of the ``bits`` of an operation, J m2.

    This is the energy-area product, lower is better; see the module for the other readings of its usual name.
    """
    if bits < 1 or energy < 0 or area < 0:
        raise InputError(f"energy {energy:g} J, area {area:g} m2 and {bits} bits must not be negative, or no bits")
    return energy * area / bits


@dataclass(frozen=True)
class Row:
    """A generator in the comparison; ``energy`` J a bit, ``area`` of all of it in m2, ``throughput`` of all in bit/s.

    What is not known is None, and so are the figures that would need it.
    """

    name: str
    technology: str
    bits: int
    energy: float | None
    area: float | None
    throughput: float | None
    status: str
    source: str = field(repr=False)

    @property
    def area_per_bit(self) -> float | None:
        """Area that makes one bit of an operation, m2."""
        return None if self.area is None else self.area / self.bits

    @property
    def product(self) -> float | None:
        """The figure, J m2; None for an area of zero ("nothing added"), which makes it zero whatever the energy."""
        if self.energy is None or not self.area:
            return None
        return energy_per_bit_per_area(self.energy, self.area, self.bits)

    @property
    def density(self) -> float | None:
        """Energy of a bit by the area that makes it, J/m2: what the wording says literally."""
        return None if self.energy is None or not self.area else self.energy * self.bits / self.area

    @property
    def product_per_rate(self) -> float | None:
        """Energy of a bit times the whole area for each bit a second, J m2 s."""
        if self.energy is None or not self.area or not self.throughput:
            return None
        return self.energy * self.area / self.throughput


def baseline_row(found: Baseline) -> Row:
    """A baseline as a row."""
    return Row(**found.__dict__)


# --- the comparison ------------------------------------------------------------------------------------------


def generator_row(found: Generator, area_of: AreaOf) -> Row:
    """A generator with junctions, with its area."""
    area = area_of(found.circuit) - (0.0 if found.less is None else area_of(found.less))
    return Row(
        found.name, found.circuit.technology.name, found.bits, found.energy, area, found.bits / found.time, "measured",
        found.about,
    )  # fmt: skip


def cmos_rows(
    technology: Technology, area_of: AreaOf, supply: float | None = None, *, wires: Wires = unchanged,
    registers: Sequence[int] = REGISTERS, stage: Stage = lambda text: None,
) -> tuple[Row, ...]:  # fmt: skip
    """Shift registers of as many stages, simulated, and the counted cores, at one supply (V; default nominal).

    The wires of counted cores are left out.
    """
    volts = technology.supply_voltage if supply is None else supply
    found = []
    for bits in registers:
        stage(f"LFSR-{bits} at {volts:g} V")
        found.append(baselines.lfsr(technology, area_of, bits, wires, supply_voltage=volts))
    stage(f"cells of the counted cores at {volts:g} V")
    energies = baselines.cell_energies(technology, volts)
    share = baselines.utilisation(technology, area_of)
    for counts in (*(cores.chacha(rounds) for rounds in (8, 12, 20)), cores.philox()):
        one = baselines.core(counts, technology, area_of, energies, share)
        found.append(replace(one, name=f"{one.name}, {volts:g} V"))
    return tuple(map(baseline_row, found))


def comparison(
    technology: Technology, area_of: AreaOf, *, found: Sequence[Generator] | None = None,
    supplies: Sequence[float] = (), published: Sequence[Baseline] = baselines.PUBLISHED, wires: Wires = unchanged,
    quick: bool = False, stage: Stage = lambda text: None,
) -> tuple[Row, ...]:  # fmt: skip
    """All rows: generators with junctions (measured now, unless ``found`` has them), CMOS, published.

    CMOS is measured at each of ``supplies`` (V; by default the nominal one). ``wires`` adds those of the layouts
    (`mtjspice.layout.generators.drawn_wires`). ``quick`` leaves out what takes half a minute each: the columns and
    the longer registers.
    """
    volts = supplies or (technology.supply_voltage,)
    registers = REGISTERS[:1] if quick else REGISTERS
    logic = [
        row
        for each in volts
        for row in cmos_rows(technology, area_of, each, wires=wires, registers=registers, stage=stage)
    ]
    measured = generators(technology, wires, stage, quick) if found is None else found
    return (*(generator_row(one, area_of) for one in measured), *logic, *map(baseline_row, published))


@dataclass(frozen=True)
class BreakEven:
    """What would have to hold for a claimed advantage of ``name`` over ``against``.

    ``ratio`` is the advantage in the figure (above 1: ``name`` is better); ``missing`` the factor by which ``wanted``
    exceeds it; ``energy`` (J a bit) and ``area_per_bit`` (m2) are where one of the two alone would have to go.
    """

    name: str
    against: str
    ratio: float
    wanted: float
    energy: float
    area_per_bit: float

    @property
    def missing(self) -> float:
        """Factor that is missing; below 1 the claim is exceeded."""
        return self.wanted / self.ratio

    @property
    def each(self) -> float:
        """Factor by which both energy and area would have to fall, if equally."""
        return sqrt(self.missing)

    def __str__(self) -> str:
        return (
            f"{self.name} against {self.against}: {self.ratio:.3g} times better; for {self.wanted:g} times, "
            f"{self.energy * 1e15:.3g} fJ a bit at the same area, or {self.area_per_bit * 1e12:.3g} um2 a bit at the "
            f"same energy, or both {self.each:.3g} times less"
        )


def break_even(rows: Iterable[Row], name: str, wanted: float = CLAIM) -> list[BreakEven]:
    """Compare the row ``name`` with all others that have the figure; InputError if it is not there or has none."""
    listed = list(rows)
    own = next((row for row in listed if row.name == name), None)
    if own is None:
        raise InputError(f"no row {name!r}; there are {', '.join(row.name for row in listed)}")
    if own.product is None or own.energy is None or own.area_per_bit is None:
        raise InputError(f"{name}: energy or area is not known, or the area is zero")
    found = []
    for row in listed:
        if row is own or row.product is None:
            continue
        ratio = row.product / own.product
        share = ratio / wanted
        found.append(BreakEven(name, row.name, ratio, wanted, own.energy * share, own.area_per_bit * share))
    return found
