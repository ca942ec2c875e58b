from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from training import recipes
from training.reflayer import config as configs
from training.reflayer.config import BadConfig, StageConfig, TrainConfig
from training.reflayer.lora import LoRAConfig


@pytest.mark.parametrize("name", recipes.RECIPES)
def test_a_recipe_survives_its_own_json(name: str) -> None:
    recipe = recipes.find(name)
    assert configs.from_json(json.loads(json.dumps(recipe.to_json()))) == recipe


def test_the_recipes_differ_in_what_they_train() -> None:
    tiny, lora, full = (recipes.find(name) for name in ("tiny_cpu", "lora_sd3", "full_sd3"))
    assert (tiny.lora, full.lora) == (None, None)
    assert isinstance(lora.lora, LoRAConfig)
    assert {tiny.precision, lora.precision, full.precision} == {"float32", "bfloat16"}
    assert [stage.name for stage in tiny.stages] == ["A", "B", "C"]


def test_an_unknown_recipe_lists_what_there_is() -> None:
    with pytest.raises(recipes.UnknownRecipe, match="tiny_cpu, lora_sd3, full_sd3"):
        recipes.find("huge")


def test_listing_recipes_imports_no_torch() -> None:
    script = "import sys; from training import recipes; print(*recipes.RECIPES, 'torch' in sys.modules)"
    root = Path(__file__).resolve().parents[2]
    listed = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True)
    assert listed.stdout.split() == ["tiny_cpu", "lora_sd3", "full_sd3", "False"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"speed": 3}, "unknown speed"),
        ({"seed": "one"}, "seed: int is needed"),
        ({"seed": True}, "seed: int is needed"),
        ({"stages": []}, "stages"),
        ({"stages": [{"name": "B"}]}, r"stages\[0\]: steps missing"),
        ({"stages": [{"name": "D", "steps": 1}]}, "one of A, B, C"),
        ({"stages": [{"name": "B", "steps": 0}]}, "1 or more"),
        ({"stages": [{"name": "B", "steps": 1}, {"name": "A", "steps": 1}]}, "in this order"),
        ({"flow": {"logit_mean": "0"}}, "flow.logit_mean: float is needed"),
        ({"transparency": "glass"}, "canvas_colour, latent_offset, dual_latent"),
        ({"lora": 8}, "an object is needed"),
        ({"trackers": "wandb"}, "a list is needed"),
    ],
)
def test_a_wrong_field_is_named(change: dict, words: str) -> None:
    with pytest.raises(BadConfig, match=words):
        configs.from_json({"name": "x", "stages": [{"name": "B", "steps": 1}], **change})


def test_whole_numbers_are_floats_where_floats_are_meant() -> None:
    made = configs.from_json({"name": "x", "stages": [{"name": "B", "steps": 1}], "canvas_colour": 1, "lora": None})
    assert made == replace(TrainConfig("x", (StageConfig("B", 1),)), canvas_colour=1.0)


def test_a_file_that_is_no_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{")
    for name in ("config.json", "absent.json"):
        with pytest.raises(BadConfig, match=name):
            configs.read(tmp_path / name)
