"""Random bits for third-party code that knows nothing of them: torch (`noise`), NumPy, and libraries with hooks.

with noise(source) as drawn:
    images = pipeline(batch_size=4).images
print(drawn.bits, drawn.draws)
"""

from typing import TYPE_CHECKING

from numpy.typing import ArrayLike

from mtjspice.bits.adapters.numpy_generator import Refill
from mtjspice.bits.sources.base import Source
from mtjspice.bits.stream import BitStream
from mtjspice.errors import InputError
from mtjspice.generative.injection.numbers import Normal, Numbers, open_numbers

if TYPE_CHECKING:
    from mtjspice.generative.injection.torch_mode import TorchNoise


def noise(
    source: BitStream | ArrayLike | Source | Normal | Numbers,
    bits: BitStream | ArrayLike | Source | None = None,
    refill: Refill | None = None,
) -> "TorchNoise":
    """A context in which every random operation of torch draws from ``source``; see `TorchNoise` and `open_numbers`.

    InputError if torch is not installed.
    """
    try:
        from mtjspice.generative.injection.torch_mode import TorchNoise
    except ImportError:
        raise InputError("torch is not installed; pip install 'mtjspice[generative]'") from None
    return TorchNoise(open_numbers(source, bits, refill))


__all__ = ["Normal", "Numbers", "noise", "open_numbers"]
