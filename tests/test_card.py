"""The device card: what ships, what is derived from it, what is refused and how."""

import dataclasses
from math import inf, pi, sqrt

import numpy as np
import pytest

from mtjspice.device import card as cards
from mtjspice.device.card import MTJCard, Origin, card_names, from_toml, load_card
from mtjspice.device.constants import BOLTZMANN, ELEMENTARY_CHARGE, REDUCED_PLANCK
from mtjspice.device.demagnetization import disc_factors
from mtjspice.device.derived import DERIVED_INFO, Derived, anisotropy_field, conductance, derive, tmr
from mtjspice.errors import InputError

SHIPPED = ("imec_iedm24", "meram100", "stt_trng_10ns", "stt_trng_long")

# Verified parameter sets, printed to three digits or more; a tolerance is half a unit of the last digit.
FIGURES = {
    "meram100": {
        "effective_anisotropy": (40.0e-6, 0.05e-6),
        "anisotropy_field": (88.9e-3, 0.05e-3),
        "thermal_stability_zero_field": (75.8, 0.05),
        "thermal_stability_factor": (45.6, 0.05),
        "reduced_field": (0.225, 0.0005),
        "resistance_parallel": (82.8e3, 50),
        "resistance_antiparallel": (82.76e3 * 3.2, 50),
        "capacitance": (0.45e-15, 0.005e-15),
        "stt_field_per_volt": (0.267e-3, 0.0005e-3),
        "compensation_voltage": (1.500, 0.0005),
        "barrier_voltage": (1.163, 0.0006),
        "overshoot_voltage": (0.949, 0.0005),
        "half_period": (0.8943e-9, 0.0001e-9),
        "relaxation_time": (1.281e-9, 0.0005e-9),
        "tmr_at_200_mv": (1.90, 0.005),
    },
    "imec_iedm24": {
        "effective_anisotropy": (64.5e-6, 0.05e-6),
        "anisotropy_field": (124.0e-3, 0.05e-3),
        "thermal_stability_zero_field": (59.9, 0.05),
        "thermal_stability_factor": (35.9, 0.05),
        "reduced_field": (0.226, 0.0005),
        "resistance_parallel": (312e3, 500),
        "capacitance": (0.21e-15, 0.005e-15),
        "stt_field_per_volt": (0.116e-3, 0.0005e-3),
        "compensation_voltage": (2.293, 0.0005),
        "barrier_voltage": (1.776, 0.0005),
        "overshoot_voltage": (1.449, 0.0005),
        "tmr_at_200_mv": (0.649, 0.0005),
    },
    "stt_trng_10ns": {
        "effective_anisotropy": (94.9e-6, 0.05e-6),
        "anisotropy_field": (146e-3, 0.5e-3),
        "thermal_stability_zero_field": (45.0, 1e-9),
        "thermal_stability_factor": (45.0, 1e-9),
        "reduced_field": (0.0, 0.0),
        "resistance_parallel": (4.55e3, 5),
        "capacitance": (0.17e-15, 0.005e-15),
        "stt_field_per_volt": (12.3e-3, 0.05e-3),
        "stt_critical_voltage": (0.238, 0.0005),
        "compensation_voltage": (inf, 0.0),
        "barrier_voltage": (inf, 0.0),
        "overshoot_voltage": (inf, 0.0),
        "half_period": (inf, 0.0),
    },
    "stt_trng_long": {
        "effective_anisotropy": (232e-6, 0.5e-6),
        "anisotropy_field": (357e-3, 0.5e-3),
        "thermal_stability_zero_field": (110.0, 1e-9),
        "resistance_parallel": (3.07e3, 5),
        "capacitance": (0.17e-15, 0.005e-15),
        "stt_field_per_volt": (18.3e-3, 0.1e-3),
        "stt_critical_voltage": (0.392, 0.0005),
    },
}
INTERFACIAL = {
    "meram100": 0.5321e-3,
    "imec_iedm24": 0.7123e-3,
    "stt_trng_10ns": 0.8438e-3,
    "stt_trng_long": 0.9810e-3,
}
XI = {"meram100": 40e-15, "imec_iedm24": 45e-15, "stt_trng_10ns": 0.0, "stt_trng_long": 0.0}

ENTRIES = {
    "diameter": '"100 nm"',
    "free_layer_thickness": '"1 nm"',
    "barrier_thickness": '"1.5 nm"',
    "saturation_magnetization": '"0.9 MA/m"',
    "effective_anisotropy": '"40 uJ/m^2"',
    "damping": "0.05",
    "vcma_coefficient": '"40 fJ/(V*m)"',
    "bias_field": '"20 mT"',
    "resistance_area_product": '"650 ohm*um^2"',
    "tmr": '"220 %"',
    "tmr_half_voltage": '"0.5 V"',
}


