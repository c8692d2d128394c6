"""Pieces of a schematic in coordinates of their own, which know their extent, and the way they become SVG.

One unit of length is half an inch, the natural size of schemdraw's symbols; y points upwards.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from xml.etree import ElementTree

import schemdraw
from schemdraw.elements import Element
from schemdraw.segments import Segment, SegmentCircle, SegmentPoly, SegmentText

Point = tuple[float, float]

INCHES_PER_UNIT = 0.5
POINTS = 72 * INCHES_PER_UNIT  # per unit
SIZE = 11.0  # pt, of all text but the title
THIN, LINE, THICK = 0.8, 1.3, 2.6  # pt
BLACK, NODE, PORT, FADED = "#000000", "#0059a0", "#8a3000", "#4a4a4a"
_CHARACTER = 0.6  # em; wide for a sans-serif face, so that labels keep their distance in any
_FRAME = 0.25
_FONT = "Helvetica, Arial, sans-serif"


def text_width(text: str, size: float = SIZE) -> float:
    """Return the width of ``text`` in units, estimated with room to spare."""
    return _CHARACTER * size * len(text) / POINTS


def text_height(size: float = SIZE) -> float:
    """Return the distance between two lines of text in units."""
    return 1.2 * size / POINTS


@dataclass(frozen=True)
class _Shape:
    """Something at ``points``; ``make`` turns them into a schemdraw element, wherever they have been moved."""

    points: tuple[Point, ...]
    make: Callable[[Sequence[Point]], Element]


class Sketch:
    """Lines, symbols and text that are moved as one."""

    def __init__(self) -> None:
        self._shapes: list[_Shape] = []
        self.left = self.bottom = float("inf")
        self.right = self.top = float("-inf")

    @property
    def width(self) -> float:
        """From the leftmost to the rightmost ink."""
        return self.right - self.left if self._shapes else 0.0

    def reserve(self, left: float, bottom: float, right: float, top: float) -> None:
        """Extend the sketch over a rectangle, drawn upon or not."""
        self.left, self.right = min(self.left, left), max(self.right, right)
        self.bottom, self.top = min(self.bottom, bottom), max(self.top, top)

    def line(self, *points: Point, width: float = LINE, color: str = BLACK) -> None:
        """Draw straight lines from point to point."""
        self._add(points, lambda at: _element(Segment(at, lw=width, color=color)))

    def polygon(self, *points: Point, fill: str = "none", width: float = LINE, color: str = BLACK) -> None:
        """Draw a closed shape."""
        self._add(points, lambda at: _element(SegmentPoly(at, lw=width, color=color, fill=fill)))

    def rectangle(self, left: float, bottom: float, right: float, top: float, *, fill: str = "none") -> None:
        """Draw a rectangle."""
        self.polygon((left, bottom), (right, bottom), (right, top), (left, top), fill=fill)

    def circle(self, x: float, y: float, radius: float, *, fill: str = "none") -> None:
        """Draw a circle."""
        self._add(((x, y),), lambda at: _element(SegmentCircle(at[0], radius, lw=LINE, color=BLACK, fill=fill)))
        self.reserve(x - radius, y - radius, x + radius, y + radius)

    def dot(self, x: float, y: float) -> None:
        """Mark wires that are connected."""
        self.circle(x, y, 0.06, fill=BLACK)

    def text(
        self, x: float, y: float, text: str, *, align: str = "left", size: float = SIZE, color: str = BLACK
    ) -> None:
        """Write one line with its middle at the height ``y``; ``align`` is left, center or right."""
        base = 0.35 * size / POINTS  # not every viewer knows a text's middle, all know its base line
        self._add(((x, y - base),), lambda at: _element(_text_segment(at[0], text, align, size, color)))
        width, half = text_width(text, size), text_height(size) / 2
        left = x - {"left": 0.0, "center": 0.5, "right": 1.0}[align] * width
        self.reserve(left, y - half, left + width, y + half)

    def symbol(self, make: Callable[[], Element], *points: Point) -> None:
        """Draw a symbol of schemdraw, at one point or from one to another; the extent is the caller's to reserve."""

        def place(at: Sequence[Point]) -> Element:
            element = make().at(at[0])
            return element.to(at[1]) if len(at) == 2 else element.theta(0)

        self._add(points, place)

    def add(self, other: "Sketch", dx: float = 0.0, dy: float = 0.0) -> None:
        """Draw another sketch, moved."""
        if other._shapes:
            moved = (_Shape(tuple((x + dx, y + dy) for x, y in s.points), s.make) for s in other._shapes)
            self._shapes.extend(moved)
            self.reserve(other.left + dx, other.bottom + dy, other.right + dx, other.top + dy)

    def _add(self, points: Sequence[Point], make: Callable[[Sequence[Point]], Element]) -> None:
        self._shapes.append(_Shape(tuple(points), make))
        for x, y in points:
            self.reserve(x, y, x, y)

    def svg(self) -> str:
        """Return the sketch as SVG; equal sketches are equal text."""
        with _text_as_text():
            drawing = schemdraw.Drawing(canvas="svg", show=False)
            drawing.config(inches_per_unit=INCHES_PER_UNIT, lw=LINE, color=BLACK, font=_FONT, fill="none", margin=0.0)
            drawing.add(self._frame())
            for shape in self._shapes:
                drawing.add(shape.make([(round(x, 4), round(y, 4)) for x, y in shape.points]))
            svg: bytes = drawing.get_imagedata("svg")
        return _with_rounded_size(svg.decode())

    def _frame(self) -> Element:
        """An invisible diagonal: schemdraw's own estimate of the extent of text is too small."""
        corners = [(self.left - _FRAME, self.bottom - _FRAME), (self.right + _FRAME, self.top + _FRAME)]
        return _element(Segment(corners, visible=False))


def _element(segment: Segment | SegmentPoly | SegmentCircle | SegmentText) -> Element:
    element = Element()
    element.segments.append(segment)
    return element.at((0, 0)).theta(0)


def _text_segment(at: Point, text: str, align: str, size: float, color: str) -> SegmentText:
    return SegmentText(at, text, align=(align, "base"), fontsize=size, color=color)  # type: ignore[arg-type]


@contextmanager
def _text_as_text() -> Iterator[None]:
    """Have schemdraw write text as text also where it has the means to draw it; its setting is global."""
    before = schemdraw.svgconfig.text
    schemdraw.svgconfig.text = "text"
    try:
        yield
    finally:
        schemdraw.svgconfig.text = before


def _with_rounded_size(svg: str) -> str:
    """Rewrite size and view box, which schemdraw prints to the last digit of floating point."""
    ElementTree.register_namespace("", "http://www.w3.org/2000/svg")
    root = ElementTree.fromstring(svg)
    box = [round(float(value), 2) for value in root.attrib["viewBox"].split()]
    root.set("viewBox", " ".join(f"{value:g}" for value in box))
    root.set("width", f"{box[2]:g}")
    root.set("height", f"{box[3]:g}")
    return ElementTree.tostring(root, encoding="unicode") + "\n"
