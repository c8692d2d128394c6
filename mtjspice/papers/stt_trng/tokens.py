"""What biased, remembering and short words cost a language model that samples with them, and how many bits it needs."""

from typing import TYPE_CHECKING

import numpy as np

from mtjspice.papers.experiment import Context, Experiment
from mtjspice.papers.findings import Finding, Status, Value
from mtjspice.papers.sections import Columns, Plate, Section
from mtjspice.papers.stt_trng import claims
from mtjspice.papers.stt_trng.columns import Lists, add, empty
from mtjspice.papers.stt_trng.devices import RATE, XOR_RATE, XOR_TEXT

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mtjspice.generative.tokens.study import TokenOutcome

WIDTHS = (6, 8, 10, 12, 16, 20, 24)
GUMBEL_WIDTHS = (6, 8, 10)
BIASES = (0.0, 0.00129, 0.01, 0.02, 0.05, 0.0685, 0.1)
MEMORIES = (0.0, 0.01, 0.03, 0.1, 0.3)
VOCABULARY, WORD = 128_000, 32
_SAMPLER, _WIDTH, _BIAS, _MEMORY, _KL = "sampler", "bits of a word", "bias", "memory", "KL [bit/token]"
_LABEL, _EXCESS, _LOW, _HIGH = "bits", "excess surprise [bit/token]", "low", "high"


def run(context: Context) -> Section:
    """Exact laws at places of a text, and texts written with emulated bits."""
    from mtjspice.generative.tokens.model import character_model
    from mtjspice.generative.tokens.samplers import GumbelSampler, InverseCdfSampler
    from mtjspice.generative.tokens.study import TokenEffort, context_logs, exact_cost
    from mtjspice.generative.tokens.words import BitLaw

    effort = TokenEffort(*context.effort((64, 60, 8, 200), (512, 200, 32, 2000)))
    contexts = context_logs(character_model(), effort)
    columns = empty((_SAMPLER, _WIDTH, _BIAS, _MEMORY, _KL))
    found: dict[tuple[str, int, float, float], float] = {}

    def cost_of(sampler: InverseCdfSampler | GumbelSampler, name: str, bias: float, memory: float) -> None:
        cost = exact_cost(sampler, contexts, BitLaw(0.5 + bias, memory))
        if cost is not None:
            found[name, sampler.bits, bias, memory] = cost.divergence
            add(columns, name, sampler.bits, bias, memory, cost.divergence)

    for width in WIDTHS:
        for bias in BIASES:
            cost_of(InverseCdfSampler(width), "inverse-cdf", bias, 0.0)
        for memory in MEMORIES[1:]:
            cost_of(InverseCdfSampler(width), "inverse-cdf", 0.0, memory)
    for width in GUMBEL_WIDTHS:
        for bias in BIASES:
            cost_of(GumbelSampler(width), "gumbel", bias, 0.0)
    return _section(found, columns, _written(context, effort))


def _written(context: Context, effort: object) -> "TokenOutcome":
    from mtjspice.generative.attack.victim import Plan
    from mtjspice.generative.tokens.samplers import InverseCdfSampler
    from mtjspice.generative.tokens.study import TokenEffort, compare

    assert isinstance(effort, TokenEffort)
    bits = 32 * (effort.texts * effort.length + effort.contexts * effort.repeats)
    texts = {
        "fair": "emulated:fair", "PCG64": "pcg64", "bias 0.0685": "emulated:fair,p=0.5685",
        "bias 0.0685, XOR of three": "emulated:fair,p=0.5685+xor:3", "bias 0.2": "emulated:fair,p=0.7",
    }  # fmt: skip
    sources = [(label, lambda seed, text=text: Plan.parse(text).open(seed, bits)) for label, text in texts.items()]
    return compare(sources, InverseCdfSampler(16), effort, context.seed % 2**31)