def toml(changes=(), head='name = "mine"'):
    """A card as text; an entry changed to None is left out, a whole inline table is taken as it is."""
    lines = [head, "[parameters]"]
    for key, value in {**ENTRIES, **dict(changes)}.items():
        if value is None:
            continue
        table = value if value.startswith("{") else f'{{ value = {value}, status = "paper", source = "a paper" }}'
        lines.append(f"{key} = {table}")
    return "\n".join(lines)


class TestShippedCards:
    def test_names(self):
        assert card_names() == SHIPPED

    @pytest.mark.parametrize("name", SHIPPED)
    def test_derived_quantities_are_the_verified_ones(self, name):
        card = load_card(name)
        figures = derive(card)
        for key, (value, tolerance) in FIGURES[name].items():
            assert getattr(figures, key) == pytest.approx(value, abs=tolerance), key
        assert card.interfacial_anisotropy == pytest.approx(INTERFACIAL[name], abs=0.00005e-3)
        assert card.vcma_coefficient == pytest.approx(XI[name])
        assert card.name == name
        assert card.title

    @pytest.mark.parametrize("name", SHIPPED)
    def test_every_value_says_where_it_comes_from(self, name):
        card = load_card(name)
        assert set(card.origins) == set(cards.PARAMETERS)
        for key, origin in card.origins.items():
            assert origin.status in cards.STATUSES, key
            assert origin.source.strip(), key

    @pytest.mark.parametrize("name", SHIPPED)
    def test_round_trip(self, name):
        card = load_card(name)
        again = from_toml(card.to_toml(), "again")
        assert again == card
        assert again.origins == card.origins
        assert from_toml(again.to_toml(), "once more") == card

    def test_spin_polarization_follows_from_the_tmr(self):
        card = load_card("meram100")
        assert card.spin_polarization == pytest.approx(sqrt(2.2 / 4.2))
        assert card.origins["spin_polarization"].status == "derived"
        assert load_card("stt_trng_10ns").spin_polarization == pytest.approx(sqrt(1 / 3))


