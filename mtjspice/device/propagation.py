"""Propagators of the Fokker-Planck equation for many lanes at once (compiled).

A lane is one density under its own voltage; see `generator`. One pass over the matrix serves `LANES` vectors with
vector instructions. At constant voltage e^(tA) is expanded in Chebyshev polynomials on an ellipse, at changing
voltage an explicit Runge-Kutta scheme takes over.
"""

# mypy: allow-untyped-decorators

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import ceil, sqrt
from typing import Any, TypeVar

import numpy as np
from llvmlite import ir
from numba import get_num_threads, njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray
from scipy.integrate import DOP853
from scipy.linalg import expm

from mtjspice.device.generator import FAMILIES, Bounds, Floats, Generator, bounds

LANES = 16  # two cache lines; the matrix is read once for all of them

_STAGES = 12
_RK_A = np.ascontiguousarray(DOP853.A[:_STAGES, :_STAGES])
_RK_B = np.ascontiguousarray(DOP853.B)
_RK_C = np.ascontiguousarray(DOP853.C[:_STAGES])

T = TypeVar("T")


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def _row(  # type: ignore[no-untyped-def]
    context, start, family, column, value, coefficients, x, out, weight, moment, i
):
    """Emit the product of row i with LANES vectors.

    out[i] += coefficients[-1] x[i] + sum value coefficients[family] x[column], then moment += weight[i] out[i].
    Numba would keep the accumulators in memory; as one vector they stay in registers (three times faster).
    """
    signature = types.void(start, family, column, value, coefficients, x, out, weight, moment, i)

    def emit(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        lanes = ir.VectorType(ir.DoubleType(), LANES)
        word = ir.IntType(64)
        arrays = [target.make_array(signature.args[k])(target, builder, arguments[k]) for k in range(9)]
        pointers = [array.data for array in arrays]
        vectors = [builder.bitcast(pointer, lanes.as_pointer()) for pointer in pointers[4:]]
        row = arguments[9]

        def load(which: int, index: Any) -> Any:
            result = builder.load(builder.gep(vectors[which], [index]))
            result.align = 8
            return result

        def store(which: int, index: Any, what: Any) -> None:
            builder.store(what, builder.gep(vectors[which], [index])).align = 8

        def number(which: int, index: Any) -> Any:
            return builder.load(builder.gep(pointers[which], [index]))

        def add_product(a: Any, b: Any, c: Any) -> Any:
            return builder.fadd(builder.fmul(a, b, flags=["contract"]), c, flags=["contract"])

        def spread(scalar: Any) -> Any:
            first = builder.insert_element(ir.Constant(lanes, ir.Undefined), scalar, ir.Constant(ir.IntType(32), 0))
            return builder.shuffle_vector(first, first, ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES))

        one, zero = ir.Constant(word, 1), ir.Constant(word, 0)
        rows_of_coefficients = cgutils.unpack_tuple(builder, arrays[4].shape)[0]
        diagonal = load(0, builder.sub(rows_of_coefficients, one))
        total = cgutils.alloca_once(builder, lanes)
        builder.store(add_product(diagonal, load(1, row), load(2, row)), total)
        first = builder.sext(number(0, row), word)
        last = builder.sext(number(0, builder.add(row, one)), word)
        with cgutils.for_range_slice(builder, first, last, one, word, inc=True) as (entry, _):
            factor = builder.fmul(spread(number(3, entry)), load(0, builder.sext(number(1, entry), word)))
            vector = load(1, builder.sext(number(2, entry), word))
            builder.store(add_product(factor, vector, builder.load(total)), total)
        result = builder.load(total)
        store(2, row, result)
        store(4, zero, add_product(load(3, row), result, load(4, zero)))
        return target.get_dummy_value()

    return signature, emit


@njit(cache=True, nogil=True)
def _series(
    start: NDArray[np.int32],
    family: NDArray[np.int32],
    column: NDArray[np.int32],
    value: Floats,
    coefficients: Floats,
    x: Floats,
    weight: Floats,
    terms: int,
    factors: Floats,
) -> tuple[Floats, Floats]:
    """Moments <weight, S_k x> (terms, LANES) and, if ``factors`` (terms,) are given, sum factors_k S_k x.

    S_0 = 1, S_1 = X, S_(k+1) = 2 X S_k + S_(k-1), where ``coefficients`` (FAMILIES + 1, LANES) are those of 2 X.
    """
    n = x.shape[0]
    moments = np.zeros((terms, LANES))
    summing = len(factors) > 0
    result = np.zeros_like(x)
    # copies are aligned for vector instructions
    old, new, weight, coefficients = x.copy(), np.zeros_like(x), weight.copy(), coefficients.copy()
    half = 0.5 * coefficients
    for i in range(n):
        for j in range(LANES):
            moments[0, j] += weight[i, j] * x[i, j]
    if summing:
        result[:] = factors[0] * x
    for k in range(1, terms):
        used = half if k == 1 else coefficients
        for i in range(n):
            _row(start, family, column, value, used, old, new, weight, moments[k], i)
        if summing:
            flat, source = result.reshape(-1), new.reshape(-1)
            for i in range(len(flat)):
                flat[i] += factors[k] * source[i]
        old, new = new, old
    return moments, result


