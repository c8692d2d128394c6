"""Min-entropy assessments as a table and as a figure."""

import numpy as np
import pytest

from mtjspice.bits.sp800_90b.assessment import NAMES, assess
from mtjspice.reports import entropy, style


def ideal(n, seed=0):
    return assess(np.random.default_rng(seed).integers(0, 2, n, dtype=np.uint8))


def test_table():
    assessment = ideal(3_000)
    header, rows = entropy.table(assessment)
    assert header == ("estimator", "min-entropy [bit/bit]", "from")
    assert [row[0] for row in rows] == [*NAMES, "assessed"]
    assert all(len(row) == len(header) for row in rows)
    by_name = {row[0]: row for row in rows}
    assert by_name["compression"][1:] == ("n/a", "needs at least 6006 bits, got 3000")
    assert by_name["assessed"][1:] == (f"{assessment.min_entropy:.6f}", f"the least: {assessment.smallest}")
    assert by_name["lag"][1] == f"{assessment['lag'].min_entropy:.6f}"
    assert "longest run" in by_name["lag"][2]
    assert by_name["markov"][2].startswith("p 0→1 = ")


def test_figure_shows_every_estimate():
    good, stuck = ideal(20_000), assess(np.r_[np.random.default_rng(1).integers(0, 2, 3_000), np.zeros(2_000, int)])
    figure = entropy.figure({"good": good, "stuck": stuck})
    axis = figure.axes[0]
    drawn = {line.get_label(): line.get_xdata() for line in axis.lines}
    assert drawn["good"] == pytest.approx([*(one.min_entropy for one in good.estimates), good.min_entropy])
    applicable = [one.min_entropy for one in stuck.estimates if one.min_entropy is not None]
    assert drawn["stuck"] == pytest.approx([*applicable, stuck.min_entropy])
    assert [text.get_text() for text in axis.texts] == ["n/a"]  # compression of 5000 bits
    assert [tick.get_text() for tick in axis.get_yticklabels()][-1] == "assessed"
    assert axis.get_xlabel() == "min-entropy per bit (bit)"
    assert style.render(figure) == style.render(entropy.figure({"good": good, "stuck": stuck}))


def test_figure_of_some_estimators():
    some = assess(np.random.default_rng(2).integers(0, 2, 900), names=["lag", "markov"])
    axis = entropy.figure({"two": some}).axes[0]
    drawn = next(line for line in axis.lines if line.get_label() == "two")
    assert len(drawn.get_xdata()) == 3


def test_figure_of_nothing():
    with pytest.raises(ValueError, match="no assessment"):
        entropy.figure({})


@pytest.mark.parametrize("n", [1_000, 10_000])
def test_bands_of_ideal_bits(n):
    """A tenth of the sequences lies outside each band.

    Of 300 new ones, 30 +- 4 x 5.2 with the error of the quantiles from 1000 (3 in 300) added: 1e-4 for each of 11 rows.
    """
    found = [ideal(n, seed) for seed in range(5_000, 5_300)]
    for row, band in enumerate(entropy.IDEAL[n]):
        values = [one.estimates[row].min_entropy if row < len(NAMES) else one.min_entropy for one in found]
        if band is None:
            assert values == [None] * len(found)
            continue
        outside = sum(not band[0] - 5e-5 <= value <= band[1] + 5e-5 for value in values)
        assert 6 <= outside <= 54, NAMES[row : row + 1]
