"""An extension of Griffe: docstrings are written in prose with a little reStructuredText, the site reads Markdown."""

import re
from typing import Any

import griffe

ROLE = re.compile(r":(?:func|class|mod|meth|data|attr):`~?([^`]+)`")
LITERAL = re.compile(r"(?<=\S)::$|^::$", re.MULTILINE)
DOUBLE = re.compile(r"``([^`]+)``")


def markdown(text: str) -> str:
    """Turn roles and literals into code; a literal block is indented in both."""
    text = ROLE.sub(r"`\1`", text)
    text = DOUBLE.sub(r"`\1`", text)
    return LITERAL.sub(lambda found: ":" if found.start() else "", text)


class Docstrings(griffe.Extension):
    """Translate every docstring."""

    def on_object(self, *, obj: Any, **_: Any) -> None:
        """Called for each module, class, function and attribute."""
        if obj.docstring is not None:
            obj.docstring.value = markdown(obj.docstring.value)
