"""LoRA adapters of the store, as folders of this machine: engines load them from there."""

import json
import shutil
import tempfile
import threading
from collections import Counter, defaultdict
from pathlib import Path

from contracts.artifacts import Files
from contracts.errors import Conflict, NotFound, ServiceError
from contracts.platform import MANIFEST
from deployments.revisions import revision_of
from deployments.weights import folder as folder_of

FILES = ("adapter_config.json", "adapter_model.safetensors", MANIFEST)
KEPT = 32  # folders; one that is asked for again is fetched again


class Adapters:
    """A folder is never changed: what is trained anew has a key of its own. `weights` are those of the model."""

    def __init__(self, files: Files, weights: str = "", revision: str = "") -> None:
        self.files, self.weights, self.revision = files, weights, revision
        self._root = Path(tempfile.mkdtemp(prefix="adapters-"))
        self._folders: dict[str, Path] = {}  # by key; who was asked for last is last
        self._lent: Counter[str] = Counter()
        self._turn = threading.Lock()  # never held for long: the loop waits for it
        self._fetching: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def lend(self, key: str) -> Path:
        """The folder of an adapter, fetched when it is not here; it stays until it is given back. Blocking.

        Gone from the store: `NotFound`; taught beside other weights than the model's: `Conflict`.
        """
        with self._turn:
            fetching = self._fetching[key]
        with fetching:
            with self._turn:
                folder = self._folders.pop(key, None)
            folder = folder or self._fetched(key)
            with self._turn:
                self._folders[key] = folder
                self._lent[key] += 1
            return folder

    def give_back(self, key: str) -> None:
        with self._turn:
            self._lent[key] -= 1

    def outdated(self) -> list[Path]:
        """The folders that nobody has and that are here no more: deleted from the store, or too many. Blocking.

        Who gets them lets go of what it has loaded, and removes them.
        """
        gone = [key for key in self._idle() if self._is_gone(key)]
        with self._turn:
            idle = [key for key in self._folders if not self._lent[key]]
            gone = [key for key in gone if key in idle]
            over = [key for key in idle if key not in gone][: max(0, len(self._folders) - len(gone) - KEPT)]
            return [self._folders.pop(key) for key in (*gone, *over)]

    def close(self) -> None:
        shutil.rmtree(self._root, ignore_errors=True)

    def _idle(self) -> list[str]:
        with self._turn:
            return [key for key in self._folders if not self._lent[key]]

    def _is_gone(self, key: str) -> bool:
        """A store that is away for now has lost nothing."""
        try:
            self.files.read(f"{key}/{MANIFEST}")
        except NotFound:
            return True
        except ServiceError:
            return False
        return False

    def _fetched(self, key: str) -> Path:
        folder = Path(tempfile.mkdtemp(dir=self._root))
        try:
            for name in FILES:
                self.files.fetch(f"{key}/{name}", folder / name)
            self._check(folder)
        except ServiceError as error:
            shutil.rmtree(folder)
            if isinstance(error, NotFound):
                raise NotFound("这个微调模型已被删除。", param="model") from None
            raise
        return folder

    def _check(self, folder: Path) -> None:
        """Weights of another shape would end an engine, and others give answers that nobody has judged."""
        taught = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["base_revision"]
        if self.weights and taught != revision_of(folder_of(self.weights, self.revision), self.revision):
            raise Conflict("这个微调模型是在另一版本的基础模型上训练的，请重新训练。", param="model")
