"""Many runs of one deck: closed forms, bit-equality with single runs, and faults of some runs among good ones."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from helpers import simulators

from mtjspice.circuits.library.gates import Inverter
from mtjspice.circuits.measurements import At, Voltage
from mtjspice.circuits.technology import technology
from mtjspice.circuits.testbench import Testbench
from mtjspice.errors import InputError, SimulatorError
from mtjspice.spice.batch import run_batch
from mtjspice.spice.many import run_many
from mtjspice.spice.runs import Run, Status, Variant

STOP = 5e-9
# a low-pass filter, and for k above 1.5 a source that jumps whatever its own node does, where no step converges
DECK = """low-pass
.param r=1k c=1p k=1
V1 in 0 pwl(0 0 1p 1)
R1 in out {r}
C1 out 0 {c}
B1 jump 0 v={k > 1.5 ? (V(other) > 0.5 ? 0 : 1) : 0}
R2 jump other 1
C2 other 0 1e-21
.tran 10p 5n 0 10p
.end
"""


def runs(variants, **options) -> list[Run]:
    return list(run_many(DECK, variants, stop=STOP, vectors=["v(out)"], **options))


def test_every_run_has_its_parameters():
    """V(t) = 1 - exp(-t/RC) after the step of 1 ps; the steps of 10 ps leave 1e-4 of a trapezoidal rule."""
    variants = [Variant({"r": r, "c": c}) for r in (500.0, 1e3, 2e3) for c in (0.5e-12, 1e-12)]
    for run in runs(variants):
        assert run.status is Status.OK
        time_constant = run.variant.parameters["r"] * run.variant.parameters["c"]
        t = run.vectors["time"]
        expected = 1 - np.exp(-np.maximum(t - 0.5e-12, 0) / time_constant)
        assert np.max(np.abs(run.vectors["v(out)"] - expected)[t > 2e-12]) < 1e-3
        assert t[-1] == pytest.approx(STOP)


def test_results_are_those_of_single_runs_whatever_the_grouping():
    variants = [Variant({"r": 1e3 * (1 + 0.1 * k), "c": 1e-12, "k": 1.0}) for k in range(7)]
    alone = [run_batch(DECK, stop=STOP, vectors=["v(out)"], setup=variant.commands()) for variant in variants]
    for options in ({}, {"group": 1}, {"group": 2, "workers": 2}, {"group": 3, "workers": 3}):
        found = runs(variants, **options)
        assert [run.variant for run in found] == variants
        for run, reference in zip(found, alone, strict=True):
            np.testing.assert_array_equal(run.vectors["time"], reference.vectors["time"])
            np.testing.assert_array_equal(run.vectors["v(out)"], reference.vectors["v(out)"])


def test_what_one_run_sets_does_not_stay_for_others():
    variants = [Variant({"r": 2e3}), Variant({"c": 2e-12}), Variant(), Variant({"r": 3e3, "c": 3e-12}, seed=5)]
    for run in runs(variants):
        reference = run_batch(DECK, stop=STOP, vectors=["v(out)"], setup=run.variant.commands())
        np.testing.assert_array_equal(run.vectors["v(out)"], reference.vectors["v(out)"])
    assert [run.variant for run in runs(variants)] == variants


def test_parameters_on_lines_that_go_on():
    deck = DECK.replace(".param r=1k c=1p k=1", ".param r=1k\n+ c=1p\n+ k=1")
    found = list(run_many(deck, [Variant({"c": 2e-12})], stop=STOP, vectors=["v(out)"]))
    assert found[0].vectors["v(out)"][-1] == pytest.approx(1 - np.exp(-2.5), abs=1e-3)


def test_mismatch_of_many_seeds_is_that_of_single_runs():
    """An inverter at half supply, whose output hangs on its mismatch: equal to the last bit, another for each seed."""
    drives = {"a": 1.5, "vdd": 3.3, "vss": 0.0}
    measured = {"level": At(Voltage("y"), 0.5e-10)}
    bench = Testbench(Inverter(technology("gf180mcu")), 1e-10, drives, measurements=measured)
    seeds = [3, 1, 4, 1, 5]
    found = [one["level"] for one in bench.measure_draws(seeds, workers=2)]
    assert found == [bench.at(mismatch_seed=seed).run().attrs["level"] for seed in seeds]
    assert found[1] == found[3]
    assert len(set(found)) == 4


def test_a_run_that_diverges_leaves_the_others_alone():
    variants = [Variant({"r": 1e3, "k": k}) for k in (1.0, 2.0, 1.0, 2.0, 1.0)]
    found = runs(variants, group=5)
    assert [run.status for run in found] == [Status.OK, Status.DIVERGED, Status.OK, Status.DIVERGED, Status.OK]
    for run in found:
        if run.status is Status.DIVERGED:
            assert "timestep too small" in run.reason.lower()
            assert run.log
            assert run.vectors == {}
        else:
            np.testing.assert_array_equal(run.vectors["v(out)"], found[0].vectors["v(out)"])


def test_a_run_without_end_is_stopped_and_the_others_are_there():
    """A train of pulses 1 fs apart asks for some 1e7 steps."""
    source = "V1 in 0 pulse(0 1 0 {p/100} {p/100} {p/2} {p})"
    deck = f"pulses\n.param p=1n\n{source}\nR1 in out 1k\nC1 out 0 1p\n.tran 1p 1n\n.end\n"
    variants = [Variant({"p": p}) for p in (1e-9, 1e-16, 2e-9)]
    found = list(run_many(deck, variants, stop=1e-9, vectors=["v(out)"], time_limit=0.7))
    assert [run.status for run in found] == [Status.OK, Status.TIMED_OUT, Status.OK]
    assert "exceeded its time limit of 0.7 s" in found[1].reason


def test_a_run_without_end_among_many_costs_two_time_limits():
    """One in the group that it stops, one alone; the rest of the group runs again in one process, not each alone."""
    source = "V1 in 0 pulse(0 1 0 {p/100} {p/100} {p/2} {p})"
    deck = f"pulses\n.param p=1n\n{source}\nR1 in out 1k\nC1 out 0 1p\n.tran 1p 1n\n.end\n"
    variants = [Variant({"p": 1e-16 if k == 30 else 1e-9 + k * 1e-12}) for k in range(60)]
    begin = time.monotonic()
    found = list(run_many(deck, variants, stop=1e-9, vectors=["v(out)"], time_limit=1.0))
    took = time.monotonic() - begin
    assert [k for k, run in enumerate(found) if run.status is Status.TIMED_OUT] == [30]
    assert sum(run.status is Status.OK for run in found) == 59
    reference = run_batch(deck, stop=1e-9, vectors=["v(out)"], setup=variants[45].commands())
    np.testing.assert_array_equal(found[45].vectors["v(out)"], reference.vectors["v(out)"])
    assert 2.0 < took < 8.0  # not 60 time limits
    assert simulators() == set()


def fake_ngspice(folder: Path, body: str) -> Path:
    """A program in the place of ngspice, which counts the times that it is started."""
    program = folder / "ngspice"
    program.write_text(f"#!/bin/sh\necho . >> {folder}/starts\n{body}\n")
    program.chmod(0o755)
    return program


def starts(folder: Path) -> int:
    return len((folder / "starts").read_text().splitlines())


def test_the_time_limit_holds_for_a_run_not_for_its_process(tmp_path):
    """Twelve runs of 0.1 s and more in one process, which is not stopped after 0.8 s."""
    deck = DECK.replace(".tran 10p 5n 0 10p", ".tran 10p 5n 0 0.15p")
    program = fake_ngspice(tmp_path, 'exec ngspice "$@"')
    begin = time.monotonic()
    variants = [Variant({"r": 1e3 + k}) for k in range(12)]
    found = list(run_many(deck, variants, stop=STOP, vectors=["v(out)"], ngspice=program, time_limit=0.8))
    assert time.monotonic() - begin > 0.8
    assert [run.status for run in found] == [Status.OK] * 12
    assert starts(tmp_path) == 1


def test_the_rest_of_a_process_that_dies_is_one_group(tmp_path):
    """A simulator that kills itself at the run with r = 1003: the process, that run alone, the rest."""
    died = "case $(cat deck.cir) in *1003.0*) sed -i '/alterparam r = 1003.0/,$d' deck.cir; kill=1;; esac"
    end = "printf 'quit 0\\n.endc\\n.end\\n' >> deck.cir"
    program = fake_ngspice(tmp_path, f'{died}\n[ "$kill" ] && {end}\nngspice "$@"\n[ "$kill" ] && kill -9 $$\nexit 0')
    variants = [Variant({"r": 1e3 + k}) for k in range(10)]
    found = runs(variants, ngspice=program)
    assert [run.status for run in found] == [Status.CRASHED if k == 3 else Status.OK for k in range(10)]
    assert "SIGKILL" in found[3].reason
    assert starts(tmp_path) == 3


def test_memory_is_bounded():
    """60 vectors of 500,000 points are 240 MB, of 5000 points 2.4 MB."""
    chain = "\n".join(f"R{k} n{k} n{k + 1} 1k" for k in range(60))
    deck = f"many points\n.param step=1p\nV1 n0 0 1\n{chain}\nR99 n60 0 1k\n.tran 1p 5n 0 {{step}}\n.end\n"
    variants = [Variant({"step": step}) for step in (1e-12, 1e-14, 2e-12)]
    names = [f"v(n{k})" for k in range(60)]
    found = list(run_many(deck, variants, stop=STOP, vectors=names, memory=150e6))
    assert [run.status for run in found] == [Status.OK, Status.CRASHED, Status.OK]
    assert "ran out of memory" in found[1].reason
    assert len(found[2].vectors["time"]) > 2500


@pytest.mark.parametrize("group", [1, 5])
def test_a_run_from_no_operating_point_is_suspicious(group):
    """For s = 0 the node between two capacitors has no path to ground: ngspice makes up an operating point."""
    deck = "floating\n.param s=1u\nV1 in 0 1\nC1 in a 1p\nC2 a 0 1p\nG1 a 0 a 0 {s}\n.tran 10p 5n\n.end\n"
    variants = [Variant({"s": s}) for s in (1e-6, 0.0, 1e-6, 0.0, 2e-6)]
    found = list(run_many(deck, variants, stop=STOP, vectors=["v(a)"], group=group))
    assert [run.status.value for run in found] == ["ok", "suspicious", "ok", "suspicious", "ok"]
    for run in found:
        assert run.vectors["time"][-1] == pytest.approx(STOP)
        if run.status is Status.SUSPICIOUS:
            assert run.reason == "no operating point was found (singular matrix: check node a)"


def test_an_operating_point_after_source_stepping_is_none_the_worse():
    """An exponential law at 50 V, where gmin steppings fail: I = (50 V - V) / 1 ohm = 1e-14 A exp(V / 20 mV)."""
    law = "B1 a 0 i=1e-14*(exp(v(a)/0.02)-1)"
    deck = f"exponential\n.param v=50\nV1 in 0 {{v}}\nR1 in a 1\n{law}\nC1 a 0 1p\n.tran 10p 5n\n.end\n"
    alone = run_batch(deck, stop=STOP, vectors=["v(a)"])
    assert {"Warning: True gmin stepping failed", "Note: Source stepping completed"} <= set(alone.log)
    (found,) = run_many(deck, [Variant({"v": 50.0})], stop=STOP, vectors=["v(a)"])
    assert (found.status, found.reason) == (Status.OK, "")
    level = found.vectors["v(a)"]
    np.testing.assert_allclose(level, 0.02 * np.log((50 - level) / 1e-14), rtol=1e-4)


def test_initial_conditions_of_nodes_that_do_not_exist_are_suspicious():
    deck = DECK.replace(".tran", ".ic v(ouy)=1\n.tran")
    found = list(run_many(deck, [Variant({"r": 1e3}), Variant({"k": 2.0})], stop=STOP, vectors=["v(out)"]))
    assert [run.status for run in found] == [Status.SUSPICIOUS, Status.DIVERGED]
    assert found[0].reason.startswith("an initial condition was ignored: Warning : IC on non-existent node - ouy")


def test_time_that_stands_still_is_suspicious(tmp_path):
    header = "Title: t\nPlotname: Transient\nFlags: real\nNo. Variables: 2\nNo. Points: 4\nVariables:\n"
    points = "".join(f" {k} {at}\n 1\n" for k, at in enumerate(("0", "2e-9", "2e-9", "5e-9")))
    (tmp_path / "made.raw").write_text(f"{header} 0 time time\n 1 v(out) voltage\nValues:\n{points}")
    program = fake_ngspice(tmp_path, f"cp {tmp_path}/made.raw 0.raw")
    (found,) = runs([Variant({"r": 1e3})], ngspice=program)
    assert found.status is Status.SUSPICIOUS
    assert found.reason == "time does not increase after 2e-09 s"
    np.testing.assert_array_equal(found.vectors["v(out)"], np.ones(4))


def children(process: int) -> set[int]:
    """The ngspice processes that any thread of a process started."""
    listed = " ".join(file.read_text() for file in Path(f"/proc/{process}/task").glob("*/children"))
    return {int(one) for one in listed.split() if Path(f"/proc/{one}/comm").read_text().startswith("ngspice")}


def lives(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def awaited(condition):
    """The value of ``condition()`` as soon as it is true, at the latest after 20 s."""
    deadline = time.monotonic() + 20
    while not (value := condition()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return value


def test_simulators_die_with_the_process_that_started_them(tmp_path):
    """SIGKILL, which nothing in that process can answer."""
    deck = "endless\n.param r=1k\nV1 in 0 sin(0 1 1g)\nR1 in out {r}\nC1 out 0 1p\n.tran 1p 1 0 1p\n.end\n"
    driver = tmp_path / "driver.py"
    driver.write_text(
        "from mtjspice.spice.many import run_many\n"
        "from mtjspice.spice.runs import Variant\n"
        "variants = [Variant({'r': 1e3 + k}) for k in range(4)]\n"
        f"list(run_many({deck!r}, variants, stop=1.0, vectors=['v(out)'], group=1, workers=2))\n"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}  # the folders that are left go with it
    with subprocess.Popen([sys.executable, str(driver)], env=environment) as process:
        try:
            found = awaited(lambda: one if len(one := children(process.pid)) == 2 else None)
        finally:
            process.kill()
    assert found
    try:
        assert awaited(lambda: not any(map(lives, found)))
    finally:
        for one in found:
            with suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_process_that_dies_loses_nothing(number):
    """Kill the first process that is seen; what had not arrived is done again."""
    variants = [Variant({"r": 1e3 + k}) for k in range(60)]
    killed = []

    def kill() -> None:
        deadline = time.monotonic() + 20
        while not killed and time.monotonic() < deadline:
            for process in simulators():
                time.sleep(0.05)
                os.kill(process, number)
                killed.append(process)
                break

    killer = threading.Thread(target=kill)
    killer.start()
    found = runs(variants, group=60)
    killer.join()
    assert killed
    assert [run.status for run in found] == [Status.OK] * 60
    assert [run.variant for run in found] == variants
    assert simulators() == set()


def test_a_deck_that_is_wrong_fails_every_run_with_its_reason():
    deck = DECK.replace("R1 in out {r}", "R1 in out {r}\nM1 a b c d nothing")
    found = list(run_many(deck, [Variant({"r": 1e3}), Variant({"r": 2e3})], stop=STOP, vectors=["v(out)"]))
    assert [run.status for run in found] == [Status.BAD_DECK] * 2
    assert all(run.reason and "\n" not in run.reason for run in found)


def test_variants_are_taken_as_they_are_needed():
    taken = []

    def endless():
        for k in count():
            taken.append(k)
            yield Variant({"r": 1e3 + k})

    told = []
    found = run_many(DECK, endless(), stop=STOP, vectors=["v(out)"], group=3, workers=2, progress=told.append)
    for _ in range(4):
        assert next(found).status is Status.OK
    found.close()
    assert len(taken) <= 12
    assert told == sorted(told)
    assert told[0] == 3


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: Variant({"R": 1.0}), InputError, "'R' is no name of a parameter"),
        (lambda: Variant({"r": float("nan")}), InputError, "parameter r = nan must be finite"),
        (lambda: Variant(seed=0), InputError, "seed 0 is out of range; allowed: 1 to 2147483647"),
        (lambda: runs([Variant({"q": 1.0})]), InputError, "the deck defines no parameter q by .param"),
        (
            lambda: run_many(f"t\n.control\nrun\n.endc\n{DECK}", [], stop=STOP, vectors=["v(out)"]),
            InputError,
            "a deck for run_many brings no .control block",
        ),
        (lambda: runs([Variant()], group=0), InputError, "group = 0 and workers = 1 must be at least 1"),
    ],
)
def test_bad_input_is_one_clear_line(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_no_simulator_is_one_error_not_many(tmp_path):
    with pytest.raises(SimulatorError, match="cannot run"):
        runs([Variant({"r": 1e3})] * 3, ngspice=tmp_path / "ngspice")
