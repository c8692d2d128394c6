"""Figures of the validation: each function computes its points, draws them and returns both with what they say.

All sampled points have fixed seeds.
"""

from math import exp, inf
from typing import Any

import numpy as np
from scipy import stats
from validation_comparisons import IMEC, MERAM, STT, homogeneity
from validation_plotting import (
    MARKS,
    OPEN,
    Drawn,
    Floats,
    bars,
    given,
    long_table,
    new,
    rounded_square,
    scores,
    small,
)
from validation_references import power

from mtjspice.device import derived
from mtjspice.device.card import load_card
from mtjspice.device.switching import switching_probability, write_error_rate
from mtjspice.reports import style
from mtjspice.statistics import wilson

LONG = load_card("stt_trng_long")
# Independent macrospin program (other noise, other initial states), P_sw rounded to 0.01 of 1000 trials.
# ns: P_sw of a 1.2 V pulse on meram100
MERAM_REFERENCE = {
    0.2: 0.00, 0.3: 0.04, 0.4: 0.50, 0.5: 0.75, 0.6: 0.87, 0.8: 0.99, 1.0: 1.00, 1.2: 1.00, 1.4: 0.88, 1.6: 0.48,
    1.8: 0.19, 2.0: 0.08, 2.2: 0.03, 2.4: 0.08, 2.7: 0.38, 3.0: 0.64, 3.4: 0.82, 3.8: 0.70, 4.4: 0.40, 5.0: 0.38,
    6.0: 0.58,
}  # fmt: skip
# the same of a 1.9 V pulse on imec_iedm24; its 1000 draws of the drive were one set for all widths
IMEC_REFERENCE = {
    0.2: 0.10, 0.3: 0.40, 0.4: 0.63, 0.5: 0.86, 0.6: 0.89, 0.7: 0.90, 0.75: 0.90, 0.8: 0.88, 0.9: 0.78, 1.0: 0.63,
    1.1: 0.42, 1.2: 0.29, 1.4: 0.18, 1.6: 0.26, 1.8: 0.46, 2.2: 0.60, 2.4: 0.48, 2.7: 0.42, 3.0: 0.46, 4.4: 0.45,
}  # fmt: skip
# V: P_sw of a 10 ns pulse, AP to P, stt_trng_10ns
STT_REFERENCE = {
    0.20: 0.02, 0.22: 0.06, 0.24: 0.16, 0.26: 0.33, 0.28: 0.48, 0.30: 0.67, 0.32: 0.78, 0.34: 0.88, 0.38: 0.96,
}  # fmt: skip
# the same at 5 us, published of another device: Nature Communications 2025, s41467-025-66864-9, figure 1
LONG_PUBLISHED = {0.275: 0.25, 0.282: 0.48, 0.288: 0.81}

# (card, voltage in V, widths in ns): oscillating, damped, spread, elliptical, driven by torque, in a field along z
FAMILIES = (
    (MERAM, 1.2, (0.3, 0.4, 0.5, 0.6, 0.8, 1.2, 1.4, 1.6, 1.8, 2.2, 2.7, 3.4)),
    (MERAM.replace(cycle_to_cycle_spread=0.0, damping=0.1), 1.5, (0.35, 0.45, 0.6, 0.9, 1.3, 1.6, 1.9, 2.4, 3.0, 4.0)),
    (IMEC, 1.9, (0.2, 0.3, 0.4, 0.5, 0.7, 0.9, 1.1, 1.4, 1.8, 2.2, 2.7)),
    (IMEC, 1.4, (0.3, 0.5, 0.7, 0.9, 1.2, 1.5, 2.0)),
    (MERAM.replace(diameter_y=9.5e-8, bias_field_y=0.003), 1.2, (0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 2.5)),
    (STT, -0.3, (2.0, 4.0, 6.0, 8.0, 10.0, 12.0)),
    (STT, -0.4, (2.0, 3.0, 4.0, 5.0, 6.0, 8.0)),
    (MERAM.replace(perpendicular_field=0.004), 1.1, (0.3, 0.5, 0.8, 1.5)),
)  # fmt: skip


