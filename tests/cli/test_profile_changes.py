"""`notifier profiles remove` and `notifier profiles edit`."""

import re
from pathlib import Path

import pytest
from sqlalchemy import select

from notifier.admin import profile_removal
from notifier.deliver import outbox
from notifier.deps import open_deps
from notifier.store.models import Subscription
from notifier.subscribers import lifecycle, profile_endings
from tests.support import news_site as sites
from tests.support.command_line import NOW
from tests.support.installation import MONDAY
from tests.support.mail_sink import Sink, text_of
from tests.support.news_site import Article, Site

LATER = ["--now", "2026-03-09T08:30:00Z"]


@pytest.fixture
def readers(ready, site: Site):
    """Two readers, one of them in French, and somebody who has not confirmed."""
    site.put("/feed/", sites.rss([Article("Frexalimab slows lesions")]))
    ready("poll", *NOW)
    ready("subscribe", "anna@example.org", "--confirmed", *NOW)
    ready("subscribe", "luc@example.org", "--confirmed", "--language", "fr", *NOW)
    ready("subscribe", "waiting@example.org", *NOW)
    return ready


def statuses(ready) -> dict[str, str]:
    return {
        row["email"]: row["subscriptions"][0]["status"]
        for row in ready("subscribers", "list", "--json").json
    }


def test_a_removed_profile_ends_its_subscriptions_and_tells_who_confirmed(readers, sink: Sink):
    removed = readers("profiles", "remove", "frexalimab", *NOW)
    assert (removed.code, removed.err) == (0, "")
    assert "Removed frexalimab: 2 subscriptions ended" in removed.out
    assert "1 source less to watch" in removed.out
    assert statuses(readers) == {"anna@example.org": "ended", "luc@example.org": "ended"}
    assert readers("profiles", "list", "--json").json == []
    assert readers("sources", "list", "--json").json == []
    assert readers("run", "--once", *NOW).code == 0
    assert {mail["To"]: mail["Subject"] for mail in sink.messages} == {
        "anna@example.org": "Your digest has ended",
        "luc@example.org": "Votre lettre s’arrête",
    }
    (anna,) = sink.to("anna@example.org")
    assert "news about Frexalimab" in text_of(anna)
    readers("run", "--once", *LATER)
    assert len(sink.messages) == 2


def test_a_removal_is_in_the_consent_ledger(readers):
    readers("profiles", "remove", "frexalimab", *NOW)
    shown = readers("subscribers", "show", "anna@example.org", "--json").json["consent"]
    assert [(event["event"], event["method"]) for event in shown][-1] == (
        "withdrawn",
        "profile removed",
    )


def test_nothing_matches_for_a_removed_profile_and_its_readers_cannot_undo(readers, site: Site):
    readers("sources", "edit", "9", "--profile", "", *NOW)  # watched for every profile
    readers("profiles", "remove", "frexalimab", *NOW)
    before = readers("matches", "list", "--json").json
    site.put(
        "/feed/", sites.rss([Article("Frexalimab again"), Article("Frexalimab slows lesions")])
    )
    assert readers("poll", "--force", *LATER).code == 0
    assert readers("matches", "list", "--json").json == before
    assert readers("subscribe", "new@example.org", *LATER).code == 1
    with open_deps().reading() as session:
        (subscription, _) = session.scalars(select(Subscription)).all()
        assert not lifecycle.may_undo(subscription, MONDAY)


def test_a_source_of_another_profile_is_watched_on_for_that_one(readers, home: Path):
    text = readers("profiles", "export", "frexalimab").out
    (home / "copy.toml").write_text(
        re.sub(r"(?m)^(sources|pages) = \[[^]]*\]", "", text).replace('"frexalimab"', '"copy"', 1)
    )
    assert readers("profiles", "import", "copy.toml", *NOW).code == 0
    both = ["--profile", "frexalimab", "--profile", "copy"]
    assert readers("sources", "edit", "9", *both, *NOW).code == 0
    assert "0 sources less" in readers("profiles", "remove", "frexalimab", *NOW).out
    (source,) = readers("sources", "list", "--json").json
    assert source["profiles"] == ["copy"]


