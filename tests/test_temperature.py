"""Cards at other temperatures: the scaling laws, what follows from them, where they end."""

import dataclasses
from math import inf, sqrt

import numpy as np
import pytest

from mtjspice.device import derived
from mtjspice.device.card import PARAMETERS, load_card
from mtjspice.device.constants import BOLTZMANN
from mtjspice.device.temperature import at_temperature, magnetization_ratio, polarization_ratio
from mtjspice.errors import InputError

MERAM = load_card("meram100")
WARM = MERAM.replace(curie_temperature=1100.0, polarization_coefficient=2e-5, vcma_quadratic=1e-24)


def test_magnetization_ratio():
    assert magnetization_ratio(300.0, 1100.0) == 1
    assert magnetization_ratio(400.0, inf) == 1
    assert magnetization_ratio(0.0, 1200.0) == pytest.approx(1 / (1 - 0.125))  # (300/1200)^1.5 = 1/8
    assert magnetization_ratio(500.0, 2000.0) == pytest.approx((1 - 0.125) / (1 - 0.15**1.5))
    assert magnetization_ratio(1099.999, 1100.0) == pytest.approx(0, abs=1e-5)
    ratios = [magnetization_ratio(t, 1000.0) for t in range(1, 1000, 50)]
    assert np.all(np.diff(ratios) < 0)
    for temperature, curie in (
        (1100.0, 1100.0),
        (1200.0, 1100.0),
        (-1.0, 1100.0),
        (200.0, 250.0),
        (float("nan"), 900.0),
    ):
        with pytest.raises(InputError, match="below a Curie temperature"):
            magnetization_ratio(temperature, curie)


def test_the_laws():
    """Each value by hand."""
    temperature = 400.0
    ratio = (1 - (400 / 1100) ** 1.5) / (1 - (300 / 1100) ** 1.5)
    card = at_temperature(WARM, temperature)
    assert card.saturation_magnetization == pytest.approx(0.9e6 * ratio)
    assert card.interfacial_anisotropy == pytest.approx(WARM.interfacial_anisotropy * ratio**2.18)
    assert card.vcma_coefficient == pytest.approx(40e-15 * ratio**2.83)
    assert card.vcma_quadratic == pytest.approx(1e-24 * ratio**2.83)
    p_ratio = (1 - 2e-5 * 400**1.5) / (1 - 2e-5 * 300**1.5)
    assert polarization_ratio(temperature, 2e-5) == pytest.approx(p_ratio)
    p = sqrt(2.2 / 4.2) * p_ratio
    assert card.tmr == pytest.approx(2 * p**2 / (1 - p**2))
    assert card.spin_polarization == pytest.approx(p)
    untouched = set(PARAMETERS) - {
        "saturation_magnetization", "interfacial_anisotropy", "vcma_coefficient", "vcma_quadratic", "tmr",
        "spin_polarization", "curie_temperature", "polarization_coefficient",
    }  # fmt: skip
    assert all(getattr(card, key) == getattr(WARM, key) for key in untouched)
    assert card.origins["tmr"].source == "at 400 K, from the card at 300 K"
    assert card.origins["damping"] == WARM.origins["damping"]


def test_a_stated_polarization_scales_by_the_same_ratio():
    card = WARM.replace(spin_polarization=0.4)
    assert at_temperature(card, 350.0).spin_polarization == pytest.approx(0.4 * polarization_ratio(350.0, 2e-5))


def test_the_card_holds_at_room_temperature():
    assert at_temperature(WARM, 300.0) is WARM
    near = at_temperature(WARM, 300.0 * (1 + 1e-12))
    for key in ("saturation_magnetization", "interfacial_anisotropy", "vcma_coefficient", "tmr", "spin_polarization"):
        assert getattr(near, key) == pytest.approx(getattr(WARM, key), rel=1e-9)


@pytest.mark.parametrize("temperature", [1.0, 250.0, 300.0, 500.0])
def test_nothing_depends_on_the_temperature_by_default(temperature):
    assert at_temperature(MERAM, temperature) is MERAM


def test_nothing_is_scaled_twice():
    card = at_temperature(WARM, 350.0)
    assert at_temperature(card, 350.0) is card
    assert at_temperature(card, 400.0) is card


