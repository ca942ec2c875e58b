"""The scores of networks and what follows from them, with stand-ins that answer what a test tells them."""

import json

import numpy as np
import pytest

from engine import recipes, registry
from engine.stages.postfilter.base import check
from engine.stages.postfilter.combination import Combination, TooFewVerdicts, fit
from engine.stages.postfilter.judge import grades_of, sheet
from engine.stages.postfilter.scored import Scored
from engine.stages.postfilter.squares import on_grey, to_square
from engine.stages.roles import Answer, Found
from tests.engine.stages.drawn import two_discs


def finished():
    scene = two_discs()
    for spec in recipes.cpu().stages[2:5]:
        registry.load(spec.stage, spec.backend, spec.params)([scene])
    return scene


def run(agreement=None, features=None, detector=None, language=None, scene=None, **params):
    scene = scene or finished()
    backend = Scored(agreement=None, features=None, detector=None, language=None, **params)
    backend.agreement, backend.features, backend.detector, backend.language = agreement, features, detector, language
    backend([scene])
    check(scene)
    return scene


def agreeing(**cosines):
    """Cosines by word of the text, 0 for the others, the same for every picture."""

    def network(pictures, texts):
        row = [next((v for word, v in cosines.items() if word.replace("_", " ") in text), 0.0) for text in texts]
        return np.array([row for _ in pictures], np.float32)

    return network


def test_the_margin_is_over_the_other_labels_of_the_picture():
    scene = run(agreeing(shape_0=0.3, shape_1=0.2))
    first, second = scene.instances[:2]
    assert first.scores["label_margin"] == pytest.approx(0.1)
    assert second.scores["label_margin"] == pytest.approx(-0.1)


def test_a_layer_that_is_rather_another_thing_is_dropped():
    scene = run(agreeing(shape_0=0.5, shape_1=0.1))
    assert [instance.drop_reason for instance in scene.instances[:2]] == ["", "unlike_its_label"]


def test_only_layers_with_a_hidden_part_are_compared():
    shown = []

    def features(pictures):
        shown.append(len(pictures))
        return np.tile(np.array([[1.0, 0.0]]), (len(pictures), 1)) if len(shown) == 1 else np.array([[0.1, 0.99]])

    scene = run(features=features)
    assert shown == [1, 1]
    assert scene.instances[0].scores["visible_similarity"] == 1.0
    assert scene.instances[1].scores["visible_similarity"] == pytest.approx(0.1)
    assert scene.instances[1].drop_reason == "completed_as_another"


class Finds:
    needs_phrases = True

    def __init__(self, phrase, score):
        self.phrase, self.score, self.asked = phrase, score, []

    def __call__(self, pictures, phrases):
        self.asked += [list(some) for some in phrases]
        return [[Found(self.phrase, self.score, (0, 0, 9, 9))] if self.phrase in some else [] for some in phrases]


def test_an_occluder_seen_in_the_layer_it_hid_is_a_leak():
    detector = Finds("shape 0", 0.9)
    scene = run(detector=detector)
    assert detector.asked == [["shape 0"], ["shape 1", "shape 0"]]
    assert scene.instances[0].scores["found_again"] == 0.9
    assert scene.instances[1].scores["occluder_leak"] == 0.9
    assert scene.instances[1].drop_reason == "occluder_in_it"


def test_a_failed_completion_never_passes():
    scene = finished()
    scene.instances[1].scores["completion_failed"] = 1.0
    assert run(scene=scene).instances[1].drop_reason == "completion_failed"


class Judges:
    convention = "thousandths"

    def __init__(self, *rows):
        self.text, self.asked = json.dumps(rows), []

    def __call__(self, questions):
        self.asked += questions
        return [Answer(self.text, tokens=9) for _ in questions]


def test_layers_of_a_picture_are_judged_in_one_sheet_side_by_side():
    language = Judges(
        {"id": 1, "complete": 9, "clean": 8, "same": 10}, {"id": 2, "complete": 2, "clean": 30, "same": "x"}
    )
    scene = run(language=language)
    (question,) = language.asked
    assert "1 is 'shape 0', 2 is 'shape 1'" in question.text
    assert len(question.pictures) == 2
    assert scene.instances[0].scores["judge_complete"] == pytest.approx(0.9)
    assert "judge_clean" not in scene.instances[1].scores
    assert scene.numbers["postfilter"]["tokens"] == 9.0


