"""Load on a queue over HTTP: ``python -m tests.benchmarks.review_load ours|label-studio URL PROJECT TOKENS SECONDS``.

Standard library only, one thread and one kept connection per annotator, so that the load takes little from the server
it measures. Each annotator takes one item, judges it, and goes on at once. Prints one line of JSON.
"""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

WARM_UP_S = 2.0


class Annotator(threading.Thread):
    scheme = "Bearer"

    def __init__(self, host: str, project: str, token: str, until: float) -> None:
        super().__init__(daemon=True)
        self.connection = http.client.HTTPConnection(host, timeout=30)
        self.headers = {"Authorization": f"{self.scheme} {token}", "Content-Type": "application/json"}
        self.project, self.until = project, until
        self.claims: list[tuple[float, float]] = []
        self.verdicts: list[tuple[float, float]] = []
        self.failures: list[str] = []

    def run(self) -> None:
        while time.monotonic() < self.until and self.take_and_judge():
            pass

    def take_and_judge(self) -> bool:
        answer = self.ask("POST", "/api/review/claim/", {"project": self.project, "count": 1}, 200, self.claims)
        if answer is None:
            return False
        judgement = {"verdict": "accept", "client_id": str(uuid.uuid4()), "active_ms": 1000}
        path = f"/api/assignments/{answer['assignments'][0]['id']}/verdict/"
        return self.ask("POST", path, judgement, 201, self.verdicts) is not None

    def ask(self, method: str, path: str, body: Any, wanted: int, log: list[tuple[float, float]]) -> Any:
        """The answer; its end and duration go to the log. One repeat when the kept connection was closed meanwhile."""
        start = time.monotonic()
        data = None if body is None else json.dumps(body)
        for attempt in (1, 2):
            try:
                self.connection.request(method, path, data, self.headers)
                response = self.connection.getresponse()
                text = response.read()
                break
            except (http.client.HTTPException, ConnectionError):
                self.connection.close()
                if attempt == 2:
                    raise
        end = time.monotonic()
        if response.status != wanted:
            self.failures.append(f"{path} {response.status} {text[:120]!r}")
            return None
        log.append((end, end - start))
        return json.loads(text)


class LabelStudioAnnotator(Annotator):
    scheme = "Token"

    def take_and_judge(self) -> bool:
        task = self.ask("GET", f"/api/projects/{self.project}/next/", None, 200, self.claims)
        if task is None:
            return False
        said = {"from_name": "verdict", "to_name": "picture", "type": "choices", "value": {"choices": ["accept"]}}
        body = {"result": [said], "lead_time": 1.0}
        return self.ask("POST", f"/api/tasks/{task['id']}/annotations/", body, 201, self.verdicts) is not None


PRODUCTS = {"ours": Annotator, "label-studio": LabelStudioAnnotator}


def quantile(sorted_values: list[float], share: float) -> float:
    return sorted_values[min(len(sorted_values) - 1, int(share * len(sorted_values)))]


def main(product: str, url: str, project: str, tokens: str, seconds: str) -> None:
    start = time.monotonic() + WARM_UP_S
    until = start + float(seconds)
    texts = Path(tokens).read_text().split()
    annotators = [PRODUCTS[product](urlsplit(url).netloc, project, token, until) for token in texts]
    for annotator in annotators:
        annotator.start()
    for annotator in annotators:
        annotator.join()
    document: dict[str, Any] = {"annotators": len(annotators), "seconds": float(seconds)}
    for name in ("claims", "verdicts"):
        taken = sorted(s for annotator in annotators for end, s in getattr(annotator, name) if start <= end <= until)
        document[name] = {"count": len(taken)}
        if taken:
            document[name] |= {f"p{share}_ms": 1e3 * quantile(taken, share / 100) for share in (50, 95, 99)}
    document["decisions_per_s"] = document["verdicts"]["count"] / float(seconds)
    document["failures"] = [failure for annotator in annotators for failure in annotator.failures]
    print(json.dumps(document))


if __name__ == "__main__":
    main(*sys.argv[1:])
