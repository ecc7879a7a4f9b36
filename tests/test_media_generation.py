"""Pictures and films of the multimedia platform: documented examples, results, refusals."""

import io
import json
import re
from typing import Any

import av
import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image
from sqlalchemy import select

from contracts.sizes import fitted
from contracts.video import FilmRequest, Shot
from deployments.video.film.frames import spans
from store.database import Database
from store.media import check_picture
from store.tables import ArtifactRow, JobRow
from tests.conftest import ROOT, Cluster, sign_up
from tests.documented import check, examples, filled
from tests.media import film as film_of
from tests.media import picture, speech
from tests.waiting import eventually
from tests.wording import in_chinese

DOCUMENT = (ROOT / "docs/api/platform.md").read_text(encoding="utf-8")
EXAMPLES = examples("media-generation")
ENDS_S = 120.0
FILM_ROUTES = ["text-to-video", "image-to-video"]


def status(client: httpx.Client, path: str) -> dict[str, Any]:
    """Of a job, once it has ended."""
    seen: list[dict[str, Any]] = []

    def ended() -> bool:
        answer = client.get(path)
        assert answer.status_code == 200, answer.text
        seen.append(answer.json())
        return seen[-1]["status"] != "processing"

    eventually(ended, ENDS_S)
    assert [each["progress"] for each in seen] == sorted(each["progress"] for each in seen)
    return seen[-1]


def opened(client: httpx.Client, url: str) -> Image.Image:
    """A labelled PNG, as a picture."""
    answer = client.get(url)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert answer.headers["x-aigc-label"] == "1" and b"AIGC" in answer.content
    return Image.open(io.BytesIO(answer.content)).convert("RGB")


def frames(client: httpx.Client, url: str) -> tuple[list[np.ndarray], int]:
    """A labelled film's frames in RGB, and how many a second."""
    answer = client.get(url)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "video/mp4")
    assert answer.headers["x-aigc-label"] == "1" and b"AIGC" in answer.content
    with av.open(io.BytesIO(answer.content)) as container:
        stream = container.streams.video[0]
        assert stream.average_rate == int(stream.average_rate)
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)], int(stream.average_rate)


def made(client: httpx.Client, route: str, **asked: Any) -> dict[str, Any]:
    """What a call makes, in the end."""
    answer = client.post(f"/api/{route}/generate", **asked)
    assert answer.status_code == 200, answer.text
    return status(client, f"/api/{route}/status/{answer.json()['task_id']}")


def documented() -> set[str]:
    """METHOD and path of every route that the document's chapter names."""
    chapter = DOCUMENT.partition("## 生成类 API")[2].partition("## 识别类 API")[0]
    return {f"{method} {path}" for method, path in re.findall(r"^(GET|POST) (\S+)$", chapter, re.M)}


def test_every_documented_route_has_an_example() -> None:
    assert len(documented()) == 6
    assert documented() <= {example["call"] for example in EXAMPLES}


@pytest.mark.parametrize("prefix", ["", "/media"])
def test_documented_examples(studio: Cluster, prefix: str) -> None:
    known: dict[str, Any] = {}
    with httpx.Client(base_url=studio.url, timeout=ENDS_S) as client:
        for example in EXAMPLES:
            method, _, path = example["call"].partition(" ")
            path = f"{prefix}/api{filled(example.get('path', path), known)}"
            if example.get("waits"):
                status(client, path)
            files = {name: (file, picture()) for name, file in example.get("files", {}).items()}
            answer = client.request(method, path, json=example.get("json"), data=example.get("form"), files=files)
            assert answer.status_code == 200, f"{example['call']}: {answer.text}"
            assert answer.headers["content-type"] == "application/json"
            check(answer.json(), filled(example["data"], known), example["call"])
            known |= {name: answer.json()[field] for name, field in example.get("learn", {}).items()}
            if url := answer.json()["image_url"] if "image-to-image" in path else None:
                assert url.startswith("/outputs/images/transformed_") and opened(client, url).size == (88, 64)


