"""A story from its topic to its film, as a front end makes it."""

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import av
import httpx
import pytest
from PIL import Image

from tests.conftest import Cluster, sign_up
from tests.story import execute, new_task, next_message, notifications, wait

FPS = 25


@dataclass
class Told:
    """A story of two pages, told to its end."""

    client: httpx.Client
    task_id: int
    messages: list[dict[str, Any]]
    events: dict[int, list[dict[str, Any]]]

    def get(self, segment: int, name: str = "", **headers: str) -> httpx.Response:
        query = f"segmentId={segment}" + (f"&name={name}" if name else "")
        return self.client.get(f"/api/task/{self.task_id}/resource?{query}", headers=headers)


@pytest.fixture(scope="module")
def told(cluster: Cluster) -> Iterator[Told]:
    with httpx.Client(base_url=cluster.url, timeout=90) as client:
        sign_up(cluster, client)
        task_id = new_task(client, topic="小兔子学会分享", main_role="小兔子", scene="海边")
        messages, events = [], {}
        with notifications(client) as socket:
            for segment in range(1, 6):
                events[segment] = wait(client, execute(client, task_id, segment))
                messages.append(next_message(socket))
        yield Told(client, task_id, messages, events)


def test_every_segment_is_notified_as_documented(told: Told) -> None:
    folder = f"generated_stories/{told.task_id}"
    assert [(message["type"], message["segment_id"], message["status"]) for message in told.messages] == [
        ("segment_finished", segment, "completed") for segment in range(1, 6)
    ]
    assert told.messages[0] == {
        "type": "segment_finished",
        "task_id": told.task_id,
        "segment_id": 1,
        "status": "completed",
        "resources": [f"{folder}/script_data.json"],
    }
    assert told.messages[1]["resources"] == [f"{folder}/image/p1.png", f"{folder}/image/p2.png"]
    assert told.messages[4]["resources"] == [f"{folder}/output.mp4"]


def test_progress_ends_at_the_last_segment(told: Told) -> None:
    answer = told.client.get(f"/api/task/{told.task_id}/progress")
    assert answer.json() == {"current_segment": 5, "status": "completed"}


def test_progress_is_told_on_the_way(told: Told) -> None:
    fractions = [event["progress"] for event in told.events[5] if "progress" in event]
    assert fractions == sorted(fractions) and len(fractions) > 3 and 0 < fractions[0] < 1


def test_the_script_names_what_was_asked_and_is_labelled(told: Told) -> None:
    script = told.get(3).json()
    text = "".join(page["text"] for page in script["pages"])
    assert len(script["pages"]) == 2 and "小兔子" in text
    for page in script["pages"]:
        assert "".join(page["pieces"]) == page["text"]
    assert json.loads(script["AIGC"] if isinstance(script["AIGC"], str) else json.dumps(script["AIGC"]))["Label"] == "1"


def test_pictures_come_as_a_zip_and_bear_both_marks(told: Told) -> None:
    answer = told.get(2)
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["p1.png", "p2.png"]
        content = archive.read("p1.png")
    picture = Image.open(io.BytesIO(content))
    assert picture.size == (1280, 720)
    assert '"Label":"1"' in picture.info["XML:com.adobe.xmp"].replace("&quot;", '"')
    assert told.get(2, "p1.png").content == content


def test_the_film_is_as_long_as_its_speech(told: Told) -> None:
    with zipfile.ZipFile(io.BytesIO(told.get(4).content)) as archive:
        seconds = [_seconds(archive.read(name)) for name in archive.namelist()]
    with av.open(io.BytesIO(told.get(5).content)) as film:
        video, audio = film.streams.video[0], film.streams.audio[0]
        assert (video.width, video.height, video.pix_fmt, video.codec.name) == (1280, 720, "yuv420p", "h264")
        assert audio.codec.name == "aac"
        frames = sum(1 for _ in film.decode(video))
        assert '"Label":"1"' in film.metadata["AIGC"]
    assert abs(frames / FPS - sum(seconds)) <= 2 / FPS  # a frame a page
    assert told.get(5).content.find(b"moov") < told.get(5).content.find(b"mdat")


def test_subtitles_cover_the_film(told: Told) -> None:
    subtitles = told.get(5, "output.srt").text
    spoken = "".join(line for line in subtitles.splitlines() if line and not line.isdigit() and "-->" not in line)
    told_text = "".join(page["text"] for page in told.get(3).json()["pages"])
    assert "".join(spoken.split()) == "".join(told_text.split())


