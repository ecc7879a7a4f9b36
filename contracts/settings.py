"""What an operator may set: `TROUPE_*` in the environment, secrets also as `TROUPE_*_FILE`."""

import os
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).parent.parent


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="TROUPE_", env_nested_delimiter="__", extra="ignore", frozen=True)

    var: Path = Field(ROOT / "var", description="Everything that this machine keeps: databases, artifacts, keys.")
    database_url: str = Field("", repr=False, description="SQLAlchemy URL; empty: SQLite files under `var`.")
    artifacts_url: str = Field("", description="fsspec URL; empty: a folder under `var`.")
    signing_key: str = Field("", repr=False, description="Signs access tokens; empty: a key file under `var`.")
    access_minutes: int = Field(30, ge=1)
    refresh_days: int = Field(30, ge=1)
    cors_origins: list[str] = Field([], description='Other origins that may call; ["*"]: any, without cookies.')
    limits_url: str = Field(
        "memory://", repr=False, description="Where rate limits are counted; redis:// on a cluster."
    )
    login_limit: str = Field("10 per minute", description="Failed log-ins per user name.")
    story_pages: int = Field(6, ge=1, le=24, description="Pages of a story.")
    producer: str = Field("troupe", pattern=r"^[!-~]{1,64}$", description="ContentProducer of the labels.")
    visible_label: bool = True
    revision: str = Field("", description="The code's revision; empty: asked of git.")

    @model_validator(mode="before")
    @classmethod
    def _secrets_from_files(cls, values: dict[str, Any]) -> dict[str, Any]:
        for name in cls.model_fields:
            if path := os.environ.get(f"TROUPE_{name.upper()}_FILE"):
                values.setdefault(name, Path(path).read_text().strip())
        return values

    @property
    def tables_url(self) -> str:
        return self.database_url or f"sqlite:///{self.var.resolve()}/troupe.db"

    @property
    def jobs_url(self) -> str:
        """DBOS's own database: a second SQLite file (one shared file was slow), or the same Postgres."""
        return self.database_url or f"sqlite:///{self.var.resolve()}/jobs.db"

    @property
    def files_url(self) -> str:
        return self.artifacts_url or f"file://{self.var.resolve()}/artifacts"


@cache
def revision() -> str:
    """The revision of the running code: as set by the operator, else as git tells, else `unknown`."""
    if named := Settings().revision:
        return named
    command = ["git", "-C", str(ROOT), "rev-parse", "--short=12", "HEAD"]
    try:
        asked = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    except FileNotFoundError:
        return "unknown"  # there is no git here
    return asked.stdout.strip() or "unknown"
