"""Write docs/papers.md and its figures from a folder that `mtjspice reproduce all` of the present code has made.

Usage: python scripts/write_papers_page.py FOLDER
"""

import shutil
import sys
from collections import Counter
from pathlib import Path

from mtjspice import __version__
from mtjspice.files import write_atomically
from mtjspice.papers import store
from mtjspice.papers.catalogue import PAPERS, paper_of
from mtjspice.papers.experiment import Paper
from mtjspice.papers.findings import Finding, Origin, Status
from mtjspice.papers.pages import LEAD, READING
from mtjspice.papers.store import Stored

DOCS = Path(__file__).parents[1] / "docs"
ORIGINS = {Origin.TEXT: "", Origin.SUMMARY: " (from a summary)", Origin.DERIVED: " (derived)"}


def main(folder: Path) -> None:
    """Write the page and the figures that it shows."""
    pictures = DOCS / "papers"
    pictures.mkdir(exist_ok=True)
    parts = [_head(folder)]
    for key in PAPERS:
        paper = paper_of(key)
        sections = {one.key: store.load(store.path_of(folder, key, one.key)) for one in paper.experiments}
        for experiment in paper.experiments:
            one = sections[experiment.key]
            if one is None or one.section is None:
                sys.exit(f"{folder}: {key} has no section {experiment.key}")
            if one.key != store.key_of(key, experiment, one.quick, one.seed):
                sys.exit(f"{folder}: {key}/{experiment.key} was made by other code; run it again")
        parts.append(_paper(paper, {name: one for name, one in sections.items() if one is not None}, folder, pictures))
    shutil.copyfile(folder / "findings.csv", pictures / "findings.csv")
    write_atomically(DOCS / "papers.md", "\n".join(parts))


def _head(folder: Path) -> str:
    counts, quick = Counter[str](), set[bool]()
    for key in PAPERS:
        for one in paper_of(key).experiments:
            found = store.load(store.path_of(folder, key, one.key))
            if found is not None and found.section is not None:
                counts.update(finding.status for finding in found.section.findings)
                quick.add(found.quick)
    effort = "partly quick effort" if len(quick) > 1 else "quick effort" if quick == {True} else "full effort"
    claims = counts.total() - counts[Status.LEFT_OPEN]
    return f"""# The papers, questioned

{LEAD}

```console
mtjspice reproduce all --quick --out papers     # under ten minutes on two cores
mtjspice reproduce all --out papers             # full effort: half an hour to an hour
mtjspice reproduce meram --only gaussian        # one experiment; --list names them
```

The command writes one self-contained page for each paper (all figures, their data, texts, tables), an index, and
`findings.csv`. What follows was made from its results ({effort}) with version {__version__} by
`scripts/write_papers_page.py`;
[findings.csv](papers/findings.csv) has the numbers. Of {claims} comparisons with a claim {counts[Status.AGREES]} agree,
{counts[Status.DIFFERS]} differ and {counts[Status.NOT_COMPARABLE]} cannot be made; {counts[Status.LEFT_OPEN]} further
findings answer what the papers left open.

{chr(10).join(f"* {line}" for line in READING)}
"""


def _paper(paper: Paper, sections: dict[str, Stored], folder: Path, pictures: Path) -> str:
    lines = [f"## {paper.title}", "", f"{paper.citation}. {paper.coverage}", ""]
    for number, experiment in enumerate(paper.experiments):
        section = sections[experiment.key].section
        assert section is not None
        lines += [f"### {experiment.title}", "", f"*{_escaped(experiment.question)}*", ""]
        if number == 0 and section.plates:
            plate = section.plates[0]
            name = f"{paper.key}.png"
            shutil.copyfile(folder / paper.key / f"{experiment.key}-{plate.key}.png", pictures / name)
            lines += [f"![{_escaped(plate.alt)}](papers/{name})", "", _escaped(plate.caption), ""]
        for paragraph in section.answer:
            lines += [_escaped(paragraph), ""]
        lines += ["| quantity | paper | here | status | why |", "| --- | --- | --- | --- | --- |"]
        lines += [_row(one) for one in section.findings]
        effort = "Quick effort." if sections[experiment.key].quick else "Full effort."
        lines += ["", _escaped(f"{section.setting} {effort}"), ""]
    return "\n".join(lines)


def _row(one: Finding) -> str:
    paper = f"{one.paper.text} [{one.paper.place}{ORIGINS[one.paper.origin]}]" if one.paper else ""
    ours = one.ours if isinstance(one.ours, str) else one.ours.shown()
    why = one.reason + (f" Assumed: {one.assumed}." if one.assumed else "")
    return "| " + " | ".join(_escaped(cell) for cell in (one.quantity, paper, ours, str(one.status), why)) + " |"


def _escaped(text: str) -> str:
    """Text that Markdown leaves as it is."""
    for character in "\\`*_[]<>|":
        text = text.replace(character, "\\" + character)
    return text


if __name__ == "__main__":
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
