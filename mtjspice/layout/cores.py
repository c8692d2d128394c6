"""ChaCha and Philox as counted cores: architectures in cells of logic, and how often each cell switches.

How often is not assumed but counted on a model of the registers and adders that makes the generators' true output, with
every gate as slow as any other, so that adders that follow one another switch more than once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from mtjspice.errors import InputError
from mtjspice.layout.baselines import PER_BUFFER, Core, with_clock

Signals = dict[str, NDArray[np.bool_]]
Words = NDArray[np.uint32]


# --- gates with delays ---------------------------------------------------------------------------------------


def _settle(update: Callable[[Signals], Signals], start: Signals) -> tuple[Signals, dict[str, int]]:
    """Let gates of equal delay work until nothing changes: final values, changes of each signal."""
    now, changes = start, dict.fromkeys(start, 0)
    while True:
        after = update(now)
        changed = {name: int(np.count_nonzero(after[name] != now[name])) for name in now}
        if not any(changed.values()):
            return now, changes
        now = after
        for name, number in changed.items():
            changes[name] += number


def switching(
    gates: Callable[[Signals], Callable[[Signals], Signals]], inputs: Signals, rest: Signals
) -> tuple[dict[str, int], dict[str, int]]:
    """Count changes of gates whose inputs (time, ...) step through a sequence: with hazards, and without.

    ``gates`` makes the update of all signals, one delay later, from the inputs; ``rest`` has signals of their shape.
    """
    settled, _ = _settle(gates(inputs), rest)
    later = {name: values[1:] for name, values in inputs.items()}
    _, changes = _settle(gates(later), {name: values[:-1] for name, values in settled.items()})
    still = {name: int(np.count_nonzero(values[1:] != values[:-1])) for name, values in settled.items()}
    return changes, still


def _ripple(a: Sequence[int], b: Sequence[int]) -> list[int]:
    """When each sum of an adder has settled, in gates, if its operands have at these times; the carry out is last."""
    found, carry = [], 0
    for one, other in zip(a, b, strict=True):
        carry = max(one, other, carry) + 1
        found.append(carry)
    return [*found, carry]


def bits_of(words: Words) -> NDArray[np.bool_]:
    """Bits of words, least significant first, on a new last axis."""
    return (words[..., None] >> np.arange(32, dtype=np.uint32) & 1).astype(np.bool_)


def _carry(carry: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Carries on their way into the next bit."""
    return np.concatenate([np.zeros_like(carry[..., :1]), carry[..., :-1]], axis=-1)


def _adder(signals: Signals, name: str, a: NDArray[np.bool_], b: NDArray[np.bool_]) -> Signals:
    c = _carry(signals[f"{name}.carry"])
    return {f"{name}.sum": a ^ b ^ c, f"{name}.carry": (a & b) | (c & (a ^ b))}


# --- ChaCha --------------------------------------------------------------------------------------------------

_CONSTANTS = np.frombuffer(b"expand 32-byte k", "<u4").astype(np.uint32)


def _rotate(word: Words, by: int) -> Words:
    return (word << np.uint32(by)) | (word >> np.uint32(32 - by))


def quarter_round(column: Words) -> Words:
    """ChaCha's quarter round (RFC 8439, 2.1) of four words."""
    a, b, c, d = (column[k : k + 1] for k in range(4))
    for first, second in ((16, 12), (8, 7)):
        a = a + b
        d = _rotate(d ^ a, first)
        c = c + d
        b = _rotate(b ^ c, second)
    return np.concatenate([a, b, c, d])


@dataclass(frozen=True, eq=False)
class Trace:
    """What a model did: its ``output`` bytes, the ``registers`` (clocks, words) and, for ChaCha, ``added`` words.

    ``final`` (clocks,) marks clocks in which the output is made.
    """

    output: bytes
    registers: Words
    added: Words
    final: NDArray[np.bool_]


