"""Fixtures of the tests of operator pages: an operator who is logged in."""

from collections.abc import Iterator

import pytest

from tests.support.forms import visiting
from tests.support.installation import Installation
from tests.support.operators import Operator, add_operator


@pytest.fixture
def operator(installation: Installation) -> Iterator[Operator]:
    """An owner, logged in, of an installation on SQLite."""
    add_operator(installation)
    with visiting(installation) as client:
        browser = Operator(client)
        assert browser.log_in().status_code == 303
        yield browser


@pytest.fixture
def any_operator(any_installation: Installation) -> Iterator[Operator]:
    """An owner, logged in, of an installation on each kind of database in turn."""
    add_operator(any_installation)
    with visiting(any_installation) as client:
        browser = Operator(client)
        assert browser.log_in().status_code == 303
        yield browser
