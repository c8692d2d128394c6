"""Noise words of the co-simulated circuit against what their pulse program predicts: tables, figure, files.

matplotlib is imported by the figure only.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mtjspice import __version__
from mtjspice.files import output_folder, write_atomically
from mtjspice.reports.word_programs import Prepared, intervals, marginals, tested, time_per_word
from mtjspice.studies.noise_words import Made

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HEADER = ("bit", "ones", "frequency", "95 % interval", "circuit", "program", "P01, n", "P10, n")


def rows(prepared: Prepared, made: Made) -> list[tuple[str, ...]]:
    """A row a bit, the highest first; P01 and P10 as counted, for words that are no tree's."""
    circuit, program = marginals(prepared)
    found: list[tuple[str, ...]] = []
    for bit, one in enumerate(intervals(made)):
        shown = ("", "")
        if not prepared.schedule.sequential:
            shown = _share(made.rises[bit]), _share(made.falls[bit])
        found.append((
            str(bit), str(one.count), f"{one.value:.3f}", f"{one.low:.3f} to {one.high:.3f}", f"{circuit[bit]:.3f}",
            f"{program[bit]:.3f}", *shown,
        ))  # fmt: skip
    return found


def notes(prepared: Prepared, made: Made) -> list[str]:
    """Lines below the table."""
    found, test = prepared.calibration, tested(prepared, made)
    numbers = prepared.numbers(made)
    law = prepared.law()
    count = len(made.bits)
    verdict = "too few words for a test of the law"
    if test is not None:
        verdict = (
            f"chi-square of the law on the circuit: {test.chi_square:.2f} of {test.degrees}, p = {test.p_value:.3f}"
        )
    lines = [
        f"{count} words of {prepared.program.encoding}: mean {numbers.mean():.3f}, deviation {numbers.std():.3f} "
        f"(law on the circuit: {law.mean:.3f}, {law.standard_deviation:.3f}; error of its probabilities up to "
        f"{found.error:.3f})",
        verdict,
        f"a word takes {time_per_word(prepared) * 1e9:.0f} ns and {made.energy.mean() * 1e12:.1f} pJ; "
        f"{made.misread} misread bits, {made.unreset} columns not reset",
    ]
    return lines


def as_dict(prepared: Prepared, made: Made, seed: int) -> dict[str, Any]:
    """Plain types for JSON; `generative.encodings.measured` reads ``bits``."""
    circuit, program = marginals(prepared)
    test, conditions, integer = tested(prepared, made), prepared.conditions, prepared.words.integer_bits
    rising, falling = prepared.transitions()
    levels = [
        {
            "bit": one.bit, "prefix": one.prefix, "level": one.level, "inverted": one.inverted,
            "p01": float(rising[k]), "p10": float(falling[k]),
            "p01_counted": made.rises[k].tolist(), "p10_counted": made.falls[k].tolist(),
        }
        for k, one in enumerate(prepared.schedule.levels)
    ]  # fmt: skip
    return {
        "program": prepared.program.as_dict(),
        "circuit": {
            "name": conditions.word.name, "card": conditions.word.card.name,
            "technology": conditions.word.technology.name,
            "corner": conditions.corner or conditions.word.technology.default_corner,
            "temperature": conditions.temperature, "mtjspice": __version__,
        },
        "seed": seed,
        "calibration": prepared.calibration.as_dict(),
        "levels": levels,
        "format": {"bits": prepared.words.bits, "integer_bits": integer},
        "words": len(made.bits),
        "bits": [
            {
                "bit": bit, "ones": one.count, "low": one.low, "high": one.high, "circuit": float(circuit[bit]),
                "program": float(program[bit]),
            }
            for bit, one in enumerate(intervals(made))
        ],
        "mean": float(prepared.numbers(made).mean()),
        "std": float(prepared.numbers(made).std()),
        "law": prepared.law().as_dict(),
        "chi_square": None if test is None else vars(test),
        "energy_per_word": float(made.energy.mean()),
        "time_per_word": time_per_word(prepared),
        "misread_bits": made.misread,
        "unreset_columns": made.unreset,
    }  # fmt: skip


def figure(prepared: Prepared, made: Made) -> "Figure":
    """Frequencies of ones with 95 % intervals against the program, and the distribution of the numbers."""
    from mtjspice.reports import style

    def draw() -> "Figure":
        drawing, axes = style.new_figure(2.9, 1, 2)
        circuit, program = marginals(prepared)
        at, found = np.arange(circuit.size), intervals(made)
        value = np.array([one.value for one in found])
        ends = np.abs([[one.low for one in found], [one.high for one in found]] - value)
        left, right = axes[0]
        left.errorbar(at, value, ends, fmt="o", ms=3.5, capsize=2, color=style.BLUE, label="counted, 95 %")
        left.plot(at, circuit, "_", ms=12, color=style.RED, label="circuit, predicted")
        left.plot(at, program, "x", ms=4, color=style.BLACK, label="program")
        left.xaxis.get_major_locator().set_params(integer=True)
        left.set_xlabel("bit (0: the highest)")
        left.set_ylabel("P(1)")
        left.set_ylim(-0.02, 1.0)
        left.legend(fontsize=7)
        law, numbers = prepared.law(), np.sort(prepared.numbers(made))
        right.step(law.values, np.cumsum(law.probabilities), where="post", color=style.RED, label="circuit, predicted")
        right.step(numbers, np.arange(1, numbers.size + 1) / numbers.size, where="post", color=style.BLUE,
                   label=f"{numbers.size} words")  # fmt: skip
        right.set_xlabel("x")
        right.set_ylabel("distribution function")
        right.legend(fontsize=7)
        return drawing

    return style.styled(draw)()


def write(prepared: Prepared, made: Made, seed: int, folder: Path) -> None:
    """Write result.json and words.csv (bits, number and energy of each word) to ``folder``."""
    output_folder(folder)
    text = json.dumps(as_dict(prepared, made, seed), indent=2, allow_nan=False) + "\n"
    write_atomically(folder / "result.json", text)
    numbers = prepared.numbers(made)
    lines = [
        f"{''.join(map(str, bits))},{float(number)!r},{energy:.6g}"
        for bits, number, energy in zip(made.bits.tolist(), numbers, made.energy, strict=True)
    ]
    write_atomically(folder / "words.csv", "\n".join(["bits,number,energy_J", *lines]) + "\n")


def _share(pair: NDArray[np.int64]) -> str:
    tried, switched = pair.tolist()
    return f"{switched / tried:.3f}, {tried}" if tried else "-, 0"
