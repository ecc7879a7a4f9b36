"""A worker that stands still at the last moment: python -m tests.stalled_process create|renew|put

It says its lease first; its one transaction is still to be ended when it stops.
"""

import os
import signal
import sys
from collections.abc import Callable

from sqlalchemy import event
from sqlalchemy.orm import Session

from contracts.artifacts import Provenance
from contracts.jobs import Job
from contracts.settings import Settings
from jobs.leases import Lease
from jobs.records import Records
from store.artifacts import Artifacts
from store.database import Database

KEY = "a/script.json"


def stop(session: Session) -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def main(does: str) -> None:
    database = Database(Settings().tables_url)
    lease = Lease(database)
    lease.take()
    made = Provenance(owner="user-1", job_id="j1", lease=lease.holder)
    calls: dict[str, Callable[[], object]] = {
        "create": lambda: Records(database).create(Job(id="stalled", kind="k", owner="user-1", params={}), "s"),
        "renew": lease._renew,
        "put": lambda: Artifacts().put(KEY, b'{"words": "stalled"}', made),
    }
    print(lease.holder, flush=True)
    event.listen(Session, "before_commit", stop)
    calls[does]()


if __name__ == "__main__":
    main(sys.argv[1])
