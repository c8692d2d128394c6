"""Fits of cards to switching probabilities: recovery, coverage, refusals, and the files they are read from."""

from dataclasses import dataclass, replace
from math import inf

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import minimize
from scipy.special import expit

from mtjspice.device import free_parameters, macrospin
from mtjspice.device.calibration import calibrate
from mtjspice.device.card import load_card
from mtjspice.device.likelihood import FokkerPlanckModel, MacrospinModel, between, deviance
from mtjspice.device.measurements import Measurements, read
from mtjspice.errors import InputError

EDGE = 5e-11
STT = load_card("stt_trng_10ns")
MERAM = load_card("meram100")


def points(voltages, widths, state=1, temperature=300.0, trials=400):
    """A grid of points, nothing switched yet."""
    volts, lengths = (table.ravel() for table in np.meshgrid(voltages, widths, indexing="ij"))
    n = len(volts)
    zero = np.zeros(n, np.int64)
    return Measurements(
        "data.csv", volts, lengths, zero, zero + trials, zero + state, np.full(n, temperature)
    )  # fmt: skip


def joined(*parts):
    arrays = ("voltages", "widths", "switched", "trials", "states", "temperatures")
    return Measurements("data.csv", *(np.concatenate([getattr(part, key) for part in parts]) for key in arrays))


def counted(card, data, seed):
    """Counts of the macrospin engine."""
    counts = []
    for k in range(len(data)):
        pulse = macrospin.pulse(data.voltages[k], data.widths[k], EDGE)
        state = int(data.states[k])
        outcome = macrospin.switching(
            card, pulse, int(data.trials[k]), seed + k, state=state, temperature=float(data.temperatures[k])
        )
        counts.append(np.count_nonzero(outcome.states != state))
    return replace(data, switched=np.array(counts))


@dataclass(frozen=True)
class Threshold:
    """A formula in place of the physics: P rises with P V/RA and falls with the anisotropy; xi acts as xi/t_ox."""

    data: Measurements
    step: float = 0.01
    trials: float = inf
    resolution: float = 1e-4

    def check(self, card):
        if card.bias_field > 0.5:
            raise InputError("no such card")

    def __call__(self, cards, rough=False):
        rows = []
        for card in cards:
            drive = card.spin_polarization / 0.5 * 6.5e-10 / card.resistance_area_product * self.data.voltages
            help_of_voltage = card.vcma_coefficient / card.barrier_thickness * 1e5 * self.data.voltages**2
            rows.append(expit(8 * (drive + help_of_voltage - 0.5 - 20 * card.bias_field)))
        return np.array(rows)


CARD = MERAM.replace(spin_polarization=0.5, bias_field=0.01, vcma_coefficient=0.0)
GRID = points(np.linspace(0.2, 1.4, 12), [1e-9], trials=200)


def drawn(card, rng, data=GRID):
    chance = Threshold(data)([card])[0]
    return replace(data, switched=rng.binomial(data.trials, chance))


