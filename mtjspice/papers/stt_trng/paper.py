"""The paper and its experiments."""

from mtjspice.papers.experiment import Paper
from mtjspice.papers.stt_trng import (
    array,
    attacks,
    calibration,
    claims,
    controllers,
    drift,
    gigabit,
    heating,
    image_attack,
    images,
    power,
    randomness,
    temperature,
    tokens,
)

PAPER = Paper(
    key="stt-trng",
    title="True random numbers of STT junctions for generative models",
    citation="arXiv 2510.01598 (2025)",
    coverage=(
        "The abstract and summaries of this paper could be read, its full text could not. The junctions, pulses and"
        " voltages, the wiring of the XOR, the size of the Toeplitz matrix, the length of the tests, the register it"
        " compares with, the generative network and what its power covers are therefore ours. Its insecure outputs are"
        f" pairs of near images (LPIPS), counted class by class; {claims.FEWER.value} is the largest of ten classes."
    ),
    experiments=tuple(
        one.EXPERIMENT
        for one in (
            images,
            calibration,
            randomness,
            gigabit,
            temperature,
            heating,
            drift,
            array,
            controllers,
            power,
            attacks,
            image_attack,
            tokens,
        )
    ),
)
