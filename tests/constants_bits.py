"""Binary expansions of constants, the first bit being the first 1; no published bits are stored, all are computed."""

import math

import numpy as np


def reciprocal(divisor, bits):
    """2**(divisor.bit_length() + bits) / divisor up to a few units, by Newton's method."""
    size = divisor.bit_length()
    if size > bits + 64:
        return reciprocal(divisor >> (size - bits - 64), bits)
    if bits < 2000:
        return (1 << (size + bits)) // divisor
    half = bits // 2 + 32
    guess = reciprocal(divisor, half)
    drop = max(0, size - half - 64)
    error = ((1 << (size + half)) - divisor * guess) >> drop
    return (guess << (bits - half)) + ((guess * error) >> (size + 2 * half - bits - drop))


def inverse_root(radicand, bits):
    """2**bits / sqrt(radicand) up to a few units, by Newton's method."""
    if bits < 2000:
        return math.isqrt((1 << (2 * bits)) // radicand)
    half = bits // 2 + 32
    guess = inverse_root(radicand, half)
    error = (1 << (2 * half)) - radicand * guess * guess
    return (guess << (bits - half)) + ((guess * error) >> (3 * half - bits + 1))


def leading_bits(number, n):
    """Return the first n bits of a positive integer, most significant first."""
    kept = number >> (number.bit_length() - n)
    packed = np.frombuffer((kept << (-n % 8)).to_bytes(-(-n // 8), "big"), dtype=np.uint8)
    return np.unpackbits(packed, count=n)


def bits_of_root(radicand, n):
    return leading_bits(radicand * inverse_root(radicand, n + 64), n)


def bits_of_golden_ratio(n):
    return leading_bits((1 << (n + 64)) + 5 * inverse_root(5, n + 64), n)


def bits_of_e(n):
    """Sum of 1 / k! by binary splitting."""

    def split(a, b):
        if b - a == 1:
            return 1, b
        p, q = split(a, (a + b) // 2)
        r, s = split((a + b) // 2, b)
        return p * s + r, q * s

    terms = 100
    while math.lgamma(terms + 1) < (n + 64) * math.log(2):
        terms += terms // 10
    p, q = split(0, terms)
    return leading_bits((1 << n) + ((p * reciprocal(q, n + 64)) >> (q.bit_length() + 64)), n)


def bits_of_pi(n):
    """Series of Chudnovsky and Chudnovsky by binary splitting."""

    def split(a, b):
        if b - a == 1:
            p, q = (6 * a - 5) * (2 * a - 1) * (6 * a - 1), a**3 * (640320**3 // 24)
            t = p * (13591409 + 545140134 * a)
            return p, q, -t if a % 2 else t
        p1, q1, t1 = split(a, (a + b) // 2)
        p2, q2, t2 = split((a + b) // 2, b)
        return p1 * p2, q1 * q2, t1 * q2 + p1 * t2

    width = n + 64
    _, q, t = split(1, width // 47 + 2)
    t += 13591409 * q
    numerator = (426880 * q * 10005 * inverse_root(10005, width)) >> width
    return leading_bits((numerator * reciprocal(t, width)) >> t.bit_length(), n)
