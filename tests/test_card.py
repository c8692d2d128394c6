"""The device card: what ships, what is derived from it, what is refused and how."""

import dataclasses
import json
from math import inf, pi, sqrt

import numpy as np
import pytest

from mtjspice.circuits.junction import junction, reference_junction
from mtjspice.device import card as cards
from mtjspice.device import derived
from mtjspice.device.card import MTJCard, Origin, card_names, from_toml, load_card
from mtjspice.device.constants import BOLTZMANN, ELEMENTARY_CHARGE, REDUCED_PLANCK
from mtjspice.device.demagnetization import disc_factors
from mtjspice.device.derived import DERIVED_INFO, Derived, anisotropy_field, conductance, derive, tmr
from mtjspice.errors import InputError
from mtjspice.reports import cards as reports

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
        assert set(card.origins) == set(cards.PARAMETERS) | set(cards.CHOICES)
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
            ({"curie_temperature": '"500 K"'}, ["curie_temperature = 500 K", "allowed: 600 K to inf K"]),
            ({"curie_temperature": '"nan K"'}, ["curie_temperature = nan K"]),
            ({"curie_temperature": '"-inf K"'}, ["curie_temperature = -inf K"]),
            ({"bias_field_y": '"inf T"'}, ["bias_field_y = inf T", "allowed: -1 T to 1 T"]),
            ({"diameter_y": '"0 nm"'}, ["diameter_y = 0 m", "allowed: 5 nm to 1 µm"]),
            ({"barrier_height": '"1 meV"'}, ["barrier_height = 0.001 eV", "allowed: 0.1 eV to inf eV"]),
            ({"barrier_asymmetry": '"1 eV"'}, ["barrier_asymmetry needs a finite barrier_height"]),
            ({"barrier_height": '"0.4 eV"', "barrier_asymmetry": '"-3.5 eV"'},
             ["barrier_asymmetry = -3.5 eV", "conductance vanish", "less than 3.394 eV"]),
            ({"thermal_resistance": '"100 K/mW"'}, ["thermal_resistance needs a thermal_capacitance > 0"]),
            ({"spin_hall_angle": "0.1", "spin_orbit_line_width": '"100 nm"'}, ["spin_hall_angle needs a spin_orbit"]),
            ({"torque_model": '"current"'}, ["torque_model = 'current' is not one of voltage, const, slonczewski"]),
            ({"torque_model": "3"}, ["torque_model = 3 is not one of voltage"]),
            ({"torque_model": '["const"]'}, ["torque_model = ['const'] is not one of voltage"]),
            ({"torque_model": '{ value = "const", status = "paper" }'}, ["torque_model", "expected { value = "]),
            ({"slonczewski_lambda": "0.5"}, ["slonczewski_lambda = 0.5", "allowed: 1 to 10"]),
            ({"polarization_coefficient": '"2e-5"'}, ["polarization_coefficient", "wrong unit", "K^-1.5"]),
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
            ('name = "x"\ndevice_to_device = 3\n[parameters]', "device_to_device must be a table"),
            (toml() + "\n[device_to_device]\ncolour = 3", "unknown parameter device_to_device.'colour'"),
            (toml() + "\n[device_to_device]\ntorque_model = 3", "unknown parameter device_to_device.'torque_model'"),
            (toml() + "\n[device_to_device]\ntmr = 3", "device_to_device.tmr: expected { value"),
            (toml() + '\n[device_to_device]\ntmr = { value = "1 m", status = "paper", source = "x" }', "wrong unit"),
            (toml() + '\n[device_to_device]\ntmr = { value = 1.5, status = "paper", source = "x" }',
             "device_to_device.tmr = 1.5 is out of range; allowed: 0 to 1"),
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
        with pytest.raises(InputError, match="unknown card parameter 'colour'; available: anisotropy_exponent, "):
            card.replace(colour=1.0)
        with pytest.raises(InputError, match="card 'meram100': tmr = '2': expected a number in 1"):
            card.replace(tmr="2")
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
        values = {
            key: float(rng.uniform(p.low, p.high if p.high < inf else 1000 * p.low))
            for key, p in cards.PARAMETERS.items()
        }
        values["barrier_asymmetry"] = float(rng.uniform(-8, 8)) * values["barrier_height"]
        if abs(values["barrier_asymmetry"]) > cards.PARAMETERS["barrier_asymmetry"].high:
            values["barrier_asymmetry"] = 0.0
        spread = {key: float(rng.uniform(0, 1)) for key in rng.permutation(list(cards.PARAMETERS))[:seed]}
        model = cards.CHOICES["torque_model"].allowed[seed % 3]
        card = MTJCard(name="random", title="", **values, torque_model=model, device_spread=spread)
        assert from_toml(card.to_toml(), "x") == card

    def test_a_card_is_a_hashable_value(self):
        assert {load_card("meram100"): 1}[load_card("meram100")] == 1

    def test_diameter_y_follows_the_diameter_unless_stated(self):
        card = load_card("meram100").replace(diameter=80e-9)
        assert card.diameter_y == 80e-9
        assert card == MTJCard(**{f.name: getattr(card, f.name) for f in dataclasses.fields(card)})
        oval = card.replace(diameter_y=60e-9).replace(diameter=90e-9)
        assert (oval.diameter, oval.diameter_y) == (90e-9, 60e-9)
        stated = card.replace(diameter_y=80e-9).replace(diameter=90e-9)
        assert stated.diameter_y == 80e-9
        assert from_toml(stated.to_toml(), "x").replace(diameter=70e-9).diameter_y == 80e-9
        assert from_toml(card.to_toml(), "x").replace(diameter=70e-9).diameter_y == 70e-9

    def test_the_origin_of_the_anisotropy_says_what_changed_since(self):
        card = load_card("stt_trng_10ns")
        source = card.origins["interfacial_anisotropy"].source
        assert source == "from thermal_stability_factor = 45: medium barrier for 10 ns pulses"
        once = card.replace(diameter=60e-9, damping=0.03)
        assert once.origins["interfacial_anisotropy"].source == source + "; then diameter changed"
        twice = once.replace(diameter=70e-9, saturation_magnetization=1.1e6)
        expected = source + "; then diameter, saturation_magnetization changed"
        assert twice.origins["interfacial_anisotropy"].source == expected
        assert from_toml(twice.to_toml(), "x").origins["interfacial_anisotropy"].source == expected
        assert card.replace(damping=0.03).origins["interfacial_anisotropy"].source == source
        new = once.replace(interfacial_anisotropy=9e-4, diameter=50e-9)
        assert new.origins["interfacial_anisotropy"].source == "changed by the user"


