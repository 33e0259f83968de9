"""Digests have a limited size, the archive page is stored, and leaving works meanwhile."""

import random
import re
import threading
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event

from notifier.digest import archive
from notifier.enums import SubscriptionStatus
from notifier.links import Purpose
from notifier.match import profiles
from notifier.messages import digest_body
from notifier.pipeline import compose, deliver
from notifier.pipeline import match as match_step
from notifier.pipeline.run import run_once
from notifier.render import Templates
from notifier.settings import Schedule
from notifier.store import db
from notifier.store.models import Digest, Match, Profile, Revision, Source, Subscription
from notifier.web.app import create
from tests.match.test_bounded_work import prose, store_entries
from tests.support.effort import measured
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import html_of, text_of
from tests.support.news_site import Article
from tests.support.visitor import Client
from tests.support.watched_deps import watched
from tests.support.web_server import serving

pytestmark = pytest.mark.postgresql_long

DAY = timedelta(days=1)
# Gmail hides what lies behind 102 KB, the way to leave among it.
LARGEST = 102_000
HUGE = "A very long text & <nothing> of it “ends”, " * 2500
WIDE = "試験の結果がとても長い。" * 10_000


def widen_source(session) -> None:
    session.query(Source).filter(Source.kind == "feed").one().name = HUGE


def widen_title(session) -> None:
    session.query(Revision).one().title = HUGE


def widen_address(session) -> None:
    match = session.query(Match).one()
    match.entry.url = f"https://herald.example.org/{'&' * 120_000}"


def widen_both_addresses(session) -> None:
    widen_address(session)
    session.query(Source).filter(
        Source.kind == "feed"
    ).one().url = f"https://herald.example.org/{'&' * 120_000}"


def widen_reasons(session) -> None:
    session.query(Match).one().reasons = [HUGE] * 30


def widen_summary(session) -> None:
    session.query(Revision).one().summary = WIDE


def widen_endpoints(session) -> None:
    session.query(Revision).one().content = {"lists": {"Primary outcomes": [HUGE] * 30}}


def widen_trials_named(session) -> None:
    session.query(Revision).one().body = " ".join(f"NCT{number:08}" for number in range(50_000))


def widen_papers(session) -> None:
    session.query(Revision).one().body = f"10.1000/{'a' * 200_000} PMID 12345678"


def widen_words_to_explain(session) -> None:
    session.query(Revision).one().title = f"Frexalimab randomisiert{'x' * 150_000}"


def document(session, **parts) -> None:
    profile = session.query(Profile).one()
    profile.document = {**profile.document, **parts}


def widen_facts(session) -> None:
    document(session, facts={f"fact {number} {HUGE}": [HUGE] * 2 for number in range(30)})


def widen_trials(session) -> None:
    document(
        session,
        trials=[{"id": f"NCT{number:08}", "acronym": HUGE, "phase": "3"} for number in range(30)],
    )


def widen_approvals(session) -> None:
    document(session, approvals=[{"where": HUGE, "status": "approved"}] * 30)


def widen_profile(session) -> None:
    profile = session.query(Profile).one()
    profile.summary, profile.stage, profile.name = HUGE, WIDE, HUGE


WIDENED = {
    name.removeprefix("widen_"): function
    for name, function in list(globals().items())
    if name.startswith("widen_")
}


@pytest.mark.parametrize("edition", ["patient", "clinician"])
@pytest.mark.parametrize("widen", WIDENED.values(), ids=WIDENED)
def test_one_item_alone_never_makes_a_mail_too_large(
    installation: Installation, widen, edition: str
):
    installation.subscribe("anna@example.org", edition=edition)
    run_once(installation.at(MONDAY))
    store_entries(installation, ["Frexalimab slows lesions"], ["A text."])
    match_step.run(installation.at(MONDAY))
    with installation.at(MONDAY).writing() as session:
        session.query(Revision).update({Revision.observed_at: MONDAY})
        widen(session)
    assert compose.run(installation.at(MONDAY + DAY)) == 1
    assert deliver.run(installation.at(MONDAY + DAY)).accepted == 1
    (mail,) = installation.sink.messages
    assert len(html_of(mail).encode()) < LARGEST
    assert len(text_of(mail).encode()) < LARGEST
    assert "Unsubscribe" in html_of(mail)
    assert "/archive/" in html_of(mail)


