"""Run the data engine in this process, without a broker.

With paths and no project nothing is stored in the database: the layers go to ``--out``. With a project the paths are
imported into it (or, without paths, its waiting images are taken) and layers appear in its queue.
"""

from __future__ import annotations

import itertools
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path, PurePosixPath
from typing import Any

from django.core.management.base import CommandError

from engine import networks, recipes, registry
from engine.annotation_files import BadAnnotations, parse
from engine.archives import NamedBytes, expand
from engine.decoding import BadPicture, decode
from engine.folder_output import write_report, write_scene
from engine.imaging import sha256
from engine.management.commands.import_images import read_annotations
from engine.management.console import WRONG_USE, ConsoleCommand, refusals_as_errors, with_progress
from engine.models import EngineRun, Project, RunStatus, Worker
from engine.records import GivenPrompt, Scene
from engine.revision import code_revision
from engine.runner import StageReport, run_stage
from engine.selectors.access import find_project
from engine.selectors.runs import run_report
from engine.services.images import import_files, limits
from engine.services.leases import register_worker
from engine.services.projects import project_named
from engine.services.runs import start_run
from engine.services.work import BATCH, THREADS, batches
from engine.weights import LicenceForbids
from engine.weights_folder import DamagedWeights, MissingWeights


class Command(ConsoleCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        super().add_arguments(parser)
        parser.add_argument("paths", nargs="*", type=Path, metavar="PATH")
        parser.add_argument("--annotations", type=Path, help="COCO or Label Studio JSON with given prompts")
        parser.add_argument("--project", help="id, slug or name")
        parser.add_argument("--recipe", help="default: the project's, or cpu")
        parser.add_argument("--out", type=Path, help="folder for layers, manifest.jsonl and report.json")
        parser.add_argument("--limit", type=int, help="at most this many images")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1")
        parser.add_argument("--commercial-safe", action="store_true", help="refuse weights without commercial use")

    def handle(self, *args: Any, **options: Any) -> None:
        paths, project, out = options["paths"], options["project"], options["out"]
        if not paths and not project:
            raise CommandError("name some photographs, or a project with --project", returncode=WRONG_USE)
        if paths and not project and out is None:
            raise CommandError("say where the layers go: --out DIR, or --project P", returncode=WRONG_USE)
        if project and out is not None:
            raise CommandError("--out is for runs without a project", returncode=WRONG_USE)
        if options["limit"] is not None and options["limit"] < 1:
            raise CommandError("--limit must be at least 1", returncode=WRONG_USE)
        missing = [str(path) for path in paths if not path.exists()]
        if missing:
            raise CommandError(f"no such file or folder: {', '.join(missing)}", returncode=WRONG_USE)
        if options["recipe"]:
            _recipe(options["recipe"])
        if options["commercial_safe"]:
            _refuse_non_commercial(_recipe(options["recipe"] or _recipe_of(project)))
        if project:
            self._run_in_project(**options)
        else:
            self._run_to_folder(**options)

    # --- without a database ---------------------------------------------------------------------------------------

    def _run_to_folder(self, paths: list[Path], out: Path, recipe: str | None, **options: Any) -> None:
        chosen = _recipe(recipe or "cpu")
        annotations = read_annotations(options["annotations"])
        try:
            given_of = parse(annotations) if annotations else {}
        except BadAnnotations as error:
            raise CommandError(f"{error.code}: {error}") from error
        try:
            backends = [
                registry.load(spec.stage, spec.backend, spec.params, options["device"]) for spec in chosen.stages
            ]
        except (MissingWeights, DamagedWeights) as error:
            raise CommandError(f"{error.code}: {error}") from error
        rows: list[dict[str, Any]] = []
        reports: list[StageReport] = []
        errors: list[dict[str, str]] = []
        files: Iterator[NamedBytes] = itertools.islice(expand(paths, limits=limits()), options["limit"])
        named = self._scenes(with_progress(files, options["limit"], "images"), given_of, options["seed"], errors)
        while batch := list(itertools.islice(named, BATCH[chosen.queue])):
            for spec, backend in zip(chosen.stages, backends, strict=True):
                reports += run_stage([scene for _, scene in batch], spec, backend, THREADS[chosen.queue])
            for name, scene in batch:
                rows += write_scene(out, scene, name)
        report = write_report(out, rows, reports, chosen, options["seed"], code_revision(), errors)
        ready, count = report["layers_ready"], report["images"]
        sentence = f"{ready} layers ready of {len(rows)} made from {count} images; {len(errors)} files refused; {out}"
        self.finish({**report, "out": str(out)}, sentence, options["as_json"])
        if not count:
            raise CommandError("no picture could be read")

    @staticmethod
    def _scenes(
        files: Iterator[NamedBytes],
        given_of: Mapping[str, tuple[GivenPrompt, ...]],
        seed: int,
        errors: list[dict[str, str]],
    ) -> Iterator[tuple[str, Scene]]:
        """Every picture once, with its file's name; what cannot be read goes to ``errors``."""
        seen: set[str] = set()
        for name, data in files:
            try:
                if isinstance(data, BadPicture):
                    raise data
                digest = sha256(data)
                if digest in seen:
                    continue
                seen.add(digest)
                pixels = decode(data, limits=limits()).image_hwc
            except BadPicture as error:
                errors.append({"name": name, "code": error.code, "detail": str(error)})
                continue
            yield name, Scene(digest, pixels, seed, given_of.get(PurePosixPath(name).name, ()))

    # --- into a project -------------------------------------------------------------------------------------------

    def _run_in_project(self, paths: list[Path], project: str, recipe: str | None, **options: Any) -> None:
        with refusals_as_errors():
            found, images = self._imported(paths, project, options)
            run = start_run(project=found, recipe_name=recipe, images=images, seed=options["seed"])
        queue = recipes.Recipe.from_json(run.recipe).queue
        worker = register_worker(queue, options["device"])
        total = run.items.count()
        for _ in with_progress(_until_over(run, worker, queue), None, f"{total} images, batch"):
            continue
        report = run_report(run)
        document = {
            "run": str(run.id),
            "project": str(found.id),
            "status": run.status,
            "items": report.items,
            "stages": [asdict(stage) for stage in report.stages],
        }
        self.finish(document, f"run {run.id}: {run.status}, {report.items}", options["as_json"])

    def _imported(self, paths: list[Path], key: str, options: dict[str, Any]) -> tuple[Project, list[uuid.UUID] | None]:
        """The project, and the images to run: those of the paths, or ``None`` for all that wait."""
        if not paths:
            project = find_project(key)
            if project is None:
                raise CommandError(f"not_found: there is no project {key!r}")
            waiting = project.images.values_list("id", flat=True)
            return project, list(waiting[: options["limit"]]) if options["limit"] else None
        project = project_named(key)
        files = itertools.islice(expand(paths, limits=limits()), options["limit"])
        results = list(import_files(project=project, files=files, annotations=read_annotations(options["annotations"])))
        for result in results:
            if not result.image_id:
                self.stderr.write(f"{result.name}: {result.outcome}: {result.detail}")
        return project, [uuid.UUID(result.image_id) for result in results if result.image_id]


def _until_over(run: EngineRun, worker: Worker, queue: str) -> Iterator[int]:
    """Work the queue until this run is over; another worker may hold some of its images meanwhile."""
    while _is_live(run):
        taken = 0
        for taken in batches(worker, queue, goes_on=lambda: _is_live(run)):
            yield taken
        if not taken:
            time.sleep(0.5)


def _is_live(run: EngineRun) -> bool:
    run.refresh_from_db()
    return run.status in (RunStatus.QUEUED, RunStatus.RUNNING)


def _recipe(name: str) -> recipes.Recipe:
    try:
        return recipes.find(name)
    except recipes.UnknownRecipe as error:
        raise CommandError(str(error), returncode=WRONG_USE) from error


def _recipe_of(project: str | None) -> str:
    """The recipe that a run without ``--recipe`` takes."""
    found = find_project(project) if project else None
    return found.recipe if found is not None else "cpu"


def _refuse_non_commercial(recipe: recipes.Recipe) -> None:
    try:
        networks.require_commercial_safe(recipe)
    except LicenceForbids as error:
        raise CommandError(f"{error.code}: {error}", returncode=WRONG_USE) from error
