"""The documentation page obeys the content security policy, and the schema is whole."""

from __future__ import annotations

import re

from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema


def test_the_schema_is_valid_openapi(db: None) -> None:
    validate_schema(SchemaGenerator().get_schema(public=True))


def test_the_schema_names_the_engines_endpoints(db: None) -> None:
    paths = set(SchemaGenerator().get_schema(public=True)["paths"])
    assert {"/api/tokens/", "/api/images/", "/api/runs/{run_id}/retry/", "/api/stats/funnel/"} <= paths


def test_the_docs_page_runs_no_inline_script(client: Client, db: None) -> None:
    page = client.get("/api/docs/")
    assert re.findall(r"<script>", page.content.decode()) == []
    policy = page["Content-Security-Policy"]
    assert "script-src 'self';" in policy + ";"
    assert "style-src 'self' 'unsafe-inline'" in policy


def test_other_pages_keep_the_strict_policy(client: Client, db: None) -> None:
    assert "unsafe-inline" not in client.get("/sign-in/")["Content-Security-Policy"]
