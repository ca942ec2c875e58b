"""``python -m evaluation.score --pred DIR --truth DIR --out report.json``: two folders of layers, one report.

Exit code 0 with a report, 1 when the pictures cannot be scored, 2 for wrong use; then one line says why and nothing
is written. How files pair is in ``evaluation.folders``.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from evaluation.folders import BadFolder, PairedFolders, pair_up
from evaluation.metrics.hpa import Bounds, WrongBounds
from evaluation.metrics.pairs import BadPair


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m evaluation.score", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--pred", type=Path, required=True, metavar="DIR", help="<name>.png, RGBA")
    parser.add_argument("--truth", type=Path, required=True, metavar="DIR", help="<name>.png and <name>.visible.png")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the report, JSON")
    parser.add_argument("--html", type=Path, metavar="FILE", help="the report as a page that stands alone")
    parser.add_argument("--missing", choices=("error", "empty"), default="error", help="truths without a prediction")
    parser.add_argument("--bounds", type=Path, metavar="FILE", help="an earlier report whose HPA bounds to use")
    parser.add_argument("--offline", action="store_true", help="the offline networks, also where weights are there")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1, ...")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--longest", type=int, default=512, metavar="PX", help="side to which single layers are shrunk")
    parser.add_argument("--groups", type=int, default=20, help="of the intervals for sets; 0: none")
    given = parser.parse_args(arguments)
    if given.batch < 1 or given.longest < 64 or given.groups < 0:
        parser.error("--batch must be at least 1, --longest at least 64 and --groups at least 0")
    for path in (given.out, given.html):
        if path is not None and not path.absolute().parent.is_dir():
            parser.error(f"{path.parent} is not a folder")
    try:
        folders = pair_up(given.pred, given.truth, given.missing == "empty")
        bounds = read_bounds(given.bounds) if given.bounds else None
        return _score(folders, bounds, given)
    except BadFolder as error:
        return _say(error.code, str(error), 2 if error.code == "no_such_folder" else 1)
    except (BadPair, WrongBounds) as error:
        return _say(error.code, str(error), 1)
    except OSError as error:
        return _say("cannot_write", str(error), 1)
    except (ValueError, RuntimeError) as error:
        return _say(getattr(error, "code", "failed"), str(error).partition("\n")[0], 1)


def read_bounds(path: Path) -> dict[str, Bounds]:
    """Board to bounds, out of a report. Raises ``WrongBounds`` for a file that is none."""
    try:
        boards = json.loads(path.read_text())["boards"]
        return {str(board["kind"]): Bounds.from_json(board["hpa"]["bounds"]) for board in boards}
    except (OSError, ValueError, KeyError, TypeError) as error:
        if isinstance(error, WrongBounds):
            raise
        raise WrongBounds("bad_bounds", f"{path} is no report with bounds: {error!r}") from error


def _score(folders: PairedFolders, bounds: dict[str, Bounds] | None, given: argparse.Namespace) -> int:
    # The networks' libraries take seconds to import: a wrong folder is said before.
    from evaluation.features import networks
    from evaluation.report import as_document, markdown
    from evaluation.report_page import page
    from evaluation.scoring import Protocol, score

    chosen = networks.load(given.device, given.offline)
    protocol = Protocol(given.longest, given.batch, given.groups)
    scores = score(folders, chosen, protocol, bounds, on_progress=lambda done: _tell(f"{done} of {len(folders)}"))
    absent = [] if given.offline else networks.missing()
    document = as_document(scores, chosen, how_to_publish=networks.how_to_publish(absent))
    document["empty_predictions"] = sorted(folders.empty)
    texts = {given.out: json.dumps(document, indent=1, allow_nan=False) + "\n"}
    if given.html:
        texts[given.html] = page(document, folders)
    for path, text in texts.items():
        _write(path, text)
    sys.stdout.write(markdown(document) + "\n")
    return 0


def _write(path: Path, text: str) -> None:
    """Whole or not at all."""
    new = path.with_name(path.name + ".new")
    try:
        new.write_text(text)
        os.replace(new, path)
    except OSError:
        new.unlink(missing_ok=True)
        raise


def _tell(line: str) -> None:
    sys.stderr.write(line + "\n")


def _say(code: str, detail: str, exit_code: int) -> int:
    _tell(f"{code}: {detail}")
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
