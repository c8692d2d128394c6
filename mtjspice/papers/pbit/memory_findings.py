"""What the experiment on memory found: chains by the pulse, and what is put out by the memory."""

from dataclasses import dataclass

import numpy as np

from mtjspice.papers.findings import Finding, Status, Value
from mtjspice.papers.pbit import chains, claims, drawn_networks, ranges, windows
from mtjspice.papers.pbit.chains import Chain

PRODUCTS = np.array([1200e-12, 300e-12, 100e-12, 30e-12, 10e-12])  # ohm m^2; the first is the card's
KEPT = 0.95  # of x in one step
AT = 0.5  # memory that the findings name
_STT = "junction of the card stt_trng_10ns, whose stack no paper gives; torque proportional to voltage or current"
_PS = f"{claims.PULSE_WIDTH * 1e12:.0f}"
_NETWORK = "networks, data and training of this project; emulated chains, all alike"


@dataclass(frozen=True, eq=False)
class Chains:
    """All chains: the paper's junction over volts and over the resistance-area product, and an STT junction."""

    vcma: Chain
    products: Chain
    by_voltage: Chain
    by_current: Chain
    one_way: Chain


@dataclass(frozen=True, eq=False)
class Outputs:
    """What is put out, by memory: a relaxing sum (variance, correlation, each with limits), regression, samples."""

    sums: dict[float, tuple[tuple[float, float, float], tuple[float, float, float]]]
    regression: dict[float, drawn_networks.Output]
    samples: dict[float, list[tuple[float, float]]]
    lopsided: list[drawn_networks.Output]


def _limits(found: tuple[float, float, float]) -> Value:
    return Value(value=found[0], low=found[1], high=found[2], kind="95 %")


def of_pulses(found: Chains) -> list[Finding]:
    """Flips by VCMA and by spin torque."""
    apart = np.abs(found.vcma.p01 - found.vcma.p10)
    _, ones = found.vcma.without_memory()
    _, equal = found.by_voltage.without_memory()
    at, lopsided = found.by_current.without_memory()
    up, down = (windows.crossing(found.by_current.drives, p, 0.5) for p in (found.by_current.p01, found.by_current.p10))
    products = found.products
    back = float(found.one_way.p01.max())
    return [
        Finding(
            key="vcma", quantity=f"largest |p01 - p10| of a VCMA pulse of {_PS} ps, 1.0 to 2.2 V",
            ours=ranges.bounded(float(apart.max()), 2 * found.vcma.error), status=Status.LEFT_OPEN,
            reason=(
                f"Both ways a flip is half a precession. Memory goes from {found.vcma.memory.max():.2f} to"
                f" {found.vcma.memory.min():.2f} with the drive and is 0 where both are 1/2, with P(AP) = {ones:.3f}"
                " there: one setting serves both. What is left is the small torque of the current."
            ),
            assumed="card of the junction, its resistance-area product among it",
        ),
        Finding(
            key="product",
            quantity=f"P(AP) of the chain at {claims.HALF_VOLTS:g} V and {PRODUCTS[3] * 1e12:.0f} ohm um2",
            ours=ranges.bounded(float(products.ones[3]), products.error), status=Status.LEFT_OPEN,
            reason=(
                f"With the card's {PRODUCTS[0] * 1e12:.0f} ohm um2 it is {products.ones[0]:.3f}. A lower resistance"
                " lets a current flow whose torque helps one way and hinders the other. The memory stays within"
                f" {np.abs(products.memory).max():.2f} of zero over all products: no autocorrelation shows this bias."
            ),
            assumed="torque proportional to the voltage, damping-like only; the rest of the card unchanged",
        ),
        Finding(
            key="one-way", quantity="largest chance of a flip against an STT pulse of one polarity",
            ours=f"below {max(back, found.one_way.error):.1g}", status=Status.LEFT_OPEN,
            reason=(
                f"The chain ends in P, up to {found.one_way.drives.max():.2f} V: without a reset, one polarity makes"
                " one random bit and then none. A chain takes pulses of both, by a reset or by the state that was read."
            ),
            assumed=_STT,
        ),
        Finding(
            key="by-state", quantity="P(AP) where an STT chain has no memory, torque driven by the current",
            ours=ranges.bounded(lopsided, 2 * found.by_current.error), status=Status.LEFT_OPEN,
            reason=(
                f"Each pulse drives away from the state that was read, {at:.3f} V either way. A P state conducts more"
                f" and flips more easily: a chance of 1/2 takes {up:.2f} V from P and {down:.2f} V from AP. No memory"
                " means p01 + p10 = 1, a fair bit p01 = p10; one amplitude cannot have both, two can."
                f" With a torque proportional to the voltage both flips are alike ({equal:.3f})."
            ),
            assumed=_STT,
        ),
        Finding(
            key="check", quantity="P(AP) of an STT chain whose autocorrelation is zero", paper=claims.AUTOCORRELATION,
            ours=ranges.bounded(lopsided, 2 * found.by_current.error), status=Status.NOT_COMPARABLE,
            reason=(
                "An autocorrelation that vanishes says nothing of the bias, and a fair mean nothing of the memory. The"
                " paper does not say whether its P-bits are reset."
            ),
            assumed=_STT,
        ),
    ]  # fmt: skip


