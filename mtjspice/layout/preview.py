"""Pictures of layouts as pixels: every layer's exact coverage of each pixel, painted over the layers below it.

KLayout's database module alone does it: no application, no display, the same bytes for the same shapes. Where a pixel
is large, cuts and implants are left out: they would blur the wires. The figure around the pixels is drawn by
`mtjspice.reports.layout_figures`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, pi, sqrt
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mtjspice.errors import InputError
from mtjspice.layout.layers import DATABASE_UNIT, LABELS, LAYERS
from mtjspice.layout.require import klayout_db

if TYPE_CHECKING:
    import klayout.db as kdb

MARGIN = 0.02  # of the longer side, around the shapes
FINE = 64  # a pixel is so many units of length while its coverage is measured
OUTLINE = 1.6  # pixels
HATCH = 16  # pixels from line to line
MOST_PIXELS = 20_000  # of a side


@dataclass(frozen=True)
class Paint:
    """How a layer is painted.

    ``fill`` and ``outline`` are opacities. ``hatch`` 1 or -1: lines rising to the right or falling. ``detail`` is the
    width (um) that has to be ``least`` pixels wide, or the layer is left out.
    """

    colour: str
    fill: float
    outline: float
    hatch: int = 0
    detail: float = 0.28
    least: float = 0.0


# from the lowest up; the colours are Okabe and Ito's, which the colour-blind can tell apart, and darker ones for cuts
PAINTS: Mapping[str, Paint] = MappingProxyType(
    {
        "nwell": Paint("#F0E442", 0.22, 0.9),
        "nplus": Paint("#009E73", 0.06, 0.30, least=7),
        "pplus": Paint("#CC79A7", 0.10, 0.40, least=7),
        "comp": Paint("#009E73", 0.60, 0.9),
        "resistor_marker": Paint("#888888", 0.10, 0.5, least=7),
        "high_resistance": Paint("#888888", 0.10, 0.5),
        "salicide_block": Paint("#888888", 0.10, 0.5, least=7),
        "poly": Paint("#D55E00", 0.75, 1.0),
        "contact": Paint("#000000", 0.85, 1.0, detail=0.22, least=5),
        "metal1": Paint("#0072B2", 0.48, 0.95),
        "via1": Paint("#003A5C", 0.80, 1.0, detail=0.26, least=5),
        "metal2": Paint("#CC79A7", 0.50, 1.0),
        "via2": Paint("#7A2F57", 0.80, 1.0, detail=0.26, least=5),
        "metal3": Paint("#56B4E9", 0.36, 1.0, hatch=1),
        "via3": Paint("#14618F", 0.80, 1.0, detail=0.26, least=5),
        "metal4": Paint("#E69F00", 0.42, 1.0, hatch=-1),
        "via4": Paint("#6B4A00", 0.80, 1.0, detail=0.26, least=5),
        "metal5": Paint("#555555", 0.75, 1.0),
        "mtj_bottom": Paint("#000000", 0.0, 0.6, detail=0.1, least=8),
        "mtj_top": Paint("#000000", 0.0, 0.6, detail=0.1, least=8),
        "mtj": Paint("#000000", 1.0, 1.0, detail=0.05, least=3),
        "boundary": Paint("#000000", 0.0, 0.5),
    }
)


@dataclass(frozen=True)
class Picture:
    """A painted layout; lengths in um.

    ``pixels`` are red, green, blue from 0 to 255 (height, width, 3), the uppermost row first. ``box`` is what they
    show: left, bottom, right, top. ``layers`` are those painted, ``left_out`` those whose shapes are too small;
    ``junctions`` are the pillars (n, 3): x, y and diameter, ``labels`` the names of nets with their places. ``hatched``
    tells whether the picture is large enough for hatches.
    """

    pixels: NDArray[np.uint8]
    box: tuple[float, float, float, float]
    layers: tuple[str, ...]
    left_out: tuple[str, ...]
    junctions: NDArray[np.float64]
    labels: tuple[tuple[str, float, float], ...]
    hatched: bool


def paint(layout: "kdb.Layout", cell: "kdb.Cell", width: int) -> Picture:
    """Paint a cell with all that is below it, ``width`` pixels wide, on white.

    InputError for an empty cell, for a width that is not positive, and for a picture of more than 20000 pixels a side.
    """
    kdb = klayout_db()
    if abs(layout.dbu - DATABASE_UNIT) > DATABASE_UNIT * 1e-9:
        raise InputError(f"picture: the database unit is {layout.dbu:g} um, it must be {DATABASE_UNIT:g} um")
    regions = _regions(layout, cell)
    if not regions:
        raise InputError(f"picture: cell {cell.name} has no shapes on the layers that are known")
    bounds = kdb.Box()
    for region in regions.values():
        bounds += region.bbox()
    margin = ceil(max(bounds.width(), bounds.height()) * MARGIN)
    bounds = bounds.enlarged(margin, margin)
    height = max(1, round(width * bounds.height() / bounds.width()))
    if not 1 <= width <= MOST_PIXELS or height > MOST_PIXELS:
        raise InputError(f"picture of {width} x {height} pixels; allowed: 1 to {MOST_PIXELS} on both sides")
    pixel = bounds.width() / width  # nm
    canvas = np.ones((height, width, 3))
    left_out = []
    for name, region in regions.items():
        style = PAINTS[name]
        if style.detail / DATABASE_UNIT < style.least * pixel:
            left_out.append(name)
            continue
        _paint_layer(canvas, region, style, pixel, bounds)
    rows = height * pixel  # of the image, which is a fraction of a pixel higher or lower than the bounds
    box = (bounds.left, bounds.bottom, bounds.right, bounds.bottom + rows)
    left, bottom, right, top = (float(value * DATABASE_UNIT) for value in box)
    return Picture(
        np.rint(canvas[::-1] * 255).astype(np.uint8),
        (left, bottom, right, top),
        tuple(name for name in regions if name not in left_out),
        tuple(left_out),
        _pillars(regions.get("mtj")),
        _labels(layout, cell),
        _hatched(pixel),
    )


def _regions(layout: "kdb.Layout", cell: "kdb.Cell") -> dict[str, Any]:
    """Merged shapes of the layers that are there, from the lowest up."""
    kdb = klayout_db()
    found = {}
    for name in PAINTS:
        index = layout.find_layer(*LAYERS[name])
        if index is not None:
            region = kdb.Region(cell.begin_shapes_rec(index)).merged()
            if not region.is_empty():
                found[name] = region
    return found


def _paint_layer(canvas: NDArray[np.float64], region: Any, style: Paint, pixel: float, bounds: Any) -> None:
    kdb = klayout_db()
    fine = region.moved(-bounds.left, -bounds.bottom).transformed(kdb.ICplxTrans(FINE / pixel))
    box = fine.bbox()
    x, y = box.left // FINE, box.bottom // FINE
    part = canvas[y : box.top // FINE + 1, x : box.right // FINE + 1]  # the others have nothing of the layer
    inside = fine.sized(-round(OUTLINE * FINE))
    whole, inner = (_coverage(shapes, x, y, part.shape) for shapes in (fine, inside))
    fill: float | NDArray[np.float64] = style.fill
    if style.hatch and _hatched(pixel):
        rows, columns = np.ogrid[y : y + part.shape[0], x : x + part.shape[1]]
        lines = (columns - style.hatch * rows) % HATCH < HATCH / 4
        fill = np.where(lines, 0.5 * (1 + style.fill), style.fill)
    opacity = fill * inner + style.outline * (whole - inner)
    colour = np.array([int(style.colour[k : k + 2], 16) / 255 for k in (1, 3, 5)])
    part += opacity[:, :, np.newaxis] * (colour - part)


def _hatched(pixel: float) -> bool:
    """Whether a wire of the least width shows a line of a hatch at least."""
    return 280 / pixel > HATCH


def _coverage(fine: Any, x: int, y: int, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Covered fraction of pixels (height, width) from column ``x`` and row ``y`` on, the lowest row first."""
    kdb = klayout_db()
    covered = fine.rasterize(kdb.Point(x * FINE, y * FINE), kdb.Vector(FINE, FINE), shape[1], shape[0])
    return np.array(covered, dtype=np.float64) / FINE**2


def _pillars(pillars: Any) -> NDArray[np.float64]:
    found = []
    for polygon in [] if pillars is None else pillars.each():
        box = polygon.bbox()
        found.append(((box.left + box.right) / 2, (box.bottom + box.top) / 2, 2 * sqrt(polygon.area() / pi)))
    return np.array(sorted(found), dtype=np.float64).reshape(-1, 3) * DATABASE_UNIT


def _labels(layout: "kdb.Layout", cell: "kdb.Cell") -> tuple[tuple[str, float, float], ...]:
    kdb = klayout_db()
    found = set()
    for layer in LABELS.values():
        index = layout.find_layer(*layer)
        if index is not None:
            for text in kdb.Texts(cell.begin_shapes_rec(index)).each():
                found.add((text.string, text.x * DATABASE_UNIT, text.y * DATABASE_UNIT))
    return tuple(sorted(found))
