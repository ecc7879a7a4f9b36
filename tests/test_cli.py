"""The command line: what it says, and with which exit code."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from contracts.artifacts import Provenance
from contracts.catalog import models
from contracts.settings import ROOT, Settings
from store.artifacts import Artifacts
from store.database import Database
from store.keys import Keys
from tests.model_hub import Hub, hub
from tests.running import run_job

SERVE = """
import sys
from cli.main import app
try:
    app(["serve", *sys.argv[1:]])
finally:
    print("ray" in sys.modules, file=sys.stderr)
"""


@pytest.fixture
def var(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Everything that the command keeps."""
    monkeypatch.setenv("TROUPE_VAR", str(tmp_path / "deep" / "var"))
    return tmp_path / "deep" / "var"


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def troupe(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_models_lists_the_catalogue(var: Path) -> None:
    answer = troupe("models")
    assert answer.exit_code == 0
    for name, spec in models().items():
        (line,) = [line for line in answer.stdout.splitlines() if f" {name} " in line]
        assert spec.capability in line and (" yes " in line) is not bool(spec.needs)


@pytest.mark.parametrize(("model", "why"), [
    ("nobody", "No model"),
    ("scripted", "no weights"),
    ("stable-diffusion-xl", "first served"),
    ("qwen2.5-7b-instruct", "modelscope"),
])  # fmt: skip
def test_what_cannot_be_pulled_is_told(var: Path, monkeypatch: pytest.MonkeyPatch, model: str, why: str) -> None:
    monkeypatch.setenv("TROUPE_HUB", "modelscope")
    answer = troupe("models", "pull", model)
    assert answer.exit_code == 1 and why in answer.stdout


PULL = "from cli.models import app; app()"
IN_FORMATS = {
    "config.json": b"{}",
    "preprocessor_config.json": b"{ }",
    "model.safetensors": bytes(1 << 20),
    "pytorch_model.bin": b"doubled",
    "tf_model.h5": b"doubled",
}


def test_what_was_pulled_is_here_for_good(tmp_path: Path) -> None:
    """Killed in the middle, pulled again, then without a hub: the formats that were left out are not missed."""
    asked = {"TROUPE_VAR": str(tmp_path / "var"), "TROUPE_HUB": "huggingface", "HF_HOME": str(tmp_path / "home")}
    command = [sys.executable, "-c", PULL, "pull", "resnet50"]
    with hub(IN_FORMATS, stalls="model.safetensors") as url:
        environment = os.environ | asked | {"HF_ENDPOINT": url}
        first = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert Hub.half.wait(60)
        first.kill()
        first.communicate()
        Hub.left.set()
        assert subprocess.run(command, cwd=ROOT, env=environment, capture_output=True).returncode == 0
        assert Hub.sent.count("model.safetensors") == 2
        assert not {"pytorch_model.bin", "tf_model.h5"} & {*Hub.sent}
    again = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert again.returncode == 0 and "snapshots" in again.stdout, again.stdout


def test_modelscopes_own_failures_are_told(monkeypatch: pytest.MonkeyPatch, var: Path) -> None:
    """The package is not installed here: this stands in for it, with errors as modelscope/hub/errors.py has them."""

    class NotExistError(Exception):
        pass

    def snapshot_download(*_: object, **__: object) -> str:
        raise NotExistError("no such model")

    package, theirs, hub_of = (ModuleType(name) for name in ("modelscope", "modelscope.hub.errors", "modelscope.hub"))
    package.snapshot_download, theirs.NotExistError, hub_of.errors = snapshot_download, NotExistError, theirs  # type: ignore[attr-defined]
    for module in (package, theirs, hub_of):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setenv("TROUPE_HUB", "modelscope")
    answer = troupe("models", "pull", "qwen2.5-7b-instruct")
    assert answer.exit_code == 1 and "NotExistError" in answer.stdout


def test_doctor_says_what_is_there_and_what_is_missing(var: Path) -> None:
    answer = troupe("doctor")
    lines = answer.stdout.splitlines()
    for start in ("✓ Python 3.11", "✓ model scripted: ready", "✗ model gen4_turbo: needs RUNWAYML_API_SECRET"):
        assert any(line.startswith(start) for line in lines), start
    lacking = [line for line in lines if line.startswith("✗") and "model" not in line]
    assert answer.exit_code == (1 if lacking else 0)
    assert not var.exists()  # it looks and makes nothing


def test_verify_knows_a_file_of_ours(var: Path, tmp_path: Path) -> None:
    files = Artifacts(Settings())
    database = Database(files.settings.tables_url)
    database.migrate()
    run_job(database)
    made = Provenance(owner="user-1", job_id="j1", model="scripted", prompt="a fox")
    files.put("a/script.json", b'{"title": "\xe7\x8b\x90"}', made)
    files.fetch("a/script.json", tmp_path / "renamed.bin")
    answer = troupe("verify", str(tmp_path / "renamed.bin"))
    verdict = json.loads(answer.stdout)
    assert answer.exit_code == 0
    assert (verdict["ours"], verdict["altered"], verdict["media_type"]) == (True, False, "application/json")
    assert verdict["label"]["ContentProducer"] == "troupe"
    assert {name: verdict["origin"][name] for name in ("model", "job_id", "prompt")} == {
        "model": "scripted",
        "job_id": "j1",
        "prompt": "a fox",
    }


@pytest.mark.parametrize("content", [b'{"title": "a fox"}', b"", b"\x89PNG\r\n\x1a\n and no picture", b"PK\3\4"])
def test_verify_knows_a_foreign_file(var: Path, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    answer = troupe("verify", str(tmp_path / "file"))
    verdict = json.loads(answer.stdout)
    assert answer.exit_code == 0
    assert [verdict[name] for name in ("ours", "altered", "label", "origin")] == [False, False, None, None]


@pytest.mark.parametrize(
    "arguments",
    [
        ["verify", "nowhere/at-all.png"],
        ["verify", "."],
        ["verify"],
        ["serve", "--config", "nowhere.yaml"],
        ["serve", "--config", "."],
        ["serve", "--port", "eighty"],
        ["unheard-of"],
    ],
)
def test_what_makes_no_sense_is_a_usage_error(var: Path, arguments: list[str]) -> None:
    answer = troupe(*arguments)
    assert answer.exit_code == 2
    assert "Traceback" not in answer.output


def test_a_key_is_shown_once_and_revoked(var: Path) -> None:
    key = troupe("keys", "new", "shop", "--admin").stdout.strip()
    listed = troupe("keys", "list").stdout
    assert key.startswith("troupe_") and key not in listed and "shop" in listed and "admin" in listed
    database = Database(Settings(var=var).tables_url)
    found = Keys(database).find(key)
    assert found and found.role == "admin"
    assert troupe("keys", "revoke", found.id).exit_code == 0
    assert Keys(database).find(key) is None
    again = troupe("keys", "revoke", found.id)
    assert (again.exit_code, again.stdout.strip()) == (1, f"No key {found.id}.")
    database.engine.dispose()


@pytest.mark.parametrize("option", ["--port", "--dashboard-port"])
def test_serve_says_that_a_port_is_taken(var: Path, taken_port: int, option: str) -> None:
    """In one line, and before it loads Ray."""
    answer = subprocess.run(
        [sys.executable, "-c", SERVE, option, str(taken_port)],
        cwd=ROOT,
        env=os.environ | {"TROUPE_VAR": str(var)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert answer.returncode == 1
    assert answer.stdout == f"Port {taken_port} is in use; name another one.\n"
    assert answer.stderr == "False\n"


def test_gc_tells_what_is_away(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and does not listen
        monkeypatch.setenv("TROUPE_DATABASE_URL", f"postgresql://u:secret@127.0.0.1:{nobody.getsockname()[1]}/troupe")
        answer = troupe("gc")
    assert answer.exit_code == 1 and isinstance(answer.exception, SystemExit)
    assert "refused" in answer.stdout and "secret" not in answer.stdout
