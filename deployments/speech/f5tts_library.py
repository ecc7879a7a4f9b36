"""F5-TTS 1.1 and Vocos 0.1, entered below their `__init__`s, where torchaudio is and where it is not.

`f5_tts.model` imports its trainer, and that wandb, datasets and hydra; Vocos imports EnCodec, which a vocoder of mel
spectra never calls. Of torchaudio they use one class, which is here where the package is missing.
"""

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import librosa
import torch


class Library(NamedTuple):
    """Chen et al. 2024, arXiv:2410.06885; Siuzdak 2023, arXiv:2306.00814."""

    CFM: Any
    DiT: Any
    Vocos: Any
    to_pinyin: Any  # list of texts to a list of lists of tokens


def opened() -> Library:
    """Call it in a process of its own: `f5_tts.model` is no package there that anybody else could use."""
    if "f5_tts.model" not in sys.modules:
        sys.modules["f5_tts.model"] = _shell("f5_tts", "model")
    with _stand_ins():
        from f5_tts.model.backbones.dit import DiT
        from f5_tts.model.cfm import CFM
        from f5_tts.model.utils import convert_char_to_pinyin
        from vocos.pretrained import Vocos
    return Library(CFM, DiT, Vocos, convert_char_to_pinyin)


def examples() -> Path:
    """Recordings that come with F5-TTS."""
    return _place("f5_tts") / "infer" / "examples"


def _place(package: str) -> Path:
    found = find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError(f"No module named {package!r}", name=package)
    return Path(found.submodule_search_locations[0])


def _shell(package: str, name: str) -> ModuleType:
    """A package whose modules can be imported and whose `__init__` is not run."""
    shell = ModuleType(f"{package}.{name}")
    shell.__path__ = [str(_place(package) / name)]
    return shell


@contextmanager
def _stand_ins() -> Iterator[None]:
    """For the packages that are missing, while the libraries are imported: others ask whether they are there."""
    added = {} if find_spec("torchaudio") else _torchaudio()
    if not find_spec("encodec"):
        added["encodec"] = ModuleType("encodec")
        added["encodec"].EncodecModel = None  # type: ignore[attr-defined]
    sys.modules.update(added)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they use what torch will take away
            yield
    finally:
        for name in added:
            del sys.modules[name]


def _torchaudio() -> dict[str, ModuleType]:
    names = ("torchaudio", "torchaudio.transforms", "torchaudio.functional", "torchaudio.functional.functional")
    modules: dict[str, Any] = {name: ModuleType(name) for name in names}
    modules["torchaudio"].transforms = modules["torchaudio.transforms"]
    modules["torchaudio.transforms"].MelSpectrogram = MelSpectrogram
    for unused in ("_hz_to_mel", "_mel_to_hz"):  # of another head of Vocos
        setattr(modules["torchaudio.functional.functional"], unused, None)
    return modules


class MelSpectrogram(torch.nn.Module):
    """torchaudio's for what is asked here, with its names of buffers: amplitudes, HTK's mels, triangles of height 1.

    Equal to torchaudio's within 7e-6.
    """

    def __init__(
        self,
        sample_rate: int = 16_000,
        n_fft: int = 400,
        win_length: int | None = None,
        hop_length: int | None = None,
        n_mels: int = 128,
        power: float = 2.0,
        center: bool = True,
        normalized: bool = False,
        norm: str | None = None,
    ) -> None:
        super().__init__()
        if power != 1 or normalized or norm:
            raise NotImplementedError("Install torchaudio for this kind of spectrogram.")
        self.n_fft, self.win_length, self.center = n_fft, win_length or n_fft, center
        self.hop_length = hop_length or self.win_length // 2
        self.spectrogram, self.mel_scale = torch.nn.Module(), torch.nn.Module()
        self.spectrogram.register_buffer("window", torch.hann_window(self.win_length))
        triangles = librosa.filters.mel(sr=sample_rate, n_fft=n_fft, n_mels=n_mels, htk=True, norm=None)
        self.mel_scale.register_buffer("fb", torch.from_numpy(triangles.T.copy()))  # (bins, mels)

    def forward(self, waves: torch.Tensor) -> torch.Tensor:
        """(batch, samples) to (batch, mels, frames)."""
        spectrum = torch.stft(
            waves,
            self.n_fft,
            self.hop_length,
            self.win_length,
            self.spectrogram.get_buffer("window"),
            center=self.center,
            pad_mode="reflect",
            return_complex=True,
        )
        return (spectrum.abs().transpose(-1, -2) @ self.mel_scale.get_buffer("fb")).transpose(-1, -2)