FULL = {
    "diameter_y": ("80 nm", 80e-9),
    "bias_field_y": ("-3 mT", -3e-3),
    "interlayer_exchange": ("20 uJ/m^2", 20e-6),
    "interlayer_exchange_slope": ("5 uJ/(V*m^2)", 5e-6),
    "slonczewski_lambda": ("1.5", 1.5),
    "field_like_torque": ("0.2", 0.2),
    "field_like_quadratic": ("2 mT/V^2", 2e-3),
    "vcma_lag": ("50 ps", 50e-12),
    "curie_temperature": ("1100 K", 1100.0),
    "anisotropy_exponent": ("2.1", 2.1),
    "vcma_exponent": ("2.7", 2.7),
    "polarization_coefficient": ("2e-5 K^-1.5", 2e-5),
    "thermal_resistance": ("100 K/mW", 1e5),
    "thermal_capacitance": ("10 fJ/K", 1e-14),
    "barrier_height": ("0.39 eV", 0.39 * ELEMENTARY_CHARGE),
    "barrier_asymmetry": ("-100 meV", -0.1 * ELEMENTARY_CHARGE),
    "breakdown_voltage": ("1.8 V", 1.8),
    "spin_hall_angle": ("-15 %", -0.15),
    "spin_orbit_line_width": ("120 nm", 120e-9),
    "spin_orbit_line_thickness": ("4 nm", 4e-9),
    "spin_orbit_field_like": ("0.3", 0.3),
}
SPREAD_TABLE = """
[device_to_device]
diameter = { value = "2 %", status = "assumed", source = "lithography" }
tmr = { value = 0.05, status = "paper", source = "a wafer map" }
"""


def full_toml():
    words = {key: f'"{text}"' for key, (text, _) in FULL.items()} | {"torque_model": '"slonczewski"'}
    return toml(words) + SPREAD_TABLE


