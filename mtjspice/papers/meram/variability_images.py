"""Images of a diffusion model whose noise comes of cells that differ, against the spread of their probabilities."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mtjspice.papers.meram import exact
from mtjspice.papers.meram.chance import Spread, geometric, spread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mtjspice.bits.sources.base import Source
    from mtjspice.generative.encodings.programmed import ProgrammedWords
    from mtjspice.generative.subject import Sampler
    from mtjspice.papers.meram.noises import Draw

Floats = NDArray[np.float64]
ONE, TREE, OWN, ROW = "one word", "one word, tree", f"{exact.ROWS} words", f"{exact.ROWS} words, common errors"
SHIPPED = "one word, better model"
CASES = {ONE: "product:8", TREE: "tree:8", OWN: "product:8", ROW: "product:8", SHIPPED: "product:8"}
LIKE_ONE = (OWN, ROW)  # perfect cells make the same numbers, whatever would be common to their errors
CALIBRATED = (ONE, TREE, ROW)


@dataclass(frozen=True)
class Size:
    """``devices`` of each kind at each of ``spreads``, ``images`` a draw; models: ``trainings`` of ``steps``.

    ``null`` draws of software noise for each model.
    """

    devices: int
    spreads: tuple[float, ...]
    images: int
    trainings: int
    steps: int
    null: int


@dataclass(frozen=True)
class Effect:
    """Distance over that of software noise: geometric mean over devices, with its 95 % limits."""

    case: str
    calibrated: bool
    spread: float
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Images:
    """``effects``; what ``chance`` makes of a run with software noise, and of a draw of the ``better`` model."""

    size: Size
    effects: tuple[Effect, ...]
    chance: Spread
    better: float

    def curve(self, case: str, calibrated: bool) -> list[Effect]:
        """Effects of a case against the spread."""
        return [one for one in self.effects if (one.case, one.calibrated) == (case, calibrated)]

    def reached(self, case: str, calibrated: bool, limit: float) -> exact.Reached:
        """Spread of P at which the distance reaches ``limit`` times that of software noise.

        Interpolated in the square of the spread, with which offsets move the distance; a curve that begins above the
        limit reaches it at once.
        """
        rows = self.curve(case, calibrated)
        found = exact.reached_within(np.array([one.spread**2 for one in rows]), rows, limit)
        return exact.Reached(*np.sqrt([found.value, found.low, found.high, found.last]).tolist())


def run(size: Size, seed: int) -> Images:
    """Draw images with the noise of every device; device k works with model k modulo their number."""
    from mtjspice.generative.digits_subject import DigitsSubject, shipped_denoiser
    from mtjspice.generative.distances import frechet_distance
    from mtjspice.generative.gaussian import NumpyGaussian
    from mtjspice.papers.meram import noises

    subject = DigitsSubject(noises.training(size.steps))
    real = subject.test_features()
    streams = iter((1 + np.random.SeedSequence([seed, 0xE12]).generate_state(100_000) % 2**31).tolist())

    def distance(model: "Sampler", noise: "Draw") -> float:
        return frechet_distance(subject.features(model.sample(size.images, noise)), real)

    def software() -> "Draw":
        return NumpyGaussian(next(streams)).normal

    models = [subject.train(software(), k, lambda done: None) for k in range(size.trainings)]
    better = shipped_denoiser()
    table = np.array([[distance(model, software()) for _ in range(size.null)] for model in models])
    draws = np.array([distance(better, software()) for _ in range(size.null * size.trainings)])

    def effects(case: str, calibrated: bool, errors: "Sequence[Floats]") -> list[Effect]:
        words, found = exact.programmed(CASES[case]), []
        for each in size.spreads if case in LIKE_ONE else (0.0, *size.spreads):
            logs = []
            for k, own in enumerate(errors):
                model, base = models[k % len(models)], table[k % len(models)].mean()
                if case == SHIPPED:
                    model, base = better, draws.mean()
                noise = device(words, each * own, noises.bits(next(streams)), calibrated)
                logs.append(np.log(distance(model, noise) / base))
            found.append(Effect(case, calibrated, each, *geometric(np.array(logs))[:3]))
        return found

    made: list[Effect] = []
    for case in CASES:
        rng = np.random.default_rng([seed, 0xE12])  # the same devices wherever they have as many cells
        errors = [_errors(case, rng) for _ in range(size.devices)]
        for calibrated in (False, True) if case in CALIBRATED else (False,):
            if case in LIKE_ONE:
                perfect = next(one for one in made if (one.case, one.calibrated) == (ONE, calibrated))
                made.append(replace(perfect, case=case))
            made += effects(case, calibrated, errors)
    return Images(size, tuple(made), spread(table), float(draws.std(ddof=1) / draws.mean()))


def _errors(case: str, rng: np.random.Generator) -> Floats:
    """Standard normal errors of cells [word, bit]."""
    bits, rows = exact.programmed(CASES[case]).bits, exact.ROWS if case in LIKE_ONE else 1
    return np.broadcast_to(rng.standard_normal((rows, 1 if case == ROW else bits)), (rows, bits)).copy()


def device(words: "ProgrammedWords", offsets: Floats, source: "Source", calibrated: bool) -> "Draw":
    """Numbers of words [word, bit] with errors of their probabilities, which take turns.

    ``calibrated`` takes out mean and deviation of each word, by its exact law.
    """
    from mtjspice.generative.cells import Imperfections, ProgrammableCells

    cells = ProgrammableCells(source, words.bits, Imperfections(lanes=len(offsets)))
    cells.offsets = offsets
    table, values = words.table(), words.values()
    means, deviations = np.zeros(len(offsets)), np.ones(len(offsets))
    if calibrated:
        laws = [exact.device_law(words, one) for one in offsets]
        means, deviations = np.array([(law.mean, law.standard_deviation) for law in laws]).T
    made = 0

    def draw(shape: tuple[int, ...]) -> Floats:
        nonlocal made
        count = int(np.prod(shape))
        turn = (made + np.arange(count)) % len(offsets)
        made += count
        return np.asarray(((values[cells.words(table, count)] - means[turn]) / deviations[turn]).reshape(shape))

    return draw
