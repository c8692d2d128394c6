"""Guard rings: closed rings of taps around a part of a layout, as close to it as the rules of the process allow.

A ring of the substrate is p+ active area with contacts under metal1; it takes up holes before they raise the
substrate's potential. A ring of a well is n+ active area in a ring of n-well; it takes up electrons.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from mtjspice.errors import InputError, choose
from mtjspice.layout.canvas import CUT_SIZE, Canvas
from mtjspice.layout.layers import LAYERS
from mtjspice.layout.require import klayout_db
from mtjspice.layout.vias import STEP, Box, nanometres, on_grid

KINDS = ("substrate", "well")
IMPLANTS = {"substrate": "pplus", "well": "nplus"}
CONTACT_EDGE = nanometres("CO.4")
WIDTH = CUT_SIZE["contact"] + 2 * CONTACT_EDGE  # of the active area and of metal1
IMPLANT = nanometres("NP.5di")  # of the implant beyond the active area: what holds near the edge of a well
WELL = max(nanometres("DF.4d"), (nanometres("NW.1a") - WIDTH + 1) // 2)  # of the n-well beyond the active area
CONTACT_PITCH = CUT_SIZE["contact"] + nanometres("CO.2a")


def _spaces(kind: str) -> Mapping[str, int]:
    """From the ring's active area to what it surrounds, in nm: to layers and to what follows from several."""
    own, other = ("PP", "NP") if kind == "substrate" else ("NP", "PP")
    implant, foreign = ("pplus", "nplus") if kind == "substrate" else ("nplus", "pplus")
    # the ring's implant reaches beyond its active area
    apart = IMPLANT + max(nanometres(f"{own}.3ci"), nanometres(f"{own}.3cii"))
    if kind == "substrate":
        active = {"ncomp": apart, "pcomp": 0}
    else:
        active = {"ncomp": WELL + nanometres("DF.16"), "pcomp": max(apart, WELL + nanometres("DF.17"))}
    return MappingProxyType(
        {
            "comp": nanometres("DF.3a"),
            **active,
            "poly": nanometres("PL.5a"),
            "metal1": nanometres("M1.2b"),  # it may be wide
            "salicide_block": nanometres("SB.3"),
            "high_resistance": nanometres("HRES.6"),
            "nwell": nanometres("DF.17") if kind == "substrate" else WELL + nanometres("NW.2b"),
            implant: IMPLANT + nanometres(f"{own}.2"),
            foreign: max(nanometres(f"{other}.3ci"), nanometres(f"{other}.3cii")),
            "gate": IMPLANT + nanometres(f"{own}.12"),
            "unsalicided": IMPLANT + nanometres(f"{own}.7"),
        }
    )


SPACES: Mapping[str, Mapping[str, int]] = MappingProxyType({kind: _spaces(kind) for kind in KINDS})
# least width of the hole inside the innermost layer: of an n-well; squared, more than what implants must enclose
HOLE = nanometres("NW.2a")


def ring_distance(canvas: Canvas, box: Box, kind: str) -> int:
    """Return the least distance (nm) from a box to the active area of a ring around what is drawn inside the box.

    Where nothing is drawn yet that a ring keeps away from, whatever may follow has room. InputError for an unknown kind
    and for shapes that reach beyond the box (in the layers of `SPACES`; wires cross a ring in metal2 and higher).
    """
    spaces = SPACES[choose("kind of guard ring", kind, KINDS)]
    found = {}
    for name, region in _drawn(canvas, box, kind).items():
        if region.is_empty():
            continue
        inner = region.bbox()
        rooms = inner.left - box[0], inner.bottom - box[1], box[2] - inner.right, box[3] - inner.top
        if min(rooms) < 0:
            raise InputError(f"guard ring in {canvas.name}: {name} reaches {-min(rooms)} nm beyond the box")
        found[name] = spaces[name] - min(rooms)
    return _up(max([0, *found.values()] if found else spaces.values()))


