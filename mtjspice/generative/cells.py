"""Cells that are asked for a bit of a programmed probability and give it with imperfections.

A cell asked for p gives a one with the probability clip(p + dp + spread z + walk, 0, 1): dp is common to all, z is a
standard normal number of each physical cell, walk a random walk common to all. With the probability rho a cell keeps
the value it had in the word before (a pulse that is to toggle it has no effect). Stuck cells never change. Physical
cells are ``lanes`` words in parallel that take turns: word k uses the cells of lane k modulo ``lanes``.

The raw bits decide everything that is random from word to word; a seed decides what the device is like: z, which
cells are stuck, and the walk.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from math import isfinite

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from mtjspice.bits.sources.base import Source, check_lanes, check_seed
from mtjspice.errors import InputError
from mtjspice.generative.encodings import comparator
from mtjspice.generative.encodings.bit_reader import BitReader
from mtjspice.generative.law import checked_probabilities

Floats = NDArray[np.float64]
_CHUNK = 1 << 15  # words at a time
_NODES = 16  # of a panel of the Gauss-Legendre rule between the clips
_PANELS = (4, 64)  # at least and at most; as many as keep the work for wide words bearable
_WORK = 300_000
_REACH = 9.0  # standard deviations of a spread that count


@dataclass(frozen=True)
class Imperfections:
    """``dp``, ``spread`` (standard deviation) and ``drift`` (of the walk, per cycle of all lanes) are probabilities.

    ``rho`` is the memory, in [0, 1), ``stuck`` the fraction of stuck cells, half of them 0 and half 1. InputError for
    what is out of range or not a number.
    """

    dp: float = 0.0
    spread: float = 0.0
    rho: float = 0.0
    drift: float = 0.0
    stuck: float = 0.0
    lanes: int = 1

    def __post_init__(self) -> None:
        if not -1 <= self.dp <= 1:
            raise InputError(f"the offset dp of a probability must lie between -1 and 1, not be {self.dp:g}")
        for name in ("spread", "drift"):
            value = getattr(self, name)
            if not (isfinite(value) and 0 <= value <= 1):
                raise InputError(f"the {name} of a probability must lie between 0 and 1, not be {value:g}")
        if not 0 <= self.rho < 1:
            raise InputError(f"the memory rho must lie between 0 and 1, 1 excluded, not be {self.rho:g}")
        if not 0 <= self.stuck <= 1:
            raise InputError(f"the fraction of stuck cells must lie between 0 and 1, not be {self.stuck:g}")
        check_lanes(self.lanes)

    @property
    def varied(self) -> bool:
        """Whether cells differ."""
        return self.spread > 0 or self.stuck > 0

    def noted(self) -> dict[str, float | int]:
        """What differs from perfect cells, for provenance."""
        return {key: value for key, value in asdict(self).items() if value != getattr(IDEAL, key)}

    def mean(self, function: Callable[[Floats], Floats], probability: ArrayLike) -> Floats:
        """Mean over all cells of ``function`` of what a cell makes of ``probability``; both keep the shape.

        The spread is integrated between the clips, which count with their exact weight, by Gauss-Legendre in 64 panels
        (4 for words of 16 bits). That is exact to rounding where ``function`` is smooth, and to some 1e-4 where it is
        not: what biased bits make of a probability is a curve without a derivative, and a thousand pulses and more are
        nearly a step.
        """
        p = np.asarray(probability, np.float64) + self.dp
        if self.spread:
            low, high = np.clip(-p / self.spread, -_REACH, _REACH), np.clip((1 - p) / self.spread, -_REACH, _REACH)
            panels = int(np.clip(_WORK // (_NODES * max(1, p.size)), *_PANELS))
            nodes, weights = _panelled(panels)
            z = low + (high - low) * (nodes.reshape(-1, *(1,) * p.ndim) + 1) / 2
            density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
            inner = np.stack([function(np.clip(p + self.spread * row, 0, 1)) for row in z])
            moving = (high - low) / 2 * np.tensordot(weights, density * inner, 1)
            moving += ndtr(low) * function(np.zeros(p.shape)) + ndtr(-high) * function(np.ones(p.shape))
        else:
            moving = function(np.clip(p, 0, 1))
        return np.asarray((1 - self.stuck) * moving + self.stuck / 2)


def _panelled(panels: int) -> tuple[Floats, Floats]:
    """Nodes from -1 to 1 and weights of Gauss-Legendre in equal panels."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    middles = (2 * np.arange(panels) + 1) / panels - 1
    return (middles[:, None] + nodes / panels).ravel(), np.tile(weights / panels, panels)


