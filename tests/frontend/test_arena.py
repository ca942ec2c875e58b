"""The pages of the arena as the server renders them."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from engine.models import Project, Role
from evaluation.models import Benchmark, Calibration, Rating, Refit
from evaluation.services.calibrations import calibrate_board
from evaluation.services.ratings import refit_stale_boards
from frontend.arena_charts import rating_scale, scatter, value_scale, whisker, win_matrix
from tests.annotation.comparing import NAMES, make_rivals
from tests.evaluation.test_calibrations import rated_and_scored
from tests.evaluation.voting import voted_board
from tests.factories import join, make_producer, make_user
from tests.frontend.csv_files import csv_of


@pytest.fixture
def viewer(project: Project) -> Client:
    user = make_user("vera")
    join(user, project, Role.VIEWER)
    client = Client()
    client.force_login(user)
    return client


def get(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_vote_page_names_no_producer(client: Client, project: Project, bob: Any) -> None:
    make_rivals(project)
    client.force_login(bob)
    content = get(client, f"/projects/{project.slug}/compare/")
    assert "Which layer is better?" in content
    assert not [name for name in NAMES if name in content]


def test_who_may_only_look_cannot_vote_and_strangers_see_nothing(
    client: Client, viewer: Client, project: Project, charlie: Any
) -> None:
    assert viewer.get(f"/projects/{project.slug}/compare/").status_code == 403
    assert "Vote</a>" not in get(viewer, f"/projects/{project.slug}/arena/")
    client.force_login(charlie)
    for place in ("compare", "arena", "arena/calibration"):
        assert client.get(f"/projects/{project.slug}/{place}/").status_code == 404


def test_an_arena_without_votes_says_what_it_waits_for(viewer: Client, project: Project) -> None:
    assert "No votes on this board yet" in get(viewer, f"/projects/{project.slug}/arena/")
    assert "No calibration of this board yet" in get(viewer, f"/projects/{project.slug}/arena/calibration/")


def test_the_leaderboard_shows_order_intervals_matrix_and_plan(viewer: Client, project: Project) -> None:
    names = voted_board(project)
    refit_stale_boards(project)
    content = get(viewer, f"/projects/{project.slug}/arena/")
    table = content[content.index('class="leaderboard"') :]
    assert [table.index(f">{name}<") for name in names] == sorted(table.index(f">{name}<") for name in names)
    assert len(re.findall(r'<line class="band"', content)) == 3
    assert "perhaps fewer, would change the first place" in content
    assert "of two equal layers" in content.lower()
    assert "of 2 neighbours apart" in content
    assert "Percent of votes won by the row" in content


def test_every_chart_of_the_arena_comes_as_csv(viewer: Client, project: Project) -> None:
    names = voted_board(project)
    refit_stale_boards(project)
    here = f"/projects/{project.slug}/arena/"
    board = csv_of(viewer, f"{here}?csv=leaderboard")
    assert [row["Producer"] for row in board] == names
    assert all(float(row["Low"]) < float(row["Rating"]) < float(row["High"]) for row in board)
    wins = csv_of(viewer, f"{here}?csv=wins")
    assert sum(int(row["Votes"]) for row in wins) == sum(int(row["Votes"]) for row in board)
    [first, second] = csv_of(viewer, f"{here}?csv=plan")
    assert [first["Producer"], first["Over"], second["Over"]] == names
    assert viewer.get(f"{here}?csv=secrets").status_code == 404
    content = get(viewer, here)
    assert all(f"csv={table}" in content for table in ("leaderboard", "wins", "plan"))


def test_a_board_without_votes_has_an_empty_leaderboard_and_no_wins(viewer: Client, project: Project) -> None:
    here = f"/projects/{project.slug}/arena/"
    assert csv_of(viewer, f"{here}?csv=leaderboard") == []
    assert viewer.get(f"{here}?csv=wins").status_code == 404


def test_people_are_compared_for_admins_only(client: Client, viewer: Client, project: Project, alice: Any) -> None:
    voted_board(project)
    refit_stale_boards(project)
    assert "voter 0-1" not in get(viewer, f"/projects/{project.slug}/arena/")
    client.force_login(alice)
    assert "voter 0-1" in get(client, f"/projects/{project.slug}/arena/")


def test_raw_votes_are_for_those_who_lead_the_project(
    client: Client, viewer: Client, project: Project, alice: Any
) -> None:
    voted_board(project, photos=2, people=2)
    path = f"/projects/{project.slug}/arena/votes.csv"
    assert viewer.get(path).status_code == 403
    client.force_login(alice)
    rows = list(csv.DictReader(io.StringIO(b"".join(client.get(path).streaming_content).decode())))
    assert len(rows) == 2 * 2 * 3
    assert {row["choice"] for row in rows} <= {"left", "right", "tie", "both_bad"}
    assert all(row["left"].startswith("method") and row["is_counted"] == "True" for row in rows)


def test_more_confidence_asks_for_more_votes(viewer: Client, project: Project) -> None:
    voted_board(project, strengths=(0.3, 0.1, -0.4))
    refit_stale_boards(project)

    def apart(confidence: int) -> int:
        content = get(viewer, f"/projects/{project.slug}/arena/?confidence={confidence}&speed=5")
        return int(re.search(r"(\d) of 2 neighbours apart", content)[1])

    assert apart(80) >= apart(99)
    assert get(viewer, f"/projects/{project.slug}/arena/?confidence=nonsense&speed=-3&board=none")


def test_a_board_that_cannot_be_rated_says_why_and_shows_no_number(viewer: Client, project: Project) -> None:
    voted_board(project, strengths=(50.0, -50.0), tie=0.0)
    refit_stale_boards(project)
    content = get(viewer, f"/projects/{project.slug}/arena/")
    assert "Not enough votes." in content
    assert content.count("not enough votes") == 2
    assert "Two producers with ratings are needed to plan." in content


def test_an_unlinked_newcomer_stands_below_the_rated(viewer: Client, project: Project) -> None:
    voted_board(project)
    [refit] = refit_stale_boards(project)
    Rating.objects.create(refit=refit, producer=make_producer("newcomer"), votes=3)
    content = get(viewer, f"/projects/{project.slug}/arena/")
    assert content.index("method 2") < content.index("newcomer") < content.index("not enough votes")


def test_the_calibration_page_shows_all_rows_with_intervals(viewer: Client, project: Project) -> None:
    benchmark = rated_and_scored(project, 9)
    calibrate_board(project=project, benchmark=benchmark, board="foreground")
    content = get(viewer, f"/projects/{project.slug}/arena/calibration/")
    for name in ("HPA, calibrated", "HPA, equal weights", "Preservation + Fidelity"):
        assert name in content
    assert content.count("<circle") == 9
    assert "too few" not in content
    for metric in ("s_vis", "s_gen", "s_fid"):
        assert get(viewer, f"/projects/{project.slug}/arena/calibration/?metric={metric}").count("<circle") == 9


def test_too_few_producers_are_said_loudly_and_versions_can_be_looked_at(viewer: Client, project: Project) -> None:
    benchmark = rated_and_scored(project, 5)
    first, _ = (calibrate_board(project=project, benchmark=benchmark, board="foreground") for _ in range(2))
    address = f"/projects/{project.slug}/arena/calibration/"
    assert "5 producers are too few." in get(viewer, address)
    assert "version 2, not in use" in get(viewer, address)
    assert "version 1, not in use" in get(viewer, f"{address}?version={first.pk}")


def foretelling_calibration(project: Project) -> Calibration:
    calibration = calibrate_board(project=project, benchmark=rated_and_scored(project, 9), board="foreground")
    share = {"value": 0.7, "low": 0.6, "high": 0.8, "n": 90}
    calibration.foretelling = {
        "axes": ["s_vis", "s_gen"], "coefficients": [-6.0, 1.5], "accuracy": share, "log_loss": 0.61,
        "ceiling": share | {"value": 0.83}, "reliability": [[0.25, 0.31, 40], [0.75, 0.72, 50]],
    }  # fmt: skip
    calibration.save()
    return calibration


def test_the_calibration_page_holds_single_layers_against_the_human_ceiling(viewer: Client, project: Project) -> None:
    calibration = foretelling_calibration(project)
    address = f"/projects/{project.slug}/arena/calibration/"
    content = get(viewer, address)
    single = content[content.index('id="single"') :]
    for number in ("0.70", "0.83", "0.610", "-0.60", "0.31", "0.72"):
        assert number in single
    Calibration.objects.filter(pk=calibration.pk).update(foretelling=None)
    assert "Undefined: it needs votes" in get(viewer, address)


def test_a_calibration_can_be_taken_home_as_tables(
    client: Client, viewer: Client, project: Project, alice: Any
) -> None:
    calibration = foretelling_calibration(project)
    address = f"/projects/{project.slug}/arena/calibration"
    wanted = f"?version={calibration.pk}"
    points = b"".join(viewer.get(f"{address}/points.csv{wanted}").streaming_content).decode()
    rows = list(csv.DictReader(io.StringIO(points)))
    assert len(rows) == 9
    assert {float(row["hpa"]) for row in rows} == {point["hpa"] for point in calibration.points}
    assert viewer.get(f"{address}/points.csv?version=0").status_code == 404
    assert viewer.get(f"{address}/votes.csv{wanted}").status_code == 403
    client.force_login(alice)
    votes = b"".join(client.get(f"{address}/votes.csv{wanted}").streaming_content).decode()
    assert votes.strip() == "photo,pair,layer,other,s_vis,s_gen,outcome", "nobody has voted"


def test_a_version_is_chosen_on_the_page_by_those_who_lead(
    client: Client, viewer: Client, project: Project, alice: Any
) -> None:
    calibration = foretelling_calibration(project)
    address = f"/projects/{project.slug}/arena/calibration/"
    assert "Use these weights" not in get(viewer, address)
    assert viewer.post(f"{address}choose/", {"version": calibration.pk}).status_code == 403
    client.force_login(alice)
    assert "Use these weights" in get(client, address)
    client.post(f"{address}choose/", {"version": calibration.pk})
    assert "version 1, in use" in get(client, address)
    assert "Use these weights" not in get(client, address)


def test_the_calibration_of_another_project_is_not_shown(viewer: Client, project: Project) -> None:
    other = Project.objects.create(name="Other", slug="other")
    refit = Refit.objects.create(
        project=other, board="foreground", votes=1, fitted_votes=1, changed_at=timezone.now(), seconds=0
    )
    benchmark = Benchmark.objects.create(project=other, name="b", digest="d")
    common = {"bounds_version": "v", "weights": {}, "slope": 1, "intercept": 1, "rows": [], "points": []}
    hidden = Calibration.objects.create(
        benchmark=benchmark, refit=refit, board="foreground", version=1, producers=9, is_enough=True, **common
    )
    address = f"/projects/{project.slug}/arena/calibration/"
    assert "No calibration" in get(viewer, f"{address}?version={hidden.pk}")
    assert viewer.get(f"{address}points.csv?version={hidden.pk}").status_code == 404


def test_a_rating_scale_holds_everything_on_round_ticks() -> None:
    scale, ticks = rating_scale([871.2, 1130.7])
    assert [value for _, value in ticks] == [800, 900, 1000, 1100, 1200]
    interval = whisker(scale, 871.2, 1000, 1130.7)
    assert 0 < interval.low < interval.middle < interval.high < 100


def test_a_wide_rating_scale_has_few_ticks_that_cannot_touch() -> None:
    _, ticks = rating_scale([-3800.0, 4100.0])
    assert [value for _, value in ticks] == [-4000, 0, 4000]


def test_a_scale_of_scores_holds_everything_with_room_and_has_round_ticks() -> None:
    scale, ticks = value_scale([0.42, 0.764])
    assert 0 < scale.at(0.42) < scale.at(0.764) < 100
    assert [text for _, text in ticks] == ["0.4", "0.6"]
    assert all(0 <= place <= 100 for place, _ in ticks)
    assert 0 < value_scale([0.5])[0].at(0.5) < 100


def test_a_win_matrix_has_no_number_without_votes() -> None:
    matrix = win_matrix(["a", "b"], [[0, 3], [1, 0]], [[0, 4], [4, 0]])
    assert [[cell.percent for cell in row] for row in matrix.rows] == [["", "75"], ["25", ""]]
    assert [cell.is_ahead for row in matrix.rows for cell in row] == [False, True, False, False]


def test_labels_of_a_scatter_do_not_lie_on_each_other() -> None:
    points = [
        {"producer": f"network {n}", "value": 0.5 + 0.01 * n, "rating": 1000 + n, "ci_low": 990, "ci_high": 1012}
        for n in range(4)
    ]
    chart = scatter(points)
    assert len({(dot.label_x, dot.label_y) for dot in chart.dots}) == 4
    assert all(chart.left <= dot.x <= chart.right and chart.top <= dot.y <= chart.floor for dot in chart.dots)
    assert chart.line is not None
    assert scatter(points[:1]).line is None
