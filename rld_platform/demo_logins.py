"""The demo's people. Their passwords are made on the first run and kept in the home folder, never in the code."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass

from django.conf import settings

PEOPLE = (("admin", "admin"), ("curator", "curator"), ("annotator", "annotator"))
SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprst" for vowel in "aeio"]


@dataclass(frozen=True, slots=True)
class DemoLogin:
    username: str
    password: str
    role: str


def demo_logins() -> list[DemoLogin]:
    """The same people and passwords every time on this machine."""
    path = settings.HOME / "demo-logins.json"
    if not path.exists():
        made = [DemoLogin(username, _password(), role) for username, role in PEOPLE]
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump([asdict(login) for login in made], file)
    return [DemoLogin(**row) for row in json.loads(path.read_text())]


def _password() -> str:
    """Twelve of 48 syllables: 67 bits, and a person can type it."""
    words = ["".join(secrets.choice(SYLLABLES) for _ in range(4)) for _ in range(3)]
    return "-".join(words)
