"""Is the noise of a toggled word Gaussian? Exact laws against the number of pulses, beside other encodings."""

from typing import TYPE_CHECKING

import numpy as np

from mtjspice.papers.experiment import Context, Experiment
from mtjspice.papers.findings import Finding, Status, Value
from mtjspice.papers.meram import claims
from mtjspice.papers.sections import Columns, Plate, Section

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mtjspice.generative.law import LawDistances

PULSES = (1, 2, 3, 4, 5, 6, 8, 10, 12, 14, 16, 18, 20, 24, 28, 32, 40, 48, 64, 96, 128, 192, 256)
MADE_FOR = 16  # pulses
OTHERS = ("tree:8", "product:8", "inverse-cdf:8", "popcount:64", "sum:8,words=12", "sum:8,words=4")
_PULSES, _TARGET, _KL = "pulses", "made for pulses", "KL(N, words) [bit]"


def run(context: Context) -> Section:
    """Exact laws; nothing is drawn."""
    chain = {n: _distances(f"toggle:8,pulses={n},target={MADE_FOR}") for n in PULSES}
    made = {n: _distances(f"toggle:8,pulses={n}") for n in PULSES}
    best = min(chain, key=lambda n: chain[n].kl_bits)
    last = PULSES[-1]
    others = {name: _distances(name) for name in OTHERS}
    decay = Plate(
        key="decay",
        caption=(
            f"Divergence of the law of 8-bit words from N(0, 1) against the number of pulses since the reset. Solid: a"
            f" chain whose flip probabilities are made for {MADE_FOR} pulses. Dashed: probabilities made anew for every"
            " number of pulses. Dotted line: the number of pulses that the chain is made for."
        ),
        alt=f"It falls to {chain[best].kl_bits:.3f} bit at {best} pulses and rises to {chain[last].kl_bits:.2f} bit.",
        columns={
            _PULSES: [*chain, *made],
            _TARGET: [MADE_FOR] * len(chain) + list(made),
            _KL: [one.kl_bits for one in (*chain.values(), *made.values())],
        },
    )
    findings = [
        Finding(
            key="steps",
            quantity="distance from N(0, 1) against iterations",
            paper=claims.CLOSER_WITH_STEPS,
            ours=(
                f"KL {chain[8].kl_bits:.3f}, {chain[best].kl_bits:.3f}, {chain[last].kl_bits:.3f} bit"
                f" after 8, {best}, {last} pulses"
            ),
            status=Status.DIFFERS,
            reason=(
                f"True up to the {best} pulses that the probabilities are made for, wrong beyond: bits of a symmetric"
                " chain are fair in the end, and words of fair bits are uniform. The Gaussian is a transient, so every"
                " word needs a reset before it."
            ),
            assumed="sign and magnitude, 2 integer and 5 fraction bits; reset to zero before every word",
        ),
        *(
            Finding(
                key=name,
                quantity=f"KL(N, words) of {name}",
                ours=Value(value=one.kl_bits, unit="", digits=2),
                status=Status.LEFT_OPEN,
                reason=(
                    f"Exact law, bit; total variation {one.total_variation:.3f}, excess kurtosis"
                    f" {one.excess_kurtosis:+.2f}, standard deviation {one.std:.3f}."
                ),
            )
            for name, one in others.items()
        ),
    ]
    return Section(
        answer=(
            f"A Kronecker product of 2 x 2 matrices keeps bits independent for ever, so that the best word is the best"
            f" product law: {others['product:8'].kl_bits:.3f} bit from N(0, 1), with an excess kurtosis of"
            f" {others['product:8'].excess_kurtosis:+.2f}. A binary tree, whose cells are programmed anew after every"
            " bit, has no such limit.",
        ),
        findings=findings,
        plates=(decay,),
        setting="Exact laws of words whose bits are independent chains; no sampling.",
    )


def _distances(encoding: str) -> "LawDistances":
    from mtjspice.generative.encodings.catalogue import encoding_of

    law = encoding_of(encoding).law()
    if law is None:
        raise ValueError(f"{encoding} has no exact law")
    return law.distances()


def draw_decay(columns: Columns) -> "Figure":
    """Divergence against the number of pulses."""
    from mtjspice.reports.style import BLACK, BLUE, ORANGE, new_figure

    figure, grid = new_figure(3.0)
    axis = grid[0, 0]
    pulses, target, divergence = columns[_PULSES], columns[_TARGET], columns[_KL]
    fixed = np.arange(len(pulses)) < len(PULSES)
    axis.loglog(pulses[fixed], divergence[fixed], "o-", markersize=3, color=BLUE, label=f"made for {target[0]} pulses")
    axis.loglog(pulses[~fixed], divergence[~fixed], "--", color=ORANGE, label="made for each number of pulses")
    axis.axvline(target[0], color=BLACK, linewidth=0.8, linestyle=":")
    axis.set(xlabel="pulses since the reset", ylabel=_KL)
    axis.legend(fontsize=8)
    return figure


EXPERIMENT = Experiment(
    key="gaussian",
    title="Is the noise Gaussian?",
    question="Does the law of the words approach N(0, 1) with the number of pulses, as the paper says?",
    run=run,
    draw={"decay": draw_decay},
    minutes=(0.1, 0.1),
)