def chacha_trace(key: bytes, nonce: bytes, counter: int, blocks: int, rounds: int = 20) -> Trace:
    """ChaCha as the core of `chacha` works: a column a clock through one quarter round.

    Key of 32 bytes, nonce of 12; rows of the state are rotated at the end of each round, and the four clocks that add
    the input shift the next block in.
    """
    if len(key) != 32 or len(nonce) != 12 or rounds < 2 or rounds % 2 or blocks < 1:
        raise InputError("ChaCha takes a key of 32 bytes, a nonce of 12, an even number of rounds and blocks")
    tail = np.frombuffer(key + b"\0\0\0\0" + nonce, "<u4").astype(np.uint32)
    output, registers, added, final = [], [], [], []

    def initial(block: int) -> Words:
        state = np.concatenate([_CONSTANTS, tail])
        state[12] = (counter + block) % 2**32
        return state.reshape(4, 4)

    state = initial(0)
    for block in range(blocks):
        start, following = initial(block), initial(block + 1)
        for turn in range(rounds):
            for k in range(4):
                registers.append(state.ravel().copy())
                added.append(start[:, 0])
                final.append(False)
                state = np.concatenate([state[:, 1:], quarter_round(state[:, 0])[:, None]], axis=1)
                if k == 3:
                    by = 1 if turn % 2 == 0 else -1
                    state = np.stack([np.roll(row, -by * r) for r, row in enumerate(state)])
        made = []
        for k in range(4):
            registers.append(state.ravel().copy())
            added.append(start[:, k])
            final.append(True)
            made.append(state[:, 0] + start[:, k])
            state = np.concatenate([state[:, 1:], following[:, k : k + 1]], axis=1)
        output.append(np.stack(made, axis=1).astype("<u4").tobytes())
    return Trace(b"".join(output), np.array(registers), np.array(added), np.array(final))


def _quarter_gates(inputs: Signals) -> Callable[[Signals], Signals]:
    """The quarter round as adders and XORs, which add the input in the final clocks."""
    a, b, c, d, s0, s1, s2, s3, final = (inputs[name] for name in (*"abcd", "s0", "s1", "s2", "s3", "final"))

    def left(values: NDArray[np.bool_], by: int) -> NDArray[np.bool_]:
        return np.roll(values, by, axis=-1)

    def update(now: Signals) -> Signals:
        a1, c1, a2, c2 = (now[f"{name}.sum"] for name in ("a1", "c1", "a2", "c2"))
        d1, b1, d2 = left(now["d1"], 16), left(now["b1"], 12), left(now["d2"], 8)
        return {
            **_adder(now, "a1", a, np.where(final, s0, b)), "d1": d ^ a1,
            **_adder(now, "c1", c, np.where(final, s2, d1)), "b1": b ^ c1,
            **_adder(now, "a2", np.where(final, b, a1), np.where(final, s1, b1)), "d2": d1 ^ a2,
            **_adder(now, "c2", np.where(final, d, c1), np.where(final, s3, d2)), "b2": b1 ^ c2,
        }  # fmt: skip

    return update


def _quarter_depth() -> int:
    """Gates on the longest path of the quarter round."""

    def mixed(a: Sequence[int], b: Sequence[int], by: int) -> list[int]:
        both = [max(pair) + 1 for pair in zip(a, b, strict=True)]
        return both[-by:] + both[:-by]

    a = b = c = d = [0] * 32
    for first, second in ((16, 12), (8, 7)):
        a = _ripple(a, b)[:32]
        d = mixed(d, a, first)
        c = _ripple(c, d)[:32]
        b = mixed(b, c, second)
    return max(b)


