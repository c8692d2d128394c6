"""Shape anisotropy of a circular free layer."""

from math import pi, sqrt

from mtjspice.device.constants import VACUUM_PERMEABILITY


def disc_area(diameter: float) -> float:
    """Area of the junction in m^2."""
    return pi * diameter**2 / 4


def disc_factors(diameter: float, thickness: float) -> tuple[float, float]:
    """Demagnetizing factors (N_x = N_y, N_z) of a disc: Sato and Ishii, J. Appl. Phys. 66, 983 (1989)."""
    n_z = 1 / (1 + 2 * thickness / (diameter / 2 * sqrt(pi)))
    return (1 - n_z) / 2, n_z


def shape_anisotropy(diameter: float, thickness: float, saturation_magnetization: float) -> float:
    """Energy density mu0 Ms^2 (N_z - N_x)/2 in J/m^3 by which the shape favours the plane."""
    n_x, n_z = disc_factors(diameter, thickness)
    return VACUUM_PERMEABILITY * saturation_magnetization**2 * (n_z - n_x) / 2