@njit(cache=True, nogil=True)
def _ramp(
    start: NDArray[np.int32],
    family: NDArray[np.int32],
    column: NDArray[np.int32],
    value: Floats,
    coefficients: Floats,
    a: Floats,
    b: Floats,
    x: Floats,
) -> None:
    """Explicit Runge-Kutta steps on ``x`` in place; ``coefficients`` (steps, stages, FAMILIES + 1, LANES) times h."""
    n = x.shape[0]
    stages = len(b)
    slope = np.empty((stages, n, LANES))
    argument = np.empty_like(x)
    nothing, ignored = np.zeros_like(x), np.zeros(LANES)
    for step in range(len(coefficients)):
        for stage in range(stages):
            argument[:] = x
            flat = argument.reshape(-1)
            for earlier in range(stage):
                factor = a[stage, earlier]
                if factor != 0.0:
                    source = slope[earlier].reshape(-1)
                    for i in range(len(flat)):
                        flat[i] += factor * source[i]
            slope[stage] = 0.0
            used = coefficients[step, stage].copy()  # aligned for vector instructions
            for i in range(n):
                _row(start, family, column, value, used, argument, slope[stage], nothing, ignored, i)
        for stage in range(stages):
            if b[stage] != 0.0:
                x += b[stage] * slope[stage]


@njit(cache=True, nogil=True)
def bessel(terms: int, argument: float) -> Floats:
    """J_0..J_(terms - 1) of a real argument >= 0 by Miller's downward recurrence."""
    result = np.zeros(terms)
    if argument == 0.0:
        result[0] = 1.0
        return result
    top = max(terms, int(argument)) + 20 + int(3 * sqrt(max(float(terms), argument)))
    top += top % 2
    after, now, norm = 0.0, 1e-280, 0.0
    for k in range(top, -1, -1):
        if k < terms:
            result[k] = now
        norm += now if k == 0 else (2.0 * now if k % 2 == 0 else 0.0)
        if k > 0:
            after, now = now, 2.0 * k / argument * now - after
        if abs(now) > 1e200:
            now *= 1e-200
            after *= 1e-200
            norm *= 1e-200
            result *= 1e-200
    return result / norm


@njit(cache=True, nogil=True)
def _evaluate(moments: Floats, times: Floats, center: float, focus: float) -> Floats:
    """<weight, e^(tA) x> (times, LANES) from the moments of `_series`."""
    result = np.zeros((len(times), LANES))
    for row, time in enumerate(times):
        values = bessel(len(moments), time * focus)
        damping = np.exp(time * center)
        for k in range(len(moments)):
            if values[k] != 0.0:
                factor = damping * values[k] * (1.0 if k == 0 else 2.0)
                for j in range(LANES):
                    result[row, j] += factor * moments[k, j]
    return result


@dataclass(frozen=True)
class Ellipse:
    """Center and focal distance (1/s) of the vertical ellipse around the numerical ranges of a chunk of lanes.

    The range lies inside the parabola Re = -D l(l + 1), |Im| <= height l/L, so the center stands at its left edge,
    where the range is highest. A term S_k grows no faster than ``growth``^k.
    """

    center: float
    focus: float
    growth: float

    def terms(self, time: float, floor: float) -> int:
        """Terms of the expansion of e^(tA) after which the rest stays below ``floor``."""
        argument = time * self.focus
        guess = 40 + int(1.5 * argument * max(1.0, (self.growth - 1 / self.growth) / 2 + 1) + 60 * argument ** (1 / 3))
        with np.errstate(divide="ignore"):
            size = np.log(np.abs(bessel(guess, argument))) + time * self.center
        size += np.arange(guess) * np.log(self.growth)
        return int(np.flatnonzero(size > np.log(floor))[-1]) + 2


def ellipse(limits: Bounds) -> Ellipse:
    """Enclose all lanes of ``limits``."""
    center = float(limits.low.min())
    half_width = float(limits.high.max()) - center
    half_height = max(float(limits.height.max()), 1.2 * half_width)
    focus = sqrt(half_height**2 - half_width**2)
    return Ellipse(center, focus, (half_width + half_height) / focus)


def _scaled(coefficients: Floats, around: Ellipse) -> Floats:
    """Coefficients (FAMILIES + 1, LANES) of 2 (A - center)/focus."""
    shift = np.full((1, LANES), -around.center)
    return np.ascontiguousarray(np.concatenate((coefficients.T, shift)) * (2 / around.focus))


_MANY_TERMS = 5000.0
_LONGEST = 150.0  # decay exponent of the fastest mode within one expansion; e^300 must not overflow


