"""A language model of characters: a gated recurrent unit (K. Cho et al., 2014), in double precision.

The parameters that come with mtjspice were trained on the language reference of Python
(``scripts/train_characters.py``).
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_softmax

from mtjspice.errors import InputError
from mtjspice.generative.mlp import one_thread
from mtjspice.generative.weights import Arrays, checked, shipped

Floats = NDArray[np.float64]
NAME = "characters"
ALPHABET = "\n" + "".join(map(chr, range(32, 127)))
EMBEDDING, STATE = 32, 160
_SHAPES = {
    "embedding": (len(ALPHABET), EMBEDDING),
    "input_weight": (3 * STATE, EMBEDDING),
    "input_bias": (3 * STATE,),
    "state_weight": (3 * STATE, STATE),
    "state_bias": (3 * STATE,),
    "score_weight": (len(ALPHABET), STATE),
    "score_bias": (len(ALPHABET),),
}


@dataclass(frozen=True, eq=False)
class CharacterModel:
    """Probabilities of the next character; characters are indices into `ALPHABET`."""

    arrays: Arrays

    def __post_init__(self) -> None:
        checked(self.arrays, _SHAPES, NAME)
        object.__setattr__(self, "arrays", {name: np.asarray(a, np.float64) for name, a in self.arrays.items()})

    def start(self, count: int) -> Floats:
        """States of ``count`` texts that have not begun, shape (count, 160)."""
        return np.zeros((count, STATE))

    @one_thread()
    def step(self, states: Floats, characters: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """States after one more character each, and the logarithms of the next one's probabilities, (n, 96)."""
        a = self.arrays
        given = a["embedding"][characters] @ a["input_weight"].T + a["input_bias"]
        kept = states @ a["state_weight"].T + a["state_bias"]
        reset = expit(given[:, :STATE] + kept[:, :STATE])
        update = expit(given[:, STATE : 2 * STATE] + kept[:, STATE : 2 * STATE])
        candidate = np.tanh(given[:, 2 * STATE :] + reset * kept[:, 2 * STATE :])
        after = (1 - update) * candidate + update * states
        return after, np.asarray(log_softmax(after @ a["score_weight"].T + a["score_bias"], axis=1))

    def read(self, text: str, count: int = 1) -> tuple[Floats, Floats]:
        """States and next probabilities (logarithms) after ``text``, for ``count`` texts alike."""
        states = self.start(1)
        for character in encode(text):
            states, scores = self.step(states, np.array([character]))
        return np.repeat(states, count, axis=0), np.repeat(scores, count, axis=0)


@lru_cache(maxsize=1)
def character_model() -> CharacterModel:
    """The model that comes with mtjspice."""
    return CharacterModel(shipped(NAME))


def encode(text: str) -> NDArray[np.int64]:
    """Indices of the characters, shape (n,), n >= 1; InputError for one that the alphabet does not have."""
    if not text:
        raise InputError("the text to begin with must have one character or more")
    for place, character in enumerate(text):
        if character not in ALPHABET:
            raise InputError(f"character {place + 1} of the text to begin with, {character!r}, is not ASCII")
    return np.array([ALPHABET.index(character) for character in text], np.int64)


def decode(characters: NDArray[np.int64]) -> str:
    """The text of indices."""
    return "".join(ALPHABET[k] for k in characters.tolist())
