"""What Ray must find in the environment before it starts, on this machine."""

import os
import socket
import tempfile
from pathlib import Path

from filelock import FileLock, Timeout

from contracts.settings import Settings, revision
from store.secrets import kept_secret

PROXIED = {
    "RAY_SERVE_ENABLE_HA_PROXY": "1",
    "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
    "RAY_SERVE_REQUEST_PATH_LOG_BUFFER_SIZE": "1",  # throughput mode would keep a thousand lines back
}
FIRST_PORT, BLOCKS, BLOCK = 30_000, 50, 20  # where ingress replicas listen: a block for each cluster
_claims: list[FileLock] = []


def environment(settings: Settings, proxied: bool) -> dict[str, str]:
    """Token authentication, no reports to anybody, bounded logs; `proxied`: HAProxy with files and ports of its own.

    Temporary files lie in a folder of ours, where `cli.leftovers` finds what killed processes leave.
    """
    token = settings.var.resolve() / "keys" / "ray.token"
    kept_secret(token)
    shared = {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(token),
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "0",  # nothing is behind us that still sends
        "RAY_SERVE_PROXY_MIN_DRAINING_PERIOD_S": "1",
        "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "60",  # a busy machine starts a process in more than the usual five
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
        "RAY_ROTATION_MAX_BYTES": os.environ.get("RAY_ROTATION_MAX_BYTES", str(64 << 20)),  # of each log file
        "RAY_ROTATION_BACKUP_COUNT": os.environ.get("RAY_ROTATION_BACKUP_COUNT", "3"),
        "FORWARDED_ALLOW_IPS": "",  # uvicorn would believe X-Forwarded-For of whoever comes through HAProxy
        "NO_PROXY": no_proxy(),
        "no_proxy": no_proxy(),
        "TMPDIR": str(temporary_dir()),
        "TROUPE_VAR": str(settings.var.resolve()),
        "TROUPE_REVISION": revision(),
    }
    return shared | (PROXIED | haproxy() if proxied else {})


def no_proxy() -> str:
    """What goes to this machine must not go through an office's proxy."""
    kept = os.environ.get("no_proxy") or os.environ.get("NO_PROXY", "")
    return ",".join(dict.fromkeys([*filter(None, kept.split(",")), "127.0.0.1", "localhost"]))


def haproxy() -> dict[str, str]:
    """Serve's own defaults are one folder and two ports for the whole machine."""
    folder = haproxy_dir()
    folder.mkdir(parents=True, exist_ok=True)
    names = {
        "CONFIG_FILE_LOC": "haproxy.cfg",
        "SOCKET_PATH": "a",
        "SERVER_STATE_FILE": "server-state",
        "METRICS_SOCKET_PATH": "m",
    }
    files = {f"RAY_SERVE_HAPROXY_{name}": str(folder / file) for name, file in names.items()}
    ports = {f"RAY_SERVE_HAPROXY_{name}_PORT": str(free_port()) for name in ("METRICS", "STATS")}
    first = free_block()
    ports |= {
        "RAY_SERVE_DIRECT_INGRESS_MIN_HTTP_PORT": str(first),
        "RAY_SERVE_DIRECT_INGRESS_MAX_HTTP_PORT": str(first + BLOCK - 3),
        "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT": str(first + BLOCK - 2),  # whom HAProxy asks before it knows an ingress
        "RAY_SERVE_FALLBACK_PROXY_GRPC_PORT": str(first + BLOCK - 1),
    }
    return files | ports | {"RAY_SERVE_HAPROXY_SERVER_STATE_BASE": str(folder)}


def haproxy_dir() -> Path:
    return runtime_dir() / f"h{os.getpid()}"


def runtime_dir() -> Path:
    """For sockets and logs, ours alone. Short: HAProxy allows 97 characters."""
    place, name = Path(tempfile.gettempdir()), f"troupe-{os.getuid()}"
    folder = place.parent if place.parts[-2:] == (name, "tmp") else place / name  # a process of ours has our TMPDIR
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to somebody else.")
    return folder


def temporary_dir() -> Path:
    folder = runtime_dir() / "tmp"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def ray_dir() -> Path:
    """Where Ray keeps its sessions. Ray opens it to everybody, so it lies within a folder that is closed."""
    return runtime_dir() / "ray"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def free_block() -> int:
    """The first of some ports that nobody listens at, nor another cluster of ours that only begins to.

    Serve's own range is one for the whole machine: HAProxy sends the first requests of a second cluster to the ingress
    of the first, until the second finds that the port is taken.
    """
    for turn in range(BLOCKS):
        first = FIRST_PORT + (os.getpid() + turn) % BLOCKS * BLOCK
        if all(_is_free(port) for port in range(first, first + BLOCK)) and _is_claimed(first):
            return first
    raise OSError(f"No {BLOCK} free ports from {FIRST_PORT} to {FIRST_PORT + BLOCKS * BLOCK}.")


def _is_claimed(first: int) -> bool:
    """For as long as this process runs: Serve listens at its ports much later than they are chosen."""
    lock = FileLock(runtime_dir() / f"ports-{first}.lock", blocking=False)
    try:
        lock.acquire()
    except (Timeout, OSError):
        return False
    _claims.append(lock)
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))  # noqa: S104  # where Ray binds
        except OSError:
            return False
    return True
