"""Devices that differ: cards drawn with the spread from device to device, and the barrier's thickness."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import exp, isfinite, sqrt

import numpy as np
from numpy.typing import NDArray

from mtjspice.device.card import PARAMETERS, MTJCard, Origin
from mtjspice.device.constants import ELECTRON_MASS, ELEMENTARY_CHARGE, REDUCED_PLANCK
from mtjspice.errors import InputError, choose

TRUNCATION = 4.0  # standard deviations beyond which a device is drawn anew
EFFECTIVE_BARRIER_HEIGHT = 0.39 * ELEMENTARY_CHARGE  # J, assumed: RA of MgO grows tenfold in 0.36 nm


def draw(
    card: MTJCard,
    count: int,
    rng: np.random.Generator,
    spread: Mapping[str, float] | None = None,
    correlation: Mapping[tuple[str, str], float] | None = None,
) -> list[MTJCard]:
    """Draw ``count`` devices whose parameters deviate from the card: value (1 + sigma z), z normal.

    ``spread`` gives sigma for each parameter (default: the card's ``device_spread``), ``correlation`` the
    correlation of pairs of them (0 where not given). A device with any |z| > 4 is drawn anew. Parameters that follow
    others (spin polarization, diameter_y) go with them; the barrier's RA does not follow its thickness, see
    `barrier_scaled`.

    Raises InputError for an unknown parameter, a spread outside 0 to 1, correlations that no distribution has, and
    a device that is no card (the spread is too wide for the allowed range).
    """
    spread = card.device_spread if spread is None else spread
    if count < 0 or count != int(count):
        raise InputError(f"number of devices {count!r} must be a whole number, 0 or more")
    for key, sigma in spread.items():
        choose("card parameter", key, PARAMETERS)
        if not 0 <= sigma <= 1:
            raise InputError(f"spread of {key} = {sigma:g} is out of range; allowed: 0 to 1 (relative deviation)")
    keys = list(spread)
    deviations = _deviations(count, rng, mixing(keys, correlation or {}))
    drawn = {key: Origin("derived", f"drawn: {getattr(card, key):.6g} with a deviation of {spread[key]:.3g}")
             for key in keys}  # fmt: skip
    cards = []
    for device, z in enumerate(deviations):
        values = {key: getattr(card, key) * (1 + spread[key] * float(z[k])) for k, key in enumerate(keys)}
        try:
            changed = card.replace(**values)
        except InputError as error:
            raise InputError(f"device {device} of the spread: {error}") from None
        cards.append(replace(changed, origins={**changed.origins, **drawn}))
    return cards


def mixing(keys: Sequence[str], correlation: Mapping[tuple[str, str], float]) -> NDArray[np.float64]:
    """Return a matrix M (n, n) with M M^T the correlation matrix of the parameters ``keys``.

    Raises InputError for correlations of others, outside -1 to 1, and for those that no distribution has.
    """
    matrix = np.eye(len(keys))
    places = {key: k for k, key in enumerate(keys)}
    for pair, value in correlation.items():
        if len(pair) != 2 or pair[0] == pair[1] or not set(pair) <= set(keys):
            raise InputError(f"correlation of {pair!r}: expected two different parameters that have a spread")
        if not -1 <= value <= 1:
            raise InputError(f"correlation of {pair[0]} and {pair[1]} = {value:g} is out of range; allowed: -1 to 1")
        if correlation.get((pair[1], pair[0]), value) != value:
            raise InputError(f"correlation of {pair[0]} and {pair[1]} is given twice, with different values")
        i, j = places[pair[0]], places[pair[1]]
        matrix[i, j] = matrix[j, i] = value
    # unlike Cholesky's, this root exists for a singular matrix too (a correlation of 1)
    values, vectors = np.linalg.eigh(matrix)
    if np.any(values < -1e-9):
        raise InputError(f"the correlations contradict each other (smallest eigenvalue {values[0]:.3g}, must be >= 0)")
    root: NDArray[np.float64] = vectors * np.sqrt(np.maximum(values, 0))
    return root


def _deviations(count: int, rng: np.random.Generator, root: NDArray[np.float64]) -> NDArray[np.float64]:
    """Draw correlated normal deviates (count, n), none beyond the truncation."""
    z = rng.standard_normal((count, len(root))) @ root.T
    while True:
        beyond = np.flatnonzero(np.any(np.abs(z) > TRUNCATION, axis=1))
        if not len(beyond):
            return z
        z[beyond] = rng.standard_normal((len(beyond), len(root))) @ root.T


def barrier_scaled(card: MTJCard, thickness: float) -> MTJCard:
    """Return the card with another barrier thickness (m), its RA scaled by exp[2 kappa (t - t_card)].

    2 kappa = 2 sqrt(2 m_e phi)/hbar (tunnelling through a rectangular barrier, WKB) with phi the barrier height of
    the card, or 0.39 eV (assumed; 6.4 per nm) where the card has none.
    """
    phi = card.barrier_height if isfinite(card.barrier_height) else EFFECTIVE_BARRIER_HEIGHT
    decay = 2 * sqrt(2 * ELECTRON_MASS * phi) / REDUCED_PLANCK
    exponent = min(decay * (thickness - card.barrier_thickness), 700.0)  # far out of range either way
    return card.replace(
        barrier_thickness=thickness, resistance_area_product=card.resistance_area_product * exp(exponent)
    )