def test_an_item_that_is_too_large_despite_all_limits_is_shown_in_short(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
):
    installation.subscribe("anna@example.org")
    run_once(installation.at(MONDAY))
    store_entries(installation, ["Frexalimab slows lesions"], ["A text. " * 100])
    match_step.run(installation.at(MONDAY))
    monkeypatch.setattr(digest_body, "LARGEST", 4000)
    run_once(installation.at(MONDAY + DAY))
    (mail,) = installation.sink.messages
    assert "Frexalimab slows lesions" in html_of(mail)
    assert "A text." not in html_of(mail)
    with installation.at(MONDAY).reading() as session:
        digest = session.query(Digest).one()
        assert "A text." in digest.page_html
        assert digest.left_out == 0


@pytest.mark.long
def test_eighty_outlets_with_the_same_news_are_counted_and_not_all_listed(
    installation: Installation,
):
    installation.subscribe("anna@example.org")
    run_once(installation.at(MONDAY))
    store_entries(
        installation, ["Frexalimab lowers lesions in a made-up trial"] * 80, ["A text."] * 80
    )
    match_step.run(installation.at(MONDAY))
    run_once(installation.at(MONDAY + DAY))
    (mail,) = installation.sink.messages
    assert html_of(mail).count("<h3") == 1
    assert "and 71 more" in html_of(mail)
    assert "and 71 more" in text_of(mail)


def many(installation: Installation, number: int) -> None:
    installation.subscribe("anna@example.org")
    run_once(installation.at(MONDAY))
    text = "A made-up text about frexalimab that is as long as a summary may be. " * 8
    store_entries(
        installation,
        [f"Frexalimab headline number {n:03} of many" for n in range(number)],
        [text] * number,
    )
    match_step.run(installation.at(MONDAY))
    assert compose.run(installation.at(MONDAY + DAY)) == 1


def count_queries(engine, work) -> int:
    statements: list[str] = []

    def count(_connection, _cursor, statement, *_rest) -> None:
        statements.append(statement)

    event.listen(engine, "before_cursor_execute", count)
    try:
        work()
    finally:
        event.remove(engine, "before_cursor_execute", count)
    return len(statements)


def test_the_archive_page_is_stored_and_not_rendered_again(
    any_installation: Installation, monkeypatch: pytest.MonkeyPatch
):
    installation = any_installation
    many(installation, 200)
    with installation.at(MONDAY).reading() as session:
        digest = session.query(Digest).one()
        assert digest.left_out
        assert digest.page_html.count("<h3") == 200

    assert deliver.run(installation.at(MONDAY + DAY)).accepted == 1
    (address,) = set(
        re.findall(
            r"https://news\.example\.org(/archive/[\w.-]+)", html_of(installation.sink.messages[0])
        )
    )

    def render(*_words):
        raise AssertionError("nothing is rendered when somebody reads")

    monkeypatch.setattr(digest_body, "full_body", render)
    monkeypatch.setattr(archive, "sent_view", render)
    with serving(create(installation.at(MONDAY))) as server:
        page = Client(server).get(address)
    assert page.status_code == 200
    assert page.text.count("<h3") == 200


def test_a_digest_from_before_pages_were_stored_is_shown_with_all_its_items(
    any_installation: Installation,
):
    installation = any_installation
    many(installation, 200)
    with installation.at(MONDAY).writing() as session:
        digest = session.query(Digest).one()
        digest.page_html = None
        key, in_the_mail = digest.key, digest.body_html.count("<h3")
    assert in_the_mail < 200
    assert deliver.run(installation.at(MONDAY + DAY)).accepted == 1
    with serving(create(installation.at(MONDAY))) as server:
        page = Client(server).get(f"/archive/{key}")
    assert page.status_code == 200
    assert page.text.count("<h3") == 200


