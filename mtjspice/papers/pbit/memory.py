"""What a P-bit remembers that is pulsed without a reset, by VCMA and by spin torque, and what networks make of it."""

from functools import partial

import numpy as np

from mtjspice.papers.experiment import Context, Experiment
from mtjspice.papers.pbit import chains, claims, drawn_networks, memory_findings, ranges
from mtjspice.papers.pbit import memory_figures as figures
from mtjspice.papers.pbit.memory_findings import AT, KEPT, PRODUCTS, Chains, Outputs
from mtjspice.papers.sections import Section

MEMORIES = (-0.5, -0.25, 0.0, 0.25, 0.5, 0.75)


def run(context: Context) -> Section:
    """Flips by the Fokker-Planck equation; sums and networks with P-bits emulated as such chains."""
    found = _chains(context)
    outputs = _outputs(context, found)
    return Section(
        answer=_answer(found, outputs),
        findings=[*memory_findings.of_pulses(found), *memory_findings.of_outputs(outputs)],
        plates=(figures.chains_plate(found.vcma, found.by_voltage, found.by_current),
                figures.products_plate(found.products),
                figures.outputs_plate(outputs.sums, outputs.regression, outputs.samples, KEPT)),
        setting=(
            f"Cards imec_iedm24 ({claims.PULSE_WIDTH * 1e12:.0f} ps, its spread from pulse to pulse) and"
            f" stt_trng_10ns (10 ns), Fokker-Planck equation to 1e-3; sums of {context.effort(64, 256)} runs of"
            f" {context.effort(2000, 8000)} steps; {context.effort(4000, 20_000)} passes at each of"
            f" {len(drawn_networks.PLACES)} places (regression); {context.effort(600, 2000)} samples a draw,"
            f" {context.effort(3, 5)} draws (mixture)."
        ),
    )  # fmt: skip


def _chains(context: Context) -> Chains:
    from mtjspice.papers.pbit import cells

    stt = np.linspace(0.16, 0.48, context.effort(9, 17))
    return Chains(
        chains.refined(chains.of_vcma, np.linspace(1.0, 2.2, context.effort(7, 13)), 1),
        chains.of_product(cells.card(), claims.HALF_VOLTS, PRODUCTS),
        chains.refined(partial(chains.of_spin_torque, model=chains.VOLTAGE_TORQUE), stt),
        chains.refined(partial(chains.of_spin_torque, model=chains.CURRENT_TORQUE), stt),
        chains.of_spin_torque(stt, chains.CURRENT_TORQUE, towards_other=False),
    )


def _outputs(context: Context, found: Chains) -> Outputs:
    from mtjspice.papers.pbit import cells

    seeds = cells.streams(context.seed, 4)
    steps, runs = context.effort(2000, 8000), context.effort(64, 256)
    passes = context.effort(4000, 20_000)
    regression = drawn_networks.trained_regression(context.effort(1000, 4000), seeds[0] % 1000)
    sampler = drawn_networks.trained_sampler(20, context.effort(1000, 6000), seeds[1] % 1000)
    fair = {one: (1 - one) / 2 for one in MEMORIES}
    each = dict(zip(MEMORIES, cells.streams(seeds[2], len(MEMORIES)), strict=True))
    draws = cells.streams(seeds[3], context.effort(3, 5))
    _, ones = found.by_current.without_memory()
    return Outputs(
        {one: _sum(p, each[one], steps, runs) for one, p in fair.items()},
        {one: drawn_networks.regression_output(regression, p, p, passes, each[one]) for one, p in fair.items()},
        {one: [drawn_networks.sampled(sampler, one, context.effort(600, 2000), k) for k in draws] for one in MEMORIES},
        [drawn_networks.regression_output(regression, ones, 1 - ones, passes, k) for k in draws],
    )


def _sum(p: float, seed: int, steps: int, runs: int) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """Variance over that with fresh bits, and correlation at lag 1, with 95 % over the runs."""
    x = chains.driven(p, p, KEPT, seed, steps=steps, runs=runs)
    variance, lagged = (x**2).mean(axis=0) * (1 - KEPT**2), (x[1:] * x[:-1]).mean(axis=0) * (1 - KEPT**2)
    ratio = float(lagged.mean() / variance.mean())
    # of a ratio of means: the runs' deviations from the line through both
    half = 1.96 * float((lagged - ratio * variance).std(ddof=1) / variance.mean()) / np.sqrt(runs)
    wide = 1.96 * float(variance.std(ddof=1)) / np.sqrt(runs)
    mean = float(variance.mean())
    return (mean, mean - wide, mean + wide), (ratio, ratio - half, ratio + half)


def _answer(found: Chains, outputs: Outputs) -> tuple[str, ...]:
    at, lopsided = found.by_current.without_memory()
    product, (hot, average) = found.products, (outputs.sums[AT][0], outputs.regression[AT].inflation)
    _, even = found.by_voltage.without_memory()
    apart = float(np.abs(found.vcma.p01 - found.vcma.p10).max())
    before, now = ([one[0] for one in outputs.samples[memory]] for memory in (0.0, AT))
    return (
        f"A VCMA pulse flips the junction of the card both ways alike, to within {apart:.2g}. Where it flips with a"
        " probability of 1/2, bits are fair and without memory (1 - p01 - p10 = 0) at once: one setting does both. With"
        f" a resistance-area product of {PRODUCTS[3] * 1e12:.0f} in place of {PRODUCTS[0] * 1e12:.0f} ohm um2 spin"
        f" torque joins in, and P(AP) at {claims.HALF_VOLTS:g} V is {product.ones[3]:.2f}.",
        "An STT pulse flips one way only, so that a chain takes pulses of both polarities, chosen by the state that"
        f" was read. If the torque goes with the current, memory vanishes at {at:.2f} V, but P(AP) is {lopsided:.2f}"
        f" there: no autocorrelation shows that bias. If it goes with the voltage, P(AP) is {even:.2f}.",
        f"A memory of {AT} makes the stationary variance of a linear SDE {_times(hot)} times as large as fresh P-bits"
        f" do, and that of a mean over {drawn_networks.AVERAGED} passes of a network {_times(average)} times. Samples"
        f" of a mixture by drop-connect lie {ranges.shown(now)} from it (energy distance; fresh P-bits"
        f" {ranges.shown(before)}): {ranges.nearness(now, before)}. The law of a single pass does not change.",
    )


def _times(found: tuple[float, float, float]) -> str:
    return f"{found[0]:.1f} ({found[1]:.1f} to {found[2]:.1f}, 95 %)"


EXPERIMENT = Experiment(
    key="memory",
    title="Pulses without a reset",
    question="What does a P-bit remember that is never reset, by VCMA or by spin torque, and does a network see it?",
    run=run,
    draw={"chains": figures.draw_chains, "product": figures.draw_products, "outputs": figures.draw_outputs},
    minutes=(0.4, 1.2),
    modules=("torch",),
)
