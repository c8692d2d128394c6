"""Images of a latent SDE by software noise, by words of sources ex situ, by P-bits in situ; and what flaws cost."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtjspice.bits.sources.base import Source
from mtjspice.errors import InputError, choose
from mtjspice.generative.data import fashion
from mtjspice.generative.distances import frechet_distance
from mtjspice.generative.gaussian import InverseCdf, NumpyGaussian
from mtjspice.generative.sde.latent_space import LatentSpace
from mtjspice.generative.sde.outcome import NULL, WHERE, Effort, Trial, Variation, energy_distance, labels, summary
from mtjspice.generative.sde.pairs import PairImperfections
from mtjspice.generative.sde.pbits import FrozenPBits, PBits
from mtjspice.generative.sde.samplers import ExSitu, InSitu
from mtjspice.generative.torch_threads import require_torch

Floats = NDArray[np.float64]
Make = Callable[[int], Source]
"""A source for a seed."""
LATENT, ENERGY, IMAGE = "latent_frechet", "latent_energy", "image_frechet"
WORD = 8
_NULL_SEED = 1_000_000
_EXAMPLES = 16
_REFERENCE = 4000  # test images whose latents the energy distance is from


@dataclass(frozen=True, eq=False)
class LatentOutcome:
    """Trials of the null and of all else; ``floor`` has the distances of as many encoded real training images.

    ``examples`` are the first images of each label, (n, 28, 28) from -1 to 1. ``bits_per_image`` are raw bits by label.
    """

    effort: Effort
    where: str
    seed: int
    flaws: PairImperfections
    steps: int
    null: tuple[Trial, ...]
    trials: tuple[Trial, ...]
    floor: Mapping[str, float]
    examples: Mapping[str, Floats]
    bits_per_image: Mapping[str, int]
    provenance: Mapping[str, Mapping[str, str | int | float]]

    def summary(self, label: str) -> dict[str, Any]:
        """Mean, deviation and ratio to the null of all distances."""
        return summary(self.trials, self.null, label)

    def labels(self) -> list[str]:
        """The null first."""
        return [NULL, *labels(self.trials)]

    def as_dict(self) -> dict[str, Any]:
        """Plain types for JSON."""
        return {
            "case": "latents", "data": "Fashion-MNIST", "where": self.where, "seed": self.seed, "steps": self.steps,
            "networks": ["fashion_vae", "sde_exsitu", "sde_insitu"], "word": WORD, "effort": asdict(self.effort),
            "pairs": asdict(self.flaws), "floor": dict(self.floor),
            "rows": [self.summary(label) for label in self.labels()],
            "bits_per_image": dict(self.bits_per_image),
            "trials": [asdict(trial) for trial in (*self.null, *self.trials)],
            "provenance": {label: dict(entries) for label, entries in self.provenance.items()},
        }  # fmt: skip


def flaw_sweep() -> tuple[Variation, ...]:
    """Controls without fresh P-bits, then each imperfection alone: emulated P-bits and pairs."""
    ideal = PairImperfections()
    return (
        Variation("P-bits frozen", mode="frozen"),
        Variation("no P-bits (mean weights)", mode="mean"),
        *(Variation(f"q = {p:.2f}", probability=p) for p in (0.49, 0.45, 0.40)),
        *(Variation(f"spread of q {s:.2f}", replace(ideal, keep_spread=s)) for s in (0.05, 0.1, 0.2)),
        *(Variation(f"conductance spread {s:.3f}", replace(ideal, conductance_spread=s)) for s in (0.005, 0.02, 0.04)),
        Variation("line mismatch 0.01", replace(ideal, line_mismatch=0.01)),
        Variation("read error 0.05", replace(ideal, read_error=0.05)),
        *(Variation(f"memory {s:.1f}", replace(ideal, memory=s)) for s in (0.1, 0.2, 0.5)),
        Variation("stuck 0.01", replace(ideal, stuck=0.01)),
    )


def compare(
    sources: Sequence[tuple[str, Make]],
    effort: Effort | None = None,
    where: str = "both",
    flaws: PairImperfections | None = None,
    seed: int = 1,
    sweep: Sequence[Variation] = (),
    progress: Callable[[float], None] | None = None,
) -> LatentOutcome:
    """Draw latents and images with each of ``sources`` (label, maker), and with each variation of ``sweep``.

    Ex situ, all numbers are normal quantiles of 8-bit words of the source. In situ, P-bits come from the source and
    pairs have ``flaws``; the start z_T is software noise there, the same for all, so that only P-bits differ. A
    variation has P-bits of its own probability and its own flaws. Seeds are ``seed``, ``seed`` + 1, ...
    InputError for bad requests, StreamExhaustedError for a recording that is too short.
    """
    choose("place of the noise", where, WHERE)
    names = [label for label, _ in sources]
    if not sources or len(set(names)) != len(names):
        raise InputError("a study compares one source or more, each with a label of its own")
    chosen, pairs = effort or Effort(), flaws or PairImperfections()
    bench = _Bench()
    null: list[Trial] = []
    trials: list[Trial] = []
    examples: dict[str, Floats] = {}
    bits: dict[str, int] = {}
    places = ("ex-situ", "in-situ") if where == "both" else (where,)
    total = chosen.null_draws + chosen.draws * (len(sources) * len(places) + len(sweep))

    def note(into: list[Trial], label: str, draw: int, latents: Floats) -> None:
        images = bench.space.decode(latents)
        into.append(Trial(label, draw, bench.distances(latents, images)))
        examples.setdefault(label, images[:_EXAMPLES, 0])
        if progress is not None:
            progress((len(null) + len(trials)) / total)

    for draw in range(chosen.null_draws):
        note(null, NULL, draw, bench.ex_situ.sample(chosen.images, NumpyGaussian(_NULL_SEED + draw).normal))
    for place in places:
        for name, make in sources:
            label = f"{place}, {name}"
            for draw in range(chosen.draws):
                if place == "ex-situ":
                    note(
                        trials,
                        label,
                        draw,
                        bench.ex_situ.sample(chosen.images, InverseCdf(make(seed + draw), WORD).normal),
                    )
                    bits[label] = WORD * bench.ex_situ.numbers
                else:
                    variation = Variation(label, replace(pairs, seed=pairs.seed + draw))
                    latents, used = bench.in_situ_latents(variation, make(seed + draw), chosen.images, draw)
                    note(trials, label, draw, latents)
                    bits[label] = used // chosen.images
    for variation in sweep:
        for draw in range(chosen.draws):
            drawn = replace(variation, flaws=replace(variation.flaws, seed=pairs.seed + draw))
            latents, used = bench.in_situ_latents(drawn, variation.source(seed + draw), chosen.images, draw)
            note(trials, variation.label, draw, latents)
            bits[variation.label] = used // chosen.images
    return LatentOutcome(
        chosen, where, seed, pairs, bench.in_situ.transitions.steps, tuple(null), tuple(trials),
        bench.floor(chosen.images), examples, bits, {name: make(seed).provenance for name, make in sources},
    )  # fmt: skip


class _Bench:
    """The networks that come with mtjspice, and the test images that others are compared with."""

    def __init__(self) -> None:
        require_torch("the study of latents")
        from mtjspice.generative.images import features

        self._features = features.features
        self.space, self.ex_situ, self.in_situ = LatentSpace.shipped(), ExSitu.shipped(), InSitu.shipped()
        images = fashion.load("test").scaled()
        self._latents, self._image_features = self.space.encode(images), self._features(images)

    def in_situ_latents(self, variation: Variation, source: Source, count: int, draw: int) -> tuple[Floats, int]:
        """Latents and the number of P-bits that they took."""
        start = NumpyGaussian(_NULL_SEED + 1000 + draw).normal((count, self.in_situ.size))
        if variation.mode == "mean":
            return self.in_situ.sample_mean(start), 0
        kind = FrozenPBits if variation.mode == "frozen" else PBits
        pbits = kind(source, self.in_situ.network.pbits, variation.flaws)
        return self.in_situ.sample(start, pbits, variation.flaws), pbits.used

    def distances(self, latents: Floats, images: Floats) -> dict[str, float]:
        return {
            LATENT: frechet_distance(latents, self._latents),
            ENERGY: energy_distance(latents, self._latents[:_REFERENCE]),
            IMAGE: frechet_distance(self._features(images), self._image_features),
        }

    def floor(self, count: int) -> dict[str, float]:
        """Distances of encoded training images, and of what the decoder makes of them."""
        latents = self.space.encode(fashion.load("train").scaled()[:count])
        return self.distances(latents, self.space.decode(latents))
