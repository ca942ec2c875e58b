"""Start the parts of the product on one machine and stop them together.

``python -m rld_platform.serve demo|web|worker``. Children run in sessions of their own, so that Ctrl+C reaches only
this process, which then stops them in order; the embedded database stops when the last of them has left it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import FrameType

import django
import psutil

from rld_platform import environment as env

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rld_platform.settings")

START_S = 60.0
TRAIN = "train"
STOP_S = 12.0


class Stop(Exception):
    """Somebody asked for the end: Ctrl+C or SIGTERM."""


def _raise_stop(signum: int, frame: FrameType | None) -> None:
    """Once: a second signal (make and a terminal both pass theirs on) must not end the stopping of the children."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise Stop


class Children:
    """Named child processes that live and die together."""

    def __init__(self) -> None:
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, command: list[str], **environment: str) -> None:
        self._running[name] = subprocess.Popen(  # noqa: S603 - our own commands
            command, env={**os.environ, **environment}, start_new_session=True
        )

    def check(self) -> None:
        """Exit with one line when a child ended by itself."""
        for name, child in self._running.items():
            if (code := child.poll()) is not None:
                raise SystemExit(f"{name} stopped with exit code {code}")

    def stop(self) -> None:
        """Ask nicely (each parent tells its own processes); what is still there after a while is killed with all of
        its group: leases give its work back."""
        everybody = self._family()
        for child in self._running.values():
            child.terminate()
        _, late = psutil.wait_procs(everybody, timeout=STOP_S)
        for process in late:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(late, timeout=STOP_S)

    def _family(self) -> list[psutil.Process]:
        """The children and all their descendants that are there now."""
        found: list[psutil.Process] = []
        for child in self._running.values():
            with contextlib.suppress(psutil.NoSuchProcess):
                parent = psutil.Process(child.pid)
                found += [parent, *parent.children(recursive=True)]
        return found


def _say(text: str = "") -> None:
    print(text, flush=True)  # noqa: T201 - this module's whole purpose is a terminal


def prepare() -> None:
    """Bring the database and the collected static files up to date."""
    from django.core.management import call_command
    from django.db import OperationalError

    try:
        call_command("migrate", interactive=False, verbosity=0)
    except OperationalError as error:
        raise SystemExit(f"the database does not answer: {str(error).splitlines()[0]}") from error
    if _static_files_are_stale():
        call_command("collectstatic", interactive=False, verbosity=0)


def _static_files_are_stale() -> bool:
    from django.conf import settings
    from django.contrib.staticfiles.finders import get_finders

    manifest = Path(settings.STATIC_ROOT) / "staticfiles.json"
    if not manifest.exists():
        return True
    collected_at = manifest.stat().st_mtime
    return any(
        Path(storage.path(name)).stat().st_mtime > collected_at
        for finder in get_finders()
        for name, storage in finder.list([])
    )


def start_web(children: Children, port: int) -> None:
    command = [sys.executable, "-m", "gunicorn", "--config", "python:rld_platform.web_server"]
    children.start("web server", [*command, "rld_platform.wsgi:application"], PORT=str(port))


def start_worker(children: Children) -> None:
    """A Celery worker with the sweeper (beat) inside. Each of its processes computes on one core: two images at a
    time are faster than one image on two cores. Training gets a worker of its own, because a run takes minutes or days
    and nobody's layers should wait for it."""
    processes = env.number("WORKER_CONCURRENCY", min(4, os.cpu_count() or 1), 1, 256)
    queues = env.text("WORKER_QUEUES", "default,cpu,inference,train").split(",")
    others = [queue for queue in queues if queue != TRAIN]
    if others:
        _start_celery(children, "worker", ["--beat", "--queues", ",".join(others), "--concurrency", str(processes)])
    if TRAIN in queues:
        name = ["--hostname", f"{TRAIN}@%h", "--queues", TRAIN, "--concurrency", "1"]
        _start_celery(children, "trainer", name if others else [*name, "--beat"], REMAP_SIGTERM="SIGQUIT")


def _start_celery(children: Children, name: str, options: list[str], **environment: str) -> None:
    command = [sys.executable, "-m", "celery", "--app", "rld_platform", "--quiet", "worker"]
    children.start(
        name,
        [*command, *options, "--loglevel", "warning"],
        **environment,
        C_FORCE_ROOT="1",
        OMP_NUM_THREADS="1",
        NUMBA_NUM_THREADS="1",
        OPENCV_FOR_THREADS_NUM="1",
    )


