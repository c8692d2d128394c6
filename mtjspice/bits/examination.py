"""Everything that is asked of a stream of bits at once, and what of the answers is suspicious.

Every question that has a p-value counts: a finding needs one below `FALSE_ALARM` divided by the number of questions
(Bonferroni), so that ideal bits have any finding in at most one of a hundred streams.
"""

import textwrap
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from mtjspice.bits import questions
from mtjspice.bits.berlekamp_massey import linear_complexity
from mtjspice.bits.diagnostics import Diagnosis, diagnose
from mtjspice.bits.drift import Drift, count_ones, examine_drift
from mtjspice.bits.entropy import LONGEST_BLOCK, BlockEntropy, block_entropy, longest_block
from mtjspice.bits.prediction import Predictions, predict
from mtjspice.bits.questions import Complexity, Question
from mtjspice.bits.recovery import NoisyRegister, Recovery, recover
from mtjspice.bits.similarity import Similarity, compare_lanes, compare_parts
from mtjspice.bits.sp800_90b.health import HealthMonitor
from mtjspice.bits.stream import BitStream
from mtjspice.errors import InputError
from mtjspice.statistics import Proportion, wilson

FALSE_ALARM = 0.01
"""Chance that ideal bits have any finding at all, at most."""
COMPLEXITY_BITS = 1 << 15
"""Bits whose linear complexity is found, the first ones."""
BLOCKS = (1, 2, 4, 8, 16)
"""Block lengths whose entropies are estimated, where there are enough bits."""

_FEWEST_FOR_COMPLEXITY = 64
_FEWEST_COMPARED = 64  # bits of each lane or part
_WORST_LANES = 5
_Found = TypeVar("_Found")


@dataclass(frozen=True, eq=False)
class Examination:
    """What `examine` found; a part is None, or empty, where ``absent`` says why under its name.

    ``similarity`` compares the lanes of a stream of several, else parts of it. ``recoveries`` are generators whose
    state was found. ``health`` is the report of the health tests, if asked for.
    """

    diagnosis: Diagnosis
    lags: int
    confidence: float
    lanes: tuple[Proportion, ...]
    entropies: tuple[BlockEntropy, ...]
    drift: Drift | None
    similarity: Similarity | None
    predictions: Predictions | None
    complexity: Complexity | None
    recoveries: tuple[Recovery | NoisyRegister, ...]
    health: Mapping[str, Any] | None
    absent: Mapping[str, str]
    asked: tuple[Question, ...]

    @property
    def length(self) -> int:
        """Number of bits."""
        return self.diagnosis.length

    @property
    def limit(self) -> float:
        """P-values below it are findings: `FALSE_ALARM` divided by the number of questions."""
        return FALSE_ALARM / max(1, len(self.asked))

    @property
    def worst_lanes(self) -> tuple[int, ...]:
        """Up to five lanes with the ones fraction farthest from one half, the worst first."""
        order = sorted(range(len(self.lanes)), key=lambda lane: -abs(self.lanes[lane].value - 0.5))
        return tuple(order[:_WORST_LANES])

    def findings(self) -> tuple[str, ...]:
        """What is suspicious, a sentence each; empty for ideal bits in 99 of 100 cases or more."""
        ones = self.diagnosis.ones
        if ones.count in (0, ones.trials):
            likely = questions.balance(ones.count, ones.trials) >= FALSE_ALARM
            return () if likely else (f"all {ones.trials} bits are {int(ones.count > 0)}",)
        found = [
            f"the generator is known and its next bits follow: {textwrap.shorten(one.describe(), 160)}"
            for one in self.recoveries
        ]
        for question in sorted(self.asked, key=lambda question: question.p_value):
            if question.p_value < self.limit:
                found.append(
                    f"{question.sentence} ({_text(question.p_value)}; limit {self.limit:.1g} for "
                    f"{len(self.asked)} questions)"
                )
        return tuple(found)

    def as_dict(self) -> dict[str, Any]:
        """Plain types for JSON, with None for what does not exist."""
        return {
            **self.diagnosis.as_dict(),
            "confidence": self.confidence,
            "lanes": [{"value": lane.value, **asdict(lane)} for lane in self.lanes],
            "worst_lanes": list(self.worst_lanes),
            "entropies": [entropy.as_dict() for entropy in self.entropies],
            "drift": None if self.drift is None else self.drift.as_dict(),
            "similarity": None if self.similarity is None else self.similarity.as_dict(),
            "predictions": None if self.predictions is None else self.predictions.as_dict(),
            "linear_complexity": None
            if self.complexity is None
            else {**asdict(self.complexity), "p_value": self.complexity.p_value},
            "recoveries": [recovery.as_dict() for recovery in self.recoveries],
            "health": None if self.health is None else dict(self.health),
            "absent": dict(self.absent),
            "questions": [question.as_dict() for question in self.asked],
            "limit": self.limit,
            "findings": list(self.findings()),
        }