def test_later_corrections_are_read_with_one_query_whatever_the_length(
    any_installation: Installation,
):
    installation = any_installation
    many(installation, 60)
    deps = installation.at(MONDAY)
    with deps.reading() as session:
        digest = session.query(Digest).one()
        queries = count_queries(deps.engine, lambda: archive.corrected_since(session, digest))
    assert queries == 1


def test_a_digest_whose_items_all_fit_stores_no_second_page(installation: Installation):
    many(installation, 3)
    with installation.at(MONDAY).reading() as session:
        assert session.query(Digest).one().page_html is None


@pytest.mark.long
def test_unsubscribing_takes_less_than_a_second_while_hundreds_of_items_are_composed(
    any_installation: Installation,
):
    installation = any_installation
    installation.change(
        sender=installation.at(MONDAY).settings.sender.model_copy(update={"discreet": True})
    )
    for number in range(30):
        installation.subscribe(
            f"person{number}@example.org", edition="clinician" if number % 2 else "patient"
        )
    run_once(installation.at(MONDAY))
    chance = random.Random(1)
    titles = [f"Frexalimab {prose(chance, 8)}" for _ in range(400)]
    store_entries(installation, titles, [prose(chance, 300) for _ in titles])
    deps = installation.at(MONDAY + DAY)
    with deps.reading() as session:
        links = [
            deps.links.token(Purpose.UNSUBSCRIBE, one.link_id, MONDAY)
            for one in session.query(Subscription)
        ]
    failed: list[Exception] = []

    def run() -> None:
        url = deps.engine.url.render_as_string(hide_password=False)
        other = replace(deps, engine=db.make_engine(url))
        try:
            match_step.run(other)
            compose.run(other)
        except Exception as error:  # noqa: BLE001 - it is looked at in the other thread
            failed.append(error)
        finally:
            other.engine.dispose()

    times = []
    with serving(create(deps)) as server:
        client = Client(server)
        client.get("/")
        working = threading.Thread(target=run)
        working.start()
        for link in links:
            with measured() as effort:
                answer = client.post(f"/unsubscribe/{link}", "List-Unsubscribe=One-Click", FORM)
            times.append(effort.elapsed)
            assert answer.status_code == 200
            if not working.is_alive():
                break
            time.sleep(0.1)
        working.join()
    assert not failed
    assert max(times) < 1, times
    with deps.reading() as session:
        left = (
            session.query(Subscription)
            .filter(Subscription.status == SubscriptionStatus.ENDED)
            .count()
        )
    assert left == len(times)


FORM = "application/x-www-form-urlencoded"


def test_nothing_is_rendered_while_a_write_transaction_is_open(
    any_installation: Installation, monkeypatch
):
    installation = any_installation
    installation.change(schedule=Schedule(time_zone="UTC", sign_of_life=True))
    deps = watched(installation.at(installation.discover(3)))
    rendered: list[str] = []
    real = Templates.render

    def render(templates, name, *values):
        assert not deps.open_sessions
        rendered.append(name)
        return real(templates, name, *values)

    monkeypatch.setattr(Templates, "render", render)
    assert compose.run(deps) == 1
    assert "email/digest_body.html.j2" in rendered
    later = watched(installation.at(deps.now() + 45 * DAY))
    assert compose.run(later) == 1
    assert "email/no_news.html.j2" in rendered
    assert not later.open_sessions


def test_a_preview_shows_a_profile_as_long_as_it_may_be(installation: Installation):
    file = profiles.parse(profiles.bundled_file(), "the bundled profile")
    with installation.at(MONDAY).writing() as session:
        profiles.save(
            session,
            file.model_copy(update={"summary": HUGE, "sources": (installation.feed,)}),
            MONDAY,
        )
    installation.subscribe("anna@example.org")
    run_once(installation.at(MONDAY))
    installation.publish([Article("Frexalimab slows lesions")])
    run_once(installation.at(MONDAY + DAY))
    (mail,) = installation.sink.messages
    assert len(html_of(mail).encode()) < LARGEST
