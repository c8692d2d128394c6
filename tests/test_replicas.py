"""Copies of a deck in one netlist: closed forms, agreement with single runs, what decks can have, faults."""

from itertools import count

import numpy as np
import pytest
from helpers import simulators

from mtjspice.errors import InputError, SimulatorError
from mtjspice.spice.many import run_many
from mtjspice.spice.replicas import run_replicas
from mtjspice.spice.runs import Run, Status, Variant

STOP = 5e-9
# for k above 1.5 there is no step that converges
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
DRIVE = "V1 in 0 pwl(0 0 1n 1)\nR1 in out {r}\nC1 out 0 1p\n"


def runs(variants, deck=DECK, vectors=("v(out)",), stop=STOP, **options) -> list[Run]:
    return list(run_replicas(deck, variants, stop=stop, vectors=list(vectors), **options))


def resistances(*values: float) -> list[Variant]:
    return [Variant({"r": value}) for value in values]


def deck_of(lines: str, parameters: str = ".param r=1k") -> str:
    return f"a deck\n{parameters}\n{lines}\n.tran 10p 5n 0 10p\n.end\n"


def assert_agree(found: list[Run], expected: list[Run], tolerance: float) -> None:
    """Every vector of both, at the times of the first: the largest difference is below ``tolerance``."""
    assert [run.variant for run in found] == [run.variant for run in expected]
    for one, other in zip(found, expected, strict=True):
        assert one.status is other.status is Status.OK, (one.reason, other.reason)
        assert list(one.vectors) == list(other.vectors)
        for name in one.vectors:
            reference = np.interp(one.vectors["time"], other.vectors["time"], other.vectors[name])
            assert np.max(np.abs(one.vectors[name] - reference)) < tolerance, name


def together(deck: str, vectors, variants, monkeypatch, tolerance: float = 1e-6) -> list[Run]:
    """The runs of copies, which agree with those of run_many; no copy is run alone, which would agree anyway."""
    expected = list(run_many(deck, variants, stop=STOP, vectors=list(vectors)))

    def refuse(task, variant):
        raise AssertionError(f"the copy {variant} did not run with the others")

    with monkeypatch.context() as patch:
        patch.setattr("mtjspice.spice.replicas.alone", refuse)
        found = runs(variants, deck, vectors)
    assert_agree(found, expected, tolerance)
    return found


def test_every_copy_has_its_parameters():
    """V(t) = 1 - exp(-t/RC) after the step of 1 ps; the steps of 10 ps leave 1e-4 of a trapezoidal rule."""
    variants = [Variant({"r": r, "c": c}) for r in (500.0, 1e3, 2e3) for c in (0.5e-12, 1e-12)]
    found = runs(variants, vectors=["V(out)", "i(V1)"])
    assert [run.variant for run in found] == variants
    for run in found:
        assert run.status is Status.OK
        assert list(run.vectors) == ["time", "v(out)", "i(v1)"]
        t = run.vectors["time"]
        r, c = run.variant.parameters["r"], run.variant.parameters["c"]
        decay = np.exp(-np.maximum(t - 0.5e-12, 0) / (r * c))
        assert np.max(np.abs(run.vectors["v(out)"] - (1 - decay))[t > 2e-12]) < 1e-3
        assert np.max(np.abs(run.vectors["i(v1)"] * r + decay)[t > 2e-12]) < 1e-3
        assert t[-1] == pytest.approx(STOP)


def test_copies_agree_with_single_runs_whatever_their_number():
    """Linear, with 10 ps as the longest step everywhere: 1e-6 V of a step of 1 V."""
    variants = resistances(*(1e3 * (1 + 0.1 * k) for k in range(7)))
    expected = list(run_many(DECK, variants, stop=STOP, vectors=["v(out)"]))
    for options in ({}, {"copies": 1}, {"copies": 3, "workers": 2}):
        assert_agree(runs(variants, **options), expected, 1e-6)


def test_copies_that_set_different_parameters_go_apart():
    variants = [Variant({"r": 2e3}), Variant({"c": 2e-12}), Variant(), Variant({"c": 3e-12}), Variant({"r": 3e3})]
    assert_agree(runs(variants), list(run_many(DECK, variants, stop=STOP, vectors=["v(out)"])), 1e-6)


