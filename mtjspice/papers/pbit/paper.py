"""The paper and its experiments."""

from mtjspice.papers.experiment import Paper

PAPER = Paper(key="pbit", title="", citation="", coverage="", experiments=())
