"""What the experiment on weights found: ends of what a network bears, and errors there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtjspice.papers.findings import Finding, Status, Value
from mtjspice.papers.pbit import claims, columns, ranges, read_findings
from mtjspice.papers.pbit.columns import CONDUCTANCE, GAUSS, KEEP, LOW_TMR

Floats = NDArray[np.float64]

SIZES: Mapping[str, Sequence[float]] = {
    KEEP: (0.005, 0.01, 0.02, 0.05, 0.1, 0.2), **dict.fromkeys(GAUSS, (0.001, 0.0025, 0.005, 0.01, 0.02, 0.04, 0.08)),
}  # fmt: skip
CONVERTERS = (3, 4, 5, 6, 7, 8, 10)  # bits
MEAN, SCATTER, SAMPLES = 0, 1, 2  # what is compared, last axis of the errors
ROWS = 24  # of the regression network's hidden layers
_ASSUMED = "data, networks and training of this project"


@dataclass(frozen=True, eq=False)
class Errors:
    """Errors of mean and scatter (regression) and energy distance (samples), last axis, by array.

    ``ideal`` (arrays, 3); ``flawed`` by kind (sizes, arrays, 3); ``converted`` (bits, arrays, 3), ideal pairs.
    """

    ideal: Floats
    flawed: Mapping[str, Floats]
    converted: Floats
    scatter: float


def first_beyond(sizes: Sequence[float], means: Sequence[float], limit: float) -> float:
    """Size at which the mean error first exceeds a limit, interpolated in logarithms; infinite if it never does."""
    logs, values = np.log(np.asarray(sizes)), np.asarray(means)
    above = np.flatnonzero(values > limit)
    if not above.size:
        return float("inf")
    k = int(above[0])
    if k == 0:
        return float(sizes[0])
    return float(np.exp(np.interp(limit, values[k - 1 : k + 1], logs[k - 1 : k + 1])))


def enough_bits(bits: Sequence[int], means: Sequence[float], limit: float) -> float:
    """Smallest number of bits from which on no mean error exceeds a limit; infinite if the largest does."""
    enough = float("inf")
    for count, mean in zip(reversed(bits), reversed(means), strict=True):
        if mean > limit:
            break
        enough = count
    return enough


def _limit(ideal: Floats, what: int) -> float:
    """Two standard deviations above ideal pairs."""
    return float(ideal[:, what].mean() + 2 * ideal[:, what].std(ddof=1))


def end(errors: Errors, kind: str, what: int, seed: int) -> Value | str:
    """Size at which the mean over arrays leaves that of ideal pairs, 95 % over arrays drawn again."""
    sizes, flawed, rng = SIZES[kind], errors.flawed[kind][:, :, what], np.random.default_rng(seed)

    def end(chosen: NDArray[np.int64]) -> float:
        return first_beyond(sizes, flawed[:, chosen].mean(axis=1), _limit(errors.ideal[chosen], what))

    count = len(errors.ideal)
    value = end(np.arange(count))
    # draws of one array alone have no deviation to be compared with
    again = [chosen for chosen in rng.integers(0, count, (400, count)) if len(set(chosen.tolist())) > 1]
    found = [end(chosen) for chosen in again]
    low, high = float(np.quantile(found, 0.025, method="lower")), float(np.quantile(found, 0.975, method="higher"))
    if not np.isfinite([value, low, high]).all():
        return f"{short(value)} (95 %, bootstrap: {short(low)} to {short(high)})"
    return Value(value=value, unit="%", low=low, high=high, kind="95 %, bootstrap", digits=2)


def short(value: float) -> str:
    """A size as text."""
    return f"{value * 100:.2g} %" if np.isfinite(value) else "beyond all sizes tried"


def enough(errors: Errors, what: int) -> float:
    """Bits from which on an error is as without a converter."""
    return enough_bits(CONVERTERS, errors.converted[:, :, what].mean(axis=1).tolist(), _limit(errors.ideal, what))


def learned(errors: Errors) -> Finding:
    """Whether drop-connect learns a scatter."""
    found = errors.ideal[:, SCATTER]
    return Finding(
        key="ideal", quantity="error of the learned scatter, ideal pairs (root mean square)", paper=claims.REGRESSION,
        ours=ranges.value_of(found.tolist(), digits=2),
        status=Status.NOT_COMPARABLE,
        reason=(
            f"The true scatter has a standard deviation of {errors.scatter:.3f} over the places; we call it learned"
            " where the error is below a quarter of that. The paper gives no number, no data and no network."
        ),
        assumed=_ASSUMED,
    )  # fmt: skip


def learns(errors: Errors) -> bool:
    """Whether the error of the scatter is below a quarter of what there is to learn."""
    return bool(errors.ideal[:, SCATTER].mean() < errors.scatter / 4)


def limits(ends: Mapping[str, Value | str], samples: Mapping[str, Value | str]) -> list[Finding]:
    """Spreads that the networks show."""
    loose, strict = read_findings.spreads_of_margin(claims.MARGIN_SIGMAS, columns.TMRS[0])
    texts = {
        KEEP: ("standard deviation of the keep probability between cells", (
            "For this network one setting for the array is enough up to this spread between cells; the experiment on"
            " states has what junctions and transistors make. The paper says calibration-free and gives no spread."
        )),
        CONDUCTANCE: (f"relative spread of conductances at a TMR of {columns.TMRS[0] * 100:.0f} %", (
            f"{claims.MARGIN_SIGMAS:g} sigma of the read margin allow {strict * 100:.1f} or {loose * 100:.1f} %. That"
            " is enough to store; a pair is a small difference of two large conductances."
        )),
        LOW_TMR: (f"relative spread of conductances at a TMR of {columns.TMRS[-1] * 100:.0f} %", (
            "At a lower TMR (a higher read voltage) the difference is smaller still against the same spread."
        )),
    }  # fmt: skip
    return [
        Finding(
            key=key, quantity=f"{texts[kind][0]} that the error of the mean shows", paper=claims.CALIBRATION_FREE,
            ours=ends[kind], status=Status.NOT_COMPARABLE,
            reason=f"{texts[kind][1]} Samples of a mixture show it from {text(samples[kind])}. Tried were"
            f" {min(SIZES[kind]) * 100:g} to {max(SIZES[kind]) * 100:g} %.",
            assumed=_ASSUMED,
        )
        for key, kind in (("keep", KEEP), ("conductance", CONDUCTANCE), ("tmr", LOW_TMR))
    ]  # fmt: skip


def text(value: Value | str) -> str:
    """A size with its limits."""
    return value if isinstance(value, str) else value.shown()


def converters(errors: Errors, bits: Sequence[float]) -> list[Finding]:
    """Bits that are enough, and what one weight sees of them."""
    coarse = errors.converted[0]
    return [
        Finding(
            key="converter", quantity="bits of a column's converter from which on the error of the mean is as without",
            ours=_bits(bits[MEAN]), status=Status.LEFT_OPEN,
            reason=(
                f"Of {', '.join(map(str, CONVERTERS))}, within two standard deviations of ideal pairs. For the error of"
                f" the scatter {_bits(bits[SCATTER])}, for samples of a mixture {_bits(bits[SAMPLES])}; with"
                f" {CONVERTERS[0]} bits samples are {ranges.shown(coarse[:, SAMPLES].tolist())} off, without a"
                f" converter {ranges.shown(errors.ideal[:, SAMPLES].tolist())}. One range a layer, that of its"
                " largest sums with ideal pairs, so that no column is adjusted."
            ),
            assumed=f"{_ASSUMED}; differential currents, noiseless converters",
        ),
        Finding(
            key="one-weight", quantity=f"error of one weight read through such a column of {ROWS} rows, 6 bits",
            ours=Value(value=columns.ideal_rms(6, ROWS), digits=2), status=Status.LEFT_OPEN,
            reason=(
                "In weights, root mean square: a step of the converter by sqrt(12), its range that of all rows. Sums of"
                " fluctuating weights suffer less than this from the rounding, which their own noise dithers."
            ),
            assumed="range of the converter",
        ),
    ]  # fmt: skip


def _bits(value: float) -> str:
    return f"{value:.0f}" if np.isfinite(value) else "more than any tried"


def at(errors: Errors) -> list[Finding]:
    """Errors at single sizes."""
    ideal, arrays = errors.ideal, len(errors.ideal)
    found = []
    for k, (kind, size, what) in enumerate((
        (KEEP, 0.1, "a spread of q of 0.1"),
        (CONDUCTANCE, 0.04, f"a spread of G of 4 %, TMR {columns.TMRS[0] * 100:.0f} %"),
        (LOW_TMR, 0.04, f"a spread of G of 4 %, TMR {columns.TMRS[-1] * 100:.0f} %"),
    )):  # fmt: skip
        here = errors.flawed[kind][list(SIZES[kind]).index(size)]
        mean, variance = columns.expected_errors(kind, size)
        found.append(
            Finding(
                key=f"at-{k}", quantity=f"error of the mean at {what}",
                ours=ranges.value_of(here[:, MEAN].tolist(), "arrays", 2), status=Status.LEFT_OPEN,
                reason=(
                    f"Ideal pairs: {ideal[:, MEAN].mean():.3f} ({ranges.shown(ideal[:, MEAN].tolist())}, {arrays}"
                    f" arrays). A single weight then errs by {mean:.2f} in its mean and {variance:.3f} in its variance"
                    " of 1/4 (closed forms, steps of the pair)."
                ),
                assumed=_ASSUMED,
            )
        )  # fmt: skip
    return found
