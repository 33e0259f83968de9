"""Sources on the operator pages: seen, added, changed, paused, removed, read at once."""

import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from html import unescape

import pytest
from sqlalchemy import event

from notifier.enums import Authority, SourceKind
from notifier.operators import actions
from notifier.pipeline import poll
from notifier.settings import Watch
from notifier.store.models import Entry, Profile, Source
from notifier.watch import sources
from notifier.web.operator.sources import patience
from tests.support import news_site as sites
from tests.support.forms import add_second_profile, visiting
from tests.support.installation import MONDAY, Installation
from tests.support.news_site import Article
from tests.support.operators import Operator, add_operator, token_in

pytestmark = pytest.mark.postgresql_long

LIST = "/operator/sources"
DAY = timedelta(days=1)


def source_of(made: Installation, source_id: int = 0) -> Source:
    with made.at(MONDAY).reading() as session:
        query = session.query(Source).order_by(Source.id.desc())
        source = session.get_one(Source, source_id) if source_id else query.first()
        assert source is not None
        assert source.profiles is not None
        return source


def page_of(made: Installation) -> str:
    return f"{LIST}/{source_of(made).id}"


def change(made: Installation, **columns) -> Source:
    with made.at(MONDAY).writing() as session:
        source = session.query(Source).order_by(Source.id.desc()).first()
        assert source is not None
        for name, value in columns.items():
            setattr(source, name, value)
    return source_of(made)


def log_of(made: Installation) -> list[str]:
    with made.at(MONDAY).reading() as session:
        return [action.text for action in actions.newest(session) if action.about]


def number_of_sources(made: Installation) -> int:
    with made.at(MONDAY).reading() as session:
        return session.query(Source).filter(Source.removed_at.is_(None)).count()


def hidden(page: str, name: str) -> str:
    match = re.search(rf'name="{name}"[^>]*? value="([^"]*)"', page)
    assert match is not None, name
    return unescape(match[1])


def fields_of(page: str) -> dict[str, str]:
    """Return the fields of the form that changes a source, as the page shows them."""
    authority = re.search(r'<option value="([^"]+)" selected', page)
    assert authority is not None
    names = ("token", "mark", "name", "url")
    fields = {name: hidden(page, name) for name in names}
    return {**fields, "authority": authority[1], "for": "every"}


def found(operator: Operator, url: str, kind: str = "") -> str:
    return operator.act(f"{LIST}/add", f"{LIST}/find", url=url, kind=kind).text


def confirm(operator: Operator, page: str, **changes: str):
    names = ("token", "url", "kind", "problem", "name")
    fields = {name: hidden(page, name) for name in names}
    return operator.send(f"{LIST}/add", {**fields, "authority": "news", "for": "every", **changes})


def test_what_is_wrong_stands_first_with_what_to_do(any_operator, any_installation):
    change(
        any_installation, failures=3, last_error="the address answered 403 instead of a document"
    )
    page = any_operator.get(LIST).text
    assert page.index("In trouble</h2>") < page.index("<table>")
    assert "It could not be read 3 times in a row: the address answered 403" in page
    assert "The site refuses programs. Ask its owner" in page
    assert "In trouble (1)" in page


@pytest.mark.parametrize(
    ("columns", "label"),
    [
        ({"last_success_at": MONDAY}, "well"),
        ({"failures": 1, "last_error": "x"}, "failed once"),
        ({"gone_at": MONDAY}, "gone"),
        ({"expected_by": MONDAY - DAY, "last_success_at": MONDAY}, "silent"),
        ({}, "new"),
        ({"failures": 5, "paused_at": MONDAY - DAY, "paused_by": "ben"}, "paused"),
    ],
)
def test_the_list_tells_how_a_source_is(operator, installation, columns, label: str):
    change(installation, **columns)
    cell = operator.get(LIST).text.rpartition("<tbody>")[2]
    assert f">{label}</span>" in cell


