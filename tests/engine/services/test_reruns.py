"""One stage done again: the same bytes as a whole run with the new parameters, and no earlier stage is repeated."""

import pytest

from engine import recipes, runner
from engine.imaging import decode_png, encode_png, sha256
from engine.models import Layer, RunStatus
from engine.records import STAGES, Scene
from engine.refusals import Refusal
from engine.services import runs
from engine.services.images import given_prompts_of
from engine.services.leases import register_worker
from engine.services.reruns import rerun_stage
from engine.services.work import work
from tests.engine.runs import make_run
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
    """A finished run of one picture."""
    composite_image(project)
    run = runs.start_run(project=project)
    while work(worker, "cpu"):
        pass
    return run


def layers_of(run):
    """Digest, reason and prompts of each layer, by its key."""
    rows = Layer.objects.filter(item__run=run).prefetch_related("prompts")
    return {
        layer.key: (layer.sha256, layer.drop_reason, sorted((p.kind, p.points, p.box) for p in layer.prompts.all()))
        for layer in rows
    }


def straight(run):
    """The same from one go through the whole recipe, without a database."""
    image = run.items.get().image
    with image.picture.open("rb") as file:
        scene = Scene(image.sha256, decode_png(file.read()), run.seed, given_prompts_of(image))
    runner.run([scene], recipes.Recipe.from_json(run.recipe))
    return {
        i.key: (
            sha256(encode_png(i.layer.rgba_hwc)),
            i.drop_reason,
            sorted((p.kind.value, [list(q) for q in p.points], p.box and list(p.box)) for p in i.prompts),
        )
        for i in scene.instances
        if i.layer is not None
    }


def test_a_rerun_gives_the_bytes_of_a_whole_run_with_these_parameters(first, worker):
    reruns = {stage: rerun_stage(first, stage, CHANGES[stage]) for stage in STAGES}
    while work(worker, "cpu"):
        pass
    before = layers_of(first)
    for stage, again in reruns.items():
        again.refresh_from_db()
        assert again.status == RunStatus.FINISHED
        assert layers_of(again) == straight(again), stage
        assert (layers_of(again) != before) == (stage != "prefilter"), stage


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
    assert {sha for sha, *_ in layers_of(strict).values()} == {sha for sha, *_ in layers_of(wider).values()}
    assert any(reason for _, reason, _ in layers_of(strict).values())


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
def test_what_makes_no_sense_is_refused_and_nothing_is_made(project, stage, params, code):
    run = make_run(project)
    with pytest.raises(Refusal) as caught:
        rerun_stage(run, stage, params)
    assert caught.value.code == code
    assert run.derived.count() == 0


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
