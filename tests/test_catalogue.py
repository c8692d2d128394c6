"""Every circuit of the catalogue: its deck runs under plain ngspice in every technology; Python measures the same."""

import math
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from mtjspice.circuits import catalogue
from mtjspice.circuits.measurements import At, Crossing, Delay, Energy, Peak, Power, Rise, Voltage, Width
from mtjspice.circuits.technology import technologies
from mtjspice.errors import InputError
from mtjspice.spice.engines import find_ngspice

SMALL = {"meram_array": {"rows": 4, "columns": 4, "bench.mask": "0110"}, "meram_word8": {"bits": 2}}
LARGE = {"cim_column8", "ex_situ_column8", "stt_trng16", "vcma_trng4"}  # have tests of their own
NETLISTS = Path(__file__).resolve().parent.parent / "netlists"


def by_ngspice(deck: str, folder: Path) -> dict[str, float]:
    """Run a deck with plain ngspice and return what it printed as ``name = value``."""
    (folder / "deck.cir").write_text(deck, encoding="utf-8")
    done = subprocess.run(
        [find_ngspice(), "-n", "-b", "deck.cir"], cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return {name: float(value) for name, value in re.findall(r"^(\w+)\s*=\s+(\S+)", done.stdout, re.MULTILINE)}


def agree(found: float, printed: float, name: str) -> bool:
    """ngspice measures on the same points, between which it interpolates as well; its integrals begin and end at
    points."""  # fmt: skip
    relative, floor = {"s": (2e-4, 2e-14), "V": (2e-4, 2e-5), "J": (2e-3, 1e-17)}[name]
    return math.isclose(found, printed, rel_tol=relative, abs_tol=floor)


@pytest.mark.parametrize("tech", technologies())
@pytest.mark.parametrize("name", sorted(catalogue.ENTRIES.keys() - LARGE))
def test_plain_ngspice_measures_what_python_does(name, tech, tmp_path):
    testbench = catalogue.bench(name, technology=tech, values=SMALL.get(name, {})).testbench()
    printed = by_ngspice(catalogue.deck(testbench, include=True), tmp_path)
    run = testbench.run()
    for measured, one in testbench.measurements.items():
        value = run.attrs[measured]
        assert math.isfinite(value), measured
        assert agree(value, printed[measured], one.unit), (measured, value, printed[measured])


@pytest.mark.parametrize("name", sorted(catalogue.ENTRIES.keys() - LARGE))
def test_junctions_may_move(name):
    """The same bench co-simulated: same ports, finite measurements, m on the sphere."""
    testbench = catalogue.bench(name, values=SMALL.get(name, {})).testbench()
    if not testbench.junctions():
        return
    run = testbench.run("cosim", seed=3)
    assert np.allclose(np.linalg.norm(run.magnetization.values, axis=-1), 1, atol=1e-9)
    assert [str(path) for path in run.junction.values] == [junction.path for junction in testbench.junctions()]
    assert all(math.isfinite(run.attrs[measured]) for measured in testbench.measurements)


@pytest.mark.parametrize("name", sorted(catalogue.ENTRIES))
def test_shipped_netlists_are_what_the_api_writes(name):
    text = catalogue.deck(catalogue.bench(name).testbench(), include="../models/pdk/gf180mcu/typical.inc")
    assert (NETLISTS / f"{name}.cir").read_text(encoding="utf-8") == text


def test_every_netlist_has_its_line_in_the_readme():
    lines = (NETLISTS / "README.md").read_text(encoding="utf-8")
    assert all(f"`{path.name}`" in lines for path in NETLISTS.glob("*.cir"))
    assert {path.stem for path in NETLISTS.glob("*.cir")} == set(catalogue.ENTRIES)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("sram", {}, "unknown circuit 'sram'; available: pulse_writer"),
        ("cell_1t1m", {"states": "2"}, "states '2' must be 1 digits, 0 for P and 1 for AP, first junction first"),
        (
            "cell_1t1m",
            {"values": {"bench.voltage": "4 V"}},
            "voltage 4 V is out of range; allowed: up to the supply of",
        ),
        ("cell_1t1m", {"values": {"bench.nothing": 1}}, "bench has no parameter 'nothing'; available: voltage"),
        ("cell_1t1m", {"values": {"bench.pulse_width": "20 ps"}}, "pulse width 2e-11 s must be wider than its edges"),
        ("tap_pulse_writer", {"values": {"bench.tap": 9}}, "tap 9 is out of range; the generator has taps 0 to 7"),
        ("meram_array", {"values": {"bench.row": 64}}, "row 64 is out of range; the array has rows 0 to 63"),
        ("meram_array", {"values": {"bench.mask": "12"}}, "mask '12' must be all, or 8 digits 0 or 1, column 0 first"),
        ("meram_array", {"values": {"bench.offset": 5}}, "offset 5 is out of range; groups have columns 0 to 3"),
        ("meram_array", {"values": {"bench.cycle": "erase"}}, "unknown ArrayCycle: cycle 'erase'; available: read-"),
    ],
)
def test_bad_input_is_one_clear_line(name, options, message):
    with pytest.raises(InputError) as caught:
        catalogue.bench(name, **options).testbench()
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


# --- measurements on a waveform that can be worked out by hand --------------------------------------------------

TIME = np.array([0.0, 1.0, 2.0, 4.0, 5.0, 6.0]) * 1e-9
TRAPEZOID = {"v(a)": np.array([0.0, 0.0, 2.0, 2.0, 0.0, 0.0]), "i(va)": np.full(6, -1e-3)}
A = Voltage("a")


@pytest.mark.parametrize(
    ("measurement", "expected"),
    [
        (Crossing(A, 1.0, "rise"), 1.5e-9),
        (Crossing(A, 0.5, "fall"), 4.75e-9),
        (Crossing(A, 1.0, "cross", number=2), 4.5e-9),
        (Crossing(A, 1.0, "cross", after=2e-9), 4.5e-9),
        (Delay(Crossing(A, 0.5, "rise"), Crossing(A, 1.5, "rise")), 0.5e-9),
        (At(A, 1.25e-9), 0.5),
        (Peak(A), 2.0),
        (Peak(A, "min"), 0.0),
        (Width(A), 3e-9),
        (Rise(A), 0.8e-9),
        (Energy(Power(("a",))), 6e-12),  # 1 mA times the area of 2 V x 3 ns
        (Energy(Power(("a",)), 1.5e-9, 2e-9), 0.75e-12),
    ],
)
def test_measurements_by_hand(measurement, expected):
    assert measurement.evaluate(TIME, TRAPEZOID) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    "measurement", [Crossing(A, 3.0), Crossing(A, 1.0, "rise", number=2), Width(Voltage("0", "a"))]
)
def test_what_does_not_happen_is_not_a_number(measurement):
    assert math.isnan(measurement.evaluate(TIME, TRAPEZOID))
