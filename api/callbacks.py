"""The query parameter of routes that queue a job: where its end is told."""

from typing import Annotated

from fastapi import Depends, Query

from jobs.addresses import LONGEST_URL, checked


def _checked(
    callback_url: Annotated[
        str,
        Query(max_length=LONGEST_URL, description="http(s) URL that is sent a signed POST when the job has ended."),
    ] = "",
) -> str:
    if callback_url:
        checked(callback_url)
    return callback_url


CallbackUrl = Annotated[str, Depends(_checked)]
