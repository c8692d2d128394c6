"""Fit the weights by which `mtjspice.layout.balance` estimates capacitances to those of extracted layouts; print them.

Nets count by their relative error, differences of differential pairs six times as much.
"""

import numpy as np
from scipy.optimize import nnls

from mtjspice.layout import balance, catalogue, post
from mtjspice.layout.generate import generate
from mtjspice.layout.row import LOWER, UPPER

CIRCUITS = (
    "precharge_amplifier", "current_latched_amplifier", "strongarm", "voltage_amplifier", "read_precharge",
    "read_strongarm", "read_complementary", "read_current_latched", "pulse_generator", "vcma_trng4", "cim_column8",
    "meram_word8", "lfsr8", "ex_situ_column8", "nand2", "set_reset_latch", "bipolar_driver",
)  # fmt: skip
PAIR_WEIGHT = 6.0


def main() -> None:
    names = [*balance._WEIGHTS, "metal4"]
    nets, pairs = [], []  # rows of features, each over the capacitance that it should make
    wanted: list[float] = []
    for name in CIRCUITS:
        found = post.wired(generate(catalogue.circuit(name), name))
        stack, totals = found.drawn.stack, found.totals
        sums: dict[str, np.ndarray] = {}
        for row in stack.rows:
            for net, features in balance.features(row).items():
                sums.setdefault(net, np.zeros(len(names)))[:-1] += features
        for line in stack.lines:
            heights = [
                stack.height(index, row.track(line.net))
                for index, row in enumerate(stack.rows)
                if line.first <= index <= line.last and line.net in row.tracks
            ]
            sums[line.net][-1] += max(heights) - min(heights)
        nets += [of / (totals[net] * 1e18) for net, of in sums.items() if net in totals and net not in (LOWER, UPPER)]
        for pair in found.balances():
            whole = pair.wires[0] * 1e18
            pairs.append((sums[pair.a] - sums[pair.b]) / whole)
            wanted.append((pair.wires[0] - pair.wires[1]) * 1e18 / whole)
    rows = np.vstack([np.array(nets), PAIR_WEIGHT * np.array(pairs)])
    weights, _ = nnls(rows, np.concatenate([np.ones(len(nets)), PAIR_WEIGHT * np.array(wanted)]))
    for name, weight in zip(names, weights, strict=True):
        print(f"{name:16} {weight:.4g}")
    of_nets, of_pairs = np.std(np.array(nets) @ weights), np.std(np.array(pairs) @ weights - wanted)
    print(f"left: {of_nets:.3f} of a net, {of_pairs:.3f} of a pair")


if __name__ == "__main__":
    main()
