"""The four predictors of SP 800-90B, 6.3.7 to 6.3.10, for bits (compiled)."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mtjspice.bits.sp800_90b.estimate import Estimate
from mtjspice.bits.sp800_90b.prediction import prediction_estimate

Bits = NDArray[np.uint8]

_WINDOWS = (63, 255, 1023, 4095)
_LAGS = 128
_DEPTH = 16  # longest context of the Markov models and of LZ78Y
_MODEL_ENTRIES = 100_000  # pairs of context and successor that a Markov model may hold
_DICTIONARY_ENTRIES = 65_536


def multi_most_common_in_window(bits: Bits) -> Estimate:
    """Prediction by the commoner bit of the last 63, 255, 1023 or 4095 (6.3.7); needs 4096 bits as NIST's tool does."""
    name = "multi-most-common-in-window"
    if bits.size <= _WINDOWS[-1]:
        return Estimate(name, None, {}, f"needs at least {_WINDOWS[-1] + 1} bits, got {bits.size}")
    correct, longest, window = _windows(bits)
    return prediction_estimate(name, bits.size - _WINDOWS[0], correct, longest, window=int(window))


def lag(bits: Bits) -> Estimate:
    """Prediction by the bit 1 to 128 places before (6.3.8); needs 3 bits."""
    if bits.size < 3:
        return Estimate("lag", None, {}, f"needs at least 3 bits, got {bits.size}")
    padding = np.zeros(-bits.size % 64, np.uint8)
    words = np.packbits(np.concatenate((bits, padding)), bitorder="little").view(np.uint64)
    correct, longest, winner = _lags(words, bits.size)
    return prediction_estimate("lag", bits.size - 1, correct, longest, lag=int(winner))


def multi_markov_model_with_counting(bits: Bits) -> Estimate:
    """Prediction by Markov models of the orders 1 to 16 (6.3.9); needs 4 bits."""
    name = "multi-markov-model-with-counting"
    if bits.size < 4:
        return Estimate(name, None, {}, f"needs at least 4 bits, got {bits.size}")
    correct, longest, order = _markov_models(bits)
    return prediction_estimate(name, bits.size - 2, correct, longest, order=int(order))


def lz78y(bits: Bits) -> Estimate:
    """Prediction by a dictionary of contexts of 1 to 16 bits (6.3.10); needs 19 bits."""
    if bits.size < _DEPTH + 3:
        return Estimate("lz78y", None, {}, f"needs at least {_DEPTH + 3} bits, got {bits.size}")
    correct, longest, entries = _dictionary(bits)
    return prediction_estimate("lz78y", bits.size - _DEPTH - 1, correct, longest, dictionary_entries=int(entries))


@njit(cache=True, error_model="numpy", nogil=True)
def _windows(bits: Bits) -> tuple[int, int, int]:
    """Correct predictions, their longest run, and the window that leads the scoreboard at the end."""
    ones = np.zeros(len(_WINDOWS), np.int64)
    score = np.zeros(len(_WINDOWS), np.int64)
    winner = 0
    correct = run = longest = 0
    for i in range(len(bits)):
        bit = np.int64(bits[i])
        if i >= _WINDOWS[0]:
            # windows are odd: there is no tie
            if (2 * ones[winner] > _WINDOWS[winner]) == bit:
                correct += 1
                run += 1
                longest = max(longest, run)
            else:
                run = 0
        for j in range(len(_WINDOWS)):
            if i >= _WINDOWS[j]:
                if (2 * ones[j] > _WINDOWS[j]) == bit:
                    score[j] += 1
                    if score[j] >= score[winner]:
                        winner = j
                ones[j] -= bits[i - _WINDOWS[j]]
            ones[j] += bit
    return correct, longest, _WINDOWS[winner]