class TestStatistics:
    def test_coverage(self):
        """300 fits of two parameters: 95 % intervals hold the truth; fails by chance once in 1e4 for each."""
        rng = np.random.default_rng(3)
        truth = CARD.replace(spin_polarization=0.55, bias_field=0.012)
        held, pulls, chances = np.zeros(2, int), [], []
        for _ in range(300):
            data = drawn(truth, rng)
            result = calibrate(CARD, data, ("spin_polarization", "bias_field"), Threshold(data), scan=False)
            for k, value in enumerate((0.55, 0.012)):
                held[k] += result.parameters[k].low <= value <= result.parameters[k].high
            pulls.append(result.parameters[0].value)
            chances.append(result.p_value)
            worst = np.abs(result.quadratic_error).max()
            assert worst < 1
            assert any("of the quadratic model" in note for note in result.notes) == (worst > 0.2)
        low, high = stats.binom.ppf([5e-5, 1 - 5e-5], 300, 0.95)
        assert low <= held.min() <= held.max() <= high
        assert stats.kstest(chances, "uniform").pvalue > 1e-4
        # the intervals are as wide as the scatter
        width = result.parameters[0].high - result.parameters[0].low
        assert width / (2 * 1.96) == pytest.approx(np.std(pulls), rel=0.2)
        # with so few trials the maximum of the likelihood itself is off by a quarter of its scatter
        assert np.mean(pulls) == pytest.approx(0.55, abs=0.4 * np.std(pulls))

    def test_the_maximum_is_that_of_another_optimiser(self):
        data = drawn(CARD.replace(spin_polarization=0.55, bias_field=0.012), np.random.default_rng(8))
        result = calibrate(CARD, data, ("spin_polarization", "bias_field"), Threshold(data))

        def total(t):
            chance = expit(8 * (2 * t[0] * data.voltages - 0.5 - 20 * 0.01 * t[1]))
            return deviance(data, np.clip(chance, 1e-4, 1 - 1e-4)).sum()

        other = minimize(total, [0.5, 1.0], method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-9})
        assert result.deviance == pytest.approx(other.fun, abs=0.02)
        sigma = (result.parameters[0].high - result.parameters[0].low) / 3.92
        assert result.parameters[0].value == pytest.approx(other.x[0], abs=0.15 * sigma)

    def test_correlation_and_residuals(self):
        data = drawn(CARD, np.random.default_rng(1))
        result = calibrate(CARD, data, ("spin_polarization", "bias_field"), Threshold(data))
        assert result.correlation[0, 1] == pytest.approx(result.correlation[1, 0])
        assert 0.5 < result.correlation[0, 1] < 1  # a stronger torque against a higher threshold
        assert result.dof == 10
        table = result.points
        assert np.all((table["low"] <= table["measured"]) & (table["measured"] <= table["high"]))
        assert float((table["residual"] ** 2).sum()) == pytest.approx(result.deviance, rel=0.3)

    def test_a_poor_fit_widens_the_intervals(self):
        data = drawn(CARD, np.random.default_rng(1))
        good = calibrate(CARD, data, ("spin_polarization",), Threshold(data))
        wrong = np.where(np.arange(12) % 2, data.switched, np.minimum(data.switched + 40, 200))
        data = replace(data, switched=wrong)
        poor = calibrate(CARD, data, ("spin_polarization",), Threshold(data))
        assert good.widened == 1
        assert poor.widened == pytest.approx(np.sqrt(poor.deviance / poor.dof))
        assert poor.widened > 2
        assert any("does not describe the data" in note for note in poor.notes)

    def test_an_impossible_count_is_not_infinite(self):
        data = replace(GRID, switched=np.where(np.arange(12) == 0, 200, 0))
        assert np.all(np.isfinite(deviance(data, np.full(12, 1e-4))))

    def test_deviance_by_hand(self):
        data = replace(points([1.0], [1e-9], trials=10), switched=np.array([3]))
        assert deviance(data, np.array([0.3]))[0] == pytest.approx(0)
        expected = 2 * (3 * np.log(0.3 / 0.5) + 7 * np.log(0.7 / 0.5))
        assert deviance(data, np.array([0.5]))[0] == pytest.approx(expected)


class TestRefusals:
    def fit(self, free, truth=CARD, **changes):
        data = replace(drawn(truth, np.random.default_rng(2)), **changes)
        return calibrate(truth, data, free_parameters.parse_names(free), Threshold(data))

    @pytest.mark.parametrize(
        ("free", "words"),
        [
            ("p,ra", ("spin_polarization", "resistance_area_product", "+1 %", "fix one of them")),
            ("xi,tox", ("vcma_coefficient", "barrier_thickness")),
            ("p,bx,ra", ("spin_polarization and resistance", "separately")),
            ("alpha", ("do not determine damping",)),
        ],
    )
    def test_what_the_data_do_not_tell(self, free, words):
        truth = CARD.replace(vcma_coefficient=3e-15)
        with pytest.raises(InputError) as caught:
            self.fit(free, truth)
        text = str(caught.value)
        assert "\n" not in text
        assert text.startswith("data.csv: ")
        for word in words if "and" not in words[0] else words[1:]:
            assert word in text

    def test_saturated_data(self):
        with pytest.raises(InputError, match="switched never or always"):
            self.fit("p", switched=np.where(np.arange(12) < 6, 0, 200))

    def test_fewer_points_than_parameters(self):
        data = replace(points([0.5], [1e-9]), switched=np.array([100]))
        with pytest.raises(InputError, match="1 points do not determine 2 parameters"):
            calibrate(CARD, data, ("spin_polarization", "bias_field"), Threshold(data))

    def test_names(self):
        assert free_parameters.parse_names("xi, bias_field") == ("vcma_coefficient", "bias_field")
        for text, words in (
            ("colour", r"unknown free parameter 'colour'; allowed: xi \(vcma_coefficient\)"),
            ("xi,xi", "occurs twice"),
            ("ki,delta", "the same anisotropy"),
        ):
            with pytest.raises(InputError, match=words):
                free_parameters.parse_names(text)

    def test_a_card_that_the_model_does_not_cover(self):
        data = replace(points([0.5, 0.6], [1e-9]), switched=np.array([100, 120]))
        flat = MERAM.replace(bias_field=0.2)
        for model in (FokkerPlanckModel(data, EDGE), MacrospinModel(data, EDGE)):
            with pytest.raises(InputError, match="stable"):
                calibrate(flat, data, ("vcma_coefficient",), model)
        assert np.all(np.isnan(FokkerPlanckModel(data, EDGE)([flat])))


