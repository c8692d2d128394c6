"""The paper and its experiments."""

from mtjspice.papers.experiment import Paper
from mtjspice.papers.pbit import (
    bits,
    cost,
    endurance,
    images,
    memory,
    read,
    sde,
    sensing,
    states,
    switching,
    table_one,
    table_two,
    weights,
)

PAPER = Paper(
    key="pbit",
    title="In-situ P-bits for neural stochastic differential equations",
    citation="IEDM 2024",
    coverage=(
        "The text of this paper could be read, its figures could not. The rows of table II came out of order; the"
        " ratios in the text put them right. Stack, circuits, process, number of parallel P-bits, networks and data"
        " are not given, and are ours."
    ),
    experiments=(
        switching.EXPERIMENT, read.EXPERIMENT, sensing.EXPERIMENT, bits.EXPERIMENT, table_one.EXPERIMENT,
        states.EXPERIMENT, memory.EXPERIMENT, cost.EXPERIMENT, table_two.EXPERIMENT, sde.EXPERIMENT,
        weights.EXPERIMENT, images.EXPERIMENT, endurance.EXPERIMENT,
    ),
)  # fmt: skip
