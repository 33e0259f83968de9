"""Digests under review: composed before they are due, sent to nobody without approval, and once."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import event, select, update

from notifier.admin import review, why
from notifier.admin.why.verdict import Outcome, Verdict
from notifier.digest import archive, digests, drafts
from notifier.digest.editing import Edit
from notifier.enums import NewsKind
from notifier.errors import InputError, NotifierError
from notifier.pipeline import compose, match, planning, poll
from notifier.pipeline.run import run_once
from notifier.settings import Operator, Review
from notifier.store.models import Delivery, Digest, Match, Notice, Subscription
from notifier.subscribers import lifecycle, subscriptions
from tests.pipeline.test_planning import crash_at_commit
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import text_of
from tests.support.news_site import Article
from tests.support.operators import add_operator

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# Daily digests are due at 8 o'clock; their drafts are composed at 20 o'clock, 12 hours before.
DUE = MONDAY + DAY - HOUR
EVENING = DUE - 12 * HOUR
ANNA, BEN, EDITOR = "anna@example.org", "ben@example.org", "editor@example.org"
LESIONS = Article("Frexalimab slows lesions", "Of 89 patients, 40 had none.", slug="lesions")
CORRECTED = replace(LESIONS, summary="Of 89 patients, 14 had none.")
WITHDRAWN = replace(LESIONS, title=f"RETRACTED: {LESIONS.title}")
SLEEP = Article("Frexalimab and sleep", "A survey of 12 clinics.", slug="sleep")
TRIAL = Article("Frexalimab phase 3 trial is full", "All 1400 places are taken.", slug="full")


@pytest.fixture
def reviewed(any_installation: Installation) -> Installation:
    """An installation with review, Anna as a daily reader, and news of Monday noon."""
    any_installation.prepare(begin)
    any_installation.change(review=Review(required=True), operator=Operator(address=EDITOR))
    return any_installation


def begin(installation: Installation) -> None:
    installation.subscribe(ANNA)
    run_once(installation.at(MONDAY))
    publish(installation, MONDAY + 3 * HOUR, LESIONS)


def publish(installation: Installation, moment: datetime, *articles: Article) -> None:
    installation.publish(list(articles))
    poll.run(installation.at(moment))
    match.run(installation.at(moment))


def run(installation: Installation, *moments: datetime) -> None:
    for moment in moments:
        report = run_once(installation.at(moment))
        assert (report.problems, report.unreached) == ((), ())


def digests_of(installation: Installation) -> list[Digest]:
    with installation.at(MONDAY).reading() as session:
        return list(session.scalars(select(Digest).order_by(Digest.id)))


def served(installation: Installation) -> list[int]:
    """Return the subscriptions that a digest was planned for."""
    planned = select(Delivery.subscription_id).where(Delivery.digest_id.is_not(None))
    with installation.at(MONDAY).reading() as session:
        return sorted(session.scalars(planned))


def statuses(installation: Installation) -> list[str]:
    return [str(digest.status) for digest in digests_of(installation)]


def subjects(installation: Installation) -> list[str]:
    """Return the subjects of the mails to the operator, without what all begin with."""
    with installation.at(MONDAY).reading() as session:
        texts = session.scalars(select(Notice.subject).order_by(Notice.id))
        return [text.removeprefix("notifier: ") for text in texts]


def waits(number: int) -> str:
    return f"draft {number} waits for your approval"


def approve(installation: Installation, moment: datetime, number: int = 1) -> datetime | None:
    return review.approve(installation.at(moment), number)


def titles(installation: Installation, reader: str = ANNA) -> list[str]:
    """Return the headlines that a reader was sent, in their order."""
    return [
        article.title
        for mail in installation.sink.to(reader)
        for article in sorted(
            (LESIONS, SLEEP, TRIAL), key=lambda article: text_of(mail).find(article.title)
        )
        if article.title in text_of(mail)
    ]


def match_of(installation: Installation, article: Article) -> int:
    with installation.at(MONDAY).reading() as session:
        newest = select(Match).order_by(Match.id.desc())
        return next(
            found.id for found in session.scalars(newest) if found.entry.title == article.title
        )


def change(installation: Installation, reader: str, **values: object) -> None:
    """Change the stored subscription of a reader."""
    with installation.at(MONDAY).writing() as session:
        person = subscriptions.find_subscriber(session, reader)
        owner = Subscription.subscriber_id == person.id
        session.execute(update(Subscription).where(owner).values(**values))


def leave(installation: Installation, reader: str, moment: datetime) -> None:
    with installation.at(moment).writing() as session:
        subscription = subscriptions.find_subscriber(session, reader).subscriptions[0]
        assert subscriptions.end(session, subscription, "link", "subscriber", moment)


@pytest.mark.postgresql_long
def test_a_draft_is_composed_before_the_due_time_and_mailed_to_the_operator(reviewed):
    run(reviewed, EVENING - HOUR)
    assert statuses(reviewed) == []
    run(reviewed, EVENING)
    assert statuses(reviewed) == ["draft"]
    (mail,) = reviewed.sink.to(EDITOR)
    assert mail["Subject"] == f"notifier: {waits(1)}"
    command = f"notifier digests approve 1 --content {drafts.content_of(digests_of(reviewed)[0])}"
    parts = {
        part.get_content_type(): part.get_content()
        for part in mail.walk()
        if not part.is_multipart()
    }
    for kind in ("text/plain", "text/html"):
        assert LESIONS.title in parts[kind]
        assert command in parts[kind]
        words = " ".join(parts[kind].split())
        assert "Tuesday, 3 March 2026, 08:00 (UTC)" in words
        assert "At present one reader waits for it." in words
    assert reviewed.sink.to(ANNA) == []
    run(reviewed, EVENING + HOUR)
    assert (statuses(reviewed), len(reviewed.sink.to(EDITOR))) == (["draft"], 1)


@pytest.mark.postgresql_long
def test_the_mail_about_a_draft_leads_to_its_page_where_somebody_may_log_in(reviewed):
    add_operator(reviewed)
    run(reviewed, EVENING)
    (mail,) = reviewed.sink.to(EDITOR)
    assert "https://news.example.org/operator/digests/1\n" in text_of(mail)
    html = mail.get_body(("html",)).get_content()
    assert 'href="https://news.example.org/operator/digests/1"' in html


@pytest.mark.postgresql_long
def test_an_approved_draft_is_sent_when_it_is_due_and_once(reviewed):
    run(reviewed, EVENING)
    assert approve(reviewed, EVENING + HOUR) == DUE
    run(reviewed, EVENING + HOUR, DUE - timedelta(minutes=1))
    assert (reviewed.sink.to(ANNA), statuses(reviewed)) == ([], ["approved"])
    run(reviewed, DUE, DUE + timedelta(minutes=1), DUE + HOUR)
    assert (titles(reviewed), statuses(reviewed)) == ([LESIONS.title], ["sent"])
    run(reviewed, DUE + DAY, DUE + 2 * DAY)
    assert (titles(reviewed), statuses(reviewed)) == ([LESIONS.title], ["sent"])
    assert subjects(reviewed) == [waits(1)]


def test_two_approvals_at_once_are_one(reviewed):
    run(reviewed, EVENING)
    outcomes: list[str] = []

    def decide() -> None:
        try:
            approve(reviewed, EVENING)
            outcomes.append("approved")
        except NotifierError as error:
            outcomes.append(error.problem)

    both = [threading.Thread(target=decide) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert sorted(outcomes) == ["Digest 1 is approved already: nothing was changed.", "approved"]
    run(reviewed, DUE)
    assert titles(reviewed) == [LESIONS.title]


def test_two_processes_at_once_store_one_draft_and_plan_each_mail_once(reviewed: Installation):
    def at_once(moment: datetime) -> None:
        both = [threading.Thread(target=compose.run, args=(reviewed.at(moment),)) for _ in range(2)]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()

    at_once(EVENING)
    (draft,) = digests_of(reviewed)
    assert subjects(reviewed) == [waits(draft.id)]
    approve(reviewed, EVENING, draft.id)
    at_once(DUE)
    assert served(reviewed) == [1]


def test_a_run_that_ends_anywhere_is_completed_by_the_next(
    any_installation: Installation, monkeypatch: pytest.MonkeyPatch
):
    for name in ("_FIRST", "_FEWEST", "_MOST"):
        monkeypatch.setattr(planning, name, 2)
    any_installation.change(review=Review(required=True), operator=Operator(address=EDITOR))
    deps = any_installation.at(any_installation.discover(5))
    for number in range(4):
        with crash_at_commit(deps, number):
            compose.run(deps)
    compose.run(deps)
    # PostgreSQL does not give the number of a draft again whose transaction failed.
    (draft,) = digests_of(any_installation)
    assert subjects(any_installation) == [waits(draft.id)]
    review.approve(deps, draft.id)
    counts = set()
    for number in range(4):
        with crash_at_commit(deps, number):
            compose.run(deps)
        counts.add(len(served(any_installation)))
    compose.run(deps)
    assert served(any_installation) == [1, 2, 3, 4, 5]
    assert counts == {0, 2, 5}, "the runs ended at different places"
    assert statuses(any_installation) == ["approved"]


@pytest.mark.postgresql_long
def test_while_drafts_wait_their_readers_are_not_looked_for_at_every_tick(
    reviewed: Installation,
):
    deps = reviewed.at(DUE)
    statements: list[str] = []

    def note(_connection, _cursor, statement: str, *_others) -> None:
        statements.append(statement)

    for _ in range(2):
        compose.run(deps)
    event.listen(deps.engine, "before_cursor_execute", note)
    compose.run(deps)
    event.remove(deps.engine, "before_cursor_execute", note)
    assert statements
    assert not [statement for statement in statements if "language" in statement]
    review.approve(deps, 1)
    run_once(deps)
    assert titles(reviewed) == [LESIONS.title]


def without_approval(reviewed):
    """Nothing is sent; one reminder; a late approval sends at once, and says so."""
    run(reviewed, EVENING, DUE - 4 * HOUR)
    assert subjects(reviewed) == [waits(1)]
    run(reviewed, DUE - 3 * HOUR, DUE - 2 * HOUR, DUE, DUE + HOUR, DUE + 60 * HOUR)
    assert subjects(reviewed) == [waits(1), "draft 1 still waits for your approval"]
    assert (statuses(reviewed), reviewed.sink.to(ANNA)) == (["draft"], [])
    assert approve(reviewed, DUE + 61 * HOUR) is None
    run(reviewed, DUE + 61 * HOUR)
    (mail,) = reviewed.sink.to(ANNA)
    assert "was due on Tuesday, 3 March 2026, 08:00" in " ".join(text_of(mail).split())


def later_news(reviewed):
    """What is matched after the draft waits for the next digest."""
    run(reviewed, EVENING)
    publish(reviewed, EVENING + HOUR, LESIONS, SLEEP)
    run(reviewed, EVENING + 2 * HOUR)
    assert statuses(reviewed) == ["draft"]
    approve(reviewed, EVENING + 3 * HOUR)
    run(reviewed, DUE, EVENING + DAY)
    assert (titles(reviewed), statuses(reviewed)) == ([LESIONS.title], ["sent", "draft"])
    approve(reviewed, EVENING + DAY, 2)
    run(reviewed, DUE + DAY)
    assert titles(reviewed) == [LESIONS.title, SLEEP.title]


def later_news_before_a_late_approval(reviewed):
    """However late the approval is, the draft is sent as it was shown."""
    run(reviewed, EVENING)
    publish(reviewed, DUE + HOUR, LESIONS, SLEEP)
    run(reviewed, DUE + 2 * HOUR, DUE + 40 * HOUR)
    approve(reviewed, DUE + 41 * HOUR)
    run(reviewed, DUE + 41 * HOUR)
    assert titles(reviewed) == [LESIONS.title]


def a_correction(reviewed):
    """The draft is void, composed anew, and that is reported once; the old one is not approved."""
    run(reviewed, EVENING)
    publish(reviewed, EVENING + HOUR, CORRECTED)
    with pytest.raises(NotifierError, match=r"was corrected\. It is not approved"):
        approve(reviewed, EVENING + HOUR)
    run(reviewed, EVENING + 2 * HOUR, EVENING + 3 * HOUR)
    assert statuses(reviewed) == ["void", "draft"]
    assert subjects(reviewed) == [waits(1), "draft 1 is void", waits(2)]
    with pytest.raises(NotifierError, match="Draft 1 is void: “Frexalimab slows lesions” was"):
        approve(reviewed, EVENING + 4 * HOUR)
    approve(reviewed, EVENING + 4 * HOUR, 2)
    run(reviewed, DUE, DUE + DAY)
    (mail,) = reviewed.sink.to(ANNA)
    assert "14 had none" in text_of(mail)
    assert "40 had none" not in text_of(mail)


def a_correction_after_the_approval(reviewed):
    """The approval does not count any more."""
    run(reviewed, EVENING)
    approve(reviewed, EVENING + HOUR)
    publish(reviewed, EVENING + 2 * HOUR, CORRECTED)
    run(reviewed, DUE, DUE + HOUR)
    assert (statuses(reviewed), reviewed.sink.to(ANNA)) == (["void", "draft"], [])
    (notice,) = [mail for mail in reviewed.sink.to(EDITOR) if "void" in mail["Subject"]]
    assert "Your approval of it does not count any more" in " ".join(text_of(notice).split())
    approve(reviewed, DUE + 2 * HOUR, 2)
    run(reviewed, DUE + 2 * HOUR)
    assert titles(reviewed) == [LESIONS.title]


def a_withdrawal(reviewed):
    """Nothing is left of the draft: nobody is sent anything."""
    run(reviewed, EVENING)
    publish(reviewed, EVENING + HOUR, WITHDRAWN)
    run(reviewed, EVENING + 2 * HOUR, DUE, DUE + DAY)
    assert (statuses(reviewed), reviewed.sink.to(ANNA)) == (["void"], [])
    assert subjects(reviewed) == [waits(1), "draft 1 is void"]


def a_withdrawal_of_one_of_two(reviewed):
    """The other item is in a new draft."""
    publish(reviewed, EVENING - HOUR, LESIONS, SLEEP)
    run(reviewed, EVENING)
    publish(reviewed, EVENING + HOUR, WITHDRAWN, SLEEP)
    run(reviewed, EVENING + 2 * HOUR)
    approve(reviewed, EVENING + 3 * HOUR, 2)
    run(reviewed, DUE)
    assert titles(reviewed) == [SLEEP.title]


def a_match_is_dropped(reviewed):
    """The draft is void at once; nothing of the match goes out later."""
    run(reviewed, EVENING)
    dropped = review.drop_match(
        reviewed.at(EVENING), match_of(reviewed, LESIONS), "another substance"
    )
    assert [draft.digest_id for draft in dropped.drafts] == [1]
    assert statuses(reviewed) == ["void"]
    run(reviewed, EVENING + HOUR, DUE, DUE + DAY)
    assert (statuses(reviewed), reviewed.sink.to(ANNA)) == (["void"], [])


def a_match_is_dropped_and_restored(reviewed):
    """It is owed again, in a new draft."""
    run(reviewed, EVENING)
    number = match_of(reviewed, LESIONS)
    review.drop_match(reviewed.at(EVENING), number, "another substance")
    run(reviewed, EVENING + HOUR)
    review.restore_match(reviewed.at(EVENING + 2 * HOUR), number)
    with pytest.raises(NotifierError, match=f"Match {number} was not dropped"):
        review.restore_match(reviewed.at(EVENING + 2 * HOUR), number)
    run(reviewed, EVENING + 3 * HOUR)
    assert statuses(reviewed) == ["void", "draft"]
    approve(reviewed, EVENING + 3 * HOUR, 2)
    run(reviewed, DUE)
    assert titles(reviewed) == [LESIONS.title]


def a_sent_match_is_restored(reviewed):
    """Whoever was sent it is not sent it again."""
    run(reviewed, EVENING)
    approve(reviewed, EVENING)
    run(reviewed, DUE)
    number = match_of(reviewed, LESIONS)
    review.drop_match(reviewed.at(DUE + HOUR), number, "another substance")
    review.restore_match(reviewed.at(DUE + HOUR), number)
    run(reviewed, EVENING + DAY, DUE + DAY)
    assert (statuses(reviewed), titles(reviewed)) == (["sent"], [LESIONS.title])


def an_item_is_dropped_in_the_draft(reviewed):
    """It is sent neither now nor later; an approval from before does not count any more."""
    publish(reviewed, EVENING - HOUR, LESIONS, SLEEP)
    run(reviewed, EVENING)
    approve(reviewed, EVENING)
    number = match_of(reviewed, LESIONS)
    with pytest.raises(InputError, match="--because is empty"):
        review.edit(reviewed.at(EVENING), 1, Edit(dropped=(number,)))
    before = drafts.content_of(digests_of(reviewed)[0])
    content, _ = review.edit(reviewed.at(EVENING), 1, Edit(dropped=(number,)), "wrong")
    assert statuses(reviewed) == ["draft"]
    with pytest.raises(NotifierError, match="changed since you were shown it"):
        review.approve(reviewed.at(EVENING), 1, before)
    run(reviewed, DUE)
    assert reviewed.sink.to(ANNA) == []
    review.approve(reviewed.at(DUE), 1, content[:8])
    run(reviewed, DUE, EVENING + DAY, DUE + DAY)
    assert (titles(reviewed), statuses(reviewed)) == ([SLEEP.title], ["sent"])


def a_note_and_another_order(reviewed):
    """The note stands above the items, and the named item comes first."""
    publish(reviewed, EVENING - HOUR, LESIONS, SLEEP, TRIAL)
    run(reviewed, EVENING)
    order = match_of(reviewed, SLEEP), match_of(reviewed, LESIONS)
    review.edit(reviewed.at(EVENING), 1, Edit("Two are <old>.\n\n\nAnd one is new.", order))
    approve(reviewed, EVENING + HOUR)
    run(reviewed, DUE)
    (mail,) = reviewed.sink.to(ANNA)
    assert "Two are <old>.\n\nAnd one is new." in text_of(mail).replace("\r", "")
    assert titles(reviewed) == [SLEEP.title, LESIONS.title, TRIAL.title]


def each_language_has_its_own_note(reviewed):
    """A note in the English draft is not in the German one."""
    reviewed.subscribe(BEN, language="de")
    publish(reviewed, EVENING - HOUR, LESIONS, SLEEP)
    run(reviewed, EVENING)
    english = next(each.id for each in digests_of(reviewed) if each.language == "en")
    review.edit(reviewed.at(EVENING), english, Edit("Read this first."))
    for number in (1, 2):
        approve(reviewed, EVENING, number)
    run(reviewed, DUE)
    assert "Read this first." in text_of(reviewed.sink.to(ANNA)[0])
    assert "Read this first." not in text_of(reviewed.sink.to(BEN)[0])


def somebody_leaves(reviewed):
    """Who left before the due time is sent nothing; a draft for nobody ends quietly."""
    reviewed.subscribe(BEN)
    publish(reviewed, EVENING - HOUR, LESIONS, SLEEP)
    run(reviewed, EVENING)
    for number in (1, 2):
        approve(reviewed, EVENING, number)
    leave(reviewed, ANNA, EVENING + HOUR)
    run(reviewed, DUE, DUE + 2 * DAY)
    assert (reviewed.sink.to(ANNA), titles(reviewed, BEN)) == ([], [SLEEP.title])
    assert sorted(statuses(reviewed)) == ["sent", "void"]


def somebody_joins(reviewed):
    """Who joins after the draft is not sent it: nothing of it was matched since."""
    run(reviewed, EVENING)
    reviewed.subscribe(BEN, moment=EVENING + HOUR)
    approve(reviewed, EVENING + HOUR)
    run(reviewed, DUE)
    assert (titles(reviewed), reviewed.sink.to(BEN)) == ([LESIONS.title], [])


def somebody_pauses(reviewed):
    """Who is paused when the draft is due gets the items after the pause, after an approval."""
    run(reviewed, EVENING)
    approve(reviewed, EVENING)
    with reviewed.at(EVENING).writing() as session:
        subscription = subscriptions.find_subscriber(session, ANNA).subscriptions[0]
        assert lifecycle.pause(subscription, None, EVENING)
    run(reviewed, DUE, DUE + 2 * DAY)
    assert (reviewed.sink.to(ANNA), statuses(reviewed)) == ([], ["void"])
    with reviewed.at(DUE + 2 * DAY).writing() as session:
        subscription = subscriptions.find_subscriber(session, ANNA).subscriptions[0]
        assert lifecycle.resume(subscription, DUE + 2 * DAY)
    run(reviewed, DUE + 2 * DAY)
    assert statuses(reviewed) == ["void", "draft"]
    approve(reviewed, DUE + 2 * DAY, 2)
    run(reviewed, DUE + 2 * DAY)
    assert titles(reviewed) == [LESIONS.title]


def another_language_meanwhile(reviewed):
    """Who chooses another language gets a draft in it, for approval."""
    run(reviewed, EVENING)
    approve(reviewed, EVENING)
    with reviewed.at(EVENING).writing() as session:
        subscriptions.find_subscriber(session, ANNA).language = "fr"
    run(reviewed, EVENING + HOUR)
    assert [digest.language for digest in digests_of(reviewed)] == ["en", "fr"]
    approve(reviewed, EVENING + HOUR, 2)
    run(reviewed, DUE)
    (mail,) = reviewed.sink.to(ANNA)
    assert "Pourquoi" in text_of(mail)


def several_time_zones(reviewed):
    """One draft serves the readers of a day, each at their own hour."""
    publish(reviewed, MONDAY + 4 * HOUR, LESIONS, SLEEP)
    with reviewed.at(MONDAY).writing() as session:
        leaver = subscriptions.find_subscriber(session, ANNA)
        subscriptions.end(session, leaver.subscriptions[0], "link", "subscriber", MONDAY)
    zones = {"Asia/Tokyo": 23, "Europe/Berlin": 31, "America/New_York": 37}
    for zone in zones:
        reviewed.subscribe(f"{zone[:3]}@example.org".lower(), zone=zone, moment=MONDAY + 4 * HOUR)
    publish(reviewed, MONDAY + 5 * HOUR, LESIONS, SLEEP, TRIAL)
    start = MONDAY - 9 * HOUR
    run(reviewed, start + 15 * HOUR)
    approve(reviewed, start + 15 * HOUR)
    for hours in (16, 22, 23, 30, 31, 36, 37, 46):
        run(reviewed, start + hours * HOUR)
        arrived = [zone for zone in zones if reviewed.sink.to(f"{zone[:3]}@example.org".lower())]
        assert arrived == [zone for zone, hour in zones.items() if hour <= hours]
    assert (statuses(reviewed), subjects(reviewed)) == (["sent"], [waits(1)])


def a_lead_longer_than_the_cadence(reviewed):
    """With two days of lead, a daily draft is composed as soon as there is news."""
    reviewed.change(review=Review(required=True, lead_hours=48))
    run(reviewed, MONDAY + 4 * HOUR)
    approve(reviewed, MONDAY + 4 * HOUR)
    publish(reviewed, MONDAY + 5 * HOUR, LESIONS, SLEEP)
    run(reviewed, MONDAY + 6 * HOUR, DUE)
    assert (titles(reviewed), statuses(reviewed)) == ([LESIONS.title], ["sent"])
    run(reviewed, DUE + HOUR)
    approve(reviewed, DUE + HOUR, 2)
    run(reviewed, DUE + 2 * HOUR, DUE + DAY, DUE + 2 * DAY)
    assert titles(reviewed) == [LESIONS.title, SLEEP.title]


def immediate_digests(reviewed):
    """A draft comes after the quiet time; the approval sends it at once."""
    reviewed.subscribe(BEN, every="immediate", moment=MONDAY + 4 * HOUR)
    publish(reviewed, MONDAY + 5 * HOUR, LESIONS, SLEEP)
    run(reviewed, MONDAY + 5 * HOUR + timedelta(minutes=10))
    assert statuses(reviewed) == []
    run(reviewed, MONDAY + 5 * HOUR + timedelta(minutes=15))
    assert (statuses(reviewed), subjects(reviewed)) == (["draft"], [waits(1)])
    publish(reviewed, MONDAY + 6 * HOUR, LESIONS, SLEEP, TRIAL)
    run(reviewed, MONDAY + 7 * HOUR)
    assert (statuses(reviewed), reviewed.sink.to(BEN)) == (["draft"], [])
    assert approve(reviewed, MONDAY + 7 * HOUR) is None
    run(reviewed, MONDAY + 7 * HOUR)
    assert titles(reviewed, BEN) == [SLEEP.title]
    run(reviewed, MONDAY + 8 * HOUR)
    approve(reviewed, MONDAY + 8 * HOUR, 2)
    run(reviewed, MONDAY + 8 * HOUR, MONDAY + 9 * HOUR)
    assert titles(reviewed, BEN) == [SLEEP.title, TRIAL.title]


def urgent_news(reviewed):
    """Who wants urgent news at once gets it with the approval, before everybody else."""
    reviewed.subscribe(BEN, every="weekly", on="sunday", moment=MONDAY + 4 * HOUR)
    change(reviewed, BEN, urgent=True)
    publish(reviewed, MONDAY + 5 * HOUR, LESIONS, SLEEP)
    run(reviewed, MONDAY + 5 * HOUR)
    assert statuses(reviewed) == []
    with reviewed.at(MONDAY).writing() as session:
        session.get_one(Match, match_of(reviewed, SLEEP)).urgent = True
    run(reviewed, MONDAY + 5 * HOUR)
    assert (statuses(reviewed), reviewed.sink.to(BEN)) == (["draft"], [])
    approve(reviewed, MONDAY + 50 * HOUR)
    run(reviewed, MONDAY + 50 * HOUR)
    assert titles(reviewed, BEN) == [SLEEP.title]
    with reviewed.at(MONDAY).reading() as session:
        sent = select(Delivery.lane).where(Delivery.digest_id == 1)
        assert session.scalars(sent).all() == [1]


def a_draft_is_dropped(reviewed):
    """Nobody is sent it; its items go into the next digest."""
    run(reviewed, EVENING)
    review.drop(reviewed.at(EVENING), 1, "not worth a mail")
    run(reviewed, EVENING + HOUR, DUE, DUE + HOUR)
    assert (statuses(reviewed), reviewed.sink.to(ANNA)) == (["dropped"], [])
    with pytest.raises(NotifierError, match="Draft 1 is dropped: not worth a mail"):
        approve(reviewed, DUE)
    publish(reviewed, DUE + HOUR, LESIONS, SLEEP)
    run(reviewed, EVENING + DAY)
    approve(reviewed, EVENING + DAY, 2)
    run(reviewed, DUE + DAY)
    assert sorted(titles(reviewed)) == [SLEEP.title, LESIONS.title]


def a_draft_is_dropped_with_its_items(reviewed):
    """They are sent neither now nor later."""
    run(reviewed, EVENING)
    review.drop(reviewed.at(EVENING), 1, "all wrong", with_items=True)
    publish(reviewed, EVENING + HOUR, LESIONS, SLEEP)
    run(reviewed, EVENING + HOUR, DUE, EVENING + DAY)
    number = max(digest.id for digest in digests_of(reviewed))
    approve(reviewed, EVENING + DAY, number)
    run(reviewed, EVENING + DAY, DUE + DAY)
    assert titles(reviewed) == [SLEEP.title]


def a_draft_is_held(reviewed):
    """A draft that is held is not reminded of, and is sent when it is approved."""
    run(reviewed, EVENING)
    review.hold(reviewed.at(EVENING), 1)
    run(reviewed, DUE - HOUR, DUE, DUE + DAY)
    assert (statuses(reviewed), subjects(reviewed)) == (["held"], [waits(1)])
    approve(reviewed, DUE + DAY)
    run(reviewed, DUE + DAY)
    assert titles(reviewed) == [LESIONS.title]


def an_approval_is_taken_back(reviewed):
    """An approved draft that is held before it is due is sent to nobody."""
    run(reviewed, EVENING)
    approve(reviewed, EVENING)
    review.hold(reviewed.at(EVENING + HOUR), 1)
    run(reviewed, DUE)
    assert (statuses(reviewed), reviewed.sink.to(ANNA)) == (["held"], [])


def review_is_switched_off(reviewed):
    """Drafts end, and what is owed is sent as usual."""
    run(reviewed, EVENING)
    reviewed.change(review=Review())
    run(reviewed, EVENING + HOUR)
    assert statuses(reviewed) == ["void"]
    run(reviewed, DUE, DUE + HOUR)
    assert (titles(reviewed), statuses(reviewed)) == ([LESIONS.title], ["void", "sent"])


def review_is_switched_on(reviewed):
    """What waits for the mail server goes on; what is composed later waits for approval."""
    reviewed.change(review=Review())
    compose.run(reviewed.at(DUE))
    assert statuses(reviewed) == ["approved"]
    reviewed.change(review=Review(required=True))
    publish(reviewed, DUE + HOUR, LESIONS, SLEEP)
    run(reviewed, DUE + HOUR)
    assert titles(reviewed) == [LESIONS.title]
    run(reviewed, EVENING + DAY, DUE + DAY)
    assert (titles(reviewed), statuses(reviewed)) == ([LESIONS.title], ["sent", "draft"])


def a_restart_between_draft_and_mail(reviewed):
    """Whatever was stored is not stored again: one draft, one mail, one digest."""
    compose.run(reviewed.at(EVENING))
    compose.run(reviewed.at(EVENING))
    assert (statuses(reviewed), subjects(reviewed)) == (["draft"], [waits(1)])
    approve(reviewed, EVENING)
    compose.run(reviewed.at(DUE))
    compose.run(reviewed.at(DUE))
    run(reviewed, DUE)
    assert titles(reviewed) == [LESIONS.title]


def a_run_ended_before_review_was_switched_on(reviewed):
    """Who was planned for gets the digest; the others wait for an approval."""
    reviewed.change(review=Review())
    reviewed.subscribe(BEN, moment=MONDAY)
    publish(reviewed, MONDAY + 4 * HOUR, LESIONS, SLEEP)
    change(reviewed, BEN, position=0)
    with reviewed.at(DUE).writing() as session:
        session.execute(update(Subscription).values(position=0))
    with pytest.MonkeyPatch.context() as patched:
        for name in ("_FIRST", "_FEWEST", "_MOST"):
            patched.setattr(planning, name, 1)
        with crash_at_commit(reviewed.at(DUE), 2):
            compose.run(reviewed.at(DUE))
    assert (statuses(reviewed), len(served(reviewed))) == (["composing"], 1)
    reviewed.change(review=Review(required=True))
    run(reviewed, DUE + HOUR)
    assert (len(titles(reviewed)), titles(reviewed, BEN)) == (2, [])
    assert statuses(reviewed) == ["sent", "draft"]
    approve(reviewed, DUE + 2 * HOUR, 2)
    run(reviewed, DUE + 2 * HOUR, DUE + 3 * HOUR)
    assert (len(titles(reviewed)), len(titles(reviewed, BEN))) == (2, 2)


def a_correction_between_two_time_zones(reviewed):
    """Who was sent it is owed the correction; the others are shown a new draft first."""
    reviewed.subscribe(BEN, zone="America/New_York", moment=MONDAY + 5 * HOUR)
    publish(reviewed, MONDAY + 4 * HOUR, LESIONS, SLEEP)
    with reviewed.at(MONDAY).writing() as session:
        session.execute(update(Subscription).values(position=0))
    run(reviewed, EVENING)
    approve(reviewed, EVENING)
    run(reviewed, DUE)
    publish(reviewed, DUE + HOUR, CORRECTED, SLEEP)
    run(reviewed, DUE + 2 * HOUR)
    assert (statuses(reviewed), subjects(reviewed)[1:]) == (
        ["sent", "draft"],
        ["draft 1 is void", waits(2)],
    )
    approve(reviewed, DUE + 3 * HOUR, 2)
    run(reviewed, DUE + 6 * HOUR, EVENING + DAY)
    (mail,) = reviewed.sink.to(BEN)
    assert "14 had none" in text_of(mail)
    approve(reviewed, EVENING + DAY, 3)
    run(reviewed, DUE + DAY, DUE + 2 * DAY)
    assert (len(reviewed.sink.to(ANNA)), len(reviewed.sink.to(BEN))) == (2, 1)


def a_held_digest_without_review(reviewed):
    """A digest whose deliveries wait can be changed while it is held."""
    reviewed.change(review=Review())
    publish(reviewed, MONDAY + 4 * HOUR, LESIONS, SLEEP)
    compose.run(reviewed.at(DUE))
    wrong = Edit(dropped=(match_of(reviewed, SLEEP),))
    with pytest.raises(NotifierError, match="Digest 1 is approved: it cannot be changed") as error:
        review.edit(reviewed.at(DUE), 1, wrong, "no news")
    assert "notifier digests hold 1" in error.value.fix
    review.hold(reviewed.at(DUE), 1)
    run(reviewed, DUE)
    review.edit(reviewed.at(DUE), 1, wrong, "no news")
    assert statuses(reviewed) == ["held"]
    assert approve(reviewed, DUE + HOUR) is None
    run(reviewed, DUE + HOUR, DUE + DAY)
    assert titles(reviewed) == [LESIONS.title]
    with pytest.raises(NotifierError, match="was sent to somebody already"):
        review.edit(reviewed.at(DUE), 1, wrong, "no news")


def for_many_readers(reviewed):
    """Compose a draft for Anna and twelve others."""
    for number in range(12):
        reviewed.subscribe(f"person{number}@example.org", moment=MONDAY)
    with reviewed.at(MONDAY).writing() as session:
        session.execute(update(Subscription).values(position=0))
    run(reviewed, EVENING)


def is_held_when_servers_refuse(reviewed) -> bool:
    """Let servers refuse all mails of the first digest; return whether it is held for that."""
    compose.run(reviewed.at(DUE))
    with reviewed.at(DUE).writing() as session:
        session.execute(update(Delivery).where(Delivery.digest_id == 1).values(status="failed"))
        return digests.hold_if_refused(session, 1) is not None


def a_draft_is_held_before_it_is_sent(reviewed):
    """The approval does not count any more, and the next one says nothing about refused mails."""
    for_many_readers(reviewed)
    approve(reviewed, EVENING)
    review.hold(reviewed.at(EVENING), 1)
    assert digests_of(reviewed)[0].reviewed_at is None
    approve(reviewed, EVENING + HOUR)
    assert digests_of(reviewed)[0].reviewed_at == EVENING + HOUR
    assert is_held_when_servers_refuse(reviewed)


def a_held_draft_is_edited(reviewed):
    """It is approved as the text that it is now."""
    for_many_readers(reviewed)
    approve(reviewed, EVENING)
    review.hold(reviewed.at(EVENING), 1)
    review.edit(reviewed.at(EVENING), 1, Edit(note="Read this first."), "")
    assert (statuses(reviewed), digests_of(reviewed)[0].reviewed_at) == (["held"], None)
    approve(reviewed, EVENING + HOUR)
    assert is_held_when_servers_refuse(reviewed)


def a_digest_without_review_is_held_and_released(reviewed):
    """Nothing was refused when it was released: many refusals later hold it again."""
    reviewed.change(review=Review())
    publish(reviewed, MONDAY + 4 * HOUR, LESIONS)
    for_many_readers(reviewed)
    compose.run(reviewed.at(DUE))
    review.hold(reviewed.at(DUE), 1)
    approve(reviewed, DUE)
    assert is_held_when_servers_refuse(reviewed)
    approve(reviewed, DUE)
    assert not is_held_when_servers_refuse(reviewed)


def a_digest_is_edited_while_it_is_held(reviewed):
    """What a person had released was another text."""
    reviewed.change(review=Review())
    publish(reviewed, MONDAY + 4 * HOUR, LESIONS, SLEEP)
    compose.run(reviewed.at(DUE))
    review.hold(reviewed.at(DUE), 1)
    approve(reviewed, DUE)
    review.hold(reviewed.at(DUE), 1)
    assert digests_of(reviewed)[0].reviewed_at == DUE
    review.edit(reviewed.at(DUE), 1, Edit(note="Read this first."), "")
    assert digests_of(reviewed)[0].reviewed_at is None


def a_draft_that_many_servers_refuse(reviewed):
    """It is held like any digest, although it was approved; the next approval counts."""
    for_many_readers(reviewed)
    approve(reviewed, EVENING)
    assert is_held_when_servers_refuse(reviewed)
    approve(reviewed, DUE)
    with reviewed.at(DUE).writing() as session:
        assert digests.hold_if_refused(session, 1) is None


def somebody_asks_why_it_did_not_come(reviewed):
    """The answer names the draft, and what has to be done."""

    def answer(moment: datetime) -> Verdict:
        address = "https://herald.example.org/lesions/"
        return why.answer(reviewed.at(moment), ANNA, address).accounts[0].verdict

    run(reviewed, EVENING)
    waiting = answer(EVENING)
    assert (waiting.outcome, "which waits for a person's approval" in waiting.because) == (
        Outcome.WAITING,
        True,
    )
    approve(reviewed, EVENING)
    assert (answer(EVENING).outcome, "which is approved" in answer(EVENING).because) == (
        Outcome.DUE,
        True,
    )
    run(reviewed, DUE)
    assert answer(DUE).outcome is Outcome.SENT


def after_a_restore(reviewed):
    """Each digest is a decision of its own then: no draft is composed beside it."""
    assert compose.run(reviewed.at(DUE), after_restore=True) == 1
    assert (statuses(reviewed), subjects(reviewed)) == (["approved"], [])


def the_archive(reviewed):
    """An approved draft is on no public page before its first readers are due."""
    run(reviewed, EVENING)
    approve(reviewed, EVENING)
    with reviewed.at(EVENING).reading() as session:
        (digest,) = session.scalars(select(Digest))
        digest.profile.document = {**digest.profile.document, "public": True}
        assert not archive.is_public(session, digest)
    run(reviewed, DUE)
    with reviewed.at(DUE).reading() as session:
        (digest,) = session.scalars(select(Digest))
        digest.profile.document = {**digest.profile.document, "public": True}
        assert archive.is_public(session, digest)


def a_change_of_a_sent_item(reviewed):
    """A correction of what was sent is in a draft of its own, and is sent once."""
    run(reviewed, EVENING)
    approve(reviewed, EVENING)
    run(reviewed, DUE)
    publish(reviewed, DUE + HOUR, CORRECTED)
    run(reviewed, DUE + 2 * HOUR, EVENING + DAY)
    assert (statuses(reviewed), subjects(reviewed)) == (["sent", "draft"], [waits(1), waits(2)])
    approve(reviewed, EVENING + DAY, 2)
    run(reviewed, DUE + DAY, DUE + 2 * DAY)
    with reviewed.at(DUE).reading() as session:
        in_order = session.scalars(select(Digest).order_by(Digest.id))
        kinds = [item.kind for each in in_order for item in each.items]
    assert kinds == [NewsKind.NEW, NewsKind.CORRECTED]
    assert len(reviewed.sink.to(ANNA)) == 2


SITUATIONS: dict[str, Callable[[Installation], None]] = {
    situation.__name__.replace("_", " "): situation
    for situation in (
        a_correction,
        without_approval,
        later_news,
        later_news_before_a_late_approval,
        a_correction_after_the_approval,
        a_withdrawal,
        a_withdrawal_of_one_of_two,
        a_match_is_dropped,
        a_match_is_dropped_and_restored,
        a_sent_match_is_restored,
        an_item_is_dropped_in_the_draft,
        a_note_and_another_order,
        each_language_has_its_own_note,
        somebody_leaves,
        somebody_joins,
        somebody_pauses,
        another_language_meanwhile,
        several_time_zones,
        a_lead_longer_than_the_cadence,
        immediate_digests,
        urgent_news,
        a_draft_is_dropped,
        a_draft_is_dropped_with_its_items,
        a_draft_is_held,
        an_approval_is_taken_back,
        review_is_switched_off,
        review_is_switched_on,
        a_restart_between_draft_and_mail,
        a_run_ended_before_review_was_switched_on,
        a_correction_between_two_time_zones,
        a_held_digest_without_review,
        a_draft_is_held_before_it_is_sent,
        a_held_draft_is_edited,
        a_digest_without_review_is_held_and_released,
        a_digest_is_edited_while_it_is_held,
        a_draft_that_many_servers_refuse,
        somebody_asks_why_it_did_not_come,
        after_a_restore,
        the_archive,
        a_change_of_a_sent_item,
    )
}


@pytest.mark.parametrize("situation", SITUATIONS.values(), ids=SITUATIONS)
def test_each_reader_gets_what_was_approved_once(reviewed, situation: Callable):
    situation(reviewed)
