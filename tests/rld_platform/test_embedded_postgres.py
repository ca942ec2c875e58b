"""The embedded server as processes see it: started on demand, shared, stopped by the last one to leave."""

import json
import os
import subprocess
import sys
import time

from tests.rld_platform.conftest import servers_of

SCRIPT = """
import os, sys, time
os.environ["DJANGO_SETTINGS_MODULE"] = "rld_platform.settings"
import django
django.setup()
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("SELECT current_database(), pg_postmaster_start_time()::text")
    print(*cursor.fetchone(), sep="|", flush=True)
sys.stdin.readline()
"""

ENDS_ABRUPTLY = SCRIPT + "os._exit(0)"


def connect(home, script=SCRIPT):
    environment = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        env={**environment, "RLD_HOME": str(home)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    return process, process.stdout.readline().strip().split("|")


def leave(process):
    process.communicate("\n", timeout=30)


def wait_for_no_server(home):
    deadline = time.monotonic() + 15
    while servers_of(home) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert servers_of(home) == []


def test_processes_share_one_server_and_the_last_one_stops_it(home):
    first, (database, started) = connect(home)
    second, (_, also_started) = connect(home)
    assert database == "rld"
    assert also_started == started
    leave(first)
    assert servers_of(home)
    leave(second)
    wait_for_no_server(home)


def test_a_killed_process_does_not_keep_the_server_alive_for_ever(home):
    killed, _ = connect(home)
    killed.kill()
    killed.wait()
    assert servers_of(home)
    last, _ = connect(home)
    leave(last)
    wait_for_no_server(home)
    assert json.loads((home / "postgres" / ".handle_pids.json").read_text()) == []


def test_a_pool_process_that_ends_without_a_farewell_does_not_keep_the_server_alive(home):
    last, _ = connect(home)
    other, _ = connect(home, ENDS_ABRUPTLY)
    other.communicate("\n", timeout=30)
    leave(last)
    wait_for_no_server(home)


def test_the_lock_lies_beside_the_data_not_in_a_shared_folder(home):
    process, _ = connect(home)
    leave(process)
    assert (home / "run" / "python_PostgresServer" / ".lockfile").exists()
