"""Which circuits are symmetric, and the pairs of nets that have to be alike."""

from mtjspice.circuits.circuit import Circuit
from mtjspice.circuits.library.cells import Cell2T2M
from mtjspice.circuits.library.cim_parts import CurrentReadOut
from mtjspice.circuits.library.sense import (
    CurrentLatchedSenseAmplifier,
    PrechargeSenseAmplifier,
    StrongArm,
    VoltageSenseAmplifier,
)

_PAIRS: dict[type[Circuit], tuple[tuple[str, str], ...]] = {
    PrechargeSenseAmplifier: (("q", "qb"), ("cell", "reference")),
    CurrentLatchedSenseAmplifier: (("q", "qb"), ("cell", "reference"), ("footq", "footqb")),
    StrongArm: (("y", "yb"), ("a", "b"), ("xa", "xb")),
    VoltageSenseAmplifier: (("cell", "reference"), ("draincell", "drainreference"), ("above", "below"), ("q", "qb")),
    CurrentReadOut: (("bld", "blp"), ("outd", "outp"), ("biasd", "biasp"), ("above", "below")),
    Cell2T2M: (("bl", "blb"), ("x", "y")),
}


def pairs(circuit: Circuit) -> tuple[tuple[str, str], ...]:
    """Nodes of a circuit whose wires have to be alike, as its differential signals."""
    return _PAIRS.get(type(circuit), ())


def mirror(circuit: Circuit) -> dict[str, str]:
    """Each node of a differential pair to the other one."""
    return {a: b for pair in pairs(circuit) for a, b in (pair, pair[::-1])}
