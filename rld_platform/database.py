"""Which PostgreSQL: the one ``DATABASE_URL`` names, or an embedded one under the home folder."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import dj_database_url

from rld_platform.environment import BadSetting, text

SCHEMES = ("postgres", "postgresql")


def configuration(home: Path) -> dict[str, Any]:
    """A Django ``DATABASES`` entry. There is no other dialect: a URL of another scheme is refused."""
    url = text("DATABASE_URL")
    if not url:
        return {
            "ENGINE": "rld_platform.embedded_postgres",
            "NAME": "rld",
            "USER": "postgres",
            "DATA_FOLDER": home / "postgres",
            "CONN_HEALTH_CHECKS": True,
            "CONN_MAX_AGE": 600,
        }
    if url.partition("://")[0] not in SCHEMES:
        raise BadSetting("DATABASE_URL", "a URL starting with postgresql://", without_password(url))
    try:
        return dict(dj_database_url.parse(url, conn_max_age=600, conn_health_checks=True))
    except ValueError:
        expected = "a URL like postgresql://user:password@host:5432/name"
        raise BadSetting("DATABASE_URL", expected, without_password(url)) from None


def without_password(url: str) -> str:
    return re.sub(r"(://[^:/@]*):.*@", r"\1:...@", url)
