"""`notifier digests`."""

import pytest

from notifier.deliver.outbox import warm_up
from tests.support import news_site as sites
from tests.support.command_line import LATER, NOW, run_without_a_mail_server
from tests.support.mail_sink import Sink
from tests.support.news_site import Article, Site


def test_a_digest_can_be_held_and_approved(
    ready, site: Site, sink: Sink, monkeypatch: pytest.MonkeyPatch
):
    run_without_a_mail_server(ready, site, monkeypatch)
    assert "Digest 1 is held" in ready("digests", "hold", "1").out
    again = ready("digests", "hold", "1")
    assert (again.code, again.err) == (
        1,
        "Error: Digest 1 is not being sent: nothing was changed.\n",
    )
    assert ready("run", "--once", *LATER).code == 0
    assert sink.messages == []
    assert "Digest 1 is approved" in ready("digests", "approve", "1", *LATER).out
    assert ready("digests", "approve", "1", *LATER).code == 1
    assert ready("run", "--once", *LATER).code == 0
    assert len(sink.messages) == 1
    assert "There is no digest 9" in ready("digests", "hold", "9").err


def test_a_note_is_enqueued_for_those_who_got_the_digest(ready, home, site, sink):
    ready("subscribe", "anna@example.org", "--confirmed", "--every", "daily", *NOW)
    ready("run", "--once", *NOW)
    site.put("/feed/", sites.rss([Article("Frexalimab slows lesions")]))
    ready("run", "--once", *LATER)
    (home / "note.txt").write_text("An item was wrong.", encoding="utf-8")
    done = ready("digests", "note", "1", "--file", "note.txt", *LATER)
    assert done.out == "1 mail is enqueued; the next `notifier run` sends the note.\n"
    again = ready("digests", "note", "1", "--text", "An item was wrong.", *LATER)
    assert (again.code, "nothing was changed" in again.err) == (1, True)
    assert ready("digests", "note", "1").code == 2
    assert ready("digests", "note", "1", "--text", "x", "--file", "note.txt").code == 2
    ready("run", "--once", *LATER)
    assert len(sink.messages) == 2


def test_the_list_says_how_many_mails_wait_for_warm_up(
    ready, site: Site, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(warm_up, "FIRST_DAY", 1)
    for number in range(3):
        ready("subscribe", f"p{number}@example.org", "--confirmed", "--every", "daily", *NOW)
    ready("run", "--once", *NOW)
    site.put("/feed/", sites.rss([Article("Frexalimab slows lesions")]))
    monkeypatch.setenv("NOTIFIER_SMTP__WARM_UP", "true")
    assert ready("run", "--once", *LATER).code == 0
    (digest,) = ready("digests", "list", "--json").json
    assert (digest["recipients"], digest["waiting_for_warm_up"]) == (3, 2)
    assert f"2 wait for warm-up until {digest['warm_up_until']}" in ready("digests", "list").out
    monkeypatch.setenv("NOTIFIER_SMTP__WARM_UP", "false")
    ready("run", "--once", *LATER)
    (digest,) = ready("digests", "list", "--json").json
    assert (digest["waiting_for_warm_up"], digest["warm_up_until"]) == (0, None)
    assert digest["status"] == "sent"
