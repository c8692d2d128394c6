"""A generator of faces, 64 x 64 in colour, whose parameters others trained (the data "faces").

The architecture is that of DCGAN (A. Radford, L. Metz and S. Chintala, ICLR 2016): transposed convolutions from
100 x 1 x 1 over 512, 256, 128 and 64 channels to 3 x 64 x 64, batch normalisation with the statistics of the training,
rectifiers, tanh. The file is a state dictionary, read as tensors alone. torch is imported where it is used.
"""

import pickle
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from mtjspice.errors import InputError
from mtjspice.generative.data import locate
from mtjspice.generative.torch_threads import require_torch
from mtjspice.generative.weights import checked

LATENT = 100
_WIDTHS = (LATENT, 512, 256, 128, 64, 3)
_EPSILON = 1e-5  # of the batch normalisation
SHAPES: Mapping[str, tuple[int, ...]] = {
    **{f"main.{3 * k}.weight": (a, b, 4, 4) for k, (a, b) in enumerate(pairwise(_WIDTHS))},
    **{
        f"main.{3 * k + 1}.{name}": (width,)
        for k, width in enumerate(_WIDTHS[1:-1])
        for name in ("weight", "bias", "running_mean", "running_var")
    },
}


class Faces:
    """Images (n, 3, 64, 64) in [-1, 1] of latents (n, 100): call it with torch tensors.

    Each batch normalisation is one scale and shift a channel; the scale is folded into the convolution before it.
    InputError where the file is absent or holds something else.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._torch = require_torch("the generator of faces")
        state = self._state(locate("faces") if path is None else path)
        self._layers = []
        for k in range(len(_WIDTHS) - 1):
            kernel, shift = state[f"main.{3 * k}.weight"].float(), None
            if k < len(_WIDTHS) - 2:
                norm = {name: state[f"main.{3 * k + 1}.{name}"].float() for name in ("weight", "bias")}
                mean, variance = (state[f"main.{3 * k + 1}.running_{name}"].float() for name in ("mean", "var"))
                scale = norm["weight"] / (variance + _EPSILON).sqrt()
                kernel, shift = kernel * scale.view(1, -1, 1, 1), norm["bias"] - mean * scale
            # a fifth faster than with the channels first
            self._layers.append((kernel.to(memory_format=self._torch.channels_last), shift))

    def __call__(self, z: Any) -> Any:
        """See the class."""
        functional = self._torch.nn.functional
        x = z.view(-1, LATENT, 1, 1)
        for k, (kernel, shift) in enumerate(self._layers):
            x = functional.conv_transpose2d(x, kernel, shift, stride=2 if k else 1, padding=1 if k else 0)
            x = x.tanh() if shift is None else x.relu()
        return x

    def _state(self, path: Path) -> Mapping[str, Any]:
        try:
            content = self._torch.load(path, map_location="cpu", weights_only=True)
            state = content["netG_state_dict"]
            arrays = {name: state[name].numpy() for name in SHAPES if name in state}
        except OSError as error:
            raise InputError(f"cannot read {path}: {error.strerror or error}") from None
        except (RuntimeError, ValueError, EOFError, KeyError, TypeError, AttributeError, pickle.UnpicklingError):
            raise InputError(f"{path} is not a state dictionary of the generator of faces") from None
        checked(arrays, SHAPES, str(path))
        return dict(state)
