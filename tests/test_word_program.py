"""Pulse programs on the transistor circuit of a MeRAM word: selected columns, calibration, words."""

import numpy as np
import pytest

from mtjspice.circuits import rendering
from mtjspice.circuits.benches.word import Levels, Read, WordBench, Write
from mtjspice.circuits.benches.word_program import Transient, WordConditions, selectable_word
from mtjspice.circuits.library.meram import MeramColumn, MeramWord
from mtjspice.circuits.technology import technology
from mtjspice.device.card import load_card
from mtjspice.errors import InputError
from mtjspice.generative.encodings.measured import measured_words
from mtjspice.generative.encodings.switching_curve import SwitchingCurve
from mtjspice.generative.pulse_program import pulse_program
from mtjspice.reports import word_programs, word_runs
from mtjspice.statistics import wilson
from mtjspice.studies import noise_words
from mtjspice.studies.noise_words import Level, Made, Schedule, make, schedule
from mtjspice.studies.word_calibration import Calibration

CARD = load_card("meram100")
TECHNOLOGY = technology("gf180mcu")
VOLTS = np.linspace(0.7, 1.3, 33)


def program(encoding):
    """For meram100 and 0.894 ns, by a logistic curve that is near the solution of the Fokker-Planck equation."""
    rising, falling = (1 / (1 + np.exp(-(VOLTS - half) / 0.038)) for half in (0.986, 0.98))
    return pulse_program(CARD, encoding, curve=SwitchingCurve("voltage", 8.94e-10, VOLTS, rising, falling))


def calibration(trials=20_000, by="voltage"):
    """Counts of a bent curve, drawn with a fixed seed."""
    levels = np.linspace(0.85, 1.1, 9)
    rng = np.random.default_rng(3)
    rising, falling = (rng.binomial(trials, curve(levels if by == "voltage" else levels[::-1], s)) for s in (0, 0.01))
    ones = np.ones(9)
    return Calibration(by, 1.3, levels, rising, falling, trials, 0.98 * levels, 9e-10 * ones, 0.001)


def curve(level, shift=0.0):
    """Switching probability of the junction that `calibration` counts."""
    x = (np.asarray(level) - 0.99 + shift) / 0.04
    return 1 / (1 + np.exp(-x + 0.08 * x**2))


@pytest.fixture(scope="module")
def conditions():
    """A word of four selectable columns."""
    return WordConditions(selectable_word(TECHNOLOGY, CARD, 4))


@pytest.fixture(scope="module")
def prepared(conditions):
    """product:4 calibrated on the circuit with 4,000 macrospins a level."""
    return word_programs.prepare(program("product:4"), conditions, trials=4000)


class TestSelect:
    def test_the_default_word_has_no_select(self):
        word = MeramWord(TECHNOLOGY, card=CARD, bits=4)
        assert word.selects == ()
        assert "select" not in rendering.text(word, 300.0)
        assert "nand3" not in rendering.text(word, 300.0)

    def test_a_selectable_column_costs_one_input_of_its_gate(self):
        plain, selectable = (MeramColumn(TECHNOLOGY, card=CARD, select=one) for one in ("none", "input"))
        assert len(selectable.ports()) == len(plain.ports()) + 1
        assert "nand3" in rendering.text(selectable, 300.0)
        assert selectable.part("gate").strength == plain.part("gate").strength

    def test_columns_of_a_plain_word_cannot_be_chosen(self):
        word = MeramWord(TECHNOLOGY, card=CARD, bits=4)
        with pytest.raises(InputError, match="can be selected"):
            WordBench(word, (Write(1.2, columns=(0,)),), "typical")

    def test_levels_and_columns_out_of_range_are_refused(self, conditions):
        with pytest.raises(InputError, match=r"column 4 is out of range; meram_word4 has 0 to 3"):
            conditions.bench([Write(1.2, columns=(4,))])
        with pytest.raises(InputError, match=r"write rail 2.6 V is out of range"):
            conditions.bench([Write(1.2, rail=2.6)])

    def test_rail_and_selects_follow_the_schedule(self, conditions):
        bench = conditions.bench([Read(), Write(1.2), Write(1.2, rail=0.9, columns=(2,)), Read()])
        slot = bench.timing.slot
        at = np.array([1, 2]) * slot + bench.timing.trigger
        rail, select0, select2 = (
            np.interp(at, *np.transpose(points))
            for points in (bench.write_rail(), bench.stimulus()["select0"], bench.stimulus()["select2"])
        )
        np.testing.assert_allclose(rail, [Levels().write_rail, 0.9])
        np.testing.assert_allclose(select0, [3.3, 0.0])
        np.testing.assert_allclose(select2, [3.3, 3.3])


