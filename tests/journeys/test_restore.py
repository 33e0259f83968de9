"""After a restore: who left stays away, who was erased is gone, and no mail goes out twice."""

import os
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from notifier.admin import restore
from notifier.enums import DeliveryStatus, SubscriptionStatus, SuppressionCause
from notifier.errors import InputError, SettingsError, StoreError
from notifier.pipeline import compose, deliver, housekeeping, match, poll, resume, run
from notifier.settings import Backup, Subscriptions
from notifier.store import backup_state, db
from notifier.store.models import Delivery, Subscriber, Subscription, Told
from notifier.subscribers import lifecycle, privacy, subscriptions, suppressions
from tests.support import news_site as sites
from tests.support import postgres_programs
from tests.support.installation import MONDAY, Installation
from tests.support.restoring import back_up, lose_database, put_back, restorable

# The same rows and files; the exchange itself has tests of its own on both.
pytestmark = pytest.mark.postgresql_long

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PEOPLE = [f"person{number}@example.org" for number in range(4)]


@pytest.fixture
def kept(
    any_installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Installation]:
    """An installation that can be restored, with four readers of a daily digest at 8."""
    postgres_programs.provide(monkeypatch)
    with restorable(any_installation, tmp_path) as installation:
        for email in PEOPLE:
            installation.subscribe(email)
        poll.run(installation.at(MONDAY))
        yield installation


def statuses(installation: Installation) -> dict[str, str]:
    with installation.at(MONDAY).reading() as session:
        query = select(Subscriber.email, Subscription.status).join(Subscription)
        return {email: str(status) for email, status in session.execute(query)}


def leave(installation: Installation, email: str, moment: datetime) -> None:
    with installation.at(moment).writing() as session:
        assert subscriptions.unsubscribe(session, email, None, "operator test", moment)


def erase(installation: Installation, email: str, moment: datetime) -> None:
    with installation.at(moment).writing() as session:
        person = subscriptions.find_subscriber(session, email)
        privacy.erase(session, person, SuppressionCause.ERASED, "erased", moment)


def bounce(installation: Installation, email: str, moment: datetime) -> None:
    with installation.at(moment).writing() as session:
        key = subscriptions.hash_of(session, email)
        suppressions.add(session, key, SuppressionCause.BOUNCED, "5.1.1", moment)


def mails(installation: Installation) -> Counter[str]:
    """How many mails each address got."""
    return Counter(recipient for _, recipient in installation.sink.envelopes)


def run_all(installation: Installation, moment: datetime) -> run.Report:
    report = run.run_once(installation.at(moment))
    assert not report.problems
    return report


@pytest.mark.parametrize("database", ["is there", "was lost"])
def test_who_left_was_erased_or_suppressed_after_the_backup_stays_so(
    kept: Installation, tmp_path: Path, database: str
):
    file = back_up(kept, tmp_path / "monday.backup", MONDAY)
    leave(kept, PEOPLE[0], MONDAY + HOUR)
    erase(kept, PEOPLE[1], MONDAY + HOUR)
    bounce(kept, PEOPLE[2], MONDAY + HOUR)
    if database == "was lost":
        lose_database(kept)
    restored = put_back(kept, file, MONDAY + 2 * HOUR)
    assert restored.is_complete
    assert restored.since == MONDAY
    assert (restored.repeated.left, restored.repeated.erased) == (1, 1)
    assert statuses(kept) == {
        PEOPLE[0]: "ended",
        PEOPLE[2]: "confirmed",
        PEOPLE[3]: "confirmed",
    }
    kept.publish([sites.Article("Frexalimab slows lesions")])
    due = MONDAY + DAY
    run_all(kept, due)
    assert mails(kept) == {}
    prepared = resume.prepare(kept.at(due))
    resume.decide(kept.at(due), prepared.restore, send=True)
    resume.end(kept.at(due), prepared.restore)
    run_all(kept, due + HOUR)
    assert mails(kept) == {PEOPLE[3]: 1}


def test_what_the_replaced_database_knows_counts_without_a_journal(
    kept: Installation, tmp_path: Path
):
    file = back_up(kept, tmp_path / "monday.backup", MONDAY)
    kept.change(backup=Backup(journal_file=tmp_path / "another"))
    leave(kept, PEOPLE[0], MONDAY + HOUR)
    (tmp_path / "another").unlink()
    restored = put_back(kept, file, MONDAY + 2 * HOUR)
    assert restored.journal_begins_at is None
    assert restored.replaced_was_read
    assert statuses(kept)[PEOPLE[0]] == "ended"


