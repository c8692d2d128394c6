"""What every test bench is: the settings around a circuit, typed like its parameters, from which a deck follows."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

from mtjspice.circuits import parameters
from mtjspice.circuits.circuit import Circuit
from mtjspice.circuits.technology import Technology
from mtjspice.circuits.testbench import Testbench
from mtjspice.device.constants import ROOM_TEMPERATURE
from mtjspice.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Bench(ABC):
    """A circuit and the settings of its surroundings; subclasses declare these as `mtjspice.circuits.parameters`.

    ``corner`` is the technology's default if empty, ``temperature`` is in K; ``states`` (1 P, -1 AP) are those of the
    junctions, the bench's own choice if empty; ``mismatch_seed`` draws every transistor's mismatch.
    """

    circuit: Circuit = field(kw_only=False)
    corner: str = ""
    temperature: float = ROOM_TEMPERATURE
    states: tuple[int, ...] = ()
    mismatch_seed: int | None = None

    def __post_init__(self) -> None:
        parameters.resolve(self)

    @property
    def technology(self) -> Technology:
        """That of the circuit."""
        return self.circuit.technology

    @property
    def supply(self) -> float:
        """Nominal supply, V."""
        return self.technology.supply_voltage

    @property
    def name(self) -> str:
        """For messages."""
        return "bench"

    @abstractmethod
    def testbench(self) -> Testbench:
        """Return the circuit between sources and loads, with what is measured."""


def parse_states(text: str, count: int) -> tuple[int, ...]:
    """Turn "0110" (0 P, 1 AP, first junction first) into +1 and -1; InputError for anything else."""
    if len(text) != count or set(text) - {"0", "1"}:
        raise InputError(f"states {text!r} must be {count} digits, 0 for P and 1 for AP, first junction first")
    return tuple(-1 if digit == "1" else 1 for digit in text)


def alternating(count: int) -> tuple[int, ...]:
    """States P, AP, P, AP, ..."""
    return tuple(1 if k % 2 == 0 else -1 for k in range(count))
