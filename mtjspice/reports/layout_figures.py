"""Figures of layouts: a picture of a cell from above, and a section through a junction, to scale."""

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Patch, Rectangle
from numpy.typing import NDArray

from mtjspice.device.card import PARAMETERS, MTJCard
from mtjspice.errors import InputError, choose
from mtjspice.files import write_atomically
from mtjspice.layout.layers import CUTS, METALS
from mtjspice.layout.preview import PAINTS, Picture, paint
from mtjspice.layout.process import FIELD_OXIDE, SILICON, STACK
from mtjspice.layout.section import Section, cut
from mtjspice.reports.style import BLACK, FORMATS, PURPLE, WIDTH, YELLOW, save, styled

if TYPE_CHECKING:
    import klayout.db as kdb

COLUMN = 3.5  # inches: a column of print
LEFT, RIGHT, BOTTOM, TOP = 0.42, 0.06, 0.29, 0.24  # inches around the picture
LEGEND_ROW = 0.125  # inches
LEGEND_COLUMNS = 4
TALLEST = 1.25  # of a picture, in units of its greatest width
NAMED = 12.0  # um: in smaller cells nets are named
SMALLEST_MARK = 1.6  # points: smaller diamonds are all outline
NEIGHBOURS = 8  # of a junction, that tell how dense they are
# what is the same to the eye is one entry of the legend
NAMES = {
    "nwell": "n-well", "nplus": "n+", "pplus": "p+", "comp": "active", "poly": "poly", "contact": "contact",
    "resistor_marker": "resistor mark", "high_resistance": "high-R poly", "salicide_block": "no salicide",
    "mtj_bottom": "electrodes", "mtj_top": "electrodes", "mtj": "junction", "boundary": "boundary",
}  # fmt: skip

# left out together
SMALL = (
    dict.fromkeys(("nplus", "pplus"), "implants")
    | dict.fromkeys(CUTS, "contacts and vias")
    | dict.fromkeys(("resistor_marker", "salicide_block"), "marks of resistors")
    | {"mtj": "electrodes"}
)


def write_preview(
    layout: "kdb.Layout", cell: "kdb.Cell", file: Path, title: str = "", width_pixels: int = 1600
) -> None:
    """Write a PNG of a cell: its shapes from above on axes in um, with a legend of the layers that are there.

    The same layout gives the same bytes. InputError for another suffix, for an empty cell, and where the file cannot be
    written.
    """
    if file.suffix.lower() != ".png":
        raise InputError(f"picture of a layout: {file.name!r} must end in .png")
    if not 400 <= width_pixels <= 10_000:
        raise InputError(f"picture of a layout: {width_pixels} pixels wide; allowed: 400 to 10000")
    dots = width_pixels / COLUMN  # an inch
    box = cell.dbbox()
    widest = COLUMN - LEFT - RIGHT
    slender = box.height() / box.width() if box.width() > 0 else 1.0
    wide = min(widest, widest * TALLEST / max(slender, 1e-9))
    picture = paint(layout, cell, round(wide * dots))
    buffer = BytesIO()
    _from_above(picture, title, dots).savefig(buffer, format="png", dpi=dots, metadata={"Software": None})
    write_atomically(file, buffer.getvalue())