class TestExtensions:
    def test_everything_is_here(self):
        assert set(FULL) == set(cards.EXTENSIONS)

    def test_units(self):
        card = from_toml(full_toml(), "full")
        for key, (_, value) in FULL.items():
            assert getattr(card, key) == pytest.approx(value), key
            assert card.origins[key].status == "paper"
        assert card.torque_model == "slonczewski"
        assert card.device_spread == pytest.approx({"diameter": 0.02, "tmr": 0.05})
        assert card.origins["device_to_device.tmr"] == Origin("paper", "a wafer map")

    def test_round_trip(self):
        card = from_toml(full_toml(), "full")
        again = from_toml(card.to_toml(), "again")
        assert again == card
        assert again.origins == card.origins
        assert card != dataclasses.replace(card, device_spread={})
        assert len({card, again}) == 1

    @pytest.mark.parametrize("name", SHIPPED)
    def test_defaults_are_not_written(self, name):
        text = load_card(name).to_toml()
        for key in (*cards.EXTENSIONS, *cards.CHOICES, "vcma_quadratic", cards.SPREAD):
            assert key not in text
        assert text.count("default") == 0

    def test_a_stated_default_is_written(self):
        text = from_toml(toml({"bias_field_y": '"0 T"', "breakdown_voltage": '"inf V"'}), "x").to_toml()
        assert 'bias_field_y = { value = "0.0 T", status = "paper"' in text
        assert 'breakdown_voltage = { value = "inf V"' in text
        card = from_toml(text, "again")
        assert card.breakdown_voltage == inf
        assert card.origins["breakdown_voltage"] == Origin("paper", "a paper")

    @pytest.mark.parametrize("name", SHIPPED)
    def test_shipped_cards_use_none_of_it(self, name):
        card = load_card(name)
        off = {key: p.default for key, p in cards.EXTENSIONS.items()} | {"diameter_y": card.diameter}
        assert {key: getattr(card, key) for key in cards.EXTENSIONS} == off
        assert (card.torque_model, card.device_spread) == ("voltage", {})
        assert (derived.shape_field_y(card), derived.exchange_field(card, 1.0)) == (0, 0)
        assert derived.spin_orbit_field_per_ampere(card) == 0

    def test_replace_takes_a_word(self):
        card = load_card("meram100").replace(torque_model="const")
        assert card.torque_model == "const"
        with pytest.raises(InputError, match="torque_model = 'x' is not one of voltage, const, slonczewski"):
            card.replace(torque_model="x")

    def test_a_spread_from_python_is_checked(self):
        card = load_card("meram100")
        with pytest.raises(InputError, match="unknown card parameter 'colour'"):
            dataclasses.replace(card, device_spread={"colour": 0.1})
        with pytest.raises(InputError, match=r"device_to_device\.tmr = -0\.1 is out of range"):
            dataclasses.replace(card, device_spread={"tmr": -0.1})

    @pytest.mark.parametrize(
        ("key", "value"),
        [("anisotropy_field", '"90 mT"'), ("thermal_stability_factor", "60"), ("effective_anisotropy", '"40 uJ/m^2"')],
    )
    def test_stated_anisotropies_are_those_of_the_ellipse(self, key, value):
        card = from_toml(toml({"effective_anisotropy": None, key: value, "diameter_y": '"60 nm"'}), "here")
        figures = derive(card)
        assert figures.area == pytest.approx(pi * 100e-9 * 60e-9 / 4)
        stated = {
            "anisotropy_field": (figures.anisotropy_field, 0.09),
            "thermal_stability_factor": (figures.thermal_stability_zero_field, 60),
            "effective_anisotropy": (figures.effective_anisotropy, 40e-6),
        }
        assert stated[key][0] == pytest.approx(stated[key][1])