def test_a_picture_is_what_was_asked(client: httpx.Client) -> None:
    asked = {"prompt": "海边美丽的日落", "width": 320, "height": 200, "seed": 42, "model_id": "painter"}
    first, again, other = (
        made(client, "text-to-image", json=asked | change) for change in ({}, {"model_id": ""}, {"seed": 43})
    )
    assert first["image_url"].startswith("/outputs/images/generated_") and first["progress"] == 100
    pictures = [opened(client, each["image_url"]) for each in (first, again, other)]
    assert [each.size for each in pictures] == [(320, 200)] * 3
    assert pictures[0].tobytes() == pictures[1].tobytes() != pictures[2].tobytes()


def test_a_seed_that_is_not_given_is_drawn_and_kept(client: httpx.Client, cluster: Cluster) -> None:
    bodies: list[dict[str, Any]] = [{"prompt": "fox"}, {"prompt": "fox", "seed": None}, {"prompt": "fox", "seed": 0}]
    tasks = [made(client, "text-to-image", json=body)["task_id"] for body in bodies]
    database = Database(f"sqlite:///{cluster.var}/troupe.db")
    with database.session() as session:
        rows = [session.get_one(JobRow, task.removeprefix("task_")) for task in tasks]
        kept = [session.scalar(select(ArtifactRow).where(ArtifactRow.key.contains(row.id))) for row in rows]
    seeds = [row.params["seed"] for row in rows]
    assert len(set(seeds)) == 3 and seeds[2] == 0
    assert [row.parameters["seed"] for row in kept if row] == seeds
    database.engine.dispose()


@pytest.mark.parametrize(("count", "fps"), [(24, 8), (1, 1), (2, 60), (37, 24)])
def test_a_film_has_just_the_frames_that_were_asked(client: httpx.Client, count: int, fps: int) -> None:
    body = {"prompt": "一只猫在花园里散步。天上有月亮。", "num_frames": count, "fps": fps, "num_inference_steps": 1}
    film = made(client, "text-to-video", json=body)
    shown, rate = frames(client, film["video_url"])
    assert (len(shown), rate) == (count, fps)
    assert shown[0].shape == (512, 768, 3)


def rotated(orientation: int) -> bytes:
    """A JPEG that is 300 × 400 when it is upright, red above and blue below."""
    upright = Image.new("RGB", (300, 400), "blue")
    upright.paste("red", (0, 0, 300, 200))
    turns = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    stored = upright.transpose(turns[orientation]) if orientation in turns else upright
    exif, file = Image.Exif(), io.BytesIO()
    exif[ExifTags.Base.Orientation] = orientation
    stored.save(file, "JPEG", exif=exif)
    return file.getvalue()


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_film_of_a_picture_is_upright(client: httpx.Client, orientation: int) -> None:
    assert check_picture(io.BytesIO(rotated(orientation)), "image").upright == (300, 400)
    files = {"image": ("portrait.jpg", rotated(orientation))}
    film = made(client, "image-to-video", files=files, data={"num_frames": "5", "fps": "4"})
    shown, rate = frames(client, film["video_url"])
    assert (len(shown), rate) == (5, 4)
    assert shown[0].shape == (400, 300, 3)
    red, _, blue = (shown[2][:, :, channel].mean(axis=1) for channel in range(3))
    assert red[60] > 150 > 60 > blue[60] and blue[340] > 150 > 60 > red[340]


def test_a_large_picture_makes_a_film_that_players_take(client: httpx.Client) -> None:
    files = {"image": ("wide.jpg", picture("JPEG", 5_001, 1_000))}
    film = made(client, "image-to-video", files=files, data={"num_frames": "2"})
    assert frames(client, film["video_url"])[0][0].shape == (256, 1_280, 3)


