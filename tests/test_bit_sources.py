"""Sources of bits: known answers, reading in pieces, the emulator's imperfections, what is refused.

Statistical checks use fixed seeds; each states how often it would fail by chance if the seed were drawn anew.
"""

import math
import os

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit, logit

from mtjspice.bits.sources import catalogue, junctions, primitive
from mtjspice.bits.sources.base import StreamExhaustedError
from mtjspice.bits.sources.catalogue import open_source
from mtjspice.bits.sources.emulated import EmulatedSource, Feedback, Imperfections
from mtjspice.bits.sources.generators import (
    CipherSource,
    Congruence,
    CongruentialSource,
    NumpySource,
    StreamSource,
)
from mtjspice.bits.sources.lfsr import LfsrSource
from mtjspice.bits.specifications import describe
from mtjspice.bits.stream import BitStream
from mtjspice.device.chain import ChainModel
from mtjspice.device.half_voltage import half_voltage
from mtjspice.device.switching import switching_probability
from mtjspice.errors import InputError

SPECIFICATIONS = (
    "pcg64", "philox", "sfc64", "mt19937", "aes-ctr", "chacha20", "lcg:ansi-c", "lcg:minstd", "lcg:mmix", "lfsr:5",
    "lfsr:100,form=galois", "emulated:fair", "emulated:fair,p=0.3,lanes=3",
    "emulated:fair,lanes=5,spread=0.3,walk=0.01,flicker=0.2,heating=0.5,stuck=0.4,feedback=row,row=2,interval=10,"
    "slowest=1e4",
)  # fmt: skip


def chain(p01, p10=None):
    return ChainModel(np.array([p01]), np.array([1 - p01 if p10 is None else p10]))


class TestAllSources:
    @pytest.mark.parametrize("text", SPECIFICATIONS)
    def test_pieces_make_the_whole(self, text):
        whole = open_source(text, 7).read(2000)
        source = open_source(text, 7)
        parts = [source.read(n) for n in (1, 0, 999, 3, 997)]
        np.testing.assert_array_equal(np.concatenate(parts), whole)
        chunks = open_source(text, 7).chunks(8 * 1999 + 1, 600)
        assert [chunk.size for chunk in chunks] == [600, 600, 600, 200]

    @pytest.mark.parametrize("text", SPECIFICATIONS)
    def test_seeds_differ_and_repeat(self, text):
        first, again, other = (open_source(text, seed).read(500) for seed in (7, 7, 8))
        np.testing.assert_array_equal(first, again)
        assert not np.array_equal(first, other)

    def test_streams_say_where_they_come_from(self):
        stream = open_source("emulated:fair,p=0.3,lanes=4,spread=0.1", 9).stream(1001)
        assert (stream.length, stream.lanes, stream.origin) == (1001, 4, "emulated")
        assert stream.provenance == {"source": "emulated", "seed": 9, "spread": 0.1, "probability": 0.3}
        assert open_source("os", 1).stream(10).origin == "operating-system"
        assert open_source("pcg64", 1).empty().length == 0
        with pytest.raises(InputError, match="must not be negative"):
            open_source("pcg64", 1).stream(-1)


