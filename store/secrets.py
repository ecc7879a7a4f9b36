"""Secrets that this installation makes for itself, each in a file that only its owner reads."""

import os
import secrets
from pathlib import Path

from contracts.settings import Settings


def signing_key(settings: Settings) -> str:
    """What access tokens are signed with, and webhooks' secrets derived from."""
    return settings.signing_key or kept_secret(settings.var / "keys" / "signing.key")


def kept_secret(path: Path) -> str:
    """The secret in the file; made at the first start, by whoever comes first."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    fresh.touch(mode=0o600)
    fresh.write_text(secrets.token_urlsafe(48))
    try:
        os.link(fresh, path)  # fails when it exists; and a reader never sees it half-written
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
    return path.read_text()
