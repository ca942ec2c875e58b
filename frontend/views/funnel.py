"""What the "Data engine" card draws: one row for each stage, in photos before layers exist and in layers after."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from engine.records import LayerKind
from engine.selectors.funnel import StageSummary
from engine.selectors.runs import RunReport
from frontend.views.figures import counted, percent, seconds, whole, words
from frontend.views.tables import Table, rounded

NAMES = {
    "prefilter": "Pre-filter",
    "scene": "Scene understanding",
    "completion": "Layer completion",
    "postprocess": "Post-processing",
    "prompts": "Prompt generation",
    "postfilter": "Post-filter",
}
COUNTED_IN_PHOTOS = ("prefilter", "scene")
PAPER_KEPT = {"prefilter": 0.861}
"""RLD paper, section 4: 86.1 % of the photos pass the pre-filter. For the other stages it gives no figure."""
PAPER_ACCEPTED = {LayerKind.FOREGROUND: 0.747, LayerKind.BACKGROUND: 0.702}
"""RLD paper, section 4: layers accepted in human review."""
LOW = 0.8


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason with its count and the address that shows the pictures behind it. ``tone`` is a tag's."""

    text: str
    count: str
    href: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class FunnelRow:
    """Widths are percent of the bar: ``out_width`` kept, up to ``in_width`` lost here; ``tick`` is the paper's."""

    number: int
    stage: str
    name: str
    unit: str
    label: str
    out: str
    kept: str
    is_low: bool
    median: str
    total: str
    waiting: int
    in_width: float
    out_width: float
    tick: float | None
    reasons: list[Reason]
    href: str
    notes: list[str]


@dataclass(frozen=True, slots=True)
class AcceptedRow:
    name: str
    label: str
    share: str
    judged: str
    width: float
    tick: float


def funnel_rows(report: RunReport) -> list[FunnelRow]:
    most_layers = max((n for stage in report.stages for n in (stage.layers_in, stage.layers_out)), default=0)
    return [_row(number, stage, report, most_layers) for number, stage in enumerate(report.stages, 1)]


def accepted_rows(report: RunReport) -> list[AcceptedRow]:
    """What people said of the layers, beside the paper's figures."""
    rows = []
    for kind, paper in PAPER_ACCEPTED.items():
        share = report.accepted_share(kind)
        judged = sum(report.layers.get((kind, status), 0) for status in ("accepted", "rejected", "superseded"))
        waiting = report.layers.get((kind, "ready"), 0)
        rows.append(
            AcceptedRow(
                name=f"{kind.value.capitalize()} layers",
                label=f"{kind.value.capitalize()} layers: {percent(share)} accepted, in the paper {percent(paper)}",
                share=percent(share),
                judged=f"{whole(judged)} judged, {whole(waiting)} waiting",
                width=100 * (share or 0),
                tick=100 * paper,
            )
        )
    return rows


def engine_table(stages: Iterable[StageSummary], title: str) -> Table:
    rows = [
        [
            NAMES[stage.stage],
            *(stage.pictures_in, stage.kept, stage.dropped, stage.failed, stage.layers_in, stage.layers_out),
            *(rounded(stage.seconds_median, 3), rounded(stage.seconds_total, 3)),
            *(rounded(stage.device_s_total, 3), stage.tokens_total),
        ]
        for stage in stages
    ]
    head = ["Stage", "Photos in", "Kept", "Dropped", "Failed", "Layers in", "Layers out", "Median s", "Total s"]
    return Table(title, [*head, "In networks s", "Tokens"], rows)


def accepted_table(report: RunReport) -> Table:
    """What people said of the layers of a run."""
    statuses = ("accepted", "rejected", "superseded", "ready")
    rows = [
        [kind.value, *(report.layers.get((kind, status), 0) for status in statuses), rounded(share), paper]
        for kind, paper in PAPER_ACCEPTED.items()
        for share in [report.accepted_share(kind)]
    ]
    return Table("People accept", ["Layers", "Accepted", "Rejected", "Mended", "Waiting", "Share", "Paper"], rows)


def _row(number: int, stage: StageSummary, report: RunReport, most_layers: int) -> FunnelRow:
    in_photos = stage.stage in COUNTED_IN_PHOTOS
    came_in, out, base = (
        (stage.pictures_in, stage.kept, report.pictures)
        if in_photos
        else (stage.layers_in, stage.layers_in - stage.layers_dropped, most_layers)
    )
    share = stage.kept_share if in_photos else stage.layers_kept_share
    paper = PAPER_KEPT.get(stage.stage)
    unit = "photos" if in_photos else "layers"
    return FunnelRow(
        number=number,
        stage=stage.stage,
        name=NAMES[stage.stage],
        unit=unit if out != 1 else unit.removesuffix("s"),
        label=f"{NAMES[stage.stage]}: {whole(out)} of {whole(came_in)} {unit} kept",
        out=whole(out),
        kept=percent(share),
        is_low=share is not None and share < LOW,
        median=seconds(stage.seconds_median),
        total=seconds(stage.seconds_total) if stage.pictures_in else seconds(None),
        waiting=report.waiting[stage.stage],
        in_width=100 * came_in / base if base else 0,
        out_width=100 * out / base if base else 0,
        tick=None if paper is None else 100 * paper,
        reasons=_reasons(stage),
        href=f"?{urlencode({'stage': stage.stage})}#pictures",
        notes=_notes(stage, in_photos),
    )


def _reasons(stage: StageSummary) -> list[Reason]:
    groups = (
        ("dropped", stage.reasons, "", words),
        ("failed", stage.failures, "bad", str),
        ("layers", stage.layer_reasons, "", words),
    )
    return [
        Reason(
            text=say(reason),
            count=whole(count) + (" layers" if outcome == "layers" and count > 1 else ""),
            href=f"?{urlencode({'stage': stage.stage, 'outcome': outcome, 'reason': reason})}#pictures",
            tone=tone,
        )
        for outcome, reasons, tone, say in groups
        for reason, count in reasons
    ]


def _notes(stage: StageSummary, in_photos: bool) -> list[str]:
    made = stage.layers_out - (stage.layers_in - stage.layers_dropped)
    if stage.stage == "scene" and stage.kept:
        each = stage.layers_out / stage.kept
        become = "becomes" if stage.kept == 1 else "become"
        candidates = counted(stage.layers_out, "layer candidate")
        return [f"{counted(stage.kept, 'photo')} {become} {candidates}, {each:.1f} a photo"]
    if not in_photos and made > 0:
        return [f"{counted(made, 'background layer')} {'comes' if made == 1 else 'come'} in here"]
    return []