def test_nothing_is_kept_of_an_upload(cluster: Cluster) -> None:
    with httpx.Client(base_url=cluster.url, timeout=60) as client:
        sign_up(cluster, client)
        files = {"image": ("a.png", picture())}
        made(client, "image-to-video", files=files, data={"num_frames": "2"})
        refused(client.post("/api/image-to-image/generate", files=files, data={"prompt": "fox"}), 503, "models")
        task = client.get("/v1/jobs").json()["data"][0]["id"]
    database = Database(f"sqlite:///{cluster.var}/troupe.db")
    with database.session() as session:
        owner = session.get_one(JobRow, task).owner
        left = session.scalars(select(ArtifactRow.key).where(ArtifactRow.owner == owner)).all()
    assert [key.split("/")[:2] for key in left] == [["outputs", "videos"]]
    database.engine.dispose()


@given(st.integers(1, 600), st.integers(1, 60), st.integers(1, 6))
def test_films_have_every_number_of_frames(count: int, fps: int, pictures: int) -> None:
    shots = [Shot(picture="p", duration_s=count / fps / pictures) for _ in range(pictures)]
    assert spans(FilmRequest(shots=shots, fps=fps))[-1].end == count


@given(st.tuples(st.integers(1, 10_000), st.integers(1, 10_000)), st.sampled_from([(64, 1_024, 8), (128, 1_280, 2)]))
def test_sizes_fit(size: tuple[int, int], bounds: tuple[int, int, int]) -> None:
    least, most, step = bounds
    width, height = fitted(size, *bounds)
    assert all(least <= side <= most and side % step == 0 for side in (width, height))
    if max(size) <= most * min(size) / least:  # its proportions are possible
        assert abs(width * size[1] - height * size[0]) <= step * (size[0] + size[1]) / 2
    if max(size) <= most and min(size) >= least:
        assert abs(width - size[0]) <= step / 2 and abs(height - size[1]) <= step / 2
    assert fitted(size[::-1], *bounds) == (height, width)


def test_the_menu_of_models(client: httpx.Client) -> None:
    menu = client.get("/media/api/text-to-image/models").json()
    assert [{name: model[name] for name in ("id", "name", "description")} for model in menu[:2]] == [
        {"id": "stable-diffusion-v1-5", "name": "Stable Diffusion v1.5", "description": "通用图像生成模型"},
        {"id": "stable-diffusion-xl", "name": "Stable Diffusion XL", "description": "高分辨率图像生成模型"},
    ]
    assert [model["id"] for model in menu if model["ready"]] == ["painter"]
    assert all("RAIL" in model["licence"] for model in menu[:2])


def test_results_are_files_for_whoever_has_their_name(client: httpx.Client, user: httpx.Client) -> None:
    made_by_user = made(user, "text-to-image", json={"prompt": "fox", "width": 64, "height": 64})
    url = made_by_user["image_url"]
    whole = client.get(f"/media{url}")
    part = client.get(url, headers={"Range": "bytes=1-3"})
    assert (part.status_code, part.content, part.headers["content-range"]) == (
        206,
        b"PNG",
        f"bytes 1-3/{len(whole.content)}",
    )
    assert client.get(f"/api/text-to-image/status/{made_by_user['task_id']}").status_code == 404
    assert user.get(f"/api/text-to-video/status/{made_by_user['task_id']}").status_code == 404


@pytest.mark.parametrize(
    "path",
    ["images/generated_0.png", ".work/0/drawn.png", "..%2f..%2ftroupe.db", "%2e%2e/troupe.db", "C:%5cx", "a%00b", ""],
)
@pytest.mark.parametrize("prefix", ["", "/media"])
def test_files_that_are_not_there(client: httpx.Client, prefix: str, path: str) -> None:
    answer = client.get(f"{prefix}/outputs/{path}")
    assert answer.status_code == 404 and answer.json().keys() == {"detail"}


@pytest.mark.parametrize("task", ["task_12345", "task_" + "0" * 32, "%2e%2e", "a%00b", "x" * 2_000])
@pytest.mark.parametrize("route", ["text-to-image", "image-to-image", *FILM_ROUTES])
def test_unknown_tasks(client: httpx.Client, route: str, task: str) -> None:
    refused(client.get(f"/api/{route}/status/{task}"), 404)


