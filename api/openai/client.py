"""Who calls: as everywhere, but for what OpenAI's clients show when they have nothing to show."""

from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from api.auth import admitted
from api.callers import Caller, secret_of
from api.state import Here
from contracts.errors import Unauthenticated
from store.keys import PREFIX

JWT_DOTS = 2


async def _client(state: Here, connection: HTTPConnection) -> Caller:
    """OpenAI's clients refuse to start without a key, so people who need none set "none" or "sk-…".

    What can be neither a key nor a token of ours is therefore no more than nothing; where keys are required, that is
    refused. A key that was revoked or a token that has expired is refused as everywhere, and not taken for nobody.
    """
    shown: Caller | Unauthenticated = connection.state.caller
    if isinstance(shown, Caller):
        return await admitted(state, shown)
    secret = secret_of(connection)
    if secret.startswith(PREFIX) or secret.count(".") == JWT_DOTS:
        raise shown
    address = state.callers.address(connection)
    return await admitted(state, Caller(address, address=address))


Client = Annotated[Caller, Depends(_client)]