def chacha(rounds: int = 20, blocks: int = 4, seed: int = 1) -> Core:
    """Count a ChaCha core with one quarter round, random key and nonce; ``blocks`` are run for the activity.

    * working state: 512 flip-flops in four columns that shift past the quarter round, rows 1 to 3 with 2, 1, 2
      multiplexers a bit for the rotations between rounds, the last column with one to load: 768;
    * input state: 384 flip-flops (key, counter, nonce; the rest is constant), clocked in four clocks a block only, 96
      multiplexers to load, 32 half adders to count;
    * quarter round: four 32-bit ripple adders, four times 32 XORs; 192 multiplexers give the adders the input state
      in the last four clocks, so that no further ones are needed;
    * control: 8 flip-flops, 8 half adders, 40 NAND gates (assumed); its switching and that of the counter, a thousandth
      of all, are left out.
    """
    rng = np.random.default_rng(seed)
    trace = chacha_trace(rng.bytes(32), rng.bytes(12), 1, blocks, rounds)
    clocks = 4 * rounds + 4
    shape = (len(trace.registers), 32)
    columns = bits_of(trace.registers.reshape(-1, 4, 4)[:, :, 0])
    start = bits_of(trace.added)
    inputs = {name: columns[:, k] for k, name in enumerate("abcd")}
    inputs |= {f"s{k}": start[:, k] for k in range(4)} | {"final": np.broadcast_to(trace.final[:, None], shape)}
    names = [f"{adder}.{out}" for adder in ("a1", "c1", "a2", "c2") for out in ("sum", "carry")]
    rest = {name: np.zeros(shape, np.bool_) for name in (*names, "d1", "b1", "d2", "b2")}
    hazards, settled = switching(_quarter_gates, inputs, rest)
    held = 512 + 8
    counts = with_clock(
        {"flip_flop": 512 + 384 + 8, "full_adder": 128, "xor": 128, "multiplexer": 768 + 96 + 192, "nand": 40}, 40
    )
    working, entered = _changes(trace.registers), _changes(trace.added[trace.final][:, 1:])
    changed = working + 4 * entered  # four columns of the input state circulate, three rows of which are flip-flops
    clocked = clocks * held + 4 * 384
    activity = []
    for each in (hazards, settled):
        logic = {
            "full_adder": sum(number for name, number in each.items() if "." in name),
            "xor": sum(number for name, number in each.items() if "." not in name),
        }
        operands = sum(each[name] for name in ("d1", "a1.sum", "b1", "c1.sum", "d2")) + _changes(trace.registers[:, 4])
        multiplexers = working * 768 / 512 + entered + operands
        activity.append(_per(blocks, clocked, {"flip_flop": changed, "multiplexer": multiplexers, **logic}))
    return Core(
        f"ChaCha{rounds}", 512, clocks, counts, clocked, activity[0], activity[1], _quarter_depth(),
        f"one quarter round, {clocks} clocks for a block of 512 bits",
    )  # fmt: skip


def _changes(words: Words) -> int:
    return int(np.bitwise_count(words[1:] ^ words[:-1]).sum())


def _per(operations: int, clocked: float, totals: Mapping[str, float]) -> Mapping[str, float]:
    """Changes per operation, with those of the clock's buffers (two a clock for each group of flip-flops)."""
    found = {name: total / operations for name, total in totals.items()}
    return MappingProxyType({**found, "buffer": 2 * clocked / PER_BUFFER})


# --- Philox --------------------------------------------------------------------------------------------------

_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_WEYL = np.array([0x9E3779B9, 0xBB67AE85], np.uint32)


def philox_trace(key: Sequence[int], counters: Sequence[Sequence[int]], rounds: int = 10) -> Trace:
    """Philox4x32 (J. Salmon et al., SC 2011) as the core of `philox` works: a round a clock.

    ``registers`` have four words and two of the key. A block is the four words of one counter.
    """
    output, registers, final = [], [], []
    for counter in counters:
        x, k = np.array(counter, np.uint32), np.array(key, np.uint32)
        if x.shape != (4,) or k.shape != (2,):
            raise InputError("Philox4x32 takes counters of four words and a key of two")
        for turn in range(rounds):
            registers.append(np.concatenate([x, k]))
            final.append(turn == rounds - 1)
            (h0, l0), (h1, l1) = (divmod(m * int(word), 2**32) for m, word in zip(_MULTIPLIERS, x[::2], strict=True))
            x = np.array([h1 ^ int(x[1]) ^ int(k[0]), l1, h0 ^ int(x[3]) ^ int(k[1]), l0], np.uint32)
            k = k + _WEYL
        output.append(x.astype("<u4").tobytes())
    return Trace(b"".join(output), np.array(registers), np.zeros((0, 2), np.uint32), np.array(final))


def _shifts(multiplier: int) -> list[int]:
    return [k for k in range(32) if multiplier >> k & 1]


