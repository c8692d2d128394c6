"""The 18 analytic references: what each is, where it comes from, which tests assert it; tables of comparisons.

`validation_comparisons.py` evaluates them, `validation.py` writes them down.
"""

from dataclasses import dataclass
from math import erfc, isfinite, sqrt
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent / "tests"
PREFIXES = tuple(
    zip((1e9, 1e6, 1e3, 1, 1e-3, 1e-6, 1e-9, 1e-12, 1e-15), ("G", "M", "k", "", "m", "µ", "n", "p", "f"), strict=True)
)


@dataclass(frozen=True)
class Reference:
    """What a reference is; ``tests`` as file::name without ``test_``."""

    title: str
    formula: str
    source: str
    tests: tuple[str, ...]


@dataclass(frozen=True)
class Result:
    """One comparison. The deviation must lie between ``low`` and ``high``; ``error`` > 0 makes it one of sigmas."""

    number: int
    case: str
    ours: float
    formula: float
    unit: str
    low: float
    high: float
    error: float = 0.0

    @property
    def deviation(self) -> float:
        return (self.ours - self.formula) / self.error if self.error else self.ours / self.formula - 1

    @property
    def holds(self) -> bool:
        return self.low < self.deviation < self.high


SPIN_TORQUE = "validation::TestSpinTorque::"
REVERSAL = "validation::TestReversal::"
REFERENCES = {
    1: Reference("resonance in the tilted well", "f = (γ/2π) B_k √(1 − h²)", "Smit, Beljers 1955",
                 ("analytic::resonance_in_the_tilted_well",
                  "fokker_planck::TestGenerator::resonance_in_the_tilted_well")),
    2: Reference("in-plane mode above V_c", "f = (γ/2π) √(B_x (B_x − B_k(V)))", "Smit, Beljers 1955",
                 ("analytic::in_plane_mode_above_compensation",)),
    3: Reference("half period at V_c", "t = π (1 + α²)/(γ B_x)", "Larmor; Shiota 2012, Kanai 2012",
                 ("analytic::half_period_at_compensation",)),
    4: Reference("overshoot threshold, α → 0", "B_k(V_dyn) = 2 B_x/(1 + h)", "conservation of energy",
                 ("analytic::overshoot_threshold_without_damping",)),
    5: Reference("voltages and barrier", "V_c = K_eff t_f t_ox/ξ; V_b = V_c (1 − h); "
                 "Δ(V) = Δ₀ (1 − V/V_c) [1 − h/(1 − V/V_c)]²", "Stoner, Wohlfarth 1948",
                 ("card::TestDerived::identities", "card::TestBarrier::voltages",
                  "analytic::a_barrier_vanishes_at_its_voltage")),
    6: Reference("thermal equilibrium", "p(m) ~ exp(−E/kT), ⟨sin²θ⟩ by quadrature", "Brown 1963",
                 ("macrospin::TestThermalEquilibrium::boltzmann",)),
    7: Reference("initial angle", "θ Rayleigh: ⟨sin²θ⟩ = (1 + 1/(2Δ))/Δ, median √(ln 2/Δ)", "Sun 2006, Butler 2012",
                 ("validation::thermal_angle_is_rayleigh",
                  "macrospin::TestThermalStates::angle_without_field_is_rayleigh")),
    8: Reference("critical voltage of spin torque", "V_c0 = 4 e α E_b/(ħ P G₀)", "Slonczewski 1996, Sun 2000",
                 ("analytic::critical_voltage_of_spin_torque", "card::TestDerived::identities")),
    9: Reference("switching time at T = 0", "t/τ_D = ln[1/(1−z)]/(2(i−1)) + ln(1+z)/(2(i+1)) + ln[(i−z)/i]/(i²−1), "
                 "z = cos θ₀", "Butler 2012", ("analytic::switching_time_of_spin_torque",)),
    10: Reference("logarithmic law", "t = τ_D/(i−1) ln(π/(2θ₀)), θ₀ = 0.1", "Sun 2000",
                  (SPIN_TORQUE + "suns_logarithmic_law",)),
    11: Reference("write error rate: Fokker-Planck, trials", "finite volumes of the axial equation",
                  "Brown 1963, Butler 2012, Tzoufras 2018",
                  ("fokker_planck::TestSpinTorque::write_error_rate",
                   "fokker_planck::TestSpinTorque::deep_write_error_rates",
                   "validation::macrospin_against_fokker_planck")),
    12: Reference("closed write error rate", "1 − exp{−(π²/4) Δ (i−1)/(i e^{2(i−1)τ} − 1)}",
                  "Butler 2012, Khvalkovskiy 2013", (SPIN_TORQUE + "closed_write_error_rate",)),
    13: Reference("refined write error rate", "1 − exp{−Δ ((i−1)/i) θ_c²}, "
                  "θ_c² = 2 e^{−2(i−1)τ} 2^{(i−1)/(i+1)} ((i−1)/i)^{2/(i+1)}", "9 with the spread of the linear stage",
                  (SPIN_TORQUE + "closed_write_error_rate",)),
    14: Reference("rate of reversal", "weak form of Brown's equation; λ = (2/τ_D) √(Δ/π) e^{−Δ}",
                  "Néel 1949, Brown 1963",
                  (REVERSAL + "neel_brown_and_its_interpolation", "fokker_planck::TestGenerator::rate_of_reversal",
                   "macrospin::TestThermalEquilibrium::rate_of_reversal")),
    15: Reference("its interpolation", "τ = τ_N (e^Δ − 1)/(2Δ) [√(Δ/π)/(1 + 1/Δ) + 2^{−Δ−1}]⁻¹, τ_N = Δ τ_D",
                  "Cregg 1994, Coffey", (REVERSAL + "neel_brown_and_its_interpolation",)),
    16: Reference("low barrier", "τ → τ_N for Δ → 0; ⟨m_z⟩ from the weight e^{Δ(z² + 2iz)}", "Brown 1963, Kaiser 2019",
                  (REVERSAL + "low_barrier_device_relaxes_as_a_free_moment",
                   REVERSAL + "mean_of_a_low_barrier_device_follows_the_torque")),
    17: Reference("independence of the noise step", "0.25, 0.5, 1, 2 ps: one P_sw (χ² of homogeneity)",
                  "fluctuation-dissipation",
                  ("validation::probability_does_not_depend_on_the_step",
                   "macrospin::TestSwitchingProbability::independent_of_the_noise_step")),
    18: Reference("electrical", "R = RA/A · (1 + TMR); TMR(V_h) = TMR₀/2; G linear in m_z; E = ∫ V² G dt + C V²",
                  "Slonczewski 1989, Brinkman 1970",
                  ("card::TestDerived::conductance",
                   "macrospin::TestNumerics::compiled_conductance_is_that_of_the_card",
                   "cosim::ngspice_saw_the_conduction_law",
                   "meram::junction_energy_is_the_joule_heat_of_the_recorded_waveforms")),
}  # fmt: skip


