"""Any server that speaks OpenAI's chat completions: vLLM, SGLang, llama.cpp, hosted ones.

The key comes from the environment, never from a recipe, because recipes are stored and shown. Pictures go as PNG
inside the request.
"""

from __future__ import annotations

import base64
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np

from engine.imaging import encode_png
from engine.language.coordinates import convention_of, shown_size
from engine.records import Picture
from engine.stages.roles import Answer, Question

_LONGEST_WAIT_S = 60.0
_WORTH_RETRYING = {408, 409, 429, 500, 502, 503, 504}


class NoEndpoint(LookupError):
    code = "no_language_endpoint"


class OpenAIEndpoint:
    """``url`` and ``model`` default to ``RLD_LANGUAGE_URL`` and ``RLD_LANGUAGE_MODEL``; the key is
    ``RLD_LANGUAGE_KEY``. Several questions are under way at once; each is retried on overload, with the wait that the
    server asks for, and after its last attempt becomes an answer with an error, never an exception."""

    def __init__(
        self,
        url: str = "",
        model: str = "",
        convention: str = "",
        timeout_s: float = 120.0,
        attempts: int = 4,
        at_once: int = 8,
        most_tokens: int = 2048,
        longest_px: int = 1280,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = (url or os.environ.get("RLD_LANGUAGE_URL", "")).rstrip("/")
        self.model = model or os.environ.get("RLD_LANGUAGE_MODEL", "")
        self.convention = convention or convention_of(self.model)
        self.timeout_s, self.attempts, self.at_once = timeout_s, attempts, at_once
        self.most_tokens, self.longest_px = most_tokens, longest_px
        self.wait = wait

    def load(self, device: str = "cpu", dtype: str = "float32") -> None:
        """Nothing to load; raises ``NoEndpoint`` when nothing says where the server is."""
        if not self.url.startswith(("http://", "https://")) or not self.model:
            raise NoEndpoint("set RLD_LANGUAGE_URL (http...) and RLD_LANGUAGE_MODEL, or url and model in the recipe")

    def __call__(self, questions: Sequence[Question]) -> list[Answer]:
        if not questions:
            return []
        with ThreadPoolExecutor(min(self.at_once, len(questions))) as pool:
            return list(pool.map(self._ask, questions))

    def _ask(self, question: Question) -> Answer:
        sent = [self._shrunk(picture) for picture in question.pictures]
        body = json.dumps(self._body(question, sent)).encode()
        error = ""
        for attempt in range(self.attempts):
            try:
                return self._answer(self._post(body), sent)
            except urllib.error.HTTPError as failure:
                error = f"{failure.code} {failure.reason}"
                if failure.code not in _WORTH_RETRYING:
                    break
                asked_for = failure.headers.get("Retry-After", "")
                pause = float(asked_for) if asked_for.replace(".", "", 1).isdigit() else 2.0**attempt
            except (OSError, ValueError, KeyError, TypeError, IndexError) as failure:
                error = f"{type(failure).__name__}: {failure}"
                pause = 2.0**attempt
            if attempt + 1 < self.attempts:
                self.wait(min(pause, _LONGEST_WAIT_S))
        return Answer("", error=f"language endpoint: {error}"[:300])

    def _post(self, body: bytes) -> dict[str, Any]:
        headers = {"Content-Type": "application/json"}
        if key := os.environ.get("RLD_LANGUAGE_KEY", ""):
            headers["Authorization"] = f"Bearer {key}"
        request = urllib.request.Request(f"{self.url}/chat/completions", body, headers)  # noqa: S310 - checked in load
        with urllib.request.urlopen(request, timeout=self.timeout_s) as answer:  # noqa: S310
            document: dict[str, Any] = json.load(answer)
            return document

    def _body(self, question: Question, pictures: Sequence[Picture]) -> dict[str, Any]:
        shown = [{"type": "image_url", "image_url": {"url": _data_url(picture)}} for picture in pictures]
        return {
            "model": self.model,
            "messages": [{"role": "user", "content": [*shown, {"type": "text", "text": question.text}]}],
            "temperature": 0.0 if question.is_retry else 0.1,
            "max_tokens": self.most_tokens,
        }

    def _answer(self, document: dict[str, Any], sent: Sequence[Picture]) -> Answer:
        text = document["choices"][0]["message"]["content"]
        if not isinstance(text, str):
            raise TypeError("the answer has no text")
        tokens = int((document.get("usage") or {}).get("total_tokens") or 0)
        sizes = [(picture.shape[1], picture.shape[0]) for picture in sent]
        if self.convention == "shown_pixels":
            sizes = [shown_size(size) for size in sizes]
        return Answer(text, tokens, shown=tuple(sizes))

    def _shrunk(self, picture: Picture) -> Picture:
        height, width = picture.shape[:2]
        scale = min(1.0, self.longest_px / max(height, width))
        if scale == 1.0:
            return picture
        to = (max(1, round(width * scale)), max(1, round(height * scale)))
        return np.asarray(cv2.resize(picture, to, interpolation=cv2.INTER_AREA), np.uint8)


def _data_url(picture: Picture) -> str:
    return "data:image/png;base64," + base64.b64encode(encode_png(picture)).decode()
