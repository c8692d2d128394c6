"""Run the examples of pages of docs/ in order, in an empty folder, and compare what they print with the page.

    scripts/docs_examples.py --check [PAGE ...]     # exit 1 where a page says something else
    scripts/docs_examples.py [PAGE ...]             # write what was printed, and the pictures that pages show

In a page, ```sh and ```python blocks are run, a block with title="FILE" is written to that file, and a ```text block
directly behind one that was run is what it prints: words must be equal, numbers agree within 1 % or two units of the
last digit behind their point, a line `...` stands for any lines. ```console blocks are not run (set-up, other
machines). A picture images/PAGE/NAME is the file NAME that an example wrote.
"""

import argparse
import difflib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from math import isclose
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
# pages whose every example runs
PAGES = (
    "tutorial.md", "physics.md", "numerics.md", "limits.md", "how-to/main-job.md", "how-to/junction.md",
    "how-to/calibrate.md", "how-to/deck.md", "how-to/circuit.md", "how-to/technology.md", "how-to/python.md",
    "how-to/cluster.md", "how-to/use-bits.md",
)  # fmt: skip
TOLERANCE = 0.01  # of numbers, relative: other simulators, other processors
UNITS = 2  # of the last digit behind a point, that numbers may differ by
TIME_LIMIT = 600  # s, an example
BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$\n?", re.MULTILINE | re.DOTALL)
PICTURE = re.compile(r"!\[[^\]]*\]\((?:\.\./)*(images/[\w-]+/[\w.-]+)\)")
NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
RUN = ("sh", "python")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, title, text, and where the text stands in the page."""

    language: str
    title: str
    text: str
    start: int
    end: int
    follows: bool  # directly behind the block before it


def blocks(page: str) -> list[Block]:
    """All fenced blocks of a page."""
    found, last = [], -1
    for match in BLOCK.finditer(page):
        title = re.search(r'title="([^"]+)"', match[2])
        follows = last >= 0 and not page[last : match.start()].strip()
        found.append(Block(match[1], title[1] if title else "", match[3], match.start(3), match.end(3), follows))
        last = match.end()
    return found


def execute(block: Block, folder: Path) -> str:
    """Run one block in ``folder`` with this interpreter's programs; return what it printed."""
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "COLUMNS": "120",
        "OMP_NUM_THREADS": "1",
        "MPLBACKEND": "agg",
    }
    if block.language == "python":
        command = [sys.executable, "-W", "error", "-c", block.text]
    else:
        command = ["bash", "-euo", "pipefail", "-c", block.text.replace(".venv/bin/", "")]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=TIME_LIMIT, check=False
    )
    if done.returncode:
        raise RuntimeError(f"exit code {done.returncode}\n{block.text}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def same_line(said: str, printed: str) -> bool:
    """Whether two lines have the same words, and numbers within the tolerance."""
    if NUMBER.sub("0", said).split() != NUMBER.sub("0", printed).split():
        return False
    pairs = zip(NUMBER.findall(said), NUMBER.findall(printed), strict=True)
    return all(
        a == b or isclose(float(a), float(b), rel_tol=TOLERANCE, abs_tol=UNITS * last_digit(a)) for a, b in pairs
    )


def last_digit(number: str) -> float:
    """What one unit of the last digit behind the point is worth; 0 for a whole number, which has none."""
    mantissa, _, exponent = number.lower().partition("e")
    decimals = len(mantissa.partition(".")[2])
    return 10.0 ** (int(exponent or 0) - decimals) if decimals else 0.0


def plain(text: str) -> list[str]:
    """Lines without what differs between machines: trailing blanks, the simulator's version."""
    return [re.sub(r"ngspice-[\d.]+", "ngspice", line.rstrip()) for line in text.rstrip("\n").split("\n")]


def agrees(said: str, printed: str) -> bool:
    """Whether ``printed`` is what the page says, whose lines `...` stand for any lines."""
    reachable = {0}  # how many printed lines may have been used up
    lines = plain(printed)
    for line in plain(said):
        if line == "...":
            reachable = set(range(min(reachable), len(lines) + 1)) if reachable else set()
        else:
            reachable = {k + 1 for k in reachable if k < len(lines) and same_line(line, lines[k])}
    return len(lines) in reachable


def run_page(name: str, folder: Path) -> Iterator[tuple[Block, str]]:
    """Run a page's examples in ``folder``; yield each block of expected output with what was printed."""
    printed: str | None = None
    for block in blocks((DOCS / name).read_text(encoding="utf-8")):
        if block.title:
            (folder / block.title).parent.mkdir(parents=True, exist_ok=True)
            (folder / block.title).write_text(block.text, encoding="utf-8")
        elif block.language in RUN:
            printed = execute(block, folder)
            continue
        elif block.language == "text" and block.follows and printed is not None:
            yield block, printed
        printed = None


def pictures(name: str) -> list[str]:
    """The pictures of a page that its examples make, as paths in docs/."""
    stem = Path(name).stem
    found = PICTURE.findall((DOCS / name).read_text(encoding="utf-8"))
    return [path for path in found if path.startswith(f"images/{stem}/")]


def alike(kept: Path, fresh: Path) -> bool:
    """Whether two pictures look the same; fonts and their rendering may differ a little."""
    import numpy as np
    from matplotlib.image import imread

    if not kept.is_file() or not fresh.is_file():
        return False
    a, b = imread(kept), imread(fresh)
    return a.shape == b.shape and float(np.abs(np.subtract(a, b, dtype=np.float64)).mean()) < 0.02


def check(name: str, folder: Path) -> list[str]:
    """Run a page; return what differs from it."""
    wrong = []
    for block, printed in run_page(name, folder):
        if not agrees(block.text, printed):
            lines = difflib.unified_diff(plain(block.text), plain(printed), "page", "printed", lineterm="", n=0)
            wrong.append("\n".join([f"{name}:", *lines]))
    wrong += [
        f"{name}: {path} is another picture" for path in pictures(name) if not alike(DOCS / path, made(path, folder))
    ]
    return wrong


def made(path: str, folder: Path) -> Path:
    """Where an example wrote the picture ``path``."""
    return folder / Path(path).name


def write(name: str, folder: Path) -> list[str]:
    """Run a page, and write into it what its examples printed; return what has to be done by hand."""
    page, pieces, end, by_hand = (DOCS / name).read_text(encoding="utf-8"), [], 0, []
    for block, printed in run_page(name, folder):
        text = block.text
        if not agrees(text, printed):
            if "\n...\n" in f"\n{text}":
                by_hand.append(f"{name}: shorten by hand\n{printed}")
            else:
                text = "\n".join(line.rstrip() for line in printed.rstrip().split("\n")) + "\n"
        pieces += [page[end : block.start], text]
        end = block.end
    (DOCS / name).write_text("".join([*pieces, page[end:]]), encoding="utf-8")
    for path in pictures(name):
        if not alike(DOCS / path, made(path, folder)):
            (DOCS / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(made(path, folder), DOCS / path)
    return by_hand


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("pages", nargs="*", help="pages below docs/; all that are run if none are given")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where a page says something else")
    options = parser.parse_args()
    wrong = []
    for name in options.pages or PAGES:
        with TemporaryDirectory() as folder:
            wrong += (check if options.check else write)(name, Path(folder))
    print("\n".join(wrong), file=sys.stderr, end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
