"""Is drop-connect the noise of the reverse SDE? Mixtures whose score is known, so that the answer is."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from mtjspice.papers.experiment import Context, Experiment
from mtjspice.papers.findings import Finding, Status, Value
from mtjspice.papers.pbit import claims
from mtjspice.papers.sections import Columns, Plate, Section

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mtjspice.generative.sde.gaussian_case import Covariance
    from mtjspice.generative.sde.gaussian_study import GaussianOutcome

_SOURCE = "emulated:fair"
_CASE, _SIZE, _TIME, _ERROR, _LOW, _HIGH = "case", "dimensions", "time t", "relative error", "low", "high"
_STEPS, _DRAW, _DISTANCE = "steps", "draw", "energy distance"
_NULL, _FLOOR = "ex situ, software noise", "the mixture itself"
STEPS, SIZES = (10, 20), (1, 2)
_KEYS = {1: "law", 2: "plane"}
_ASSUMED = "mixtures, networks of two hidden layers of 32 and their training of this project"


def run(context: Context) -> Section:
    """Train drop-connect networks at several numbers of steps; compare samples and what one step adds."""
    outcomes = {steps: _compared(context, steps) for steps in STEPS}
    outcome = outcomes[STEPS[-1]]
    inside = {
        (size, steps): _distances(one, size, f"{_cases()[0]}, fair")
        for steps, one in outcomes.items()
        for size in SIZES
    }
    outside_of = {
        (size, steps): _distances(one, size, "software noise (null)") + _distances(one, size, f"{_cases()[2]}, fair")
        for steps, one in outcomes.items()
        for size in SIZES
    }
    mean_only = {steps: _distances(one, 1, f"{_cases()[1]}, fair") for steps, one in outcomes.items()}
    trained = _at(outcome.covariances, "in situ, trained, fair", 1, 0.5)
    untrained = _at(outcome.covariances, "in situ, mean only, fair", 1, 0.5)
    outside = _at(outcome.covariances, "ex situ, fair", 1, 0.5)
    exact = _at(outcome.covariances, "exact transition", 1, 0.5)

    findings = [
        *(
            Finding(
                key=f"{_KEYS[size]}-{steps}",
                quantity=(
                    f"energy distance of samples from the mixture, in situ, trained, {size}"
                    f" dimension{'s' if size > 1 else ''}, {steps} steps"
                ),
                paper=claims.DROP_CONNECT, ours=_value(inside[size, steps]), status=Status.NOT_COMPARABLE,
                reason=(
                    f"Noise from outside: {_range(outside_of[size, steps])}; as many samples of the mixture itself:"
                    f" {outcomes[steps].floor[size]['energy']:.3f}: in situ is"
                    f" {_nearness(inside[size, steps], outside_of[size, steps])}. Steps, network and training are ours"
                    " and decide that, and the rival here has the exact score, where the paper compares one network"
                    " with and without drop-connect."
                ),
                assumed=_ASSUMED,
            )
            for size in SIZES
            for steps in STEPS
        ),
        *(
            Finding(
                key=f"mean-{steps}",
                quantity=(
                    "the same, drop-connect added to a network that was trained without, 1 dimension,"
                    f" {steps} steps"
                ),
                ours=_value(mean_only[steps]), status=Status.LEFT_OPEN,
                reason=(
                    f"Trained with it: {_range(inside[1, steps])}. Its noise is sum x^2 w^2 / 4, set by weights and"
                    " activations, and not g^2 dt."
                ),
                assumed=_ASSUMED,
            )
            for steps in STEPS
        ),
        *(
            Finding(
                key=f"covariance-{key}", quantity=f"covariance that a step adds against g^2 dt at t = 0.5, {label}",
                ours=Value(value=one.error, low=one.low, high=one.high, kind="95 %", digits=2), status=Status.LEFT_OPEN,
                reason=reason, assumed=f"{_ASSUMED}; {STEPS[-1]} steps",
            )
            for key, label, one, reason in (
                ("trained", "in situ, trained", trained, (
                    f"Relative error (Frobenius), mean of {trained.states} states. The exact reverse transition of as"
                    f" many steps is itself {exact.error:.2f} away, and that is what the network is trained for; the"
                    f" error alone does not rank. Scatter over states: {trained.scatter:.2f}."
                )),
                ("mean", "in situ, mean only", untrained, (
                    f"Most of the noise is missing or in the wrong place; it scatters by {untrained.scatter:.2f} over"
                    " states where g^2 dt does not at all."
                )),
                ("outside", "ex situ", outside, "Words of 8 bits; what is left is the counting of 800 draws a state."),
            )
        ),
        Finding(
            key="order", quantity="W2 of the exact law of Euler's steps after 16 and 96",
            ours=f"{outcome.law_errors[0]:.3f}, {outcome.law_errors[-1]:.3f}; order {outcome.order:.2f}",
            status=Status.LEFT_OPEN,
            reason="Without sampling error: what the exact score gains from more steps, each of which is a pass.",
            assumed="mixture and schedule of this project",
        ),
    ]  # fmt: skip
    return Section(
        answer=(
            "Energy distance of samples from a mixture in one dimension. "
            + " ".join(
                f"{steps} steps: noise from outside {_range(outside_of[1, steps])}, trained drop-connect"
                f" {_range(inside[1, steps])}, which is {_nearness(inside[1, steps], outside_of[1, steps])};"
                f" drop-connect added to a finished network {_range(mean_only[steps])}."
                for steps in STEPS
            )
            + " Noise from outside goes with the exact score, trained drop-connect with what its network has learned.",
            (
                "Drop-connect that is only added to a network is farther off than any other here: it has to be trained"
                " as noise, by a score that sees the law and not the mean."
                if all(min(mean_only[steps]) > max(inside[1, steps] + outside_of[1, steps]) for steps in STEPS)
                else "Drop-connect that is only added to a network is not always told from the others here."
            )
            + (
                " In two dimensions trained drop-connect is"
                f" {_and([f'{_nearness(inside[2, s], outside_of[2, s])} with {s} steps' for s in STEPS])}."
            ),
            (
                "Which of the two is nearer changes with the number of steps; it belongs to that, to the network and to"
                if len({_nearness(inside[1, steps], outside_of[1, steps]) for steps in STEPS}) > 1
                else "Which of the two is nearer belongs to the network, to the score of its rival and to"
            )
            + f" the training, here of {outcome.settings.training_steps} steps. The paper gives none of these, and"
            " compares laws by UMAP, which was not tried here.",
        ),
        findings=findings,
        plates=(_covariance_plate(outcome.covariances), _distance_plate(outcomes)),
        setting=(
            f"Mixtures in one and two dimensions, {outcome.settings.training_steps} training steps,"
            f" {outcome.effort.images} samples a draw, {outcome.effort.draws} draws, {outcome.effort.null_draws} of"
            f" software noise; steps of the reverse SDE: {', '.join(map(str, outcomes))}; emulated fair P-bits."
        ),
    )


def _cases() -> tuple[str, str, str]:
    from mtjspice.generative.sde import gaussian_case

    return gaussian_case.TRAINED, gaussian_case.MEAN_ONLY, gaussian_case.EX_SITU


def _compared(context: Context, steps: int) -> "GaussianOutcome":
    from mtjspice.bits.sources.catalogue import open_source
    from mtjspice.generative.sde import gaussian_study
    from mtjspice.generative.sde.outcome import Effort

    effort = context.effort(Effort(600, 3, 3), Effort(2000, 4, 4))
    settings = gaussian_study.Settings(steps, context.effort(1000, 8000), context.seed % 1000)
    return gaussian_study.compare(
        [("fair", lambda seed: open_source(_SOURCE, seed))], effort, seed=context.seed % 100_000, settings=settings
    )


def _distances(outcome: "GaussianOutcome", size: int, label: str) -> list[float]:
    return [one.distances["energy"] for one in (*outcome.null[size], *outcome.trials[size]) if one.label == label]


def _at(found: Sequence["Covariance"], case: str, size: int, time: float) -> "Covariance":
    return next(c for c in found if c.case == case and c.dimensions == size and abs(c.time - time) < 0.05)


def _value(values: list[float]) -> Value:
    return Value(value=float(np.mean(values)), low=min(values), high=max(values), kind=f"range of {len(values)} draws")


def _nearness(inside: Sequence[float], outside: Sequence[float]) -> str:
    """How draws in situ lie to those with noise from outside, by their ranges."""
    if max(inside) < min(outside):
        return "nearer in every draw"
    return "farther off in every draw" if min(inside) > max(outside) else "not told apart by the draws"


def _and(parts: Sequence[str]) -> str:
    return " and ".join(parts)


def _range(values: list[float]) -> str:
    return f"{min(values):.3f} to {max(values):.3f}"


def _covariance_plate(found: Sequence["Covariance"]) -> Plate:
    return Plate(
        key="covariance",
        caption=(
            "Covariance that one step of 20 adds to a state, against g^2 dt: relative error (Frobenius), mean over 24"
            " states with its 95 % interval, at three times, in one and two dimensions. The exact reverse transition"
            " of 20 steps is not g^2 dt either."
        ),
        alt="; ".join(
            f"{case}: {_range([one.error for one in found if one.case == case])}"
            for case in dict.fromkeys(one.case for one in found)
        ),
        columns={
            _CASE: [one.case for one in found], _SIZE: [one.dimensions for one in found],
            _TIME: [one.time for one in found], _ERROR: [one.error for one in found], _LOW: [one.low for one in found],
            _HIGH: [one.high for one in found],
        },
    )  # fmt: skip


def _distance_plate(outcomes: Mapping[int, "GaussianOutcome"]) -> Plate:
    rows: list[tuple[str, int, int, float]] = []
    for steps, outcome in outcomes.items():
        rows += [
            (
                _NULL if one.label.startswith("software") else one.label.removesuffix(", fair"),
                steps,
                one.draw,
                one.distances["energy"],
            )
            for one in (*outcome.null[1], *outcome.trials[1])
        ]
        rows.append((_FLOOR, steps, 0, outcome.floor[1]["energy"]))
    return Plate(
        key="distance",
        caption=(
            "Energy distance of samples from the mixture in one dimension; each dot is a draw. The distance of as many"
            " samples of the mixture itself is what counting leaves. Steps are those of the reverse SDE; networks are"
            " trained for each."
        ),
        alt="; ".join(
            f"{steps} steps: {case} {_range([row[3] for row in rows if row[:2] == (case, steps)])}"
            for steps in outcomes
            for case in dict.fromkeys(row[0] for row in rows)
        ),
        columns={key: [row[k] for row in rows] for k, key in enumerate((_CASE, _STEPS, _DRAW, _DISTANCE))},
    )


def draw_covariance(columns: Columns) -> "Figure":
    """Error of the covariance of a step, by case and time."""
    from mtjspice.reports.style import BLACK, BLUE, GREEN, ORANGE, new_figure

    figure, grid = new_figure(2.9, 1, 2, sharey=True)
    cases = list(dict.fromkeys(columns[_CASE]))
    for axis, size in zip(grid[0], (1, 2), strict=True):
        for k, (case, colour, marker) in enumerate(zip(cases, (BLACK, GREEN, BLUE, ORANGE), "Dos^", strict=False)):
            own = (columns[_CASE] == case) & (columns[_SIZE] == size)
            error = columns[_ERROR][own]
            bars = np.abs(np.stack([error - columns[_LOW][own], columns[_HIGH][own] - error]))
            axis.errorbar(
                columns[_TIME][own] + 0.02 * (k - 1.5), error, yerr=bars, fmt=marker, color=colour, markersize=4,
                capsize=2,
                label=str(case).removesuffix(", fair"),
            )  # fmt: skip
        axis.set(xlabel=_TIME, ylim=(0, 1.15), xlim=(0, 1))
        axis.set_title(f"{size} dimension{'s' if size > 1 else ''}", loc="left", fontsize=9)
    grid[0, 0].set(ylabel="|C - g² dt| / |g² dt|")
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=4, fontsize=8)
    return figure


def draw_distance(columns: Columns) -> "Figure":
    """Distances of samples by case and steps."""
    from mtjspice.reports.style import BLACK, BLUE, GREEN, ORANGE, SKY, new_figure

    figure, grid = new_figure(2.9)
    axis = grid[0, 0]
    steps = np.unique(columns[_STEPS])
    cases = list(dict.fromkeys(columns[_CASE]))
    for k, (case, colour, marker) in enumerate(zip(cases, (SKY, GREEN, BLUE, ORANGE, BLACK), "vDos_", strict=False)):
        own = columns[_CASE] == case
        place = np.searchsorted(steps, columns[_STEPS][own]) + 0.15 * (k - 2)
        axis.plot(place, columns[_DISTANCE][own], marker, color=colour, markersize=4, label=case)
    axis.set_xticks(range(len(steps)), [str(int(one)) for one in steps])
    axis.set(xlabel="steps of the reverse SDE", ylabel=_DISTANCE, xlim=(-0.6, len(steps) - 0.4))
    axis.set_ylim(bottom=0)
    figure.legend(loc="outside upper center", ncols=3, fontsize=8)
    return figure


EXPERIMENT = Experiment(
    key="sde",
    title="Drop-connect as the noise of an SDE",
    question="Does drop-connect in the weights compute the differential of a reverse SDE as well as added noise does?",
    run=run,
    draw={"covariance": draw_covariance, "distance": draw_distance},
    minutes=(0.5, 2.5),
    modules=("torch",),
)
