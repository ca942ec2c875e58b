from dataclasses import replace

from evaluation.features.networks import load
from evaluation.metrics.results import Result
from evaluation.report import as_document, cells, hpa_line, markdown, number
from evaluation.report_page import page, worst_of
from evaluation.scoring import Protocol, score
from tests.evaluation.pairs import composite_pairs, square_pair

ROWS = [
    {"name": "a", "s_vis": 0.3, "s_gen": 0.2, "connectivity": 0.0, "recomposition": None},
    {"name": "b", "s_vis": 0.1, "s_gen": None, "connectivity": 2.0, "recomposition": None},
    {"name": "c", "s_vis": 0.9, "s_gen": -0.5, "connectivity": 5.0, "recomposition": None},
]


def test_the_worst_come_first_whichever_way_is_better():
    galleries = worst_of(ROWS, ["a", "b", "c"])
    assert galleries["s_vis"] == ["c", "a", "b"]
    assert galleries["s_gen"] == ["c", "a"]


def test_layers_without_fault_or_of_another_board_are_not_among_the_worst():
    galleries = worst_of(ROWS, ["a", "b"])
    assert galleries["connectivity"] == ["b"]
    assert "recomposition" not in galleries


def test_a_cell_never_shows_a_number_for_what_is_undefined():
    result = Result("s_gen", None, "higher", 0, left_out={"hardly_hidden": 4}, reason="every_sample_left_out")
    row = as_json(result)
    assert cells(row)[1:5] == ["undefined: every_sample_left_out", "", "0", "4 hardly_hidden"]


def as_json(result):
    return {name: getattr(result, name) for name in Result.__slots__}


def test_numbers_have_four_digits():
    assert [number(value) for value in (0.000123456, 12.34567, 1.0)] == ["0.0001235", "12.35", "1"]


def test_an_undefined_hpa_says_which_axis(tmp_path):
    networks = load(offline=True, folder=tmp_path)
    scores = score([square_pair()], networks, Protocol(groups=0))
    document = as_document(scores, networks)
    assert hpa_line(document["boards"][0]["hpa"]) == "HPA undefined: s_fid undefined."
    assert "HPA undefined" in markdown(document)


def test_names_from_files_cannot_break_the_page(tmp_path):
    networks = load(offline=True, folder=tmp_path)
    evil = replace(composite_pairs(1)[0], name="<script>'x'</script>", predicted_hwc=composite_pairs(1)[1].truth_hwc)
    document = as_document(score([evil], networks, Protocol(groups=0)), networks)
    html = page(document, [evil])
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
