"""Generators of random bits with junctions, measured on their benches: what `mtjspice.layout.area` compares."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from mtjspice.circuits.benches.cim import CimBench, ColumnBench, ExSituBench
from mtjspice.circuits.benches.cim_figures import Cost, cost
from mtjspice.circuits.benches.lfsr import Wires, unchanged
from mtjspice.circuits.benches.trng import PHASES, SttTrngCycles, VcmaTrngCycles
from mtjspice.circuits.benches.word import Levels, Read, WordBench, Write, toggling_control
from mtjspice.circuits.circuit import Circuit
from mtjspice.circuits.library.cim import CimColumn, ExSituColumn
from mtjspice.circuits.library.meram import MeramWord
from mtjspice.circuits.library.trng import SttTrng, VcmaTrng
from mtjspice.circuits.measurements import Energy, Power
from mtjspice.circuits.parasitics import Parasitics
from mtjspice.circuits.technology import Technology
from mtjspice.circuits.testbench import Testbench
from mtjspice.device.card import load_card
from mtjspice.errors import SimulatorError

WORD_BITS = 8


@dataclass(frozen=True)
class Generator:
    """A generator with junctions: its circuit, ``energy`` (J a bit) and the ``time`` (s) of an operation.

    The area is counted beyond that of ``less``, if there is such a circuit.
    """

    name: str
    circuit: Circuit
    bits: int
    energy: float
    time: float
    about: str = field(repr=False)
    less: Circuit | None = None


def drawn_wires() -> Wires:
    """Return what adds the wires of a circuit's layout to a testbench; equal circuits are drawn once.

    InputError, with what to install, where KLayout's Python module is missing.
    """
    from mtjspice.layout import post, require

    require.klayout_db()
    known: dict[Circuit, Parasitics] = {}

    def wires(testbench: Testbench) -> Testbench:
        if testbench.circuit not in known:
            known[testbench.circuit] = post.parasitics(testbench.circuit)
        return testbench.at(parasitics=known[testbench.circuit])

    return wires


def word_name(bits: int = WORD_BITS) -> str:
    """Name of a MeRAM word among the generators."""
    return f"MeRAM word, {bits} bits"


def meram_word(technology: Technology, bits: int = WORD_BITS, wires: Wires = unchanged) -> Generator:
    """Measure a MeRAM word that reads, resets what is AP and perturbs, junctions standing still.

    Half of the columns hold AP before the reset, as after a fair bit. The energy is that of the second of many cycles:
    the first one finds nodes as no cycle leaves them, and only before another one does the control voltage settle.
    Levels and control voltages are those of the technology: with ``wires`` the pulses are longer by what these do to
    the generator. SimulatorError for a word that does not read what its junctions hold.
    """
    word = MeramWord(technology, card=load_card("meram100"), bits=bits)
    perturb = VcmaTrngCycles(VcmaTrng(technology, card=word.card)).perturb_control
    cycle = (Write(toggling_control(technology), all_columns=False), Write(perturb), Read())
    states = tuple(1 if k % 2 == 0 else -1 for k in range(bits))
    bench = WordBench(
        word, (Read(), *cycle, *cycle, cycle[0]), technology.default_corner, levels=Levels.of(technology), states=states
    )  # fmt: skip
    begin, end = (bench.timing.slot * (1 + k * len(cycle)) for k in (1, 2))
    second = Energy(Power(bench.supplies), begin, end)
    found = wires(bench.testbench().at(measurements={**bench.measurements(), "energy": second})).run().attrs
    read = tuple(-1 if found[f"data{k}_volts"] > technology.supply_voltage / 2 else 1 for k in range(bits))
    if read != states:
        raise SimulatorError(f"{word.name} reads {read} where its junctions are {states} (1 P, -1 AP)")
    return Generator(
        word_name(bits), word, bits, found["energy"] / bits, len(cycle) * bench.timing.slot,
        "reset, perturb and read of every bit",
    )  # fmt: skip


def stt_trng(technology: Technology, channels: int = 4, wires: Wires = unchanged) -> Generator:
    """Measure a generator of STT channels: reset, perturb and read."""
    circuit = SttTrng(technology, card=load_card("stt_trng_10ns"), channels=channels)
    bench = SttTrngCycles(circuit)
    found = wires(bench.testbench()).run().attrs
    energy = sum(found[f"{phase}_energy"] for phase in PHASES) / channels
    return Generator(
        f"STT generator, {channels} channels", circuit, channels, energy, bench.period, "reset, perturb and read"
    )


class _Wired:
    """A bench whose testbench has the wires of the layout."""

    def __init__(self, bench: ColumnBench, wires: Wires) -> None:
        self._bench, self._wires = bench, wires

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bench, name)

    def testbench(self) -> Testbench:
        """That of the bench, as drawn."""
        return self._wires(self._bench.testbench())


def columns(technology: Technology, rows: int = 8, wires: Wires = unchanged) -> tuple[Generator, ...]:
    """Measure P-bits of both compute-in-memory columns, with computing and without.

    States and cycles are those of `mtjspice.circuits.benches.cim_figures.in_situ_against_ex_situ`. The area of P-bits
    drawn beside the column is also given as what the paper counts: beyond that of the column in which they are drawn
    in place.
    """
    card = load_card("imec_iedm24")
    inside, beside = CimColumn(technology, card=card, rows=rows), ExSituColumn(technology, card=card, rows=rows)
    states = [(1 if j % 2 == 0 else -1, 1 if j % 4 < 2 else -1, 1 if (j + 1) % 4 < 2 else -1) for j in range(rows)]
    benches = (
        CimBench(inside, states=tuple(one for row in states for one in row[:2]), cycles=2),
        ExSituBench(beside, states=tuple(one for row in states for one in row), cycles=2),
    )
    in_situ, ex_situ = (cost(cast(ColumnBench, _Wired(bench, wires))) for bench in benches)

    def pair(name: str, circuit: Circuit, found: Cost) -> Iterator[Generator]:
        yield Generator(f"P-bit {name}, drawn", circuit, rows, found.draw_energy, found.draw_time, "without computing")
        yield Generator(f"P-bit {name}, cycle", circuit, rows, found.energy, found.cycle_time, "with computing")

    return (
        *pair("in situ", inside, in_situ),
        *pair("ex situ", beside, ex_situ),
        Generator(
            "P-bit ex situ, added area", beside, rows, ex_situ.draw_energy, ex_situ.draw_time,
            "area beyond the column in situ", less=inside,
        ),
    )  # fmt: skip


def generators(
    technology: Technology, wires: Wires = unchanged, stage: Callable[[str], None] = lambda text: None,
    quick: bool = False,
) -> tuple[Generator, ...]:  # fmt: skip
    """Measure all generators with junctions, if ``quick`` not the columns; ``stage`` is told what is being done."""
    stage("MeRAM word")
    word = meram_word(technology, wires=wires)
    stage("STT generator")
    stt = stt_trng(technology, wires=wires)
    if quick:
        return (word, stt)
    stage("compute-in-memory columns")
    return (word, stt, *columns(technology, wires=wires))
