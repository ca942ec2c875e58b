"""What curation is worth is asked fairly: the same pictures, as many layers, the same training, one benchmark."""

from __future__ import annotations

import pytest

from engine.models import Project, SourceImage
from evaluation.loop_terms import LoopTerms
from evaluation.management.commands.loop import curation_table
from evaluation.models import EvaluationRun, LoopRound
from evaluation.services.curation import WRONG, compare_curation
from training.models import TrainingRun

TERMS = LoopTerms(pictures=4, annotators=2, judgements=1, benchmark=2, steps=2, batch=2)


@pytest.mark.django_db(transaction=True)
def test_both_arms_differ_in_nothing_but_who_chose_the_layers() -> None:
    found = compare_curation("small", TERMS)
    curated, by_lot = (LoopRound.objects.get(project__name=f"small, {arm}") for arm in ("curated", "uncurated"))
    runs = [one.training_run for one in (curated, by_lot)]

    digests = [set(SourceImage.objects.filter(project=one.project).values_list("sha256", flat=True)) for one in
               (curated, by_lot)]  # fmt: skip
    assert digests[0] == digests[1]
    assert found["layers"] == [curated.snapshot.rows, by_lot.snapshot.rows]
    assert found["layers"][0] == found["layers"][1] > 0
    assert runs[0].params == runs[1].params
    assert runs[0].parent.digest == runs[1].parent.digest, "both begin with the same untrained weights"
    assert curated.terms["error_rate"] == WRONG
    assert by_lot.terms["accepted_by_lot"] == curated.snapshot.rows
    assert all(0 <= share <= 1 for share in found["right"])

    hpa = next(row for row in found["scores"] if (row["board"], row["metric"]) == ("foreground", "hpa"))
    assert hpa["difference"] == pytest.approx(hpa["ours"] - hpa["theirs"])
    assert "difference (95 %)" in curation_table(found)

    assert compare_curation("small", TERMS) == found, "it goes on where it stopped: all was done"
    assert (Project.objects.count(), TrainingRun.objects.count()) == (2, 2)
    assert EvaluationRun.objects.count() == 2
