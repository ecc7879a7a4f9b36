"""The tokenizer in Whisper's layout: a Chinese character is one token, English is cut into frequent pieces.

Under both are bytes, so every text can be written. Token ids stand in Whisper's order: text, the special tokens, and
1,501 times from 0.00 to 30.00 s.
"""

import itertools
import json
import re
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from tokenizers.pre_tokenizers import ByteLevel
from transformers import WhisperTokenizer

from contracts.prompts import Language
from training.starter.asr.texts import characters, lexicon, sentences

LANGUAGES: tuple[Language, ...] = ("en", "zh")  # in Whisper's order
PIECES = 700  # of English
END, START, BEFORE, TRANSCRIBE, SILENCE, TIMELESS = (
    f"<|{name}|>"
    for name in ("endoftext", "startoftranscript", "startofprev", "transcribe", "nospeech", "notimestamps")
)
TASKS = ("translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps")
SPECIAL = [END, START, *(f"<|{name}|>" for name in (*LANGUAGES, *TASKS))]
STEP_S = 0.02  # between the times that Whisper knows
TIMES = [f"<|{number * STEP_S:.2f}|>" for number in range(1501)]
_PRIVATE = 0xE000  # here a blank and a letter are one sign


def built(seed: int) -> WhisperTokenizer:
    """The tokenizer; its pieces of English are those of the corpus of this seed."""
    merges = [*_english(seed), *_chinese()]
    alphabet = sorted(ByteLevel.alphabet())
    tokens = list(dict.fromkeys([*alphabet, *("".join(pair) for pair in merges), ""]))  # "": a multilingual model
    with TemporaryDirectory() as folder:
        vocabulary, pairs = Path(folder) / "vocab.json", Path(folder) / "merges.txt"
        vocabulary.write_text(json.dumps({token: number for number, token in enumerate([*tokens, END])}), "utf-8")
        pairs.write_text("#version: 0.2\n" + "".join(f"{one} {other}\n" for one, other in merges), "utf-8")
        tokenizer = WhisperTokenizer(str(vocabulary), str(pairs))
    tokenizer.add_special_tokens({"additional_special_tokens": SPECIAL[1:]})
    tokenizer.add_tokens(TIMES)
    return tokenizer


def number(tokenizer: WhisperTokenizer, token: str) -> int:
    """The id of a token; `KeyError`: there is none."""
    found = tokenizer.backend_tokenizer.token_to_id(token)
    if found is None:
        raise KeyError(token)
    return int(found)


def spelt(tokenizer: WhisperTokenizer, text: str, language: Language) -> list[int]:
    """The tokens of a text; an English one begins with a space, so that texts can be joined."""
    return list(tokenizer(f" {text}" if language == "en" else text, add_special_tokens=False)["input_ids"])


def timed(tokenizer: WhisperTokenizer, seconds: float) -> int:
    """The token of a time, rounded to a tenth of a second."""
    return number(tokenizer, TIMES[min(round(seconds * 10), 300) * 5])


def kept(folder: Path, seed: int) -> WhisperTokenizer:
    """The folder's tokenizer, built where it has none."""
    if not (folder / "tokenizer.json").exists():
        built(seed).save_pretrained(folder)
    tokenizer: WhisperTokenizer = WhisperTokenizer.from_pretrained(folder)
    return tokenizer


def _english(seed: int) -> list[tuple[str, str]]:
    """First a blank and what follows it, so that a blank never stands alone: faster-whisper suppresses that."""
    signs = [chr(code) for code in range(0x21, 0x7F)]
    said = itertools.islice(sentences(Random(f"pieces {seed}"), "en"), 6000)  # noqa: S311
    words = re.findall(r" ?[A-Za-z]+", " ".join(["", *said, *lexicon("en")]))
    counted = [f"{chr(_PRIVATE + ord(word[1]))}{word[2:]}" if word[0] == " " else word for word in words]
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    raw.train_from_iterator(counted, trainers.BpeTrainer(vocab_size=PIECES, show_progress=False, max_token_length=12))
    learned = [(_public(one), _public(other)) for one, other in json.loads(raw.to_str())["model"]["merges"]]
    return [*(("Ġ", sign) for sign in signs), *learned]


def _public(piece: str) -> str:
    return re.sub(r"[\ue000-\ue0ff]", lambda blank: "Ġ" + chr(ord(blank[0]) - _PRIVATE), piece)


def _chinese() -> list[tuple[str, str]]:
    """Three bytes make a character: two merges, the first of which others share."""
    marks = "，。！？、"
    bytewise = [
        ByteLevel(add_prefix_space=False, use_regex=False).pre_tokenize_str(sign)[0][0]
        for sign in [*marks, *characters()]
    ]
    firsts = dict.fromkeys((sign[0], sign[1]) for sign in bytewise)
    return [*firsts, *((sign[:2], sign[2]) for sign in bytewise)]
