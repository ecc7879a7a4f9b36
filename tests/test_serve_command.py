"""`troupe serve` as a process refuses clearly. (That it leaves nothing behind is asked at the end of every cluster.)"""

import os
import subprocess
import sys

from cli.environment import free_port
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
