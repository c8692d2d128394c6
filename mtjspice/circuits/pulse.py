"""Tunable write-pulse generator: a current-starved delay line and a NAND of the trigger with its delayed inverse.

    trigger --+--[starved]x3--[inv]x2-- late --+
              |                                NAND --[inv]-- pulse
              +--------------------------------+

The pulse starts with the trigger and ends when the delay line has answered, so its width is the delay, which the
control voltage sets through a current mirror (lower voltage, wider pulse). The trigger must stay high for longer
than the pulse, and low for about as long again before the next one.
"""

from dataclasses import dataclass

from PySpice.Spice.Netlist import SubCircuit

from mtjspice.circuits import gates
from mtjspice.circuits.technology import Technology

NAME = "pulse_generator"
NODES = ("trigger", "pulse", "control", "vdd", "vss")


@dataclass(frozen=True)
class PulseGeneratorSizes:
    """Sizes (m) and stage counts; the number of delay stages is odd so that the line inverts."""

    starved_stages: int = 3
    plain_stages: int = 0
    starving_width: float = 0.6e-6
    driver_strength: float = 8.0


def pulse_generator(technology: Technology, sizes: PulseGeneratorSizes | None = None) -> SubCircuit:
    """Build the generator; nodes `NODES`."""
    sizes = sizes or PulseGeneratorSizes()
    if (sizes.starved_stages + sizes.plain_stages) % 2 == 0:
        raise ValueError("the number of delay stages must be odd")
    circuit = SubCircuit(NAME, *NODES)
    width = sizes.starving_width
    # mirror: control sets the n-channel current directly and the p-channel one through a diode
    technology.nmos(circuit, "mirrorn", "biasp", "control", "vss", "vss", width=width)
    technology.pmos(circuit, "mirrorp", "biasp", "biasp", "vdd", "vdd", width=2 * width)
    node = "trigger"
    for stage in range(sizes.starved_stages):
        out = f"starved{stage}"
        technology.pmos(circuit, f"head{stage}", f"top{stage}", "biasp", "vdd", "vdd", width=2 * width)
        technology.pmos(circuit, f"up{stage}", out, node, f"top{stage}", "vdd", width=2 * gates.UNIT)
        technology.nmos(circuit, f"down{stage}", out, node, f"foot{stage}", "vss", width=gates.UNIT)
        technology.nmos(circuit, f"tail{stage}", f"foot{stage}", "control", "vss", "vss", width=width)
        node = out
    for stage in range(sizes.plain_stages):
        gates.inverter(technology, circuit, f"plain{stage}", node, f"plain{stage}")
        node = f"plain{stage}"
    gates.nand2(technology, circuit, "gate", "trigger", node, "active_low", strength=2.0)
    gates.inverter(technology, circuit, "driver", "active_low", "pulse", strength=sizes.driver_strength)
    return circuit
