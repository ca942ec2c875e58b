import numpy as np
import torch

from engine.stages.scene.owlv2 import Owlv2
from engine.stages.text_features import TextFeatures


def test_every_text_is_read_once():
    read = []
    features = TextFeatures(lambda texts: [read.append(text) or text.upper() for text in texts])
    assert features(["cat", "dog", "cat"]) == ["CAT", "DOG", "CAT"]
    assert features(["dog", "cup"]) == ["DOG", "CUP"]
    assert read == ["cat", "dog", "cup"]


def test_the_text_not_asked_for_longest_is_forgotten():
    read = []
    features = TextFeatures(lambda texts: [read.append(text) or text for text in texts], most=2)
    features(["a", "b"])
    features(["a"])
    features(["c"])
    features(["a", "b"])
    assert read == ["a", "b", "c", "b"]


def test_more_texts_than_are_remembered_all_get_an_answer():
    features = TextFeatures(lambda texts: texts, most=2)
    assert features(["a", "b", "c"]) == ["a", "b", "c"]


@torch.inference_mode()
def test_owlv2_with_remembered_phrases_answers_as_the_library_does(tiny_weights):
    detector = Owlv2("owlv2_base", threshold=0.0)
    detector.load()
    picture = np.random.default_rng(4).integers(0, 256, (50, 70, 3), np.uint8)
    phrases = ["a red cup", "dog"]
    inputs = detector.processor(text=[phrases], images=[picture], return_tensors="pt")
    chances = detector.network(**inputs).logits.sigmoid().numpy()[0]
    for _ in range(2):
        (found,) = detector([picture], [phrases])
        gaps = np.abs(np.array([f.score for f in found])[:, None] - chances.max(axis=1))
        assert len(found) > 3
        assert gaps.min(axis=1).max() < 1e-5
