"""Pulses: calibrated width and amplitude in every corner, what a generator cannot make, convergence in the step."""

from itertools import pairwise

import pytest

from mtjspice.circuits.benches.pulse import Conditions, Load, calibrate_pulse, pulse_bench, tap_settings
from mtjspice.circuits.library.pulse import PulseWriter, TapPulseGenerator
from mtjspice.circuits.technology import technologies, technology
from mtjspice.errors import InputError

AMPLITUDES = {"gf180mcu": 1.2, "sky130": 1.2, "freepdk45": 0.8}
CORNERS = [(name, corner) for name in technologies() for corner in technology(name).corners if corner != "statistical"]


def check_calibration(name: str, corner: str, width: float, temperature: float = 300.0) -> None:
    writer = PulseWriter(technology(name))
    conditions = Conditions(corner=corner, temperature=temperature)
    found = calibrate_pulse(writer, width, AMPLITUDES[name], conditions)
    assert found.width == pytest.approx(width, rel=0.03)
    assert found.amplitude == pytest.approx(AMPLITUDES[name], rel=0.01)
    assert 1e-12 < found.rise_time < 0.25e-9
    assert 0 < found.energy < 1e-11
    # at a step five times finer the pulse is the same
    fine = pulse_bench(writer, found.settings, found.rail, width, conditions)
    run = fine.at(max_step=fine.max_step / 5).run()
    assert run.attrs["width"] == pytest.approx(found.width, rel=5e-3)
    assert run.attrs["amplitude"] == pytest.approx(found.amplitude, rel=5e-3)


@pytest.mark.parametrize(("name", "corner"), CORNERS)
def test_a_nanosecond_is_calibrated_in_every_corner(name, corner):
    check_calibration(name, corner, 1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("width", [0.3e-9, 5e-9])
@pytest.mark.parametrize(("name", "corner"), CORNERS)
def test_any_width_is_calibrated_in_every_corner(name, corner, width):
    check_calibration(name, corner, width)


@pytest.mark.slow
@pytest.mark.parametrize("temperature", [233.15, 398.15])
@pytest.mark.parametrize("name", technologies())
def test_calibrated_at_the_temperature_limits(name, temperature):
    check_calibration(name, technology(name).default_corner, 1e-9, temperature)


def test_corners_differ_before_calibration():
    """The reason to calibrate: one control voltage makes pulses that differ by more than half from ff to ss."""
    writer = PulseWriter(technology("gf180mcu"))
    widths = [
        pulse_bench(writer, {"control": 0.78}, 1.25, 4e-9, Conditions(corner=corner)).run().attrs["width"]
        for corner in ("ff", "typical", "ss")
    ]
    assert widths[0] < widths[1] < widths[2]
    assert widths[2] / widths[0] > 1.5


@pytest.mark.parametrize("name", technologies())
def test_taps_are_selected_and_nearly_equally_spaced(name):
    tech = technology(name)
    generator = TapPulseGenerator(tech, taps=4, spacing=4)
    writer = PulseWriter(tech, generator=generator)
    rail = AMPLITUDES[name]
    widths = [
        pulse_bench(writer, tap_settings(generator, tap, tech.supply_voltage), rail, 3e-9).run().attrs["width"]
        for tap in range(4)
    ]
    steps = [b - a for a, b in pairwise(widths)]
    assert min(steps) > 0
    assert max(steps) < 1.2 * min(steps)  # the last tap has no line behind it
    found = calibrate_pulse(writer, widths[2] * 1.01, rail * 0.9)
    assert [value > 0 for value in found.settings.values()] == [False, False, True, False]
    with pytest.raises(InputError, match=r"no tap makes a pulse within 3% of .*; nearest: .* ns \(tap 2\), .* of 4"):
        calibrate_pulse(writer, (widths[2] + widths[3]) / 2, rail * 0.9)


@pytest.mark.parametrize(
    ("width", "amplitude", "message"),
    [
        (
            0.05e-9,
            1.2,
            "pulse width 0.05 ns is too narrow for starved_pulse_generator in gf180mcu typical; the narrowest",
        ),
        (1e-9, 5.0, "amplitude 5 V is out of range; the rail goes up to the supply of 3.3 V"),
        (
            1e-9,
            3.29,
            "amplitude 3.29 V is out of reach at 1 ns in gf180mcu typical; with the rail at the supply of 3.3 V",
        ),
        (-1e-9, 1.2, "pulse width -1 ns is out of range"),
        (2e-6, 1.2, "pulse width 2000 ns is out of range; allowed: up to 1000 ns"),
    ],
)
def test_what_cannot_be_made_is_refused_with_the_limit(width, amplitude, message):
    heavy = Conditions(load=Load(resistance=1e3))
    with pytest.raises(InputError) as caught:
        calibrate_pulse(PulseWriter(technology("gf180mcu")), width, amplitude, heavy)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