def test_the_list_is_searched_and_has_pages(any_operator, any_installation):
    with any_installation.at(MONDAY).writing() as session:
        for number in range(60):
            url = f"https://paper{number}.example.org/feed"
            sources.add(session, url, MONDAY, name=f"Paper {number:02} 100%")
    first = any_operator.get(LIST).text
    assert "Page 1 of 2, 61 sources" in first
    assert "Paper 59" not in first
    assert "Paper 59" in any_operator.get(f"{LIST}?page=2").text
    assert "1 source" in any_operator.get(f"{LIST}?search=paper+07+100%25").text
    assert "1 source" in any_operator.get(f"{LIST}?search=PAPER7.example").text
    assert "No source has “_”" in any_operator.get(f"{LIST}?search=_").text
    assert "No source is paused." in any_operator.get(f"{LIST}?part=paused&page=x").text


def test_without_sources_the_list_says_how_to_begin(operator, installation):
    with installation.at(MONDAY).writing() as session:
        sources.remove(session, installation.feed, MONDAY)
    assert "No site is watched yet." in operator.get(LIST).text


def test_times_are_those_of_the_installation_with_their_zone(installation):
    installation.publish([Article("Seen in winter")])
    poll.run(installation.at(MONDAY - 2 * DAY), force=True)
    schedule = installation.at(MONDAY).settings.schedule
    installation.change(schedule=schedule.model_copy(update={"time_zone": "Europe/Berlin"}))
    add_operator(installation)
    with visiting(installation) as client:
        anna = Operator(client)
        anna.log_in()
        assert "2 days ago (28 Feb 2026, 10:00 CET)" in anna.get(page_of(installation)).text


def test_a_page_shows_health_rhythm_and_what_was_published(any_operator, any_installation):
    made = any_installation
    made.publish([Article("Before it was watched")])
    poll.run(made.at(MONDAY - 30 * DAY), force=True)
    made.publish([Article(f"Seen {number}") for number in range(30)])
    poll.run(made.at(MONDAY - 2 * DAY), force=True)
    made.site.fail("/feed/", 500)
    poll.run(made.at(MONDAY - DAY), force=True)
    page = any_operator.get(page_of(made)).text
    assert "failed once" in page
    assert "about 1 a day" in page
    assert "2 days ago (28 Feb 2026, 09:00 UTC)" in page
    assert '<th scope="row">28 Feb</th><td class="number">1</td><td class="number">0</td>' in page
    assert '<th scope="row">1 Mar</th><td class="number">0</td><td class="number">1</td>' in page
    assert '<th scope="row">23 Feb</th><td class="number">30</td>' in page
    older = re.search(r"\?before=\d+", page)
    assert older is not None
    rest = any_operator.get(page_of(made) + older[0]).text
    assert "Before it was watched" in rest
    titles = re.findall(r">(Seen \d+)</a>", page + rest)
    assert len(titles) == len(set(titles)) == 30


def test_a_page_without_polls_says_what_will_appear(operator, installation):
    page = operator.get(page_of(installation)).text
    assert "It was not read yet." in page
    assert "The first day appears here after the first reading." in page
    assert "Nothing yet. What it publishes appears here" in page


@pytest.mark.parametrize("path", ["/999", "/x", "/0", "/999999999999"])
def test_a_source_that_is_not_there_is_not_found(operator, path: str):
    assert operator.get(LIST + path).status_code == 404


def test_the_pages_need_as_many_statements_for_few_sources_as_for_many(operator, installation):
    statements: list[str] = []
    event.listen(
        installation.at(MONDAY).engine,
        "before_cursor_execute",
        lambda *arguments: statements.append(arguments[2]),
    )

    def needed(path: str) -> int:
        before = len(statements)
        assert operator.get(path).status_code == 200
        return len(statements) - before

    change(installation, failures=3)
    few = needed(LIST), needed(page_of(installation))
    page = page_of(installation)
    with installation.at(MONDAY).writing() as session:
        for number in range(40):
            source, _ = sources.add(session, f"https://x{number}.example.org/", MONDAY)
            source.failures = 3
    assert (needed(LIST), needed(page)) == few


