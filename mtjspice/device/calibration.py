"""Fit a card to measured switching probabilities by maximum likelihood, and refuse what the data cannot tell.

Fisher scoring (damped as by Levenberg and Marquardt) on the binomial likelihood, from the best of a coarse scan
because P_sw oscillates with the pulse width. Intervals are those of the Fisher information in the coordinates of
`free_parameters`; the likelihood itself is evaluated at their ends and the report says where it disagrees.
A lapse, a write that fails for another reason than the model's, is not fitted.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import isfinite, sqrt

import numpy as np
import xarray as xr
from scipy.special import ndtri
from scipy.stats import chi2

from mtjspice.device import free_parameters
from mtjspice.device.card import MTJCard
from mtjspice.device.free_parameters import FreeParameter
from mtjspice.device.identifiability import Floats, require_identified
from mtjspice.device.likelihood import Model, deviance, shares
from mtjspice.device.measurements import DIRECTIONS, Measurements
from mtjspice.errors import InputError
from mtjspice.statistics import wilson

QUADRATIC_LIMIT = 0.2  # relative disagreement of likelihood and quadratic model at the ends of an interval

_SCAN_LINE = np.linspace(-0.7, 0.7, 9)  # of one parameter, in its coordinate
_SCAN_PLANE = np.linspace(-0.36, 0.36, 5)  # of two
_ROUGH_TRIALS = 100  # that a point counts at most while the model is rough, and all may be far off
_ROUGH_FLOOR = 0.02
_STARTS = 3
_GOOD_FIT = 1e-3  # p-value from which no other start is tried
_ITERATIONS = 40
_LARGEST_STEP = 0.25  # of a coordinate
_CONVERGED = 0.01  # deviance still to be gained: a tenth of a standard error
_SLACK = 0.05  # deviance by which resolutions that differ from call to call may disagree
_MISFIT = 3.0  # standard deviations of deviance/dof above 1 from which the intervals are widened

Report = Callable[[str], None]


@dataclass(frozen=True)
class Fitted:
    """A fitted parameter with its interval and the value it had before, SI."""

    key: str
    value: float
    low: float
    high: float
    initial: float


@dataclass(frozen=True, eq=False)
class Calibration:
    """Result of `calibrate`.

    ``correlation`` (parameters, parameters); ``deviance`` on ``dof`` degrees of freedom and its ``p_value`` (NaN
    without any); ``widened``: factor on the intervals for a poor fit, else 1; ``quadratic_error``: (parameters, 2)
    relative disagreement of the likelihood with the intervals at their low and high ends; ``notes``: what a reader
    must know; ``points``: dataset of measured and fitted probabilities and standardised residuals.
    """

    card: MTJCard
    parameters: tuple[Fitted, ...]
    correlation: Floats
    deviance: float
    dof: int
    p_value: float
    widened: float
    quadratic_error: Floats
    confidence: float
    notes: tuple[str, ...]
    points: xr.Dataset


@dataclass(frozen=True, eq=False)
class _Problem:
    """Everything a search needs to know; probabilities are kept away from 0 and 1.

    ``rough``: less accurate probabilities, and counts as of fewer trials.
    """

    card: MTJCard
    free: tuple[FreeParameter, ...]
    data: Measurements
    model: Model
    rough: bool = False

    def card_at(self, coordinates: Floats) -> MTJCard | None:
        """The card at coordinates (parameters,); None where values contradict each other."""
        values = {one.key: one.value(float(u)) for one, u in zip(self.free, coordinates, strict=True)}
        try:
            return free_parameters.with_values(self.card, values)
        except InputError:
            return None

    def probabilities(self, coordinates: Floats) -> Floats:
        """P (places, points) at coordinates (places, parameters), in one call of the model; NaN for no card."""
        cards = [self.card_at(place) for place in coordinates]
        result = np.full((len(cards), len(self.data)), np.nan)
        kept = [number for number, card in enumerate(cards) if card is not None]
        result[kept] = self.model([card for card in cards if card is not None], self.rough)
        floor = max(_ROUGH_FLOOR, self.model.resolution) if self.rough else self.model.resolution
        return np.clip(result, floor, 1 - floor)

    def shares(self) -> Floats:
        """How much each point counts, 0 to 1."""
        result = shares(self.data, self.model.trials)
        return np.minimum(result, _ROUGH_TRIALS / self.data.trials) if self.rough else result

    def deviance(self, probability: Floats) -> Floats:
        """Deviance (places,) of P (places, points), discounted for the trials of the model; infinite for NaN."""
        total = (deviance(self.data, probability) * self.shares()).sum(axis=-1)
        return np.where(np.isnan(total), np.inf, total)

    def derivative(self, place: Floats, central: bool) -> tuple[Floats, Floats]:
        """P (points,) and dP/du (points, parameters) at a place, by one- or two-sided differences."""
        step, count = self.model.step, len(place)
        shifts = step * np.concatenate((np.zeros((1, count)), np.eye(count), *([-np.eye(count)] if central else [])))
        table = self.probabilities(place + shifts)
        here, above = table[0], table[1 : count + 1]
        below = table[count + 1 :] if central else np.broadcast_to(here, above.shape).copy()
        blocked = np.isnan(above).any(axis=1)
        if not central and blocked.any():  # a neighbour without two wells: the other side
            below[blocked] = self.probabilities(place - step * np.eye(count)[blocked])
        lost = np.isnan(below).any(axis=1)
        distance = step * np.maximum(1.0, (2.0 if central else 1.0) - (blocked & central) - lost)
        above, below = (np.where(np.isnan(table), here, table) for table in (above, below))
        return here, ((above - below) / distance[:, None]).T

    def information(self, probability: Floats, slope: Floats) -> tuple[Floats, Floats]:
        """Fisher information (parameters, parameters) and score (parameters,) in the coordinates."""
        weight = self.data.trials * self.shares() / (probability * (1 - probability))
        excess = self.data.switched / self.data.trials - probability
        return np.asarray((slope.T * weight) @ slope), np.asarray(slope.T @ (weight * excess))

    def inside(self, place: Floats) -> Floats:
        """The nearest place inside the ranges of the parameters."""
        return np.array([one.inside(float(u)) for one, u in zip(self.free, place, strict=True)])


def calibrate(
    card: MTJCard,
    data: Measurements,
    free: Sequence[str],
    model: Model,
    *,
    confidence: float = 0.95,
    name: str | None = None,
    scan: bool = True,
    report: Report | None = None,
) -> Calibration:
    """Fit the keys ``free`` (`free_parameters.parse_names`) of a card to data; the rest of the card stays.

    ``model`` gives the probabilities (`likelihood.FokkerPlanckModel`, `likelihood.MacrospinModel`); ``confidence``
    is that of the intervals; ``name`` of the new card, by default that of the old one with "-fit"; ``scan``: look
    for other starts than the card's own values; ``report`` is told what is being done. Raises InputError where the
    model does not cover the card and where the data do not determine the parameters.
    """
    if not 0 < confidence < 1:
        raise InputError(f"confidence {confidence:g} is out of range; allowed: between 0 and 1")
    say = report or (lambda _: None)
    _require_information(data, free)
    model.check(card)
    problem = _Problem(card, free_parameters.free_parameters(card, free), data, model)
    origin = np.zeros(len(problem.free))
    starting = problem.card_at(origin)
    assert starting is not None
    model.check(starting)
    say("sensitivities at the start")
    rough = replace(problem, rough=True)
    information, _ = rough.information(*rough.derivative(origin, central=True))
    require_identified(information, problem.free, data.name, early=True)
    starts = _starts(rough, information, say) if scan else [origin]
    best, lowest = origin, np.inf
    for number, start in enumerate(starts):
        say(f"start {number + 1}")
        near, _ = _descend(rough, start, say)
        place, found = _descend(problem, near, say)
        if found < lowest:
            best, lowest = place, found
        if chi2.sf(lowest, max(1, len(data) - len(origin))) > _GOOD_FIT:
            break
    return _result(problem, best, confidence, name or f"{card.name}-fit", say)


def _require_information(data: Measurements, free: Sequence[str]) -> None:
    if len(data) < len(free):
        raise InputError(f"{data.name}: {len(data)} points do not determine {len(free)} parameters; fix some of them")
    if np.all((data.switched == 0) | (data.switched == data.trials)):
        raise InputError(
            f"{data.name}: every point has switched never or always, which determines no parameter; "
            "measure where the probability lies between 0 and 1"
        )


def _starts(problem: _Problem, information: Floats, say: Report) -> list[Floats]:
    """Places to start from, best first: the card's own and those of a scan of the two most effective parameters."""
    say("scan")
    count = len(problem.free)
    leading = np.argsort(-np.diag(information), kind="stable")[:2]
    line = _SCAN_LINE if count == 1 else _SCAN_PLANE
    places = np.zeros((len(line) ** len(leading), count))
    places[:, leading] = list(product(line, repeat=len(leading)))
    places = np.array([problem.inside(place) for place in places])
    badness = problem.deviance(problem.probabilities(places))
    order = np.argsort(badness, kind="stable")
    chosen: list[Floats] = []
    spacing = 1.5 * (line[1] - line[0])
    for number in order:
        apart = all(np.abs(places[number] - other).max() > spacing for other in chosen)
        if isfinite(badness[number]) and apart and len(chosen) < _STARTS:
            chosen.append(places[number])
    return chosen or [np.zeros(count)]


