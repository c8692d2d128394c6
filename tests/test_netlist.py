"""Decks taken apart: finding the instances of a subcircuit and giving each a body of its own."""

import pytest

from mtjspice.errors import InputError
from mtjspice.spice import netlist

DECK = """A title that says .subckt
* a comment
.global vdd
.SUBCKT column bl SL params: state = 1 w={2*1u}
Xmtj bl x mtj_cell state={state}
Racc x SL 1k ; and its access transistor
Xother x
+ vdd load
.ends
.subckt word a b
Xleft a 0 column state=-1
Xright
+ a b column
.ends word
.subckt load p q
R1 p q 1k
.ends load
V1 in 0 pwl(0 0 1n 1)
Xword in gnd word
XTOP in out mtj_cell
Xc out 0 column state = -1 w='3u'
.control
run
X9 in 0 mtj_cell
.endc
.save v(in) V(Out)
.save all
.tran 1p 2.5n 0 10p
.end
Xlost in 0 mtj_cell
"""


def test_instances_with_their_paths_nodes_and_parameters():
    found = netlist.instances(netlist.parse(DECK), "MTJ_cell")
    assert [(cell.path, cell.nodes, dict(cell.parameters)) for cell in found] == [
        ("xword.xleft.xmtj", ("in", "xword.xleft.x"), {"state": "-1"}),
        ("xword.xright.xmtj", ("in", "xword.xright.x"), {"state": "1"}),
        ("xtop", ("in", "out"), {}),
        ("xc.xmtj", ("out", "xc.x"), {"state": "-1"}),
    ]


def test_instances_of_a_defined_subcircuit_on_global_nodes():
    assert [cell.nodes for cell in netlist.instances(netlist.parse(DECK), "load")] == [
        ("xword.xleft.x", "vdd"),
        ("xword.xright.x", "vdd"),
        ("xc.x", "vdd"),
    ]


def test_a_body_for_each_instance_keeps_paths_and_nodes():
    parsed = netlist.parse(DECK)
    found = netlist.instances(parsed, "mtj_cell")
    called = {cell.path: f"cell_{k}" for k, cell in enumerate(found)}
    changed = netlist.with_bodies(parsed, ["mtj_cell"], called)
    again = netlist.parse(changed.text())
    for k, cell in enumerate(found):
        (only,) = netlist.instances(again, f"cell_{k}")
        assert (only.path, only.nodes, dict(only.parameters)) == (cell.path, cell.nodes, {})
    assert netlist.instances(again, "mtj_cell") == ()
    assert "load" in again.subcircuits
    assert "column" not in again.subcircuits  # only its copies are called


def test_stop_time_and_saved_vectors():
    parsed = netlist.parse(DECK)
    assert netlist.transient_stop(parsed) == 2.5e-9
    assert netlist.saved(parsed) == ("v(in)", "v(out)")
    assert netlist.saved(netlist.without(parsed, ".save")) == ()


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 1.0), ("1.5n", 1.5e-9), ("2MEG", 2e6), ("3m", 3e-3), ("10ps", 1e-11), ("1e-9", 1e-9), ("-.5u", -5e-7),
     ("4kohm", 4e3)],
)  # fmt: skip
def test_numbers(text, value):
    assert netlist.number(text) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize("text", ["", "n", "1 2", "{w}", "nan", "--1"])
def test_no_numbers(text):
    with pytest.raises(InputError, match="is not a number"):
        netlist.number(text)


@pytest.mark.parametrize(
    ("deck", "message"),
    [
        ("t\n.subckt a b\n.subckt c d\n.ends\n.ends\n", "holds another one"),
        ("t\n.subckt a b\nR1 b 0 1\n", "has no .ends"),
        ("t\n.ends\n", "without a .subckt"),
        ("t\n.subckt a b\n.ends\n.subckt A b\n.ends\n", "defined twice"),
    ],
)
def test_broken_decks(deck, message):
    with pytest.raises(InputError, match=message):
        netlist.parse(deck)


def test_broken_calls():
    with pytest.raises(InputError, match="xa has 1 nodes, its subcircuit 'a' 2"):
        netlist.instances(netlist.parse("t\n.subckt a b c\nXm b c mtj_cell\n.ends\nXa n a\n"), "mtj_cell")
    with pytest.raises(InputError, match="hold themselves"):
        netlist.instances(netlist.parse("t\n.subckt a b\nXa b a\n.ends\nXa n a\n"), "mtj_cell")


@pytest.mark.parametrize("lines", ["", ".tran 1p\n", ".tran 1p 1n\n.tran 1p 2n\n"])
def test_no_transient(lines):
    with pytest.raises(InputError, match=r"must have one"):
        netlist.transient_stop(netlist.parse(f"t\n{lines}"))


def test_negative_stop():
    with pytest.raises(InputError, match="must be positive"):
        netlist.transient_stop(netlist.parse("t\n.tran 1p -1n\n"))


def test_included_files_become_absolute(tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "a b.inc").write_text("* cards\n")
    (tmp_path / "lib.sp").write_text("* library\n")
    deck = "t\n.include 'models/a b.inc'\n.LIB lib.sp tt\n.tran 1p 1n\n"
    lines = netlist.with_absolute_includes(netlist.parse(deck), tmp_path).lines
    assert lines == (f'.include "{tmp_path}/models/a b.inc"', f'.LIB "{tmp_path}/lib.sp" tt', ".tran 1p 1n")
    with pytest.raises(InputError, match=r"includes none\.inc, but there is no file"):
        netlist.with_absolute_includes(netlist.parse("t\n.inc none.inc\n"), tmp_path)
