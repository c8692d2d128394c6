"""The reverse SDE of a variance-preserving diffusion by Euler and Maruyama: exact score, explicit noise.

Y. Song et al., arXiv 2011.13456 (2021): dx = -(beta x / 2 + beta score) dt + sqrt(beta) dw backwards in time, in steps
dt = 1 / N from t = 1 to 0.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mtjspice.errors import InputError
from mtjspice.generative.sde.mixtures import Mixture
from mtjspice.generative.sde.transitions import rate, signal_left

Floats = NDArray[np.float64]
Noise = Callable[[tuple[int, ...]], Floats]

_REACH = 5.0  # of the grid, on which a law in one dimension is followed
_POINTS = 401
_QUANTILES = 4000


def drift_step(x: Floats, time: float, dt: float, mixture: Mixture) -> Floats:
    """Where the step from ``time`` to ``time`` - dt leads without noise; x and result (n, d)."""
    beta = float(rate(time))
    score = mixture.diffused(float(signal_left(time))).score(x)
    return np.asarray(x + beta * dt * (x / 2 + score))


def injected_variance(time: float, dt: float) -> float:
    """g^2 dt = beta(t) dt: the variance that each step adds in each direction."""
    return float(rate(time)) * dt


def sample(mixture: Mixture, steps: int, count: int, noise: Noise) -> Floats:
    """Samples (count, d) of a mixture from standard normal numbers, all from ``noise``."""
    if count < 1 or steps < 1:
        raise InputError(f"a sampler needs 1 sample and step or more, not {count} and {steps}")
    dt = 1 / steps
    x = np.asarray(noise((count, mixture.size)), np.float64)
    for k in range(steps, 0, -1):
        time = k * dt
        x = drift_step(x, time, dt, mixture) + np.sqrt(injected_variance(time, dt)) * noise(x.shape)
    return x


def law_error(mixture: Mixture, steps: int) -> float:
    """Distance W2 of the law of `sample` in one dimension, for exact normal noise and no sampling error.

    The law is followed on a grid, each step by its own normal kernel; InputError above 100 steps, whose kernels are
    narrower than two points of the grid.
    """
    if not 1 <= steps <= 100:
        raise InputError(f"the law is followed through 1 to 100 steps, not {steps}")
    grid = np.linspace(-_REACH, _REACH, _POINTS)
    spacing = grid[1] - grid[0]
    density = np.exp(-(grid**2) / 2) / np.sqrt(2 * np.pi)
    dt = 1 / steps
    for k in range(steps, 0, -1):
        centres = drift_step(grid[:, None], k * dt, dt, mixture)[:, 0]
        width = np.sqrt(injected_variance(k * dt, dt))
        density = density @ np.exp(-(((grid - centres[:, None]) / width) ** 2) / 2) * spacing
        density /= np.sqrt(2 * np.pi) * width
    distribution = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2) * spacing])
    levels = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
    found = np.interp(levels, distribution / distribution[-1], grid)
    return float(np.sqrt(np.mean((found - mixture.quantiles(levels)) ** 2)))


def wasserstein(samples: Floats, mixture: Mixture) -> float:
    """W2 between samples (n,) and a mixture in one dimension, by quantiles."""
    values = np.sort(np.ravel(samples))
    levels = (np.arange(values.size) + 0.5) / values.size
    return float(np.sqrt(np.mean((values - mixture.quantiles(levels)) ** 2)))


def order(steps: list[int], errors: list[float]) -> float:
    """Order of convergence p of errors ~ steps^-p: the slope by least squares in logarithms."""
    slope, _ = np.polyfit(np.log(steps), np.log(errors), 1)
    return -float(slope)
