"""Rows on top of each other, every second one upside down so that neighbours share a rail, and lines between them.

Lines run in metal4 along columns; each joins the track of its net in every row that has it. The supplies run up both
sides in metal3.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate

import numpy as np

from mtjspice.layout import dimensions as d
from mtjspice.layout.balance import balanced
from mtjspice.layout.canvas import Canvas
from mtjspice.layout.cells import LEAVE, TAP_HALF, TAP_MIDDLE, draw_matrix
from mtjspice.layout.fets import draw_bars, draw_pillar, draw_strip, draw_well
from mtjspice.layout.flat import Flat
from mtjspice.layout.groups import Group
from mtjspice.layout.matrix import Matrix
from mtjspice.layout.routing import Routed, route
from mtjspice.layout.row import LOWER, UPPER, Placed, Row, strips_of
from mtjspice.layout.row_drawing import draw_row
from mtjspice.layout.sequence import aligned, in_sequence
from mtjspice.layout.strips import PITCH

SIDE = 560  # from the outermost columns to the ends of the rails
STRAP = 1000  # width of the supplies at the sides
CELLS_ABOVE = 1500  # from the uppermost rail to the matrix: lines change layers, and a well ends


@dataclass(frozen=True)
class Line:
    """A net's metal4 along ``column`` through the rows from ``first`` to ``last``."""

    net: str
    column: int
    first: int
    last: int


@dataclass(frozen=True)
class Stack:
    """Rows from the lowest up, with their tracks, and the lines between them."""

    flat: Flat = field(repr=False)
    rows: tuple[Routed, ...]
    lines: tuple[Line, ...]
    matrix: Matrix | None = None

    @cached_property
    def columns(self) -> int:
        """Columns of the widest row, lines and matrix included."""
        widest = max((r.row.columns for r in self.rows), default=0)
        cells = 0 if self.matrix is None else self.matrix.columns
        tracks = (track.right + 1 for row in self.rows for track in row.tracks.values())
        return max([widest, cells, *(line.column + 1 for line in self.lines), *tracks])

    @property
    def top(self) -> int:
        """Height of the uppermost rail."""
        return self.bases[-1]

    @property
    def cells(self) -> int:
        """Height of the lower edge of the matrix."""
        return self.top + (CELLS_ABOVE if self.rows else 0)

    @cached_property
    def bases(self) -> tuple[int, ...]:
        """Height of the lower one of each row's rails, and of the uppermost rail."""
        return (0, *accumulate(row.height for row in self.rows))

    @property
    def outline(self) -> tuple[int, int, int, int]:
        """Left, bottom, right, top (nm) of the area that the circuit takes up."""
        if not self.rows:
            assert self.matrix is not None
            return self.matrix.outline
        left, right = -SIDE, (self.columns - 1) * PITCH + SIDE
        if self.matrix is not None or len(self.rows) > 1:
            left, right = left - 400 - STRAP, right + 400 + STRAP
        top = self.top + (d.RAIL if self.rows[-1].row.rails >= {LOWER, UPPER} else 0)
        top = top if self.matrix is None else self.cells + self.matrix.height
        return left, -d.RAIL, right, top

    def upside_down(self, index: int) -> bool:
        """Whether a row stands on its upper rail."""
        return index % 2 == 1

    def height(self, index: int, y: int) -> int:
        """Height in the stack of a height in a row."""
        base = self.bases[index]
        return base + (self.rows[index].height - y if self.upside_down(index) else y)


def stacked(flat: Flat, groups: Sequence[Sequence[Group]], matrix: Matrix | None = None) -> Stack:
    """Place the groups of each row, find lines for what several rows share, and route the rows.

    A matrix stands above the uppermost row; its lines run down in the columns in which they leave it.
    """
    counts: Counter[str] = Counter()
    fixed = {} if matrix is None else matrix.lines
    first = _placed(groups, fixed)
    for row in first:
        counts.update(t.net for placed in row.placed for t in placed.terminals())
    counts.update(fixed)
    ports = frozenset(flat.ports)
    single = frozenset(net for net, count in counts.items() if count == 1 and net not in ports)
    common = Counter(net for row in first for net in row.nets)
    inner = frozenset(net for net, count in common.items() if count == 1) - ports - fixed.keys()
    rows = [Row(row.placed, single, ports & {LOWER, UPPER}, inner) for row in first]
    lines = _lines(rows, fixed)
    joints: list[dict[str, tuple[int, ...]]] = [{} for _ in rows]
    for line in lines:
        for index in range(line.first, min(line.last + 1, len(rows))):
            if line.net in rows[index].nets:
                joints[index][line.net] = (*joints[index].get(line.net, ()), line.column)
    routed = balanced(rows, lambda index, longer: route(rows[index], joints[index], ports, longer))
    return Stack(flat, routed, tuple(lines), matrix)


