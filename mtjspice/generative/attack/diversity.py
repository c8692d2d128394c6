"""Near duplicates among the images of the sources that are attacked, counted as `mtjspice.generative.gan` does."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from mtjspice.bits.sources.catalogue import open_source
from mtjspice.generative.attack.decoder import Decoder
from mtjspice.generative.attack.victim import Plan
from mtjspice.generative.gan.bench import Bench
from mtjspice.generative.gan.generators import Generator, open_generator
from mtjspice.generative.gan.latent_sets import Opener
from mtjspice.generative.gan.lpips import Lpips
from mtjspice.generative.gan.outcome import Effort
from mtjspice.generative.gan.study import compare
from mtjspice.generative.torch_threads import require_torch


def near_duplicates(
    decoder: Decoder,
    plans: Mapping[str, Plan],
    images: int,
    word: int,
    seed: int = 1,
    lpips: Lpips | None = None,
    opener: Opener = open_source,
    progress: Callable[[float], None] | None = None,
) -> dict[str, float]:
    """Fraction of ``images`` images of each plan that have a near duplicate; 1 % of those of good latents have."""
    torch = require_torch("the count of near duplicates")

    def make(z: NDArray[np.float64]) -> object:
        with torch.no_grad():
            return decoder.forward(torch.from_numpy(z.astype(np.float32)))

    # a conditional one takes classes
    generator = open_generator(decoder.name) if decoder.classes else Generator(decoder.name, decoder.latent_size, make)
    makers = [
        (label, lambda start, count, size, plan=plan: plan.latents(count, size, word, start, opener))
        for label, plan in plans.items()
    ]
    found = compare(makers, Bench(generator, lpips), Effort(images=images), seed, progress=progress)
    return {summary.label: summary.near for summary in found.summaries}