class TestParameters:
    @pytest.mark.parametrize("key", [key for key in free_parameters.SHORT.values() if key != "tmr"])
    def test_values_and_coordinates(self, key):
        card = MERAM.replace(vcma_quadratic=1e-30) if key == "vcma_quadratic" else MERAM
        (one,) = free_parameters.free_parameters(card, (key,))
        assert one.value(0.0) == pytest.approx(free_parameters.value_of(card, key))
        assert one.inside(0.3) == pytest.approx(0.3)
        changed = free_parameters.with_values(card, {key: one.value(0.1)})
        assert free_parameters.value_of(changed, key) == pytest.approx(one.value(0.1))

    def test_stated_anisotropy_moves_the_interface(self):
        card = free_parameters.with_values(MERAM, {"thermal_stability_factor": 60.0, "diameter": 90e-9})
        assert free_parameters.value_of(card, "thermal_stability_factor") == pytest.approx(60)
        assert card.diameter == 90e-9

    def test_a_negative_coefficient_keeps_its_sign(self):
        (one,) = free_parameters.free_parameters(MERAM.replace(vcma_coefficient=-4e-14), ("vcma_coefficient",))
        assert one.value(0.5) < one.value(0.0) < 0


class TestPhysics:
    def test_recovery_from_the_other_engine(self):
        """Both directions and two temperatures; the truth within 3.5 sigma: fails by chance once in 2000 seeds."""
        trials = 200
        data = joined(
            points([-0.35, -0.45], [3e-9, 6e-9], 1, 300.0, trials), points([0.35, 0.45], [3e-9], -1, 350.0, trials)
        )
        truth = STT.replace(spin_polarization=1.1 * STT.spin_polarization)
        data = counted(truth, data, 11)
        result = calibrate(STT, data, ("spin_polarization",), FokkerPlanckModel(data, EDGE), scan=False)
        (one,) = result.parameters
        sigma = (one.high - one.low) / (2 * 1.96)
        assert abs(one.value - truth.spin_polarization) < 3.5 * sigma
        assert 0.001 < sigma / one.value < 0.03
        assert one.initial == STT.spin_polarization
        origin = result.card.origins["spin_polarization"]
        assert origin.status == "derived"
        assert "fitted to data.csv: 6 points" in origin.source
        assert result.card.name == "stt_trng_10ns-fit"
        # between the points as at the points
        here = between(result.card, data, EDGE, 0, data.voltages[:1], data.widths[:1])
        assert here[0] == pytest.approx(float(result.points["model"][0]), abs=2e-3)

    @pytest.mark.slow
    def test_precessional_junction_from_afar(self):
        """Three parameters of an oscillating P_sw, started off by 15 to 25 %; each within 3.5 sigma (1 in 700)."""
        truth = MERAM.replace(vcma_coefficient=46e-15, bias_field=0.023, damping=0.06)
        data = counted(truth, points([1.0, 1.3], np.linspace(0.3e-9, 2e-9, 10), trials=1500), 5)
        free = ("vcma_coefficient", "bias_field", "damping")
        result = calibrate(MERAM, data, free, FokkerPlanckModel(data, EDGE))
        for one in result.parameters:
            sigma = (one.high - one.low) / (2 * 1.96)
            assert abs(one.value - getattr(truth, one.key)) < 3.5 * sigma
        assert result.p_value > 1e-4

    @pytest.mark.slow
    def test_by_counting(self):
        """The macrospin as the model, other seeds than those of the data."""
        truth = STT.replace(spin_polarization=1.1 * STT.spin_polarization)
        data = counted(truth, points([-0.35, -0.45], [3e-9, 6e-9], trials=400), 11)
        result = calibrate(STT, data, ("spin_polarization",), MacrospinModel(data, EDGE, 2000, 99), scan=False)
        (one,) = result.parameters
        assert abs(one.value - truth.spin_polarization) < 3.5 * (one.high - one.low) / (2 * 1.96)
        assert any("macrospin trials" in note for note in result.notes)


