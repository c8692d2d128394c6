"""Train the classifier whose features Fréchet distances on Fashion-MNIST are measured with; a few minutes.

Usage: python scripts/train_fashion_features.py [EPOCHS]. Writes models/networks/fashion_features.npz.
"""

import sys

import numpy as np
import torch
from networks import save
from torch.nn import functional

from mtjspice.generative.data import fashion
from mtjspice.generative.images.features import NAME, Classifier
from mtjspice.generative.images.parameters import seeded, to_arrays
from mtjspice.generative.torch_threads import one_torch_thread

SEED, BATCH, RATE = 0, 128, 6e-3


@one_torch_thread()
def main() -> None:
    epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 6
    training, test = fashion.load("train"), fashion.load("test")
    images, classes = torch.from_numpy(training.scaled()), torch.from_numpy(training.classes.copy())
    network = seeded(Classifier, SEED)
    rng = np.random.default_rng(SEED)
    optimizer = torch.optim.Adam(network.parameters(), RATE)
    rounds = len(images) // BATCH
    plan = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=epochs * rounds)
    for epoch in range(epochs):
        network.train()
        order = torch.from_numpy(rng.permutation(len(images)))
        for k in range(rounds):
            chosen = order[k * BATCH : (k + 1) * BATCH]
            batch = images[chosen].flip(3) if rng.random() < 0.5 else images[chosen]
            loss = functional.cross_entropy(network(batch), classes[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            plan.step()
        network.eval()
        with torch.inference_mode():
            scores = torch.cat([network(part) for part in torch.from_numpy(test.scaled()).split(1000)])
        accuracy = float((scores.argmax(1).numpy() == test.classes).mean())
        print(f"epoch {epoch}: {100 * accuracy:.2f} % of the test images", flush=True)
    about = {"data": "Fashion-MNIST (MIT)", "epochs": epochs, "seed": SEED, "test_accuracy": accuracy}
    save(NAME, to_arrays(network), __file__, about)


if __name__ == "__main__":
    main()
