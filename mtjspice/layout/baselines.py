"""What the junctions are compared with: shift registers, counter-based generators, and published generators.

Shift registers are circuits of this project: simulated, and drawn. ChaCha and Philox are counted: the cells of a stated
architecture (`chacha`, `philox`) times the areas and energies of the same cells, drawn and simulated. How often each
cell switches is not assumed but counted on a model of the registers and adders that makes the generators' true output,
with every gate as slow as any other, so that adders that follow one another switch more than once. Published values are
cited; what a source does not say is None.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from mtjspice.circuits.benches.lfsr import CellBench, CellEnergy, LfsrBench, run
from mtjspice.circuits.circuit import Circuit
from mtjspice.circuits.library.digital import FlipFlop, FullAdder, Lfsr, Multiplexer, Xor
from mtjspice.circuits.library.gates import Buffer, Inverter, Nand
from mtjspice.circuits.technology import Technology
from mtjspice.errors import InputError, choose

UTILISATION = 0.7  # share of the cells in a placed and routed block: assumed
PER_BUFFER = 16  # flip-flops on one buffer of the clock
STATUSES = ("measured", "counted", "published", "scaled")

AreaOf = Callable[[Circuit], float]
Signals = dict[str, NDArray[np.bool_]]
Words = NDArray[np.uint32]


@dataclass(frozen=True)
class Baseline:
    """A generator to compare with; ``energy`` in J a bit, ``area`` in m2, ``throughput`` in bit/s, None if unknown.

    ``bits`` come with one operation. ``status`` is measured (circuit simulated, layout drawn), counted (cells of an
    architecture, see `core`), published, or scaled from one of these; ``source`` says by whom or what it leaves out.
    """

    name: str
    technology: str
    bits: int
    energy: float | None
    area: float | None
    throughput: float | None
    status: str
    source: str

    def __post_init__(self) -> None:
        choose("status of a baseline", self.status, STATUSES)


def scaled(found: Baseline, to: str, length: float, voltage: float) -> Baseline:
    """Carry a baseline to another process by the textbook's rule: area times ``length`` squared, energy times
    ``length`` and ``voltage`` squared, both ratios of the new process to the old one.

    A rough guide that ignores leakage and wires: the result says that it is scaled. The rate is left out.
    """  # fmt: skip
    if not (length > 0 and voltage > 0):
        raise InputError(f"ratios of length {length:g} and voltage {voltage:g} must be positive")
    energy = None if found.energy is None else found.energy * length * voltage**2
    area = None if found.area is None else found.area * length**2
    return replace(
        found, name=f"{found.name} (scaled)", technology=to, energy=energy, area=area, throughput=None, status="scaled",
        source=f"{found.technology} scaled by {length:g} in length and {voltage:g} in voltage; {found.source}",
    )  # fmt: skip


# --- published -----------------------------------------------------------------------------------------------

_PJ, _UM2 = 1e-12, 1e-12
PUBLISHED: tuple[Baseline, ...] = tuple(
    Baseline(name, node, 1, energy, area, throughput, "published", source)
    for name, node, energy, area, throughput, source in (
        ("TRNG, dual oscillators", "180 nm", 36e-6 / 200e3, 0.0039e-6, 200e3,
         "C. Chen et al., Electronics 12, 2332 (2023): 36 uW at 200 kb/s, core area; abstract"),
        ("TRNG, latches with mismatch compensation", "130 nm", 0.186 * _PJ, 5561 * _UM2, None,
         "R. Zhang et al., JSSC 57, 2498 (2022): at 0.3 V, with von Neumann stage (its core: 661 um2); abstract"),
        ("TRNG, metastable inverters", "45 nm", 2.9 * _PJ, 4004 * _UM2, 2.4e9,
         "S. Mathew et al., JSSC 47 (2012): 7 mW at 2.4 Gb/s, 1.1 V; abstract"),
        ("chaos generator, digital", "40 nm", 0.717 * _PJ, None, 24.86e9,
         "C.-B. Chen et al., SSC-L 8, 253 (2025): 17.82 mW at 24.86 Gb/s; abstract"),
        ("TRNG, synthesized ring oscillators", "28 nm and 65 nm", 23 * _PJ, None, 23e6,
         "K. Yang et al., ISSCC (2014): energy and rate of the title"),
        ("TRNG, capacitive latch, lowest energy", "28 nm", 38.1e-15, None, None,
         "W. Lee et al., SSC-L (2025), 10.1109/LSSC.2025.3608187: at 0.4 V; abstract"),
        ("TRNG, capacitive latch, highest rate", "28 nm", None, None, 162.48e6,
         "the same at 0.9 V, whose energy the abstract does not say"),
        ("uRNG, full entropy, lowest energy", "14 nm", 3 * _PJ, 1008 * _UM2, None,
         "S. Mathew et al., JSSC 51 (2016): abstract, which does not say at which of its voltages"),
        ("uRNG, full entropy, 0.75 V", "14 nm", 1.5e-3 / 162.5e6, 1008 * _UM2, 162.5e6,
         "the same: 1.5 mW at 162.5 Mb/s"),
        ("CMOS generator cited as JSSC 2024", "unknown", 0.121 * _PJ, 2254 * _UM2, 10e9,
         "row of IEDM 2024, table II; the cited work itself was not seen"),
        ("VCMA P-bits in situ (paper)", "unknown", 0.089 * _PJ, 0.0, 29.8e9,
         "IEDM 2024, table II: no additional area, since the P-bits are cells of the crossbar"),
        ("VCMA P-bits ex situ (paper)", "unknown", 0.196 * _PJ, 609.8 * _UM2, 4.97e9, "IEDM 2024, table II"),
    )
)  # fmt: skip
"""Generators of other people, in other processes: they stand beside those of this project, not against them."""


# --- shift registers -----------------------------------------------------------------------------------------


def lfsr(technology: Technology, area_of: AreaOf, bits: int = 8, **settings: float) -> Baseline:
    """Simulate a shift register and take its area; ``settings`` are those of `LfsrBench` (``supply_voltage``).

    The energy is the mean over the sequence's period, estimated from 64 clocks.
    """
    circuit = Lfsr(technology, bits=bits)
    bench = LfsrBench(circuit, **{"state": 1, "clocks": 64, **settings})  # type: ignore[arg-type]
    found = run(bench)
    return Baseline(
        f"LFSR-{bits}, {bench.supply:g} V", technology.name, 1, found.period_energy_per_bit, area_of(circuit),
        bench.frequency, "measured", "a serial bit a clock; simulated, no key, no entropy",
    )  # fmt: skip


# --- cells of counted cores ----------------------------------------------------------------------------------


def cells(technology: Technology) -> dict[str, Circuit]:
    """The cells that `chacha` and `philox` count."""
    return {
        "flip_flop": FlipFlop(technology), "full_adder": FullAdder(technology), "xor": Xor(technology),
        "multiplexer": Multiplexer(technology), "nand": Nand(technology, strength=0.5),
        "inverter": Inverter(technology, strength=0.5), "buffer": Buffer(technology, strength=8.0),
    }  # fmt: skip


def cell_energies(technology: Technology, supply: float | None = None, corner: str = "") -> dict[str, CellEnergy]:
    """Simulate every cell of `cells`; multiplexers with a select input that rests."""
    volts = technology.supply_voltage if supply is None else supply
    rests = {"multiplexer": {"select": 0}}
    return {
        name: CellBench(circuit=one, supply=volts, corner=corner, rests=rests.get(name, {})).measure()
        for name, one in cells(technology).items()
    }


@dataclass(frozen=True)
class Core:
    """A generator's architecture: ``cells`` of each kind, ``clocks`` for ``bits``, and what switches in them.

    ``clocked`` is how many flip-flops are clocked (a flip-flop counts once for each clock) and ``toggles`` how often
    the cells of a kind change an output, both per operation; ``settled`` has the same for gates without delay, so that
    the differences are hazards. ``depth`` is the longest path, in gates.
    """

    name: str
    bits: int
    clocks: int
    cells: Mapping[str, int]
    clocked: float
    toggles: Mapping[str, float]
    settled: Mapping[str, float]
    depth: int
    about: str = field(repr=False)

    def area(self, area_of: Mapping[str, float], utilisation: float = UTILISATION) -> float:
        """Area (m2) from those of the cells (m2)."""
        if not 0 < utilisation <= 1:
            raise InputError(f"utilisation {utilisation:g} is out of range; allowed: above 0, up to 1")
        return sum(number * area_of[name] for name, number in self.cells.items()) / utilisation

    def energy(self, energies: Mapping[str, CellEnergy], hazards: bool = True) -> float:
        """Energy of a bit, J: of the cells alone, no wires."""
        toggles = self.toggles if hazards else self.settled
        switched = sum(number * energies[name].per_toggle for name, number in toggles.items())
        return (switched + self.clocked * energies["flip_flop"].per_clock) / self.bits

    def frequency(self, energies: Mapping[str, CellEnergy]) -> float:
        """Highest clock, Hz: ``depth`` delays of a full adder and a flip-flop, without wires."""
        return 1 / (self.depth * energies["full_adder"].delay + 2 * energies["flip_flop"].delay)


def core(
    found: Core, technology: Technology, area_of: AreaOf, energies: Mapping[str, CellEnergy], *, hazards: bool = True,
    utilisation: float = UTILISATION,
) -> Baseline:  # fmt: skip
    """Turn a core's counts into a baseline; without ``hazards`` the energy is a lower bound."""
    areas = {name: area_of(one) for name, one in cells(technology).items()}
    return Baseline(
        found.name, technology.name, found.bits, found.energy(energies, hazards), found.area(areas, utilisation),
        found.bits / found.clocks * found.frequency(energies), "counted",
        f"{sum(found.cells.values())} cells, {utilisation:.0%} of the area; no wires in the energy",
    )  # fmt: skip


def _with_clock(counts: dict[str, int], half_adders: int) -> Mapping[str, int]:
    """Half adders are an XOR, a NAND and an inverter; buffers of the clock follow from the flip-flops."""
    for name in ("xor", "nand", "inverter"):
        counts[name] = counts.get(name, 0) + half_adders
    counts["buffer"] = -(-counts["flip_flop"] // PER_BUFFER)
    return MappingProxyType(counts)


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
    counts = _with_clock(
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
    counts = _with_clock(
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