@small
def pulse_width() -> Drawn:
    """P_sw against the pulse width of the two VCMA devices."""
    figure, axes = new(4.3, 2, sharex=True)
    parts, quoted, squares, points = [], {}, 0.0, 0
    references = {"meram100": MERAM_REFERENCE, "imec_iedm24": IMEC_REFERENCE}
    for number, (axis, card, voltage) in enumerate(zip(axes, (MERAM, IMEC), (1.2, 1.9), strict=True)):
        reference = references[card.name]
        at = np.array(list(reference)) * 1e-9
        fine = np.unique(np.concatenate((np.arange(0.1, 6.3001, 0.02) * 1e-9, at)))
        counted_at = (np.append(np.arange(0.25, 2.5, 0.15), np.arange(2.6, 6.2, 0.3)) * 1e-9).round(14)
        everything = np.unique(np.concatenate((fine, counted_at)))
        line = switching_probability(card, voltage, everything, tolerance=1e-5)
        found = switching_probability(card, voltage, counted_at, "macrospin", trials=1000, seed=20 + number)
        exact = line["probability"].sel(pulse_width=counted_at).values[0]
        values, lengths = bars(found)
        axis.plot(everything * 1e9, line["probability"][0], color=style.BLUE, label="Fokker-Planck")
        axis.errorbar(
            counted_at * 1e9, values, lengths, color=style.RED, label="macrospin, 1000 trials, 95 %", zorder=3, **MARKS
        )
        axis.plot(
            list(reference),
            list(reference.values()),
            color=style.BLACK,
            label="independent macrospin",
            zorder=4,
            **OPEN,
        )
        axis.set(ylabel=r"$P_\mathrm{sw}$, P to AP", ylim=(-0.04, 1.05), xlim=(0, 6.3))
        axis.set_title(f"{card.name}, {voltage:g} V", loc="left", fontsize=8)
        z = scores(values, 1000, exact, number)
        squares, points = squares + float(np.sum(z**2)), points + len(z)
        square = rounded_square(
            np.array(list(reference.values())), line["probability"].sel(pulse_width=at, method="nearest").values[0]
        )
        quoted[card.name] = f"{square:.0f} for {len(at)} points, p = {stats.chi2.sf(square, len(at)):.2g}"
        parts += [(f"{card.name}, Fokker-Planck", line), (f"{card.name}, macrospin", found)]
    axes[-1].set_xlabel("pulse width, FWHM [ns]")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    p = float(stats.chi2.sf(squares, points))
    quoted["macrospin"] = f"{squares:.0f} for {points} points, p = {p:.2g}"
    table = long_table(*parts)
    given(table, "meram100, independent macrospin", MERAM_REFERENCE, voltage=1.2)
    given(table, "imec_iedm24, independent macrospin", IMEC_REFERENCE, voltage=1.9)
    return Drawn(figure, table, quoted, {"macrospin against pulse width": p})


def simultaneous_band(count: int, confidence: float = 0.95, draws: int = 20_000) -> tuple[Floats, Floats]:
    """Limits that all ``count`` ordered normal scores keep together with ``confidence``; equal chances at each."""
    k = np.arange(1, count + 1)
    uniform = np.sort(np.random.default_rng(1).random((draws, count)), axis=1)
    tails = stats.beta.cdf(uniform, k, count + 1 - k)
    level = np.quantile(np.minimum(tails, 1 - tails).min(axis=1), 1 - confidence)
    low, high = (stats.norm.ppf(stats.beta.ppf(q, k, count + 1 - k)) for q in (level, 1 - level))
    return np.asarray(low), np.asarray(high)


@small
def agreement() -> Drawn:
    """Scores of macrospin points against the Fokker-Planck equation, as a quantile-quantile plot."""
    trials = 2000
    columns: dict[str, Any] = {key: [] for key in ("card", "voltage [V]", "pulse_width [s]", "exact", "counted")}
    for number, (card, voltage, widths) in enumerate(FAMILIES):
        lengths = (np.array(widths) * 1e-9).round(14)
        exact = switching_probability(card, voltage, lengths, tolerance=1e-4)["probability"].values[0]
        found = switching_probability(card, voltage, lengths, "macrospin", trials=trials, seed=100 + number)
        rows = zip(lengths, exact, found["probability"].values[0], strict=True)
        for row in ((card.name, voltage, *point) for point in rows):
            for column, value in zip(columns.values(), row, strict=True):
                column.append(value)
    z = scores(columns["counted"], trials, columns["exact"], 1)
    count = len(z)
    expected = stats.norm.ppf((np.arange(1, count + 1) - 0.5) / count)
    low, high = simultaneous_band(count)
    figure, (axis,) = new(3.0)
    axis.fill_between(expected, low, high, color=style.SKY, alpha=0.35, linewidth=0, label="95 % of all normal samples")
    axis.axline((0, 0), slope=1, color=style.BLUE, label="normal")
    axis.plot(expected, np.sort(z), "o", markersize=2.6, color=style.RED, label=f"{count} points of {trials} trials")
    axis.set(xlabel="expected score", ylabel="score of macrospin\nagainst Fokker-Planck", xlim=(-2.7, 2.7))
    axis.set_ylim(-4, 4)
    axis.legend(loc="upper left")
    square, p = float(np.sum(z**2)), float(stats.kstest(z, "norm").pvalue)
    both = {"Kolmogorov-Smirnov of the scores": p, "sum of squared scores": float(stats.chi2.sf(square, count))}
    quoted = {
        "count": str(count), "trials": str(trials), "mean": f"{z.mean():+.2f}", "deviation": f"{z.std():.2f}",
        "largest": f"{abs(z).max():.2f}", "ks": f"{p:.2g}", "chi2": f"{both['sum of squared scores']:.2g}",
    }  # fmt: skip
    return Drawn(figure, {**columns, "score": z}, quoted, both)


