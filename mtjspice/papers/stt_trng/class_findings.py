"""Findings on the largest of ten classes, and on how stable the order of the sources is."""

from typing import TYPE_CHECKING

from mtjspice.papers.findings import Finding, Status, Value
from mtjspice.papers.stt_trng import claims
from mtjspice.papers.stt_trng.image_sources import GOOD, SOURCES
from mtjspice.papers.stt_trng.near_images import NORMAL, UNIFORM

if TYPE_CHECKING:
    from mtjspice.papers.stt_trng.image_findings import Found
    from mtjspice.papers.stt_trng.ranks import Agreement

LEVEL = 0.05


def chance(found: "Found") -> list[Finding]:
    """What the largest of ten ratios is by chance, and who is beyond it."""
    from mtjspice.papers.stt_trng.class_ratios import GOOD_BITS

    study = found.garments[NORMAL]
    fair, moved = found.largest[NORMAL][GOOD_BITS], found.largest[UNIFORM][GOOD_BITS]
    claimed = claims.ONE_CLASS.value or 0.0
    size = study.effort.images // len(study.names)
    assumed = (
        f"class-conditional generator of garments of 28 x 28; {study.effort.seeds} seeds of {size} images a class;"
        " pairs below the distance of 1 % of pairs of good bits"
    )
    beyond = {chosen: found.beyond(chosen) for chosen in found.garments}
    count = len(study.labels)
    return [
        _top(found, assumed),
        Finding(
            key="class", quantity="largest ratio of ten classes by chance, sets of good bits permuted",
            paper=claims.ONE_CLASS,
            ours=(
                f"{fair.median:.2g} (median), {fair.high:.2g} (95 % quantile of {study.effort.permutations}"
                f" permutations); uniform latents: {moved.median:.2g}, {moved.high:.2g}"
            ),
            status=Status.NOT_COMPARABLE,
            reason=(
                f"Chance and the choice of the largest class make that of a true ratio of 1; {claimed:g}"
                f" {'is' if fair.high < claimed else 'is not'} beyond it, but how much of it is selection cannot be"
                " said without the other nine, and without the number of near pairs behind each."
            ),
            assumed=assumed,
        ),
        *(
            Finding(
                key=f"beyond-{'normal' if chosen == NORMAL else 'uniform'}",
                quantity=f"sources whose largest ratio of ten classes is beyond chance ({chosen})",
                ours=f"{len(beyond[chosen])} of {count}" + (f": {', '.join(beyond[chosen])}" if beyond[chosen] else ""),
                status=Status.LEFT_OPEN,
                reason=(
                    f"p below {LEVEL:g} by permutation within classes and seeds, the largest of ten against the"
                    f" largest of ten, after Holm's correction for {count} sources. Without it:"
                    f" {', '.join(found.beyond(chosen, corrected=False)) or 'none'}; of equal sources"
                    f" {LEVEL * count:.1f} are expected then, and as all are compared with the same good bits they come"
                    " together."
                ),
                assumed=assumed,
            )
            for chosen in found.garments
        ),
    ]  # fmt: skip


def _top(found: "Found", assumed: str) -> Finding:
    """The largest ratio of all, with limits that allow for the choice."""
    from mtjspice.papers.stt_trng.class_ratios import GOOD_BITS

    study = found.garments[NORMAL]
    sources = {label: one for label, one in found.largest[NORMAL].items() if label != GOOD_BITS}
    label, top = max(sources.items(), key=lambda pair: pair[1].ratio)
    one = study.of_class(label, top.name)
    least = top.ratio / top.high
    return Finding(
        key="largest", quantity=f"the largest ratio of all sources and classes: {label}, {top.name}",
        ours=f"{top.ratio:.3g}; at least {least:.3g} with 95 %, the choice of the class allowed for",
        status=Status.LEFT_OPEN,
        reason=(
            f"{one.pairs:g} near pairs against {one.others:g} of good bits; p = {top.p_value:.2g} by permutation. The"
            f" lower limit is the ratio over {top.high:.2g}, which the largest of ten reaches by chance once in twenty"
            f" cases, as if it scaled with the true ratio; the choice among {len(sources)} sources is not in it. "
            + ("1 is not excluded." if least <= 1 else "1 is excluded but for that choice.")
        ),
        assumed=assumed,
    )  # fmt: skip


def order(found: "Found") -> list[Finding]:
    """How far orders of the sources agree."""
    rows = []
    for name, orders in found.orders.items():
        near = claims.NEAR_PAIRS.value or 0.0
        first, last = orders[0], min(orders, key=lambda one: abs(one.threshold - near))
        for key, what, one in (
            ("threshold", f"at LPIPS {last.threshold:.2g} with that at {first.threshold:.2g}", last.reference),
            ("maps", f"with normal and with uniform latents, at LPIPS {first.threshold:.2g}", first.maps),
            ("halves", f"of two halves of the seeds, at LPIPS {first.threshold:.2g}", first.halves),
        ):
            kind = "middle 95 % of random halves" if key == "halves" else "95 %, bootstrap over seeds"
            rows.append(
                Finding(
                    key=f"order-{name}-{key}", quantity=f"{name}, order of the sources {what} (Kendall's tau)",
                    ours=Value(value=one.tau, low=one.low, high=one.high, kind=kind), status=Status.LEFT_OPEN,
                    reason=(
                        "What chance leaves of one order: sources that do not differ come in any order."
                        if key == "halves" else
                        "The same bits stand behind both, so that chance is shared; two halves of the seeds have"
                        f" {first.halves.tau:+.2f}. {_said(one)}. Resampled seeds scatter more than seeds do, so that"
                        " the limits tend to lie low."
                    ),
                    assumed=f"{len(SOURCES)} sources, of which {len(GOOD)} are good; their choice decides it",
                )
            )  # fmt: skip
    return rows


def _said(one: "Agreement") -> str:
    if one.low <= 0 <= one.high:
        return "Orders without anything in common are within the limits"
    return "The two orders have something in common" if one.tau > 0 else "The two orders are opposed"
