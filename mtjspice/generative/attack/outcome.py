"""What a study of attacks found."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtjspice.errors import InputError
from mtjspice.generative.attack.inversion import Search
from mtjspice.generative.attack.measures import Measures, RankCorrelation, rank_correlations
from mtjspice.generative.attack.observed import Channel
from mtjspice.statistics import Proportion, wilson

MOST = 100_000
"""Images of one kind."""
ATTACKS = ("inversion", "brute-force", "words", "prediction")


@dataclass(frozen=True)
class Effort:
    """Numbers of images ``seen``, of ``future`` ones to predict, bits of a ``word``, how images are published.

    ``tries`` bounds the decoding of a register; ``diversity`` images are generated to count near duplicates (0: none).
    """

    seen: tuple[int, ...] = (1, 4)
    future: int = 3
    word: int = 8
    channel: Channel = field(default_factory=Channel)
    search: Search = field(default_factory=Search)
    tries: int = 20_000
    diversity: int = 0

    def __post_init__(self) -> None:
        if not self.seen or not all(1 <= n <= MOST for n in self.seen) or len(set(self.seen)) != len(self.seen):
            raise InputError(f"the numbers of images seen must be different whole numbers, 1 to {MOST}")
        if not 1 <= self.future <= MOST:
            raise InputError(f"1 to {MOST} later images are to be predicted, not {self.future}")
        if not 1 <= self.word <= 24:
            raise InputError(f"a word has 1 to 24 bits, not {self.word}")
        if self.tries < 1:
            raise InputError(f"a register is decoded in 1 try or more, not {self.tries}")
        if self.diversity and not 200 <= self.diversity <= MOST:
            raise InputError(f"near duplicates are counted among 200 to {MOST} images, not {self.diversity}")

    @property
    def images(self) -> int:
        """Images that the victim makes."""
        return max(self.seen) + self.future


@dataclass(frozen=True)
class Trial:
    """One attack on one source after ``seen`` images.

    ``found`` is what was found, empty if the attack failed. ``right`` of ``bits`` bits that the attacker had not used
    were predicted: those of the later images, for ``brute-force`` half of each image seen. Where nothing was found the
    commoner bit is guessed. ``misread`` is the fraction of bits of the images seen that the attacker took for the other
    value; LPIPS is that between predicted and true later images, and between unrelated ones.
    """

    source: str
    attack: str
    seen: int
    found: str
    false_positive: float | None
    right: int
    bits: int
    misread: float
    lpips: float | None = None
    lpips_unrelated: float | None = None

    @property
    def predicted(self) -> Proportion:
        """Fraction of right bits with its 95 % interval."""
        return wilson(self.right, self.bits)

    def as_dict(self) -> dict[str, Any]:
        """Plain types for JSON."""
        predicted = self.predicted
        return {**asdict(self), "predicted": predicted.value, "low": predicted.low, "high": predicted.high}


@dataclass(frozen=True, eq=False)
class Pictures:
    """Later images, true and predicted, bytes (n, height, width, channels)."""

    true: NDArray[np.uint8]
    predicted: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Outcome:
    """All of a study; ``pictures`` are those of the attack ``inversion`` after the most images."""

    generator: str
    effort: Effort
    seed: int
    trials: tuple[Trial, ...]
    measures: Mapping[str, Measures]
    solved: Mapping[str, tuple[int, int]]
    pictures: Mapping[str, Pictures]

    def best(self, source: str, seen: int | None = None) -> Trial:
        """The attack that predicted the largest fraction, after ``seen`` images (by default the most)."""
        wanted = max(self.effort.seen) if seen is None else seen
        return max(
            (trial for trial in self.trials if trial.source == source and trial.seen == wanted),
            key=lambda trial: trial.predicted.value,
        )

    def attacked(self, source: str, seen: int) -> bool:
        """Whether any attack applied to the source after ``seen`` images."""
        return any(trial.source == source and trial.seen == seen for trial in self.trials)

    def correlations(self) -> tuple[RankCorrelation, ...]:
        """Rank correlation of each measure with the bits predicted by the best attack, where one applied."""
        last = max(self.effort.seen)
        sources = [source for source in self.measures if self.attacked(source, last)]
        return rank_correlations(
            [self.measures[source] for source in sources], [self.best(source).predicted.value for source in sources]
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain types for JSON."""
        effort = {**asdict(self.effort), "channel": str(self.effort.channel)}
        return {
            "generator": self.generator, "effort": effort, "seed": self.seed,
            "trials": [trial.as_dict() for trial in self.trials],
            "measures": {source: each.as_dict() for source, each in self.measures.items()},
            "images_inverted": {source: list(each) for source, each in self.solved.items()},
            "rank_correlations": [asdict(each) for each in self.correlations()],
        }  # fmt: skip
