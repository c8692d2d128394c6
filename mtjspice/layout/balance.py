"""Making differential nets alike: a wire is lengthened where its partner has more capacitance.

Both nets of a pair have equally long tracks anyhow (`channel`). What is left, wires from their terminals of different
lengths, is made up by a longer track for the lighter one. The capacitances by which this is judged are estimates from
lengths, good to some per cent of a net; what came out is measured on the extracted layout (`post`).
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from mtjspice.layout.row import Routed, Row
from mtjspice.layout.strips import PITCH

# aF a nm of wire and aF a terminal: least squares over the nets of eleven circuits against the extracted
# capacitances, in relative error, of which 13 % (standard deviation) are left
_WEIGHTS = {
    "metal1": 0.138, "metal2": 0.127, "metal3": 0.082, "metal4": 0.068, "gate": 197.0, "terminal": 168.0,
}  # fmt: skip
_ROUNDS = 4


def balanced(rows: Sequence[Row], route: Callable[[int, Mapping[str, int]], Routed]) -> tuple[Routed, ...]:
    """Route rows so that the nets of every differential pair come out alike.

    ``route`` routes the row of a number with some nets' tracks longer by so many columns.
    """
    longer: list[dict[str, int]] = [{} for _ in rows]
    routed = [route(index, longer[index]) for index in range(len(rows))]
    for _ in range(_ROUNDS):
        totals: defaultdict[str, float] = defaultdict(float)
        for one in routed:
            for net, of in lengths(one).items():
                totals[net] += sum(_WEIGHTS[kind] * value for kind, value in of.items())
        changed = set()
        for index, row in enumerate(rows):
            for a, b in row.pairs:
                heavy, light = (a, b) if totals[a] > totals[b] else (b, a)
                columns = round((totals[heavy] - totals[light]) / (_WEIGHTS["metal2"] * PITCH))
                if columns and light in routed[index].tracks:
                    shorter = min(columns, longer[index].get(heavy, 0))
                    longer[index][heavy] = longer[index].get(heavy, 0) - shorter
                    longer[index][light] = longer[index].get(light, 0) + columns - shorter
                    totals[light] = totals[heavy]
                    changed.add(index)
        for index in changed:
            routed[index] = route(index, longer[index])
        if not changed:
            break
    return tuple(routed)


def lengths(routed: Routed) -> dict[str, dict[str, float]]:
    """Lengths of every net's wires in a row by metal (nm), and numbers of its gates and other terminals."""
    row = routed.row
    found: defaultdict[str, dict[str, float]] = defaultdict(lambda: dict.fromkeys(_WEIGHTS, 0.0))
    for net, track in routed.tracks.items():
        found[net]["metal2"] += (track.right - track.left) * PITCH
    for terminal in row.terminals:
        of = found[terminal.net]
        of["gate" if terminal.gate else "terminal"] += 1
        if terminal.net not in routed.tracks:
            continue
        y = routed.track(terminal.net)
        if terminal.side == "n":
            of["metal1"] += y - routed.lower
        elif terminal.column in row.lifted:
            of["metal3"] += routed.upper - y
        else:
            of["metal1"] += routed.upper - y
    return found
