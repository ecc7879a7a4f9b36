"""The query parameter of routes that queue a job: where its end is told."""

from typing import Annotated

from fastapi import Depends, Query

from api.auth import Known
from contracts.errors import Unauthenticated
from jobs.addresses import LONGEST_URL, checked


async def _checked(
    caller: Known,
    callback_url: Annotated[
        str,
        Query(max_length=LONGEST_URL, description="http(s) URL that is sent a signed POST when the job has ended."),
    ] = "",
) -> str:
    if callback_url:
        checked(callback_url)
        if caller.address:  # others have it too, and the secret that signs is the owner's
            raise Unauthenticated("callback_url 仅供已登录或持有 API 密钥的调用方使用。")
    return callback_url


CallbackUrl = Annotated[str, Depends(_checked)]
