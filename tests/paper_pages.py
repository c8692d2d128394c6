"""What every page of a reproduced paper must be, checked on sections that a test has made."""

import csv
import importlib
import re
from collections.abc import Container, Iterator
from pathlib import Path

from browser import browser, check_page, overflow

from mtjspice.papers import pages, store
from mtjspice.papers.catalogue import paper_of
from mtjspice.papers.findings import Claim
from mtjspice.papers.sections import Section


def check_pages(key: str, folder: Path, inputs: Container[str] = ()) -> None:
    """Write the pages of a paper whose every experiment has run; look at them in a browser and at what they compare.

    ``inputs`` names the claims that others are derived from; all but they are compared with something.
    """
    written = pages.write(folder)
    assert [path.name for path in written] == [f"{key}.html", "index.html"]
    drawn = {}
    for one in paper_of(key).experiments:
        stored = store.load(store.path_of(folder, key, one.key))
        assert stored is not None, one.key
        assert stored.section is not None, stored.missing
        unfilled = re.search(r"[{}]|\bnan\b|\binf\b|\bNone\b", " ".join(_texts(stored.section)))
        assert unfilled is None, (one.key, unfilled)
        drawn.update({f"{one.key}-{plate.key}": plate for plate in stored.section.plates})
    for name in drawn:
        rows = (folder / key / f"{name}.csv").read_text(encoding="utf-8").splitlines()
        assert len(rows) > 1, name
    with browser() as driver:
        for path, figures in zip(written, (len(drawn), 1), strict=True):
            check_page(driver, path)
            assert driver.execute_script("return document.images.length") == figures
            for width in (500, 1200):
                assert overflow(driver, width) <= 0, path.name
    rows = list(csv.DictReader((folder / "findings.csv").read_text(encoding="utf-8").splitlines()))
    module = importlib.import_module(f"mtjspice.papers.{key.replace('-', '_')}.claims")
    claims = {one.text for name, one in vars(module).items() if isinstance(one, Claim) and name not in inputs}
    assert claims <= {row["claim"] for row in rows}


def _texts(section: Section) -> Iterator[str]:
    """All that is said in a section."""
    yield from (*section.answer, section.setting)
    for plate in section.plates:
        yield from (plate.caption, plate.alt)
    for one in section.findings:
        yield from (one.quantity, one.ours if isinstance(one.ours, str) else one.ours.shown(), one.reason, one.assumed)
