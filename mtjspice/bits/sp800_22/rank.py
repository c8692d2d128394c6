"""Ranks of matrices over GF(2) (section 2.5)."""

import numpy as np

from mtjspice.bits.sp800_22 import kernels
from mtjspice.bits.sp800_22.counting import pearson
from mtjspice.bits.sp800_22.probabilities import rank_classes
from mtjspice.bits.sp800_22.result import Finding
from mtjspice.bits.sp800_22.settings import Constants, Settings

SIZE = 32


def rank(bits: kernels.Bits, settings: Settings, constants: Constants) -> Finding:
    """Section 2.5: do matrices of 32 x 32 bits have linearly dependent rows as often as they should."""
    matrices = bits.size // SIZE**2
    rows = np.packbits(bits[: matrices * SIZE**2]).view(">u4").astype(np.uint32).reshape(matrices, SIZE)
    classes = np.maximum(kernels.ranks(rows), SIZE - 2) - (SIZE - 2)
    observed = np.bincount(classes, minlength=3)
    chi_square, p = pearson(observed, rank_classes(SIZE))
    parameters = {"rows": SIZE, "matrices": matrices, "full_rank": int(observed[2]), "one_less": int(observed[1])}
    return Finding((p,), ("",), {**parameters, "chi_square": chi_square})
