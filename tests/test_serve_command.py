"""`troupe serve` as a process refuses clearly. (That it leaves nothing behind is asked at the end of every cluster.)"""

import os
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE

from cli.environment import environment, free_port, temporary_dir
from contracts.settings import Settings
from tests.conftest import ROOT, Cluster


def test_a_second_cluster_on_the_same_folder_is_refused(cluster: Cluster) -> None:
    command = [sys.executable, "-m", "cli.main", "serve", "--port", str(free_port())]
    command += ["--dashboard-port", str(free_port())]
    second = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"TROUPE_VAR": str(cluster.var)}, capture_output=True, text=True, timeout=60
    )
    assert second.returncode == 1
    assert "Another cluster uses" in second.stdout
    assert "Traceback" not in second.stdout + second.stderr


def test_clusters_that_begin_together_have_ports_of_their_own() -> None:
    program = "import os; os.getpid = lambda: 7\n"
    program += "from cli.environment import free_block\nprint(free_block(), flush=True); input()"
    command = [sys.executable, "-c", program]
    places = [
        os.environ,
        os.environ | {"TMPDIR": str(temporary_dir())},
    ] * 2  # as it is, and as a process of ours has it
    begun = [subprocess.Popen(command, cwd=ROOT, env=env, stdin=PIPE, stdout=PIPE, text=True) for env in places]
    told = [process.stdout.readline() for process in begun if process.stdout]
    for process in begun:
        process.communicate("\n", timeout=20)
    assert len(set(told)) == 4


def test_nothing_that_serve_listens_at_is_shared_with_another_cluster(tmp_path: Path) -> None:
    first, second = (environment(Settings(var=tmp_path / name), proxied=True) for name in "ab")
    ports = [{name: value for name, value in each.items() if name.endswith("_PORT")} for each in (first, second)]
    assert len(ports[0]) == 6 and ports[0].keys() == ports[1].keys()
    assert not set(ports[0].values()) & set(ports[1].values())
