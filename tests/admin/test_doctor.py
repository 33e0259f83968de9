"""The doctor: a healthy installation has no findings, and each fault is named with its fix."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from notifier.admin.doctor.findings import Status
from tests.support.examined_world import World, around
from tests.support.installation import Installation


@pytest.fixture
def world(
    installation: Installation,
    tmp_path: Path,
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[World]:
    with around(installation, tmp_path, certificate, monkeypatch) as made:
        yield made


def test_a_healthy_installation_passes_every_check(world: World):
    with world.pages():
        examination = world.examine()
    bad = {
        finding.name: (finding.status, finding.result.actual, finding.result.fix)
        for finding in examination.findings
        if finding.status is not Status.OK
    }
    assert bad == {}
    assert examination.ok
