"""Words of toggling cells: a Markov chain that is close to N(0, 1) for a while, or that stays there."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mtjspice.bits.sources.base import Source
from mtjspice.errors import InputError
from mtjspice.generative.cells import IDEAL, Imperfections, ProgrammableCells, noted
from mtjspice.generative.encodings import comparator
from mtjspice.generative.encodings.base import EncodedSource, Encoding, mean_law, source_name, word_format
from mtjspice.generative.gaussian import GaussianSource
from mtjspice.generative.law import Law, bit_matrices, product_pmf, transient_bits
from mtjspice.generative.words import decode, gaussian_marginals

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ToggleWords(Encoding):
    """Sign-magnitude words whose cells are reset to 0 and get ``pulses`` pulses that flip them.

    The flip probabilities are made for ``target`` pulses (by default ``pulses``): p_i = 1/2 [1 - (1 - 2 m_i)^(1/N)], so
    that after N of them bit i is one with its marginal m_i; with more the law decays to the uniform one. With a
    ``rate`` cells flip asymmetrically instead, p01 = rate m_i and p10 = rate (1 - m_i), whose stationary law has the
    marginals m_i. Without ``reset`` a word goes on from the last one of its lane: words are correlated, and the law is
    the stationary one. Memory is the probability that a pulse does nothing. InputError for pulses < 1, a width outside
    4 to 16, or a rate outside 0 to 1.
    """

    bits: int = 8
    pulses: int = 16
    target: int | None = None
    reset: bool = True
    rate: float | None = None
    integer_bits: int = 2
    cells: Imperfections = IDEAL

    def __post_init__(self) -> None:
        word_format(self.bits, self.integer_bits)
        for name, value in (("pulses", self.pulses), ("target", self.target)):
            if value is not None and not 1 <= value <= 100_000:
                raise InputError(f"the {name} of a toggle word must be 1 to 100000, not {value}")
        if self.rate is not None and not 0 < self.rate <= 1:
            raise InputError(f"the rate of a toggle word must lie between 0 and 1, 0 excluded, not be {self.rate:g}")
        if self.rate is not None and self.target is not None:
            raise InputError("a toggle word has a target or a rate, not both")

    def probabilities(self) -> tuple[Floats, Floats]:
        """p01 and p10 of each pulse, the sign first, each of shape (bits,)."""
        marginals = gaussian_marginals(word_format(self.bits, self.integer_bits))
        ones = np.concatenate([[0.5], marginals[::-1]])
        if self.rate is not None:
            return self.rate * ones, self.rate * (1 - ones)
        # narrow ranges ask for ones that are likelier than zeros: 1/2 is the most that a symmetric chain reaches
        flip = (1 - np.maximum(1 - 2 * ones, 0) ** (1 / (self.target or self.pulses))) / 2
        return flip, flip

    def values(self) -> Floats:
        """The number of each code, shape (2^bits,)."""
        return decode(np.arange(2**self.bits), word_format(self.bits, self.integer_bits))

    def matrices(self) -> Floats:
        """Transition matrices of the bits for one pulse of perfect cells but for dp and rho, shape (bits, 2, 2)."""
        keep = 1 - self.cells.rho
        return bit_matrices(*(keep * np.clip(p + self.cells.dp, 0, 1) for p in self.probabilities()))

    def ideal(self) -> "ToggleWords":
        """The same words of perfect cells."""
        return replace(self, cells=IDEAL)

    @property
    def independent(self) -> bool:
        """With a reset, and without drift and cells that differ; memory costs pulses only."""
        return self.reset and not (self.cells.drift or self.cells.varied)

    @property
    def bits_per_number(self) -> float:
        """Mean number of raw bits, for cells without spread and stuck ones."""
        return float(self._bits(self.cells.dp, -1).sum())

    def law(self, ones: float = 0.5) -> Law | None:
        """Exact law; None with drift, and with a spread of cells that flip asymmetrically."""
        flaws = self.cells
        if flaws.drift:
            return None
        rise, fall = self.probabilities()
        keep = 1 - flaws.rho
        if np.array_equal(rise, fall):
            final = flaws.mean(lambda p: self._chain(keep * p, keep * p, ones), rise)
        elif flaws.spread:
            return None  # a cell's error moves two probabilities, which clip apart
        else:
            final = (1 - flaws.stuck) * self._chain(*self._effective(flaws.dp), ones) + flaws.stuck / 2
        return Law.of(self.values(), product_pmf(np.clip(final, 0, 1)))

    def open(self, source: Source, seed: int = 1, label: str = "") -> GaussianSource:
        """Numbers made by one device."""
        cells = ProgrammableCells(source, self.bits, self.cells, seed)
        rise, fall = self.probabilities()
        values = self.values()

        def device_law() -> tuple[Law | None, float]:
            if self.cells.drift:
                return None, self.bits_per_number
            laws, bits = [], []
            for offsets, stuck in zip(cells.offsets, cells.stuck, strict=True):
                ones = self._chain(*self._effective(offsets), 0.5)
                laws.append(product_pmf(np.where(stuck < 0, ones, stuck)))
                bits.append(float(self._bits(offsets, stuck).sum()))
            return mean_law(values, laws), float(np.mean(bits))

        return EncodedSource(
            lambda count: values[cells.toggled(rise, fall, self.pulses, count, self.reset)],
            device_law,
            label or f"toggle:{self.bits} of {source_name(source)}",
            {
                **source.provenance, "encoding": f"toggle:{self.bits}", "pulses": self.pulses,
                "reset": "yes" if self.reset else "no", **noted(self.cells, seed),
            },
        )  # fmt: skip

    def _effective(self, offsets: Floats | float) -> tuple[Floats, Floats]:
        keep = 1 - self.cells.rho
        rise, fall = (keep * np.clip(p + offsets, 0, 1) for p in self.probabilities())
        return rise, fall

    def _chain(self, rise: Floats, fall: Floats, ones: float) -> Floats:
        """Probability of a one at the end of a word for flips with ``rise`` and ``fall``, the latter decided."""
        rise, fall = comparator.decided(rise, ones), comparator.decided(fall, ones)
        if self.reset:
            return transient_bits(rise, fall, self.pulses)
        total = rise + fall
        return np.where(total > 0, rise / np.where(total > 0, total, 1), 0.0)  # a cell that never moves stays 0

    def _bits(self, offsets: Floats | float, stuck: NDArray[np.int8] | int) -> Floats:
        """Mean raw bits of each cell in a word, shape (bits,)."""
        rise, fall = self._effective(offsets)
        start = np.zeros(self.bits) if self.reset else self._chain(rise, fall, 0.5)
        before = np.stack([transient_bits(rise, fall, k, start) for k in range(self.pulses)])
        mean = ((1 - before) * comparator.cost(rise) + before * comparator.cost(fall)).sum(axis=0)
        return np.where(np.asarray(stuck) < 0, mean, 0.0)
