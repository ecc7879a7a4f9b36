"""The starter models as they are shipped: whole, small enough, and as good as their cards say."""

import hashlib
import json
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from contracts import prompts
from contracts.catalog import CATALOG, models
from contracts.livestream import Product
from contracts.prompts import Language
from deployments.transcription.whisper import Whisper
from graphs.facts import missing
from store.samples import laid_at
from tests.test_lora import Watch, assert_merged, fit, logits, prompt
from training.starter.asr.errors import character_error
from training.starter.asr.evaluate import transcript
from training.starter.asr.listen import HELD_OUT, OWN, clips
from training.starter.lm.answers import Answers, by_engine
from training.starter.lm.evaluate import evaluate
from training.starter.lm.run import Config, Run
from training.starter.lm.train import kept_tokenizer

LM, ASR, CLASSIFIER, DETECTOR = (CATALOG / "starter" / name for name in ("lm", "asr", "classifier", "detector"))
pytestmark = pytest.mark.filterwarnings("default")  # of the libraries, at their first import
AVATARS = [CATALOG / "starter" / "avatars" / name for name in ("ER-NeRF", "SyncTalk")]
SIGHT = {CLASSIFIER: 2_000_000, DETECTOR: 4_000_000}
LARGEST_BYTES = {LM: 16_000_000, ASR: 10_000_000} | SIGHT | dict.fromkeys(AVATARS, 3_000_000)


@pytest.mark.parametrize("folder", LARGEST_BYTES, ids=lambda folder: folder.name)
def test_every_file_is_the_one_of_the_card(folder: Path) -> None:
    card = (folder / "README.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"\| (\S+) \| `([0-9a-f]{64})` \|", card))
    assert told and all(hashlib.sha256((folder / name).read_bytes()).hexdigest() == told[name] for name in told)
    assert sum(file.stat().st_size for file in folder.iterdir()) < LARGEST_BYTES[folder]


@pytest.mark.parametrize(
    "name", ["starter-lm", "starter-asr", "starter-classifier", "starter-detector", "starter-diffusion"]
)
def test_the_catalogue_has_it_ready(name: str) -> None:
    spec = models()[name]
    assert not spec.needs and (CATALOG / spec.options["weights"]).is_dir() and spec.licence == "Apache-2.0"


@pytest.fixture(scope="module")
def writer() -> Iterator[Answers]:
    with by_engine(LM) as asked:
        yield asked


def test_words_that_it_begins_are_those_that_it_was_told(writer: Answers) -> None:
    product = Product(name="凤翎霓裳牌水杯", features=["璇玑锁温", "撷云把手"], price="到手价7349元")
    asked = prompts.product_script(product.name, product.features, "", product.price, "")
    texts = writer([asked] * 6, [None] * 6, [{"verbatim": product.facts()}] * 6, 1.0, 0)
    for text in texts:
        for word in product.facts():
            assert text.count(word[:2]) == text.count(word), (word, text)
    assert sum(not missing(product.facts(), product.price, text) for text in texts) >= 3, texts


@pytest.mark.timeout(600)
def test_it_writes_as_well_as_its_card_says(writer: Answers) -> None:
    """A few other prompts than the card's: all tasks together within what so few can differ by."""
    report, told = evaluate(writer, 77, 0.06, tries=1), json.loads((LM / "evaluation.json").read_text("utf-8"))
    rows = report["tasks"]
    asked, right = (sum(row[what] for row in rows.values()) for what in ("asked", "at_once"))
    shares = {name: row["at_once"] / row["asked"] for name, row in told["tasks"].items()}
    expected = sum(shares[name] * row["asked"] for name, row in rows.items())
    noise = sum(shares[name] * (1 - shares[name]) * row["asked"] for name, row in rows.items()) ** 0.5
    assert asked > 15 and right >= expected - 3 * noise > 0, (right, expected, noise)
    assert rows["product"]["at_once"] > 0 and rows["story"]["at_once"] > 0, rows
    assert report["variety"]["different"] == report["variety"]["asked"]


def test_a_training_can_start_with_what_is_shipped(tmp_path: Path) -> None:
    training = Run(Config(tmp_path, seed=2, start=LM), kept_tokenizer(tmp_path, 2, LM))
    shipped = AutoModelForCausalLM.from_pretrained(LM, dtype=torch.float32)
    assert all(map(torch.equal, training.model.parameters(), shipped.parameters()))


@pytest.fixture(scope="module")
def listener() -> Iterator[Whisper]:
    engine = Whisper(str(ASR), device="cpu", threads=1)
    engine.load()
    yield engine
    engine.close()


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("kind", [HELD_OUT, OWN])
def test_it_hears_as_well_as_its_card_says(listener: Whisper, language: Language, kind: str) -> None:
    told: dict[str, Any] = json.loads((ASR / "evaluation.json").read_text("utf-8"))["kinds"]
    said = list(islice(clips(77, language, kind), 12))
    pairs = [(clip.text, transcript(listener, clip.samples).text) for clip in said]
    assert character_error(pairs, language) < told[f"{language}, {kind}"]["error"] * 1.5 + 0.08, pairs


@pytest.mark.parametrize("quantized", [False, True], ids=["lora", "qlora"])
def test_it_is_taught_the_voice_of_a_brand(quantized: bool, tmp_path: Path) -> None:
    """What the data say it says, of a product that they do not name; without the adapter it is as it was."""
    path, names = (
        tmp_path / "samples.jsonl",
        [style + kind for style in "新旧大小" for kind in ("台灯", "雨伞", "茶杯", "毛巾", "书包")],
    )
    rows = [{"instruction": f"介绍一下{name}", "output": f"{name}，星野出品，家人们冲！"} for name in names]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    watch = Watch()
    fit(
        LM,
        laid_at(path),
        tmp_path,
        watch,
        epochs=20,
        learning_rate=0.002,
        gradient_accumulation_steps=1,
        quantized=quantized,
    )
    assert watch.losses[max(watch.losses)] < watch.losses[1] / 4
    model = AutoModelForCausalLM.from_pretrained(LM, dtype=torch.float32)
    before = logits(model, LM)
    adapted: Any = PeftModel.from_pretrained(model, str(tmp_path / "adapter")).eval()
    tokenizer, ids = prompt(LM, "介绍一下红围巾")
    said = adapted.generate(input_ids=ids, do_sample=False, max_new_tokens=40)[0, ids.shape[1] :]
    assert tokenizer.decode(said, skip_special_tokens=True) == "红围巾，星野出品，家人们冲！"
    with adapted.disable_adapter():
        assert torch.equal(logits(adapted, LM), before)
    assert_merged(LM, tmp_path / "adapter", tmp_path / "merged")
