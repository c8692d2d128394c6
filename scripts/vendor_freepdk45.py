#!/usr/bin/env python3
"""Regenerate ``models/pdk/freepdk45``: the typical-threshold FETs of FreePDK45, one packed file a corner.

The cards come from the wheel of c4m-pdk-freepdk45, which joined the HSPICE files of FreePDK45:

    python scripts/vendor_freepdk45.py                 download the wheel, write the files
    python scripts/vendor_freepdk45.py --wheel FILE    the same from a wheel at hand
    python scripts/vendor_freepdk45.py --check         write nothing, fail where a file differs
    python scripts/vendor_freepdk45.py --reference     run ngspice on the *full* library and store what it
                                                       printed in tests/data/freepdk45_reference.json
"""

import sys
from collections.abc import Mapping, Sequence

from vendor_common import VendorError, statements
from vendor_plain_cards import CardLibrary, Transistor, run

MODELS = ("NMOS_VTG", "PMOS_VTG")
CORNERS = {"nom": "NOM", "ff": "FF", "ss": "SS"}
LENGTHS = (0.05, 0.1, 1.0)  # um
WIDTHS = (0.09, 1.0, 10.0)


def select(text: str) -> list[str]:
    """Return the cards of both transistors."""
    kept = [s for s in statements(text) if s.lower().startswith(".model ") and s.split()[1] in MODELS]
    if tuple(statement.split()[1] for statement in kept) != MODELS:
        raise VendorError(f"expected one card each of {' and '.join(MODELS)}")
    return kept


def notice(texts: Mapping[str, str]) -> str:
    """Return the notice of the published files."""
    text = texts["freepdk45_nom.spi"]
    if "* SPDX-License-Identifier: Apache-2.0" not in text.splitlines()[:2]:
        raise VendorError("freepdk45_nom.spi does not begin with the licence that this script knows")
    return (
        '* Based on the HSPICE models of FreePDK45, "customized PTM 45": predictive, not measured.\n'
        "* SPDX-License-Identifier: Apache-2.0"
    )


def _sizes(first: tuple[float, float]) -> tuple[tuple[float, float], ...]:
    return (first, *((width, length) for length in LENGTHS for width in WIDTHS))


LIBRARY = CardLibrary(
    name="freepdk45",
    title="FreePDK45 typical-threshold MOSFETs, BSIM4 for ngspice",
    package="c4m-pdk-freepdk45",
    version="0.0.1",
    wheel_sha256="9e21ab6b57b95be63ecd044a031085a7975dc6b9515a4f77d27c36ca7c59e4f4",
    members="c4m/pdk/freepdk45/",
    sources=(*(f"freepdk45_{corner}.spi" for corner in CORNERS), "freepdk45.spi"),
    library="freepdk45.spi",
    corners={corner: (section, f"freepdk45_{corner}.spi") for corner, section in CORNERS.items()},
    nfet=Transistor("nfet_vtg", MODELS[0], _sizes((0.2, 0.05))),
    pfet=Transistor("pfet_vtg", MODELS[1], _sizes((0.4, 0.05))),
    supply_voltage=1.1,
    diffusion_length=0.105,
    ring_stop="1n",
    notice=notice,
    select=select,
    licence={
        "licence": "Apache-2.0",
        "licence_source": "SPDX line of the model files, and the wheel's licence file, which excepts them from its own "
        "terms: based on the HSPICE models of FreePDK45",
        "copyright": "the published files name no holder",
    },
    kept=("BSIM4 models NMOS_VTG and PMOS_VTG of the corner",),
    dropped=(
        "low- and high-threshold (VTL, VTH) and thick-oxide (THKOX) FETs",
        "comments, blank lines, padding; continuation lines are joined",
    ),
)


def main(arguments: Sequence[str] | None = None) -> int:
    return run(LIBRARY, (__doc__ or "").splitlines()[0], arguments)


if __name__ == "__main__":
    sys.exit(main())
