"""Metal2 over the FETs: tracks of nets that only sources and drains of one side, and wires that reach them, belong to.

A via stands on the metal of each source or drain, so that such a net needs no wires to the channel and no track there.
Its other terminals either face one of these, and a straight wire joins both, or run on into a free column. Metal2
keeps away from what else uses it there: junctions, and terminals of the p side that are lifted to metal3.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from mtjspice.layout import dimensions as d
from mtjspice.layout.channel import CLEARANCE, Track
from mtjspice.layout.terminals import Terminal


def over_fets(
    terminals: Sequence[Terminal], metal: Collection[tuple[int, str]], widths: Mapping[tuple[int, str], int],
    nets: Collection[str], pairs: Iterable[tuple[str, str]], pillars: Collection[int],
) -> dict[str, Track]:  # fmt: skip
    """Give tracks over the FETs to as many of ``nets`` as possible, to those with most terminals first.

    ``terminals`` need wires; ``metal`` are the columns and sides with metal1 of devices, ``widths`` are those of
    FETs (nm) at their sources and drains; no track goes over the columns ``pillars`` on side "n". Both nets of a
    pair get tracks on equal sides or none does.
    """
    by_net: defaultdict[str, list[Terminal]] = defaultdict(list)
    for terminal in terminals:
        by_net[terminal.net].append(terminal)
    partner = {net: other for a, b in pairs for net, other in ((a, b), (b, a))}
    sides = {net: _side(by_net[net], metal, widths) for net in by_net if net in nets}
    wanted = {
        net: side for net, side in sides.items() if side and (net not in partner or sides.get(partner[net]) == side)
    }
    order = sorted(wanted, key=lambda net: (-len(by_net[net]), min(t.column for t in by_net[net]), net))
    while True:
        found = _assigned(order, wanted, by_net, widths, partner)
        sources = {t.column for t in terminals if t.side == "p" and not t.gate}
        barred = {"n": set(pillars), "p": sources & lifted(terminals, found)}
        kept = [net for net in order if net in found and not _meets(found[net], barred[wanted[net]])]
        kept = [net for net in kept if net not in partner or partner[net] in kept]
        if len(kept) == len(found):
            return found
        order = kept


def lifted(terminals: Iterable[Terminal], over: Mapping[str, Track]) -> set[int]:
    """Columns whose upper wire is in metal3: where both sides have wires of different nets in the channel."""
    through = [t for t in terminals if t.net not in over or over[t.net].over != t.side]
    below = {t.column: t.net for t in through if t.side == "n"}
    return {t.column for t in through if t.side == "p" and below.get(t.column, t.net) != t.net}


def _side(
    terminals: Sequence[Terminal], metal: Collection[tuple[int, str]], widths: Mapping[tuple[int, str], int]
) -> str:
    """The side over whose FETs a net's track can be and shortens wires; "" where none is."""
    columns = {t.column for t in terminals}
    if len(columns) < 2 or any(t.start is not None for t in terminals):
        return ""
    for side in ("p", "n"):
        here = {t.column for t in terminals if t.side == side}
        if any(t.gate for t in terminals if t.side == side):
            continue
        if any(levels(widths.get((column, side), 0)) == 0 for column in here):
            continue
        across = columns - here
        if len(across) <= len(here) and not any((column, side) in metal for column in across):
            return side
    return ""


def levels(width: int) -> int:
    """How many tracks there is room for over FETs of a width (nm)."""
    return max(0, (width - d.OVER_LAST) // d.TRACK + 1)


def _assigned(
    order: Sequence[str], sides: Mapping[str, str], terminals: Mapping[str, Sequence[Terminal]],
    widths: Mapping[tuple[int, str], int], partner: Mapping[str, str],
) -> dict[str, Track]:  # fmt: skip
    found: dict[str, Track] = {}
    for net in order:
        if net in found or (net in partner and partner[net] not in order):
            continue
        new: dict[str, Track] = {}
        for each in dict.fromkeys((net, partner.get(net, net))):
            side, columns = sides[each], [t.column for t in terminals[each]]
            room = min(levels(widths[t.column, t.side]) for t in terminals[each] if t.side == side)
            tracks = (Track(each, index, min(columns), max(columns), side) for index in range(room))
            free = next((t for t in tracks if not any(_touch(t, u) for u in (*found.values(), *new.values()))), None)
            if free is not None:
                new[each] = free
        if len(new) == len({net, partner.get(net, net)}):
            found |= new
    return found


def _touch(a: Track, b: Track) -> bool:
    return (a.over, a.index) == (b.over, b.index) and a.left - b.right < CLEARANCE and b.left - a.right < CLEARANCE


def _meets(track: Track, columns: Iterable[int]) -> bool:
    return any(track.left - CLEARANCE < column < track.right + CLEARANCE for column in columns)
