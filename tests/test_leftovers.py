"""What clusters that ended left on this machine goes; what anybody still uses stays."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.environment import environment, runtime_dir
from cli.leftovers import clear
from cli.main import app
from contracts.settings import Settings

DAYS = 7
DAY_S = 86_400


@pytest.fixture(scope="module")
def gone() -> int:
    """The id of a process that is no more."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def make(place: Path, days_ago: float, size: int = 1000) -> Path:
    """A folder with a log in it."""
    place.mkdir(parents=True)
    (place / "log").write_bytes(b"x" * size)
    for path in (place / "log", place):
        os.utime(path, (time.time() - days_ago * DAY_S,) * 2)
    return place


def test_old_logs_of_ended_clusters_go(tmp_path: Path, gone: int) -> None:
    old = make(tmp_path / "ray" / f"session_2026-01-01_10-00-00_000001_{gone}", 8)
    young = make(tmp_path / "ray" / f"session_2026-01-01_10-00-00_000002_{gone}", 6)
    touched = make(tmp_path / "ray" / f"session_2026-01-01_10-00-00_000003_{gone}", 8)
    (touched / "log").touch()
    alive = make(tmp_path / "ray" / f"session_2026-01-01_10-00-00_000004_{os.getpid()}", 8)
    latest = tmp_path / "ray" / "session_latest"
    latest.symlink_to(old)
    told = clear(tmp_path, DAYS, dry_run=True)
    assert old.exists() and (told[0].count, told[0].size_bytes >= 1000) == (1, True)
    assert clear(tmp_path, DAYS) == told
    assert [path.exists() for path in (old, young, touched, alive)] == [False, True, True, True]
    assert [each.count for each in clear(tmp_path, DAYS)] == [0, 0, 0]


def test_a_cluster_that_somebody_else_started_keeps_its_logs(tmp_path: Path, gone: int) -> None:
    """`ray start` leaves at once; what it started names the folder."""
    session = make(tmp_path / "ray" / f"session_2026-01-01_10-00-00_000001_{gone}", 8)
    command = [sys.executable, "-c", "import sys; sys.stdin.read()", f"--session-dir={session}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE):
        assert clear(tmp_path, DAYS)[0].count == 0 and session.exists()
    assert clear(tmp_path, DAYS)[0].count == 1 and not session.exists()


def test_folders_of_proxies_go_with_their_process(tmp_path: Path, gone: int) -> None:
    dead, alive = make(tmp_path / f"h{gone}", 0), make(tmp_path / f"h{os.getpid()}", 30)
    foreign = make(tmp_path / "home", 30)
    assert clear(tmp_path, DAYS)[1].count == 1
    assert [path.exists() for path in (dead, alive, foreign)] == [False, True, True]


def test_temporary_files_of_killed_processes_go(tmp_path: Path) -> None:
    old, young = make(tmp_path / "tmp" / "tmpold", 2), make(tmp_path / "tmp" / "tmpyoung", 0.5)
    cache = make(tmp_path / "tmp" / "torchinductor_me", 2)  # not named by Python: a library's own
    held = make(tmp_path / "tmp" / "tmpheld", 2)
    with (held / "log").open():
        assert clear(tmp_path, DAYS)[2].count == 1
    assert [path.exists() for path in (old, young, cache, held)] == [False, True, True, True]
    assert clear(tmp_path, DAYS)[2].count == 1 and not held.exists()


def test_nothing_there_is_nothing_to_do(tmp_path: Path) -> None:
    assert [each.count for each in clear(tmp_path / "nowhere", DAYS)] == [0, 0, 0]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """This machine's folder for temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TROUPE_VAR", str(tmp_path / "var"))
    return tmp_path


def test_our_processes_share_a_closed_folder(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also those that are started from one of them."""
    folder = Path(environment(Settings(), proxied=False)["TMPDIR"])
    assert folder == runtime_dir() / "tmp" and folder.stat().st_mode & 0o777 == 0o700
    runtime = runtime_dir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    assert runtime_dir() == runtime and environment(Settings(), proxied=False)["TMPDIR"] == str(folder)


@pytest.mark.parametrize("dry_run", [True, False])
def test_gc_says_what_goes(place: Path, gone: int, dry_run: bool) -> None:
    folder = make(runtime_dir() / f"h{gone}", 0)
    answer = CliRunner().invoke(app, ["gc", *(["--dry-run"] if dry_run else [])])
    assert answer.exit_code == 0, answer.output
    (line,) = [line for line in answer.stdout.splitlines() if "proxies" in line]
    assert " 1 " in line and folder.exists() == dry_run
    assert any("events" in line for line in answer.stdout.splitlines())
