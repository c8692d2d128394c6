"""The MTJ itself: card, equations, noise, macrospin engine, Fokker-Planck solver and Markov-chain emulator.

What most uses need can be imported from here; it is loaded when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mtjspice.device.card import MTJCard, load_card
    from mtjspice.device.switching import switching_probability, trajectory, write_error_rate

__all__ = ["MTJCard", "load_card", "switching_probability", "trajectory", "write_error_rate"]

if not TYPE_CHECKING:  # a type checker sees the imports above, and so finds misspelt names

    def __getattr__(name: str) -> object:
        """Import what `__all__` promises at its first use."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        home = "card" if name in ("MTJCard", "load_card") else "switching"
        return getattr(import_module(f"mtjspice.device.{home}"), name)


def __dir__() -> list[str]:
    """Names of the module, those that are not loaded yet included."""
    return sorted({*globals(), *__all__})
