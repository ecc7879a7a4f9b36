"""Avatars that hear with networks of others: their weights in the real layouts, made here and taught nothing."""

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import HubertConfig, HubertModel

from contracts.avatar import EARS, EarName
from contracts.errors import InvalidInput, ServiceError, Unavailable
from deployments.avatar import ears
from deployments.avatar.bundle import Bundle
from deployments.avatar.nerf import Nerf
from deployments.avatar.sound import SAMPLES, Sound, around
from deployments.avatar.stage import _part
from deployments.avatar.sync_encoder import SyncEncoder
from tests.test_avatar_bundle import speech
from training.avatar.config import config_of
from training.avatar.exporting import save
from training.avatar.fitting import AvatarTraining
from training.avatar.footage import Footage
from training.avatar.judging import Verdict
from training.avatar.known import of_take
from training.avatar.synthetic import shoot
from training.avatar.synthetic.film import Scene

HIDDEN = 32
NOTHING_SEEN = Verdict(20.0, 0.5, 0.5, 0.0, 0.9, 0.8)


def ave(path: Path, seed: int = 1) -> Path:
    torch.manual_seed(seed)
    torch.save(SyncEncoder().state_dict(), path)
    return path


def hubert(folder: Path, seed: int = 1) -> Path:
    """Its convolutions are those of every HuBERT: what they step over is what frames are counted by."""
    torch.manual_seed(seed)
    sizes = {"hidden_size": HIDDEN, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    HubertModel(HubertConfig(**sizes, conv_dim=[16] * 7, num_conv_pos_embedding_groups=4)).save_pretrained(folder)
    return folder


@pytest.fixture
def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TROUPE_AVE", str(ave(tmp_path / "audio_visual_encoder.pth")))
    monkeypatch.setenv("TROUPE_HUBERT", str(hubert(tmp_path / "hubert")))
    return tmp_path


@pytest.fixture(scope="module")
def footage() -> Footage:
    return of_take(shoot(Scene(side=48, seconds=2)))


def test_the_layout_is_that_of_the_published_weights() -> None:
    state = SyncEncoder().state_dict()
    assert {name.split(".")[0] for name in state} == {str(number) for number in range(13)}
    assert state["0.conv_block.0.weight"].shape == (32, 1, 3, 3)
    assert state["9.conv_block.0.weight"].shape == (256, 128, 3, 3)
    assert state["12.conv_block.1.running_mean"].shape == (512,)


@pytest.mark.parametrize(("name", "width", "size"), [("mel", 16, 80), ("ave", 1, 512), ("hubert", 2, HIDDEN)])
def test_what_an_ear_tells_of_a_frame_does_not_depend_on_how_a_sound_is_cut(
    given: Path, name: EarName, width: int, size: int
) -> None:
    ear, sound = ears.opened(name), speech(1.4)
    whole = heard(ear, sound, 0, 0)
    assert whole.shape == (35, 8, width, size) and ear.size == size
    parts = [heard(ear, *_part(sound, first, last, 35)) for first, last in ((0, 5), (5, 20), (20, 21), (21, 35))]
    assert np.allclose(np.concatenate(parts), whole, atol=2e-5)


@pytest.mark.parametrize("name", EARS)
def test_a_frame_is_told_by_its_own_sound(given: Path, name: EarName) -> None:
    ear, sound = ears.opened(name), speech(1.4)
    other = sound.copy()
    other[20 * SAMPLES : 21 * SAMPLES] = 0
    differs = np.abs(ear.windows(other) - ear.windows(sound)).max(axis=(1, 2)) > 1e-4
    assert differs[20] and not differs[:17].any() and not differs[31:].any()


@pytest.mark.parametrize("name", ["ave", "hubert"])
def test_an_avatar_is_drawn_where_its_ear_is(
    given: Path, footage: Footage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: EarName
) -> None:
    config = config_of("SyncTalk", parameters={"steps": 3, "asr_model": name}, small=True)
    training = AvatarTraining(config, footage, lambda _: Nothing(), ear=ears.opened(name))
    training.run()
    save(training, NOTHING_SEEN, tmp_path / "avatar", "CC0-1.0")
    manifest = Bundle.load(tmp_path / "avatar").manifest
    assert manifest.shape.ear == name and manifest.ear_sha256 == ears.opened(name).fingerprint
    player = Nerf("cpu").open(tmp_path / "avatar")
    shown = player.render(player.hear(speech(0.2), 0, 0), range(5))
    assert shown.shape == (5, 48, 48, 3)

    monkeypatch.setenv("TROUPE_AVE", str(ave(tmp_path / "other.pth", seed=2)))
    monkeypatch.setenv("TROUPE_HUBERT", str(hubert(tmp_path / "other", seed=2)))
    with pytest.raises(InvalidInput, match="与本机的不同"):
        Nerf("cpu").open(tmp_path / "avatar")


def test_without_weights_it_says_what_to_set(given: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TROUPE_COMMERCIAL", "true")
    with pytest.raises(InvalidInput, match="非商业"):
        ears.opened("ave")
    monkeypatch.setenv("TROUPE_COMMERCIAL", "false")
    monkeypatch.setenv("TROUPE_AVE", str(tmp_path / "none.pth"))
    with pytest.raises(Unavailable, match="TROUPE_AVE"):
        ears.opened("ave")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"import os"])
def test_files_of_another_kind_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    (tmp_path / "ave.pth").write_bytes(content)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "config.json").write_bytes(content)
    monkeypatch.setenv("TROUPE_AVE", str(tmp_path / "ave.pth"))
    monkeypatch.setenv("TROUPE_HUBERT", str(tmp_path / "folder"))
    for name in ("ave", "hubert"):
        with pytest.raises(ServiceError) as refused:
            ears.opened(name)
        assert refused.value.code == "invalid_input"


class Nothing:
    """No checkpoints."""

    def save(self, step: int, state: object) -> None: ...

    def newest(self) -> None: ...


def heard(ear: ears.Ear, sound: Sound, before: int, after: int) -> Sound:
    return around(ear.windows(sound), before, after)
