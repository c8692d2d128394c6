"""Floating-point types: numbers in double precision, rounded so that bounds are kept."""

import numpy as np
import torch
from numpy.typing import NDArray

from mtjspice.errors import InputError

Floats = NDArray[np.float64]

DIGITS = {torch.float64: 53, torch.float32: 24, torch.float16: 11, torch.bfloat16: 8}
"""Binary digits of a number."""

PARTS = {torch.complex128: torch.float64, torch.complex64: torch.float32, torch.complex32: torch.float16}
"""Of what a complex number is made."""


def floating(dtype: torch.dtype, operation: str) -> torch.dtype:
    """The type itself, that of the parts for a complex one; InputError for any other."""
    part = PARTS.get(dtype, dtype)
    if part not in DIGITS:
        raise InputError(f"{operation} cannot be drawn in {dtype}; allowed: {', '.join(map(str, [*DIGITS, *PARTS]))}")
    return part


def real(dtype: torch.dtype, operation: str) -> torch.dtype:
    """The type if it is real and floating; InputError for any other."""
    if dtype not in DIGITS:
        raise InputError(f"{operation} cannot be drawn in {dtype}; allowed: {', '.join(map(str, DIGITS))}")
    return dtype


def rounded(value: float, dtype: torch.dtype) -> float:
    """A number as the type holds it."""
    return float(torch.tensor(value, dtype=torch.float64).to(dtype))


def fractions(values: Floats, dtype: torch.dtype) -> Floats:
    """Numbers in [0, 1) rounded down to the type's digits behind the point: never 1."""
    digits = DIGITS[dtype]
    return values if digits == 53 else np.asarray(np.ldexp(np.floor(np.ldexp(values, digits)), -digits))


def between(values: Floats, low: float, high: float, dtype: torch.dtype) -> Floats:
    """Fractions stretched to [low, high), rounded down to the type's digits: never ``high``, unless it is ``low``."""
    low, high = rounded(low, dtype), rounded(high, dtype)
    stretched = np.minimum(low + fractions(values, dtype) * (high - low), np.nextafter(high, low))
    digits = DIGITS[dtype]
    if digits == 53:
        return stretched
    mantissa, exponent = np.frexp(stretched)
    return np.asarray(np.ldexp(np.floor(np.ldexp(mantissa, digits)), exponent - digits))


def positive(values: Floats, dtype: torch.dtype) -> Floats:
    """Numbers raised to the smallest positive one of the type (its logarithm must be finite)."""
    limits = torch.finfo(dtype)
    smallest = limits.tiny * limits.eps if dtype == torch.float16 else limits.tiny
    return np.asarray(np.maximum(values, smallest))
