"""Elementary functions in plain arithmetic (compiled).

Logarithm, sine and cosine of the thermal noise without calls into a mathematical library: each is a fixed sequence
of IEEE operations (add, multiply, fused multiply-add, divide, square root and integer operations), so that a scalar
loop and a vectorised one give the same bits, on any machine. They are written as instructions, which are quick to
compile wherever they are inlined. Coefficients: interpolation at Chebyshev nodes in 60-digit arithmetic; the errors
stated are maxima over the interval.

Each function takes a 32-bit random word and a number whose type, float64 or float32, is that of the result.
"""

from collections.abc import Sequence
from math import log
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

# ln m = 2 s + s z P(z) with s = (m - 1)/(m + 1), z = s^2 for m in [sqrt(1/2), sqrt(2)); here -2 P, lowest power first
_LOGARITHM = {
    64: (-1.3333333333332416, -0.8000000002241301, -0.5714284827664832, -0.4444572456021743, -0.36280387605731984,
         -0.33243634305717856),
    32: (-1.3333333730697632, -0.8000024557113647, -0.5710164308547974, -0.4666093587875366),
}  # fmt: skip
# sin(pi t/2) = t Q(t^2) for t in [-1, 1]
_SINE = {
    64: (1.5707963267948963, -0.6459640975062232, 0.07969262624568337, -0.004681754131447062, 0.0001604411695631063,
         -3.5988107063136794e-06, 5.688318064017795e-08, -6.449471237809134e-10),
    32: (1.5707963705062866, -0.6459637880325317, 0.07968991994857788, -0.004674143623560667, 0.00015167170204222202),
}  # fmt: skip
_SQRT_HALF = {64: 0x3FE6A09E667F3BCD, 32: 0x3F3504F3}  # bits of sqrt(1/2)
_FRACTION_BITS = {64: 52, 32: 23}
_WORD = ir.IntType(32)


class _Arithmetic:
    """Short names for the instructions on floats of ``width`` bits."""

    def __init__(self, builder: ir.IRBuilder, width: int) -> None:
        self.builder, self.width = builder, width
        self.real = ir.DoubleType() if width == 64 else ir.FloatType()
        self.integer = ir.IntType(width)

    def number(self, value: float) -> ir.Constant:
        return ir.Constant(self.real, value)

    def bits(self, value: int) -> ir.Constant:
        return ir.Constant(self.integer, value)

    def fma(self, a: Any, b: Any, c: Any) -> Any:
        return self.builder.fma(a, b, c)

    def polynomial(self, x: Any, coefficients: Sequence[float]) -> Any:
        """Horner's rule, lowest power first."""
        value = self.number(coefficients[-1])
        for coefficient in reversed(coefficients[:-1]):
            value = self.fma(x, value, self.number(coefficient))
        return value

    def call(self, name: str, *arguments: Any) -> Any:
        function = self.builder.module.declare_intrinsic(name, [self.real])
        return self.builder.call(function, arguments)

    def signed(self, word: Any) -> Any:
        """A 32-bit word, read as signed, as a float."""
        return self.builder.sitofp(word, self.real)


def _radius(builder: ir.IRBuilder, word: Any, width: int) -> Any:
    op = _Arithmetic(builder, width)
    # 2 word + 1 = m 2^e; signed words convert in one instruction
    if width == 64:
        signed = op.signed(builder.xor(word, ir.Constant(_WORD, 1 << 31)))
        doubled = op.fma(signed, op.number(2.0), op.number(2.0**32 + 1))
    else:  # in halves: the sign's offset would swallow the small words, which are the tails
        high, low = builder.lshr(word, ir.Constant(_WORD, 16)), builder.and_(word, ir.Constant(_WORD, 0xFFFF))
        odd = op.fma(op.signed(low), op.number(2.0), op.number(1.0))
        doubled = op.fma(op.signed(high), op.number(2.0**17), odd)
    bits = builder.bitcast(doubled, op.integer)
    offset = builder.sub(bits, op.bits(_SQRT_HALF[width]))
    fraction = _FRACTION_BITS[width]
    exponent_mask = (1 << width) - (1 << fraction)
    m = builder.bitcast(builder.sub(bits, builder.and_(offset, op.bits(exponent_mask))), op.real)
    power = builder.lshr(offset, op.bits(fraction))
    if width == 64:  # or-ing an integer below 2^52 into the bits of 2^52 adds it; there is no vector conversion
        power = builder.bitcast(builder.or_(power, op.bits(0x4330000000000000)), op.real)
        exponent = builder.fsub(power, op.number(2.0**52 + 33))
    else:
        exponent = op.signed(builder.sub(power, op.bits(33)))
    s = builder.fdiv(builder.fsub(m, op.number(1.0)), builder.fadd(m, op.number(1.0)))
    z = builder.fmul(s, s)
    p = op.polynomial(z, _LOGARITHM[width])
    square = op.fma(builder.fmul(s, z), p, builder.fmul(s, op.number(-4.0)))
    square = op.fma(exponent, op.number(-2 * log(2)), square)
    if width == 32:  # rounding may leave a tiny negative value at words near 2^32
        positive = builder.fcmp_ordered(">", square, op.number(0.0))
        square = builder.select(positive, square, op.number(0.0))
    return op.call("llvm.sqrt", square)


def _cosine(builder: ir.IRBuilder, word: Any, width: int) -> Any:
    op = _Arithmetic(builder, width)
    # the cosine is the sine of what is missing to a quarter turn
    turn = op.call("llvm.fabs", builder.fadd(op.signed(word), op.number(0.5)))
    t = op.fma(turn, op.number(-(2.0**-30)), op.number(1.0))
    return builder.fmul(t, op.polynomial(builder.fmul(t, t), _SINE[width]))


def _sine(builder: ir.IRBuilder, word: Any, width: int) -> Any:
    return _cosine(builder, builder.sub(word, ir.Constant(_WORD, 1 << 30)), width)


def _of_word(function: Any, doc: str) -> Any:
    def typed(typing_context: Any, word: Any, kind: Any) -> Any:
        def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
            return function(builder, arguments[0], kind.bitwidth)

        return kind(types.uint32, kind) if word == types.uint32 and kind in _KINDS else None, generate

    typed.__doc__ = doc
    return intrinsic(typed)


_KINDS = (types.float64, types.float32)
normal_radius = _of_word(
    _radius,
    "sqrt(-2 ln u) for u = (word + 1/2)/2^32 as a float of the type of ``kind``; relative error below 1e-15. "
    "In single precision 0 for words within 2^-24 of the end.",
)
cosine = _of_word(
    _cosine, "cos of (word + 1/2)/2^32 of a turn, as a float of the type of ``kind``; error below 6e-16 (3e-7)."
)
sine = _of_word(
    _sine, "sin of (word + 1/2)/2^32 of a turn, as a float of the type of ``kind``; error below 6e-16 (3e-7)."
)


@intrinsic
def fma(typing_context: Any, a: Any, b: Any, c: Any) -> Any:
    """a b + c with one rounding, float64 or float32."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        return builder.fma(*arguments)

    return a(a, b, c) if a == b == c and a in (types.float64, types.float32) else None, generate
