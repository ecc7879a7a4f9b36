"""Whether a file was generated, and by whom: its label, and what this installation knows of it."""

import shutil
import tempfile
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, File, UploadFile

from api.auth import Known
from api.limits import body_limit
from api.state import Here
from api.uploads import FormRoute
from store.verify import Verdict, verify

router = APIRouter(prefix="/v1", route_class=FormRoute)


@router.post("/verify")
@body_limit("video")
def verify_file(file: Annotated[UploadFile, File()], state: Here, caller: Known) -> Verdict:
    """The job and the prompt are told to their owner only."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        with path.open("wb") as copy:
            shutil.copyfileobj(file.file, copy)
        return verify(state.artifacts, path, caller.owners)
