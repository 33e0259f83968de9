"""Moved ids: one thing is told once, whatever its ids become; two things stay two."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, select

from notifier.store import db
from notifier.store.models import EntryAlias, Revision
from notifier.watch import entries, presence, sources
from notifier.watch.parsers.observation import Observation
from tests.support.effort import measured
from tests.support.installation import MONDAY

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MIDNIGHT = MONDAY.replace(hour=0)
OLD, NEW = "https://old.example.org", "https://new.example.test"
NAMES = ("Heather", "Juniper", "Larch", "Myrtle", "Rowan", "Sorrel", "Tansy", "Willow")
# A made-up text of 45 words.
LONG = "The ward wrote down what it saw, week after week, and what it did not see. " * 3


def item(name: str, **changes) -> Observation:
    """Return a made-up article of an invented site."""
    slug = name.lower()
    values = {
        "guid": f"{OLD}/?p={len(name)}{slug}",
        "url": f"{OLD}/2026/{slug}-and-the-new-ward/",
        "title": f"{name} and the new ward",
        "body": f"What the invented paper wrote about {name} and the ward that opened in May.",
        "published_at": MONDAY + timedelta(minutes=7 * len(name)),
    }
    return Observation(**{**values, **changes})


def seen(engine: Engine, *documents: list[Observation], hours: int = 24) -> list[int]:
    """Store documents one after another, as a poll does; return the new entries of each."""
    new = []
    with db.writing(engine) as session:
        source, _ = sources.add(session, f"{OLD}/feed/", MONDAY)
        source.baselined_at = MONDAY - DAY
    for number, document in enumerate(documents):
        now = MONDAY + DAY + timedelta(hours=hours * number)
        with db.writing(engine) as session:
            source, _ = sources.add(session, f"{OLD}/feed/", MONDAY)
            stored = entries.store(session, source, document, now)
            presence.note_listed(session, source, stored.entry_ids, now)
            new.append(stored.new)
    return new


def each(items: list[Observation], change: Callable[[int, Observation], dict]) -> list[Observation]:
    return [replace(one, **change(number, one)) for number, one in enumerate(items)]


GARDEN = [item(name) for name in NAMES]
BARE = [replace(one, body="") for one in GARDEN]
UNDATED = [replace(one, body="", published_at=None) for one in GARDEN]


def at_new_host(number: int, one: Observation) -> dict:
    return {"guid": f"urn:node:{number}", "url": f"{NEW}/news/{number}.html"}


def moved(number: int, one: Observation) -> dict:
    shifted = one.published_at + 5 * HOUR if one.published_at else None
    return at_new_host(number, one) | {"published_at": shifted}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(GARDEN, each(GARDEN, moved), id="host, guids and zone"),
        pytest.param(GARDEN[:2], each(GARDEN[:2], moved), id="two items move"),
        pytest.param(GARDEN[:1], each(GARDEN[:1], moved), id="the only item moves"),
        pytest.param(BARE, each(BARE, moved), id="titles alone move"),
        pytest.param(UNDATED, each(UNDATED, moved), id="titles alone, without dates"),
        pytest.param(BARE[:1], each(BARE[:1], moved), id="one title, its minute in another zone"),
        pytest.param(
            GARDEN,
            each(GARDEN, lambda n, _: {"guid": f"tag:example.org,2026:{n}"}),
            id="tag guids",
        ),
        pytest.param(
            each(GARDEN, lambda n, _: {"guid": f"tag:example.org,2026:{n}"}),
            each(GARDEN, lambda _, one: {"guid": one.url.replace("https", "http")}),
            id="from tag guids to addresses",
        ),
        pytest.param(
            GARDEN,
            each(GARDEN, lambda _, one: {"url": one.url.replace("//", "//www."), "guid": ""}),
            id="www, and no guids any more",
        ),
        pytest.param(
            GARDEN,
            each(GARDEN, lambda n, _: {"guid": f"{n}", "url": f"{OLD}/?article={n}"}),
            id="new permalinks",
        ),
        pytest.param(
            GARDEN,
            each(GARDEN, lambda n, one: moved(n, one) | {"published_at": MONDAY + 40 * DAY}),
            id="a move that dates all items anew",
        ),
        pytest.param(
            each(GARDEN, lambda n, one: {"title": f"{one.title} ({n + 3} comments)"}),
            each(GARDEN, lambda n, one: moved(n, one) | {"title": f"{one.title} ({n} comments)"}),
            id="a move amid comments",
        ),
        pytest.param(
            GARDEN,
            each(
                GARDEN,
                lambda n, one: (
                    at_new_host(n, one) | ({} if n else {"body": f"3 min read\n{one.body}"})
                ),
            ),
            id="a move that puts a line before one text",
        ),
        pytest.param(
            BARE[:1],
            each(BARE[:1], lambda n, one: moved(n, one) | {"title": f"{one.title} – 1 Kommentar"}),
            id="a move, and the first comment",
        ),
        pytest.param(
            GARDEN,
            each(GARDEN, moved)[:7],
            id="a move that loses one item",
        ),
        pytest.param(GARDEN, each(GARDEN, moved)[::-1], id="a move that turns the order round"),
        pytest.param(
            GARDEN[:1],
            each(GARDEN[:1], lambda _, one: {"guid": "77", "url": f"{one.url}?visit=77"}),
            id="counted link and guid",
        ),
        pytest.param(
            GARDEN[:1],
            each(
                GARDEN[:1],
                lambda _, one: {
                    "guid": "s77",
                    "url": one.url.rstrip("/") + ";jsessionid=9F7",
                    "published_at": MONDAY + 30 * DAY,
                },
            ),
            id="session in the path, and a new date",
        ),
        pytest.param(
            [item("Oak", body=LONG)],
            [item("Oak", body=LONG, guid="9", url=f"{OLD}/9", published_at=MONDAY + 30 * DAY)],
            id="a long text under a new address and date",
        ),
        pytest.param(
            [item("Oak", title="", guid="1", url=f"{OLD}/n/1?v=1")],
            [item("Oak", title="", guid="2", url=f"{OLD}/n/1?v=2")],
            id="a note without a title",
        ),
        pytest.param(
            [item("Frauenmantel", title="Neues vom Frauenmantel – Übersicht", body=LONG)],
            [
                item(
                    "Frauenmantel",
                    title="Neues vom FRAUENMANTEL: Übersicht",
                    body=LONG,
                    guid="de-1",
                    url=f"{NEW}/uebersicht",
                )
            ],
            id="German, in other capitals",
        ),
        pytest.param(
            [item("Oak", title="臨床試験の最新情報", body="架空の記事です。")],
            [
                item(
                    "Oak",
                    title="臨床試験の最新情報",
                    body="架空の記事です。",
                    guid="j",
                    url=f"{NEW}/j",
                )
            ],
            id="Japanese",
        ),
    ],
)
def test_the_same_things_under_other_ids_are_no_news(
    sqlite_engine: Engine, before: list[Observation], after: list[Observation]
):
    assert seen(sqlite_engine, before, after) == [len(before), 0]
    with db.reading(sqlite_engine) as session:
        assert not session.scalar(
            select(func.count()).where(Revision.number > 1, Revision.material)
        )


def test_a_site_that_moves_and_shows_excerpts_from_now_on_has_nothing_new(sqlite_engine: Engine):
    after = each(GARDEN, lambda n, one: moved(n, one) | {"body": one.body[:40] + " […]"})
    assert seen(sqlite_engine, GARDEN, after) == [8, 0]


def letter(number: int, text: str = "", **changes) -> Observation:
    values = {
        "guid": f"doi:10.0000/made.up.{number}",
        "url": f"{OLD}/doi/10.0000/made.up.{number}",
        "title": "Letter to the editor",
        "body": text,
        "published_at": MIDNIGHT,
    }
    return Observation(**{**values, **changes})


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(letter(1), letter(2), id="letters without texts"),
        pytest.param(
            letter(1, "On sleep, from a ward in Ahrhain."),
            letter(2, "On age, from a ward in Ahrhain."),
            id="letters with much alike texts",
        ),
        pytest.param(
            letter(1, "On sleep.", guid=""), letter(2, "On age.", guid=""), id="links alone"
        ),
        pytest.param(
            letter(1, "On sleep.", url=""), letter(2, "On age.", url=""), id="guids alone"
        ),
        pytest.param(
            letter(1, "On sleep.", url=f"{OLD}/a.php?id=1"),
            letter(2, "On age.", url=f"{OLD}/a.php?id=2"),
            id="one script with two numbers",
        ),
        pytest.param(
            letter(1, url=f"{OLD}/a.php?id=1"),
            letter(2, url=f"{OLD}/a.php?id=2"),
            id="one script with two numbers, without texts",
        ),
        pytest.param(
            letter(1, "On sleep.", published_at=MONDAY + timedelta(minutes=14, seconds=24)),
            letter(2, "On age.", published_at=MONDAY + timedelta(minutes=14, seconds=24)),
            id="one exact minute",
        ),
        pytest.param(
            letter(1, "On sleep.", title="", url=f"{OLD}/notes"),
            letter(2, "On age.", title="", url=f"{OLD}/notes"),
            id="notes that link to one page",
        ),
        pytest.param(
            letter(1, "On sleep.", title=""), letter(2, "On age.", title=""), id="untitled notes"
        ),
        pytest.param(
            letter(1, "On sleep.", url=f"{OLD}/"),
            letter(2, "On age.", url=f"{OLD}/"),
            id="letters that link to the front page",
        ),
        pytest.param(
            letter(1, "Who asks, and who answers.", title="Correction"),
            letter(
                2, "Who asks, and who answers?", title="Correction", published_at=MIDNIGHT + 7 * DAY
            ),
            id="the same few words a week later",
        ),
        pytest.param(
            letter(1, "Eine Zuschrift zum Schlaf.", title="Leserbrief"),
            letter(2, "Eine Zuschrift zum Alter.", title="Leserbrief"),
            id="German letters",
        ),
        pytest.param(
            letter(1, "睡眠について。", title="編集者への手紙"),
            letter(2, "年齢について。", title="編集者への手紙"),
            id="Japanese letters",
        ),
        pytest.param(
            letter(1, "On sleep.", title="Living with it (1)"),
            letter(2, "On age.", title="Living with it (2)"),
            id="parts of a series",
        ),
        pytest.param(
            letter(1, LONG),
            letter(2, f"A reader answers to what the ward wrote in this paper: {LONG}"),
            id="a letter that quotes the other",
        ),
        pytest.param(
            letter(1, "On sleep.", title="Letter (3 comments)"),
            letter(2, "On age.", title="Letter (4 comments)"),
            id="letters with comments",
        ),
        pytest.param(
            letter(1, "On sleep.", published_at=None),
            letter(2, "On age.", published_at=None),
            id="letters without dates",
        ),
    ],
)
@pytest.mark.parametrize("together", [False, True], ids=["one after the other", "then together"])
def test_two_things_with_ids_of_their_own_are_two(
    sqlite_engine: Engine, first: Observation, second: Observation, together: bool
):
    after = [second, first] if together else [second]
    assert seen(sqlite_engine, [first], after) == [1, 1]
    with db.reading(sqlite_engine) as session:
        assert session.scalar(select(func.count(Revision.id))) == 2


def test_each_issue_of_a_journal_is_news_under_the_same_titles(sqlite_engine: Engine):
    titles = ["Editorial", "Letters", "In this issue", "Obituary", "Errata"]
    issues = [
        [
            letter(
                10 * month + n,
                f"{title} of issue {month}, {n} pages.",
                title=title,
                published_at=MIDNIGHT + 30 * month * DAY,
            )
            for n, title in enumerate(titles)
        ]
        for month in range(3)
    ]
    assert seen(sqlite_engine, *issues, hours=720) == [5, 5, 5]


def test_what_is_new_when_a_site_moves_is_news(sqlite_engine: Engine):
    fresh = item("Yarrow", guid="urn:node:99", url=f"{NEW}/news/99.html")
    assert seen(sqlite_engine, BARE, [fresh, *each(BARE, moved)[:7]]) == [8, 1]


def test_a_retracted_article_that_got_other_headlines_and_ids_is_no_news(sqlite_engine: Engine):
    marked = each(GARDEN, lambda n, one: {} if n else {"title": f"RETRACTED: {one.title}"})
    named = each(marked, lambda _, one: {"title": f"{one.title} | Garden News"})
    themed = each(named, lambda _, one: {"body": f"3 min read\n{one.body}"})
    after = each(themed, at_new_host)
    assert seen(sqlite_engine, GARDEN, marked, named, themed, after) == [8, 0, 0, 0, 0]


def test_a_letter_beside_a_known_one_of_its_title_is_news(sqlite_engine: Engine):
    known = [letter(1, "On sleep."), *GARDEN]
    assert seen(sqlite_engine, known, [letter(2, "On sleep."), *known]) == [9, 1]


def test_old_items_that_are_listed_again_after_an_outage_are_no_news(sqlite_engine: Engine):
    assert seen(sqlite_engine, GARDEN[:4], GARDEN[4:], GARDEN) == [4, 4, 0]
    again = each(GARDEN, at_new_host)
    assert seen(sqlite_engine, again)[-1] == 0


def test_an_old_item_that_is_listed_again_after_a_move_and_a_new_theme_is_no_news(
    sqlite_engine: Engine,
):
    known = each(GARDEN, lambda _, one: {"body": f"{one.title}. {LONG}"})
    above, below = "3 min read\n", "\nRelated articles\nLarch and the new ward"
    after = each(known, lambda n, one: moved(n, one) | {"body": f"{above}{one.body}{below}"})
    assert seen(sqlite_engine, known, known[1:], after) == [8, 0, 0]


def test_ids_that_are_made_anew_at_each_poll_tell_nothing_and_leave_few_keys(engine: Engine):
    def drawn(poll: int) -> list[Observation]:
        return each(
            GARDEN[:3],
            lambda n, one: {
                "guid": f"{poll}-{n}",
                "url": f"{one.url}?visit={poll}{n}",
                "published_at": MONDAY + poll * DAY,
            },
        )

    assert seen(engine, *(drawn(poll) for poll in range(40))) == [3] + [0] * 39
    with db.reading(engine) as session:
        assert session.scalar(select(func.count()).select_from(EntryAlias)) < 3 * 36


def test_an_edit_is_a_correction_though_the_ids_are_made_anew(sqlite_engine: Engine):
    before = item("Oak", guid="1", url=f"{OLD}/oak-and-the-new-ward?v=1", body="It enrolled 129.")
    after = item("Oak", guid="2", url=f"{OLD}/oak-and-the-new-ward?v=2", body="It enrolled 192.")
    assert seen(sqlite_engine, [before], [after]) == [1, 0]
    with db.reading(sqlite_engine) as session:
        assert [one.material for one in session.scalars(select(Revision))] == [True, True]


def told(engine: Engine) -> list[str]:
    """Return the titles of the edits that are news."""
    with db.reading(engine) as session:
        edits = select(Revision).where(Revision.number > 1, Revision.material)
        return [edit.title for edit in session.scalars(edits)]


TOPICS = (
    ("Frexalimab trial enrols 129 people", "The ward in Ulm gives the antibody until next May."),
    ("Scanner opens at the Jena clinic", "The machine cost two millions and stands downstairs."),
    ("Council votes on new bus lanes", "Nine members voted for the proposal, four against it."),
    ("Nurses ask for longer breaks", "Yesterday they handed a letter to the hospital's board."),
    ("A quiz about sleep and light", "Answer these ten questions and win a small lamp."),
)
JAPANESE = (
    ("フレキサリマブの試験に参加者が集まる", "架空の病院が五月まで薬を投与する。"),
    ("市議会がバス専用車線を可決", "九人が賛成し、四人が反対した。"),
    ("看護師が休憩の延長を求める", "昨日、理事会に手紙を渡した。"),
    ("睡眠と光のクイズ", "十の質問に答えて電灯を当てよう。"),
    ("新しい図書館が駅前に開く", "建物は木造で、屋上に庭がある。"),
)


def numbered_anew(topics, first: int, **changes) -> list[Observation]:
    """Return three topics of a list, the newest first, whose guids are their places in it."""
    return [
        Observation(
            **{
                "guid": str(place),
                "url": f"{OLD}/2026/{first + 2 - place}-article/",
                "title": topics[first + 2 - place][0],
                "body": topics[first + 2 - place][1],
                "published_at": MONDAY + timedelta(hours=31 * (first + 2 - place)),
                **changes,
            }
        )
        for place in range(3)
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"published_at": None},
        {"published_at": MIDNIGHT},
        {"body": ""},
        {"guid": f"{OLD}/authors/anna"},
    ],
    ids=["dated", "without dates", "of one day", "titles alone", "the guid of their author"],
)
@pytest.mark.parametrize("topics", [TOPICS, JAPANESE], ids=["English", "Japanese"])
def test_a_list_whose_guids_are_counted_anew_brings_news_and_no_corrections(
    sqlite_engine: Engine, topics, changes: dict
):
    documents = [numbered_anew(topics, first, **changes) for first in (0, 1, 2, 2)]
    assert seen(sqlite_engine, *documents) == [3, 1, 1, 0]
    assert told(sqlite_engine) == []


def test_links_with_numbers_under_guids_that_are_counted_anew_are_told_apart(sqlite_engine: Engine):
    documents = [
        each(
            numbered_anew(TOPICS, first),
            lambda n, _, first=first: {"url": f"{OLD}/article.php?id={first + 2 - n}"},
        )
        for first in (0, 1)
    ]
    assert seen(sqlite_engine, *documents) == [3, 1]
    assert told(sqlite_engine) == []


def test_an_item_under_the_only_guid_of_its_section_is_news_each_time(sqlite_engine: Engine):
    documents = [numbered_anew(TOPICS, first, guid="section-5")[:1] for first in (0, 1, 2)]
    assert seen(sqlite_engine, *documents) == [1, 1, 1]
    assert told(sqlite_engine) == []


LATER_EDITION = {
    "url": f"{OLD}/2026/ulm-trial-enrols-more/",
    "published_at": MONDAY + 3 * DAY,
}


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "Frexalimab trial now enrols 192 people"},
        {"title": "More take part in Ulm", "body": f"{TOPICS[0][1]} They are 192 now."},
        {"title": "Another headline", "body": "Other words.", "url": f"{OLD}/2026/0-article/"},
        {"title": "Another headline", "body": "Other words.", "published_at": MONDAY},
        {"title": "RETRACTED: Frexalimab trial enrols 129 people", "body": "It was retracted."},
        {"title": "", "body": "It was removed."},
    ],
    ids=["headline", "text goes on", "same link", "same minute", "retraction", "no headline"],
)
def test_an_item_that_keeps_its_guid_under_another_link_is_the_same_one(
    sqlite_engine: Engine, changes: dict
):
    known = numbered_anew(TOPICS, 0)[2]
    after = replace(known, **{**LATER_EDITION, **changes})
    assert seen(sqlite_engine, [known], [after]) == [1, 0]


RETITLED = {
    "title": "The ward has moved",
    "url": f"{OLD}/2026/the-ward-has-moved/",
    "guid": f"{OLD}/2026/the-ward-has-moved/",
}


def test_an_article_that_got_another_headline_and_link_is_corrected(sqlite_engine: Engine):
    known = [item("Oak", body=LONG), *GARDEN]
    after = [replace(known[0], **RETITLED), *GARDEN]
    assert seen(sqlite_engine, known, after, after) == [9, 0, 0]
    assert told(sqlite_engine) == ["The ward has moved"]


@pytest.mark.parametrize(
    ("changes", "beside"),
    [
        pytest.param({"published_at": MONDAY + timedelta(minutes=22)}, False, id="another minute"),
        pytest.param({"published_at": MIDNIGHT}, False, id="a day alone"),
        pytest.param({"published_at": None}, False, id="no date"),
        pytest.param({"body": f"{LONG} But not in May."}, False, id="more text"),
        pytest.param({"body": "Each day we write about the ward."}, False, id="a short text"),
        pytest.param({}, True, id="both are listed"),
    ],
)
def test_another_headline_and_link_are_another_article(
    sqlite_engine: Engine, changes: dict, beside: bool
):
    shared = {"published_at": MIDNIGHT} if "published_at" in changes else {}
    known = item("Oak", body=changes.get("body", LONG)[:200], **shared)
    after = replace(known, **{**RETITLED, **changes})
    assert seen(sqlite_engine, [known], [after, *([known] if beside else [])]) == [1, 1]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("/politics/oak-and-ward-a-1234567.html", "/politics/ward-has-moved-a-1234567.html"),
        ("/1234567-oak-and-ward", "/1234567-ward-has-moved"),
        ("/story/1234567/oak-and-ward", "/story/1234567/ward-has-moved"),
        ("/oak-and-ward-1a2b3c4d5e6f", "/ward-has-moved-1a2b3c4d5e6f"),
        (
            "/oak-a-1f9c2d3e-4b5a-4c1d-9e8f-112233445566",
            "/ward-a-1f9c2d3e-4b5a-4c1d-9e8f-112233445566",
        ),
    ],
    ids=["at the end", "at the beginning", "a folder", "hexadecimal", "a UUID"],
)
@pytest.mark.parametrize(
    "texts",
    [
        (LONG, LONG),
        ("It enrolled 129 people in the ward, said Anna.", "It enrolled 192 people in the ward."),
        ("", ""),
    ],
    ids=["one text", "an edited text", "no text"],
)
def test_an_article_whose_link_keeps_its_number_is_corrected(
    sqlite_engine: Engine, before: str, after: str, texts: tuple[str, str]
):
    """A site that dates an edited article anew, and makes link and guid of the new headline."""
    known = item("Oak", url=OLD + before, guid=OLD + before, body=texts[0])
    edited = {"title": "Oak and the newest ward", "published_at": MONDAY + DAY, "body": texts[1]}
    later = replace(known, url=OLD + after, guid=OLD + after, **edited)
    assert seen(sqlite_engine, [known, *GARDEN], [later, *GARDEN]) == [9, 0]
    assert told(sqlite_engine) == ["Oak and the newest ward"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("/data-on-sar-441344", "/fast-track-for-sar-441344"),
        ("/oak-and-ward-20260302", "/a-quiz-20260302"),
        ("/oak-and-ward-202603021405", "/a-quiz-202603021405"),
        ("/nct06141473-starts", "/nct06141473-stops"),
    ],
)
@pytest.mark.parametrize("texts", [("", ""), (TOPICS[0][1], TOPICS[3][1])])
def test_a_number_that_two_links_have_in_common_makes_no_one_thing_of_two(
    sqlite_engine: Engine, before: str, after: str, texts: tuple[str, str]
):
    known = item("Oak", url=OLD + before, guid="1", body=texts[0], title=TOPICS[0][0])
    other = item("Elm", url=OLD + after, guid="2", body=texts[1], title=TOPICS[3][0])
    assert seen(sqlite_engine, [known], [other]) == [1, 1]


@pytest.mark.long
def test_five_thousand_items_of_one_title_are_settled_in_time(sqlite_engine: Engine):
    first = [letter(n, f"On {n} things.") for n in range(2_500)]
    second = [letter(n, f"On {n} things.") for n in range(2_500, 5_000)]
    with measured() as effort:
        assert seen(sqlite_engine, first, second) == [2_500, 2_500]
    assert effort.processor < 30