def _descend(problem: _Problem, start: Floats, say: Report) -> tuple[Floats, float]:
    """Damped Fisher scoring; the last place and the deviance there (or just before the last, negligible, step)."""
    place = start
    chance, slope = problem.derivative(place, central=False)
    now = float(problem.deviance(chance))
    damping, reach = 1e-3, _LARGEST_STEP
    for iteration in range(_ITERATIONS):
        say(f"iteration {iteration + 1}, deviance {now:.5g}")
        information, score = problem.information(chance, slope)
        matrix = information + np.diag(damping * np.diag(information) + 1e-6)
        step = np.linalg.solve(matrix, score)
        gain = float(step @ score)
        step *= reach / max(reach, np.abs(step).max())
        new = problem.inside(place + step)
        if gain < _CONVERGED or np.abs(new - place).max() < 1e-9:
            # so small a step needs no check
            return (new, now) if gain < _CONVERGED else (place, now)
        new_chance, new_slope = problem.derivative(new, central=False)
        then = float(problem.deviance(new_chance))
        if then < now + _SLACK:
            stalled = abs(now - then) < _SLACK and gain < 5 * _SLACK
            place, chance, slope, now = new, new_chance, new_slope, then
            damping, reach = max(damping / 10, 1e-6), _LARGEST_STEP
            if stalled:
                break
        else:
            damping, reach = max(damping * 10, 1e-2), max(np.abs(step).max() / 3, 1e-4)
            if damping > 1e8:
                break
    return place, now


