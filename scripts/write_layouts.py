"""Write the GDSII files and pictures of `layouts/`; `--check` only says whether the GDSII is what would be written."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from mtjspice.layout import catalogue
from mtjspice.layout.generate import generate, write_gds
from mtjspice.reports.layout_figures import write_preview, write_section

FOLDER = Path(__file__).resolve().parent.parent / "layouts"
SECTION = "cell_1t1m"
PIXELS = 900


def write(folder: Path, pictures: bool) -> None:
    for name in catalogue.names():
        drawn = generate(catalogue.circuit(name), name)
        write_gds(drawn.layout, folder / f"{name}.gds")
        if pictures:
            write_preview(drawn.layout, drawn.cell, folder / f"{name}.png", name, PIXELS)
        if pictures and name == SECTION:
            card = drawn.circuit.own_junctions[0].card
            write_section(drawn.layout, drawn.cell, folder / f"{name}_section.png", card)


def main() -> int:
    if "--check" not in sys.argv[1:]:
        write(FOLDER, pictures=True)
        return 0
    with TemporaryDirectory() as temporary:
        written = Path(temporary)
        write(written, pictures=False)
        fresh = {file.name: file.read_bytes() for file in written.iterdir()}
    kept = {file.name: file.read_bytes() for file in FOLDER.glob("*.gds")}
    stale = sorted(name for name in fresh.keys() | kept.keys() if fresh.get(name) != kept.get(name))
    if stale:
        print(f"out of date: {', '.join(stale)}; run scripts/write_layouts.py", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