@styled
def _from_above(picture: Picture, title: str, dots: float) -> Figure:
    """Draw a picture so that each of its pixels is one of the figure."""
    rows, columns, _ = picture.pixels.shape
    sizes = _mark_sizes(picture, dots)
    entries = _entries(picture, dense=bool((sizes < SMALLEST_MARK).any()))
    lines = -(-len(entries) // LEGEND_COLUMNS)
    note = _note(picture)
    foot = BOTTOM + lines * LEGEND_ROW + (LEGEND_ROW if note else 0) + 0.04
    head = TOP if title else 0.08
    across, up = round(COLUMN * dots), round((foot + head) * dots) + rows
    figure = Figure(figsize=(across / dots, up / dots), dpi=dots)
    left = round((LEFT + (COLUMN - LEFT - RIGHT - columns / dots) / 2) * dots)
    axes = figure.add_axes((left / across, round(foot * dots) / up, columns / across, rows / up))
    low_x, low_y, high_x, high_y = picture.box
    axes.imshow(picture.pixels, extent=(low_x, high_x, low_y, high_y), interpolation="nearest", zorder=0)
    axes.grid(visible=False)
    axes.tick_params(labelsize=7, length=2.5, width=0.5, pad=2)
    axes.set_xlabel("x (µm)", fontsize=7.5, labelpad=1)
    axes.set_ylabel("y (µm)", fontsize=7.5, labelpad=1)
    for spine in axes.spines.values():
        spine.set_visible(True)
        spine.set_linewidth(0.5)
    if title:
        axes.set_title(title, fontsize=8.5, pad=4)
    _mark_junctions(axes, picture, sizes)
    if max(high_x - low_x, high_y - low_y) < NAMED:
        _name_nets(axes, picture)
    figure.legend(
        handles=entries, loc="lower center", bbox_to_anchor=(0.5, (LEGEND_ROW if note else 0) / (up / dots)),
        ncols=LEGEND_COLUMNS, fontsize=6.5, handlelength=1.5, handleheight=0.9, columnspacing=1.0, labelspacing=0.25,
        handletextpad=0.4, borderpad=0.1,
    )  # fmt: skip
    if note:
        figure.text(0.5, 0.02 / (up / dots), note, fontsize=5.5, ha="center", va="bottom", color="#444444")
    return figure


def _entries(picture: Picture, dense: bool) -> list[Patch | Line2D]:
    """Entries of the legend, from the lowest layer up."""
    entries: dict[str, Patch | Line2D] = {}
    for name in picture.layers:
        style, shown = PAINTS[name], NAMES.get(name, name)
        if name == "mtj":
            continue
        face = (*_rgb(style.colour), style.fill)
        hatch = {0: "", 1: "/////", -1: "\\\\\\\\\\"}[style.hatch if picture.hatched else 0]
        edge = (*_rgb(style.colour), style.outline)
        entries[shown] = Patch(facecolor=face, edgecolor=edge, hatch=hatch, linewidth=0.7, label=shown)
    if len(picture.junctions):
        entries["junction"] = Line2D(
            [], [], linestyle="none", marker="D", markersize=4.5, markerfacecolor=YELLOW, markeredgecolor=BLACK,
            markeredgewidth=0.7, label="junction, or dot" if dense else "junction",
        )  # fmt: skip
    return list(entries.values())


def _rgb(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5))
    return red, green, blue


def _note(picture: Picture) -> str:
    kinds = dict.fromkeys(SMALL.get(name, NAMES.get(name, name)) for name in picture.left_out)
    return f"not drawn at this scale: {', '.join(kinds)}" if kinds else ""


def _mark_sizes(picture: Picture, dots: float) -> NDArray[np.float64]:
    """Return the sizes (points) of the junctions' marks in a figure of so many dots an inch."""
    um = 72 / dots * picture.pixels.shape[1] / (picture.box[2] - picture.box[0])  # in points
    most = 5.5 if "mtj" in picture.layers else 3.5
    sizes: NDArray[np.float64] = np.minimum(0.6 * um * _spacings(picture.junctions[:, :2]), most).round(1)
    return sizes


def _mark_junctions(axes: Axes, picture: Picture, sizes: NDArray[np.float64]) -> None:
    """Mark pillars by diamonds, with the pillar itself inside; where they are too dense, by dots."""
    places = picture.junctions[:, :2]
    for size in np.unique(sizes):
        x, y = places[sizes == size].T
        if size < SMALLEST_MARK:
            axes.plot(x, y, "s", markersize=max(0.6 * size, 0.3), markerfacecolor=BLACK, markeredgewidth=0, zorder=5)
        else:
            axes.plot(x, y, "D", markersize=size, markerfacecolor=YELLOW, markeredgecolor=BLACK,
                      markeredgewidth=min(0.7, 0.2 * size), zorder=5)  # fmt: skip
    if "mtj" in picture.layers:
        for x, y, diameter in picture.junctions:
            axes.add_patch(Circle((x, y), diameter / 2, facecolor=BLACK, linewidth=0, zorder=6))


