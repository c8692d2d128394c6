"""One seed for everything: each use derives its own, independent of all others and of their order."""

import numpy as np

from mtjspice.errors import InputError

MAX_SEED = 2**32 - 1

# what the derived seeds are for; the numbers are part of the results and never change
INITIAL_STATES = 1
CIRCUIT_NOISE = 2
PREDICTION = 3
POWER_UP = 4
EMULATOR = 5
COMPARISON = 6
CALIBRATION = 7


def check_seed(seed: int) -> int:
    """Return the seed; InputError unless it fits 32 bits."""
    if not 0 <= seed <= MAX_SEED:
        raise InputError(f"seed {seed} is out of range; allowed: 0 to {MAX_SEED}")
    return seed


def _sequence(seed: int, *purpose: int) -> np.random.SeedSequence:
    return np.random.SeedSequence(check_seed(seed), spawn_key=purpose)


def word(seed: int, *purpose: int) -> int:
    """Return a 32-bit seed word for the thermal field."""
    return int(_sequence(seed, *purpose).generate_state(1)[0])


def generator(seed: int, *purpose: int) -> np.random.Generator:
    """Return a NumPy generator."""
    return np.random.Generator(np.random.Philox(_sequence(seed, *purpose)))