def _product_gates(shifts: Sequence[int]) -> Callable[[Signals], Callable[[Signals], Signals]]:
    """A product with a constant: a row of 32 adders for each 1 of the constant but the first, then the XOR behind.

    Row k adds the word, shifted, to what the rows before have made: bits shifts[k] to shifts[k] + 31 of it.
    """

    def gates(inputs: Signals) -> Callable[[Signals], Signals]:
        word, mask = inputs["word"], inputs["mask"]

        def update(now: Signals) -> Signals:
            after: Signals = {}
            made = np.zeros((len(word), 64), np.bool_)
            made[:, shifts[0] : shifts[0] + 32] = word
            for k, shift in enumerate(shifts[1:]):
                after |= _adder(now, f"row{k}", made[:, shift : shift + 32], word)
                made[:, shift : shift + 32] = now[f"row{k}.sum"]
                made[:, shift + 32] = now[f"row{k}.carry"][:, -1]  # nothing lies above it yet
            after["mixed"] = made[:, 32:] ^ mask
            return after

        return update

    return gates


def _product_depth(multiplier: int) -> int:
    """Gates on the longest path through the rows and the XOR."""
    made = [0] * 64
    for shift in _shifts(multiplier)[1:]:
        made[shift : shift + 33] = _ripple(made[shift : shift + 32], [0] * 32)
    return max(made) + 1


def philox(rounds: int = 10, blocks: int = 8, seed: int = 1) -> Core:
    """Count a Philox4x32 core that makes a round a clock; ``blocks`` of a random key are run for the activity.

    * two products with constants: 15 and 18 rows of 32 full adders (the constants have 16 and 19 ones), no AND gates;
    * four times 32 XORs, 64 half adders for the key's constants, 128 for the counter;
    * 128 flip-flops for the words and 64 for the round's key, each with a multiplexer to load; 128 for the counter,
      clocked once a block, and 64 for the key, which rests;
    * control: 4 flip-flops, 4 half adders, 20 NAND gates (assumed).
    """
    rng = np.random.default_rng(seed)
    key = [int(word) for word in rng.integers(0, 2**32, 2)]
    begin = [int(word) for word in rng.integers(0, 2**31, 4)]
    counters = [[begin[0] + k, *begin[1:]] for k in range(blocks)]
    trace = philox_trace(key, counters, rounds)
    words = bits_of(trace.registers)
    length = len(trace.registers)
    totals: list[dict[str, int]] = [{"full_adder": 0, "xor": 0}, {"full_adder": 0, "xor": 0}]
    for multiplier, word, old, own in ((_MULTIPLIERS[0], 0, 3, 5), (_MULTIPLIERS[1], 2, 1, 4)):
        shifts = _shifts(multiplier)
        inputs = {"word": words[:, word], "mask": words[:, old] ^ words[:, own]}
        names = [f"row{k}.{out}" for k in range(len(shifts) - 1) for out in ("sum", "carry")]
        rest = {name: np.zeros((length, 32), np.bool_) for name in (*names, "mixed")}
        hazards, settled = switching(_product_gates(shifts), inputs, rest)
        masks = int(np.count_nonzero(inputs["mask"][1:] != inputs["mask"][:-1]))
        for total, each in zip(totals, (hazards, settled), strict=True):
            total["full_adder"] += sum(number for name, number in each.items() if "." in name)
            total["xor"] += each["mixed"] + masks
    changed = _changes(trace.registers)
    counted = _changes(np.array(counters, np.uint32))
    added = _changes(trace.registers[:, 4:])  # of the key's half adders
    rows = sum(len(_shifts(multiplier)) - 1 for multiplier in _MULTIPLIERS)
    counts = with_clock(
        {"flip_flop": 128 + 64 + 128 + 64 + 4, "full_adder": 32 * rows, "xor": 128, "multiplexer": 192, "nand": 20},
        64 + 128 + 4,
    )
    clocked = rounds * (192 + 4) + 128
    halves = 2 * counted + added
    activity = [
        _per(
            blocks, clocked,
            {
                "flip_flop": changed + counted, "multiplexer": changed, "full_adder": each["full_adder"],
                "xor": each["xor"] + halves, "nand": halves, "inverter": halves,
            },
        )
        for each in totals
    ]  # fmt: skip
    depth = max(map(_product_depth, _MULTIPLIERS))
    return Core(
        f"Philox4x32-{rounds}", 128, rounds, counts, clocked, activity[0], activity[1], depth,
        f"a round a clock, {rounds} clocks for 128 bits",
    )  # fmt: skip
