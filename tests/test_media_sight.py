"""Recognition and faces of the multimedia platform: documented examples, refusals, a replica that dies."""

import re
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.conftest import ROOT, Cluster, sign_up
from tests.documented import check, examples, filled
from tests.media import picture, speech
from tests.photographs import ASTRONAUT, crowd, encoded, photograph, sixteen_bits, turned
from tests.processes import replica
from tests.waiting import eventually
from tests.wording import in_chinese

DOCUMENT = (ROOT / "docs/api/platform.md").read_text(encoding="utf-8")
EXAMPLES = examples("media-sight")
RECOGNITION = ["/api/image-recognition/classify", "/api/image-recognition/detect"]
FACES = [f"/api/face-recognition/{verb}" for verb in ("detect", "register", "recognize")]
NAMED = {"name": "张三"}


def documented() -> set[str]:
    """METHOD and path of every route that the document's chapter names."""
    chapter = DOCUMENT.partition("## 识别类 API")[2].partition("## 音频 API")[0]
    return {f"{method} {path}" for method, path in re.findall(r"^(GET|POST) (\S+)$", chapter, re.M)}


@pytest.fixture
def new_viewer(studio: Cluster) -> Iterator[Callable[[], httpx.Client]]:
    """Makes clients of the studio, each of another user."""
    clients: list[httpx.Client] = []

    def make() -> httpx.Client:
        clients.append(httpx.Client(base_url=studio.url, timeout=60))
        sign_up(studio, clients[-1])
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def viewer(new_viewer: Callable[[], httpx.Client]) -> httpx.Client:
    return new_viewer()


def sent(client: httpx.Client, path: str, content: bytes, **form: str) -> httpx.Response:
    return client.post(path, files={"image": ("image.jpg", content)}, data=form)


def answered(client: httpx.Client, path: str, content: bytes, **form: str) -> dict[str, Any]:
    answer = sent(client, path, content, **form)
    assert answer.status_code == 200, answer.text
    return answer.json()


def faces_of(client: httpx.Client, verb: str, content: bytes, **form: str) -> list[dict[str, Any]]:
    return answered(client, f"/api/face-recognition/{verb}", content, **form)["faces"]


def near(bbox: list[int], box: tuple[int, ...]) -> bool:
    return max(abs(one - other) for one, other in zip(bbox, box, strict=True)) < 15


