"""Who may be seen: a caller's own avatars, those that operators share, those that ship; by the documents' names."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from api.app import build
from api.callers import Caller
from api.human.actors import actor
from api.models import Models
from api.paths import home
from api.state import State
from contracts.catalog import models
from contracts.errors import InvalidInput, NotFound, ServiceError
from contracts.human import Acted
from tests.avatars import keep, nerf, ship
from tests.trainings import Trainer, Workshop
from tests.wording import in_chinese

pytest_plugins = ["tests.workshop"]
OWN = "train_20260101_000000"


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("catalog")
    ship(folder)
    return folder


@pytest.fixture(scope="module")
def stage(workshop: Workshop, catalog: Path) -> Iterator[State]:
    """Where SyncTalk is served."""
    known = models()
    served = Models([known["SyncTalk"]], known, fallback=False)
    engines = replace(workshop.state.engines, avatars={"SyncTalk": nerf(workshop.state.artifacts)})
    with pytest.MonkeyPatch.context() as patch:
        for module in ("api.human.folders", "deployments.avatar.players"):
            patch.setattr(f"{module}.CATALOG", catalog)
        yield replace(workshop.state, models=served, engines=engines)


@pytest.fixture(scope="module")
def theatre(stage: State) -> Workshop:
    return Workshop(stage, build(stage))


@pytest.fixture
def caller(theatre: Workshop) -> Trainer:
    """Who has trained an avatar."""
    caller = theatre.trainer()
    keep(caller.state.artifacts, key_of(caller), caller.owner)
    return caller


def key_of(caller: Trainer) -> str:
    return f"{home(caller.owner)}/models/ER-NeRF/{OWN}"


def listed(caller: Trainer) -> dict[str, str]:
    body = caller.http.get("/api/available-models").json()
    assert body["total_count"] == len(body["models"])
    return {each["path"]: each["description"] for each in body["models"]}


def test_ones_own_come_before_those_that_ship(caller: Trainer, theatre: Workshop) -> None:
    shipped = {
        f"models/{model}/starter": f"{model} 模型 - 包含 5 个模型文件，内置的合成人物"
        for model in ("SyncTalk", "ER-NeRF")
    }
    own = {f"models/ER-NeRF/{OWN}": "ER-NeRF 模型 - 包含 5 个模型文件"}
    assert list(listed(caller).items()) == [*own.items(), *shipped.items()]
    assert listed(theatre.trainer()) == shipped


def test_without_avatar_models_the_list_says_so(caller: Trainer, stage: State) -> None:
    without = replace(stage, engines=replace(stage.engines, avatars={}))
    answer = Workshop(without, build(without)).visitor().get("/api/available-models").json()
    assert answer["total_count"] == 2
    assert all("没有启用" in each["description"] for each in answer["models"])


def test_a_folder_is_no_avatar_before_its_manifest_is_there(caller: Trainer) -> None:
    files, place = caller.state.artifacts, f"{home(caller.owner)}/models/SyncTalk"
    files.upload(f"{place}/half/weights.safetensors", b"w", caller.owner)
    files.upload(f"{place}/deep/er/manifest.json", b"{}", caller.owner)
    files.upload(f"{place}/manifest.json", b"{}", caller.owner)
    files.upload(f"{home(caller.owner)}/models/GAN/x/manifest.json", b"{}", caller.owner)
    assert len(listed(caller)) == 3
    assert caller.http.get("/api/model-details/SyncTalk/half").status_code == 404


def test_details_name_the_files(caller: Trainer) -> None:
    for path, name in ((f"ER-NeRF/{OWN}", OWN), ("SyncTalk/starter", "starter")):
        told = caller.http.get(f"/api/model-details/{path}").json()["model_details"]
        assert (told["name"], told["path"], told["total_files"]) == (name, f"models/{path}", 5)
        assert {file["filename"] for file in told["files"]} >= {"manifest.json", "weights.safetensors"}
        assert all(file["relative_path"].startswith(f"models/{path}/") for file in told["files"])


def test_an_avatar_is_its_owners_alone_and_goes_when_it_says_so(caller: Trainer, theatre: Workshop) -> None:
    path, stranger = f"/api/model-details/ER-NeRF/{OWN}", theatre.trainer()
    for method in ("GET", "DELETE"):
        hidden = stranger.http.request(method, path)
        none = stranger.http.request(method, "/api/model-details/ER-NeRF/none")
        assert (hidden.status_code, hidden.json()) == (none.status_code, none.json()) and hidden.status_code == 404
    shipped = caller.http.delete("/api/model-details/SyncTalk/starter")
    assert shipped.status_code == 403 and shipped.json()["status"] == "error"
    files, place = caller.state.artifacts, f"{home(caller.owner)}/models/ER-NeRF"
    files.upload(f"{place}/half/preview.jpg", b"jpeg", caller.owner)
    assert stranger.http.delete("/api/model-details/ER-NeRF/half").status_code == 404
    assert caller.http.delete("/api/model-details/ER-NeRF/HALF").status_code == 404
    assert caller.http.delete("/api/model-details/ER-NeRF/half").status_code == 200
    for name in ("%2e%2e", "a%5cb", "..%5cx", "a%00b", "x" * 300):
        assert caller.http.delete(f"/api/model-details/ER-NeRF/{name}").status_code == 404, name
    assert caller.http.delete(path).json() == {"status": "success", "message": "模型已删除"}
    assert caller.http.get(path).status_code == 404
    assert not any(key_of(caller) in str(each) for each in (caller.state.settings.var / "artifacts").rglob("*"))


def who(caller: Trainer, name: str, path: str, fallback: bool = False) -> tuple[Acted, str]:
    known = models()
    state = replace(caller.state, models=Models([known["SyncTalk"]], known, fallback))
    return actor(state, Caller(caller.owner), name, path)


@pytest.mark.parametrize(
    ("name", "path", "model", "avatar"),
    [
        ("", "", "SyncTalk", "starter/avatars/SyncTalk"),
        ("SyncTalk", " ", "SyncTalk", "starter/avatars/SyncTalk"),
        ("ER-NeRF", "", "ER-NeRF", "starter/avatars/ER-NeRF"),
        ("", "models/ER-NeRF", "ER-NeRF", "starter/avatars/ER-NeRF"),
        ("ER-NeRF", "models", "ER-NeRF", "starter/avatars/ER-NeRF"),
        ("SyncTalk", "models/SyncTalk/starter", "SyncTalk", "starter/avatars/SyncTalk"),
        ("ER-NeRF", f"models/ER-NeRF/{OWN}", "ER-NeRF", "own"),
        ("", f"\\EchOfU\\models\\ER-NeRF\\{OWN}", "ER-NeRF", "own"),
        ("ER-NeRF", f"/models/ER-NeRF/{OWN}/checkpoints/ngp.pth", "ER-NeRF", "own"),
    ],
)
def test_names_and_paths_of_the_documents(caller: Trainer, name: str, path: str, model: str, avatar: str) -> None:
    """One model that is served draws avatars of both types."""
    wanted = Acted(model=model, avatar=avatar.replace("own", key_of(caller)), avatar_model="SyncTalk")  # type: ignore[arg-type]
    assert who(caller, name, path) == (wanted, "")


@pytest.mark.parametrize(
    ("name", "path", "error", "param"),
    [
        ("GAN", "", InvalidInput, "model_name"),
        ("", "models/GAN/x", InvalidInput, "model_param"),
        ("SyncTalk", f"models/ER-NeRF/{OWN}", InvalidInput, "model_param"),
        ("", "../../etc/passwd", InvalidInput, "model_param"),
        ("", "models/ER-NeRF/none", NotFound, "model_param"),
        ("", f"models/er-nerf/{OWN}", InvalidInput, "model_param"),
        ("ER-NeRF", f"models/ER-NeRF/{OWN.upper()}", NotFound, "model_param"),
        ("", "/path/to/model", NotFound, "model_param"),
        ("", "starter/avatars/SyncTalk", NotFound, "model_param"),
        ("", "callers/x/models/ER-NeRF/y", NotFound, "model_param"),
    ],
)
def test_who_is_not_there(caller: Trainer, name: str, path: str, error: type[ServiceError], param: str) -> None:
    with pytest.raises(error) as refused:
        who(caller, name, path)
    assert refused.value.param == param and in_chinese(refused.value.message)


def test_a_path_of_elsewhere_is_stood_in_for_where_that_is_allowed(caller: Trainer) -> None:
    acted, note = who(caller, "SyncTalk", "/path/to/model", fallback=True)
    assert acted.avatar == "starter/avatars/SyncTalk" and "内置数字人" in note
    with pytest.raises(NotFound):
        who(caller, "SyncTalk", "models/SyncTalk/another", fallback=True)


def test_another_callers_avatar_is_not_found(caller: Trainer, theatre: Workshop) -> None:
    stranger = theatre.trainer()
    with pytest.raises(NotFound):
        who(stranger, "ER-NeRF", f"models/ER-NeRF/{OWN}", fallback=True)
    form = {"model_name": "ER-NeRF", "model_param": f"models/ER-NeRF/{OWN}", "target_text": "你好"}
    answer = stranger.http.post("/video_generation", data=form)
    assert answer.json()["status"] == "error" and "model_param" in answer.json()["message"]


def test_what_operators_share_is_everybodys_and_ones_own_goes_before_it(caller: Trainer, theatre: Workshop) -> None:
    files = caller.state.artifacts
    keep(files, f"models/ER-NeRF/{OWN}", "operator")
    try:
        assert who(theatre.trainer(), "ER-NeRF", f"models/ER-NeRF/{OWN}")[0].avatar == f"models/ER-NeRF/{OWN}"
        assert who(caller, "ER-NeRF", f"models/ER-NeRF/{OWN}")[0].avatar == key_of(caller)
        assert theatre.trainer().http.delete(f"/api/model-details/ER-NeRF/{OWN}").status_code == 403
    finally:
        files.delete(f"models/ER-NeRF/{OWN}")
