"""What is sent to the co-simulation worker and what comes back: plain data."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtjspice.spice.bank import Junction


@dataclass(frozen=True)
class CosimJob:
    """One transient of a complete deck with a bank of macrospins.

    ``rows`` (n, columns) from `device.llg.parameters` and ``initial`` (n, 3) describe the n junctions; ``seed``
    and the junctions' device numbers select their thermal field. ``stop`` is the end time that the deck asks
    for (s), ``vectors`` the saved vectors to return, ``capacity`` the largest number of time points.
    """

    deck: str
    junctions: tuple[Junction, ...]
    rows: NDArray[np.float64]
    initial: NDArray[np.float64]
    seed: int
    stop: float
    vectors: tuple[str, ...] = ()
    capacity: int = 50_000


@dataclass(frozen=True)
class CosimResult:
    """An accepted transient: ``times`` (k,), junction ``voltages`` and ``m_z`` (k, n), final ``magnetization``
    (n, 3), the requested ``vectors``, the largest difference in m_z between what ngspice saw and what was
    accepted, and how many time points were attempted."""  # fmt: skip

    times: NDArray[np.float64]
    voltages: NDArray[np.float64]
    m_z: NDArray[np.float64]
    magnetization: NDArray[np.float64]
    vectors: Mapping[str, NDArray[np.float64]]
    coupling_error: float
    attempts: int
    engine: str
