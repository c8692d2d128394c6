"""Circuit-level SPICE co-simulation of stochastic magnetic tunnel junctions (MTJs).

The functions that most uses need can be imported from here; they are loaded when they are first asked for.
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mtjspice.circuits.simulation import simulate
    from mtjspice.device.card import MTJCard, load_card
    from mtjspice.device.switching import switching_probability, trajectory, write_error_rate

__all__ = ["MTJCard", "__version__", "load_card", "simulate", "switching_probability", "trajectory", "write_error_rate"]

__version__ = version("mtjspice")

_HOMES = {
    "MTJCard": "mtjspice.device.card",
    "load_card": "mtjspice.device.card",
    "simulate": "mtjspice.circuits.simulation",
    "switching_probability": "mtjspice.device.switching",
    "trajectory": "mtjspice.device.switching",
    "write_error_rate": "mtjspice.device.switching",
}

if not TYPE_CHECKING:  # a type checker sees the imports above, and so finds misspelt names

    def __getattr__(name: str) -> object:
        """Import what `__all__` promises at its first use."""
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """Names of the module, those that are not loaded yet included."""
    return sorted({*globals(), *__all__})
