"""Von Neumann's extractor and Peres' iteration of it: unbiased bits from pairs of equal bias."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mtjspice.bits.extractors.base import LAGS, Extractor, Prediction
from mtjspice.bits.stream import BitStream
from mtjspice.device.chain import ChainModel
from mtjspice.errors import InputError

_DEEPEST = 32


@dataclass(frozen=True)
class VonNeumann(Extractor):
    """Of each pair of bits 01 gives 0 and 10 gives 1; 00 and 11 give nothing (J. von Neumann 1951).

    Independent bits of one bias give independent fair ones. Pairs are formed within each lane, since devices have
    biases of their own; the outputs of the lanes follow one another. InputError for a lane with an odd number of bits.
    """

    name: str = "von-neumann"

    def extract(self, stream: BitStream) -> tuple[NDArray[np.uint8], int, int]:
        """See `Extractor`."""
        return _each_lane(stream, self.name, _von_neumann)

    def predict(self, model: ChainModel, lags: int = LAGS) -> Prediction:
        """Exact for Markov chains too, whose output is fair and correlated; the mean of the lanes, by their rates."""
        rates, correlations = [], []
        for p01, p10 in zip(model.p01.tolist(), model.p10.tolist(), strict=True):
            transition = np.array([[1 - p01, p01], [p10, 1 - p10]])
            law = np.array([p10, p01]) / (p01 + p10)
            rates.append(float(law[0] * p01 + law[1] * p10) / 2)
            # from the last bit of a pair: pairs that give nothing, then one that does and so sets the last bit
            silent = transition * np.diag(transition)
            speaking = transition @ np.array([[0.0, p01], [p10, 0.0]])
            if rates[-1] == 0:
                correlations.append([0.0] * lags)
                continue
            outputs = np.linalg.solve(np.eye(2) - silent, speaking)  # from last bit to last bit
            memory = float(outputs[0, 0] + outputs[1, 1] - 1)  # output 1 leaves a 0 behind and the other way round
            correlations.append([memory**lag for lag in range(1, lags + 1)])
        weights = np.array(rates)
        if not weights.sum():
            return Prediction(0.0, 0.0, (0.0,) * lags)
        mean = np.average(np.array(correlations), axis=0, weights=weights)
        return Prediction(float(weights.mean()), 0.0, tuple(mean.tolist()))


@dataclass(frozen=True)
class Peres(Extractor):
    """Von Neumann's extractor, applied again to what it throws away, ``depth`` deep (Y. Peres, Ann. Stat. 20, 1992).

    Peres(x) = von Neumann(x), Peres(of x's pairs the XORs), Peres(of x's equal pairs the values). For independent bits
    of one bias, by lane, the output is fair, and the rate tends to the entropy. A last bit without partner is dropped
    on each level but the first, where it is an InputError.
    """

    depth: int = 8

    def __post_init__(self) -> None:
        if not 1 <= self.depth <= _DEEPEST:
            raise InputError(f"the depth of Peres' extractor must lie between 1 and {_DEEPEST}, not {self.depth}")

    @property
    def name(self) -> str:  # type: ignore[override]
        """As it is typed."""
        return f"peres:{self.depth}"

    def extract(self, stream: BitStream) -> tuple[NDArray[np.uint8], int, int]:
        """See `Extractor`."""

        def extract(packed: NDArray[np.uint8], length: int) -> tuple[NDArray[np.uint8], int]:
            bits = _peres(np.unpackbits(packed, count=length), self.depth)
            return np.packbits(bits), bits.size

        return _each_lane(stream, self.name, extract)

    def predict(self, model: ChainModel, lags: int = LAGS) -> Prediction:
        """For independent bits; the law of the output is not known for chains with memory."""
        if np.any(np.abs(model.lag1()) > 1e-12):
            raise NotImplementedError("Peres' extractor is predicted for independent bits only")
        rates = [_peres_rate(p, self.depth) for p in model.stationary().tolist()]
        return Prediction(float(np.mean(rates)), 0.0, (0.0,) * lags)


def _each_lane(
    stream: BitStream, name: str, extract: Callable[[NDArray[np.uint8], int], tuple[NDArray[np.uint8], int]]
) -> tuple[NDArray[np.uint8], int, int]:
    """Extract from every lane by itself; the outputs follow one another."""
    per_lane = stream.length / stream.lanes
    if per_lane % 2:
        whose = f"each of the {stream.lanes} lanes" if stream.lanes > 1 else "the stream"
        raise InputError(
            f"{name} takes pairs, but {whose} has {per_lane:g} bits; take an even number of them, such as "
            f"{2 * int(per_lane // 2) * stream.lanes} in all"
        )
    if stream.lanes == 1:
        packed, length = extract(np.asarray(stream.packed), stream.length)
        return packed, length, 1
    parts = []
    for lane in range(stream.lanes):
        one = stream.lane(lane)
        packed, length = extract(one.packed, one.length)
        parts.append(np.unpackbits(packed, count=length))
    bits = np.concatenate(parts)
    return np.packbits(bits), bits.size, 1


def _table() -> NDArray[np.uint32]:
    """For each byte: the number of outputs, and above them (from bit 8) the outputs, first one highest."""
    table = np.zeros(256, np.uint32)
    for byte in range(256):
        count = value = 0
        for shift in (6, 4, 2, 0):
            pair = byte >> shift & 3
            if pair in (1, 2):
                value, count = value << 1 | pair >> 1, count + 1
        table[byte] = value << 8 | count
    return table


_PAIRS = _table()


def _von_neumann(packed: NDArray[np.uint8], length: int) -> tuple[NDArray[np.uint8], int]:
    out = np.empty(packed.size // 2 + 16, np.uint8)
    count = int(_emit(packed, _PAIRS, out))  # the padding is pairs of zeros, which give nothing
    return out[: -(-count // 8)].copy(), count


@njit(cache=True, error_model="numpy", nogil=True)
def _emit(packed: NDArray[np.uint8], table: NDArray[np.uint32], out: NDArray[np.uint8]) -> int:
    held, have, place = np.uint64(0), np.uint64(0), 0  # bits not yet written, their number; bytes written
    for byte in packed:
        entry = np.uint64(table[byte])
        count = entry & np.uint64(255)
        held = (held << count) | (entry >> np.uint64(8))
        have += count
        if have >= np.uint64(32):
            have -= np.uint64(32)
            word = held >> have
            for b in range(4):
                out[place + b] = np.uint8(word >> np.uint64(24 - 8 * b))
            place += 4
    total = 8 * place + int(have)
    held <<= np.uint64(32) - have
    for b in range(4):
        out[place + b] = np.uint8(held >> np.uint64(24 - 8 * b))
    return total


def _peres(bits: NDArray[np.uint8], depth: int) -> NDArray[np.uint8]:
    """Outputs in the order of Peres' definition; ``bits`` are 0 and 1."""
    half = bits.size // 2
    if not half or not depth:
        return np.empty(0, np.uint8)
    emitted, differ, equal = np.empty(half, np.uint8), np.empty(half, np.uint8), np.empty(half, np.uint8)
    count = int(_split(bits, emitted, differ, equal))
    return np.concatenate([
        emitted[:count], _peres(differ, depth - 1), _peres(equal[: half - count], depth - 1),
    ])  # fmt: skip


@njit(cache=True, error_model="numpy", nogil=True)
def _split(
    bits: NDArray[np.uint8], emitted: NDArray[np.uint8], differ: NDArray[np.uint8], equal: NDArray[np.uint8]
) -> int:
    """Without branches, which random bits would make the processor mispredict."""
    count = 0
    for j in range(len(bits) // 2):
        first, second = bits[2 * j], bits[2 * j + 1]
        unlike = first ^ second
        differ[j] = unlike
        emitted[count] = first  # stays if the count goes on
        equal[j - count] = first
        count += int(unlike)
    return count


def _peres_rate(p: float, depth: int) -> float:
    """R_d(p) = p q + R_{d-1}(p^2 + q^2) / 2 + (p^2 + q^2) R_{d-1}(p^2 / (p^2 + q^2)) / 2, R_0 = 0."""
    if not depth or not 0 < p < 1:
        return 0.0
    alike = p * p + (1 - p) ** 2
    return p * (1 - p) + _peres_rate(alike, depth - 1) / 2 + alike * _peres_rate(p * p / alike, depth - 1) / 2
