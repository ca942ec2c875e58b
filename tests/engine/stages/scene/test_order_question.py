import json

import numpy as np
import pytest

from engine.stages.roles import Answer
from engine.stages.scene.order_question import chance_of, outlined, settle
from tests.engine.stages.drawn import rectangle, slope

SIZE = (60, 100)
LEFT, RIGHT = rectangle(*SIZE, 20, 20, 50, 50), rectangle(*SIZE, 50, 20, 80, 50)


class Says:
    def __init__(self, *words):
        self.words, self.asked = words, []

    def __call__(self, questions):
        self.asked += questions
        return [Answer(json.dumps({"in_front": word})) for word, _ in zip(self.words, questions, strict=False)]


def test_an_answer_becomes_a_probability():
    language = Says("red", "blue", "neither")
    chances = settle(language, slope(*SIZE), [LEFT, RIGHT], [(0, 1), (0, 1), (0, 1)])
    assert chances[0] > 0.5 > chances[1]
    assert chances[2] == 0.5


def test_without_an_answer_there_is_no_probability():
    assert settle(Says("maybe", "maybe"), slope(*SIZE), [LEFT, RIGHT], [(0, 1)]) == [None]


def test_the_first_is_red_and_the_second_blue():
    shown = outlined(slope(*SIZE), LEFT, RIGHT)
    red, blue = (shown == (255, 0, 0)).all(axis=2), (shown == (0, 0, 255)).all(axis=2)
    assert np.argwhere(red)[:, 1].mean() < np.argwhere(blue)[:, 1].mean()


@pytest.mark.parametrize("document", [{"in_front": "green"}, {}])
def test_any_other_word_is_no_answer(document):
    with pytest.raises(KeyError):
        chance_of(document)