def _placed(groups: Sequence[Sequence[Group]], fixed: Mapping[str, int]) -> list[Row]:
    """Set groups side by side, clear of the lines that come down from a matrix.

    Where such a line joins a track it needs its column free of metal3, and where it passes a junction, of metal4.
    """
    if not fixed:
        return aligned([_row(in_sequence(row), frozenset(), frozenset()) for row in groups])
    plain = [_row(row, frozenset(), frozenset()) for row in groups]
    lowest: dict[str, int] = {}
    for index, row in enumerate(plain):
        for net in row.nets:
            lowest.setdefault(net, index)
    rows = []
    for index, (row, of_row) in enumerate(zip(plain, groups, strict=True)):
        joining = frozenset(column for net, column in fixed.items() if net in row.nets)
        passing = frozenset(column for net, column in fixed.items() if lowest.get(net, len(plain)) <= index)
        rows.append(_row(of_row, joining, passing))
    return rows


def _row(groups: Sequence[Group], joining: frozenset[int], passing: frozenset[int]) -> Row:
    column, placed = 1, []
    for group in groups:
        alone = Row((Placed(group, 0),), frozenset())
        while joining & {column + k for k in alone.lifted} or passing & {column + k for k in alone.covered}:
            column += 1
        placed.append(Placed(group, column))
        column += group.arrangement.columns
    return Row(tuple(placed), frozenset())


def _lines(rows: Sequence[Row], fixed: Mapping[str, int]) -> list[Line]:
    """A column for every net in several rows: where it lengthens tracks the least and nothing stands in its way.

    The columns of ``fixed`` nets are given; their lines go on to the top.
    """
    where: dict[str, list[int]] = {}
    for index, row in enumerate(rows):
        for net in row.nets:
            if net not in (LOWER, UPPER):
                where.setdefault(net, []).append(index)
    if not rows:
        return []
    width = max([*(row.columns for row in rows), *(column + 1 for column in fixed.values())])
    total = width + sum(len(found) > 1 for found in where.values())
    taken = np.zeros((len(rows), total), bool)
    lifted = np.zeros((len(rows), total), bool)
    for index, row in enumerate(rows):
        taken[index, list(row.covered)] = True
        lifted[index, list(row.lifted)] = True
    columns = np.arange(total)
    lines = [Line(net, column, where[net][0], len(rows)) for net, column in fixed.items() if net in where]
    for line in lines:
        taken[line.first :, line.column] = True
    for net in sorted(where, key=lambda name: (-len(where[name]), name)):
        found = where[net]
        if len(found) < 2 or net in fixed:
            continue
        low, high = found[0], found[-1]
        free = ~taken[low : high + 1].any(axis=0) & ~lifted[found].any(axis=0)
        cost = np.zeros(total)
        for index in found:
            span = rows[index].nets[net]
            cost += np.maximum(span[0] - columns, 0) + np.maximum(columns - span[-1], 0)
        cost[~free] = np.inf
        column = int(cost.argmin())
        taken[low : high + 1, column] = True
        lines.append(Line(net, column, low, high))
    return lines


# --- drawing -------------------------------------------------------------------------------------------------


def draw_stack(canvas: Canvas, stack: Stack) -> None:
    """Draw everything into a cell, with a cell for every row and for every kind of group."""
    layout = canvas.layout
    cells: dict[tuple[int, str], Canvas] = {}
    names: Counter[str] = Counter()
    for routed_row in stack.rows:
        for placed in routed_row.row.placed:
            _draw_group(canvas, placed.group, cells, names)
    left, right = -SIDE, (stack.columns - 1) * PITCH + SIDE
    for index, routed_row in enumerate(stack.rows):
        row = Canvas(layout, f"{canvas.name}_row{index}")
        draw_row(row, routed_row, cells, left, right)
        down = stack.upside_down(index)
        canvas.place(row, 0, stack.bases[index] + (routed_row.height if down else 0), down)
    for line in stack.lines:
        heights = [
            stack.height(index, stack.rows[index].track(line.net))
            for index in range(line.first, min(line.last + 1, len(stack.rows)))
            if line.net in stack.rows[index].tracks
        ]
        if line.last == len(stack.rows):
            heights.append(stack.cells)
        x = line.column * PITCH
        canvas.box("metal4", x - d.HALF, min(heights) - d.END, x + d.HALF, max(heights) + d.END)
    if stack.matrix is not None:
        field_of_cells = Canvas(layout, f"{canvas.name}_cells")
        ends = (left - 400 - STRAP, right) if stack.rows else (left, right)
        draw_matrix(field_of_cells, stack.matrix, ends)
        canvas.place(field_of_cells, 0, stack.cells)
    _draw_supplies(canvas, stack, left, right)
    _draw_labels(canvas, stack)