def test_a_missing_journal_is_said_and_the_rest_is_restored(kept: Installation, tmp_path: Path):
    file = back_up(kept, tmp_path / "monday.backup", MONDAY)
    (tmp_path / "notifier.departures").unlink()
    lose_database(kept)
    restored = put_back(kept, file, MONDAY + HOUR)
    assert not restored.is_complete
    assert restored.kept == ""
    assert len(statuses(kept)) == len(PEOPLE)


def test_who_came_back_after_leaving_is_not_ended(kept: Installation, tmp_path: Path):
    file = back_up(kept, tmp_path / "monday.backup", MONDAY)
    leave(kept, PEOPLE[0], MONDAY + HOUR)
    with kept.at(MONDAY + 2 * HOUR).writing() as session:
        subscription = subscriptions.find_subscriber(session, PEOPLE[0]).subscriptions[0]
        assert lifecycle.undo(session, subscription, MONDAY + 2 * HOUR)
    lose_database(kept)
    put_back(kept, file, MONDAY + 3 * HOUR)
    assert statuses(kept)[PEOPLE[0]] == "confirmed"


def test_nothing_is_sent_twice_and_nothing_is_lost_where_the_replaced_database_is_there(
    kept: Installation, tmp_path: Path
):
    """Tuesday's digest went out after the backup; Wednesday's is due at the restore."""
    file = back_up(kept, tmp_path / "monday.backup", MONDAY)
    kept.publish([sites.Article("Frexalimab slows lesions")])
    run_all(kept, MONDAY + DAY)
    assert mails(kept) == dict.fromkeys(PEOPLE, 1)
    kept.publish(
        [sites.Article("Frexalimab slows lesions"), sites.Article("Frexalimab is filed in Japan")]
    )
    later = MONDAY + 2 * DAY
    put_back(kept, file, later)
    prepared = resume.prepare(kept.at(later))
    assert prepared.evidence
    (waiting,) = resume.waiting(kept.at(later), prepared.restore)
    assert waiting.titles == ("Frexalimab is filed in Japan",)
    assert waiting.recipients == len(PEOPLE)
    resume.decide(kept.at(later), prepared.restore, send=True)
    resume.end(kept.at(later), prepared.restore)
    run_all(kept, later + HOUR)
    assert mails(kept) == dict.fromkeys(PEOPLE, 2)
    texts = [str(message) for message in kept.sink.messages[len(PEOPLE) :]]
    assert all("filed in Japan" in text for text in texts)
    assert not any("slows lesions" in text for text in texts)


def test_a_mail_of_the_backup_that_was_sent_since_is_known_by_its_message_id(
    kept: Installation, tmp_path: Path
):
    """The backup has a digest whose mails wait; half of them went out before the restore."""
    kept.publish([sites.Article("Frexalimab slows lesions")])
    due = MONDAY + DAY
    poll.run(kept.at(due))
    match.run(kept.at(due))
    compose.run(kept.at(due))
    file = back_up(kept, tmp_path / "tuesday.backup", due)
    answers = 0

    def is_enough() -> bool:
        nonlocal answers
        answers = len(kept.sink.messages)
        return answers >= 2

    deliver.run(kept.at(due), is_enough)
    sent = len(kept.sink.messages)
    assert sent >= 2
    put_back(kept, file, due + HOUR)
    prepared = resume.prepare(kept.at(due + HOUR))
    assert prepared.already_sent == sent
    waiting = resume.waiting(kept.at(due + HOUR), prepared.restore)
    assert sum(each.recipients for each in waiting) == len(PEOPLE) - sent
    resume.decide(kept.at(due + HOUR), prepared.restore, send=True)
    resume.end(kept.at(due + HOUR), prepared.restore)
    run_all(kept, due + 2 * HOUR)
    assert mails(kept) == dict.fromkeys(PEOPLE, 1)


@pytest.mark.parametrize(("send", "number"), [(True, 1), (False, 0)], ids=["sent", "skipped"])
def test_without_the_replaced_database_a_person_decides(
    kept: Installation, tmp_path: Path, send: bool, number: int
):
    file = back_up(kept, tmp_path / "monday.backup", MONDAY)
    kept.publish([sites.Article("Frexalimab slows lesions")])
    lose_database(kept)
    due = MONDAY + DAY
    put_back(kept, file, due)
    prepared = resume.prepare(kept.at(due))
    assert not prepared.evidence
    (waiting,) = resume.waiting(kept.at(due), prepared.restore)
    assert (waiting.profile, waiting.recipients) == ("frexalimab", len(PEOPLE))
    run_all(kept, due)
    assert mails(kept) == {}, "before the decision"
    resume.decide(kept.at(due), prepared.restore, send=send, only=[waiting.digest_id])
    assert resume.waiting(kept.at(due), prepared.restore) == []
    run_all(kept, due)
    assert mails(kept) == {}, "before the end"
    resume.end(kept.at(due), prepared.restore)
    run_all(kept, due + HOUR)
    run_all(kept, due + DAY + HOUR)
    assert mails(kept) == (dict.fromkeys(PEOPLE, number) if number else {})


