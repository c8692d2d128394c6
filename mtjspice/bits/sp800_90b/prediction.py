"""From the successes of a predictor to min-entropy (SP 800-90B, 6.3.7 to 6.3.10, their last steps)."""

import math

from mtjspice.bits.sp800_90b.estimate import Estimate, Parameter, entropy_of, upper_bound

_CONFIDENCE = math.log(0.99)
_ITERATIONS = 66
_BISECTIONS = 64


def prediction_estimate(name: str, predictions: int, correct: int, longest: int, **more: Parameter) -> Estimate:
    """Estimate from ``correct`` of ``predictions`` (>= 2) and the ``longest`` run of correct ones.

    p_global is the upper bound on the proportion of correct predictions. p_local is the success probability at
    which a run longer than the longest one is seen with probability 0.01; it counts, and is given, only where it
    exceeds both p_global and 1/2.
    """
    p_global = upper_bound(correct / predictions, predictions) if correct else 1 - 0.01 ** (1 / predictions)
    parameters: dict[str, Parameter] = {
        "predictions": predictions, "correct": correct, "longest_run": longest, "p_global": p_global, **more,
    }  # fmt: skip
    p = max(p_global, 0.5)
    if p < 1 and _log_no_run(p, longest + 1, predictions) > _CONFIDENCE:
        p = parameters["p_local"] = _local_probability(p, longest + 1, predictions)
    return Estimate(name, entropy_of(p), parameters)


def _local_probability(low: float, run: int, predictions: int) -> float:
    high = 1.0
    for _ in range(_BISECTIONS):
        p = (low + high) / 2
        if _log_no_run(p, run, predictions) > _CONFIDENCE:
            low = p
        else:
            high = p
    return (low + high) / 2


def _log_no_run(p: float, run: int, predictions: int) -> float:
    """Logarithm of the probability that ``predictions`` of success p contain no run of ``run`` successes.

    W. Feller, "An Introduction to Probability Theory and Its Applications" I, XIII.7 (7.11): with the smallest root
    x of x = 1 + q p^r x^(r+1) it is (1 - p x) / ((r + 1 - r x) q x^(N+1)). Written with y = x - 1, which is tiny
    for long runs; the iteration rises monotonically to the root.
    """
    q = 1 - p
    log_qp = math.log(q) + run * math.log(p)
    y = previous = 0.0
    for _ in range(_ITERATIONS):
        y = math.exp(log_qp + (run + 1) * math.log1p(y))
        if y - previous <= 1e-17 * y:
            break
        previous = y
    above, below = q - p * y, (1 - run * y) * q
    if above <= 0 or below <= 0:  # the root is 1/p: a run is all but certain
        return -math.inf
    return math.log(above) - math.log(below) - (predictions + 1) * math.log1p(y)
