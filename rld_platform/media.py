"""Stored files: written whole or not at all, and handed out under signed addresses that expire."""

from __future__ import annotations

import os
import time
import uuid
from functools import lru_cache
from typing import IO, Any

from django.conf import settings
from django.core import signing
from django.core.files.storage import FileSystemStorage, default_storage
from django.http import FileResponse, Http404, HttpRequest
from django.urls import reverse
from django.views.decorators.http import require_safe

SALT = "media"


class SignedUrls:
    """For storages: addresses of our own that carry a signature and an expiry, rounded so that caches can hit."""

    def url(self, name: str | None, *args: Any, **kwargs: Any) -> str:
        lifetime = settings.MEDIA_LIFETIME_S
        return _address(name, (int(time.time()) // lifetime + 2) * lifetime)


@lru_cache(maxsize=4096)
def _address(name: str | None, expires: int) -> str:
    """Kept, because the pictures of one photo are shown again with each of its layers."""
    return reverse("media", kwargs={"token": signing.Signer(salt=SALT).sign_object([name, expires])})


class SignedFileSystemStorage(SignedUrls, FileSystemStorage):
    """A local folder."""

    def save(self, name: str | None, content: IO[Any], max_length: int | None = None) -> str:
        """Write beside the target, then rename: a killed process leaves no half file under a real name.

        Replaces what is there: names are digests of the content, or belong to one lease.
        """
        if not name:
            raise ValueError("a stored file needs a name")
        temporary = super().save(f"tmp/{uuid.uuid4().hex}", content, max_length)
        target = self.path(name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.replace(self.path(temporary), target)
        return name


@require_safe
def serve(request: HttpRequest, token: str) -> FileResponse:
    """One stored file. Whoever has a valid address was shown it by a page that checked the membership."""
    try:
        name, expires = signing.Signer(salt=SALT).unsign_object(token)
    except signing.BadSignature:
        raise Http404("no such file") from None
    remaining = int(expires - time.time())
    if remaining <= 0:
        raise Http404("this address has expired")
    try:
        response = FileResponse(default_storage.open(name))
    except FileNotFoundError:
        raise Http404("no such file") from None
    response["Cache-Control"] = f"private, max-age={remaining}, immutable"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