def test_a_digest_that_was_skipped_counts_as_told(kept: Installation, tmp_path: Path):
    file = back_up(kept, tmp_path / "monday.backup", MONDAY)
    kept.publish([sites.Article("Frexalimab slows lesions")])
    lose_database(kept)
    due = MONDAY + DAY
    put_back(kept, file, due)
    prepared = resume.prepare(kept.at(due))
    resume.decide(kept.at(due), prepared.restore, send=False)
    resume.end(kept.at(due), prepared.restore)
    with kept.at(due).reading() as session:
        ended = select(func.count(Delivery.id)).where(Delivery.status == DeliveryStatus.SUPPRESSED)
        assert session.scalar(ended) == len(PEOPLE)
        assert session.scalar(select(func.count()).select_from(Told)) == len(PEOPLE)
        assert backup_state.restored(session) is None


def test_a_backup_of_another_key_is_refused_and_nothing_is_changed(
    kept: Installation, tmp_path: Path
):
    file = back_up(kept, tmp_path / "monday.backup", MONDAY)
    kept.subscribe("new@example.org")
    own = kept.at(MONDAY).settings.suppression_key
    kept.change(suppression_key="yet another key that only the tests know")
    with pytest.raises((InputError, SettingsError), match="suppression_key is not the one"):
        put_back(kept, file, MONDAY + HOUR)
    kept.change(suppression_key=own)
    assert "new@example.org" in statuses(kept)