class TestFields:
    CARD = from_toml(full_toml(), "full")

    def test_parts_of_the_anisotropy_field(self):
        for card in (self.CARD, load_card("meram100")):
            parts = derived.interfacial_field(card) - derived.shape_field(card)
            assert parts == pytest.approx(anisotropy_field(card))
        assert derived.interfacial_field(load_card("meram100")) == pytest.approx(2 * 0.53206e-3 / 0.9e-3, rel=1e-4)

    def test_the_long_axis_is_easy(self):
        assert derived.shape_field_y(self.CARD) > 0
        assert derived.shape_field_y(self.CARD.replace(diameter_y=120e-9)) < 0

    def test_exchange(self):
        assert derived.exchange_field(self.CARD) == pytest.approx(20e-6 / 0.9e-3)
        assert derived.exchange_field(self.CARD, -2.0) == pytest.approx(10e-6 / 0.9e-3)

    def test_spin_orbit_field(self):
        """-15 % and 1 A in 120 nm x 4 nm: hbar theta j/(2 e Ms t), 0.68 mT at 1e10 A/m^2 and 100 % by hand."""
        density = 1 / (120e-9 * 4e-9)
        expected = -0.15 * density * 3.2910598e-16 / (0.9e6 * 1e-9)  # hbar/(2 e) = 3.2911e-16 V s
        assert derived.spin_orbit_field_per_ampere(self.CARD) == pytest.approx(expected)

    def test_torque_models(self):
        """The three models agree where they must; OOMMF's epsilon is half of eta."""
        card = load_card("meram100")
        const, slonczewski = (card.replace(torque_model=name) for name in ("const", "slonczewski"))
        unit = REDUCED_PLANCK / (2 * ELEMENTARY_CHARGE * 0.9e6 * pi * 50e-9**2 * 1e-9)
        for c in (-1.0, -0.3, 0.0, 0.8, 1.0):
            assert derived.efficiency(const, c) == card.spin_polarization
            assert derived.efficiency(slonczewski, c) == pytest.approx(card.spin_polarization)  # Lambda = 1
            current = conductance(card, c, 0.3) * 0.3
            expected = unit * card.spin_polarization * current
            assert derived.torque_field(const, c, 0.3) == pytest.approx(expected)
            assert derived.torque_field(slonczewski, c, 0.3) == pytest.approx(expected)
            assert derived.torque_field(card, c, 0.3) == 0.3 * derived.stt_field_per_volt(card)
            # the voltage model in terms of a current, Slonczewski 2005: eta = P/(1 + P^2 c)
            p = card.spin_polarization
            assert derived.efficiency(card, c) == pytest.approx(p / (1 + p**2 * c))
            wide = slonczewski.replace(slonczewski_lambda=2.0)
            epsilon = p * 4 / (4 + 1 + (4 - 1) * c)
            assert derived.efficiency(wide, c) == pytest.approx(2 * epsilon)
        # Julliere's P and Lambda^2 = (1 + P^2)/(1 - P^2) make Slonczewski's law that of the junction at low bias
        p = card.spin_polarization
        same = slonczewski.replace(slonczewski_lambda=sqrt((1 + p**2) / (1 - p**2)))
        scale = derived.efficiency(same, 0.0) / derived.efficiency(card, 0.0)
        assert derived.efficiency(same, 0.7) == pytest.approx(scale * derived.efficiency(card, 0.7))

    def test_critical_voltage_of_the_models(self):
        card = load_card("stt_trng_10ns")
        voltage = derive(card).stt_critical_voltage
        const = derive(card.replace(torque_model="const")).stt_critical_voltage
        # a current through G_AP instead of the mean of G_P and G_AP, (1 + 1/2)/2 against 1/2
        assert const / voltage == pytest.approx(0.75 / 0.5)


