"""Networks of a neural SDE in NumPy, double precision: the ordinary one, and that whose weights are drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from mtjspice.errors import InputError
from mtjspice.generative.weights import checked

Floats = NDArray[np.float64]
Bits = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Perceptron:
    """Layers x -> W x + b, ``weights`` of shape (out, in), with SiLU between them."""

    weights: tuple[Floats, ...]
    biases: tuple[Floats, ...]

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], where: str, prefix: str = "") -> "Perceptron":
        """Layers ``weight0``, ``bias0``, ``weight1``, ...; InputError where they do not fit each other."""
        weights, biases = _layers(arrays, ("weight", "bias"), where, prefix)
        return cls(weights, biases)

    def __call__(self, x: Floats) -> Floats:
        """Outputs (n, out) of inputs (n, in)."""
        last = len(self.weights) - 1
        for k, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = x @ weight.T + bias
            x = x if k == last else silu(x)
        return x


@dataclass(frozen=True, eq=False)
class DropConnectNetwork:
    """Layers whose weights are W + A (m - 1/2), m the P-bits of one pass; ``amplitudes`` A of either sign."""

    weights: tuple[Floats, ...]
    amplitudes: tuple[Floats, ...]
    biases: tuple[Floats, ...]

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], where: str) -> "DropConnectNetwork":
        """Layers ``weight0``, ``amplitude0``, ``bias0``, ...; InputError where they do not fit each other."""
        weights, amplitudes, biases = _layers(arrays, ("weight", "amplitude", "bias"), where, "")
        return cls(weights, amplitudes, biases)

    @property
    def pbits(self) -> int:
        """P-bits of one pass: one a weight."""
        return sum(weight.size for weight in self.weights)

    def levels(self) -> tuple[tuple[Floats, Floats], ...]:
        """Weights of each layer for P-bits 0 and 1."""
        return tuple((w - a / 2, w + a / 2) for w, a in zip(self.weights, self.amplitudes, strict=True))

    def mean(self) -> Perceptron:
        """The network whose weights are the means for fair P-bits: no randomness."""
        return Perceptron(self.weights, self.biases)


def drawn_pass(levels: Sequence[tuple[Floats, Floats]], biases: Sequence[Floats], x: Floats, bits: Bits) -> Floats:
    """Outputs (n, out) of inputs (n, in), each with P-bits of its own, ``bits`` (n, P-bits of a pass) layer by layer.

    ``levels`` has for each layer the weights (out, in) that a P-bit of 0 and one of 1 make.
    """
    begin = 0
    last = len(levels) - 1
    for k, ((zero, one), bias) in enumerate(zip(levels, biases, strict=True)):
        chosen = bits[:, begin : begin + zero.size].reshape(len(x), *zero.shape)
        weights = chosen * (one - zero)
        x = np.matmul(weights, x[:, :, None])[:, :, 0] + x @ zero.T + bias
        x = x if k == last else silu(x)
        begin += zero.size
    return x


def silu(x: Floats) -> Floats:
    """x / (1 + exp(-x))."""
    return np.asarray(x * expit(x), np.float64)


def _layers(
    arrays: Mapping[str, NDArray[Any]], kinds: tuple[str, ...], where: str, prefix: str
) -> tuple[tuple[Floats, ...], ...]:
    count = sum(name.startswith(f"{prefix}weight") for name in arrays)
    if not count:
        raise InputError(f"{where} has no array {prefix + 'weight0'!r}")
    shapes: dict[str, tuple[int, ...]] = {}
    inner = None
    for k in range(count):
        shape = np.shape(arrays.get(f"{prefix}weight{k}", 0.0))
        if len(shape) != 2 or inner not in (None, shape[1]):
            raise InputError(f"{where}: the layers {prefix}weight0, {prefix}weight1, ... do not fit each other")
        inner = shape[0]
        shapes |= {f"{prefix}{kind}{k}": shape[:1] if kind == "bias" else shape for kind in kinds}
    checked(arrays, shapes, where)
    return tuple(tuple(np.asarray(arrays[f"{prefix}{kind}{k}"], np.float64) for k in range(count)) for kind in kinds)
