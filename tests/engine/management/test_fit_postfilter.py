import io
import json

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from engine import recipes
from engine.models import Layer, LayerStatus
from tests.factories import make_image, make_layer, make_project


def fit(*args):
    out = io.StringIO()
    call_command("fit_postfilter", *map(str, args), "--json", stdout=out, stderr=io.StringIO())
    return json.loads(out.getvalue().splitlines()[-1])


@pytest.fixture
def judged(db):
    """Layers whose verdict follows their margin, not their area."""
    project = make_project("Judged")
    rng = np.random.default_rng(0)
    first = make_layer(make_image(project, width=16, height=16), status=LayerStatus.ACCEPTED)
    images = [make_image(project, width=16, height=16) for _ in range(12)]
    for n in range(96):
        margin = float(rng.normal())
        status = LayerStatus.ACCEPTED if margin + rng.normal(0, 0.3) > 0 else LayerStatus.REJECTED
        copy = Layer.objects.get(pk=first.pk)
        copy.pk, copy._state.adding = None, True
        copy.image, copy.item, copy.status, copy.key = images[n % 12], None, status, f"{n:02d}"
        copy.scores = {"label_margin": margin, "area_share": float(rng.random())}
        copy.save()
    first.delete()
    return project


def test_the_scores_that_verdicts_follow_get_the_weight(judged, tmp_path):
    result = fit("--project", "Judged", "--out", tmp_path / "fit.json")
    assert (result["layers"], result["pictures"]) == (96, 12)
    assert result["auc"] > 0.9
    assert result["recall"] >= 0.95
    assert abs(result["weights"]["label_margin"]) > 5 * abs(result["weights"]["area_share"])
    document = json.loads((tmp_path / "fit.json").read_text())
    assert document["fit"]["auc"] == pytest.approx(result["auc"])


def test_what_is_in_use_becomes_part_of_the_recipe(judged, tmp_path, monkeypatch):
    monkeypatch.setenv("RLD_WEIGHTS", str(tmp_path / "weights"))
    assert recipes.permissive().stages[5].params["combination"] is None
    fit("--project", "Judged", "--use")
    assert "label_margin" in recipes.permissive().stages[5].params["combination"]["weights"]


def test_too_few_verdicts_are_refused(db):
    make_project("Empty")
    with pytest.raises(CommandError, match="too_few_verdicts: needs 20 accepted"):
        fit("--project", "Empty")


def test_an_unknown_project_is_named(db):
    with pytest.raises(CommandError, match="not_found"):
        fit("--project", "nowhere")


def test_a_recall_that_makes_no_sense_is_wrong_use(db):
    with pytest.raises(CommandError, match="--recall") as caught:
        fit("--project", "x", "--recall", "1.5")
    assert caught.value.returncode == 2
