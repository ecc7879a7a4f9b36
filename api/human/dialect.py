"""The two documents: which of them an answer follows, and where they differ in what both have."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Request

V1_PREFIX = "/human/v1"


@dataclass(frozen=True)
class Dialect:
    """`slash` opens the paths that are told; `union`: answers have the fields of both documents."""

    slash: str
    union: bool
    cloned: str  # what is said of a voice that is kept

    def path(self, key: str) -> str:
        return self.slash + key

    def memory(self, size_bytes: int) -> int:
        """Of a GPU: v1 counts MiB."""
        return size_bytes if self.union else size_bytes >> 20

    def now(self) -> str:
        if not self.union:
            return datetime.now().replace(microsecond=0).isoformat()
        return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


V1 = Dialect("", union=False, cloned="说话人特征提取完成，可以用于后续音频生成")
V2 = Dialect("/", union=True, cloned="音频特征提取成功")


def clock(at_ms: int) -> str:
    """A time as lists tell it: this machine's."""
    return datetime.fromtimestamp(at_ms / 1000).strftime("%Y-%m-%d %H:%M:%S")


async def _dialect(request: Request) -> Dialect:
    """v2's at the root and under /human."""
    return V1 if request.scope["route"].path.startswith(f"{V1_PREFIX}/") else V2


Spoken = Annotated[Dialect, Depends(_dialect)]
