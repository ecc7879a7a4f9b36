"""The papers of a training that runs elsewhere: what it shall do, whose turn it is, and what it tells. Blocking."""

from typing import Any, Literal

from pydantic import Field

from contracts.artifacts import Provenance
from contracts.model import Contract
from contracts.platform import Figures
from store.runs import Run
from training.avatar.config import AvatarConfig
from training.recipe import ClassifierConfig, Config


class Plan(Contract):
    """What to train with what, for whom; and what each worker has of the machine."""

    config: Config | ClassifierConfig | AvatarConfig
    dataset: str = Field(description="Key of what is learnt from: samples, or a film.")
    output: str
    notes: dict[str, str] = Field({}, description="Of a film: its licence, the consent of who is seen.")
    owner: str
    workers: int = 1
    cpus: float = 1
    gpus: float = 0


class Told(Contract):
    """`failure`: code, message and parameter of a `ServiceError`; `adapter`: key of the folder of what was made."""

    state: Literal["going", "completed", "stopped", "failed"] = "going"
    figures: Figures = Figures()
    failure: tuple[str, str, str | None] | None = None
    manifest: dict[str, Any] = {}
    adapter: str = ""


class Papers:
    """Each has one writer: the launcher, or the attempt that is named in it."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def keep_plan(self, plan: Plan) -> None:
        """The first that is kept stays."""
        if self.run.read("plan.json") is None:
            self.run.write("plan.json", plan.model_dump_json().encode())

    def plan(self) -> Plan:
        return Plan.model_validate_json(self.run.read("plan.json") or b"")

    def begin(self, attempt: int) -> None:
        """From now on it is this attempt's turn, and no other's."""
        self.run.write("turn", str(attempt).encode())

    def turn(self) -> int:
        """0: nobody's yet, or it is all over."""
        return int(self.run.read("turn") or 0)

    def tell(self, attempt: int, told: Told) -> None:
        self.run.write(f"told-{attempt}.json", told.model_dump_json().encode())

    def told(self, attempt: int) -> Told:
        content = self.run.read(f"told-{attempt}.json")
        return Told.model_validate_json(content) if content else Told()

    def made(self) -> Provenance:
        """What the run makes, it makes for this job."""
        return Provenance(owner=self.plan().owner, job_id=self.run.id)
