"""What the folder of a model must hold, told from its files alone: nothing is loaded (docs/models.md)."""

import json
import pickle
import struct
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from contracts.catalog import ModelSpec

F5TTS = "F5TTS_v1_Base"
MELS, RATE_HZ, HOP = 100, 24_000, 256  # what F5-TTS writes and Vocos reads
LARGEST_HEADER = 100 << 20  # bytes, of a safetensors file


class Source(NamedTuple):
    """A folder, or an id on a hub, that an option of a model names."""

    option: str
    weights: str
    revision: str
    only: tuple[str, ...]  # patterns of the files that are wanted; empty: all
    check: Callable[[Path], Iterator[str]]


def sources(spec: ModelSpec) -> list[Source]:
    """Where a model's files are, if it has any."""
    options = {name: str(value) for name, value in spec.options.items()}
    weights, revision = options.get("weights", ""), options.get("revision", "")
    if not weights:
        return []
    if spec.engine == "f5tts":
        vocoder, fixed = options.get("vocoder", ""), options.get("vocoder_revision", "")
        model = Source("weights", weights, revision, (f"{F5TTS}/*",), f5tts)
        return [model, Source("vocoder", vocoder, fixed, (), vocos)]
    if spec.engine == "faster_whisper":
        return [Source("weights", weights, revision, (), whisper)]
    return [Source("weights", weights, revision, (), lambda _: iter(()))]


def problems(spec: ModelSpec) -> list[str]:
    """What is wrong with the folders that its options name; of hubs nothing is told."""
    named = [source for source in sources(spec) if Path(source.weights).is_dir()]
    return [
        f"{source.option} {source.weights}: {problem}"
        for source in named
        for problem in source.check(Path(source.weights))
    ]


def f5tts(folder: Path) -> Iterator[str]:
    """`model_*.safetensors` and `vocab.txt`, in the folder or in its `F5TTS_v1_Base`."""
    place = folder / F5TTS if (folder / F5TTS).is_dir() else folder
    found, vocabulary = sorted(place.glob("*.safetensors")), place / "vocab.txt"
    if not found:
        yield "no *.safetensors"
    if not vocabulary.is_file():
        yield "no vocab.txt"
    if not found or not vocabulary.is_file():
        return
    shapes = _shapes(found[-1])
    tokens = len(set(vocabulary.read_text(encoding="utf-8", errors="replace").removesuffix("\n").split("\n")))
    embedded = shapes.get("ema_model.transformer.text_embed.text_embed.weight", [])
    out = shapes.get("ema_model.transformer.proj_out.weight", [])
    if not embedded or not out:
        yield f"{found[-1].name} holds no averaged weights (ema_model.transformer.*) of F5-TTS"
    elif embedded[0] != tokens + 1:
        yield f"vocab.txt has {tokens} tokens, {found[-1].name} knows {embedded[0] - 1}"
    elif out[0] != MELS:
        yield f"{found[-1].name} writes {out[0]} mel bands, Vocos reads {MELS}"


def vocos(folder: Path) -> Iterator[str]:
    """`config.yaml` of Vocos' classes and `pytorch_model.bin`."""
    yield from _weights_of_torch(folder / "pytorch_model.bin")
    if not (folder / "config.yaml").is_file():
        yield "no config.yaml"
        return
    try:
        config = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
        classes = [str(config[part]["class_path"]) for part in ("feature_extractor", "backbone", "head")]
        features = config["feature_extractor"]["init_args"]
        heard = tuple(features.get(name) for name in ("n_mels", "sample_rate", "hop_length"))
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError, AttributeError):
        yield "config.yaml is none of Vocos"
        return
    if not all(name.startswith("vocos.") for name in classes):
        yield f"config.yaml names {', '.join(classes)}: only classes of Vocos are made"
    if heard != (MELS, RATE_HZ, HOP):
        yield f"config.yaml: n_mels, sample_rate and hop_length are {heard}, not {(MELS, RATE_HZ, HOP)}"


def whisper(folder: Path) -> Iterator[str]:
    """A Whisper as `ct2-transformers-converter` writes it."""
    yield from (
        f"no {name}" for name in ("model.bin", "config.json", "tokenizer.json") if not (folder / name).is_file()
    )
    if not any((folder / f"vocabulary.{kind}").is_file() for kind in ("json", "txt")):
        yield "no vocabulary.json or vocabulary.txt"
    if (folder / "model.bin").is_file() and (kind := _kind_of_ctranslate2(folder / "model.bin")) != "WhisperSpec":
        yield f"model.bin is no Whisper of CTranslate2 but {kind!r}"


def _shapes(file: Path) -> Mapping[str, list[int]]:
    """Of the tensors in a safetensors file, from its header; of what is none, none."""
    with file.open("rb") as content:
        size = int.from_bytes(content.read(8), "little")
        if not 0 < size <= LARGEST_HEADER:
            return {}
        try:
            header: dict[str, Any] = json.loads(content.read(size))
            return {name: tensor["shape"] for name, tensor in header.items() if name != "__metadata__"}
        except (ValueError, KeyError, TypeError, AttributeError):
            return {}


def _weights_of_torch(file: Path) -> Iterator[str]:
    if not file.is_file():
        yield f"no {file.name}"
        return
    with file.open("rb") as content:
        pickled = content.read(1) == pickle.PROTO
    if not pickled and not zipfile.is_zipfile(file):
        yield f"{file.name} holds no weights of torch"


def _kind_of_ctranslate2(file: Path) -> str:
    """The name of the specification: behind the version of the format, with its length before it."""
    with file.open("rb") as content:
        head = content.read(6)
        if len(head) < 6:
            return ""
        _, size = struct.unpack("<IH", head)
        return content.read(min(size, 64)).rstrip(b"\0").decode("ascii", "replace")
