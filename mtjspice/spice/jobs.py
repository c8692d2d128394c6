"""What is sent to the co-simulation worker and what comes back: plain data."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

from mtjspice.spice.bank import Junction


@dataclass(frozen=True)
class CosimJob:
    """One or more transients of a complete deck, each with its own bank of macrospins.

    ``rows`` (n, columns) from `device.llg.parameters` describe the n junctions; run r starts from
    ``initial[r]`` (n, 3) and has the thermal field of ``seeds[r]`` and the junctions' device numbers.
    ``stop`` is the end time that the deck asks for (s), ``vectors`` the saved vectors to return, ``capacity``
    the largest number of time points. While a junction has voltage, time steps are at most ``active_step`` (s), else
    as long as the ``.tran`` line allows. With ``keep`` False only the ends are returned, and memory does not grow
    with the length of the run. The deck is loaded once; results depend on nothing outside the job.
    """

    deck: str
    junctions: tuple[Junction, ...]
    rows: NDArray[np.float64]
    initial: NDArray[np.float64]
    seeds: tuple[int, ...]
    stop: float
    vectors: tuple[str, ...] = ()
    capacity: int = 50_000
    active_step: float = inf
    keep: bool = True

    def __post_init__(self) -> None:
        expected = (len(self.seeds), len(self.junctions), 3)
        if not self.seeds or self.initial.shape != expected:
            raise ValueError(
                f"initial states have shape {self.initial.shape}, expected (runs, junctions, 3) = {expected}"
            )
        if self.rows.shape[:1] != (len(self.junctions),):
            raise ValueError(f"{len(self.junctions)} junctions need as many parameter rows, not {self.rows.shape}")
        if not self.active_step > 0:
            raise ValueError(f"the active step must be positive, not {self.active_step:g} s")
        if self.vectors and not self.keep:
            raise ValueError("a job that keeps nothing returns no vectors")
        sources = [name for junction in self.junctions for name in (junction.source, junction.offset) if name]
        double = sorted(source for source, count in Counter(sources).items() if count > 1)
        if double:
            raise ValueError(f"two junctions share the external source {double[0]!r}")


@dataclass(frozen=True)
class CosimResult:
    """One accepted transient.

    ``times`` (k,), junction ``voltages`` (k, n), ``trajectory`` (k, n, 3) and temperature ``rises`` (k, n, K), final
    ``magnetization`` (n, 3), ``energies`` (n,) in J that the junctions turned into heat, the requested ``vectors`` on
    their own time axis ``vectors["time"]``, the largest difference in m_z between what ngspice saw and what was
    accepted, the largest current (A) by which a tangent missed a junction's law, and how many time points were
    attempted. A job that keeps nothing has two times and no junctions in the
    arrays over time.
    """

    seed: int
    times: NDArray[np.float64]
    voltages: NDArray[np.float64]
    trajectory: NDArray[np.float64]
    rises: NDArray[np.float64]
    magnetization: NDArray[np.float64]
    energies: NDArray[np.float64]
    vectors: Mapping[str, NDArray[np.float64]]
    coupling_error: float
    tangent_error: float
    attempts: int
    engine: str

    @property
    def m_z(self) -> NDArray[np.float64]:
        """m_z (k, n) at each time."""
        return self.trajectory[:, :, 2]
