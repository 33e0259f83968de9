"""`notifier deliveries`."""

from tests.support import news_site as sites
from tests.support.command_line import LATER, NOW
from tests.support.mail_sink import Sink
from tests.support.news_site import Article, Site


def test_long_lists_show_their_newest_rows(ready):
    for number in range(5):
        ready("subscribe", f"p{number}@example.org", *NOW)
    shown = ready("deliveries", "list", "--limit", "2")
    assert "These are the newest 2 of 5" in shown.err
    newest = ready("deliveries", "list", "--limit", "2", "--json").json
    assert [delivery["id"] for delivery in newest] == [5, 4]
    assert len(ready("deliveries", "list", "--json").json) == 5
    assert ready("deliveries", "list").err == ""
    assert ready("deliveries", "list", "--limit", "0").code == 2
    people = ready("subscribers", "list", "--limit", "2")
    assert "p3@example.org" in people.out
    assert "p4@example.org" in people.out
    assert "p2@example.org" not in people.out
    assert "These are the newest 2 of 5" in people.err
    assert len(ready("subscribers", "list", "--json").json) == 5


def test_a_failed_delivery_is_retried_with_its_message_id(ready, site: Site, sink: Sink):
    ready("subscribe", "anna@example.org", "--confirmed", "--every", "daily", *NOW)
    ready("run", "--once", *NOW)
    site.put("/feed/", sites.rss([Article("Frexalimab slows lesions")]))
    sink.refuse_recipient["anna@example.org"] = "553 5.1.3 this form is not taken here"
    assert ready("run", "--once", *LATER).code == 1
    (failed,) = ready("deliveries", "list", "--status", "failed", "--json").json
    assert sink.messages == []

    sink.refuse_recipient.clear()
    assert ready("deliveries", "retry", *LATER).out == "1 delivery is due again.\n"
    (pending,) = ready("deliveries", "list", "--json").json
    assert (pending["status"], pending["attempts"]) == ("pending", 0)
    assert ready("run", "--once", *LATER).code == 0
    (message,) = sink.messages
    assert message["Message-ID"] == failed["message_id"] == pending["message_id"]
    assert ready("deliveries", "list", "--json").json[0]["status"] == "sent"
    assert ready("deliveries", "retry", *LATER).out == "0 deliveries are due again.\n"
    assert len(sink.messages) == 1


def test_a_delivery_is_dropped_by_its_id(ready, site: Site, sink: Sink):
    ready("subscribe", "anna@example.org", "--confirmed", "--every", "daily", *NOW)
    ready("run", "--once", *NOW)
    site.put("/feed/", sites.rss([Article("Frexalimab slows lesions")]))
    sink.refuse_recipient["anna@example.org"] = "553 5.1.3 this form is not taken here"
    refused = ready("run", "--once", *LATER)
    assert "Digest 1 reached nobody: 1 mail was refused or given up." in refused.err
    assert "notifier deliveries retry 1" in refused.err
    sink.refuse_recipient.clear()

    assert ready("deliveries", "drop", "1", *LATER).out == "1 delivery is dropped.\n"
    assert ready("deliveries", "drop", "1", *LATER).code == 1
    assert ready("deliveries", "retry", "7", *LATER).code == 1
    assert ready("deliveries", "drop", *LATER).code == 2
    (dropped,) = ready("deliveries", "list", "--json").json
    assert dropped["status"] == "suppressed"
    assert ready("run", "--once", *LATER).code == 0
    assert sink.messages == []


def test_a_person_stops_and_resumes_the_sending(ready, site: Site, sink: Sink):
    ready("subscribe", "anna@example.org", "--confirmed", "--every", "daily", *NOW)
    ready("run", "--once", *NOW)
    site.put("/feed/", sites.rss([Article("Frexalimab slows lesions")]))
    stopped = ready("deliveries", "stop", *NOW)
    assert (stopped.code, "notifier deliveries resume" in stopped.out) == (0, True)
    assert ready("deliveries", "stop").code == 1
    run = ready("run", "--once", *LATER)
    assert (run.code, sink.messages) == (0, [])
    assert "Sending is stopped since 2026-03-02T09:00:00+00:00" in run.err
    listed = ready("deliveries", "list", "--json")
    assert [delivery["status"] for delivery in listed.json] == ["pending"]
    assert "notifier deliveries resume" in listed.err
    assert ready("deliveries", "resume").code == 0
    assert ready("deliveries", "resume").code == 1
    assert ready("run", "--once", *LATER).err == ""
    assert len(sink.messages) == 1
