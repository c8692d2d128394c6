"""Quantities and sweeps as they are typed on the command line."""

import numpy as np
import pytest

from mtjspice import sweeps
from mtjspice.errors import InputError


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("1.2", "V", 1.2),
        (" 1.2V ", "V", 1.2),
        ("1200 mV", "V", 1.2),
        ("-300mV", "V", -0.3),
        ("7e-10", "s", 7e-10),
        (".7 ns", "s", 7e-10),
        ("0.05ns", "s", 5e-11),
        ("50 ps", "s", 5e-11),
        ("350", "K", 350.0),
        ("350 K", "K", 350.0),
        ("85 degC", "K", 358.15),
        ("85°C", "K", 358.15),
        ("-40degC", "K", 233.15),
    ],
)
def test_quantity(text, unit, value):
    """Exactly: what unit conversion adds in the last digit is dropped."""
    assert sweeps.quantity(text, unit, "here") == value


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1.2", [1.2]),
        ("0.8,1.0,1.2", [0.8, 1.0, 1.2]),
        ("1 V, 500 mV", [1.0, 0.5]),
        ("0.6:1.8:3", [0.6, 1.2, 1.8]),
        ("600mV:1.8V:3", [0.6, 1.2, 1.8]),
        ("0:1V:3", [0.0, 0.5, 1.0]),
        ("1:-1:3", [1.0, 0.0, -1.0]),
        ("1:1:1", [1.0]),
        ("0:0.3:4", [0.0, 0.1, 0.2, 0.3]),
    ],
)
def test_values(text, values):
    np.testing.assert_array_equal(sweeps.values(text, "V", "here"), values)


def test_both_ends_are_included():
    widths = sweeps.values("0.1ns:6ns:200", "s", "here")
    assert (len(widths), widths[0], widths[-1]) == (200, 1e-10, 6e-9)
    np.testing.assert_allclose(np.diff(widths), 5.9e-9 / 199, rtol=1e-9)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["is not a quantity"]),
        ("x", ["'x' is not a quantity", '"1 V"']),
        ("1 s", ["wrong unit", "V"]),
        ("1,,2", ["is not a quantity"]),
        ("nan", ["nan"]),
        ("inf V", ["is not finite"]),
        ("1e999", ["is not finite"]),
        ("1:2", ["start:stop:count"]),
        ("1:2:3:4", ["start:stop:count"]),
        ("1,2:3:4", ["start:stop:count"]),
        ("1:2:0", ["count '0'", "from 1 to 1000000"]),
        ("1:2:-3", ["count '-3'"]),
        ("1:2:2.5", ["count '2.5'"]),
        ("1:2:", ["count ''"]),
        ("1:2:9999999999", ["from 1 to 1000000"]),
        ("1:2:1", ["count of 1", "start = stop"]),
        ("2:2:5", ["count of 5", "start = stop"]),
        ("0.1:6V:5", ["a unit to some values only"]),
        ("1 V,2", ["a unit to some values only"]),
    ],
)
def test_bad_sweeps_are_one_line(text, words):
    with pytest.raises(InputError) as caught:
        sweeps.values(text, "V", "--voltage")
    message = str(caught.value)
    assert message.startswith("--voltage: ")
    assert "\n" not in message
    for word in words:
        assert word in message
