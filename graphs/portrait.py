"""Who is seen in the films as long as no avatar is rendered: a still portrait, the same presenter every time."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from contracts.artifacts import Files, Provenance
from contracts.engines import Image
from contracts.image import ImageRequest
from graphs.chat import Frame, Piece, Show
from graphs.render import deliver, draw

PRESENTER = "A friendly woman in a bright room, facing the camera and smiling, portrait."
SIDE, SEED = 720, 4  # pixels; the same picture of the same model


async def portrait(image: Image, files: Files, folder: str, made: Provenance) -> str:
    """Key of the marked picture, beside the one that it was made of."""
    made = made.model_copy(update={"prompt": PRESENTER, "parameters": {"seed": SEED}})
    request = ImageRequest(prompt=PRESENTER, width=SIDE, height=SIDE, seed=SEED, fit=True)
    drawn = await draw(image, request, f"{folder}/portrait.png", made)
    return await deliver(files, drawn, f"{folder}/marked.png", made)


def still(jpeg: bytes) -> Show:
    """One frame, which stays."""

    async def show(pieces: AsyncGenerator[Piece]) -> AsyncGenerator[Piece]:
        async with aclosing(pieces):
            yield Frame(jpeg, 0.0)
            async for piece in pieces:
                yield piece

    return show
