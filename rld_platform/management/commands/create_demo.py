"""Make the demo: people, a project of real photographs and one of composites with known truth, and their runs.

Safe to call again: what is there stays, what is missing is made.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model

from engine.composites.generator import compose, to_scene
from engine.demo.photographs import demo_photographs
from engine.imaging import encode_png
from engine.management.console import ConsoleCommand, with_progress
from engine.models import Membership, Project
from engine.refusals import Refusal
from engine.services.images import import_image
from engine.services.projects import change_project, project_named
from engine.services.runs import start_run
from evaluation.models import Benchmark
from evaluation.services.benchmarks import freeze_composites
from rld_platform.demo_logins import demo_logins

PHOTOGRAPHS = "Demo photographs"
COMPOSITES = "Demo composites"
COMPOSITE_SEEDS = range(12)
COMPOSITE_PX = 512
BENCHMARK, BENCHMARK_COMPOSITES = "Held-out composites", 8

INSTRUCTIONS = {
    PHOTOGRAPHS: (
        "Accept a layer when it is the whole object the prompt asks for, cut cleanly, and what was hidden behind other "
        "things is completed believably. Reject it with the defect you see first. Nobody is asked to be fast."
    ),
    COMPOSITES: (
        "These pictures were composed by a generator, so the true layers are known. They serve to check the engine "
        "and the people: judge them like photographs."
    ),
}


class Command(ConsoleCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        people = self._people()
        projects = [self._project(name, people) for name in (PHOTOGRAPHS, COMPOSITES)]
        images = self._photographs(projects[0]) + self._composites(projects[1])
        # New checkpoints are scored on it, and meet the one in use at its gate.
        if not Benchmark.objects.filter(project=projects[1]).exists():
            freeze_composites(project=projects[1], name=BENCHMARK, count=BENCHMARK_COMPOSITES)
        runs = [
            run
            for project, recipe in ((projects[0], "cpu"), (projects[1], "cpu"), (projects[0], "cpu_auto"))
            if (run := self._run(project, recipe)) is not None
        ]
        document = {"projects": [str(p.id) for p in projects], "images": images, "runs": [str(r.id) for r in runs]}
        self.finish(
            document,
            f"demo: {images} pictures in {len(projects)} projects, {len(runs)} runs started",
            options["as_json"],
        )

    def _people(self) -> list[tuple[Any, str]]:
        people = []
        for login in demo_logins():
            is_admin = login.role == "admin"
            user, is_new = get_user_model().objects.get_or_create(
                username=login.username,
                defaults={"first_name": login.username.title(), "is_staff": is_admin, "is_superuser": is_admin},
            )
            if is_new:
                user.set_password(login.password)
                user.save()
            people.append((user, login.role))
        return people

    def _project(self, name: str, people: list[tuple[Any, str]]) -> Project:
        project = project_named(name)
        if not project.instructions:
            change_project(project=project, instructions=INSTRUCTIONS[name])
        for user, role in people:
            Membership.objects.get_or_create(project=project, user=user, defaults={"role": role})
        return project

    def _photographs(self, project: Project) -> int:
        photographs = demo_photographs()
        for photograph in with_progress(photographs, len(photographs), "photographs"):
            import_image(
                project=project,
                data=photograph.read_bytes(),
                name=photograph.path.name,
                given=photograph.given,
                credit=photograph.credit,
                licence=photograph.licence,
            )
        return len(photographs)

    def _composites(self, project: Project) -> int:
        """Their truth is not stored: the seed in the name makes it again, bit for bit."""
        for seed in with_progress(COMPOSITE_SEEDS, len(COMPOSITE_SEEDS), "composites"):
            composite = compose(seed, COMPOSITE_PX)
            import_image(
                project=project,
                data=encode_png(composite.source_hwc),
                name=f"composite-{COMPOSITE_PX}-{seed}.png",
                given=to_scene(composite).given,
                credit="Composed by engine.composites",
            )
        return len(COMPOSITE_SEEDS)

    def _run(self, project: Project, recipe: str) -> Any:
        try:
            return start_run(project=project, recipe_name=recipe)
        except Refusal as refusal:
            if refusal.code != "nothing_to_do":
                raise
            return None
