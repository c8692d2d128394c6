"""Heights and thicknesses of the layers of gf180mcu, and those assumed for the junctions.

The process's are those of the process stack of gf180mcuD in klayout-pex 0.6.12 (GPL-3.0-or-later; numbers only): five
metals. From poly to metal4 they are also the heights in open_pdks' magic technology file gf180mcu.tech; this has the
silicon at 0.3145 um and metal5 at 5.83 um, 1.0025 um thick, in which our circuits have nothing. Heights count from the
lower edge of the field oxide. The silicon of active areas reaches up to `SILICON`; poly stands 8 nm, the gate oxide,
above it.

The process has no junctions. What the heights between metal3 and metal4 are divided into, and the depth of the
implants, which the stack does not state, are ASSUMPTIONS of this project; `Slab.assumed` tells them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

SILICON = 0.312  # um, surface of active areas
FIELD_OXIDE = 0.32  # um, its upper edge


@dataclass(frozen=True)
class Slab:
    """From where to where a layer reaches, in um; ``assumed`` where the process does not say so."""

    bottom: float
    top: float
    assumed: bool = False

    @property
    def thickness(self) -> float:
        """Thickness in um."""
        return self.top - self.bottom


def _stack() -> Mapping[str, Slab]:
    metals = {"metal1": (1.23, 0.55), "metal2": (2.38, 0.55), "metal3": (3.53, 0.55), "metal4": (4.68, 0.55),
              "metal5": (6.13, 1.1925)}  # fmt: skip
    slabs = {name: Slab(bottom, bottom + thickness) for name, (bottom, thickness) in metals.items()}
    for level in range(1, len(metals)):
        slabs[f"via{level}"] = Slab(slabs[f"metal{level}"].top, slabs[f"metal{level + 1}"].bottom)
    low, high = slabs["metal3"].top, slabs["metal4"].bottom
    return MappingProxyType(
        {
            "comp": Slab(0.0, SILICON),
            "implant": Slab(SILICON - 0.15, SILICON, assumed=True),
            "poly": Slab(FIELD_OXIDE, 0.52),
            "contact": Slab(SILICON, slabs["metal1"].bottom),  # on active area; on poly it begins at the poly's top
            **slabs,
            "mtj_bottom": Slab(low, low + 0.10, assumed=True),
            "mtj": Slab(low + 0.10, low + 0.20, assumed=True),
            "mtj_top": Slab(low + 0.20, high, assumed=True),
        }
    )


STACK: Mapping[str, Slab] = _stack()
