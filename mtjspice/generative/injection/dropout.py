"""torch's random operations that give more than numbers: dropout, randomised ReLU; and those that need none."""

from typing import Any

import torch

from mtjspice.errors import InputError
from mtjspice.generative.injection.call import Call, resized
from mtjspice.generative.injection.numbers import Numbers
from mtjspice.generative.injection.precision import between, real


def is_idle(call: Call) -> bool:
    """Whether the arguments say that nothing is drawn (no training, no dropout in an attention kernel)."""
    arguments = call.arguments
    if call.name.startswith("rrelu_with_noise"):
        return not arguments["training"]
    if call.name == "native_dropout":
        return arguments["train"] is False
    if "dropout" in arguments:  # recurrent nets of other devices
        return float(arguments["dropout"]) == 0.0 or not arguments["train"]
    return "dropout_p" in arguments and float(arguments["dropout_p"]) == 0.0


def native_dropout(call: Call, numbers: Numbers) -> tuple[torch.Tensor, torch.Tensor]:
    """Input times a mask over 1 - p, and the mask."""
    given, p = call.arguments["input"], float(call.arguments["p"])
    if not 0 <= p <= 1:
        raise InputError(f"{call.operation}: a probability must lie between 0 and 1, not {p}")
    if "out0" in call.arguments:
        raise InputError(f"no random numbers from a source for {call.operation}")
    # as Bernoulli's draws have it, on which torch builds the dropout of its other paths
    keep = torch.from_numpy(numbers.uniform(tuple(given.shape)) < 1 - p).to(given.device)
    mask = torch.empty_like(given, dtype=torch.bool).copy_(keep)
    return given * mask * (0.0 if p == 1 else 1 / (1 - p)), mask


def rrelu_with_noise(call: Call, numbers: Numbers) -> Any:
    """Negative inputs times slopes drawn from [lower, upper); the slopes are kept in ``noise``."""
    given, noise = call.arguments["self"], call.arguments["noise"]
    dtype = real(given.dtype, call.operation)
    low, high = float(call.arguments["lower"]), float(call.arguments["upper"])
    if not low <= high:
        raise InputError(f"{call.operation} needs lower <= upper, not {low} and {high}")
    drawn = torch.from_numpy(between(numbers.uniform(tuple(given.shape)), low, high, dtype)).to(given.device, dtype)
    slope = torch.where(given <= 0, drawn, torch.ones_like(drawn))
    result = given * slope
    if call.name == "rrelu_with_noise_functional":
        return result, slope
    noise.copy_(slope)
    if call.out is None:
        return result
    return resized(call.out, result.shape).copy_(result)


STEPS = {
    "native_dropout": native_dropout,
    "rrelu_with_noise": rrelu_with_noise,
    "rrelu_with_noise_functional": rrelu_with_noise,
}
"""By the name of the operation, see `Call`."""
