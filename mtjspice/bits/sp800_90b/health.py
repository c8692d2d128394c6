"""Continuous health tests of SP 800-90B, 4.4: repetition count and adaptive proportion, on streams of bits.

Monitors take a stream in chunks of any size, packed or not; what they report does not depend on the cuts. With
``lanes`` = k bit i of the stream belongs to device i % k, and every device is tested by itself.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from mtjspice.bits.sp800_90b.cutoffs import (
    BINARY_WINDOW,
    FALSE_ALARM,
    adaptive_proportion_cutoff,
    repetition_count_cutoff,
)
from mtjspice.bits.stream import BitStream, as_bits
from mtjspice.errors import InputError

__all__ = [
    "AdaptiveProportionTest",
    "Alarm",
    "HealthMonitor",
    "RepetitionCountTest",
    "adaptive_proportion_cutoff",
    "repetition_count_cutoff",
]

Bits = NDArray[np.uint8]
Counts = NDArray[np.int64]

STARTUP = 1024
"""Samples of each device that the start-up test examines (4.3)."""

_BLOCK = 1 << 12  # bits of a lane at a time
_LISTED = 100  # alarms that as_dict lists


class _Test(ABC):
    """Position in the stream, and the alarms so far, of one test."""

    def __init__(self, cutoff: int, lanes: int) -> None:
        if lanes < 1:
            raise InputError(f"health tests need at least one lane, not {lanes}")
        self.cutoff = cutoff
        self.lanes = lanes
        self.samples = 0
        self.alarms: list[int] = []

    def feed(self, bits: BitStream | ArrayLike) -> tuple[int, ...]:
        """Test the next bits; the positions in the stream (first bit: 0) at which alarms were raised."""
        return self._feed(as_bits(bits))

    def _feed(self, values: Bits) -> tuple[int, ...]:
        positions = np.empty(values.size // max(1, self.cutoff - 1) + 2 * self.lanes, np.int64)
        number = self._scan(values, positions)
        found = tuple((np.sort(positions[:number]) + self.samples).tolist())
        self.samples += values.size
        self.alarms.extend(found)
        return found

    @abstractmethod
    def _scan(self, values: Bits, positions: Counts) -> int:
        """Carry the state on over ``values``; write where alarms were raised, and return their number."""


class RepetitionCountTest(_Test):
    """Repetition count test (4.4.1): an alarm where a run of equal bits reaches ``cutoff``, one a run."""

    def __init__(self, min_entropy: float, false_alarm: float = FALSE_ALARM, lanes: int = 1) -> None:
        super().__init__(repetition_count_cutoff(min_entropy, false_alarm), lanes)
        self._state = np.zeros((2, lanes), np.int64)  # last value, length of its run (0: nothing seen)

    def _scan(self, values: Bits, positions: Counts) -> int:
        return int(_repetitions(values, self.samples % self.lanes, self._state, self.cutoff, positions))


class AdaptiveProportionTest(_Test):
    """Adaptive proportion test (4.4.2): an alarm where the first value of a window of ``window`` bits has occurred
    ``cutoff`` times in it, one a window."""

    def __init__(
        self, min_entropy: float, false_alarm: float = FALSE_ALARM, window: int = BINARY_WINDOW, lanes: int = 1
    ) -> None:
        super().__init__(adaptive_proportion_cutoff(min_entropy, false_alarm, window), lanes)
        self.window = window
        self._state = np.zeros((3, lanes), np.int64)  # first value of the window, its count, bits of the window seen

    def _scan(self, values: Bits, positions: Counts) -> int:
        start = self.samples % self.lanes
        return int(_proportions(values, start, self._state, self.cutoff, self.window, positions))


@njit(cache=True, error_model="numpy", nogil=True)
def _repetitions(values: Bits, first_lane: int, state: Counts, cutoff: int, positions: Counts) -> int:
    """Blocks of the stream, and in each the lanes one after the other: their states stay in registers."""
    lanes = state.shape[1]
    number = 0
    for begin in range(0, len(values), _BLOCK * lanes):
        end = min(begin + _BLOCK * lanes, len(values))
        for k in range(min(lanes, end - begin)):
            lane = (first_lane + k) % lanes
            last, run = state[0, lane], state[1, lane]
            for i in range(begin + k, end, lanes):
                bit = np.int64(values[i])
                run = run * (bit == last) + 1
                last = bit
                if run == cutoff:
                    positions[number] = i
                    number += 1
            state[0, lane], state[1, lane] = last, run
    return number


@njit(cache=True, error_model="numpy", nogil=True)
def _proportions(values: Bits, first_lane: int, state: Counts, cutoff: int, window: int, positions: Counts) -> int:
    """As above. The rest of a window is counted at once; an alarm in it is located only if there is one."""
    lanes = state.shape[1]
    number = 0
    for begin in range(0, len(values), _BLOCK * lanes):
        end = min(begin + _BLOCK * lanes, len(values))
        for k in range(min(lanes, end - begin)):
            lane = (first_lane + k) % lanes
            first, count, seen = state[0, lane], state[1, lane], state[2, lane]
            i = begin + k
            while i < end:
                if seen == 0:
                    first, count = np.int64(values[i]), 0
                stop = min(end, i + (window - seen) * lanes)
                equal = 0
                for j in range(i, stop, lanes):
                    equal += values[j] == first
                if count < cutoff <= count + equal:
                    missing = cutoff - count
                    j = i - lanes
                    while missing > 0:
                        j += lanes
                        missing -= values[j] == first
                    positions[number] = j
                    number += 1
                count += equal
                steps = (stop - i + lanes - 1) // lanes
                seen = (seen + steps) % window
                i += steps * lanes
            state[0, lane], state[1, lane], state[2, lane] = first, count, seen
    return number


@dataclass(frozen=True)
class Alarm:
    """A failed health test: at the bit ``position`` of the stream, on device ``lane``."""

    test: Literal["repetition-count", "adaptive-proportion"]
    position: int
    lane: int


class HealthMonitor:
    """Both continuous health tests for devices of ``min_entropy`` bit per bit, and the start-up test.

    The start-up test of a device fails if an alarm falls into its first 1024 bits (4.3).
    """

    def __init__(
        self, min_entropy: float, false_alarm: float = FALSE_ALARM, window: int = BINARY_WINDOW, lanes: int = 1
    ) -> None:
        self.min_entropy = min_entropy
        self.false_alarm = false_alarm
        self.repetition_count = RepetitionCountTest(min_entropy, false_alarm, lanes)
        self.adaptive_proportion = AdaptiveProportionTest(min_entropy, false_alarm, window, lanes)

    @property
    def samples(self) -> int:
        """Number of bits seen, of all lanes together."""
        return self.repetition_count.samples

    @property
    def lanes(self) -> int:
        """Number of devices."""
        return self.repetition_count.lanes

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """All alarms so far in the order of their positions."""
        return self._ordered(self.repetition_count.alarms, self.adaptive_proportion.alarms)

    @property
    def startup_passed(self) -> bool | None:
        """Whether no alarm fell into the first 1024 bits of any device; None before these have been seen."""
        if any(alarm.position < STARTUP * self.lanes for alarm in self.alarms):
            return False
        return True if self.samples >= STARTUP * self.lanes else None

    def feed(self, bits: BitStream | ArrayLike) -> tuple[Alarm, ...]:
        """Test the next bits; the alarms that they raised, in the order of their positions."""
        values = as_bits(bits)
        return self._ordered(self.repetition_count._feed(values), self.adaptive_proportion._feed(values))

    def as_dict(self) -> dict[str, Any]:
        """Plain types for JSON: settings, cutoffs, number of alarms of each test, and the first hundred alarms."""
        alarms = self.alarms
        return {
            "standard": "SP 800-90B",
            "min_entropy": self.min_entropy,
            "false_alarm": self.false_alarm,
            "lanes": self.lanes,
            "samples": self.samples,
            "startup_passed": self.startup_passed,
            "repetition_count": {
                "cutoff": self.repetition_count.cutoff,
                "alarms": len(self.repetition_count.alarms),
            },
            "adaptive_proportion": {
                "window": self.adaptive_proportion.window,
                "cutoff": self.adaptive_proportion.cutoff,
                "alarms": len(self.adaptive_proportion.alarms),
            },
            "lanes_with_alarms": sorted({alarm.lane for alarm in alarms}),
            "first_alarms": [
                {"test": alarm.test, "position": alarm.position, "lane": alarm.lane} for alarm in alarms[:_LISTED]
            ],
        }

    def _ordered(
        self, repetitions: "tuple[int, ...] | list[int]", proportions: "tuple[int, ...] | list[int]"
    ) -> tuple[Alarm, ...]:
        found = [Alarm("repetition-count", k, k % self.lanes) for k in repetitions]
        found += [Alarm("adaptive-proportion", k, k % self.lanes) for k in proportions]
        return tuple(sorted(found, key=lambda alarm: alarm.position))
