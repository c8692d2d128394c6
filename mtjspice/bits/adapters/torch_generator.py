"""Bits for torch: tensors of random numbers, made of recorded or simulated bits.

    generator = TorchBits(stream)
    noise = generator.randn(4, 3, 64, 64)
    noise = randn_like(image, generator)

torch takes no generator of one's own in its functions; what asks for one (``generator.device``, ``get_state`` ...) gets
along with this object.
"""

import importlib
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mtjspice.bits.adapters.numpy_generator import MTJBitGenerator, Refill
from mtjspice.bits.sources.base import Source
from mtjspice.bits.stream import BitStream
from mtjspice.errors import InputError

if TYPE_CHECKING:
    import torch


def _torch() -> Any:
    try:
        return importlib.import_module("torch")
    except ImportError:
        raise InputError("torch is not installed; pip install 'mtjspice[generative]'") from None


class TorchBits:
    """Random tensors from ``bits`` (see `MTJBitGenerator`, which it draws from), and torch.Generator's manner.

    Numbers are computed in double precision by NumPy's methods on the processor, then converted and moved: a seeded
    source gives the same ones on every machine and device. StreamExhaustedError when the bits have run out.
    """

    def __init__(
        self, bits: BitStream | ArrayLike | Source, refill: Refill | None = None, device: "str | torch.device" = "cpu"
    ) -> None:
        torch = _torch()
        self._numbers = np.random.Generator(MTJBitGenerator(bits, refill))
        self.device = torch.device(device)

    # --- numbers ---------------------------------------------------------------------------------------------

    def rand(self, *size: Any, dtype: Any = None, device: Any = None) -> "torch.Tensor":
        """Uniform numbers in [0, 1): 64 bits each, 53 of them used; in a lower precision rounded down."""
        torch = _torch()
        chosen = _floating(torch, dtype)
        values = self._numbers.random(_shape(size))
        bits = {torch.float64: 53, torch.float32: 24, torch.float16: 11, torch.bfloat16: 8}.get(chosen, 53)
        # rounding to the nearest could give 1
        return self._tensor(np.ldexp(np.floor(np.ldexp(values, bits)), -bits), chosen, device)

    def randn(self, *size: Any, dtype: Any = None, device: Any = None) -> "torch.Tensor":
        """Standard normal numbers, by NumPy's ziggurat."""
        torch = _torch()
        return self._tensor(self._numbers.standard_normal(_shape(size)), _floating(torch, dtype), device)

    def randint(
        self, low: int, high: int, size: Sequence[int], dtype: Any = None, device: Any = None
    ) -> "torch.Tensor":
        """Whole numbers from ``low`` to ``high`` - 1, without bias."""
        torch = _torch()
        if high <= low:
            raise InputError(f"randint needs low < high, not {low} and {high}")
        return self._tensor(self._numbers.integers(low, high, tuple(size)), dtype or torch.int64, device)

    def randperm(self, n: int, dtype: Any = None, device: Any = None) -> "torch.Tensor":
        """A random order of 0 ... n - 1."""
        torch = _torch()
        return self._tensor(self._numbers.permutation(n), dtype or torch.int64, device)

    def bernoulli(self, probability: "torch.Tensor") -> "torch.Tensor":
        """Ones with the probabilities of a tensor, zeros otherwise, in its type and on its device."""
        p = probability.detach().to("cpu", _torch().float64).numpy()
        if not ((p >= 0) & (p <= 1)).all():
            raise InputError("a probability must lie between 0 and 1")
        drawn = self._numbers.random(p.shape) < p
        return self._tensor(np.asarray(drawn, np.float64), probability.dtype, probability.device)

    # --- as torch.Generator ----------------------------------------------------------------------------------

    def get_state(self) -> dict[str, Any]:
        """Where it is in its bits."""
        return self._bit_generator.state

    def set_state(self, state: dict[str, Any]) -> "TorchBits":
        """Go back to a state of `get_state`."""
        self._bit_generator.state = state
        return self

    def manual_seed(self, seed: int) -> "TorchBits":
        """Bits that come from elsewhere have no seed: InputError."""
        raise InputError(f"bits of a stream cannot be seeded (with {seed}); use another stream, or set_state")

    def seed(self) -> int:
        """As `manual_seed`."""
        raise InputError("bits of a stream cannot be seeded; use another stream, or set_state")

    def initial_seed(self) -> int:
        """As `manual_seed`."""
        raise InputError("bits of a stream have no seed")

    @property
    def _bit_generator(self) -> MTJBitGenerator:
        found = self._numbers.bit_generator
        assert isinstance(found, MTJBitGenerator)
        return found

    def _tensor(self, values: NDArray[Any], dtype: Any, device: Any) -> "torch.Tensor":
        return _torch().as_tensor(values).to(self.device if device is None else device, dtype)


def rand_like(tensor: "torch.Tensor", generator: TorchBits) -> "torch.Tensor":
    """Uniform numbers in the shape, type and place of ``tensor``."""
    return generator.rand(tensor.shape, dtype=tensor.dtype, device=tensor.device)


def randn_like(tensor: "torch.Tensor", generator: TorchBits) -> "torch.Tensor":
    """Standard normal numbers in the shape, type and place of ``tensor``."""
    return generator.randn(tensor.shape, dtype=tensor.dtype, device=tensor.device)


def _shape(size: tuple[Any, ...]) -> tuple[int, ...]:
    """``rand(2, 3)`` and ``rand((2, 3))`` are the same."""
    given = size[0] if len(size) == 1 and not isinstance(size[0], int) else size
    shape = tuple(int(n) for n in given)
    if math.prod(shape) < 0 or any(n < 0 for n in shape):
        raise InputError(f"a size must not be negative: {shape}")
    return shape


def _floating(torch: Any, dtype: Any) -> Any:
    chosen = torch.get_default_dtype() if dtype is None else dtype
    if not chosen.is_floating_point:
        raise InputError(f"random fractions need a floating-point type, not {chosen}")
    return chosen
