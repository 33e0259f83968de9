"""Why: one account of an entry and a person, in every situation that mails are in."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import update

from notifier.admin import why
from notifier.admin.why import Account, Outcome
from notifier.deliver.outbox import stop
from notifier.digest import drafts
from notifier.enums import DeliveryStatus, DigestStatus, SuppressionCause
from notifier.errors import InputError, NotFoundError, NotifierError
from notifier.match import dropping, held
from notifier.pipeline import compose, deliver, match, poll, retention, unsent
from notifier.pipeline.run import run_once
from notifier.settings import Review, Smtp
from notifier.store import backup_state
from notifier.store.models import (
    Delivery,
    Digest,
    Entry,
    HeldSuppression,
    Match,
    Profile,
    Revision,
    Source,
    SourceProfile,
    Subscriber,
    Subscription,
)
from notifier.subscribers import lifecycle, privacy, subscriptions, suppressions
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import free_port
from tests.support.news_site import Article

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
NOON, TUESDAY = MONDAY + 3 * HOUR, MONDAY + DAY
ANNA = "anna@example.org"
NEWS = Article(
    "Frexalimab calms the disease", summary="In 129 people it cut new lesions by 89 percent."
)
CORRECTED = replace(NEWS, summary="In 129 people it cut new lesions by 61 percent.")
ADDRESS = "https://herald.example.org/frexalimab-calms-the-disease/"


def asked(installation: Installation, moment: datetime, entry: str = ADDRESS) -> Account:
    """Return the best account that Anna's operator gets at a moment."""
    return why.answer(installation.at(moment), ANNA, entry).accounts[0]


@pytest.fixture
def follows(any_installation: Installation) -> Installation:
    """An installation whose one reader gets a daily digest at 08:00; it has run on Monday."""
    any_installation.prepare(anna_follows)
    return any_installation


def anna_follows(installation: Installation) -> None:
    installation.subscribe(ANNA)
    run_once(installation.at(MONDAY))


def publish(installation: Installation, moment: datetime, *articles: Article) -> None:
    """Publish these articles, and let them be seen and judged."""
    installation.publish(list(articles))
    poll.run(installation.at(moment))
    match.run(installation.at(moment))


def composed(installation: Installation) -> None:
    publish(installation, NOON, NEWS)
    compose.run(installation.at(TUESDAY))


def change_anna(
    installation: Installation, change: Callable[..., object], moment: datetime = TUESDAY
) -> None:
    with installation.at(moment).writing() as session:
        person = session.query(Subscriber).one()
        change(session, person, person.subscriptions[0])


def suppress(session, person: Subscriber, _subscription: Subscription) -> None:
    suppressions.add(session, person.address_hash, SuppressionCause.ASKED, "by phone", TUESDAY)


def set_columns(installation: Installation, table: type, **columns: object) -> None:
    with installation.at(MONDAY).writing() as session:
        session.execute(update(table).values(**columns))


def refused(installation: Installation, answer: str) -> None:
    composed(installation)
    installation.sink.refuse_recipient[ANNA] = answer
    run_once(installation.at(TUESDAY + MINUTE))


# Each situation leaves the installation as it is when the operator asks.


def is_sent(installation: Installation) -> None:
    composed(installation)
    run_once(installation.at(TUESDAY))


def is_owed_a_correction(installation: Installation) -> None:
    is_sent(installation)
    publish(installation, TUESDAY + HOUR, CORRECTED)


def was_sent_to_another_address(installation: Installation) -> None:
    is_sent(installation)
    set_columns(installation, Delivery, address_hash="c" * 64)


def came_back(installation: Installation) -> None:
    is_sent(installation)

    def bounce(session, person: Subscriber, _subscription: Subscription) -> None:
        moment, cause = TUESDAY + HOUR, SuppressionCause.BOUNCED
        suppressions.add(session, person.address_hash, cause, "5.1.1", moment)

    change_anna(installation, bounce)


def is_kept_no_more(installation: Installation) -> None:
    is_sent(installation)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(retention, "_PAUSE", 0.0)
        patched.setattr(retention, "_LONGEST_RUN", 60.0)
        retention.run(installation.at(TUESDAY + 402 * DAY))
    with installation.at(TUESDAY).reading() as session:
        assert session.query(Delivery).count() == 0


