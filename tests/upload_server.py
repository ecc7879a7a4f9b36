"""The API with two routes that take uploads, on a server of its own: python -m tests.upload_server <port>"""

import sys
from typing import Annotated

import uvicorn
from fastapi import APIRouter, File, Form, UploadFile

from api.app import build
from api.limits import body_limit
from api.models import Models
from api.state import Engines, Here, make
from api.uploads import FormRoute, take
from contracts.artifacts import Artifact
from contracts.settings import Settings

OWNER = "user:1"
router = APIRouter(route_class=FormRoute)


@router.post("/film")
@body_limit("video")
def film(file: Annotated[UploadFile, File()], state: Here, title: Annotated[str, Form()] = "") -> Artifact:
    return take(state, file, ["video"], OWNER).artifact


@router.post("/sound")
@body_limit("audio", "image")
def sound(voice: Annotated[UploadFile, File()], state: Here) -> Artifact:
    return take(state, voice, ["audio"], OWNER, "voice").artifact


def main(port: int) -> None:
    state = make(Settings(), Models([], {}, fallback=True), Engines())
    state.database.migrate()
    app = build(state)
    app.include_router(router)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main(int(sys.argv[1]))
