"""One stage done again: the same bytes as a whole run with the new parameters, and no earlier stage is repeated."""

import pytest

from engine import recipes
from engine.models import Layer, LayerStatus, RunStatus
from engine.records import STAGES
from engine.refusals import Refusal
from engine.services import runs
from engine.services.leases import register_worker
from engine.services.reruns import rerun_stage
from engine.services.work import work
from tests.engine.scenes import composite_image

CHANGES = {
    "prefilter": {"min_entropy": 3.5},
    "scene": {"given": {**recipes.cpu().stages[1].params["given"], "border": 4.0}},
    "completion": {"rim_px": 5, "ring_share": 0.03},
    "postprocess": {"band_share": 0.05},
    "prompts": {"max_points": 1, "box_jitter": 0.1},
    "postfilter": {"min_area_px": 12_000},
}


@pytest.fixture
def worker(db):
    return register_worker("cpu")


@pytest.fixture
def first(project, worker):
    """A finished run of two pictures, one with a layer that the post-filter dropped."""
    composite_image(project, 7)
    composite_image(project, 9)
    run = runs.start_run(project=project)
    while work(worker, "cpu"):
        pass
    return run


def layers_of(run):
    fields = ("image__original_name", "key", "sha256", "status", "drop_reason", "label")
    return list(Layer.objects.filter(item__run=run).order_by("image__original_name", "depth").values_list(*fields))


def prompts_of(run):
    rows = Layer.objects.filter(item__run=run).order_by("image__original_name", "depth")
    return [[(p.kind, p.points, p.box, p.text) for p in layer.prompts.order_by("pk")] for layer in rows]


@pytest.mark.parametrize("stage", STAGES)
def test_a_rerun_gives_the_bytes_of_a_whole_run_with_these_parameters(first, project, worker, monkeypatch, stage):
    again = rerun_stage(first, stage, CHANGES[stage])
    while work(worker, "cpu"):
        pass
    whole = recipes.Recipe.from_json({**again.recipe, "name": "whole"})
    monkeypatch.setitem(recipes.RECIPES, "whole", lambda: whole)
    straight = runs.start_run(project=project, recipe_name="whole")
    while work(worker, "cpu"):
        pass
    again.refresh_from_db()
    assert again.status == RunStatus.FINISHED
    assert layers_of(again) == layers_of(straight)
    assert len(layers_of(again)) > 4
    assert prompts_of(again) == prompts_of(straight)
    if stage == "postfilter":
        assert layers_of(again) != layers_of(first)


def test_earlier_stages_are_taken_over_and_cost_nothing_again(first, worker):
    again = rerun_stage(first, "postprocess", {"band_share": 0.05})
    assert (again.derived_from_id, again.from_stage) == (first.pk, "postprocess")
    before = list(again.stage_runs.values_list("stage", "seconds"))
    assert {stage for stage, _ in before} == {"prefilter", "scene", "completion"}
    assert {seconds for _, seconds in before} == {0.0}
    work(worker, "cpu")
    assert again.stage_runs.count() == first.stage_runs.count()
    assert all(again.stage_runs.filter(stage="postprocess").values_list("seconds", flat=True))


def test_a_rerun_of_a_rerun_goes_on_from_it(first, worker):
    wider = rerun_stage(first, "postprocess", {"band_share": 0.05})
    while work(worker, "cpu"):
        pass
    strict = rerun_stage(wider, "postfilter", {"min_area_px": 12_000})
    while work(worker, "cpu"):
        pass
    shas = dict(Layer.objects.filter(item__run=wider).values_list("sha256", "status"))
    assert {sha for _, _, sha, *_ in layers_of(strict)} == set(shas)
    assert any(status == LayerStatus.DROPPED for *_, status, _, _ in layers_of(strict))


@pytest.mark.parametrize(
    ("stage", "params", "code"),
    [
        ("polish", {}, "unknown_stage"),
        ("postprocess", {"bandshare": 1}, "unknown_parameter"),
        ("postprocess", {"band_share": "wide"}, "wrong_type"),
        ("postprocess", {"band_share": True}, "wrong_type"),
        ("postprocess", {}, "same_recipe"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_made(first, stage, params, code):
    with pytest.raises(Refusal) as caught:
        rerun_stage(first, stage, params)
    assert caught.value.code == code
    assert first.derived.count() == 0


def test_a_run_without_finished_images_has_nothing_to_rerun(project):
    composite_image(project)
    run = runs.start_run(project=project)
    with pytest.raises(Refusal) as caught:
        rerun_stage(run, "completion", {"rim_px": 5})
    assert caught.value.code == "nothing_to_do"


def test_the_same_rerun_twice_at_once_is_refused(first):
    rerun_stage(first, "completion", {"rim_px": 5})
    with pytest.raises(Refusal) as caught:
        rerun_stage(first, "completion", {"rim_px": 5})
    assert caught.value.code == "nothing_to_do"