def refused(answer: httpx.Response, status: int, named: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.json().keys() == {"detail"}
    assert answer.json()["detail"].startswith(named) and in_chinese(answer.json()["detail"])


def her() -> bytes:
    return encoded(photograph("astronaut"))


def test_every_documented_route_has_an_example() -> None:
    assert len(documented()) == 5
    assert documented() <= {example["call"] for example in EXAMPLES}


@pytest.mark.parametrize("prefix", ["", "/media"])
def test_documented_examples(viewer: httpx.Client, prefix: str) -> None:
    known: dict[str, Any] = {}
    for example in EXAMPLES:
        method, _, path = example["call"].partition(" ")
        path = f"{prefix}/api{filled(example.get('path', path), known)}"
        files = {name: (file, her()) for name, file in example.get("files", {}).items()}
        answer = viewer.request(method, path, data=example.get("form"), files=files or None)
        assert answer.status_code == 200, f"{example['call']}: {answer.text}"
        assert answer.headers["content-type"] == "application/json"
        check(answer.json(), filled(example["data"], known), example["call"])
        known |= {name: answer.json()[field] for name, field in example.get("learn", {}).items()}
    assert viewer.get(f"{prefix}/api/face-recognition/faces").json() == {"faces": []}


def test_lists_say_what_is_ready_and_what_each_can_name(studio: Cluster, client: httpx.Client) -> None:
    with httpx.Client(base_url=studio.url) as viewer:
        ready, absent = (each.get("/api/image-recognition/models").json() for each in (viewer, client))
    documented = [model for model in ready if not model["id"].startswith("starter-")]
    assert [(model["id"], model["ready"]) for model in documented] == [("resnet50", True), ("detr-resnet-50", True)]
    assert [model["id"] for model in ready] == [model["id"] for model in absent]
    assert not any(model["ready"] for model in absent)
    told = {model["id"]: model["label_set"] for model in absent}
    assert (told["resnet50"], told["detr-resnet-50"]) == ("ImageNet-1k, 1000 labels", "COCO, 80 labels")


def test_a_face_is_where_it_is(viewer: httpx.Client) -> None:
    [face] = faces_of(viewer, "detect", her())
    assert near(face["bbox"], ASTRONAUT) and face["landmarks"]["left_eye"][0] < face["landmarks"]["right_eye"][0]
    assert [each["face_id"] for each in faces_of(viewer, "detect", encoded(crowd()))] == ["face_001", "face_002"]
    assert faces_of(viewer, "detect", encoded(photograph("china"))) == []


@pytest.mark.parametrize("form", ["turned", "grey", "CMYK", "16 bits"])
def test_pictures_of_every_form(viewer: httpx.Client, form: str) -> None:
    picture = photograph("astronaut")
    forms = {
        "turned": lambda: turned(picture, 6),
        "grey": lambda: encoded(picture.convert("L")),
        "CMYK": lambda: encoded(picture.convert("CMYK")),
        "16 bits": lambda: sixteen_bits(picture),
    }
    [face] = faces_of(viewer, "detect", forms[form]())
    assert near(face["bbox"], ASTRONAUT)
    for path, name in zip(RECOGNITION, ("classifications", "detections"), strict=True):
        assert answered(viewer, path, forms[form]())[name]


def test_a_person_is_recognised_and_another_is_not(viewer: httpx.Client) -> None:
    form = {"name": " 张\u3000三 ", "consent": "本人同意"}
    ids = [
        answered(viewer, FACES[1], encoded(content), **form)["face_id"]
        for content in (photograph("astronaut"), photograph("astronaut").crop((130, 20, 330, 250)))
    ]
    assert all(re.fullmatch("face_[0-9a-f]{32}", each) for each in ids)
    edited = encoded(photograph("astronaut").rotate(5).resize((400, 400)), quality=40)
    [face] = faces_of(viewer, "recognize", edited)
    assert (face["face_id"] in ids, face["name"]) == (True, "张 三") and face["confidence"] > 0.6
    known, other = faces_of(viewer, "recognize", encoded(crowd()))
    assert known["name"] == "张 三" and (other["face_id"], other["name"]) == ("", "unknown")
    [strict] = faces_of(viewer, "recognize", edited, threshold="1")
    assert (strict["face_id"], strict["name"], strict["confidence"]) == ("", "unknown", face["confidence"])
    assert faces_of(viewer, "recognize", encoded(photograph("chelsea"))) == []
    listed = viewer.get("/api/face-recognition/faces").json()["faces"]
    assert [(each["face_id"], each["name"], each["consent"]) for each in listed] == [
        (each, "张 三", "本人同意") for each in reversed(ids)
    ]


def test_anothers_faces_are_not_found(new_viewer: Callable[[], httpx.Client]) -> None:
    owner, stranger = new_viewer(), new_viewer()
    face_id = answered(owner, FACES[1], her(), **NAMED)["face_id"]
    assert [face["name"] for face in faces_of(stranger, "recognize", her())] == ["unknown"]
    assert stranger.get("/api/face-recognition/faces").json() == {"faces": []}
    for gone in (face_id, "face_001", "face_" + "0" * 32, "%2e%2e", "a%00b", "x" * 2_000):
        refused(stranger.delete(f"/api/face-recognition/faces/{gone}"), 404, "face_id")
    assert [face["face_id"] for face in faces_of(owner, "recognize", her())] == [face_id]


def test_nothing_of_a_picture_is_kept(studio: Cluster, viewer: httpx.Client) -> None:
    mark = secrets.token_bytes(64)  # after the picture's end, where decoders do not look
    for path in (*RECOGNITION, *FACES):
        answered(viewer, path, her() + mark, **(NAMED if path.endswith("register") else {}))
    files = [path for path in studio.var.rglob("*") if path.is_file()]
    assert len(files) > 2 and not [path for path in files if mark in path.read_bytes()]


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 422),
        (b"<html></html>", 415),
        (picture("GIF"), 422),
        (picture("JPEG", 400, 300)[:-200], 422),
        (b"\x89PNG\r\n\x1a\n" + b"<html></html>", 422),
        (speech(), 415),
        (encoded(Image.new("1", (8_000, 8_000)), "PNG"), 413),
        (encoded(Image.new("RGB", (6_000, 1)), "PNG"), 422),
    ],
    ids=["empty", "html", "gif", "truncated", "png head", "sound", "8k", "strip"],
)
@pytest.mark.parametrize("path", [*RECOGNITION, *FACES])
def test_pictures_that_are_refused(viewer: httpx.Client, path: str, content: bytes, status: int) -> None:
    refused(sent(viewer, path, content, **(NAMED if path.endswith("register") else {})), status, "image")


