"""Does a test of the stream of an untrimmed array show its cells?"""

import numpy as np
from scipy.special import expit

from mtjspice.papers.experiment import Context
from mtjspice.papers.findings import Finding, Status
from mtjspice.papers.stt_trng import limits

SPREAD = 0.05  # of V50, relative, assumed
Stream = tuple[tuple[str, bool], int, float, float]


def stream_of(context: Context, width: float) -> Stream:
    """Bits of an untrimmed array behind XOR: what passes, sequences, and the worst tenth of its triples."""
    from mtjspice.bits.extractors.xor import Xor
    from mtjspice.bits.sources.emulated import EmulatedSource, Imperfections
    from mtjspice.bits.sp800_22.battery import run_sequences
    from mtjspice.device.chain import ChainModel
    from mtjspice.papers.stt_trng.outcomes import outcome_of

    cells, sequences = 3 << 16, context.effort(56, 100)
    fair = ChainModel(np.array([0.5]), np.array([0.5]))
    source = EmulatedSource(fair, context.seed, cells, Imperfections(spread=SPREAD / width))
    e = 2 * expit(source.shifts()) - 1
    left = np.abs(e.reshape(-1, 3).prod(axis=1)) / 2
    bits = Xor(3)(source.stream(3 * sequences * limits.MEGABIT))
    result = run_sequences(bits, limits.MEGABIT, sequences=sequences, workers=1)
    return outcome_of(result), sequences, float(np.quantile(left, 0.9)), float(left.max())


def stream_finding(stream: Stream) -> Finding:
    """What passes, and what the triples are."""
    (passing, _), sequences, tenth, worst = stream
    return Finding(
        key="stream", quantity=f"SP 800-22 on an untrimmed array of {3 << 16:,} cells behind XOR of three",
        ours=passing, status=Status.LEFT_OPEN,
        reason=(
            f"{sequences} sequences of 10⁶ bits. Each cell gives {limits.MEGABIT * 3 / (3 << 16):.0f} bits of a"
            f" sequence and biases of cells cancel in the sum, while every tenth triple is off by {tenth:.3f} or more,"
            f" the worst by {worst:.2f}. A test of the stream of a large array says little about its cells; test the"
            " cells."
        ),
        assumed=f"V50 normal with {SPREAD:.0%} of spread, the card's curve, no lines; emulated",
    )  # fmt: skip
