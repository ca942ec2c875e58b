"""The supervisor as a person in a terminal meets it: all parts start, one signal or two stop all of them."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import psutil
import pytest


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def serve(home):
    """Start ``serve`` with an embedded database and everything else in a home of its own."""
    started = []

    def start(what, **environment):
        bare = {key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "CELERY_BROKER_URL")}
        process = subprocess.Popen(
            [sys.executable, "-m", "rld_platform.serve", what],
            env={**bare, "RLD_HOME": str(home), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        for child in [*descendants(process), process]:
            if child.poll() is None if isinstance(child, subprocess.Popen) else child.is_running():
                child.kill()


def descendants(process):
    try:
        return psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def wait_for_line(process, text):
    for line in process.stdout:
        if text in line:
            return
    pytest.fail(f"it ended without saying {text!r}")


@pytest.mark.parametrize("signals", [(signal.SIGINT,), (signal.SIGTERM, signal.SIGTERM)])
def test_web_answers_and_stops_with_everything_it_started(serve, signals, home):
    port = free_port()
    process = serve("web", PORT=str(port), WEB_CONCURRENCY="1")
    wait_for_line(process, f"http://localhost:{port}")
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/sign-in/", timeout=10) as answer:
        assert answer.status == 200
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    children = descendants(process)
    assert children
    for number in signals:
        process.send_signal(number)
        time.sleep(0.05)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said
    _, alive = psutil.wait_procs(children, timeout=15)
    assert [child.name() for child in alive] == []
    assert not (home / "postgres" / "postmaster.pid").exists(), said


def test_a_port_that_is_taken_ends_the_start_with_a_reason(serve):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = serve("web", PORT=str(taken.getsockname()[1]), WEB_CONCURRENCY="1")
        said, _ = process.communicate(timeout=90)
    assert process.returncode == 1
    assert "web server stopped" in said
    assert "Traceback" not in said
