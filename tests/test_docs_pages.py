"""The pages of docs/: their examples run in order and print what the pages say; the pictures are what they draw."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("scripts_on_path")

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
QUICK = (
    "how-to/circuit.md", "how-to/deck.md", "how-to/python.md", "how-to/technology.md", "limits.md", "numerics.md",
    "physics.md", "tutorial.md",
)  # fmt: skip
LONG = ("how-to/calibrate.md", "how-to/cluster.md", "how-to/junction.md", "how-to/main-job.md", "how-to/use-bits.md")


def check(name: str, folder: Path) -> None:
    import docs_examples

    assert docs_examples.check(name, folder) == []


@pytest.mark.parametrize("name", QUICK)
def test_examples_print_what_the_page_says(name: str, tmp_path: Path) -> None:
    check(name, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", LONG)
def test_long_examples_print_what_the_page_says(name: str, tmp_path: Path) -> None:
    check(name, tmp_path)


def test_every_page_with_commands_is_run() -> None:
    """A page that shows commands is listed here, or its Python is run by test_docs.py or test_area.py."""
    import docs_examples

    listed = {*QUICK, *LONG}
    assert set(docs_examples.PAGES) == listed
    elsewhere = {"area.md", "bits.md", "circuits.md", "generative.md", "layout.md", "papers.md", "studies.md"}
    for page in DOCS.rglob("*.md"):
        name = page.relative_to(DOCS).as_posix()
        runnable = [
            b for b in docs_examples.blocks(page.read_text(encoding="utf-8")) if b.language in docs_examples.RUN
        ]
        assert not runnable or name in listed | elsewhere, name
    for name in listed:
        page = (DOCS / name).read_text(encoding="utf-8")
        assert any(block.language in docs_examples.RUN for block in docs_examples.blocks(page)), name
        silent = re.findall(r"^```text[^\n]*\n```", page, re.MULTILINE)
        assert not silent, f"{name}: an example without its output"


@pytest.mark.slow
def test_the_picture_of_the_word_is_what_the_job_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    import docs_picture

    monkeypatch.setattr("sys.argv", ["docs_picture.py", "--check"])
    assert docs_picture.main() == 0


# --- the comparison itself ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "printed", "right"),
    [
        ("a 1.00 b", "a 1.005 b", True),
        ("a 1.00 b", "a 1.03 b", False),
        ("a 1.00 b", "a 1.00 c", False),
        ("100 of 100", "100 of 102", False),
        ("x -0.005", "x -0.004", True),
        ("x -0.005", "x 0.005", False),
        ("2.0e-06", "2.1e-06", True),
        ("2.0e-06", "2.6e-06", False),
        ("1.2e-13 J", "9.0e-13 J", False),
        ("cosim in ngspice-39", "cosim in ngspice-44.2", True),
        ("a\n...\nc", "a\nb\nb\nc", True),
        ("a\n...\nc", "a\nb\nb", False),
        ("a\n...", "a\nb", True),
        ("...\nb\n...", "a\nb\nc", True),
        ("...\nb", "a\nb\nc", False),
        ("a\n...\nb\nc\n...", "a\nx\nb\nx\nb\nc\nd", True),
        ("a\nb", "a\nb\nc", False),
        ("a\nb\nc", "a\nb", False),
    ],
)
def test_what_agrees(said: str, printed: str, right: bool) -> None:
    import docs_examples

    assert docs_examples.agrees(said, printed) is right


def test_a_page_that_says_something_else_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import docs_examples

    page = (
        '# T\n\n```python title="one.py"\nVALUE = 2\n```\n\n'
        "```python\nfrom one import VALUE\nprint(VALUE)\n```\n\n```text\n{}\n```\n"
    )
    monkeypatch.setattr(docs_examples, "DOCS", tmp_path)
    folder = tmp_path / "run"
    folder.mkdir()
    (tmp_path / "t.md").write_text(page.format("3"), encoding="utf-8")
    (wrong,) = docs_examples.check("t.md", folder)
    assert "-3" in wrong
    assert "+2" in wrong
    assert docs_examples.write("t.md", folder) == []
    assert (tmp_path / "t.md").read_text(encoding="utf-8") == page.format("2")
    (tmp_path / "t.md").write_text(page.replace("print", "raise SystemExit"), encoding="utf-8")
    with pytest.raises(RuntimeError, match="exit code 2"):
        docs_examples.check("t.md", folder)
