"""Questions to a stream that are answered by a p-value, for ideal bits as the null hypothesis."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import bdtr, chdtrc, pdtrc

from mtjspice.bits.diagnostics import Diagnosis, joint_ones
from mtjspice.bits.drift import Drift
from mtjspice.bits.entropy import BlockEntropy
from mtjspice.bits.overlaps import overlap_p_value, sidak
from mtjspice.bits.prediction import Predictions
from mtjspice.bits.similarity import Similarity
from mtjspice.bits.stream import BitStream
from mtjspice.statistics import Proportion

_FEWEST_FOR_LAGS = 100


@dataclass(frozen=True)
class Question:
    """The p-value of what was ``asked``, and the sentence that says what is suspicious should it be small."""

    asked: str
    p_value: float
    sentence: str

    def as_dict(self) -> dict[str, Any]:
        """Plain types for JSON."""
        return {"asked": self.asked, "p_value": self.p_value}


@dataclass(frozen=True)
class Complexity:
    """Linear complexity of the first ``bits`` bits; about half as much is expected."""

    bits: int
    value: int

    @property
    def p_value(self) -> float:
        """Two-sided, for ideal bits."""
        return complexity(self.value, self.bits)


def balance(ones: int, n: int) -> float:
    """Two-sided exact binomial p-value of ``ones`` among n fair bits."""
    return float(min(1.0, 2 * bdtr(min(ones, n - ones), n, 0.5)))


def correlation(stream: BitStream, lags: int) -> tuple[float, int]:
    """P-value of the lag with the most unlikely number of joint ones, corrected for all of them, and that lag.

    Given the ones, their number at distance k is hypergeometric for independent bits to order 1/n.
    """
    joint = joint_ones(stream, lags)
    n, ones = stream.length, int(joint[0])
    k = np.arange(1, lags + 1)
    earlier = ones - np.cumsum(stream[n - lags :].bits()[::-1], dtype=np.int64)
    later = ones - np.cumsum(stream[:lags].bits(), dtype=np.int64)
    expected = earlier * (later / (n - k))
    worst = int(np.abs(joint[1:] - expected).argmax())
    p_value = overlap_p_value(n - worst - 1, int(earlier[worst]), int(later[worst]), int(joint[worst + 1]))
    return sidak(p_value, lags), worst + 1


def equal_lanes(lanes: tuple[Proportion, ...]) -> float | None:
    """Chi-square p-value that all lanes have the same probability of a one; None below five of each kind expected."""
    counts = np.array([lane.count for lane in lanes], np.float64)
    trials = np.array([lane.trials for lane in lanes], np.float64)
    p = counts.sum() / trials.sum()
    if trials.min() * min(p, 1 - p) < 5:
        return None
    return float(chdtrc(len(lanes) - 1, float(((counts - trials * p) ** 2 / (trials * p * (1 - p))).sum())))


def complexity(length: int, n: int) -> float:
    """Two-sided p-value of the linear complexity ``length`` of n fair bits.

    2^min(2n - 2L, 2L - 1) of the 2^n sequences have the complexity L, one has L = 0 (R. A. Rueppel 1986).
    """
    lengths = np.arange(max(0, n // 2 - 600), min(n, n // 2 + 600) + 1)
    exponents = np.where(lengths == 0, 0, np.minimum(2 * n - 2 * lengths, 2 * lengths - 1)) - n
    probability = np.exp2(exponents.astype(np.float64))
    low, high = probability[lengths <= length].sum(), probability[lengths >= length].sum()
    return float(min(1.0, 2 * min(low, high)))


def alarms(number: int, samples: int, false_alarm: float, window: int) -> float:
    """P-value of ``number`` health alarms, given how often the tests may raise a false one (Poisson)."""
    expected = samples * false_alarm * (1 + 1 / window)
    return float(pdtrc(number - 1, expected)) if number else 1.0


# --- with what to say ----------------------------------------------------------------------------------------


def steadiness(drift: Drift) -> list[Question]:
    """Whether the ones vary between windows: of the stream, and of any of its devices."""
    asked = []
    windows = drift.windows
    if windows.p_value is not None:
        values = [one.value for one in windows.ones]
        begin = drift.stream.exceeds_white_from
        beyond = "" if begin is None else f"; noisier than independent bits from averages of {begin} bits on"
        sentence = (
            f"the ones vary with time: {100 * min(values):.4g} to {100 * max(values):.4g} % in windows of "
            f"{windows.size} bits{beyond}"
        )
        asked.append(Question("drift", windows.p_value, sentence))
    known = drift.device_p_values[np.isfinite(drift.device_p_values)]
    if known.size:
        lane = int(np.nanargmin(drift.device_p_values))
        sentence = f"the ones of devices vary with time, most of lane {lane}"
        asked.append(Question("drift of devices", sidak(float(known.min()), known.size), sentence))
    return asked


def likeness(similarity: Similarity, what: str) -> Question:
    """Whether two streams, which are ``what``, are too much or too little alike; needs a worst pair."""
    worst = similarity.worst
    assert worst is not None
    assert similarity.p_value is not None
    if similarity.identical or similarity.inverted:
        copies = [f"{a} and {b} are identical" for a, b in similarity.identical]
        copies += [f"{a} and {b} are inverted copies" for a, b in similarity.inverted]
        more = f", and {len(copies) - 3} pairs more" if len(copies) > 3 else ""
        return Question("similarity", similarity.p_value, f"{what} {'; '.join(copies[:3])}{more}")
    sentence = (
        f"{what} {worst.first} and {worst.second} differ in {100 * worst.distance:.4g} % of their bits, "
        f"{100 * worst.expected:.4g} % expected"
    )
    return Question("similarity", similarity.p_value, sentence)


def soundness(health: Mapping[str, Any]) -> Question:
    """Whether there are more alarms of the health tests than there may be by chance."""
    number = health["repetition_count"]["alarms"] + health["adaptive_proportion"]["alarms"]
    window = health["adaptive_proportion"]["window"]
    p_value = alarms(number, health["samples"], health["false_alarm"], window)
    sentence = f"{number} health alarms in {health['samples']} bits for a min-entropy of {health['min_entropy']:g}"
    return Question("health", p_value, sentence)


def ask(
    stream: BitStream,
    diagnosis: Diagnosis,
    lanes: tuple[Proportion, ...],
    entropies: tuple[BlockEntropy, ...],
    drift: Drift | None,
    similarity: Similarity | None,
    predictions: Predictions | None,
    linear: Complexity | None,
    health: Mapping[str, Any] | None,
) -> tuple[Question, ...]:
    """All questions with a p-value, and what to say if it is small."""
    n, ones = diagnosis.length, diagnosis.ones
    asked = [
        Question(
            "ones",
            balance(ones.count, n),
            f"{100 * ones.value:.4g} % of the bits are 1, between {100 * ones.low:.4g} and {100 * ones.high:.4g} %",
        )
    ]
    if n >= _FEWEST_FOR_LAGS:
        p_value, lag = correlation(stream, min(len(diagnosis.autocorrelation), n // 2))
        r = diagnosis.autocorrelation[lag - 1]
        asked.append(Question("autocorrelation", p_value, f"bits are correlated, most at lag {lag}: {r:+.3g}"))
    tested = [entropy for entropy in entropies if entropy.block > 1 and entropy.p_value is not None]
    if tested:
        last = tested[-1]
        sentence = f"blocks of {last.block} bits are not equally frequent: {last.shannon.value:.6f} bit per bit"
        asked.append(Question("blocks", float(last.p_value or 0.0), sentence))
    same = equal_lanes(lanes) if lanes else None
    if same is not None:
        values = [lane.value for lane in lanes]
        sentence = f"lanes differ: {100 * min(values):.4g} to {100 * max(values):.4g} % ones"
        asked.append(Question("lanes", same, sentence))
    if drift is not None:
        asked += steadiness(drift)
    if similarity is not None and similarity.worst is not None and similarity.p_value is not None:
        asked.append(likeness(similarity, "lanes" if stream.lanes > 1 else "sixteenths of the stream"))
    if predictions is not None:
        best = predictions.best
        sentence = (
            f"the next bit can be predicted: {best.name} is right in {100 * best.accuracy.value:.4g} % of "
            f"{best.accuracy.trials} new bits, guessing in {100 * best.majority:.4g} %"
        )
        asked.append(Question("prediction", predictions.p_value, sentence))
    if linear is not None:
        sentence = f"the linear complexity of the first {linear.bits} bits is {linear.value}, not about half"
        asked.append(Question("linear complexity", linear.p_value, sentence))
    if health is not None:
        asked.append(soundness(health))
    return tuple(asked)
