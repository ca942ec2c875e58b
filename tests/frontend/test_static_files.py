"""Static files as they are served: hashed, complete, self-contained."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles.finders import find
from django.core.management import call_command

from rld_platform.static_files import HashedStaticFiles

IMPORT = re.compile(r'(?:import|from)\s*"(\.[^"]+)"')


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("static")


@pytest.fixture
def folder(settings: Any, collected: Path) -> Path:
    """Our own static files, collected once as for production."""
    settings.STATIC_ROOT = collected
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": f"{HashedStaticFiles.__module__}.{HashedStaticFiles.__name__}"},
    }
    if not (collected / "staticfiles.json").exists():
        call_command("collectstatic", "--no-input", "-v0", "-i", "admin", "-i", "drf_spectacular_sidecar", "-i", "*.md")
    return collected


def test_hashed_modules_import_only_hashed_modules_that_exist(folder: Path) -> None:
    modules = list(folder.glob("frontend/js/*.*.js"))
    assert modules
    for module in modules:
        for target in IMPORT.findall(module.read_text()):
            assert re.search(r"\.[0-9a-f]{12}\.js$", target), f"{module.name} imports {target}"
            assert (module.parent / target).exists(), f"{module.name} imports {target}"


def test_styles_refer_only_to_files_that_exist(folder: Path) -> None:
    for style in folder.glob("frontend/css/*.*.css"):
        for target in re.findall(r'url\("([^"#][^"]*)"\)', style.read_text()):
            assert (style.parent / target).exists(), f"{style.name} refers to {target}"


def test_nothing_is_loaded_from_another_host() -> None:
    root = Path(str(find("frontend/css/app.css"))).parents[1]
    for file in [*root.rglob("*.js"), *root.rglob("*.css")]:
        addresses = set(re.findall(r"https?://[^\s\"')]+", file.read_text()))
        assert addresses <= {"http://www.w3.org/2000/svg", "https://github.com/leeoniya/uPlot"}, file.name


def test_every_font_comes_with_its_licence() -> None:
    fonts = Path(str(find("frontend/fonts/inter.woff2"))).parent
    for font in fonts.glob("*.woff2"):
        assert "SIL Open Font License" in (fonts / f"{font.stem}-LICENSE.txt").read_text()
