"""Physical constants (CODATA 2018, SI) and the two conventions that everything else relies on.

Conventions: fields are flux densities B = mu0 H in tesla; the reference layer points along +z, so that
m_z = +1 is the parallel (P) and m_z = -1 the antiparallel (AP) state; a positive voltage (top against
bottom electrode) reduces the perpendicular anisotropy.
"""

from math import pi

ELEMENTARY_CHARGE = 1.602176634e-19  # C
ELECTRON_MASS = 9.1093837015e-31  # kg
BOLTZMANN = 1.380649e-23  # J/K
REDUCED_PLANCK = 1.054571817e-34  # J s
VACUUM_PERMITTIVITY = 8.8541878128e-12  # F/m
VACUUM_PERMEABILITY = 4e-7 * pi  # T m/A
GYROMAGNETIC_RATIO = 1.76085963e11  # rad/(s T), free electron
ROOM_TEMPERATURE = 300.0  # K, where card values hold
TEMPERATURE_RANGE = (1.0, 500.0)  # K, what the engines accept
