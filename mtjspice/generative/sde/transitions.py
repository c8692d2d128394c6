"""The discrete reverse diffusion of latents: schedule, ancestral step, and what its networks are told of time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtjspice.errors import InputError
from mtjspice.generative.diffusion import cosine_schedule

Floats = NDArray[np.float64]

STEPS = 20
TIME_FEATURES = 16
_FLOOR = 1e-3
_RATES = (0.1, 20.0)  # at times 0 and 1
_FASTEST = 8.0  # frequency of the time features: networks of random weights learn faster ones badly


@dataclass(frozen=True, eq=False)
class Transitions:
    """Coefficients of the steps k = 1 ... ``steps`` of a variance-preserving diffusion.

    ``signal`` (steps + 1,) is alpha_bar_k, ``beta`` (steps + 1,) the variance that step k adds, beta_0 = 0.
    """

    steps: int
    signal: Floats
    beta: Floats

    @classmethod
    def cosine(cls, steps: int = STEPS) -> "Transitions":
        """The schedule of A. Nichol and P. Dhariwal (2021), alpha_bar not below 0.001."""
        if steps < 2:
            raise InputError(f"a reverse diffusion needs 2 steps or more, not {steps}")
        schedule = cosine_schedule(steps, _FLOOR)
        return cls(steps, schedule.signal_fraction(), np.concatenate([[0.0], schedule.betas]))

    @classmethod
    def linear(cls, steps: int = STEPS) -> "Transitions":
        """Steps of 1 / ``steps`` of the SDE with the rate `rate` (Y. Song et al., arXiv 2011.13456, eq. 33)."""
        if steps < 2:
            raise InputError(f"a reverse diffusion needs 2 steps or more, not {steps}")
        signal = signal_left(np.arange(steps + 1) / steps)
        return cls(steps, signal, np.concatenate([[0.0], 1 - signal[1:] / signal[:-1]]))

    def posterior(self, step: NDArray[np.int64] | int) -> tuple[Floats, Floats, Floats]:
        """Factors of z_0 and z_k in the mean of q(z_{k-1} | z_k, z_0), and its deviation (Ho et al., eq. 7)."""
        k = np.asarray(step)
        now, before, beta = self.signal[k], self.signal[k - 1], self.beta[k]
        left = 1 - now
        return (
            np.sqrt(before) * beta / left,
            np.sqrt(1 - beta) * (1 - before) / left,
            np.sqrt(beta * (1 - before) / left),
        )

    def features(self, step: NDArray[np.int64] | int) -> Floats:
        """Sines and cosines of the time k / steps, shape (..., TIME_FEATURES)."""
        frequencies = np.geomspace(1.0, _FASTEST, TIME_FEATURES // 2)
        phase = np.asarray(step, np.float64)[..., None] / self.steps * frequencies * 2
        return np.concatenate([np.sin(phase), np.cos(phase)], axis=-1)


def rate(time: Floats | float) -> Floats:
    """beta(t) = g(t)^2 of the variance-preserving SDE dx = -beta x dt / 2 + sqrt(beta) dw, t from 0 to 1."""
    return np.asarray(_RATES[0] + np.asarray(time) * (_RATES[1] - _RATES[0]))


def signal_left(time: Floats | float) -> Floats:
    """alpha_bar(t) = exp(-integral of beta from 0 to t) of that SDE."""
    t = np.asarray(time)
    return np.asarray(np.exp(-(_RATES[0] * t + (_RATES[1] - _RATES[0]) * t * t / 2)))
