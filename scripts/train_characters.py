"""Train the character-level language model that comes with mtjspice; some minutes on one processor.

Usage: python scripts/train_characters.py [STEPS]. The text is the language reference that CPython ships
(``pydoc_data.topics``). Writes models/networks/characters.npz.
"""

import hashlib
import re
import sys
from pydoc_data.topics import topics

import numpy as np
import torch
from networks import save
from torch import nn
from torch.nn import functional

from mtjspice.generative.images.parameters import seeded
from mtjspice.generative.tokens.model import ALPHABET, EMBEDDING, NAME, STATE
from mtjspice.generative.torch_threads import one_torch_thread

SEED, BATCH, LENGTH, RATE, HELD_OUT = 0, 64, 96, 4e-3, 0.05


class Recurrent(nn.Module):
    """Embedding, gated recurrent unit, scores of the next character."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(len(ALPHABET), EMBEDDING)
        self.unit = nn.GRU(EMBEDDING, STATE, batch_first=True)
        self.score = nn.Linear(STATE, len(ALPHABET))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.score(self.unit(self.embed(x))[0])


def corpus() -> str:
    """Prose of the language reference in the characters of the alphabet, blank lines and runs of blanks closed up."""
    text = "\n".join(topics[name] for name in sorted(topics))
    text = re.sub(r"\n(?=\S)", "\n", text)
    paragraphs = [re.sub(r"\s+", " ", part).strip() for part in re.split(r"\n\s*\n", text)]
    prose = [part for part in paragraphs if len(part) > 80]
    return "\n".join("".join(c for c in part if c in ALPHABET) for part in prose)


@one_torch_thread()
def main() -> None:
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 4000
    text = corpus()
    codes = torch.tensor([ALPHABET.index(c) for c in text])
    split = int(len(codes) * (1 - HELD_OUT))
    network = seeded(Recurrent, SEED)
    rng = np.random.default_rng(SEED)
    optimizer = torch.optim.Adam(network.parameters(), RATE)
    plan = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
    for step in range(steps):
        starts = rng.integers(0, split - LENGTH - 1, BATCH)
        rows = torch.stack([codes[s : s + LENGTH + 1] for s in starts])
        loss = functional.cross_entropy(network(rows[:, :-1]).flatten(0, 1), rows[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        plan.step()
        if step % 250 == 249:
            with torch.inference_mode():
                held = codes[split:]
                held = held[: len(held) // 500 * 500].view(-1, 500)
                lost = functional.cross_entropy(network(held[:, :-1]).flatten(0, 1), held[:, 1:].flatten())
            print(f"{step + 1}: {float(lost) / np.log(2):.3f} bits a character (held out)", flush=True)
    state = {name: value.detach().numpy() for name, value in network.state_dict().items()}
    arrays = {
        "embedding": state["embed.weight"],
        "input_weight": state["unit.weight_ih_l0"], "input_bias": state["unit.bias_ih_l0"],
        "state_weight": state["unit.weight_hh_l0"], "state_bias": state["unit.bias_hh_l0"],
        "score_weight": state["score.weight"], "score_bias": state["score.bias"],
    }  # fmt: skip
    about = {
        "data": "pydoc_data.topics of CPython (PSF licence)",
        "sha256": hashlib.sha256(text.encode()).hexdigest(), "characters": len(text),
        "steps": steps, "seed": SEED, "held_out_bits": float(lost) / np.log(2),
    }  # fmt: skip
    save(NAME, arrays, __file__, about)


if __name__ == "__main__":
    main()
