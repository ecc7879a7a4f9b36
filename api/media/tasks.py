"""Jobs of this family by their documented ids: a word that says what they are, and the job's own id."""

import re

from api.callers import Caller
from api.state import State
from contracts.errors import NotFound
from contracts.jobs import JobState, JobView
from contracts.platform import IMAGE, SPEECH, TRANSCRIPTION, VIDEO

WORDS = {IMAGE: "task", VIDEO: "task", SPEECH: "task_tts", TRANSCRIPTION: "task_audio"}  # by kind of job
STATUS: dict[JobState, str] = {
    "queued": "processing",
    "running": "processing",
    "completed": "completed",
    "failed": "failed",
    "cancelled": "failed",
}
TASK_ID = re.compile(r"(?P<word>[a-z_]+)_(?P<job>[0-9a-f]{32})")


def task_id_of(kind: str, job_id: str) -> str:
    """`task_<32 hex digits>`: unguessable, as the job's id is."""
    return f"{WORDS[kind]}_{job_id}"


def find_task(state: State, caller: Caller, task_id: str, *kinds: str) -> JobView:
    """The caller's job of one of these kinds. Another's, or none: `NotFound`."""
    named = TASK_ID.fullmatch(task_id)
    if named:
        view = state.jobs.records.get(named["job"], *caller.owners)
        if view.kind in kinds and WORDS[view.kind] == named["word"]:
            return view
    raise NotFound("任务不存在。")
