"""LoRA adapters of the store, as folders of this machine: engines load them from there."""

import shutil
import tempfile
import threading
from pathlib import Path

from contracts.artifacts import Files
from contracts.errors import NotFound

FILES = ("adapter_config.json", "adapter_model.safetensors")
KEPT = 32  # folders; one that is asked for again is fetched again


class Adapters:
    """A folder is never changed: what is trained anew has a key of its own."""

    def __init__(self, files: Files) -> None:
        self.files, self._root = files, Path(tempfile.mkdtemp(prefix="adapters-"))
        self._folders: dict[str, Path] = {}  # by key; who was asked for last is last
        self._turn = threading.Lock()

    def fetched(self, key: str) -> Path:
        """The folder of an adapter, fetched when it is not here. Blocking. Gone from the store: `NotFound`."""
        with self._turn:
            folder = self._folders.pop(key, None) or self._fetch(key)
            self._folders[key] = folder
            for old in list(self._folders)[:-KEPT]:
                shutil.rmtree(self._folders.pop(old))
            return folder

    def close(self) -> None:
        shutil.rmtree(self._root, ignore_errors=True)

    def _fetch(self, key: str) -> Path:
        folder = Path(tempfile.mkdtemp(dir=self._root))
        try:
            for name in FILES:
                self.files.fetch(f"{key}/{name}", folder / name)
        except NotFound:
            shutil.rmtree(folder)
            raise NotFound("这个微调模型已被删除。", param="model") from None
        return folder
