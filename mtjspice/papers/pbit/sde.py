"""Is drop-connect the noise of the reverse SDE? Mixtures whose score is known, so that the answer is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mtjspice.papers.experiment import Context, Experiment
from mtjspice.papers.findings import Finding, Status, Value
from mtjspice.papers.pbit import claims, ranges
from mtjspice.papers.pbit import sde_figures as figures
from mtjspice.papers.sections import Section

if TYPE_CHECKING:
    from mtjspice.generative.sde.gaussian_case import Covariance
    from mtjspice.generative.sde.gaussian_study import GaussianOutcome

_SOURCE = "emulated:fair"
STEPS, SIZES = (10, 20), (1, 2)
_KEYS = {1: "law", 2: "plane"}
_ASSUMED = "mixtures, networks of two hidden layers of 32 and their training of this project"


@dataclass(frozen=True, eq=False)
class Found:
    """Outcomes by steps; energy distances by (dimensions, steps), those of a network for the mean only by steps."""

    outcomes: "Mapping[int, GaussianOutcome]"

    @property
    def last(self) -> "GaussianOutcome":
        """That of the most steps."""
        return self.outcomes[STEPS[-1]]

    @property
    def inside(self) -> dict[tuple[int, int], list[float]]:
        """In situ, trained."""
        return self._distances(f"{_cases()[0]}, fair")

    @property
    def outside_of(self) -> dict[tuple[int, int], list[float]]:
        """Noise from outside, software's and P-bits'."""
        software, drawn = self._distances("software noise (null)"), self._distances(f"{_cases()[2]}, fair")
        return {key: software[key] + drawn[key] for key in software}

    @property
    def mean_only(self) -> dict[int, list[float]]:
        """Drop-connect added to a network that was trained without, in one dimension."""
        return {steps: one for (size, steps), one in self._distances(f"{_cases()[1]}, fair").items() if size == 1}

    def _distances(self, label: str) -> dict[tuple[int, int], list[float]]:
        return {(size, steps): _distances(one, size, label) for steps, one in self.outcomes.items() for size in SIZES}


def run(context: Context) -> Section:
    """Train drop-connect networks at several numbers of steps; compare samples and what one step adds."""
    found = Found({steps: _compared(context, steps) for steps in STEPS})
    outcome = found.last
    return Section(
        answer=_answer(found),
        findings=[*_laws(found), *_covariances(outcome)],
        plates=(figures.covariance_plate(outcome.covariances), figures.distance_plate(found.outcomes)),
        setting=(
            f"Mixtures in one and two dimensions, {outcome.settings.training_steps} training steps,"
            f" {outcome.effort.images} samples a draw, {outcome.effort.draws} draws, {outcome.effort.null_draws} of"
            f" software noise; steps of the reverse SDE: {', '.join(map(str, found.outcomes))}; emulated fair P-bits."
        ),
    )


def _laws(found: Found) -> list[Finding]:
    return [
        *(
            Finding(
                key=f"{_KEYS[size]}-{steps}",
                quantity=(
                    f"energy distance of samples from the mixture, in situ, trained, {size}"
                    f" dimension{'s' if size > 1 else ''}, {steps} steps"
                ),
                paper=claims.DROP_CONNECT, ours=ranges.value_of(found.inside[size, steps]),
                status=Status.NOT_COMPARABLE,
                reason=(
                    f"Noise from outside: {ranges.shown(found.outside_of[size, steps])}; as many samples of the mixture"
                    f" itself: {found.outcomes[steps].floor[size]['energy']:.3f}: in situ is"
                    f" {ranges.nearness(found.inside[size, steps], found.outside_of[size, steps])}. Steps, network"
                    " and training are ours and decide that, and the rival here has the exact score, where the paper"
                    " compares one network with and without drop-connect."
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
                ours=ranges.value_of(found.mean_only[steps]), status=Status.LEFT_OPEN,
                reason=(
                    f"Trained with it: {ranges.shown(found.inside[1, steps])}. Its noise is sum x^2 w^2 / 4, set by"
                    " weights and activations, and not g^2 dt."
                ),
                assumed=_ASSUMED,
            )
            for steps in STEPS
        ),
    ]  # fmt: skip


def _covariances(outcome: "GaussianOutcome") -> list[Finding]:
    trained, untrained, outside, exact = (
        _at(outcome.covariances, case, 1, 0.5)
        for case in ("in situ, trained, fair", "in situ, mean only, fair", "ex situ, fair", "exact transition")
    )
    return [
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
                    ("Most" if untrained.error > 0.5 else "Part")
                    + f" of the noise is missing or in the wrong place; it scatters by {untrained.scatter:.2f} over"
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


def _answer(found: Found) -> tuple[str, ...]:
    return (
        f"In one dimension, with {_and(STEPS)} steps, samples drawn with noise from outside lie"
        f" {_and([ranges.shown(found.outside_of[1, s]) for s in STEPS])} from the mixture (energy distance, range of"
        f" draws), those of trained drop-connect {_and([ranges.shown(found.inside[1, s]) for s in STEPS])}. Trained"
        f" drop-connect is {_order(found, 1)}; in two dimensions it is {_order(found, 2)}. Noise from outside has the"
        " exact score here, drop-connect what its network has learned.",
        "Drop-connect that is added to a finished network lies"
        f" {_and([ranges.shown(found.mean_only[s]) for s in STEPS])} off. "
        + (
            "That is farther than anything else here: drop-connect has to be trained as noise."
            if all(min(found.mean_only[s]) > max(found.inside[1, s] + found.outside_of[1, s]) for s in STEPS)
            else "That is not always told from the others."
        ),
        "This holds for networks and trainings like these, of"
        f" {found.last.settings.training_steps} steps. The paper gives neither, and compares laws by UMAP, which was"
        " not tried here.",
    )


def _and(values: Sequence[float | str]) -> str:
    return " and ".join(map(str, values))


def _order(found: Found, size: int) -> str:
    """How trained drop-connect lies to noise from outside, at each number of steps."""
    orders = {s: ranges.nearness(found.inside[size, s], found.outside_of[size, s]) for s in STEPS}
    if len(set(orders.values())) == 1:
        return f"{orders[STEPS[0]]} with {_and(STEPS)} steps"
    return _and([f"{order} with {s} steps" for s, order in orders.items()])


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


EXPERIMENT = Experiment(
    key="sde",
    title="Drop-connect as the noise of an SDE",
    question="Does drop-connect in the weights compute the differential of a reverse SDE as well as added noise does?",
    run=run,
    draw={"covariance": figures.draw_covariance, "distance": figures.draw_distance},
    minutes=(0.5, 2.5),
    modules=("torch",),
)
