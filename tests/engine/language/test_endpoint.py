import base64
import threading

import numpy as np
import pytest

from engine.imaging import decode_png
from engine.language.asking import ask_json
from engine.language.endpoint import NoEndpoint, OpenAIEndpoint
from engine.stages.roles import Question
from tests.engine.language.fake_server import Reply, serving

PICTURE = np.arange(40 * 60 * 3, dtype=np.uint8).reshape(40, 60, 3)


def asking(server, **params):
    waits = []
    endpoint = OpenAIEndpoint(server.url, "some-model", wait=waits.append, **params)
    endpoint.load()
    return endpoint, waits


def test_a_question_carries_its_pictures_and_the_key(monkeypatch):
    monkeypatch.setenv("RLD_LANGUAGE_KEY", "secret")
    with serving(Reply("fine")) as server:
        endpoint, _ = asking(server)
        (answer,) = endpoint([Question((PICTURE,), "what is it?")])
    assert (answer.text, answer.tokens, answer.shown) == ("fine", 7, ((60, 40),))
    image, text = server.requests[0]["messages"][0]["content"]
    assert text["text"] == "what is it?"
    sent = decode_png(base64.b64decode(image["image_url"]["url"].split(",")[1]))
    assert np.array_equal(sent, PICTURE)
    assert server.keys == ["Bearer secret"]


def test_a_large_picture_is_sent_smaller_and_says_so():
    with serving(Reply("fine")) as server:
        endpoint, _ = asking(server, longest_px=30)
        (answer,) = endpoint([Question((PICTURE,), "?")])
    assert answer.shown == ((30, 20),)


def test_answers_come_in_the_order_of_the_questions():
    with serving(*(Reply(f"answer {n}") for n in range(5))) as server:
        endpoint, _ = asking(server, at_once=1)
        answers = endpoint([Question((), str(n)) for n in range(5)])
    assert [answer.text for answer in answers] == [f"answer {n}" for n in range(5)]


def test_overload_is_waited_out_for_as_long_as_the_server_asks():
    with serving(Reply(status=429, headers={"Retry-After": "3"}), Reply(status=503), Reply("at last")) as server:
        endpoint, waits = asking(server)
        (answer,) = endpoint([Question((), "?")])
    assert answer.text == "at last"
    assert waits == [3.0, 2.0]


def test_a_server_that_stays_overloaded_gives_an_error_not_an_exception():
    with serving(Reply(status=429)) as server:
        endpoint, waits = asking(server, attempts=3)
        (answer,) = endpoint([Question((), "?")])
    assert "429" in answer.error
    assert len(server.requests) == 3
    assert len(waits) == 2


def test_a_refused_key_is_not_tried_again():
    with serving(Reply(status=401)) as server:
        endpoint, _ = asking(server)
        (answer,) = endpoint([Question((), "?")])
    assert "401" in answer.error
    assert len(server.requests) == 1


def test_a_server_that_says_nothing_is_given_up_after_the_timeout():
    silence = threading.Event()
    with serving(Reply(hang=silence), Reply("awake")) as server:
        endpoint, waits = asking(server, timeout_s=0.2)
        (answer,) = endpoint([Question((), "?")])
        silence.set()
    assert answer.text == "awake"
    assert len(waits) == 1


@pytest.mark.parametrize(
    "body", [b"<html>", b"{}", b'{"choices": []}', b'{"choices": [{"message": {"content": null}}]}']
)
def test_an_answer_of_another_shape_is_an_error(body):
    with serving(Reply(body=body)) as server:
        endpoint, _ = asking(server, attempts=2)
        (answer,) = endpoint([Question((), "?")])
    assert answer.error


def test_an_unreadable_answer_is_asked_for_once_more_without_sampling():
    with serving(Reply("I see a dog."), Reply("```json\n[1, 2]\n```")) as server:
        endpoint, _ = asking(server)
        (read,) = ask_json(endpoint, [Question((), "?")], list)
    assert read.value == [1, 2]
    assert read.tokens == 14
    assert [asked["temperature"] for asked in server.requests] == [0.1, 0.0]


def test_two_unreadable_answers_give_nothing():
    with serving(Reply("no")) as server:
        endpoint, _ = asking(server)
        (read,) = ask_json(endpoint, [Question((), "?")], list)
    assert read.value is None
    assert len(server.requests) == 2


def test_without_an_address_the_settings_are_named(monkeypatch):
    monkeypatch.delenv("RLD_LANGUAGE_URL", raising=False)
    with pytest.raises(NoEndpoint, match="RLD_LANGUAGE_URL"):
        OpenAIEndpoint(model="x").load()
