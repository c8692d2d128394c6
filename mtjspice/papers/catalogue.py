"""The papers that are reproduced; each is loaded when it is asked for."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from mtjspice.errors import choose
from mtjspice.papers.experiment import Paper


def _meram() -> Paper:
    from mtjspice.papers.meram.paper import PAPER

    return PAPER


def _pbit() -> Paper:
    from mtjspice.papers.pbit.paper import PAPER

    return PAPER


def _stt_trng() -> Paper:
    from mtjspice.papers.stt_trng.paper import PAPER

    return PAPER


PAPERS: Mapping[str, Callable[[], Paper]] = MappingProxyType({"meram": _meram, "pbit": _pbit, "stt-trng": _stt_trng})


def paper_of(key: str) -> Paper:
    """The paper of that key; InputError with the known ones."""
    return PAPERS[choose("paper", key, PAPERS)]()
