"""Voices by name: the catalogue's, and those that the caller has kept."""

import re
from typing import Annotated

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, Field

from api.auth import Known
from api.state import Here
from api.voices import model_of
from contracts.catalog import voices
from store.voices import Voices

router = APIRouter(prefix="/api/audio")
TAG = re.compile(r"([A-Za-z]{2,3})(?:[-_][A-Za-z0-9]{2,8})*")  # BCP 47, as browsers have it


def _language(value: str) -> str:
    if not value:
        return ""
    if not (tag := TAG.fullmatch(value)):
        raise ValueError("应为语言代码，例如 zh、en")
    return tag[1].lower()


Language = Annotated[str, Field(max_length=35, description="ISO 639-1; zh-CN is zh."), AfterValidator(_language)]


class Voice(BaseModel):
    """`language` is empty where it is any."""

    id: str
    name: str
    language: str
    ready: bool


@router.get("/voices")
def list_voices(state: Here, caller: Known) -> list[Voice]:
    """The catalogue's, a line for each language, and those that the caller has kept."""
    listed = []
    for spec in voices().values():
        languages = dict.fromkeys(code for called in spec.engines.values() for code in called)
        ready = model_of(state, spec) is not None
        listed += [Voice(id=spec.id, name=spec.name, language=code, ready=ready) for code in languages]
    ready = any(spec.capability == "speech" and spec.clones for spec in state.models.served.values())
    own = Voices(state.database).all(caller.owners)
    return listed + [Voice(id=row.name, name=row.name, language="", ready=ready) for row in own]
