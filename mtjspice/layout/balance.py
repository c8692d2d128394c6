"""Making differential nets alike: a wire is lengthened where its partner has more capacitance.

Both nets of a pair have equally long tracks anyhow. What is left, wires from their terminals of different lengths and
other neighbours, is made up by a longer track of the lighter one, or by a stub. It is judged by estimates from lengths,
good to some per cent of a net; what came out is measured on the extracted layout (`post`).
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from mtjspice.layout import dimensions as d
from mtjspice.layout.routing import Routed
from mtjspice.layout.row import Row
from mtjspice.layout.strips import PITCH

# aF a nm of a wire's side, a crossing, a terminal: least squares over the nets of many circuits, and over the
# differences of their pairs, against extracted capacitances (scripts/fit_balance.py); 9 % of a net and 2.5 % of a
# difference are left
_WEIGHTS = {
    "metal1 1": 0.0996, "metal1 2": 0.0464, "metal1 3": 0.0382, "metal2 1": 0.0502, "metal2 2": 0.0304,
    "metal2 3": 0.0336, "metal3 1": 0.0, "metal3 2": 0.19, "metal3 3": 0.0756, "metal1 crossing": 17.4,
    "metal3 crossing": 5.3, "gate": 102.9, "terminal": 107.0, "width": 0.0533, "over": 0.0846, "bar": 0.245,
}  # fmt: skip
_ORDER = {name: k for k, name in enumerate(_WEIGHTS)}
_STEP = 54.0  # aF that a column of metal2 adds
_TRIALS = 6  # for each pair of a row
_GOOD = 0.015  # relative difference below which nothing is changed


def balanced(rows: Sequence[Row], route: Callable[[int, Mapping[str, int]], Routed]) -> tuple[Routed, ...]:
    """Route rows so that the nets of every differential pair come out alike.

    ``route`` routes the row of a number with metal2 of so many columns more for some nets. It moves other tracks: the
    pairs of a row are taken in turn, the least alike first, and what makes the row as a whole better stays.
    """
    longer: list[dict[str, int]] = [{} for _ in rows]
    routed = [route(index, {}) for index in range(len(rows))]
    estimates = [_estimated(one) for one in routed]
    totals = _totals(estimates)
    for index, row in enumerate(rows):
        tried: dict[tuple[str, str], int] = {}
        for _ in range(_TRIALS * len(row.pairs)):
            if max(_relative(totals, *one) for one in row.pairs) < _GOOD:
                break
            pair = max(row.pairs, key=lambda one: _relative(totals, *one) / (1 + tried.get(one, 0)))
            tried[pair] = tried.get(pair, 0) + 1
            stubs = _adjusted(longer[index], pair, totals, tried[pair])
            if stubs == longer[index]:
                continue
            trial = route(index, stubs)
            estimate = _estimated(trial)
            changed = {
                net: totals[net] + estimate.get(net, 0.0) - estimates[index].get(net, 0.0)
                for net in dict.fromkeys(name for one in row.pairs for name in one)
            }
            if _imbalance(row, changed) < _imbalance(row, totals):
                longer[index], routed[index], estimates[index] = stubs, trial, estimate
                totals.update(changed)
                tried = {}
    return tuple(routed)


def _adjusted(
    stubs: Mapping[str, int], pair: tuple[str, str], totals: Mapping[str, float], attempt: int
) -> dict[str, int]:  # fmt: skip
    """Change the stubs of a pair by what should make it even; by less at every further attempt."""
    a, b = pair
    heavy, light = (a, b) if totals[a] > totals[b] else (b, a)
    missing = (totals[heavy] - totals[light]) / attempt
    found = dict(stubs)
    if found.get(heavy):
        found[heavy] = max(0, found[heavy] - max(1, round(missing / _STEP)))
    else:
        found[light] = found.get(light, 0) + max(1, round(missing / _STEP))
    return found


def _imbalance(row: Row, totals: Mapping[str, float]) -> float:
    """Sum of squares of the relative differences of a row's pairs."""
    return sum(_relative(totals, a, b) ** 2 for a, b in row.pairs)


def _relative(totals: Mapping[str, float], a: str, b: str) -> float:
    whole = totals.get(a, 0.0) + totals.get(b, 0.0)
    return 2 * abs(totals[a] - totals[b]) / whole if whole else 0.0


def _estimated(routed: Routed) -> dict[str, float]:
    """Capacitances (aF) of the nets of a row."""
    return {net: float(of @ np.array(list(_WEIGHTS.values()))) for net, of in features(routed).items()}


def _totals(estimates: Sequence[Mapping[str, float]]) -> defaultdict[str, float]:
    totals: defaultdict[str, float] = defaultdict(float)
    for row in estimates:
        for net, value in row.items():
            totals[net] += value
    return totals


# --- estimates -----------------------------------------------------------------------------------------------


def features(routed: Routed) -> dict[str, NDArray[np.float64]]:
    """What the capacitance of each net of a row is made of, in the order of `_WEIGHTS`.

    Sides of wires (nm) whose neighbour is one, two, and more steps away; crossings, gates, other terminals and the
    widths of their FETs (nm), metal2 over FETs and bars of gates (nm).
    """
    row = routed.row
    numbers = {net: k for k, net in enumerate(dict.fromkeys([*routed.tracks, *(t.net for t in row.terminals)]))}
    right = max([row.columns, *(track.right + 1 for track in routed.tracks.values())])
    tracks = np.full((routed.count + 2, right + 2), -1)  # metal2, with an empty margin
    found = np.zeros((len(numbers), len(_WEIGHTS)))
    for net, track in routed.tracks.items():
        if track.over:
            found[numbers[net], _ORDER["over"]] += (track.right - track.left + 1) * PITCH
            continue
        tracks[track.index + 1, track.left + 1 : track.right + 2] = numbers[net]
    for net, track in routed.stubs.items():
        tracks[track.index + 1, track.left + 1 : track.right + 2] = numbers[net]
    legs = {metal: np.full((routed.count + 2, right + 2), -1) for metal in ("metal1", "metal3")}
    for terminal in row.terminals:
        number = numbers[terminal.net]
        kind = "gate" if terminal.gate else "terminal"
        found[number, _ORDER[kind]] += 1
        found[number, _ORDER["bar"]] += row.gate_bars.get((terminal.column, terminal.side), 0)
        found[number, _ORDER["width"]] += row.widths.get((terminal.column, terminal.side), 0)
        if row.under(terminal) and terminal.column not in row.straight:
            continue
        if terminal.net in row.over:
            legs["metal1"][:, terminal.column + 1] = number
        elif terminal.net in routed.tracks:
            metal = "metal3" if terminal.side == "p" and terminal.column in row.lifted else "metal1"
            indices = [1 + (y - routed.lower - d.FIRST_TRACK) // d.TRACK for y in routed.ends(terminal)]
            levels = slice(0, max(indices) + 1) if terminal.side == "n" else slice(min(indices), None)
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
