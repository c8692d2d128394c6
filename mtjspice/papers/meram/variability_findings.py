"""Findings of the experiment on cells that differ."""

from typing import TYPE_CHECKING

from mtjspice.papers.findings import Finding, Status, Value
from mtjspice.papers.meram import claims, exact
from mtjspice.papers.meram.exact import DIVERGENCE, OFFSETS, RAW, SCATTER, TRIMMED
from mtjspice.papers.meram.text import limited, percent
from mtjspice.papers.meram.variability_figures import ALLOWED, NAMED, OFFSET, SPREADS
from mtjspice.papers.meram.variability_results import Results

if TYPE_CHECKING:
    from mtjspice.papers.meram.spreads import Drawn

_FORMAT = "2 integer bits; normal, independent errors of probabilities unless said otherwise"
_CARD = "the card's values that no paper gives"
_MODEL = f"{_FORMAT}; model, data, features and number of images"


def findings(found: Results) -> list[Finding]:
    """All findings."""
    return [*_laws(found), *_arrays(found), *_images(found), *_devices(found)]


def _laws(found: Results) -> list[Finding]:
    at = SPREADS.index(0.02)
    first = found.laws["product:8"][0][DIVERGENCE].value
    return [
        Finding(
            key="doubled",
            quantity="spread of P that doubles the divergence of words of independent bits",
            ours=found.doubled.shown(),
            status=Status.LEFT_OPEN,
            reason=(
                f"From {first:.3f} bit, the best that independent bits can do, to twice that; median of"
                f" {found.devices} devices, interpolated, limits from the bootstrap limits of the curve."
            ),
            assumed=_FORMAT,
        ),
        *(
            Finding(
                key=f"offset-{k}",
                quantity=f"spread of P at which the mean is off by {OFFSET:g}, {NAMED[name]}",
                ours=limit.shown(),
                status=Status.LEFT_OPEN,
                reason=f"Mean of |mean| over {found.devices} devices, exact laws, in standard deviations. It is what a"
                " calibration of mean and deviation takes out; see below for what it does to images.",
                assumed=_FORMAT,
            )
            for k, (name, limit) in enumerate(found.offsets.items())
        ),
        *(
            Finding(
                key=f"at-{k}",
                quantity=f"|mean|, scatter of deviation and KL (bit) at a spread of 0.02, {NAMED[name]}",
                ours="; ".join(limited(rows[at][what]) for what in (OFFSETS, SCATTER, DIVERGENCE)),
                status=Status.LEFT_OPEN,
                reason=f"95 % by bootstrap. Total variation {limited(rows[at][RAW])}, with mean and deviation"
                f" calibrated {limited(rows[at][TRIMMED])}.",
                assumed=_FORMAT,
            )
            for k, (name, rows) in enumerate(found.laws.items())
        ),
    ]


def _arrays(found: Results) -> list[Finding]:
    return [
        Finding(
            key=f"array-{k}",
            quantity=f"|mean| and KL of a stream of {exact.ROWS} words that take turns, errors {how}",
            ours=f"{limited(mean)}; {limited(divergence)} bit",
            status=Status.LEFT_OPEN,
            reason=f"Words of independent bits, spread {exact.ARRAY_SPREAD:g}, 95 % by bootstrap; errors of single"
            " cells average out over words in the law of the stream (not in a word's own), errors common to a bit of"
            " all words do not.",
            assumed=_FORMAT,
        )
        for k, (how, (mean, divergence)) in enumerate(found.arrays.items())
    ]


