import math

import pytest

from evaluation.metrics.hpa import (
    EQUAL,
    PAPER_BACKGROUND,
    PAPER_FOREGROUND,
    Axis,
    Bounds,
    WrongBounds,
    hpa,
)

# The paper's table of main results: HPA, FID, LPIPS, DIR.
BACKGROUND = [
    (0.3459, 21.84, 0.1588, 0.6385),
    (0.5932, 16.87, 0.0520, 0.7206),
    (0.5935, 16.73, 0.0530, 0.7213),
    (0.5461, 19.84, 0.0552, 0.6950),
    (0.5792, 18.36, 0.0493, 0.7129),
    (0.5587, 17.35, 0.0730, 0.7190),
    (0.6657, 12.99, 0.0487, 0.7721),
    (0.6682, 13.14, 0.0437, 0.7673),
]
FOREGROUND = [
    (0.3852, 22.68, 0.1403, 0.2031),
    (0.4621, 11.27, 0.1428, 0.2589),
    (0.4678, 10.66, 0.1404, 0.2575),
    (0.4685, 11.10, 0.1377, 0.2561),
    (0.4698, 10.60, 0.1378, 0.2531),
    (0.4813, 10.50, 0.1330, 0.2652),
]
MISFITS = [(0.4629, 10.98, 0.1411, 0.2543), (0.4631, 10.99, 0.1434, 0.2547)]
BOUNDS = Bounds("v1", "foreground", "mine", Axis(0, 0.5), Axis(1, 0), Axis(0, 100), {"s_vis": "a"})


def of_row(row, bounds):
    return hpa({"s_fid": row[1], "s_vis": row[2], "s_gen": row[3]}, bounds).value


@pytest.mark.parametrize("row", BACKGROUND)
def test_the_recovered_bounds_give_the_papers_background_rows(row):
    assert of_row(row, PAPER_BACKGROUND) == pytest.approx(row[0], abs=0.0001)


@pytest.mark.parametrize("row", FOREGROUND)
def test_the_recovered_bounds_give_the_papers_consistent_foreground_rows(row):
    assert of_row(row, PAPER_FOREGROUND) == pytest.approx(row[0], abs=0.0001)


@pytest.mark.parametrize("row", MISFITS)
def test_the_two_inconsistent_foreground_rows_stay_inconsistent(row):
    assert abs(of_row(row, PAPER_FOREGROUND) - row[0]) > 0.0009


def test_the_ends_of_the_axes_are_one_and_zero():
    assert hpa({"s_vis": 0, "s_gen": 1, "s_fid": 0}, BOUNDS).value == pytest.approx(1)
    assert hpa({"s_vis": 0.5, "s_gen": 0, "s_fid": 100}, BOUNDS).value == pytest.approx(0)
    assert hpa({"s_vis": 1, "s_gen": -1, "s_fid": 200}, BOUNDS).value == pytest.approx(-1)


def test_given_weights_are_used():
    weights = {"s_vis": 0.7, "s_gen": 0.3, "s_fid": 0.0}
    assert hpa({"s_vis": 0.25, "s_gen": 1, "s_fid": 7}, BOUNDS, weights).value == pytest.approx(0.65)


@pytest.mark.parametrize("missing", [None, math.nan, math.inf])
def test_an_undefined_axis_makes_hpa_undefined_and_is_named(missing):
    found = hpa({"s_vis": 0.1, "s_gen": missing, "s_fid": 3}, BOUNDS)
    assert (found.value, found.reason) == (None, "s_gen undefined")
    assert found.axes["s_vis"] == pytest.approx(0.8)


@pytest.mark.parametrize(
    "weights",
    [{"s_vis": 1.0}, {**EQUAL, "s_fid": 1.0}, {"s_vis": 1.5, "s_gen": -0.5, "s_fid": 0.0}],
)
def test_weights_off_the_simplex_are_refused(weights):
    with pytest.raises(WrongBounds) as refused:
        hpa({"s_vis": 0, "s_gen": 1, "s_fid": 0}, BOUNDS, weights)
    assert refused.value.code == "bad_weights"


def test_scores_of_other_networks_are_refused():
    with pytest.raises(WrongBounds) as refused:
        hpa({"s_vis": 0, "s_gen": 1, "s_fid": 0}, BOUNDS, networks={"s_vis": "b"})
    assert refused.value.code == "other_networks"


def test_bounds_survive_json():
    assert Bounds.from_json(BOUNDS.as_json()) == BOUNDS


@pytest.mark.parametrize("data", [{}, {**BOUNDS.as_json(), "axes": {}}, {**BOUNDS.as_json(), "networks": 3}])
def test_what_is_no_bounds_is_refused(data):
    with pytest.raises(WrongBounds, match="no bounds"):
        Bounds.from_json(data)


@pytest.mark.parametrize("axis", [Axis(0, 0), Axis(0, math.nan)])
def test_an_axis_without_two_ends_is_refused(axis):
    with pytest.raises(WrongBounds):
        Bounds("v", "foreground", "b", axis, Axis(1, 0), Axis(0, 1))
