"""News on the operator pages: the list, an article, what goes out, and decisions about matches."""

import re

import pytest

from notifier.admin import news_review, review
from notifier.enums import NewsKind
from notifier.operators import actions
from notifier.settings import Review
from notifier.store.models import Digest, Match
from tests.support.installation import MONDAY, Installation
from tests.support.newsroom import DAY, EDIT, GONE, HOUR, LESIONS, Newsroom
from tests.support.operators import Operator, token_in

NEWS, CHANGES = "/operator/news", "/operator/news/changes"
READER = "anna@example.org"
SLEEP = "Frexalimab and sleep"
TRIAL = "Frexalimab trial is full"


@pytest.fixture
def newsroom(installation: Installation) -> Newsroom:
    installation.subscribe(READER)
    room = Newsroom(installation)
    room.run(MONDAY)
    return room


def page_of(operator: Operator, entry_id: int) -> str:
    return operator.get(f"{NEWS}/entries/{entry_id}").text


def option_of(page: str, match: Match) -> str:
    """Return what the choice of another report sends: its id, and the state that is shown."""
    return re.search(rf'<option value="({match.id}:[^"]+)"', page)[1]


def decide(operator: Operator, name: str, match: Match, page: str = "", **fields: str):
    """Send the form of a decision about a match, from the page of its article."""
    page = page or page_of(operator, match.entry_id)
    form = re.search(rf'matches/{match.id}/{name}".*?</form>', page, re.DOTALL)[0]
    state = re.search(r'name="state" value="([^"]+)"', form)[1]
    values = {"token": token_in(page), "state": state, **fields}
    return operator.send(f"{NEWS}/matches/{match.id}/{name}", values)


def words(page: str) -> str:
    """Return the text of a page."""
    return " ".join(re.sub(r"<[^>]+>", "", page).split())


def titles(page: str) -> list[str]:
    return re.findall(r"<h2><a [^>]*><bdi>([^<]*)</bdi>", page)


def last_log(made: Installation) -> tuple[str, str]:
    with made.at(MONDAY).reading() as session:
        entry = actions.newest(session, limit=1)[0]
        return entry.text, entry.reason


def test_the_list_shows_what_concerns_a_therapy_the_newest_first(operator, newsroom):
    newsroom.see(LESIONS)
    newsroom.see("Rain in the north")
    newsroom.see(SLEEP)
    page = operator.get(NEWS).text
    assert titles(page) == [SLEEP, LESIONS]
    assert "New report, about the therapy" in words(page)
    assert titles(operator.get(f"{NEWS}?all=yes").text) == [SLEEP, "Rain in the north", LESIONS]


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("title=SLEEP", [SLEEP]),
        ("title=50%25", []),
        ("source=127.0.0", [SLEEP, LESIONS]),
        ("profile=frexa", [SLEEP, LESIONS]),
        ("profile=frexa&title=slows", [LESIONS]),
        ("tier=about", [SLEEP, LESIONS]),
        ("tier=related", []),
        ("kind=corrected", [LESIONS]),
        ("kind=nonsense&tier=nonsense", [SLEEP, LESIONS]),
        ("since=2026-03-02", [SLEEP, LESIONS]),
        ("since=2026-03-03", []),
        ("source_id=99", []),
    ],
)
def test_the_list_is_searched(operator, newsroom, query, shown):
    entry_id = newsroom.see(LESIONS)
    newsroom.revise(entry_id, NewsKind.CORRECTED, 2 * HOUR, EDIT)
    newsroom.see(SLEEP)
    assert titles(operator.get(f"{NEWS}?{query}").text) == shown


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("source=nowhere", "No source has this in its name or address."),
        ("profile=aspirin", "No therapy has this in its name."),
        ("since=yesterday", "Write a day like 2026-03-02."),
    ],
)
def test_what_is_wrong_in_a_search_stands_beside_its_field(operator, newsroom, query, problem):
    newsroom.see(LESIONS)
    answer = operator.get(f"{NEWS}?{query}&title=kept")
    assert answer.status_code == 422
    assert problem in answer.text
    assert 'value="kept"' in answer.text
    assert titles(answer.text) == []


def test_a_search_looks_at_a_bounded_number_and_goes_on(operator, newsroom, monkeypatch):
    monkeypatch.setattr("notifier.match.news_list.LOOKED_AT", 2)
    newsroom.see(LESIONS)
    for number in range(3):
        newsroom.see(f"Rain in week {number}")
    path, shown = f"{NEWS}?title=lesions", []
    while path:
        page = operator.get(path).text
        shown.append(titles(page))
        older = re.search(r'href="\./(news\?before=[^"]+)">Look further back', page)
        path = "/operator/" + older[1].replace("&amp;", "&") if older else ""
    assert shown == [[], [LESIONS]]


