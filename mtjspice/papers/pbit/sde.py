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
_NULL, _FLOOR, _LAW = "ex situ, software noise", "the mixture itself", "exact law of Euler's steps"


def run(context: Context) -> Section:
    """Train drop-connect networks at several numbers of steps; compare samples and what one step adds."""
    outcomes = {steps: _compared(context, steps) for steps in context.effort((20,), (10, 20))}
    outcome = outcomes[20]
    ours, mean_only, ex_situ = (_distances(outcome, 1, f"{case}, fair") for case in _cases())
    null = _distances(outcome, 1, "software noise (null)")
    trained = _at(outcome.covariances, "in situ, trained, fair", 1, 0.5)
    untrained = _at(outcome.covariances, "in situ, mean only, fair", 1, 0.5)
    outside = _at(outcome.covariances, "ex situ, fair", 1, 0.5)
    exact = _at(outcome.covariances, "exact transition", 1, 0.5)
    good = _range(null + ex_situ)
    as_good = min(ours) <= max(null + ex_situ)
    plane, plane_null = _distances(outcome, 2, f"{_cases()[0]}, fair"), _distances(outcome, 2, "software noise (null)")

    findings = [
        Finding(
            key="law", quantity="energy distance of samples from the mixture, in situ, trained (one dimension)",
            paper=claims.DROP_CONNECT, ours=_value(ours), status=Status.AGREES if as_good else Status.DIFFERS,
            reason=(
                f"Noise from outside: {good}; as many samples of the mixture itself: {outcome.floor[1]['energy']:.3f}."
                " It agrees where the best draw in situ is as near as the worst of those. A small network, an exact"
                " score for its rival, 20 steps: how near it comes depends on all three, and on the training, which a"
                " quick run cuts to an eighth."
            ),
            assumed="networks of two hidden layers of 32, trained here by the energy score",
        ),
        Finding(
            key="plane", quantity="the same in two dimensions", paper=claims.DROP_CONNECT, ours=_value(plane),
            status=Status.AGREES if min(plane) <= max(plane_null) else Status.DIFFERS,
            reason=f"Noise from outside: {_range(plane_null)}. The criterion is the same.",
        ),
        Finding(
            key="mean", quantity="the same, drop-connect added to a network that was trained without (one dimension)",
            paper=claims.DROP_CONNECT, ours=_value(mean_only),
            status=Status.AGREES if min(mean_only) <= max(null + ex_situ) else Status.DIFFERS,
            reason=(
                "Its noise is sum x^2 w^2 / 4, set by weights and activations, and not g^2 dt. Drop-connect has to be"
                " trained as noise; that it is there is not enough."
            ),
        ),
        *(
            Finding(
                key=f"covariance-{key}", quantity=f"covariance that a step adds against g^2 dt at t = 0.5, {label}",
                ours=Value(value=one.error, low=one.low, high=one.high, kind="95 %", digits=2), status=Status.LEFT_OPEN,
                reason=reason,
            )
            for key, label, one, reason in (
                ("trained", "in situ, trained", trained, (
                    f"Relative error (Frobenius), mean of {trained.states} states. The exact reverse transition of as"
                    f" many steps is itself {exact.error:.2f} away, and that is what the network learned; the error"
                    f" alone does not rank. Scatter over states: {trained.scatter:.2f}."
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
            reason="Without sampling error. More steps help noise from outside; each pass in situ costs the same.",
        ),
    ]  # fmt: skip
    return Section(
        answer=(
            f"With 20 steps, samples of noise from outside lie {good} from the mixture (energy distance, one"
            f" dimension), those of trained drop-connect {_range(ours)}, those of drop-connect added to a finished"
            f" network {_range(mean_only)}.",
            "So drop-connect can stand in for g dw only if the network was trained for it, by a score that sees the"
            " law and not the mean. "
            + (
                "Trained, it comes as near here as noise from outside."
                if as_good
                else "Trained as long as here, it does not come as near as noise from outside with the exact score."
            ),
            "A picture of two clouds in two dimensions (the paper compares laws by UMAP) would not show the"
            " difference; a distance between laws with a null beside it does.",
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
    return Value(
        value=float(np.mean(values)), low=min(values), high=max(values), kind=f"range of {len(values)} draws", digits=2
    )


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
        alt="Ex situ is near zero, trained drop-connect as far away as the exact transition, untrained near one.",
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
        alt="Noise from outside lies near the floor, trained drop-connect above it, untrained drop-connect far off.",
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
    minutes=(0.3, 2.5),
    modules=("torch",),
)
