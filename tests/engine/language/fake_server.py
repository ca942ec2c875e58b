"""A server that speaks OpenAI's chat completions and answers from a script."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Reply:
    """``hang_s`` holds the connection that long without a word; ``status`` other than 200 refuses."""

    text: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    hang: threading.Event | None = None


@dataclass
class FakeServer:
    url: str
    script: list[Reply]
    """Taken from the front, the last one for ever."""
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)


@contextmanager
def serving(*script: Reply) -> Iterator[FakeServer]:
    lock = threading.Lock()
    server = FakeServer("", list(script))

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                server.requests.append(asked)
                server.keys.append(self.headers["Authorization"])
                reply = server.script.pop(0) if len(server.script) > 1 else server.script[0]
            if reply.hang is not None:
                reply.hang.wait(10)
                return
            message = {"choices": [{"message": {"content": reply.text}}], "usage": {"total_tokens": 7}}
            body = reply.body if reply.body is not None else json.dumps(message).encode()
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None: ...

    listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listening.daemon_threads = True
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    server.url = f"http://127.0.0.1:{listening.server_port}/v1"
    try:
        yield server
    finally:
        listening.shutdown()
        listening.server_close()
