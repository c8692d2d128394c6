"""Unit strings in, engineering notation out."""

import pytest

from mtjspice.errors import InputError
from mtjspice.units import engineering, parse


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("100 nm", "m", 1e-7),
        ("100nm", "m", 1e-7),
        ("1.5 µm", "m", 1.5e-6),
        ("0.9 MA/m", "A/m", 9e5),
        ("40 uJ/m^2", "J/m^2", 4e-5),
        ("40 fJ/(V*m)", "J/(V*m)", 4e-14),
        ("40 fJ/V/m", "J/(V*m)", 4e-14),
        ("650 ohm*um^2", "ohm*m^2", 6.5e-10),
        ("650 Ω*µm**2", "ohm*m^2", 6.5e-10),
        ("20 mT", "T", 0.02),
        ("1 mohm*mA", "V", 1e-6),
        ("-3e-2 V", "V", -0.03),
        ("300 K", "K", 300.0),
        ("110 %", "1", 1.1),
        ("0.05", "1", 0.05),
        ("2 nm/um", "1", 2e-3),
        (0.05, "1", 0.05),
        (3, "1", 3.0),
    ],
)
def test_parse(text, unit, value):
    result = parse(text, unit, "here")
    assert result == pytest.approx(value, rel=1e-12)
    assert type(result) is float


@pytest.mark.parametrize(
    ("text", "unit", "message"),
    [
        ("100 V", "m", "here: '100 V' has the wrong unit; expected one that converts to m"),
        ("100", "m", "here: '100' has the wrong unit"),
        ("5 m", "1", "here: '5 m' has the wrong unit"),
        (100, "m", r'here: 100 has no unit; write it with one, such as "100 m"'),
        (1.5, "T", "has no unit"),
        ("ten nm", "m", "here: 'ten nm' is not a quantity; expected a string such as \"1 m\""),
        ("100 nanometres each", "m", "cannot read"),
        ("", "m", "'' is not a quantity"),
        ("nm", "m", "'nm' is not a quantity"),
        ("[1, 2] m", "m", "is not a quantity"),
        ("1 m\n2", "m", "is not a quantity"),
        ("1 +", "m", "cannot read"),
        ("25 degC", "K", "cannot read '25 degC'"),
        (True, "1", "here: True is not a quantity"),
        (None, "m", "here: None is not a quantity"),
        (["1 m"], "m", "is not a quantity"),
    ],
)
def test_parse_refuses_in_one_line(text, unit, message):
    with pytest.raises(InputError, match=message) as error:
        parse(text, unit, "here")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("value", "unit", "digits", "text"),
    [
        (1.2e-9, "s", 4, "1.2 ns"),
        (1e-7, "m", 4, "100 nm"),
        (-2.5e-3, "V", 4, "-2.5 mV"),
        (82760.57, "ohm", 4, "82.76 kohm"),
        (4.4969e-16, "F", 3, "450 aF"),
        (1.0, "V", 4, "1 V"),
        (999.96e-9, "s", 4, "1 µs"),
        (9.996e-10, "s", 3, "1 ns"),
        (0.0, "T", 4, "0 T"),
        (float("nan"), "V", 4, "nan V"),
        (float("inf"), "V", 4, "inf V"),
        (-float("inf"), "V", 4, "-inf V"),
        (6.5e-10, "ohm*m^2", 4, "650 pohm*m^2"),
        (4e-14, "J/(V*m)", 4, "40 fJ/(V*m)"),
        (3e12, "Hz", 4, "3 THz"),
        (5e15, "Hz", 4, "5000 THz"),
        (1e-24, "J", 4, "1e-24 J"),
    ],
)
def test_engineering(value, unit, digits, text):
    assert engineering(value, unit, digits) == text


@pytest.mark.parametrize("value", [1e-7, 3.3e-15, 0.25, -4.2e-9, 7.1e4])
@pytest.mark.parametrize("unit", ["m", "V", "T", "ohm*m^2", "J/(V*m)"])
def test_what_is_printed_reads_back(value, unit):
    assert parse(engineering(value, unit, 6), unit, "here") == pytest.approx(value, rel=1e-5)
