import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from helpers import osdi_ngspice

from mtjspice.errors import InputError, SimulatorError
from mtjspice.spice import batch
from mtjspice.spice.batch import run_batch
from mtjspice.spice.vacask import run_vacask

RC = """\
discharge of a capacitor
v1 in 0 pwl(0 1 1n 1 1.001n 0)
r1 in out 1k
c1 out 0 1p
.tran 1p 4n 0 5p
.end
"""
HEADER = "Title: t\nFlags: real\nNo. Variables: 2\nNo. Points: 3\nVariables:\n\t0\ttime\ttime\n\t1\tv(out)\tvoltage\n"


# Scripts stand in for ngspice only where it cannot be made to do what is tested: damaged output, children of its own.
# What real simulators do wrong is in test_batch_faults.py.


def script(folder: Path, text: str) -> Path:
    program = folder / "fake-ngspice"
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)
    return program


def run_fake(folder: Path, text: str, time_limit: float = 20.0) -> batch.BatchResult:
    return run_batch(RC, stop=2e-12, vectors=["v(out)"], ngspice=script(folder, text), time_limit=time_limit)


def test_vectors_of_a_transient() -> None:
    result = run_batch(RC, stop=4e-9, vectors=["V(out)", "i(v1)"])
    assert list(result.vectors) == ["time", "v(out)", "i(v1)"]
    assert result.engine.startswith("ngspice-")
    times, volts = result.real("time"), result.real("V(OUT)")
    later = times > 1.001e-9
    expected = np.exp(-(times[later] - 1.0005e-9) / 1e-9)
    np.testing.assert_allclose(volts[later], expected, atol=2e-4)
    np.testing.assert_allclose(result.real("i(v1)")[later], volts[later] / 1e3, atol=1e-9)


def test_vectors_of_a_frequency_sweep_are_complex() -> None:
    deck = RC.replace("v1 in 0 pwl(", "v1 in 0 ac 1 pwl(").replace(".tran 1p 4n 0 5p", ".ac dec 1 1e8 1e9")
    result = run_batch(deck, stop=None, vectors=["v(out)"])
    frequency = np.real(result.vectors["frequency"])
    np.testing.assert_allclose(result.vectors["v(out)"], 1 / (1 + 2j * np.pi * frequency * 1e-9), rtol=1e-9)
    with pytest.raises(InputError, match="complex"):
        result.real("v(out)")


def test_files_and_setup_reach_the_run() -> None:
    deck = RC.replace("r1 in out 1k", ".include parts/r.inc")
    result = run_batch(
        deck, stop=4e-9, vectors=["v(out)"], files={"parts/r.inc": "r1 in out 2k\n"}, setup=["alter c1 0.5p"]
    )
    times = result.real("time")
    level = np.interp(2.0005e-9, times, result.real("v(out)"))
    assert level == pytest.approx(np.exp(-1), abs=1e-3)


def test_the_folder_of_a_run_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    run_batch(RC, stop=4e-9, vectors=["v(out)"])
    with pytest.raises(SimulatorError):
        run_batch(RC, stop=4e-9, vectors=["v(nowhere)"])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "stop", "vectors", "message"),
    [
        (("r1 in out 1k", "r1 in out 1k"), 4e-9, ["v(nowhere)"], r"no vector .v.nowhere.. .none of the vectors exists"),
        (("r1 in out 1k", "r1 in out 1k"), 5e-9, ["v(out)"], r"stopped at 4e-09 s instead of 5e-09 s"),
        (("r1 in out 1k", "d1 in out none"), 4e-9, ["v(out)"], r"the netlist was refused: .*modelname"),
        (("r1 in out 1k", "r1 in out {nothing}"), 4e-9, ["v(out)"], r"the netlist was refused: .*nothing"),
        (
            ("r1 in out 1k", "b1 in out i = v(in) < 0.5 ? sqrt(-1)*1e300*1e300 : 1e-3*v(in,out)"),
            4e-9,
            ["v(out)"],
            r"[Tt]imestep too small",
        ),
    ],
)
def test_faulty_decks(change: tuple[str, str], stop: float, vectors: list[str], message: str) -> None:
    with pytest.raises(SimulatorError, match=message) as caught:
        run_batch(RC.replace(*change), stop=stop, vectors=vectors)
    assert caught.value.log
    assert "\n" not in str(caught.value)


def test_lines_that_ngspice_leaves_out() -> None:
    deck = RC.replace(".tran", "r2 in\n.tran")
    with pytest.raises(SimulatorError, match="the netlist was refused: Warning: 'r2 in' is not a valid"):
        run_batch(deck, stop=4e-9, vectors=["v(out)"], ngspice=osdi_ngspice())


def test_control_blocks_are_refused() -> None:
    with pytest.raises(InputError, match=r"no \.control block"):
        run_batch(RC.replace(".end", ".control\nrun\n.endc\n.end"), stop=4e-9, vectors=["v(out)"])


def test_missing_program(tmp_path: Path) -> None:
    with pytest.raises(SimulatorError, match=r"cannot run .*none: No such file"):
        run_batch(RC, stop=4e-9, vectors=["v(out)"], ngspice=tmp_path / "none")


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def gone(pid: int) -> bool:
    for _ in range(100):
        if not alive(pid):
            return True
        time.sleep(0.05)
    return False


def test_time_limit_ends_the_whole_group(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    with pytest.raises(SimulatorError, match=r"exceeded its time limit of 1 s and was stopped") as caught:
        run_fake(tmp_path, f"echo started; sleep 60 & echo $! > {note}; wait", time_limit=1.0)
    assert caught.value.log == ("started",)
    assert gone(int(note.read_text()))


@pytest.fixture
def interrupt_soon() -> Iterator[None]:
    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 1.0)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0.0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.usefixtures("interrupt_soon")