@small
def voltage() -> Drawn:
    """P_sw against the voltage of the two spin-torque devices."""
    figure, axes = new(4.3, 2)
    reference = np.array(list(STT_REFERENCE))
    counted_at = np.round(np.arange(0.19, 0.4, 0.02), 3)
    volts = np.unique(np.round(np.concatenate((np.arange(0.17, 0.4101, 0.005), counted_at, reference)), 4))
    line = switching_probability(STT, volts, 1e-8, direction="ap-p", tolerance=1e-5)
    found = switching_probability(STT, counted_at, 1e-8, "macrospin", "ap-p", trials=1000, seed=30)
    slow_at = np.array([0.274, 0.278, 0.282, 0.286, 0.290])
    slow_volts = np.unique(np.round(np.concatenate((np.arange(0.262, 0.3001, 0.001), slow_at)), 4))
    slow = switching_probability(LONG, slow_volts, 5e-6, direction="ap-p", tolerance=1e-5)
    slow_found = switching_probability(LONG, slow_at, 5e-6, "macrospin", "ap-p", trials=100, seed=31)
    quoted, p_values = {}, {}
    for axis, exact, points, name in (
        (axes[0], line, found, "stt_trng_10ns, 10 ns"), (axes[1], slow, slow_found, "stt_trng_long, 5 µs"),
    ):  # fmt: skip
        trials = int(points["trials"].max())
        values, lengths = bars(points)
        axis.plot(exact["voltage"], exact["probability"][:, 0], color=style.BLUE, label="Fokker-Planck")
        label = f"macrospin, {trials} trials, 95 %"
        axis.errorbar(points["voltage"], values, lengths, color=style.RED, label=label, zorder=3, **MARKS)
        axis.set(ylabel=r"$P_\mathrm{sw}$, AP to P", ylim=(-0.04, 1.05))
        axis.set_title(name, loc="left", fontsize=8)
        z = scores(values, trials, exact["probability"].sel(voltage=points["voltage"]).values, 2)
        p = float(stats.chi2.sf(np.sum(z**2), len(z)))
        quoted[name.split(",")[0]] = f"{np.sum(z**2):.1f} for {len(z)} points, p = {p:.2g}"
        p_values[f"macrospin against voltage, {name}"] = p
    axes[0].plot(
        reference, list(STT_REFERENCE.values()), color=style.BLACK, label="independent macrospin", zorder=4, **OPEN
    )
    axes[1].plot(
        list(LONG_PUBLISHED), list(LONG_PUBLISHED.values()), color=style.BLACK, label="published, another device",
        zorder=4, **{**OPEN, "marker": "s"},
    )  # fmt: skip
    for axis in axes:
        axis.legend(loc="lower right")
    axes[-1].set_xlabel("voltage, top against bottom [V]")
    table = long_table(
        ("stt_trng_10ns, Fokker-Planck", line), ("stt_trng_10ns, macrospin", found),
        ("stt_trng_long, Fokker-Planck", slow), ("stt_trng_long, macrospin", slow_found),
    )  # fmt: skip
    given(table, "stt_trng_10ns, independent macrospin", STT_REFERENCE, width=1e-8)
    given(table, "stt_trng_long, published, another device", LONG_PUBLISHED, width=5e-6)
    return Drawn(figure, table, quoted, p_values)


