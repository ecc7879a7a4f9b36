"""What becomes of jobs and requests when the disk is full that everything lies on, the databases too.

python -m tests.full_disk FOLDER, where a small disk is mounted.
"""

import asyncio
import sys
from pathlib import Path

from contracts.faults import FULL
from contracts.settings import Settings
from jobs.steps import ATTEMPTS
from store.database import Database
from tests.disks import fill, make_room
from tests.test_faults import serving, working
from tests.test_jobs import states
from tests.waiting import eventually


def jobs(settings: Settings, folder: Path) -> None:
    """Not even that a job has failed can be written down: it is, once there is room. Then it is done again."""
    with working(settings, folder.parent) as place:
        job_id = place.submit("publish")
        place.noted(job_id, "publish waits")
        fill(folder)
        place.let_go_on(job_id)
        eventually(lambda: place.log().count("tables has failed") >= ATTEMPTS and "disk is full" in place.log())
        assert place.look(job_id).state == "running"
        make_room(folder)
        view = place.end(job_id)
        assert (view.state, view.error) == ("failed", FULL), view
        assert states(place.events(job_id)) == ["queued", "running", "failed"]
        assert [path for path in (settings.var / "artifacts").rglob("*") if path.is_file()] == []
        again = place.submit("publish")
        place.let_go_on(again)
        assert place.end(again).state == "completed"


async def requests(settings: Settings, folder: Path) -> None:
    """They are refused until there is room."""
    async with serving(settings) as client:
        fill(folder)
        for number in range(99):  # the write-ahead log has room for some
            user = {"username": f"{number:064}", "password": "a password"}
            answer = await client.post("/api/register", json=user)
            if answer.status_code != 200:
                break
        assert (answer.status_code, answer.json()) == (503, {"detail": FULL}), (number, answer.text)
        make_room(folder)
        assert (await client.post("/api/register", json=user)).status_code == 200


def main(folder: Path) -> None:
    settings = Settings(var=folder / "var", min_free_gib=0)
    Database(settings.tables_url).migrate()
    jobs(settings, folder)
    asyncio.run(requests(settings, folder))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
