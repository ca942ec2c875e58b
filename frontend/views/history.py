"""Everything that happened to one layer, for reviewers: versions, what people said, what was decided and by whom."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from annotation.models import AuditVerb, GoldItem
from annotation.selectors.reviewing import is_told, layer_for, layer_history
from annotation.services.gold import make_gold
from annotation.services.rework import return_to_author
from engine.models import Layer, LayerStatus, Role
from engine.refusals import Refusal
from engine.selectors.layers import knows_makers
from engine.selectors.repairs import versions_of
from evaluation.selectors.benchmarks import answers_on_layer, scores_of_layer
from frontend.pictures import view_box
from frontend.views.figures import percent, seconds, whole, words
from frontend.views.layer_metrics import layer_metrics
from frontend.views.rendering import page, refusals_as_errors
from training.selectors.training_runs import runs_with_layer

SAYS = {"accept": "accepts", "reject": "rejects", "unsure": "is unsure", "broken": "cannot judge it: broken"}
TONES = {"accept": "good", "reject": "bad", "broken": "warn", "accepted": "good", "rejected": "bad"}
PURPOSES = {"gold": "as a hidden check", "mirror": "as a hidden repeat"}
COUNTS = ("area_px", "components")
UNCOUNTED = {"lease_lost": "too late to count", "layer_settled": "settled already, so it does not count"}

ACTS: dict[str, Callable[[dict[str, Any]], str]] = {
    AuditVerb.ADJUDICATION_OPENED: lambda row: f"A reviewer is asked, because of: {words(row['reason'])}",
    AuditVerb.ADJUDICATED: lambda row: f"Ruling: {words(row['ruling'])}",
    AuditVerb.ASKED_AGAIN: lambda row: f"One more judgement is asked for: {row['reason']}",
    AuditVerb.GOLD_MADE: lambda row: "Became a gold item",
    AuditVerb.GOLD_RETIRED: lambda row: "Is no gold item any more",
    AuditVerb.LAYER_SETTLED: lambda row: f"Settled, because {row['needed']} judgements are enough now",
    AuditVerb.RECALLED: lambda row: f"The verdict of {row['person']} was recalled",
    AuditVerb.REQUEUED: lambda row: f"The verdict of {row['person']} was taken back, to judge the layer anew",
    AuditVerb.RETURNED: lambda row: f"Returned to its author: {row['reason']}",
    AuditVerb.REWORKED: lambda row: "A better version was handed in",
    AuditVerb.VERDICT_UNDONE: lambda row: f"Took the verdict back: {row['decision']}",
}


@require_safe
@login_required
@refusals_as_errors
def history(request: HttpRequest, layer_id: uuid.UUID) -> HttpResponse:
    layer = layer_for(request.user, layer_id, Role.REVIEWER)
    image = layer.image
    gold = GoldItem.objects.filter(layer=layer).first()
    is_withheld, knows = not is_told(request.user, layer), knows_makers(request.user, layer.project)
    is_settled = layer.status in (LayerStatus.ACCEPTED, LayerStatus.REJECTED)
    return page(
        request,
        "frontend/history.html",
        here="Projects",
        project=layer.project,
        layer=layer,
        image=image,
        view_box=view_box(layer.box, image.width, image.height),
        tone=TONES.get(layer.status, ""),
        facts=_facts(layer, knows),
        knows_makers=knows,
        is_withheld=is_withheld,
        gold=gold,
        metrics=layer_metrics(scores_of_layer(layer) if knows else [], answers_on_layer(layer)),
        versions=[(number, each) for number, each in enumerate(versions_of(layer), 1)],
        rows=[] if is_withheld else [_row(row) for row in layer_history(layer)],
        runs=list(runs_with_layer(layer)),
        may_return=layer.status == LayerStatus.REJECTED and layer.author is not None,
        may_be_gold=is_settled and gold is None,
    )


@require_POST
@login_required
@refusals_as_errors
def history_act(request: HttpRequest, layer_id: uuid.UUID) -> HttpResponse:
    """Return a rejected layer to its author, or test people with a settled one from now on."""
    layer = layer_for(request.user, layer_id, Role.REVIEWER)
    text = request.POST.get("text", "").replace("\0", "")[:2000]
    try:
        match request.POST.get("act"):
            case "return":
                return_to_author(layer=layer, reviewer=request.user, reason=text)
                messages.success(request, f"Returned to {layer.author}.")
            case "gold":
                is_good = layer.status == LayerStatus.ACCEPTED
                make_gold(layer=layer, is_acceptable=is_good, user=request.user, note=text)
                messages.success(request, "People are tested with it from now on.")
            case _:
                raise Refusal("unknown_act", "There is no such act.")
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("history", layer_id=layer.pk)


def _facts(layer: Layer, knows_maker: bool) -> list[tuple[str, str]]:
    return [
        ("Kind", layer.kind),
        *([("Producer", layer.producer.name)] if knows_maker else []),
        ("Area", percent(layer.area_share)),
        ("Hidden", percent(layer.hidden_share)),
        ("Soft edge", percent(layer.soft_share)),
        *((words(name).capitalize(), _score(name, value)) for name, value in sorted(layer.scores.items())),
    ]


def _score(name: str, value: float) -> str:
    """Counts and pixels as whole numbers."""
    return whole(round(value)) if name in COUNTS else f"{value:.3f}"


def _row(row: dict[str, Any]) -> dict[str, Any]:
    """One line of the history: who, the sentence, its tone, and what stands below it."""
    common = {"who": row["who"], "at": row["at"], "note": row.get("note", "")}
    if row["what"] != "verdict":
        told = ACTS[row["what"]](row) if row["what"] in ACTS else words(row["what"]).capitalize()
        return {**common, "said": told, "tone": TONES.get(f"{row.get('ruling', '')}", "")}
    asides = [PURPOSES.get(row["purpose"], ""), UNCOUNTED.get(row["extra_reason"], "")]
    return {
        **common,
        "said": SAYS[row["decision"]],
        "is_verdict": True,
        "tone": TONES.get(row["decision"], ""),
        "is_gone": row["undone_at"] is not None,
        "asides": [aside for aside in asides if aside],
        "took": seconds(row["active_ms"] / 1000),
        "defects": [words(defect["kind"]).capitalize() for defect in row["defects"]],
    }
