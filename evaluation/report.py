"""A report as one JSON document, and as Markdown tables for a terminal or a README."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evaluation.features.networks import Networks
from evaluation.metrics.hpa import Hpa
from evaluation.metrics.results import Result, Undefined
from evaluation.scoring import Board, Scores

FORMAT = "rld-score-report-1"
SLICE_COLUMNS = ("s_vis", "s_vis_area", "s_gen", "mse", "soft_iou", "kid")

Document = dict[str, Any]


def as_document(scores: Scores, networks: Networks, how_to_publish: str = "") -> Document:
    """JSON values only. Undefined values are ``null`` with their reason beside them, never a number."""
    return {
        "format": FORMAT,
        "variant": networks.variant,
        "how_to_get_the_published_variant": how_to_publish,
        "protocol": scores.protocol.as_json(),
        "networks": {name: identity.as_choices() for name, identity in networks.identities.items()},
        "benchmark": scores.benchmark,
        "n": len(scores.rows),
        "boards": [_board(board) for board in scores.boards],
        "rows": [
            {"name": name, **{column: None if isinstance(v, Undefined) else v for column, v in row.items()}}
            | {"undefined": {column: v.reason for column, v in row.items() if isinstance(v, Undefined)}}
            for name, row in scores.rows.items()
        ],
    }


def _board(board: Board) -> Document:
    return {
        "kind": board.kind.value,
        "n": len(board.names),
        "names": list(board.names),
        "hpa": _hpa(board.hpa),
        "results": [_result(result) for result in board.results.values()],
        "slices": [
            {"dimension": s.dimension, "slice": s.name, "n": s.n, "results": [_result(r) for r in s.results.values()]}
            for s in board.slices
        ],
    }


def _hpa(value: Hpa) -> Document:
    about = {"value": value.value, "axes": dict(value.axes), "weights": dict(value.weights), "reason": value.reason}
    interval = {"low": value.low, "high": value.high, "without": list(value.without)}
    return {**about, **interval, "bounds": value.bounds.as_json()}


def _result(result: Result) -> Document:
    return {
        "metric": result.metric,
        "value": result.value,
        "low": result.low,
        "high": result.high,
        "n": result.n,
        "better": result.better,
        "variant": result.variant,
        "left_out": dict(result.left_out),
        "reason": result.reason,
        "choices": result.choices,
    }


def markdown(document: Document) -> str:
    """Per board a line for HPA, a table of all metrics and a table of slices."""
    lines = [f"{document['n']} layers, networks: {document['variant']}, benchmark {document['benchmark'][:12]}."]
    if command := document["how_to_get_the_published_variant"]:
        lines.append(f"For the published networks run: {command}")
    for board in document["boards"]:
        lines += ["", f"## {board['kind']}, {board['n']} layers", "", hpa_line(board["hpa"]), ""]
        lines += ["| metric | value | 95 % | n | left out | networks |", "|---|---|---|---|---|---|"]
        lines += [f"| {' | '.join(cells(result))} |" for result in board["results"]]
        lines += ["", f"| slice | n | {' | '.join(SLICE_COLUMNS)} |", "|---|---|" + "---|" * len(SLICE_COLUMNS)]
        for part in board["slices"]:
            values = " | ".join(slice_cells(part))
            lines.append(f"| {part['dimension']}: {part['slice']} | {part['n']} | {values} |")
    return "\n".join(lines)


def hpa_line(hpa: Mapping[str, Any]) -> str:
    if hpa["value"] is None:
        return f"HPA undefined: {hpa['reason']}."
    axes = ", ".join(f"{name} {number(value)}" for name, value in hpa["axes"].items())
    interval = "" if hpa["low"] is None else f", 95 % {number(hpa['low'])} to {number(hpa['high'])}"
    return f"HPA {number(hpa['value'])}{interval} ({axes}), bounds {hpa['bounds']['version']}."


def cells(result: Mapping[str, Any]) -> list[str]:
    """Name with the better direction, value, interval, n, left out, variant."""
    arrow = "↓" if result["better"] == "lower" else "↑"
    interval = "" if result["low"] is None else f"{number(result['low'])} to {number(result['high'])}"
    value = f"undefined: {result['reason']}" if result["value"] is None else number(result["value"])
    left_out = ", ".join(f"{count} {reason}" for reason, count in result["left_out"].items())
    return [f"{result['metric']} {arrow}", value, interval, str(result["n"]), left_out, result["variant"]]


def slice_cells(part: Mapping[str, Any]) -> list[str]:
    values = {result["metric"]: result["value"] for result in part["results"]}
    return ["-" if values[column] is None else number(values[column]) for column in SLICE_COLUMNS]


def number(value: float) -> str:
    return f"{value:.4g}"
