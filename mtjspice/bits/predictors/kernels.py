"""Inner loops of the predictors that learn weights.

Plain loops rather than matrix products: matrices this small gain nothing from BLAS, whose rounding depends on the
number of its threads.
"""

import numpy as np
from numba import njit


@njit(cache=True, error_model="numpy", nogil=True)
def fill_rows(signs, lags, recent, odds, first, second, positions, rows):  # type: ignore[no-untyped-def]
    """Features of the bits at ``positions``: a constant, past bits, their recent sum, the device's odds, products."""
    for k in range(len(positions)):
        t = positions[k]
        row = rows[k]
        row[0] = 1.0
        row[1] = recent[t]
        column = 2
        if len(odds):
            row[column] = odds[t % len(odds)]
            column += 1
        past = column
        for lag in lags:
            row[column] = signs[t - lag]
            column += 1
        for pair in range(len(first)):
            row[column] = row[past + first[pair]] * row[past + second[pair]]
            column += 1


@njit(cache=True, error_model="numpy", nogil=True)
def add_normal_equations(rows, bits, weights, gradient, curvature):  # type: ignore[no-untyped-def]
    """Add gradient and curvature (upper triangle) of the log-likelihood of a logistic regression."""
    width = rows.shape[1]
    row = np.empty(width, np.float64)
    for k in range(len(rows)):
        logit = 0.0
        for i in range(width):
            row[i] = rows[k, i]
            logit += row[i] * weights[i]
        probability = 1 / (1 + np.exp(-logit))
        error = bits[k] - probability
        weight = probability * (1 - probability)
        for i in range(width):
            gradient[i] += error * row[i]
            scaled = weight * row[i]
            for j in range(i, width):
                curvature[i, j] += scaled * row[j]


@njit(cache=True, error_model="numpy", nogil=True)
def evaluate(rows, into, out_of, bias, logits):  # type: ignore[no-untyped-def]
    """Logits of a perceptron with the weights ``into`` (inputs, hidden) and ``out_of`` (hidden,)."""
    hidden = np.empty(into.shape[1], np.float32)
    for k in range(len(rows)):
        hidden[:] = 0
        for i in range(into.shape[0]):
            x = rows[k, i]
            for j in range(len(hidden)):
                hidden[j] += x * into[i, j]
        total = bias[0]
        for j in range(len(hidden)):
            total += max(hidden[j], np.float32(0)) * out_of[j]
        logits[k] = total


@njit(cache=True, error_model="numpy", nogil=True)
def add_gradients(rows, bits, into, out_of, bias, g_into, g_out, g_bias):  # type: ignore[no-untyped-def]
    """Set the gradients of the mean cross-entropy of a perceptron on a batch."""
    hidden = np.empty(into.shape[1], np.float32)
    g_into[:] = 0
    g_out[:] = 0
    g_bias[:] = 0
    for k in range(len(rows)):
        hidden[:] = 0
        for i in range(into.shape[0]):
            x = rows[k, i]
            for j in range(len(hidden)):
                hidden[j] += x * into[i, j]
        logit = bias[0]
        for j in range(len(hidden)):
            hidden[j] = max(hidden[j], np.float32(0))
            logit += hidden[j] * out_of[j]
        error = (np.float32(1) / (np.float32(1) + np.exp(-logit)) - np.float32(bits[k])) / np.float32(len(rows))
        g_bias[0] += error
        for j in range(len(hidden)):
            g_out[j] += error * hidden[j]
            hidden[j] = error * out_of[j] if hidden[j] > 0 else np.float32(0)
        for i in range(into.shape[0]):
            x = rows[k, i]
            for j in range(len(hidden)):
                g_into[i, j] += x * hidden[j]


@njit(cache=True, error_model="numpy", nogil=True)
def adam_step(weight, gradient, mean, square, scale):  # type: ignore[no-untyped-def]
    """One step of Adam on flat arrays, in place."""
    for k in range(len(weight)):
        mean[k] += np.float32(0.1) * (gradient[k] - mean[k])
        square[k] += np.float32(0.001) * (gradient[k] * gradient[k] - square[k])
        weight[k] -= scale * mean[k] / (np.sqrt(square[k]) + np.float32(1e-8))
