"""Questions whose answer is JSON: asked, read, asked once more where it could not be read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from engine.accounts import METER
from engine.language.reading import Unreadable, read_json
from engine.stages.roles import Answer, Language, Question

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Read:
    """``value`` is what was read, ``None`` where both answers could not be; ``answer`` the last one as it came."""

    value: Any
    answer: Answer
    tokens: int
    """Of both attempts."""


def ask_json(language: Language, questions: Sequence[Question], read: Callable[[Any], T]) -> list[Read]:
    """Ask all; those whose answer is not JSON that ``read`` takes are asked once more, without sampling.

    ``read`` turns parsed JSON into a value and raises ``ValueError``, ``KeyError`` or ``TypeError`` for any other
    shape. A network that failed (``Answer.error``) is not asked again here: it has retried on its own.
    """
    answers = language(questions)
    METER.answers(answers)
    out = [_read(answer, read) for answer in answers]
    again = [k for k, one in enumerate(out) if one.value is None and not one.answer.error]
    if again:
        second = language([replace(questions[k], is_retry=True) for k in again])
        METER.answers(second)
        for k, answer in zip(again, second, strict=True):
            out[k] = replace(_read(answer, read), tokens=out[k].tokens + answer.tokens)
    return out


def _read(answer: Answer, read: Callable[[Any], Any]) -> Read:
    value = None
    if not answer.error:
        try:
            value = read(read_json(answer.text))
        except (Unreadable, ValueError, KeyError, TypeError):
            value = None
    return Read(value, answer, answer.tokens)
