"""A denoising diffusion model in NumPy whose noise, in training and in sampling, comes from any source."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtjspice.errors import InputError
from mtjspice.generative.diffusion import NoiseSchedule, cosine_schedule
from mtjspice.generative.mlp import Adam, Network, average_into, one_thread

Floats = NDArray[np.float64]
Noise = Callable[[tuple[int, ...]], Floats]
"""Numbers that stand in for N(0, 1), of the shape that is asked for."""

_FREQUENCIES = np.exp(np.linspace(0, np.log(200), 16))
_AVERAGING = 0.005


@dataclass(frozen=True)
class Training:
    """How long and on what a denoiser is trained; ``seed`` draws the weights, the images and the steps."""

    steps: int = 3000
    batch: int = 128
    width: int = 256
    rate: float = 1e-3
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.steps, self.batch, self.width) < 1 or not self.rate > 0:
            raise InputError("training needs steps, batch and width of 1 or more and a positive rate")


@dataclass(frozen=True, eq=False)
class Denoiser:
    """A network that tells the noise in an image of ``pixels`` values from the image and the step."""

    network: Network
    schedule: NoiseSchedule

    @property
    def pixels(self) -> int:
        """Values of an image."""
        return int(self.network.weights[-1].shape[1])

    def predict(self, images: Floats, steps: NDArray[np.int64]) -> Floats:
        """The noise in ``images`` (n, pixels) at ``steps`` (n,)."""
        return self.network(_inputs(images, steps, self.schedule))

    @one_thread()
    def sample(self, count: int, noise: Noise) -> Floats:
        """``count`` images by ancestral sampling (Ho et al., algorithm 2, with the clipped estimate of the image).

        ``noise`` is asked for (count, pixels) once for the start and once for each step but the last.
        """
        if count < 1:
            raise InputError(f"the number of images must be at least 1, not {count}")
        left = self.schedule.signal_fraction()
        x = np.asarray(noise((count, self.pixels)), np.float64)
        for step in range(self.schedule.steps, 0, -1):
            predicted = self.predict(x, np.full(count, step))
            now, before = left[step], left[step - 1]
            image = np.clip((x - np.sqrt(1 - now) * predicted) / np.sqrt(now), -1, 1)
            beta = 1 - now / before
            x = (np.sqrt(before) * beta * image + np.sqrt(now / before) * (1 - before) * x) / (1 - now)
            if step > 1:
                x += np.sqrt(beta * (1 - before) / (1 - now)) * noise((count, self.pixels))
        return x


@one_thread()
def train(
    images: Floats,
    noise: Noise,
    settings: Training | None = None,
    schedule: NoiseSchedule | None = None,
    progress: Callable[[float], None] | None = None,
) -> Denoiser:
    """Train a denoiser on ``images`` (n, pixels) from -1 to 1 with the noise of a source (Ho et al., algorithm 1).

    The parameters are averaged over the last steps. The result depends on the settings and the numbers of the source
    alone, to about 1e-12 whatever the processor and its threads.
    """
    chosen, plan = settings or Training(), schedule or cosine_schedule()
    images = np.asarray(images, np.float64)
    rng = np.random.default_rng(chosen.seed)
    pixels, left = images.shape[1], plan.signal_fraction()
    inputs = pixels + 2 * len(_FREQUENCIES)
    network = Network.drawn((inputs, chosen.width, chosen.width, chosen.width, pixels), rng, last=0.1)
    adam, average = Adam(network), network.copy()
    for step in range(chosen.steps):
        clean = images[rng.integers(0, len(images), chosen.batch)]
        steps = rng.integers(1, plan.steps + 1, chosen.batch)
        added = np.asarray(noise(clean.shape), np.float64)
        signal = left[steps][:, None]
        values = network.layers(_inputs(np.sqrt(signal) * clean + np.sqrt(1 - signal) * added, steps, plan))
        slope = 2 * (values[-1] - added) / added.size
        adam.step(network.gradients(values, slope), chosen.rate * (1 - step / chosen.steps) + 1e-5)
        average_into(average, network, max(_AVERAGING, 10 / (step + 10)))  # the first ones are soon forgotten
        if progress is not None and step % 50 == 49:
            progress((step + 1) / chosen.steps)
    return Denoiser(average, plan)


def _inputs(images: Floats, steps: NDArray[np.int64], schedule: NoiseSchedule) -> Floats:
    """Pixels, and sines and cosines of the step."""
    phase = (steps[:, None] / schedule.steps) * _FREQUENCIES * (2 * np.pi / 10)
    return np.concatenate([images, np.sin(phase), np.cos(phase)], axis=1)
