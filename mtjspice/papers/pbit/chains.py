"""P-bits that are read, pulsed and read again without a reset: their chains, and what sums of them put out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mtjspice.papers.pbit import claims

if TYPE_CHECKING:
    from mtjspice.device.card import MTJCard

Floats = NDArray[np.float64]

STT_CARD, STT_WIDTH = "stt_trng_10ns", 1e-8  # s, for which that card is made
VOLTAGE_TORQUE, CURRENT_TORQUE = "voltage", "const"  # torque models of a card


@dataclass(frozen=True, eq=False)
class Chain:
    """Flips P to AP (``p01``) and AP to P (``p10``) at each of ``drives``, both (n,); ``error`` bounds either."""

    drives: Floats
    p01: Floats
    p10: Floats
    error: float

    @property
    def memory(self) -> Floats:
        """lambda = 1 - p01 - p10: the correlation of consecutive states."""
        return 1 - self.p01 - self.p10

    @property
    def ones(self) -> Floats:
        """Stationary P(AP); NaN where nothing flips."""
        flips = self.p01 + self.p10
        return np.divide(self.p01, flips, out=np.full_like(flips, np.nan), where=flips > self.error)

    def joined(self, other: "Chain") -> "Chain":
        """Both, in order of the drives."""
        order = np.argsort(np.concatenate([self.drives, other.drives]))
        drives, p01, p10 = (
            np.concatenate([getattr(one, name) for one in (self, other)])[order] for name in ("drives", "p01", "p10")
        )  # fmt: skip
        return Chain(drives, np.asarray(p01), np.asarray(p10), max(self.error, other.error))

    def without_memory(self) -> tuple[float, float]:
        """Drive at which lambda is first 0, and P(AP) there; NaN if it is nowhere."""
        below = np.flatnonzero(self.memory <= 0)
        if not below.size or below[0] == 0:
            return float("nan"), float("nan")
        k = int(below[0])
        share = self.memory[k - 1] / (self.memory[k - 1] - self.memory[k])
        at = self.drives[k - 1] + share * (self.drives[k] - self.drives[k - 1])
        # there p01 + p10 = 1, and P(AP) is p01
        return float(at), float(self.p01[k - 1] + share * (self.p01[k] - self.p01[k - 1]))


def refined(make: Callable[[Floats], Chain], drives: Floats, rounds: int = 2) -> Chain:
    """A chain at ``drives`` and, round by round, to either side of where the last one says that it has no memory."""
    found = make(drives)
    for _ in range(rounds):
        at, _ = found.without_memory()
        if np.isfinite(at):
            k = int(np.searchsorted(found.drives, at))
            apart = 0.15 * (found.drives[k] - found.drives[k - 1])
            found = found.joined(make(np.array([at - apart, at + apart])))
    return found


def of_vcma(volts: Floats) -> Chain:
    """Pulses of the paper's width on the paper's junction: one polarity flips it both ways."""
    from mtjspice.papers.pbit import cells

    return _chain(cells.card(), volts, volts, claims.PULSE_WIDTH, volts)


def of_product(card: "MTJCard", volts: float, products: Floats) -> Chain:
    """The same pulse on junctions of other resistance-area ``products`` (ohm m^2): the current brings a torque."""
    at = np.array([volts])
    found = [
        _chain(card.replace(resistance_area_product=one), at, at, claims.PULSE_WIDTH, np.array([one]))
        for one in products
    ]
    p01, p10 = (np.concatenate([getattr(one, name) for one in found]) for name in ("p01", "p10"))
    return Chain(products, p01, p10, max(one.error for one in found))


def of_spin_torque(volts: Floats, model: str, *, towards_other: bool = True) -> Chain:
    """Pulses of 10 ns on an STT junction, ``model`` being that of the torque.

    ``towards_other``: of the polarity that drives away from the state that was read; else always towards P.
    """
    from mtjspice.device.card import load_card

    return _chain(
        load_card(STT_CARD).replace(torque_model=model), -volts if towards_other else volts, volts, STT_WIDTH, volts
    )


def _chain(card: "MTJCard", rising: Floats, falling: Floats, width: float, drives: Floats) -> Chain:
    from mtjspice.device.switching import switching_probability

    data = [
        switching_probability(card, volts, [width], direction=direction, tolerance=1e-3)
        for direction, volts in (("p-ap", rising), ("ap-p", falling))
    ]
    p01, p10 = (np.clip(one.probability.values[:, 0], 0, 1) for one in data)
    return Chain(drives, p01, p10, max(float((one.high - one.low).max()) / 2 for one in data))


# --- closed forms --------------------------------------------------------------------------------------------


def inflation(memory: float, count: int | None = None) -> float:
    """Variance of the mean of ``count`` states over that of independent ones; in the limit (1 + l) / (1 - l).

    It holds for every linear sum of chains that are alike, since the correlation at lag k is l^k.
    """
    limit = (1 + memory) / (1 - memory)
    return limit if count is None else limit - 2 * memory * (1 - memory**count) / (count * (1 - memory) ** 2)


def relaxed(memory: float, kept: float) -> tuple[float, float]:
    """Variance over that with fresh bits, and autocorrelation at lag 1, of x <- c x + n with n of memory l.

    (1 + c l) / (1 - c l) and (c + l) / (1 + c l): x is an autoregression of second order with the roots c and l.
    """
    return (1 + kept * memory) / (1 - kept * memory), (kept + memory) / (1 + kept * memory)


def driven(p01: float, p10: float, kept: float, seed: int, *, steps: int, runs: int, lanes: int = 16) -> Floats:
    """x <- c x + n (steps, runs), n the standardised sum of ``lanes`` emulated P-bits; x begins at rest for long."""
    from scipy.signal import lfilter

    from mtjspice.device.chain import ChainModel

    before = round(10 / (1 - kept))
    rng = np.random.default_rng(seed)
    model = ChainModel(np.array([p01]), np.array([p10]))
    ones = p01 / (p01 + p10)
    bits = model.sample(steps + before, rng, lanes=runs * lanes).reshape(steps + before, runs, lanes)
    noise = (bits.sum(axis=2, dtype=np.int64) - lanes * ones) / np.sqrt(lanes * ones * (1 - ones))
    return np.asarray(lfilter([1.0], [1.0, -kept], noise, axis=0)[before:])