def test_reports_of_one_story_are_shown_together(operator, newsroom, installation):
    first, second = newsroom.see(LESIONS), newsroom.see(SLEEP)
    news_review.join(
        installation.at(MONDAY), newsroom.match_of(first).id, newsroom.match_of(second).id
    )
    assert f"The same news: {LESIONS}" in words(operator.get(NEWS).text)


def test_an_article_shows_what_changed_and_how_many_were_told(operator, newsroom):
    entry_id = newsroom.see(LESIONS)
    newsroom.run(MONDAY + DAY)
    newsroom.revise(entry_id, NewsKind.CORRECTED, DAY + HOUR, EDIT)
    page = page_of(operator, entry_id)
    assert "<del>89 patients</del> → <ins>98 patients</ins>" in page
    text = words(page)
    assert "Told to fewer than 5 readers." in text
    assert "Told to nobody so far." in text
    assert "It goes to fewer than 5 readers with their next digest" in text
    assert "Your daily digest: 1 item" in text


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        ("dropped", "it was dropped. The reason: wrong substance"),
        ("served", "Nobody waits for it: whoever gets it was served."),
        ("withdrawn", "the publisher withdrew it."),
        ("filed", "it was there already when its source or its therapy was added."),
        ("in a draft", "It is in 1 draft or approved digest already."),
    ],
)
def test_an_article_says_what_happens_next(operator, newsroom, installation, what, sentence):
    entry_id = newsroom.see(LESIONS, baseline=what == "filed")
    if what == "dropped":
        review.drop_match(
            installation.at(MONDAY), newsroom.match_of(entry_id).id, "wrong substance"
        )
    elif what == "served":
        newsroom.run(MONDAY + DAY)
    elif what == "withdrawn":
        newsroom.revise(entry_id, NewsKind.WITHDRAWN, 2 * HOUR, GONE)
    elif what == "in a draft":
        installation.change(review=Review(required=True))
        newsroom.run(MONDAY + DAY - 2 * HOUR)
    assert sentence in words(page_of(operator, entry_id))


def test_a_match_is_dropped_with_a_reason_and_put_back(operator, newsroom, installation):
    entry_id = newsroom.see(LESIONS)
    match = newsroom.match_of(entry_id)
    answer = decide(operator, "drop", match, reason="another substance")
    page = operator.follow(answer, f"{NEWS}/matches/{match.id}/drop").text
    assert f"Dropped “{LESIONS}” (Frexalimab)." in page
    assert last_log(installation) == (f"Dropped “{LESIONS}” (Frexalimab)", "another substance")
    assert newsroom.match_of(entry_id).filed
    assert decide(operator, "restore", match).status_code == 303
    assert not newsroom.match_of(entry_id).filed
    assert "Restored" in words(page_of(operator, entry_id))


def test_a_drop_without_a_reason_keeps_the_form_open(operator, newsroom):
    match = newsroom.match_of(newsroom.see(LESIONS))
    answer = decide(operator, "drop", match, reason=" ")
    assert answer.status_code == 422
    assert "Say why, in a few words" in answer.text
    assert "<details open><summary>Keep it out of digests" in answer.text


def test_of_two_editors_the_second_sees_who_dropped_it_and_keeps_what_was_written(
    operator, newsroom, installation
):
    match = newsroom.match_of(newsroom.see(LESIONS))
    page = page_of(operator, match.entry_id)
    ben = actions.Actor("ben", MONDAY)
    review.drop_match(installation.at(MONDAY), match.id, "his reason", actor=ben)
    answer = decide(operator, "drop", match, page, reason="my reason")
    assert answer.status_code == 409
    assert "The last decision is by ben, on Mon 2 Mar 2026, 09:00 (UTC)" in answer.text
    assert 'value="my reason"' in answer.text
    assert newsroom.match_of(match.entry_id).dropped_because == "his reason"


def test_outlets_are_joined_and_separated_by_hand(operator, newsroom, installation):
    first, second = (newsroom.match_of(newsroom.see(title)) for title in (LESIONS, SLEEP))
    other = option_of(page_of(operator, first.entry_id), second)
    assert decide(operator, "join", first, other=other).status_code == 303
    page = page_of(operator, first.entry_id)
    assert "Reports of the same news" in page
    assert SLEEP in page
    assert newsroom.match_of(second.entry_id).story == first.id
    assert decide(operator, "separate", second, reason="two surveys").status_code == 303
    assert newsroom.match_of(second.entry_id).story is None
    assert last_log(installation)[1] == "two surveys"


