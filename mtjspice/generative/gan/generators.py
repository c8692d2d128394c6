"""Generators of images: the two that are known by name, and any function of the user's.

A function is named as ``module:function`` and takes latents (n, d), a float64 array, to images (n, channels, height,
width) in [-1, 1] with 1 or 3 channels, as an array or a torch tensor. No file of others is unpickled here, because a
pickle can run any code. Networks that come as pickles with code, as those of StyleGAN2-ADA, are used through a function
that the user writes, with NVIDIA's repository on the path and ``--latent-size 512``::

    # stylegan.py
    import pickle
    import torch

    with open("cifar10.pkl", "rb") as file:  # from a source that you trust: this runs its code
        network = pickle.load(file)["G_ema"].eval()

    def images(z):
        with torch.inference_mode():
            classes = torch.eye(network.c_dim)[torch.arange(len(z)) % network.c_dim] if network.c_dim else None
            return network(torch.from_numpy(z).float(), classes).clamp(-1, 1)
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtjspice.errors import InputError
from mtjspice.generative.torch_threads import one_torch_thread, require_torch

Floats = NDArray[np.float64]
Images = NDArray[np.float32]
NAMES = ("faces", "fashion")
_BATCH = 50
_SLACK = 1e-3  # that pixels may lie beyond -1 and 1 by, and are clipped
_SMALLEST = 8  # pixels of a side


@dataclass(frozen=True, eq=False)
class Generator:
    """``make`` takes latents (n, ``latent_size``), and classes (n,) if there are ``classes``, to images."""

    name: str
    latent_size: int
    make: Callable[..., Any]
    classes: tuple[str, ...] = ()
    about: str = ""

    def images(self, latents: Floats, classes: NDArray[np.int64] | None = None) -> Images:
        """Images (n, channels, height, width) in [-1, 1] of latents; without ``classes``, those take turns.

        InputError where the latents have another size, or what comes out is not such images.
        """
        z = np.asarray(latents, np.float64)
        if z.ndim != 2 or z.shape[1] != self.latent_size or len(z) == 0:
            raise InputError(f"{self.name} takes latents of shape (n, {self.latent_size}), not {z.shape}")
        labels = self.turns(len(z)) if classes is None else np.asarray(classes, np.int64)
        made: list[Images] = []
        for start in range(0, len(z), _BATCH):
            part = slice(start, start + _BATCH)
            made.append(self._batch(z[part], labels[part]))
            if made[-1].shape[1:] != made[0].shape[1:]:
                raise InputError(
                    f"{self.name} gave images of different shapes: {made[0].shape[1:]}, {made[-1].shape[1:]}"
                )
        return np.concatenate(made)

    def turns(self, count: int) -> NDArray[np.int64]:
        """Classes of ``count`` images, in turn; zeros where there are no classes."""
        return np.arange(count, dtype=np.int64) % max(1, len(self.classes))

    def _batch(self, z: Floats, classes: NDArray[np.int64]) -> Images:
        try:
            with one_torch_thread():
                made = self.make(z, classes) if self.classes else self.make(z)
        except InputError:
            raise
        except Exception as error:  # whatever a user's function can raise
            reason = (str(error).strip() or "no message").splitlines()[0]
            raise InputError(
                f"{self.name} failed with latents of shape {z.shape}: {type(error).__name__}: {reason}"
            ) from error
        return self._checked(made, len(z))

    def _checked(self, made: Any, count: int) -> Images:
        wanted = f"images ({count}, 1 or 3, height, width) in [-1, 1]"
        try:
            found = np.asarray(made.detach().cpu() if hasattr(made, "detach") else made)
            if found.dtype.kind not in "fiu":
                raise TypeError
            found = found.astype(np.float32)
        except (TypeError, ValueError):
            raise InputError(f"{self.name} must give {wanted}, not {type(made).__name__}") from None
        if found.ndim != 4 or len(found) != count or found.shape[1] not in (1, 3) or min(found.shape[2:]) < _SMALLEST:
            raise InputError(f"{self.name} must give {wanted}, not an array of shape {found.shape}")
        if not np.isfinite(found).all():
            raise InputError(f"{self.name} gave pixels that are not finite numbers")
        if np.abs(found).max() > 1 + _SLACK:
            raise InputError(
                f"{self.name} must give {wanted}; pixels range from {found.min():.4g} to {found.max():.4g}"
            )
        return found.clip(-1, 1)


def open_generator(text: str, latent_size: int | None = None) -> Generator:
    """The generator that ``text`` names: faces, fashion, or module:function with its ``latent_size``.

    A module is looked for in the working folder, too. InputError where there is none, or its data are missing.
    """
    if text in NAMES:
        known = _faces() if text == "faces" else _fashion()
        if latent_size not in (None, known.latent_size):
            raise InputError(f"the latents of {text} have the size {known.latent_size}, not {latent_size}")
        return known
    module, colon, function = text.partition(":")
    if not (module and colon and function):
        raise InputError(f"unknown generator {text!r}; available: {', '.join(NAMES)}, or module:function")
    if latent_size is None or latent_size < 1:
        raise InputError(f"the generator {text} needs the size of its latents, 1 or more (--latent-size)")
    found = getattr(_module(module, text), function, None)
    if not callable(found):
        raise InputError(f"the module {module!r} has no function {function!r}")
    return Generator(text, latent_size, found, about="function of the user's")


def _module(name: str, text: str) -> Any:
    here = str(Path.cwd())
    added = here not in sys.path
    if added:
        sys.path.insert(0, here)
    try:
        return import_module(name)
    except ImportError as error:
        raise InputError(f"cannot import the generator {text}: {error}") from None
    except Exception as error:  # whatever a user's module can raise
        raise InputError(f"cannot import the generator {text}: {type(error).__name__}: {error}") from error
    finally:
        if added:
            sys.path.remove(here)


def _faces() -> Generator:
    torch = require_torch("the generator of faces")
    from mtjspice.generative.gan.faces import LATENT, Faces

    network = Faces()

    def make(z: Floats) -> Any:
        with torch.inference_mode():
            return network(torch.from_numpy(z.astype(np.float32)))

    return Generator("faces", LATENT, make, about="DCGAN of rendered faces, 64 x 64, trained by others")


def _fashion() -> Generator:
    torch = require_torch("the generator of garments")
    from mtjspice.generative.data.fashion import CLASSES
    from mtjspice.generative.gan import fashion
    from mtjspice.generative.weights import checked, shipped

    arrays = shipped("fashion_gan")
    checked(arrays, fashion.SHAPES, "fashion_gan.npz")
    tensors = {name: torch.from_numpy(np.array(array, np.float32)) for name, array in arrays.items()}

    def make(z: Floats, classes: NDArray[np.int64]) -> Any:
        with torch.inference_mode():
            return fashion.images(tensors, torch.from_numpy(z.astype(np.float32)), torch.from_numpy(classes))

    return Generator("fashion", fashion.LATENT, make, CLASSES, "conditional GAN of garments, 28 x 28")
