"""The loop that teaches an avatar: stages, previews, and checkpoints from which it goes on as if nothing had been."""

import json
import math
import time
from collections.abc import Callable
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from contracts.errors import Cancelled, EngineFailed
from contracts.platform import Figures
from deployments.avatar.drawing import draw, shown
from deployments.avatar.ears import MEL, Ear
from deployments.avatar.field import HeadField
from deployments.avatar.march import rays_of
from deployments.avatar.reel import Pictures
from deployments.avatar.sound import RANGE, around
from training.avatar.choosing import Chooser, Truth
from training.avatar.config import AvatarConfig, Stage
from training.avatar.footage import Footage
from training.avatar.likeness import Lpips
from training.avatar.losses import loss_of, psnr
from training.avatar.mouth import PER_DB
from training.avatar.occupancy import Occupancy

REFRESH = 16  # steps between two looks at what is occupied
KEEP_S = 30.0  # between two checkpoints, at most
OWN = 0.1  # spread of the frames' own codes at the start
CLIP = 1.0
EARLY = 0.3  # of the steps
SMOOTH = 0.98
HUNDREDTHS = 100  # of the course, after each of which the mean of the weights is renewed

Report = Callable[[Figures], None]
ShouldStop = Callable[[], bool]
Show = Callable[[int, Pictures], object]  # a step's preview: the true picture beside the drawn one


class Kept(Protocol):
    """Where checkpoints of this training are: `training.checkpoints.Checkpoints`."""

    def save(self, step: int, state: dict[str, Any]) -> None: ...
    def newest(self) -> dict[str, Any] | None: ...


