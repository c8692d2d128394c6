"""The same limits where noise makes images: latents of a diffusion whose noise is drawn in the weights."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mtjspice.papers.experiment import Context, Experiment
from mtjspice.papers.findings import Finding, Status, Value
from mtjspice.papers.pbit import claims, ranges
from mtjspice.papers.sections import Columns, Plate, Section

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mtjspice.generative.sde.latent_study import LatentOutcome
    from mtjspice.generative.sde.outcome import Variation

KEPT = (0.01, 0.02, 0.05, 0.1, 0.2)
CONDUCTANCES = (0.001, 0.005, 0.02, 0.04, 0.08)
TMRS = (0.65, 0.30)
_ASSUMED = "networks, autoencoder, data (Fashion-MNIST, 8 latent numbers) and 20 steps of this project"
_GROUP, _SIZE, _DRAW, _LATENT, _IMAGE = "group", "size", "draw", "latent Frechet distance", "image Frechet distance"
_NULL, _OUTSIDE, _INSIDE, _FROZEN = "software noise (null)", "ex-situ, fair", "in-situ, fair", "P-bits frozen"


def run(context: Context) -> Section:
    """Sample with the networks that come with mtjspice, from ideal pairs and from arrays whose pairs differ."""
    from mtjspice.bits.sources.catalogue import open_source
    from mtjspice.generative.sde import latent_study
    from mtjspice.generative.sde.outcome import Effort

    effort = context.effort(Effort(250, 2, 3), Effort(1000, 4, 5))
    outcome = latent_study.compare(
        [("fair", lambda seed: open_source("emulated:fair", seed))], effort, seed=context.seed % 100_000,
        sweep=_variations(),
    )  # fmt: skip
    found = {label: _distances(outcome, label) for label in outcome.labels()}
    inside, null = found[_INSIDE], found[_NULL]
    worst = max(one[0] for one in inside)
    seen = [
        name for name, values in found.items() if min(one[0] for one in values) > max(worst, max(n[0] for n in null))
    ]
    images = {name: [one[1] for one in found[name]] for name in (_NULL, _INSIDE)}
    real = outcome.floor[latent_study.IMAGE]
    kept = {size: found[_kept(size)] for size in KEPT}
    first_q = next((size for size in KEPT if _kept(size) in seen), None)
    first_g = next((size for size in CONDUCTANCES if _conductance(size, TMRS[0]) in seen), None)
    order = {
        what: ranges.nearness([one[k] for one in inside], [one[k] for one in null])
        for k, what in enumerate(("latents", "images"))
    }

    findings = [
        Finding(
            key="latents", quantity="Frechet distance of latents, in situ, ideal pairs", paper=claims.DROP_CONNECT,
            ours=ranges.value_of([one[0] for one in inside]), status=Status.NOT_COMPARABLE,
            reason=(
                f"Software noise outside: {_range([one[0] for one in null])}; in situ is {order['latents']}. The two"
                " networks differ and were trained differently: none of this ranks the noise."
            ),
            assumed=_ASSUMED,
        ),
        Finding(
            key="images", quantity="Frechet distance of decoded images, in situ, ideal pairs",
            paper=claims.DROP_CONNECT, ours=ranges.value_of(images[_INSIDE]),
            status=Status.NOT_COMPARABLE,
            reason=(
                f"Software noise outside: {_range(images[_NULL])}; encoded and decoded real images: {real:.0f}. In situ"
                f" is {order['images']}; two networks, as above. Features of a small classifier, not the published"
                " distance."
            ),
            assumed=_ASSUMED,
        ),
        Finding(
            key="keep", quantity="smallest spread of the keep probability that every draw shows",
            paper=claims.CALIBRATION_FREE,
            ours="none of those tried" if first_q is None else Value(value=first_q, digits=2),
            status=Status.NOT_COMPARABLE,
            reason=(
                f"Of {', '.join(f'{one:g}' for one in KEPT)}; seen means that each draw is farther off than all draws"
                " with ideal pairs and than all of software noise. The paper gives no spread."
            ),
            assumed=_ASSUMED,
        ),
        Finding(
            key="conductance", quantity="smallest relative spread of conductances that every draw shows, TMR 65 %",
            ours="none of those tried" if first_g is None else Value(value=first_g, unit="%", digits=2),
            status=Status.LEFT_OPEN,
            reason=(
                f"Of {', '.join(f'{one:.1%}' for one in CONDUCTANCES)}; a margin of {claims.MARGIN_SIGMAS:g} sigma"
                f" allows {_allowed()}."
            ),
            assumed=_ASSUMED,
        ),
        Finding(
            key="frozen", quantity="Frechet distance of latents with P-bits drawn once", ours=ranges.value_of(
                [one[0] for one in found[_FROZEN]]
            ),
            status=Status.LEFT_OPEN, reason="A control: without fresh bits the network has no noise at all.",
            assumed=_ASSUMED,
        ),
        Finding(
            key="bits", quantity="P-bits an image in situ, bits of noise words ex situ",
            ours=f"{outcome.bits_per_image[_INSIDE]} and {outcome.bits_per_image[_OUTSIDE]}", status=Status.LEFT_OPEN,
            reason="Drop-connect takes a bit a weight and pass, noise words a few bits a number.",
            assumed=_ASSUMED,
        ),
    ]  # fmt: skip
    q_text = f"{first_q:g}" if first_q is not None else "more than any tried"
    g_text = f"{first_g:.1%}" if first_g is not None else "more than any tried"
    return Section(
        answer=(
            "With ideal pairs and fair bits, latents by drop-connect lie"
            f" {_range([one[0] for one in inside])} from the real ones (Frechet distance, range of draws), those of an"
            f" ordinary network with noise outside {_range([one[0] for one in null])}: in situ is {order['latents']}."
            f" Decoded images lie {_range(images[_INSIDE])} and {_range(images[_NULL])} from real ones ({real:.0f} for"
            f" real images, encoded and decoded): in situ is {order['images']}. The two networks were trained"
            " differently, so that neither ranks the noise.",
            f"A spread of the keep probability q between cells of {q_text}, or of the conductances of {g_text} (TMR"
            f" {TMRS[0] * 100:.0f} %), shows in every draw of latents. A spread of q of 0.1 gives"
            f" {_range([one[0] for one in kept[0.1]])}. The network was trained on ideal pairs; training on a measured"
            " array was not tried.",
        ),
        findings=findings,
        plates=(_plate(outcome, q_text, g_text),),
        setting=(
            f"Fashion-MNIST latents, shipped networks, {outcome.steps} steps, {effort.images} images a draw,"
            f" {effort.draws} draws, {effort.null_draws} of software noise; each draw in situ has an array of its own."
        ),
    )


def _allowed() -> str:
    from mtjspice.papers.pbit.read_findings import spreads_of_margin

    loose, strict = spreads_of_margin(claims.MARGIN_SIGMAS, claims.TMR_ARRAY_MEAN)
    return f"{strict * 100:.1f} to {loose * 100:.1f} %"


def _kept(size: float) -> str:
    return f"spread of q {size:g}"


def _conductance(size: float, tmr: float) -> str:
    return f"spread of G {size:g}, TMR {tmr * 100:.0f} %"


def _variations() -> Sequence["Variation"]:
    from mtjspice.generative.sde.outcome import Variation
    from mtjspice.generative.sde.pairs import PairImperfections

    return (
        Variation(_FROZEN, mode="frozen"),
        *(Variation(_kept(size), PairImperfections(keep_spread=size)) for size in KEPT),
        *(
            Variation(_conductance(size, tmr), PairImperfections(conductance_spread=size, tmr=tmr))
            for tmr in TMRS
            for size in CONDUCTANCES
        ),
    )


def _distances(outcome: "LatentOutcome", label: str) -> list[tuple[float, float]]:
    from mtjspice.generative.sde import latent_study

    return [
        (one.distances[latent_study.LATENT], one.distances[latent_study.IMAGE])
        for one in (*outcome.null, *outcome.trials)
        if one.label == label
    ]


def _range(values: Sequence[float]) -> str:
    return ranges.shown(values, ".3g")


def _plate(outcome: "LatentOutcome", q_text: str, g_text: str) -> Plate:
    groups = {_NULL: (_NULL, 0.0), _INSIDE: ("ideal pairs", 0.0)}
    groups |= {_kept(size): ("spread of q", size) for size in KEPT}
    groups |= {
        _conductance(size, tmr): (f"spread of G, TMR {tmr * 100:.0f} %", size) for tmr in TMRS for size in CONDUCTANCES
    }
    rows = [
        (*place, k, *found) for label, place in groups.items() for k, found in enumerate(_distances(outcome, label))
    ]
    return Plate(
        key="distance",
        caption=(
            "Frechet distance of latents (left) and of decoded images (right) from real ones, for arrays whose P-bits"
            " or conductances differ. Lines: mean over draws, bars: their range. Bands: range of the draws with ideal"
            " pairs (blue) and of software noise ex situ (grey)."
        ),
        alt=(
            f"Distances grow with the spreads; every draw of the latents is above the bands from {q_text} of q and"
            f" {g_text} of the conductances (TMR 65 %) on."
        ),
        columns={key: [row[k] for row in rows] for k, key in enumerate((_GROUP, _SIZE, _DRAW, _LATENT, _IMAGE))},
    )


def draw_distance(columns: Columns) -> "Figure":
    """Distances against the size of each flaw."""
    from mtjspice.papers.pbit.weights_figures import plain
    from mtjspice.reports.style import BLUE, GREEN, ORANGE, SKY, new_figure

    figure, grid = new_figure(3.0, 1, 2)
    group = columns[_GROUP]
    flaws = [one for one in dict.fromkeys(group) if one not in (_NULL, "ideal pairs")]
    for axis, what in zip(grid[0], (_LATENT, _IMAGE), strict=True):
        for name, colour in ((_NULL, "#bbbbbb"), ("ideal pairs", SKY)):
            values = columns[what][group == name]
            axis.axhspan(float(values.min()), float(values.max()), color=colour, alpha=0.5, linewidth=0)
        for name, colour, marker in zip(flaws, (BLUE, ORANGE, GREEN), "os^", strict=True):
            sizes = np.unique(columns[_SIZE][group == name])
            values = [columns[what][(group == name) & (columns[_SIZE] == size)] for size in sizes]
            mean = np.array([one.mean() for one in values])
            low, high = np.array([one.min() for one in values]), np.array([one.max() for one in values])
            axis.errorbar(
                sizes * 100, mean, yerr=[mean - low, high - mean], fmt=f"{marker}-", color=colour, markersize=4,
                capsize=2,
                label=name,
            )  # fmt: skip
        axis.set(xscale="log", yscale="log", xlabel="standard deviation [%]", ylabel=what)
    plain(grid[0, 1].yaxis, (1, 2, 3, 4, 5, 6, 8))
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=3, fontsize=8)
    return figure


EXPERIMENT = Experiment(
    key="images",
    title="Images from arrays that differ",
    question="Does an uncalibrated array make other images than an ideal one?",
    run=run,
    draw={"distance": draw_distance},
    minutes=(0.3, 2.0),
    modules=("torch",),
    data=("fashion-mnist",),
)
