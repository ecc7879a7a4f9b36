"""The processes of a cluster, found by what they are called and killed as the machine does it: without a word."""

import psutil

from tests.conftest import Cluster


def replica(cluster: Cluster, deployment: str) -> psutil.Process:
    """The only one that there is."""
    members = psutil.Process(cluster.process.pid).children(recursive=True)
    return next(each for each in members if any(f"ServeReplica:troupe:{deployment}" in part for part in each.cmdline()))


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