def test_interrupt_ends_the_whole_group(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    with pytest.raises(KeyboardInterrupt):
        run_fake(tmp_path, f"sleep 60 & echo $! > {note}; wait")
    assert gone(int(note.read_text()))


def write_raw(values: list[float]) -> str:
    octal = "".join(f"\\{byte:03o}" for byte in np.array(values).tobytes())
    return f"printf '%b' '{HEADER}Binary:\n' > output.raw; printf '{octal}' >> output.raw"


def test_fake_that_is_healthy(tmp_path: Path) -> None:
    """The faults below differ from this run in nothing but the fault."""
    result = run_fake(tmp_path, write_raw([0, 1, 1e-12, 2, 2e-12, 3]) + "; exit 1")
    assert result.real("v(out)").tolist() == [1, 2, 3]


def test_truncated_raw_file(tmp_path: Path) -> None:
    with pytest.raises(SimulatorError, match=r"output\.raw is cut off: 2 of 3 points"):
        run_fake(tmp_path, write_raw([0, 1, 1e-12, 2, 2e-12]))


def test_values_that_are_not_finite(tmp_path: Path) -> None:
    with pytest.raises(SimulatorError, match=r"'v\(out\)' is not finite"):
        run_fake(tmp_path, write_raw([0, 1, 1e-12, float("nan"), 2e-12, 3]))


def test_no_output_at_all(tmp_path: Path) -> None:
    with pytest.raises(SimulatorError, match=r"ngspice wrote no vectors \(exit code 0\)"):
        run_fake(tmp_path, "true")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("Error: Library a.osdi couldn't be loaded!", "a compiled model does not load"),
        ("Warning: 'r2 in' is not a valid resistor instance line, ignored!", "the netlist was refused"),
    ],
)
def test_causes_that_do_not_stop_ngspice(tmp_path: Path, line: str, message: str) -> None:
    text = f"cat <<'EOF'\n{line}\nEOF\n" + write_raw([0, 1, 1e-12, 2, 2e-12, 3])
    with pytest.raises(SimulatorError, match=message):
        run_fake(tmp_path, text)


def test_model_that_is_no_library(tmp_path: Path) -> None:
    broken = tmp_path / "Broken Model.osdi"
    broken.write_text("no library")
    with pytest.raises(SimulatorError, match="a compiled model does not load"):
        run_batch(RC, stop=4e-9, vectors=["v(out)"], osdi=[broken], ngspice=osdi_ngspice())
    with pytest.raises(InputError, match="does not exist"):
        run_batch(RC, stop=4e-9, vectors=["v(out)"], osdi=[tmp_path / "none.osdi"], ngspice=osdi_ngspice())


def test_long_logs_are_kept_at_both_ends(tmp_path: Path) -> None:
    loop = "i=0; while [ $i -lt 60000 ]; do echo line $i; i=$((i+1)); done; kill -KILL $$"
    with pytest.raises(SimulatorError, match=r"signal SIGKILL") as caught:
        run_fake(tmp_path, f"echo the first; {loop}")
    assert caught.value.log[-1] == "line 59999"
    assert len(caught.value.log) == batch.LOG_LINES


# --- VACASK --------------------------------------------------------------------------------------------------

VACASK_RC = """\
discharge of a capacitor
load "resistor.osdi"
load "capacitor.osdi"
model vs vsource
model r resistor
model c capacitor
v1 (in 0) vs type="pwl" wave=[0, 1, 1n, 1, 1.001n, 0]
r1 (in out) r r=1k
c1 (out 0) c c=1p
control
  save default
  analysis tran1 tran step=1p stop=4n maxstep=5p
endc
"""


def test_vacask() -> None:
    result = run_vacask(VACASK_RC, stop=4e-9, vectors=["out", "i(v1)"])
    times, volts = result.real("time"), result.real("out")
    later = times > 1.001e-9
    np.testing.assert_allclose(volts[later], np.exp(-(times[later] - 1.0005e-9) / 1e-9), atol=2e-4)
    np.testing.assert_allclose(result.real("i(v1)")[later], volts[later] / 1e3, atol=1e-9)


@pytest.mark.parametrize(
    ("change", "vectors", "message"),
    [
        (("r=1k", "r=1k"), ["nowhere"], "no vector 'nowhere'"),
        (("resistor.osdi", "nowhere.osdi"), ["out"], r"nowhere\.osdi' not found"),
        (("r=1k", "nosuch=1k"), ["out"], "'nosuch' not found"),
        (("stop=4n", "stop=3n"), ["out"], "stopped at 3e-09 s instead of 4e-09 s"),
        (("model r resistor", ""), ["out"], "VACASK"),
    ],
)
def test_faulty_netlists_of_vacask(change: tuple[str, str], vectors: list[str], message: str) -> None:
    with pytest.raises(SimulatorError, match=message) as caught:
        run_vacask(VACASK_RC.replace(*change), stop=4e-9, vectors=vectors)
    assert caught.value.log


def test_vacask_is_stopped_at_its_time_limit() -> None:
    endless = VACASK_RC.replace("maxstep=5p", "maxstep=1e-18")
    before = time.monotonic()
    with pytest.raises(SimulatorError, match="VACASK exceeded its time limit of 1 s"):
        run_vacask(endless, stop=4e-9, vectors=["out"], time_limit=1.0)
    assert time.monotonic() - before < 60