def gpu_devices() -> list[str]:
    """``WORKER_DEVICES``, else every NVIDIA GPU this machine has."""
    found = sorted(int(path.name.removeprefix("nvidia")) for path in Path("/dev").glob("nvidia[0-9]*"))
    return env.words("WORKER_DEVICES", [f"cuda:{place}" for place, _ in enumerate(found)])


def start_gpu_workers(children: Children) -> None:
    """One process for each device, which does one thing at a time (Celery's solo pool) and keeps its networks."""
    for device in gpu_devices():
        children.start(
            f"worker on {device}",
            [
                *(sys.executable, "-m", "celery", "--app", "rld_platform", "--quiet", "worker"),
                *("--queues", "gpu", "--pool", "solo", "--loglevel", "warning"),
                *("--hostname", f"{device.replace(':', '')}@%h"),
            ],
            C_FORCE_ROOT="1",
            RLD_DEVICE=device,
        )


def wait_for_web(children: Children, port: int) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        children.check()
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2).close()
            return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    raise SystemExit(f"the web server did not answer on port {port} within {START_S:.0f} s")


def wait_for_runs(children: Children) -> None:
    """A progress bar until the data engine has nothing left to do."""
    from engine.selectors.progress import live_progress

    shown = False
    while (progress := live_progress()) is not None:
        children.check()
        done, total = progress
        bar = "█" * round(24 * done / total)
        end = "" if sys.stdout.isatty() else "\n"
        print(f"\r  data engine  {bar:░<24}  {done}/{total} stages  ", end=end, flush=True)  # noqa: T201
        shown = True
        time.sleep(0.5 if sys.stdout.isatty() else 5.0)
    if shown and sys.stdout.isatty():
        _say()


def serve(what: str) -> None:
    port = env.number("PORT", 8000, 1, 65535)
    django.setup()
    children = Children()
    signal.signal(signal.SIGTERM, _raise_stop)
    signal.signal(signal.SIGINT, _raise_stop)
    try:
        prepare()
        if what == "demo":
            _demo(children, port)
        elif what == "web":
            start_web(children, port)
            wait_for_web(children, port)
            _say(f"RLD Platform answers on http://localhost:{port}")
        else:
            start_worker(children)
            start_gpu_workers(children)
            _say(f"The worker is running, and one for each of: {', '.join(gpu_devices()) or 'no GPU'}.")
        while True:
            children.check()
            time.sleep(0.5)
    except Stop:
        _say("\nStopping ...")
    finally:
        children.stop()


def _demo(children: Children, port: int) -> None:
    from django.core.management import call_command

    from rld_platform.demo_logins import demo_logins

    call_command("create_demo")
    start_web(children, port)
    start_worker(children)
    wait_for_web(children, port)
    wait_for_runs(children)
    _judge_composites()
    _say()
    _say(f"Ready:  http://localhost:{port}")
    _say()
    for login in demo_logins():
        _say(f"  {login.username:<10} {login.password:<22} {login.role}")
    _say()
    _say("  1. Sign in as annotator and press R: judge the layers, A accepts, X rejects, ? shows all keys.")
    _say("  2. Sign in as admin and open Projects: upload photographs, start a run, watch the funnel.")
    _say("  3. Sign in as curator, open Training of Demo composites and press Retrain: minutes on two cores; then the")
    _say("     new checkpoint is scored, and its gate asks for votes in the arena.")
    _say()
    _say("Ctrl+C stops everything; the data stays in .rld.")


def _judge_composites() -> None:
    """Simulated annotators judge the demo's composites, whose truth is known: so there is something to train on.

    Once: later calls find nothing that waits, or layers that people were left to judge.
    """
    from django.core.management import call_command

    from engine.models import Layer, LayerStatus
    from rld_platform.management.commands.create_demo import COMPOSITES

    if not Layer.objects.filter(project__name=COMPOSITES, status=LayerStatus.ACCEPTED).exists():
        call_command("simulate_annotators", project=COMPOSITES, annotators=2, until_empty=True)


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in ("demo", "web", "worker"):
        sys.exit("usage: python -m rld_platform.serve demo|web|worker")
    serve(sys.argv[1])