class AvatarTraining:
    """`kept` gives the checkpoints of a fingerprint; `should_stop` is asked before every step."""

    def __init__(
        self,
        config: AvatarConfig,
        footage: Footage,
        kept: Callable[[str], Kept],
        report: Report = lambda _: None,
        should_stop: ShouldStop = lambda: False,
        show: Show = lambda _, __: None,
        device: str = "cpu",
        ear: Ear = MEL,
        lpips: Lpips | None = None,
    ) -> None:
        channels = min(config.shape.expression, footage.expression.shape[1])
        shape = config.shape.model_copy(update={"expression": channels, "ear_size": ear.size})
        self.config, self.footage = config.model_copy(update={"shape": shape}), footage
        self.report, self.should_stop, self.show, self.ear = report, should_stop, show, ear
        self.lpips = lpips
        self.device = torch.device(device)
        torch.manual_seed(config.seed)
        self.field = HeadField(shape).to(self.device)
        self.codes = nn.Parameter(OWN * torch.randn(len(footage.frames), shape.code).to(self.device))
        self.occupancy, self.chooser = Occupancy(self.field), Chooser(config, footage, self.device)
        self.heard = torch.from_numpy(np.array(around(ear.windows(footage.sound)))).to(self.device)
        self.poses, self.camera = (torch.from_numpy(each).to(self.device) for each in (footage.poses, footage.camera))
        self.expression = torch.from_numpy(footage.expression[:, :channels].copy()).to(self.device)
        self.optimizer = self._optimizer()
        self.mean = AveragedModel(self.field, multi_avg_fn=get_ema_multi_avg_fn(config.average))
        self.checkpoints = kept(self.fingerprint)
        self.step, self.loss, self.metrics = 0, 0.0, dict[str, float]()
        self.notes: tuple[str, ...] = ()
        self._began_s = self._kept_s = time.monotonic()
        self._began_step = 0

    @cached_property
    def fingerprint(self) -> str:
        """What a checkpoint has to agree in. Not the footage's numbers: another machine makes them ready with others
        in their last places, and goes on all the same."""
        source = self.footage.key or self.footage.sha256
        facts = [self.config.model_dump(exclude={"save_steps", "preview_steps"}), source]
        facts += [self.ear.fingerprint] * bool(self.ear.fingerprint)
        facts += [self.lpips.fingerprint] if self.lpips else []
        return json.dumps(facts, sort_keys=True)

    def run(self) -> None:
        """To the last step. `Cancelled` when it should stop, with what was learnt kept."""
        if state := self.checkpoints.newest():
            self._restore(state)
        self._began_s, self._began_step = time.monotonic(), self.step
        self.field.train()
        while self.step < self.config.steps:
            if self.should_stop():
                self._keep()
                raise Cancelled("已取消")
            try:
                self._learn(self._stage)
            except (MemoryError, torch.OutOfMemoryError) as error:
                raise EngineFailed("内存或显存不足，请减小 custom_params 中的 rays 或 size 后重试。") from error
            self.step += 1
            if self.step % math.ceil(self.config.steps / HUNDREDTHS) == 0:
                self.mean.update_parameters(self.field)
            if self.step % self.config.preview_steps == 0 or self.step == self.config.steps:
                self._preview()
            self.report(self.figures())
            if self.step % self.config.save_steps == 0 or time.monotonic() - self._kept_s > KEEP_S:
                self._keep()
        self._finish()

    def figures(self) -> Figures:
        spent_s, steps = time.monotonic() - self._began_s, self.step - self._began_step
        pace = {"steps_per_s": steps / max(spent_s, 1e-9), "eta_s": spent_s / steps * self._left} if steps else {}
        finite = {name: round(each, 4) for name, each in (self.metrics | pace).items() if math.isfinite(each)}
        return Figures(
            current_epoch=math.ceil(100 * self.step / self.config.steps),
            total_epochs=100,
            current_step=self.step,
            total_steps=self.config.steps,
            loss=self.loss,
            learning_rate=self.config.plane_rate * self._scale,
            metrics=finite,
            notes=self.notes,
        )

    @torch.inference_mode()
    def drawn(self, row: int, box: Tensor, heard: Tensor | None = None) -> tuple[Pictures, float]:
        """What a box of a frame looks like, (h, w, 3), with its own sound or another (SPAN, width, size); and how near
        it is to the truth, in dB."""
        truth = self.chooser.all_of(row, box)
        windows = self.heard[truth.rows] if heard is None else heard[None]
        frames = self.field.frames(windows, self.expression[truth.rows], self.codes.mean(dim=0, keepdim=True))
        rays, behind = rays_of(self.poses[truth.rows], self.camera, truth.pixels), (truth.behind * 255).round().byte()
        made = shown(self.field, rays, frames, behind)
        left, top, right, bottom = (int(edge) for edge in box)
        return made.view(bottom - top, right - left, 3).cpu().numpy(), psnr(made / 255, truth.colour)

    @property
    def _left(self) -> int:
        return self.config.steps - self.step

    @property
    def _early(self) -> bool:
        """Whether nothing is known of where the head is: then the nearest places alone would hide it for good."""
        return self.step < EARLY * self.config.steps

    @property
    def _scale(self) -> float:
        """Of the learning rates: falls evenly by the same ratio."""
        return float(self.config.last_rate ** (self.step / self.config.steps))

    @property
    def _stage(self) -> Stage:
        before = 0
        for stage in self.config.stages:
            before += stage.steps
            if self.step < before:
                return stage
        return self.config.stages[-1]

    def _optimizer(self) -> torch.optim.Optimizer:
        planes = list(self.field.planes.parameters())
        apart = {id(each) for each in planes}
        nets = [each for each in self.field.parameters() if id(each) not in apart]
        config = self.config
        groups = [
            {"params": planes, "rate": config.plane_rate},
            {"params": [*nets, self.codes], "rate": config.net_rate},
        ]
        return torch.optim.AdamW(groups, lr=config.net_rate, betas=(0.9, 0.99), eps=1e-12, weight_decay=0.0)

    def _learn(self, stage: Stage) -> None:
        torch.manual_seed((self.config.seed * 1_000_003 + self.step) % 2**63)
        truth = self.chooser.choose(stage.patch)
        frames = self.field.frames(self._louder(truth), self.expression[truth.rows], self.codes[truth.rows])
        if self.step % REFRESH == 0:
            self.occupancy.refresh(type(frames)(*(each[:1].detach() for each in frames)))
        rays = rays_of(self.poses[truth.rows], self.camera, truth.pixels)
        made = draw(self.field, rays, frames, jitter=True, spread=self._early)
        loss = loss_of(made, truth, self.config, stage.patch, self.step / self.config.steps, self.lpips)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_([*self.field.parameters(), self.codes], CLIP)
        for group in self.optimizer.param_groups:
            group["lr"] = group["rate"] * self._scale
        self.optimizer.step()
        now = loss.item()
        if not math.isfinite(now):
            raise EngineFailed(f"训练发散：第 {self.step + 1} 步的损失不再是有限的数。请降低学习率后重试。")
        self.loss = SMOOTH * self.loss + (1 - SMOOTH) * now if self.step else now

    def _louder(self, truth: Truth) -> Tensor:
        """The sound of a step's frames, a little louder or softer; what a network makes of it is not in decibels."""
        if self.config.shape.ear != "mel":
            return self.heard[truth.rows]
        change = (2 * torch.rand(len(truth.rows), 1, 1, 1, device=self.device) - 1) * self.config.louder_db * PER_DB
        return (self.heard[truth.rows] + change).clamp(-RANGE, RANGE)

    def _preview(self) -> None:
        held = self.footage.held
        row = int(held[self.step % len(held)]) if len(held) else 0
        box = self.chooser.drawn[row]
        picture, self.metrics["psnr"] = self.drawn(row, box)
        left, top, right, bottom = (int(edge) for edge in box)
        self.show(self.step, np.concatenate([self.footage.frames[row, top:bottom, left:right], picture], axis=1))

    def _finish(self) -> None:
        self.mean.update_parameters(self.field)
        for own, mean in zip(self.field.parameters(), self.mean.parameters(), strict=True):
            own.data.copy_(mean)
        with torch.no_grad():
            self.field.code.copy_(self.codes.mean(dim=0))
        self.field.eval()
        self._keep()

    def _keep(self) -> None:
        self._kept_s = time.monotonic()
        state = {"field": self.field.state_dict(), "codes": self.codes.detach(), "densities": self.occupancy.densities}
        state |= {"mean": self.mean.state_dict()}
        state |= {"optimizer": self.optimizer.state_dict(), "loss": self.loss, "metrics": self.metrics}
        self.checkpoints.save(self.step, state)

    def _restore(self, state: dict[str, Any]) -> None:
        self.step, self.loss, self.metrics = state["step"], state["loss"], dict(state["metrics"])
        self.field.load_state_dict(state["field"])
        with torch.no_grad():
            self.codes.copy_(state["codes"])
        self.occupancy.densities = state["densities"].to(self.device)
        self.optimizer.load_state_dict(state["optimizer"])
        self.mean.load_state_dict(state["mean"])