def test_one_law_without_the_other():
    magnetic = at_temperature(MERAM.replace(curie_temperature=1100.0), 350.0)
    assert (magnetic.tmr, magnetic.spin_polarization) == (MERAM.tmr, MERAM.spin_polarization)
    electric = at_temperature(MERAM.replace(polarization_coefficient=2e-5), 350.0)
    assert electric.saturation_magnetization == MERAM.saturation_magnetization
    assert electric.tmr < MERAM.tmr


@pytest.mark.parametrize("temperature", [200.0, 350.0, 400.0])
def test_the_barrier_at_a_temperature(temperature):
    """Delta(T) from K_i(T), Ms(T) and the shape, written out; V_c follows K_eff and xi."""
    card = WARM.replace(vcma_quadratic=0.0)
    ratio = magnetization_ratio(temperature, 1100.0)
    shape = MERAM.interfacial_anisotropy - derived.effective_anisotropy(MERAM)  # ~ Ms^2
    areal = MERAM.interfacial_anisotropy * ratio**2.18 - shape * ratio**2
    figures = derived.derive(card, temperature)
    assert figures.effective_anisotropy == pytest.approx(areal)
    delta0 = areal * derived.area(card) / (BOLTZMANN * temperature)
    assert figures.thermal_stability_zero_field == pytest.approx(delta0)
    field_k = 2 * areal / (0.9e6 * ratio * 1e-9)
    assert figures.thermal_stability_factor == pytest.approx(delta0 * (1 - 0.02 / field_k) ** 2)
    assert figures.compensation_voltage == pytest.approx(areal * 1.5e-9 / (40e-15 * ratio**2.83))
    assert figures.saturation_magnetization == pytest.approx(0.9e6 * ratio)
    assert figures.resistance_parallel == derived.derive(MERAM).resistance_parallel
    # deriving from the card of that temperature is the same thing
    assert derived.derive(at_temperature(card, temperature), temperature) == figures


def test_retention():
    derived.require_retention(MERAM, 300.0)
    derived.require_retention(MERAM, 300.0, minimum=45.0)
    with pytest.raises(InputError) as error:
        derived.require_retention(MERAM, 300.0, minimum=60.0)
    assert str(error.value) == (
        "card 'meram100': the barrier at 300 K is 45.6 kT, too low to hold a state; at least 60 kT"
    )
    hot = MERAM.replace(curie_temperature=700.0)
    with pytest.raises(InputError, match="barrier at 450 K"):
        derived.require_retention(hot, 450.0, minimum=25.0)
    with pytest.raises(InputError, match="barrier at 300 K is 0 kT"):
        derived.require_retention(MERAM.replace(bias_field=0.2), 300.0)


@pytest.mark.parametrize("temperature", [0.0, -5.0, 501.0, inf, float("nan")])
def test_temperature_out_of_range(temperature):
    for card in (MERAM, WARM):
        with pytest.raises(InputError, match=r"temperature .* K is out of range; allowed: 1 to 500 K"):
            at_temperature(card, temperature)


@pytest.mark.parametrize(
    ("changes", "temperature", "message"),
    [
        ({"polarization_coefficient": 1e-4}, 500.0, "polarization outside 0 to 1 at 500 K"),
        ({"polarization_coefficient": 1e-4}, 1.0, "polarization outside 0 to 1 at 1 K"),
        ({"curie_temperature": 600.0, "saturation_magnetization": 2.5e6}, 1.0,
         "at 1 K, card 'meram100': saturation_magnetization = 3.867 MA/m is out of range"),
    ],
)  # fmt: skip
def test_where_a_law_ends(changes, temperature, message):
    with pytest.raises(InputError, match=message) as error:
        at_temperature(MERAM.replace(**changes), temperature)
    assert "\n" not in str(error.value)


def test_the_spread_and_the_name_are_kept():
    card = dataclasses.replace(WARM, device_spread={"tmr": 0.03})
    assert at_temperature(card, 350.0).device_spread == {"tmr": 0.03}
    assert at_temperature(card, 350.0).name == "meram100"