@pytest.mark.parametrize(("kind", "route"), [("image", "text-to-image"), ("video", "text-to-video")])
def test_a_cancelled_job_has_failed(user: httpx.Client, kind: str, route: str) -> None:
    body = {"prompt": "一只猫在花园里散步", "num_frames": 600} if kind == "video" else {"prompt": "fox", "width": 2_048}
    task = user.post(f"/api/{route}/generate", json=body).json()["task_id"]
    assert user.delete(f"/v1/jobs/{task.removeprefix('task_')}").status_code == 200
    ended = status(user, f"/api/{route}/status/{task}")
    assert 0 <= ended.pop("progress") < 100
    assert ended == {"task_id": task, "status": "failed", f"{kind}_url": None, "message": "已取消"}


PICTURE = {"prompt": "海边美丽的日落"}
INFINITY = float("inf")


def refused(answer: httpx.Response, code: int, named: str = "") -> None:
    assert answer.status_code == code, answer.text
    body = answer.json()
    assert body.keys() == {"detail"}
    assert named in body["detail"] and in_chinese(body["detail"])


@pytest.mark.parametrize("prefix", ["", "/media"])
@pytest.mark.parametrize(
    "change",
    [
        {"prompt": None},
        {"prompt": ""},
        {"prompt": " \u3000\u200b"},
        {"prompt": "。！"},
        {"prompt": "a\0"},
        {"prompt": "长" * 2_001},
        {"prompt": 5},
        {"negative_prompt": "长" * 2_001},
        {"negative_prompt": ["模糊"]},
        {"width": 511},
        {"width": 56},
        {"width": 2_056},
        {"width": "512"},
        {"width": 512.5},
        {"width": True},
        {"height": 0},
        {"height": -512},
        {"height": 10**30},
        {"num_inference_steps": 0},
        {"num_inference_steps": 100_000},
        {"num_inference_steps": "50"},
        {"guidance_scale": -0.1},
        {"guidance_scale": 50.1},
        {"guidance_scale": float("nan")},
        {"guidance_scale": INFINITY},
        {"guidance_scale": "7.5"},
        {"guidance_scale": False},
        {"seed": -1},
        {"seed": 2**32},
        {"seed": 1.5},
        {"model_id": "nobody"},
        {"model_id": "film"},
        {"model_id": "../../etc/passwd"},
        {"model_id": 1},
        {"steps": 5},
    ],
)
def test_pictures_that_cannot_be(client: httpx.Client, prefix: str, change: dict[str, Any]) -> None:
    [named] = change
    asked = {name: value for name, value in (PICTURE | change).items() if value is not None}
    content = json.dumps(asked).replace("Infinity", "1e999").encode()
    headers = {"Content-Type": "application/json"}
    refused(client.post(f"{prefix}/api/text-to-image/generate", content=content, headers=headers), 422, named)


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": " "},
        {"num_frames": 0},
        {"num_frames": 100_000},
        {"num_frames": "24"},
        {"num_frames": 2.5},
        {"fps": 0},
        {"fps": 61},
        {"num_inference_steps": 100_000},
        {"width": 512},
    ],
)
def test_films_that_cannot_be(client: httpx.Client, change: dict[str, Any]) -> None:
    [named] = change
    refused(client.post("/api/text-to-video/generate", json=PICTURE | change), 422, named)


def test_null_is_as_good_as_none(client: httpx.Client) -> None:
    for route, fields in (
        ("text-to-image", ("negative_prompt", "width", "seed", "model_id")),
        ("text-to-video", ("fps",)),
    ):
        answer = client.post(f"/api/{route}/generate", json=PICTURE | dict.fromkeys(fields))
        assert answer.status_code == 200, answer.text
        refused(client.post(f"/api/{route}/generate", json=dict.fromkeys(["prompt"])), 422, "prompt")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'"x"', b"null", b"\xff\xfe", b'{"prompt": "\\ud800"}'])
@pytest.mark.parametrize("route", ["text-to-image", "text-to-video"])
def test_broken_bodies(client: httpx.Client, route: str, content: bytes) -> None:
    answer = client.post(f"/api/{route}/generate", content=content, headers={"Content-Type": "application/json"})
    refused(answer, 422)