def test_the_feed_of_a_site_is_found_shown_and_watched(operator, installation):
    made, site = installation, installation.site
    add_second_profile(made)
    link = '<link rel="alternate" type="application/rss+xml" href="/news.xml">'
    site.put("/", f"<html><head>{link}</head><body>Hi</body></html>", "text/html")
    site.put("/news.xml", sites.rss([Article("The newest <b>item</b>")]))
    before = number_of_sources(made)
    page = found(operator, f"{site.address}/")
    assert f"Found the feed of {site.address}/" in page
    assert "The newest item" in page
    assert number_of_sources(made) == before
    answer = confirm(
        operator,
        page,
        name="The Herald",
        authority="sponsor",
        profile="tolebrutinib",
        **{"for": "some"},
    )
    assert "Added the source The Herald" in operator.follow(answer, f"{LIST}/add").text
    source = source_of(made)
    assert (source.name, source.url) == ("The Herald", f"{site.address}/news.xml")
    assert source.authority is Authority.SPONSOR
    assert [profile.slug for profile in source.profiles] == ["tolebrutinib"]
    assert log_of(made) == [f"Added the source The Herald ({source.url})"]


def test_a_page_is_watched_as_it_is(operator, installation):
    site = installation.site
    site.put(
        "/therapy", "<html><body><h1>Therapy</h1><p>A text about it.</p></body></html>", "text/html"
    )
    page = found(operator, f"{site.address}/therapy", "page")
    assert confirm(operator, page).status_code == 303
    assert source_of(installation).kind is SourceKind.PAGE


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "Give an address."),
        ("javascript:alert(1)", "Give an address that begins with https://"),
        ("file:///etc/passwd", "Give an address that begins with https://"),
        ("http://127.0.0.1/", "lies in a private network"),
        ("http://[::1]/", "lies in a private network"),
        ("http://metadata.internal.localhost/", "lies in a private network"),
        ("{site}/no-feed", "no news feed was found from it"),
    ],
)
def test_an_address_that_cannot_be_watched_stays_in_the_form(
    operator, installation, url: str, words: str
):
    installation.site.answers.clear()
    installation.site.put("/no-feed", "<html><body>Hi</body></html>", "text/html")
    with visiting_strictly(installation, allow_private="{site}" in url) as strict:
        before = number_of_sources(installation)
        address = url.format(site=installation.site.address)
        answer = strict.act(f"{LIST}/add", f"{LIST}/find", url=address)
        assert answer.status_code == 422
        assert words in unescape(answer.text)
        assert hidden(answer.text, "url") == address
        assert number_of_sources(installation) == before


@contextmanager
def visiting_strictly(made: Installation, *, allow_private: bool) -> Iterator[Operator]:
    """Give an operator of an installation that reads public addresses alone, unless allowed."""
    made.change(watch=Watch(allow_private_addresses=allow_private, timeout_seconds=5))
    with visiting(made) as client:
        browser = Operator(client)
        assert browser.log_in().status_code == 303
        yield browser


def test_a_private_address_is_refused_in_the_second_form_too(operator, installation):
    installation.site.put("/news.xml", sites.rss([Article("x")]))
    page = found(operator, f"{installation.site.address}/news.xml")
    before = number_of_sources(installation)
    with visiting_strictly(installation, allow_private=False) as strict:
        token = token_in(strict.get(f"{LIST}/add").text)
        answer = confirm(strict, page, token=token)
    assert answer.status_code == 422
    assert number_of_sources(installation) == before