def of_outputs(outputs: Outputs) -> list[Finding]:
    """Sums, regression and samples, by the memory."""
    variance, _ = chains.relaxed(AT, KEPT)
    at, fresh = outputs.regression[AT], outputs.regression[0.0]
    distance, wide = ([one[k] for one in outputs.samples[AT]] for k in (0, 1))
    before = [one[0] for one in outputs.samples[0.0]]
    errors = [one.mean_error for one in outputs.lopsided]
    return [
        Finding(
            key="sum", quantity=f"variance of x <- {KEPT} x + n at a memory of {AT}, over that with fresh P-bits",
            ours=_limits(outputs.sums[AT][0]), status=Status.LEFT_OPEN,
            reason=(
                f"Closed form for a memory l: (1 + c l)/(1 - c l) = {variance:.2f} with c = {KEPT}; for slow x it is"
                f" (1 + l)/(1 - l) = {chains.inflation(AT):.0f}. Smaller steps of an SDE do not help: x gets slower."
            ),
            assumed="emulated chains, fair and all alike",
        ),
        Finding(
            key="average",
            quantity=(
                f"variance of a mean of {drawn_networks.AVERAGED} passes (regression) at a memory of {AT}, over that"
                " with fresh P-bits"
            ),
            ours=_limits(at.inflation), status=Status.LEFT_OPEN,
            reason=(
                f"A sum that is linear in the P-bits has {drawn_networks.bound(AT):.2f}. Products of d P-bits forget as"
                " l^d, so that a network of layers has less; neighbouring outputs correlate by"
                f" {at.correlation[0]:.2f}. The law of one pass stays: error of the scatter {at.scatter_error:.3f},"
                f" fresh {fresh.scatter_error:.3f}."
            ),
            assumed=_NETWORK,
        ),
        Finding(
            key="lopsided", quantity="error of the regression's mean with the lopsided STT chain that has no memory",
            ours=ranges.value_of(errors, "runs", windows.digits_of(errors[0], min(errors), max(errors))),
            status=Status.LEFT_OPEN,
            reason=(
                f"Fair, fresh P-bits: {fresh.mean_error:.3f}; its neighbouring outputs correlate by"
                f" {np.mean([one.correlation[0] for one in outputs.lopsided]):.3f}. The network was trained for a"
                " keep probability of 1/2."
            ),
            assumed=f"{_NETWORK}; {_STT}",
        ),
        Finding(
            key="samples", quantity=f"energy distance of samples of a mixture at a memory of {AT}, drop-connect",
            ours=ranges.value_of(distance), status=Status.LEFT_OPEN,
            reason=(
                f"With fresh P-bits {ranges.shown(before)}, which is what training and steps leave. Variance of the"
                f" samples over the mixture's: {ranges.shown([one[1] for one in outputs.samples[0.0]], '.2f')} fresh,"
                f" {ranges.shown(wide, '.2f')} now: noise that repeats adds up from step to step."
            ),
            assumed=_NETWORK,
        ),
    ]  # fmt: skip