class TestDerived:
    @pytest.mark.parametrize("name", SHIPPED)
    def test_identities(self, name):
        card = load_card(name)
        figures = derive(card)
        conductance_0 = (1 / figures.resistance_parallel + 1 / figures.resistance_antiparallel) / 2
        barrier = figures.thermal_stability_zero_field * BOLTZMANN * 300
        # Slonczewski, Sun 2000: V_c0 = 4 e alpha E_b/(hbar P G_0)
        assert figures.stt_critical_voltage == pytest.approx(
            4 * ELEMENTARY_CHARGE * card.damping * barrier / (REDUCED_PLANCK * card.spin_polarization * conductance_0)
        )
        if card.vcma_coefficient:
            # Delta_0 = xi V_c A/(t_ox k T)
            assert figures.thermal_stability_zero_field == pytest.approx(
                card.vcma_coefficient * figures.compensation_voltage * figures.area
                / (card.barrier_thickness * BOLTZMANN * 300)
            )  # fmt: skip
            h = figures.reduced_field
            assert figures.barrier_voltage == pytest.approx(figures.compensation_voltage * (1 - h))
            assert figures.overshoot_voltage == pytest.approx(figures.compensation_voltage * (1 - 2 * h / (1 + h)))
            assert anisotropy_field(card, figures.compensation_voltage) == pytest.approx(0, abs=1e-15)
            assert anisotropy_field(card, figures.barrier_voltage) == pytest.approx(card.bias_field)

    def test_stability_falls_as_one_over_temperature(self):
        card = load_card("meram100")
        for temperature in (1.0, 250.0, 500.0):
            figures = derive(card, temperature)
            assert figures.thermal_stability_zero_field == pytest.approx(75.84821 * 300 / temperature)
            assert figures.thermal_stability_factor == pytest.approx(45.55633 * 300 / temperature)
            assert figures.compensation_voltage == derive(card).compensation_voltage
        assert np.isfinite(derive(card, 1.0).attempt_limited_retention)

    @pytest.mark.parametrize("temperature", [0.0, -1.0, 501.0, float("nan"), inf])
    def test_temperature_out_of_range(self, temperature):
        with pytest.raises(InputError, match=r"temperature .* K is out of range; allowed: 1 to 500 K"):
            derive(load_card("meram100"), temperature)

    def test_every_quantity_is_explained(self):
        assert set(DERIVED_INFO) == {field.name for field in dataclasses.fields(Derived)}

    def test_easy_plane(self):
        figures = derive(load_card("meram100").replace(interfacial_anisotropy=4e-4))
        assert figures.anisotropy_field < 0
        assert figures.thermal_stability_factor == 0
        assert (figures.compensation_voltage, figures.barrier_voltage, figures.overshoot_voltage) == (0, 0, 0)
        assert figures.relaxation_time == inf
        assert figures.attempt_limited_retention == pytest.approx(1e-9)

    def test_no_torque_and_no_field(self):
        card = load_card("meram100").replace(tmr=0.0, spin_polarization=0.0, bias_field=0.0)
        figures = derive(card)
        assert figures.stt_critical_voltage == inf
        assert figures.half_period == inf
        assert figures.resistance_parallel == figures.resistance_antiparallel
        assert figures.barrier_voltage == figures.overshoot_voltage == figures.compensation_voltage

    def test_field_beyond_the_anisotropy(self):
        figures = derive(load_card("meram100").replace(bias_field=0.1))
        assert figures.reduced_field == pytest.approx(1.125)
        assert (figures.thermal_stability_factor, figures.barrier_voltage, figures.overshoot_voltage) == (0, 0, 0)
        assert figures.compensation_voltage == pytest.approx(1.5)

    def test_vcma_of_the_other_sign_never_compensates_at_positive_voltage(self):
        card = load_card("meram100").replace(vcma_coefficient=-40e-15)
        assert derive(card).compensation_voltage == inf
        assert anisotropy_field(card, -1.5) == pytest.approx(0, abs=1e-12)

    @pytest.mark.parametrize("linear", [40e-15, 0.0, -40e-15, 1e-20])
    @pytest.mark.parametrize("quadratic", [1e-20, 1e-23, 1e-30, -1e-30, -1e-24, -1e-20])
    def test_quadratic_vcma(self, linear, quadratic):
        """V_c is the smallest positive root of B_k(V), found here on a grid; tiny coefficients do not cancel."""
        card = load_card("meram100").replace(vcma_coefficient=linear, vcma_quadratic=quadratic)
        voltage = derive(card).compensation_voltage
        grid = np.linspace(0, 20, 200_001)
        negative = np.flatnonzero(anisotropy_field(card, grid) <= 0)
        if voltage < 20:
            assert grid[negative[0]] == pytest.approx(voltage, abs=2e-4)
            assert anisotropy_field(card, voltage) == pytest.approx(0, abs=1e-12)
        else:
            assert not len(negative)

    def test_conductance(self):
        card = load_card("imec_iedm24")
        figures = derive(card)
        assert 1 / conductance(card, 1, 0) == pytest.approx(figures.resistance_parallel)
        assert 1 / conductance(card, -1, 0) == pytest.approx(figures.resistance_antiparallel)
        assert tmr(card, card.tmr_half_voltage) == pytest.approx(card.tmr / 2)
        assert tmr(card, -0.2) == tmr(card, 0.2)
        assert conductance(card, 0, 0.3) == pytest.approx((conductance(card, 1, 0.3) + conductance(card, -1, 0.3)) / 2)

    def test_demagnetizing_factors(self):
        for diameter, thickness in ((100e-9, 1e-9), (15e-9, 5e-9)):
            n_x, n_z = disc_factors(diameter, thickness)
            assert 2 * n_x + n_z == pytest.approx(1)
            assert n_z > n_x > 0
        assert disc_factors(1e-3, 1e-10)[1] == pytest.approx(1, abs=1e-6)
        # Joseph 1966, exact ballistic N_z of a cylinder of aspect ratio 1: 0.3116; the formula is within 15 %
        assert disc_factors(1e-9, 1e-9)[1] == pytest.approx(0.3116, rel=0.15)


