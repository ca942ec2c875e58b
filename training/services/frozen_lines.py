"""Manifest lines written by the database: a million layers as Python objects would cost minutes.

A line is canonical JSON as ``training.manifest`` describes it; its group and its split, which the database does not
know, belong between ``head``, ``middle`` and ``tail``. Every JSON column was written by Python, so its numbers are in
Python's form already, but for those that are no plain decimals. A line with such a number, an unusual mask or pinned
defects ``is_odd``: it means the right thing, and whoever reads it brings it into its form.

What belongs to many layers is read for all of them at once and grouped: a query inside the query for each layer costs
half as much again.
"""

from __future__ import annotations

_NUMBER = "-?([1-9][0-9]{0,13}[.](0|[0-9]*[1-9])|0[.](0|0{0,3}[1-9]([0-9]*[1-9])?))"
PLAIN = f"^([][, ]|{_NUMBER})*$"
"""Coordinates that Python writes in the same way; it takes an exponent for those below 0.0001."""


def _text(value: str) -> str:
    return f"to_json({value}::text)::text"


def _joined(*values: str) -> str:
    """One after the other; a null is empty."""
    return f"concat({', '.join(values)})"


def _quoted(*values: str) -> str:
    """Of texts that need no escapes."""
    return _joined("'\"'", *values, "'\"'")


def _share(value: str) -> str:
    """A float from 0 to 1 as Python writes it."""
    return f"CASE {value} WHEN 0 THEN '0.0' WHEN 1 THEN '1.0' ELSE {value}::text END"


def _moment(value: str) -> str:
    return _quoted(f"""to_char({value} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')""")


def _close(value: str) -> str:
    """Arrays of numbers without the spaces between them."""
    return f"replace(({value})::text, ', ', ',')"


def _object(**fields: str) -> str:
    """Of values that are JSON already."""
    parts = [part for name, value in sorted(fields.items()) for part in (f"""',"{name}":'""", value)]
    return _joined(parts[0].replace(",", "{", 1), *parts[1:], "'}'")


def _digest(stored_name: str) -> str:
    return f"split_part(split_part({stored_name}, '/', -1), '.', 1)"


def _file(folder: str, digest: str, **more: str) -> str:
    return _object(path=_quoted(f"'{folder}/'", digest, "'.png'"), sha256=_quoted(digest), **more)


IS_ODD_MASK = """CASE jsonb_typeof(mask) WHEN 'object' THEN
    NOT mask ?& ARRAY['counts', 'size'] OR mask - 'counts' - 'size' <> '{}'
    OR (mask -> 'counts')::text || (mask -> 'size')::text ~ '[^][0-9, ]' ELSE true END"""
MASK = f"""CASE WHEN mask IS NULL THEN 'null' WHEN {IS_ODD_MASK} THEN mask::text
    ELSE {_object(counts=_close("mask -> 'counts'"), size=_close("mask -> 'size'"))} END"""
PROMPT = _object(
    kind=_quoted("kind"),
    points=_close("points"),
    box=f"coalesce({_close('box')}, 'null')",
    mask=MASK,
    text=_text("text"),
    is_ambiguous="is_ambiguous::text",
)
UNPINNED = '{"x": null, "y": null, "kind": "'
"""How the database writes a defect that is nowhere in particular, up to its kind."""
ARE_ODD_DEFECTS = f"""defects <> '[]' AND defects::text !~ '^[[]({UNPINNED}[a-z_]*"}}(, )?)*[]]$'"""
DEFECTS = f"""CASE WHEN defects = '[]' OR {ARE_ODD_DEFECTS} THEN defects::text ELSE
    replace(replace(replace(defects::text, '{UNPINNED}', '{{"kind":"'), '"}}', '","x":null,"y":null}}'), '}}, ', '}},')
    END"""
