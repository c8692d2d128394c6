"""Can later images be predicted from published ones? Attacks on the bits behind known latents."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from mtjspice.papers.experiment import Context, Experiment
from mtjspice.papers.sections import Columns, Plate, Section
from mtjspice.papers.stt_trng import attack_findings, attack_prediction, attack_queries
from mtjspice.papers.stt_trng.attack_findings import SIZE, WORD
from mtjspice.papers.stt_trng.columns import add, empty

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mtjspice.generative.attack.outcome import Outcome

SOURCES: Mapping[str, str] = {
    "LFSR of 16": "lfsr:16",
    "LFSR of 32": "lfsr:32",
    "LCG (ANSI C)": "lcg:ansi-c",
    "LCG (RANDU)": "lcg:randu",
    "MT19937": "mt19937",
    "PCG64": "pcg64",
    "ChaCha20": "chacha20",
    "junctions, P = 0.60": "emulated:fair,p=0.6,lanes=16",
    "junctions, P = 0.52": "emulated:fair,p=0.52,lanes=16",
    "junctions, XOR of three": "emulated:fair,p=0.52,lanes=16+xor:3",
    "junctions, Toeplitz": "emulated:fair,p=0.52,lanes=16+toeplitz:1024,min-entropy=0.9",
}
DETERMINISTIC = tuple(SOURCES)[:5]
_SOURCE, _SEEN, _RATE, _LOW, _HIGH = "source", "images seen", "later bits predicted", "low", "high"


def run(context: Context) -> Section:
    """Attack every source after several numbers of images and of bits; let models guess its next bits."""
    from mtjspice.generative.attack.outcome import Effort
    from mtjspice.generative.attack.study import study
    from mtjspice.generative.attack.victim import Plan

    seed = context.seed % 2**31
    seen, future = context.effort(((1, 4, 32), 20), ((1, 2, 4, 8, 16, 32, 64), 200))
    plans = {label: Plan.parse(text) for label, text in SOURCES.items()}
    outcome = study(plans, Effort(seen=seen, future=future, word=WORD), ["words"], latent_size=SIZE, seed=seed)
    starts = context.effort((6, 1), (20, 5))
    tried = attack_queries.queries(SOURCES, DETERMINISTIC, starts, seed)
    learnt, bits = context.effort(((2000, 20_000), 100_000), ((2000, 20_000, 200_000), 1_000_000))
    guessed = attack_prediction.guesses(learnt, bits, seed)
    return Section(
        answer=attack_findings.answer(outcome, tried, guessed, SOURCES),
        findings=attack_findings.findings(outcome, tried, guessed),
        plates=(_predicted(outcome), attack_queries.plate(tried), attack_prediction.plate(guessed)),
        setting=(
            f"{len(SOURCES)} sources; Berlekamp-Massey, decoding of registers, MT19937 and congruential recovery on"
            f" known latents; {future} later images; {starts[0]} starts of what has a short state, {starts[1]} of"
            f" others; models learn up to {max(learnt):,} bits."
        ),
    )


def _predicted(outcome: "Outcome") -> Plate:
    """Later bits predicted against images seen."""
    columns = empty((_SOURCE, _SEEN, _RATE, _LOW, _HIGH))
    for trial in outcome.trials:
        one = trial.predicted
        add(columns, trial.source, trial.seen, one.value, one.low, one.high)
    future = outcome.effort.future
    broken = [source for source in SOURCES if attack_findings.first_found(outcome, source) is not None]
    return Plate(
        key="predicted",
        caption=(
            f"Fraction of the bits of {future} later images predicted, against the number of images whose latents the"
            f" attacker has ({SIZE} words of {WORD} bits each); 95 % intervals ({future * SIZE * WORD} bits). Line: by"
            " chance, if bits are fair."
        ),
        alt=f"{', '.join(broken)} are predicted wholly; the others stay at one half or at their bias.",
        columns=columns,
    )


def draw_predicted(columns: Columns) -> "Figure":
    """A row a source, a mark for each number of images seen."""
    from matplotlib import colormaps

    from mtjspice.reports.style import BLACK, new_figure

    figure, grid = new_figure(3.4)
    axis = grid[0, 0]
    sources, seen = list(dict.fromkeys(columns[_SOURCE].tolist())), np.unique(columns[_SEEN])
    for number, images in enumerate(seen):
        colour = colormaps["viridis"](0.9 * number / max(1, len(seen) - 1))
        mine = columns[_SEEN] == images
        at = np.array([sources.index(one) for one in columns[_SOURCE][mine]]) + 0.7 * ((number + 0.5) / len(seen) - 0.5)
        axis.hlines(at, columns[_LOW][mine], columns[_HIGH][mine], color=colour, linewidth=1.3)
        axis.plot(columns[_RATE][mine], at, "o", markersize=4, color=colour, label=f"{images:g}")
    axis.axvline(0.5, color=BLACK, linewidth=0.7)
    axis.set(xlabel="later bits predicted", xlim=(0.4, 1.02), ylim=(len(sources) - 0.5, -0.5))
    axis.set_yticks(range(len(sources)), sources, fontsize=8)
    figure.legend(*axis.get_legend_handles_labels(), loc="outside right upper", title="images\nseen", fontsize=8,
                  title_fontsize=8)  # fmt: skip
    return figure


EXPERIMENT = Experiment(
    key="attacks",
    title="Can later images be predicted?",
    question="How many images, and how many bits, let an attacker predict all later ones?",
    run=run,
    draw={"predicted": draw_predicted, "queries": attack_queries.draw, "guesses": attack_prediction.draw},
    minutes=(0.5, 1.2),
)
