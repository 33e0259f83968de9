"""What the tests of the doctor share: the servers around the installation."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.examined_world import Servers, servers


@pytest.fixture(scope="module")
def running(certificate: Path) -> Iterator[Servers]:
    """A name server and mail servers for all tests of a file; `around` resets them."""
    with servers(certificate) as started:
        yield started
