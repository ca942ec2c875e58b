"""``Authorization: Bearer <token>`` for scripts; pages use the session."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from engine.models import ApiToken
from engine.services.tokens import digest_of

FIND = """
SELECT person.*, token.id AS token_id, token.last_used_at AS token_used_at
FROM engine_apitoken token JOIN auth_user person ON person.id = token.user_id WHERE token.digest = %s
"""


class BearerToken(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[Any, ApiToken] | None:
        """The token's person; ``None`` without a bearer header; 401 for an unknown token or a closed account."""
        scheme, _, text = get_authorization_header(request).decode("latin-1").partition(" ")
        if scheme.lower() != "bearer":
            return None
        user: Any = next(iter(get_user_model().objects.raw(FIND, [digest_of(text.strip())])), None)
        if user is None or not user.is_active:
            raise AuthenticationFailed("This token is not valid.", code="invalid_token")
        now = timezone.now()
        if user.token_used_at is None or (now - user.token_used_at).total_seconds() > 60:
            ApiToken.objects.filter(pk=user.token_id).update(last_used_at=now)
        return user, ApiToken(pk=user.token_id, user=user, last_used_at=user.token_used_at)

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class BearerTokenScheme(OpenApiAuthenticationExtension):
    target_class = BearerToken
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}
