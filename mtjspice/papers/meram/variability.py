"""Cells that differ: what a spread of their probabilities does to the noise, and what spreads of devices allow."""

import numpy as np

from mtjspice.papers.experiment import Context, Experiment
from mtjspice.papers.meram import exact
from mtjspice.papers.meram.exact import RAW, TRIMMED, Reached
from mtjspice.papers.meram.text import limited, percent
from mtjspice.papers.meram.variability_figures import (
    ALLOWED,
    ENCODINGS,
    OFFSET,
    SPREADS,
    draw_allowed,
    draw_images,
    draw_mismatch,
    draw_spread,
    plates,
)
from mtjspice.papers.meram.variability_findings import findings
from mtjspice.papers.meram.variability_results import Results
from mtjspice.papers.sections import Section


def run(context: Context) -> Section:
    """Exact laws of many devices; images; slopes by macrospins with common noise; mismatch by ngspice."""
    from mtjspice.papers.meram import spreads, variability_images

    devices = context.effort(60, 600)
    rng = np.random.default_rng(context.seed)
    errors = rng.standard_normal((devices, 8))
    laws = {name: [exact.devices(name, one, errors, rng) for one in SPREADS] for name in ENCODINGS}
    arrays = {how: exact.array(how, context.effort(20, 200), rng) for how in exact.ARRANGED}
    slopes = spreads.slopes(context.effort(20_000, 100_000), context.seed)
    size = context.effort(
        variability_images.Size(devices=5, spreads=(0.02, 0.05, 0.1), images=100, trainings=5, steps=400, null=2),
        variability_images.Size(
            devices=10, spreads=(0.01, 0.02, 0.03, 0.05, 0.1), images=200, trainings=5, steps=2000, null=4
        ),
    )
    return section(
        Results(
            devices, laws, arrays, variability_images.run(size, context.seed), slopes,
            spreads.drawn(slopes, context.effort(24, 100), context.effort(4000, 10_000), context.seed),
            spreads.mismatch(context.effort(4, 16), context.effort(20_000, 50_000), context.seed),
        )
    )  # fmt: skip


def section(found: Results) -> Section:
    """Findings, text and figures of the results."""
    mismatch, slopes, size = found.mismatch, found.slopes, found.images.size
    return Section(
        answer=(_on_laws(found), _on_images(found), _on_devices(found)),
        findings=findings(found),
        plates=plates(found.devices, found.laws, found.images, slopes, mismatch),
        setting=(
            f"Exact laws of {found.devices} devices of 8 cells for each spread; images of digits of 8 x 8 pixels by"
            f" {size.trainings} diffusion models, {size.devices} devices of each kind; slopes from {slopes[0].trials}"
            f" macrospins with common noise, card meram100; {mismatch.words} words with mismatch in ngspice, gf180mcu."
        ),
    )


def _on_laws(found: Results) -> str:
    product = found.laws["product:8"][SPREADS.index(0.02)]
    return (
        f"Product words bear a spread of P of {found.doubled.said()} before their divergence doubles, and"
        f" {found.offsets['product:8'].said()} before the mean is off by {OFFSET:g}; a tree in offset code only"
        f" {found.offsets['tree:8'].said()}, since its first bit decides the sign and half of the magnitude. A"
        f" specification of {percent(found.tolerated, 1)} for each probability follows from here, not from the paper."
        " Calibration, that is taking out mean and deviation, removes the offset, but leaves the shape (total"
        f" variation of product words at 2 %: {product[RAW].value:.3f} before, {product[TRIMMED].value:.3f} after)."
    )


def _on_images(found: Results) -> str:
    from mtjspice.papers.meram.variability_images import ONE, OWN, SHIPPED, TREE

    limit = found.seen_from
    reached = {case: found.images.reached(case, False, limit) for case in (ONE, TREE, OWN, SHIPPED)}
    worst = found.worst_calibrated
    if worst.low > limit:
        first, last = (
            "Images see the errors, calibrated or not.",
            "beyond the spread: calibration does not do it alone.",
        )
    elif worst.high < limit:
        first = "Images see offsets and little else."
        last = f"within the spread: who calibrates need not keep {percent(found.tolerated, 1)} for such images."
    else:
        first = "Images see offsets; of other errors nothing sure was seen."
        last = "not told from the spread: what calibration leaves, if anything, would need more devices to be seen."
    return (
        f"{first} Uncalibrated, their distance from real ones exceeds that with software noise by the spread of single"
        f" runs ({percent(found.images.chance.single)}) from a spread of P of {reached[ONE].said()} on for a word,"
        f" {reached[TREE].said()} for a tree, {reached[OWN].said()} for an array of {exact.ROWS} words; a better model"
        f" shows as much from {reached[SHIPPED].said()} on. The specification from the laws is"
        f" {_side(reached[ONE], found.tolerated)}. At a spread of {SPREADS[-1]:g} the small models' distances are"
        f" {_last(found, False)} times as large, with each word calibrated {_last(found, True)}; the largest of all"
        f" calibrated ones is {limited(worst, 2)}, {last}"
    )


def _last(found: Results, calibrated: bool) -> str:
    """Ratios of the small models at the largest spread."""
    from mtjspice.papers.meram.variability_images import SHIPPED

    values = [
        one.value
        for one in found.images.effects
        if one.calibrated == calibrated and one.case != SHIPPED and one.spread == SPREADS[-1]
    ]
    return f"{min(values):.2f} to {max(values):.2f}"


def _side(images: Reached, law: float) -> str:
    """How a specification from the laws compares with that from images of a word."""
    if images.low > law:
        return "stricter than what these need of a word"
    return "laxer than what these need of a word" if images.high < law else "not told from what these need of a word"


def _on_devices(found: Results) -> str:
    from mtjspice.papers.meram import spreads

    mismatch, shifted = found.mismatch, found.drawn[1]
    return (
        "Devices will hardly keep it untrimmed. At P = 1/2, 0.02 of P are"
        f" {percent(found.slope('pulse voltage').allowed(ALLOWED), 2)} of the pulse's voltage or"
        f" {percent(found.slope(spreads.LEFT_OVER).allowed(ALLOWED), 2)} of the effective anisotropy; devices whose V50"
        f" differs by {percent(spreads.VOLTAGE_SPREAD)} (assumed) spread P by {shifted.deviation:.2f} under one"
        f" voltage. Mismatch of transistors makes {mismatch.between[0]:.3f} from word to word and"
        f" {mismatch.within[0]:.3f} from column to column: the circuit {_kept(found)}. Errors that all words share do"
        " not average out over an array; what single cells err does, in the law of the stream."
    )


def _kept(found: Results) -> str:
    mismatch = found.mismatch
    ends = [float(np.hypot(mismatch.between[k], mismatch.within[k])) for k in (1, 2)]
    if ends[1] < ALLOWED:
        return f"keeps the {ALLOWED:g}, and the junctions decide"
    return f"does not keep the {ALLOWED:g} either" if ends[0] > ALLOWED else f"is at the limit of {ALLOWED:g} itself"


EXPERIMENT = Experiment(
    key="variability",
    title="Cells that differ",
    question="How much may probabilities spread from cell to cell, and what do real spreads make of them?",
    run=run,
    draw={"spread": draw_spread, "images": draw_images, "allowed": draw_allowed, "mismatch": draw_mismatch},
    minutes=(0.9, 4.8),
    modules=("sklearn",),
)