class TestGenerators:
    def test_numpy_words_come_most_significant_bit_first(self):
        for name, width in (("pcg64", 64), ("mt19937", 32)):
            words = getattr(np.random, name.upper())(5).random_raw(100)
            bits = NumpySource(name, 5).stream(100 * width).bits().reshape(100, width)
            values = [int("".join(map(str, row)), 2) for row in bits.tolist()]
            assert values == words.tolist()

    def test_chacha20_of_rfc_8439(self):
        """Section 2.4.2: the key stream that encrypts the text, counter 1."""
        nonce = bytes.fromhex("01000000" + "000000000000004a00000000")
        stream = CipherSource("chacha20", 0, bytes(range(32)), nonce).read(16)
        assert stream.tobytes().hex() == "224f51f3401bd9e12fde276fb8631ded"

    def test_aes_ctr_of_sp_800_38a(self):
        """F.5.5: output of AES-256 for the first counter block."""
        key = bytes.fromhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4")
        nonce = bytes.fromhex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")
        stream = CipherSource("aes-ctr", 0, key, nonce).read(16)
        assert stream.tobytes().hex() == "0bdf7df1591716335e9a8b15c860c502"
        with pytest.raises(InputError, match="a key of 32 bytes"):
            CipherSource("aes-ctr", 0, bytes(16))

    @pytest.mark.parametrize("name", ["ansi-c", "ansi-c-low", "randu", "minstd", "mmix"])
    def test_congruences(self, name):
        from mtjspice.bits.sources.generators import CONGRUENCES

        c = CONGRUENCES[name]
        state, bits = 4 + 1, []
        for _ in range(50):
            state = (c.multiplier * state + c.increment) % c.modulus
            bits += [int(b) for b in f"{state >> c.shift & (2**c.width - 1):0{c.width}b}"]
        expected = np.array(bits[:400], np.uint8)
        np.testing.assert_array_equal(CongruentialSource(name, 4).stream(400).bits(), expected)

    def test_minstd_reaches_its_published_check_value(self):
        """Park, Miller and Stockmeyer 1993: from 1, after 10,000 steps of 48271, 399268537."""
        bits = CongruentialSource("minstd", 0).stream(31 * 10_000).bits()[-31:]
        assert int("".join(map(str, bits.tolist())), 2) == 399268537

    @pytest.mark.parametrize(
        ("constants", "message"),
        [
            ((3, 1, 2**40, 0, 8), "modulus of an LCG"),
            ((3, 1, 1, 0, 1), "modulus of an LCG"),
            ((0, 1, 16, 0, 1), "must lie below its modulus"),
            ((3, 16, 16, 0, 1), "must lie below its modulus"),
            ((3, 1, 16, 2, 3), "has bits 0 to 3, not 2 to 4"),
        ],
    )
    def test_bad_congruences(self, constants, message):
        with pytest.raises(InputError, match=message):
            Congruence(*constants)

    def test_a_congruence_that_would_stay_at_zero(self):
        with pytest.raises(InputError, match="state 0"):
            CongruentialSource(Congruence(3, 0, 8, 0, 3), 7)

    def test_a_stream_ends(self):
        source = StreamSource(BitStream.from_bits(np.ones(20), "emulated", {"seed": 1}, lanes=2))
        assert source.stream(8).bits().tolist() == [1] * 8
        with pytest.raises(StreamExhaustedError, match="16 bits were asked for, 12 of 20 are left"):
            source.read(2)
        assert source.available(100) == 12
        assert source.read(1).tolist() == [255]
        assert source.stream(4).bits().tolist() == [1] * 4
        assert source.available(100) == 0
        pieces = StreamSource(BitStream.from_bits(np.ones(20), "emulated", {})).chunks(20, 1)
        assert [piece.tolist() for piece in pieces] == [[255], [255], [240]]


