"""Generators of images that an attacker can differentiate: latents in, images out, both torch tensors."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtjspice.errors import InputError
from mtjspice.generative.gan.generators import Generator, open_generator
from mtjspice.generative.torch_threads import one_torch_thread, require_torch

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Decoder:
    """``forward`` takes latents (n, ``latent_size``), float32 tensors, to images (n, channels, height, width).

    Pixels lie in [-1, 1], channels are 1 or 3.
    A conditional one has ``classes`` classes that take turns, and takes those of the latents (int64) as well.
    """

    name: str
    latent_size: int
    forward: Callable[..., Any]
    classes: int = 0

    def pixels(self, latent: Any, number: int) -> Any:
        """All pixels of the image ``number`` of one latent (latent_size,), as one vector of a differentiable tensor."""
        return self._images(latent[None], [number]).reshape(-1)

    def images(self, latents: Floats, first: int = 0) -> NDArray[np.float32]:
        """Images (n, channels, height, width) of latents (n, latent_size), the first of which is number ``first``.

        InputError where the function fails, or what comes out is no such images.
        """
        torch = require_torch("an attack on images")
        as_generator = Generator(
            self.name, self.latent_size, lambda z: self._images(torch.from_numpy(z.astype(np.float32)), numbers)
        )
        made = []
        with torch.no_grad():
            # one at a time: sums in a batch come out in another order, and an image must not depend on its neighbours
            for k, latent in enumerate(latents):
                numbers = [first + k]
                made.append(as_generator.images(latent[None]))
        return np.concatenate(made)

    def _images(self, latents: Any, numbers: Sequence[int]) -> Any:
        if not self.classes:
            return self.forward(latents)
        torch = require_torch("an attack on images")
        return self.forward(latents, torch.tensor([number % self.classes for number in numbers]))

    def jacobian(self, latent: Any, number: int) -> Any:
        """Derivatives of `pixels`, (latent_size, pixels), forward through the generator in one batch.

        InputError where torch cannot differentiate the function so.
        """
        torch = require_torch("an attack on images")

        def column(direction: Any) -> Any:
            return torch.func.jvp(lambda z: self.pixels(z, number), (latent,), (direction,))[1]

        try:
            with torch.no_grad(), one_torch_thread(), warnings.catch_warnings():
                # torch's own use of what it has deprecated, at the first derivative
                warnings.simplefilter("ignore", DeprecationWarning)
                return torch.func.vmap(column)(torch.eye(self.latent_size, dtype=latent.dtype))
        except (RuntimeError, NotImplementedError, TypeError, AttributeError) as error:
            reason = (str(error).strip() or "no message").splitlines()[0]
            raise InputError(
                f"{self.name} cannot be differentiated by torch.func.jvp, which the inversion needs: {reason}"
            ) from None


def open_decoder(text: str, latent_size: int | None = None) -> Decoder:
    """The decoder that ``text`` names: faces, fashion, or module:function (of torch tensors) with its ``latent_size``.

    InputError where there is none, or its data are missing.
    """
    if text == "faces":
        from mtjspice.generative.gan.faces import LATENT, Faces

        found = Decoder(text, LATENT, Faces())
    elif text == "fashion":
        found = _fashion()
    else:
        known = open_generator(text, latent_size)
        require_torch("an attack on images")
        return Decoder(text, known.latent_size, known.make)
    if latent_size not in (None, found.latent_size):
        raise InputError(f"the latents of {text} have the size {found.latent_size}, not {latent_size}")
    return found


def _fashion() -> Decoder:
    torch = require_torch("the generator of garments")
    from mtjspice.generative.data.fashion import CLASSES
    from mtjspice.generative.gan import fashion
    from mtjspice.generative.weights import checked, shipped

    arrays = shipped("fashion_gan")
    checked(arrays, fashion.SHAPES, "fashion_gan.npz")
    tensors = {name: torch.from_numpy(np.array(array, np.float32)) for name, array in arrays.items()}
    return Decoder("fashion", fashion.LATENT, lambda z, classes: fashion.images(tensors, z, classes), len(CLASSES))