@njit(cache=True, error_model="numpy", nogil=True)
def _count(word: np.uint64) -> np.int64:
    """Number of ones of a 64-bit word (H. S. Warren, Hacker's Delight, 5-1)."""
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@njit(cache=True, error_model="numpy", nogil=True)
def _lags(words: NDArray[np.uint64], n: int) -> tuple[int, int, int]:
    """Correct predictions, their longest run, and the lag that leads at the end; ``words`` hold bit 0 lowest.

    64 bits at a time: one exclusive or a lag tells where that lag is right, and the number of these bounds its
    score at the end. Only lags that can reach the highest score of the beginning can take the lead in between; they
    are few, and only they are followed bit by bit.
    """
    one = np.uint64(1)
    full = ~np.uint64(0)
    score = np.zeros(_LAGS, np.int64)
    after = np.zeros(_LAGS, np.int64)
    right = np.zeros(_LAGS, np.uint64)
    rivals = np.zeros(_LAGS, np.int64)
    winner = 0
    best = np.int64(0)
    correct = run = longest = 0
    older = old = np.uint64(0)
    for block in range(len(words)):
        word = words[block]
        steps = min(64, n - 64 * block)
        valid = full >> np.uint64(64 - steps)
        for k in range(_LAGS):
            shift = np.uint64((k + 1) & 63)
            if k < 63:
                shifted = (word << shift) | (old >> (np.uint64(64) - shift))
            elif k == 63:
                shifted = old
            elif k < 127:
                shifted = (old << shift) | (older >> (np.uint64(64) - shift))
            else:
                shifted = older
            right[k] = ~(word ^ shifted) & valid
        if block < 2:  # nothing stands before the first bit
            for k in range(_LAGS):
                missing = k + 1 - 64 * block
                if missing >= 64:
                    right[k] = np.uint64(0)
                elif missing > 0:
                    right[k] &= full << np.uint64(missing)
        for k in range(_LAGS):
            after[k] = score[k] + _count(right[k])
        number = 0
        for k in range(_LAGS):
            if after[k] >= best:
                rivals[number] = k
                number += 1
        for step in range(steps):
            if (right[winner] >> np.uint64(step)) & one:
                correct += 1
                run += 1
                longest = max(longest, run)
            else:
                run = 0
            for r in range(number):
                k = rivals[r]
                if (right[k] >> np.uint64(step)) & one:
                    score[k] += 1
                    if score[k] >= best:
                        best = score[k]
                        winner = k
        score[:] = after
        older = old
        old = word
    return correct, longest, winner + 1


@njit(cache=True, error_model="numpy", nogil=True)
def _markov_models(bits: Bits) -> tuple[int, int, int]:
    """Correct predictions, their longest run, and the order that leads at the end.

    The context of the last d bits has the index (1 followed by these bits) in ``counts``.
    """
    n = len(bits)
    counts = np.zeros((2 << _DEPTH, 2), np.int32)
    entries = np.zeros(_DEPTH + 1, np.int64)
    score = np.zeros(_DEPTH + 1, np.int64)
    winner = 1
    correct = run = longest = 0
    context = 1
    for order in range(1, min(_DEPTH, n - 1) + 1):
        context = (context << 1) | bits[order - 1]
        counts[context, bits[order]] = 1
        entries[order] = 1
    history = np.int64(bits[0])
    for i in range(2, n):
        history = (history << 1) | bits[i - 1]
        bit = bits[i]
        leader = winner
        for order in range(1, min(_DEPTH, i - 1) + 1):
            context = (history & ((1 << order) - 1)) | (1 << order)
            zeros = counts[context, 0]
            ones = counts[context, 1]
            if zeros + ones > 0:
                if (ones >= zeros) == bit:
                    score[order] += 1
                    if score[order] >= score[winner]:
                        winner = order
                    if order == leader:
                        correct += 1
                        run += 1
                        longest = max(longest, run)
                elif order == leader:
                    run = 0
            if counts[context, bit] > 0:
                counts[context, bit] += 1
            elif entries[order] < _MODEL_ENTRIES:
                counts[context, bit] = 1
                entries[order] += 1
    return correct, longest, winner


@njit(cache=True, error_model="numpy", nogil=True)
def _dictionary(bits: Bits) -> tuple[int, int, int]:
    """Correct predictions, their longest run, and the number of contexts in the dictionary at the end."""
    counts = np.zeros((2 << _DEPTH, 2), np.int32)
    history = np.int64(0)
    for k in range(_DEPTH):
        history = (history << 1) | bits[k]
    for order in range(1, _DEPTH + 1):
        counts[(history & ((1 << order) - 1)) | (1 << order), bits[_DEPTH]] = 1
    entries = _DEPTH
    correct = run = longest = 0
    for i in range(_DEPTH + 1, len(bits)):
        history = (history << 1) | bits[i - 1]
        bit = bits[i]
        prediction = -1
        most = 0
        for order in range(_DEPTH, 0, -1):
            context = (history & ((1 << order) - 1)) | (1 << order)
            zeros = counts[context, 0]
            ones = counts[context, 1]
            count = max(zeros, ones)
            if count > 0:
                if count > most:
                    most = count
                    prediction = ones >= zeros
                counts[context, bit] += 1
            elif entries < _DICTIONARY_ENTRIES:
                counts[context, bit] = 1
                entries += 1
        if prediction == bit:
            correct += 1
            run += 1
            longest = max(longest, run)
        else:
            run = 0
    return correct, longest, entries
