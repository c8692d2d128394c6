"""How much may P-bits and junctions differ before a trained network shows it? Where "calibration-free" ends."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from mtjspice.papers.experiment import Context, Experiment
from mtjspice.papers.findings import Value
from mtjspice.papers.pbit import claims, columns, read_findings, weights_findings
from mtjspice.papers.pbit import weights_figures as figures
from mtjspice.papers.pbit.columns import CONDUCTANCE, IDEAL, KEEP
from mtjspice.papers.pbit.weights_findings import CONVERTERS, MEAN, ROWS, SAMPLES, SCATTER, SIZES, Errors
from mtjspice.papers.sections import Section

Floats = NDArray[np.float64]


def run(context: Context) -> Section:
    """Networks trained on ideal pairs; arrays whose pairs differ are drawn for every size of every flaw."""
    from mtjspice.papers.pbit import cells

    errors = _computed(context)
    singles = {
        kind: [(size, *columns.weight_errors(kind, size, 4000, cells.streams(context.seed, 1)[0])) for size in sizes]
        for kind, sizes in SIZES.items()
    }
    ends = {kind: weights_findings.end(errors, kind, MEAN, context.seed) for kind in SIZES}
    samples = {kind: weights_findings.end(errors, kind, SAMPLES, context.seed) for kind in SIZES}
    bits = [weights_findings.enough(errors, what) for what in (MEAN, SCATTER, SAMPLES)]
    arrays = len(errors.ideal)
    return Section(
        answer=_answer(errors, ends, samples, bits),
        findings=[
            weights_findings.learned(errors), *weights_findings.limits(ends, samples),
            *weights_findings.converters(errors, bits), *weights_findings.at(errors),
        ],
        plates=(figures.errors_plate(errors.ideal, SIZES, errors.flawed),
                figures.weights_plate(singles),
                figures.converters_plate(CONVERTERS, errors.ideal, errors.converted, ROWS)),
        setting=(
            f"y = sin(pi x) + (0.05 + 0.35 x^2) n, {context.effort(1500, 4000)} training steps on ideal pairs,"
            f" {context.effort(300, 1000)} passes at {len(columns.PLACES)} places; a mixture of two peaks in 20 steps,"
            f" {context.effort(1000, 6000)} training steps, {context.effort(400, 800)} samples; {arrays} arrays drawn"
            " for each size of each flaw; single weights: 4000 drawn pairs."
        ),
    )  # fmt: skip


def _computed(context: Context) -> Errors:
    from mtjspice.generative.sde import regression
    from mtjspice.papers.pbit import cells, drawn_networks

    seeds = cells.streams(context.seed, 2)
    arrays = cells.streams(seeds[1], context.effort(5, 12))
    passes, count = context.effort(300, 1000), context.effort(400, 800)
    network = drawn_networks.trained_regression(context.effort(1500, 4000), seeds[0] % 1000)
    model = drawn_networks.trained_sampler(20, context.effort(1000, 6000), seeds[0] % 1000)

    def found(kind: str, size: float, bits: int | None = None) -> list[tuple[float, float, float]]:
        rows = []
        for one in arrays:
            flaws = columns.flaws_of(kind, size, one)
            mean, scatter = columns.regression_errors(network, flaws, passes, one, bits)
            rows.append((mean, scatter, columns.sample_distance(model, flaws, count, one, bits)))
        return rows

    return Errors(
        np.array(found(IDEAL, 0.0)),
        {kind: np.array([found(kind, size) for size in sizes]) for kind, sizes in SIZES.items()},
        np.array([found(IDEAL, 0.0, bits) for bits in CONVERTERS]),
        float(regression.true_deviation(columns.PLACES).std()),
    )


def _answer(
    errors: Errors, ends: Mapping[str, Value | str], samples: Mapping[str, Value | str], bits: Sequence[float]
) -> tuple[str, ...]:
    loose, strict = read_findings.spreads_of_margin(claims.MARGIN_SIGMAS, columns.TMRS[0])
    text, enough, tmr = weights_findings.text, max(bits), f"TMR {columns.TMRS[0] * 100:.0f} %"
    return (
        ("Drop-connect learns" if weights_findings.learns(errors) else "Trained as here, drop-connect does not learn")
        + " a scatter that depends on the place. Trained on ideal pairs, the network shows in its mean that cells"
        f" differ if their keep probabilities vary by {text(ends[KEEP])} or more, or their conductances ({tmr}) by"
        f" {text(ends[CONDUCTANCE])} or more. Samples of a mixture show it from {text(samples[KEEP])} and"
        f" {text(samples[CONDUCTANCE])} on.",
        f"A read margin of {claims.MARGIN_SIGMAS:g} sigma is compatible with conductances that vary by"
        f" {strict * 100:.1f} to {loose * 100:.1f} %. {_verdict(ends[CONDUCTANCE], strict)}",
        (
            f"Converters of {enough:.0f} bits, one range for all columns of a layer, change none of the errors visibly."
            if np.isfinite(enough)
            else "Converters are seen in one of the errors even with the most bits tried."
        )
        + " All these limits are of two small networks and of so many passes: more passes show smaller spreads.",
    )


def _verdict(end: Value | str, spread: float) -> str:
    if not isinstance(end, str) and end.limits[1] < spread:
        return (
            "That stores a bit, but it shows in these weights: the array would have to be measured and the network"
            " trained on it, which is a calibration."
        )
    return "Whether a network bears so much is not decided here."


EXPERIMENT = Experiment(
    key="weights",
    title="Weights that differ",
    question="Up to which spread of cells does one setting for the whole array do for a network?",
    run=run,
    draw={"errors": figures.draw_errors, "weights": figures.draw_weights, "converters": figures.draw_converters},
    minutes=(0.4, 1.5),
    modules=("torch",),
)
