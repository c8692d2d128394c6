"""Self-contained HTML: text, tables and figures in one file, readable in a narrow window, in print and in the dark."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from jinja2 import Environment


@dataclass(frozen=True)
class Picture:
    """A figure of a report: ``anchor`` is its id, ``alt`` says in words what it shows."""

    anchor: str
    caption: str
    alt: str
    png: bytes

    @property
    def source(self) -> str:
        """The image as a data URI."""
        return "data:image/png;base64," + b64encode(self.png).decode("ascii")


@dataclass(frozen=True)
class Table:
    """A table; all cells are text."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = ""


@dataclass(frozen=True)
class Section:
    """A heading with paragraphs, figures and tables, in this order."""

    title: str
    paragraphs: Sequence[str] = ()
    pictures: Sequence[Picture] = ()
    tables: Sequence[Table] = ()


def render(title: str, lead: str, sections: Sequence[Section], footer: str) -> str:
    """Return the report as one HTML page; all text is escaped."""
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string((files("mtjspice.reports") / "report.html").read_text(encoding="utf-8"))
    return template.render(title=title, lead=lead, sections=sections, footer=footer)