class TestShiftRegisters:
    def test_fibonacci_and_galois_registers_step_by_step(self):
        """The textbook programs for x^16 + x^14 + x^13 + x^11 + 1 from the state 0xACE1."""
        state, expected = 0xACE1, []
        for _ in range(200):
            expected.append(state & 1)
            bit = (state ^ state >> 2 ^ state >> 3 ^ state >> 5) & 1
            state = state >> 1 | bit << 15
        assert LfsrSource(16, state=0xACE1).stream(200).bits().tolist() == expected
        state, expected = 0xACE1, []
        for _ in range(200):
            expected.append(state & 1)
            state = state >> 1 ^ (0xB400 if state & 1 else 0)
        assert LfsrSource(16, state=0xACE1, form="galois").stream(200).bits().tolist() == expected

    @pytest.mark.parametrize("form", ["fibonacci", "galois"])
    @pytest.mark.parametrize("length", range(2, 15))
    def test_default_taps_give_the_longest_period(self, length, form):
        period = 2**length - 1
        bits = LfsrSource(length, 3, form=form).stream(2 * period + length).bits()
        windows = {bits[k : k + length].tobytes() for k in range(period)}
        assert len(windows) == period  # every state but zero occurs
        np.testing.assert_array_equal(bits[:period], bits[period : 2 * period])

    def test_all_taps_on_record_are_primitive(self):
        assert [n for n in range(2, 129) if primitive.shortcoming(primitive.taps(n))] == []

    @pytest.mark.parametrize(
        ("taps", "reason"),
        [
            ((8, 4), "reducible"),
            ((4, 2, 1), "odd number"),
            ((4, 3, 2, 1), "the period divides 5"),  # irreducible, but not primitive
            ((16, 15, 13, 4), ""),
            ((3, 2), ""),
        ],
    )
    def test_taps_are_judged(self, taps, reason):
        found = primitive.shortcoming(taps)
        assert reason in found
        assert bool(reason) == bool(found)
        if reason:
            with pytest.warns(UserWarning, match=reason):
                LfsrSource(taps[0], taps=taps, state=1)
        else:
            LfsrSource(taps[0], taps=taps)

    def test_the_period_that_is_named_is_right(self):
        with pytest.warns(UserWarning, match="divides 5"):
            bits = LfsrSource(4, taps=(4, 3, 2, 1), state=1).stream(20).bits()
        np.testing.assert_array_equal(bits[:15], bits[5:])

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"length": 16, "state": 0}, "zero is never left"),
            ({"length": 16, "state": 1 << 16}, "between 1 and 2"),
            ({"length": 1}, "2 to 4096 stages"),
            ({"length": 5000}, "2 to 4096 stages"),
            ({"length": 300}, "no taps are on record"),
            ({"length": 16, "taps": (15, 3)}, "include 16"),
            ({"length": 16, "taps": (16, 16)}, "different numbers"),
            ({"length": 16, "taps": (16, 0)}, "different numbers"),
            ({"length": 16, "form": "ring"}, "fibonacci, galois"),
        ],
    )
    def test_bad_registers(self, arguments, message):
        with pytest.raises(InputError, match=message):
            LfsrSource(**arguments)