@pytest.mark.parametrize(
    ("route", "change"),
    [
        ("image-to-image", {"prompt": " "}),
        ("image-to-image", {"prompt": "长" * 2_001}),
        ("image-to-image", {"strength": "9"}),
        ("image-to-image", {"strength": "-0.1"}),
        ("image-to-image", {"strength": "nan"}),
        ("image-to-image", {"strength": "much"}),
        ("image-to-image", {"num_inference_steps": "100000"}),
        ("image-to-image", {"num_inference_steps": "2.5"}),
        ("image-to-image", {"guidance_scale": "NaN"}),
        ("image-to-image", {"guidance_scale": "Infinity"}),
        ("image-to-image", {"guidance_scale": "1e999"}),
        ("image-to-image", {"seed": "-1"}),
        ("image-to-image", {"model_id": "nobody"}),
        ("image-to-image", {"model_id": "painter"}),
        ("image-to-image", {"strenght": "0.5"}),
        ("image-to-video", {"num_frames": "100000"}),
        ("image-to-video", {"num_frames": "0"}),
        ("image-to-video", {"fps": "NaN"}),
        ("image-to-video", {"fps": "61"}),
        ("image-to-video", {"prompt": "fox"}),
    ],
)
def test_forms_that_cannot_be(client: httpx.Client, route: str, change: dict[str, str]) -> None:
    [named] = change
    form = (PICTURE if route == "image-to-image" else {}) | change
    refused(client.post(f"/api/{route}/generate", data=form, files={"image": ("a.png", picture())}), 422, named)


def animated() -> bytes:
    file, shades = io.BytesIO(), [Image.new("RGB", (40, 30), (shade, 0, 0)) for shade in (0, 120, 240)]
    shades[0].save(file, "GIF", save_all=True, append_images=shades[1:])
    return file.getvalue()


@pytest.mark.parametrize("route", ["image-to-image", "image-to-video"])
@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", 422),
        (picture("JPEG", 400, 300)[:-600], 422),
        (picture("PNG")[:50], 422),
        (animated(), 422),
        (b"<html><script>alert(1)</script></html>", 415),
        (b"\x89PNG\r\n\x1a\n<html>", 422),
        (speech(), 415),
        (film_of("mp4", "mpeg4"), 415),
        (picture("PNG", 8_192, 8_192), 413),
    ],
    ids=["empty", "cut JPEG", "cut PNG", "GIF", "HTML", "no PNG", "sound", "film", "8k x 8k"],
)
def test_pictures_that_are_none(client: httpx.Client, route: str, content: bytes, code: int) -> None:
    form = PICTURE if route == "image-to-image" else {}
    refused(client.post(f"/api/{route}/generate", data=form, files={"image": ("a.png", content)}), code, "image")


@pytest.mark.parametrize("route", ["image-to-image", "image-to-video"])
def test_one_picture_it_must_be(client: httpx.Client, route: str) -> None:
    form, one = PICTURE if route == "image-to-image" else {}, ("image", ("a.png", picture()))
    for files in ([], [one, one], [("other", one[1])], [("image", (None, "a text"))]):
        answer = client.post(f"/api/{route}/generate", data=form, files=files)
        refused(answer, 422, "image")
    refused(client.post(f"/api/{route}/generate", json=form), 422, "image")
    for field in ({"fps": ["8", "9"]}, {"strength": ["0.1", "0.2"]}):
        refused(client.post(f"/api/{route}/generate", data=form | field, files=[one]), 422, next(iter(field)))


def test_a_model_that_is_absent_says_what_to_do(client: httpx.Client) -> None:
    asked = PICTURE | {"model_id": "stable-diffusion-v1-5"}
    answer = client.post("/api/text-to-image/generate", json=asked)
    refused(answer, 503, "stable-diffusion-v1-5/stable-diffusion-v1-5")
    for form in (PICTURE, asked):
        answer = client.post("/api/image-to-image/generate", data=form, files={"image": ("a.png", picture())})
        refused(answer, 503, "stable-diffusion-v1-5")
        assert "models" in answer.json()["detail"]