def _section(found: dict[tuple[str, int, float, float], float], columns: Lists, written: "TokenOutcome") -> Section:
    rate = XOR_RATE
    gumbel = VOCABULARY * WORD
    written_columns = empty((_LABEL, _EXCESS, _LOW, _HIGH))
    for trial in written.trials:
        half = 1.96 * trial.excess_error
        add(written_columns, trial.label, trial.excess, trial.excess - half, trial.excess + half)
    trials = {trial.label: trial for trial in written.trials}
    worst = found["inverse-cdf", 16, 0.0685, 0.0]
    fair = found["inverse-cdf", 16, 0.0, 0.0]
    none = found["inverse-cdf", 24, 0.0, 0.0]
    assumed = "a small recurrent model of characters; vocabulary of 128,000 and words of 32 bits for large ones"

    def excess(label: str) -> Value:
        one = trials[label]
        half = 1.96 * one.excess_error
        return Value(value=one.excess, low=one.excess - half, high=one.excess + half, kind="95 %", digits=2)

    findings = [
        Finding(
            key="suitable", quantity="tokens a second from 16 junctions behind an XOR", paper=claims.LANGUAGE_MODELS,
            ours=f"{rate / WORD:.0f} with the inverse distribution function, {rate / gumbel:.2f} with Gumbel-max",
            status=Status.NOT_COMPARABLE,
            reason=(
                "Suitable is not a number, and which sampler is meant is not said. With one word a token any generator"
                f" of some kb/s is suitable; with a word for each of {VOCABULARY:,} tokens {gumbel / 1e6:.1f} Mbit a"
                f" token need a Gb/s for {1e9 / gumbel:.0f} tokens a second."
            ),
            assumed=assumed,
        ),
        Finding(
            key="million", quantity="tokens a second from a million cells behind an XOR, Gumbel-max",
            paper=claims.MILLION_CELLS, ours=Value(value=(claims.MILLION_CELLS.value or 0.0) * RATE / 3 / gumbel),
            status=Status.NOT_COMPARABLE,
            reason="A projection of the paper times our words; it presupposes that all cells are usable.",
            assumed=assumed,
        ),
        Finding(
            key="bias", quantity="divergence from the model with raw bits at the limit of XOR (bias 0.0685)"
            " [bit/token]",
            ours=Value(value=worst, digits=2), status=Status.LEFT_OPEN,
            reason=(
                f"KL of the drawn from the model's law, exact, words of 16 bits; fair bits {fair:.1e}, in words of 24"
                f" {none:.1e}. It grows with the square of the bias. The excess surprise of written text adds what the"
                " bias changes of the entropy, and is another number."
            ),
            assumed=assumed,
        ),
        *(
            Finding(
                key="written-" + label.replace(" ", "-").replace(".", "").replace(",", "").lower(),
                quantity=f"excess surprise of written text, {label} [bit/token]", ours=excess(label),
                status=Status.LEFT_OPEN,
                reason=(
                    f"{trials[label].excess_sigmas:+.1f} standard errors from exact sampling; counts at fixed places"
                    f" {trials[label].chi_square_sigmas:+.1f}. {trials[label].bits_per_token:.0f} bits a token."
                ),
                assumed=assumed,
            )
            for label in trials
        ),
    ]  # fmt: skip
    return Section(
        answer=(
            f"How many bits a language model takes depends on how it is sampled. With the inverse distribution function"
            f" {WORD} bits a token suffice, and {XOR_TEXT} are {rate / WORD:,.0f} tokens a second. Gumbel-max with a"
            f" word for each of {VOCABULARY:,} tokens takes {gumbel / 1e6:.1f} Mbit a token, and a Gb/s is"
            f" {1e9 / gumbel:.0f} tokens a second.",
            "Nor need bits be perfect. By exact laws, in words of 16 bits, the divergence from the model is"
            f" {worst:.2g} bit a token with a bias of 0.0685, {found['inverse-cdf', 16, 0.0, 0.1]:.2g} with a memory of"
            f" 0.1 and {fair:.1e} with fair bits; shorter words of 8 fair bits have"
            f" {found['inverse-cdf', 8, 0.0, 0.0]:.2g}. Written text with that bias has an excess surprise of"
            f" {excess('bias 0.0685').shown()} bit a token, which is the divergence plus the change of the entropy of"
            " what is drawn.",
            f"Texts written with PCG64 differ from exact sampling by {trials['PCG64'].excess_sigmas:+.1f} standard"
            f" errors, those with fair emulated bits by {trials['fair'].excess_sigmas:+.1f}. Whether bits are truly"
            " random the text does not show. That nobody can repeat the draw is another question.",
        ),
        findings=findings,
        plates=(
            Plate(
                key="cost",
                caption=(
                    "Divergence of the drawn token from the model's law at places of a text, by exact laws. Left: bits"
                    " of a word, for biases of independent bits; solid: inverse distribution function, dashed:"
                    " Gumbel-max. Right: against bias and against memory, words of 16 bits. Nothing is sampled."
                ),
                alt=(
                    "Costs fall with the bits of a word until bias or memory set a floor, which grows with their"
                    " square."
                ),
                columns=columns,
            ),
            Plate(
                key="written",
                caption=(
                    f"Surprise of drawn tokens less the entropy of the model (the divergence above plus the"
                    f" change of entropy), {written.effort.texts} texts of"
                    f" {written.effort.length} characters each, words of 16 bits; 95 % intervals under exact sampling."
                    " Zero: exact."
                ),
                alt="; ".join(f"{label} {trial.excess:+.3f} bit" for label, trial in trials.items()) + ".",
                columns=written_columns,
            ),
        ),
        setting=(
            f"Recurrent model of characters; exact laws at {written.effort.contexts} places, texts with emulated bits;"
            " inverse distribution function and Gumbel-max."
        ),
    )  # fmt: skip


