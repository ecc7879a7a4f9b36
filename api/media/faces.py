"""Faces: found, registered under a name, recognised. Of the pictures nothing is kept."""

import asyncio
from datetime import UTC, datetime
from functools import partial
from typing import Annotated

from fastapi import APIRouter, UploadFile
from pydantic import AfterValidator, BaseModel, Field

from api.auth import Known
from api.limits import body_limit
from api.media.asked import MULTIPART, Kept, Sent
from api.media.looking import Confidence, Pixels, rounded, seen
from api.state import Here, State
from api.uploads import FormRoute, Once
from contracts.errors import InvalidInput
from contracts.sight import Landmark, SeenFace
from store.faces import Faces, face_id_of
from store.galleries import Match

router = APIRouter(prefix="/api/face-recognition", route_class=FormRoute)
LONGEST_NAME, LONGEST_CONSENT = 64, 200  # characters
UNKNOWN = "unknown"


def _name(value: str) -> str:
    if not (name := value.replace("\u3000", " ").strip()) or not name.isprintable():  # the wide space of Chinese text
        raise ValueError("应为可见的文字")
    return name


class Portrait(Sent):
    name: Annotated[str, Field(max_length=LONGEST_NAME), AfterValidator(_name)]
    consent: Annotated[str, Field(max_length=LONGEST_CONSENT, description="Of the person, in words."), Kept] = ""


class Group(Sent):
    threshold: float | None = Field(
        None, ge=0, le=1, allow_inf_nan=False, description="Below it a face is unknown; without it the model's own."
    )


class Face(BaseModel):
    """`face_id` numbers the faces of one answer, the largest first; left is the picture's."""

    face_id: str
    confidence: Confidence
    bbox: Pixels
    landmarks: dict[Landmark, list[int]]


class Found(BaseModel):
    faces: list[Face]


class Done(BaseModel):
    success: bool = True
    face_id: str


class Person(BaseModel):
    """`confidence`: how like the registered face is that is most like it; who is not known has an empty `face_id`."""

    face_id: str
    name: str
    confidence: Confidence
    bbox: Pixels


class Recognised(BaseModel):
    faces: list[Person]


class Registered(BaseModel):
    face_id: str
    name: str
    model: str
    consent: str
    created_at: str


class Registry(BaseModel):
    faces: list[Registered]


@router.post("/detect", dependencies=[Once])
@body_limit("image")
async def detect_faces(asked: Annotated[Sent, MULTIPART], state: Here, caller: Known) -> Found:
    _, faces = await _found(state, asked.image)
    return Found(faces=[_face(number, face) for number, face in enumerate(faces, 1)])


@router.post("/register", dependencies=[Once])
@body_limit("image")
async def register_face(asked: Annotated[Portrait, MULTIPART], state: Here, caller: Known) -> Done:
    """A picture with one face; a person may be registered with several pictures, each has a `face_id`."""
    model, faces = await _found(state, asked.image, embed=True)
    if len(faces) != 1:
        found = f"图片中有 {len(faces)} 张人脸，应只有一张。" if faces else "图片中没有找到人脸。"
        raise InvalidInput(found, param="image")
    keep = Faces(state.database).keep
    return Done(face_id=await asyncio.to_thread(keep, caller.owner, asked.name, model, faces[0].vector, asked.consent))


@router.post("/recognize", dependencies=[Once])
@body_limit("image")
async def recognize_faces(asked: Annotated[Group, MULTIPART], state: Here, caller: Known) -> Recognised:
    """Faces of the caller's own registry."""
    model, faces = await _found(state, asked.image, embed=True)
    vectors = [face.vector for face in faces]
    matches = await asyncio.to_thread(Faces(state.database).nearest, caller.owners, model, vectors)
    threshold = state.models.default("face").likeness if asked.threshold is None else asked.threshold
    pairs = zip(faces, matches, strict=True)
    return Recognised(faces=[_person(face, match, threshold) for face, match in pairs])


@router.get("/faces")
def list_faces(state: Here, caller: Known) -> Registry:
    """The caller's own, newest first."""
    rows = Faces(state.database).all(caller.owners)
    return Registry(
        faces=[
            Registered(
                face_id=face_id_of(row),
                name=row.name,
                model=row.model,
                consent=row.consent,
                created_at=datetime.fromtimestamp(row.created_ms / 1000, UTC).isoformat(timespec="seconds"),
            )
            for row in rows
        ]
    )


@router.delete("/faces/{face_id}")
def delete_face(face_id: str, state: Here, caller: Known) -> Done:
    Faces(state.database).delete(face_id, caller.owners)
    return Done(face_id=face_id)


async def _found(state: State, image: UploadFile, embed: bool = False) -> tuple[str, list[SeenFace]]:
    """By the default model, whose id is told too: vectors of different models do not compare."""
    model = state.models.default("face").id
    return model, await seen(state, image, partial(state.engines.faces[model].find, embed=embed))


def _face(number: int, face: SeenFace) -> Face:
    marks = {name: rounded(point) for name, point in face.landmarks.items()}
    return Face(face_id=f"face_{number:03}", confidence=face.confidence, bbox=rounded(face.bbox), landmarks=marks)


def _person(face: SeenFace, match: Match | None, threshold: float) -> Person:
    likeness = min(max(match.likeness, 0.0), 1.0) if match else 0.0
    return Person(confidence=likeness, bbox=rounded(face.bbox), **person_of(match, threshold))


def person_of(match: Match | None, threshold: float) -> dict[str, str]:
    """Who it is that is like somebody, if like enough."""
    known = match and match.likeness >= threshold
    return {"face_id": match.face_id, "name": match.name} if match and known else {"face_id": "", "name": UNKNOWN}