def is_due(installation: Installation) -> None:
    publish(installation, NOON, NEWS)


def is_immediate(installation: Installation) -> None:
    set_columns(installation, Subscription, cadence="immediate", next_due_at=None)
    publish(installation, TUESDAY, NEWS)


def nothing_runs(installation: Installation) -> None:
    composed(installation)


def sending_is_stopped(installation: Installation) -> None:
    composed(installation)
    with installation.at(TUESDAY).writing() as session:
        stop.stop(session, TUESDAY)


def digest_is_held(installation: Installation) -> None:
    composed(installation)
    with installation.at(TUESDAY).writing() as session:
        drafts.hold(session, session.query(Digest).one())


def digest_is_a_draft(installation: Installation) -> None:
    composed(installation)
    set_columns(installation, Digest, status=DigestStatus.DRAFT)


def waits_for_a_review(installation: Installation) -> None:
    installation.change(review=Review(required=True))
    publish(installation, NOON, NEWS)
    run_once(installation.at(NOON + 12 * HOUR))


def draft_is_dropped(installation: Installation) -> None:
    waits_for_a_review(installation)
    with installation.at(NOON + 13 * HOUR).writing() as session:
        drafts.drop(session, session.query(Digest).one(), "an advertisement")
    run_once(installation.at(TUESDAY))


def is_restored(installation: Installation) -> None:
    composed(installation)
    with installation.at(TUESDAY).writing() as session:
        backup_state.note_restored(session, TUESDAY)


def is_owed_after_a_restore(installation: Installation) -> None:
    publish(installation, NOON, NEWS)
    with installation.at(TUESDAY).writing() as session:
        backup_state.note_restored(session, TUESDAY)


def is_paused_after_it_was_composed(installation: Installation) -> None:
    composed(installation)
    until = TUESDAY + 5 * DAY
    change_anna(installation, lambda _, __, one: lifecycle.pause(one, until, TUESDAY))


def came_back_lately(installation: Installation) -> None:
    composed(installation)
    set_columns(installation, Subscriber, held_until=TUESDAY + 8 * HOUR)


def suppression_waits(installation: Installation) -> None:
    composed(installation)

    def hold(session, person: Subscriber, _subscription: Subscription) -> None:
        of_person = {"subscriber_id": person.id, "address_hash": person.address_hash}
        held_now = {"provider": "example.org", "code": "5.1.1", "at": TUESDAY, "held_at": TUESDAY}
        session.add(HeldSuppression(**of_person, **held_now))

    change_anna(installation, hold)


def is_put_off(installation: Installation) -> None:
    refused(installation, "451 4.7.1 greylisted, come back in an hour")


def sender_is_refused(installation: Installation) -> None:
    refused(installation, "550 5.7.1 your address is on a block list")


def server_is_away(installation: Installation) -> None:
    composed(installation)
    deps = installation.at(TUESDAY + MINUTE)
    away = Smtp(port=free_port(), security="none", timeout_seconds=5)
    run_once(replace(deps, settings=deps.settings.model_copy(update={"smtp": away})))


def answer_was_lost(installation: Installation) -> None:
    composed(installation)
    uncertain = {"status": DeliveryStatus.UNCERTAIN, "uncertain_times": 1, "attempts": 1}
    set_columns(installation, Delivery, **uncertain, next_attempt_at=TUESDAY + HOUR)


def answer_was_lost_twice(installation: Installation) -> None:
    answer_was_lost(installation)
    set_columns(installation, Delivery, uncertain_times=2)


def mailbox_does_not_exist(installation: Installation) -> None:
    refused(installation, "550 5.1.1 no such user here")


def is_given_up(installation: Installation) -> None:
    composed(installation)
    words = "given up after 3 days: 452 4.3.1 no room"
    set_columns(installation, Delivery, status=DeliveryStatus.FAILED, error=words)


def is_suppressed_after_it_was_composed(installation: Installation) -> None:
    composed(installation)
    change_anna(installation, suppress)
    deliver.run(installation.at(TUESDAY + MINUTE))


