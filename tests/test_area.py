"""Baselines and the figure of energy and area: known answers of the counted generators, counts, arithmetic by hand."""

from dataclasses import replace

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms

from mtjspice.circuits.benches.lfsr import CellEnergy, LfsrBench
from mtjspice.circuits.benches.trng import VcmaTrngCycles
from mtjspice.circuits.benches.word import Levels, Read, WordBench, Write, toggling_control
from mtjspice.circuits.elements import MTJ
from mtjspice.circuits.library.cim import CimColumn
from mtjspice.circuits.library.digital import FlipFlop, Lfsr
from mtjspice.circuits.library.meram import MeramWord
from mtjspice.circuits.library.trng import VcmaTrng
from mtjspice.circuits.parasitics import Parasitics
from mtjspice.circuits.technology import technology
from mtjspice.device.card import load_card
from mtjspice.errors import InputError
from mtjspice.layout import area, baselines, cores, generators
from mtjspice.layout.area import (
    Row,
    break_even,
    breakdown,
    comparison,
    energy_per_bit_per_area,
    generator_row,
    scaling,
)
from mtjspice.layout.baselines import PUBLISHED, Baseline
from mtjspice.layout.cores import chacha, chacha_trace, philox, philox_trace
from mtjspice.layout.flat import flatten
from mtjspice.layout.generators import Generator

GF180 = technology("gf180mcu")
MERAM = load_card("meram100")


def fake_area(circuit):
    """One square micrometre for a transistor."""
    return sum(one.multiplier for one in flatten(circuit).devices if one.kind != "mtj") * 1e-12


def words(data):
    return [int(word) for word in np.frombuffer(data, "<u4")]


# --- generators that are counted -------------------------------------------------------------------------------


def test_chacha_of_the_rfc():
    """RFC 8439, 2.3.2: the key stream of one block."""
    trace = chacha_trace(bytes(range(32)), bytes.fromhex("000000090000004a00000000"), 1, 1)
    assert trace.output.hex() == (
        "10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e"
        "d2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e"
    )


def test_quarter_round_of_the_rfc():
    """RFC 8439, 2.1.1."""
    column = np.array([0x11111111, 0x01020304, 0x9B8D6F43, 0x01234567], np.uint32)
    assert cores.quarter_round(column).tolist() == [0xEA2A92F4, 0xCB1CF8CE, 0x4581472E, 0x5881C4BB]


def test_chacha_of_another_library():
    rng = np.random.default_rng(5)
    key, nonce = rng.bytes(32), rng.bytes(12)
    cipher = Cipher(algorithms.ChaCha20(key, (7).to_bytes(4, "little") + nonce), None).encryptor()
    assert chacha_trace(key, nonce, 7, 5).output == cipher.update(bytes(5 * 64))


