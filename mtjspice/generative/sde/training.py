"""Training of the networks of a neural SDE in PyTorch: noise prediction (ex situ), energy score (in situ), and the VAE.

Everything random comes from one NumPy generator, so that a seed gives the same network.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from mtjspice.errors import InputError
from mtjspice.generative.sde.transitions import TIME_FEATURES, Transitions
from mtjspice.generative.torch_threads import one_torch_thread
from mtjspice.generative.weights import Arrays

Floats = NDArray[np.float64]
Progress = Callable[[float], None]
Examples = Callable[[np.random.Generator, int], tuple[Floats, Floats, Floats]]
"""Draws ``n`` training examples: inputs (n, i), targets (n, o) and the weight of each example's loss (n,)."""


@dataclass(frozen=True)
class Effort:
    """``steps`` of ``batch`` examples; the rate falls from ``rate`` to 0 with a cosine.

    In the drop-connect network ``group`` examples share their P-bits. The gradient of a mean over examples has the same
    expectation with shared bits, and a group is one product of matrices.
    """

    steps: int
    batch: int = 256
    rate: float = 2e-3
    group: int = 8
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.steps, self.batch, self.group) < 1 or self.batch % self.group or not self.rate > 0:
            raise InputError("training needs 1 step or more, a positive rate, and a batch of whole groups")


class DropConnect(nn.Module):
    """Layers whose weights are W + A (m - 1/2) with fair bits m, fresh for each group of examples.

    ``widths`` are the sizes of the layers; SiLU stands between them. A has either sign: it says on which of the two
    lines of a column the P-bit stands.
    """

    def __init__(self, widths: Sequence[int], rng: np.random.Generator, kind: torch.dtype) -> None:
        super().__init__()

        def drawn(shape: tuple[int, int]) -> nn.Parameter:
            return nn.Parameter(torch.from_numpy(rng.standard_normal(shape) / sqrt(shape[1])).to(kind))

        shapes = [(b, a) for a, b in pairwise(widths)]
        self.weights = nn.ParameterList([drawn(shape) for shape in shapes])
        self.amplitudes = nn.ParameterList([drawn(shape) for shape in shapes])
        self.biases = nn.ParameterList([nn.Parameter(torch.zeros(shape[0], dtype=kind)) for shape in shapes])

    def forward(self, x: Tensor, rng: np.random.Generator) -> Tensor:
        """Outputs (groups, examples, o) of inputs (groups, examples, i)."""
        last = len(self.weights) - 1
        for k, (weight, amplitude, bias) in enumerate(zip(self.weights, self.amplitudes, self.biases, strict=True)):
            mask = fair_bits(rng, (len(x), *weight.shape)).to(weight.dtype) - 0.5
            x = torch.baddbmm(bias.expand(len(x), 1, -1), x, (weight + amplitude * mask).transpose(1, 2))
            x = x if k == last else functional.silu(x)
        return x

    def arrays(self) -> Arrays:
        """Parameters by name, as `network.DropConnectNetwork` takes them."""
        return {
            f"{name}{k}": value.detach().numpy().astype(np.float64)
            for name, values in (("weight", self.weights), ("amplitude", self.amplitudes), ("bias", self.biases))
            for k, value in enumerate(values)
        }


