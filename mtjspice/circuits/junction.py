"""The magnetic tunnel junction as a netlist element.

One conduction law serves every variant; what differs is where the node ``mz`` gets its value:

    top o----+--------+       I = G(m_z, V) V with V = V(top, bottom) and
             |        |       G = G_P/2 [(1 + m_z) + (1 - m_z)/(1 + TMR(V))], TMR(V) = TMR_0/(1 + (V/V_h)^2),
            Bj       Cj       written as G_P [1 - (1 - m_z)/2 k/(s + V^2)]
             |        |       with k = TMR_0 V_h^2 and s = (1 + TMR_0) V_h^2 to spare ngspice a division;
    bot o----+--------+       times 1 + c1 V + c2 V^2 where the card has a finite barrier height (Brinkman)

* `tangent_body`: external sources that the compiled macrospin bank drives (co-simulation),
* `fixed_junction`: a constant state, the parameter ``state`` (1 P, -1 AP), for decks that plain ngspice runs,
* `junction`: a node, from which any source can set it.

The card is taken at its own values: for a deck at another temperature, pass `temperature.at_temperature` of it.
"""

from PySpice.Spice.Netlist import SubCircuit

from mtjspice.device import derived
from mtjspice.device.card import MTJCard
from mtjspice.spice.text import number

JUNCTION = "mtj_junction"
CELL_MTJ = "mtj_cell"
REFERENCE_MTJ = "mtj_reference"
SLOPE_SOURCE, OFFSET_SOURCE = "vg", "ij"  # of the external sources in `tangent_body`


def conduction(card: MTJCard, antiparallel_share: str) -> str:
    """Expression of the current of the junction at V(top,bottom); ``antiparallel_share`` is (1 - m_z)/2."""
    parallel = derived.area(card) / card.resistance_area_product
    k = card.tmr * card.tmr_half_voltage**2
    s = (1 + card.tmr) * card.tmr_half_voltage**2
    volt = "V(top,bottom)"
    c1, c2 = derived.conductance_coefficients(card)
    brinkman = f"(1+{volt}*({number(c1)}+{number(c2)}*{volt}))*" if (c1, c2) != (0, 0) else ""
    return f"{number(parallel)}*{volt}*{brinkman}(1-{antiparallel_share}*{number(k)}/({number(s)}+{volt}*{volt}))"


def capacitance(card: MTJCard) -> float:
    """Capacitance of the junction, F."""
    return derived.derive(card).capacitance


def junction(card: MTJCard) -> SubCircuit:
    """Conductance and capacitance of the junction of the card; nodes top, bottom, mz.

    The voltage dependence is solved by ngspice's own Newton iteration, only m_z comes from outside.
    """
    circuit = SubCircuit(JUNCTION, "top", "bottom", "mz")
    circuit.B("j", "top", "bottom", current_expression=conduction(card, "(0.5-0.5*V(mz))"))
    circuit.C("j", "top", "bottom", number(capacitance(card)))
    return circuit


def fixed_junction(card: MTJCard, name: str = CELL_MTJ) -> SubCircuit:
    """The junction in the constant state of parameter ``state``; nodes top, bottom."""
    circuit = SubCircuit(name, "top", "bottom", state=1)
    circuit.B("j", "top", "bottom", current_expression=conduction(card, "(0.5-0.5*{state})"))
    circuit.C("j", "top", "bottom", number(capacitance(card)))
    return circuit


def tangent_body(card: MTJCard) -> str:
    """Inner lines of a co-simulated junction between top and bottom: the tangent of its law, I = g V + j.

    The bank supplies g = dI/dV and j at the voltage it expects (`Junction.offset`): ngspice evaluates a product ten
    times faster than the law. At the operating point, where nothing is expected yet, the law itself holds; the source
    of g carries G(V = 0) there, which tells m_z.
    """
    parallel = derived.area(card) / card.resistance_area_product
    share = f"((1-V(g)/{number(parallel)})*{number((1 + card.tmr) / card.tmr)})" if card.tmr > 0 else "0"
    return "\n".join(
        [
            f"Bj top bottom i={{time > 0 ? V(top,bottom)*V(g) : {conduction(card, share)}}}",
            f"Cj top bottom {number(capacitance(card))}",
            f"{SLOPE_SOURCE} g 0 external",
            f"{OFFSET_SOURCE} top bottom external",
        ]
    )


def reference_junction(card: MTJCard, name: str = REFERENCE_MTJ) -> SubCircuit:
    """MTJ-like reference: a P and an AP junction of half the area in parallel, never written; nodes top, bottom.

    Its conductance is the mean of G_P(V) and G_AP(V) at every bias, which a fixed resistor cannot follow.
    """
    circuit = SubCircuit(name, "top", "bottom")
    circuit.B("j", "top", "bottom", current_expression=conduction(card, "0.5"))
    circuit.C("j", "top", "bottom", number(capacitance(card)))
    return circuit
