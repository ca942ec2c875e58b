"""Label Studio on the same PostgreSQL, in an environment of its own, with people and open tasks to measure against.

``python -m venv V && V/bin/pip install label-studio==1.23.2 gunicorn==27.0.1``; ``LABEL_STUDIO_PYTHON=V/bin/python``.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from django.db import connection

from tests.benchmarks.servers import free_port, running
from tests.services import database_url

DATABASE = "label_studio_bench"
TASKS = 20_000

# Runs inside Label Studio's own environment, in its project folder.
SEED = """
import sys

import django
django.setup()
from organizations.models import Organization
from projects.models import Project
from rest_framework.authtoken.models import Token
from tasks.models import Task
from users.models import User

people = [User.objects.create_user(email=f"person{n}@example.com", password="bench") for n in range(int(sys.argv[1]))]
organization = Organization.create_organization(created_by=people[0], title="bench")
for person in people:
    organization.add_user(person) if not organization.has_user(person) else None
    person.active_organization = organization
    person.save()
organization.jwt.legacy_api_tokens_enabled = True
organization.jwt.save()
project = Project.objects.create(
    title="bench", organization=organization, created_by=people[0], maximum_annotations=1,
    label_config='<View><Image name="picture" value="$image"/>'
    '<Choices name="verdict" toName="picture"><Choice value="accept"/><Choice value="reject"/></Choices></View>')
Task.objects.bulk_create(
    [Task(data={"image": f"/static/{n}.png"}, project=project, overlap=1, inner_id=n) for n in range(int(sys.argv[2]))],
    batch_size=2000)
print(project.pk, *[Token.objects.get_or_create(user=person)[0].key for person in people])
"""


@contextmanager
def label_studio(python: str, home: Path, people: int, processes: int) -> Iterator[tuple[str, str, Path]]:
    """Address, project and a file of tokens, while the server runs."""
    code = "import label_studio, os; print(os.path.dirname(label_studio.__file__))"
    folder = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip()
    _make_database()
    port = free_port()
    environment = _environment(home, port)
    subprocess.run([python, "manage.py", "migrate", "--verbosity", "0"], cwd=folder, env=environment, check=True)
    seed = [python, "-c", SEED, str(people), str(TASKS)]
    said = subprocess.run(seed, cwd=folder, env=environment, check=True, capture_output=True, text=True).stdout
    project, *tokens = said.strip().splitlines()[-1].split()
    tokens_file = home / "label-studio-tokens"
    tokens_file.write_text("\n".join(tokens))
    command = [python, "-m", "gunicorn", "core.wsgi:application", "--workers", str(processes), "--bind"]
    command += [f"127.0.0.1:{port}", "--log-level", "warning"]
    with running(command, port, "/health", cwd=folder, env=environment) as url:
        yield url, project, tokens_file


def _make_database() -> None:
    with psycopg.connect(database_url(), autocommit=True) as server:
        server.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        server.execute(f"CREATE DATABASE {DATABASE}")


def _environment(home: Path, port: int) -> dict[str, str]:
    settings = connection.settings_dict
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("DJANGO")},
        "DJANGO_SETTINGS_MODULE": "core.settings.label_studio",
        "DJANGO_DB": "default",
        "POSTGRE_NAME": DATABASE,
        "POSTGRE_USER": str(settings["USER"]),
        "POSTGRE_PASSWORD": str(settings["PASSWORD"]),
        "POSTGRE_HOST": str(settings["HOST"]),
        "POSTGRE_PORT": str(settings["PORT"]),
        "LABEL_STUDIO_BASE_DATA_DIR": str(home / "label-studio"),
        "LABEL_STUDIO_HOST": f"http://127.0.0.1:{port}",
        "COLLECT_ANALYTICS": "False",
        "LATEST_VERSION_CHECK": "False",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
        "LOG_LEVEL": "ERROR",
        "DEBUG": "False",
    }
