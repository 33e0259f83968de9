"""`notifier digests`."""

import pytest

from notifier.deliver.outbox import warm_up
from tests.support import news_site as sites
from tests.support.command_line import LATER, NOW, run_without_a_mail_server
from tests.support.mail_sink import Sink, text_of
from tests.support.news_site import Article, Site

EVENING = ["--now", "2026-03-02T21:00:00Z"]


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


@pytest.fixture
def draft(ready, site: Site, monkeypatch: pytest.MonkeyPatch):
    """The command line of an installation with a draft of two items."""
    monkeypatch.setenv("NOTIFIER_REVIEW__REQUIRED", "true")
    monkeypatch.setenv("NOTIFIER_OPERATOR__ADDRESS", "editor@example.org")
    ready("subscribe", "anna@example.org", "--confirmed", "--every", "daily", *NOW)
    ready("run", "--once", *NOW)
    articles = [Article("Frexalimab slows lesions"), Article("Frexalimab and sleep")]
    site.put("/feed/", sites.rss(articles))
    ready("run", "--once", *EVENING)
    return ready


def test_a_draft_is_shown_changed_and_approved_as_it_was_shown(draft, sink: Sink):
    shown = draft("digests", "show", "1").out
    assert "Item 1 (new, about): Frexalimab slows lesions" in shown
    assert "Its first readers are due at 2026-03-03T08:00:00+00:00." in shown
    (command,) = [line for line in shown.splitlines() if "approve 1 --content" in line]
    old = command.split()[-1]
    changed = draft(
        *("digests", "edit", "1", "--drop", "2", "--because", "a mattress"),
        *("--note", "One item is left.", "--json", *EVENING),
    ).json
    assert (changed["status"], changed["note"]) == ("draft", "One item is left.")
    assert [item["title"] for item in changed["items"]] == ["Frexalimab slows lesions"]
    refused = draft("digests", "approve", "1", "--content", old, *EVENING)
    assert (refused.code, "was changed since you were shown it" in refused.err) == (1, True)
    done = draft("digests", "approve", "1", "--content", changed["content"], *EVENING)
    assert done.out == "Digest 1 is approved; it is sent on 2026-03-03 at 08:00 UTC.\n"
    assert draft("run", "--once", *LATER).code == 0
    (mail,) = sink.to("anna@example.org")
    assert "One item is left." in text_of(mail)
    assert "sleep" not in text_of(mail)
    (digest,) = draft("digests", "list", "--json").json
    assert (digest["status"], digest["recipients"]) == ("sent", 1)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("approve", "1", "--content", "3f"), 2, "is no name of a content"),
        (("approve", "1", "--content", "0" * 16), 1, "was changed since you were shown it"),
        (("approve", "9"), 1, "There is no digest 9"),
        (("edit", "1"), 2, "Nothing is to be changed"),
        (("edit", "1", "--note", "x", "--note-file", "y"), 2, "A digest has one note"),
        (("edit", "1", "--note-file", "missing.txt"), 2, "missing.txt"),
        (("edit", "1", "--note", "x" * 2001), 2, "at most 2000"),
        (("edit", "1", "--drop", "1"), 2, "--because is empty"),
        (("edit", "1", "--drop", "7", "--because", "x"), 2, "Its items: "),
        (("edit", "1", "--order", "one"), 2, "Write it like: 12,15"),
        (("edit", "1", "--drop", "1", "--drop", "2", "--because", "x"), 1, "Nothing of digest 1"),
        (("drop", "1", "--because", " "), 2, "--because is empty"),
    ],
    ids=lambda value: " ".join(value)[:50] if isinstance(value, tuple) else None,
)
def test_a_wrong_decision_is_refused_and_changes_nothing(draft, arguments, code: int, words: str):
    before = draft("digests", "list", "--json").json
    refused = draft("digests", *arguments, *EVENING)
    assert (refused.code, words in refused.err) == (code, True), refused.err
    assert draft("digests", "list", "--json").json == before


def test_a_draft_is_dropped_held_or_void_and_says_so(draft):
    assert "Digest 1 is held" in draft("digests", "hold", "1", *EVENING).out
    done = draft("digests", "drop", "1", "--because", "too thin", *EVENING)
    assert done.out == (
        "Draft 1 is dropped: nobody is sent it. Its items go into the next digest.\n"
    )
    again = draft("digests", "approve", "1", *EVENING)
    assert again.err.startswith("Error: Draft 1 is dropped: too thin.")
    assert "This draft is dropped: too thin." in draft("digests", "show", "1").out


def test_a_dropped_match_makes_a_draft_void_and_can_be_restored(draft):
    done = draft("matches", "drop", "2", "--because", "a mattress", *EVENING).out
    assert "Draft 1 is void; the next run composes it anew without this." in done
    assert "To take it back: notifier matches restore 2" in done
    draft("run", "--once", *EVENING)
    restored = draft("matches", "restore", "2", *EVENING)
    assert restored.out == "Restored match 2: Frexalimab and sleep\n"
    assert draft("matches", "restore", "2", *EVENING).code == 1
    digests = draft("digests", "list", "--json").json
    assert [(digest["status"], len(digest["items"])) for digest in digests] == [
        ("draft", 1),
        ("void", 2),
    ]
