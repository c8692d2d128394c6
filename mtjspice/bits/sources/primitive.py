"""Primitive polynomials over GF(2): which taps give a shift register the longest period, 2^n - 1."""

from collections.abc import Sequence
from functools import cache
from math import gcd

from mtjspice.errors import InputError

LONGEST = 4096
"""Stages of the longest shift register."""

# prime factors that take long to find (Cunningham tables); that they divide is not taken on trust
_LARGE_FACTORS = (7432339208719, 269089806001)
_TRIAL = 1 << 12  # divisors tried before the rho method
_STEPS = 1 << 20  # of the rho method, for one factor

# Exponents between the degree and 0 of a primitive polynomial: of the trinomials x^n + x^a + 1 the one with the
# smallest a, else of the pentanomials that with the smallest exponents. Degree 16 is the register of textbooks.
_MIDDLE: dict[int, tuple[int, ...]] = {
    2: (1,), 3: (1,), 4: (1,), 5: (2,), 6: (1,), 7: (1,), 8: (4, 3, 2), 9: (4,), 10: (3,), 11: (2,), 12: (6, 5, 3),
    13: (4, 3, 1), 14: (5, 4, 3), 15: (1,), 16: (14, 13, 11), 17: (3,), 18: (7,), 19: (5, 2, 1), 20: (3,),
    21: (2,), 22: (1,), 23: (5,), 24: (4, 3, 1), 25: (3,), 26: (6, 3, 2), 27: (5, 2, 1), 28: (3,), 29: (2,),
    30: (6, 4, 1), 31: (3,), 32: (7, 6, 2), 33: (13,), 34: (8, 4, 3), 35: (2,), 36: (11,), 37: (6, 5, 4),
    38: (6, 5, 1), 39: (4,), 40: (5, 4, 3), 41: (3,), 42: (7, 6, 3), 43: (6, 5, 4), 44: (6, 5, 3), 45: (4, 3, 1),
    46: (8, 7, 6), 47: (5,), 48: (9, 8, 6), 49: (9,), 50: (4, 3, 2), 51: (6, 5, 3), 52: (3,), 53: (6, 5, 4),
    54: (8, 6, 3), 55: (24,), 56: (7, 4, 2), 57: (7,), 58: (19,), 59: (7, 6, 2), 60: (1,), 61: (5, 2, 1),
    62: (6, 5, 3), 63: (1,), 64: (4, 3, 2), 65: (18,), 66: (9, 8, 6), 67: (5, 2, 1), 68: (9,), 69: (6, 5, 2),
    70: (5, 3, 1), 71: (6,), 72: (10, 9, 3), 73: (25,), 74: (7, 4, 3), 75: (6, 5, 3), 76: (5, 4, 2), 77: (6, 5, 2),
    78: (7, 2, 1), 79: (9,), 80: (9, 4, 2), 81: (4,), 82: (9, 6, 4), 83: (7, 4, 2), 84: (13,), 85: (8, 2, 1),
    86: (6, 5, 2), 87: (13,), 88: (11, 9, 8), 89: (38,), 90: (5, 3, 2), 91: (8, 5, 1), 92: (6, 5, 4), 93: (2,),
    94: (21,), 95: (11,), 96: (10, 9, 6), 97: (6,), 98: (11,), 99: (7, 5, 4), 100: (37,), 101: (7, 6, 1),
    102: (6, 5, 3), 103: (9,), 104: (11, 10, 1), 105: (16,), 106: (15,), 107: (9, 8, 2), 108: (31,),
    109: (5, 4, 2), 110: (6, 4, 1), 111: (10,), 112: (11, 6, 4), 113: (9,), 114: (11, 2, 1), 115: (8, 7, 5),
    116: (6, 5, 2), 117: (5, 2, 1), 118: (33,), 119: (8,), 120: (9, 6, 2), 121: (18,), 122: (6, 2, 1), 123: (2,),
    124: (37,), 125: (7, 6, 5), 126: (7, 4, 2), 127: (1,), 128: (7, 2, 1),
}  # fmt: skip


def taps(length: int) -> tuple[int, ...]:
    """Exponents of a primitive polynomial of degree ``length``, without 0; InputError where none is on record."""
    if length not in _MIDDLE:
        raise InputError(
            f"no taps are on record for an LFSR of {length} stages (there are for 2 to {max(_MIDDLE)}); give them"
        )
    return (length, *_MIDDLE[length])


