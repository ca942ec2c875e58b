import os
import stat
import subprocess
import sys

import pytest

from rld_platform import environment as env


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("PORT", "eighty", "PORT must be a whole number from 1 to 65535, got 'eighty'"),
        ("DEBUG", "maybe", "DEBUG must be one of 1, 0, true, false, yes, no, got 'maybe'"),
        ("DATABASE_URL", "sqlite:///db", "DATABASE_URL must be a URL starting with postgresql://, got 'sqlite:///db'"),
        ("RLD_STORAGE", "tape", "RLD_STORAGE must be one of folder, s3, got 'tape'"),
        ("RLD_LEASE_S", "0", "RLD_LEASE_S must be a whole number from 2 to 3600, got '0'"),
        (
            "RLD_DEVICE_MEMORY_MB",
            "24 GB",
            "RLD_DEVICE_MEMORY_MB must be a whole number from 0 to 10000000, got '24 GB'",
        ),
        ("CELERY_BROKER_URL", "smoke://", "CELERY_BROKER_URL must be a URL starting with"),
        ("SECRET_KEY", "short", "SECRET_KEY must be at least 32 characters long"),
    ],
)
def test_a_bad_setting_stops_the_start_with_one_line_that_names_it(name, value, line, tmp_path):
    environment = {**os.environ, "RLD_HOME": str(tmp_path), name: value}
    command = [sys.executable, "-m", "rld_platform.serve", "web"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1, ended.stderr
    assert line in ended.stderr


def test_a_password_in_a_refused_address_is_not_printed(monkeypatch, capsys, tmp_path):
    from rld_platform.database import configuration

    monkeypatch.setenv("DATABASE_URL", "mysql://root:hunter2@db/rld")
    with pytest.raises(SystemExit):
        configuration(tmp_path)
    assert "hunter2" not in capsys.readouterr().err


def test_a_secret_is_made_once_and_is_private(monkeypatch, tmp_path):
    monkeypatch.delenv("SECRET_KEY", raising=False)
    first = env.secret("SECRET_KEY", tmp_path)
    assert env.secret("SECRET_KEY", tmp_path) == first
    assert len(first) >= 48
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600


def test_two_homes_have_two_secrets(monkeypatch, tmp_path):
    monkeypatch.delenv("SECRET_KEY", raising=False)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert env.secret("SECRET_KEY", tmp_path / "a") != env.secret("SECRET_KEY", tmp_path / "b")
