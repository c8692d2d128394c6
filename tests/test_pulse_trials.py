"""Switching probabilities counted inside the simulators, against the Fokker-Planck equation.

A check against z = 4.5 standard deviations would fail by chance, were the seeds drawn anew, with probability 6.8e-6;
there are eight of them.
"""

from math import sqrt

import numpy as np
import pytest

from mtjspice.circuits.pulse_trials import METHODS
from mtjspice.device.card import load_card
from mtjspice.device.switching import switching_probability
from mtjspice.errors import InputError

CARD = load_card("meram100")
VOLTS, WIDTHS = [1.2, 1.6], [4e-10, 7e-10]
Z = 4.5


@pytest.fixture(scope="module")
def exact():
    return switching_probability(CARD, VOLTS, WIDTHS).probability.values


@pytest.mark.parametrize(("method", "trials"), [("cosim", 600), ("verilog-a", 300)])
def test_counts_agree_with_the_fokker_planck_equation(exact, method, trials):
    found = switching_probability(CARD, VOLTS, WIDTHS, method, trials=trials, seed=3, methods=METHODS)
    assert found.attrs["engine"].startswith("ngspice-")
    assert int(found.trials.values[0, 0]) == trials
    scores = (found.probability.values - exact) / np.sqrt(exact * (1 - exact) / trials)
    print(method, scores)
    assert np.abs(scores).max() < Z


@pytest.mark.slow
def test_behavioral_counts(exact):
    trials = 100
    found = switching_probability(CARD, VOLTS[0], WIDTHS[0], "behavioral", trials=trials, seed=3, methods=METHODS)
    p = exact[0, 0]
    assert abs(float(found.probability.values[0, 0]) - p) < Z * sqrt(p * (1 - p) / trials)


def test_a_point_does_not_depend_on_the_others():
    both = switching_probability(CARD, VOLTS, WIDTHS[0], "cosim", trials=60, seed=3, methods=METHODS)
    one = switching_probability(CARD, VOLTS[1], WIDTHS[0], "cosim", trials=60, seed=3, methods=METHODS)
    assert float(one.probability.values[0, 0]) == float(both.probability.values[1, 0])
    other = switching_probability(CARD, VOLTS, WIDTHS[0], "cosim", trials=60, seed=4, methods=METHODS)
    assert np.any(other.probability.values != both.probability.values)


def test_the_compiled_model_counts_the_same_trials():
    """Same noise, same initial states: hardly a trial ends elsewhere."""
    pair = [
        switching_probability(CARD, 1.2, 4e-10, method, trials=100, seed=3, methods=METHODS).probability.values[0, 0]
        for method in ("cosim", "verilog-a")
    ]
    assert abs(pair[0] - pair[1]) <= 0.03


def test_unknown_method_lists_them():
    with pytest.raises(InputError, match="behavioral, cosim, fokker-planck, macrospin, verilog-a"):
        switching_probability(CARD, 1.2, 1e-9, "spectre", methods=METHODS)
