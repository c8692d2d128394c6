"""Pictures of layouts: what is painted where, what is left out, and the same bytes for the same shapes."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from mtjspice.circuits import catalogue
from mtjspice.errors import InputError
from mtjspice.layout.canvas import Canvas, new_layout
from mtjspice.layout.generate import Drawn, generate
from mtjspice.layout.layers import CUTS
from mtjspice.layout.preview import PAINTS, Picture, paint
from mtjspice.reports import layout_figures as figures
from mtjspice.reports.layout_figures import write_preview

kdb = pytest.importorskip("klayout.db")
WHITE = [255, 255, 255]


def canvas(name: str = "cell") -> Canvas:
    return Canvas(new_layout(), name)


def painted(drawn: Canvas, width: int = 500) -> Picture:
    return paint(drawn.layout, drawn.cell, width)


def rgb(colour: str) -> np.ndarray:
    return np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)])


def at(picture: Picture, x: float, y: float) -> list[int]:
    """Colour at a point of the layout, um."""
    left, bottom, right, top = picture.box
    rows, columns, _ = picture.pixels.shape
    row, column = int((top - y) / (top - bottom) * rows), int((x - left) / (right - left) * columns)
    return picture.pixels[row, column].tolist()


def over(below: np.ndarray, layer: str) -> np.ndarray:
    style = PAINTS[layer]
    return below + style.fill * (rgb(style.colour) - below)


@pytest.fixture(scope="module")
def cell() -> Drawn:
    return generate(catalogue.bench("cell_1t1m").circuit)


# --- pixels ----------------------------------------------------------------------------------------------------


def test_layers_are_painted_over_each_other() -> None:
    drawn = canvas()
    drawn.box("metal1", 0, 0, 2000, 1000)
    drawn.box("poly", 1000, 0, 3000, 1000)  # below metal1, drawn later
    picture = painted(drawn)
    assert picture.layers == ("poly", "metal1")
    white = np.array(WHITE, float)
    expected = {
        0.5: over(white, "metal1"),
        1.5: over(over(white, "poly"), "metal1"),
        2.5: over(white, "poly"),
    }
    for x, colour in expected.items():
        assert at(picture, x, 0.5) == np.rint(colour).astype(int).tolist(), x
    assert at(picture, -0.03, 0.5) == WHITE
    assert picture.pixels.shape == (round(500 * 1120 / 3120), 500, 3)
    assert picture.box[:3] == pytest.approx((-0.06, -0.06, 3.06))
    assert picture.box[3] == pytest.approx(1.06, abs=0.5 * 3.12 / 500)


def test_the_upper_edge_is_up() -> None:
    drawn = canvas()
    drawn.box("metal1", 0, 0, 1000, 1000)
    drawn.box("metal2", 0, 2000, 1000, 3000)
    picture = painted(drawn, 200)
    rows = picture.pixels.shape[0]
    assert picture.pixels[rows // 6, 100].tolist() == np.rint(over(np.array(WHITE, float), "metal2")).tolist()
    assert picture.pixels[-rows // 6, 100].tolist() == np.rint(over(np.array(WHITE, float), "metal1")).tolist()


def test_a_pixel_is_as_dark_as_it_is_covered() -> None:
    """Narrower than a pixel, a line keeps its area: it is all outline, of the opacity of outlines."""
    drawn = canvas()
    drawn.box("boundary", 0, 0, 100_000, 100_000)
    drawn.box("metal2", 50_000, 20_000, 50_300, 80_000)
    bare = canvas()
    bare.box("boundary", 0, 0, 100_000, 100_000)
    with_line, without = painted(drawn, 104), painted(bare, 104)  # pixels of 1 um
    darker = (without.pixels.astype(float) - with_line.pixels).sum(axis=(0, 1))
    style = PAINTS["metal2"]
    assert darker == pytest.approx(style.outline * 0.3 * 60 * (255 - rgb(style.colour)), rel=0.02)


def test_what_is_too_small_is_left_out() -> None:
    drawn = canvas()
    drawn.box("metal1", 0, 0, 5000, 5000)
    drawn.box("nplus", 0, 0, 5000, 5000)
    for cut in CUTS:
        drawn.cut(cut, 2500, 2500)
    drawn.pillar("mtj", 1000, 1000, 70)
    near, far = painted(drawn, 1000), painted(drawn, 50)
    assert near.left_out == ()
    assert set(near.layers) == {"metal1", "nplus", "mtj", *CUTS}
    assert set(far.left_out) == {"nplus", "mtj", *CUTS}
    assert far.layers == ("metal1",)
    assert (near.hatched, far.hatched) == (True, False)
    assert len(far.junctions) == 1  # marked all the same


def test_junctions_and_labels() -> None:
    pillars = canvas("pillars")
    pillars.pillar("mtj", 100, 200, 80)
    drawn = Canvas(pillars.layout, "top")
    drawn.array(pillars, 0, 0, False, (1000, 500), (2, 1))
    drawn.box("metal1", 0, 0, 2000, 1000)
    drawn.label("metal1", 500, 600, "vss")
    drawn.label("metal4", 100, 200, "bl")
    picture = painted(drawn)
    assert picture.junctions[:, :2] == pytest.approx(np.array([[0.1, 0.2], [1.1, 0.2]]))
    assert picture.junctions[:, 2] == pytest.approx(0.08, rel=0.02)
    assert [(text, round(x, 3), round(y, 3)) for text, x, y in picture.labels] == [("bl", 0.1, 0.2), ("vss", 0.5, 0.6)]


def test_hierarchy_makes_no_difference(cell: Drawn) -> None:
    flat = cell.layout.dup()
    top = flat.cell(cell.cell.name)
    top.flatten(True)
    one, other = paint(cell.layout, cell.cell, 600), paint(flat, top, 600)
    assert (one.pixels == other.pixels).all()
    assert (one.junctions == other.junctions).all()


def test_bad_pictures() -> None:
    empty = canvas()
    with pytest.raises(InputError, match=r"^picture: cell cell has no shapes on the layers that are known$"):
        painted(empty)
    empty.box("metal1", 0, 0, 1000, 10)
    for width in (0, -3, 20_001):
        with pytest.raises(InputError, match=r"^picture of -?\d+ x -?\d+ pixels; allowed: 1 to 20000 on both sides$"):
            painted(empty, width)
    empty.layout.dbu = 0.005
    with pytest.raises(InputError, match=r"^picture: the database unit is 0\.005 um, it must be 0\.001 um$"):
        painted(empty)


# --- figures ---------------------------------------------------------------------------------------------------


def test_a_figure_holds_the_pixels_one_to_one(tmp_path: Path) -> None:
    drawn = canvas()
    for k in range(7):
        drawn.box("metal1", 1000 * k, 0, 1000 * k + 300 + 37 * k, 5000)
    drawn.box("poly", 0, 2000, 7000, 3000)
    file = tmp_path / "cell.png"
    write_preview(drawn.layout, drawn.cell, file, title="seven lines", width_pixels=800)
    image = np.rint(imread(file)[:, :, :3] * 255).astype(np.uint8)
    assert image.shape[1] == 800
    assert image[0, 0].tolist() == image[-1, -1].tolist() == WHITE
    columns = round((figures.COLUMN - figures.LEFT - figures.RIGHT) * 800 / figures.COLUMN)
    line = painted(drawn, columns).pixels[50, 10:-10]
    starts = range(800 - len(line) + 1)
    assert any((row[k : k + len(line)] == line).all() for row in image for k in starts if (row[k] == line[0]).all())


def test_the_same_layout_gives_the_same_bytes(cell: Drawn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    one, two, other = (tmp_path / name for name in ("one.png", "two.png", "other.PNG"))
    cell.layout.write(str(tmp_path / "cell.gds"))
    again = kdb.Layout()
    again.read(str(tmp_path / "cell.gds"))
    write_preview(cell.layout, cell.cell, one, "cell", 700)
    write_preview(again, again.cell(cell.cell.name), two, "cell", 700)
    assert one.read_bytes() == two.read_bytes()
    again.cell(cell.cell.name).shapes(again.layer(36, 0)).insert(kdb.Box(0, 0, 500, 500))
    write_preview(again, again.cell(cell.cell.name), other, "cell", 700)
    assert other.read_bytes() != one.read_bytes()


def test_junctions_are_seen_from_afar(tmp_path: Path) -> None:
    """A pillar of 70 nm in 80 um is far below a pixel; its yellow mark is not."""
    drawn = canvas()
    drawn.box("metal4", 0, 0, 80_000, 80_000)
    write_preview(drawn.layout, drawn.cell, tmp_path / "without.png", width_pixels=800)
    drawn.pillar("mtj", 20_000, 60_000, 70)
    write_preview(drawn.layout, drawn.cell, tmp_path / "with.png", width_pixels=800)
    yellow = rgb("#F0E442")
    counts = []
    for name in ("without.png", "with.png"):
        image = np.rint(imread(tmp_path / name)[:, :, :3] * 255)
        upper = image[: image.shape[0] * 3 // 4]  # above the legend
        counts.append(int((np.abs(upper - yellow).sum(axis=2) < 6).sum()))
    assert counts[0] == 0
    assert counts[1] > 50


def test_marks_shrink_where_junctions_are_dense() -> None:
    pillars = canvas("pillars")
    pillars.pillar("mtj", 0, 0, 70)
    drawn = Canvas(pillars.layout, "top")
    drawn.box("metal4", 0, 0, 400_000, 400_000)
    drawn.array(pillars, 1000, 1000, False, (1500, 1500), (30, 30))
    drawn.place(pillars, 300_000, 300_000)
    drawn.place(pillars, 300_300, 300_000)
    picture = painted(drawn, 1000)
    sizes = figures._mark_sizes(picture, 400.0)
    inside = picture.junctions[:, 0] < 100
    assert inside.sum() == 900
    assert len(set(sizes[inside])) == 1  # at the edges, too
    assert sizes[inside][0] < figures.SMALLEST_MARK
    assert sizes[~inside].tolist() == [3.5, 3.5]
    few = canvas()
    few.pillar("mtj", 0, 0, 70)
    few.box("metal4", 0, 0, 80_000, 80_000)
    assert figures._mark_sizes(painted(few), 400.0).tolist() == [3.5]


def test_bad_figures(cell: Drawn, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^picture of a layout: 'cell\.gif' must end in \.png$"):
        write_preview(cell.layout, cell.cell, tmp_path / "cell.gif")
    with pytest.raises(InputError, match=r"^picture of a layout: 30 pixels wide; allowed: 400 to 10000$"):
        write_preview(cell.layout, cell.cell, tmp_path / "cell.png", width_pixels=30)
    with pytest.raises(InputError, match=r"^cannot write .*cell\.png: No such file or directory$"):
        write_preview(cell.layout, cell.cell, tmp_path / "nowhere" / "cell.png", width_pixels=400)
    assert list(tmp_path.iterdir()) == []
