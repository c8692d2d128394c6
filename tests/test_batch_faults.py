"""Faults of real simulators: killed, hanging, diverging, without OSDI, with models of another version or processor."""

import os
import signal
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import simulators

from mtjspice.circuits.simulation import simulate
from mtjspice.device.card import load_card
from mtjspice.errors import SimulatorError
from mtjspice.spice import private_ngspice, verilog_a
from mtjspice.spice.batch import run_batch
from mtjspice.spice.compile import compile_model
from mtjspice.spice.engines import find_ngspice

QUICK = "quick\nv1 in 0 1\nr1 in out 1k\nc1 out 0 1p\n.tran 1p 1n\n.end\n"
ENDLESS = "endless\nv1 in 0 sin(0 1 1g)\nr1 in out 1k\nc1 out 0 1p\n.tran 1p 1 0 1p\n.end\n"
JUNCTION = "\n".join(
    [
        "a junction",
        verilog_a.model_line(load_card("meram100")),
        verilog_a.instance_line("1", ("p", "0"), 1),
        "v1 p 0 0.1",
        ".tran 1p 5p",
    ]
)


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    """After each fault: no process is left, and the next run works."""
    yield
    assert simulators() == set()
    assert run_batch(QUICK, stop=1e-9, vectors=["v(out)"]).real("v(out)")[-1] == pytest.approx(1, abs=1e-6)


def test_time_limit() -> None:
    start = time.monotonic()
    with pytest.raises(SimulatorError, match=r"ngspice exceeded its time limit of 1 s and was stopped") as caught:
        run_batch(ENDLESS, stop=1.0, vectors=["v(out)"], time_limit=1.0)
    assert time.monotonic() - start < 10
    assert any("ENDLESS" in line.upper() for line in caught.value.log)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV], ids=lambda number: number.name)
def test_killed_in_the_middle(number: signal.Signals) -> None:
    def kill() -> None:
        for _ in range(200):
            for process in simulators():
                time.sleep(0.3)
                os.kill(process, number)
                return
            time.sleep(0.05)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        with pytest.raises(SimulatorError, match=rf"ngspice crashed \(signal {number.name}\)"):
            run_batch(ENDLESS, stop=1.0, vectors=["v(out)"], time_limit=60.0)
    finally:
        killer.join()


def test_interrupt() -> None:
    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 1.0)
    try:
        with pytest.raises(KeyboardInterrupt):
            run_batch(ENDLESS, stop=1.0, vectors=["v(out)"], time_limit=60.0)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("fidelity", ["verilog-a", "resistor"])
def test_a_circuit_that_diverges(fidelity: str) -> None:
    deck = (
        "diverges\nV1 in 0 pwl(0 0 0.2n 1)\nBx in a i = v(in) < 0.5 ? sqrt(-1)*1e300*1e300 : 1e-3*v(in,a)\n"
        "X1 a 0 mtj_cell\n.tran 1p 1n 0 10p\n.end\n"
    )
    with pytest.raises(SimulatorError, match=r"[Tt]imestep too small") as caught:
        simulate(deck, "meram100", fidelity=fidelity)
    assert caught.value.log
    assert "\n" not in str(caught.value)


def test_ngspice_without_osdi() -> None:
    usual = find_ngspice()
    assert not private_ngspice.has_osdi(usual), "this test needs an ngspice without OSDI, such as Debian 12's"
    with pytest.raises(SimulatorError, match=r"this ngspice has no OSDI; mtjspice doctor --install osdi-ngspice"):
        run_batch(JUNCTION, stop=5e-12, vectors=["v(p)"], osdi=[compile_model()], ngspice=usual)


def symbol_offset(library: bytes, name: bytes) -> int:
    """Offset in a 64-bit ELF file of the data that a dynamic symbol names."""
    headers, size, count = (*struct.unpack_from("<Q", library, 40), *struct.unpack_from("<HH", library, 58))
    sections = [struct.unpack_from("<IIQQQQIIQQ", library, headers + k * size) for k in range(count)]
    (table,) = (section for section in sections if section[1] == 11)  # SHT_DYNSYM
    names = sections[table[6]][4]
    for entry in range(table[4], table[4] + table[5], 24):
        at, _, _, home, value, _ = struct.unpack_from("<IBBHQQ", library, entry)
        if library[names + at : library.index(b"\0", names + at)] == name:
            return int(value - sections[home][3] + sections[home][4])
    raise LookupError(name)


@pytest.mark.parametrize("version", [(7, 4), (0, 3), (1, 0)])
def test_model_of_another_version_of_osdi(tmp_path: Path, version: tuple[int, int]) -> None:
    """The compiled model itself, with another version number in it; ngspice 44 would read some of them wrongly."""
    library = bytearray(compile_model().read_bytes())
    for name, number in zip((b"OSDI_VERSION_MAJOR", b"OSDI_VERSION_MINOR"), version, strict=True):
        struct.pack_into("<I", library, symbol_offset(library, name), number)
    other = tmp_path / "other.osdi"
    other.write_bytes(library)
    with pytest.raises(SimulatorError, match=rf"other\.osdi is of OSDI {version[0]}\.{version[1]}; needed: 0\.4 or a"):
        run_batch(JUNCTION, stop=5e-12, vectors=["v(p)"], osdi=[other])


def test_model_for_another_processor(tmp_path: Path) -> None:
    library = bytearray(compile_model().read_bytes())
    struct.pack_into("<H", library, 18, 243)  # RISC-V
    other = tmp_path / "other.osdi"
    other.write_bytes(library)
    with pytest.raises(SimulatorError, match=r"a compiled model does not load on this machine"):
        run_batch(JUNCTION, stop=5e-12, vectors=["v(p)"], osdi=[other])
