"""What the folders of models must hold, told before anything is loaded; licences that forbid commerce."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from api.models import Models
from cli.main import app
from contracts.catalog import ModelSpec, models
from contracts.errors import InvalidInput, Unavailable
from deployments.layouts import problems
from tests.checkpoints import f5tts, whisper
from tests.conftest import ROOT

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the libraries


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("layouts")
    f5tts.build(folder / "f5tts")
    f5tts.build_vocoder(folder / "vocos")
    whisper.build(folder / "whisper")
    return folder


def spec(place: Path, name: str) -> ModelSpec:
    options = {"weights": str(place / "whisper")}
    if name == "f5tts":
        options = {"weights": str(place / "f5tts"), "vocoder": str(place / "vocos")}
    return models()[name].model_copy(update={"options": models()[name].options | options})


def test_what_the_real_files_look_like_is_right(place: Path) -> None:
    assert problems(spec(place, "f5tts")) == problems(spec(place, "base")) == []
    assert problems(models()["f5tts"]) == problems(models()["base"]) == problems(models()["espeak"]) == []  # of hubs


def rewrite(path: str, content: bytes) -> Callable[[Path], None]:
    return lambda place: (place / path).write_bytes(content) and None


def remove(path: str) -> Callable[[Path], None]:
    return lambda place: (place / path).unlink()


INNER = "f5tts/F5TTS_v1_Base"
MELS = yaml.safe_dump(f5tts.VOCOS).replace("n_mels: 100", "n_mels: 80").encode()
HOSTILE = yaml.safe_dump(f5tts.VOCOS).replace("vocos.heads.ISTFTHead", "os.system").encode()


@pytest.mark.parametrize(
    ("name", "spoil", "told"),
    [
        ("f5tts", remove(f"{INNER}/vocab.txt"), "no vocab.txt"),
        ("f5tts", remove(f"{INNER}/model_1250000.safetensors"), "no *.safetensors"),
        ("f5tts", rewrite(f"{INNER}/vocab.txt", b" \na\n"), "vocab.txt has 2 tokens"),
        ("f5tts", rewrite(f"{INNER}/model_1250000.safetensors", b"{}"), "no averaged weights"),
        ("f5tts", rewrite(f"{INNER}/model_1250000.safetensors", b"\xff" * 64), "no averaged weights"),
        (
            "f5tts",
            rewrite(f"{INNER}/model_1250000.safetensors", (9).to_bytes(8, "little") + b"[1, 2, 3]"),
            "no averaged",
        ),
        ("f5tts", remove("vocos/config.yaml"), "no config.yaml"),
        ("f5tts", remove("vocos/pytorch_model.bin"), "no pytorch_model.bin"),
        ("f5tts", rewrite("vocos/pytorch_model.bin", b"<html>"), "no weights of torch"),
        ("f5tts", rewrite("vocos/config.yaml", b"a: [1"), "none of Vocos"),
        ("f5tts", rewrite("vocos/config.yaml", MELS), "n_mels"),
        ("f5tts", rewrite("vocos/config.yaml", HOSTILE), "os.system"),
        ("base", remove("whisper/tokenizer.json"), "no tokenizer.json"),
        ("base", remove("whisper/vocabulary.json"), "no vocabulary"),
        ("base", rewrite("whisper/model.bin", b"\x06\0\0\0\x10\0TransformerSpec\0"), "TransformerSpec"),
        ("base", rewrite("whisper/model.bin", b"PK"), "no Whisper"),
    ],
)
def test_what_is_wrong_is_told(
    place: Path, tmp_path: Path, name: str, spoil: Callable[[Path], None], told: str
) -> None:
    import shutil

    shutil.copytree(place, tmp_path / "copy")
    spoil(tmp_path / "copy")
    found = problems(spec(tmp_path / "copy", name))
    assert len(found) == 1 and told in found[0] and str(tmp_path / "copy") in found[0]


@pytest.fixture
def var(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TROUPE_VAR", str(tmp_path / "var"))
    monkeypatch.setenv("COLUMNS", "400")
    return tmp_path / "var"


def configured(folder: Path, place: Path) -> Path:
    whole = yaml.safe_load((ROOT / "serve_config.test.yaml").read_text(encoding="utf-8"))
    arguments = whole["applications"][0]["args"]
    arguments["models"] += ["f5tts", "base"]
    arguments["options"] |= {name: dict(spec(place, name).options) for name in ("f5tts", "base")}
    (folder / "config.yaml").write_text(yaml.safe_dump(whole))
    return folder / "config.yaml"


def doctor(config: Path) -> tuple[int, list[str]]:
    answer = CliRunner().invoke(app, ["doctor", "--config", str(config)])
    return answer.exit_code, answer.stdout.splitlines()


def test_doctor_looks_at_the_folders_that_are_configured(var: Path, place: Path, tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(place, copy)
    _, lines = doctor(configured(tmp_path, copy))
    assert {"✓ model f5tts: ready", "✓ model base: ready"} <= set(lines)
    (copy / "vocos" / "config.yaml").unlink()
    status, lines = doctor(configured(tmp_path, copy))
    (line,) = [line for line in lines if " model f5tts:" in line]
    assert status == 1 and line.startswith("✗") and "no config.yaml" in line


def test_commerce_and_weights_that_forbid_it(
    var: Path, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TROUPE_COMMERCIAL", "1")
    status, lines = doctor(configured(tmp_path, place))
    (line,) = [line for line in lines if " model f5tts:" in line]
    assert status == 1 and "CC-BY-NC-4.0" in line and "TROUPE_COMMERCIAL" in line
    pulled = CliRunner().invoke(app, ["models", "pull", "f5tts"])
    assert pulled.exit_code == 1 and "CC-BY-NC-4.0" in pulled.stdout


def test_a_cluster_for_commerce_refuses_them() -> None:
    from graphs.arguments import check_licences

    known = models()
    assert [name for name, each in known.items() if not each.commercial] == ["f5tts"]
    served = [known["espeak"], known["f5tts"]]
    check_licences(served, commercial=False)
    with pytest.raises(InvalidInput, match=r"CC-BY-NC-4\.0"):
        check_licences(served, commercial=True)
    with pytest.raises(Unavailable, match=r"CC-BY-NC-4\.0.*TROUPE_COMMERCIAL"):
        Models([known["espeak"]], known, fallback=False, commercial=True).resolve("speech", "f5tts")
    with pytest.raises(Unavailable) as refused:  # what it recommends may be used
        Models([known["espeak"]], known, fallback=False, commercial=True).default("speech", clones=True)
    assert "f5tts" not in refused.value.message and "cosyvoice" in refused.value.message
    with_fallback = Models([known["espeak"], known["matching"]], known, fallback=True, commercial=True)
    assert with_fallback.resolve("speech", "f5tts", clones=True).id == "matching"