class TestEmulator:
    def test_fair_devices(self):
        """A million bits: ones and lag-1 correlation within 4.5 standard errors (7e-6 each)."""
        bits = EmulatedSource(chain(0.5), 1, 16).stream(1_000_000).bits()
        assert abs(bits.mean() - 0.5) < 4.5 * 0.0005
        table = bits.reshape(-1, 16) - 0.5
        assert abs((table[1:] * table[:-1]).mean()) < 4.5 * 0.25 / math.sqrt(1e6)

    def test_a_chain_with_memory(self):
        """Stationary law and lag-1 correlation of p01 = 0.2, p10 = 0.4, within 4.5 standard errors."""
        bits = EmulatedSource(chain(0.2, 0.4), 1).stream(1_000_000).bits()
        one, memory = 1 / 3, 0.4
        inflated = one * (1 - one) * (1 + memory) / (1 - memory)
        assert abs(bits.mean() - one) < 4.5 * math.sqrt(inflated / 1e6)
        assert abs(bits[1:][bits[:-1] == 0].mean() - 0.2) < 4.5 * math.sqrt(0.16 / 666_000)

    def test_spread_between_devices(self):
        """Logits of 2000 devices from 40,000 bits each: standard deviation 0.3 within 4.5 standard errors."""
        source = EmulatedSource(chain(0.6), 1, 2000, Imperfections(spread=0.3))
        p = source.cycles(40_000).mean(axis=0)
        found = logit(p)
        np.testing.assert_allclose(found, logit(0.6) + source.shifts(), atol=5.5 * 0.5 / math.sqrt(40_000) / 0.2)
        assert abs(found.std() - 0.3) < 4.5 * 0.3 / math.sqrt(2 * 2000) + 0.001
        assert abs(found.mean() - logit(0.6)) < 4.5 * 0.3 / math.sqrt(2000)

    def test_a_walk_grows_with_the_root_of_time(self):
        """Shifts of 4000 devices after n cycles: standard deviation walk sqrt(n) within 4.5 standard errors."""
        source = EmulatedSource(chain(0.5), 1, 4000, Imperfections(walk=0.01, interval=100))
        for total in (1000, 4000):
            source.cycles(total - (1000 if total == 4000 else 0))
            expected = 0.01 * math.sqrt(total)
            assert source.shifts().std() == pytest.approx(expected, rel=4.5 / math.sqrt(8000))

    def test_flicker_is_one_over_f(self):
        """Periodogram of the shifts of 2000 devices: slope -1, and the variance of a decade is the setting's square.

        Means over the devices have errors of 2 % a frequency; the sum of octaves ripples by less than 2 %.
        """
        flaws = Imperfections(flicker=0.1, slowest=1e6, interval=10)
        source = EmulatedSource(chain(0.5), 1, 2000, flaws)
        steps = 2048
        shifts = np.empty((steps, 2000))
        for k in range(steps):
            shifts[k] = source.shifts()
            source._step()
        power = (np.abs(np.fft.rfft(shifts, axis=0)) ** 2).mean(axis=1) / steps**2
        k = np.arange(4, 200)
        slope = np.polyfit(np.log(k), np.log(2 * power[k]), 1)[0]
        assert slope == pytest.approx(-1, abs=0.06)
        # density A / f: a decade holds A ln 10
        assert math.exp(np.mean(np.log(2 * power[k] * k))) * math.log(10) == pytest.approx(0.01, rel=0.08)

    def test_heating_gives_the_memory_of_an_arma_process(self):
        """For small coupling c: x = (c/2) h + noise, h' = r h + (1 - r) x, an ARMA(1, 1) process.

        Correlations at lags 1 to 20 of 4e6 bits within 4.5 standard errors (1e-4 in all), c = 0.2.
        """
        c, memory = 0.2, 5.0
        bits = EmulatedSource(chain(0.5), 2, 1, Imperfections(heating=c, memory=memory)).stream(4_000_000).bits()
        x = 2.0 * bits - 1
        r = math.exp(-1 / memory)
        phi = r + (1 - r) * c / 2
        # variance of h with unit noise of variance s^2 = 1 - (c/2)^2 var(h)
        ratio = (1 - r) ** 2 / (1 - phi**2)
        noise = 1 / (1 + c * c / 4 * ratio)
        heat = ratio * noise
        expected = [(c / 2) * (phi ** (k - 1)) * (phi * heat * c / 2 + (1 - r) * noise) for k in range(1, 21)]
        found = [float(np.mean(x[k:] * x[:-k])) for k in range(1, 21)]
        np.testing.assert_allclose(found, expected, atol=4.5 / math.sqrt(4e6) + 2e-4)
        assert found[0] > 0.015

    def test_negative_heating_anticorrelates(self):
        x = 2.0 * EmulatedSource(chain(0.5), 2, 1, Imperfections(heating=-0.5)).stream(200_000).bits() - 1
        assert np.mean(x[1:] * x[:-1]) < -0.01

    def test_stuck_devices(self):
        table = EmulatedSource(chain(0.5), 3, 50, Imperfections(stuck=0.2)).cycles(200)
        assert np.count_nonzero(table.all(axis=0)) == 5
        assert np.count_nonzero((table == 0).all(axis=0)) == 5

    def test_feedback_removes_the_spread(self):
        """Corrections settle on minus the shifts; what stays is the noise of counting, as the class says."""
        control = Feedback("device", gain=0.25)
        source = EmulatedSource(chain(0.7), 1, 3000, Imperfections(spread=0.5, feedback=control, interval=400))
        source.cycles(400 * 60)
        p = expit(logit(0.7) + source.shifts())
        predicted = math.sqrt(0.25 / 1.75 / (4 * 400))
        assert abs(p.mean() - 0.5) < 4.5 * predicted / math.sqrt(3000) + 1e-3
        assert p.std() == pytest.approx(predicted, rel=4.5 / math.sqrt(6000) + 0.03)

    @pytest.mark.parametrize(("scope", "group"), [("row", 10), ("global", 200)])
    def test_shared_feedback_holds_the_mean_only(self, scope, group):
        control = Feedback(scope, gain=0.5, row=10)
        source = EmulatedSource(chain(0.7), 1, 200, Imperfections(spread=0.5, feedback=control, interval=1000))
        source.cycles(30_000)
        p = expit(logit(0.7) + source.shifts()).reshape(-1, group)
        error = math.sqrt(0.5 / 1.5 / (4 * group * 1000))
        assert np.abs(p.mean(axis=1) - 0.5).max() < 5.5 * error  # 20 rows: false alarm 1e-6
        assert p.std(axis=1).mean() > 0.08  # the spread inside a group is still there

    def test_feedback_through_a_coarse_dac(self):
        control = Feedback("device", gain=0.5, step=0.2, reach=0.6)
        source = EmulatedSource(chain(0.8), 1, 500, Imperfections(feedback=control))
        source.cycles(20_000)
        np.testing.assert_allclose(source.shifts() / 0.2, np.rint(source.shifts() / 0.2), atol=1e-9)
        assert source.shifts().min() == pytest.approx(-0.6)  # logit 0.8 is 1.39: out of reach

    @pytest.mark.parametrize(
        ("build", "message"),
        [
            (lambda: Imperfections(spread=-1), "spread must lie"),
            (lambda: Imperfections(walk=math.nan), "walk must lie"),
            (lambda: Imperfections(stuck=1.5), "between 0 and 1"),
            (lambda: Imperfections(heating=20), "heating"),
            (lambda: Imperfections(memory=0), "memory"),
            (lambda: Imperfections(interval=0), "interval"),
            (lambda: Imperfections(slowest=10), "slowest flicker"),
            (lambda: Imperfections(slowest=1e300), "slowest flicker"),
            (lambda: Imperfections(spread=1e300), "spread must lie between 0 and 100"),
            (lambda: Feedback("column"), "available: device, global, row"),
            (lambda: Feedback(gain=2), "gain 2"),
            (lambda: Feedback(row=0), "rows of 1 device"),
            (lambda: EmulatedSource(chain(0.5), 1, 0), "1 to 16777216 lanes"),
            (lambda: EmulatedSource(chain(0.5), -1), "seed -1"),
            (lambda: EmulatedSource(ChainModel(np.ones(2), np.ones(2)), 1, 3), "model of 2 devices"),
        ],
    )
    def test_bad_settings(self, build, message):
        with pytest.raises(InputError, match=message):
            build()


