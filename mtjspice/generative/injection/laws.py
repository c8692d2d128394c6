"""The laws of torch's random operations, in NumPy: each makes the numbers of a call, in double precision or whole.

They follow torch's documentation in meaning, and NumPy's generators in method. InputError names what is not allowed.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mtjspice.errors import InputError
from mtjspice.generative.injection.call import Call
from mtjspice.generative.injection.numbers import Numbers
from mtjspice.generative.injection.precision import DIGITS, PARTS, between, floating, fractions, positive, real

Values = NDArray[Any]


def uniform(call: Call, numbers: Numbers) -> Values:
    """[0, 1), or [from, to); both parts of a complex number."""
    dtype = floating(call.dtype, call.operation)
    low, high = call.arguments.get("from", 0.0), call.arguments.get("to", 1.0)
    if not (np.isfinite([low, high]).all() and low <= high):
        raise InputError(f"{call.operation} needs finite bounds in order, not {low} and {high}")
    values = _parts(call, numbers.uniform)
    return _complex(call, fractions(values, dtype) if (low, high) == (0, 1) else between(values, low, high, dtype))


def normal(call: Call, numbers: Numbers) -> Values:
    """Mean and standard deviation as given, 0 and 1 otherwise; a complex number has that variance as a whole."""
    floating(call.dtype, call.operation)
    arguments = call.arguments
    std = call.values("std") if "std" in arguments else np.asarray(1.0)
    if not (std >= 0).all():
        raise InputError(f"{call.operation} needs a standard deviation of 0 or more")
    values = _parts(call, numbers.normal)
    drawn = _complex(call, values * np.sqrt(0.5) if call.dtype in PARTS else values)
    if "std" in arguments:
        drawn = drawn * std
    return drawn + call.values("mean") if "mean" in arguments else drawn


def log_normal(call: Call, numbers: Numbers) -> Values:
    """exp of a normal number."""
    dtype = real(call.dtype, call.operation)
    mean, std = float(call.arguments["mean"]), float(call.arguments["std"])
    if not std > 0:
        raise InputError(f"{call.operation} needs a standard deviation above 0, not {std}")
    with np.errstate(over="ignore"):
        return positive(np.exp(mean + std * numbers.normal(call.shape)), dtype)


def cauchy(call: Call, numbers: Numbers) -> Values:
    """Median and half width at half height as given."""
    real(call.dtype, call.operation)
    median, sigma = float(call.arguments["median"]), float(call.arguments["sigma"])
    if not sigma > 0:
        raise InputError(f"{call.operation} needs sigma above 0, not {sigma}")
    with np.errstate(divide="ignore"):
        return median + sigma * np.asarray(numbers.generator(call.shape).standard_cauchy(call.shape))


def exponential(call: Call, numbers: Numbers) -> Values:
    """Rate ``lambd``; never 0, as in torch."""
    dtype = real(call.dtype, call.operation)
    rate = float(call.arguments["lambd"])
    if not rate > 0:
        raise InputError(f"{call.operation} needs a rate above 0, not {rate}")
    return positive(np.asarray(numbers.generator(call.shape).standard_exponential(call.shape)) / rate, dtype)


def geometric(call: Call, numbers: Numbers) -> Values:
    """Trials up to the first success: 1, 2 ..."""
    p = float(call.arguments["p"])
    if not 0 < p < 1:
        raise InputError(f"{call.operation} needs a probability between 0 and 1, not {p}")
    return np.asarray(numbers.generator(call.shape).geometric(p, call.shape))


def bernoulli(call: Call, numbers: Numbers) -> Values:
    """1 with the probabilities ``p``, those of the tensor itself without any."""
    p = call.values("p" if "p" in call.arguments else "self")
    return np.asarray(numbers.uniform(call.shape) < _probabilities(call, p), np.float64)


def poisson(call: Call, numbers: Numbers) -> Values:
    """The rates of a tensor."""
    rate = call.values("self")
    if not ((rate >= 0) & (rate < 2.0**62)).all():
        raise InputError(f"{call.operation} needs rates of 0 or more, and below 2^62")
    return np.asarray(numbers.generator(call.shape).poisson(rate))


def binomial(call: Call, numbers: Numbers) -> Values:
    """Successes among ``count`` trials of probability ``prob``, both tensors."""
    count, p = call.values("count"), _probabilities(call, call.values("prob"))
    if not ((count >= 0) & (count < 2.0**62) & (count == np.floor(count))).all():
        raise InputError(f"{call.operation} needs counts that are whole numbers of 0 or more")
    return np.asarray(numbers.generator(call.shape).binomial(count.astype(np.int64), p, call.shape))


def gamma(call: Call, numbers: Numbers) -> Values:
    """Scale 1, the shape parameters of a tensor; never 0, as in torch."""
    dtype = real(call.dtype, call.operation)
    shape = call.values("self")
    if not ((shape > 0) & np.isfinite(shape)).all():
        raise InputError(f"{call.operation} needs finite parameters above 0")
    return positive(np.asarray(numbers.generator(call.shape).standard_gamma(shape)), dtype)


def dirichlet(call: Call, numbers: Numbers) -> Values:
    """Shares along the last dimension, from gamma numbers.

    ln Gamma(a) = ln Gamma(a + 1) - E / a with E exponential (Marsaglia and Tsang 2000, section 6), so that small
    parameters do not underflow.
    """
    real(call.dtype, call.operation)
    a = call.values("self")
    if not ((a > 0) & np.isfinite(a)).all():
        raise InputError(f"{call.operation} needs finite parameters above 0")
    rng = numbers.generator(call.shape)
    logarithm = np.log(rng.standard_gamma(a + 1)) - rng.standard_exponential(a.shape) / a
    share = np.exp(logarithm - logarithm.max(-1, keepdims=True)) if a.size else logarithm
    return np.asarray(share / share.sum(-1, keepdims=True))


def multinomial(call: Call, numbers: Numbers) -> Values:
    """Indices by weight along the last dimension, with or without replacement.

    Without: the largest of w / E, E exponential (Efraimidis and Spirakis 2006), which is drawing one by one.
    """
    weight, count = call.values("self"), int(call.arguments["num_samples"])
    positive_ones = (weight > 0).sum(-1)
    if not (weight.ndim in (1, 2) and weight.shape[-1] and np.isfinite(weight).all() and (weight >= 0).all()):
        raise InputError(f"{call.operation} needs 1 or 2 dimensions of finite weights of 0 or more")
    if count < 1 or not (positive_ones > 0).all():
        raise InputError(f"{call.operation} needs a sample of 1 or more, and a weight above 0")
    if call.arguments["replacement"]:
        weight = weight / weight.max(-1, keepdims=True)
        upper = np.cumsum(weight, -1)
        target = numbers.uniform(call.shape) * upper[..., -1:]
        # the number of bounds at or below the target: never a weight of 0
        found = [
            np.searchsorted(u, t, "right") for u, t in zip(np.atleast_2d(upper), np.atleast_2d(target), strict=True)
        ]
        last = weight.shape[-1] - 1 - np.argmax(np.atleast_2d(weight)[:, ::-1] > 0, -1)
        indices = np.minimum(np.array(found, np.int64).reshape(-1, count), last[:, None])
        return np.asarray(indices.reshape(call.shape))
    if not (positive_ones >= count).all():
        raise InputError(f"{call.operation}: {count} samples without replacement need as many weights above 0")
    drawn = numbers.generator(weight.shape).standard_exponential(weight.shape)
    with np.errstate(divide="ignore"):
        order = np.argsort(np.log(drawn) - np.log(weight), axis=-1, kind="stable")
    return np.asarray(order[..., :count])


def whole(call: Call, numbers: Numbers) -> Values:
    """Whole numbers from ``low`` to ``high`` - 1, without bias; InputError if the type does not hold them exactly."""
    arguments = call.arguments
    low, high = int(arguments.get("low", 0)), int(arguments["high"])
    return _integers(call, numbers, low, high - 1)


def fill_whole(call: Call, numbers: Numbers) -> Values:
    """Whole numbers from ``from`` to ``to`` - 1; without bounds, from 0 to the largest that the type holds exactly."""
    low, high = call.arguments.get("from", 0), call.arguments.get("to")
    return _integers(call, numbers, int(low), _range(call)[1] if high is None else int(high) - 1)


def permutation(call: Call, numbers: Numbers) -> Values:
    """A random order of 0 ... n - 1."""
    n = int(call.arguments["n"])
    if n < 0 or n - 1 > _range(call)[1]:
        raise InputError(f"{call.operation}: {call.dtype} does not hold an order of {n}")
    return np.asarray(numbers.generator(n).permutation(n))


def _integers(call: Call, numbers: Numbers, low: int, last: int) -> Values:
    least, largest = _range(call)
    if last < low:
        raise InputError(f"{call.operation} needs low < high, not {low} and {last + 1}")
    if low < least or last > largest:
        raise InputError(f"{call.operation}: {call.dtype} holds {least} to {largest}, not {low} to {last}")
    return np.asarray(numbers.generator(call.shape).integers(low, last, call.shape, np.int64, endpoint=True))


def _range(call: Call) -> tuple[int, int]:
    """The whole numbers that the result's type holds exactly (of uint64, those that int64 holds too)."""
    dtype = call.dtype
    if dtype in DIGITS:
        return -(2 ** DIGITS[dtype]), 2 ** DIGITS[dtype]
    if dtype == torch.bool:
        return 0, 1
    if dtype in PARTS:
        raise InputError(f"{call.operation} cannot be drawn in {dtype}")
    limits = torch.iinfo(dtype)
    return limits.min, min(limits.max, 2**63 - 1)


def _probabilities(call: Call, p: NDArray[np.float64]) -> NDArray[np.float64]:
    if not ((p >= 0) & (p <= 1)).all():
        raise InputError(f"{call.operation}: a probability must lie between 0 and 1")
    return p


def _parts(call: Call, draw: Any) -> NDArray[np.float64]:
    """Numbers for the result; for a complex one two each."""
    return np.asarray(draw((*call.shape, 2) if call.dtype in PARTS else call.shape))


def _complex(call: Call, values: NDArray[np.float64]) -> Values:
    return values.view(np.complex128)[..., 0] if call.dtype in PARTS else values


LAWS = {
    "rand": uniform, "rand_like": uniform, "uniform": uniform,
    "randn": normal, "randn_like": normal, "normal": normal, "normal_functional": normal,
    "log_normal": log_normal, "cauchy": cauchy, "exponential": exponential, "geometric": geometric,
    "bernoulli": bernoulli, "poisson": poisson, "binomial": binomial, "_standard_gamma": gamma,
    "_sample_dirichlet": dirichlet, "multinomial": multinomial,
    "randint": whole, "randint_like": whole, "random": fill_whole, "randperm": permutation,
}  # fmt: skip
"""By the name of the operation, see `Call`."""
