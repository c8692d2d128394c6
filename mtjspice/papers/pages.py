"""Pages of stored sections: a self-contained HTML file for each paper, an index; figures and their data beside them."""

import csv
import io
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import matplotlib

from mtjspice import __version__
from mtjspice.files import write_atomically
from mtjspice.papers import store
from mtjspice.papers.catalogue import PAPERS, paper_of
from mtjspice.papers.experiment import Experiment, Paper
from mtjspice.papers.findings import Finding, Origin, Status
from mtjspice.papers.sections import Plate
from mtjspice.papers.store import Stored
from mtjspice.reports import html, style

TITLE = "Three papers on random junctions, reproduced and questioned"
LEAD = (
    "What each paper claims, what circuit simulation from first principles gives, and why the two differ. No number"
    " here is a paper's unless it says so."
)
READING = (
    "agrees: the limits of both overlap, within the tolerance that the reason states. differs: they do not. Both hold"
    " under the assumptions that stand with the number, of our circuits and devices; they neither confirm nor refute a"
    " measurement. not comparable: the paper's number rests on what it does not say, or ours is an input. left open:"
    " the paper says nothing of it.",
    "Limits behind a number say of what kind they are. A number without limits is exact, or of a simulation without"
    " chance, which is as good as its model.",
    "Full texts of two of the three papers were not at hand; each claim says whether it is from the text, from a"
    " summary, or derived from the paper's own numbers.",
    "Bits of a simulator are pseudo-random by construction. They predict statistics of hardware; they are no entropy.",
)
_FINDINGS = (
    "paper", "experiment", "key", "quantity", "claim", "claimed", "origin", "ours", "value", "low", "high", "limits",
    "unit", "status", "reason", "assumed", "effort", "seed",
)  # fmt: skip
_ORIGINS = {Origin.TEXT: "", Origin.SUMMARY: ", from a summary", Origin.DERIVED: ", derived"}


@dataclass(frozen=True)
class _Figure:
    anchor: str
    caption: str
    alt: str
    source: str
    csv: str
    file: str


def write(folder: Path) -> list[Path]:
    """Draw the figures of all stored sections, write pages, figures and CSV files to ``folder``; return the pages."""
    shown: list[dict[str, Any]] = []
    pages: list[Path] = []
    for key in PAPERS:
        paper = paper_of(key)
        sections = [_section(paper, one, folder) for one in paper.experiments]
        if all(section is None for section in sections):
            continue
        there = [section for section in sections if section is not None]
        claims = [one for section in there for one in section["findings"] if one["paper"]]
        text = html.page(
            "mtjspice.papers", "paper.html", title=paper.title, citation=paper.citation, coverage=paper.coverage,
            sections=there, claims=claims, counts=_counts(claims), footer=_footer(there),
        )  # fmt: skip
        pages.append(folder / f"{key}.html")
        write_atomically(pages[-1], text)
        figures = [figure for section in there for figure in section["figures"]]
        shown.append(
            {
                "key": key, "title": paper.title, "citation": paper.citation, "figure": figures[0] if figures else None,
                "sections": there, "counts": _counts(claims),
                "differs": [one for one in claims if one["status"] == Status.DIFFERS],
            }
        )  # fmt: skip
    pages.append(folder / "index.html")
    made = [section for one in shown for section in one["sections"]]
    text = html.page(
        "mtjspice.papers", "index.html", title=TITLE, lead=LEAD, papers=shown, reading=READING,
        footer=_footer(made),
    )  # fmt: skip
    write_atomically(pages[-1], text)
    _write_findings(folder)
    return pages


