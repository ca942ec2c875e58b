import dataclasses
import json

import pytest

from engine import networks, recipes, registry, weights
from engine.recipes import InvalidRecipe, Recipe, StageSpec, UnknownRecipe
from engine.weights import LicenceClass, LicenceForbids


@pytest.mark.parametrize("name", sorted(recipes.RECIPES))
def test_a_recipe_survives_json(name):
    recipe = recipes.find(name)
    again = Recipe.from_json(json.loads(json.dumps(recipe.to_json())))
    assert again == recipe
    assert again.digest == recipe.digest


def test_recipes_that_do_different_things_have_different_digests():
    digests = {recipes.find(name).digest for name in recipes.RECIPES}
    assert len(digests) == len(recipes.RECIPES)


def test_a_changed_parameter_changes_the_digest():
    recipe = recipes.cpu()
    first = recipe.stages[0]
    changed = dataclasses.replace(first, params={**first.params, "min_side_px": 999})
    assert dataclasses.replace(recipe, stages=(changed, *recipe.stages[1:])).digest != recipe.digest


@pytest.mark.parametrize("name", sorted(recipes.RECIPES))
def test_a_recipe_states_every_parameter_of_its_backends(name):
    for spec in recipes.find(name).stages:
        made = registry.make(spec.stage, spec.backend)
        stated = getattr(made, "chosen", made.params)
        assert set(spec.params) == {field.name for field in dataclasses.fields(stated)}


def test_recipe_cpu_states_the_defaults():
    for spec in recipes.cpu().stages:
        assert spec.params == dataclasses.asdict(registry.load(spec.stage, spec.backend).params)


def test_an_unknown_recipe_is_answered_with_those_that_exist():
    with pytest.raises(UnknownRecipe, match="unknown recipe 'cpuu'; have: cpu, cpu_auto, permissive, quality"):
        recipes.find("cpuu")


def test_an_unknown_backend_is_answered_with_those_that_exist():
    with pytest.raises(registry.UnknownBackend, match="unknown backend 'lamma' for completion; have: classical"):
        registry.find("completion", "lamma")


def test_a_recipe_without_all_six_stages_in_order_is_refused():
    with pytest.raises(InvalidRecipe, match="in this order"):
        Recipe("short", (StageSpec("prefilter", "rules"),))


@pytest.mark.parametrize("document", [{}, {"name": "x"}, {"name": "x", "stages": [{"stage": "scene"}]}])
def test_json_that_is_no_recipe_is_refused(document):
    with pytest.raises(InvalidRecipe):
        Recipe.from_json(document)


def test_the_old_recipes_still_do_what_they_did():
    """Runs are found again by these digests."""
    assert recipes.cpu().digest[:12] == "506987207b7a"
    assert recipes.cpu_auto().digest[:12] == "57aa20481b20"


@pytest.mark.parametrize("name", ["permissive", "quality"])
def test_recipes_with_networks_name_all_their_weights_and_none_forbids_commercial_use(name):
    recipe = recipes.find(name)
    assert recipe.queue == "gpu"
    assert len(networks.weights_of(recipe)) >= 9
    networks.require_commercial_safe(recipe)


def test_a_recipe_with_non_commercial_weights_is_refused_with_their_licence():
    scene = recipes.permissive().stages[1]
    depth = {"network": "depth_anything", "weights": "depth_anything_v2_large"}
    changed = dataclasses.replace(scene, params={**scene.params, "depth": depth})
    stages = tuple(changed if spec.stage == "scene" else spec for spec in recipes.permissive().stages)
    with pytest.raises(LicenceForbids, match="CC-BY-NC"):
        networks.require_commercial_safe(Recipe("mine", stages))


def test_every_permissive_weight_has_a_permissive_licence():
    rows = [weights.find(name) for name in networks.weights_of(recipes.permissive())]
    assert {row.licence_class for row in rows} == {LicenceClass.PERMISSIVE}


def test_a_fitted_postfilter_becomes_part_of_the_recipe(tmp_path, monkeypatch):
    monkeypatch.setenv("RLD_WEIGHTS", str(tmp_path))
    before = recipes.permissive().digest
    fitted = {"weights": {"a": 1.0}, "means": {"a": 0.0}, "scales": {"a": 1.0}, "bias": 0.0, "limit": 0.4}
    (tmp_path / "postfilter.json").write_text(json.dumps({**fitted, "fit": {"auc": 0.9}}))
    assert recipes.permissive().stages[5].params["combination"] == fitted
    assert recipes.permissive().digest != before
