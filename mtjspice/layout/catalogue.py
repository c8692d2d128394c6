"""The layouts by name: every circuit of `mtjspice.circuits.catalogue`, and the smaller ones that they consist of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from mtjspice.circuits import catalogue, parameters
from mtjspice.circuits.circuit import Circuit
from mtjspice.circuits.library import gates, pulse, sense
from mtjspice.circuits.technology import Technology
from mtjspice.circuits.technology import technology as load_technology
from mtjspice.device.card import MTJCard, load_card
from mtjspice.errors import InputError
from mtjspice.layout.transistor import Transistor

TECHNOLOGY = "gf180mcu"


@dataclass(frozen=True)
class Small:
    """A circuit without a bench of its own."""

    name: str
    about: str
    build: Callable[[Technology], Circuit]


SMALL: Mapping[str, Small] = MappingProxyType(
    {
        small.name: small
        for small in (
            Small("nfet", "one n-channel FET, in fingers", lambda t: Transistor(t, channel="n")),
            Small("pfet", "one p-channel FET, in fingers", lambda t: Transistor(t, channel="p")),
            Small("inverter", "inverter", lambda t: gates.Inverter(t)),
            Small("nand2", "NAND of two inputs", lambda t: gates.Nand(t)),
            Small("nor2", "NOR of two inputs", lambda t: gates.Nor(t)),
            Small("transmission_gate", "transmission gate", lambda t: gates.TransmissionGate(t)),
            Small("set_reset_latch", "two crossed NAND gates", lambda t: gates.SetResetLatch(t)),
            Small("tapered_driver", "chain of inverters, 16 units strong", lambda t: gates.Buffer(t, strength=16.0)),
            Small("pulse_generator", "current-starved pulse generator", lambda t: pulse.StarvedPulseGenerator(t)),
            Small("tap_pulse_generator", "pulse generator with taps", lambda t: pulse.TapPulseGenerator(t)),
            Small("write_driver", "write driver with a rail of its own", lambda t: pulse.WriteDriver(t)),
            Small("bipolar_driver", "write driver of both directions", lambda t: pulse.BipolarDriver(t)),
            Small("precharge_amplifier", "precharge sense amplifier", lambda t: sense.PrechargeSenseAmplifier(t)),
            Small(
                "current_latched_amplifier", "current-latched sense amplifier with clamps",
                lambda t: sense.CurrentLatchedSenseAmplifier(t),
            ),
            Small("strongarm", "StrongARM comparator, n-channel inputs", lambda t: sense.StrongArm(t)),
            Small(
                "voltage_amplifier", "read-current mirror and StrongARM comparator",
                lambda t: sense.VoltageSenseAmplifier(t),
            ),
        )
    }
)  # fmt: skip


def names() -> tuple[str, ...]:
    """All names, the small circuits first."""
    return (*SMALL, *catalogue.ENTRIES)


def circuit(name: str, values: Mapping[str, str | float] | None = None, card: MTJCard | str | None = None) -> Circuit:
    """Build the circuit of a name with other ``values`` of its parameters, as the netlist of that name has it.

    InputError for an unknown name, parameter or value, and for a ``card`` where there is no junction.
    """
    technology = load_technology(TECHNOLOGY)
    if name in SMALL:
        if card is not None:
            raise InputError(f"{name} has no junction that a card could describe")
        built = SMALL[name].build(technology)
    elif catalogue.knows(name):
        entry = catalogue.entry(name)
        built = entry.build(technology, card if isinstance(card, MTJCard) else load_card(card or entry.card))
    else:
        raise InputError(f"unknown layout {name!r}; available: {', '.join(names())}")
    return parameters.with_parameters(built, values or {})
