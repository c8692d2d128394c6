"""What the tests of SP 800-22 return."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from mtjspice.bits.sp800_22.settings import Constants


@dataclass(frozen=True)
class Finding:
    """What one test computed: p-values, a label for each ("" where there is only one), what it used.

    ``note`` says why a test is not ``applicable``, or what weakens it.
    """

    p_values: tuple[float, ...]
    labels: tuple[str, ...]
    parameters: Mapping[str, int | float | str]
    applicable: bool = True
    note: str = ""


@dataclass(frozen=True)
class TestResult:
    """One test of one sequence.

    ``passed`` is None without p-values. A test with k p-values passes if the smallest is at least the "threshold"
    among its ``parameters``, 1 - (1 - significance)^(1/k) after Šidák, so that about the fraction ``significance``
    of good sequences fails whatever k is.
    """

    __test__: ClassVar[bool] = False  # nothing for pytest to collect

    name: str
    p_values: tuple[float, ...]
    labels: tuple[str, ...]
    applicable: bool
    passed: bool | None
    parameters: Mapping[str, int | float | str]
    note: str

    def as_dict(self) -> dict[str, Any]:
        """Plain types for JSON."""
        return {
            "name": self.name,
            "p_values": list(self.p_values),
            "labels": list(self.labels),
            "passed": self.passed,
            "applicable": self.applicable,
            "parameters": dict(self.parameters),
            "note": self.note,
        }


def judged(name: str, finding: Finding, significance: float) -> TestResult:
    """Return the result of a test with its verdict."""
    parameters, passed = finding.parameters, None
    if finding.p_values:
        threshold = -math.expm1(math.log1p(-significance) / len(finding.p_values))
        parameters = {**parameters, "threshold": threshold}
        passed = min(finding.p_values) >= threshold
    return TestResult(name, finding.p_values, finding.labels, finding.applicable, passed, parameters, finding.note)


@dataclass(frozen=True)
class SuiteResult:
    """All tests of one sequence of ``length`` bits, in the order of `suite.NAMES`."""

    length: int
    constants: Constants
    significance: float
    results: tuple[TestResult, ...]

    def __getitem__(self, name: str) -> TestResult:
        """Return the result of the test ``name``; KeyError if it was not asked for."""
        for result in self.results:
            if result.name == name:
                return result
        raise KeyError(name)

    @property
    def p_value_count(self) -> int:
        """Number of p-values, 188 if all tests are applicable with their usual settings."""
        return sum(len(result.p_values) for result in self.results)

    def p_values_below(self) -> int:
        """Number of single p-values below ``significance``; chance alone puts ``significance`` of all there."""
        return sum(p < self.significance for result in self.results for p in result.p_values)

    def as_dict(self) -> dict[str, Any]:
        """Plain types for JSON."""
        return {
            "suite": "sp800-22",
            "constants": self.constants,
            "significance": self.significance,
            "length": self.length,
            "p_value_count": self.p_value_count,
            "p_values_below_significance": self.p_values_below(),
            "tests": [result.as_dict() for result in self.results],
        }
