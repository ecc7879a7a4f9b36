"""A small disk of a test's own: a file system in memory, mounted where only the processes of a test see it."""

import errno
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

BALLAST = "ballast"


@dataclass
class Disk:
    """`folder` is the disk as this machine's other processes reach it; it is gone when the shell ends."""

    shell: subprocess.Popen[str]
    mounted: Path

    @property
    def folder(self) -> Path:
        return Path(f"/proc/{self.shell.pid}/root{self.mounted}")

    def do(self, command: str) -> None:
        assert self.shell.stdin and self.shell.stdout
        self.shell.stdin.write(f"{command} && echo done || echo failed\n")
        self.shell.stdin.flush()
        assert self.shell.stdout.readline() == "done\n", command

    def remount(self, how: str) -> None:
        """`ro`, `rw`."""
        self.do(f"mount -o remount,{how} '{self.mounted}'")


def fill(folder: Path) -> None:
    """The disk of a folder, to the last byte."""
    try:
        with (folder / BALLAST).open("ab", buffering=0) as file:
            while True:
                file.write(bytes(4096))
    except OSError as error:
        assert error.errno == errno.ENOSPC  # noqa: PT017


def make_room(folder: Path) -> None:
    (folder / BALLAST).unlink()


def mount(mounted: Path, size: str) -> Disk:
    """A disk of a size, "512k", "32m", until its shell's standard input ends. Where nobody may: the test is skipped."""
    if shutil.which("unshare") is None:
        pytest.skip("there is no unshare here, which mounts disks without a superuser")
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh"]
    shell = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    disk = Disk(shell, mounted)
    mounted.mkdir()
    try:
        disk.do(f"mount -t tmpfs -o size={size} none '{mounted}'")
    except (AssertionError, BrokenPipeError):
        shell.communicate()
        pytest.skip("this system lets nobody but the superuser mount a disk, not even for itself")
    return disk