def test_an_address_that_does_not_answer_is_watched_only_if_a_box_is_ticked(operator, installation):
    page = found(operator, f"{installation.site.address}/missing.xml")
    assert "It cannot be read now: it answered 404." in page
    refused = confirm(operator, page, name="My name")
    assert refused.status_code == 422
    assert "Tick the box" in refused.text
    assert hidden(refused.text, "name") == "My name"
    assert confirm(operator, refused.text, name="My name", anyway="yes").status_code == 303
    assert source_of(installation).url.endswith("/missing.xml")


def test_a_site_that_hangs_is_given_up(operator, installation, monkeypatch):
    monkeypatch.setattr(patience, "SECONDS", 0.3)
    release = threading.Event()
    installation.site.put("/slow", "x")
    installation.site.answers["/slow"].held_until = release
    try:
        answer = operator.act(
            f"{LIST}/add", f"{LIST}/find", url=f"{installation.site.address}/slow"
        )
    finally:
        release.set()
    assert answer.status_code == 422
    assert "The site did not answer completely" in answer.text


def test_an_address_that_is_watched_already_leads_to_its_source(operator, installation):
    page = found(operator, installation.feed)
    assert "This address is watched already." in page
    assert f'href="../sources/{source_of(installation).id}"' in page


def test_of_two_who_add_the_same_the_second_is_told(operator, installation):
    installation.site.put("/news.xml", sites.rss([Article("x")]))
    page = found(operator, f"{installation.site.address}/news.xml")
    assert confirm(operator, page, name="First").status_code == 303
    second = confirm(operator, page, name="Second")
    assert second.status_code == 409
    assert "watched already" in second.text
    assert source_of(installation).name == "First"


def test_a_removed_source_that_is_added_again_has_the_new_name(operator, installation):
    with installation.at(MONDAY).writing() as session:
        sources.remove(session, installation.feed, MONDAY)
    page = found(operator, installation.feed)
    assert confirm(operator, page, name="New name", authority="opinion").status_code == 303
    source = source_of(installation)
    assert (source.name, source.authority) == ("New name", Authority.OPINION)


def test_an_edit_changes_the_source_and_the_log_says_how(any_operator, any_installation):
    made, path = any_installation, page_of(any_installation)
    before = source_of(made)
    fields = fields_of(any_operator.get(path).text)
    answer = any_operator.send(
        f"{path}/edit", {**fields, "name": "New name", "authority": "opinion"}
    )
    assert answer.status_code == 303
    source = source_of(made)
    assert (source.name, source.authority, source.profiles) == ("New name", Authority.OPINION, [])
    (text,) = log_of(made)
    assert text.startswith(f"Changed the source {before.name}: name “{before.name}” → “New name”")
    assert "profiles “frexalimab” → “every profile”" in text


def test_an_edit_that_changes_nothing_is_no_action(operator, installation):
    path = page_of(installation)
    fields = fields_of(operator.get(path).text)
    answer = operator.send(f"{path}/edit", {**fields, "for": "some", "profile": "frexalimab"})
    assert answer.status_code == 303
    assert log_of(installation) == []


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", " ", "Give the name that readers see."),
        ("name", "x" * 201, "at most 200 characters"),
        ("url", "javascript:alert(1)", "This address cannot be watched."),
        ("url", "https://example.org/api/v2/studies/NCT00000001", "This is a trial's record."),
        ("authority", "king", "Choose one of the list."),
        ("for", "some", "Name at least one profile"),
    ],
)
def test_what_is_wrong_stands_beside_the_field_and_nothing_is_changed(
    operator, installation, field: str, value: str, words: str
):
    path, before = page_of(installation), source_of(installation)
    fields = {**fields_of(operator.get(path).text), "name": "Typed", field: value}
    answer = operator.send(f"{path}/edit", fields)
    assert answer.status_code == 422
    assert words in unescape(answer.text)
    assert hidden(answer.text, "name") == fields["name"].strip()
    assert source_of(installation).name == before.name
    assert log_of(installation) == []


