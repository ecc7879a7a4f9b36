"""F5-TTS of 0.3 million parameters and a Vocos of 0.2 million with random weights, in the files of the real ones.

What they say is noise, as long as speech would be.
"""

from pathlib import Path
from typing import Any

import torch
import yaml
from safetensors.torch import save_file

from deployments.speech.f5tts_library import examples, opened

VOCABULARY = examples().parent / "examples" / "vocab.txt"  # the real one
MELS = 100
VOCOS = {
    "feature_extractor": {
        "class_path": "vocos.feature_extractors.MelSpectrogramFeatures",
        "init_args": {"sample_rate": 24_000, "n_fft": 1_024, "hop_length": 256, "n_mels": MELS, "padding": "center"},
    },
    "backbone": {
        "class_path": "vocos.models.VocosBackbone",
        "init_args": {"input_channels": MELS, "dim": 32, "intermediate_dim": 64, "num_layers": 1},
    },
    "head": {
        "class_path": "vocos.heads.ISTFTHead",
        "init_args": {"dim": 32, "n_fft": 1_024, "hop_length": 256, "padding": "center"},
    },
}


def build(folder: Path) -> None:
    """`F5TTS_v1_Base/model_1250000.safetensors` and `vocab.txt` as SWivid/F5-TTS has them."""
    place = folder / "F5TTS_v1_Base"
    place.mkdir(parents=True)
    (place / "vocab.txt").write_bytes(VOCABULARY.read_bytes())
    tensors = {f"ema_model.transformer.{name}": tensor for name, tensor in _transformer().state_dict().items()}
    counters = {"initted": torch.tensor(True), "step": torch.tensor(1_250_000)}
    save_file(tensors | counters, place / "model_1250000.safetensors")


def build_vocoder(folder: Path) -> None:
    """`config.yaml` and `pytorch_model.bin` as charactr/vocos-mel-24khz has them."""
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(VOCOS), encoding="utf-8")
    torch.manual_seed(0)
    vocoder = opened().Vocos.from_hparams(str(folder / "config.yaml"))
    torch.save(vocoder.state_dict(), folder / "pytorch_model.bin")


def _transformer() -> Any:
    """Real ones begin with zeros that make every text alike; these are as if they had learnt."""
    torch.manual_seed(0)
    count = len(set(VOCABULARY.read_text(encoding="utf-8").splitlines()))
    network = opened().DiT(
        dim=64, depth=2, heads=1, ff_mult=2, text_dim=32, conv_layers=1, mel_dim=MELS, text_num_embeds=count
    )
    with torch.no_grad():
        for tensor in network.parameters():
            if not tensor.any():
                tensor.normal_(0, 0.1)
    return network
