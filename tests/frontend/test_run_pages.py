"""Pages beside the run page: what was given up, two runs side by side, one stage again."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from engine.models import EngineRun, ItemStatus, LayerStatus, Project, Role, RunItem, RunStatus, StageRun
from tests.engine.runs import make_run, report
from tests.factories import join, make_layer, make_user


@pytest.fixture
def run(project: Project) -> EngineRun:
    """Three pictures: a dark one dropped, one failed, one that lost a layer."""
    run = make_run(project, pictures=3, status=RunStatus.FINISHED)
    dark, broken, kept = run.items.order_by("created_at", "id")
    report(dark, "prefilter", outcome="dropped", reason="badly_exposed", numbers={"clipped_dark": 0.7})
    for item in (broken, kept):
        report(item, "prefilter", numbers={"clipped_dark": 0.0, "entropy": 7.0})
    report(broken, "scene", outcome="failed", reason="ValueError: <no pixels>")
    layer = make_layer(kept.image, item=kept, label="mug", status=LayerStatus.DROPPED, drop_reason="all_soft")
    report(kept, "postfilter", layers_in=2, layers_out=1, dropped_layers={layer.key: "all_soft"})
    run.items.update(status=ItemStatus.FINISHED)
    return run


def again(run: EngineRun, **changes: Any) -> EngineRun:
    """Another run over the same pictures."""
    other = make_run(run.project, pictures=0, status=RunStatus.FINISHED, **changes)
    for item in run.items.all():
        RunItem.objects.create(run=other, image=item.image, recipe_digest="b" * 64, queue="cpu", status="finished")
    return other


@pytest.fixture
def as_bob(client: Client, bob: Any) -> Client:
    client.force_login(bob)
    return client


@pytest.fixture
def as_carol(project: Project) -> Client:
    """A curator."""
    carol = make_user("carol")
    join(carol, project, Role.CURATOR)
    client = Client()
    client.force_login(carol)
    return client


def html_of(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_everything_given_up_is_shown_by_reason_with_pictures(as_bob: Client, run: EngineRun) -> None:
    html = html_of(as_bob, f"/runs/{run.id}/failures/")
    assert html.count('class="card failure"') == 3
    assert "ValueError: &lt;no pixels&gt;" in html
    assert "1 photo dropped" in html
    assert "1 layer dropped" in html
    assert run.project.layers.get().thumbnail.url in html


def test_the_look_of_the_photographs_narrows_it(as_bob: Client, run: EngineRun) -> None:
    html = html_of(as_bob, f"/runs/{run.id}/failures/?look=dark")
    assert html.count('class="card failure"') == 1
    assert "badly exposed" in html
    assert "Nothing was given up among grey" in html_of(as_bob, f"/runs/{run.id}/failures/?look=grey")


def test_two_runs_stand_side_by_side_with_what_differs_first(as_carol: Client, run: EngineRun) -> None:
    other = again(run)
    for item in other.items.all():
        mine = StageRun.objects.get(run=run, item__image=item.image, stage="prefilter")
        report(item, "prefilter", outcome=mine.outcome, reason=mine.reason, tokens=40)
    (dark,) = StageRun.objects.filter(run=other, outcome="dropped")
    StageRun.objects.filter(pk=dark.pk).update(preview="previews/other.webp")
    html = html_of(as_carol, f"/runs/{run.id}/compare/?with={other.id}&stage=prefilter")
    assert "3 photos in both, 1 different after pre-filter" in html
    pairs = html.split('class="pairs"')[1].split("<li>")[1:]
    assert ["different" in pair for pair in pairs] == [True, False, False]
    assert '<td class="right differs">0<br>120</td>' in html


def test_a_photo_that_neither_run_brought_to_the_stage_is_no_difference(as_carol: Client, run: EngineRun) -> None:
    other = again(run)
    html = html_of(as_carol, f"/runs/{run.id}/compare/?with={other.id}&stage=completion")
    assert "3 photos in both, 0 different after layer completion" in html
    assert html.count("B not reached") == 3


def test_recipes_that_differ_say_in_what(as_carol: Client, run: EngineRun) -> None:
    other = again(run)
    recipe = {**other.recipe, "stages": [dict(stage) for stage in other.recipe["stages"]]}
    recipe["stages"][3]["params"] = {**recipe["stages"][3]["params"], "band_share": 0.123}
    EngineRun.objects.filter(pk=other.pk).update(recipe=recipe)
    html = html_of(as_carol, f"/runs/{run.id}/compare/?with={other.id}")
    assert "What the recipes do differently (1)" in html
    assert "0.123" in html


def test_a_run_with_photographs_of_its_own_has_nothing_beside_it(as_carol: Client, run: EngineRun) -> None:
    assert "No other run has these photos" in html_of(as_carol, f"/runs/{run.id}/compare/")


def test_a_run_of_another_project_is_not_taken(as_carol: Client, run: EngineRun) -> None:
    other = make_run(Project.objects.create(name="Other", slug="other"))
    assert str(other.id) not in html_of(as_carol, f"/runs/{run.id}/compare/?with={other.id}")


def test_who_votes_blindly_sees_no_two_runs_side_by_side(as_bob: Client, as_carol: Client, run: EngineRun) -> None:
    address = f"/runs/{run.id}/compare/"
    assert as_bob.get(address).status_code == 403
    assert address not in html_of(as_bob, f"/runs/{run.id}/")
    assert address in html_of(as_carol, f"/runs/{run.id}/")


def test_the_form_holds_the_parameters_of_the_stage(client: Client, alice: Any, run: EngineRun) -> None:
    client.force_login(alice)
    html = html_of(client, f"/runs/{run.id}/rerun/postprocess/")
    assert 'name="band_share" value="0.015"' in html
    assert "Kept from this run: pre-filter, scene understanding, layer completion." in html


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"band_share": "wide"}, "is no JSON"),
        ({"band_share": "NaN"}, "NaN is no number"),
        ({"band_share": "[]"}, "is a number, not a list"),
        ({}, "Nothing is changed"),
    ],
)
def test_a_form_that_makes_no_sense_says_so_and_keeps_what_was_typed(
    client: Client, alice: Any, run: EngineRun, sent: dict[str, str], said: str
) -> None:
    client.force_login(alice)
    html = client.post(f"/runs/{run.id}/rerun/postprocess/", sent).content.decode()
    assert said in html
    assert all(f'value="{value}"' in html for value in sent.values())
    assert EngineRun.objects.count() == 1


def test_only_curators_run_a_stage_again_and_strangers_see_nothing(
    client: Client, bob: Any, charlie: Any, run: EngineRun
) -> None:
    client.force_login(bob)
    assert client.get(f"/runs/{run.id}/rerun/scene/").status_code == 403
    client.force_login(charlie)
    for page in ("failures/", "compare/", "rerun/scene/"):
        assert client.get(f"/runs/{run.id}/{page}").status_code == 404


def test_a_run_that_was_begun_in_the_middle_says_from_where(as_bob: Client, run: EngineRun) -> None:
    other = again(run, derived_from=run, from_stage="postprocess")
    html = html_of(as_bob, f"/runs/{other.id}/")
    assert "from post-processing on anew" in html
    assert f'href="/runs/{run.id}/"' in html