FEATURES = {
    "models": (
        f"{DRIVE}D1 out 0 diode\n.model diode d(is=1e-14 n=1.2)",
        ["v(out)", "i(v1)"],
    ),
    "models that depend on what is varied, in subcircuits too": (
        f"{DRIVE}D1 out 0 own\n.model own d(is={{1e-17*r}})\n.subckt cell a b\nD1 a b own\n.ends\nX1 in 0 cell",
        ["v(out)", "i(v1)"],
    ),
    "subcircuits in subcircuits, and parameters seen from within": (
        ".subckt inner a b w=1\nR1 a m {w*r}\nV1 m n 0\nR2 n b {r}\n.ends\n"
        ".subckt outer a b\nXin a b inner w=3\nC1 b 0 1p\n.ends\nXdut in out outer\n"
        "R1 out 0 1k\nV1 in 0 pwl(0 0 1n 1)",
        ["v(xdut.xin.m)", "i(v.xdut.xin.v1)", "v(out)"],
    ),
    "parameters of subcircuits, of the same name and by default": (
        f"{DRIVE}.subckt cell a b r=7 w={{r*2}}\n.param half={{w/2}}\nR1 a b {{r}}\nR2 a b {{w}}\nR3 a b {{half}}\n"
        ".ends\nX1 out 0 cell r={r}\nX2 out 0 cell\n"
        ".subckt free a w={r*2}\nR1 a 0 {w}\n.ends\nX3 out free",
        ["v(out)"],
    ),
    "parameters that depend on others, in any order, and some that do not": (
        f"{DRIVE}.param twice={{2*half+more}}\n.param half={{r/2}} more='3*fixed'\n.param fixed=100\n"
        "R2 out 0 {twice}\nR3 out 0 {fixed*100}",
        ["v(out)"],
    ),
    "functions that use parameters": (
        f"{DRIVE}.func scaled(x) {{x*r}}\n.param load={{scaled(3)}}\nR2 out 0 {{load}}",
        ["v(out)"],
    ),
    "options and lines that go on": (
        f".options reltol=1e-5\n+ method=gear\n{DRIVE}R2 out\n+ 0\n* a comment\n+ {{2*r}}",
        ["v(out)"],
    ),
    "initial conditions, with values that depend on what is varied": (
        ".subckt cell a\nC1 a 0 1p\nR1 a b 1k\nC2 b 0 1p\n.ends\n"
        "X1 out cell\nR1 out 0 {r}\n.ic v(out)={r*1e-4} v(x1.b) = 0.25",
        ["v(out)", "v(x1.b)"],
    ),
    "first guesses: which state a latch takes": (
        "B1 a 0 v=1-tanh(5*v(bb))\nR1 a aa {r}\nC1 aa 0 1f\nB2 b 0 v=1-tanh(5*v(aa))\nR2 b bb {r}\nC2 bb 0 1f\n"
        ".nodeset v(aa)=1 v(bb)=0",
        ["v(aa)", "v(bb)"],
    ),
    "expressions of nodes and currents": (
        f"{DRIVE}B1 b 0 v=2*v(out)+v(in,out)*i(v1)*1k+time*1e8\nR2 b 0 {{r}}\nG1 g 0 value={{v(b)*i(v1)}}\nR3 g 0 1k",
        ["v(b)", "v(g)"],
    ),
    "controlled sources": (
        f"{DRIVE}E1 e 0 in out 2\nRe e 0 1k\nF1 f 0 V1 3\nRf f 0 {{r}}\nH1 h 0 v1 50\nRh h 0 1k\n"
        "G1 g 0 out 0 1m\nRg g 0 1k\nE2 p 0 poly(2) in 0 out 0 0 1 2\nRp p 0 1k\n"
        "S1 out s in 0 switch\nRs s 0 1k\n.model switch sw(vt=0.5 ron=1k roff=1meg)\n"
        "W1 out w V1 relay\nRw w 0 1k\n.model relay csw(it=-1m ron=1k roff=1meg)",
        ["v(e)", "v(f)", "v(h)", "v(g)", "v(p)", "v(s)", "v(w)"],
    ),
    "coupled inductors": (
        f"{DRIVE}L1 in a 1u\nR2 a 0 100\nL2 b 0 1u\nR3 b 0 100\nK1 L1 L2 0.9",
        ["v(a)", "v(b)", "i(l1)"],
    ),
    "code models": (
        f"{DRIVE}A1 out gained amplifier\n.model amplifier gain(gain=3)\nR2 gained 0 1k",
        ["v(gained)"],
    ),
    "ground by its other name, inner nodes and values of devices": (
        f"{DRIVE}R2 out gnd {{3*r}}\nD1 out 0 diode\n.model diode d(rs=100)",
        ["out", "@d1[gd]", "v(d1#internal)"],
    ),
    "global nodes, of which every copy has its own": (
        ".global vdd\nVdd raw 0 1\nRdd raw vdd {r}\n.subckt load a\nR1 vdd a 1k\nR2 a 0 1k\n.ends\n"
        ".subckt loads a\nX1 a load\nX2 a load\nC1 a 0 1p\n.ends\nX1 out loads",
        ["v(out)", "v(vdd)", "i(vdd)"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("feature", FEATURES)
def test_what_a_deck_can_have(feature, monkeypatch):
    lines, vectors = FEATURES[feature]
    found = together(deck_of(lines), vectors, resistances(1e3, 2e3, 5e2), monkeypatch, 1e-3)
    first, second = (np.interp(1.3e-9, run.vectors["time"], run.vectors[vectors[0]]) for run in found[:2])
    if "latch" in feature:
        assert min(first, second) > 0.9
    elif feature not in ("expressions of nodes and currents", "coupled inductors"):
        assert abs(first - second) > 1e-6  # the parameter counts: copies that are all nominal would be found out


def test_included_files_and_libraries(tmp_path, monkeypatch):
    (tmp_path / "cells.inc").write_text(
        '.include "more.inc"\n.subckt cell a b\nR1 a b {r*scale}\nD1 a b diode\n.ends\n'
    )
    (tmp_path / "more.inc").write_text(".param scale=2\n.model diode d(is=1e-14)\n")
    (tmp_path / "all.lib").write_text(".lib fast\n.param speed=1\n.endl\n.lib slow\n.param speed=3\n.endl\n")
    lines = (
        f'.include "{tmp_path}/cells.inc"\n.lib "{tmp_path}/all.lib" slow\n{DRIVE}X1 out 0 cell\nR2 out 0 {{speed*r}}'
    )
    found = together(deck_of(lines), ["v(out)"], resistances(1e3, 2e3), monkeypatch, 1e-6)
    # 1k into 2k beside 3k, and into the diode, which takes nothing of note below 0.55 V
    assert found[0].vectors["v(out)"][-1] == pytest.approx(1.2 / 2.2, abs=1e-2)


def test_copies_that_diverge_leave_the_others_alone():
    variants = [Variant({"r": 1e3 + k, "k": 2.0 if k in (5, 17) else 1.0}) for k in range(20)]
    found = runs(variants)
    single = list(run_many(DECK, variants, stop=STOP, vectors=["v(out)"]))
    for k, (run, reference) in enumerate(zip(found, single, strict=True)):
        if k in (5, 17):
            assert run.status is Status.DIVERGED
            assert "timestep too small" in run.reason.lower()
            assert (run.reason, run.vectors) == (reference.reason, {})
            assert run.log
    good = [k for k in range(20) if k not in (5, 17)]
    assert_agree([found[k] for k in good], [single[k] for k in good], 1e-6)


def test_a_copy_without_end_is_stopped_and_the_others_are_there():
    """A train of pulses 1 fs apart asks for some 1e7 steps."""
    source = "V1 in 0 pulse(0 1 0 {p/100} {p/100} {p/2} {p})"
    deck = f"pulses\n.param p=1n\n{source}\nR1 in out 1k\nC1 out 0 1p\n.tran 1p 1n\n.end\n"
    variants = [Variant({"p": p}) for p in (1e-9, 1e-16, 2e-9, 3e-9)]
    found = runs(variants, deck, stop=1e-9, time_limit=0.7)
    assert [run.status for run in found] == [Status.OK, Status.TIMED_OUT, Status.OK, Status.OK]
    assert "exceeded its time limit of 0.7 s" in found[1].reason
    assert simulators() == set()


def test_a_suspicious_copy_is_told_from_the_others():
    """For s = 0 the node between two capacitors has no path to ground: ngspice makes up an operating point."""
    deck = deck_of("V1 in 0 1\nC1 in a 1p\nC2 a 0 1p\nG1 a 0 a 0 {s}", ".param s=1u")
    variants = [Variant({"s": s}) for s in (1e-6, 0.0, 1e-6)]
    found = runs(variants, deck, ["v(a)"])
    assert [run.status for run in found] == [Status.OK, Status.SUSPICIOUS, Status.OK]
    assert found[1].reason == "no operating point was found (singular matrix: check node a)"
    assert np.all(np.isfinite(found[1].vectors["v(a)"]))


def test_a_deck_that_is_wrong_fails_every_run_with_its_reason():
    deck = DECK.replace("R1 in out {r}", "R1 in out {r}\nM1 a b c d nothing")
    found = runs(resistances(1e3, 2e3), deck)
    assert [run.status for run in found] == [Status.BAD_DECK] * 2
    assert all(run.reason and "\n" not in run.reason for run in found)


def test_variants_are_taken_as_they_are_needed():
    taken, told = [], []

    def endless():
        for k in count():
            taken.append(k)
            yield Variant({"r": 1e3 + k})

    found = run_replicas(
        DECK, endless(), stop=STOP, vectors=["v(out)"], copies=3, workers=2, progress=told.append
    )  # fmt: skip
    for _ in range(4):
        assert next(found).status is Status.OK
    found.close()
    assert len(taken) <= 12
    assert told == sorted(told)
    assert told[0] == 3


def test_thousands_of_vectors_of_one_netlist():
    """More than a shell or a line of ngspice takes: 100 copies of 41 nodes."""
    chain = "\n".join(f"R{k} n{k} n{k + 1} {{r}}" for k in range(41))
    deck = f"chain\n.param r=1k\nV1 n0 0 1\n{chain}\nR99 n41 0 {{r}}\n.tran 1n 2n\n.end\n"
    names = [f"v(n{k})" for k in range(1, 42)]
    for run in runs(resistances(*(1e3 + k for k in range(100))), deck, names, stop=2e-9, copies=100):
        assert run.status is Status.OK
        assert [run.vectors[name][-1] for name in names] == pytest.approx([1 - k / 42 for k in range(1, 42)], rel=1e-6)


WRONG = {
    "seed": (lambda: runs([Variant(seed=3)]), "copies of a deck take no seed (got 3)"),
    "unknown parameter": (lambda: runs([Variant({"q": 1.0})]), "the deck defines no parameter q by .param"),
    "copies": (lambda: runs([], copies=0), "copies = 0 and workers = 1 must be at least 1"),
    "vector": (lambda: runs([], vectors=["v(in,out)"]), "'v(in,out)' has no name in a copy"),
    "control": (lambda: runs([], deck_of(".control\nrun\n.endc")), "a deck for copies brings no .control block"),
    "two transients": (lambda: runs([], deck_of(".tran 1n 2n")), "a deck for copies has one .tran line, this one 2"),
} | {
    line: (lambda line=line: runs(resistances(1e3, 2e3), deck_of(DRIVE + line)), f"copies of a deck cannot have {what}")
    for line, what in {
        ".step param r 1 2 1": "the line '.step param r 1 2 1': it is nothing that copies can have",
        ".ac dec 10 1 1k": "the line '.ac dec 10 1 1k': it is nothing that copies can have",
        ".if (r > 1)\n.endif": "the line '.if (r > 1)'",
        "V2 b 0 external": "the line 'V2 b 0 external': it is an external source",
        "R2 in 0 {agauss(1k,10,1)}": "the line 'R2 in 0 {agauss(1k,10,1)}': it draws at random",
        ".options temp={r/10}": "the line '.options temp={r/10}': it depends on r",
        ".param hot={r/10}\n.temp hot": "the line '.temp hot': it depends on hot",
        ".param a=1 + 2": "the line '.param a=1 + 2': it defines more than name = {expression}",
        "F2 b 0 v.xdut.v1 2": "the line 'F2 b 0 v.xdut.v1 2': it names a device inside a subcircuit",
    }.items()
}


@pytest.mark.parametrize("what", WRONG)
def test_bad_input_is_one_clear_line(what):
    call, message = WRONG[what]
    with pytest.raises(InputError) as caught:
        call()
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("R1 in 0 1k\n", "has 'r1 in 0 1k' outside subcircuits, of which every copy needs its own"),
        (".param half={r/2}\n", "the line '.param half={r/2}': it depends on r"),
        (".subckt cell a\nR1 a vdd 1k\n.ends\n", "an included file names the global node 'vdd'"),
    ],
)
def test_included_files_that_copies_cannot_have(content, message, tmp_path):
    (tmp_path / "some.inc").write_text(content)
    with pytest.raises(InputError) as caught:
        runs(resistances(1e3, 2e3), deck_of(f'.global vdd\n.include "{tmp_path}/some.inc"\n{DRIVE}'))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_simulator_is_one_error_not_many(tmp_path):
    with pytest.raises(SimulatorError, match="cannot run"):
        runs(resistances(1e3, 2e3, 3e3), ngspice=tmp_path / "ngspice")
