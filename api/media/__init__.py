"""The multimedia platform: pictures, films, recognition, faces, sound, training."""

from api.family import STATUS, Family, detail
from api.media import (
    audio,
    camera,
    datasets,
    faces,
    finetuning,
    images,
    outputs,
    progress,
    recognition,
    training,
    videos,
    voices,
)

FAMILY = Family(
    name="media",
    prefixes=("", "/media"),
    routers=(
        images.router,
        videos.router,
        outputs.router,
        audio.router,
        voices.router,
        training.router,
        finetuning.router,
        datasets.router,
        recognition.router,
        faces.router,
        progress.router,
        camera.router,
    ),
    envelope=detail,
    status=STATUS | {"conflict": 400, "cancelled": 400},  # the document knows no 409
)
