"""What keeps wires of a layout short: tracks over FETs, gates with one contact, the order and the place of groups."""

from itertools import permutations

import pytest

from mtjspice.layout import catalogue
from mtjspice.layout.channel import Track
from mtjspice.layout.generate import generate
from mtjspice.layout.layers import LAYERS
from mtjspice.layout.lvs import compare
from mtjspice.layout.over import levels, lifted, over_fets
from mtjspice.layout.plan import planned
from mtjspice.layout.sequence import _length, _spans, in_sequence
from mtjspice.layout.strips import SHARED
from mtjspice.layout.terminals import Terminal


def over(
    terminals: list[Terminal], *, width: int = 1200, pairs: tuple[tuple[str, str], ...] = (),
    pillars: frozenset[int] = frozenset(), metal: frozenset[tuple[int, str]] = frozenset(),
) -> dict[str, Track]:  # fmt: skip
    widths = {(t.column, t.side): width for t in terminals if not t.gate}
    taken = {(t.column, t.side) for t in terminals} | metal
    return over_fets(terminals, taken, widths, {t.net for t in terminals}, pairs, pillars)


def ends(net: str, side: str, *columns: int) -> list[Terminal]:
    return [Terminal(column, net, side) for column in columns]


# --- tracks over FETs ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", ["n", "p"])
def test_sources_and_drains_of_one_side_are_joined_over_their_fets(side: str) -> None:
    assert over(ends("a", side, 1, 3, 5)) == {"a": Track("a", 0, 1, 5, side)}


def test_more_than_one_track_fits_over_wide_fets_only() -> None:
    crossed = ends("a", "p", 1, 3, 5) + ends("b", "p", 2, 4)
    assert over(crossed) == {"a": Track("a", 0, 1, 5, "p"), "b": Track("b", 1, 2, 4, "p")}
    assert over(crossed, width=1000) == {"a": Track("a", 0, 1, 5, "p")}
    assert over(crossed, width=495) == {}
    assert [levels(width) for width in (495, 500, 1055, 1060, 2000)] == [0, 1, 1, 2, 3]


def test_gates_and_rails_keep_a_net_in_the_channel() -> None:
    assert over([*ends("a", "p", 1, 3), Terminal(5, "a", "p", gate=True)]) == {}
    assert over([*ends("vss", "p", 1, 3), Terminal(0, "vss", "n", start=0)]) == {}


def test_a_terminal_of_the_other_side_needs_a_free_column_or_its_own_net() -> None:
    across = Terminal(5, "a", "n", gate=True)
    assert "a" in over([*ends("a", "p", 1, 3), across])
    assert "a" in over([*ends("a", "p", 1, 3, 5), across])
    assert over([*ends("a", "p", 1, 3), across], metal=frozenset({(5, "p")})) == {}
    assert over([*ends("a", "p", 1), across]).get("a") == Track("a", 0, 1, 5, "p")
    assert over([*ends("a", "p", 1), across, Terminal(7, "a", "n", gate=True)]) == {}  # longer than in the channel


def test_tracks_keep_away_from_junctions_and_from_terminals_in_metal3() -> None:
    assert over(ends("a", "n", 1, 9), pillars=frozenset({5})) == {}
    assert over(ends("a", "n", 1, 9), pillars=frozenset({11})) != {}
    between = [Terminal(5, "b", "p"), Terminal(9, "b", "p", gate=True), Terminal(5, "c", "n", gate=True)]
    assert lifted(between, {}) == {5}
    assert over([*ends("a", "p", 1, 3, 7), *between]) == {}
    assert set(over([*ends("a", "p", 1, 3, 7), *between[:2]])) == {"a"}


def test_a_track_over_the_fets_leaves_the_column_to_the_other_side() -> None:
    terminals = [*ends("a", "p", 1, 3, 5), *ends("b", "n", 3), Terminal(6, "b", "n", gate=True)]
    assert lifted(terminals, {}) == {3}
    assert lifted(terminals, over(terminals)) == set()


def test_of_a_pair_both_nets_or_none_lie_over_the_fets() -> None:
    one, other = ends("a", "p", 1, 3), ends("b", "p", 7, 9)
    assert set(over([*one, *other], pairs=(("a", "b"),))) == {"a", "b"}
    assert over([*one, *other, Terminal(11, "b", "p", gate=True)], pairs=(("a", "b"),)) == {}


def test_the_comparator_has_its_inner_nodes_over_its_inputs() -> None:
    (row,) = planned(catalogue.circuit("strongarm")).rows
    assert {row.tracks[net].over for net in ("tail", "xa", "xb")} == {"n"}
    assert {row.tracks[net].over for net in ("y", "yb", "clock")} == {""}
    assert row.track("tail") < row.lower
    low, high = (row.tracks[net] for net in ("xb", "xa"))
    assert low.index == high.index
    assert low.right - low.left == high.right - high.left


def test_a_track_over_fets_without_a_via_is_another_circuit() -> None:
    one = generate(catalogue.circuit("strongarm"), "strongarm")
    (row,) = one.stack.rows
    shapes = one.layout.cell("strongarm_row0").shapes(one.layout.layer(*LAYERS["via1"]))
    via = next(shape for shape in shapes.each() if shape.box.center().y == row.track("tail"))
    via.delete()
    assert not compare(one.circuit, one.layout, one.cell).match


# --- gates ---------------------------------------------------------------------------------------------------


def test_neighbouring_gates_of_a_net_share_a_contact() -> None:
    (placed,) = planned(catalogue.circuit("strongarm")).rows[0].row.placed
    arrangement = placed.group.arrangement
    for strip in arrangement.strips:
        for net, gates in strip.runs:
            assert len(gates) <= SHARED
            assert {n for column, n, gate in strip.terminals if gate and column in gates} == {net}
            contacts = [column for column in gates if (strip.side, column) in arrangement.contacts]
            assert len(contacts) == 1
            assert arrangement.contacts[strip.side, contacts[0]] == (gates[0], gates[-1])
    fingers = sum(len(strip.nets) // 2 for strip in arrangement.strips)
    assert len(arrangement.contacts) < fingers


def test_contacts_of_a_symmetric_circuit_are_symmetric() -> None:
    (placed,) = planned(catalogue.circuit("strongarm")).rows[0].row.placed
    columns = sorted(column for _, column in placed.group.arrangement.contacts)
    assert [columns[0] + columns[-1] - column for column in reversed(columns)] == columns


# --- order and place -----------------------------------------------------------------------------------------


def test_groups_stand_in_an_order_that_no_move_of_one_makes_shorter() -> None:
    groups = [placed.group for placed in planned(catalogue.circuit("read_strongarm")).rows[1].row.placed]
    spans = {id(group): _spans(group) for group in groups}
    found = _length(in_sequence(groups[::-1]), spans)
    assert found <= _length(groups[::-1], spans)
    assert found < sum(_length(trial, spans) for trial in permutations(groups)) / 720
    assert _length(in_sequence(groups), spans) == _length(groups, spans)


def test_a_short_row_stands_where_its_nets_are() -> None:
    short, long = (row.row for row in planned(catalogue.circuit("read_strongarm")).rows)
    assert 50 < short.placed[0].column < short.columns <= long.columns
    for net in ("sl", "refsl"):
        assert max(long.nets[net][0] - short.nets[net][-1], short.nets[net][0] - long.nets[net][-1]) < 10
