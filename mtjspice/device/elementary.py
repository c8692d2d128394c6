"""Elementary functions in plain arithmetic (compiled).

Logarithm, sine and cosine of the thermal noise without calls into a mathematical library: each is a fixed sequence
of IEEE operations (add, multiply, fused multiply-add, divide, square root and integer operations), so that a scalar
loop and a vectorised one give the same bits, on any machine. They are written as instructions, which are quick to
compile wherever they are inlined. Coefficients: interpolation at Chebyshev nodes in 60-digit arithmetic; the errors
stated are maxima over the interval.

Instructions of several values alternate: each value is a chain in which every step waits for the one before, and a
processor looks only so far ahead for other work.

Each function takes 32-bit random words and a number whose type, float64 or float32, is that of the results.
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

    def polynomials(self, x: Sequence[Any], coefficients: Sequence[float]) -> list[Any]:
        """Horner's rule at each of ``x`` in turn, coefficients from the lowest power on."""
        values = [self.number(coefficients[-1])] * len(x)
        for coefficient in reversed(coefficients[:-1]):
            values = [self.fma(a, value, self.number(coefficient)) for a, value in zip(x, values, strict=True)]
        return values

    def call(self, name: str, *arguments: Any) -> Any:
        function = self.builder.module.declare_intrinsic(name, [self.real])
        return self.builder.call(function, arguments)

    def signed(self, word: Any) -> Any:
        """A 32-bit word, read as signed, as a float."""
        return self.builder.sitofp(word, self.real)


def _radii(op: _Arithmetic, words: Sequence[Any]) -> list[Any]:
    """sqrt(-2 ln u) of each word, u = (word + 1/2)/2^32."""
    builder, width = op.builder, op.width
    doubled = [_doubled(op, word) for word in words]
    bits = [builder.bitcast(value, op.integer) for value in doubled]
    offset = [builder.sub(value, op.bits(_SQRT_HALF[width])) for value in bits]
    fraction = _FRACTION_BITS[width]
    mask = op.bits((1 << width) - (1 << fraction))
    m = [builder.bitcast(builder.sub(b, builder.and_(o, mask)), op.real) for b, o in zip(bits, offset, strict=True)]
    s = [builder.fdiv(builder.fsub(value, op.number(1.0)), builder.fadd(value, op.number(1.0))) for value in m]
    exponent = [_exponent(op, builder.lshr(value, op.bits(fraction))) for value in offset]
    z = [builder.fmul(value, value) for value in s]
    p = op.polynomials(z, _LOGARITHM[width])
    square = [op.fma(builder.fmul(a, b), c, builder.fmul(a, op.number(-4.0))) for a, b, c in zip(s, z, p, strict=True)]
    square = [op.fma(e, op.number(-2 * log(2)), value) for e, value in zip(exponent, square, strict=True)]
    if width == 32:  # rounding may leave a tiny negative value at words near 2^32
        zero = op.number(0.0)
        square = [builder.select(builder.fcmp_ordered(">", value, zero), value, zero) for value in square]
    return [op.call("llvm.sqrt", value) for value in square]


def _doubled(op: _Arithmetic, word: Any) -> Any:
    """2 word + 1 = m 2^e as a float; signed words convert in one instruction."""
    if op.width == 64:
        signed = op.signed(op.builder.xor(word, ir.Constant(_WORD, 1 << 31)))
        return op.fma(signed, op.number(2.0), op.number(2.0**32 + 1))
    # in halves: the sign's offset would swallow the small words, which are the tails
    high, low = op.builder.lshr(word, ir.Constant(_WORD, 16)), op.builder.and_(word, ir.Constant(_WORD, 0xFFFF))
    odd = op.fma(op.signed(low), op.number(2.0), op.number(1.0))
    return op.fma(op.signed(high), op.number(2.0**17), odd)


def _exponent(op: _Arithmetic, power: Any) -> Any:
    """e - 33 as a float."""
    if op.width == 32:
        return op.signed(op.builder.sub(power, op.bits(33)))
    # or-ing an integer below 2^52 into the bits of 2^52 adds it; there is no vector conversion
    shifted = op.builder.bitcast(op.builder.or_(power, op.bits(0x4330000000000000)), op.real)
    return op.builder.fsub(shifted, op.number(2.0**52 + 33))


