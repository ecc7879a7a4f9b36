"""A Whisper of 0.3 million parameters in CTranslate2's files. It says one phrase of each half minute in which
somebody speaks: its decoder's weights look at the place in the sentence alone, its encoder's are random."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from ctranslate2.converters import TransformersConverter
from tokenizers.pre_tokenizers import ByteLevel
from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration, WhisperTokenizerFast

PHRASE, LANGUAGE, SECONDS = "你好", "zh", 1.0
LANGUAGES = ("en", LANGUAGE)
BYTES = sorted(ByteLevel.alphabet())
TASKS = ("translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps")
SPECIAL = [f"<|{name}|>" for name in ("endoftext", "startoftranscript", *LANGUAGES, *TASKS)]
TIMES = [f"<|{number * 0.02:.2f}|>" for number in range(1501)]
TOKENS = [*BYTES, "", *SPECIAL, *TIMES]  # the empty one is how CTranslate2 knows a multilingual model
ID = {token: number for number, token in enumerate(TOKENS)}
PLACES, WIDTH, SURE = 448, 64, 4.0


def build(folder: Path, width: int = WIDTH, layers: int = 1, phrase: str = PHRASE) -> None:
    """What `ct2-transformers-converter` makes of a checkpoint in the layout of transformers."""
    with TemporaryDirectory() as source:
        _save(Path(source), width, layers, phrase)
        files = ["tokenizer.json", "preprocessor_config.json"]
        TransformersConverter(source, copy_files=files).convert(str(folder), force=True)


def _save(folder: Path, width: int, layers: int, phrase: str) -> None:
    vocabulary, merges = folder / "vocab.json", folder / "merges.txt"
    vocabulary.write_text(json.dumps({token: ID[token] for token in [*BYTES, "", "<|endoftext|>"]}), encoding="utf-8")
    merges.write_text("#version: 0.2\n", encoding="utf-8")
    tokenizer = WhisperTokenizerFast(str(vocabulary), str(merges))
    tokenizer.add_special_tokens({"additional_special_tokens": SPECIAL[1:]})
    tokenizer.add_tokens(TIMES)
    tokenizer.save_pretrained(folder)
    WhisperFeatureExtractor(feature_size=80).save_pretrained(folder)
    _model(width, layers, phrase).save_pretrained(folder)


def _model(width: int, layers: int, phrase: str) -> WhisperForConditionalGeneration:
    torch.manual_seed(0)
    config = WhisperConfig(
        vocab_size=len(TOKENS),
        d_model=width,
        encoder_layers=layers,
        decoder_layers=layers,
        encoder_attention_heads=max(2, width // 64),
        decoder_attention_heads=max(2, width // 64),
        encoder_ffn_dim=4 * width,
        decoder_ffn_dim=4 * width,
        decoder_start_token_id=ID["<|startoftranscript|>"],
        **{f"{name}_token_id": ID["<|endoftext|>"] for name in ("bos", "eos", "pad")},
    )
    model = WhisperForConditionalGeneration(config).eval()
    generation = model.generation_config
    generation._from_model_config = False  # else `save_pretrained` refuses what follows
    generation.lang_to_id = {f"<|{code}|>": ID[f"<|{code}|>"] for code in LANGUAGES}
    generation.suppress_tokens, generation.begin_suppress_tokens = [], []
    with torch.no_grad():
        _teach(model.model.decoder, phrase)
    return model


def _teach(decoder: torch.nn.Module, phrase: str) -> None:
    """Each place knows the token that follows it; nothing else counts."""
    for layer in decoder.layers:
        for part in (layer.self_attn.out_proj, layer.encoder_attn.out_proj, layer.fc2):
            part.weight.zero_()
            part.bias.zero_()
    width = decoder.embed_tokens.weight.shape[1]
    known = torch.nn.functional.normalize(torch.randn(len(TOKENS), width), dim=-1)  # (tokens, width)
    said = [f"<|{LANGUAGE}|>", "<|transcribe|>", "<|0.00|>", *_spelt(phrase), f"<|{SECONDS:.2f}|>"]
    following = torch.full((PLACES,), ID["<|endoftext|>"])
    following[: len(said)] = torch.tensor([ID[token] for token in said])
    decoder.embed_tokens.weight.copy_(known * SURE)
    decoder.embed_positions.weight.copy_(known[following] * 100)


def _spelt(text: str) -> list[str]:
    return list(ByteLevel(add_prefix_space=False).pre_tokenize_str(text)[0][0])
