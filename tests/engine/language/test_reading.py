import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.language.reading import Unreadable, read_json

ROWS = [{"label": 'a [red] cup, "x"', "box": [1, 2, 3, 4]}, {"label": "dog", "box": [5, 6, 7, 8]}]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(json_values, max_size=5) | st.dictionaries(st.text(max_size=4), json_values, max_size=4))
def test_plain_json_is_read_as_it_is(value):
    assert read_json(json.dumps(value)) == value


@pytest.mark.parametrize(
    "text",
    [
        f"```json\n{json.dumps(ROWS)}\n```",
        f"Here are the objects:\n{json.dumps(ROWS)}\nI hope this helps.",
        json.dumps(ROWS).replace("]}", "],}").replace("}]", "},\n]"),
        f"The list [see below] is: {json.dumps(ROWS)}",
    ],
)
def test_fences_sentences_and_loose_commas_do_not_matter(text):
    assert read_json(text) == ROWS


def test_of_an_answer_that_was_cut_off_the_complete_rows_are_kept():
    whole = json.dumps(ROWS)
    for length in range(whole.index("}, {") + 1, len(whole) - 1):
        read = read_json(whole[:length])
        assert read[0] == ROWS[0]


def test_a_bracket_inside_a_text_closes_nothing():
    assert read_json('[{"label": "odd ]}", "box": [1, 2, 3, 4]}, {"label": "cut') == [
        {"label": "odd ]}", "box": [1, 2, 3, 4]}
    ]


@pytest.mark.parametrize("text", ["", "no objects", "{broken", "[1, 2"])
def test_what_holds_no_json_is_refused(text):
    with pytest.raises(Unreadable):
        read_json(text)
