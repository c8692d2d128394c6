"""The forward process of a denoising diffusion model (DDPM), and a real image to run it on."""

from dataclasses import dataclass

import numpy as np
from matplotlib.cbook import get_sample_data
from matplotlib.image import imread
from numpy.typing import ArrayLike, NDArray

from mtjspice.errors import InputError

_FACE = (slice(38, 348), slice(108, 418))  # rows and columns of the face in the sample image
_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


@dataclass(frozen=True, eq=False)
class NoiseSchedule:
    """Variances ``betas`` of the noise that the steps 1 ... T add, shape (T,), each in (0, 1)."""

    betas: NDArray[np.float64]

    def __post_init__(self) -> None:
        betas = np.array(self.betas, dtype=np.float64)
        if betas.ndim != 1 or betas.size == 0 or not ((betas > 0) & (betas < 1)).all():
            raise ValueError("betas must be a vector of numbers between 0 and 1")
        betas.setflags(write=False)
        object.__setattr__(self, "betas", betas)

    @property
    def steps(self) -> int:
        """Number of steps T."""
        return self.betas.size

    def signal_fraction(self) -> NDArray[np.float64]:
        """Signal power left after steps 0 ... T, shape (T + 1,): alpha_bar_t = prod_{s <= t} (1 - beta_s)."""
        return np.concatenate([[1.0], np.cumprod(1 - self.betas)])


def linear_schedule(steps: int = 1000, first: float = 1e-4, last: float = 0.02) -> NoiseSchedule:
    """The schedule of J. Ho, A. Jain and P. Abbeel, "Denoising Diffusion Probabilistic Models" (2020)."""
    if steps < 1:
        raise InputError(f"a noise schedule needs at least 1 step, not {steps}")
    return NoiseSchedule(np.linspace(first, last, steps))


def cosine_schedule(steps: int = 100, floor: float = 1e-3) -> NoiseSchedule:
    """The schedule of A. Nichol and P. Dhariwal, "Improved Denoising Diffusion Probabilistic Models" (2021).

    alpha_bar_t = cos^2((t/T + 0.008)/1.008 pi/2), but not below ``floor``, so that few steps leave no singular one.
    """
    if steps < 1:
        raise InputError(f"a noise schedule needs at least 1 step, not {steps}")
    phase = (np.arange(steps + 1) / steps + 0.008) / 1.008 * np.pi / 2
    left = np.maximum(np.cos(phase) ** 2, floor)
    left /= left[0]
    return NoiseSchedule(np.clip(1 - left[1:] / left[:-1], 1e-9, 1 - 1e-9))


def forward_noise(
    image: ArrayLike, noise: ArrayLike, step: int, schedule: NoiseSchedule | None = None
) -> NDArray[np.float64]:
    """The image after ``step`` steps at once: sqrt(alpha_bar) image + sqrt(1 - alpha_bar) noise.

    This is eq. 4 of Ho et al. ``noise`` has the shape of ``image`` and should have mean 0 and variance 1;
    step 0 is the image itself, step T almost only noise. ``schedule`` is :func:`linear_schedule` if not
    given. InputError for a step outside 0 ... T.
    """
    chosen = linear_schedule() if schedule is None else schedule
    x0, epsilon = np.asarray(image, dtype=np.float64), np.asarray(noise, dtype=np.float64)
    if x0.shape != epsilon.shape:
        raise ValueError(f"image and noise differ in shape: {x0.shape} and {epsilon.shape}")
    if not 0 <= step <= chosen.steps:
        raise InputError(f"step {step} must lie between 0 and {chosen.steps}")
    signal = chosen.signal_fraction()[step]
    return np.asarray(np.sqrt(signal) * x0 + np.sqrt(1 - signal) * epsilon)


def sample_image(size: int = 64) -> NDArray[np.float64]:
    """A photograph of a face in grey, shape (size, size), from -1 (black) to 1 (white).

    It is the portrait of Grace Hopper among matplotlib's sample data (in the public domain), reduced to luma,
    cropped to the face and averaged over the area of each pixel. InputError for a size below 1.
    """
    if size < 1:
        raise InputError(f"the size of the sample image must be at least 1, not {size}")
    path = str(get_sample_data("grace_hopper.jpg", asfileobj=False))
    rgb = np.asarray(imread(path), dtype=np.float64)
    grey = (rgb @ np.array(_LUMA))[_FACE] / 127.5 - 1
    rows, columns = (_area_average(length, size) for length in grey.shape)
    return np.asarray(np.clip(rows @ grey @ columns.T, -1, 1), dtype=np.float64)


def _area_average(length: int, size: int) -> NDArray[np.float64]:
    """Weights, shape (size, length), with which ``size`` equal stretches of a row average its pixels."""
    edges = np.linspace(0, length, size + 1)
    starts = np.arange(length)
    overlap = np.minimum(edges[1:, None], starts + 1) - np.maximum(edges[:-1, None], starts)
    return np.asarray(np.maximum(overlap, 0) * size / length, dtype=np.float64)
