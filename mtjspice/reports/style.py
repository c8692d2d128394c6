"""What all figures share: colours safe for the colour-blind, sizes, and the way a figure becomes a file."""

from collections.abc import Callable
from functools import wraps
from io import BytesIO
from pathlib import Path
from typing import Any, ParamSpec

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mtjspice.files import write_atomically

# Okabe and Ito's palette
BLUE, ORANGE, GREEN, RED, PURPLE, SKY, YELLOW, BLACK = (
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#000000",
)  # fmt: skip
WIDTH = 6.4  # inches
_Arguments = ParamSpec("_Arguments")
_STYLE: Any = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "lines.linewidth": 1.3,
    "figure.facecolor": "white",
    "image.interpolation": "nearest",
    "svg.hashsalt": "mtjspice",  # equal figures are equal bytes
}
# metadata that would date a file
_UNDATED: dict[str, dict[str, Any]] = {
    "png": {"Software": None},
    "pdf": {"CreationDate": None},
    "svg": {"Date": None},
}
FORMATS = tuple(_UNDATED)
_SOURCE = "Source"  # a keyword of the PNG specification


def styled(draw: Callable[_Arguments, Figure]) -> Callable[_Arguments, Figure]:
    """Draw in our style without touching matplotlib's global one."""

    @wraps(draw)
    def wrapped(*args: _Arguments.args, **options: _Arguments.kwargs) -> Figure:
        with matplotlib.rc_context(_STYLE):
            return draw(*args, **options)

    return wrapped


def new_figure(height: float, rows: int = 1, columns: int = 1, **options: Any) -> tuple[Figure, NDArray[np.object_]]:
    """Return a figure of column width and ``height`` (inches) with its axes (rows, columns)."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, **options)


def render(figure: Figure, form: str = "png", source: str = "") -> bytes:
    """Render a figure as one of `FORMATS` without a date, so that equal figures are equal bytes.

    ``source`` is noted in a PNG file, see `source_of`.
    """
    buffer = BytesIO()
    noted = {_SOURCE: source} if source else {}
    with matplotlib.rc_context(_STYLE):
        figure.savefig(buffer, format=form, dpi=200, metadata=_UNDATED[form] | noted)
    return buffer.getvalue()


def source_of(path: Path) -> str:
    """What `render` was told of the source of a PNG file; empty if nothing, or if there is no such file."""
    from PIL import Image

    try:
        with Image.open(path) as picture:
            return str(picture.info.get(_SOURCE, ""))
    except (OSError, SyntaxError):
        return ""


def save(figure: Figure, path: Path) -> None:
    """Write a figure, whole or not at all, in the format that the suffix of ``path`` names."""
    write_atomically(path, render(figure, path.suffix.lower().removeprefix(".")))