def project(system: Generator, coefficients: Floats, x: Floats, weight: Floats, times: Floats, floor: float) -> Floats:
    """<weight, e^(tA) x> at every one of the increasing ``times``; (times, LANES).

    ``coefficients`` (LANES, FAMILIES); ``x`` and ``weight`` (n, LANES); ``floor`` bounds the cut of the expansion.
    One expansion serves all times: only its scalar factors depend on t.
    """
    around = ellipse(bounds(system.degree, coefficients))
    if _dense_is_cheaper(system, float(times[-1]) * around.focus):
        return np.stack(
            [_project_dense(system, coefficients[lane], x[:, lane], weight[:, lane], times) for lane in range(LANES)],
            axis=1,
        )
    table = _scaled(coefficients, around)
    limit = _LONGEST / abs(around.center)
    result = np.empty((len(times), LANES))
    forward, origin, first = system.forward, 0.0, 0
    while first < len(times):
        span = min(limit, float(times[-1]) - origin)
        last = int(np.searchsorted(times, origin + span, side="right")) if span == limit else len(times)
        terms = around.terms(span, floor)
        factors = _factors(around, terms, span) if last < len(times) else np.empty(0)
        moments, after = _series(
            forward.start, forward.family, forward.column, forward.value, table, x, weight, terms, factors
        )
        result[first:last] = _evaluate(moments, times[first:last] - origin, around.center, around.focus)
        x, origin, first = after, origin + span, last
    return result


def _dense_is_cheaper(system: Generator, argument: float) -> bool:
    """Whether squaring small matrices beats an expansion with about ``argument`` terms (axial, long times)."""
    return len(system.kept) == system.degree + 1 and argument > _MANY_TERMS


def _dense(system: Generator, coefficients: Floats, time: float) -> Floats:
    """e^(tA) of one lane as a matrix, by scaling and squaring."""
    return np.asarray(expm(system.matrix(coefficients).toarray() * time))


def _project_dense(system: Generator, coefficients: Floats, x: Floats, weight: Floats, times: Floats) -> Floats:
    """<weight, e^(tA) x> (times,) of one lane; equal steps share their matrix."""
    steps = np.diff(times, prepend=0.0)
    digits = 9 - int(np.floor(np.log10(times[-1])))
    _, kind = np.unique(np.round(steps, digits), return_inverse=True)
    matrices: dict[int, Floats] = {}
    result = np.empty(len(times))
    for k, step in enumerate(steps):
        if kind[k] not in matrices:
            matrices[kind[k]] = _dense(system, coefficients, float(step))
        x = matrices[kind[k]] @ x
        result[k] = weight @ x
    return result


def _factors(around: Ellipse, terms: int, time: float) -> Floats:
    values = bessel(terms, time * around.focus) * np.exp(time * around.center)
    values[1:] *= 2
    return np.asarray(values)


def hold(system: Generator, coefficients: Floats, x: Floats, time: float, floor: float) -> Floats:
    """e^(tA) x (n, LANES) under the constant ``coefficients`` (LANES, FAMILIES)."""
    around = ellipse(bounds(system.degree, coefficients))
    if _dense_is_cheaper(system, time * around.focus):
        return np.stack([_dense(system, coefficients[k], time) @ x[:, k] for k in range(LANES)], axis=1)
    table = _scaled(coefficients, around)
    pieces = max(1, ceil(time * abs(around.center) / _LONGEST))
    factors = _factors(around, around.terms(time / pieces, floor), time / pieces)
    forward = system.forward
    for _ in range(pieces):
        _, x = _series(
            forward.start, forward.family, forward.column, forward.value, table, x, np.zeros_like(x), len(factors),
            factors,
        )  # fmt: skip
    return x


def ramp(
    system: Generator,
    coefficients: Callable[[Floats], Floats],
    x: Floats,
    time: float,
    reach: float,
    *,
    backward: bool = False,
) -> Floats:
    """Propagate x (n, LANES) through ``time`` seconds of a generator that changes smoothly.

    ``coefficients`` maps times (k,) to (k, LANES, FAMILIES). ``backward`` solves the adjoint equation from the end
    to the start. Runge-Kutta of eighth order (Dormand and Prince), steps of at most ``reach`` over the spectral
    radius; stable up to about 5.5.
    """
    radius = 0.0
    for instant in coefficients(np.linspace(0.0, time, 5)):
        limits = bounds(system.degree, instant)
        radius = max(radius, float(np.hypot(limits.low, limits.height).max()))
    steps = max(2, ceil(time * radius / reach))
    length = time / steps
    nodes = length * (np.arange(steps)[:, None] + _RK_C)
    table = coefficients((time - nodes if backward else nodes).reshape(-1)) * length
    table = np.concatenate((table, np.zeros((*table.shape[:2], 1))), axis=2).swapaxes(1, 2)
    table = np.ascontiguousarray(table.reshape(steps, _STAGES, FAMILIES + 1, LANES))
    rows = system.backward if backward else system.forward
    result = x.copy()
    _ramp(rows.start, rows.family, rows.column, rows.value, table, _RK_A, _RK_B, result)
    return result


def in_threads(function: Callable[[Any], T], items: Iterable[Any], progress: Callable[[float], None] | None) -> list[T]:
    """Apply ``function`` to ``items`` on all threads of numba; the compiled loops release the interpreter."""
    work = list(items)
    results = []
    with ThreadPoolExecutor(get_num_threads()) as pool:
        for number, result in enumerate(pool.map(function, work)):
            results.append(result)
            if progress is not None:
                progress((number + 1) / len(work))
    return results