class TestCalibration:
    def test_the_fit_lies_within_its_error(self):
        """The bound holds two standard errors everywhere; a fixed seed."""
        found = calibration()
        at = np.linspace(0.86, 1.09, 50)
        rising, falling = found.probabilities(at)
        assert found.error < 0.015
        assert np.abs(rising - curve(at)).max() < found.error
        assert np.abs(falling - curve(at, 0.01)).max() < found.error

    def test_fewer_trials_give_a_larger_error(self):
        assert calibration(1000).error > 3 * calibration(100_000).error

    @pytest.mark.parametrize("by", ["voltage", "width"])
    def test_levels_give_what_was_asked_for(self, by):
        found = calibration(by=by)
        wanted = np.array([0.05, 0.2, 0.5])
        levels = found.invert(wanted)
        np.testing.assert_allclose(found.probabilities(levels)[0], wanted, atol=1e-4)
        assert (np.sign(np.diff(levels)) == (1 if by == "voltage" else -1)).all()

    def test_probabilities_out_of_reach_are_refused(self):
        with pytest.raises(InputError, match=r"switches with the probability 0.999; it reaches"):
            calibration().invert(0.999)


class TestSchedule:
    def test_equal_levels_share_a_slot(self):
        wanted = [(0, -1, 0.5, False), (1, -1, 0.0, False), (2, -1, 0.2, False), (3, -1, 0.5, True)]
        found = schedule(calibration(), 4, wanted, 3, 1.2)
        writes = [one for one in found.word() if isinstance(one, Write)]
        assert [one.columns for one in writes] == [None, *([(0, 3), (2,)] * 3)]  # a reset, three pulses a column
        assert writes[1].rail == pytest.approx(float(calibration().invert(0.5)))
        assert (found.slots, len(found.word())) == (8, 8)

    def test_levels_are_rounded(self):
        found = schedule(calibration(), 1, [(0, -1, 0.3, False)], 1, 1.2, step=0.02)
        assert found.levels[0].level / 0.02 == pytest.approx(round(found.levels[0].level / 0.02))

    def test_a_tree_follows_the_bits(self, conditions, monkeypatch):
        """Rails above 1 V switch: 0 is not switched, 1 after 0 is, 2 after 01 is but inverted, 3 after 010 is."""
        switching = {(0, 0): 0.9, (1, 0): 1.1, (2, 1): 1.1, (3, 2): 1.1}
        levels = tuple(
            Level(bit, prefix, switching.get((bit, prefix), 0.8), (bit, prefix) == (2, 1))
            for bit in range(4) for prefix in range(2**bit)
        )  # fmt: skip
        calls = []

        def fake(conditions, operations, seed, initial=None, worker=None):
            calls.append((operations, seed))
            before, bits = np.ones((len(operations), 4), np.int8), []
            state = np.ones(4, np.int8) if initial is None else np.sign(initial[:, 2]).astype(np.int8)
            after = before.copy()
            for k, one in enumerate(operations):
                before[k] = state
                if isinstance(one, Read):
                    bits.append(state < 0)
                elif one.columns is None:
                    state = np.ones(4, np.int8)
                elif one.rail > 1:
                    state = np.where(np.isin(np.arange(4), one.columns), -state, state).astype(np.int8)
                after[k] = state
            m = np.stack([0 * state, 0 * state, state], axis=1).astype(float)
            states = np.where(np.array(bits), -1, 1).astype(np.int8)
            return Transient(np.array(bits, np.uint8), states, before, after, np.ones(len(operations)), m)

        monkeypatch.setattr(noise_words, "cosimulate", fake)
        found = list(make(conditions, Schedule(4, "voltage", 1.3, levels, 1, 1.2), 2, 1))
        assert [one.bits.tolist() for one in found] == [[[0, 1, 0, 1]]] * 2
        assert found[1].stored.tolist() == [[0, 1, 1, 1]]
        assert found[0].energy.tolist() == [9.0]  # reset, four pulses, four reads; the read that tells the latches not
        total = found[0] + found[1]
        assert (total.rises.sum(axis=0).tolist(), total.unreset, total.misread) == ([8, 6], 0, 0)
        assert len({seed for _, seed in calls}) == len(calls) == 8

    def test_what_no_word_can_be_is_refused(self, conditions):
        levels = tuple(Level(bit, -1, 1.0, False) for bit in range(5))
        with pytest.raises(InputError, match="must be 1 or more, not 0"):
            next(make(conditions, Schedule(4, "voltage", 1.3, levels[:4], 1, 1.2), 0, 1))
        with pytest.raises(InputError, match="has 5 bits, meram_word4 has 4 columns"):
            next(make(conditions, Schedule(5, "voltage", 1.3, levels, 1, 1.2), 1, 1))
        with pytest.raises(InputError, match="a pulse for every bit"):
            next(make(conditions, Schedule(4, "voltage", 1.3, levels[:3], 1, 1.2), 1, 1))