IDEAL = Imperfections()


class ProgrammableCells:
    """``lanes`` words of ``width`` cells each, their comparators fed by ``source``; the seed makes the device.

    However the words are asked for, together they are the same. StreamExhaustedError when the bits run out.
    """

    def __init__(self, source: Source, width: int, imperfections: Imperfections = IDEAL, seed: int = 1) -> None:
        if not 1 <= width <= 16:
            raise InputError(f"a word has 1 to 16 cells, not {width}")
        self.width, self.imperfections = width, imperfections
        lanes = imperfections.lanes
        device, walk = np.random.SeedSequence(check_seed(seed), spawn_key=(0xCE11,)).spawn(2)
        rng = np.random.Generator(np.random.Philox(device))
        self.offsets = imperfections.dp + imperfections.spread * rng.standard_normal((lanes, width))
        faulty, value = rng.random((lanes, width)) < imperfections.stuck, rng.integers(0, 2, (lanes, width))
        self.stuck = np.where(faulty, value, -1).astype(np.int8)
        self._steps = np.random.Generator(np.random.Philox(walk))
        self._walk = np.zeros(1)  # of the present cycle, and of later ones as they are needed
        self._walk_start = 0
        self._last = np.zeros(lanes, np.int64)
        self._done = 0
        self._reader = BitReader(source)

    def words(self, table: ArrayLike, count: int) -> NDArray[np.int64]:
        """Codes, shape (count,), of words whose cells are programmed with ``table``, the highest bit first.

        ``table`` is one probability a cell, shape (width,), or one a node of the tree of conditional probabilities,
        shape (2^width - 1,): that of bit i after the bits ``prefix`` at 2^i - 1 + prefix.
        """
        p = checked_probabilities(table, "cells")
        tree = self.width > 1 and p.shape == (2**self.width - 1,)
        if not tree and p.shape != (self.width,):
            raise ValueError(f"need {self.width} probabilities or a tree of them, not an array of shape {p.shape}")
        return self._make(count, float(comparator.cost(p).max(initial=0)) * self.width, p, tree)

    def bits(self, probabilities: ArrayLike) -> NDArray[np.uint8]:
        """Bits, 0 and 1, for ``probabilities`` (count, width): each row is programmed into the next lane."""
        p = checked_probabilities(probabilities, "cells")
        if p.ndim != 2 or p.shape[1] != self.width:
            raise ValueError(f"need probabilities of the shape (count, {self.width}), not {p.shape}")
        codes = self._make(len(p), 2.0 * self.width, p, False)
        return (codes[:, None] >> np.arange(self.width)[::-1] & 1).astype(np.uint8)

    def toggled(self, p01: ArrayLike, p10: ArrayLike, pulses: int, count: int, reset: bool = True) -> NDArray[np.int64]:
        """Codes of words after ``pulses`` that flip cells in 0 with ``p01`` and cells in 1 with ``p10`` (width,).

        Each word starts from zero, or without ``reset`` from the last word of its lane.
        """
        if pulses < 1:
            raise InputError(f"a word needs 1 pulse or more, not {pulses}")
        rise, fall = checked_probabilities(p01, "p01"), checked_probabilities(p10, "p10")
        if rise.shape != (self.width,) or fall.shape != (self.width,):
            raise ValueError(f"need {self.width} probabilities of either kind, not {rise.shape} and {fall.shape}")
        return self._make(count, 2.0 * self.width * pulses, rise, False, fall, pulses, reset)

    def _make(
        self, count: int, bits: float, table: Floats, tree: bool, fall: Floats | None = None, pulses: int = 1,
        reset: bool = True,
    ) -> NDArray[np.int64]:  # fmt: skip
        """Run the compiled loop on as many bits as it may need, and on more when it stops short."""
        found = np.empty(count, np.int64)
        flat = np.ascontiguousarray(table).reshape(-1)
        stride = self.width if table.ndim == 2 else 0
        chunk = max(1, min(_CHUNK, int(2e7 / max(1.0, bits))))
        begin, needed = 0, 0
        while begin < count:
            out = found[begin : begin + chunk]
            self._reader.fill(int(out.size * bits) + 64, needed)
            words, position, limit = self._reader.view()
            walk, first = self._drift(out.size), self._done
            state = (self.offsets, self.stuck, walk, self.imperfections.rho, self._last, first, out)
            if fall is None:
                rows = flat[begin * stride :] if stride else flat
                made, after = comparator.program(words, position, limit, rows, tree, stride, *state)
            else:
                made, after = comparator.toggle(words, position, limit, flat, fall, pulses, reset, *state)
            self._reader.skip(after - position)
            needed = 0 if made else self._reader.unread + 8
            begin += made
            self._done += made
        return found

    def _drift(self, count: int) -> Floats:
        """The walk from the present cycle on, as far as the next ``count`` words need it; empty without drift."""
        if not self.imperfections.drift:
            return np.empty(0)
        lanes = self.imperfections.lanes
        present = self._done // lanes
        self._walk = self._walk[present - self._walk_start :]
        self._walk_start = present
        missing = (self._done + count) // lanes - present + 1 - self._walk.size  # the next word's cycle included
        if missing > 0:
            steps = self.imperfections.drift * self._steps.standard_normal(missing)
            # summed one after the other from the last value, so that pieces make the whole to the last bit
            self._walk = np.concatenate([self._walk, np.cumsum(np.append(self._walk[-1], steps))[1:]])
        return self._walk