def test_what_cannot_be_joined_is_said_on_the_page(operator, newsroom, installation):
    first = newsroom.match_of(newsroom.see(LESIONS))
    second = newsroom.match_of(newsroom.see(SLEEP))
    itself = option_of(page_of(operator, second.entry_id), first)
    for other, problem in (
        ("", "Choose the report"),
        (itself, "the same article"),
        ("999:x", "There is no match 999."),
        (str(second.id), "The other report changed"),
        (f"{second.id}:", "The other report changed"),
        (f"{second.id}:x", "The other report changed"),
    ):
        answer = decide(operator, "join", first, other=other)
        assert answer.status_code in (404, 409)
        assert problem in answer.text
    page = page_of(operator, first.entry_id)
    news_review.join(installation.at(MONDAY), second.id, first.id)
    other = option_of(page, second)
    assert decide(operator, "join", first, page, other=other).status_code == 409


def a_joined_pair(room: Newsroom) -> tuple[Match, Match]:
    """Return two matches of one story."""
    pair = [room.match_of(room.see(title)) for title in (SLEEP, TRIAL)]
    news_review.join(room.made.at(MONDAY), pair[0].id, pair[1].id)
    return room.match_of(pair[0].entry_id), room.match_of(pair[1].entry_id)


def test_what_the_other_report_was_joined_with_meanwhile_is_not_joined_unseen(
    operator, newsroom, installation
):
    first, second, third = (
        newsroom.match_of(newsroom.see(title)) for title in (LESIONS, SLEEP, TRIAL)
    )
    page = page_of(operator, first.entry_id)
    news_review.join(installation.at(MONDAY), third.id, second.id)
    answer = decide(operator, "join", first, page, other=option_of(page, second), reason="mine")
    assert answer.status_code == 409
    assert "The other report changed since you opened the page" in answer.text
    assert "with 1 other report of the same news" in words(answer.text)
    assert 'value="mine"' in answer.text
    assert newsroom.match_of(first.entry_id).story is None
    again = decide(operator, "join", first, other=option_of(answer.text, second))
    assert again.status_code == 303
    assert newsroom.match_of(third.entry_id).story == first.id


@pytest.mark.parametrize("which", ["first", "other"])
def test_a_report_that_joined_or_left_a_story_meanwhile_is_noticed(
    operator, newsroom, installation, which
):
    alone = newsroom.match_of(newsroom.see(LESIONS))
    pair = a_joined_pair(newsroom)
    fourth = newsroom.match_of(newsroom.see("Frexalimab in children"))
    one, other = (pair[0], alone) if which == "first" else (alone, pair[0])
    for change in (
        # The number of the story stays, and so does the first of its reports.
        lambda: news_review.join(installation.at(MONDAY), pair[1].id, fourth.id),
        lambda: news_review.separate(installation.at(MONDAY), fourth.id),
        lambda: news_review.separate(installation.at(MONDAY), pair[1].id),
    ):
        page = page_of(operator, one.entry_id)
        change()
        answer = decide(operator, "join", one, page, other=option_of(page, other))
        assert answer.status_code == 409
    assert newsroom.match_of(alone.entry_id).story is None


def test_another_report_that_was_dropped_or_corrected_meanwhile_is_not_joined(
    operator, newsroom, installation
):
    first, second = (newsroom.match_of(newsroom.see(title)) for title in (LESIONS, SLEEP))
    page = page_of(operator, first.entry_id)
    review.drop_match(installation.at(MONDAY), second.id, "not about it")
    other = option_of(page, second)
    assert decide(operator, "join", first, page, other=other).status_code == 409
    page = page_of(operator, first.entry_id)
    newsroom.revise(second.entry_id, NewsKind.CORRECTED, 2 * HOUR, EDIT)
    other = option_of(page, second)
    assert decide(operator, "join", first, page, other=other).status_code == 409


def test_a_draft_ends_when_an_editor_joins_two_of_its_items(operator, newsroom, installation):
    installation.change(review=Review(required=True))
    first, second = (newsroom.match_of(newsroom.see(title)) for title in (LESIONS, SLEEP))
    newsroom.run(MONDAY + DAY - 2 * HOUR)
    other = option_of(page_of(operator, first.entry_id), second)
    assert decide(operator, "join", first, other=other).status_code == 303
    with installation.at(MONDAY).reading() as session:
        assert session.query(Digest).one().status == "void"


