"""What the junctions are compared with: shift registers, counter-based generators, and published generators.

Shift registers are circuits of this project: simulated, and drawn. ChaCha and Philox are counted: the cells of a stated
architecture (`mtjspice.layout.cores`) times the areas and energies of the same cells, drawn and simulated. Published
values are cited; what a source does not say is None.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from mtjspice.circuits.benches.lfsr import CellBench, CellEnergy, LfsrBench, Wires, run, unchanged
from mtjspice.circuits.circuit import Circuit
from mtjspice.circuits.elements import Part
from mtjspice.circuits.library.digital import FlipFlop, FullAdder, Lfsr, Multiplexer, Xor
from mtjspice.circuits.library.gates import Buffer, Inverter, Nand
from mtjspice.circuits.technology import Technology
from mtjspice.errors import InputError, choose

CLOCKS = 64  # of a shift register that are simulated
PER_BUFFER = 16  # flip-flops on one buffer of the clock
STATUSES = ("measured", "counted", "published", "scaled")

AreaOf = Callable[[Circuit], float]


@dataclass(frozen=True)
class Baseline:
    """A generator to compare with; ``energy`` in J a bit, ``area`` in m2, ``throughput`` in bit/s, None if unknown.

    ``bits`` come with one operation. ``status`` is measured (circuit simulated, layout drawn), counted (cells of an
    architecture, see `core`), published, or scaled from one of these; ``source`` says by whom or what it leaves out.
    """

    name: str
    technology: str
    bits: int
    energy: float | None
    area: float | None
    throughput: float | None
    status: str
    source: str

    def __post_init__(self) -> None:
        choose("status of a baseline", self.status, STATUSES)


def scaled(found: Baseline, to: str, length: float, voltage: float) -> Baseline:
    """Carry a baseline to another process by the textbook's rule: area times ``length`` squared, energy times
    ``length`` and ``voltage`` squared, both ratios of the new process to the old one.

    A rough guide that ignores leakage and wires: the result says that it is scaled. The rate is left out.
    """  # fmt: skip
    if not (length > 0 and voltage > 0):
        raise InputError(f"ratios of length {length:g} and voltage {voltage:g} must be positive")
    energy = None if found.energy is None else found.energy * length * voltage**2
    area = None if found.area is None else found.area * length**2
    return replace(
        found, name=f"{found.name} (scaled)", technology=to, energy=energy, area=area, throughput=None, status="scaled",
        source=f"{found.technology} scaled by {length:g} in length and {voltage:g} in voltage; {found.source}",
    )  # fmt: skip


# --- published -----------------------------------------------------------------------------------------------

_PJ, _UM2 = 1e-12, 1e-12
PUBLISHED: tuple[Baseline, ...] = tuple(
    Baseline(name, node, 1, energy, area, throughput, "published", source)
    for name, node, energy, area, throughput, source in (
        ("TRNG, dual oscillators", "180 nm", 36e-6 / 200e3, 0.0039e-6, 200e3,
         "C. Chen et al., Electronics 12, 2332 (2023): 36 uW at 200 kb/s, core area; abstract"),
        ("TRNG, latches with mismatch compensation", "130 nm", 0.186 * _PJ, 5561 * _UM2, None,
         "R. Zhang et al., JSSC 57, 2498 (2022): at 0.3 V, with von Neumann stage (its core: 661 um2); abstract"),
        ("TRNG, metastable inverters", "45 nm", 2.9 * _PJ, 4004 * _UM2, 2.4e9,
         "S. Mathew et al., JSSC 47 (2012): 7 mW at 2.4 Gb/s, 1.1 V; abstract"),
        ("chaos generator, digital", "40 nm", 0.717 * _PJ, None, 24.86e9,
         "C.-B. Chen et al., SSC-L 8, 253 (2025): 17.82 mW at 24.86 Gb/s; abstract"),
        ("TRNG, synthesized ring oscillators", "28 nm and 65 nm", 23 * _PJ, None, 23e6,
         "K. Yang et al., ISSCC (2014): energy and rate of the title"),
        ("TRNG, capacitive latch, lowest energy", "28 nm", 38.1e-15, None, None,
         "W. Lee et al., SSC-L (2025), 10.1109/LSSC.2025.3608187: at 0.4 V; abstract"),
        ("TRNG, capacitive latch, highest rate", "28 nm", None, None, 162.48e6,
         "the same at 0.9 V, whose energy the abstract does not say"),
        ("uRNG, full entropy, lowest energy", "14 nm", 3 * _PJ, 1008 * _UM2, None,
         "S. Mathew et al., JSSC 51 (2016): abstract, which does not say at which of its voltages"),
        ("uRNG, full entropy, 0.75 V", "14 nm", 1.5e-3 / 162.5e6, 1008 * _UM2, 162.5e6,
         "the same: 1.5 mW at 162.5 Mb/s"),
        ("CMOS generator cited as JSSC 2024", "unknown", 0.121 * _PJ, 2254 * _UM2, 10e9,
         "row of IEDM 2024, table II; the cited work itself was not seen"),
        ("VCMA P-bits in situ (paper)", "unknown", 0.089 * _PJ, 0.0, 29.8e9,
         "IEDM 2024, table II: no additional area, since the P-bits are cells of the crossbar"),
        ("VCMA P-bits ex situ (paper)", "unknown", 0.196 * _PJ, 609.8 * _UM2, 4.97e9, "IEDM 2024, table II"),
    )
)  # fmt: skip
"""Generators of other people, in other processes: they stand beside those of this project, not against them."""


# --- shift registers -----------------------------------------------------------------------------------------


def lfsr(
    technology: Technology, area_of: AreaOf, bits: int = 8, wires: Wires = unchanged, **settings: float
) -> Baseline:
    """Simulate a shift register and take its area; ``settings`` are those of `LfsrBench` (``supply_voltage``).

    The energy is the mean over the sequence's period, estimated from `CLOCKS`. ``wires`` adds those of the layout.
    """
    circuit = Lfsr(technology, bits=bits)
    bench = LfsrBench(circuit, **{"state": 1, "clocks": CLOCKS, **settings})  # type: ignore[arg-type]
    found = run(bench, wires)
    return Baseline(
        f"LFSR-{bits}, {bench.supply:g} V", technology.name, 1, found.period_energy_per_bit, area_of(circuit),
        bench.frequency, "measured", "a serial bit a clock; simulated, no key, no entropy",
    )  # fmt: skip


# --- cells of counted cores ----------------------------------------------------------------------------------


def cells(technology: Technology) -> dict[str, Circuit]:
    """The cells that `mtjspice.layout.cores` counts."""
    return {
        "flip_flop": FlipFlop(technology), "full_adder": FullAdder(technology), "xor": Xor(technology),
        "multiplexer": Multiplexer(technology), "nand": Nand(technology, strength=0.5),
        "inverter": Inverter(technology, strength=0.5), "buffer": Buffer(technology, strength=8.0),
    }  # fmt: skip


def cell_energies(technology: Technology, supply: float | None = None, corner: str = "") -> dict[str, CellEnergy]:
    """Simulate every cell of `cells`; multiplexers with a select input that rests."""
    volts = technology.supply_voltage if supply is None else supply
    rests = {"multiplexer": {"select": 0}}
    return {
        name: CellBench(circuit=one, supply=volts, corner=corner, rests=rests.get(name, {})).measure()
        for name, one in cells(technology).items()
    }


@dataclass(frozen=True)
class Core:
    """A generator's architecture: ``cells`` of each kind, ``clocks`` for ``bits``, and what switches in them.

    ``clocked`` is how many flip-flops are clocked (a flip-flop counts once for each clock) and ``toggles`` how often
    the cells of a kind change an output, both per operation; ``settled`` has the same for gates without delay, so that
    the differences are hazards. ``depth`` is the longest path, in gates.
    """

    name: str
    bits: int
    clocks: int
    cells: Mapping[str, int]
    clocked: float
    toggles: Mapping[str, float]
    settled: Mapping[str, float]
    depth: int
    about: str = field(repr=False)

    def area(self, area_of: Mapping[str, float], utilisation: float) -> float:
        """Area (m2) from those of the cells (m2), each drawn alone; see `utilisation`."""
        if not utilisation > 0:
            raise InputError(f"utilisation {utilisation:g} is out of range; allowed: above 0")
        return sum(number * area_of[name] for name, number in self.cells.items()) / utilisation

    def energy(self, energies: Mapping[str, CellEnergy], hazards: bool = True) -> float:
        """Energy of a bit, J: of the cells alone, no wires."""
        toggles = self.toggles if hazards else self.settled
        switched = sum(number * energies[name].per_toggle for name, number in toggles.items())
        return (switched + self.clocked * energies["flip_flop"].per_clock) / self.bits

    def frequency(self, energies: Mapping[str, CellEnergy]) -> float:
        """Highest clock, Hz: ``depth`` delays of a full adder and a flip-flop, without wires."""
        return 1 / (self.depth * energies["full_adder"].delay + 2 * energies["flip_flop"].delay)


def utilisation(technology: Technology, area_of: AreaOf, bits: int = 32) -> float:
    """Area of the cells of a drawn shift register, each drawn alone, by the area of the register.

    It is what drawing a block makes of its cells: below 1 where wires take room, above 1 where cells alone carry edges
    that neighbours in a block share. A register has few wires; what has more is not drawn as densely.
    """
    register = Lfsr(technology, bits=bits)
    parts = [element.circuit for element in register.elements if isinstance(element, Part)]
    return sum(map(area_of, parts)) / area_of(register)


def core(
    found: Core, technology: Technology, area_of: AreaOf, energies: Mapping[str, CellEnergy], utilisation: float, *,
    hazards: bool = True,
) -> Baseline:  # fmt: skip
    """Turn a core's counts into a baseline; without ``hazards`` the energy is a lower bound."""
    areas = {name: area_of(one) for name, one in cells(technology).items()}
    return Baseline(
        found.name, technology.name, found.bits, found.energy(energies, hazards), found.area(areas, utilisation),
        found.bits / found.clocks * found.frequency(energies), "counted",
        f"{sum(found.cells.values())} cells, area of them alone / {utilisation:.2f}; no wires in the energy",
    )  # fmt: skip


def with_clock(counts: dict[str, int], half_adders: int) -> Mapping[str, int]:
    """Half adders are an XOR, a NAND and an inverter; buffers of the clock follow from the flip-flops."""
    for name in ("xor", "nand", "inverter"):
        counts[name] = counts.get(name, 0) + half_adders
    counts["buffer"] = -(-counts["flip_flop"] // PER_BUFFER)
    return MappingProxyType(counts)
