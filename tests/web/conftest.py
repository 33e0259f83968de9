"""Fixtures of the tests of pages: a visitor of the running application."""

from collections.abc import Iterator

import pytest

from tests.support.forms import visiting
from tests.support.installation import Installation
from tests.support.visitor import Client


@pytest.fixture
def client(installation: Installation) -> Iterator[Client]:
    """A visitor of an installation on SQLite."""
    with visiting(installation) as visitor:
        yield visitor


@pytest.fixture
def any_client(any_installation: Installation) -> Iterator[Client]:
    """A visitor of an installation on each kind of database in turn."""
    with visiting(any_installation) as visitor:
        yield visitor
