"""API tokens: made with a session or with name and password, listed and deleted by their owner."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import authenticate
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers, status
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated, PermissionDenied
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle, ScopedRateThrottle

from engine.api.asking import refused
from engine.models import ApiToken
from engine.services.tokens import create_token


class TokenSerializer(serializers.ModelSerializer[ApiToken]):
    class Meta:
        model = ApiToken
        fields: tuple[str, ...] = ("id", "name", "created_at", "last_used_at")


class NewToken(serializers.Serializer[Any]):
    """With a session: nothing more. Without: ``username`` and ``password``."""

    name = serializers.CharField(max_length=80, required=False, default="")
    username = serializers.CharField(max_length=150, required=False, write_only=True)
    password = serializers.CharField(max_length=400, required=False, write_only=True, trim_whitespace=False)


class TokenShown(TokenSerializer):
    token = serializers.CharField(help_text="Shown this once; only a digest is kept.")

    class Meta(TokenSerializer.Meta):
        fields = (*TokenSerializer.Meta.fields, "token")


class Tokens(generics.ListAPIView[ApiToken]):
    """One's own tokens, newest first, without their text."""

    serializer_class = TokenSerializer
    throttle_scope = "tokens"

    def get_queryset(self) -> Any:
        return ApiToken.objects.filter(user=self.request.user.pk)

    def get_permissions(self) -> list[BasePermission]:
        return [AllowAny()] if self.request.method == "POST" else [IsAuthenticated()]

    def get_throttles(self) -> list[BaseThrottle]:
        return [ScopedRateThrottle()] if self.request.method == "POST" else []

    @extend_schema(request=NewToken, responses={201: TokenShown, **refused(400, 401, 403, 429)})
    def post(self, request: Request) -> Response:
        """Make a token. A token cannot make another one: a stolen one shall end when it is deleted."""
        body = NewToken(data=request.data)
        body.is_valid(raise_exception=True)
        token, text = create_token(user=_person(request, body.validated_data), name=body.validated_data["name"])
        return Response({**TokenSerializer(token).data, "token": text}, status.HTTP_201_CREATED)


class Token(generics.DestroyAPIView[ApiToken]):
    """Delete one of one's own tokens; from then on it opens nothing."""

    serializer_class = TokenSerializer
    lookup_url_kwarg = "token_id"

    def get_queryset(self) -> Any:
        return ApiToken.objects.filter(user=self.request.user.pk)


def _person(request: Request, body: dict[str, Any]) -> Any:
    if "username" in body or "password" in body:
        user = authenticate(request, username=body.get("username", ""), password=body.get("password", ""))
        if user is None:
            raise AuthenticationFailed("This name and password do not fit together.", code="wrong_credentials")
        return user
    if not request.user.is_authenticated:
        raise NotAuthenticated
    if isinstance(request.auth, ApiToken):
        raise PermissionDenied("A token cannot make another token; sign in.", code="forbidden")
    return request.user
