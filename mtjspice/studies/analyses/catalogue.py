"""The analyses by name."""

from collections.abc import Mapping
from types import MappingProxyType

from mtjspice.errors import choose
from mtjspice.studies.analyses.array_map import ARRAY_MAP
from mtjspice.studies.analyses.base import Analysis
from mtjspice.studies.analyses.drift import DRIFT
from mtjspice.studies.analyses.energy import ENERGY
from mtjspice.studies.analyses.rare import RARE
from mtjspice.studies.analyses.read_disturb import READ_DISTURB
from mtjspice.studies.analyses.read_yield import READ_YIELD
from mtjspice.studies.analyses.self_heating import SELF_HEATING
from mtjspice.studies.analyses.sensitivity import SENSITIVITY
from mtjspice.studies.analyses.summary import SUMMARY
from mtjspice.studies.analyses.supply import SUPPLY_SENSITIVITY
from mtjspice.studies.analyses.switching import SWITCHING
from mtjspice.studies.analyses.write_errors import WRITE_ERRORS
from mtjspice.studies.study import Study

_ALL = (
    SUMMARY, SWITCHING, ENERGY, WRITE_ERRORS, READ_YIELD, READ_DISTURB, ARRAY_MAP, DRIFT, SELF_HEATING,
    SUPPLY_SENSITIVITY, SENSITIVITY, RARE,
)  # fmt: skip
ANALYSES: Mapping[str, Analysis] = MappingProxyType({one.name: one for one in _ALL})


def analysis_of(study: Study) -> Analysis:
    """Return the analysis of a study, after it was checked that it fits; InputError otherwise."""
    found = ANALYSES[choose("analysis", study.analysis or SUMMARY.name, ANALYSES)]
    found.check_options(study)
    found.check(study)
    return found
