"""The processes of a cluster, found by what they are called and killed as the machine does it: without a word."""

import psutil

from tests.conftest import Cluster


def saying(word: str, under: int | None = None) -> list[psutil.Process]:
    """Those in whose command line the word stands, of the descendants of process `under` (this one)."""
    return [each for each in psutil.Process(under).children(recursive=True) if _says(each, word)]


def _says(process: psutil.Process, word: str) -> bool:
    try:
        return any(word in part for part in process.cmdline())
    except psutil.NoSuchProcess:  # a zombie is none, too
        return False


def replica(cluster: Cluster, deployment: str) -> psutil.Process:
    """The only one that there is."""
    return saying(f"ServeReplica:troupe:{deployment}", cluster.process.pid)[0]


def kill_all(cluster: Cluster) -> None:
    """Everything that belongs to it, HAProxy too, at once."""
    root = psutil.Process(cluster.process.pid)
    root.suspend()  # nothing is started anew meanwhile
    members = [root, *root.children(recursive=True)]
    for process in members:
        process.kill()
    cluster.process.communicate(timeout=10)
    _, alive = psutil.wait_procs(members, timeout=10)
    assert len(members) > 10 and not alive
