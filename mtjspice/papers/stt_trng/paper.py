"""The paper and its experiments."""

from mtjspice.papers.experiment import Paper
from mtjspice.papers.stt_trng import (
    array,
    attacks,
    calibration,
    drift,
    heating,
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
        " compares with, the generative network and what the 7.2 mW cover are therefore ours. Its insecure outputs are"
        " pairs of near images (LPIPS), counted class by class; 18.6 is the largest of ten classes."
    ),
    experiments=tuple(
        one.EXPERIMENT
        for one in (images, calibration, randomness, temperature, heating, drift, array, power, attacks, tokens)
    ),
)
