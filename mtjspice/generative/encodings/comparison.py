"""How good encodings are, by exact laws: against pulses, against width, and against what is wrong with the cells."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from mtjspice.bits.sources.generators import NumpySource
from mtjspice.errors import choose
from mtjspice.generative.cells import Imperfections
from mtjspice.generative.encodings.base import NARROWEST, WIDEST, Encoding
from mtjspice.generative.encodings.plain import Popcount, QuantileWords, SummedWords, UniformWords
from mtjspice.generative.encodings.programmed import ProductWords, ProgrammedWords, TreeWords
from mtjspice.generative.encodings.toggled import ToggleWords
from mtjspice.generative.law import Law

PULSES = (1, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 24, 28, 32, 48, 64, 96, 128, 192, 256)
_CELLS: dict[str, Callable[[float], Imperfections]] = {
    "dp": lambda value: Imperfections(dp=value),
    "spread": lambda value: Imperfections(spread=value),
    "rho": lambda value: Imperfections(rho=value),
}
FLAWS = tuple(_CELLS)


@dataclass(frozen=True)
class Quality:
    """Figures of merit of one encoding at ``x``; divergences that are infinite are None.

    Over several devices ``mean`` is the mean of |mean|, ``mean_spread`` and ``std_spread`` are standard deviations from
    device to device, the rest are means; ``kl_bits`` is then the median and ``kl_infinite`` counts the devices that
    never give some number.
    """

    encoding: str
    x: float
    mean: float
    std: float
    kl_bits: float | None
    total_variation: float
    excess_kurtosis: float
    mean_spread: float = 0.0
    std_spread: float = 0.0
    kl_infinite: int = 0

    def as_dict(self) -> dict[str, str | float | int | None]:
        """Plain types."""
        return asdict(self)


def quality(encoding: str, x: float, laws: Sequence[Law]) -> Quality:
    """Summary of the laws of one device or of several."""
    found = [law.distances() for law in laws]
    means, deviations = np.array([d.mean for d in found]), np.array([d.std for d in found])
    divergence = float(np.median([d.kl_bits for d in found]))
    several = len(found) > 1
    return Quality(
        encoding, x,
        mean=float(np.abs(means).mean()) if several else float(means[0]),
        std=float(deviations.mean()),
        kl_bits=divergence if np.isfinite(divergence) else None,
        total_variation=float(np.mean([d.total_variation for d in found])),
        excess_kurtosis=float(np.mean([d.excess_kurtosis for d in found])),
        mean_spread=float(means.std()),
        std_spread=float(deviations.std()),
        kl_infinite=int(sum(not np.isfinite(d.kl_bits) for d in found)) if several else 0,
    )  # fmt: skip


def by_pulses(bits: int = 8, target: int = 16, pulses: Sequence[int] = PULSES) -> list[Quality]:
    """Words of a toggle chain made for ``target`` pulses, after others."""
    words = [ToggleWords(bits, n, target) for n in pulses]
    return [quality("toggle", n, [_law(one)]) for n, one in zip(pulses, words, strict=True)]


def by_width(widths: Sequence[int] = range(NARROWEST, WIDEST + 1)) -> list[Quality]:
    """Encodings of words of different width; a popcount counts as many bits as the word has."""
    found = []
    for bits in widths:
        encodings: dict[str, Encoding] = {
            "inverse CDF": QuantileWords(bits),
            "tree": TreeWords(bits),
            "product": ProductWords(bits),
            "uniform": UniformWords(bits),
            "sum of 12": SummedWords(UniformWords(bits), 12),
            "popcount": Popcount(bits),
        }
        found += [quality(name, bits, [_law(one)]) for name, one in encodings.items()]
    return found


def by_imperfection(flaw: str, values: Sequence[float], bits: int = 8, devices: int = 100) -> list[Quality]:
    """Product words and trees of cells with more and more of one ``flaw``, "dp", "spread" or "rho".

    A spread is that of ``devices`` devices of one word each, of the seeds 1, 2, ...
    """
    choose("imperfection", flaw, FLAWS)
    kinds: dict[str, ProgrammedWords] = {
        "tree, offset code": TreeWords(bits),
        "tree, sign code": TreeWords(bits, code="sign"),
        "product": ProductWords(bits),
    }
    found = []
    for value in values:
        for name, words in kinds.items():
            worse = replace(words, cells=_CELLS[flaw](value))
            laws = device_laws(worse, devices) if flaw == "spread" and value else [_law(worse)]
            found.append(quality(name, value, laws))
    return found


def device_laws(encoding: Encoding, devices: int) -> list[Law]:
    """Exact laws of devices of the seeds 1, 2, ...; no bits are drawn."""
    laws = [encoding.open(NumpySource("pcg64", 0), seed).law() for seed in range(1, devices + 1)]
    return [law for law in laws if law is not None]


def _law(encoding: Encoding) -> Law:
    law = encoding.law()
    if law is None:
        raise ValueError(f"{encoding} has no exact law")
    return law
