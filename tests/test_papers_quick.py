"""All papers with quick effort, as a user runs them; the pages in a browser."""

import csv
import importlib
from pathlib import Path

import pytest
from browser import browser, check_page, overflow

from mtjspice.papers import pages, runner, store
from mtjspice.papers.catalogue import PAPERS, paper_of
from mtjspice.papers.findings import Claim

pytestmark = pytest.mark.slow


def test_quick_reproduction_of_all_papers(fetched, tmp_path):
    # one test: it takes minutes, and the browser looks at what it made
    for name in sorted({name for key in PAPERS for one in paper_of(key).experiments for name in one.data}):
        fetched(name)
    tasks = runner.chosen(tuple(PAPERS), ())
    report = runner.reproduce(tasks, tmp_path, quick=True, seed=1)
    assert (dict(report.failed), dict(report.left_out), report.kept) == ({}, {}, ())
    assert set(report.made) == {f"{paper.key}/{one.key}" for paper, one in tasks}
    written = pages.write(tmp_path)
    assert [path.name for path in written] == [*(f"{key}.html" for key in PAPERS), "index.html"]
    with browser() as driver:
        for path in written:
            check_page(driver, path)
            assert driver.execute_script("return document.images.length") == figures(path, tmp_path)
            for width in (500, 1200):
                assert overflow(driver, width) <= 0, path.name
    check_claims(tmp_path)


def figures(page: Path, folder: Path) -> int:
    """How many a page must have: one a paper in the index, every stored one with its data in the others."""
    if page.stem not in PAPERS:
        return len(PAPERS)
    plates = [
        (one.key, plate.key)
        for one in paper_of(page.stem).experiments
        for plate in store.load(store.path_of(folder, page.stem, one.key)).section.plates
    ]
    for experiment, plate in plates:
        rows = (folder / page.stem / f"{experiment}-{plate}.csv").read_text(encoding="utf-8").splitlines()
        assert len(rows) > 1
    return len(plates)


def check_claims(folder: Path) -> None:
    """Every claim that is written down is compared with something, and says how."""
    rows = list(csv.DictReader((folder / "findings.csv").read_text(encoding="utf-8").splitlines()))
    for key in PAPERS:
        module = importlib.import_module(f"mtjspice.papers.{key.replace('-', '_')}.claims")
        written = {one.text for one in vars(module).values() if isinstance(one, Claim)}
        compared = {row["claim"] for row in rows if row["paper"] == key and row["claim"]}
        assert written == compared
    assert all(row["reason"] for row in rows)
