"""The documentation as a site: built strictly, nothing from other hosts, every link and anchor resolves."""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.usefixtures("scripts_on_path")
# what makes a browser fetch something by itself
FETCHED = {
    "script": ("src",), "img": ("src", "srcset"), "iframe": ("src",), "source": ("src", "srcset"), "object": ("data",),
    "video": ("src", "poster"), "audio": ("src",), "embed": ("src",),
}  # fmt: skip
FETCHED_LINKS = {"stylesheet", "icon", "preload", "preconnect", "prefetch", "dns-prefetch", "modulepreload", "manifest"}


class Page(HTMLParser):
    """Links, anchors and fetched files of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.anchors: set[str] = set()
        self.styles: list[str] = []
        self._in_style = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.anchors |= {values[name] for name in ("id", "name") if values.get(name)}
        self._in_style = tag == "style"
        if "style" in values:
            self.styles.append(values["style"])
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        if tag == "link" and FETCHED_LINKS & set(values.get("rel", "").split()):
            self.fetched.append(values["href"])
        self.fetched += [values[name].split()[0] for name in FETCHED.get(tag, ()) if values.get(name)]

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self.styles.append(data)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site as `make docs` does, elsewhere."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT, capture_output=True, text=True, check=False, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {file: Page(file.read_text(encoding="utf-8")) for file in sorted(site.rglob("*.html"))}


def problems(site: Path, pages: dict[Path, Page]) -> Iterator[str]:
    for file, page in pages.items():
        where = file.relative_to(site).as_posix()
        for address in page.fetched:
            parts = urlsplit(address)
            if parts.scheme not in ("", "data") or parts.netloc:
                yield f"{where} fetches {address}"
            elif not parts.scheme and file.name != "404.html" and not (file.parent / unquote(parts.path)).is_file():
                yield f"{where} fetches {address}, which is not there"
        for address in page.links:
            parts = urlsplit(address)
            if parts.scheme or parts.netloc or file.name == "404.html":  # a link to elsewhere is a reader's choice
                continue
            target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            if target.is_dir():
                target /= "index.html"
            if not target.is_file():
                yield f"{where} links to {address}, which is not there"
            elif parts.fragment and target.suffix == ".html" and unquote(parts.fragment) not in pages[target].anchors:
                yield f"{where} links to {address}: no such anchor"
        for style in page.styles:
            yield from foreign(where, style)
    for file in site.rglob("*.css"):
        yield from foreign(file.relative_to(site).as_posix(), file.read_text(encoding="utf-8"))


def foreign(where: str, style: str) -> Iterator[str]:
    """What a style fetches from other hosts."""
    for address in re.findall(r"url\(\s*[\"']?([^\"')]+)", style) + re.findall(r"@import\s+[\"']([^\"']+)", style):
        if urlsplit(address).netloc:
            yield f"{where} fetches {address}"


@pytest.mark.slow
def test_no_page_needs_a_network_and_every_link_resolves(site: Path, pages: dict[Path, Page]) -> None:
    assert len(pages) > 25
    assert sum(len(page.links) for page in pages.values()) > 1000
    assert list(problems(site, pages)) == []


@pytest.mark.slow
def test_what_a_broken_site_looks_like(tmp_path: Path) -> None:
    """The checks above find what they look for."""
    (tmp_path / "a.html").write_text(
        '<script src="https://example.org/x.js"></script><link rel="stylesheet" href="//example.org/x.css">'
        '<a href="b.html">b</a><a href="#no">no</a><a href="#yes" id="yes">yes</a><img src="c.png">'
        "<style>p { background: url(https://example.org/p.png) }</style>",
        encoding="utf-8",
    )
    found = list(problems(tmp_path, {tmp_path / "a.html": Page((tmp_path / "a.html").read_text(encoding="utf-8"))}))
    assert len(found) == 6


@pytest.mark.slow
def test_the_reference_names_every_command_and_public_function(pages: dict[Path, Page]) -> None:
    import docs_commands
    import typer

    from mtjspice import cli

    by_name = {file.name: page for file, page in pages.items()}
    commands = [name for name, _ in docs_commands.helps(typer.main.get_command(cli.app))]
    assert {"mtjspice psw", "mtjspice study run", "mtjspice bits entropy"} <= set(commands)
    assert {name.replace(" ", "-") for name in commands} <= by_name["cli.html"].anchors
    for name in ("mtjspice.device.card.MTJCard.replace", "mtjspice.device.switching.switching_probability"):
        assert name in by_name["device.html"].anchors
    assert "mtjspice.circuits.simulation.simulate" in by_name["circuits.html"].anchors


def test_every_assumed_value_is_in_the_table() -> None:
    import docs_tables

    table = docs_tables.assumed()
    for file in sorted((ROOT / "models" / "cards").glob("*.toml")):
        card = tomllib.loads(file.read_text(encoding="utf-8"))
        entries = [key for key, entry in card["parameters"].items() if entry["status"] == "assumed"]
        rows = table.split(f"**{card['name']}**")[1].split("**")[0]
        assert entries
        for key in entries:
            # K_eff and the like appear as the anisotropy that they were turned into
            names = {key} | ({"interfacial_anisotropy"} if key in ANISOTROPIES else set())
            assert any(f"| `{name}` |" in rows for name in names), f"{file.name}: {key}"


ANISOTROPIES = {"effective_anisotropy", "thermal_stability_factor", "anisotropy_field"}


def test_links_outside_the_documentation_are_copied() -> None:
    pytest.importorskip("mkdocs")
    import docs_site

    text = "[a](x.md#b) and\n\n```\n[not](this.md)\n```\n\n[c](../d.md)"
    assert docs_site.outside_fences(text, str.upper) == "[A](X.MD#B) AND\n\n```\n[not](this.md)\n```\n\n[C](../D.MD)"
    assert docs_site.LINK.findall("[a](x.md#b) [b](https://e.org) [c](#d) ![p](p.png)") == [
        ("x.md", "#b"),
        ("p.png", ""),
    ]


def test_docstrings_become_markdown() -> None:
    pytest.importorskip("griffe")
    import docs_docstrings

    assert docs_docstrings.markdown("See :func:`f` and ``x``::\n\n    code\n") == "See `f` and `x`:\n\n    code\n"


# --- the files of the top level -----------------------------------------------------------------------------


def test_citation() -> None:
    """The fields that the Citation File Format 1.2.0 requires, one author who is an entity, our version and licence."""
    yaml = pytest.importorskip("yaml")
    found = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert found.keys() >= {"cff-version", "message", "title", "authors"}
    assert found["cff-version"] == "1.2.0"
    assert found["type"] == "software"
    assert found["authors"] == [{"name": "mtjspice contributors"}]
    assert found["version"] == project["version"]
    assert found["license"] == project["license"]
    allowed = {"abstract", "authors", "cff-version", "keywords", "license", "message", "title", "type", "version"}
    assert found.keys() <= allowed


def test_contributing_names_what_there_is() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"(?:`|^)make ([a-z-]+)", text, re.MULTILINE))
    assert {"check", "docs", "slow", "test", "dev"} <= named <= targets
    for script in re.findall(r"`(?:scripts/)?((?:vendor|write|docs|validation|fidelities)\w*\.py)", text):
        assert (ROOT / "scripts" / script).is_file() or (ROOT / "benchmarks" / script).is_file(), script
    for link in re.findall(r"\]\(([^)#]+)", text):
        assert (ROOT / link).is_file(), link


# --- in a browser -------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_pages_in_a_browser(site: Path) -> None:
    """Opened as files: nothing fails or comes from elsewhere, pages fit a narrow window, and the search finds."""
    from browser import browser, overflow
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    with browser() as driver:
        for name in ("index.html", "tutorial.html", "limits.html", "area.html", "reference/bits.html"):
            for width in (400, 1200):
                driver.set_window_size(width, 900)  # before the page: Material moves its drawer when a window changes
                driver.get_log("browser")
                driver.get((site / name).as_uri())
                fetched = driver.execute_script("return performance.getEntriesByType('resource').map(r => r.name)")
                assert [address for address in fetched if not address.startswith(("file:", "data:"))] == [], name
                assert driver.get_log("browser") == [], name
                assert overflow(driver, width) <= 0, f"{name} at {width} pixels"
        driver.get((site / "index.html").as_uri() + "?q=coupling_error")
        WebDriverWait(driver, 60).until(
            lambda one: any(
                "cosimulation.html" in (link.get_attribute("href") or "")
                for link in one.find_elements(By.CSS_SELECTOR, ".md-search-result__link")
            )
        )