@dataclass(frozen=True, eq=False)
class Programmed:
    """Probabilities of the codes of programmed words, and the mean number of fair bits that one takes."""

    probabilities: Floats
    bits: float


def programmed_law(
    table: ArrayLike, width: int, offsets: ArrayLike = 0.0, stuck: ArrayLike = -1, rho: float = 0.0, ones: float = 0.5
) -> Programmed:
    """Exact stationary law of the codes of words of one lane, ``table`` as for `ProgrammableCells.words`.

    ``offsets`` and ``stuck`` (-1: not) belong to its cells, shape (width,) or one for all. ``ones`` is the probability
    of a one of the independent raw bits. One sweep replaces the bits of the last word by those of the next, the
    highest first; it is repeated until the law stays what it is.
    """
    p = checked_probabilities(table, "cells")
    tree = width > 1 and p.shape == (2**width - 1,)
    shifts, faults = np.broadcast_to(offsets, width), np.broadcast_to(stuck, width)
    law = np.full(2**width, 2.0**-width)
    conditional = []
    for i in range(width):
        cell = np.clip((p[2**i - 1 : 2 ** (i + 1) - 1] if tree else p[i : i + 1]) + shifts[i], 0, 1)
        kept = np.stack([(1 - rho) * cell, (1 - rho) * cell + rho], axis=1)  # by what the cell had before
        fixed = np.full(kept.shape, max(0.0, float(faults[i])))
        alive = faults[i] < 0
        conditional.append((
            comparator.decided(kept, ones) if alive else fixed,
            comparator.cost(kept) if alive else np.zeros(kept.shape),
        ))  # fmt: skip
    for _ in range(100_000):
        before, bits = law, 0.0
        for i, (one, price) in enumerate(conditional):
            old = law.reshape(2**i, 2, -1)
            bits += float((old.sum(axis=2) * price).sum())
            rises = (old * one[:, :, None]).sum(axis=1)
            law = np.stack([old.sum(axis=1) - rises, rises], axis=1).ravel()
        law = np.maximum(law, 0)
        law /= law.sum()
        if rho == 0 or np.abs(law - before).sum() < 1e-14:
            break
    return Programmed(law, bits)


def noted(imperfections: Imperfections, seed: int) -> Mapping[str, str | int | float]:
    """Entries of provenance about cells: what is imperfect, and the seed if it matters."""
    about: dict[str, str | int | float] = {**imperfections.noted()}
    if imperfections.varied or imperfections.drift:
        about["cell_seed"] = seed
    return about
