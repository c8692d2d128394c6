"""Speed of the thermal macrospin step against cmtj's Heun and against the arithmetic limit of one core.

Run: pip install --no-deps cmtj && python benchmarks/macrospin.py [--trials 4096] [--steps 4000] [--rounds 7]

Everything runs on one thread, in turn within each round; the table shows the median over the rounds. The limit is
the rate at which this core, in the same round, executes independent vector multiply-adds; one such instruction
works on four doubles (eight floats), so a step of one trial is compared in instructions of that kind.
"""

import argparse
import time
from collections.abc import Callable
from statistics import median

import numba
import numpy as np
from numba import njit

from mtjspice.device import demagnetization, derived, llg, macrospin
from mtjspice.device.card import MTJCard, load_card
from mtjspice.device.elementary import fma

# arithmetic instructions in the vector loops of a constant-voltage step, counted in the machine code, for one trial:
# three Threefry blocks for two noise nodes (eight words an instruction), three radii and six angles for two nodes,
# one Heun step (four doubles or eight floats an instruction)
WORD_INSTRUCTIONS = 309 / 2 / 8
NORMAL_INSTRUCTIONS = {"float64": 150 / 2 / 4, "float32": 144 / 2 / 8}
HEUN_INSTRUCTIONS = {"float64": 59 / 4, "float32": 59 / 8}
PEERS = {"cmtj Heun, VCMA pulse, default output": True, "cmtj Heun, bare: constant, no output": False}


@njit(error_model="numpy")
def _multiply_adds(x: np.ndarray, repeats: int) -> None:
    """Eight independent chains a lane, so that neither latency nor memory limits."""
    for i in range(0, len(x), 8):
        a, b, c, d, e, f, g, h = x[i], x[i + 1], x[i + 2], x[i + 3], x[i + 4], x[i + 5], x[i + 6], x[i + 7]
        for _ in range(repeats):
            a, b, c, d = fma(a, 0.999, 0.1), fma(b, 0.999, 0.1), fma(c, 0.999, 0.1), fma(d, 0.999, 0.1)
            e, f, g, h = fma(e, 0.999, 0.1), fma(f, 0.999, 0.1), fma(g, 0.999, 0.1), fma(h, 0.999, 0.1)
        x[i], x[i + 1], x[i + 2], x[i + 3], x[i + 4], x[i + 5], x[i + 6], x[i + 7] = a, b, c, d, e, f, g, h


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def instruction_time() -> float:
    """Seconds for one multiply-add instruction of the core (scalar and vector ones take the same slot)."""
    x, repeats = np.ones(8), 4_000_000
    return seconds(lambda: _multiply_adds(x, repeats)) / (8 * repeats)


def cmtj_step(card: MTJCard, steps: int, as_used: bool) -> float:
    """Seconds for one thermal Heun step of cmtj, for the same film, fields and temperature.

    ``as_used``: a VCMA pulse on the anisotropy, the film's demagnetizing tensor, cmtj's default output (every 10 ps).
    Otherwise everything constant, the shape within the anisotropy, and nothing written down but the end.
    """
    import cmtj

    thickness = card.free_layer_thickness
    zero = cmtj.CVector(0, 0, 0)
    n_x, n_y, n_z = demagnetization.factors(card.diameter, card.diameter_y, thickness) if as_used else (0, 0, 0)
    tensor = [cmtj.CVector(n_x, 0, 0), cmtj.CVector(0, n_y, 0), cmtj.CVector(0, 0, n_z)] if as_used else [zero] * 3
    layer = cmtj.Layer(
        "free", cmtj.CVector(0.22, 0, 0.97), cmtj.CVector(0, 0, 1), card.saturation_magnetization * 4e-7 * np.pi,
        thickness, derived.area(card), tensor, card.damping,
    )  # fmt: skip
    total = steps * 1e-12
    if as_used:
        energy = card.interfacial_anisotropy / thickness
        change = -1.2 * card.vcma_coefficient / card.barrier_thickness / thickness
        layer.setAnisotropyDriver(cmtj.ScalarDriver.getPulseDriver(energy, change, total, total / 2))
    else:
        layer.setAnisotropyDriver(cmtj.constantDriver(derived.effective_anisotropy(card) / thickness))
    layer.setTemperatureDriver(cmtj.constantDriver(300.0))
    junction = cmtj.Junction([layer])
    junction.setLayerExternalFieldDriver("free", cmtj.AxialDriver(card.bias_field / (4e-7 * np.pi), 0, 0))
    every = 1e-11 if as_used else total
    return seconds(lambda: junction.runSimulation(total, 1e-12, every, solverMode=cmtj.Heun)) / steps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=4096)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    numba.set_num_threads(1)
    card = load_card("meram100")
    row = llg.parameters(card)
    n, end = arguments.trials, arguments.steps * llg.DEFAULT_NOISE_STEP
    start = macrospin.thermal_states(card, np.ones(n), np.random.default_rng(1))

    def ours(voltage: tuple[float, float], precision: str, states: np.ndarray = start) -> None:
        times = np.array([0.0, end])
        macrospin.run(row, states, times, np.array(voltage), 1, relaxing=False, precision=precision)

    def one_by_one() -> None:
        state = start[0].copy()
        for k in range(20):
            llg.advance(row, 1, 0, state, k * end, (k + 1) * end, 1.2, 1.2)

    cases = {
        "float64, constant voltage": (lambda: ours((1.2, 1.2), "float64"), n),
        "float64, moving voltage": (lambda: ours((1.1, 1.2), "float64"), n),
        "float32, constant voltage": (lambda: ours((1.2, 1.2), "float32"), n),
        "float32, moving voltage": (lambda: ours((1.1, 1.2), "float32"), n),
        "one trial alone (co-simulation)": (one_by_one, 20),
    }
    for work, _ in cases.values():
        work()
    instruction_time()
    times: dict[str, list[float]] = {name: [] for name in (*cases, *PEERS, "instruction")}
    for _ in range(arguments.rounds):
        times["instruction"].append(instruction_time())
        for name, (work, count) in cases.items():
            times[name].append(seconds(work) / (count * arguments.steps))
        for name, as_used in PEERS.items():
            times[name].append(cmtj_step(card, 50_000, as_used))
    used, bare = (median(times[name]) for name in PEERS)
    print(
        f"{'one thermal step of one junction, one thread':46}{'ns':>8}{'steps/s':>11}{'cmtj/this':>11}{'bare/this':>11}"
    )
    for name in (*cases, *PEERS):
        step = median(times[name])
        print(f"{name:46}{1e9 * step:8.1f}{1 / step:11.2e}{used / step:11.1f}{bare / step:11.1f}")
    instruction = median(times["instruction"])
    print(f"\none vector multiply-add takes {1e9 * instruction:.3f} ns on this core ({1 / instruction:.2e}/s)")
    for precision, lanes in (("float64", 4), ("float32", 8)):
        count = WORD_INSTRUCTIONS + NORMAL_INSTRUCTIONS[precision] + HEUN_INSTRUCTIONS[precision]
        step = median(times[f"{precision}, constant voltage"])
        print(
            f"{precision}: {count:.0f} arithmetic vector instructions a step ({lanes} {precision} or 8 words each): "
            f"{100 * count * instruction / step:.0f} % of the core's multiply-add rate"
        )


if __name__ == "__main__":
    main()