def test_a_film_is_sent_in_ranges(told: Told) -> None:
    whole = told.get(5)
    assert whole.headers["accept-ranges"] == "bytes"
    size = len(whole.content)
    for wanted, part in [
        ("bytes=0-99", whole.content[:100]),
        (f"bytes={size - 10}-", whole.content[-10:]),
        ("bytes=-7", whole.content[-7:]),
        (f"bytes=5-{size * 2}", whole.content[5:]),
    ]:
        answer = told.get(5, Range=wanted)
        assert answer.status_code == 206 and answer.content == part
        assert answer.headers["content-range"].startswith("bytes ") and answer.headers["content-range"].endswith(
            f"/{size}"
        )
    assert told.get(5, Range=f"bytes={size}-").status_code == 416
    for odd in ("bytes=9-2", "lines=1-2", "bytes=a-b", "bytes=0-1,5-6", "bytes=-"):
        assert told.get(5, Range=odd).status_code == 200


def test_a_file_is_found_by_its_relative_path(told: Told) -> None:
    path = f"generated_stories/{told.task_id}/image/p2.png"
    for spelling in (path, f"./{path}", f"/{path}", path.replace("/", "\\")):
        answer = told.client.get("/api/resource", params={"url": spelling})
        assert answer.status_code == 200 and answer.headers["content-type"] == "image/png"


def test_another_user_finds_nothing(told: Told, user: httpx.Client) -> None:
    task, path = f"/api/task/{told.task_id}", f"generated_stories/{told.task_id}/output.mp4"
    for method, url in [
        ("GET", f"{task}/progress"),
        ("GET", f"{task}/resource?segmentId=5"),
        ("POST", f"{task}/execute/1"),
        ("DELETE", task),
        ("GET", f"/api/resource?url={path}"),
    ]:
        assert user.request(method, url).status_code == 404, url
    assert user.get("/api/task/mytasks").json() == {"task_ids": []}
    assert user.get("/v1/jobs").json() == {"data": []}


@pytest.mark.parametrize("prefix", ["", "/story"])
def test_what_was_missed_can_be_asked_for(told: Told, prefix: str) -> None:
    with notifications(told.client, "&since=0", prefix) as socket:
        assert [next_message(socket) for _ in told.messages] == told.messages


def test_a_picture_of_ones_own_becomes_a_film(told: Told) -> None:
    task_id = told.client.post("/api/videogen/new", json={"topic": "海边的日落"}).json()["task_id"]
    picture = f".\\generated_stories\\{told.task_id}\\image\\p1.png"
    body = {"prompt_image_path": picture, "height": 180, "ratio": "16:9", "fps": 10, "duration": 1.5}
    answer = told.client.post(f"/api/videogen/{task_id}/execute", json=body)
    assert wait(told.client, answer.json()["celery_task_id"])[-1]["state"] == "completed"
    content = told.client.get(f"/api/task/{task_id}/resource?segmentId=1").content
    with av.open(io.BytesIO(content)) as film:
        video = film.streams.video[0]
        assert (video.width, video.height, sum(1 for _ in film.decode(video))) == (320, 180, 15)
        assert not film.streams.audio


def test_a_file_is_recognised(told: Told, client: httpx.Client) -> None:
    film = told.get(5).content
    mine = told.client.post("/v1/verify", files={"file": ("x", film)}).json()
    assert mine["ours"] and mine["media_type"] == "video/mp4" and mine["label"]["Label"] == "1"
    assert mine["origin"]["model"] == "film" and mine["origin"]["prompt"] == "小兔子学会分享"
    foreign = client.post("/v1/verify", files={"file": ("x", film)}).json()
    assert foreign["ours"] and foreign["origin"]["job_id"] is None and foreign["origin"]["prompt"] is None
    changed = client.post("/v1/verify", files={"file": ("x", film[:-1] + b"?")}).json()
    assert not changed["ours"] and changed["altered"]


def test_another_story_on_the_same_topic_is_another(told: Told, new_user: Callable[[], httpx.Client]) -> None:
    client = new_user()
    task_id = new_task(client, topic="小兔子学会分享", main_role="小兔子", scene="海边")
    wait(client, execute(client, task_id, 1))
    script = client.get(f"/api/task/{task_id}/resource?segmentId=1").json()
    assert script["pages"] != told.get(1).json()["pages"]


def _seconds(wav: bytes) -> float:
    with av.open(io.BytesIO(wav)) as sound:
        stream = sound.streams.audio[0]
        return sum(frame.samples for frame in sound.decode(stream)) / stream.rate