def _result(problem: _Problem, place: Floats, confidence: float, name: str, say: Report) -> Calibration:
    """Intervals, goodness of fit and the new card at the best place."""
    data, free = problem.data, problem.free
    say("intervals")
    chance, slope = problem.derivative(place, central=True)
    information, score = problem.information(chance, slope)
    require_identified(information, free, data.name)
    covariance = np.linalg.inv(information)
    total = float(problem.deviance(chance))
    dof = len(data) - len(free)
    p_value = float(chi2.sf(total, dof)) if dof > 0 else float("nan")
    widened = sqrt(total / dof) if dof > 0 and total / dof > 1 + _MISFIT * sqrt(2 / dof) else 1.0
    deviation = np.sqrt(np.diag(covariance))
    reach = float(ndtri(0.5 + confidence / 2)) * widened
    say("likelihood at the ends of the intervals")
    away = reach * covariance / deviation  # columns: where the likelihood is best given one parameter at its end
    # the place once more, because resolutions differ from call to call
    ends = problem.deviance(problem.probabilities(np.concatenate((place[None, :], place - away.T, place + away.T))))
    linear = 2 * np.concatenate((-away.T @ score, away.T @ score))  # the place need not be the very optimum
    error = np.sqrt(np.maximum(ends[1:] - ends[0] + linear, 0)).reshape(2, -1).T / reach - 1
    parameters = []
    for k, one in enumerate(free):
        value = one.value(float(place[k]))
        sides = sorted(one.value(float(place[k] + sign * reach * deviation[k])) for sign in (-1, 1))
        initial = free_parameters.value_of(problem.card, one.key)
        parameters.append(Fitted(one.key, value, sides[0], sides[1], initial))
        if one.logarithmic and one.start < 0:
            error[k] = error[k, ::-1]
    notes = _notes(problem, parameters, error, widened, total, dof)
    correlation = covariance / np.outer(deviation, deviation)
    fitted = problem.card_at(place)
    assert fitted is not None
    sources = {one.key: _source(one, data, confidence) for one in parameters}
    return Calibration(
        free_parameters.with_origins(fitted, sources, name), tuple(parameters), correlation, total, dof, p_value,
        widened, error, confidence, notes, _points(data, chance, confidence),
    )  # fmt: skip