@small
def error_rate() -> Drawn:
    """Write error rates down to 1e-12 with their estimated errors."""
    figure, axes = new(4.6, 2, sharey=True)
    plain = MERAM.replace(cycle_to_cycle_spread=0.0)
    fine, parts, largest = (np.arange(0.2, 3.0001, 0.02) * 1e-9).round(14), [], 0.0
    wide = (np.arange(0.5, 22.01, 0.25) * 1e-9).round(14)
    trials, p_values = 10_000, {}
    for axis, card, volts, widths, label, colour, dashes in (
        (axes[0], MERAM, 1.2, fine, "1.2 V, spread 5 %", style.BLUE, "-"),
        (axes[0], plain, 1.2, fine, "1.2 V, no spread", style.GREEN, "--"),
        (axes[0], plain, 1.5, fine, "1.5 V, no spread", style.ORANGE, "-."),
        (axes[1], STT, 0.4, wide, "0.4 V", style.BLUE, "-"),
        (axes[1], STT, 0.6, wide, "0.6 V", style.GREEN, "--"),
    ):
        towards = "ap-p" if card is STT else "p-ap"
        line = write_error_rate(card, volts, widths, direction=towards)
        rate = line["write_error_rate"].values[0]
        error = (line["high"] - line["low"]).values[0] / 2
        largest = max(largest, float(error.max()))
        shown = rate > error
        axis.plot(widths[shown] * 1e9, rate[shown], color=colour, linestyle=dashes, label=label)
        axis.fill_between(widths * 1e9, np.maximum(rate - error, 1e-16), rate + error, color=colour, alpha=0.3, lw=0)
        parts.append((f"{card.name}, {label}, Fokker-Planck", line))
        if colour == style.ORANGE:
            continue
        at = widths[(rate > 2e-3) & (rate < 0.5) & (widths < 1.3e-9 if axis is axes[0] else widths > 0)]
        at = at[:: max(1, len(at) // 4)][:4]
        found = write_error_rate(card, volts, at, "macrospin", towards, trials=trials, seed=40)
        values, lengths = bars(found, "write_error_rate")
        axis.errorbar(at * 1e9, values, lengths, color=colour, zorder=3, **MARKS)
        parts.append((f"{card.name}, {label}, macrospin", found))
        z = scores(values, trials, line["write_error_rate"].sel(pulse_width=at).values[0], 3)
        p_values[f"write errors, {card.name}, {label}"] = float(stats.chi2.sf(np.sum(z**2), len(z)))
    figures = derived.derive(STT)
    i, delta = 0.6 / figures.stt_critical_voltage, figures.thermal_stability_factor
    falling = 2 ** ((i - 1) / (i + 1)) * ((i - 1) / i) ** (2 / (i + 1)) * 2 * delta * (i - 1) / i
    refined = [-np.expm1(-falling * exp(-2 * (i - 1) * t / figures.relaxation_time)) for t in wide]
    axes[1].plot(wide * 1e9, refined, color=style.BLACK, linestyle=":", label="0.6 V, refined formula (13)")
    for axis, name in zip(axes, ("meram100, P to AP", "stt_trng_10ns, AP to P"), strict=True):
        axis.axhspan(1e-16, largest, color="#999999", alpha=0.25, lw=0)
        axis.set(yscale="log", ylim=(3e-15, 3), ylabel="write error rate", yticks=10.0 ** np.arange(-14, 1, 2))
        axis.set_title(name, loc="left", fontsize=8)
        axis.legend(loc="lower right" if axis is axes[0] else "lower left")
    axes[1].set(xlabel="pulse width, FWHM [ns]", xlim=(0, 22))
    axes[0].set_xlim(0, 3)
    lowest = [float(data["write_error_rate"].min()) for name, data in parts if "meram100" in name and "Fokker" in name]
    quoted = {
        "error": power(largest),
        "trials": str(trials),
        "p": f"{min(p_values.values()):.2g}",
        "counted": str(len(p_values)),
    }
    quoted |= {f"lowest{k}": power(value) for k, value in enumerate(lowest)}
    return Drawn(figure, long_table(*parts), quoted, p_values)


@small
def steps() -> Drawn:
    """P_sw at four noise steps and in single precision, less the Fokker-Planck value."""
    trials, places = 8000, ((MERAM, 1.2, 0.5), (MERAM, 1.2, 1.6), (IMEC, 1.9, 1.0), (STT, -0.28, 10.0))
    settings = [(f"{step:g} ps", step * 1e-12, "float64") for step in (0.25, 0.5, 1.0, 2.0)]
    settings.append(("1 ps, float32", 1e-12, "float32"))
    colours, shapes = (style.SKY, style.BLUE, style.BLACK, style.GREEN, style.RED), "osD^v"
    columns: dict[str, Any] = {
        key: [] for key in ("card", "voltage [V]", "pulse_width [s]", "setting", "exact", "counted", "low", "high")
    }
    figure, (axis,) = new(3.1)
    smallest, names = inf, []
    for place, (card, volts, width) in enumerate(places):
        exact = switching_probability(card, volts, width * 1e-9, tolerance=1e-5)["probability"].item()
        counts = []
        for k, (label, step, precision) in enumerate(settings):
            found = switching_probability(
                card, volts, width * 1e-9, "macrospin", trials=trials, seed=50 + 10 * place + k,
                precision=precision, noise_step=step,
            )  # fmt: skip
            value, lengths = bars(found)
            mark = {**MARKS, "fmt": shapes[k]}
            axis.errorbar(
                [place + 0.15 * (k - 2)], 100 * (value - exact), 100 * lengths, color=colours[k],
                label=None if place else label, **mark,
            )  # fmt: skip
            counts.append(value.item() * trials)
            interval = wilson(round(counts[-1]), trials)
            row = (card.name, volts, width * 1e-9, label, exact, value.item(), interval.low, interval.high)
            for column, entry in zip(columns.values(), row, strict=True):
                column.append(entry)
        smallest = min(smallest, homogeneity(np.array(counts), trials)[2])
        names.append(f"{card.name.split('_')[0]}\n{abs(volts):g} V, {width:g} ns\n$P_\\mathrm{{sw}}$ = {exact:.3f}")
    axis.axhline(0, color=style.BLACK, linewidth=0.8)
    axis.set_xticks(range(len(places)), names, fontsize=6.5)
    axis.set(ylabel="$P_\\mathrm{sw}$ less Fokker-Planck\n[percentage points]", ylim=(-3, 3))
    axis.grid(visible=False, axis="x")
    figure.legend(loc="outside upper center", ncols=3)
    quoted = {"trials": str(trials), "p": f"{smallest:.2g}"}
    return Drawn(figure, columns, quoted, {"independence of step and precision (smallest of 4)": smallest})


@small
def switching_map() -> Drawn:
    """P_sw of meram100 over voltage and pulse width."""
    volts = np.linspace(0.7, 2.2, 50).round(6)
    widths = (np.linspace(0.1, 6.0, 200) * 1e-9).round(15)
    data = switching_probability(MERAM, volts, widths, tolerance=1e-5)
    values, figures = data["probability"].values, derived.derive(MERAM)
    figure, (axis,) = new(2.9)
    axis.grid(visible=False)
    mesh = axis.pcolormesh(
        widths * 1e9, volts, values, shading="nearest", cmap="cividis", vmin=0, vmax=1, rasterized=True
    )
    axis.contour(widths * 1e9, volts, values, [0.5], colors="white", linewidths=0.9)
    for level, name in ((figures.overshoot_voltage, "dyn"), (figures.compensation_voltage, "c")):
        axis.axhline(level, color="white", linestyle="--", linewidth=0.8)
        axis.text(5.95, level + 0.015, rf"$V_\mathrm{{{name}}}$", color="white", ha="right", va="bottom", fontsize=8)
    figure.colorbar(mesh, ax=axis, label=r"$P_\mathrm{sw}$, P to AP")
    axis.set(xlabel="pulse width, FWHM [ns]", ylabel="voltage [V]")
    columns: dict[str, Any] = {"voltage [V]": volts}
    columns |= {f"{width:.6g} s": values[:, k].round(5) for k, width in enumerate(widths)}
    best = np.unravel_index(np.argmax(values), values.shape)
    error = float((data["high"] - data["low"]).max()) / 2
    quoted = {
        "error": power(error), "volts": str(len(volts)), "widths": str(len(widths)),
        "best": f"{values[best]:.4f} at {volts[best[0]]:.2f} V, {widths[best[1]] * 1e9:.2f} ns",
    }  # fmt: skip
    return Drawn(figure, columns, quoted)


FIGURES = {
    "pulse_width": pulse_width, "agreement": agreement, "voltage": voltage, "write_error_rate": error_rate,
    "steps": steps, "map": switching_map,
}  # fmt: skip
