"""JSON as language networks write it: in code fences, between sentences, cut off in the middle, with loose commas."""

from __future__ import annotations

import json
from typing import Any

_CLOSING = {"[": "]", "{": "}"}


class Unreadable(ValueError):
    code = "unreadable_answer"


def read_json(text: str) -> Any:
    """The first array or object in ``text``; of one that was cut off, what was complete.

    Raises ``Unreadable`` when there is none.
    """
    starts = [start for start in (text.find("["), text.find("{")) if start >= 0]
    while starts:
        start = min(starts)
        document = _mended(text[start:])
        try:
            return json.loads(document)
        except ValueError:
            starts = [n for n in (text.find("[", start + 1), text.find("{", start + 1)) if n >= 0]
    raise Unreadable(f"no JSON in {text[:120]!r}")


def _mended(text: str) -> str:
    """Up to where the first bracket closes; if it never does, up to the last complete element, brackets closed.

    Commas before a closing bracket are left out.
    """
    out: list[str] = []
    open_: list[str] = []
    complete, still_open = 0, ""
    in_text = False
    for sign in text:
        if in_text:
            in_text = sign != '"' or _is_escaped(out)
            out.append(sign)
            continue
        if sign == '"':
            in_text = True
        elif sign in _CLOSING:
            open_.append(_CLOSING[sign])
        elif sign in "]}":
            if not open_ or sign != open_[-1]:
                break
            _drop_comma(out)
            open_.pop()
        out.append(sign)
        if sign in "]}":
            complete, still_open = len(out), "".join(reversed(open_))
            if not open_:
                break
    return "".join(out[:complete]) + still_open


def _is_escaped(out: list[str]) -> bool:
    """Whether an odd number of backslashes stands at the end."""
    count = 0
    for sign in reversed(out):
        if sign != "\\":
            break
        count += 1
    return count % 2 == 1


def _drop_comma(out: list[str]) -> None:
    k = len(out)
    while k and out[k - 1].isspace():
        k -= 1
    if k and out[k - 1] == ",":
        del out[k - 1]
