"""Recovery of a generator's state from its output, as an attacker would: registers, MT19937, congruential generators.

Whatever is found has predicted bits that it was not made from; nothing is ever found in bits without such structure
(once in 2^60 streams by chance, noisy registers apart: see `recover_noisy_lfsr`).
"""

from numpy.typing import ArrayLike

from mtjspice.bits.recovery.congruential import RecoveredCongruence, recover_lcg
from mtjspice.bits.recovery.found import Recovery
from mtjspice.bits.recovery.mersenne import RecoveredTwister, recover_mt19937, recover_mt19937_words
from mtjspice.bits.recovery.registers import NoisyRegister, RecoveredRegister, recover_lfsr, recover_noisy_lfsr
from mtjspice.bits.recovery.truncated import recover_truncated_mt19937
from mtjspice.bits.stream import BitStream, as_stream

__all__ = [
    "NoisyRegister",
    "RecoveredCongruence",
    "RecoveredRegister",
    "RecoveredTwister",
    "Recovery",
    "recover",
    "recover_lcg",
    "recover_lfsr",
    "recover_mt19937",
    "recover_mt19937_words",
    "recover_noisy_lfsr",
    "recover_truncated_mt19937",
]


def recover(bits: BitStream | ArrayLike) -> list[Recovery | NoisyRegister]:
    """Try all attacks on whole words and bits; what they found, empty for bits without such structure."""
    stream = as_stream(bits)
    found: list[Recovery | NoisyRegister] = []
    for attack in (recover_lfsr, recover_mt19937, recover_lcg):
        result = attack(stream)
        if result is not None:
            found.append(result)
    if not found:
        noisy = recover_noisy_lfsr(stream)
        if noisy is not None:
            found.append(noisy)
    return found
