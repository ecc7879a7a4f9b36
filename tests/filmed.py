"""Somebody who does not exist, filmed once for all tests."""

import pytest

from tests.media import FILMED
from training.avatar.synthetic import Take, shoot
from training.avatar.synthetic.film import Scene


@pytest.fixture(scope="session")
def take() -> Take:
    """Eight seconds."""
    return shoot(Scene(side=FILMED, seconds=8))
