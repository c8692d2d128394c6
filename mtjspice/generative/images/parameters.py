"""Parameters of torch modules from and to arrays, and a module whose first parameters depend on a seed alone."""

from collections.abc import Callable
from typing import TypeVar

import numpy as np
import torch
from torch import nn

from mtjspice.generative.weights import Arrays, checked

Module = TypeVar("Module", bound=nn.Module)


def seeded(build: Callable[[], Module], seed: int) -> Module:
    """What ``build`` builds, initialised from ``seed``; torch's own generator is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build()


def to_arrays(module: nn.Module, kind: type[np.floating] = np.float32) -> Arrays:
    """Parameters and buffers by name; counters of batches are left out."""
    return {
        name: value.detach().cpu().numpy().astype(kind)
        for name, value in module.state_dict().items()
        if value.is_floating_point()
    }


def from_arrays(module: Module, arrays: Arrays, where: str) -> Module:
    """``module`` with the parameters of ``arrays``, ready for use; InputError where one is missing or misshapen."""
    state = {name: value for name, value in module.state_dict().items() if value.is_floating_point()}
    checked(arrays, {name: tuple(value.shape) for name, value in state.items()}, where)
    kept = {name: torch.from_numpy(np.asarray(arrays[name], np.float32)).to(state[name].dtype) for name in state}
    module.load_state_dict(kept, strict=False)
    return module.eval().requires_grad_(False)
