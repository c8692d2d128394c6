"""P-bits of the weights: bits of a source, fresh for each pass and each weight, with what real junctions do to them."""

import numpy as np
from numpy.typing import NDArray

from mtjspice.bits.sources.base import Source
from mtjspice.errors import InputError
from mtjspice.generative.sde.pairs import PairImperfections

Bits = NDArray[np.uint8]


class PBits:
    """``devices`` P-bits that are all drawn anew for each pass; 1 is AP.

    Bits are taken in the order of the hardware's passes, device by device; a source of as many lanes has one lane for
    each device. ``used`` counts the bits that were taken from the source.
    """

    def __init__(self, source: Source, devices: int, flaws: PairImperfections | None = None) -> None:
        if devices < 1:
            raise InputError(f"a network has 1 P-bit or more, not {devices}")
        self._source, self.devices, self._flaws = source, devices, flaws or PairImperfections()
        self.used = 0
        self._left = np.empty(0, np.uint8)
        seeds = np.random.SeedSequence(self._flaws.seed, spawn_key=(0xB1,)).spawn(2)
        fixed, self._rng = (np.random.Generator(np.random.Philox(seed)) for seed in seeds)
        # the flaws are drawn in this order whatever their size, so that one can be swept alone
        self._change = np.clip(2 * self._flaws.keep_spread * fixed.standard_normal(devices), -1, 1)
        order = fixed.permutation(devices)[: round(self._flaws.stuck * devices)]
        self._stuck, self._held = order, (np.arange(order.size) % 2).astype(np.uint8)
        self._state: Bits | None = None

    def read(self, passes: int) -> Bits:
        """P-bits of the next passes, shape (passes, devices); StreamExhaustedError if the source has run out."""
        bits = self._taken(passes * self.devices).reshape(passes, self.devices)
        self._spread(bits)
        bits[:, self._stuck] = self._held
        if self._flaws.memory:
            self._remember(bits)
        if self._flaws.read_error:
            bits ^= self._happens(self._flaws.read_error, bits.shape)
        return bits

    def _taken(self, count: int) -> Bits:
        missing = -(-(count - self._left.size) // 8)
        new = np.unpackbits(self._source.read(max(0, missing)))
        bits = np.concatenate([self._left, new]) if self._left.size else new
        self._left = bits[count:].copy()
        self.used += count
        return bits[:count]

    def _spread(self, bits: Bits) -> None:
        """Turn ones into zeros, or zeros into ones, so that fair bits become ones with 1/2 + change/2."""
        if not self._flaws.keep_spread:
            return
        turned = self._rng.random(bits.shape, np.float32) < np.abs(self._change)
        np.copyto(bits, (self._change > 0).astype(np.uint8), where=turned)

    def _remember(self, bits: Bits) -> None:
        """A P-bit keeps its state with |memory| (for memory < 0 it changes), and is drawn afresh otherwise."""
        kept = self._happens(abs(self._flaws.memory), bits.shape).astype(bool)
        turn = np.uint8(self._flaws.memory < 0)
        for row, keeps in zip(bits, kept, strict=True):
            if self._state is not None:
                np.copyto(row, self._state ^ turn, where=keeps)
            self._state = row
        self._state = bits[-1].copy() if len(bits) else self._state
        # a stuck device does not change even where its memory says so
        bits[:, self._stuck] = self._held

    def _happens(self, probability: float, shape: tuple[int, ...]) -> Bits:
        return np.asarray(self._rng.random(shape, np.float32) < probability, np.uint8)


class FrozenPBits:
    """P-bits that are drawn once and never again: drop-connect with one and the same mask."""

    def __init__(self, source: Source, devices: int, flaws: PairImperfections | None = None) -> None:
        self._drawn = PBits(source, devices, flaws)
        self._bits = self._drawn.read(1)
        self.devices = devices

    @property
    def used(self) -> int:
        """Bits taken from the source."""
        return self._drawn.used

    def read(self, passes: int) -> Bits:
        """The same bits for each pass, shape (passes, devices)."""
        return np.repeat(self._bits, passes, axis=0)
