"""Many runs of one deck: closed forms, bit-equality with single runs, and faults of some runs among good ones."""

import os
import signal
import threading
import time
from itertools import count

import numpy as np
import pytest
from helpers import simulators

from mtjspice.circuits.library.gates import Inverter
from mtjspice.circuits.measurements import At, Voltage
from mtjspice.circuits.technology import technology
from mtjspice.circuits.testbench import Testbench
from mtjspice.errors import InputError, SimulatorError
from mtjspice.spice.batch import run_batch
from mtjspice.spice.many import Run, Status, Variant, run_many

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