def _draw_group(canvas: Canvas, group: Group, cells: dict[tuple[int, str], Canvas], names: Counter[str]) -> None:
    key = id(group.arrangement)
    if any((key, kind) in cells for kind in ("n", "p", "bars")):
        return
    names[group.owner.name] += 1
    number = names[group.owner.name]
    name = f"{canvas.name}_{group.owner.name}" + (f"_{number}" if number > 1 else "")
    for side in "np":
        strips = strips_of(group, side)
        pillars = group.arrangement.pillars if side == "n" else ()
        if not strips and not pillars:
            continue
        cell = Canvas(canvas.layout, f"{name}_{side}")
        for strip in strips:
            draw_strip(cell, strip, group.bare, group.arrangement.contacts)
        for pillar in pillars:
            draw_pillar(cell, pillar)
        for strip in strips:
            if strip.own_well:
                draw_well(cell, strip)
        cells[key, side] = cell
    if group.arrangement.bars:
        cells[key, "bars"] = Canvas(canvas.layout, f"{name}_bars")
        for bars in group.arrangement.bars:
            draw_bars(cells[key, "bars"], bars)


def _draw_supplies(canvas: Canvas, stack: Stack, left: int, right: int) -> None:
    """Metal3 up both sides, joined to every rail; one row needs none."""
    if len(stack.rows) == 0 or (len(stack.rows) == 1 and stack.matrix is None):
        return
    rails: dict[str, list[int]] = {LOWER: [], UPPER: []}
    for index, routed_row in enumerate(stack.rows):
        rails[LOWER].append(stack.height(index, 0))
        rails[UPPER].append(stack.height(index, routed_row.height))
    half = STRAP // 2
    for net, x in ((LOWER, left - 400 - half), (UPPER, right + 400 + half)):
        heights = sorted(set(rails[net]))
        taps = (
            []
            if stack.matrix is None or net == UPPER
            else [stack.cells + tap + TAP_MIDDLE for tap in stack.matrix.taps]
        )
        for y in taps:
            canvas.box("metal1", x - half, y - TAP_HALF, left, y + TAP_HALF)
            _draw_cross(canvas, x, y, 0)
        heights += taps
        canvas.box("metal3", x - half, heights[0] - half, x + half, heights[-1] + half)
        for y in sorted(set(rails[net])):
            canvas.box("metal1", x - half, y - d.RAIL, left if net == LOWER else right, y + d.RAIL)
            if net == UPPER:
                canvas.box("metal1", right, y - d.RAIL, x + half, y + d.RAIL)
            _draw_cross(canvas, x, y, 260)


def _draw_cross(canvas: Canvas, x: int, y: int, reach: int) -> None:
    """Join metal1 to metal3 by two vias beside each other, twice where there is ``reach`` (nm) up and down."""
    half = STRAP // 2
    canvas.box("metal2", x - half, y - reach - 190, x + half, y + reach + 190)
    for cut in ("via1", "via2"):
        for dx in (-260, 260):
            for dy in {-reach, reach}:
                canvas.cut(cut, x + dx, y + dy)


def _draw_labels(canvas: Canvas, stack: Stack) -> None:
    """Name ports where they can be reached: on a track, or on a rail."""
    for port in stack.flat.ports:
        if stack.matrix is not None and not stack.rows:
            _label_cells(canvas, stack.matrix, port)
            continue
        if port in (LOWER, UPPER):
            y = stack.height(0, 0 if port == LOWER else stack.rows[0].height)
            canvas.label("metal1", 0, y, port)
            continue
        for index, routed_row in enumerate(stack.rows):
            if port in routed_row.tracks:
                track = routed_row.tracks[port]
                canvas.label("metal2", track.left * PITCH, stack.height(index, routed_row.track(port)), port)
                break


def _label_cells(canvas: Canvas, matrix: Matrix, port: str) -> None:
    """Name a port of a matrix that stands alone."""
    if port == LOWER:
        canvas.label("metal1", matrix.first(0) * PITCH, matrix.taps[0] + TAP_MIDDLE, port)
    elif port in matrix.lines:
        canvas.label("metal4", matrix.lines[port] * PITCH, LEAVE, port)
