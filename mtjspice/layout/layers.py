"""Layers of gf180mcu, and those that this project adds for the junctions.

Numbers (layer, datatype) are those of the public process kit. Five metals; the junctions stand between metal3 and
metal4, in the place of a via3. Their layers are free in the kit (layer 150; 151 to 153 are taken) and are this
project's own: a pillar, and the electrodes below and above it, which metal3 and metal4 enclose.
"""

from collections.abc import Mapping
from types import MappingProxyType

DATABASE_UNIT = 1e-3  # um
GRID = 5e-3  # um, of every vertex but those of the pillars

Layer = tuple[int, int]

LAYERS: Mapping[str, Layer] = MappingProxyType(
    {
        "nwell": (21, 0),
        "comp": (22, 0),  # active area
        "poly": (30, 0),
        "pplus": (31, 0),
        "nplus": (32, 0),
        "contact": (33, 0),
        "metal1": (34, 0),
        "via1": (35, 0),
        "metal2": (36, 0),
        "via2": (38, 0),
        "metal3": (42, 0),
        "via3": (40, 0),
        "metal4": (46, 0),
        "via4": (41, 0),
        "metal5": (81, 0),
        "salicide_block": (49, 0),
        "high_resistance": (62, 0),  # RESISTOR: poly of 1 kohm/sq
        "resistor_marker": (110, 5),  # RES_MK
        "boundary": (0, 0),  # PR_bndry: the area of a cell
        "mtj": (150, 0),
        "mtj_bottom": (150, 1),
        "mtj_top": (150, 2),
    }
)

METALS = ("metal1", "metal2", "metal3", "metal4", "metal5")
CUTS = ("contact", "via1", "via2", "via3", "via4")  # CUTS[k] ends on METALS[k]
LABELS: Mapping[str, Layer] = MappingProxyType({metal: (LAYERS[metal][0], 10) for metal in METALS})
