"""Pulse programs: inverting a switching curve, rounding of the DAC, and the law that the pulses give."""

import json
import math

import numpy as np
import pytest
from scipy.special import expit, logit

from mtjspice.device.card import load_card
from mtjspice.device.switching import switching_probability
from mtjspice.errors import InputError
from mtjspice.generative.encodings.programmed import ProductWords, TreeWords
from mtjspice.generative.encodings.switching_curve import SwitchingCurve, _branch, computed
from mtjspice.generative.encodings.toggled import ToggleWords
from mtjspice.generative.pulse_program import Pulse, PulseProgram, Timing, pulse_program

VOLTS = np.linspace(0.6, 1.4, 33)


def logistic(shift=0.0, slope=0.04):
    """Curve of a device whose half voltage is 1 V; AP to P is lower by ``shift`` volts."""
    return SwitchingCurve("voltage", 1e-9, VOLTS, expit((VOLTS - 1) / slope), expit((VOLTS - 1 + shift) / slope))


class TestCurve:
    def test_a_logistic_curve_is_inverted_exactly(self):
        p = np.array([1e-3, 0.05, 0.5, 0.9])
        np.testing.assert_allclose(logistic().invert(p), 1 + 0.04 * logit(p), atol=1e-12)
        assert logistic().error() < 1e-12

    def test_only_the_first_branch_counts(self):
        p = np.sin(np.linspace(0.05, 4, 40)) ** 2 * 0.99
        curve = SwitchingCurve("width", 1.2, np.linspace(1e-10, 4e-9, 40), p, np.full(40, np.nan))
        assert curve.reach[1] == p[:20].max()
        assert (np.diff(curve.rising) > 0).all()
        assert curve.points[-1] < 2e-9
        with pytest.raises(InputError, match=r"no pulse of the first branch switches with the probability 0\.999"):
            curve.invert(0.999)

    def test_error_bounds_what_the_grid_misses(self):
        """A curve that bends in logits: the stated error is at least that against the function itself."""
        x = np.linspace(0.2, 2, 17)
        function = lambda v: 1 - np.exp(-(v**4))  # noqa: E731
        curve = SwitchingCurve("voltage", 1e-9, x, function(x), np.full(17, np.nan))
        fine = np.linspace(0.2, 1.9, 500)
        actual = np.abs(curve.probabilities(fine)[0] - function(fine)).max()
        assert 0 < actual <= curve.error() < 0.02

    def test_of_a_card_it_agrees_with_the_equation(self):
        """Spin torque, 10 ns: pulses for five probabilities switch with them, to the stated error and tolerance."""
        card = load_card("stt_trng_10ns")
        curve = computed(card, points=17, tolerance=1e-4)
        wanted = np.array([0.01, 0.1, 0.3, 0.5, 0.8])
        volts = curve.invert(wanted)
        assert (volts < 0).all()
        found = switching_probability(card, volts, curve.fixed, tolerance=1e-5).probability.values[:, 0]
        assert curve.error() < 5e-3
        np.testing.assert_allclose(found, wanted, atol=curve.error() + 2e-4)

    def test_branch_reaches_down_to_where_nothing_switches(self):
        """Of a steep curve, and of one that has risen before the search's first point."""
        for half, slope in ((1.0, 0.04), (0.05, 0.02)):
            low, high = _branch(lambda v, h=half, s=slope: expit((v - h) / s), 0.0, 3.0, "test")
            assert low == 0 or expit((low - half) / slope) < 1e-3
            assert expit((high - half) / slope) > 0.9

    def test_bad_input(self):
        with pytest.raises(InputError, match="4 rising points"):
            SwitchingCurve("voltage", 1e-9, np.arange(5.0), np.full(5, 0.3), np.full(5, np.nan))
        with pytest.raises(InputError, match="unknown what a pulse is programmed by"):
            computed(load_card("meram100"), "colour")
        with pytest.raises(InputError, match="8 points or more, not 3"):
            computed(load_card("meram100"), points=3)
        with pytest.raises(InputError, match="pulse width nan s"):
            computed(load_card("meram100"), pulse_width=math.nan)


