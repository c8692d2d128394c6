"""Sampling of latents: the ordinary network with added noise (ex situ), the drop-connect network without (in situ)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mtjspice.errors import InputError
from mtjspice.generative.mlp import one_thread
from mtjspice.generative.sde.network import DropConnectNetwork, Perceptron, drawn_pass
from mtjspice.generative.sde.pairs import PairImperfections, pair_levels
from mtjspice.generative.sde.transitions import TIME_FEATURES, Transitions
from mtjspice.generative.weights import shipped

Floats = NDArray[np.float64]
Bits = NDArray[np.uint8]
Noise = Callable[[tuple[int, ...]], Floats]

EX_SITU = "sde_exsitu"
IN_SITU = "sde_insitu"
_BITS_AT_ONCE = 1 << 24
_SATURATION = 100.0  # of standardised latents between passes: what pairs with large errors do stays finite


class BitSupply(Protocol):
    """P-bits of all weights, pass after pass."""

    def read(self, passes: int) -> Bits:
        """P-bits of the next passes, shape (passes, P-bits of a pass)."""


@dataclass(frozen=True, eq=False)
class ExSitu:
    """A network that predicts the noise; the noise of the steps is added to what it computes."""

    network: Perceptron
    transitions: Transitions

    @classmethod
    @lru_cache(maxsize=1)
    def shipped(cls) -> "ExSitu":
        """The network that comes with mtjspice."""
        return cls(Perceptron.from_arrays(shipped(EX_SITU), EX_SITU), Transitions.cosine())

    @property
    def size(self) -> int:
        """Numbers of a latent."""
        return len(self.network.biases[-1])

    @property
    def numbers(self) -> int:
        """Noise numbers of one latent: its start and each step but the last."""
        return self.size * self.transitions.steps

    @one_thread()
    def sample(self, count: int, noise: Noise) -> Floats:
        """Latents (count, d) by ancestral sampling (Ho et al., algorithm 2), all numbers from ``noise``."""
        _check(count)
        steps = self.transitions
        z = np.asarray(noise((count, self.size)), np.float64)
        for k in range(steps.steps, 0, -1):
            predicted = self.network(_with_time(z, steps, k))
            clean = (z - np.sqrt(1 - steps.signal[k]) * predicted) / np.sqrt(steps.signal[k])
            of_clean, of_noisy, deviation = steps.posterior(k)
            z = of_clean * clean + of_noisy * z
            if k > 1:
                z += deviation * noise(z.shape)
        return z


@dataclass(frozen=True, eq=False)
class InSitu:
    """A drop-connect network that makes the reverse transition with its own randomness; nothing is added."""

    network: DropConnectNetwork
    transitions: Transitions

    @classmethod
    @lru_cache(maxsize=1)
    def shipped(cls) -> "InSitu":
        """The network that comes with mtjspice."""
        return cls(DropConnectNetwork.from_arrays(shipped(IN_SITU), IN_SITU), Transitions.cosine())

    @property
    def size(self) -> int:
        """Numbers of a latent."""
        return len(self.network.biases[-1])

    @property
    def pbits(self) -> int:
        """P-bits that one latent takes: weights times steps."""
        return self.network.pbits * self.transitions.steps

    def levels(self, flaws: PairImperfections | None = None) -> tuple[tuple[Floats, Floats], ...]:
        """Weights of each layer for P-bits 0 and 1, in pairs with ``flaws``."""
        if flaws is None:
            return self.network.levels()
        both = zip(self.network.weights, self.network.amplitudes, strict=True)
        return tuple(pair_levels(w, a, flaws, layer) for layer, (w, a) in enumerate(both))

    @one_thread()
    def sample(self, start: Floats, pbits: BitSupply, flaws: PairImperfections | None = None) -> Floats:
        """Latents (n, d) from the standard normal ``start`` (n, d).

        One array serves one latent after the other, with a pass for each step: in that order P-bits are taken.
        """
        _check(len(start))
        levels, steps = self.levels(flaws), self.transitions.steps
        size = max(1, _BITS_AT_ONCE // self.pbits)
        parts = []
        for begin in range(0, len(start), size):
            z = start[begin : begin + size]
            bits = pbits.read(len(z) * steps).reshape(len(z), steps, -1)
            for done in range(steps):
                z = self._step(z, steps - done, partial(self._drawn, levels, bits[:, done]))
            parts.append(z)
        return np.concatenate(parts)

    @one_thread()
    def sample_mean(self, start: Floats) -> Floats:
        """Latents (n, d) with mean weights: what is left without P-bits."""
        network = self.network.mean()
        z = start
        for k in range(self.transitions.steps, 0, -1):
            z = self._step(z, k, network)
        return z

    def transition(self, z: Floats, step: int, bits: Bits, flaws: PairImperfections | None = None) -> Floats:
        """z_{k-1} (n, d) of z_k (n, d) with P-bits (n, P-bits of a pass)."""
        return self._step(z, step, partial(self._drawn, self.levels(flaws), bits))

    def _drawn(self, levels: Sequence[tuple[Floats, Floats]], bits: Bits, x: Floats) -> Floats:
        return drawn_pass(levels, self.network.biases, x, bits)

    def _step(self, z: Floats, k: int, compute: Callable[[Floats], Floats]) -> Floats:
        beta = self.transitions.beta[k]
        following = np.sqrt(1 - beta) * z + np.sqrt(beta) * compute(_with_time(z, self.transitions, k))
        return np.asarray(np.clip(following, -_SATURATION, _SATURATION))


def _with_time(z: Floats, transitions: Transitions, step: int) -> Floats:
    return np.concatenate([z, np.broadcast_to(transitions.features(step), (len(z), TIME_FEATURES))], axis=1)


def _check(count: int) -> None:
    if count < 1:
        raise InputError(f"the number of latents must be at least 1, not {count}")
