"""What an operator may set: `TROUPE_*` in the environment, secrets also as `TROUPE_*_FILE`."""

import os
import subprocess
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, IPvAnyNetwork, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from contracts.media import Kind

ROOT = Path(__file__).parent.parent
HostName = Annotated[str, Field(pattern=r"^[0-9A-Za-z._-]+$")]


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
    generation_limit: str = Field("100 per minute", description="Calls per caller that make or change something.")
    status_limit: str = Field("1000 per minute", description="Calls per caller that only look.")
    caller_jobs: int = Field(0, ge=0, description="Jobs of one caller that may wait or run at once; 0: any number.")
    route_limits: dict[str, str] = Field({}, description='Limits of single routes: {"/api/register": "5 per hour"}.')
    forwarded_hops: int = Field(0, ge=0, description="Proxies in front that add to X-Forwarded-For; 0: it is ignored.")
    require_key: bool = Field(False, description="Nobody calls without a token or a key of `troupe keys`.")
    callback_hosts: list[Annotated[IPvAnyNetwork | HostName, Field(union_mode="left_to_right")]] = Field(
        [], description="Hosts, addresses and networks that callbacks may reach besides public ones."
    )
    sync_calls: int = Field(64, ge=1, description="Calls of one ingress replica that may wait for a result.")
    sync_s: float = Field(600, gt=0, description="Seconds that such a call waits; its job goes on.")
    story_pages: int = Field(6, ge=1, le=24, description="Pages of a story.")
    image_mib: int = Field(20, ge=1, description="MiB that a picture may have which a caller brings.")
    audio_mib: int = Field(50, ge=1, description="The same of a sound.")
    video_mib: int = Field(200, ge=1, description="The same of a film.")
    training_workers: int = Field(1, ge=1, le=64, description="Workers of one training: they share its work.")
    producer: str = Field("troupe", pattern=r"^[!-~]{1,64}$", description="ContentProducer of the labels.")
    visible_label: bool = True
    keep_days: int = Field(0, ge=0, description="Days after its last work that a task is kept; 0: for ever.")
    keep_gib: float = Field(0, ge=0, description="GiB that all artifacts may take together; 0: no limit.")
    events_days: int = Field(30, ge=0, description="Days that the events of ended jobs are kept; 0: as their jobs.")
    logs_days: int = Field(7, ge=1, description="Days that the logs of an ended cluster are kept.")
    min_free_gib: float = Field(1.0, ge=0, description="New work is refused when a disk has less free; 0: never.")
    hub: Literal["auto", "huggingface", "modelscope"] = Field(
        "auto", description="Where weights come from that no folder has; auto: Hugging Face, then ModelScope."
    )
    hubert: str = Field(
        "facebook/hubert-large-ls960-ft", description="HuBERT that avatars may hear with: a folder, or of a hub."
    )
    ave: Path = Field(Path(), description="SyncTalk's `audio_visual_encoder.pth`, that avatars may hear with.")
    lpips: Path = Field(Path(), description="A folder with the weights of LPIPS, that avatars' lips are compared by.")
    commercial: bool = Field(False, description="Models whose licence forbids commercial use are refused.")
    revision: str = Field("", description="The code's revision; empty: asked of git.")

    @model_validator(mode="before")
    @classmethod
    def _secrets_from_files(cls, values: dict[str, Any]) -> dict[str, Any]:
        for name in cls.model_fields:
            if path := os.environ.get(f"TROUPE_{name.upper()}_FILE"):
                values.setdefault(name, Path(path).read_text().strip())
        return values

    def most_bytes(self, kind: Kind) -> int:
        """How large an upload of this kind may be."""
        mib: dict[Kind, int] = {"image": self.image_mib, "audio": self.audio_mib, "video": self.video_mib}
        return mib[kind] << 20

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
