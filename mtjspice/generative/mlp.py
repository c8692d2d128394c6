"""A multilayer perceptron with Adam, in NumPy: enough for 8 x 8 images, and repeatable.

Everything is double precision: sums of products come out in another order on other processors, and what that does to a
trained network stays far below the digits that are reported. Matrices are small, so that one thread is as good as many,
and much better on a busy machine.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

Floats = NDArray[np.float64]


@contextmanager
def one_thread() -> Iterator[None]:
    """Matrix products in one thread."""
    with threadpool_limits(limits=1, user_api="blas"):
        yield


@dataclass(eq=False)
class Network:
    """Layers x -> x W + b with rectifiers between them; ``weights`` and ``biases`` are changed by `Adam`."""

    weights: list[Floats]
    biases: list[Floats]

    @classmethod
    def drawn(cls, widths: Sequence[int], rng: np.random.Generator, last: float = 1.0) -> "Network":
        """Layers of these widths with He's initialisation; ``last`` scales the output layer."""
        weights = [rng.standard_normal((a, b)) * np.sqrt(2 / a) for a, b in pairwise(widths)]
        weights[-1] *= last
        return cls(weights, [np.zeros(width) for width in widths[1:]])

    def __call__(self, x: Floats) -> Floats:
        """The output, shape (n, last width)."""
        return self.layers(x)[-1]

    def layers(self, x: Floats) -> list[Floats]:
        """Input and the output of each layer, after its rectifier."""
        values = [x]
        last = len(self.weights) - 1
        for k, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            z = values[-1] @ weight
            z += bias
            values.append(z if k == last else np.maximum(z, 0, out=z))
        return values

    def gradients(self, values: list[Floats], slope: Floats) -> list[Floats]:
        """Gradients of weights, then biases, given those of the output."""
        weights, biases = [], []
        for k in range(len(self.weights) - 1, -1, -1):
            weights.append(values[k].T @ slope)
            biases.append(slope.sum(axis=0))
            if k:
                slope = (slope @ self.weights[k].T) * (values[k] > 0)
        return [*reversed(weights), *reversed(biases)]

    def copy(self) -> "Network":
        """An independent network with the same parameters."""
        return Network([w.copy() for w in self.weights], [b.copy() for b in self.biases])


class Adam:
    """D. P. Kingma and J. Ba, "Adam: A Method for Stochastic Optimization" (2015), in place."""

    def __init__(self, network: Network, decay: float = 0.9, square_decay: float = 0.999) -> None:
        self._parameters = [*network.weights, *network.biases]
        self._means = [np.zeros_like(p) for p in self._parameters]
        self._squares = [np.zeros_like(p) for p in self._parameters]
        self._decay, self._square_decay, self._steps = decay, square_decay, 0

    def step(self, gradients: Sequence[Floats], rate: float) -> None:
        """Move the parameters against ``gradients``."""
        self._steps += 1
        rate *= np.sqrt(1 - self._square_decay**self._steps) / (1 - self._decay**self._steps)
        for p, g, mean, square in zip(self._parameters, gradients, self._means, self._squares, strict=True):
            mean *= self._decay
            mean += (1 - self._decay) * g
            square *= self._square_decay
            square += (1 - self._square_decay) * g * g
            p -= rate * mean / (np.sqrt(square) + 1e-8)


def average_into(average: Network, network: Network, share: float) -> None:
    """Move an exponential moving average of the parameters by ``share`` towards ``network``."""
    for a, p in zip([*average.weights, *average.biases], [*network.weights, *network.biases], strict=True):
        a += share * (p - a)