class TestConduction:
    CARD = load_card("meram100").replace(barrier_height=0.39 * ELEMENTARY_CHARGE)

    def test_coefficients_by_hand(self):
        """c2 = 0.0328 t^2/phi per V^2 with t in angstrom and phi in eV; c1 from Brinkman's formula in eV and nm."""
        c1, c2 = derived.conductance_coefficients(self.CARD)
        assert c1 == 0
        assert c2 == pytest.approx(0.0328 * 15**2 / 0.39, rel=2e-3)
        assert derive(self.CARD).conductance_quadratic == c2
        tilted = self.CARD.replace(barrier_asymmetry=0.1 * ELEMENTARY_CHARGE)
        # 4 sqrt(2 m)/(3 hbar) = 6.832 per nm and sqrt(eV)
        assert derived.conductance_coefficients(tilted)[0] == pytest.approx(-6.832 * 1.5 * 0.1 / (16 * 0.39**1.5), 1e-3)
        assert derived.conductance_coefficients(tilted)[1] == c2

    def test_conductance(self):
        card = self.CARD.replace(barrier_asymmetry=0.1 * ELEMENTARY_CHARGE)
        flat = load_card("meram100")
        c1, c2 = derived.conductance_coefficients(card)
        for voltage in (-1.0, -0.2, 0.0, 0.7):
            factor = 1 + c1 * voltage + c2 * voltage**2
            for c in (-1, 0.2, 1):
                assert conductance(card, c, voltage) == pytest.approx(factor * conductance(flat, c, voltage))
            ratio = conductance(card, 1, voltage) / conductance(card, -1, voltage)
            assert ratio == pytest.approx(1 + tmr(card, voltage))
        assert tmr(card, card.tmr_half_voltage) == card.tmr / 2

    def test_the_quadratic_stays_positive(self):
        """Just inside the allowed asymmetry the conductance is positive at every voltage, and nearly zero at one."""
        card = self.CARD.replace(barrier_asymmetry=8.48 * self.CARD.barrier_height)
        voltages = np.linspace(-2, 2, 20001)
        factor = np.array([conductance(card, 1, v) for v in voltages]) / conductance(card, 1, 0)
        assert 0 < factor.min() < 0.01
        with pytest.raises(InputError, match="conductance vanish"):
            card.replace(barrier_asymmetry=8.49 * self.CARD.barrier_height)

    def test_in_a_netlist(self):
        """The factor appears only where there is one, and ngspice's expression is that of `conductance`."""
        for card in (load_card("meram100"), self.CARD.replace(barrier_asymmetry=0.05 * ELEMENTARY_CHARGE)):
            line = next(row for row in str(junction(card)).splitlines() if row.startswith("Bj"))
            assert (line.count("V(top,bottom)") == 5) == (card.barrier_height < inf)
            expression = line.split("i=")[1].strip("{} ")
            for c, voltage in ((1, 0.7), (-1, -0.4), (0.3, 1.2)):
                text = expression.replace("V(top,bottom)", f"({voltage})").replace("V(mz)", f"({c})")
                assert eval(text) == pytest.approx(conductance(card, c, voltage) * voltage, rel=1e-9)
            half = next(row for row in str(reference_junction(card)).splitlines() if row.startswith("Bj"))
            current = eval(half.split("i=")[1].strip("{} ").replace("V(top,bottom)", "(0.5)"))
            assert current == pytest.approx(0.5 * conductance(card, 0, 0.5), rel=1e-9)

    def test_breakdown(self):
        card = self.CARD.replace(breakdown_voltage=1.5)
        with pytest.warns(derived.BreakdownWarning) as caught:
            derived.warn_above_breakdown(card, np.array([[0.1, -1.8], [1.6, 1.7]]))
        assert [str(w.message) for w in caught] == ["card 'meram100': |V| = 1.8 V exceeds the breakdown voltage 1.5 V"]
        derived.warn_above_breakdown(card, 1.5)
        derived.warn_above_breakdown(card, [])
        derived.warn_above_breakdown(load_card("meram100"), 1e6)


def energies(card, field_k, n=401):
    """Energy in tesla on a grid over the upper hemisphere, (polar, azimuth); the last row is the equator."""
    polar, azimuth = np.meshgrid(np.linspace(0, pi / 2, n), np.linspace(0, 2 * pi, 4 * n), indexing="ij")
    x, y, z = np.sin(polar) * np.cos(azimuth), np.sin(polar) * np.sin(azimuth), np.cos(polar)
    return -field_k / 2 * z**2 + derived.shape_field_y(card) / 2 * y**2 - card.bias_field * x - card.bias_field_y * y


