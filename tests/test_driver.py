"""Running studies: the same numbers wherever points are evaluated, and nothing lost whatever is killed."""

import json
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from math import sqrt
from pathlib import Path

import numpy as np
import pytest
import study_functions as functions
from scipy.special import ndtr

from mtjspice.errors import InputError, MtjspiceError
from mtjspice.studies.driver import run_study
from mtjspice.studies.lazy import open_dataset
from mtjspice.studies.space import Space, Spread, Sweep
from mtjspice.studies.store import Store
from mtjspice.studies.study import Study
from mtjspice.studies.subjects.circuit import CircuitSubject
from mtjspice.studies.subjects.function import FunctionSubject
from mtjspice.studies.subjects.on_waveform import Switching
from mtjspice.studies.trim import Trim

XY = (Spread("x", 0.0, 1.0), Spread("y", 1.0, 2.0))
LINEAR = Study(
    "linear", functions.LINEAR, Space((Sweep("x", (0.5, 1.0, 2.0)),), (XY[1],), samples=40, trials=2, seed=5)
)


def results(folder: Path, study: Study):
    return open_dataset(folder, study.space, study.subject.units, {})


def values_of(folder: Path, study: Study) -> dict[str, list]:
    data = results(folder, study)
    return {str(name): data[name].values.tolist() for name in data.data_vars}


@pytest.fixture(scope="module")
def reference(tmp_path_factory) -> dict[str, list]:
    folder = tmp_path_factory.mktemp("reference")
    run_study(LINEAR, folder)
    return values_of(folder, LINEAR)


# --- closed forms --------------------------------------------------------------------------------------------


def test_variance_and_yield_are_those_of_closed_forms(tmp_path):
    """s = 1 + 3 x - 2 y with x ~ N(0, 1), y ~ N(1, 2): N(-1, 5), and P(s > 0) = Phi(-0.2).

    20,000 samples; bounds of 4 standard errors each: one false alarm in 16,000 for each of three numbers.
    """
    n = 20_000
    study = Study("closed forms", functions.LINEAR, Space((), XY, samples=n, seed=11))
    run_study(study, tmp_path)
    found = results(tmp_path, study)["sum"].values
    assert len(found) == n
    assert abs(found.mean() + 1) < 4 * 5 / sqrt(n)
    assert abs(found.var(ddof=1) - 25) < 4 * 25 * sqrt(2 / n)
    expected = float(ndtr(-0.2))
    assert abs((found > 0).mean() - expected) < 4 * sqrt(expected * (1 - expected) / n)


# --- wherever it runs ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 2])
def test_worker_processes_give_the_same_numbers(tmp_path, reference, workers):
    summary = run_study(LINEAR, tmp_path, workers=workers)
    assert (summary.points, summary.evaluated, summary.failed) == (240, 240, 0)
    assert values_of(tmp_path, LINEAR) == reference


@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_an_executor_gives_the_same_numbers(tmp_path, reference, kind):
    spawned = ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn"))
    with ThreadPoolExecutor(3) if kind == "threads" else spawned as executor:
        run_study(LINEAR, tmp_path, executor=executor, workers=3)
    assert values_of(tmp_path, LINEAR) == reference


def test_circuits_give_the_same_numbers_in_every_fidelity(tmp_path):
    """Counted on a waveform, and co-simulated, with the foundry's mismatch: in process, and in two workers."""
    for fidelity, trials in (("macrospin", 200), ("cosim", 3), ("resistor", None)):
        subject = CircuitSubject(
            "cell_1t1m", fidelity=fidelity, switching=Switching(trials=trials), values={"bench.pulse_width": 5e-10}
        )
        sweeps = (Sweep("bench.voltage", (1.1, 1.3), "V"), Sweep("temperature", (300.0, 350.0), "K"))
        study = Study("cell", subject, Space(sweeps, seeds=("mismatch",), samples=2))
        found = []
        for workers in (None, 2):
            folder = tmp_path / f"{fidelity}{workers}"
            assert run_study(study, folder, workers=workers).failed == 0
            found.append(values_of(folder, study))
        assert found[0] == found[1]
        if fidelity != "resistor":
            assert any(0 < p < 1 for p in np.ravel(found[0]["probability0"]))
        voltages = np.array(found[0]["junction0_voltage"])
        assert len(np.unique(voltages)) == 8  # every point has its own: the mismatch is drawn


