"""Downloads that can be taken up again: one range of bytes of something put together from stored files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.core.files.storage import default_storage
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

PIECE = 1 << 18
RANGE = re.compile(r"bytes=(\d*)-(\d*)")


@dataclass(frozen=True, slots=True)
class Segment:
    """``size`` bytes of a stored file from ``offset`` on, or with ``data`` those bytes."""

    size: int
    name: str = ""
    offset: int = 0
    data: bytes = b""


def answer(
    request: HttpRequest, segments: Sequence[Segment], *, etag: str, content_type: str, filename: str
) -> HttpResponseBase:
    """200 with everything, 206 with the one range that is asked for, or 416 (RFC 9110, section 14).

    Several ranges at once, and a range of another version (``If-Range``), get everything.
    """
    total = sum(segment.size for segment in segments)
    asked = request.headers.get("Range", "")
    if request.headers.get("If-Range", etag) != etag:
        asked = ""
    found = _range(asked, total)
    response: HttpResponseBase
    if found == "unsatisfiable":
        response = HttpResponse(status=416)
        response["Content-Range"] = f"bytes */{total}"
        return response
    start, end = found if isinstance(found, tuple) else (0, total)
    body = _bytes(segments, start, end) if request.method == "GET" else iter(())
    response = StreamingHttpResponse(body, status=206 if isinstance(found, tuple) else 200, content_type=content_type)
    response["Accept-Ranges"] = "bytes"
    response["Content-Length"] = str(end - start)
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    if isinstance(found, tuple):
        response["Content-Range"] = f"bytes {start}-{end - 1}/{total}"
    return response


def _range(asked: str, total: int) -> tuple[int, int] | str | None:
    """Half-open range; ``None`` for everything, ``"unsatisfiable"`` for none of it."""
    match = RANGE.fullmatch(asked.strip())
    if match is None or not any(match.groups()):
        return None
    first, last = match.groups()
    if not first:
        start, end = max(0, total - int(last)), total
    else:
        start, end = int(first), min(int(last) + 1, total) if last else total
        if last and int(last) < start:
            return None
    return (start, end) if start < end else "unsatisfiable"


def _bytes(segments: Sequence[Segment], start: int, end: int) -> Iterator[bytes]:
    at = 0
    for segment in segments:
        low, high = max(start, at) - at, min(end, at + segment.size) - at
        at += segment.size
        if low >= high:
            continue
        if not segment.name:
            yield segment.data[low:high]
            continue
        with default_storage.open(segment.name) as file:
            file.seek(segment.offset + low)
            left = high - low
            while left:
                data = file.read(min(PIECE, left))
                if not data:
                    return
                left -= len(data)
                yield data
