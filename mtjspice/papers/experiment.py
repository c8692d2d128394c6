"""An experiment: a question to a paper, what answers it, and how its figures are drawn."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, TypeVar

from mtjspice.errors import InputError
from mtjspice.papers.sections import Columns, Section

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_T = TypeVar("_T")


@dataclass(frozen=True)
class Context:
    """How an experiment is run: ``quick`` for a look, all seeds from ``seed``."""

    quick: bool
    seed: int

    def effort(self, quick: _T, full: _T) -> _T:
        """One of two settings."""
        return quick if self.quick else full


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """``run`` computes the section; ``draw`` has a function for each figure, which gets that figure's columns.

    ``minutes`` says about how long it takes on one core (quick, full).
    ``modules`` and ``data`` are what it needs beyond the package: Python modules, and names of `mtjspice data list`.
    """

    key: str
    title: str
    question: str
    run: Callable[[Context], Section]
    draw: Mapping[str, Callable[[Columns], "Figure"]]
    minutes: tuple[float, float]
    modules: Sequence[str] = ()
    data: Sequence[str] = ()

    def missing(self) -> str:
        """What is not there and how to get it, in a line; empty if nothing is missing."""
        absent = [name for name in self.modules if find_spec(name.partition(".")[0]) is None]
        if absent:
            extra = "layout" if "klayout" in absent else "generative"
            return f"needs {' and '.join(absent)} (pip install 'mtjspice[{extra}]')"
        if self.data:
            from mtjspice.generative.data.place import locate

            for name in self.data:
                try:
                    locate(name)
                except InputError:
                    return f"needs {' and '.join(self.data)} (mtjspice data fetch)"
        return ""


@dataclass(frozen=True, kw_only=True)
class Paper:
    """A paper: how it is cited, what of it could be read, and the experiments about it."""

    key: str
    title: str
    citation: str
    coverage: str
    experiments: Sequence[Experiment]

    def experiment(self, key: str) -> Experiment:
        """The experiment of that key; KeyError if there is none."""
        return {one.key: one for one in self.experiments}[key]