# --- what is killed ------------------------------------------------------------------------------------------

DRIVER = """
import sys
from pathlib import Path
sys.path[:0] = {path!r}
import study_functions as functions
from mtjspice.studies.driver import run_study
from mtjspice.studies.space import Space, Sweep
from mtjspice.studies.study import Study
study = Study("slow", functions.SLOW, Space((Sweep("x", tuple(0.5 * k for k in range(150))),), seed=5))
print("begin", flush=True)
run_study(study, Path(sys.argv[1]), workers=2)
print("end", flush=True)
"""
SLOW = Study("slow", functions.SLOW, Space((Sweep("x", tuple(0.5 * k for k in range(150))),), seed=5))


def driver(folder: Path) -> subprocess.Popen[str]:
    script = DRIVER.format(path=[str(Path(__file__).parent)])
    return subprocess.Popen([sys.executable, "-c", script, str(folder)], stdout=subprocess.PIPE, text=True)


def children(pid: int) -> set[int]:
    """All descendants of a process."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if fields[0] != "Z":
                parents[int(entry.name)] = int(fields[1])
    found: set[int] = set()
    while more := {child for child, parent in parents.items() if parent in found | {pid}} - found:
        found |= more
    return found


def stored(folder: Path) -> int:
    try:
        with Store(folder, write=False) as store:
            return len(store.keys())
    except InputError:  # not there yet, or about to be
        return 0


def wait_for(condition, limit: float = 60.0) -> None:
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_driver_that_is_killed_again_and_again_leaves_every_point_once(tmp_path):
    uninterrupted = tmp_path / "whole"
    run_study(SLOW, uninterrupted)
    folder = tmp_path / "killed"
    rng = random.Random(3)
    for _ in range(3):
        before = stored(folder)
        process = driver(folder)
        wait_for(lambda before=before: stored(folder) > before)
        time.sleep(rng.uniform(0, 0.4))
        workers = children(process.pid)
        process.kill()
        process.communicate()
        # the workers do not outlive it
        wait_for(lambda workers=workers: not any(Path(f"/proc/{pid}").exists() for pid in workers), 20.0)
    process = driver(folder)
    assert process.communicate(timeout=120)[0] == "begin\nend\n"
    assert values_of(folder, SLOW) == values_of(uninterrupted, SLOW)
    assert stored(folder) == 150


def test_workers_that_are_killed_are_replaced(tmp_path):
    folder = tmp_path / "killed"
    process = driver(folder)
    rng = random.Random(4)
    for _ in range(4):
        before = stored(folder)
        wait_for(lambda before=before: stored(folder) > before or process.poll() is not None)
        found = sorted(children(process.pid))
        if found:
            os.kill(rng.choice(found), signal.SIGKILL)
    assert process.communicate(timeout=120)[0] == "begin\nend\n"
    run_study(SLOW, tmp_path / "whole")
    assert values_of(folder, SLOW) == values_of(tmp_path / "whole", SLOW)


def test_simulators_that_are_killed_are_started_again(tmp_path):
    """ngspice is killed whenever it is seen; the points are done again alone, and nothing is different in the end."""
    subject = CircuitSubject("cell_1t1m", values={"bench.pulse_width": 1e-9})
    sweeps = (Sweep("bench.voltage", tuple(0.5 + 0.05 * k for k in range(20)), "V"),)
    study = Study("cell", subject, Space(sweeps, seeds=("mismatch",), samples=5))
    run_study(study, tmp_path / "whole")
    script = (
        "import sys\nfrom pathlib import Path\nfrom mtjspice.studies.driver import run_study\n"
        "from mtjspice.studies.space import Space, Sweep\nfrom mtjspice.studies.study import Study\n"
        "from mtjspice.studies.subjects.circuit import CircuitSubject\n"
        "subject = CircuitSubject('cell_1t1m', values={'bench.pulse_width': 1e-9})\n"
        "sweeps = (Sweep('bench.voltage', tuple(0.5 + 0.05 * k for k in range(20)), 'V'),)\n"
        "study = Study('cell', subject, Space(sweeps, seeds=('mismatch',), samples=5))\n"
        "run_study(study, Path(sys.argv[1]), workers=2)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "killed")])
    killed = 0
    while process.poll() is None and killed < 4:
        for pid in children(process.pid):
            try:
                if Path(f"/proc/{pid}/comm").read_text().startswith("ngspice"):
                    os.kill(pid, signal.SIGKILL)
                    killed += 1
                    time.sleep(0.3)
                    break
            except OSError:
                continue
    assert process.wait(120) == 0
    assert killed >= 2
    summary = run_study(study, tmp_path / "killed")  # those whose simulator was killed twice are tried again
    assert summary.failed == 0
    assert values_of(tmp_path / "killed", study) == values_of(tmp_path / "whole", study)


def test_a_full_disk_leaves_what_was_stored(tmp_path):
    """Writing ends at a file size; what was finished before is there, and the study goes on elsewhere."""
    script = (
        "import resource, signal, sys\nfrom pathlib import Path\nsys.path[:0] = " + repr([str(Path(__file__).parent)])
        + "\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (900_000, 900_000))\n"
        "import study_functions as functions\nfrom mtjspice.errors import MtjspiceError\n"
        "from mtjspice.studies.driver import run_study\nfrom mtjspice.studies.space import Space, Spread\n"
        "from mtjspice.studies.study import Study\n"
        "study = Study('large', functions.LINEAR, Space((), (Spread('x', 0.0, 1.0),), samples=3000))\n"
        "try:\n    run_study(study, Path(sys.argv[1]))\n"
        "except MtjspiceError as error:\n    print(error)\n"
    )  # fmt: skip
    folder = tmp_path / "full"
    printed = subprocess.run([sys.executable, "-c", script, str(folder)], capture_output=True, text=True, check=True)
    assert printed.stdout.startswith("cannot store results"), printed
    assert printed.stdout.count("\n") == 1
    assert 0 < stored(folder) < 3000
    study = Study("large", functions.LINEAR, Space((), (Spread("x", 0.0, 1.0),), samples=3000))
    summary = run_study(study, folder)
    assert summary.reused > 0
    assert np.isfinite(results(folder, study)["sum"].values).all()


# --- points that fail ----------------------------------------------------------------------------------------


def test_points_that_fail_are_missing_with_a_reason_and_leave_the_others_alone(tmp_path):
    subject = FunctionSubject(functions.hazardous, {"x": "1"})
    study = Study("hazards", subject, Space((Sweep("x", tuple(float(x) for x in range(12))),)))
    summary = run_study(study, tmp_path, workers=2, time_limit=1.0)
    assert (summary.points, summary.failed) == (12, 4)
    data = results(tmp_path, study)
    status = data["status"].values.tolist()
    assert {x: status[x] for x in (3, 5, 7, 9)} == {3: "diverged", 5: "crashed", 7: "crashed", 9: "timed out"}
    square = data["square"].values
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(square)), [3, 5, 7, 9])
    np.testing.assert_array_equal(square[np.isfinite(square)], [0, 1, 4, 16, 36, 64, 100, 121])
    with Store(tmp_path, write=False) as store:
        reasons = dict(store.failures(9))
    assert reasons[3].log == ("last line",)
    assert "ZeroDivisionError: of the function's own" in reasons[5].reason
    assert "SIGKILL" in reasons[7].reason
    assert "time limit" in reasons[9].reason


def test_a_point_whose_worker_was_killed_by_somebody_gets_another_attempt(tmp_path):
    subject = FunctionSubject(functions.dies_once, {"x": "1", "mark": ""})
    sweeps = (Sweep("x", (1.0, 2.0, 3.0)), Sweep("mark", (str(tmp_path / "mark"),)))
    study = Study("once", subject, Space(sweeps))
    assert run_study(study, tmp_path / "out", workers=1).failed == 0
    assert (tmp_path / "mark").exists()


def test_a_worker_that_takes_too_much_memory_fails_its_point_alone(tmp_path):
    subject = FunctionSubject(functions.greedy, {"x": "1"})
    study = Study("greedy", subject, Space((Sweep("x", (1e6, 8e9, 2e6)),)))
    run_study(study, tmp_path, workers=1, memory=2e9)
    data = results(tmp_path, study)
    assert data["status"].values.tolist() == ["ok", "crashed", "ok"]
    with Store(tmp_path, write=False) as store:
        ((_, record),) = store.failures(9)
    assert "memory" in record.reason


def test_a_card_that_cannot_be_is_one_failed_point(tmp_path):
    """A spread reaches beyond the allowed range of the card; the deck and the reason are kept."""
    subject = CircuitSubject("cell_1t1m")
    study = Study("wide", subject, Space((Sweep("card.tmr", (2.0, 25.0)),)))
    assert run_study(study, tmp_path).failed == 1
    with Store(tmp_path, write=False) as store:
        ((place, record),) = store.failures(9)
    assert (place, record.status) == (1, "bad deck")
    assert "tmr = 25 is out of range" in record.reason


# --- resuming ------------------------------------------------------------------------------------------------


def test_a_study_that_is_extended_reuses_what_it_has(tmp_path, reference):
    smaller = Study(
        "linear", functions.LINEAR, Space((Sweep("x", (1.0, 0.5)),), (XY[1],), samples=40, trials=2, seed=5)
    )
    assert run_study(smaller, tmp_path).evaluated == 160
    summary = run_study(LINEAR, tmp_path)
    assert (summary.reused, summary.evaluated) == (160, 80)
    assert values_of(tmp_path, LINEAR) == reference


def test_another_version_of_the_function_is_evaluated_anew(tmp_path):
    space = Space((Sweep("x", (1.0, 2.0)),))
    run_study(Study("a", functions.LINEAR, space), tmp_path)
    other = FunctionSubject(functions.linear, {"x": "1", "y": "1"}, version="2")
    assert run_study(Study("a", other, space), tmp_path).evaluated == 2


def test_failed_points_are_tried_again(tmp_path):
    subject = FunctionSubject(functions.hazardous, {"x": "1"})
    study = Study("hazards", subject, Space((Sweep("x", (2.0, 3.0)),)))
    assert run_study(study, tmp_path).failed == 1
    assert run_study(study, tmp_path).evaluated == 1


def test_progress_counts_all_points(tmp_path):
    told: list[int] = []
    run_study(LINEAR, tmp_path, progress=told.append)
    assert told[0] == 0
    assert told[-1] == 240
    assert told == sorted(told)


# --- trim ----------------------------------------------------------------------------------------------------


def test_a_trim_is_found_for_every_value_of_its_sweeps(tmp_path):
    """1 + 3 x - 2 y = 0.5 at x = (2 y - 0.5)/3; the points take it."""
    trim = Trim("x", -2.0, 5.0, "sum", 0.5, per=("y",), tolerance=1e-6)
    study = Study("trimmed", functions.LINEAR, Space((Sweep("y", (0.0, 1.0, 2.5)),)), trim=trim)
    run_study(study, tmp_path)
    np.testing.assert_allclose(results(tmp_path, study)["sum"].values, 0.5, atol=1e-6)
    with Store(tmp_path, write=False) as store:
        trimmed = dict(map(tuple, ((tuple(a), b) for a, b in json.loads(store.about("trimmed") or "[]"))))
    assert trimmed == pytest.approx({(0.0,): -1 / 6, (1.0,): 0.5, (2.5,): 1.5}, abs=1e-6)
    assert run_study(study, tmp_path).evaluated == 0


def test_a_trim_out_of_reach_says_so(tmp_path):
    trim = Trim("x", 1.0, 2.0, "sum", 0.5)
    study = Study("trimmed", functions.LINEAR, Space((Sweep("y", (0.0,)),)), trim=trim)
    with pytest.raises(MtjspiceError, match=r"sum goes from 4 to 7 between x = 1 and 2; the target of 0.5 must lie"):
        run_study(study, tmp_path)


# --- what is refused -----------------------------------------------------------------------------------------


def test_a_folder_in_use_is_refused(tmp_path):
    with Store(tmp_path), pytest.raises(InputError, match="in use"):
        run_study(LINEAR, tmp_path)


def test_a_function_that_workers_cannot_import_is_told(tmp_path):
    subject = FunctionSubject(_nowhere, {"x": "1"})
    study = Study("nowhere", subject, Space((Sweep("x", (1.0,)),)))
    with pytest.raises(InputError, match="cannot be sent to worker processes"):
        run_study(study, tmp_path, workers=1)


def _nowhere(values, seed):
    return {"x": 1.0}


_nowhere.__module__ = "__main__"


def test_bad_numbers_of_workers_and_memory(tmp_path):
    with pytest.raises(InputError, match="at least 1, not 0"):
        run_study(LINEAR, tmp_path, workers=0)
    with pytest.raises(InputError, match=r"memory bound of 0.1 GB is too small"):
        run_study(LINEAR, tmp_path, workers=1, memory=1e8)


# --- Dask ----------------------------------------------------------------------------------------------------


@pytest.fixture
def dask_cluster(tmp_path):
    """A scheduler and two worker processes, by dask's own commands; yields the address and the workers' processes."""
    command = shutil.which("dask", path=str(Path(sys.executable).parent))
    assert command is not None
    file = tmp_path / "scheduler.json"
    tests = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    log = (tmp_path / "dask.log").open("wb")
    options = {"stdout": log, "stderr": log, "start_new_session": True, "env": tests, "cwd": tmp_path}
    scheduler = ["--scheduler-file", str(file)]
    processes = [
        subprocess.Popen(
            [command, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", *scheduler], **options
        )
    ]
    try:
        wait_for(file.exists)
        for k in range(2):
            folder = tmp_path / f"worker{k}"
            folder.mkdir()
            worker = ["worker", *scheduler, "--nthreads", "1", "--nworkers", "1", "--no-dashboard"]
            # without a nanny that would start it again
            processes.append(
                subprocess.Popen([command, *worker, "--no-nanny", "--local-directory", str(folder)], **options)
            )
        yield json.loads(file.read_text())["address"], processes[1:]
    finally:
        for process in processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        log.close()


@pytest.mark.filterwarnings("ignore")  # those of distributed are not ours
def test_dask_gives_the_same_numbers_with_a_worker_killed_in_the_middle(tmp_path, dask_cluster):
    from mtjspice.studies.executors import dask_client

    address, workers = dask_cluster
    uninterrupted, folder = tmp_path / "whole", tmp_path / "dask"
    run_study(SLOW, uninterrupted)
    with dask_client(address) as (client, count):
        assert count == 2
        killed = []

        def kill_one(done: int) -> None:
            if done >= 40 and not killed:
                os.killpg(workers[0].pid, signal.SIGKILL)
                killed.append(done)

        summary = run_study(SLOW, folder, executor=client, workers=count, progress=kill_one)
    assert killed
    assert killed[0] < 150
    assert (summary.evaluated, summary.failed) == (150, 0)
    assert values_of(folder, SLOW) == values_of(uninterrupted, SLOW)


@pytest.mark.filterwarnings("ignore")
def test_no_dask_scheduler_is_one_line(monkeypatch):
    from mtjspice.studies import executors

    monkeypatch.setattr(executors, "CONNECT_LIMIT", 1.0)
    client = executors.dask_client("tcp://127.0.0.1:9")
    with pytest.raises(MtjspiceError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        client.__enter__()