class TestJunctions:
    def test_half_voltage(self):
        found = half_voltage("stt_trng_10ns")
        assert found.pulse_width == 1e-8
        there, further = switching_probability(
            "stt_trng_10ns", [found.voltage, found.voltage - 0.2 * found.slope], 1e-8
        ).probability.values[:, 0]
        assert there == pytest.approx(0.5, abs=2e-3)
        assert logit(further) - logit(there) == pytest.approx(0.2, rel=0.05)
        with pytest.raises(InputError, match="a half voltage needs 1/2"):
            half_voltage("stt_trng_10ns", 1e-10)

    def test_macrospin_and_emulator_agree(self):
        """Toggling without reset: transition counts of 8 junctions x 150 pulses against the Fokker-Planck chain.

        Chi-square of p01 and p10 together: false alarm 1e-4.
        """
        pulse = junctions.perturbation("meram100", 1.2, 5e-10, "toggle")
        model = junctions.chain_model(pulse)
        source = junctions.MacrospinSource(pulse, 5, 8)
        table = source.cycles(151)
        before, after = table[:-1].ravel(), table[1:].ravel()
        z = []
        for state, p in ((0, model.p01[0]), (1, 1 - model.p10[0])):
            n = int(np.count_nonzero(before == state))
            z.append((int(after[before == state].sum()) - n * p) / math.sqrt(n * p * (1 - p)))
        assert stats.chi2.sf(sum(value**2 for value in z), 2) > 1e-4
        assert source.stream(80).provenance["card"] == "meram100"

    def test_reset_cycles_are_independent_of_how_they_are_read(self):
        pulse = junctions.perturbation("stt_trng_10ns", -0.28, 1e-8)
        whole = junctions.MacrospinSource(pulse, 5, 3).read(50)
        source = junctions.MacrospinSource(pulse, 5, 3)
        np.testing.assert_array_equal(np.concatenate([source.read(20), source.read(30)]), whole)
        # P = 0.5 within 4.5 standard errors (7e-6)
        assert abs(np.unpackbits(whole).mean() - 0.5) < 4.5 * 0.5 / math.sqrt(400)

    def test_emulated_card(self):
        source = open_source("emulated:stt_trng_10ns,voltage=-0.28,pulse-width=10ns", 1)
        expected = switching_probability("stt_trng_10ns", -0.28, 1e-8).probability.item()
        # false alarm 7e-6
        assert abs(source.stream(400_000).ones_fraction - expected) < 4.5 * 0.5 / math.sqrt(4e5)
        assert source.provenance["cycle"] == "reset"


