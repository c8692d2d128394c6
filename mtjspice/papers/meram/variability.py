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
        f"P of a cell may spread by {found.doubled.ranged()} from device to device before the divergence of words of"
        f" independent bits doubles, and by {found.offsets['product:8'].ranged()} before their mean is off by"
        f" {OFFSET:g}. In a binary tree in offset code it may spread only by"
        f" {found.offsets['tree:8'].ranged()}, since its first bit decides the sign and half of the"
        f" magnitude. So a spread of {percent(found.tolerated, 1)} is allowed by these criteria, which are ours and not"
        " the paper's. Calibration takes out mean and deviation, not the shape: total variation of independent bits at"
        f" 2 % is {limited(product[RAW])} before and {limited(product[TRIMMED])} after it (95 %)."
    )


def _on_images(found: Results) -> str:
    from mtjspice.papers.meram.variability_images import ONE, OWN, TREE

    limit, worst = found.seen_from, found.worst_calibrated
    reached = {case: found.images.reached(case, False, limit) for case in (ONE, TREE, OWN)}
    seen = any(one.low > limit for one in found.images.effects if one.spread and not one.calibrated)
    first = "Images see offsets." if seen else "Nothing sure was seen in images."
    if worst.low > limit:
        last = f"above {limit:.2f}: calibration does not do it alone."
    elif worst.high < limit:
        last = f"below {limit:.2f}: who calibrates need not keep {percent(found.tolerated, 1)} for such images."
    else:
        last = f"not told from {limit:.2f}: what calibration leaves, if anything, would need more devices to be seen."
    return (
        f"{first} Uncalibrated, their distance from real ones exceeds that with software noise by the spread of single"
        f" runs ({percent(found.images.chance.single)}) once P spreads by {reached[ONE].ranged()} in one word, by"
        f" {reached[TREE].ranged()} in a tree, and by {reached[OWN].ranged()} in an array of {exact.ROWS} words (95 %)."
        f" What one word needs is {_side(reached[ONE], found.tolerated)}. With every word calibrated, the largest mean"
        f" ratio of distances up to a spread of {SPREADS[-1]:g} is {limited(worst, 2)}, {last}"
    )


def _side(images: Reached, law: float) -> str:
    """How what images need of a word compares with a specification from the laws."""
    said = f"than the {percent(law, 1)} from the laws"
    if images.high < law:
        return f"stricter {said}"
    return f"laxer {said}" if images.low > law else f"not told from the {percent(law, 1)} of the laws"


def _on_devices(found: Results) -> str:
    from mtjspice.papers.meram import spreads

    mismatch, other = found.mismatch, found.drawn[1]
    shifted = other.deviation, other.low, other.high
    return (
        f"Devices that are not trimmed would hardly keep it. At P = 1/2, {ALLOWED:g} of P are"
        f" {percent(found.slope('pulse voltage').allowed(ALLOWED), 2)} of the pulse's voltage or"
        f" {percent(found.slope(spreads.LEFT_OVER).allowed(ALLOWED), 2)} of the effective anisotropy. Devices whose V50"
        f" differs by {percent(spreads.VOLTAGE_SPREAD)} (assumed) spread P by {_three(shifted, 2)} under one voltage."
        f" Mismatch of transistors makes {_three(mismatch.between)} from word to word and"
        f" {_three(mismatch.within)} from column to column (95 %): {_kept(found)}."
    )


def _three(found: tuple[float, float, float], decimals: int = 3) -> str:
    value, low, high = (f"{one:.{decimals}f}" for one in found)
    return f"{value} ({low} to {high})"


def _kept(found: Results) -> str:
    mismatch = found.mismatch
    ends = [float(np.hypot(mismatch.between[k], mismatch.within[k])) for k in (1, 2)]
    if ends[1] < ALLOWED:
        return f"the circuit keeps the {ALLOWED:g}, and the junctions decide"
    if ends[0] > ALLOWED:
        return f"the circuit does not keep the {ALLOWED:g} either"
    return f"{mismatch.words} words do not tell whether the circuit keeps the {ALLOWED:g}"


EXPERIMENT = Experiment(
    key="variability",
    title="Cells that differ",
    question="How much may probabilities spread from cell to cell, and what do real spreads make of them?",
    run=run,
    draw={"spread": draw_spread, "images": draw_images, "allowed": draw_allowed, "mismatch": draw_mismatch},
    minutes=(0.9, 4.8),
    modules=("sklearn",),
)
