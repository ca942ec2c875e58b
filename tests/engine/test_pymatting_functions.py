"""pymatting's functions one by one."""

import subprocess
import sys

import pytest

from engine.pymatting_functions import pymatting_function
from engine.stages.postprocess.pymatting_matter import METHODS


@pytest.mark.parametrize("path", [*METHODS.values(), "foreground.estimate_foreground_ml", "preconditioner.ichol"])
def test_a_function_goes_by_its_path(path: str) -> None:
    assert pymatting_function(path).__name__ == path.rpartition(".")[2]


def test_only_what_closed_form_matting_uses_is_compiled() -> None:
    """The kernels of shared matting alone take 20 s of the first start."""
    code = (
        "import sys, engine.stages.postprocess.closed_form as m; print([n for n in sys.modules if '.estimate_' in n])"
    )
    names = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert "estimate_alpha_cf" in names
    assert "estimate_alpha_sm" not in names


def test_a_function_that_is_not_there_is_an_import_error() -> None:
    with pytest.raises(ModuleNotFoundError):
        pymatting_function("alpha.estimate_alpha_by_guess")