def test_changes_are_listed_before_they_go_out_and_kept_from_readers(
    operator, newsroom, installation
):
    entry_id = newsroom.see(LESIONS)
    newsroom.see(SLEEP)
    newsroom.run(MONDAY + DAY)
    assert "No change is going out." in words(operator.get(CHANGES).text)
    newsroom.revise(entry_id, NewsKind.CORRECTED, DAY + HOUR, EDIT)
    page = operator.get(CHANGES).text
    assert "<del>89 patients</del> → <ins>98 patients</ins>" in page
    assert "Goes to fewer than 5 readers, the first on Wed 4 Mar 2026, 08:00 (UTC)." in words(page)
    match = newsroom.match_of(entry_id)
    answer = decide(operator, "drop", match, page, reason="a typing error", back="changes")
    after = operator.follow(answer, f"{NEWS}/matches/{match.id}/drop").text
    assert "No change is going out." in words(after)
    assert "Dropped" in after
    mails = len(installation.sink.to(READER))
    newsroom.run(MONDAY + 2 * DAY)
    assert len(installation.sink.to(READER)) == mails


def test_a_correction_that_nobody_was_told_the_article_of_goes_to_nobody(operator, newsroom):
    entry_id = newsroom.see(LESIONS)
    newsroom.revise(entry_id, NewsKind.CORRECTED, 2 * HOUR, EDIT)
    assert "No change is going out." in words(operator.get(CHANGES).text)


def test_an_article_with_hundreds_of_states_shows_them_in_parts(operator, newsroom):
    entry_id = newsroom.see(LESIONS)
    for number in range(44):
        newsroom.revise(
            entry_id, NewsKind.CORRECTED, HOUR * 2, EDIT, judge=False, material=number % 2 == 0
        )
    page = page_of(operator, entry_id)
    assert page.count("<h3>Correction") == 20
    assert operator.get(f"{NEWS}/entries/{entry_id}?before=6").text.count("<h3>Correction") == 4
    assert "changed 44 times since" in page


def test_markup_in_headlines_and_texts_stays_text(operator, newsroom):
    entry_id = newsroom.see("Frexalimab <script>x</script>", "<script>alert(1)</script>")
    for page in (page_of(operator, entry_id), operator.get(NEWS).text):
        assert "<script>x" not in page
        assert "<script>alert" not in page


@pytest.mark.parametrize("path", ["entries/99", "entries/0", "entries/x", "entries/9999999999"])
def test_an_article_that_is_not_there_is_a_404(operator, newsroom, path):
    assert operator.get(f"{NEWS}/{path}").status_code == 404


def test_a_decision_about_nothing_is_a_404(operator, newsroom):
    newsroom.see(LESIONS)
    answer = operator.act(NEWS, f"{NEWS}/matches/99/drop", reason="x")
    assert answer.status_code == 404


@pytest.mark.postgresql_long
def test_the_pages_are_the_same_on_each_database(any_operator, any_installation):
    any_installation.subscribe(READER)
    room = Newsroom(any_installation)
    room.run(MONDAY)
    first, second = room.see(LESIONS), room.see(SLEEP)
    room.run(MONDAY + DAY)
    room.revise(first, NewsKind.CORRECTED, DAY + HOUR, EDIT)
    room.see("FREXALT, the album", after=DAY + HOUR)
    query = "title=SLOWS&source=127&profile=frexa&tier=about&kind=corrected&since=2026-03-01"
    assert titles(any_operator.get(f"{NEWS}?{query}").text) == [LESIONS]
    assert "Told to fewer than 5 readers." in words(page_of(any_operator, first))
    assert "Goes to fewer than 5 readers" in words(any_operator.get(CHANGES).text)
    match = room.match_of(second)
    other = re.search(r'<option value="(1:[^"]+)"', page_of(any_operator, second))[1]
    decide(any_operator, "join", match, other=other)
    assert room.match_of(second).story == 1
    page = any_operator.get(f"{NEWS}/held").text
    item = re.search(r'name="item" value="([^"]+)"', page)[1]
    form = {"token": token_in(page), "do": "dismiss", "reason": "a band", "item": item}
    assert any_operator.send(f"{NEWS}/held", form).status_code == 303
    assert last_log(any_installation)[1] == "a band"


def test_an_empty_installation_says_what_will_appear(operator):
    assert "There is no news yet." in operator.get(NEWS).text
    assert "Nothing waits for a decision" in operator.get(f"{NEWS}/held").text
    assert "No change is going out." in words(operator.get(CHANGES).text)
