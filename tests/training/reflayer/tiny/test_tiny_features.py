import numpy as np
import pytest

from engine.records import Prompt, PromptKind
from training.reflayer.tiny import prompt_features as features

POINT = Prompt(PromptKind.POINT, points=((70.0, 60.0),))
BOX = Prompt(PromptKind.BOX, box=(46.0, 36.0, 94.0, 84.0))


def maps_of(picture, prompt):
    return dict(zip(features.FIRST_LOOK, features.first_look(picture, prompt), strict=True))


@pytest.mark.parametrize("prompt", [POINT, BOX, Prompt(PromptKind.HYBRID, points=POINT.points, box=BOX.box)])
@pytest.mark.parametrize("name", ["colour", "colour_near", "flood_inside", "grabcut", "grabcut_colour"])
def test_every_kind_of_evidence_is_higher_on_the_object_than_off_it(disc, prompt, name):
    picture, mask = disc
    evidence = maps_of(picture, prompt)[name]
    assert evidence[mask].mean() > evidence[~mask].mean() + 0.3


def test_what_speaks_for_the_surroundings_is_higher_off_the_object(disc):
    picture, mask = disc
    for prompt in (POINT, BOX):
        maps = maps_of(picture, prompt)
        for name in ("flood_outside", "colour_distance"):
            assert maps[name][~mask].mean() > maps[name][mask].mean() + 0.2


def test_the_same_question_gives_the_same_maps_and_all_are_finite_and_small(disc):
    picture, mask = disc
    for prompt in (POINT, BOX, Prompt(PromptKind.MASK, mask_hw=mask), Prompt(PromptKind.BACKGROUND)):
        maps = features.first_look(picture, prompt, seed=3)
        assert maps.shape == (16, 128, 128)
        assert maps.dtype == np.float32
        assert np.isfinite(maps).all()
        assert np.abs(maps).max() <= 2
        assert np.array_equal(maps, features.first_look(picture, prompt, seed=3))


@pytest.mark.parametrize(
    "prompt",
    [
        Prompt(PromptKind.BOX, box=(0.0, 0.0, 128.0, 128.0)),
        Prompt(PromptKind.BOX, box=(-5.0, -5.0, 2.0, 2.0)),
        Prompt(PromptKind.POINT, points=((0.0, 127.9), (127.0, 0.0))),
        Prompt(PromptKind.MASK, mask_hw=np.ones((128, 128), bool)),
    ],
)
def test_prompts_at_the_edge_of_sense_still_give_finite_maps(prompt):
    plain = np.full((128, 128, 3), 90, np.uint8)
    assert np.isfinite(features.first_look(plain, prompt)).all()


def test_the_second_look_sees_the_hull_of_what_was_found(disc):
    picture, mask = disc
    bitten = mask.copy()
    bitten[:60, 70:] = False
    alpha = bitten.astype(np.float32)
    maps = dict(zip(features.SECOND_LOOK, features.second_look(picture, alpha, alpha), strict=True))
    assert maps["is_second"].all()
    assert maps["hull"][bitten].all()
    assert 0 < maps["hidden_hull"].sum() < mask.sum()
    assert not (maps["hidden_hull"].astype(bool) & bitten).any()


def test_the_hull_of_nothing_is_nothing():
    assert not features.hull(np.zeros((20, 20), bool)).any()