def left_after_it_was_composed(installation: Installation) -> None:
    composed(installation)
    change_anna(
        installation, lambda s, _, one: subscriptions.end(s, one, "link", "subscriber", TUESDAY)
    )
    deliver.run(installation.at(TUESDAY + MINUTE))


def mail_is_dropped(installation: Installation) -> None:
    composed(installation)
    unsent.drop(installation.at(TUESDAY), [1])


def is_suppressed_before(installation: Installation) -> None:
    change_anna(installation, suppress)
    publish(installation, TUESDAY, NEWS)


def left_before(installation: Installation) -> None:
    change_anna(
        installation, lambda s, _, one: subscriptions.end(s, one, "link", "subscriber", MONDAY)
    )
    publish(installation, NOON, NEWS)


def is_paused_without_an_end(installation: Installation) -> None:
    change_anna(installation, lambda _, __, one: lifecycle.pause(one, None, MONDAY))
    publish(installation, NOON, NEWS)


def is_not_confirmed(installation: Installation) -> None:
    set_columns(installation, Subscription, status="pending", confirmed_at=None)
    publish(installation, NOON, NEWS)


def confirmed_later(installation: Installation) -> None:
    is_not_confirmed(installation)

    def confirm(session, _person: Subscriber, subscription: Subscription) -> None:
        subscriptions.confirm(session, subscription, "link", "subscriber", NOON + HOUR)

    change_anna(installation, confirm)


def choice_cannot_be_read(installation: Installation) -> None:
    publish(installation, NOON, NEWS)
    set_columns(installation, Subscription, trouble="The stored time of day cannot be read.")


def is_of_the_baseline(installation: Installation) -> None:
    set_columns(installation, Source, baselined_at=None, empty_since=None)
    publish(installation, NOON, NEWS)


def is_old_news(installation: Installation) -> None:
    rain = Article("Rain in the north", published=MONDAY - DAY)
    publish(installation, MONDAY + HOUR, rain)
    publish(installation, NOON, rain, replace(NEWS, published=MONDAY - 300 * DAY))


def old_news_is_dropped(installation: Installation) -> None:
    is_old_news(installation)
    with installation.at(TUESDAY).writing() as session:
        held.drop(session, 1, "from the archive of the site")


def match_is_dropped(installation: Installation) -> None:
    publish(installation, NOON, NEWS)
    with installation.at(TUESDAY).writing() as session:
        dropping.drop(session, 1, "an advertisement")


def names_nothing(installation: Installation) -> None:
    publish(installation, NOON, replace(NEWS, title="Rain", summary="It rains.", link=ADDRESS))


def is_not_judged(installation: Installation) -> None:
    installation.publish([NEWS])
    poll.run(installation.at(NOON))


def source_is_for_another_therapy(installation: Installation) -> None:
    with installation.at(MONDAY).writing() as session:
        profile = session.query(Profile).one()
        other = Profile(
            slug="other", name="Other", summary="", stage="", document={}, imported_at=MONDAY
        )
        session.add(other)
        session.flush()
        session.query(SourceProfile).filter_by(profile_id=profile.id).update(
            {"profile_id": other.id}
        )
    publish(installation, NOON, NEWS)


def section_is_hidden(installation: Installation) -> None:
    set_columns(installation, Subscription, hidden=["mention"])
    publish(installation, NOON, NEWS)
    with installation.at(NOON).writing() as session:
        session.query(Match).update({"tier": "mention"})


def is_related_alone(installation: Installation) -> None:
    publish(installation, NOON, NEWS)
    with installation.at(NOON).writing() as session:
        session.query(Match).update({"tier": "related"})


@dataclass(frozen=True)
class Situation:
    """What was done, and what the operator is told then."""

    arrange: Callable[[Installation], None]
    outcome: Outcome
    because: str
    next: str
    next_at: datetime | None = None
    moment: datetime = TUESDAY + 2 * MINUTE