def test_an_animation_is_refused(viewer: httpx.Client) -> None:
    frames = [Image.new("RGB", (40, 30), shade) for shade in ("red", "blue")]
    refused(sent(viewer, FACES[0], encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])), 422, "image")


@pytest.mark.parametrize("path", [*RECOGNITION, *FACES])
def test_there_is_one_picture(viewer: httpx.Client, path: str) -> None:
    two = [("image", ("a.jpg", her())), ("image", ("b.jpg", her()))]
    refused(viewer.post(path, files=two, data=NAMED if path.endswith("register") else {}), 422, "image")
    refused(viewer.post(path, files={"other": ("a.jpg", her())}, data=NAMED), 422, "image")
    refused(viewer.post(path, data={"image": "a.jpg"} | NAMED), 422, "image")


@pytest.mark.parametrize(
    ("path", "form", "named"),
    [
        (RECOGNITION[0], {"model": "nobody"}, "model"),
        (RECOGNITION[0], {"model": "detr-resnet-50"}, "model"),
        (RECOGNITION[1], {"model": "../../etc/passwd"}, "model"),
        (RECOGNITION[1], {"model": "x" * 300}, "model"),
        (RECOGNITION[1], {"threshold": "0.5"}, "threshold"),
        (FACES[1], {}, "name"),
        (FACES[1], {"name": ""}, "name"),
        (FACES[1], {"name": "  "}, "name"),
        (FACES[1], {"name": "长" * 300}, "name"),
        (FACES[1], {"name": "a\0b"}, "name"),
        (FACES[1], {"name": "a\nb"}, "name"),
        (FACES[1], NAMED | {"consent": "长" * 300}, "consent"),
        (FACES[2], {"threshold": "1.5"}, "threshold"),
        (FACES[2], {"threshold": "-1"}, "threshold"),
        (FACES[2], {"threshold": "NaN"}, "threshold"),
        (FACES[2], {"threshold": "eins"}, "threshold"),
    ],
)
def test_forms_that_are_refused(viewer: httpx.Client, path: str, form: dict[str, str], named: str) -> None:
    refused(sent(viewer, path, her(), **form), 422, named)


@pytest.mark.parametrize(("name", "said"), [("china", "没有找到人脸"), ("crowd", "2 张人脸")])
def test_one_face_is_registered(viewer: httpx.Client, name: str, said: str) -> None:
    answer = sent(viewer, FACES[1], encoded(crowd() if name == "crowd" else photograph(name)), **NAMED)
    refused(answer, 422, "image")
    assert said in answer.json()["detail"]
    assert viewer.get("/api/face-recognition/faces").json() == {"faces": []}


@pytest.mark.parametrize(
    ("path", "form", "model"),
    [
        (RECOGNITION[0], {}, "resnet50"),
        (RECOGNITION[0], {"model": "resnet50"}, "resnet50"),
        (RECOGNITION[1], {}, "detr-resnet-50"),
        (FACES[0], {}, "mtcnn"),
        (FACES[1], NAMED, "mtcnn"),
        (FACES[2], {}, "mtcnn"),
    ],
)
@pytest.mark.parametrize("prefix", ["", "/media"])
def test_what_is_not_served_is_said_with_what_to_do(
    client: httpx.Client, prefix: str, path: str, form: dict[str, str], model: str
) -> None:
    answer = sent(client, prefix + path, her(), **form)
    assert answer.status_code == 503 and in_chinese(answer.json()["detail"])
    assert model in answer.json()["detail"] and "请在集群配置的 models 中启用它" in answer.json()["detail"]


@pytest.mark.parametrize(("model", "path"), [("resnet50", RECOGNITION[0]), ("mtcnn", FACES[0])])
def test_a_replica_that_dies_is_no_fault_of_ours(studio: Cluster, viewer: httpx.Client, model: str, path: str) -> None:
    content = her()
    with ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(sent, viewer, path, content) for _ in range(12)]
        eventually(lambda: any(call.done() for call in calls))
        replica(studio, model).kill()
        answers = [call.result() for call in calls]
    assert {answer.status_code for answer in answers} <= {200, 503}, [answer.text for answer in answers]
    for answer in answers:
        if answer.status_code == 503:
            assert "重新启动" in answer.json()["detail"] and answer.headers["retry-after"] == "2"
    eventually(lambda: sent(viewer, path, content).status_code == 200, 60)
