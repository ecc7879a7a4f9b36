"""Somebody who does not exist, filmed once for all tests."""

import pytest

from training.avatar.synthetic import Take, shoot
from training.avatar.synthetic.film import Scene

FILMED = 128  # pixels a side


@pytest.fixture(scope="session")
def take() -> Take:
    """Eight seconds."""
    return shoot(Scene(side=FILMED, seconds=8))
