"""Making differential nets alike: a wire is lengthened where its partner has more capacitance.

Both nets of a pair have equally long tracks anyhow (`channel`). What is left, wires from their terminals of different
lengths, is made up by a longer track for the lighter one. The capacitances by which this is judged are estimates from
lengths, good to some per cent of a net; what came out is measured on the extracted layout (`post`).
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtjspice.layout import dimensions as d
from mtjspice.layout.row import Routed, Row
from mtjspice.layout.strips import PITCH

# aF a nm of a wire's side, a crossing, a terminal: least squares over the nets of fifteen circuits, and over the
# differences of their pairs, against extracted capacitances; 6 % of a net and 1.5 % of a difference are left
_WEIGHTS = {
    "metal1 1": 0.099, "metal1 2": 0.059, "metal1 3": 0.046, "metal2 1": 0.048, "metal2 2": 0.033, "metal2 3": 0.040,
    "metal3 1": 0.100, "metal3 2": 0.059, "metal3 3": 0.061, "metal1 crossing": 12.3, "metal3 crossing": 0.0,
    "gate": 105.0, "terminal": 112.0, "width": 0.039,
}  # fmt: skip
_ORDER = {name: k for k, name in enumerate(_WEIGHTS)}
_ROUNDS = 14
_TOGETHER = 4  # rounds in which all pairs are evened out at once; later the worst of each row


def balanced(rows: Sequence[Row], route: Callable[[int, Mapping[str, int]], Routed]) -> tuple[Routed, ...]:
    """Route rows so that the nets of every differential pair come out alike.

    ``route`` routes the row of a number with some nets' tracks longer by so many columns. A longer track moves others,
    so that a round may spoil what the one before has reached: the best is kept.
    """
    longer: list[dict[str, int]] = [{} for _ in rows]
    routed = [route(index, {}) for index in range(len(rows))]
    pairs = [(index, a, b) for index, row in enumerate(rows) for a, b in row.pairs]
    estimates = [features(one) for one in routed]
    best = _state(routed, longer, pairs, estimates)
    for count in range(_ROUNDS if pairs else 0):
        totals = _totals(estimates)
        changed = set()
        for index, a, b in pairs if count < _TOGETHER else _worst(pairs, totals):
            heavy, light = (a, b) if totals[a] > totals[b] else (b, a)
            columns = round((totals[heavy] - totals[light]) / (2 * _WEIGHTS["metal2 1"] * PITCH))
            if columns and light in routed[index].tracks:
                shorter = min(columns, longer[index].get(heavy, 0))
                longer[index][heavy] = longer[index].get(heavy, 0) - shorter
                longer[index][light] = longer[index].get(light, 0) + columns - shorter
                totals[light] = totals[heavy]  # a pair of two rows is evened out in one
                changed.add(index)
        if not changed:
            break
        for index in changed:
            routed[index] = route(index, longer[index])
            estimates[index] = features(routed[index])
        found = _state(routed, longer, pairs, estimates)
        if found.imbalance < best.imbalance:
            best = found
        elif count + 1 >= _TOGETHER:
            longer = [dict(one) for one in best.longer]
            if count + 1 == _TOGETHER:
                routed = list(best.routed)
                estimates = [features(one) for one in routed]
    return best.routed


@dataclass(frozen=True)
class _State:
    routed: tuple[Routed, ...]
    longer: tuple[dict[str, int], ...]
    imbalance: float


def _state(
    routed: Sequence[Routed], longer: Sequence[dict[str, int]], pairs: Sequence[tuple[int, str, str]],
    estimates: Sequence[Mapping[str, NDArray[np.float64]]],
) -> _State:  # fmt: skip
    totals = _totals(estimates)
    squares = (_relative(totals, a, b) ** 2 for _, a, b in pairs)
    return _State(tuple(routed), tuple(dict(one) for one in longer), sum(squares))


def _worst(pairs: Sequence[tuple[int, str, str]], totals: Mapping[str, float]) -> list[tuple[int, str, str]]:
    """The least alike pair of each row."""
    found: dict[int, tuple[int, str, str]] = {}
    for pair in sorted(pairs, key=lambda one: _relative(totals, one[1], one[2])):
        found[pair[0]] = pair
    return list(found.values())


def _relative(totals: Mapping[str, float], a: str, b: str) -> float:
    whole = totals[a] + totals[b]
    return 2 * abs(totals[a] - totals[b]) / whole if whole else 0.0


def _totals(found: Sequence[Mapping[str, NDArray[np.float64]]]) -> defaultdict[str, float]:
    weights = np.array(list(_WEIGHTS.values()))
    totals: defaultdict[str, float] = defaultdict(float)
    for row in found:
        for net, of in row.items():
            totals[net] += float(of @ weights)
    return totals


# --- estimates -----------------------------------------------------------------------------------------------


def features(routed: Routed) -> dict[str, NDArray[np.float64]]:
    """What the capacitance of each net of a row is made of, in the order of `_WEIGHTS`.

    Sides of wires (nm) whose neighbour is one, two, and more steps away; crossings, gates, other terminals and the
    widths of their FETs (nm).
    """
    row = routed.row
    numbers = {net: k for k, net in enumerate(dict.fromkeys([*routed.tracks, *(t.net for t in row.terminals)]))}
    right = max([row.columns, *(track.right + 1 for track in routed.tracks.values())])
    tracks = np.full((routed.count + 2, right + 2), -1)  # metal2, with an empty margin
    for net, track in routed.tracks.items():
        tracks[track.index + 1, track.left + 1 : track.right + 2] = numbers[net]
    legs = {metal: np.full((routed.count + 2, right + 2), -1) for metal in ("metal1", "metal3")}
    found = np.zeros((len(numbers), len(_WEIGHTS)))
    widths = _widths(row)
    for terminal in row.terminals:
        number = numbers[terminal.net]
        kind = "gate" if terminal.gate else "terminal"
        found[number, _ORDER[kind]] += 1
        found[number, _ORDER["width"]] += widths.get((terminal.column, terminal.side), 0)
        if terminal.net in routed.tracks:
            index = routed.tracks[terminal.net].index + 1
            metal = "metal3" if terminal.side == "p" and terminal.column in row.lifted else "metal1"
            levels = slice(0, index + 1) if terminal.side == "n" else slice(index, None)
            legs[metal][levels, terminal.column + 1] = number
    _add_wires(found, "metal2", tracks, PITCH, across=False)
    for metal, grid in legs.items():
        _add_wires(found, metal, grid, d.TRACK, across=True)
        crossing = (grid >= 0) & (tracks >= 0) & (grid != tracks)
        for of in (grid, tracks):
            np.add.at(found, (of[crossing], _ORDER[f"{metal} crossing"]), 1)
    return {net: found[number] for net, number in numbers.items()}


def _add_wires(found: NDArray[np.float64], metal: str, grid: NDArray[np.int_], step: int, across: bool) -> None:
    """Add both sides of the wires on a grid, by the distance to the next wire beside them."""
    for turned in (grid, grid[:, ::-1]) if across else (grid.T, grid.T[:, ::-1]):
        far = np.pad(turned, ((0, 0), (0, 2)), constant_values=-1)
        first, second = far[:, 1:-1], far[:, 2:]
        near = np.where(first >= 0, 1, np.where(second >= 0, 2, 3))
        wire = (turned >= 0) & (first != turned)
        for distance in (1, 2, 3):
            np.add.at(found, (turned[wire & (near == distance)], _ORDER[f"{metal} {distance}"]), step)


def _widths(row: Row) -> dict[tuple[int, str], int]:
    """Widths of the FETs whose sources and drains stand at a column."""
    return {
        (placed.column + column, strip.side): strip.width
        for placed in row.placed
        for strip in placed.group.arrangement.strips
        for column, _, gate in strip.terminals()
        if not gate
    }
