"""Train the diffusion model of Fashion-MNIST that comes with mtjspice; half an hour and more on one processor.

Usage: python scripts/train_fashion_unet.py [STEPS]. Writes models/networks/fashion_unet.npz.
"""

import sys
from dataclasses import asdict

import numpy as np
import torch
from networks import save

from mtjspice.generative.data import fashion
from mtjspice.generative.gaussian import NumpyGaussian
from mtjspice.generative.images.denoiser import ImageTraining, train
from mtjspice.generative.images.parameters import to_arrays

NOISE_SEED = 5


def main() -> None:
    settings = ImageTraining(steps=int(sys.argv[1]) if len(sys.argv) > 1 else 4000)
    shown = 0.0

    def show(fraction: float) -> None:
        nonlocal shown
        if fraction >= shown + 0.05:
            shown = fraction
            print(f"{100 * fraction:.0f} %", flush=True)

    noise = NumpyGaussian(NOISE_SEED)
    # single precision is twice as fast; the file, not the training, is what results rest on
    model = train(fashion.load("train").pixels, noise.normal, settings, show, torch.float32)
    about = {"data": "Fashion-MNIST (MIT)", "noise": dict(noise.provenance), **asdict(settings)}
    save("fashion_unet", to_arrays(model.network, np.float16), __file__, about)


if __name__ == "__main__":
    main()
