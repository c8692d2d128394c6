"""Capacitances and resistances of gf180mcu's wires, per area, edge and square.

Source of all numbers: the process parasitics of gf180mcuD in open_pdks (its magic technology file), as klayout-pex
0.6.12 distributes them (technology gf180mcuD). They are typical values from a field solver for the stack of five
metals; nobody here has measured them. A metal5 of 1.19 um is assumed there.

Units are those of the source: aF/um2, aF/um and um for capacitances, ohm for resistances. Levels from below:
``substrate`` (with the n-wells in it), ``active`` (n+ or p+ of sources, drains and taps), ``poly``, ``metal1`` ...
``metal5``.
"""

from collections.abc import Mapping
from math import atan
from types import MappingProxyType

from mtjspice.errors import InputError, choose

LEVELS = ("substrate", "active", "poly", "metal1", "metal2", "metal3", "metal4", "metal5")

HALO = 8.0  # um: no field reaches farther from an edge

# aF/um2 between facing plates: rows are the upper level, columns the lower one
AREA: Mapping[tuple[str, str], float] = MappingProxyType(
    {
        (upper, lower): value
        for upper, row in {
            "poly": (110.67,),
            "metal1": (29.304, 30.502, 51.434),
            "metal2": (15.016, 17.305, 19.263, 59.027),
            "metal3": (10.094, 11.079, 11.85, 20.238, 59.027),
            "metal4": (7.602, 8.148, 8.557, 12.212, 20.238, 59.027),
            "metal5": (5.798, 6.11, 6.337, 8.142, 11.067, 17.276, 39.351),
        }.items()
        for lower, value in zip(LEVELS, row, strict=False)
    }
)

# aF/um from an edge of the first level to a wide plate of the second: rows are the first, columns all levels from
# the substrate; None is the level itself and what has no fringe
_FRINGE: Mapping[str, tuple[float | None, ...]] = {
    "poly": (50.72, None, None, 17.946, 8.706, 5.895, 8.557, 3.365),
    "metal1": (39.431, 43.406, 46.7, None, 32.048, 18.135, 13.159, 9.825),
    "metal2": (33.298, 35.189, 36.169, 47.566, None, 36.626, 22.405, 15.764),
    "metal3": (30.021, 31.4, 31.927, 36.609, 49.011, None, 39.964, 22.988),
    "metal4": (28.153, 29.065, 29.407, 32.104, 36.563, 47.871, None, 34.954),
    "metal5": (30.386, 31.165, 31.458, 33.316, 36.591, 41.466, 52.692, None),
}
FRINGE: Mapping[tuple[str, str], float] = MappingProxyType(
    {
        (edge, plate): value
        for edge, row in _FRINGE.items()
        for plate, value in zip(LEVELS, row, strict=True)
        if value is not None
    }
)

# Two edges of one level that face each other at a distance d (um): aF/um and um of `sidewall`
SIDEWALL: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "poly": (11.098, -0.082),
        "metal1": (40.512, -0.053),
        "metal2": (46.736, 0.289),
        "metal3": (70.675, 0.534),
        "metal4": (77.388, 0.611),
        "metal5": (114.86, 0.025),
    }
)

SHEET: Mapping[str, float] = MappingProxyType(
    {"poly": 7.3, "metal1": 0.09, "metal2": 0.09, "metal3": 0.09, "metal4": 0.09, "metal5": 0.04}
)  # ohm/sq; poly is silicided
CUT: Mapping[str, float] = MappingProxyType(
    {
        "contact_n": 6.3,  # to n+ active
        "contact_p": 5.2,
        "contact_poly": 5.9,
        "via1": 4.5,
        "via2": 4.5,
        "via3": 4.5,
        "via4": 4.5,
    }
)  # ohm of one cut


# --- laws ----------------------------------------------------------------------------------------------------


def sidewall(level: str, distance: float) -> float:
    """Return the capacitance (aF/um) between two long edges of one level that face each other at ``distance`` (um).

    The table's coefficient over distance plus offset is twice that: the technology file counts it once for both of
    a wire's edges (klayout-pex, sidewall_and_fringe_extractor.py).
    """
    coefficient, offset = SIDEWALL[choose("level", level, SIDEWALL)]
    return coefficient / 2 / max(distance + offset, 0.05)


def reach(edge: str, plate: str) -> float:
    """Return alpha (1/um) of the fringe law for an edge of one level and a plate of another.

    The part of the fringe that ends within a distance d of the edge is atan(alpha d)/atan(alpha halo), alpha = 0.02 of
    the capacitance of their area in aF/um2 (magic, ExtCouple.c; klayout-pex scales it to 1 at the halo).
    """
    upper, lower = (edge, plate) if LEVELS.index(edge) > LEVELS.index(plate) else (plate, edge)
    return 0.02 * AREA[upper, lower]


def fringe(edge: str, plate: str, near: float, far: float) -> float:
    """Return the fringe (aF/um) of an edge to the part of a plate between two distances (um) from the edge."""
    alpha = reach(edge, plate)
    part = (atan(alpha * min(far, HALO)) - atan(alpha * min(near, HALO))) / atan(alpha * HALO)
    return FRINGE[edge, plate] * part


def line_resistance(level: str, length: float, width: float) -> float:
    """Return the resistance (ohm) of a straight line of ``length`` and ``width`` (m); InputError for other levels."""
    sheet = SHEET[choose("level", level, SHEET)]
    if not (length >= 0 and width > 0):
        raise InputError(f"line of {level}: length {length!r} m and width {width!r} m must be positive")
    return sheet * length / width


def via_resistance(cut: str, count: int = 1) -> float:
    """Return the resistance (ohm) of ``count`` parallel cuts of the kind ``cut``: see `CUT`."""
    one = CUT[choose("cut", cut, CUT)]
    if count < 1:
        raise InputError(f"{cut}: {count} cuts; at least 1")
    return one / count


def plate_capacitance(level: str, area: float, perimeter: float) -> float:
    """Return the capacitance (F) of a lone plate of ``area`` (m2) and ``perimeter`` (m) over the substrate."""
    choose("level", level, SHEET)
    return (AREA[level, "substrate"] * area * 1e12 + FRINGE[level, "substrate"] * perimeter * 1e6) * 1e-18