def test_a_backup_of_a_newer_notifier_is_refused(
    kept: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    file = back_up(kept, tmp_path / "monday.backup", MONDAY)
    monkeypatch.setattr(db, "newest_migration", lambda: "0003")
    with pytest.raises(InputError, match="of a newer notifier") as refused:
        put_back(kept, file, MONDAY + HOUR)
    assert "Nothing was changed" in refused.value.fix


def test_a_database_in_use_is_refused_and_stays(kept: Installation, tmp_path: Path):
    file = back_up(kept, tmp_path / "monday.backup", MONDAY)
    kept.subscribe("new@example.org")
    deps = kept.at(MONDAY)
    other = db.make_engine(deps.settings.database_url)
    try:
        with db.reading(other) as session:
            session.scalars(select(Subscription.id)).all()
        with pytest.raises(StoreError, match="in use") as refused:
            put_back(kept, file, MONDAY + HOUR)
    finally:
        other.dispose()
    assert "Nothing was changed" in refused.value.fix
    assert "new@example.org" in statuses(kept)
    with deps.reading() as session:
        assert backup_state.restored(session) is None


def test_a_restore_that_fails_leaves_everything_as_it_was(
    kept: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    file = back_up(kept, tmp_path / "monday.backup", MONDAY)
    kept.subscribe("new@example.org")

    def fails(*_args) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(restore.sqlite_swap, "exchange", fails)
        patched.setattr(restore.departed, "repeat", fails)
        with pytest.raises((StoreError, OSError), match="No space left"):
            put_back(kept, file, MONDAY + HOUR)
    assert "new@example.org" in statuses(kept)
    with kept.at(MONDAY).reading() as session:
        assert backup_state.restored(session) is None
    assert [path.name for path in tmp_path.glob(".*restoring*")] == []


@pytest.mark.parametrize("end", ["", "-wal", "-shm", "-journal"], ids="restoring{}".format)
def test_a_restore_removes_each_file_that_a_killed_one_left(
    installation: Installation, tmp_path: Path, end: str
):
    with restorable(installation, tmp_path) as kept:
        file = back_up(kept, tmp_path / "monday.backup", MONDAY)
        database = Path(str(kept.at(MONDAY).engine.url.database))
        left = database.with_name(f".{database.name}.0123456789abcdef.restoring{end}")
        left.touch()
        put_back(kept, file, MONDAY + HOUR)
        assert not left.exists()


@pytest.mark.parametrize(
    "content", [b"nonsense" * 9999, b"SQLite format 3\0" + b"?" * 9999], ids=len
)
def test_a_broken_database_is_kept_as_it_is(
    installation: Installation, tmp_path: Path, content: bytes
):
    with restorable(installation, tmp_path) as kept_installation:
        kept_installation.subscribe(PEOPLE[0])
        file = back_up(kept_installation, tmp_path / "monday.backup", MONDAY)
        leave(kept_installation, PEOPLE[0], MONDAY + HOUR)
        kept_installation.at(MONDAY).engine.dispose()
        database = tmp_path / "subscribers.db"
        database.write_bytes(content)
        database.with_name("subscribers.db-wal").write_bytes(b"a log of it")
        restored = put_back(kept_installation, file, MONDAY + 2 * HOUR)
        assert Path(restored.kept).read_bytes() == content
        assert not restored.replaced_was_read
        assert statuses(kept_installation) == {PEOPLE[0]: "ended"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_a_database_that_root_restores_belongs_to_who_it_belonged_to(
    installation: Installation, tmp_path: Path
):
    with restorable(installation, tmp_path) as kept_installation:
        file = back_up(kept_installation, tmp_path / "monday.backup", MONDAY)
        kept_installation.at(MONDAY).engine.dispose()
        database = tmp_path / "subscribers.db"
        os.chown(database, 12345, 12346)
        put_back(kept_installation, file, MONDAY + HOUR)
        state = database.stat()
        assert (state.st_uid, state.st_gid, state.st_mode & 0o007) == (12345, 12346, 0)


def test_a_restored_database_is_one_that_can_be_backed_up_and_restored_again(
    kept: Installation, tmp_path: Path
):
    file = back_up(kept, tmp_path / "monday.backup", MONDAY)
    put_back(kept, file, MONDAY + HOUR)
    kept.subscribe("new@example.org")
    again = back_up(kept, tmp_path / "tuesday.backup", MONDAY + DAY)
    restored = put_back(kept, again, MONDAY + DAY + HOUR)
    assert restored.contents.subscriptions == len(PEOPLE) + 1
    assert all(status == SubscriptionStatus.CONFIRMED for status in statuses(kept).values())


def test_who_answered_the_last_question_after_the_backup_is_not_ended_for_silence(
    kept: Installation, tmp_path: Path
):
    kept.change(subscriptions=Subscriptions(renewal_months=12))
    for day in (366, 381):
        run_all(kept, MONDAY + day * DAY)
    file = back_up(kept, tmp_path / "monday.backup", MONDAY + 385 * DAY)
    with kept.at(MONDAY + 386 * DAY).writing() as session:
        for subscription in session.scalars(select(Subscription)):
            assert lifecycle.renew(session, subscription, MONDAY + 386 * DAY)
    put_back(kept, file, MONDAY + 396 * DAY)
    asked = len(kept.sink.messages)
    run_all(kept, MONDAY + 397 * DAY)
    assert {*statuses(kept).values()} == {"confirmed"}
    assert len(kept.sink.messages) == asked
    end_restore(kept, MONDAY + 398 * DAY)
    run_all(kept, MONDAY + 398 * DAY)
    again = kept.sink.messages[asked:]
    assert [mail["Subject"] for mail in again] == [
        "Last question: do you still want your digest?"
    ] * len(PEOPLE)
    run_all(kept, MONDAY + 411 * DAY)
    assert {*statuses(kept).values()} == {"confirmed"}
    run_all(kept, MONDAY + 413 * DAY)
    assert {*statuses(kept).values()} == {"ended"}


def end_restore(installation: Installation, moment: datetime) -> None:
    prepared = resume.prepare(installation.at(moment))
    resume.decide(installation.at(moment), prepared.restore, send=True)
    resume.end(installation.at(moment), prepared.restore)


@pytest.mark.parametrize("day", [366, 381, 396])
def test_nobody_is_asked_or_ended_for_silence_while_a_restore_waits(
    kept: Installation, tmp_path: Path, day: int
):
    kept.change(subscriptions=Subscriptions(renewal_months=12))
    for earlier in (366, 381):
        if earlier < day:
            run_all(kept, MONDAY + earlier * DAY)
    asked = select(func.count()).select_from(Delivery)
    file = back_up(kept, tmp_path / "monday.backup", MONDAY + (day - 1) * DAY)
    put_back(kept, file, MONDAY + day * DAY)
    with kept.at(MONDAY).reading() as session:
        before = session.scalar(asked)
    housekeeping.run(kept.at(MONDAY + day * DAY + HOUR))
    with kept.at(MONDAY).reading() as session:
        assert session.scalar(asked) == before
    assert {*statuses(kept).values()} == {"confirmed"}