SITUATIONS = [
    Situation(is_sent, Outcome.SENT, "accepted it on 2026-03-03 09:00 UTC", "unless it is corr"),
    Situation(
        is_owed_a_correction,
        Outcome.SENT,
        "as revision 1",
        "Revision 2 (corrected) goes into the next digest",
        datetime.fromisoformat("2026-03-04T08:00Z"),
        TUESDAY + HOUR,
    ),
    Situation(was_sent_to_another_address, Outcome.SENT, "that this person had then", "Nothing"),
    Situation(came_back, Outcome.SENT, "the address was suppressed: bounced 5.1.1", "Nothing"),
    Situation(is_kept_no_more, Outcome.SENT, "not kept any more", "Nothing"),
    Situation(
        is_due,
        Outcome.DUE,
        "goes into the next daily digest",
        "when it is due",
        datetime.fromisoformat("2026-03-03T08:00Z"),
        NOON + MINUTE,
    ),
    Situation(
        is_immediate, Outcome.DUE, "go out at once", "next `notifier run`", TUESDAY + 15 * MINUTE
    ),
    Situation(nothing_runs, Outcome.WAITING, "not run since 2026-03-02", "notifier run", TUESDAY),
    Situation(sending_is_stopped, Outcome.WAITING, "stopped all sending", "deliveries resume"),
    Situation(digest_is_held, Outcome.WAITING, "digest is held", "notifier digests approve 1"),
    Situation(digest_is_a_draft, Outcome.WAITING, "is a draft", "notifier digests approve 1"),
    Situation(
        is_paused_after_it_was_composed, Outcome.WAITING, "paused until 2026-03-08", "after the"
    ),
    Situation(waits_for_a_review, Outcome.WAITING, "draft 1 of 2026-03-03", "digests approve 1"),
    Situation(draft_is_dropped, Outcome.DUE, "which a person dropped (an advertisement)", "due"),
    Situation(is_restored, Outcome.WAITING, "restored on 2026-03-03 09:00", "notifier db resume"),
    Situation(is_owed_after_a_restore, Outcome.DUE, "was restored", "notifier db resume"),
    Situation(came_back_lately, Outcome.WAITING, "came back lately", "2026-03-03 17:00 UTC"),
    Situation(suppression_waits, Outcome.WAITING, "(5.1.1)", "notifier bounces held"),
    Situation(
        is_put_off, Outcome.WAITING, "greylisted, come back in an hour", "until 2026-03-06 09:01"
    ),
    Situation(sender_is_refused, Outcome.WAITING, "refuse us, not this person", "ever more slowly"),
    Situation(server_is_away, Outcome.WAITING, "It waits", "sent again"),
    Situation(
        answer_was_lost, Outcome.UNCERTAIN, "may have arrived", "same Message-ID", TUESDAY + HOUR
    ),
    Situation(answer_was_lost_twice, Outcome.UNCERTAIN, "may have arrived", "deliveries retry 1"),
    Situation(
        mailbox_does_not_exist, Outcome.SUPPRESSED, "5.1.1 no such user here", "unsuppress"
    ),
    Situation(is_given_up, Outcome.FAILED, "452 4.3.1 no room.", "notifier deliveries retry 1"),
    Situation(
        is_suppressed_after_it_was_composed, Outcome.SUPPRESSED, "was not sent", "owed again"
    ),
    Situation(left_after_it_was_composed, Outcome.ENDED, "the subscription had ended", "Nothing"),
    Situation(mail_is_dropped, Outcome.DROPPED, "A person dropped this mail", "retry 1"),
    Situation(is_suppressed_before, Outcome.SUPPRESSED, "by phone", "It stays owed"),
    Situation(left_before, Outcome.ENDED, "ended on 2026-03-02 09:00 UTC", "comes back"),
    Situation(is_paused_without_an_end, Outcome.PAUSED, "is paused", "subscribers resume"),
    Situation(is_not_confirmed, Outcome.PENDING, "not confirmed", "after the confirmation"),
    Situation(
        confirmed_later, Outcome.NOT_OWED, "before the subscription was confirmed on", "Nothing"
    ),
    Situation(choice_cannot_be_read, Outcome.DUE, "time of day cannot be read", "subscribe EMAIL"),
    Situation(is_of_the_baseline, Outcome.FILED, "the baseline", "preview --since"),
    Situation(is_old_news, Outcome.HELD, "more than 90 days before", "matches release 1"),
    Situation(old_news_is_dropped, Outcome.DROPPED, "from the archive", "no digest"),
    Situation(match_is_dropped, Outcome.DROPPED, "an advertisement", "no digest"),
    Situation(names_nothing, Outcome.NOT_MATCHED, "names nothing", "profiles show frexalimab"),
    Situation(is_not_judged, Outcome.NOT_JUDGED, "not judged yet", "next `notifier run`"),
    Situation(source_is_for_another_therapy, Outcome.NOT_FED, "other therapies", "--profile frex"),
    Situation(section_is_hidden, Outcome.NOT_OWED, "hides that section (mention)", "Nothing"),
    Situation(is_related_alone, Outcome.DUE, "Related news alone", "waits for other news",
              datetime.fromisoformat("2026-03-03T08:00Z")),
]  # fmt: skip