def shortcoming(chosen: Sequence[int]) -> str:
    """Why the register with these taps has not the period 2^n - 1, n the largest; empty if it has."""
    n = max(chosen)
    polynomial = 1 + sum(1 << tap for tap in chosen)
    if len(chosen) % 2:
        return "not of maximal length: an odd number of taps makes 1 a root of the polynomial"
    if not _irreducible(polynomial, n):
        return f"not of maximal length 2^{n} - 1: the polynomial is reducible"
    factors = _mersenne_factors(n)
    if factors is None:
        return f"whether they are of maximal length could not be found out: 2^{n} - 1 is hard to factor"
    short = [((1 << n) - 1) // q for q in factors if n > 1 and _power(2, ((1 << n) - 1) // q, polynomial) == 1]
    return f"not of maximal length 2^{n} - 1: the period divides {min(short)}" if short else ""


def _multiply(a: int, b: int, modulus: int) -> int:
    """Product of two polynomials, bits their coefficients, modulo a third."""
    top, result = modulus.bit_length() - 1, 0
    while b:
        if b & 1:
            result ^= a
        b >>= 1
        a <<= 1
        if a >> top & 1:
            a ^= modulus
    return result


def _power(base: int, exponent: int, modulus: int) -> int:
    result = 1
    while exponent:
        if exponent & 1:
            result = _multiply(result, base, modulus)
        base = _multiply(base, base, modulus)
        exponent >>= 1
    return result


def _irreducible(polynomial: int, degree: int) -> bool:
    """Rabin's test: x^(2^n) = x, and x^(2^(n/q)) - x has no factor in common for any prime q of n."""
    wanted = {degree // q for q in _prime_factors(degree) or ()}
    x = 2 if degree > 1 else 1
    for k in range(1, degree + 1):
        x = _multiply(x, x, polynomial)
        if k in wanted and k < degree and _common(polynomial, x ^ 2) != 1:
            return False
    return degree == 1 or x == 2


def _common(a: int, b: int) -> int:
    while b:
        while a.bit_length() >= b.bit_length():
            a ^= b << (a.bit_length() - b.bit_length())
        a, b = b, a
    return a


@cache
def _mersenne_factors(n: int) -> tuple[int, ...] | None:
    """The prime factors of 2^n - 1: those of 2^d - 1 for the divisors d of n, and those that are new."""
    found, left = set(), (1 << n) - 1
    for d in range(1, n // 2 + 1):
        known = _mersenne_factors(d) if n % d == 0 else ()
        if known is None:
            return None
        for q in known:
            found.add(q)
            while left % q == 0:
                left //= q
    new = _prime_factors(left)
    return None if new is None else tuple(sorted(found.union(new)))


@cache
def _prime_factors(number: int) -> tuple[int, ...] | None:
    """The different prime factors, or None where the effort is too great."""
    found, left = set(), number
    for q in (*range(2, _TRIAL), *_LARGE_FACTORS):
        while left % q == 0:
            found.add(q)
            left //= q
    waiting = [left] if left > 1 else []
    while waiting:
        n = waiting.pop()
        if _is_prime(n):
            found.add(n)
            continue
        divisor = _rho(n)
        if divisor is None:
            return None
        waiting += [divisor, n // divisor]
    return tuple(sorted(found))


def _is_prime(n: int) -> bool:
    """Miller and Rabin's test with the first 40 primes as bases; certain below 3e24."""
    bases = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103,
             107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167, 173)  # fmt: skip
    if n < 2 or any(n % p == 0 for p in bases):
        return n in bases
    odd, twos = n - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for base in bases:
        x = pow(base, odd, n)
        if x in (1, n - 1):
            continue
        for _ in range(twos - 1):
            x = x * x % n
            if x == n - 1:
                break
        else:
            return False
    return True


def _rho(n: int) -> int | None:
    """A proper divisor by Pollard's rho method in Brent's form; None after `_STEPS` steps."""
    root = round(n**0.5) if n < 1 << 52 else 0
    if root and root * root == n:
        return root
    for increment in (1, 3, 5):
        y, product, steps, block = 2, 1, 0, 1
        while steps < _STEPS:
            x = y
            for done in range(0, block, 128):
                start = y
                for _ in range(min(128, block - done)):
                    y = (y * y + increment) % n
                    product = product * abs(x - y) % n
                steps += 128
                divisor = gcd(product, n)
                if divisor != 1:
                    if divisor < n:
                        return divisor
                    y = start  # several factors at once: step by step again
                    while (divisor := gcd(abs(x - (y := (y * y + increment) % n)), n)) == 1:
                        pass
                    if divisor < n:
                        return divisor
                    break
            else:
                block *= 2
                continue
            break
    return None
