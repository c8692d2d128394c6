"""Train the networks of the neural SDE that come with mtjspice; about ten minutes on one processor.

Usage: python scripts/train_sde.py [vae] [ex-situ] [in-situ]; without arguments all of them, in this order. Writes
models/networks/fashion_vae.npz, sde_exsitu.npz and sde_insitu.npz; the latter two need the first.
"""

import sys
from collections.abc import Callable
from dataclasses import asdict

import numpy as np
import torch
from networks import save

from mtjspice.generative.data import fashion
from mtjspice.generative.sde.latent_space import NAME as VAE
from mtjspice.generative.sde.latent_space import LatentSpace
from mtjspice.generative.sde.samplers import EX_SITU, IN_SITU
from mtjspice.generative.sde.training import (
    Effort,
    layer_widths,
    noise_examples,
    train_drop_connect,
    train_mean,
    transition_examples,
)
from mtjspice.generative.sde.transitions import STEPS, Transitions
from mtjspice.generative.sde.vae_training import LATENT_SIZE, train_vae

HIDDEN = 64
EFFORTS = {
    "vae": Effort(steps=4000, batch=128, rate=1.5e-3, seed=1),
    "ex-situ": Effort(steps=20_000, batch=256, seed=2),
    "in-situ": Effort(steps=20_000, batch=256, rate=3e-3, group=8, seed=3),
}
# single precision is faster; the files, not the training, are what results rest on
KIND = torch.float32


def main() -> None:
    chosen = sys.argv[1:] or list(EFFORTS)
    if unknown := set(chosen) - set(EFFORTS):
        sys.exit(f"unknown network {', '.join(sorted(unknown))}; available: {', '.join(EFFORTS)}")
    pixels = fashion.load("train").pixels.reshape(-1, fashion.SIDE**2)
    if "vae" in chosen:
        arrays = train_vae(pixels, EFFORTS["vae"], KIND, shown("vae"))
        save(VAE, {name: value.astype(np.float16) for name, value in arrays.items()}, __file__, about("vae"))
    if chosen == ["vae"]:
        return
    latents = LatentSpace.shipped().encode(pixels / 127.5 - 1)
    transitions, widths = Transitions.cosine(), layer_widths(LATENT_SIZE, HIDDEN)
    more = {"latents": VAE, "reverse_steps": STEPS, "widths": widths}
    if "ex-situ" in chosen:
        found = train_mean(widths, noise_examples(latents, transitions), EFFORTS["ex-situ"], KIND, shown("ex-situ"))
        save(EX_SITU, singles(found), __file__, {**about("ex-situ"), **more, "loss": "squares, noise prediction"})
    if "in-situ" in chosen:
        examples = transition_examples(latents, transitions)
        found = train_drop_connect(widths, examples, EFFORTS["in-situ"], KIND, shown("in-situ"))
        save(IN_SITU, singles(found), __file__, {**about("in-situ"), **more, "loss": "energy score of transitions"})


def about(name: str) -> dict[str, object]:
    return {"data": "Fashion-MNIST (MIT)", **asdict(EFFORTS[name])}


def singles(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: value.astype(np.float32) for name, value in arrays.items()}


def shown(name: str) -> Callable[[float], None]:
    """A reporter of progress that prints each tenth."""
    printed = 0.0

    def show(fraction: float) -> None:
        nonlocal printed
        if fraction >= printed + 0.1 - 1e-9:
            printed = fraction
            print(f"{name}: {100 * fraction:.0f} %", flush=True)

    return show


if __name__ == "__main__":
    main()