def _write_findings(folder: Path) -> None:
    """All findings in one table, findings.csv; numbers in SI."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_FINDINGS)
    for paper, experiment, stored, finding in _findings(_all(), folder):
        claim = finding.paper
        number = None if isinstance(finding.ours, str) else finding.ours
        writer.writerow(
            (
                paper.key, experiment.key, finding.key, finding.quantity, claim.text if claim else "",
                claim.value if claim else "", str(claim.origin) if claim else "",
                number.shown() if number else finding.ours, number.value if number else "",
                number.low if number else "", number.high if number else "", number.kind if number else "",
                number.unit if number else "", str(finding.status), finding.reason, finding.assumed,
                "quick" if stored.quick else "full", stored.seed,
            )
        )  # fmt: skip
    write_atomically(folder / "findings.csv", text.getvalue())


def _all() -> list[tuple[Paper, Experiment]]:
    return [(paper, one) for paper in map(paper_of, PAPERS) for one in paper.experiments]


def _findings(
    tasks: Sequence[tuple[Paper, Experiment]], folder: Path
) -> Iterator[tuple[Paper, Experiment, Stored, Finding]]:
    """Every finding of the stored sections of experiments."""
    for paper, experiment in tasks:
        stored = store.load(store.path_of(folder, paper.key, experiment.key))
        if stored is not None and stored.section is not None:
            for finding in stored.section.findings:
                yield paper, experiment, stored, finding


def _section(paper: Paper, experiment: Experiment, folder: Path) -> dict[str, Any] | None:
    stored = store.load(store.path_of(folder, paper.key, experiment.key))
    if stored is None:
        return None
    found, missing, figures = stored.section, stored.missing, []
    current = stored.key == store.key_of(paper.key, experiment, stored.quick, stored.seed)
    if found and not current:
        missing = "made by other code than this version's; run it again to be sure of it"
    try:
        figures = [_figure(plate, paper, experiment, folder) for plate in found.plates] if found else []
    except (KeyError, IndexError) as error:
        if current:
            raise
        found, missing = None, f"made by other code, which named its columns otherwise ({error}); run again"
    command = f"mtjspice reproduce {paper.key} --only {experiment.key}{' --quick' if stored.quick else ''}"
    if stored.seed != 1:
        command += f" --seed {stored.seed}"
    return {
        "anchor": experiment.key,
        "title": experiment.title,
        "question": experiment.question,
        "missing": missing[:1].upper() + missing[1:],
        "figures": figures,
        "answer": found.answer if found else (),
        "findings": [_row(one, experiment) for one in found.findings] if found else [],
        "setting": f"{found.setting} Seed {stored.seed}, {_effort([stored.quick])}." if found else "",
        "command": command,
        "quick": stored.quick,
        "seed": stored.seed,
    }


def _figure(plate: Plate, paper: Paper, experiment: Experiment, folder: Path) -> _Figure:
    """Draw a figure unless it is there; the picture and its data lie beside the section too."""
    name = f"{experiment.key}-{plate.key}"
    data, picture = plate.csv(), folder / paper.key / f"{name}.png"
    source = sha256(repr((store.code_of(paper.key), matplotlib.__version__, name, data)).encode()).hexdigest()
    if style.source_of(picture) != source:
        drawn = style.styled(experiment.draw[plate.key])(plate.arrays())
        write_atomically(picture, style.render(drawn, source=source))
    write_atomically(picture.with_suffix(".csv"), data)
    png = picture.read_bytes()
    return _Figure(
        f"figure-{name}", plate.caption, plate.alt, "data:image/png;base64," + b64encode(png).decode(),
        "data:text/csv;base64," + b64encode(data.encode()).decode(), f"{paper.key}-{name}.csv",
    )  # fmt: skip


def _row(finding: Finding, experiment: Experiment) -> dict[str, str]:
    paper = finding.paper
    return {
        "anchor": f"{experiment.key}-{finding.key}",
        "quantity": finding.quantity,
        "paper": paper.text if paper else "",
        "place": paper.place + _ORIGINS[paper.origin] if paper else "",
        "ours": finding.ours if isinstance(finding.ours, str) else finding.ours.shown(),
        "status": str(finding.status),
        "reason": finding.reason,
        "assumed": finding.assumed,
    }


def _counts(claims: Sequence[dict[str, str]]) -> str:
    """How many claims ended how, in words."""
    found = Counter(one["status"] for one in claims)
    parts = [f"{found[status]} {words}" for status, words in (
        (Status.AGREES, "agreeing"), (Status.DIFFERS, "differing"), (Status.NOT_COMPARABLE, "not comparable")
    ) if found[status]]  # fmt: skip
    number = f"{len(claims)} claim{'s' if len(claims) > 1 else ''}"
    return f"{number}: {', '.join(parts)}." if claims else "No claim was compared."


def _footer(sections: Sequence[dict[str, Any]]) -> str:
    seeds = sorted({section["seed"] for section in sections})
    effort = _effort([section["quick"] for section in sections])
    return f"mtjspice {__version__}; seed {', '.join(map(str, seeds))}; {effort}."


def _effort(quick: Sequence[bool]) -> str:
    return "quick" if all(quick) else "partly quick" if any(quick) else "full effort"


def lines(tasks: Sequence[tuple[Paper, Experiment]], folder: Path) -> list[tuple[str, ...]]:
    """What was found in stored sections of experiments, a line each: experiment, status, finding."""
    found: list[tuple[str, ...]] = []
    for _, experiment, _, finding in _findings(tasks, folder):
        row = _row(finding, experiment)
        claim = f" (paper: {row['paper']})" if row["paper"] else ""
        found.append((experiment.key, row["status"], f"{row['quantity']}: {row['ours']}{claim}"))
    return found