class TestProgram:
    def program(self, encoding, curve=None, **settings):
        return pulse_program("meram100", encoding, curve=curve or logistic(), **settings)

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("product:8", ProductWords(8)), ("tree:8", TreeWords(8)), ("tree:6,code=sign", TreeWords(6, code="sign")),
            ("toggle:8,pulses=16", ToggleWords(8, 16)), ("toggle:5,pulses=4,reset=no", ToggleWords(5, 4, reset=False)),
        ],
    )  # fmt: skip
    def test_ideal_pulses_give_the_encodings_law(self, text, words):
        found = self.program(text)
        np.testing.assert_allclose(found.law().probabilities, words.law().probabilities, atol=1e-9)
        assert all(0 < pulse.rising <= 0.5 + 1e-12 for pulse in found.pulses)
        assert all(pulse.value == pytest.approx(1 + 0.04 * logit(pulse.rising), abs=1e-9) for pulse in found.pulses)

    def test_complements_are_read_inverted(self):
        pulses = self.program("tree:8").pulses
        flipped = [pulse for pulse in pulses if pulse.inverted]
        assert flipped
        for pulse in pulses:
            assert pulse.inverted == (pulse.probability > 0.5)
            assert pulse.achieved == pytest.approx(pulse.probability, abs=1e-9)
        assert [(pulse.bit, pulse.prefix) for pulse in pulses[:7]] == [
            (0, 0), (1, 0), (1, 1), (2, 0), (2, 1), (2, 2), (2, 3),
        ]  # fmt: skip

    def test_steps_of_the_converter_cost_accuracy(self):
        fine, coarse = (self.program("product:8", step=step) for step in (1e-4, 2e-2))
        for program, step in ((fine, 1e-4), (coarse, 2e-2)):
            ratios = np.array([pulse.value for pulse in program.pulses]) / step
            np.testing.assert_allclose(ratios, np.rint(ratios), atol=1e-9)
        ideal = ProductWords(8).law().distances().kl_bits
        assert fine.law().distances().kl_bits == pytest.approx(ideal, abs=1e-4)
        assert coarse.law().distances().kl_bits > ideal + 1e-3

    def test_a_device_that_falls_more_easily_is_predicted_by_its_chain(self):
        """With p10 > p01 the chains end lower: by hand for the lowest bit."""
        found = self.program("toggle:8,pulses=16", curve=logistic(shift=0.01))
        pulse = found.pulses[-1]
        p, q = pulse.rising, pulse.falling
        assert q > p
        ones = p / (p + q) * (1 - (1 - p - q) ** 16)
        law, values = found.law(), ToggleWords(8).values()
        odd = np.isin(law.values, values[1::2])
        assert law.probabilities[odd].sum() == pytest.approx(ones, abs=1e-12)
        assert law.distances().kl_bits > ToggleWords(8).law().distances().kl_bits

    def test_counts_and_times(self):
        timing = Timing(reset=10e-9, read=5e-9, gap=1e-9)
        product, tree, toggle = (self.program(x, timing=timing) for x in ("product:8", "tree:8", "toggle:8,pulses=16"))
        assert (product.pulses_per_number, tree.pulses_per_number, toggle.pulses_per_number) == (8, 8, 128)
        assert product.time_per_number == pytest.approx(1e-9 + 1e-9 + 5e-9 + 10e-9)
        assert tree.time_per_number == pytest.approx(8 * (1e-9 + 1e-9) + 8 * 5e-9 + 10e-9)
        assert toggle.time_per_number == pytest.approx(16 * 2e-9 + 5e-9 + 10e-9)

    def test_json_keeps_everything(self):
        found = self.program("toggle:8,pulses=16", step=1e-3)
        text = json.dumps(found.as_dict(), allow_nan=False)
        again = PulseProgram.from_dict(json.loads(text))
        assert again == found
        assert json.loads(text)["predicted_law"]["kl_bits"] == pytest.approx(found.law().distances().kl_bits)
        with pytest.raises(InputError, match="not a pulse program: 'card'"):
            PulseProgram.from_dict({})
        assert isinstance(again.pulses[0], Pulse)

    @pytest.mark.parametrize(
        ("make", "message"),
        [
            (lambda: pulse_program("meram100", "popcount:64", curve=logistic()), "no programmed cells"),
            (lambda: pulse_program("meram100", "tree:8,dp=0.01", curve=logistic()), "perfect cells"),
            (lambda: pulse_program("meram100", "toggle:8,rate=0.2", curve=logistic()), "toggling at a rate"),
            (lambda: pulse_program("stt_trng_10ns", "toggle:8", curve=logistic()), "one way only; toggling needs VCMA"),
            (lambda: pulse_program("meram100", "tree:8", curve=logistic(), step=math.nan), "step of a voltage"),
            (lambda: pulse_program("meram100", "toggle:8,pulses=90000", curve=logistic()), "of the first branch"),
            (lambda: Timing(read=-1), "times around a pulse"),
        ],
    )  # fmt: skip
    def test_bad_input_is_one_line(self, make, message):
        with pytest.raises(InputError, match=message) as caught:
            make()
        assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_toggling_of_a_card():
    """The card's torque makes falling easier than rising: its toggle words are farther from normal than the chain's."""
    curve = computed(load_card("meram100"), both=True, points=17, tolerance=1e-4)
    found = pulse_program("meram100", "toggle:8,pulses=16", curve=curve)
    assert all(pulse.falling > pulse.rising for pulse in found.pulses)
    assert found.law().distances().kl_bits == pytest.approx(0.055, abs=0.01)
    assert pulse_program("meram100", "product:8", curve=curve).law().distances().kl_bits == pytest.approx(
        0.0282, abs=5e-4
    )