def _images(found: Results) -> list[Finding]:
    from mtjspice.papers.meram.variability_images import ONE, OWN, ROW, SHIPPED, TREE

    images, limit, size = found.images, found.seen_from, found.images.size
    claimed = claims.FID_RATIO.value
    assert claimed is not None
    notes = {
        ONE: "One word makes all numbers, so that they have one offset; errors common to a bit of all words of an array"
        " give the same.",
        TREE: "A tree in offset code.",
        OWN: f"{exact.ROWS} words with errors of their own take turns, so that every pixel keeps its word: offsets do"
        " not average out, they make a pattern.",
        ROW: "As before, one error common to the cells of a word.",
        SHIPPED: "The shipped model, trained longer, whose own distance is smaller; the limit is that of the small"
        f" models, drawing alone spreads by {percent(images.better)} here.",
    }
    worst = found.worst_calibrated
    rows = [
        Finding(
            key=f"images-{k}",
            quantity=f"spread of P at which images are worse by the spread of single runs, {case}",
            ours=images.reached(case, False, limit).shown(),
            status=Status.LEFT_OPEN,
            reason=(
                f"{note} Distance {limit:.2f} times that of software noise; geometric mean of {size.devices} devices,"
                " Student's limits, interpolated in the square of the spread."
                f" {claimed:.2f} times, the ratio of the paper's FIDs, is reached at"
                f" {images.reached(case, False, claimed).ranged()}. From the laws: mean off by {OFFSET:g} at"
                f" {found.offsets['tree:8' if case == TREE else 'product:8'].said()}"
                + ("." if case == TREE else f", divergence doubled at {found.doubled.said()}.")
            ),
            assumed=_MODEL,
        )
        for k, (case, note) in enumerate(notes.items())
    ]
    return [
        Finding(
            key="images-spread",
            quantity=f"standard deviation of the distance of a run with software noise, trained once, {size.images}"
            " images",
            ours=Value(
                value=images.chance.single, unit="%", low=images.chance.low, high=images.chance.high, kind="95 %",
                digits=2,
            ),
            status=Status.LEFT_OPEN,
            reason=f"Over {size.trainings} seeds of {size.steps} steps, {size.null} draws each; drawing alone makes"
            f" {percent(images.chance.draws, 1)}. It depends on the number of images and on the model.",
            assumed=_MODEL,
        ),
        *rows,
        Finding(
            key="images-calibrated",
            quantity=f"largest mean distance over software noise, spreads up to {SPREADS[-1]:g}, every word calibrated",
            ours=Value(value=worst.value, low=worst.low, high=worst.high, kind="95 %, Student over devices"),
            status=Status.LEFT_OPEN,
            reason=(
                f"{worst.case[0].upper()}{worst.case[1:]} at {worst.spread:g}, the largest of"
                f" {len(found.calibrated)} means, each with its own limits; calibrated by exact"
                " laws, an array word by word. What is left is the shape of the law."
            ),
            assumed=_MODEL,
        ),
    ]  # fmt: skip


def _devices(found: Results) -> list[Finding]:
    from mtjspice.papers.meram import spreads

    middle = [one for one in found.slopes if one.target == 0.5]
    tightest = min(middle, key=lambda one: one.allowed(ALLOWED))
    left = found.slope(spreads.LEFT_OVER)
    others = [one for one in middle if one not in (tightest, left)]
    every, shifted = found.drawn
    mismatch = found.mismatch
    return [
        Finding(
            key="voltage",
            quantity="spread of the pulse's voltage that spreads P by 0.02 at P = 1/2",
            ours=found.slope("pulse voltage").value(ALLOWED),
            status=Status.LEFT_OPEN,
            reason="0.02 over the slope; macrospins with common noise at a width of half a precession. It bounds any"
            " spread of V_c just as well.",
            assumed=_CARD,
        ),
        Finding(
            key="anisotropy",
            quantity="spread of the effective anisotropy that spreads P by 0.02 at P = 1/2",
            ours=left.value(ALLOWED),
            status=Status.LEFT_OPEN,
            reason=(
                "It is a small difference of two large terms, interfacial and shape anisotropy, whose per cent are"
                f" multiplied: alone, the tightest, {tightest.name}, may spread by"
                f" {percent(tightest.allowed(ALLOWED), 3)}. Others: "
                + f"{', '.join(f'{one.name} {percent(one.allowed(ALLOWED), 2)}' for one in others)}."
            ),
            assumed=_CARD,
        ),
        Finding(
            key="slopes",
            quantity=f"spread of P of devices drawn with {spreads.EVERY:g} on every parameter",
            ours=_deviation(every),
            status=Status.LEFT_OPEN,
            reason=f"A check of the slopes, which predict {every.predicted:.3f}.",
            assumed=f"{_CARD}; equal spreads",
        ),
        Finding(
            key="shifted",
            quantity=f"spread of P of devices whose V50 differs by {percent(spreads.VOLTAGE_SPREAD)}, all at one"
            " voltage",
            ours=_deviation(shifted),
            status=Status.LEFT_OPEN,
            reason=f"Drawn and counted (the slope alone says {shifted.predicted:.2f}). Such devices need a voltage"
            " each.",
            assumed=f"{percent(spreads.VOLTAGE_SPREAD)} of V50: the card has no spread of its own",
        ),
        Finding(
            key="mismatch",
            quantity="spread of P by mismatch of transistors, between words (shared generator); between columns",
            ours=f"{_range(mismatch.between)}; {_range(mismatch.within)}",
            status=Status.LEFT_OPEN,
            reason=(
                f"{mismatch.words} words of {mismatch.columns} columns, foundry's mismatch in gf180mcu, pulses of"
                f" {mismatch.width * 1e9:.2f} ns (spread between words {percent(mismatch.width_spread, 1)}); junctions"
                " alike. Parts of an analysis of variance, 95 % by chi-squared."
            ),
            assumed=f"circuit, process, and {_CARD}",
        ),
    ]


def _deviation(one: "Drawn") -> Value:
    return Value(value=one.deviation, low=one.low, high=one.high, kind="95 %", digits=2)


def _range(found: tuple[float, float, float]) -> str:
    return f"{found[0]:.4f} ({found[1]:.4f} to {found[2]:.4f})"
