"""Words with the law that a circuit's words had: independent bits of measured frequencies, resampled.

What is drawn from it are not the circuit's words: memory and dependence between them are lost, and the frequencies
carry the error of their count.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtjspice.bits.sources.base import Source
from mtjspice.errors import InputError
from mtjspice.generative.encodings.base import check_bits
from mtjspice.generative.encodings.programmed import ProductWords
from mtjspice.generative.gaussian import GaussianSource
from mtjspice.generative.law import Law, product_pmf
from mtjspice.statistics import Proportion, wilson

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class MeasuredWords(ProductWords):
    """Product words whose bits, highest first, are one as often as ``ones`` of ``words`` measured words were."""

    ones: tuple[int, ...] = ()
    words: int = 0
    file: str = ""
    name = "measured"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.words < 1 or len(self.ones) != self.bits or not all(0 <= one <= self.words for one in self.ones):
            raise InputError(
                f"{self.file or 'measured words'}: the ones of {self.bits} bits lie between 0 and the words"
            )

    def table(self) -> Floats:
        """Measured frequency of a one of each bit, the sign first, shape (bits,)."""
        return np.array(self.ones) / self.words

    def intervals(self, confidence: float = 0.95) -> list[Proportion]:
        """Wilson interval of each bit's probability."""
        return [wilson(one, self.words, confidence) for one in self.ones]

    def drawn_laws(self, count: int, seed: int) -> list[Law]:
        """Laws that the counts allow: bits drawn from their posterior of Jeffreys, Beta(k + 1/2, n - k + 1/2)."""
        rng = np.random.default_rng(seed)
        ones = np.array(self.ones)
        drawn = rng.beta(ones + 0.5, self.words - ones + 0.5, (count, self.bits))
        return [Law.of(self.values(), product_pmf(one)) for one in drawn]

    def law_intervals(self, count: int = 400, seed: int = 1) -> dict[str, tuple[float, float]]:
        """Central 95 % of mean, standard deviation and divergence (bits) over `drawn_laws`."""
        laws = self.drawn_laws(count, seed)
        figures = {
            "mean": [law.mean for law in laws],
            "std": [law.standard_deviation for law in laws],
            "kl_bits": [law.distances().kl_bits for law in laws],
        }
        ends = {name: np.quantile(found, (0.025, 0.975)) for name, found in figures.items()}
        return {name: (float(low), float(high)) for name, (low, high) in ends.items() if math.isfinite(high)}

    def open(self, source: Source, seed: int = 1, label: str = "") -> GaussianSource:
        """Numbers of the measured law made of the bits of ``source``; the provenance says that they are resampled."""
        made = super().open(source, seed, label)
        made.provenance = {
            **made.provenance, "law": "measured law, resampled", "measured_words": self.words,
            "measured_file": self.file,
        }  # fmt: skip
        return made


def measured_words(path: str | Path) -> MeasuredWords:
    """Read the result.json of a run on the circuit; InputError where it is none, or its bits depend on each other."""
    try:
        found: Any = json.loads(Path(path).read_text("utf-8"))
    except (OSError, ValueError) as error:
        what = error.strerror if isinstance(error, OSError) else "it is no JSON"
        raise InputError(f"cannot read measured words from {path}: {what}") from None
    try:
        encoding, words, bits = str(found["program"]["encoding"]), int(found["words"]), found["bits"]
        ones, format = tuple(int(one["ones"]) for one in bits), found["format"]
        integer = int(format["integer_bits"]) if isinstance(format, Mapping) else 2
    except (KeyError, TypeError, ValueError):
        raise InputError(f"{path} is not the result.json of `mtjspice words run`") from None
    if encoding.startswith("tree"):
        raise InputError(f"{path}: the bits of {encoding} depend on each other; a product law cannot stand for them")
    return MeasuredWords(check_bits(len(ones)), integer, ones=ones, words=words, file=Path(path).name)