def split(test: str) -> tuple[Path, str]:
    """File and function of a test, after making sure that it is there."""
    file, *_, name = test.split("::")
    path = TESTS / f"test_{file}.py"
    if f"def test_{name}(" not in path.read_text(encoding="utf-8"):
        raise LookupError(f"{path.name} has no test_{name}")
    return path, f"test_{name}"


def false_alarm(sigmas: float) -> float:
    """Chance that a normal score exceeds ``sigmas`` in magnitude."""
    return erfc(sigmas / sqrt(2))


def prefixed(value: float, unit: str) -> str:
    """Five digits, with an SI prefix where there is a unit."""
    if unit in ("", "rad"):
        return f"{value:.5g} {unit}".rstrip()
    scale, prefix = next((pair for pair in PREFIXES if abs(value) >= pair[0]), PREFIXES[-1])
    return f"{value / scale:.5g} {prefix}{unit}"


def power(value: float) -> str:
    """One digit and a short exponent: 7e-6."""
    digits, exponent = f"{value:.0e}".split("e")
    return f"{digits}e{int(exponent)}"


def percent(value: float, sign: str = "") -> str:
    return f"{100 * value:{sign}.3g} %" if value else "0 %"


def deviation(result: Result) -> str:
    share = result.deviation
    if result.error:
        return f"{share:+.1f} σ"
    if abs(share) < 1e-12:  # rounding
        return "0"
    return f"{100 * share:+.1f} %" if abs(share) >= 1e-3 else ("+" if share > 0 else "") + power(share)


def tolerance(result: Result) -> str:
    if result.error and not isfinite(result.low):
        return f"{result.high:.1f} σ ({power(false_alarm(result.high) / 2)})"
    if result.error:
        return f"±{result.high:g} σ ({power(false_alarm(result.high))})"
    if result.low == -result.high:
        return f"±{percent(result.high)}" if result.high >= 1e-3 else f"±{power(result.high)}"
    return f"{percent(result.low, '+')} to {percent(result.high, '+')}"


def what_they_are(tests: str) -> str:
    """Markdown table of the references; ``tests`` is the way to the folder of the tests."""
    lines = ["| # | reference | formula | source | asserted by |", "| --- | --- | --- | --- | --- |"]
    for number, reference in REFERENCES.items():
        names = []
        for test in reference.tests:
            path, name = split(test)
            names.append(f"[{name}]({tests}/{path.name})")
        lines.append(
            f"| {number} | {reference.title} | {reference.formula} | {reference.source} | {', '.join(names)} |"
        )
    return "\n".join(lines)


def how_far_apart(results: list[Result]) -> str:
    """Markdown table of the comparisons."""
    lines = ["| # | case | ours | formula | deviation | tolerance |", "| --- | --- | --- | --- | --- | --- |"]
    for result in results:
        values = [prefixed(value, result.unit) for value in (result.ours, result.formula)]
        mark = "" if result.holds else " **exceeded**"
        cells = (str(result.number), result.case, *values, deviation(result) + mark, tolerance(result))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def columns(results: list[Result]) -> dict[str, list[object]]:
    """The comparisons as columns of numbers."""
    keys = ("number", "case", "ours", "formula", "unit", "error", "deviation", "low", "high")
    return {key: [getattr(result, key) for result in results] for key in keys}
