"""What clusters that ended, and processes that were killed, left on this machine."""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil

from store import disk
from store.database import now_ms
from store.disk import Removed

DAY_MS = 86_400_000


def clear(runtime: Path, logs_days: int, dry_run: bool = False) -> list[Removed]:
    """Remove what no living process uses from `cli.environment.runtime_dir`; quick enough for every start."""
    sessions = list(_untouched(runtime.glob("ray/session_*"), logs_days * DAY_MS))
    temporary = list(_untouched(runtime.glob(f"tmp/{tempfile.gettempprefix()}*"), DAY_MS))
    return [
        disk.remove("logs of ended clusters", _unnamed(_orphaned(sessions)), dry_run),
        disk.remove("folders of ended proxies", _unnamed(_orphaned(runtime.glob("h*"))), dry_run),
        disk.remove("temporary files", _closed(temporary), dry_run),
    ]


def _untouched(places: Iterable[Path], for_ms: int) -> Iterator[Path]:
    """Those in which nothing has changed for so long."""
    return (place for place in places if not place.is_symlink() and disk.touched_ms(place) < now_ms() - for_ms)


def _orphaned(places: Iterable[Path]) -> list[Path]:
    """Those named after a process that is gone: `session_<when>_<pid>`, `h<pid>`."""
    pids = {place: place.name.removeprefix("h").rpartition("_")[2] for place in places}
    return [place for place, pid in pids.items() if pid.isdecimal() and not psutil.pid_exists(int(pid))]


def _unnamed(places: list[Path]) -> list[Path]:
    """Those that are on no process's command line, as a cluster's folder is as long as anything of it runs."""
    told = [" ".join(each.info["cmdline"] or ()) for each in psutil.process_iter(["cmdline"])] if places else []
    return [place for place in places if not any(str(place) in line for line in told)]


def _closed(places: list[Path]) -> list[Path]:
    """Those of which no process has anything open."""
    opened = list(_opened()) if places else []
    return [place for place in places if not any(path == place or place in path.parents for path in opened)]


def _opened() -> Iterator[Path]:
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            yield from (Path(path) for path in (process.cwd(), *(file.path for file in process.open_files())))
