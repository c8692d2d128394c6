"""Can later images be predicted from published ones? Attacks on the bits behind known latents."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from mtjspice.papers.experiment import Context, Experiment
from mtjspice.papers.findings import Finding, Status, counted
from mtjspice.papers.sections import Columns, Plate, Section
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
SIZE, WORD = 100, 8
_SOURCE, _SEEN, _RATE, _LOW, _HIGH = "source", "images seen", "later bits predicted", "low", "high"


def run(context: Context) -> Section:
    """Attack every source after several numbers of images."""
    from mtjspice.generative.attack.outcome import Effort
    from mtjspice.generative.attack.study import study
    from mtjspice.generative.attack.victim import Plan

    seen, future = context.effort(((1, 4, 32), 20), ((1, 2, 4, 8, 16, 32, 64), 200))
    plans = {label: Plan.parse(text) for label, text in SOURCES.items()}
    effort = Effort(seen=seen, future=future, word=WORD)
    return _section(study(plans, effort, ["words"], latent_size=SIZE, seed=context.seed % 2**31))


def _section(outcome: "Outcome") -> Section:
    columns = empty((_SOURCE, _SEEN, _RATE, _LOW, _HIGH))
    for trial in outcome.trials:
        one = trial.predicted
        add(columns, trial.source, trial.seen, one.value, one.low, one.high)
    most = max(outcome.effort.seen)
    needed = {
        source: min((t.seen for t in outcome.trials if t.source == source and t.found), default=None)
        for source in SOURCES
    }
    last = {source: outcome.best(source, most) for source in SOURCES}
    broken = [source for source, one in needed.items() if one is not None]
    state = next((one for one in outcome.correlations() if one.measure == "state or seed"), None)
    assumed = f"latents known, {SIZE} words of {WORD} bits an image; from images alone they are inverted first"
    good = last["PCG64"].predicted
    junction = last["junctions, XOR of three"].predicted
    overlap = junction.low <= good.high and good.low <= junction.high
    findings = [
        *(
            Finding(
                key=source.split(" (")[0].replace(" ", "-").replace(",", "").replace("=", "").replace(".", "").lower()
                + ("-" + source.split(" (")[1].rstrip(")").lower().replace(" ", "-") if " (" in source else ""),
                quantity=f"{source}: later bits predicted after {most} images", ours=counted(last[source].predicted, 4),
                status=Status.LEFT_OPEN,
                reason=(
                    f"Found after {needed[source]} image{'s' if needed[source] != 1 else ''}:"
                    f" {last[source].found[:70]}."
                    if needed[source] is not None else
                    "Nothing was found: the commoner bit is guessed. That an attack failed says that this attack"
                    " failed."
                ),
                assumed=assumed,
            )
            for source in SOURCES
        ),
        Finding(
            key="secure", quantity="are bits of junctions harder to predict than those of good generators?",
            ours=(
                f"XOR of three junctions {junction.value:.1%}, PCG64 {good.value:.1%}, ChaCha20"
                f" {last['ChaCha20'].predicted.value:.1%} of the later bits"
            ),
            status=Status.LEFT_OPEN,
            reason=(
                "The paper counts near images, an attacker predicts bits. Against these attacks emulated junctions and"
                f" PCG64 {'are not told apart' if overlap else 'differ'}; PCG64 is no cipher, so that more is known"
                " against it than was tried, while ChaCha20 is as unpredictable as its key. The emulated bits are"
                " pseudo-random themselves: about real junctions this says nothing."
            ),
            assumed=assumed,
        ),
    ]  # fmt: skip
    raw = last["junctions, P = 0.60"].predicted
    return Section(
        answer=(
            f"{len(broken)} of {len(SOURCES)} sources are broken from latents of {most} images or fewer:"
            f" {', '.join(f'{source} after {needed[source]}' for source in broken)}. From there on all later images"
            " follow.",
            f"Raw bits of a junction with P = 0.60 are guessed right at {raw.value:.1%}, their bias; behind XOR of"
            f" three or a Toeplitz matrix {junction.value:.1%} and {last['junctions, Toeplitz'].predicted.value:.1%},"
            f" as with PCG64 ({good.value:.1%}) and ChaCha20 ({last['ChaCha20'].predicted.value:.1%}).",
            "So the gain over a shift register is real, and any cipher has it; whether hardware has more cannot be"
            " seen with emulated junctions. "
            + (
                f"Over the sources success goes with the size of the state (rank correlation {state.rho:+.2f}, p ="
                f" {state.p_value:.2g}), by the choice of sources."
                if state is not None else ""
            ),
        ),
        findings=findings,
        plates=(
            Plate(
                key="predicted",
                caption=(
                    f"Fraction of the bits of {outcome.effort.future} later images predicted, against the number of"
                    f" images whose latents the attacker has ({SIZE} words of {WORD} bits each); 95 % intervals"
                    f" ({outcome.effort.future * SIZE * WORD} bits)."
                ),
                alt=f"{', '.join(broken)} are predicted wholly; the others stay at one half or at their bias.",
                columns=columns,
            ),
        ),
        setting=(
            f"{len(SOURCES)} sources; Berlekamp-Massey, decoding of registers, MT19937 and congruential recovery on"
            f" known latents; {outcome.effort.future} later images."
        ),
    )  # fmt: skip


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
    question="How many images let an attacker predict all later ones, from shift registers to junctions?",
    run=run,
    draw={"predicted": draw_predicted},
    minutes=(0.1, 0.6),
)
