"""Words of programmed cells: independent bits (product words), or a tree of conditional probabilities."""

from abc import abstractmethod
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mtjspice.bits.sources.base import Source
from mtjspice.errors import choose
from mtjspice.generative.cells import IDEAL, Imperfections, ProgrammableCells, noted, programmed_law
from mtjspice.generative.encodings import comparator
from mtjspice.generative.encodings.base import EncodedSource, Encoding, mean_law, source_name, word_format
from mtjspice.generative.gaussian import GaussianSource
from mtjspice.generative.law import Law
from mtjspice.generative.words import decode, gaussian_marginals

Floats = NDArray[np.float64]
CODES = ("offset", "sign")


@dataclass(frozen=True)
class ProgrammedWords(Encoding):
    """``bits`` cells a word, each programmed with a probability and read once; ``integer_bits`` set the range.

    Two integer bits make a word reach from -4 to 4. InputError for a width outside 4 to 16.
    """

    bits: int = 8
    integer_bits: int = 2
    cells: Imperfections = IDEAL

    def __post_init__(self) -> None:
        word_format(self.bits, self.integer_bits)

    @property
    @abstractmethod
    def name(self) -> str:
        """As in the catalogue."""

    @abstractmethod
    def table(self) -> Floats:
        """Programmed probabilities, as `ProgrammableCells.words` takes them."""

    @abstractmethod
    def values(self) -> Floats:
        """The number of each code, shape (2^bits,)."""

    def ideal(self) -> "ProgrammedWords":
        """The same words of perfect cells."""
        return replace(self, cells=IDEAL)

    @property
    def independent(self) -> bool:
        """Without memory, drift, and cells that differ."""
        return not (self.cells.rho or self.cells.drift or self.cells.varied)

    @property
    def bits_per_number(self) -> float:
        """Mean number of raw bits, for cells without spread and stuck ones."""
        return programmed_law(self.table(), self.bits, self.cells.dp, -1, self.cells.rho).bits

    def law(self, ones: float = 0.5) -> Law | None:
        """Exact law; None with drift, and where cells that differ have memory.

        Different cells err independently, so that the mean law is that of the mean probabilities.
        """
        flaws = self.cells
        if flaws.drift or (flaws.varied and flaws.rho):
            return None
        means = flaws.mean(lambda p: comparator.decided(p, ones), self.table())
        if not flaws.varied:
            return self._law_of(self.table(), flaws.dp, -1, ones)
        return self._law_of(means, 0.0, -1, 0.5)

    def open(self, source: Source, seed: int = 1, label: str = "") -> GaussianSource:
        """Numbers made by one device."""
        cells = ProgrammableCells(source, self.bits, self.cells, seed)
        table, values = self.table(), self.values()

        def device_law() -> tuple[Law | None, float]:
            if self.cells.drift:
                return None, self.bits_per_number
            lanes = zip(cells.offsets, cells.stuck, strict=True) if self.cells.varied else [(self.cells.dp, -1)]
            found = [programmed_law(table, self.bits, offsets, stuck, self.cells.rho) for offsets, stuck in lanes]
            return (
                mean_law(values, [one.probabilities for one in found]),
                float(np.mean([one.bits for one in found])),
            )

        return EncodedSource(
            lambda count: values[cells.words(table, count)],
            device_law,
            label or f"{self.name}:{self.bits} of {source_name(source)}",
            {**source.provenance, "encoding": f"{self.name}:{self.bits}", **noted(self.cells, seed)},
        )

    def _law_of(self, table: Floats, offset: float, stuck: int, ones: float) -> Law:
        found = programmed_law(table, self.bits, offset, stuck, self.cells.rho, ones)
        return Law.of(self.values(), found.probabilities)


@dataclass(frozen=True)
class ProductWords(ProgrammedWords):
    """Sign and magnitude of independent bits with the marginals of a truncated N(0, 1): see `words`.

    Of all product laws the one with the smallest divergence KL(N || law), 0.028 bit for 8 bits. A set sign bit is
    negative, the sign is the highest bit.
    """

    name = "product"

    def table(self) -> Floats:
        """Probability of a one of each bit, the sign first, shape (bits,)."""
        marginals = gaussian_marginals(word_format(self.bits, self.integer_bits))
        return np.concatenate([[0.5], marginals[::-1]])

    def values(self) -> Floats:
        """+-(k + 1/2) LSB."""
        return decode(np.arange(2**self.bits), word_format(self.bits, self.integer_bits))


@dataclass(frozen=True)
class TreeWords(ProgrammedWords):
    """Bit after bit from the highest on, each with its probability given the bits before: exactly N(0, 1) in cells.

    ``code`` "offset" numbers the 2^bits cells of the range in ascending order; "sign" has a sign bit and a magnitude,
    so that no probability exceeds 1/2 but those that lead to the outermost cells, which hold all that lies
    beyond the range. Either has 2^bits - 1 probabilities, "sign" half as
    many different ones. For such trees in SOT junctions: Zhang et al., Adv. Sci. 2024, 10.1002/advs.202402182.
    """

    code: str = "offset"
    name = "tree"

    def __post_init__(self) -> None:
        super().__post_init__()
        choose("code of a tree", self.code, CODES)

    def table(self) -> Floats:
        """Probability of a one of bit i after ``prefix`` at 2^i - 1 + prefix, shape (2^bits - 1,)."""
        values = self.values()
        law = Law.of(values, np.full(values.size, 1 / values.size))
        mass = law.normal_cells()[np.searchsorted(law.values, values)]
        levels = []
        for _ in range(self.bits):
            pairs = mass.reshape(-1, 2)
            mass = pairs.sum(axis=1)
            levels.append(pairs[:, 1] / mass)
        return np.concatenate(levels[::-1])

    def values(self) -> Floats:
        """Centres of the cells, by code."""
        signed = decode(np.arange(2**self.bits), word_format(self.bits, self.integer_bits))
        return signed if self.code == "sign" else np.sort(signed)
