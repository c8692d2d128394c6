"""XOR of k bits, in the ways in which "three raw bits" can be read."""

from dataclasses import dataclass
from math import lcm
from typing import Literal

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mtjspice.bits.extractors.base import LAGS, Extractor, Prediction
from mtjspice.bits.extractors.parity import expected_sign
from mtjspice.bits.stream import BitStream, masked
from mtjspice.device.chain import ChainModel
from mtjspice.errors import InputError, choose

Wiring = Literal["consecutive", "lane", "sliding", "disjoint"]
WIRINGS = ("consecutive", "lane", "sliding", "disjoint")
_MOST = 64
_CYCLES = 1 << 16  # taken at a time where lanes do not fill bytes
_OUTPUTS = 4096  # averaged at most in a prediction


@dataclass(frozen=True)
class Xor(Extractor):
    """XOR of ``k`` bits.

    ``wiring``: "consecutive", bits j k ... j k + k - 1 of the stream (with devices that take turns: of k devices);
    "lane", k successive bits of the same device; "sliding", bits j ... j + k - 1, which keeps the rate and correlates
    the output; "disjoint", bits j, j + n/k, j + 2 n/k ... of a stream of n, as of k separate streams (whole cycles of
    the devices). Bits left over at the end are dropped. k independent bits of the biases e_i leave the bias
    (-2)^(k-1) e_1 ... e_k.
    """

    k: int = 3
    wiring: str = "consecutive"

    def __post_init__(self) -> None:
        choose("wiring of an XOR", self.wiring, WIRINGS)
        if not 2 <= self.k <= _MOST:
            raise InputError(f"an XOR joins 2 to {_MOST} bits, not {self.k}")

    @property
    def name(self) -> str:  # type: ignore[override]
        """As it is typed."""
        return f"xor:{self.k},wiring={self.wiring}"

    def extract(self, stream: BitStream) -> tuple[NDArray[np.uint8], int, int]:
        """See `Extractor`."""
        k, n = self.k, stream.length
        needed = k * stream.lanes if self.wiring == "lane" else k
        if n < needed:
            raise InputError(f"an XOR of {k} ({self.wiring}) needs {needed} bits, the stream has {n}")
        if self.wiring == "lane" and stream.lanes > 1:
            return _by_lane(stream, k)
        if self.wiring == "sliding":
            length = n - k + 1
            return masked(_sliding(_padded_words(stream.packed), k).view(np.uint8), length), length, 1
        length = n // k
        if self.wiring == "disjoint":
            lanes = stream.lanes if length >= stream.lanes else 1
            length = length // lanes * lanes  # so that each part begins with the first device
            parts = [stream[i * length : (i + 1) * length].packed for i in range(k)]
            return np.bitwise_xor.reduce(parts), length, lanes
        out = np.zeros(-(-length // 8), np.uint8)
        _fold(_padded_words(stream.packed), k, length, out)
        lanes = stream.lanes // k if stream.lanes % k == 0 else 1
        return out, length, max(1, lanes)

    def predict(self, model: ChainModel, lags: int = LAGS) -> Prediction:
        """Exact for stationary chains; averaged over outputs where devices differ."""
        k, devices = self.k, model.lanes
        if self.wiring == "lane":
            period = devices

            def window(j: int) -> list[int]:
                cycle, lane = divmod(j, devices)
                return [(cycle * k + i) * devices + lane for i in range(k)]
        elif self.wiring == "sliding":
            period = devices

            def window(j: int) -> list[int]:
                return list(range(j, j + k))
        elif self.wiring == "disjoint":
            period = devices
            far = devices * (1 << 40)  # the parts are independent of each other

            def window(j: int) -> list[int]:
                return [i * far + j for i in range(k)]
        else:
            period = lcm(k, devices) // k

            def window(j: int) -> list[int]:
                return list(range(j * k, j * k + k))

        count = min(period, _OUTPUTS)
        signs = np.array([expected_sign(model, window(j)) for j in range(count)])
        joint = [
            np.mean([expected_sign(model, window(j) + window(j + lag)) for j in range(count)])
            for lag in range(1, lags + 1)
        ]
        mean = float(signs.mean())
        spread = 1 - mean**2
        rho = tuple(float((together - mean**2) / spread) if spread > 0 else 0.0 for together in joint)
        return Prediction(1.0 if self.wiring == "sliding" else 1 / k, -mean / 2, rho)


def xor_streams(streams: list[BitStream]) -> BitStream:
    """XOR of several streams, bit by bit, as long as the shortest; InputError for fewer than two."""
    if len(streams) < 2:
        raise InputError(f"an XOR of streams needs two or more, not {len(streams)}")
    length = min(stream.length for stream in streams)
    packed = np.bitwise_xor.reduce([stream[:length].packed for stream in streams])
    first = streams[0]
    origin = first.origin if all(stream.origin == first.origin for stream in streams) else "unknown"
    lanes = first.lanes if all(stream.lanes == first.lanes for stream in streams) else 1
    provenance = {f"stream{i}_{key}": value for i, one in enumerate(streams) for key, value in one.provenance.items()}
    return BitStream(packed, length, origin, {**provenance, "conditioning": f"xor of {len(streams)} streams"}, lanes)


def _by_lane(stream: BitStream, k: int) -> tuple[NDArray[np.uint8], int, int]:
    lanes, groups = stream.lanes, stream.cycles // k
    if lanes % 8 == 0:
        rows = stream.packed[: groups * k * (lanes // 8)].reshape(groups, k, lanes // 8)
        result = rows[:, 0].copy()
        for i in range(1, k):
            result ^= rows[:, i]
        return result.ravel(), groups * lanes, lanes
    parts = []
    step = max(1, _CYCLES // k) * 8  # whole bytes in and out
    for begin in range(0, groups, step):
        end = min(groups, begin + step)
        bits = stream[begin * k * lanes : end * k * lanes].bits().reshape(-1, k, lanes)
        parts.append(np.packbits(np.bitwise_xor.reduce(bits, axis=1).ravel()))
    return np.concatenate(parts), groups * lanes, lanes


def _padded_words(packed: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Big-endian words in native order, and one of zeros behind."""
    words = np.zeros(-(-packed.size // 8) + 1, ">u8")
    words.view(np.uint8)[: packed.size] = packed
    return words.astype(np.uint64)


def _sliding(words: NDArray[np.uint64], k: int) -> NDArray[np.uint64]:
    """Each bit with the k - 1 that follow, big-endian words again."""
    head, following = words[:-1], words[1:]
    result = head.copy()
    for shift in range(1, k):
        result ^= (head << np.uint64(shift)) | (following >> np.uint64(64 - shift))
    return result.astype(">u8")


@njit(cache=True, error_model="numpy", nogil=True)
def _fold(words: NDArray[np.uint64], k: int, length: int, out: NDArray[np.uint8]) -> None:
    """Parities of successive groups of ``k`` bits: differences of the parity of all bits up to a place.

    ``words`` are replaced by those parities; ``out`` takes ``length`` bits.
    """
    one = np.uint64(1)
    run = np.uint64(0)  # all ones if the parity of the words before is odd
    for w in range(len(words)):
        x = words[w]
        x ^= x >> one
        x ^= x >> np.uint64(2)
        x ^= x >> np.uint64(4)
        x ^= x >> np.uint64(8)
        x ^= x >> np.uint64(16)
        x ^= x >> np.uint64(32)
        x ^= run
        words[w] = x
        run = np.uint64(0) - (x & one)
    place, before = k - 1, np.uint64(0)
    for byte in range(len(out)):
        held = np.uint64(0)
        for _ in range(8):
            parity = np.uint64(0)
            if place < k * length:
                parity = (words[place >> 6] >> np.uint64(63 - (place & 63))) & one
                place += k
            else:
                before = np.uint64(0)
            held = (held << one) | (parity ^ before)
            before = parity
        out[byte] = held
