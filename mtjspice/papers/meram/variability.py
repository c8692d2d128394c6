"""Cells that differ: what a spread of their probabilities does to the noise, and what spreads of devices allow."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mtjspice.papers.experiment import Context, Experiment
from mtjspice.papers.findings import Finding, Status, Value
from mtjspice.papers.meram import exact
from mtjspice.papers.meram.exact import DIVERGENCE, OFFSETS, RAW, SCATTER, TRIMMED, Estimate
from mtjspice.papers.meram.text import percent
from mtjspice.papers.meram.variability_figures import (
    ALLOWED,
    ENCODINGS,
    OFFSET,
    SPREADS,
    draw_allowed,
    draw_mismatch,
    draw_spread,
    plates,
)
from mtjspice.papers.sections import Section

if TYPE_CHECKING:
    from mtjspice.papers.meram.spreads import Drawn, Mismatch, Slope

Floats = NDArray[np.float64]

_FORMAT = "2 integer bits; normal, independent errors of probabilities unless said otherwise"


def run(context: Context) -> Section:
    """Exact laws of many devices; slopes by macrospins with common noise; mismatch by ngspice."""
    from mtjspice.papers.meram import spreads

    devices = context.effort(60, 600)
    rng = np.random.default_rng(context.seed)
    errors = rng.standard_normal((devices, 8))
    found = {name: [exact.devices(name, one, errors, rng) for one in SPREADS] for name in ENCODINGS}
    arrays = {how: exact.array(how, context.effort(20, 200), rng) for how in exact.ARRANGED}
    slopes = spreads.slopes(context.effort(20_000, 100_000), context.seed)
    drawn = spreads.drawn(slopes, context.effort(24, 100), context.effort(4000, 10_000), context.seed)
    mismatch = spreads.mismatch(context.effort(4, 16), context.effort(20_000, 50_000), context.seed)
    return _section(devices, found, arrays, slopes, drawn, mismatch)


def _section(
    devices: int, found: dict[str, list[dict[str, Estimate]]], arrays: dict[str, tuple[Estimate, Estimate]],
    slopes: "list[Slope]", drawn: "tuple[Drawn, Drawn]", mismatch: "Mismatch",
) -> Section:  # fmt: skip
    from mtjspice.papers.meram import spreads

    grid = np.array(SPREADS)
    at = SPREADS.index(0.02)
    offsets = {name: _limit(grid, rows, OFFSETS, OFFSET) for name, rows in found.items()}
    product = found["product:8"]
    doubled = _limit(grid, product, DIVERGENCE, 2 * product[0][DIVERGENCE].value)
    tolerated = min(one.value for one in (doubled, *offsets.values()) if isinstance(one, Value))
    middle = [one for one in slopes if one.target == 0.5]
    tightest = min(middle, key=lambda one: one.allowed(ALLOWED))
    volts = next(one for one in middle if one.name == "pulse voltage")
    every, shifted = drawn
    left = next(one for one in middle if one.name == spreads.LEFT_OVER)
    others = [one for one in middle if one not in (tightest, left)]
    circuit = _kept(mismatch)
    findings = [
        Finding(
            key="doubled",
            quantity="spread of P that doubles the divergence of product words",
            ours=doubled,
            status=Status.LEFT_OPEN,
            reason=(
                f"From {product[0][DIVERGENCE].value:.3f} bit, the best that independent bits can do, to twice that;"
                f" median of {devices} devices, interpolated, limits from the bootstrap limits of the curve."
            ),
            assumed=_FORMAT,
        ),
        *(
            Finding(
                key=f"offset-{k}",
                quantity=f"spread of P at which the mean is off by {OFFSET:g}, {name}",
                ours=limit,
                status=Status.LEFT_OPEN,
                reason=f"Mean of |mean| over {devices} devices, exact laws, in standard deviations; a constant offset"
                " of"
                " that size in every number spoils the images of a small diffusion model. It is what a calibration of"
                " mean and deviation takes out.",
                assumed=_FORMAT,
            )
            for k, (name, limit) in enumerate(offsets.items())
        ),
        *(
            Finding(
                key=f"at-{k}",
                quantity=f"|mean|, scatter of deviation and KL at a spread of 0.02, {name}",
                ours="; ".join(_text(rows[at][what]) for what in (OFFSETS, SCATTER, DIVERGENCE)),
                status=Status.LEFT_OPEN,
                reason=f"Bit; 95 % by bootstrap. Total variation {_text(rows[at][RAW])}, with mean and deviation"
                f" calibrated {_text(rows[at][TRIMMED])}.",
                assumed=_FORMAT,
            )
            for k, (name, rows) in enumerate(found.items())
        ),
        *(
            Finding(
                key=f"array-{k}",
                quantity=f"|mean| and KL of a stream of {exact.ROWS} words that take turns, error {how}",
                ours=f"{_text(mean)}; {_text(divergence)} bit",
                status=Status.LEFT_OPEN,
                reason=f"Product words, spread {exact.ARRAY_SPREAD:g}; errors of single cells average out over"
                " words in the law of the stream (not in a word's own), errors common to a bit of all words do not.",
                assumed=_FORMAT,
            )
            for k, (how, (mean, divergence)) in enumerate(arrays.items())
        ),
        Finding(
            key="voltage",
            quantity="spread of the pulse's voltage that spreads P by 0.02 at P = 1/2",
            ours=volts.value(ALLOWED),
            status=Status.LEFT_OPEN,
            reason="0.02 over the slope; macrospins with common noise at a width of half a precession. It bounds any"
            " spread of V_c just as well.",
            assumed="the card's values that no paper gives",
        ),
        Finding(
            key="anisotropy",
            quantity="the same for the effective anisotropy, relative",
            ours=left.value(ALLOWED),
            status=Status.LEFT_OPEN,
            reason=(
                "It is a small difference of two large terms, interfacial and shape anisotropy, whose per cent are"
                f" multiplied: alone, the tightest, {tightest.name}, may spread by"
                f" {percent(tightest.allowed(ALLOWED), 3)}. Others: "
                + f"{', '.join(f'{one.name} {percent(one.allowed(ALLOWED), 2)}' for one in others)}."
            ),
            assumed="the card's values that no paper gives",
        ),
        Finding(
            key="slopes",
            quantity=f"spread of P of devices drawn with {spreads.EVERY:g} on every parameter",
            ours=_deviation(every),
            status=Status.LEFT_OPEN,
            reason=f"A check of the slopes, which predict {every.predicted:.3f}.",
            assumed="the card's values that no paper gives; equal spreads",
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
            quantity="spread of P by mismatch of transistors: between words (shared generator); between columns",
            ours=f"{_range(mismatch.between)}; {_range(mismatch.within)}",
            status=Status.LEFT_OPEN,
            reason=(
                f"{mismatch.words} words of {mismatch.columns} columns, foundry's mismatch in gf180mcu, pulses of"
                f" {mismatch.width * 1e9:.2f} ns (spread between words {percent(mismatch.width_spread, 1)}); junctions"
                " alike. Parts of an analysis of variance, 95 % by chi-squared."
            ),
            assumed="circuit, process, and the card's values that no paper gives",
        ),
    ]  # fmt: skip
    return Section(
        answer=(
            f"Product words bear a spread of P of {_said(doubled)} before their divergence doubles, and"
            f" {_said(offsets['product:8'])}"
            f" before the mean is off by {OFFSET:g}; a tree in offset code only {_said(offsets['tree:8'])}, since its"
            " first"
            f" bit decides the sign and half of the magnitude. A specification of {percent(tolerated, 1)} for each"
            " probability follows from"
            " here, not from the paper, and what it costs depends on whether anybody calibrates: taking out mean and"
            " deviation removes"
            f" the offset, but leaves the shape (total variation of product words at 2 %: {product[at][RAW].value:.3f}"
            f" before, {product[at][TRIMMED].value:.3f} after).",
            f"Devices will hardly keep it untrimmed. At P = 1/2, 0.02 of P are {percent(volts.allowed(ALLOWED), 2)} of"
            " the"
            f" pulse's voltage or {percent(left.allowed(ALLOWED), 2)} of the effective anisotropy; devices whose V50"
            " differs by"
            f" {percent(spreads.VOLTAGE_SPREAD)} (assumed) spread P by {shifted.deviation:.2f} under one voltage."
            " Mismatch of"
            f" transistors makes {mismatch.between[0]:.3f} from word to word and {mismatch.within[0]:.3f} from column"
            f" to column: the circuit {circuit}. Errors that all words share do not average out over an array; what"
            " single cells err does, in the law of the stream.",
        ),
        findings=findings,
        plates=plates(devices, found, slopes, mismatch),
        setting=(
            f"Exact laws of {devices} devices of 8 cells for each spread; slopes from {slopes[0].trials} macrospins"
            f" with common noise, card meram100; {mismatch.words} words with mismatch in ngspice, gf180mcu."
        ),
    )


def _limit(spreads: Floats, rows: list[dict[str, Estimate]], what: str, limit: float) -> Value | str:
    curves = [
        np.minimum([getattr(row[what], end) for row in rows], 1e3 * limit) for end in ("value", "high", "low")
    ]  # divergences may be infinite
    value, low, high = (exact.reached(spreads, curve, limit) for curve in curves)
    if not np.isfinite(value):
        return f"above {spreads[-1]:g}"
    return Value(value=value, low=low, high=min(high, float(spreads[-1])), kind="95 %", digits=2)


def _kept(mismatch: "Mismatch") -> str:
    ends = [float(np.hypot(mismatch.between[k], mismatch.within[k])) for k in (1, 2)]
    if ends[1] < ALLOWED:
        return f"keeps the {ALLOWED:g}, and the junctions decide"
    return f"does not keep the {ALLOWED:g} either" if ends[0] > ALLOWED else f"is at the limit of {ALLOWED:g} itself"


def _deviation(one: "Drawn") -> Value:
    return Value(value=one.deviation, low=one.low, high=one.high, kind="95 %", digits=2)


def _said(limit: Value | str) -> str:
    return limit if isinstance(limit, str) else f"{limit.value:.3f}"


def _text(one: Estimate) -> str:
    return f"{one.value:.3f} ({one.low:.3f} to {one.high:.3f})"


def _range(found: tuple[float, float, float]) -> str:
    return f"{found[0]:.4f} ({found[1]:.4f} to {found[2]:.4f})"


EXPERIMENT = Experiment(
    key="variability",
    title="Cells that differ",
    question="How much may probabilities spread from cell to cell, and what do real spreads make of them?",
    run=run,
    draw={"spread": draw_spread, "allowed": draw_allowed, "mismatch": draw_mismatch},
    minutes=(0.5, 2.5),
)
