"""A published image back to its latent, the generator being known.

Least squares over the pixels from random starts: first by Adam, then by the method of Levenberg and Marquardt with the
damping of H. B. Nielsen (IMM-REP 1999-05). An image has many more pixels than its latent has numbers, so that the right
minimum is known when it is met: its residual is that of rounding to 256 levels, (2/255)^2 / 12 a pixel. The error of
the latent has a known covariance there, and the latent is rounded to words one number after the other (`words`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtjspice.errors import InputError
from mtjspice.generative.attack.decoder import Decoder
from mtjspice.generative.mlp import one_thread
from mtjspice.generative.torch_threads import one_torch_thread, require_torch

Floats = NDArray[np.float64]

ROUNDING = (2 / 255) ** 2 / 12
"""Mean squared error of a pixel in [-1, 1] that was rounded to 256 levels."""
_SOLVED = 1.2  # residual over that of rounding
_START = 0.3  # deviation of a start: near the mean, where generators are steep
_SAME = 1e-2  # relative difference of two residuals that are taken for one minimum
_LEAST_GAIN = 1e-3  # of the residual in a step: less is the end
_FIRST_DAMPING = 1e-2
_RATE = 0.1  # of Adam
_HOPELESS = 0.7
_STALE = 0.5  # gain over that expected, below which derivatives are taken anew
_MOST_GROWTH = 2.0**10


@dataclass(frozen=True)
class Search:
    """``restarts`` starts: ``approach`` steps of Adam, then up to ``steps`` steps of Levenberg and Marquardt.

    A start is given up whose residual has hardly fallen in ``patience`` of the latter.
    """

    restarts: int = 10
    approach: int = 80
    steps: int = 100
    patience: int = 12

    def __post_init__(self) -> None:
        if min(self.restarts, self.approach, self.steps, self.patience) < 1:
            raise InputError("an inversion takes 1 restart, 1 step of each kind and 1 of patience, or more")


@dataclass(frozen=True, eq=False)
class Inversion:
    """An estimated latent (d,) with the ``precision`` (d, d), the inverse covariance, of its error.

    ``residual`` is the mean squared difference of pixels in [-1, 1], ``starts`` how many were tried, ``jacobians`` how
    many derivatives all of them took. It is ``solved`` if the residual is that of rounding.
    """

    latent: Floats
    precision: Floats
    residual: float
    starts: int
    jacobians: int

    @property
    def solved(self) -> bool:
        """Whether nothing but the rounding of pixels is left."""
        return self.residual <= _SOLVED * ROUNDING

    def errors(self) -> Floats:
        """Standard deviation of each number's error, shape (d,)."""
        return np.asarray(np.sqrt(np.diag(np.linalg.inv(self.precision))))


def invert(
    decoder: Decoder,
    image: NDArray[np.uint8],
    number: int = 0,
    seed: int = 0,
    search: Search | None = None,
    progress: Callable[[float], None] | None = None,
) -> Inversion:
    """The latent of a published image (height, width, channels), number ``number`` of its stream.

    Starts are drawn from ``seed`` and ``number``. The first one that explains the image ends the search, as does the
    second one that meets the best minimum (as after JPEG); else the best one counts. InputError if the decoder gives
    images of another shape or cannot be differentiated.
    """
    chosen = search or Search()
    torch = require_torch("the inversion of a generator")
    rng = np.random.default_rng([seed, number])
    wanted = torch.from_numpy((image.astype(np.float32) / 127.5 - 1).transpose(2, 0, 1).reshape(-1).copy())
    shape = decoder.images(np.zeros((1, decoder.latent_size)), number).shape[1:]
    if shape != (image.shape[2], *image.shape[:2]):
        raise InputError(f"{decoder.name} gives images of shape {shape}, the published one is {image.shape}")
    best: tuple[float, Any, Any] | None = None
    jacobians = 0
    for start in range(chosen.restarts):
        latent = torch.from_numpy((_START * rng.standard_normal(decoder.latent_size)).astype(np.float32))
        with torch.no_grad(), one_torch_thread(), one_thread():
            cost, latent, normal, steps = _descend(decoder, latent, wanted, number, chosen)
        jacobians += steps
        met_again = best is not None and abs(cost - best[0]) < _SAME * best[0]
        if best is None or cost < best[0]:
            best = cost, latent, normal
        if progress is not None:
            progress((start + 1) / chosen.restarts)
        if best[0] <= _SOLVED * ROUNDING or met_again:
            break
    assert best is not None
    cost, latent, normal = best
    # what differs beyond the rounding is error as well: the variance is that of the residual
    variance = max(cost, ROUNDING)
    # a number is a normal one before anything is seen: directions that no pixel shows are as uncertain as that
    precision = normal / variance + np.eye(decoder.latent_size)
    return Inversion(latent.double().numpy(), precision, cost, start + 1, jacobians)