def draw_cost(columns: Columns) -> "Figure":
    """Cost against the width of a word, and against bias and memory."""
    from mtjspice.reports.style import BLACK, BLUE, GREEN, ORANGE, RED, new_figure

    figure, grid = new_figure(3.1, columns=2, sharey=True)
    left, right = grid[0]
    fresh = columns[_MEMORY] == 0
    for bias, colour, marker in zip((0.0, 0.01, 0.0685), (BLACK, BLUE, RED), "osD", strict=True):
        for sampler, form in (("inverse-cdf", "-"), ("gumbel", "--")):
            mine = fresh & (columns[_SAMPLER] == sampler) & (columns[_BIAS] == bias)
            label = f"bias {bias:g}" if form == "-" else None
            left.plot(
                columns[_WIDTH][mine], columns[_KL][mine], form, marker=marker, markersize=3, color=colour, label=label
            )
    sixteen = (columns[_SAMPLER] == "inverse-cdf") & (columns[_WIDTH] == 16)
    for name, other, colour, marker, label in (
        (_BIAS, _MEMORY, ORANGE, "s", "bias"), (_MEMORY, _BIAS, GREEN, "^", "memory")
    ):  # fmt: skip
        mine = sixteen & (columns[other] == 0) & (columns[name] > 0)
        right.loglog(columns[name][mine], columns[_KL][mine], marker=marker, markersize=4, color=colour, label=label)
    floor = columns[_KL][sixteen & fresh & (columns[_BIAS] == 0)]
    right.axhline(float(floor[0]), color=BLACK, linewidth=0.8, linestyle=":")
    left.set(yscale="log", xlabel="bits of a word", ylabel="KL [bit per token]")
    right.set(xlabel="bias or lag-1 memory (words of 16 bits)")
    left.legend(fontsize=8)
    right.legend(fontsize=8)
    return figure


def draw_written(columns: Columns) -> "Figure":
    """Excess surprise of texts."""
    from mtjspice.reports.style import BLACK, BLUE, new_figure

    figure, grid = new_figure(2.0)
    axis = grid[0, 0]
    at = np.arange(len(columns[_LABEL]))
    axis.hlines(at, columns[_LOW], columns[_HIGH], color=BLUE, linewidth=1.4)
    axis.plot(columns[_EXCESS], at, "o", markersize=4, color=BLUE)
    axis.axvline(0, color=BLACK, linewidth=0.7)
    axis.set(xlabel=_EXCESS.replace("[bit/token]", "[bit per token], 95 %"), ylim=(len(at) - 0.5, -0.5))
    axis.set_yticks(at, columns[_LABEL], fontsize=8)
    return figure


EXPERIMENT = Experiment(
    key="tokens",
    title="Do language models need it?",
    question="What do biased bits cost a model that samples with them, and how many bits a second does it need?",
    run=run,
    draw={"cost": draw_cost, "written": draw_written},
    minutes=(0.3, 0.7),
)
