"""Somebody who asks all the time, one question after another."""

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx

PAUSE_S = 0.05


@contextmanager
def asking(
    url: str, path: str, headers: Mapping[str, str] | httpx.Headers | None = None, verify: bool = True
) -> Iterator[Counter[int | str]]:
    """What was answered, by status; where nothing was, by the name of the error."""
    answered: Counter[int | str] = Counter()
    over = threading.Event()

    def ask() -> None:
        with httpx.Client(base_url=url, headers=headers, verify=verify, timeout=60) as client:
            while not over.wait(PAUSE_S):
                try:
                    answered[client.get(path).status_code] += 1
                except httpx.HTTPError as error:
                    answered[type(error).__name__] += 1

    asks = threading.Thread(target=ask)
    asks.start()
    try:
        yield answered
    finally:
        over.set()
        asks.join()
