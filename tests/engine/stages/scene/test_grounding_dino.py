import numpy as np
import pytest

from engine.stages.scene.grounding_dino import MOST_PHRASES, GroundingDino, best_phrase, spans_of


def offsets_of_words(text):
    """A token for each word and each full stop, between the two special ones that stand for no characters."""
    offsets, start = [(0, 0)], 0
    for word in text.replace(".", " .").split():
        start = text.index(word, start)
        offsets.append((start, start + len(word)))
        start += len(word)
    return [*offsets, (0, 0)]


def test_every_phrase_owns_its_tokens_and_no_full_stop():
    phrases = ["cat", "red cup", "remote"]
    assert spans_of(phrases, offsets_of_words("cat. red cup. remote.")) == [(1, 2), (3, 5), (6, 7)]


def test_a_phrase_that_was_cut_off_gets_no_span_and_no_box():
    spans = spans_of(["cat", "dog"], offsets_of_words("cat."))
    assert spans[1] == (0, 0)
    assert best_phrase(np.array([0, 0.9, 0, 0], np.float32), spans) == (0, pytest.approx(0.9))


def test_a_shared_word_does_not_decide():
    spans = spans_of(["red car", "red cup"], offsets_of_words("red car. red cup."))
    chances = np.array([0, 0.9, 0.1, 0, 0.9, 0.4, 0, 0], np.float32)
    assert best_phrase(chances, spans) == (1, pytest.approx(0.9))


def test_tokens_of_two_phrases_never_make_a_merged_one():
    phrases = ["cat", "remote"]
    chances = np.array([0, 0.8, 0, 0.7, 0, 0], np.float32)
    best, _ = best_phrase(chances, spans_of(phrases, offsets_of_words("cat. remote.")))
    assert phrases[best] == "cat"


def test_a_long_list_goes_in_passes_of_at_most_twenty(tiny_weights):
    detector = GroundingDino("grounding_dino_base")
    detector.load()
    phrases = [f"thing {n}" for n in range(45)]
    groups = detector._groups([*phrases, *phrases, " ", " ".join(["word"] * 80)])
    assert [phrase for group in groups for phrase in group] == phrases
    assert max(len(group) for group in groups) <= MOST_PHRASES
    assert len(groups) >= 3
