"""The report as one HTML page without anything outside it: tables, slices and the worst layers to look at."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from engine.imaging import box_of, composite, thumbnail_webp
from engine.records import Picture
from evaluation.features.variants import OFFLINE_TINY, PUBLISHED
from evaluation.metrics.backgrounds import CHECKED, background_of
from evaluation.metrics.pairs import LayerPair
from evaluation.report import SLICE_COLUMNS, Document, cells, hpa_line, number, slice_cells

WORST = 6
THUMBNAIL_PX = 160
GALLERIES = {"s_vis": "lower", "s_gen": "higher", "connectivity": "lower", "recomposition": "lower"}
"""Columns whose worst layers are shown, and which way is better."""

STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; display: block; overflow-x: auto; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .75rem; text-align: left; border-bottom: 1px solid #8884; white-space: nowrap; }
code { overflow-wrap: anywhere; }
.offline { padding: .75rem 1rem; border-left: 4px solid #c80; background: #c802; }
.gallery { display: flex; flex-wrap: wrap; gap: 1rem; }
figure { margin: 0; } figcaption { font-size: .85rem; }
figure img { height: 8rem; max-width: 100%; object-fit: contain; }
details pre { overflow-x: auto; font-size: .8rem; }
"""


def page(document: Document, pairs: Iterable[LayerPair]) -> str:
    """``pairs`` are read once more, for the pictures of the worst ones only."""
    worst = {board["kind"]: worst_of(document["rows"], board["names"]) for board in document["boards"]}
    wanted = {name for galleries in worst.values() for names in galleries.values() for name in names}
    pictures = {pair.name: _figure(pair) for pair in pairs if pair.name in wanted}
    rows = {row["name"]: row for row in document["rows"]}
    title = f"Layer scores, {document['n']} layers"
    body = [f"<h1>{title}</h1>", _variant(document), f"<p>Benchmark <code>{document['benchmark']}</code></p>"]
    for board in document["boards"]:
        body += [f"<h2>{board['kind'].capitalize()}, {board['n']} layers</h2>", _paragraph(hpa_line(board["hpa"]))]
        body.append(_paragraph(f"Bounds: {board['hpa']['bounds']['source']}"))
        heads = ("metric", "value", "95 %", "n", "left out", "networks")
        body.append(_table(heads, [cells(result) for result in board["results"]]))
        parts = [[f"{p['dimension']}: {p['slice']}", str(p["n"]), *slice_cells(p)] for p in board["slices"]]
        body += ["<h3>Slices</h3>", _table(("slice", "n", *SLICE_COLUMNS), parts)]
        body.append(_paragraph("Below: left the truth, right the prediction, on grey squares."))
        for column, names in worst[board["kind"]].items():
            body.append(f"<h3>Worst by {column}</h3><div class='gallery'>")
            body += [
                f"<figure>{pictures[name]}<figcaption>{escape(name)}<br>{number(rows[name][column])}</figcaption></figure>"
                for name in names
            ]
            body.append("</div>")
    body.append(_choices(document))
    head = f"<meta charset='utf-8'><meta name='viewport' content='width=device-width'><title>{title}</title>"
    return (
        f"<!doctype html><html lang='en'><head>{head}<style>{STYLE}</style></head><body>{''.join(body)}</body></html>\n"
    )


def worst_of(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> dict[str, list[str]]:
    """Column to at most six names, worst first; samples without a value or without a fault are not among them."""
    inside = set(names)
    galleries: dict[str, list[str]] = {}
    for column, better in GALLERIES.items():
        perfect = 0 if better == "lower" else 1
        known = [row for row in rows if row["name"] in inside and row[column] not in (None, perfect)]
        known.sort(key=lambda row: row[column], reverse=better == "lower")
        if known:
            galleries[column] = [row["name"] for row in known[:WORST]]
    return galleries


def _variant(document: Document) -> str:
    if document["variant"] == PUBLISHED:
        return _paragraph("Networks: published.")
    command = document["how_to_get_the_published_variant"]
    how = f" For the published ones run <code>{escape(command)}</code>." if command else ""
    who = "The shipped network's features" if document["variant"] == OFFLINE_TINY else "Fixed-seed stand-ins"
    return (
        f"<p class='offline'><strong>Offline networks.</strong> {who} made these numbers. They order "
        f"producers on one benchmark; they are no LPIPS, CLIP or FID values and not comparable with such.{how}</p>"
    )


def _choices(document: Document) -> str:
    lines = [f"{key}: {value}" for key, value in document["protocol"].items()]
    for name, network in document["networks"].items():
        lines.append(f"{name}: {network['network']}, weights {network['weights_sha256'][:16]}, {network['input']}")
    return f"<details><summary>Every choice</summary><pre>{escape(chr(10).join(lines))}</pre></details>"


def _figure(pair: LayerPair) -> str:
    """Truth and prediction side by side on the chequerboard, cut to where either of them is."""
    board = background_of(pair, CHECKED)
    if board is None:
        raise ValueError("the chequerboard is everybody's")
    x0, y0, x1, y1 = map(int, box_of((pair.truth_hwc[..., 3] > 0) | (pair.predicted_hwc[..., 3] > 0)) or (0, 0, 1, 1))
    sides = [composite(rgba, board)[y0:y1, x0:x1] for rgba in (pair.truth_hwc, pair.predicted_hwc)]
    both: Picture = np.hstack(sides)
    data = base64.b64encode(thumbnail_webp(both, 2 * THUMBNAIL_PX)).decode()
    return f"<img alt='truth and prediction of {escape(pair.name, quote=True)}' src='data:image/webp;base64,{data}'>"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(text)}</th>" for text in heads)
    lines = "".join("<tr>" + "".join(f"<td>{escape(text)}</td>" for text in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"
