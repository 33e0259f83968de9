"""What waits for a decision: an editor releases and dismisses, one by one and several at once."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from notifier.admin import news_review
from notifier.enums import NewsKind
from notifier.operators import actions
from notifier.store.models import Match, NearMiss
from tests.support.installation import MONDAY, Installation
from tests.support.newsroom import DAY, EDIT, GONE, HOUR, LESIONS, Newsroom
from tests.support.operators import Operator, add_operator, token_in

PAGE = "/operator/news/held"
ALBUM, FILM = "FREXALT, the album", "FREXALT, the film"


@pytest.fixture
def newsroom(installation: Installation) -> Newsroom:
    return Newsroom(installation)


def items_in(page: str) -> dict[int, str]:
    """Return what the boxes on a page send, by the id of the held match."""
    return {
        int(item.split(":")[0]): item
        for item in re.findall(r'type="checkbox"[^>]*name="item" value="([^"]+)"', page)
    }


def send(operator: Operator, do: str, reason: str = "", *items: str, page: str = "", **more: str):
    """Send a form of the page; without items, all that wait, as several."""
    page = page or operator.get(PAGE).text
    chosen = items or tuple(items_in(page).values())
    fields = {"token": token_in(page), "do": do, "reason": reason, "at": "several", **more}
    return operator.send(PAGE, [*fields.items(), *(("item", item) for item in chosen)])


def log(made: Installation) -> list[tuple[str, str, str]]:
    with made.at(MONDAY).reading() as session:
        return [
            (entry.name, entry.text, entry.reason)
            for entry in actions.newest(session)
            if entry.about
        ]


def waiting(operator: Operator) -> list[int]:
    return list(items_in(operator.get(PAGE).text))


def test_the_page_says_why_something_waits_and_shows_its_text(operator, newsroom):
    newsroom.made.subscribe("anna@example.org")
    newsroom.see(ALBUM, "A band plays on 12 stages.")
    page = operator.get(PAGE).text
    assert ALBUM in page
    assert "The text nearly matches" in page
    assert "It names FREXALT, but speaks of no medicine." in page
    assert "A band plays on 12 stages." in page
    assert "Waits for you (1)" in page
    assert "Released, it goes to fewer than 5 readers who follow Frexalimab." in page


def test_each_reason_to_hold_has_words_of_its_own_and_changes_are_marked(operator, newsroom):
    first = newsroom.see(LESIONS)
    newsroom.see("Frexalimab enters the clinic", held_because="old_news")
    newsroom.revise(first, NewsKind.CORRECTED, 2 * HOUR, EDIT, held_because="mass_edit")
    newsroom.revise(first, NewsKind.WITHDRAWN, 3 * HOUR, GONE, held_because="withdrawal")
    page = operator.get(PAGE).text
    for words in ("more than 90 days before", "changed at once", "Its page is gone, but so are"):
        assert words in page
    assert "<del>89 patients</del> → <ins>98 patients</ins>" in page
    only = operator.get(f"{PAGE}?because=old_news").text
    assert "Frexalimab enters the clinic" in only
    assert LESIONS not in only


def test_a_released_text_becomes_a_match_and_the_log_says_who_released_it(
    operator, newsroom, installation
):
    newsroom.see(ALBUM)
    answer = send(operator, "release", "it is about the trial after all")
    assert answer.status_code == 303
    page = operator.follow(answer, PAGE).text
    assert f"Released “{ALBUM}” (Frexalimab)." in page
    assert "Nothing waits for a decision" in page
    assert log(installation) == [
        ("anna", f"Released “{ALBUM}” (Frexalimab)", "it is about the trial after all")
    ]
    with installation.at(MONDAY).reading() as session:
        (match,) = session.query(Match).all()
        assert match.filed is False


def test_a_dismissed_text_never_becomes_a_match(operator, newsroom, installation):
    newsroom.see(ALBUM)
    assert send(operator, "dismiss", "a record").status_code == 303
    assert waiting(operator) == []
    assert log(installation) == [("anna", f"Dismissed “{ALBUM}” (Frexalimab)", "a record")]
    with installation.at(MONDAY).reading() as session:
        assert session.query(Match).count() == 0


def test_several_are_released_at_once_and_each_is_reported(operator, newsroom, installation):
    newsroom.see(ALBUM)
    newsroom.see(FILM)
    page = operator.follow(send(operator, "release"), PAGE).text
    assert f"Released “{ALBUM}”" in page
    assert f"Released “{FILM}”" in page
    assert len(log(installation)) == 2


def test_one_that_fails_does_not_stop_the_others(operator, newsroom, installation):
    newsroom.see(ALBUM)
    newsroom.see(FILM)
    page = operator.get(PAGE).text
    news_review.release(installation.at(MONDAY), newsroom.held_id(ALBUM))
    answer = send(operator, "dismiss", "records", page=page)
    assert answer.status_code == 409
    assert "Some of it was not done" in answer.text
    assert f"Dismissed “{FILM}”" in answer.text
    assert f"“{ALBUM}” was released on Mon 2 Mar 2026, 09:00 already." in answer.text
    assert "What you had written: records" in answer.text
    assert waiting(operator) == []


def test_of_two_editors_the_second_is_told_who_decided_and_when(operator, newsroom, installation):
    newsroom.see(ALBUM)
    page = operator.get(PAGE).text
    ben = actions.Actor("ben", MONDAY + HOUR)
    news_review.release(installation.at(MONDAY), newsroom.held_id(), actor=ben)
    answer = send(operator, "dismiss", "a record", page=page)
    assert answer.status_code == 409
    assert f"“{ALBUM}”: ben released it on Mon 2 Mar 2026, 10:00 already." in answer.text
    with installation.at(MONDAY).reading() as session:
        assert session.query(NearMiss).one().dropped_because == ""


@pytest.mark.postgresql_long
def test_of_two_decisions_at_the_same_moment_one_counts(any_operator, any_installation):
    Newsroom(any_installation).see(ALBUM)
    page = any_operator.get(PAGE).text
    with ThreadPoolExecutor(2) as pool:
        answers = pool.map(
            lambda do: send(any_operator, do, "at once", page=page).status_code,
            ("release", "dismiss"),
        )
        assert sorted(answers) == [303, 409]
    with any_installation.at(MONDAY).reading() as session:
        held = session.query(NearMiss).one()
        assert (held.released_at is None) != (held.dropped_because == "")
        assert session.query(Match).count() == (held.released_at is not None)
    assert len(log(any_installation)) == 1


def test_a_text_that_changed_since_it_was_shown_is_shown_again_and_nothing_is_done(
    operator, newsroom
):
    entry_id = newsroom.see(ALBUM)
    page = operator.get(PAGE).text
    newsroom.revise(
        entry_id, NewsKind.CORRECTED, 2 * HOUR, EDIT, title=ALBUM, body="Now with a new song."
    )
    answer = send(operator, "release", "fine", page=page)
    assert answer.status_code == 409
    assert f"“{ALBUM}” changed since you opened the page" in answer.text
    assert "Now with a new song." in answer.text
    assert 'value="fine"' in answer.text
    assert "checked" in answer.text
    assert waiting(operator) == [newsroom.held_id()]


def test_what_was_withdrawn_since_is_no_decision_any_more(operator, newsroom):
    entry_id = newsroom.see(ALBUM)
    page = operator.get(PAGE).text
    newsroom.revise(entry_id, NewsKind.WITHDRAWN, 2 * HOUR, GONE, title=ALBUM, judge=False)
    shown = operator.get(PAGE).text
    assert "The publisher withdrew it since" in shown
    assert 'value="release" aria-describedby' not in shown
    assert send(operator, "release", page=page).status_code == 409
    newsroom.see("Rain", after=3 * HOUR)  # it is judged together with the withdrawal
    answer = send(operator, "release", page=page)
    assert "is not there any more" in answer.text
    assert waiting(operator) == []


@pytest.mark.parametrize(
    ("fields", "items", "words"),
    [
        pytest.param({"do": "release"}, (), "Nothing is chosen", id="nothing ticked"),
        pytest.param({"do": "explode"}, ("1:1-1",), "Choose whether", id="no such decision"),
        pytest.param({"do": "dismiss"}, ("1:1-1",), "Say why", id="dismissed without a reason"),
        pytest.param(
            {"do": "release", "reason": "x" * 501}, ("1:1-1",), "500 characters", id="long reason"
        ),
        pytest.param({"do": "release"}, ("0:1", "-1:1", "x", ""), "Nothing is chosen", id="ids"),
    ],
)
def test_a_wrong_form_is_reported_keeps_what_was_written_and_changes_nothing(
    operator, newsroom, fields, items, words
):
    newsroom.see(ALBUM)
    before = waiting(operator)
    form = {"token": token_in(operator.get(PAGE).text), "at": "several", **fields}
    answer = operator.send(PAGE, [*form.items(), *(("item", item) for item in items)])
    assert answer.status_code == 422
    assert words in answer.text
    assert f'value="{fields.get("reason", "")}"' in answer.text
    assert waiting(operator) == before


def test_an_id_of_nothing_is_reported(operator, newsroom):
    newsroom.see(ALBUM)
    answer = send(operator, "dismiss", "x", "999:1-1", "123456789:1-1")
    assert answer.status_code == 409
    assert answer.text.count("is not there any more") == 2


def test_a_wrong_reason_stands_beside_the_one_it_was_written_for(operator, newsroom):
    newsroom.see(ALBUM)
    newsroom.see(FILM)
    page = operator.get(PAGE).text
    number, item = next(iter(items_in(page).items()))
    answer = send(operator, "dismiss", "", item, page=page, at=str(number))
    assert f'id="why-{number}-wrong">Say why' in answer.text
    assert answer.text.count("Say why") == 1


def test_markup_and_other_directions_stay_text(operator, newsroom):
    newsroom.see("FREXALT <script>alert(1)</script>", "<img src=x onerror=alert(1)> band")
    newsroom.see("FREXALT \u202eevil\u202c ألبوم", "نص باللغة العربية")
    page = operator.get(PAGE).text
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "FREXALT &lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert 'class="news-text" dir="rtl">نص' in page


def test_a_very_long_text_is_cut_with_a_way_to_the_whole(operator, newsroom):
    newsroom.see(ALBUM, "A band plays. " * 8000)
    page = operator.get(PAGE).text
    assert len(page) < 30_000
    assert "The whole text" in page


def test_many_are_shown_in_parts(operator, newsroom):
    for number in range(23):
        newsroom.see(f"FREXALT, song {number}", after=HOUR)
    first = operator.get(PAGE).text
    older = re.search(r'href="\.\./news/held\?(before=\d+)"', first)[1]
    second = operator.get(f"{PAGE}?{older}").text
    assert (len(items_in(first)), len(items_in(second))) == (20, 3)
    assert not items_in(first).keys() & items_in(second).keys()


def test_what_sources_listed_when_they_were_added_is_apart(operator, newsroom):
    newsroom.see(ALBUM, baseline=True)
    assert waiting(operator) == []
    page = operator.get(PAGE).text
    assert "1 more text nearly matched when its source was added." in " ".join(page.split())
    assert ALBUM in operator.get(f"{PAGE}?first=yes").text


def test_an_editor_may_decide_and_a_get_changes_nothing(installation, newsroom, client):
    newsroom.see(ALBUM)
    add_operator(installation, "ben", "editor")
    editor = Operator(client)
    editor.log_in("ben")
    editor.get(PAGE)
    assert editor.get(f"{PAGE}?do=release&item=1:1-1").status_code == 200
    assert waiting(editor) == [newsroom.held_id()]
    assert send(editor, "release").status_code == 303


def test_the_readers_get_what_was_released(operator, newsroom, installation):
    installation.subscribe("anna@example.org")
    newsroom.run(MONDAY)
    newsroom.see(ALBUM)
    send(operator, "release")
    newsroom.run(MONDAY + DAY)
    assert len(installation.sink.to("anna@example.org")) == 1
