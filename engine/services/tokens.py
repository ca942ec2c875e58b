"""API tokens: made once, shown once, stored as a digest."""

from __future__ import annotations

import secrets
from typing import Any

from engine.imaging import sha256
from engine.models import ApiToken


def digest_of(text: str) -> str:
    """A token has 256 random bits, so a plain fast hash is enough."""
    return sha256(text.encode())


def create_token(*, user: Any, name: str = "") -> tuple[ApiToken, str]:
    """The stored row and the token's text, which nobody can read again."""
    text = secrets.token_urlsafe(32)
    return ApiToken.objects.create(user=user, name=name, digest=digest_of(text)), text
