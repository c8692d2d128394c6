"""Self-contained HTML: text, tables and figures in one file, readable in a narrow window, in print and in the dark."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader
from markupsafe import Markup


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
    return page("mtjspice.reports", "report.html", title=title, lead=lead, sections=sections, footer=footer)


def page(package: str, template: str, **values: Any) -> str:
    """Fill a template of a package in, which extends page.html; all values are escaped but the style."""
    shared = FunctionLoader(partial(_source, "mtjspice.reports"))
    environment = Environment(loader=shared, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    style = Markup(_source("mtjspice.reports", "page.css"))
    return environment.from_string(_source(package, template)).render(style=style, **values)


def _source(package: str, name: str) -> str:
    return (files(package) / name).read_text(encoding="utf-8")
