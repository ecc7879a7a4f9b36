"""Keys of services, as operators set them."""

import os
from pathlib import Path

from contracts.errors import Unavailable


def secret(key: str, model: str) -> str:
    """What the environment variable `key` holds, or the file that `<key>_FILE` names; else `Unavailable`."""
    kept = Path(os.environ.get(f"{key}_FILE", ""))
    if found := kept.read_text().strip() if kept.is_file() else os.environ.get(key):
        return found
    raise Unavailable(f"模型 {model} 需要密钥：请设置环境变量 {key} 或 {key}_FILE。")
