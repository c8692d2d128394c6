"""Circuit-level SPICE co-simulation of stochastic magnetic tunnel junctions (MTJs)."""

from importlib.metadata import version

__version__ = version("mtjspice")