def fair_bits(rng: np.random.Generator, shape: tuple[int, ...]) -> Tensor:
    """Fair bits from the generator, eight from a byte."""
    count = int(np.prod(shape))
    return torch.from_numpy(np.unpackbits(rng.integers(0, 256, -(-count // 8), np.uint8), count=count).reshape(shape))


def energy_score(first: Tensor, second: Tensor, target: Tensor) -> Tensor:
    """Energy score of each example, from two independent draws (n, o) of the network and the target (n, o).

    (|X - y| + |X' - y|) / 2 - |X - X'| / 2 is strictly proper: its expectation is least where the draws have the law of
    the target (T. Gneiting and A. E. Raftery, J. Am. Stat. Assoc. 102, 359 (2007), eq. 22).
    """

    def norm(difference: Tensor) -> Tensor:
        return (difference.square().sum(-1) + 1e-12).sqrt()

    return (norm(first - target) + norm(second - target) - norm(first - second)) / 2


@one_torch_thread()
def train_drop_connect(
    widths: Sequence[int],
    examples: Examples,
    effort: Effort,
    kind: torch.dtype = torch.float64,
    progress: Progress | None = None,
) -> Arrays:
    """Train a drop-connect network so that its own randomness has the law of the targets, by the energy score."""
    rng = np.random.default_rng(effort.seed)
    network = DropConnect(widths, rng, kind)
    groups = effort.batch // effort.group

    def loss() -> Tensor:
        x, y, weight = (torch.from_numpy(part).to(kind) for part in examples(rng, effort.batch))
        grouped = x.reshape(groups, effort.group, -1)
        outputs = network(torch.cat([grouped, grouped]), rng).reshape(2, effort.batch, -1)
        return (weight * energy_score(outputs[0], outputs[1], y)).mean()

    minimise(loss, network, effort, progress)
    return network.arrays()


@one_torch_thread()
def train_mean(
    widths: Sequence[int],
    examples: Examples,
    effort: Effort,
    kind: torch.dtype = torch.float64,
    progress: Progress | None = None,
) -> Arrays:
    """Train an ordinary network of the same layers by squares; its parameters have names without amplitudes."""
    rng = np.random.default_rng(effort.seed)
    network = perceptron(widths, rng, kind)

    def loss() -> Tensor:
        x, y, weight = (torch.from_numpy(part).to(kind) for part in examples(rng, effort.batch))
        return (weight[:, None] * (network(x) - y).square()).mean()

    minimise(loss, network, effort, progress)
    return perceptron_arrays(network)


def perceptron(widths: Sequence[int], rng: np.random.Generator, kind: torch.dtype) -> nn.Sequential:
    """Linear layers with SiLU between them, drawn from ``rng``."""
    layers: list[nn.Module] = []
    for a, b in pairwise(widths):
        linear = nn.utils.skip_init(nn.Linear, a, b, dtype=kind)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(rng.standard_normal((b, a)) / sqrt(a)))
            linear.bias.zero_()
        layers += [linear, nn.SiLU()]
    return nn.Sequential(*layers[:-1])


def perceptron_arrays(network: nn.Sequential) -> Arrays:
    """Parameters by name, as `network.Perceptron` takes them."""
    linears = [layer for layer in network if isinstance(layer, nn.Linear)]
    return {
        f"{name}{k}": getattr(layer, name).detach().numpy().astype(np.float64)
        for k, layer in enumerate(linears)
        for name in ("weight", "bias")
    }


def noise_examples(latents: Floats, transitions: Transitions) -> Examples:
    """Examples of noise prediction (Ho et al., algorithm 1): (z_k, time) -> the noise in z_k."""

    def draw(rng: np.random.Generator, count: int) -> tuple[Floats, Floats, Floats]:
        z, k, noise, _ = _noised(latents, transitions, rng, count)
        return np.concatenate([z, transitions.features(k)], axis=1), noise, np.ones(count)

    return draw


def transition_examples(latents: Floats, transitions: Transitions) -> Examples:
    """Examples of the reverse transition: (z_k, time) -> (z_{k-1} - sqrt(1 - beta_k) z_k) / sqrt(beta_k).

    z_{k-1} is drawn from q(z_{k-1} | z_k, z_0). For normal latents the target is standard normal at each step.
    """

    def draw(rng: np.random.Generator, count: int) -> tuple[Floats, Floats, Floats]:
        z, k, _, clean = _noised(latents, transitions, rng, count)
        of_clean, of_noisy, deviation = (part[:, None] for part in transitions.posterior(k))
        before = of_clean * clean + of_noisy * z + deviation * rng.standard_normal(z.shape)
        beta = transitions.beta[k][:, None]
        target = (before - np.sqrt(1 - beta) * z) / np.sqrt(beta)
        return np.concatenate([z, transitions.features(k)], axis=1), target, np.ones(count)

    return draw


def layer_widths(latent_size: int, hidden: int) -> tuple[int, ...]:
    """Three hidden layers; latent and time go in, a latent comes out."""
    return (latent_size + TIME_FEATURES, hidden, hidden, hidden, latent_size)


def _noised(
    latents: Floats, transitions: Transitions, rng: np.random.Generator, count: int
) -> tuple[Floats, NDArray[np.int64], Floats, Floats]:
    clean = latents[rng.integers(0, len(latents), count)]
    k = rng.integers(1, transitions.steps + 1, count)
    noise = rng.standard_normal(clean.shape)
    signal = transitions.signal[k][:, None]
    return np.sqrt(signal) * clean + np.sqrt(1 - signal) * noise, k, noise, clean


def minimise(loss: Callable[[], Tensor], network: nn.Module, effort: Effort, progress: Progress | None) -> None:
    """Adam on a loss that draws its own examples, with clipped gradients."""
    optimizer = torch.optim.Adam(network.parameters(), effort.rate)
    for step in range(effort.steps):
        for group in optimizer.param_groups:
            group["lr"] = effort.rate * (0.5 + 0.5 * float(np.cos(np.pi * step / effort.steps)))
        value = loss()
        optimizer.zero_grad()
        value.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        if progress is not None:
            progress((step + 1) / effort.steps)
