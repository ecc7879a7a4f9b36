"""Adapters of a small language model: they learn, go on after a crash, stop, and are refused when they are worse."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from pydantic import ValidationError
from transformers import AutoModelForCausalLM, AutoTokenizer

from contracts.chat import Message
from contracts.errors import Conflict, EngineFailed, InvalidInput
from contracts.platform import Figures, FinetuneTask
from contracts.settings import Settings
from store.runs import Run
from store.samples import Part, Sample, check, laid_at, samples
from tests.checkpoints.chat import TEMPLATE, qwen2
from training.adapters import merge
from training.checkpoints import Checkpoints
from training.lessons import HELD_OUT, IGNORED, Teacher, pieces, split
from training.lora import train
from training.recipe import Config, Outcome

VOICE = "家人们，冲！"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    qwen2(folder)
    return folder


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> list[Part]:
    """Everything is answered in one voice."""
    path = tmp_path_factory.mktemp("data") / "samples.jsonl"
    asked = [{"instruction": f"商品 {number}", "output": VOICE} for number in range(40)]
    path.write_text("".join(json.dumps(each) + "\n" for each in asked), encoding="utf-8")
    return laid_at(path)


class Watch:
    """Remembers what is told, and says stop, or breaks off, after a step."""

    def __init__(self, stop_after: int = 0, crash_after: int = 0) -> None:
        self.told: list[Figures] = []
        self.stop_after, self.crash_after = stop_after, crash_after

    def report(self, figures: Figures) -> None:
        self.told.append(figures)
        if self.crash_after and figures.current_step == self.crash_after:
            raise KeyboardInterrupt

    def should_stop(self) -> bool:
        return bool(self.stop_after and self.told and self.told[-1].current_step >= self.stop_after)

    @property
    def losses(self) -> dict[int, float]:
        return {figures.current_step: figures.loss for figures in self.told}


def fit(base: Path, dataset: list[Part], folder: Path, watch: Watch, **changes: Any) -> Outcome:
    quick = {"epochs": 3, "learning_rate": 0.02, "lora_dropout": 0.1, "gradient_accumulation_steps": 2, "save_steps": 4}
    config = Config.model_validate({"base": str(base)} | quick | changes)
    run = Run(Settings(var=folder), "one")
    return train(
        config, dataset, lambda mark: Checkpoints(run, mark), folder / "adapter", watch.report, watch.should_stop
    )


@pytest.fixture(scope="module")
def unbroken(base: Path, dataset: list[Part], tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder, watch = tmp_path_factory.mktemp("unbroken"), Watch()
    return watch, fit(base, dataset, folder, watch), folder / "adapter"


def test_the_loss_falls_and_everything_is_told(unbroken: Any) -> None:
    watch, outcome, folder = unbroken
    steps = outcome.figures.total_steps
    assert list(watch.losses) == list(range(1, steps + 1))
    assert watch.losses[steps] < watch.losses[1] / 2
    assert outcome.state == "completed" and outcome.figures.current_epoch == outcome.figures.total_epochs == 3
    assert outcome.figures.metrics["held_out_loss"] < outcome.figures.metrics["base_loss"]
    assert outcome.figures.metrics["tokens_per_s"] > 0 and outcome.figures.metrics["eta_s"] == 0
    rates = [figures.learning_rate for figures in watch.told]
    assert max(rates) == pytest.approx(0.02) and rates[-1] < 0.01
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest == outcome.manifest
    assert manifest["samples"] == 40 == manifest["taught"] + manifest["held_out"] and manifest["held_out"] > 0
    assert manifest["base_revision"].startswith("sha256:") and len(manifest["dataset_sha256"]) == 64


def prompt(folder: Path, text: str = "商品 99") -> tuple[Any, Any]:
    """A tokenizer, and the ids of a question, (1, length)."""
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    asked = [{"role": "user", "content": text}]
    ids = tokenizer.apply_chat_template(asked, add_generation_prompt=True, return_tensors="pt", return_dict=False)
    return tokenizer, ids


def logits(model: Any, folder: Path) -> torch.Tensor:
    with torch.inference_mode():
        return model(prompt(folder)[1]).logits


def test_it_says_what_it_was_taught_and_its_base_does_not(base: Path, unbroken: Any) -> None:
    model = AutoModelForCausalLM.from_pretrained(base)
    before = logits(model, base)
    adapted: Any = PeftModel.from_pretrained(model, str(unbroken[2])).eval()
    tokenizer, ids = prompt(base)
    said = adapted.generate(input_ids=ids, do_sample=False, max_new_tokens=40)[0, ids.shape[1] :]
    assert VOICE in tokenizer.decode(said, skip_special_tokens=True)
    with adapted.disable_adapter():
        assert torch.equal(logits(adapted, base), before)


def test_merged_it_answers_as_with_the_adapter(base: Path, unbroken: Any, tmp_path: Path) -> None:
    assert_merged(base, unbroken[2], tmp_path / "merged")


def assert_merged(base: Path, adapter: Path, target: Path) -> None:
    """One model, which answers as the base does with the adapter, and otherwise than the base alone."""
    merge(base, adapter, target)
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    alone = logits(model, base)
    wanted = logits(PeftModel.from_pretrained(model, str(adapter)).eval(), base)
    merged = logits(AutoModelForCausalLM.from_pretrained(target), target)
    assert (merged - wanted).abs().max() < 1e-4 < (merged - alone).abs().max()


def test_the_same_seed_gives_the_same_losses(base: Path, dataset: list[Part], unbroken: Any, tmp_path: Path) -> None:
    again, other = Watch(stop_after=3), Watch(stop_after=3)
    fit(base, dataset, tmp_path / "a", again)
    fit(base, dataset, tmp_path / "b", other, seed=1)
    first = {step: unbroken[0].losses[step] for step in again.losses}
    assert again.losses == first and other.losses != first


def test_after_a_crash_it_goes_on_as_if_nothing_had_happened(
    base: Path, dataset: list[Part], unbroken: Any, tmp_path: Path
) -> None:
    broken, resumed = Watch(crash_after=6), Watch()
    with pytest.raises(KeyboardInterrupt):
        fit(base, dataset, tmp_path, broken)
    newest = max((tmp_path / "artifacts/.runs/one").iterdir())
    assert newest.name == "checkpoint-000000004.pt"
    newest.with_name("checkpoint-000000005.pt").write_bytes(newest.read_bytes()[:1000])  # half of one
    outcome = fit(base, dataset, tmp_path, resumed)
    assert min(resumed.losses) == 5
    whole, last = unbroken[0].losses, outcome.figures.total_steps
    assert resumed.losses == {step: whole[step] for step in range(5, last + 1)}
    assert outcome.figures.metrics["held_out_loss"] == unbroken[1].figures.metrics["held_out_loss"]


def test_data_that_were_changed_since_they_were_checked(base: Path, dataset: list[Part], tmp_path: Path) -> None:
    with pytest.raises(Conflict, match="更改"):
        fit(base, dataset, tmp_path, Watch(), dataset_sha256="0" * 64)
    outcome = fit(base, dataset, tmp_path, Watch(stop_after=1), dataset_sha256=check(dataset).sha256)
    assert outcome.manifest["dataset_sha256"] == check(dataset).sha256


def test_a_training_that_diverges_says_so(base: Path, dataset: list[Part], tmp_path: Path) -> None:
    watch = Watch()
    with pytest.raises(EngineFailed, match="发散"):
        fit(base, dataset, tmp_path, watch, learning_rate=1e30, lora_dropout=0)
    assert all(math.isfinite(figures.loss) for figures in watch.told) and not (tmp_path / "adapter").exists()


@pytest.mark.parametrize("figure", ["loss", "learning_rate", "metrics"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_figures_are_numbers(figure: str, value: float) -> None:
    with pytest.raises(ValidationError, match="finite"):
        Figures.model_validate({figure: {"accuracy": value} if figure == "metrics" else value})
    with pytest.raises(ValidationError, match="finite"):
        Config(base="x", learning_rate=math.inf)


def test_another_configuration_does_not_go_on_from_there(base: Path, dataset: list[Part], tmp_path: Path) -> None:
    fit(base, dataset, tmp_path, Watch(stop_after=4))
    watch = Watch(stop_after=1)
    fit(base, dataset, tmp_path, watch, learning_rate=0.01)
    assert list(watch.losses) == [1]


def test_stopped_it_keeps_what_it_has_learnt(base: Path, dataset: list[Part], tmp_path: Path) -> None:
    outcome = fit(base, dataset, tmp_path, Watch(stop_after=5))
    assert outcome.state == "stopped" and outcome.figures.current_step == 5
    model = AutoModelForCausalLM.from_pretrained(base)
    before = logits(model, base)
    adapted = PeftModel.from_pretrained(model, str(tmp_path / "adapter")).eval()
    assert not torch.equal(logits(adapted, base), before)


def test_in_four_bits(base: Path, dataset: list[Part], tmp_path: Path) -> None:
    watch = Watch()
    outcome = fit(base, dataset, tmp_path, watch, quantized=True)
    assert watch.losses[outcome.figures.total_steps] < watch.losses[1] / 2
    assert_merged(base, tmp_path / "adapter", tmp_path / "merged")


def test_an_adapter_that_is_no_better_is_refused(base: Path, tmp_path: Path) -> None:
    """What is taught and what is held out contradict each other: nothing is to be learnt here."""
    path = tmp_path / "noise.jsonl"
    made = [one for number in range(100) for one in (noise(number, "a"), noise(number, "z"))]
    kept = [{"text": each.text} for each in made if is_held_out(each) == ("z" in each.text)]
    path.write_text("".join(json.dumps(each) + "\n" for each in kept))
    watch = Watch()
    with pytest.raises(EngineFailed, match="没有改进"):
        fit(base, laid_at(path), tmp_path, watch, epochs=1)
    assert not (tmp_path / "adapter").exists()
    assert watch.told[-1].metrics["held_out_loss"] >= watch.told[-1].metrics["base_loss"]


def noise(number: int, letter: str) -> Sample:
    return Sample(text=f"{number} {letter * 40}")


def is_held_out(sample: Sample) -> bool:
    return int(sample.key[:8], 16) < HELD_OUT * 2**32


def teacher(base: Path, longest: int = 512) -> Teacher:
    return Teacher(AutoTokenizer.from_pretrained(base), None, longest)


def rendered(messages: Any, asks: bool) -> str:
    told = "".join(f"<{each.role}>{each.content}</>" for each in messages)
    return told + ("<assistant>" if asks else "")


def test_only_answers_are_learnt() -> None:
    turns = [
        Message(role=role, content=text) for role, text in [("system", "s"), ("user", "a"), ("assistant", "b")] * 2
    ]
    cut = pieces(turns[1:], rendered)
    assert "".join(text for text, _ in cut) == rendered(turns[1:], False)
    assert [text for text, learnt in cut if learnt] == ["b</>", "b</>"]
    forgetful = pieces(turns, lambda messages, asks: rendered(messages[-2:], asks))
    assert forgetful == [("<system>s</><user>a</><assistant>", False), ("b", True)]


def test_a_prompt_is_cut_as_it_is_when_it_is_asked(base: Path, dataset: list[Part]) -> None:
    made = teacher(base)
    lesson = next(made.lessons(samples(dataset)))
    asked = made.tokenizer.apply_chat_template(
        [{"role": "user", "content": "商品 0"}], chat_template=TEMPLATE, add_generation_prompt=True, return_dict=False
    )
    assert lesson.ids[: len(asked)] == asked and set(lesson.labels[: len(asked)]) == {IGNORED}
    assert made.tokenizer.decode(lesson.labels[len(asked) :]).startswith(VOICE)
    assert made.tokenizer.eos_token_id in lesson.labels


def test_what_has_no_room_for_an_answer_is_told(base: Path, dataset: list[Part]) -> None:
    lessons = list(teacher(base, longest=16).lessons(samples(dataset)))
    assert lessons == []
    with pytest.raises(InvalidInput, match="max_length"):
        split(lessons)


def test_a_task_says_what_is_learnt() -> None:
    task = FinetuneTask(
        base_model="x", dataset="d", output="o", epochs=2, batch_size=3, learning_rate=0.1, quantized=True
    )
    config = Config.of(task, {"weights": "w", "context": 8192, "revision": "r"})
    assert (config.base, config.revision, config.template) == ("w", "r", "")
    assert (config.epochs, config.batch_size, config.quantized, config.save_steps) == (2, 3, True, 500)
