"""The paper and its experiments."""

from mtjspice.papers.experiment import Paper
from mtjspice.papers.meram import diffusion, energy, gaussian, matrices, switching, variability, width

PAPER = Paper(
    key="meram",
    title="Noise for diffusion models from MeRAM",
    citation="Nature Communications 16, 5022 (2025), arXiv 2407.12261",
    coverage=(
        "The abstract, the opening and summaries of this paper could be read, its full text could not. Voltages, pulse"
        " widths, number formats, the diffusion model's settings and the energy accounting are therefore ours."
    ),
    experiments=(
        switching.EXPERIMENT, matrices.EXPERIMENT, gaussian.EXPERIMENT, width.EXPERIMENT, variability.EXPERIMENT,
        energy.EXPERIMENT, diffusion.EXPERIMENT,
    ),
)  # fmt: skip
