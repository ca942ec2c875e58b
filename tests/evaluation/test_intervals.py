import numpy as np
import pytest

from evaluation.intervals import clustered_difference, clustered_mean, grouped_jackknife


def test_a_constant_gain_has_an_interval_without_width():
    difference, share = clustered_difference([1.0, 3.0, 5.0], [2.0, 4.0, 6.0], [0, 1, 2])
    assert (difference.estimate, difference.low, difference.high) == (-1.0, -1.0, -1.0)
    assert share.estimate == pytest.approx(-0.25)


def test_the_interval_covers_the_true_difference_about_as_often_as_it_says():
    rng = np.random.default_rng(5)
    hits = 0
    for trial in range(200):
        clusters = np.repeat(np.arange(40), 3)
        theirs = rng.normal(1, 0.3, 120)
        ours = theirs + 0.1 + np.repeat(rng.normal(0, 0.2, 40), 3) + rng.normal(0, 0.05, 120)
        difference, _ = clustered_difference(list(ours), list(theirs), list(clusters), trial, resamples=500)
        hits += difference.low <= 0.1 <= difference.high
    assert 0.88 <= hits / 200 <= 0.99


def test_repeats_inside_a_cluster_do_not_narrow_the_interval():
    rng = np.random.default_rng(2)
    ours, theirs, clusters = list(rng.normal(0, 1, 30)), [1.0] * 30, list(range(30))
    once, _ = clustered_difference(ours, theirs, clusters)
    often, _ = clustered_difference(ours * 5, theirs * 5, clusters * 5)
    assert often.high - often.low == pytest.approx(once.high - once.low)


def test_unequal_lengths_are_refused():
    with pytest.raises(ValueError, match="equally many"):
        clustered_difference([1.0], [1.0, 2.0], [0])


def test_the_interval_of_a_mean_covers_it_about_as_often_as_it_says():
    rng = np.random.default_rng(8)
    hits = 0
    for trial in range(200):
        clusters = list(np.repeat(np.arange(40), 3))
        values = list(1 + np.repeat(rng.normal(0, 0.3, 40), 3) + rng.normal(0, 0.1, 120))
        interval = clustered_mean(values, clusters, trial, resamples=500)
        hits += interval.low <= 1 <= interval.high
    assert 0.88 <= hits / 200 <= 0.99


def test_clusters_may_have_names():
    assert clustered_mean([1.0, 3.0, 8.0], ["a", "b", "a"]) == clustered_mean([1.0, 3.0, 8.0], [5, 7, 5])


def test_leaving_out_groups_covers_a_variance_about_as_often_as_it_says():
    rng = np.random.default_rng(9)
    hits = 0
    for trial in range(200):
        values = rng.normal(0, 2, 200)
        interval = grouped_jackknife(lambda index, v=values: float(np.var(v[index], ddof=1)), range(200), seed=trial)
        hits += interval.low <= 4 <= interval.high
    assert 0.88 <= hits / 200 <= 0.99


def test_groups_keep_clusters_whole():
    clusters = ["a"] * 5 + ["b"] * 5 + ["c"] * 5
    seen = []
    grouped_jackknife(lambda index: seen.append(set(index)) or 0.0, clusters, groups=3)
    assert sorted(map(sorted, seen[1:])) == [list(range(10)), [*range(5), *range(10, 15)], list(range(5, 15))]


def test_one_cluster_has_nothing_to_leave_out():
    with pytest.raises(ValueError, match="two clusters"):
        grouped_jackknife(lambda index: 0.0, ["a", "a"])
    with pytest.raises(ValueError, match="equally many"):
        clustered_mean([], [])
