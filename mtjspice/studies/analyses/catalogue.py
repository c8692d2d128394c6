"""The analyses by name."""

from collections.abc import Mapping
from types import MappingProxyType

from mtjspice.errors import choose
from mtjspice.studies.analyses.base import Analysis
from mtjspice.studies.analyses.summary import SUMMARY
from mtjspice.studies.study import Study

ANALYSES: Mapping[str, Analysis] = MappingProxyType({one.name: one for one in (SUMMARY,)})


def analysis_of(study: Study) -> Analysis:
    """Return the analysis of a study, after it was checked that it fits; InputError otherwise."""
    found = ANALYSES[choose("analysis", study.analysis or SUMMARY.name, ANALYSES)]
    found.check_options(study)
    found.check(study)
    return found
