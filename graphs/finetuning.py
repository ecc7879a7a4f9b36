"""Models that learn: a training is followed to its end."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from contracts.errors import Cancelled, ServiceError
from contracts.jobs import Job, Steps
from contracts.platform import Figures
from contracts.training import Trainer

LEARNT = 0.99  # of a job's progress, when all steps are made


@dataclass(frozen=True)
class Finetuner:
    trainer: Trainer

    async def tune(self, job: Job, steps: Steps) -> dict[str, Any]:
        """What it has made and its manifest, and the last figures."""
        try:
            result: dict[str, Any] | None = None
            while result is None:
                result = await steps.run("follow", self.trainer.follow, job, partial(_tell, steps))
        except Cancelled:  # then it has tidied up itself
            raise
        except ServiceError:
            await steps.run("tidy", self.trainer.tidy, job)
            raise
        await steps.run("tidy", self.trainer.tidy, job)
        return result

    async def merge(self, job: Job, steps: Steps) -> dict[str, Any]:
        """The key of the model's folder, and its manifest."""
        await steps.report(0, "正在合并适配器与基础模型")
        merged: dict[str, Any] = await steps.run("merge", self.trainer.merge, job)
        return merged


async def _tell(steps: Steps, figures: Figures) -> None:
    fraction = figures.current_step / max(1, figures.total_steps) * LEARNT
    message = f"正在训练第 {figures.current_step}/{figures.total_steps} 步" if figures.total_steps else "正在准备数据"
    if figures.notes:
        message += f"（{'；'.join(figures.notes)}）"
    await steps.report(fraction, message, figures.model_dump())
