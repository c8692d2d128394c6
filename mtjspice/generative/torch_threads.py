"""PyTorch in one thread, so that sums come out the same on every machine with the same instructions."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from mtjspice.errors import InputError


def require_torch(what: str) -> Any:
    """The module ``torch``; InputError, naming ``what`` needs it and the extra that brings it, where it is absent."""
    try:
        return import_module("torch")
    except ImportError:
        raise InputError(f"{what} needs PyTorch: pip install 'mtjspice[generative]'") from None


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """Operations of torch in one thread; also a decorator."""
    torch = require_torch("this")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