COORDINATES = "nullif(concat(points, box), '[]')"
VERDICT = _object(
    judge=_quoted("judge.pseudonym"),
    decision=_quoted("decision"),
    defects=DEFECTS,
    is_counted="is_counted::text",
    at=_moment("verdict.created_at"),
)
RULING = _object(judge=_quoted("judge.pseudonym"), ruling=_quoted("ruling"), at=_moment("decided_at"))
MAKER = "left(coalesce(layer.item_id, layer.origin_id, layer.producer_id)::text, 8)"
STACK = _joined("layer.image_id", "'_'", MAKER)
ID = _joined("layer.image_id", "'_'", MAKER, "'_'", "lpad(layer.depth::text, 5, '0')", "'_'", "layer.id")
ORIGIN = _object(
    layer=_quoted("layer.id"),
    image=_quoted("layer.image_id"),
    run=_quoted("item.run_id"),
    producer=_text("producer.name"),
    repair_of=_text("coalesce(origin.name, '')"),
    author=_quoted("author.pseudonym"),
    created_at=_moment("layer.created_at"),
    licence=_text("image.licence"),
    credit=_text("image.credit"),
    area_share=_share("layer.area_share"),
    hidden_share=_share("layer.hidden_share"),
    soft_share=_share("layer.soft_share"),
    verdicts=_joined("'['", "verdicts.listed", "']'"),
    rulings=_joined("'['", "rulings.listed", "']'"),
)
VISIBLE = _file("visible", _digest("layer.visible_mask"))
SOURCE = _file("images", _digest("image.picture"), width="image.width", height="image.height")
HEAD = _joined("""'{"depth":'""", "layer.depth", """',"group":"'""")
MIDDLE = _joined(
    """'","id":'""",
    _quoted(ID),
    """',"kind":'""",
    _quoted("layer.kind"),
    """',"label":'""",
    _text("layer.label"),
    """',"layer":'""",
    _file("layers", "layer.sha256"),
    """',"origin":'""",
    ORIGIN,
    """',"prompts":['""",
    "prompts.listed",
    """'],"source":'""",
    SOURCE,
    """',"split":"'""",
)
TAIL = _joined("""'","stack":'""", _quoted(STACK), """',"visible":'""", VISIBLE, "'}'")


def lines_statement(chosen: str) -> str:
    """Of the layers that the query ``chosen`` gives, with all columns."""
    return f"""
    WITH layer AS MATERIALIZED ({chosen}), prompts AS (
        SELECT layer_id, string_agg({PROMPT}, ',' ORDER BY id) AS listed, string_agg(kind, ',') AS kinds,
          bool_or(NOT coalesce({COORDINATES} ~ '{PLAIN}', true) OR mask IS NOT NULL AND {IS_ODD_MASK}) AS is_odd
        FROM (SELECT id AS chosen FROM layer) layer JOIN engine_prompt ON layer_id = chosen
        GROUP BY layer_id
    ), verdicts AS (
        SELECT layer_id, string_agg({VERDICT}, ',' ORDER BY verdict.created_at, verdict.id) AS listed,
          string_agg(judge.pseudonym, ',') AS judges,
          count(*) > count(judge.pseudonym) AS is_nameless, bool_or({ARE_ODD_DEFECTS}) AS is_odd,
          count(*) FILTER (WHERE is_counted AND decision = 'accept') AS accepts,
          count(*) FILTER (WHERE is_counted AND decision = 'reject') AS rejects
        FROM (SELECT id AS chosen FROM layer) layer JOIN annotation_verdict verdict ON layer_id = chosen
        LEFT JOIN training_judge judge ON judge.user_id = verdict.annotator_id
        WHERE undone_at IS NULL AND (is_counted OR EXISTS (
            SELECT FROM annotation_slot slot WHERE slot.id = verdict.slot_id AND slot.purpose = 'judgement'))
        GROUP BY layer_id
    ), rulings AS (
        SELECT layer_id, string_agg({RULING}, ',' ORDER BY decided_at, ruled.id) AS listed,
          count(*) > count(judge.pseudonym) AS is_nameless
        FROM (SELECT id AS chosen FROM layer) layer JOIN annotation_adjudication ruled ON layer_id = chosen
        LEFT JOIN training_judge judge ON judge.user_id = ruled.decided_by_id
        WHERE ruling <> ''
        GROUP BY layer_id
    )
    SELECT {ID} AS id, layer.id::text, layer.image_id::text, {HEAD} AS head, {MIDDLE} AS middle, {TAIL} AS tail,
      prompts.is_odd OR coalesce(verdicts.is_odd, false) AS is_odd,
      coalesce(verdicts.is_nameless, false) OR coalesce(rulings.is_nameless, false)
        OR layer.author_id IS NOT NULL AND author.id IS NULL AS is_nameless,
      layer.kind, layer.label, producer.name, image.licence, layer.hidden_share, layer.area_share,
      greatest(image.width, image.height), layer.origin_id IS NOT NULL, {_digest("image.picture")}, prompts.kinds,
      coalesce(verdicts.judges, ''), coalesce(verdicts.accepts, 0), coalesce(verdicts.rejects, 0)
    FROM layer
    JOIN prompts ON prompts.layer_id = layer.id
    JOIN engine_sourceimage image ON image.id = layer.image_id
    JOIN engine_producer producer ON producer.id = layer.producer_id
    LEFT JOIN verdicts ON verdicts.layer_id = layer.id
    LEFT JOIN rulings ON rulings.layer_id = layer.id
    LEFT JOIN engine_producer origin ON origin.id = layer.origin_id
    LEFT JOIN engine_runitem item ON item.id = layer.item_id
    LEFT JOIN training_judge author ON author.user_id = layer.author_id
    """  # noqa: S608 - constants, and a query that Django wrote
