"""Captions and the check that they are unique, with stand-ins that say and find what a test tells them."""

import json

import pytest

from engine.imaging import box_of
from engine.records import PromptKind
from engine.stages.prompts.base import check
from engine.stages.prompts.captioned import Captioned, caption_of, outlined
from engine.stages.roles import Answer, Found
from tests.engine.stages.drawn import two_discs


class Says:
    convention = "thousandths"

    def __init__(self, *texts):
        self.texts, self.asked = list(texts), []

    def __call__(self, questions):
        self.asked += questions
        return [Answer(self.texts[min(k, len(self.texts) - 1)], tokens=5) for k, _ in enumerate(questions)]


class Finds:
    needs_phrases = True

    def __init__(self, **boxes):
        self.boxes, self.asked = boxes, []

    def __call__(self, pictures, phrases):
        self.asked += [list(some) for some in phrases]
        return [[hit for phrase in some for hit in self.boxes.get(phrase.replace(" ", "_"), [])] for some in phrases]


def caption(text):
    return json.dumps({"caption": text})


def run(language, locator, scene=None):
    scene = scene or two_discs()
    for instance in scene.instances:
        instance.amodal_hw = instance.visible_hw
    backend = Captioned(language={"network": "openai_endpoint"}, locator=None)
    backend.language, backend.locator = language, locator
    backend([scene])
    check(scene)
    return [next(p for p in i.prompts if p.kind is PromptKind.TEXT) for i in scene.instances], scene


def boxes():
    return [box_of(instance.visible_hw) for instance in two_discs().instances]


def test_a_caption_that_leads_back_to_its_object_alone_is_unique():
    first, second = boxes()
    locator = Finds(
        red_ball=[Found("red ball", 0.6, first)],
        green_ball=[Found("green ball", 0.6, second), Found("green ball", 0.2, first)],
    )
    prompts, scene = run(Says(caption("Red ball."), caption("green ball")), locator)
    assert [(p.text, p.is_ambiguous) for p in prompts] == [("red ball", False), ("green ball", False)]
    assert locator.asked == [["red ball", "green ball"]]
    assert scene.numbers["prompts"]["tokens"] == 10.0


@pytest.mark.parametrize("case", ["leads elsewhere", "has a rival", "leads nowhere"])
def test_a_caption_that_may_be_of_another_object_is_ambiguous(case):
    first, second = boxes()
    hits = {
        "leads elsewhere": [Found("a ball", 0.6, second)],
        "has a rival": [Found("a ball", 0.6, first), Found("a ball", 0.5, second)],
        "leads nowhere": [],
    }[case]
    prompts, _ = run(Says(caption("a ball"), "no"), Finds(a_ball=hits))
    assert (prompts[0].text, prompts[0].is_ambiguous) == ("a ball", True)


def test_without_a_locator_no_caption_is_called_unique():
    prompts, _ = run(Says(caption("red ball")), None)
    assert all(prompt.is_ambiguous for prompt in prompts)


def test_without_a_readable_answer_the_label_stands_in():
    prompts, scene = run(Says("I cannot."), Finds())
    assert [p.text for p in prompts] == ["shape 0", "shape 1"]
    assert scene.numbers["prompts"]["captions"] == 0.0


def test_a_caption_that_a_person_gave_is_not_asked_for():
    scene = two_discs()
    scene.instances[0].given = type(scene.given[0])("shape 0", box=(0, 0, 9, 9), caption="the one I mean")
    language = Says(caption("green ball"))
    prompts, _ = run(language, Finds(), scene)
    assert prompts[0].text == "the one I mean"
    assert len(language.asked) == 1


def test_the_network_sees_the_picture_and_the_object_outlined():
    language = Says(caption("x"))
    _, scene = run(language, Finds())
    whole, part = language.asked[0].pictures
    assert (whole == scene.image_hwc).all()
    assert ((part == (255, 0, 0)).all(axis=2)).any()
    assert (outlined(scene.image_hwc, scene.instances[0]).shape) == part.shape


@pytest.mark.parametrize("document", [{}, {"caption": ""}, {"caption": "word " * 40}, 7])
def test_what_is_no_phrase_is_refused(document):
    with pytest.raises((ValueError, KeyError, TypeError)):
        caption_of(document)
