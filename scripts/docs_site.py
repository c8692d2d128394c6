"""Hooks of MkDocs (mkdocs.yml): pages made of other files of the repository, and links that leave docs/.

What is made here cannot go stale: the help of every command, tables of the cards, and the files of the top level.
"""

import posixpath
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

sys.path.insert(0, str(Path(__file__).parent))
import docs_tables  # beside this file
from docs_commands import commands_page

ROOT = Path(__file__).resolve().parent.parent
SOURCES = "source"  # folder of the site with the files of the repository that pages link to
LINK = re.compile(r"(?<=\]\()(?!\w+:|#|/)([^)\s#]+)(#[^)\s]*)?(?=\))")
FENCED = re.compile(r"^( *)(```+|~~~+).*?^\1\2", re.MULTILINE | re.DOTALL)
MARKER = re.compile(r"^<!-- table: ([a-z-]+) -->$", re.MULTILINE)
TABLES: Mapping[str, Callable[[], str]] = {
    "assumed": docs_tables.assumed,
    "discs": docs_tables.discs,
    "technologies": docs_tables.technologies,
}


def citation() -> str:
    """The page around CITATION.cff."""
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    return (
        "# Citation\n\nCite the version that you used; `mtjspice --version` prints it. Cite the papers behind a device "
        "card and a circuit as well: `mtjspice device show CARD` and `mtjspice netlist CIRCUIT --list` name them.\n\n"
        f'```yaml title="CITATION.cff"\n{text}```\n'
    )


# pages that stand in no file of docs/: by path in docs/, the file of the repository or what makes the text
MADE: Mapping[str, str | Callable[[], str]] = {
    "changelog.md": "CHANGELOG.md",
    "contributing.md": "CONTRIBUTING.md",
    "citation.md": citation,
    "reference/cli.md": commands_page,
}
PAGE_OF = {origin: page for page, origin in MADE.items() if isinstance(origin, str)}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages of `MADE`."""
    for page, origin in MADE.items():
        content = (ROOT / origin).read_text(encoding="utf-8") if isinstance(origin, str) else origin()
        files.append(File.generated(config, page, content=content))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Fill in the tables, and point links to files outside docs/ to their copies in the site."""
    uri = page.file.src_uri
    origin = MADE.get(uri)
    written_in = posixpath.dirname(origin if isinstance(origin, str) else f"docs/{uri}")
    markdown = MARKER.sub(lambda found: TABLES[found[1]](), markdown)

    def linked(found: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(written_in, found[1]))
        anchor = found[2] or ""
        if target in PAGE_OF:
            target = PAGE_OF[target]
        elif target.startswith("docs/"):
            target = target.removeprefix("docs/")
        elif (ROOT / target).is_file():
            target = copied(target, config, files)
        else:
            return found[0]  # MkDocs will say that there is no such file
        return posixpath.relpath(target, posixpath.dirname(uri) or ".") + anchor

    return outside_fences(markdown, lambda text: LINK.sub(linked, text))


def copied(target: str, config: MkDocsConfig, files: Files) -> str:
    """Have a file of the repository copied into the site, as text that browsers show; return its path there."""
    readable = (".png", ".svg", ".txt", ".csv", ".toml")
    place = f"{SOURCES}/{target}" if target.endswith(readable) else f"{SOURCES}/{target}.txt"
    if files.get_file_from_path(place) is None:
        files.append(File.generated(config, place, abs_src_path=str(ROOT / target)))
    return place


def outside_fences(markdown: str, change: Callable[[str], str]) -> str:
    """Apply ``change`` to all but the fenced blocks."""
    pieces, end = [], 0
    for block in FENCED.finditer(markdown):
        pieces += [change(markdown[end : block.start()]), block[0]]
        end = block.end()
    return "".join([*pieces, change(markdown[end:])])