def _notes(
    problem: _Problem, parameters: Sequence[Fitted], error: Floats, widened: float, total: float, dof: int
) -> tuple[str, ...]:
    notes = []
    if widened > 1:
        notes.append(
            f"the model does not describe the data (deviance/dof = {total / dof:.3g}); intervals widened by "
            f"{widened:.3g}"
        )
    for one, sides in zip(parameters, error, strict=True):
        limits = free_parameters.entry(one.key)
        if one.value in (limits.low, limits.high):
            notes.append(
                f"{one.key} ended at the limit of its range, {limits.show(one.value)}: no interval holds there"
            )
        for side, off in zip(("lower", "upper"), sides, strict=True):
            if not abs(off) <= QUADRATIC_LIMIT:
                how = (
                    "there is no such junction" if not isfinite(off) else f"the likelihood is off by {100 * off:+.0f} %"
                )
                notes.append(f"{one.key}: at the {side} end of its interval {how} of the quadratic model")
    if isfinite(problem.model.trials):
        notes.append(f"{problem.model.trials:g} macrospin trials a point add to the scatter; intervals include it")
    return tuple(notes)


def _source(one: Fitted, data: Measurements, confidence: float) -> str:
    show = free_parameters.entry(one.key).show
    return (
        f"{one.key} fitted to {data.name}: {len(data)} points, {show(one.value, 5)}, {100 * confidence:g} % interval "
        f"{show(one.low, 5)} to {show(one.high, 5)}"
    )


def _points(data: Measurements, chance: Floats, confidence: float) -> xr.Dataset:
    """Measured and fitted probabilities along the dimension ``point``."""
    names = {state: direction for direction, state in DIRECTIONS.items()}
    intervals = [wilson(int(k), int(n), confidence) for k, n in zip(data.switched, data.trials, strict=True)]
    residual = (data.switched - data.trials * chance) / np.sqrt(data.trials * chance * (1 - chance))
    dimension = "point"
    return xr.Dataset(
        {
            "switched": (dimension, data.switched),
            "trials": (dimension, data.trials),
            "measured": (dimension, data.switched / data.trials),
            "low": (dimension, [one.low for one in intervals], {"interval": "Wilson", "confidence": confidence}),
            "high": (dimension, [one.high for one in intervals], {"interval": "Wilson", "confidence": confidence}),
            "model": (dimension, chance),
            "residual": (dimension, residual, {"description": "(switched - trials p)/sqrt(trials p (1 - p))"}),
        },
        coords={
            "voltage": (dimension, data.voltages, {"units": "V"}),
            "pulse_width": (dimension, data.widths, {"units": "s"}),
            "direction": (dimension, [names[int(state)] for state in data.states]),
            "temperature": (dimension, data.temperatures, {"units": "K"}),
        },
        attrs={"data": data.name},
    )