def _drawn(canvas: Canvas, box: Box, kind: str) -> dict[str, Any]:
    """What touches a box, by the names of `SPACES`."""
    kdb = klayout_db()
    regions = {}
    for name in SPACES[kind]:
        if name in LAYERS:
            layer = canvas.layout.layer(*LAYERS[name])
            regions[name] = kdb.Region(canvas.cell.begin_shapes_rec_touching(layer, kdb.Box(*box))).merged()
    return regions | {
        "gate": regions["poly"] & regions["comp"],
        "ncomp": regions["comp"] & regions["nplus"],
        "pcomp": regions["comp"] & regions["pplus"],
        "unsalicided": regions["poly"] & regions["salicide_block"],
    }


def guard_ring(canvas: Canvas, box: Box, kind: str, distance: int | None = None) -> Box:
    """Draw a closed guard ring around a box (left, bottom, right, top in nm, on the grid of 5 nm).

    ``kind`` is "substrate" or "well". The ring's active area stands ``distance`` (nm) from the box, by default as near
    as what is drawn inside allows (`ring_distance`); around a box that is too small for a hole, farther. Its metal1 is
    closed. Return the box of all that was drawn. InputError for an empty box, one off the grid, and a distance that is
    too small.
    """
    on_grid("guard ring", *box)
    left, bottom, right, top = box
    if left >= right or bottom >= top:
        raise InputError(f"guard ring around an empty box: {left}, {bottom}, {right}, {top} nm")
    least = ring_distance(canvas, box, kind)
    if distance is not None:
        on_grid("guard ring", distance)
        if distance < least:
            raise InputError(f"guard ring at a distance of {distance} nm; allowed here: {least} nm and more")
    gap = least if distance is None else distance
    beyond = IMPLANT if kind == "substrate" else max(IMPLANT, WELL)
    hole = HOLE + 2 * beyond  # of the active area
    gap_x = max(gap, _up((hole - (right - left) + 1) // 2))
    gap_y = max(gap, _up((hole - (top - bottom) + 1) // 2))
    inner = left - gap_x, bottom - gap_y, right + gap_x, top + gap_y
    for layer in ("comp", "metal1"):
        _frame(canvas, layer, inner, 0, WIDTH)
    _frame(canvas, IMPLANTS[kind], inner, -IMPLANT, WIDTH + IMPLANT)
    if kind == "well":
        _frame(canvas, "nwell", inner, -WELL, WIDTH + WELL)
    for x, y in _contacts(inner):
        canvas.cut("contact", x, y)
    return _grown(inner, WIDTH + beyond)


def _up(length: int) -> int:
    """Round up to the grid."""
    return -(-length // STEP) * STEP


def _grown(box: Box, by: int) -> Box:
    return box[0] - by, box[1] - by, box[2] + by, box[3] + by


def _frame(canvas: Canvas, layer: str, inner: Box, low: int, high: int) -> None:
    """Draw a closed frame from ``low`` to ``high`` outside of a box, of four rectangles that overlap at the corners."""
    hole, outer = _grown(inner, low), _grown(inner, high)
    for left, bottom, right, top in (
        (outer[0], outer[1], outer[2], hole[1]),
        (outer[0], hole[3], outer[2], outer[3]),
        (outer[0], outer[1], hole[0], outer[3]),
        (hole[2], outer[1], outer[2], outer[3]),
    ):
        canvas.box(layer, left, bottom, right, top)


def _contacts(inner: Box) -> Iterator[tuple[int, int]]:
    """Middles of the contacts: one in every corner, and between them as many as fit, evenly on the grid."""
    left, bottom, right, top = _grown(inner, WIDTH // 2)
    for x in _even(left, right):
        yield x, bottom
        yield x, top
    for y in _even(bottom, top)[1:-1]:
        yield left, y
        yield right, y


def _even(low: int, high: int) -> list[int]:
    count = (high - low) // (CONTACT_PITCH + STEP)  # rounding to the grid takes less than a step of each space
    return [low + (high - low) * k // count // STEP * STEP for k in range(count)] + [high]
