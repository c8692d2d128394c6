"""Train the diffusion model of handwritten digits that comes with mtjspice; some five minutes on one processor.

Usage: python scripts/train_digits.py [STEPS]. Writes models/networks/digits_denoiser.npz.
"""

import sys
from dataclasses import asdict

import numpy as np
from networks import save

from mtjspice.generative import digits
from mtjspice.generative.denoiser import Training, train
from mtjspice.generative.digits_subject import NAME
from mtjspice.generative.gaussian import NumpyGaussian

NOISE_SEED = 5


def main() -> None:
    settings = Training(steps=int(sys.argv[1]) if len(sys.argv) > 1 else 20_000, batch=256, rate=2e-3)
    noise = NumpyGaussian(NOISE_SEED)
    network = train(digits.load().training, noise.normal, settings).network
    arrays = {f"weight{k}": weight.astype(np.float32) for k, weight in enumerate(network.weights)}
    arrays |= {f"bias{k}": bias.astype(np.float32) for k, bias in enumerate(network.biases)}
    data = "Optical Recognition of Handwritten Digits (Alpaydin and Kaynak 1998; CC BY 4.0), as scikit-learn ships it"
    save(NAME, arrays, __file__, {"data": data, "noise": dict(noise.provenance), **asdict(settings)})


if __name__ == "__main__":
    main()
