import json
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from evaluation.score import main
from tests.evaluation.pairs import composite_pairs
from tests.evaluation.test_folders import write_folders


def shifted(pair):
    return replace(pair, predicted_hwc=np.roll(pair.truth_hwc, 5, axis=1))


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    """The report of layers that are 5 px off, with its page and what was printed."""
    place = tmp_path_factory.mktemp("scored")
    predicted, truth = write_folders(place, [shifted(pair) for pair in composite_pairs(2)])
    out, page = place / "report.json", place / "report.html"
    assert main([*arguments(predicted, truth, out), "--html", str(page), "--groups", "0"]) == 0
    return json.loads(out.read_text()), page.read_text(), (predicted, truth, out)


def arguments(predicted, truth, out):
    return ["--pred", str(predicted), "--truth", str(truth), "--out", str(out), "--offline"]


def test_the_report_has_a_row_per_layer_and_every_choice(scored):
    report, _, _ = scored
    assert {row["name"] for row in report["rows"]} == {pair.name for pair in composite_pairs(2)}
    assert report["variant"] == "offline"
    for board in report["boards"]:
        assert {"s_vis", "s_gen", "s_fid", "kid", "fid_infinity", "cmmd", "sad", "connectivity"} <= {
            result["metric"] for result in board["results"]
        }
        for result in board["results"]:
            assert result["choices"]
            assert (result["value"] is None) == bool(result["reason"])
    assert {network["variant"] for network in report["networks"].values()} == {"offline"}
    assert all(len(network["weights_sha256"]) == 64 for network in report["networks"].values())


def test_undefined_values_have_a_reason_and_no_number(scored):
    report, _, _ = scored
    for row in report["rows"]:
        for column, value in row.items():
            assert (value is None) == (column in row["undefined"])
    hidden = [row["undefined"].get("s_gen") for row in report["rows"]]
    assert "hardly_hidden" in hidden


class Outside(HTMLParser):
    """What a page would load from elsewhere."""

    def __init__(self):
        super().__init__()
        self.addresses, self.pictures = [], 0

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name in ("src", "href", "srcset"):
                self.pictures += value.startswith("data:image/webp;base64,")
                if not value.startswith("data:"):
                    self.addresses.append(value)


def test_the_page_stands_alone_and_shows_the_worst(scored):
    report, page, _ = scored
    parser = Outside()
    parser.feed(page)
    assert parser.addresses == []
    assert parser.pictures > 4
    assert "@import" not in page
    assert "Offline networks" in page
    assert report["benchmark"] in page
    worst = max(report["rows"], key=lambda row: row["s_vis"])
    assert worst["name"] in page.partition("Worst by s_vis")[2]


def test_the_same_folders_give_the_same_report(scored, capsys):
    report, _, (predicted, truth, out) = scored
    assert main([*arguments(predicted, truth, out), "--groups", "0", "--bounds", str(out)]) == 0
    assert json.loads(out.read_text()) == report
    assert "HPA" in capsys.readouterr().out


def test_without_weights_it_says_what_to_run(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("RLD_WEIGHTS", str(tmp_path / "none"))
    predicted, truth = write_folders(tmp_path, composite_pairs(1)[:2])
    out = tmp_path / "report.json"
    assert main([a for a in arguments(predicted, truth, out) if a != "--offline"]) == 0
    command = json.loads(out.read_text())["how_to_get_the_published_variant"]
    assert command.startswith("python manage.py fetch_weights lpips_alexnet")
    assert command in capsys.readouterr().out


def test_pictures_that_cannot_be_scored_exit_one_with_one_line_and_no_report(tmp_path, capsys):
    predicted, truth = write_folders(tmp_path, composite_pairs(1))
    (truth / "00500-0.png").unlink()
    out = tmp_path / "report.json"
    assert main(arguments(predicted, truth, out)) == 1
    assert capsys.readouterr().err.startswith("missing_truth: ")
    assert not out.exists()


def test_a_report_that_cannot_be_written_exits_one(tmp_path, capsys):
    predicted, truth = write_folders(tmp_path, composite_pairs(1)[:1])
    out = tmp_path / "report.json"
    out.mkdir()
    assert main(arguments(predicted, truth, out)) == 1
    assert capsys.readouterr().err.splitlines()[-1].startswith("cannot_write: ")
    assert {path.name for path in tmp_path.iterdir()} == {"pred", "truth", "report.json"}


def test_a_device_that_is_not_there_exits_one(tmp_path, capsys):
    predicted, truth = write_folders(tmp_path, composite_pairs(1)[:1])
    out = tmp_path / "report.json"
    assert main([*arguments(predicted, truth, out), "--device", "cuda:99"]) == 1
    assert capsys.readouterr().err.startswith("no_device: device 'cuda:99'")


def test_bounds_that_are_none_exit_one(tmp_path, capsys):
    predicted, truth = write_folders(tmp_path, composite_pairs(1))
    (tmp_path / "bounds.json").write_text("{}")
    out = tmp_path / "report.json"
    assert main([*arguments(predicted, truth, out), "--bounds", str(tmp_path / "bounds.json")]) == 1
    assert capsys.readouterr().err.startswith("bad_bounds: ")


def test_a_folder_that_is_not_there_is_wrong_use(tmp_path, capsys):
    assert main(arguments(tmp_path, tmp_path / "nowhere", tmp_path / "r.json")) == 2
    assert capsys.readouterr().err == f"no_such_folder: {tmp_path / 'nowhere'} is not a folder\n"


@pytest.mark.parametrize("extra", [["--batch", "0"], ["--longest", "32"], ["--out", "/nowhere/at/all.json"], ["--x"]])
def test_wrong_use_is_one_clear_line_and_exit_two(tmp_path, extra, capsys):
    with pytest.raises(SystemExit) as stopped:
        main([*arguments(tmp_path, tmp_path, tmp_path / "r.json"), *extra])
    assert stopped.value.code == 2
    assert "error:" in capsys.readouterr().err