def _spacings(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return about how far from each other places stand around each of them; infinity where there are few.

    At the edge of an array it is what it is inside, and a lone pair counts as one place.
    """
    if len(places) <= NEIGHBOURS:
        return np.full(len(places), np.inf)
    from scipy.spatial import KDTree

    distances, neighbours = KDTree(places).query(places, k=NEIGHBOURS + 1)
    apart: NDArray[np.float64] = distances[:, -1] * (np.pi / NEIGHBOURS) ** 0.5  # of as many in a circle
    spacings: NDArray[np.float64] = np.maximum(apart[neighbours].min(axis=1), apart / 4)  # far from all others
    return spacings


def _name_nets(axes: Axes, picture: Picture) -> None:
    for text, x, y in picture.labels:
        axes.text(x, y, text, fontsize=6.5, ha="center", va="center", zorder=6,
                  bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.8})  # fmt: skip


# --- section ---------------------------------------------------------------------------------------------------

SIDE_NAMES = 0.75  # inches, for the names of the levels right of the section
INSETS = 2.35  # inches, right of these
ACROSS, UP = WIDTH - 0.45 - SIDE_NAMES - INSETS, 3.7  # inches, most of the section itself
FOOT, HEAD = 0.42, 0.42  # inches below and above
GROUND = -0.35  # um: so deep the substrate is drawn
OXIDE, SUBSTRATE, ELECTRODE = "#E4E4E4", "#D8CDB8", "#9A9A9A"
ZOOM = 0.3  # um, half of what the inset shows
LEVELS = (*METALS, *CUTS, "poly")


def write_section(layout: "kdb.Layout", cell: "kdb.Cell", file: Path, card: MTJCard | None = None) -> None:
    """Write a section through a junction of a cell to scale, as PNG, SVG or PDF by the suffix of ``file``.

    Insets show the pillar to scale, and its layers with the thicknesses of ``card``, where one is given; what neither
    the process nor the card states is marked. InputError for another suffix and for a cell without a junction.
    """
    choose("format of a figure", file.suffix.lower().removeprefix("."), FORMATS)
    save(_from_the_side(cut(layout, cell), cell.name, card), file)


@styled
def _from_the_side(found: Section, name: str, card: MTJCard | None) -> Figure:
    ceiling = max(piece.top for piece in found.pieces) + 0.15
    scale = min(ACROSS / found.length, UP / (ceiling - GROUND))  # inches per um
    across, up = found.length * scale, (ceiling - GROUND) * scale
    height = max(up, 3.4) + FOOT + HEAD
    figure = Figure(figsize=(WIDTH, height))

    def place(left: float, bottom: float, wide: float, high: float) -> Axes:
        return figure.add_axes((left / WIDTH, bottom / height, wide / WIDTH, high / height))

    axes = place(0.45, FOOT + (height - FOOT - HEAD - up) / 2, across, up)
    _draw_pieces(axes, found, 0.0, found.length)
    axes.set_xlim(0, found.length)
    axes.set_ylim(GROUND, ceiling)
    axes.set_xlabel("along the cut (µm)", fontsize=8, labelpad=2)
    axes.set_ylabel("height (µm)", fontsize=8, labelpad=2)
    axes.tick_params(labelsize=7)
    axes.grid(visible=False)
    for turn in found.turns:
        axes.axvline(turn, color=BLACK, linewidth=0.6, linestyle=(0, (6, 2, 1, 2)))
        axes.text(turn, ceiling, "cut turns by 90°", fontsize=6, ha="center", va="bottom")
    _name_levels(axes, found)
    points = " to ".join(f"({x:.2f}, {y:.2f})" for x, y in found.path)
    figure.text(0.1 / WIDTH, 1 - 0.07 / height, f"{name}, cut from {points} µm", fontsize=8, va="top")
    left, half = WIDTH - INSETS, (height - FOOT - HEAD) / 2
    zoom = place(left + 0.25, FOOT + half + 0.15, 1.1, half - 0.15)
    _draw_zoom(zoom, found, ZOOM * (half - 0.15) / 1.1)
    _draw_layers(place(left, 0.08, INSETS - 0.05, FOOT + half - 0.35), card)
    return figure


def _draw_pieces(axes: Axes, found: Section, start: float, end: float) -> None:
    def rectangle(start: float, end: float, bottom: float, top: float, colour: str, line: float) -> None:
        axes.add_patch(
            Rectangle((start, bottom), end - start, top - bottom, facecolor=colour, edgecolor=BLACK, linewidth=line)
        )

    rectangle(start, end, GROUND, 0, SUBSTRATE, 0)
    rectangle(start, end, 0, FIELD_OXIDE, OXIDE, 0)
    colours = {"mtj_bottom": ELECTRODE, "mtj_top": ELECTRODE, "mtj": YELLOW, "comp": SUBSTRATE,
               "nplus": PAINTS["comp"].colour, "pplus": PURPLE}  # fmt: skip
    for piece in found.pieces:
        if piece.layer == "comp":  # its silicon ends below the upper edge of the field oxide
            rectangle(piece.start, piece.end, SILICON, FIELD_OXIDE, "white", 0)
        colour = colours.get(piece.layer, PAINTS[piece.layer].colour)
        rectangle(piece.start, piece.end, piece.bottom, piece.top, colour, 0 if piece.layer == "comp" else 0.4)


def _name_levels(axes: Axes, found: Section) -> None:
    """Name what is at each height, right of the section."""
    there = {piece.layer for piece in found.pieces}
    names = {name: (STACK[name].bottom + STACK[name].top) / 2 for name in LEVELS if name in there}
    implants = " / ".join(f"{NAMES[name]}*" for name in ("nplus", "pplus") if name in there)
    names |= {implants: STACK["implant"].bottom, "substrate": GROUND / 2}
    for name, height in names.items():
        axes.annotate(name, (found.length, height), xytext=(4, 0), fontsize=7, va="center",
                      textcoords="offset points", annotation_clip=False)  # fmt: skip


def _draw_zoom(axes: Axes, found: Section, half_up: float) -> None:
    """The pillar between metal3 and metal4, heights and widths on one scale."""
    middle, right = (STACK["metal3"].top + STACK["metal4"].bottom) / 2, found.junction + ZOOM
    _draw_pieces(axes, found, found.junction - ZOOM, right)
    axes.set_xlim(found.junction - ZOOM, right)
    axes.set_ylim(middle - half_up, middle + half_up)
    axes.grid(visible=False)
    axes.tick_params(labelsize=6, length=2)
    axes.set_title("junction (µm), to scale", fontsize=7.5, pad=4)
    names = {"metal4": "metal4", "mtj_top": "top electrode*", "mtj": f"pillar*, {found.diameter * 1e3:.0f} nm",
             "mtj_bottom": "bottom electrode*", "metal3": "metal3"}  # fmt: skip
    for name, text in names.items():
        low, high = max(STACK[name].bottom, middle - half_up), min(STACK[name].top, middle + half_up)
        for piece in found.of(name):
            if piece.start <= found.junction <= piece.end:
                axes.annotate(text, (min(piece.end, right), (low + high) / 2), xytext=(right + 0.03, (low + high) / 2),
                              fontsize=6.5, va="center", annotation_clip=False,
                              arrowprops={"arrowstyle": "-", "linewidth": 0.4, "shrinkA": 0, "shrinkB": 0})  # fmt: skip


def _draw_layers(axes: Axes, card: MTJCard | None) -> None:
    axes.set_axis_off()
    layers = _layers(card)
    total = sum(height for _, height, _, _ in layers)
    axes.set_xlim(0, 1)
    axes.set_ylim(-0.36 * total, 1.14 * total)
    y = 0.0
    for name, height, text, colour in layers:
        axes.add_patch(Rectangle((0.02, y), 0.26, height, facecolor=colour, edgecolor=BLACK, linewidth=0.6))
        axes.text(0.31, y + height / 2, f"{name}\n{text}", fontsize=6.5, va="center", linespacing=1.2)
        y += height
    axes.text(0.02, 1.13 * total, "layers of the pillar, not to scale", fontsize=7.5, va="top")
    source = "no card given" if card is None else f"thicknesses of card {card.name}"
    notes = (source, "* and order of the layers: assumed", "light grey beside the silicon: field oxide")
    axes.text(0.02, -0.06 * total, "\n".join(notes), fontsize=6, va="top")


def _layers(card: MTJCard | None) -> list[tuple[str, float, str, str]]:
    """Name, drawn height, thickness as text, and colour of the layers from the lowest up."""

    def stated(key: str) -> str:
        if card is None:
            return "thickness not stated"
        status = card.origins[key].status if key in card.origins else "assumed"
        return f"{PARAMETERS[key].show(getattr(card, key), 3)}, {status}"

    reference = ("reference layer", 1.3, "thickness not stated, assumed", "#C9B800")
    barrier = ("tunnel barrier (MgO)", 0.8, stated("barrier_thickness"), "white")
    free = ("free layer", 0.9, stated("free_layer_thickness"), YELLOW)
    if card is not None and card.spin_hall_angle != 0:  # the card's line lies below the free layer
        line = ("spin-orbit line", 1.0, stated("spin_orbit_line_thickness"), ELECTRODE)
        return [line, free, barrier, reference]
    return [reference, barrier, free]
