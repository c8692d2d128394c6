"""Neighbours, clusters and calibrated thresholds; ratios class by class and the largest of them by chance."""

from itertools import combinations

import numpy as np
import pytest

from mtjspice.errors import InputError
from mtjspice.generative.gan.conditional import ClassDistances, class_distances, compare_classes
from mtjspice.generative.gan.duplicates import (
    duplicates,
    interval,
    near_resamples,
    nearest,
    nearest_pairs,
    threshold,
)
from mtjspice.generative.gan.lpips import pairwise


def on_a_line(*places):
    """Squared distances of points on a line."""
    return pairwise(np.array(places, np.float32)[:, None])


class TestDuplicates:
    # a pair, a chain of three and two images alone
    MATRIX = on_a_line(0, 0.1, 5, 5.2, 5.4, 9, 20)

    def test_neighbours(self):
        np.testing.assert_allclose(nearest(self.MATRIX), [0.01, 0.01, 0.04, 0.04, 0.04, 12.96, 121], rtol=1e-3)

    def test_counts(self):
        found = duplicates(self.MATRIX, 0.05)
        assert (found.near, found.pairs, found.clusters, found.clustered, found.largest) == (5, 3, 1, 3, 3)
        assert found.near_fraction == pytest.approx(5 / 7)
        assert found.pair_fraction == pytest.approx(3 / 21)
        # the ends of the chain are 0.16 apart and in one cluster all the same
        none = duplicates(self.MATRIX, 0.001)
        assert (none.near, none.pairs, none.clusters, none.clustered, none.largest) == (0, 0, 0, 0, 1)

    def test_nearest_pairs_share_no_image(self):
        pairs = nearest_pairs(self.MATRIX, 5)
        assert [pair[:2] for pair in pairs[:2]] == [(0, 1), (2, 3)] or [pair[:2] for pair in pairs[:2]] == [
            (0, 1),
            (3, 4),
        ]
        used = [k for i, j, _ in pairs for k in (i, j)]
        assert len(used) == len(set(used)) == 6

    def test_threshold_is_the_stated_quantile(self):
        rng = np.random.default_rng(1)
        null = [rng.random(1000) for _ in range(3)]
        tau = threshold(null, 0.01)
        assert np.mean(np.concatenate(null) < tau) == pytest.approx(0.01, abs=1 / 3000)
        for rate in (0.0, 1.0, float("nan")):
            with pytest.raises(InputError, match="between 0 and 1"):
                threshold(null, rate)
        with pytest.raises(InputError, match=r"fewer than 5; allowed: 0\.0017 or more"):
            threshold(null, 0.001)

    def test_one_image_has_no_neighbour(self):
        with pytest.raises(InputError, match="two images or more"):
            nearest(np.zeros((1, 1), np.float32))

    def test_bootstrap_keeps_clusters_together(self):
        """Spread of the fraction for k groups of m near images in n: sqrt(k) m / n, within 10 % (2000 resamples)."""
        places = []
        for group in range(20):  # of four images
            places += [1000 * group + 0.01 * k for k in range(4)]
        places += [1e5 + 100 * k for k in range(920)]
        resampled = near_resamples(on_a_line(*places), 0.01, np.random.default_rng(1), 2000)
        assert resampled.mean() == pytest.approx(0.08, rel=0.03)
        assert resampled.std() == pytest.approx(np.sqrt(20) * 4 / 1000, rel=0.1)
        low, high = interval(resampled)
        assert low < 0.08 < high

    def test_intervals_where_nothing_varies(self):
        rng = np.random.default_rng(1)
        far = on_a_line(*range(0, 1000, 10))
        low, high = interval(near_resamples(far, 1.0, rng))
        assert 0 <= low < 1e-3
        assert 0.02 < high < 0.1
        low, high = interval(near_resamples(far, 1e9, rng))
        assert 0.9 < low < 0.98
        assert high <= 1