class TestOnTheCircuit:
    """These run ngspice."""

    def test_the_junction_gets_less_than_the_rail(self, conditions, prepared):
        found = prepared.calibration
        drop = 1 - found.amplitudes / found.levels
        assert ((drop > 0.01) & (drop < 0.05)).all()
        np.testing.assert_allclose(found.widths, prepared.program.fixed, rtol=0.03)

    def test_levels_give_the_programmed_probabilities(self, prepared):
        """The circuit's levels are above the program's voltages, for the drop; probabilities fit within the error."""
        wanted = np.array([one.rising for one in prepared.program.pulses])
        rising, falling = prepared.transitions()
        np.testing.assert_allclose(rising, wanted, atol=1e-3)
        assert (falling > rising).all()  # a junction in AP gets more of the rail
        assert prepared.calibration.error < 0.03
        assert prepared.calibration.reset_failure < 0.01
        assert np.abs(prepared.law().mean) < 0.05

    def test_words_come_with_energy_and_a_measured_law(self, prepared, tmp_path):
        *_, made = word_programs.run(prepared, 2, 1)
        assert made.bits.shape == made.stored.shape == (2, 4)
        np.testing.assert_array_equal(made.bits, made.stored)  # nothing is inverted
        assert ((made.energy > 5e-12) & (made.energy < 50e-12)).all()
        assert made.misread == 0
        assert (made.rises + made.falls)[:, 0].tolist() == [2] * 4  # one pulse a column and word
        assert word_programs.time_per_word(prepared) == pytest.approx(36e-9)
        word_runs.write(prepared, made, 1, tmp_path)
        assert measured_words(tmp_path / "result.json").ones == tuple(made.bits.sum(axis=0).tolist())
        assert len((tmp_path / "words.csv").read_text().splitlines()) == 3
        assert word_runs.figure(prepared, made).axes

    def test_a_column_that_is_not_selected_gets_nothing(self, conditions):
        bench = conditions.bench([Write(1.2, rail=1.0, columns=(1,))]).testbench()
        data = bench.run("resistor")
        largest = [float(np.abs(data[f"v({one.top})"] - data[f"v({one.bottom})"]).max()) for one in bench.junctions()]
        assert largest[1] > 0.95
        assert max(largest[0], *largest[2:]) < 0.02

    @pytest.mark.slow
    def test_bits_have_the_programmed_probabilities(self, prepared):
        """20 words: each bit within the Wilson interval of 4 sigma about its count, the calibration's error added.

        False alarms: 4 bits of 6e-5; the chi-square test of the law fails good words once in 1e4.
        """
        *_, made = word_programs.run(prepared, 20, 11)
        circuit, wanted = word_programs.marginals(prepared)
        error = prepared.calibration.error
        for ones, one, other in zip(made.bits.sum(axis=0).tolist(), circuit, wanted, strict=True):
            found = wilson(ones, 20, 1 - 6.3e-5)
            assert found.low - error < one < found.high + error
            assert found.low - error < other < found.high + error
        assert word_programs.tested(prepared, made).p_value > 1e-4
        assert made.misread <= 1  # about one in a thousand junctions has no state yet


class TestLaw:
    def test_chi_square_tells_wrong_words(self, prepared):
        """1,000 words drawn of the law pass (p > 1e-4: false alarms 1e-4); with one bit always 0 they do not."""
        codes = np.random.default_rng(5).choice(16, 1000, p=prepared.pmf())
        bits = ((codes[:, None] >> np.arange(3, -1, -1)) & 1).astype(np.uint8)
        empty = np.zeros((4, 2), np.int64)

        def p_value(drawn):
            return word_programs.tested(prepared, Made(drawn, drawn, np.zeros(len(drawn)), empty, empty, 0, 0)).p_value

        assert p_value(bits) > 1e-4
        assert p_value(bits * np.array([1, 1, 0, 1], np.uint8)) < 1e-9