class TestBarrier:
    CASES = (
        {"diameter_y": 60e-9},
        {"diameter_y": 140e-9},
        {"diameter_y": 140e-9, "bias_field": 0.005},
        {"bias_field_y": 0.015},
        {"bias_field": 0.0, "bias_field_y": -0.03},
        {"diameter_y": 80e-9, "bias_field_y": 0.01},
        {"diameter_y": 130e-9, "bias_field_y": -0.02, "bias_field": 0.0},
        {"diameter_y": 130e-9, "bias_field": 0.0},
    )

    @staticmethod
    def card(changes):
        """The anisotropy field is kept, so that the barrier stays a sizeable one."""
        known = {**cards.PARAMETERS, **cards.ANISOTROPY_ALTERNATIVES}
        words = {key: f'"{value} {known[key].unit}"' for key, value in changes.items()}
        return from_toml(toml({"effective_anisotropy": None, "anisotropy_field": '"90 mT"', **words}), "here")

    @pytest.mark.parametrize("changes", CASES)
    def test_brute_force(self, changes):
        """The smallest maximum over all paths between the wells: by symmetry the lowest point of the equator."""
        card = self.card(changes)
        energy = energies(card, anisotropy_field(card))
        barrier = energy[-1].min() - energy.min()
        assert barrier > 0
        assert derived.barrier_field(card) == pytest.approx(barrier, rel=2e-4)
        figures = derive(card, 350.0)
        moment = card.saturation_magnetization * derived.volume(card)
        assert figures.thermal_stability_factor == pytest.approx(moment * barrier / (BOLTZMANN * 350), rel=2e-4)

    @pytest.mark.parametrize("changes", CASES)
    def test_voltages(self, changes):
        """At V_b the barrier is gone, just below it is not; at V_dyn the well of V = 0 lies level with the saddle."""
        card = self.card(changes)
        figures = derive(card)
        below = energies(card, anisotropy_field(card, 0.98 * figures.barrier_voltage))
        above = energies(card, anisotropy_field(card, 1.02 * figures.barrier_voltage))
        assert below[-1].min() - below.min() > 0
        assert above[-1].min() - above.min() == pytest.approx(0, abs=1e-9)
        start = np.unravel_index(np.argmin(energies(card, anisotropy_field(card))), below.shape)
        at = energies(card, anisotropy_field(card, figures.overshoot_voltage))
        scale = derived.barrier_field(card)
        assert at[start] == pytest.approx(at[-1].min(), abs=2e-3 * scale)
        assert figures.overshoot_voltage <= figures.barrier_voltage

    def test_a_disc_does_not_know_directions(self):
        turned = self.card({"bias_field": 0.012, "bias_field_y": 0.016})
        plain = self.card({"bias_field": 0.02})
        for key in ("thermal_stability_factor", "barrier_voltage", "overshoot_voltage", "half_period"):
            assert getattr(derive(turned), key) == pytest.approx(getattr(derive(plain), key)), key

    def test_no_wells(self):
        # the y axis is easier than z, though x is not
        flat = self.card({"diameter_y": 400e-9, "bias_field": 0.0, "anisotropy_field": 0.005})
        assert derived.shape_field_y(flat) < -0.005
        figures = derive(flat)
        assert (figures.thermal_stability_factor, figures.barrier_voltage, figures.overshoot_voltage) == (0, 0, 0)
        assert derive(self.card({"bias_field_y": 0.2})).thermal_stability_factor == 0


class TestShowing:
    def describe(self, card, tmp_path):
        path = tmp_path / "card.toml"
        path.write_text(card if isinstance(card, str) else card.to_toml(), encoding="utf-8")
        return reports.describe(str(path), 300.0)

    @pytest.mark.parametrize("name", SHIPPED)
    def test_a_plain_card_shows_what_it_did(self, name):
        shown = reports.describe(name, 300.0)
        keys = [row[0] for row in reports.parameter_rows(shown)]
        assert keys == [key for key in cards.PARAMETERS if key not in cards.EXTENSIONS]
        symbols = [row[0] for row in reports.derived_rows(shown)]
        assert not {"c2", "Ms(T)", "tau_th"} & set(symbols)

    def test_everything(self, tmp_path):
        shown = self.describe(full_toml(), tmp_path)
        rows = {row[0]: row[1:] for row in reports.parameter_rows(shown)}
        assert set(rows) == {*cards.PARAMETERS, *cards.CHOICES, "device_to_device.diameter", "device_to_device.tmr"}
        assert rows["torque_model"] == ("slonczewski", "paper", "a paper")
        assert rows["device_to_device.diameter"] == ("2 %", "assumed", "lithography")
        assert rows["barrier_height"][0] == "0.39 eV"
        assert rows["curie_temperature"][0] == "1100 K"
        assert rows["thermal_resistance"][0] == "100 kK/W"
        assert {"c2", "Ms(T)", "tau_th"} <= {row[0] for row in reports.derived_rows(shown)}
        data = reports.as_json(shown)
        assert data["device_to_device"]["tmr"]["value"] == pytest.approx(0.05)
        assert data["derived"]["thermal_time_constant"] == pytest.approx(1e-9)

    def test_assumed_exponents_show_once_they_matter(self, tmp_path):
        rows = reports.parameter_rows(self.describe(toml({"curie_temperature": '"1100 K"'}), tmp_path))
        assert ("anisotropy_exponent", "2.18", "assumed", "default") in rows

    def test_json_has_no_infinity(self):
        data = reports.as_json(reports.describe("meram100", 300.0))
        json.dumps(data, allow_nan=False)
        assert set(data["parameters"]) == {*cards.PARAMETERS, *cards.CHOICES}
        assert data["parameters"]["breakdown_voltage"]["value"] is None
        assert data["parameters"]["torque_model"]["value"] == "voltage"
        assert data["device_to_device"] == {}
