"""`notifier digests`."""

import pytest

from tests.support.command_line import LATER, run_without_a_mail_server
from tests.support.mail_sink import Sink
from tests.support.news_site import Site


def test_a_digest_can_be_held_and_approved(
    ready, site: Site, sink: Sink, monkeypatch: pytest.MonkeyPatch
):
    run_without_a_mail_server(ready, site, monkeypatch)
    assert "Digest 1 is held" in ready("digests", "hold", "1").out
    again = ready("digests", "hold", "1")
    assert (again.code, again.err) == (1, "Digest 1 is not being sent: nothing was changed.\n")
    assert ready("run", "--once", *LATER).code == 0
    assert sink.messages == []
    assert "Digest 1 is approved" in ready("digests", "approve", "1", *LATER).out
    assert ready("digests", "approve", "1", *LATER).code == 1
    assert ready("run", "--once", *LATER).code == 0
    assert len(sink.messages) == 1
    assert "There is no digest 9" in ready("digests", "hold", "9").err
