"""The voltage at which a pulse switches every other time, and how sharp the transition is."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from mtjspice.device.card import MTJCard, load_card
from mtjspice.device.constants import ROOM_TEMPERATURE
from mtjspice.device.derived import derive
from mtjspice.errors import InputError

_DEFAULT_WIDTH = 1e-8  # s, of spin-torque switching, where the card has no precession to go by
_STEPS = 24  # of the search, in groups of four
_COARSE, _FINE = 1e-2, 1e-4  # error of the probability while searching and at the end


@dataclass(frozen=True)
class HalfVoltage:
    """``voltage`` V50 (V) where a pulse of ``pulse_width`` (s) switches with the probability 1/2.

    ``slope`` (V) is the s of P = 1 / (1 + exp(-(|V| - |V50|) / s)) there: a device whose V50 is higher by dV has the
    logit lowered by dV / s.
    """

    voltage: float
    pulse_width: float
    slope: float


def default_pulse_width(card: MTJCard) -> float:
    """Half a precession at the critical voltage for a device switched by VCMA, else 10 ns; s."""
    half_period = derive(card).half_period
    return float(f"{half_period:.3g}") if np.isfinite(half_period) else _DEFAULT_WIDTH


def half_voltage(
    card: MTJCard | str,
    pulse_width: float | None = None,
    *,
    direction: str = "p-ap",
    temperature: float = ROOM_TEMPERATURE,
) -> HalfVoltage:
    """Find V50 of a device by the Fokker-Planck equation: the lowest one, if there are several.

    The sign is the one that switches: negative for P to AP by spin torque. InputError if no voltage up to three
    times the critical one (or 3 V) reaches 1/2.
    """
    from mtjspice.device.switching import switching_probability  # brings xarray

    device = load_card(card) if isinstance(card, str) else card
    width = default_pulse_width(device) if pulse_width is None else pulse_width
    by_torque = device.vcma_coefficient == 0
    sign = -1.0 if by_torque and direction == "p-ap" else 1.0

    def probability(volts: NDArray[np.float64], tolerance: float) -> NDArray[np.float64]:
        found = switching_probability(
            device, sign * volts, width, direction=direction, temperature=temperature, tolerance=tolerance
        )
        return np.asarray(found.probability.values[:, 0], dtype=np.float64)

    derived = derive(device)
    critical = abs(derived.stt_critical_voltage) if by_torque else derived.compensation_voltage
    limit = 3 * critical if np.isfinite(critical) else 3.0
    low, high = _bracket(device, partial(probability, tolerance=_COARSE), limit, f"{width:g} s {direction}")
    while True:  # the logit is nearly straight
        inner = np.linspace(low, high, 4)
        values = np.clip(probability(inner, _FINE), 1e-12, 1 - 1e-12)
        k = max(1, int(np.argmax(values >= 0.5)))
        low, high = float(inner[k - 1]), float(inner[k])
        slope = (high - low) / float(logit(values[k]) - logit(values[k - 1]))
        if high - low < slope / 2:
            break
    voltage = low - slope * float(logit(values[k - 1]))
    return HalfVoltage(float(f"{sign * voltage:.6g}"), width, slope)


def _bracket(
    card: MTJCard, probability: Callable[[NDArray[np.float64]], NDArray[np.float64]], limit: float, pulse: str
) -> tuple[float, float]:
    """The first two neighbouring voltages between which the probability passes 1/2."""
    grid = np.linspace(0, limit, _STEPS + 1)[1:]
    largest = 0.0
    for begin in range(0, _STEPS, 4):
        found = probability(grid[begin : begin + 4])
        above = np.flatnonzero(found >= 0.5)
        if above.size:
            k = begin + int(above[0])
            return (float(grid[k - 1]) if k else 0.0), float(grid[k])
        largest = max(largest, float(found.max()))
    raise InputError(
        f"card {card.name}: pulses of {pulse} up to {limit:.3g} V switch with the probability {largest:.3g} at most; "
        "a half voltage needs 1/2"
    )
