"""Probabilities of measured points for candidate cards, and the binomial likelihood of the counts.

A model turns cards into probabilities (cards, points). A lapse (a write that fails for a reason outside the model) is
not part of it: probabilities are only kept away from 0 and 1 by the accuracy of the model, so that a single count
that the model calls impossible costs much, not everything.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from mtjspice.device import fokker_planck, llg, macrospin, wells
from mtjspice.device.card import MTJCard
from mtjspice.device.measurements import Measurements
from mtjspice.errors import InputError

Floats = NDArray[np.float64]

MINIMUM_BARRIER = 5.0  # kT; below it a state does not outlive the pulse that is to switch it
_NO_NOISE_STEP = 1e-16  # s; the Fokker-Planck equation has none, and it must not limit the fields
_ROUGH = 0.1  # tolerance of a scan, cautious: the wells, which dominate the time, need a much lower degree
_STATES_KEY = 0x0CA1  # of the random numbers of initial states
_TRIALS_A_RUN = 65536


class Model(Protocol):
    """Probabilities of the measured points for candidate cards."""

    @property
    def resolution(self) -> float:
        """Smallest probability that differs from 0."""

    @property
    def step(self) -> float:
        """Step of the search coordinates for differences."""

    @property
    def trials(self) -> float:
        """Trials behind each probability; infinite for a model that does not count."""

    def check(self, card: MTJCard) -> None:
        """Raise InputError if the model does not cover the card or the card has no two stable states."""

    def __call__(self, cards: Sequence[MTJCard], rough: bool = False) -> Floats:
        """P_sw (cards, points); NaN for cards that `check` refuses. ``rough`` suffices for a scan."""
        ...


def _groups(data: Measurements) -> list[NDArray[np.int64]]:
    """Indices of the points of each temperature and direction."""
    _, group = np.unique(np.column_stack((data.temperatures, data.states)), axis=0, return_inverse=True)
    return [np.flatnonzero(group.ravel() == k) for k in range(int(group.max()) + 1)]


def _row(card: MTJCard, temperature: float, noise_step: float) -> Floats:
    """Parameter row of a card that can hold its states."""
    row = llg.parameters(card, temperature, noise_step)
    barrier = wells.barrier(row)
    if barrier < MINIMUM_BARRIER:
        raise InputError(
            f"card {card.name!r}: the barrier at {temperature:g} K is {barrier:.3g} kT, too low to hold a state; "
            f"at least {MINIMUM_BARRIER:g} kT"
        )
    return row


@dataclass(frozen=True, eq=False)
class FokkerPlanckModel:
    """`fokker_planck.switching_map` at an accuracy well below the standard error of the counts."""

    data: Measurements
    edge: float
    step: float = 0.01
    trials: float = np.inf

    @property
    def resolution(self) -> float:
        """Accuracy of the probabilities, from the largest number of trials at a point."""
        return float(np.clip(0.1 / np.sqrt(self.data.trials.max()), 1e-5, 1e-3))

    def check(self, card: MTJCard) -> None:
        """See `Model.check`."""
        for here in _groups(self.data):
            row = _row(card, float(self.data.temperatures[here[0]]), _NO_NOISE_STEP)
            # a voltage of 0 and a short pulse: refuses what the equation does not cover, quickly
            fokker_planck.switching_map(row, [0.0], [2 * self.edge], edge=self.edge, tolerance=0.1)

    def __call__(self, cards: Sequence[MTJCard], rough: bool = False) -> Floats:
        """See `Model.__call__`; all cards of one call are solved at one resolution, so that differences are smooth."""
        tolerance = _ROUGH if rough else self.resolution
        result = np.full((len(cards), len(self.data)), np.nan)
        for here in _groups(self.data):
            kept, rows = [], []
            for number, card in enumerate(cards):
                try:
                    rows.append(_row(card, float(self.data.temperatures[here[0]]), _NO_NOISE_STEP))
                except InputError:
                    continue
                kept.append(number)
            if kept:
                result[np.array(kept)[:, None], here] = self._solve(np.array(rows), here, tolerance)
        result[np.any(np.isnan(result), axis=1)] = np.nan
        return result

    def _solve(self, rows: Floats, here: NDArray[np.int64], tolerance: float) -> Floats:
        """Probabilities (rows, points here); rows that cannot be solved alone are NaN."""
        volts, volt = np.unique(self.data.voltages[here], return_inverse=True)
        widths, width = np.unique(self.data.widths[here], return_inverse=True)
        try:
            found = fokker_planck.switching_map(
                np.repeat(rows, len(volts), axis=0), np.tile(volts, len(rows)), widths, edge=self.edge,
                state=int(self.data.states[here[0]]), tolerance=tolerance,
            )  # fmt: skip
        except InputError:
            if len(rows) == 1:
                return np.full((1, len(here)), np.nan)
            return np.concatenate([self._solve(row[None, :], here, tolerance) for row in rows])
        return np.asarray(found.switched.reshape(len(rows), len(volts), len(widths))[:, volt, width])


@dataclass(frozen=True, eq=False)
class MacrospinModel:
    """Counted trials of `macrospin.run`, with the same noise for every card so that differences are smooth-ish."""

    data: Measurements
    edge: float
    trials: float = 4000
    seed: int = 1
    step: float = 0.08

    @property
    def resolution(self) -> float:
        """Half a count."""
        return 0.5 / self.trials

    def check(self, card: MTJCard) -> None:
        """See `Model.check`."""
        for temperature in np.unique(self.data.temperatures):
            row = _row(card, float(temperature), llg.DEFAULT_NOISE_STEP)
            llg.check_step(row, self.data.voltages)

    def __call__(self, cards: Sequence[MTJCard], rough: bool = False) -> Floats:
        """See `Model.__call__`."""
        result = np.full((len(cards), len(self.data)), np.nan)
        for number, card in enumerate(cards):
            try:
                self.check(card)
            except InputError:
                continue
            for here in _groups(self.data):
                for width in np.unique(self.data.widths[here]):
                    points = here[self.data.widths[here] == width]
                    result[number, points] = self._count(card, points, 500 if rough else int(self.trials))
        return result

    def _count(self, card: MTJCard, points: NDArray[np.int64], trials: int) -> Floats:
        """Switched shares (points,) of points of one width, temperature and direction."""
        first = points[0]
        state, temperature = int(self.data.states[first]), float(self.data.temperatures[first])
        row = llg.parameters(card, temperature)
        shape = macrospin.pulse(1.0, float(self.data.widths[first]), self.edge)
        shares = np.empty(len(points))
        rng = np.random.Generator(np.random.Philox(key=[self.seed, _STATES_KEY]))
        initial = macrospin.thermal_states(card, np.full(trials, state), rng, temperature)
        batch = max(1, _TRIALS_A_RUN // trials)
        for begin in range(0, len(points), batch):
            some = points[begin : begin + batch]
            outcome = macrospin.run(
                row, np.tile(initial, (len(some), 1)), shape.times, self.data.voltages[some, None] * shape.volts,
                self.seed, choice=np.repeat(np.arange(len(some)), trials), first_device=int(first) * trials,
            )  # fmt: skip
            shares[begin : begin + batch] = np.mean((outcome.states != state).reshape(len(some), trials), axis=1)
        return shares


def deviance(data: Measurements, probability: Floats) -> Floats:
    """Twice the log-likelihood ratio to a perfect fit, by point; ``probability`` (..., points) inside 0 to 1."""
    count, rest, n = data.switched, data.trials - data.switched, data.trials
    return np.asarray(
        2 * (xlogy(count, count / (n * probability)) + xlogy(rest, rest / (n * (1 - probability))))
    )  # fmt: skip


def shares(data: Measurements, trials: float) -> Floats:
    """How much a point counts (points,): less than 1 where the model's own ``trials`` add to the scatter."""
    return np.asarray(1 / (1 + data.trials / trials))


def between(card: MTJCard, data: Measurements, edge: float, point: int, voltages: Floats, widths: Floats) -> Floats:
    """P_sw (n,) of a card at other ``voltages`` and ``widths`` (n,), direction and temperature those of a point.

    By the Fokker-Planck equation, to 1e-3.
    """
    count = len(voltages)
    points = Measurements(
        data.name, voltages, widths, np.zeros(count, np.int64), np.full(count, 10_000),
        np.full(count, data.states[point]), np.full(count, data.temperatures[point]),
    )  # fmt: skip
    return np.asarray(FokkerPlanckModel(points, edge)([card])[0])