def test_an_interrupted_removal_is_completed_by_another_call(
    readers, monkeypatch: pytest.MonkeyPatch, sink: Sink
):
    monkeypatch.setattr(profile_endings, "_BATCH", 1)
    enqueue, calls = outbox.enqueue_own, []

    def once(*arguments: object) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        enqueue(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(outbox, "enqueue_own", once)
        deps = open_deps(now=MONDAY)
        with pytest.raises(KeyboardInterrupt):
            profile_removal.remove(deps, "frexalimab", "operator")
        deps.engine.dispose()
    assert sorted(statuses(readers).values()) == ["confirmed", "ended", "pending"]
    assert "1 subscription ended" in readers("profiles", "remove", "frexalimab", *NOW).out
    readers("run", "--once", *NOW)
    assert sorted(mail["To"] for mail in sink.messages) == ["anna@example.org", "luc@example.org"]
    again = readers("profiles", "remove", "frexalimab", *NOW)
    assert (again.code, "is removed already" in again.err) == (1, True)


def test_an_import_brings_a_profile_back_without_its_readers(readers, sink: Sink):
    readers("profiles", "remove", "frexalimab", *NOW)
    assert readers("init", "--no-poll", *NOW).code == 0
    assert readers("profiles", "list", "--json").json == []
    assert readers("profiles", "import", "frexalimab", *NOW).code == 0
    assert [row["slug"] for row in readers("profiles", "list", "--json").json] == ["frexalimab"]
    assert set(statuses(readers).values()) == {"ended"}
    assert readers("subscribe", "anna@example.org", "--confirmed", *NOW).code == 0
    readers("run", "--once", *NOW)
    assert [mail["To"] for mail in sink.messages] == ["luc@example.org"]  # hers goes on


def test_a_profile_that_never_was_cannot_be_removed(ready):
    refused = ready("profiles", "remove", "nothing", *NOW)
    assert (refused.code, "There is no profile nothing" in refused.err) == (1, True)


@pytest.fixture
def editor(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Make `sed` with this script the editor."""

    def use(script: str) -> None:
        (home / "script.sed").write_text(script)
        monkeypatch.setenv("EDITOR", f"sed -i -f {home / 'script.sed'}")
        monkeypatch.setenv("TMPDIR", str(tmp_path))
        monkeypatch.setattr("tempfile.tempdir", None)

    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.delenv("EDITOR", raising=False)
    return use


def left_files(home: Path) -> list[Path]:
    return [*home.glob("notifier-*/*")]


def test_an_edited_profile_is_stored_as_an_imported_one(ready, editor, home: Path):
    editor('s/^name = .*/name = "Frexalimab (new)"/')
    result = ready("profiles", "edit", "frexalimab", *NOW)
    assert (result.code, result.out.startswith("Stored frexalimab")) == (0, True), result.err
    assert ready("profiles", "show", "frexalimab", "--json").json["name"] == "Frexalimab (new)"
    changes = ready("profiles", "history", "frexalimab", "--json").json[-1]["changes"]
    assert changes == ["name changed: Frexalimab (new)"]
    assert left_files(home) == []


@pytest.mark.parametrize(
    ("script", "code", "words", "kept"),
    [
        ("", 0, "No change of frexalimab", 0),
        ('s/^slug = .*/slug = "other"/', 2, "which would be another profile", 1),
        ("s/^name = .*/name = 7/", 2, "Your text is kept in", 1),
        ("s/^name = .*/name =/", 2, "is not valid TOML", 1),
        ("x;broken", 2, "The editor 'sed -i", 0),
    ],
    ids=["unchanged", "another slug", "a wrong value", "broken TOML", "a broken editor"],
)
def test_an_edit_that_cannot_be_stored_changes_nothing_and_is_kept(
    ready, editor, home: Path, script: str, code: int, words: str, kept: int
):
    before = ready("profiles", "show", "frexalimab", "--json").json
    editor(script)
    result = ready("profiles", "edit", "frexalimab", *NOW)
    assert result.code == code
    assert words in f"{result.out}{result.err}"
    assert ready("profiles", "show", "frexalimab", "--json").json == before
    assert len(left_files(home)) == kept
    assert all(path.parent.stat().st_mode & 0o077 == 0 for path in left_files(home))


def test_without_an_editor_the_other_way_is_named(ready, editor):
    refused = ready("profiles", "edit", "frexalimab", *NOW)
    assert refused.code == 2
    assert "No editor is named" in refused.err
    assert "notifier profiles export" in refused.err
