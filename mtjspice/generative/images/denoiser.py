"""A denoising diffusion model of images in PyTorch whose noise comes from any source."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from mtjspice.errors import InputError
from mtjspice.generative.diffusion import cosine_schedule
from mtjspice.generative.images.parameters import seeded
from mtjspice.generative.images.unet import UNet
from mtjspice.generative.torch_threads import one_torch_thread

Floats = NDArray[np.float64]
Noise = Callable[[tuple[int, ...]], Floats]
"""Numbers that stand in for N(0, 1), of the shape that is asked for."""

SAMPLING_STEPS = 50
_BATCH = 250
_FLOOR = 1e-3


@dataclass(frozen=True)
class ImageTraining:
    """How long and on what a U-Net is trained; ``seed`` draws the parameters, the images and the times."""

    steps: int = 1600
    batch: int = 128
    width: int = 24
    rate: float = 2e-3
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.steps, self.batch) < 1 or not self.rate > 0 or self.width < 8 or self.width % 8:
            raise InputError("training needs 1 step and image or more, a positive rate and a width of 8, 16, 24 ...")


@dataclass(frozen=True, eq=False)
class ImageDenoiser:
    """A trained U-Net for images of ``side`` pixels, and the number of steps in which it draws."""

    network: UNet
    side: int
    steps: int = SAMPLING_STEPS

    @one_torch_thread()
    @torch.inference_mode()
    def sample(self, count: int, noise: Noise) -> Floats:
        """``count`` images (count, channels, side, side) by ancestral sampling (Ho et al., algorithm 2).

        The estimate of the image is clipped. ``noise`` is asked for all images at once, for the start and for each step
        but the last, so that no number depends on how the network is fed.
        """
        if count < 1:
            raise InputError(f"the number of images must be at least 1, not {count}")
        left = cosine_schedule(self.steps, _FLOOR).signal_fraction()
        shape = (count, self.network.channels, self.side, self.side)
        x = np.asarray(noise(shape), np.float64)
        for step in range(self.steps, 0, -1):
            predicted = self._predict(x, step / self.steps)
            now, before = left[step], left[step - 1]
            image = np.clip((x - np.sqrt(1 - now) * predicted) / np.sqrt(now), -1, 1)
            beta = 1 - now / before
            x = (np.sqrt(before) * beta * image + np.sqrt(now / before) * (1 - before) * x) / (1 - now)
            if step > 1:
                x += np.sqrt(beta * (1 - before) / (1 - now)) * noise(shape)
        return x

    def _predict(self, images: Floats, time: float) -> Floats:
        kind = self.network.leave.weight.dtype
        parts = []
        for start in range(0, len(images), _BATCH):
            part = torch.from_numpy(images[start : start + _BATCH]).to(kind)
            parts.append(self.network(part, torch.full((len(part),), time, dtype=kind)).to(torch.float64))
        return np.asarray(torch.cat(parts).numpy(), np.float64)


@one_torch_thread()
def train(
    images: NDArray[np.uint8],
    noise: Noise,
    settings: ImageTraining | None = None,
    progress: Callable[[float], None] | None = None,
    kind: torch.dtype = torch.float64,
) -> ImageDenoiser:
    """Train on ``images`` (n, channels, side, side) of 0 to 255 with the noise of a source (Ho et al., algorithm 1).

    Times are uniform from 0 to 1; the parameters are averaged over the last steps. In double precision (``kind``) the
    result is the same on every processor to the digits that distances are reported with. InputError for a side that is
    no multiple of 4.
    """
    chosen = settings or ImageTraining()
    channels, side = images.shape[1], images.shape[2]
    if side % 4 or images.shape[3] != side:
        raise InputError(f"images must be square with a side that is a multiple of 4, not {images.shape[2:]}")
    rng = np.random.default_rng(chosen.seed)
    network = seeded(lambda: UNet(channels, chosen.width), chosen.seed).to(kind)
    average = seeded(lambda: UNet(channels, chosen.width), chosen.seed).to(kind)
    optimizer = torch.optim.AdamW(network.parameters(), chosen.rate, betas=(0.9, 0.99))
    for step in range(chosen.steps):
        for group in optimizer.param_groups:
            group["lr"] = chosen.rate * min(1.0, (step + 1) / 50) * _cosine(step / chosen.steps)
        clean = images[rng.integers(0, len(images), chosen.batch)] / 127.5 - 1
        times = rng.random(chosen.batch)
        signal = _signal(times)[:, None, None, None]
        added = np.asarray(noise(clean.shape), np.float64)
        noisy = torch.from_numpy(np.sqrt(signal) * clean + np.sqrt(1 - signal) * added).to(kind)
        target = torch.from_numpy(added).to(kind)
        loss = (network(noisy, torch.from_numpy(times).to(kind)) - target).square().mean()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        _average_into(average, network, max(0.005, 10 / (step + 11)))
        if progress is not None:
            progress((step + 1) / chosen.steps)
    return ImageDenoiser(average.eval().requires_grad_(False), side)


def _signal(times: Floats) -> Floats:
    """Signal power at a time from 0 to 1, as `cosine_schedule` has it at its steps."""
    phase = (np.append(times, 0.0) + 0.008) / 1.008 * np.pi / 2
    left = np.maximum(np.cos(phase) ** 2, _FLOOR)
    return np.asarray(left[:-1] / left[-1])


def _cosine(fraction: float) -> float:
    return 0.5 * (1 + math.cos(math.pi * fraction)) + 0.01


@torch.no_grad()
def _average_into(average: nn.Module, network: nn.Module, share: float) -> None:
    for a, p in zip(average.parameters(), network.parameters(), strict=True):
        a.lerp_(p, share)