class TestReading:
    def test_units_are_converted(self):
        card = from_toml(toml(), "here")
        assert (card.name, card.title) == ("mine", "")
        assert card.diameter == pytest.approx(100e-9, rel=1e-14)
        assert card.saturation_magnetization == pytest.approx(0.9e6)
        assert card.vcma_coefficient == pytest.approx(40e-15)
        assert card.resistance_area_product == pytest.approx(650e-12)
        assert card.tmr == pytest.approx(2.2)
        assert derive(card).compensation_voltage == pytest.approx(1.5)

    def test_optional_values_have_defaults_marked_assumed(self):
        card = from_toml(toml(), "here")
        assert (card.perpendicular_field, card.vcma_quadratic, card.barrier_permittivity) == (0, 0, 9.7)
        assert card.origins["barrier_permittivity"] == Origin("assumed", "default")
        assert card.origins["diameter"] == Origin("paper", "a paper")

    @pytest.mark.parametrize(
        ("key", "value", "quantity", "expected"),
        [
            ("anisotropy_field", '"88.8888888888889 mT"', "anisotropy_field", 0.08888888888889),
            ("thermal_stability_factor", "75.8", "thermal_stability_zero_field", 75.8),
            ("effective_anisotropy", '"40 uJ/m^2"', "effective_anisotropy", 40e-6),
            ("interfacial_anisotropy", '"0.53206 mJ/m^2"', "effective_anisotropy", 40e-6),
        ],
    )
    def test_four_ways_to_state_the_anisotropy(self, key, value, quantity, expected):
        card = from_toml(toml({"effective_anisotropy": None, key: value}), "here")
        assert getattr(derive(card), quantity) == pytest.approx(expected, rel=3e-3)
        origin = card.origins["interfacial_anisotropy"]
        assert origin.status == "paper"
        if key != "interfacial_anisotropy":
            assert origin.source.startswith(f"from {key} = ")

    def test_stated_polarization_is_kept(self):
        card = from_toml(toml({"spin_polarization": "0.5"}), "here")
        assert card.spin_polarization == 0.5
        assert card.origins["spin_polarization"].status == "paper"

    def test_path(self, tmp_path):
        path = tmp_path / "µ card.toml"
        path.write_text(toml(head='name = "mine"\ntitle = "größe"'), encoding="utf-8")
        assert load_card(str(path)).title == "größe"

    @pytest.mark.parametrize(
        ("changes", "parts"),
        [
            ({"diameter": '"100 V"'}, ["diameter", "'100 V'", "wrong unit", "converts to m"]),
            ({"diameter": '"100"'}, ["diameter", "'100'", "wrong unit"]),
            ({"diameter": "100"}, ["diameter", "100 has no unit", '"100 m"']),
            ({"damping": '"0.05 T"'}, ["damping", "wrong unit"]),
            ({"diameter": '"hundred nm"'}, ["diameter", "'hundred nm' is not a quantity"]),
            ({"diameter": '""'}, ["diameter", "'' is not a quantity"]),
            ({"diameter": "true"}, ["diameter", "is not a quantity"]),
            ({"diameter": "[1]"}, ["diameter", "is not a quantity"]),
            ({"diameter": '"100 um"'}, ["diameter = 100 µm", "out of range", "allowed: 5 nm to 1 µm"]),
            ({"diameter": '"-100 nm"'}, ["diameter = -100 nm", "allowed: 5 nm to 1 µm"]),
            ({"diameter": '"nan m"'}, ["diameter = nan m", "allowed: 5 nm to 1 µm"]),
            ({"diameter": '"inf m"'}, ["diameter = inf m", "out of range"]),
            ({"damping": "nan"}, ["damping = nan", "allowed: 1e-05 to 1"]),
            ({"damping": "0"}, ["damping = 0", "allowed: 1e-05 to 1"]),
            ({"damping": "inf"}, ["damping = inf"]),
            ({"tmr": "-0.1"}, ["tmr = -0.1", "allowed: 0 to 20"]),
            ({"bias_field": '"-20 mT"'}, ["bias_field = -20 mT", "allowed: 0 T to 1 T"]),
            ({"colour": '"1 m"'}, ["unknown parameter 'colour'", "allowed: diameter, "]),
            ({"anisotropy_field": '"88 mT"'}, ["exactly one of", "found effective_anisotropy, anisotropy_field"]),
            ({"effective_anisotropy": None}, ["exactly one of interfacial_anisotropy", "found none"]),
            ({"effective_anisotropy": '"9.9 mJ/m^2"'}, ["interfacial_anisotropy", "out of range", "10 mJ/m^2"]),
            ({"tmr": None}, ["required parameter 'tmr' is missing"]),
            ({"damping": '{ value = 0.05, status = "guess", source = "x" }'}, ["damping", "'guess'", "paper, derived"]),
            ({"damping": '{ value = 0.05, status = ["paper"], source = "x" }'}, ["damping", "status ['paper']"]),
            ({"damping": '{ value = 0.05, status = "paper", source = " " }'}, ["damping", "source must say"]),
            ({"damping": '{ value = 0.05, status = "paper", source = 3 }'}, ["damping", "source must say"]),
            ({"damping": '{ value = 0.05, status = "paper" }'}, ["damping", "expected { value = "]),
            ({"damping": '{ value = 1, status = "paper", source = "x", x = 1 }'}, ["damping", "expected { value = "]),
            ({"damping": "{}"}, ["damping", "expected { value = "]),
        ],
    )  # fmt: skip
    def test_errors_are_one_line_that_names_the_entry(self, changes, parts):
        with pytest.raises(InputError) as error:
            from_toml(toml(changes), "card.toml")
        message = str(error.value)
        assert "\n" not in message
        # K_i computed from another statement of the anisotropy is checked with the finished card
        assert message.startswith(("card.toml", "card 'mine'"))
        for part in parts:
            assert part in message

    @pytest.mark.parametrize(
        ("text", "part"),
        [
            ("diameter = ", "not a TOML file"),
            ("\x00", "not a TOML file"),
            ("", 'needs name = "..."'),
            ('name = "x"', "[parameters] table"),
            ('name = 3\n[parameters]\n', 'needs name = "..."'),
            ('name = "x"\nparameters = 3', "[parameters] table"),
            ('name = "x"\nauthor = "y"\n[parameters]', "unknown entry 'author'; allowed: name, title, parameters"),
            ('name = "x"\n[parameters]\ndiameter = 3', "diameter: expected { value"),
        ],
    )  # fmt: skip
    def test_what_is_no_card(self, text, part):
        with pytest.raises(InputError) as error:
            from_toml(text, "card.toml")
        assert str(error.value).startswith("card.toml: ")
        assert part in str(error.value)
        assert "\n" not in str(error.value)

    def test_unknown_name_lists_the_cards(self):
        with pytest.raises(InputError, match="unknown card 'meram'; available: imec_iedm24, meram100, stt_trng"):
            load_card("meram")

    def test_unreadable_files(self, tmp_path):
        with pytest.raises(InputError, match=r"cannot read the card .*missing\.toml"):
            load_card(str(tmp_path / "missing.toml"))
        (tmp_path / "folder.toml").mkdir()
        with pytest.raises(InputError, match=r"cannot read the card .*folder\.toml"):
            load_card(str(tmp_path / "folder.toml"))
        (tmp_path / "latin.toml").write_bytes(b'name = "\xe4"')
        with pytest.raises(InputError, match=r"cannot read the card .*latin\.toml"):
            load_card(str(tmp_path / "latin.toml"))


