"""Linear complexity (section 2.10)."""

import numpy as np

from mtjspice.bits.berlekamp_massey import block_complexities
from mtjspice.bits.sp800_22 import kernels
from mtjspice.bits.sp800_22.counting import pearson
from mtjspice.bits.sp800_22.probabilities import (
    STS_LINEAR_COMPLEXITY,
    complexity_class,
    linear_complexity_classes,
)
from mtjspice.bits.sp800_22.result import Finding
from mtjspice.bits.sp800_22.settings import Constants, Settings


def linear_complexity(bits: kernels.Bits, settings: Settings, constants: Constants) -> Finding:
    """Section 2.10: are the shortest shift registers that make the blocks as long as they should be."""
    block = settings.linear_complexity_block
    lengths = block_complexities(bits, block)
    observed = np.bincount(complexity_class(lengths, block), minlength=7)
    exact = constants == "exact"
    probabilities = linear_complexity_classes(block) if exact else np.array(STS_LINEAR_COMPLEXITY)
    chi_square, p = pearson(observed, probabilities)
    return Finding((p,), ("",), {"block": block, "blocks": len(lengths), "chi_square": chi_square})
