"""Where groups stand so that tracks get short: their order in a row, and how far a row is shifted."""

from collections.abc import Mapping, Sequence
from itertools import accumulate

from mtjspice.layout.channel import CLEARANCE
from mtjspice.layout.groups import Group
from mtjspice.layout.row import LOWER, UPPER, Placed, Row

Spans = Mapping[str, tuple[int, int]]  # first and last column of each net


def in_sequence(groups: Sequence[Group]) -> list[Group]:
    """Move one group after the other to another place as long as that shortens tracks."""
    spans = {id(group): _spans(group) for group in groups}
    best = list(groups)
    least, before = _length(best, spans), float("inf")
    while least < before:
        before = least
        for group in groups:
            for place in range(len(groups)):
                trial = [other for other in best if other is not group]
                trial.insert(place, group)
                length = _length(trial, spans)
                if length < least:
                    best, least = trial, length
    return best


def aligned(rows: Sequence[Row]) -> list[Row]:
    """Shift rows that are narrower than the widest to where the nets that they share are nearest, the widest first."""
    widest = max((row.columns for row in rows), default=0)
    found = list(rows)
    spans: dict[str, tuple[int, int]] = {}
    for index in sorted(range(len(rows)), key=lambda k: (-rows[k].columns, k)):
        row = rows[index]
        own = {net: (c[0], c[-1]) for net, c in row.nets.items() if net not in (LOWER, UPPER)}
        shared = [(*own[net], *spans[net]) for net in own if net in spans]
        shift = min(
            range(widest - row.columns + 1),
            key=lambda by: sum(max(0, first - right - by, left + by - last) for left, right, first, last in shared),
        )
        found[index] = Row(tuple(Placed(p.group, p.column + shift) for p in row.placed), row.single)
        for net, (left, right) in own.items():
            low, high = spans.get(net, (left + shift, right + shift))
            spans[net] = min(low, left + shift), max(high, right + shift)
    return found


def _spans(group: Group) -> Spans:
    return {net: (c[0], c[-1]) for net, c in Row((Placed(group, 0),), frozenset()).nets.items()}


def _length(groups: Sequence[Group], spans: Mapping[int, Spans]) -> int:
    """Columns of all tracks but those of supplies, and for each track that the row needs one for every terminal."""
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    column = 0
    for group in groups:
        for net, (left, right) in spans[id(group)].items():
            first.setdefault(net, column + left if net not in (LOWER, UPPER) else -1)  # where supplies come up
            last[net] = column + right
        column += group.arrangement.columns
    ends = sorted([(column, 1) for column in first.values()] + [(column + CLEARANCE, -1) for column in last.values()])
    tracks = max(accumulate(step for _, step in ends), default=0)
    terminals = sum(len(of) for of in spans.values())
    return sum(last[net] - first[net] for net in last if net not in (LOWER, UPPER)) + tracks * terminals
