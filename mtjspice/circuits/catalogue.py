"""The circuits by name: what `mtjspice netlist`, `simulate` and `schematic` offer."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from mtjspice.circuits import parameters
from mtjspice.circuits.benches.array import ArrayCycle
from mtjspice.circuits.benches.base import Bench, parse_states
from mtjspice.circuits.benches.cell import CellPulse
from mtjspice.circuits.benches.cim import CimBench, ExSituBench
from mtjspice.circuits.benches.lfsr import LfsrBench
from mtjspice.circuits.benches.pulse import PulseWriterBench
from mtjspice.circuits.benches.read import OneRead, read_path
from mtjspice.circuits.benches.trng import SttTrngCycles, VcmaTrngCycles
from mtjspice.circuits.benches.word import WordReadWriteRead
from mtjspice.circuits.circuit import Circuit
from mtjspice.circuits.library.array import MeramArray
from mtjspice.circuits.library.cells import Cell1T1M, Cell2T2M, DifferentialPair, STTCell
from mtjspice.circuits.library.cim import CimColumn, ExSituColumn
from mtjspice.circuits.library.digital import Lfsr
from mtjspice.circuits.library.meram import MAX_BITS, MeramWord
from mtjspice.circuits.library.pulse import PulseWriter, TapPulseGenerator
from mtjspice.circuits.library.read import ComplementaryReadPath
from mtjspice.circuits.library.trng import SttTrng, VcmaTrng
from mtjspice.circuits.technology import Technology
from mtjspice.circuits.technology import technology as load_technology
from mtjspice.circuits.testbench import Testbench
from mtjspice.device.card import MTJCard, load_card
from mtjspice.device.constants import ROOM_TEMPERATURE
from mtjspice.errors import InputError

BENCH = "bench."  # prefix of the bench's settings among the parameters


@dataclass(frozen=True)
class Entry:
    """A circuit of the catalogue: one line about it, how it is built, its bench, and the card it is meant for."""

    name: str
    about: str
    build: Callable[[Technology, MTJCard], Circuit]
    bench: type[Bench]
    card: str = "meram100"


ENTRIES: Mapping[str, Entry] = MappingProxyType(
    {
        entry.name: entry
        for entry in (
            Entry(
                "pulse_writer", "write pulses: current-starved generator and driver with a rail of its own",
                lambda technology, card: PulseWriter(technology), PulseWriterBench,
            ),
            Entry(
                "tap_pulse_writer", "write pulses: generator with selectable taps, and the same driver",
                lambda technology, card: PulseWriter(technology, generator=TapPulseGenerator(technology)),
                PulseWriterBench,
            ),
            Entry(
                "cell_1t1m", "one transistor, one junction", lambda technology, card: Cell1T1M(technology, card=card),
                CellPulse,
            ),
            Entry(
                "cell_2t2m", "two junctions that hold a bit and its complement",
                lambda technology, card: Cell2T2M(technology, card=card), CellPulse,
            ),
            Entry(
                "cell_stt", "one junction for spin-transfer torque, with a wide transistor",
                lambda technology, card: STTCell(technology, card=card), CellPulse, "stt_trng_10ns",
            ),
            Entry(
                "differential_pair", "data bit and P-bit: weight and random drop-connect in one cell",
                lambda technology, card: DifferentialPair(technology, card=card), CellPulse, "imec_iedm24",
            ),
            Entry(
                "read_precharge", "cell, reference and precharge sense amplifier (PCSA)",
                lambda technology, card: read_path(technology, card, "precharge"), OneRead,
            ),
            Entry(
                "read_current_latched", "cell, reference and current-latched sense amplifier with clamps",
                lambda technology, card: read_path(technology, card, "current_latched"), OneRead,
            ),
            Entry(
                "read_strongarm", "cell, reference, read-current mirror and StrongARM comparator",
                lambda technology, card: read_path(technology, card, "voltage"), OneRead,
            ),
            Entry(
                "read_complementary", "both junctions of a 2T-2MTJ cell against each other, current-latched amplifier",
                lambda technology, card: ComplementaryReadPath(technology, card=card), OneRead,
            ),
            Entry(
                "meram_word8", "MeRAM word: pulse generator, 8 columns of cell and sense amplifier (or meram_wordN)",
                lambda technology, card: MeramWord(technology, card=card), WordReadWriteRead,
            ),
            Entry(
                "meram_array", "MeRAM array: 64 rows x 8 columns, word-line drivers, lines, shared sense amplifiers",
                lambda technology, card: MeramArray(technology, card=card), ArrayCycle,
            ),
            Entry(
                "cim_column8", "compute-in-memory column of 8 differential pairs, P-bits drawn in place",
                lambda technology, card: CimColumn(technology, card=card), CimBench, "imec_iedm24",
            ),
            Entry(
                "ex_situ_column8", "the same with P-bits drawn beside the column, sensed and written in",
                lambda technology, card: ExSituColumn(technology, card=card), ExSituBench, "imec_iedm24",
            ),
            Entry(
                "stt_trng16", "STT random-number generator: 16 channels with a perturb rail each, drivers, amplifiers",
                lambda technology, card: SttTrng(technology, card=card), SttTrngCycles, "stt_trng_10ns",
            ),
            Entry(
                "vcma_trng4", "VCMA random-number generator: a MeRAM word with a reset and a perturb pulse width",
                lambda technology, card: VcmaTrng(technology, card=card), VcmaTrngCycles,
            ),
            Entry(
                "lfsr8", "shift register with feedback (LFSR) in plain CMOS: what the generators are compared with",
                lambda technology, card: Lfsr(technology), LfsrBench,
            ),
        )
    }
)  # fmt: skip

_WORD = re.compile(r"meram_word([1-9][0-9]*)")


def entry(name: str) -> Entry:
    """Return the entry of a name; InputError, with the names there are, for an unknown one."""
    if name in ENTRIES:
        return ENTRIES[name]
    word = _WORD.fullmatch(name)
    if word is not None and int(word[1]) <= MAX_BITS:
        bits = int(word[1])
        known = ENTRIES["meram_word8"]
        return Entry(name, known.about, lambda t, card: MeramWord(t, card=card, bits=bits), known.bench, known.card)
    raise InputError(f"unknown circuit {name!r}; available: {', '.join(ENTRIES)}, meram_word1 to meram_word{MAX_BITS}")


def knows(name: str) -> bool:
    """Whether there is a circuit of that name."""
    try:
        entry(name)
    except InputError:
        return False
    return True


def bench(
    name: str | Entry,
    *,
    technology: Technology | str = "gf180mcu",
    card: MTJCard | str | None = None,
    corner: str = "",
    temperature: float = ROOM_TEMPERATURE,
    states: str | None = None,
    mismatch_seed: int | None = None,
    values: Mapping[str, str | float] = MappingProxyType({}),
) -> Bench:
    """Build a circuit of the catalogue, or an entry of one's own, on its bench.

    ``values`` sets parameters of the circuit by their names, and settings of the bench by theirs after ``bench.``:
    texts with units, or SI numbers. ``states`` is a text of 0 (P) and 1 (AP), one digit a junction. InputError for
    anything unknown or out of range.
    """
    found = entry(name) if isinstance(name, str) else name
    tech = load_technology(technology) if isinstance(technology, str) else technology
    chosen = load_card(card or found.card) if not isinstance(card, MTJCard) else card
    own = {key: value for key, value in values.items() if not key.startswith(BENCH)}
    outer = {key.removeprefix(BENCH): value for key, value in values.items() if key.startswith(BENCH)}
    circuit = parameters.with_parameters(found.build(tech, chosen), own)
    count = len(circuit.own_junctions)
    return parameters.with_parameters(
        found.bench(
            circuit, corner=corner, temperature=temperature, mismatch_seed=mismatch_seed,
            states=() if states is None else parse_states(states, count),
        ),
        outer,
    )  # fmt: skip


def settings(found: Bench) -> tuple[parameters.Parameter, ...]:
    """List the parameters of a bench's circuit and, with the prefix ``bench.``, its own."""
    return (*found.circuit.parameters(), *parameters.parameters(found, BENCH))


def deck(testbench: Testbench, include: bool | str = False) -> str:
    """Return the deck for plain ngspice: it runs and prints every measurement.

    ``include`` True refers to the model cards by their absolute path, a text by that path; by default they are copied
    in, so that the deck runs anywhere.
    """
    technology = testbench.circuit.technology
    path = str(technology.model_path(testbench.corner)) if include is True else str(include)
    models = technology.model_line(testbench.corner, path) if include else None
    return testbench.deck(models=models, control=testbench.commands())