def embedded(rng, classes, each, size=6, copies=0):
    """Random vectors of ``classes`` times ``each`` images; in class 0 the first one is repeated ``copies`` times."""
    vectors = rng.standard_normal((classes * each, size)).astype(np.float32)
    labels = np.repeat(np.arange(classes), each)
    vectors[1 : 1 + copies] = vectors[0]
    return vectors, labels


class TestClasses:
    NAMES = tuple("abcdefghij")

    def matrices(self, seed, copies=0, each=40):
        rng = np.random.default_rng(seed)
        return class_distances(*embedded(rng, 10, each, copies=copies), *embedded(rng, 10, each), self.NAMES)

    def test_ratios_count_pairs_of_a_class(self):
        rng = np.random.default_rng(3)
        (vectors, labels), (good, others) = embedded(rng, 10, 12), embedded(rng, 10, 12)
        found = compare_classes(
            class_distances(vectors, labels, good, others, self.NAMES), 4.0, np.random.default_rng(1), 50, 50
        )
        for k, ratio in enumerate(found.classes):

            def count(points):
                return sum(((a - b) ** 2).sum() < 4.0 for a, b in combinations(points, 2))

            mine, theirs = count(vectors[labels == k]), count(good[others == k])
            assert (ratio.pairs, ratio.good_pairs) == (mine, theirs)
            assert ratio.ratio == pytest.approx((mine + 0.5) / (theirs + 0.5))
        assert found.largest == max(ratio.ratio for ratio in found.classes)

    def test_repeats_are_found(self):
        """Eleven equal images in one class of forty: 55 pairs, far more than chance."""
        found = compare_classes(self.matrices(1, copies=10), 0.5, np.random.default_rng(1), 199, 300)
        assert found.p_value == pytest.approx(1 / 200)
        assert found.classes[0].ratio == found.largest > 3 * found.null_high

    def test_the_largest_of_ten_is_no_surprise_under_the_null(self):
        """Equal sources: p is below 0.05 in 5 % of trials; of 25 more than 7 is a false alarm of 2e-5 (binomial).

        And the largest ratio of ten is well above 1 all the same.
        """
        outcomes = [compare_classes(self.matrices(seed), 1.0, np.random.default_rng(9), 99, 2) for seed in range(25)]
        assert sum(outcome.p_value <= 0.05 for outcome in outcomes) <= 7
        assert np.mean([outcome.p_value for outcome in outcomes]) == pytest.approx(0.5, abs=0.23)  # 4 sigmas
        assert np.median([outcome.largest for outcome in outcomes]) > 2

    def test_intervals_cover_1_under_the_null(self):
        """95 % intervals over images of 100 classes: between 86 and 100 contain 1, whether pairs depend or not."""
        covered = sum(
            ratio.low <= 1 <= ratio.high
            for seed in range(10)
            for ratio in compare_classes(self.matrices(seed), 2.0, np.random.default_rng(2), 1, 300).classes
        )
        assert covered >= 86

    def test_sources_of_different_size(self):
        """Nothing near in either is a ratio of 1; as many pairs among twice the images are a quarter of them."""
        rng = np.random.default_rng(1)
        few, many = embedded(rng, 10, 20), embedded(rng, 10, 40)
        matrices = class_distances(*few, *many, self.NAMES)
        assert compare_classes(matrices, 1e-9, rng, 9, 9).largest == 1
        for ratio in compare_classes(matrices, 3.0, rng, 9, 9).classes:
            scaled = ratio.good_pairs * (20 * 19) / (40 * 39)
            assert ratio.ratio == pytest.approx((ratio.pairs + 0.5) / (scaled + 0.5))

    def test_too_few_of_a_class(self):
        with pytest.raises(InputError, match="9 images of the class a; ratios need 10 or more a class, that is 100"):
            self.matrices(1, each=9)

    def test_pairs_of_an_image_with_itself_do_not_count(self):
        matrix = ClassDistances("a", 2, on_a_line(0, 10, 20, 30))
        assert matrix.below(1.0).sum() == 0