class TestChanging:
    def test_replace_marks_what_changed(self):
        card = load_card("meram100")
        other = card.replace(diameter=50e-9, damping=0.1)
        assert (other.diameter, other.damping) == (50e-9, 0.1)
        assert other.origins["diameter"] == other.origins["damping"] == Origin("assumed", "changed by the user")
        assert other.origins["tmr"] == card.origins["tmr"]
        assert card.diameter == pytest.approx(100e-9)
        assert card.origins["diameter"].status == "paper"
        assert derive(other).area == pytest.approx(pi * 25e-9**2)

    def test_replace_checks(self):
        card = load_card("meram100")
        with pytest.raises(InputError, match=r"card 'meram100': diameter = 2 µm is out of range; allowed: 5 nm"):
            card.replace(diameter=2e-6)
        with pytest.raises(InputError, match="damping = nan is out of range"):
            card.replace(damping=float("nan"))
        with pytest.raises(InputError, match="unknown card parameter 'colour'; available: barrier_permittivity, "):
            card.replace(colour=1.0)
        with pytest.raises(InputError, match="unknown card parameter 'name'"):
            card.replace(name="x")

    def test_numpy_scalars_are_written_as_numbers(self):
        card = load_card("meram100").replace(diameter=np.float64(5e-8), damping=np.float32(0.25), tmr=2)
        assert from_toml(card.to_toml(), "x") == card

    @pytest.mark.parametrize("text", ['a "quoted" \\ title', "two\nlines\tand a tab", "bell \x07, delete \x7f, µΔ"])
    def test_any_text_survives_the_round_trip(self, text):
        card = dataclasses.replace(
            load_card("meram100"), name=text, title=text, origins={"damping": Origin("paper", text)}
        )
        again = from_toml(card.to_toml(), "x")
        assert (again.name, again.title, again.origins["damping"].source) == (text, text, text)
        assert again.origins["diameter"] == Origin("assumed", "set from Python")

    @pytest.mark.parametrize("seed", range(20))
    def test_any_values_survive_the_round_trip_exactly(self, seed):
        rng = np.random.default_rng(seed)
        values = {key: float(rng.uniform(p.low, p.high)) for key, p in cards.PARAMETERS.items()}
        card = MTJCard(name="random", title="", **values)
        assert from_toml(card.to_toml(), "x") == card

    def test_a_card_is_a_hashable_value(self):
        assert {load_card("meram100"): 1}[load_card("meram100")] == 1
