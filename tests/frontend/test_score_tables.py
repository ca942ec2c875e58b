"""The numbers behind boards, where a page with all of them would take long to make."""

from __future__ import annotations

from evaluation.selectors.rounds import RoundRow
from frontend.views.score_tables import rounds_table


def test_a_round_says_value_before_ends_and_leaves_open_what_is_not_known() -> None:
    measured = RoundRow(
        1,
        "street-1",
        layers=29,
        acceptance=0.54321,
        hpa=(0.7, 0.735, 0.764),
        variant="offline",
        rating=(980, 1010, 1040),
        seconds={"training": 300, "scoring": 68.04},
    )
    table = rounds_table([RoundRow(0, "untrained"), measured])
    begun, learned = (dict(zip(table.head, row, strict=True)) for row in table.rows)
    assert (begun["HPA"], begun["Elo"], begun["Accepted"]) == (None, None, None)
    assert (learned["HPA"], learned["HPA low"], learned["HPA high"]) == (0.735, 0.7, 0.764)
    assert (learned["Elo"], learned["Elo low"], learned["Elo high"]) == (1010, 980, 1040)
    assert (learned["Accepted"], learned["Seconds"]) == (0.5432, 368.0)