def test_grades_stay_between_0_and_1_and_no_list_is_refused():
    assert grades_of([{"id": 3, "complete": 12, "clean": -1, "same": 5}]) == {
        3: {"complete": 1.0, "clean": 0.0, "same": 0.5}
    }
    with pytest.raises(TypeError):
        grades_of({"id": 1})


def test_a_sheet_holds_every_layer():
    scene = finished()
    assert sheet(scene.foregrounds).shape == (256, 512, 3)
    assert sheet(scene.foregrounds * 4).shape == (768, 768, 3)


def test_both_views_of_a_layer_are_cut_alike_and_nothing_is_cropped_off():
    layer = finished().instances[1].layer
    assert on_grey(layer).shape == on_grey(layer, layer.visible_hw).shape
    wide = np.zeros((10, 100, 3), np.uint8)
    square = to_square(wide, 50)
    assert square.shape == (50, 50, 3)
    assert (square == 0).all(axis=2).sum() == 50 * 5


COMBINED = Combination({"a": 2.0}, {"a": 0.5}, {"a": 0.5}, bias=0.0, limit=0.5)


def test_a_combination_is_a_logistic_of_its_scores_and_a_missing_one_counts_as_the_mean():
    assert COMBINED({"a": 0.5}) == COMBINED({}) == 0.5
    assert COMBINED({"a": 1.0}) == pytest.approx(1 / (1 + np.exp(-2)))


def test_a_fitted_combination_drops_what_people_would_reject():
    document = {"weights": {"area_share": 50.0}, "means": {"area_share": 0.2}, "scales": {"area_share": 0.1}}
    scene = run(combination={**document, "bias": 0.0, "limit": 0.5})
    assert all(0 <= i.scores["chance"] <= 1 for i in scene.instances[:2])
    small = [i.drop_reason for i in scene.instances[:2] if i.scores["area_share"] < 0.19]
    assert small
    assert set(small) == {"unlikely_accepted"}


@pytest.mark.parametrize("document", [{}, {"weights": {"a": 1}, "means": {}, "scales": {}, "bias": 0, "limit": 0}])
def test_a_document_that_is_no_combination_is_refused(document):
    with pytest.raises(ValueError, match="not a fitted combination"):
        Combination.from_json(document)


def samples(count=200, noise=0.5):
    rng = np.random.default_rng(1)
    signal = rng.normal(size=count)
    accepted = signal + rng.normal(0, noise, count) > 0
    rows = [{"signal": float(s), "constant": 1.0, "noise": float(rng.normal())} for s in signal]
    return rows, accepted.tolist(), [f"picture {n % 20}" for n in range(count)]


def test_a_fit_finds_the_signal_and_leaves_out_what_never_changes():
    rows, accepted, pictures = samples()
    rows[3].pop("signal")
    found = fit(rows, accepted, pictures)
    assert found.auc > 0.85
    assert found.ranking[0][0] == "signal"
    assert "constant" not in found.combination.weights
    assert found.recall >= 0.95


def test_a_higher_recall_keeps_more():
    rows, accepted, pictures = samples()
    strict, mild = fit(rows, accepted, pictures, recall=0.6), fit(rows, accepted, pictures, recall=0.99)
    assert strict.kept < mild.kept
    assert strict.precision > mild.precision


def test_noise_alone_has_no_auc():
    rng = np.random.default_rng(2)
    rows = [{"noise": float(rng.normal())} for _ in range(300)]
    found = fit(rows, (rng.random(300) > 0.5).tolist(), [f"picture {n % 30}" for n in range(300)])
    assert 0.35 < found.auc < 0.65


def test_one_picture_teaches_nothing():
    rows, accepted, _ = samples()
    with pytest.raises(TooFewVerdicts):
        fit(rows, accepted, ["the same"] * len(rows))
