"""Non-overlapping and overlapping templates (sections 2.7 and 2.8)."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincc

from mtjspice.bits.sp800_22 import kernels
from mtjspice.bits.sp800_22.counting import pearson
from mtjspice.bits.sp800_22.probabilities import (
    overlapping_classes,
    sts_overlapping_classes,
    sts_template_moments,
    template_moments,
)
from mtjspice.bits.sp800_22.result import Finding
from mtjspice.bits.sp800_22.settings import Constants, Settings

BLOCKS = 8
MOST_TEMPLATES = 148
OVERLAPPING_BLOCK = 1032


@lru_cache
def aperiodic_templates(width: int) -> NDArray[np.int64]:
    """All words of ``width`` bits that no shift of themselves overlaps, in increasing order, first bit highest."""
    words = np.arange(1 << width)
    aperiodic = np.ones(words.size, dtype=bool)
    for shift in range(1, width):
        aperiodic &= words >> shift != words & ((1 << (width - shift)) - 1)
    chosen = words[aperiodic]
    chosen.setflags(write=False)
    return chosen


def chosen_templates(width: int) -> NDArray[np.int64]:
    """The templates that are tested: of more than 148, the first 148 at equal steps, as in STS."""
    every = aperiodic_templates(width)
    step = max(1, every.size // MOST_TEMPLATES)
    return every[::step][:MOST_TEMPLATES]


@lru_cache
def _labels(width: int) -> tuple[str, ...]:
    return tuple(format(template, f"0{width}b") for template in chosen_templates(width).tolist())


def non_overlapping_template(bits: kernels.Bits, settings: Settings, constants: Constants) -> Finding:
    """Section 2.7: does each aperiodic template stand in 8 blocks as often as it should.

    A template that cannot overlap itself is never skipped over by the search for the one before, so all places are
    counted, for all templates at once.
    """
    width = settings.non_overlapping_template
    block = bits.size // BLOCKS
    templates = chosen_templates(width)
    counts = kernels.window_counts(bits, width, block, BLOCKS)[:, templates]
    mean, variance = (template_moments if constants == "exact" else sts_template_moments)(width, block)
    chi_square = ((counts - mean) ** 2).sum(axis=0) / variance
    p_values = gammaincc(BLOCKS / 2, chi_square / 2)
    parameters = {"template": width, "block": block, "blocks": BLOCKS, "expected": mean, "variance": variance}
    return Finding(tuple(p_values.tolist()), _labels(width), parameters)


def overlapping_template(bits: kernels.Bits, settings: Settings, constants: Constants) -> Finding:
    """Section 2.8: do blocks hold as many runs of ones, overlapping ones included, as they should."""
    width, most = settings.overlapping_template, 5
    blocks = bits.size // OVERLAPPING_BLOCK
    matches = kernels.run_matches(bits, width, OVERLAPPING_BLOCK, blocks)
    observed = np.bincount(np.minimum(matches, most), minlength=most + 1)
    classes = overlapping_classes if constants == "exact" else sts_overlapping_classes
    chi_square, p = pearson(observed, classes(width, OVERLAPPING_BLOCK, most))
    parameters = {"template": width, "block": OVERLAPPING_BLOCK, "blocks": blocks, "chi_square": chi_square}
    return Finding((p,), ("",), parameters)
