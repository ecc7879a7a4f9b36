"""Clusters that tests share: one is started for the first that needs it and ended after the last, and those tests come
last that bring clusters of their own. So two stand side by side as seldom as can be, on two cores and their memory."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Cluster

SHARED = ("cluster", "studio")  # fixtures
RUNNING: dict[str, "Cluster"] = {}
LAST: dict[str, str] = {}  # the test after which each is needed no more


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A module's tests stay together: without a cluster, with the one, with the other, with one of their own."""
    ranks: dict[object, int] = {}
    for item in items:
        ranks[item.path] = max(ranks.get(item.path, 0), _rank(item))
    items.sort(key=lambda item: ranks[item.path])
    LAST.update({name: item.nodeid for item in items if not _is_alone(item) for name in _shared(item)})


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    yield
    for name in SHARED:
        if LAST.get(name) == item.nodeid:
            end(name)


def end(name: str) -> None:
    from tests.conftest import stop

    if running := RUNNING.pop(name, None):
        stop(running)


def _rank(item: pytest.Item) -> int:
    if _is_alone(item):
        return len(SHARED) + 1
    return max((SHARED.index(name) + 1 for name in _shared(item)), default=0)


def _shared(item: pytest.Item) -> list[str]:
    return [name for name in SHARED if name in getattr(item, "fixturenames", ())]


def _is_alone(item: pytest.Item) -> bool:
    return item.get_closest_marker("alone") is not None