@pytest.mark.parametrize(
    "situation", SITUATIONS, ids=[each.arrange.__name__.replace("_", " ") for each in SITUATIONS]
)
def test_the_account_names_what_became_of_the_entry_why_and_what_is_next(
    follows: Installation, situation: Situation
):
    situation.arrange(follows)
    verdict = asked(follows, situation.moment).verdict
    assert (verdict.outcome, situation.because in verdict.because) == (situation.outcome, True), (
        verdict
    )
    assert situation.next in verdict.next, verdict
    if situation.next_at is not None:
        assert verdict.next_at == situation.next_at


@pytest.mark.parametrize(
    "form",
    [
        "http://herald.example.org/frexalimab-calms-the-disease/",
        "https://www.herald.example.org/frexalimab-calms-the-disease",
        "HTTPS://Herald.Example.org/frexalimab-calms-the-disease/?utm_source=mail&fbclid=abc#top",
        "herald.example.org/frexalimab-calms-the-disease",
        "https://herald.example.org/frexalimab%2Dcalms%2Dthe%2Ddisease/",
        " 1 ",
    ],
)
def test_every_form_of_an_address_and_its_id_name_the_entry(installation: Installation, form: str):
    anna_follows(installation)
    publish(installation, NOON, NEWS)
    assert asked(installation, NOON, form).facts.entry.id == 1


def test_an_address_that_is_no_key_is_found_among_the_stored_ones(installation: Installation):
    anna_follows(installation)
    shared_address = "https://herald.example.org/today?page=2"
    first, second = (
        Article(f"Frexalimab in part {number}", link=shared_address, slug=str(number))
        for number in (1, 2)
    )
    publish(installation, NOON, first, second)
    answer = why.answer(installation.at(NOON), ANNA, shared_address)
    assert [account.facts.entry.id for account in answer.accounts] == [1, 2]


def test_the_same_page_at_two_sources_has_an_account_of_each_the_best_first(
    installation: Installation,
):
    anna_follows(installation)
    is_sent(installation)
    with installation.at(TUESDAY).writing() as session:
        entry = session.query(Entry).one()
        source = Source(
            kind="feed",
            url="https://other.example.org/feed/",
            name="Other",
            authority="news",
            created_at=MONDAY,
            next_poll_at=MONDAY,
        )
        session.add(source)
        session.flush()
        copy = Entry(
            source_id=source.id, key="x", url=entry.url, title="Rain", first_seen_at=MONDAY
        )
        session.add(copy)
        session.flush()
        columns = {
            each.name: getattr(entry.revisions[0], each.name)
            for each in Revision.__table__.columns
            if each.name not in ("id", "entry_id", "title", "summary", "body", "judge_requests")
        }
        words = {"title": "Rain", "summary": "", "body": "", "judge_requests": 0}
        session.add(Revision(entry_id=copy.id, **columns, **words))
    with installation.at(TUESDAY).writing() as session:
        session.execute(update(Entry).where(Entry.id == 2).values(url=f"{ADDRESS}?amp=1"))
    assert len(why.answer(installation.at(TUESDAY), ANNA, ADDRESS).accounts) == 1
    set_columns(installation, Entry, url="https://herald.example.org/both")
    answer = why.answer(installation.at(TUESDAY), ANNA, "herald.example.org/both")
    outcomes = [account.verdict.outcome for account in answer.accounts]
    assert outcomes == [Outcome.SENT, Outcome.NOT_MATCHED]


