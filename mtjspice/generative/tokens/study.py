"""What bits of a source cost a language model that samples with them.

Two measurements, both with a null that is known: the surprise of the drawn tokens in excess of the entropy, which is a
martingale and zero on average for exact sampling; and counts of tokens at fixed places of a text, compared with their
probabilities. Exact laws of ideal and of biased bits stand beside them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtjspice.bits.sources.base import Source
from mtjspice.errors import InputError
from mtjspice.generative.encodings.bit_reader import BitReader
from mtjspice.generative.tokens.model import CharacterModel, character_model, decode, encode
from mtjspice.generative.tokens.samplers import IntervalSampler, Sampler, divergence
from mtjspice.generative.tokens.words import FAIR, BitLaw

Floats = NDArray[np.float64]
Tokens = NDArray[np.int64]
Make = Callable[[int], Source]
"""A source for a seed."""
_CONTEXT_SEED = 2_000_000  # of the text whose places are the contexts
_LEAST = 5.0  # expected counts; rarer tokens are counted together
_MOST = 10_000_000  # characters
_CONTINUATION = 24  # characters by which texts are told apart


@dataclass(frozen=True)
class TokenEffort:
    """``texts`` of ``length`` characters after ``prompt`` each; ``contexts`` places, ``repeats`` tokens at each."""

    texts: int = 256
    length: int = 100
    contexts: int = 16
    repeats: int = 400
    prompt: str = "The "

    def __post_init__(self) -> None:
        if self.texts < 1 or self.length < _CONTINUATION:
            raise InputError(f"a study needs 1 text or more, and texts of {_CONTINUATION} characters or more")
        if not 100 <= self.texts * self.length <= _MOST:
            raise InputError(
                f"a study needs 100 to {_MOST} characters in all, not {self.texts} texts of {self.length} characters"
            )
        if not 1 <= self.contexts <= 1000:
            raise InputError(f"a study needs 1 to 1000 contexts, not {self.contexts}")
        if not 50 <= self.repeats <= 1_000_000:
            raise InputError(f"counts of tokens need 50 to 1000000 repeats, not {self.repeats}")
        encode(self.prompt)


@dataclass(frozen=True)
class TokenTrial:
    """One source.

    ``excess`` is the surprise of its tokens less the entropy, in bits a token, with its standard error under exact
    sampling; ``chi_square`` the statistic of the counts, with its degrees of freedom; ``distinct`` the fraction of
    texts that begin like no other. ``bits_per_token`` were read. ``text`` is the first one.
    """

    label: str
    excess: float
    excess_error: float
    entropy: float
    chi_square: float
    degrees: int
    distinct: float
    bits_per_token: float
    text: str
    provenance: Mapping[str, str | int | float]

    @property
    def excess_sigmas(self) -> float:
        """Excess in standard errors: normal with mean 0 and variance 1 for exact sampling."""
        return self.excess / self.excess_error

    @property
    def chi_square_sigmas(self) -> float:
        """Chi-square in standard deviations above its mean, nearly normal for many degrees of freedom."""
        cube = (self.chi_square / self.degrees) ** (1 / 3)  # E. B. Wilson and M. M. Hilferty, 1931
        spread = 2 / (9 * self.degrees)
        return (cube - 1 + spread) / sqrt(spread)

    def as_dict(self) -> dict[str, Any]:
        """Plain types for JSON."""
        return {
            **asdict(self), "provenance": dict(self.provenance), "excess_sigmas": self.excess_sigmas,
            "chi_square_sigmas": self.chi_square_sigmas,
        }  # fmt: skip


@dataclass(frozen=True)
class ExactCost:
    """Means over the contexts, from exact laws: KL(drawn || exact) in bits, total variation, fair bits a token."""

    sampler: str
    bits: BitLaw
    divergence: float
    total_variation: float
    bits_per_token: float


@dataclass(frozen=True)
class TokenOutcome:
    """All trials; ``exact`` is the sampler with perfect bits, None where its law is too long to compute."""

    sampler: Sampler
    effort: TokenEffort
    trials: tuple[TokenTrial, ...]
    exact: ExactCost | None
    entropy: float
    bits_per_token: float

    def as_dict(self) -> dict[str, Any]:
        """Plain types for JSON."""
        return {
            "sampler": self.sampler.name,
            "model": "characters",
            "effort": asdict(self.effort),
            "entropy": self.entropy,
            "fair_bits_per_token": self.bits_per_token,
            "exact": None if self.exact is None else asdict(self.exact),
            "sources": [trial.as_dict() for trial in self.trials],
        }


def compare(
    sources: Sequence[tuple[str, Make]],
    sampler: Sampler,
    effort: TokenEffort | None = None,
    seed: int = 1,
    progress: Callable[[float], None] | None = None,
) -> TokenOutcome:
    """Sample texts with the bits of each of ``sources`` (label, maker) and measure what is wrong with them.

    InputError for no sources or two of one label, StreamExhaustedError for a recording that is too short.
    """
    labels = [label for label, _ in sources]
    if not sources or len(set(labels)) != len(labels):
        raise InputError("a study compares one source or more, each with a label of its own")
    chosen, model = effort or TokenEffort(), character_model()
    contexts = context_logs(model, chosen)
    trials = []
    for place, (label, make) in enumerate(sources):
        trials.append(_trial(label, make(seed), sampler, chosen, model, contexts))
        if progress is not None:
            progress((place + 1) / len(sources))
    return TokenOutcome(
        sampler, chosen, tuple(trials), exact_cost(sampler, contexts), _entropies(contexts).mean(),
        float(np.mean([sampler.bits_per_token(row) for row in contexts])),
    )  # fmt: skip


def context_logs(model: CharacterModel, effort: TokenEffort) -> Floats:
    """Next-character probabilities (logarithms) at the contexts: places of a text drawn with software bits."""
    from mtjspice.bits.sources.generators import NumpySource

    reader = BitReader(NumpySource("pcg64", _CONTEXT_SEED))
    states, logs = model.read(effort.prompt)
    found: list[Floats] = []
    sampler = IntervalSampler()
    while len(found) < effort.contexts:
        found.append(logs[0])
        states, logs = model.step(states, sampler.draw(logs, reader))
    return np.array(found)


def exact_cost(sampler: Sampler, contexts: Floats, bits: BitLaw = FAIR) -> ExactCost | None:
    """What the sampler draws from such bits, from its exact laws at ``contexts`` (n, tokens); None without a law."""
    laws = [sampler.law(row, bits) for row in contexts]
    exact = np.exp(contexts)
    pairs = [(law, row) for law, row in zip(laws, exact, strict=True) if law is not None]
    if len(pairs) != len(laws):
        return None
    return ExactCost(
        sampler.name, bits, float(np.mean([divergence(law, row) for law, row in pairs])),
        float(np.mean([np.abs(law - row).sum() / 2 for law, row in pairs])),
        float(np.mean([sampler.bits_per_token(row) for row in contexts])),
    )  # fmt: skip


def _trial(
    label: str, source: Source, sampler: Sampler, effort: TokenEffort, model: CharacterModel, contexts: Floats
) -> TokenTrial:
    counter = _Counted(source)
    reader = BitReader(counter)
    states, logs = model.read(effort.prompt, effort.texts)
    texts = np.empty((effort.texts, effort.length), np.int64)
    excess = variance = entropy = 0.0
    for place in range(effort.length):
        tokens = sampler.draw(logs, reader)
        texts[:, place] = tokens
        h = _entropies(logs)
        excess += float((-logs[np.arange(effort.texts), tokens] / np.log(2) - h).sum())
        variance += float(((np.exp(logs) * (logs / np.log(2)) ** 2).sum(axis=1) - h**2).sum())
        entropy += float(h.sum())
        states, logs = model.step(states, tokens)
    count = texts.size
    chi_square, degrees = 0.0, 0
    for row in contexts:
        drawn = sampler.draw(np.broadcast_to(row, (effort.repeats, row.size)), reader)
        part, free = _chi_square(np.bincount(drawn, minlength=row.size), effort.repeats * np.exp(row))
        chi_square, degrees = chi_square + part, degrees + free
    used = (8 * counter.bytes - reader.unread) / (count + effort.repeats * len(contexts))
    _, alike = np.unique(texts[:, :_CONTINUATION], axis=0, return_counts=True)
    return TokenTrial(
        label, excess / count, sqrt(variance) / count, entropy / count, chi_square, max(1, degrees),
        float((alike == 1).sum()) / effort.texts, used, effort.prompt + decode(texts[0]), source.provenance,
    )  # fmt: skip


def _chi_square(counts: Tokens, expected: Floats) -> tuple[float, int]:
    """Statistic and degrees of freedom; tokens that are expected less than 5 times are one class, if that is enough."""
    order = np.argsort(expected)
    merged_expected: list[float] = []
    merged_counts: list[int] = []
    kept_expected, kept_counts = 0.0, 0
    for k in order:
        kept_expected, kept_counts = kept_expected + float(expected[k]), kept_counts + int(counts[k])
        if kept_expected >= _LEAST:
            merged_expected.append(kept_expected)
            merged_counts.append(kept_counts)
            kept_expected, kept_counts = 0.0, 0
    if kept_expected and merged_expected:
        merged_expected[-1] += kept_expected
        merged_counts[-1] += kept_counts
    wanted, found = np.array(merged_expected), np.array(merged_counts)
    return float(((found - wanted) ** 2 / wanted).sum()), max(0, len(wanted) - 1)


def _entropies(logs: Floats) -> Floats:
    """Bits, shape (n,)."""
    return np.asarray(-(np.exp(logs) * logs).sum(axis=1) / np.log(2))


class _Counted(Source):
    """A source that counts what is read from it."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.origin, self.provenance, self.lanes = source.origin, source.provenance, source.lanes
        self.bytes = 0

    def read(self, count: int) -> NDArray[np.uint8]:
        found = self._source.read(count)
        self.bytes += count
        return found

    def available(self, bits: int) -> int:
        return self._source.available(bits)