def examine(
    stream: BitStream,
    *,
    lags: int = 64,
    confidence: float = 0.95,
    predictors: bool = True,
    seed: int = 0,
    health_entropy: float | None = None,
    progress: Callable[[float], None] | None = None,
) -> Examination:
    """Ask a stream of two bits or more everything; InputError for fewer.

    Counts, autocorrelation at up to ``lags``, entropies and drift take all bits, in bounded memory; lanes or parts
    are compared in the first 2^28, predictors get the first million, the linear complexity is that of the first
    2^15, and attacks look at the first million at most. ``health_entropy`` is the min-entropy per bit that the health
    tests of SP 800-90B are set for; without it they are left out. ``progress`` is called with the fraction done.
    """
    report = progress or (lambda fraction: None)
    diagnosis = diagnose(stream, lags, confidence)
    report(0.1)
    absent: dict[str, str] = {}
    if diagnosis.ones.count in (0, diagnosis.length):
        reason = "all bits are equal"
        for part in ("entropies", "drift", "similarity", "predictions", "linear complexity", "recoveries"):
            absent[part] = reason
        health = _health(stream, health_entropy, absent)
        lanes = _lanes(stream, confidence)
        return Examination(
            diagnosis, lags, confidence, lanes, (), None, None, None, None, (), health, absent, ()
        )  # fmt: skip
    lanes = _lanes(stream, confidence)
    longest = longest_block(stream.length)
    entropies = tuple(block_entropy(stream, block, confidence) for block in BLOCKS if block <= longest)
    if longest < LONGEST_BLOCK:
        needed = 8 * LONGEST_BLOCK << LONGEST_BLOCK
        absent["entropies"] = (
            f"blocks longer than {max((e.block for e in entropies), default=0)} bits need more bits, those of "
            f"{LONGEST_BLOCK} {needed}, got {stream.length}"
        )
    report(0.2)
    drift = _tried("drift", absent, lambda: examine_drift(stream, confidence=confidence))
    report(0.3)
    similarity = _tried("similarity", absent, lambda: _compare(stream, seed, confidence))
    report(0.4)
    complexity = None
    if stream.length >= _FEWEST_FOR_COMPLEXITY:
        first = stream[:COMPLEXITY_BITS]
        complexity = Complexity(first.length, linear_complexity(first))
    else:
        absent["linear complexity"] = f"needs at least {_FEWEST_FOR_COMPLEXITY} bits, got {stream.length}"
    recoveries = tuple(recover(stream))
    report(0.5)
    predictions = None
    if predictors:
        predictions = _tried(
            "predictions", absent,
            lambda: predict(stream, seed=seed, confidence=confidence, progress=lambda done: report(0.5 + 0.4 * done)),
        )  # fmt: skip
    else:
        absent["predictions"] = "not asked for"
    report(0.9)
    health = _health(stream, health_entropy, absent)
    asked = questions.ask(stream, diagnosis, lanes, entropies, drift, similarity, predictions, complexity, health)
    report(1.0)
    return Examination(
        diagnosis, lags, confidence, lanes, entropies, drift, similarity, predictions, complexity, recoveries, health,
        absent, asked,
    )  # fmt: skip


def _tried(name: str, absent: dict[str, str], compute: Callable[[], _Found]) -> _Found | None:
    """What ``compute`` gives, or None and why under ``name``."""
    try:
        return compute()
    except InputError as error:
        absent[name] = str(error)
        return None


def _lanes(stream: BitStream, confidence: float) -> tuple[Proportion, ...]:
    """Ones of each lane over the whole cycles; none for a stream of one lane or less than a cycle."""
    if stream.lanes == 1 or not stream.cycles:
        return ()
    block = max(1, stream.cycles // 1024)
    whole = stream.cycles // block * block
    counts = count_ones(stream, block).sum(axis=0)
    return tuple(wilson(int(count), whole, confidence) for count in counts)


def _compare(stream: BitStream, seed: int, confidence: float) -> Similarity:
    """Lanes with each other, or sixteen parts."""
    size = stream.cycles if stream.lanes > 1 else stream.length // 16
    if size < _FEWEST_COMPARED:
        what = f"lanes of {size} bits" if stream.lanes > 1 else f"a sixteenth of {stream.length} bits"
        raise InputError(f"comparing needs {_FEWEST_COMPARED} bits or more of each, got {what}")
    compare = compare_lanes if stream.lanes > 1 else compare_parts
    return compare(stream, seed=seed, confidence=confidence)


def _health(stream: BitStream, entropy: float | None, absent: dict[str, str]) -> Mapping[str, Any] | None:
    """Report of both health tests."""
    if entropy is None:
        absent["health"] = "not asked for"
        return None
    monitor = HealthMonitor(entropy, lanes=stream.lanes)
    for part in stream.chunks():
        monitor.feed(part)
    return monitor.as_dict()


def _text(p_value: float) -> str:
    return f"p = {p_value:.2g}" if p_value > 1e-300 else "p below 1e-300"
