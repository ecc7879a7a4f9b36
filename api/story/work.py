"""What the task and videogen routes share: find a task, queue its next job."""

import base64
import binascii
import io
import re
import warnings

from PIL import Image, UnidentifiedImageError

from api.auth import Caller
from api.state import State
from api.story.models import NewVideo, Overrides, TaskId
from api.story.progress import Reached, reached
from contracts.errors import InvalidInput, NotFound, TooLarge
from contracts.jobs import Job
from contracts.tasks import SEGMENTS, VIDEOGEN, StoryTask, VideoTask, folder_of
from jobs.jobs import new_id
from store.names import key_of
from store.stories import Stories, claim, subject_of
from store.tables import Story

MOST_PIXELS = 40_000_000
KINDS = {"PNG": "png", "JPEG": "jpg", "WEBP": "webp"}


def create(state: State, caller: Caller, body: NewVideo, workflow: str) -> TaskId:
    stories = Stories(state.database)
    return TaskId(task_id=stories.create(caller.user_id, workflow, body.topic, body.main_role or "", body.scene or ""))


def look(state: State, caller: Caller, task_id: int) -> tuple[Story, Reached]:
    """The caller's task and how far it is."""
    story = Stories(state.database).get(task_id, caller.user_id)
    return story, reached(story, state.jobs.records.of_subject(subject_of(story.id)))


def queue_segment(state: State, caller: Caller, story: Story, so_far: Reached, segment: int) -> str:
    """The id of the job that executes the segment."""
    task = StoryTask(
        task_id=story.id,
        segment_id=segment,
        topic=story.topic,
        main_role=story.main_role,
        scene=story.scene,
        pages=state.settings.story_pages,
        done={job.kind: job.result for job in so_far.newest.values() if job.state == "completed"},
    )
    return _queue(state, caller, story, SEGMENTS[segment - 1], task)


def queue_video(state: State, caller: Caller, story: Story, body: Overrides) -> str:
    """The id of the job that makes the film. Everything is checked before anything is queued or kept."""
    content = decoded(body.prompt_image_data_uri) if body.prompt_image_data_uri else None
    picture = named(state, caller, body.prompt_image_path) if body.prompt_image_path and not content else ""
    if content:
        picture = f"{folder_of(story.id)}/.uploads/{new_id()}.{kind_of(content)}"
        state.artifacts.upload(picture, content, caller.owner)
    width, height = body.size
    task = VideoTask(
        task_id=story.id,
        prompt=body.prompt or " ".join(part for part in (story.topic, story.main_role, story.scene) if part),
        picture=picture,
        width=width,
        height=height,
        fps=body.fps,
        duration_s=body.duration,
    )
    return _queue(state, caller, story, VIDEOGEN, task)


def decoded(uri: str) -> bytes:
    """The picture in a data URI, once it has been decoded whole."""
    match = re.match(r"data:image/[\w.+-]+;base64,", uri[:64])
    if not match:
        raise InvalidInput("应为 data:image/…;base64,…", param="prompt_image_data_uri")
    try:
        content = base64.b64decode(uri[match.end() :], validate=True)
    except (binascii.Error, ValueError):
        raise InvalidInput("base64 无效。", param="prompt_image_data_uri") from None
    kind_of(content)
    return content


def kind_of(content: bytes, param: str = "prompt_image_data_uri") -> str:
    """The file suffix of a picture; what is none, is broken or is too large is refused."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own bound is lower
            with Image.open(io.BytesIO(content), formats=list(KINDS)) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    raise TooLarge("图片过大。", param=param)
                picture.load()
                return KINDS[picture.format or ""]
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise InvalidInput("不是可读的 PNG、JPEG 或 WebP 图片。", param=param) from None


def named(state: State, caller: Caller, path: str) -> str:
    """The key of a picture that a path of the caller's own tasks names."""
    key = key_of(path, "prompt_image_path")
    check_own(state, caller, key)
    kind_of(state.artifacts.read(state.artifacts.find(key).key), "prompt_image_path")
    return key


def check_own(state: State, caller: Caller, key: str) -> None:
    """Refuse a file outside the caller's own tasks, as if it did not exist."""
    match = re.fullmatch(r"generated_stories/(\d{1,9})/.+", key)
    if not match:
        raise NotFound("文件不存在。")
    Stories(state.database).get(int(match[1]), caller.user_id)


def _queue(state: State, caller: Caller, story: Story, kind: str, task: StoryTask | VideoTask) -> str:
    job = Job(id=new_id(), kind=kind, owner=caller.owner, params=task.model_dump())
    state.jobs.submit(job, subject_of(story.id), lambda session: claim(session, story, job.id))
    return job.id
