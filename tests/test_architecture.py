"""Rules of the house that no linter knows."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
TOP_LEVEL = {
    "manage.py", "rld_platform", "annotation", "engine", "training", "evaluation", "frontend", "tests",
    "docker-compose.yml", "Dockerfile", "Makefile", "pyproject.toml", "README.md", "DECISIONS.md", "CHANGELOG.md",
    "LICENSE",
}  # fmt: skip
DJANGO_NAMES = {
    "apps", "models", "services", "selectors", "tasks", "api", "views", "urls", "admin", "forms", "migrations",
    "management",
}  # fmt: skip
FRAMEWORKS = re.compile(r"^\s*(?:from|import) (django|rest_framework|celery|drf_spectacular)\b", re.MULTILINE)


def tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("this is no git checkout")
    return [name for name in listed.stdout.splitlines() if (ROOT / name).exists()]


def test_the_top_level_is_the_agreed_one():
    names = {name.split("/")[0] for name in tracked()}
    assert {name for name in names if not name.startswith(".")} <= TOP_LEVEL


def test_files_without_a_django_name_are_pure_python():
    impure = [
        name
        for name in tracked()
        if name.endswith(".py")
        and name.split("/")[0] in {"annotation", "engine", "training", "evaluation", "frontend"}
        and not DJANGO_NAMES & {part.removesuffix(".py") for part in name.split("/")[1:]}
        and FRAMEWORKS.search((ROOT / name).read_text())
    ]
    assert impure == []


def test_every_file_the_readme_map_names_is_there():
    readme = (ROOT / "README.md").read_text()
    block = re.search(r"## Map of the house\n.*?```\n(.*?)```", readme, re.DOTALL)
    assert block, "README.md has no map of the house"
    missing, folder = [], ""
    for line in block[1].splitlines():
        if not line.strip():
            continue
        indented, name = re.match(r"( *)(\S+)", line).groups()
        if not indented:
            folder = name if name.endswith("/") else ""
        if not (ROOT / (folder if indented else "") / name).exists():
            missing.append(name)
    assert missing == []


def test_the_web_process_imports_no_torch_and_no_backend():
    script = (
        "import os, sys; os.environ['DJANGO_SETTINGS_MODULE'] = 'rld_platform.settings'; import rld_platform.wsgi;"
        "from django.urls import get_resolver; get_resolver().url_patterns;"
        "print(*[m for m in sys.modules if m in ('torch', 'diffusers', 'numba') or '.stages.' in m])"
    )
    loaded = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == []


def test_every_dependency_is_pinned_to_one_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    listed = project["dependencies"] + [name for extra in project["optional-dependencies"].values() for name in extra]
    assert [name for name in listed if not re.fullmatch(r"[\w.-]+(\[\w+\])?==[\w.]+", name)] == []


def test_no_tracked_text_names_a_home_folder_or_a_registry():
    pattern = re.compile(r"(?<![\w.])/(root|home/\w+|work)/|index-url|find-links")
    offenders = [
        name
        for name in tracked()
        if name.endswith((".py", ".md", ".toml", ".yml", ".html", ".js", ".css")) or "." not in name
        if name != "tests/test_architecture.py" and pattern.search((ROOT / name).read_text(errors="ignore"))
    ]
    assert offenders == []


def test_compose_has_every_part_and_no_secret_in_it():
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    assert set(compose["services"]) >= {"web", "worker-cpu", "worker-gpu-0", "beat", "postgres", "redis", "minio"}
    environment = compose["services"]["web"]["environment"]
    assert environment["SECRET_KEY"].startswith("${SECRET_KEY:?")
    for name, value in environment.items():
        assert "PASSWORD" not in name or value.startswith("${")


def test_pytest_runs_the_same_suite_in_ci_and_by_hand():
    script = (ROOT / ".ci" / "run").read_text()
    assert "RLD_REQUIRE_SERVICES=1 make test" in script
