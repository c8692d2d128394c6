"""The paper and its experiments."""

from mtjspice.papers.experiment import Paper

PAPER = Paper(key="stt-trng", title="", citation="", coverage="", experiments=())