def test_news_of_a_therapy_that_the_person_does_not_follow_is_named(installation: Installation):
    anna_follows(installation)
    publish(installation, NOON, NEWS)
    with installation.at(NOON).writing() as session:
        slugs = {"slug": "other", "name": "Other", "summary": "", "stage": "", "document": {}}
        other = Profile(**slugs, imported_at=MONDAY)
        session.add(other)
        session.flush()
        session.query(Subscription).update({"profile_id": other.id})
    answer = why.answer(installation.at(NOON), ANNA, ADDRESS)
    assert answer.also_matched == ["frexalimab"]
    assert answer.accounts[0].verdict.outcome is Outcome.NOT_FED


def erased(installation: Installation) -> None:
    anna_follows(installation)
    with installation.at(MONDAY).writing() as session:
        key = subscriptions.hash_of(session, ANNA)
        cause = SuppressionCause.ERASED
        privacy.erase_address(session, key, cause, "erased", MONDAY)


def never_seen(installation: Installation) -> None:
    publish(installation, NOON, NEWS)


def damaged(installation: Installation) -> None:
    anna_follows(installation)
    publish(installation, NOON, NEWS)
    set_columns(installation, Subscription, edition="novelist")


@pytest.mark.parametrize(
    ("arrange", "entry", "error", "words"),
    [
        (never_seen, ADDRESS, NotFoundError, "Nobody is stored under anna@example.org."),
        (erased, ADDRESS, NotFoundError, "The address is suppressed since 2026-03-02 09:00 UTC"),
        (anna_follows, ADDRESS, NotFoundError, "No entry with the address https://herald."),
        (anna_follows, "77", NotFoundError, "There is no entry 77."),
        (anna_follows, "two words", InputError, "neither the address of an entry nor its id"),
        (anna_follows, "mailto:anna@example.org", InputError, "neither the address"),
        (damaged, ADDRESS, NotifierError, "is damaged"),
    ],
    ids=["nobody", "erased", "unknown address", "unknown id", "words", "no page", "damaged row"],
)
def test_what_is_not_known_is_said_in_a_sentence(
    installation: Installation, arrange: Callable, entry: str, error: type[Exception], words: str
):
    arrange(installation)
    with pytest.raises(error) as raised:
        asked(installation, NOON, entry)
    assert words in raised.value.problem
    assert raised.value.fix


def test_the_steps_lead_from_the_source_to_the_inbox_in_order(installation: Installation):
    anna_follows(installation)
    is_sent(installation)
    publish(installation, TUESDAY + HOUR, CORRECTED)
    steps = asked(installation, TUESDAY + HOUR).steps
    assert [step.step for step in steps] == [
        "consent",
        "seen",
        "matched",
        "composed",
        "sent",
        "revision",
        "matched",
    ]
    assert "89" in steps[5].text
    assert "61" in steps[5].text
    assert [step.at for step in steps] == sorted(step.at for step in steps)


def test_nothing_is_changed_by_the_question(installation: Installation):
    anna_follows(installation)
    is_sent(installation)
    with installation.at(TUESDAY).engine.connect() as connection:
        before = connection.exec_driver_sql("PRAGMA data_version").scalar()
        asked(installation, TUESDAY)
        assert connection.exec_driver_sql("PRAGMA data_version").scalar() == before


def test_a_therapy_that_was_not_asked_about_is_not_said_to_be_unfollowed(
    installation: Installation,
):
    anna_follows(installation)
    publish(installation, NOON, NEWS)
    with installation.at(NOON).writing() as session:
        columns = {"slug": "other", "name": "Other", "summary": "", "stage": "", "document": {}}
        other = Profile(**columns, imported_at=MONDAY)
        session.add(other)
        session.flush()
        session.add(
            Subscription(
                subscriber_id=session.query(Subscriber).one().id,
                profile_id=other.id,
                cadence="weekly",
                at="08:00",
                on=0,
                edition="patient",
                status="confirmed",
                link_id="x",
                created_at=MONDAY,
            )
        )
    answer = why.answer(installation.at(NOON), ANNA, ADDRESS, "other")
    assert [each.facts.subscription.profile.slug for each in answer.accounts] == ["other"]
    assert answer.also_matched == []