def _approach(decoder: Decoder, latent: Any, wanted: Any, number: int, steps: int) -> Any:
    """Where Adam (D. P. Kingma and J. Ba 2015) comes to, from ``latent``: cheap steps for the first part of the way."""
    torch = require_torch("the inversion of a generator")
    moving = latent.clone().requires_grad_()
    optimizer = torch.optim.Adam([moving], _RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    with torch.enable_grad():
        for _ in range(steps):
            optimizer.zero_grad()
            loss = (decoder.pixels(moving, number) - wanted).square().mean()
            if not loss.requires_grad:
                raise InputError(f"{decoder.name} cannot be differentiated: its images do not follow torch's gradients")
            loss.backward()
            optimizer.step()
            schedule.step()
    return moving.detach()


def _descend(decoder: Decoder, latent: Any, wanted: Any, number: int, search: Search) -> tuple[float, Any, Floats, int]:
    """Residual per pixel, latent, J J^T and number of Jacobians from one start.

    Derivatives cost as much as a hundred images; after a good step they are corrected by what it did (C. G. Broyden
    1965), and taken anew where that no longer helps.
    """
    latent = _approach(decoder, latent, wanted, number, search.approach)
    residual = decoder.pixels(latent, number) - wanted
    cost, damping, growth, fresh, jacobians = _mean_square(residual), 0.0, 2.0, False, 0
    jacobian = None
    history = [cost]
    while len(history) <= search.steps:
        if jacobian is None:
            jacobian, fresh = decoder.jacobian(latent, number), True
            jacobians += 1
        normal, slope = _products(jacobian, residual)
        # as if the numbers of a latent were normal ones and the residual noise
        damping = damping or _FIRST_DAMPING * cost * len(wanted)
        move = np.linalg.solve(normal + damping * np.eye(len(slope)), slope)
        step = latent.new_tensor(-move)
        after = decoder.pixels(latent + step, number) - wanted
        reached = _mean_square(after)
        if reached < cost:
            gain = (cost - reached) * len(wanted) / max(float(move @ (slope + damping * move)), 1e-300)
            damping *= max(1 / 5, 1 - (2 * gain - 1) ** 3) if gain < 1 else 1 / 5
            growth = 2.0
            change = step[:, None] * (after - residual - step @ jacobian) / step.square().sum()
            converged = cost - reached < _LEAST_GAIN * cost
            latent, residual, cost = latent + step, after, reached
            history.append(cost)
            hopeless = len(history) > search.patience and cost > _HOPELESS * history[-1 - search.patience]
            if (converged and (fresh or cost <= _SOLVED * ROUNDING)) or hopeless:
                break
            jacobian, fresh = (None, False) if gain < _STALE else (jacobian + change, False)
        elif fresh:
            damping *= growth
            growth *= 2
            if growth > _MOST_GROWTH:
                break
        else:
            jacobian = None
    # one step of Gauss and Newton with the derivatives that the covariance needs anyway
    jacobian = decoder.jacobian(latent, number)
    normal, slope = _products(jacobian, residual)
    ridge = 1e-9 * np.trace(normal) / len(normal) + 1e-300
    move = np.linalg.solve(normal + ridge * np.eye(len(normal)), slope)
    after = _mean_square(decoder.pixels(latent + latent.new_tensor(-move), number) - wanted)
    if after < cost:
        latent, cost = latent + latent.new_tensor(-move), after
    return cost, latent, normal, jacobians + 1


def _products(jacobian: Any, residual: Any) -> tuple[Floats, Floats]:
    """J J^T and J r in double precision, whatever J is in: single precision loses the small eigenvalues."""
    double = jacobian.double()
    return _double(double @ double.T), _double(double @ residual.double())


def _mean_square(residual: Any) -> float:
    return float(residual.double().square().mean())


def _double(values: Any) -> Floats:
    return np.asarray(values.double().numpy())