@pytest.mark.parametrize(
    ("counter", "key", "answer"),
    [
        ((0,) * 4, (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((2**32 - 1,) * 4, (2**32 - 1,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)  # fmt: skip
def test_philox_of_random123(counter, key, answer):
    """Known answers of Random123 (kat_vectors) for philox4x32 with 10 rounds."""
    assert tuple(words(philox_trace(key, [counter]).output)) == answer


@pytest.mark.parametrize("multiplier", cores._MULTIPLIERS)
def test_the_adders_make_the_products(multiplier):
    """The rows that are counted settle to the upper half of the true product."""
    numbers = np.array([1, 2**32 - 1, 123456789], np.uint32)
    shifts = cores._shifts(multiplier)
    assert sum(1 << shift for shift in shifts) == multiplier
    names = [f"row{k}.{out}" for k in range(len(shifts) - 1) for out in ("sum", "carry")]
    inputs = {"word": cores.bits_of(numbers), "mask": np.zeros((3, 32), np.bool_)}
    rest = {name: np.zeros((3, 32), np.bool_) for name in (*names, "mixed")}
    final, _ = cores._settle(cores._product_gates(shifts)(inputs), rest)
    found = (final["mixed"] * (1 << np.arange(32, dtype=np.int64))).sum(axis=1)
    assert found.tolist() == [int(number) * multiplier >> 32 for number in numbers]


def test_the_gates_make_the_quarter_round():
    column = np.random.default_rng(3).integers(0, 2**32, 4, dtype=np.uint32)
    bits = cores.bits_of(column)
    zero = np.zeros((1, 32), np.bool_)
    inputs = (
        {name: bits[None, k] for k, name in enumerate("abcd")} | {f"s{k}": zero for k in range(4)} | {"final": zero}
    )
    names = [f"{adder}.{out}" for adder in ("a1", "c1", "a2", "c2") for out in ("sum", "carry")]
    rest = dict.fromkeys((*names, "d1", "b1", "d2", "b2"), zero)
    final, _ = cores._settle(cores._quarter_gates(inputs), rest)
    a, b, c, d = cores.quarter_round(column).tolist()
    weights = 1 << np.arange(32, dtype=np.int64)
    assert int(final["a2.sum"][0] @ weights) == a
    assert int(np.roll(final["b2"][0], 7) @ weights) == b
    assert int(final["c2.sum"][0] @ weights) == c
    assert int(np.roll(final["d2"][0], 8) @ weights) == d


def test_hazards_by_hand():
    """1 + 1 to 1 + 3: bit 1 of the sum falls, a carry takes bit 2 up. 3 + 0 to 3 + 1: the carry ripples, and takes
    bits 0, 1 down and 2 up one after the other. 0 + 0 to 3 + 1: only bit 2 of the sum is another one in the end, but
    bit 1 first rises with its operand and falls again with the carry: two changes more.
    """  # fmt: skip

    def count(before, after):
        one, other = (cores.bits_of(np.array(pair, np.uint32)) for pair in zip(before, after, strict=True))

        def gates(inputs):
            return lambda now: cores._adder(now, "x", inputs["a"], inputs["b"])

        rest = {name: np.zeros((2, 32), np.bool_) for name in ("x.sum", "x.carry")}
        return cores.switching(gates, {"a": one, "b": other}, rest)

    hazards, still = count((1, 1), (1, 3))
    assert hazards == still == {"x.sum": 2, "x.carry": 1}
    hazards, still = count((3, 0), (3, 1))
    assert hazards == still == {"x.sum": 3, "x.carry": 2}
    hazards, still = count((0, 0), (3, 1))
    assert still == {"x.sum": 1, "x.carry": 2}
    assert hazards == {"x.sum": 3, "x.carry": 2}


def test_depth_by_hand():
    """The last sum of 32 has settled after 32 gates, that of a second adder behind it one later.

    Quarter round: the top bit of each sum is rotated to bits 15, 11, 7, so that three carries ripple 16, 20 and 24 bits
    further: 32 + 1 + (1 + 16) + 1 + (1 + 20) + 1 + (1 + 24) + 1.
    """
    first = cores._ripple([0] * 32, [0] * 32)
    assert first == [*range(1, 33), 32]
    assert cores._ripple(first[:32], [0] * 32)[31] == 33
    assert cores._product_depth(0b101) == 32 + 1
    assert cores._quarter_depth() == 99


def test_counts_of_chacha():
    found = chacha(20, blocks=2)
    assert (found.bits, found.clocks) == (512, 84)
    assert found.cells["flip_flop"] == 512 + 384 + 8
    assert found.cells["full_adder"] == 4 * 32
    assert found.cells["xor"] == 4 * 32 + 32 + 8
    assert found.cells["multiplexer"] == 512 + 128 + 128 + 96 + 192
    assert found.cells["buffer"] == -(-904 // 16)
    assert found.clocked == 84 * 520 + 4 * 384


def test_counts_of_philox():
    found = philox(blocks=2)
    assert (found.bits, found.clocks) == (128, 10)
    assert found.cells["full_adder"] == 32 * (15 + 18)
    assert found.cells["flip_flop"] == 128 + 64 + 128 + 64 + 4
    assert found.cells["nand"] == 20 + 64 + 128 + 4


def test_activity():
    """Random states: half of the bits of a register change, adders behind adders change more often than needed."""
    found = chacha(20, blocks=4)
    assert found.toggles["flip_flop"] / (84 * 512) == pytest.approx(0.5, rel=0.05)
    assert found.settled["full_adder"] / (84 * 256) == pytest.approx(0.5, rel=0.1)
    for one in (found, philox(blocks=4)):
        assert one.toggles["full_adder"] > 2 * one.settled["full_adder"]
        assert all(one.toggles[name] >= one.settled[name] for name in one.settled)
    shorter = chacha(8, blocks=4)
    assert shorter.toggles["full_adder"] / found.toggles["full_adder"] == pytest.approx(36 / 84, rel=0.1)
    assert chacha(20, blocks=4, seed=9).toggles["full_adder"] == pytest.approx(found.toggles["full_adder"], rel=0.02)


def test_energy_and_area_of_a_core_by_hand():
    tiny = baselines.Core(
        "tiny", 4, 2, {"flip_flop": 3, "xor": 5}, clocked=6, toggles={"flip_flop": 2, "xor": 10},
        settled={"flip_flop": 2, "xor": 4}, depth=8, about="",
    )  # fmt: skip
    energies = {
        "flip_flop": CellEnergy("ff", 3.0, 1.0, 0.5), "xor": CellEnergy("xor", 2.0, 0.0, 0.1),
        "full_adder": CellEnergy("fa", 1.0, 0.0, 1.0),
    }  # fmt: skip
    assert tiny.energy(energies) == (2 * 3 + 10 * 2 + 6 * 1) / 4
    assert tiny.energy(energies, hazards=False) == (2 * 3 + 4 * 2 + 6 * 1) / 4
    assert tiny.area({"flip_flop": 10.0, "xor": 4.0}, utilisation=0.5) == 100
    assert tiny.frequency(energies) == 1 / 9
    with pytest.raises(InputError, match="utilisation 0 is out of range"):
        tiny.area({"flip_flop": 10.0, "xor": 4.0}, utilisation=0)


def test_a_core_of_drawn_and_simulated_cells():
    """Energies from ngspice: between those of a gate a bit and of all its cells switching in every clock."""
    energies = baselines.cell_energies(GF180, 1.8)
    counted = chacha(8)
    found = baselines.core(counted, GF180, fake_area, energies, 0.7)
    cells = baselines.cells(GF180)
    transistors = sum(number * fake_area(cells[name]) for name, number in counted.cells.items())
    assert found.area == pytest.approx(transistors / 0.7, rel=1e-9, abs=0)
    every = sum(number * (energies[name].per_toggle + energies[name].per_clock)
                for name, number in counted.cells.items()) * 36 / 512  # fmt: skip
    assert energies["xor"].per_toggle < found.energy < 10 * every
    assert baselines.core(counted, GF180, fake_area, energies, 0.7, hazards=False).energy < 0.7 * found.energy
    assert found.throughput == pytest.approx(512 / 36 * counted.frequency(energies))
    assert found.status == "counted"


# --- published -----------------------------------------------------------------------------------------------


def test_published_values_agree_with_themselves():
    rows = {one.name: one for one in PUBLISHED}
    dual, mathew = rows["TRNG, dual oscillators"], rows["TRNG, metastable inverters"]
    assert dual.energy == pytest.approx(180e-12, rel=1e-9, abs=0)
    assert mathew.energy == pytest.approx(7e-3 / 2.4e9, rel=0.01, abs=0)
    latch = rows["TRNG, capacitive latch, lowest energy"]
    assert (latch.area, latch.throughput) == (None, None)
    assert rows["uRNG, full entropy, 0.75 V"].energy > 3 * rows["uRNG, full entropy, lowest energy"].energy
    assert all(one.status == "published" and one.source for one in PUBLISHED)


def test_scaled_by_hand():
    one = Baseline("x", "45 nm", 1, 2.0, 3.0, 1e9, "published", "someone")
    found = baselines.scaled(one, "180 nm", 4.0, 1.5)
    assert (found.energy, found.area, found.throughput) == (18.0, 48.0, None)
    assert (found.status, found.technology) == ("scaled", "180 nm")
    assert found.source.startswith("45 nm scaled by 4 in length and 1.5 in voltage")
    assert baselines.scaled(replace(one, energy=None), "180 nm", 4.0, 1.5).energy is None
    with pytest.raises(InputError, match="must be positive"):
        baselines.scaled(one, "180 nm", 0.0, 1.0)


# --- the figure ----------------------------------------------------------------------------------------------

WORD = Row("word", "here", 8, 2e-12, 800e-12, 4e8, "measured", "")
SERIAL = Row("serial", "here", 1, 1e-12, 500e-12, 2e8, "measured", "")
UNKNOWN = Row("unknown", "there", 1, 1e-12, None, None, "published", "")


def test_the_figure_by_hand():
    assert energy_per_bit_per_area(2e-12, 800e-12, 8) == pytest.approx(2e-22, rel=1e-12, abs=0)
    assert WORD.product == pytest.approx(2e-22, rel=1e-12, abs=0)
    assert WORD.density == pytest.approx(2e-12 / 100e-12)
    assert WORD.product_per_rate == pytest.approx(2e-12 * 800e-12 / 4e8, rel=1e-12, abs=0)
    assert (UNKNOWN.product, UNKNOWN.density, UNKNOWN.product_per_rate) == (None, None, None)
    assert replace(WORD, area=0.0).product is None


def test_which_readings_rank():
    """Drawn twice as large a generator is worse by the product and better by the density; two side by side are as good
    as one by the product for each rate."""  # fmt: skip
    larger = replace(SERIAL, area=1000e-12)
    assert larger.product > SERIAL.product
    assert larger.density < SERIAL.density
    two = replace(SERIAL, area=1000e-12, throughput=4e8)
    assert two.product_per_rate == pytest.approx(SERIAL.product_per_rate, rel=1e-12, abs=0)


def test_break_even_by_hand():
    """2 pJ x 100 um2 against 1 pJ x 500 um2 is 2.5 times better: 400 times are missing for 1000."""
    (found,) = break_even([WORD, SERIAL, UNKNOWN], "word", 1000)
    assert found.against == "serial"
    assert found.ratio == pytest.approx(2.5)
    assert found.missing == pytest.approx(400)
    assert found.each == pytest.approx(20)
    assert found.energy == pytest.approx(5e-15, rel=1e-9, abs=0)
    assert found.area_per_bit == pytest.approx(0.25e-12, rel=1e-9, abs=0)
    assert found.energy * 100e-12 == pytest.approx(SERIAL.product / 1000, rel=1e-9, abs=0)
    assert "5 fJ a bit at the same area, or 0.25 um2 a bit" in str(found)
    with pytest.raises(InputError, match="no row 'other'; there are word, serial"):
        break_even([WORD, SERIAL], "other")
    with pytest.raises(InputError, match="unknown: energy or area is not known"):
        break_even([WORD, UNKNOWN], "unknown")


def test_bad_figures():
    for values in ((-1.0, 1.0, 1), (1.0, -1.0, 1), (1.0, 1.0, 0)):
        with pytest.raises(InputError, match="must not be negative"):
            energy_per_bit_per_area(*values)


# --- areas ---------------------------------------------------------------------------------------------------


def test_breakdown():
    """Of a word's cells only the access transistors count here, one a bit and not those of the references."""
    word = breakdown(MeramWord(GF180, card=MERAM, bits=4), 4, fake_area)
    assert word.cells == pytest.approx(4e-12, rel=1e-9, abs=0)
    assert word.total == pytest.approx(fake_area(MeramWord(GF180, card=MERAM, bits=4)), rel=1e-12, abs=0)
    assert word.per_bit == word.total / 4
    assert word.periphery == word.total - word.cells
    register = breakdown(Lfsr(GF180), 8, fake_area)
    assert register.cells == pytest.approx(8 * fake_area(FlipFlop(GF180)), rel=1e-9, abs=0)
    assert register.cell_share == pytest.approx(144 / 184)
    column = CimColumn(GF180, card=MERAM, rows=4)
    junctions = sum(isinstance(one, MTJ) for part in area._cells(column) for one in part.elements)
    assert junctions == len(column.own_junctions)
    with pytest.raises(InputError, match="has 0 bits"):
        breakdown(Lfsr(GF180), 0, fake_area)


def test_scaling():
    """A register's area is that of its stages, and what it has once; buffers follow the number of stages in steps."""
    words_ = {bits: MeramWord(GF180, card=MERAM, bits=bits) for bits in (4, 6, 8)}
    found = scaling(words_, fake_area)
    column = fake_area(words_[8].column)
    assert found.per_bit == pytest.approx(column, rel=0.02, abs=0)
    assert found.shared > 0
    assert found.at(8) == pytest.approx(fake_area(words_[8]), rel=0.02, abs=0)
    with pytest.raises(InputError, match="two or more sizes"):
        scaling({8: words_[8]}, fake_area)


# --- the comparison ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def word():
    return generators.meram_word(GF180, bits=2)


def test_energy_of_a_word(word):
    """Some pJ a bit; a word of two bits shares its generator among fewer, so it costs more a bit than one of four."""
    assert 1e-12 < word.energy < 1e-11
    assert word.energy > generators.meram_word(GF180, bits=4).energy
    row = generator_row(word, fake_area)
    assert row.area == pytest.approx(fake_area(word.circuit), rel=1e-12, abs=0)
    assert row.throughput == pytest.approx(2 / 18e-9)


def test_energy_of_a_word_is_that_of_running_on(word):
    """Of the third of four cycles, which has one before and one behind it: the same within the trapezoidal rule."""
    circuit, controls = (
        word.circuit,
        (toggling_control(GF180), VcmaTrngCycles(VcmaTrng(GF180, card=MERAM)).perturb_control),
    )
    cycle = (Write(controls[0], all_columns=False), Write(controls[1]), Read())
    bench = WordBench(circuit, (Read(), *cycle * 4), GF180.default_corner, levels=Levels.of(GF180), states=(1, -1))
    run = bench.testbench().run()
    spent = np.interp(bench.timing.slot * np.array([7, 10]), run["time"].values, run["delivered"].values.sum(axis=1))
    assert word.energy == pytest.approx((spent[1] - spent[0]) / 2, rel=2e-3, abs=0)


def test_area_beyond_another_circuit(word):
    less = replace(word, less=word.circuit.column)
    assert generator_row(less, fake_area).area == pytest.approx(
        fake_area(word.circuit) - fake_area(word.circuit.column), rel=1e-9, abs=0
    )


def test_wires_cost_energy(word):
    """Those of the layout: more than no wires, less than twice; the word still reads what it holds (else an error)."""
    drawn = generators.meram_word(GF180, bits=2, wires=generators.drawn_wires())
    assert 1.05 < drawn.energy / word.energy < 2


def test_a_layout_is_drawn_once(monkeypatch):
    circuits = []

    def counted(circuit):
        circuits.append(circuit.name)
        return Parasitics("test", (("q1", "vss", 1e-15),))

    monkeypatch.setattr("mtjspice.layout.post.parasitics", counted)
    wires = generators.drawn_wires()
    for volts in (3.3, 1.8):
        bench = LfsrBench(Lfsr(GF180, bits=2), supply_voltage=volts).testbench()
        assert wires(bench).parasitics.capacitors == (("q1", "vss", 1e-15),)
    assert circuits == ["lfsr2"]


def test_utilisation():
    """Of transistors that take one area each wherever they are: 1."""
    assert baselines.utilisation(GF180, fake_area) == pytest.approx(1)
    halved = baselines.utilisation(GF180, lambda c: fake_area(c) * (2 if isinstance(c, Lfsr) else 1))
    assert halved == pytest.approx(0.5)


def test_breakdown_of_an_array():
    """An operation is of one row, so that its bits share more area than those that are stored."""
    found = {one.name: one for one in area.breakdowns(GF180, fake_area, quick=True)}
    array = found["meram_array_16x8"]
    assert (array.bits, array.at_once) == (128, 8)
    assert array.cells == pytest.approx(128e-12, rel=1e-9, abs=0)
    assert array.per_operation_bit == pytest.approx(16 * array.per_bit, rel=1e-12, abs=0)
    assert "meram_array_64x64" not in found
    assert found["cell_1t1m"].cell_share == 1
    assert found["meram_word8"].per_operation_bit == found["meram_word8"].per_bit


@pytest.mark.slow
def test_comparison():
    """Every row of this project has the figure; the published ones that say enough have it."""
    found = generators.generators(GF180)
    columns = {one.name: one for one in found}
    assert columns["P-bit in situ, drawn"].energy == pytest.approx(315e-15, rel=0.01, abs=0)
    assert columns["P-bit in situ, cycle"].energy == pytest.approx(1212e-15, rel=0.01, abs=0)
    rows = comparison(GF180, fake_area, found=found, supplies=(3.3, 1.8))
    assert len({row.name for row in rows}) == len(rows) == len(found) + 14 + len(PUBLISHED)
    assert all(row.product for row in rows if row.status != "published")
    energies = {row.name: row.energy for row in rows}
    for name in ("LFSR-8", "LFSR-16", "LFSR-32", "ChaCha8", "ChaCha20", "Philox4x32-10"):
        ratio = energies[f"{name}, 3.3 V"] / energies[f"{name}, 1.8 V"]
        assert ratio == pytest.approx((3.3 / 1.8) ** 2, rel=0.25)
    against = {one.against: one.ratio for one in break_even(rows, "MeRAM word, 8 bits")}
    assert against["LFSR-8, 3.3 V"] == pytest.approx(
        next(r.product for r in rows if r.name == "LFSR-8, 3.3 V")
        / next(r.product for r in rows if r.name == "MeRAM word, 8 bits")
    )


def test_generators_are_values():
    one = Generator("x", Lfsr(GF180), 8, 1e-12, 1e-8, "")
    assert generator_row(one, lambda circuit: 1e-10) == Row("x", "gf180mcu", 8, 1e-12, 1e-10, 8e8, "measured", "")