class TestSpecifications:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("dice", "unknown source 'dice'; available: aes-ctr"),
            ("pcg64:3", "expected pcg64"),
            ("lfsr", "expected lfsr:LENGTH"),
            ("lfsr:x", "'x' is not a whole number"),
            ("lfsr:1.5", "'1.5' is not a whole number"),
            ("pcg64,x=1", "it takes no settings"),
            ("emulated:fair,lanes", "expected name=value"),
            ("emulated:fair,colour=1", "unknown setting of the source emulated 'colour'"),
            ("emulated:fair,lanes=2,lanes=3", "given twice"),
            ("emulated:fair,p=1.5", "between 0 and 1, not 1.5"),
            ("emulated:fair,p=-0.1", "between 0 and 1"),
            ("emulated:meram100,p=0.5", "in place of a card"),
            ("emulated:meram100,voltage=1ns", "wrong unit"),
            ("emulated:nocard", "unknown card"),
            ("macrospin:meram100,voltage=1,pulse-width=1ns,cycle=twice", "unknown cycle 'twice'"),
            ("file:missing.bin", "cannot read missing.bin"),
            ("lcg:dice", "unknown LCG 'dice'"),
            ("lcg:randu,modulus=8", "lcg:custom takes others"),
            ("lcg:custom,modulus=8", "needs a multiplier and a modulus"),
            ("lcg:custom,multiplier=5,modulus=8,shift=3", "has bits 0 to 2"),
            ("pcg64", "seed 4294967296 is out of range"),
        ],
    )
    def test_what_is_refused(self, text, message):
        with pytest.raises(InputError, match=message):
            open_source(text, 2**32 if text == "pcg64" else 1)

    def test_numbers_are_read_as_people_write_them(self):
        fast = open_source("lfsr:0x10,state=0xACE1,taps=16.14.13.11", 1)
        np.testing.assert_array_equal(fast.read(10), LfsrSource(16, state=0xACE1).read(10))
        assert open_source("emulated:fair,interval=1e3", 1).lanes == 1
        custom = open_source("lcg:custom,multiplier=65539,modulus=2147483648", 1)
        np.testing.assert_array_equal(custom.read(100), open_source("lcg:randu", 1).read(100))

    def test_files_are_sources(self, tmp_path):
        (tmp_path / "raw").write_bytes(os.urandom(64) + b"\xff")
        source = open_source(f"file:{tmp_path / 'raw'},format=binary", 1)
        assert source.read(65)[-1] == 255
        assert source.origin == "unknown"

    def test_help_names_every_setting(self):
        listed = {one.usage: one for one in describe(catalogue.KINDS, "seed")}
        assert "lfsr:LENGTH" in listed
        assert ("lanes=1", "devices that take turns") in listed["emulated:CARD"].settings
        assert ("temperature=300", "temperature (K)") in listed["emulated:CARD"].settings
        assert all(one.text for one in listed.values())
        assert all(about for one in listed.values() for _, about in one.settings)