def test_an_address_of_another_source_is_not_taken(operator, installation):
    with installation.at(MONDAY).writing() as session:
        sources.add(session, "https://other.example.org/feed", MONDAY)
    path = page_of(installation)
    fields = fields_of(operator.get(path).text)
    answer = operator.send(f"{path}/edit", {**fields, "url": installation.feed})
    assert answer.status_code == 422
    assert "watched as another source" in answer.text


def test_where_there_are_many_profiles_their_names_are_typed(operator, installation):
    path = page_of(installation)
    with installation.at(MONDAY).writing() as session:
        for number in range(25):
            session.add(
                Profile(
                    slug=f"p{number}", name=f"Profile {number}", summary="", stage="",
                    document={}, imported_at=MONDAY,
                )
            )  # fmt: skip
    fields = {**fields_of(operator.get(path).text), "for": "some"}
    wrong = operator.send(f"{path}/edit", {**fields, "profiles": "Profile 3\nnobody's"})
    assert wrong.status_code == 422
    assert "There is no profile “nobody&#39;s”." in wrong.text
    assert (
        operator.send(f"{path}/edit", {**fields, "profiles": "Profile 3\r\np4\r\n"}).status_code
        == 303
    )
    assert [profile.slug for profile in source_of(installation).profiles] == ["p3", "p4"]


def test_of_two_editors_the_second_is_shown_what_changed(any_installation):
    add_operator(any_installation)
    add_operator(any_installation, "ben", "editor")
    path = page_of(any_installation)
    with visiting(any_installation) as client:
        anna, ben = Operator(client), Operator(client)
        anna.log_in()
        ben.log_in("ben")
        first, second = (fields_of(browser.get(path).text) for browser in (ben, anna))
        assert ben.send(f"{path}/edit", {**first, "name": "Ben's name"}).status_code == 303
        answer = anna.send(f"{path}/edit", {**second, "name": "Anna's name"})
        assert answer.status_code == 409
        page = unescape(answer.text)
        assert "ben, 2 Mar 2026, 09:00 UTC: Changed the source" in page
        assert "<h1>Ben's name</h1>" in page
        assert hidden(answer.text, "name") == "Anna's name"
        assert source_of(any_installation).name == "Ben's name"
        again = {**fields_of(answer.text), "name": "Anna's name"}
        assert anna.send(f"{path}/edit", again).status_code == 303
        removal = anna.send(f"{path}/remove", {"token": first["token"], "mark": first["mark"]})
        assert removal.status_code == 403
        stale = {"token": second["token"], "mark": second["mark"]}
        assert anna.send(f"{path}/remove", stale).status_code == 409
    assert source_of(any_installation).removed_at is None


def test_of_two_edits_at_the_same_moment_one_is_done(any_operator, any_installation):
    path = page_of(any_installation)
    fields = fields_of(any_operator.get(path).text)
    with ThreadPoolExecutor(2) as pool:
        statuses = pool.map(
            lambda name: any_operator.send(f"{path}/edit", {**fields, "name": name}).status_code,
            ("First", "Second"),
        )
        assert sorted(statuses) == [303, 409]
    assert len(log_of(any_installation)) == 1


def test_a_source_is_paused_and_goes_on(operator, installation):
    path = page_of(installation)
    answer = operator.act(path, f"{path}/pause")
    page = operator.follow(answer, f"{path}/pause").text
    assert "Paused since 2 Mar 2026, 09:00 UTC by anna." in page
    token = token_in(page)
    second = operator.send(f"{path}/pause", {"token": token})
    assert second.status_code == 409
    assert "anna, 2 Mar 2026, 09:00 UTC: Paused the source" in second.text
    assert source_of(installation).paused_by == "anna"
    assert "Paused (1)" in operator.get(LIST).text
    assert operator.send(f"{path}/resume", {"token": token}).status_code == 303
    assert source_of(installation).paused_at is None
    assert [text.split(" ")[0] for text in log_of(installation)] == ["Let", "Paused"]


