"""Stacks of vias from one metal to a higher one, any number of cuts beside each other, by the rules of the process."""

from mtjspice.errors import InputError
from mtjspice.layout.canvas import CUT_SIZE, Canvas
from mtjspice.layout.layers import CUTS, DATABASE_UNIT, GRID, METALS
from mtjspice.layout.rules import RULES

Box = tuple[int, int, int, int]  # nm: left, bottom, right, top
ARRAY = 4  # so many columns and rows make an array, whose cuts keep a larger distance


def nanometres(rule: str) -> int:
    """Return the value of a rule about a length in nm."""
    value = RULES[rule].value
    assert value is not None, rule
    return round(value / DATABASE_UNIT)


STEP = nanometres("OFFGRID")
ENCLOSURE = nanometres("V1.4b")  # enough at ends of lines; a single cut's metal then has the least area


def draw_via_stack(canvas: Canvas, x: int, y: int, low: int, high: int, columns: int = 1, rows: int = 1) -> Box:
    """Draw ``columns`` by ``rows`` vias at every level from metal ``low`` to metal ``high``, and these metals.

    (``x``, ``y``) is the middle, in nm and on the grid of 5 nm. Return the box of the metals, in nm. InputError for
    levels that are none, for no vias, and for a middle off the grid.
    """
    if not 1 <= low < high <= len(METALS):
        raise InputError(f"via stack from metal{low} to metal{high}; allowed: from a metal to a higher one of 1 to 5")
    if columns < 1 or rows < 1:
        raise InputError(f"via stack of {columns} x {rows} vias; allowed: 1 or more both ways")
    on_grid("via stack", x, y)
    array = columns >= ARRAY and rows >= ARRAY
    pitch = CUT_SIZE["via1"] + nanometres("V1.2b" if array else "V1.2a")
    half_x = ((columns - 1) * pitch + CUT_SIZE["via1"]) // 2 + ENCLOSURE
    half_y = ((rows - 1) * pitch + CUT_SIZE["via1"]) // 2 + ENCLOSURE
    box = x - half_x, y - half_y, x + half_x, y + half_y
    for level in range(low, high + 1):
        canvas.box(METALS[level - 1], *box)
    for cut in CUTS[low:high]:
        for column in range(columns):
            for row in range(rows):
                canvas.cut(cut, x + (2 * column - columns + 1) * pitch // 2, y + (2 * row - rows + 1) * pitch // 2)
    return box


def on_grid(what: str, *lengths: int) -> None:
    """Raise an InputError unless all lengths (nm) are multiples of 5 nm."""
    for length in lengths:
        if length % STEP:
            raise InputError(f"{what}: {length} nm is off the grid of {GRID / DATABASE_UNIT:g} nm")