HEADER = "voltage,pulse_width,switched,trials\n"


class TestFiles:
    def read(self, tmp_path, text):
        path = tmp_path / "data.csv"
        path.write_text(text, encoding="utf-8")
        return read(path, EDGE)

    def test_units_directions_and_temperatures(self, tmp_path):
        text = (
            "# synthetic\nPulse_Width[ns], voltage (mV), trials, probability[%], direction, temperature[degC]\n"
            "0.3, 1200, 200, 12.4, ap-p, 26.85\n\n1e0, -5e2, 3, 33.3, P-AP, 85\n"
        )
        data = self.read(tmp_path, text)
        assert data.widths.tolist() == [3e-10, 1e-9]
        assert data.voltages.tolist() == [1.2, -0.5]
        assert data.switched.tolist() == [25, 1]
        assert data.states.tolist() == [-1, 1]
        assert data.temperatures == pytest.approx([300, 358.15])
        plain = self.read(tmp_path, HEADER + "1.2,1e-9,3,10\n")
        assert (plain.states[0], plain.temperatures[0], plain.name) == (1, 300.0, "data.csv")

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("", "the file is empty"),
            ("# only this\n", "the file is empty"),
            (HEADER, "no measurements"),
            ("voltage,switched,trials\n1,2,3\n", "line 1: the column pulse_width is missing"),
            ("voltage,pulse_width,trials\n1,1,3\n", "one of the columns switched and probability"),
            ("voltage,voltage,pulse_width,switched,trials\n", "line 1: the column voltage occurs twice"),
            ("volt,pulse_width,switched,trials\n", "line 1: unknown column 'volt'"),
            ("voltage[s],pulse_width,switched,trials\n", "line 1: column voltage.*wrong unit"),
            (HEADER + "# a\n1,x,2,3\n", "line 3: pulse_width = 'x' is not a number"),
            (HEADER + "nan,1e-9,2,3\n", "line 2: voltage = nan is not finite"),
            (HEADER + "1,1e-9,4,3\n", "line 2: switched = 4 exceeds trials = 3"),
            (HEADER + "1,1e-9,-1,3\n", "line 2: switched = -1"),
            (HEADER + "1,1e-9,1.5,3\n", "line 2: switched = 1.5 must be a whole number"),
            (HEADER + "1,1e-9,0,0\n", "line 2: trials = 0 must be"),
            (HEADER + "1,1e-12,1,3\n", "line 2: pulse_width = 1e-12 s is shorter than the edges of 5e-11 s"),
            (HEADER + "1,1e-9,1\n", "line 2: 3 values for 4 columns"),
            ("voltage,pulse_width,probability,trials\n1,1e-9,1.2,3\n", "line 2: probability = 1.2 is out of range"),
            ("voltage,pulse_width,switched,trials,direction\n1,1e-9,1,3,up\n", "line 2: direction 'up' is not one of"),
            ("voltage,pulse_width,switched,trials,temperature\n1,1e-9,1,3,900\n", "line 2: temperature = 900 K"),
        ],
    )
    def test_defects(self, tmp_path, text, words):
        with pytest.raises(InputError, match=words) as caught:
            self.read(tmp_path, text)
        assert "data.csv" in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_no_file(self, tmp_path):
        with pytest.raises(InputError, match="cannot read the measurements"):
            read(tmp_path / "none.csv", EDGE)
