"""Features of Inception-V3 from the user's TorchScript file, as published Frechet inception distances use them."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtjspice.errors import InputError
from mtjspice.generative.torch_threads import one_torch_thread, require_torch

Floats = NDArray[np.float64]
FEATURES = "2048 features of Inception-V3 (2015)"
_BATCH = 50


class Inception:
    """The network of a TorchScript file that takes images of 0 to 255 and ``return_features=True``.

    InputError where the file is not TorchScript, or its answer is not a vector for each image.
    """

    def __init__(self, path: Path) -> None:
        self._torch, self._path = require_torch("Inception"), path
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # the file has no other form
            try:
                self._network: Any = self._torch.jit.load(str(path), map_location="cpu").eval()
            except (RuntimeError, ValueError, OSError):
                raise InputError(f"{path} is not a TorchScript file") from None

    def __call__(self, images: NDArray[np.floating]) -> Floats:
        """Features (n, d) of images (n, 1 or 3, height, width) from -1 to 1."""
        pixels = np.rint((np.clip(np.asarray(images, np.float64), -1, 1) + 1) * 127.5).astype(np.uint8)
        if pixels.shape[1] == 1:
            pixels = np.repeat(pixels, 3, axis=1)
        parts = []
        with one_torch_thread(), self._torch.inference_mode():
            for start in range(0, len(pixels), _BATCH):
                batch = self._torch.from_numpy(pixels[start : start + _BATCH])
                try:
                    found = self._network(batch, return_features=True)
                except RuntimeError as error:
                    reason = str(error).strip().splitlines()[-1]
                    raise InputError(f"{self._path} does not take images as Inception does: {reason}") from None
                parts.append(np.asarray(found.to(self._torch.float64)))
        features = np.concatenate(parts)
        if features.ndim != 2 or len(features) != len(pixels):
            raise InputError(f"{self._path} gave features of shape {features.shape} for {len(pixels)} images")
        return features