def _cosines(op: _Arithmetic, words: Sequence[Any]) -> list[Any]:
    """Cosine of (word + 1/2)/2^32 of a turn: the sine of what is missing to a quarter turn."""
    turn = [op.call("llvm.fabs", op.builder.fadd(op.signed(word), op.number(0.5))) for word in words]
    t = [op.fma(value, op.number(-(2.0**-30)), op.number(1.0)) for value in turn]
    q = op.polynomials([op.builder.fmul(value, value) for value in t], _SINE[op.width])
    return [op.builder.fmul(a, b) for a, b in zip(t, q, strict=True)]


def _quarter_back(op: _Arithmetic, word: Any) -> Any:
    """The word whose cosine is this word's sine."""
    return op.builder.sub(word, ir.Constant(_WORD, 1 << 30))


@intrinsic
def normals(typing_context: Any, word0: Any, word1: Any, kind: Any) -> Any:
    """Box-Muller: two independent N(0,1) of two words, floats of the type of ``kind``.

    Relative error below 2e-15; in single precision 1e-6, and 0 where word0 lies within 2^-24 of the end.
    """

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        op = _Arithmetic(builder, kind.bitwidth)
        (radius,) = _radii(op, arguments[:1])
        angles = _cosines(op, [arguments[1], _quarter_back(op, arguments[1])])
        return context.make_tuple(builder, signature.return_type, [builder.fmul(radius, c) for c in angles])

    word = types.uint32
    return types.UniTuple(kind, 2)(word, word, kind) if (word0, word1) == (
        word,
    ) * 2 and kind in _KINDS else None, generate


@intrinsic
def node_normals(typing_context: Any, word0: Any, word1: Any, word2: Any, word3: Any, kind: Any) -> Any:
    """Both of `normals` (word0, word1) and the first of (word2, word3), as a processor works them out fastest."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        op = _Arithmetic(builder, kind.bitwidth)
        along, up = _radii(op, [arguments[0], arguments[2]])
        angles = _cosines(op, [arguments[1], _quarter_back(op, arguments[1]), arguments[3]])
        values = [builder.fmul(radius, angle) for radius, angle in zip((along, along, up), angles, strict=True)]
        return context.make_tuple(builder, signature.return_type, values)

    words = (types.uint32,) * 4
    fits = (word0, word1, word2, word3) == words and kind in _KINDS
    return types.UniTuple(kind, 3)(*words, kind) if fits else None, generate


@intrinsic
def pair_normals(
    typing_context: Any, word0: Any, word1: Any, word2: Any, word3: Any, word4: Any, word5: Any, kind: Any
) -> Any:
    """Both of `normals` of each of the three pairs of words."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        op = _Arithmetic(builder, kind.bitwidth)
        radii = _radii(op, arguments[0:6:2])
        angles = _cosines(op, [turn for word in arguments[1:6:2] for turn in (word, _quarter_back(op, word))])
        values = [builder.fmul(radii[k // 2], angle) for k, angle in enumerate(angles)]
        return context.make_tuple(builder, signature.return_type, values)

    words = (types.uint32,) * 6
    fits = (word0, word1, word2, word3, word4, word5) == words and kind in _KINDS
    return types.UniTuple(kind, 6)(*words, kind) if fits else None, generate


_KINDS = (types.float64, types.float32)


@intrinsic
def align_stack(typing_context: Any) -> Any:
    """Let the calling function keep its spilled vectors at multiples of their size.

    Otherwise they lie where the caller's stack happens to end, and those that cross a cache line cost a third of
    the speed. A local that wants the alignment, and that seems to be used, makes the compiler set the stack up for it.
    """

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        with builder.goto_entry_block():
            local = builder.alloca(ir.ArrayType(ir.IntType(8), 64))
        local.align = 64
        nothing = ir.FunctionType(ir.VoidType(), [local.type])
        builder.asm(nothing, "", "r", [local], True)
        return context.get_dummy_value()

    return types.void(), generate


@intrinsic
def fma(typing_context: Any, a: Any, b: Any, c: Any) -> Any:
    """a b + c with one rounding, float64 or float32."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        return builder.fma(*arguments)

    return a(a, b, c) if a == b == c and a in (types.float64, types.float32) else None, generate