def test_a_removed_source_is_gone_and_its_entries_stay(any_operator, any_installation):
    any_installation.publish([Article("It stays")])
    poll.run(any_installation.at(MONDAY))
    path = page_of(any_installation)
    mark = hidden(any_operator.get(path).text, "mark")
    answer = any_operator.act(path, f"{path}/remove", mark=mark, reason="It is <b>all</b> spam")
    assert answer.status_code == 303
    gone = any_operator.get(path)
    assert gone.status_code == 404
    assert "was removed by anna on 2 Mar 2026, 09:00 UTC" in gone.text
    again = any_operator.act(LIST + "/add", f"{path}/remove", mark=mark)
    assert again.status_code == 404
    with any_installation.at(MONDAY).reading() as session:
        assert session.query(Entry).count() == 1
        assert actions.newest(session)[0].reason == "It is <b>all</b> spam"


def test_reading_now_shows_what_came(any_operator, any_installation):
    any_installation.publish([Article("First"), Article("Second")])
    path = page_of(any_installation)
    answer = any_operator.act(path, f"{path}/read")
    assert "2 entries, 2 new" in any_operator.follow(answer, f"{path}/read").text
    any_installation.site.fail("/feed/", 404)
    answer = any_operator.act(path, f"{path}/read")
    page = any_operator.follow(answer, f"{path}/read").text
    assert "that failed: the address answered 404" in page
    assert "failed once" in page


def test_a_paused_source_is_not_read(operator, installation):
    change(installation, paused_at=MONDAY)
    path = page_of(installation)
    answer = operator.act(path, f"{path}/read")
    assert "it is paused" in operator.follow(answer, f"{path}/read").text
    assert installation.site.asked == []


def test_a_reading_that_takes_long_goes_on_and_a_removal_meanwhile_holds(
    operator, installation, monkeypatch
):
    monkeypatch.setattr(patience, "SECONDS", 0.3)
    release = threading.Event()
    installation.publish([Article("Too late")])
    installation.site.answers["/feed/"].held_until = release
    path = page_of(installation)
    try:
        answer = operator.act(path, f"{path}/read")
        page = operator.follow(answer, f"{path}/read").text
        assert "Look again in a minute" in page
        mark = hidden(page, "mark")
        assert operator.act(path, f"{path}/remove", mark=mark).status_code == 303
    finally:
        release.set()
    for thread in threading.enumerate():
        if thread.name == "operator page":
            thread.join(10)
    with installation.at(MONDAY).reading() as session:
        assert session.query(Entry).count() == 0


def test_only_some_sites_are_read_at_a_time(operator, installation, monkeypatch):
    monkeypatch.setattr(patience, "_places", threading.BoundedSemaphore(1))
    release = threading.Event()
    installation.site.answers["/feed/"].held_until = release
    path = page_of(installation)
    token = token_in(operator.get(path).text)
    with ThreadPoolExecutor(1) as aside:
        first = aside.submit(operator.send, f"{path}/read", {"token": token})
        while not installation.site.asked:
            pass
        second = operator.send(f"{path}/read", {"token": token})
        release.set()
        assert first.result().status_code == 303
    assert second.status_code == 422
    assert "Several sites are being read already." in second.text


def test_looking_changes_nothing(operator, installation):
    before = [source_of(installation).url, number_of_sources(installation), log_of(installation)]
    path = page_of(installation)
    for page in (LIST, path, f"{LIST}/add", f"{LIST}/add?url=javascript:x", "/operator/trials"):
        assert operator.get(page).status_code == 200
    for action in ("edit", "remove", "pause", "resume", "read"):
        assert operator.get(f"{path}/{action}").status_code == 405
        assert operator.send(f"{path}/{action}", {"token": "0" * 64}).status_code == 403
    assert operator.get(f"{LIST}/find").status_code in (404, 405)
    after = [source_of(installation).url, number_of_sources(installation), log_of(installation)]
    assert after == before
