"""The optional library that draws and checks: KLayout's Python module."""

from types import ModuleType

from mtjspice.errors import InputError

MESSAGE = "layouts need KLayout's Python module; install it with: pip install 'mtjspice[layout]'"


def klayout_db() -> ModuleType:
    """Return ``klayout.db``; InputError, with what to install, where it is missing."""
    try:
        import klayout.db
    except ImportError:
        raise InputError(MESSAGE) from None
    return klayout.db
