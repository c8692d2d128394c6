"""The magnetic tunnel junction as a netlist element.

One conduction law serves every variant; what differs is where the node ``mz`` gets its value:

    top o----+--------+
             |        |          I = G(m_z, V) V,  V = V(top, bottom)
            Bj       Cj          G = G_P/2 [(1 + m_z) + (1 - m_z)/(1 + TMR(V))]
             |        |          TMR(V) = TMR_0/(1 + (V/V_h)^2)
    bot o----+--------+

* ``cosim``: an external source that the compiled macrospin bank drives,
* ``fixed``: a constant state, for decks that plain ngspice runs.
"""

from PySpice.Spice.Netlist import SubCircuit

from mtjspice.device import derived
from mtjspice.device.card import MTJCard

JUNCTION = "mtj_junction"
CELL_MTJ = "mtj_cell"
REFERENCE_MTJ = "mtj_reference"
STATE_SOURCE = "vmz"  # name of the source of m_z inside CELL_MTJ

VARIANTS = ("cosim", "fixed")


def junction(card: MTJCard) -> SubCircuit:
    """Conductance and capacitance of ``area`` times the junction of the card; nodes top, bottom, mz.

    The voltage dependence is solved by ngspice's own Newton iteration, only m_z comes from outside.
    """
    parallel = derived.area(card) / card.resistance_area_product
    circuit = SubCircuit(JUNCTION, "top", "bottom", "mz", area=1)
    volt = "V(top,bottom)"
    ratio = f"{card.tmr!r}/(1+{volt}*{volt}/{card.tmr_half_voltage**2!r})"
    circuit.B(
        "j",
        "top",
        "bottom",
        current_expression=f"{{area*{parallel / 2!r}}}*{volt}*((1+V(mz))+(1-V(mz))/(1+{ratio}))",
    )
    circuit.C("j", "top", "bottom", f"{{area*{derived.derive(card).capacitance!r}}}")
    return circuit


def cell_junction(variant: str) -> SubCircuit:
    """The stochastic junction of a cell; nodes top, bottom. ``fixed`` takes its state from parameter ``state``."""
    circuit = SubCircuit(CELL_MTJ, "top", "bottom", state=1)
    circuit.X("core", JUNCTION, "top", "bottom", "mz")
    # ngspice 39 crashes on "dc 0 external"; the plain form works in every version
    circuit.V("mz", "mz", 0, "external" if variant == "cosim" else "{state}")
    return circuit


def reference_junction() -> SubCircuit:
    """MTJ-like reference: a P and an AP junction of half the area in parallel, never written; nodes top, bottom.

    Its conductance is the mean of G_P(V) and G_AP(V) at every bias, which a fixed resistor cannot follow.
    """
    circuit = SubCircuit(REFERENCE_MTJ, "top", "bottom")
    for name, state in (("p", 1), ("ap", -1)):
        circuit.V(f"mz{name}", f"mz{name}", 0, str(state))
        circuit.X(name, JUNCTION, "top", "bottom", f"mz{name}", area=0.5)
    return circuit
