"""Identity: an item with another guid, link or date is the same entry; two never become one."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from notifier.enums import NewsKind
from notifier.pipeline import poll
from notifier.store import db
from notifier.store.models import Base, Entry, Revision, Source
from notifier.watch import entries, sources
from notifier.watch.compare import edits
from notifier.watch.parsers.observation import Observation
from tests.support.installation import MONDAY, Installation
from tests.support.news_site import Article

# The reading is tried, which is the same on both kinds of databases.
pytestmark = pytest.mark.postgresql_long

LATER = MONDAY + timedelta(days=1)


def an_item(**changes) -> Observation:
    values = {
        "guid": "https://herald.example.org/?p=1",
        "url": "https://herald.example.org/one/",
        "title": "A made-up headline",
        "summary": "Nothing of it is true.",
        "published_at": MONDAY,
    }
    return Observation(**{**values, **changes})


def a_source(session: Session, *, baselined: bool = True) -> Source:
    source, _ = sources.add(session, "https://herald.example.org/feed/", MONDAY)
    if baselined:
        source.baselined_at = MONDAY
    return source


def stored_twice(
    engine: Engine, first: Observation, second: Observation
) -> tuple[entries.Stored, list[Entry]]:
    with db.writing(engine) as session:
        entries.store(session, a_source(session), [first], MONDAY)
    with db.writing(engine) as session:
        found = entries.store(session, a_source(session), [second], LATER)
        known = [entry for entry, _ in entries.listed(session)]
        assert all(entry.revisions for entry in known)
        return found, known


@pytest.mark.parametrize(
    "changes",
    [
        {"guid": "urn:new:77"},
        {"guid": ""},
        {"url": "http://www.herald.example.org/one?utm_source=feed"},
        {"url": "https://other-host.example.org/2026/one/"},
        {"url": ""},
        {"guid": "https://other.example.org/?p=9", "url": "https://other.example.org/one/"},
        {"published_at": MONDAY + timedelta(days=3)},
        {"published_at": None},
    ],
    ids=" and ".join,
)
def test_an_item_with_other_keys_is_the_same_entry(engine: Engine, changes: dict):
    found, known = stored_twice(engine, an_item(), an_item(**changes))
    assert (found.new, found.changed) == (0, 0)
    assert len(known) == 1


def test_an_edited_headline_is_a_revision_of_the_same_entry(engine: Engine):
    found, known = stored_twice(engine, an_item(), an_item(title="Another made-up headline"))
    assert (found.new, found.changed) == (0, 1)
    assert known[0].title == "Another made-up headline"


def test_a_link_that_is_reused_for_other_news_is_another_entry(engine: Engine):
    other = an_item(guid="urn:2", title="Quite different news", published_at=LATER)
    found, known = stored_twice(engine, an_item(guid="urn:1"), other)
    assert (found.new, len(known)) == (1, 2)


def test_a_guid_that_all_items_share_merges_none_of_them(engine: Engine):
    items = [
        an_item(
            guid="https://herald.example.org/",
            url=f"https://herald.example.org/{n}/",
            title=f"Made up {n}",
        )
        for n in range(5)
    ]
    with db.writing(engine) as session:
        assert entries.store(session, a_source(session), items, MONDAY).new == 5
    with db.writing(engine) as session:
        assert entries.store(session, a_source(session), items[::-1], LATER).new == 0


def test_a_link_that_all_items_share_merges_none_of_them(engine: Engine):
    items = [
        an_item(guid=f"urn:{n}", url="https://herald.example.org/", title=f"Made up {n}")
        for n in range(5)
    ]
    with db.writing(engine) as session:
        assert entries.store(session, a_source(session), items, MONDAY).new == 5
    with db.writing(engine) as session:
        assert entries.store(session, a_source(session), items, LATER).new == 0


def test_the_same_item_twice_in_one_document_is_one_entry(engine: Engine):
    with db.writing(engine) as session:
        assert entries.store(session, a_source(session), [an_item(), an_item()], MONDAY).new == 1
    with db.writing(engine) as session:
        assert entries.store(session, a_source(session), [an_item()], LATER).new == 0


EDITED = {"summary": "Nothing of it is true, and nobody of the 192 people exists."}
KNOWN = {"summary": "Nothing of it is true, and nobody of the 129 people exists."}
LONG = "The invented ward wrote down week after week what it saw, and what it did not see."


def polled(engine: Engine, *documents: list[Observation]) -> list[tuple[int, int]]:
    """Store documents a day after each other; return how many entries were new, and how many news.

    An entry that has changed is news if its edit is material.
    """
    results = []
    for number, document in enumerate(documents):
        now = MONDAY + timedelta(days=number)
        with db.writing(engine) as session:
            new = entries.store(session, a_source(session), document, now).new
            edits = session.query(Revision).filter(
                Revision.observed_at == now, Revision.number > 1, Revision.material
            )
            results.append((new, edits.count()))
    return results


@pytest.mark.parametrize(
    ("known", "edited"),
    [
        pytest.param(KNOWN, EDITED, id="a number in the text"),
        pytest.param(KNOWN, EDITED | {"published_at": LATER}, id="a later date"),
        pytest.param(
            {"summary": LONG}, {"summary": LONG, "title": "Another headline"}, id="the headline"
        ),
        pytest.param(
            KNOWN | {"title": "Ward sees 129", "url": "https://herald.example.org/ward-sees-129/"},
            EDITED | {"title": "Ward sees 192", "url": "https://herald.example.org/ward-sees-129/"},
            id="headline and text",
        ),
        pytest.param(KNOWN | {"guid": ""}, EDITED | {"guid": ""}, id="without a guid"),
    ],
)
def test_an_edit_that_is_listed_beside_the_earlier_version_is_told_once(
    engine: Engine, known: dict, edited: dict
):
    other = an_item(guid="urn:2", url="https://herald.example.org/2/", title="Other news")
    before, after = an_item(**known), an_item(**edited)
    both = [after, other, before]
    assert polled(engine, [before, other], both, both, [after, other], both) == [
        (2, 0), (0, 1), (0, 0), (0, 0), (0, 0),
    ]  # fmt: skip


def test_an_edit_of_an_item_that_is_listed_twice_is_a_correction(engine: Engine):
    before, after = an_item(**KNOWN), an_item(**EDITED)
    assert polled(engine, [before] * 2, [after] * 2, [after]) == [(1, 0), (0, 1), (0, 0)]


@pytest.mark.parametrize(
    "ids",
    [{"guid": ""}, {"guid": "urn:site"}, {"guid": "", "url": ""}],
    ids=["a link in common", "guid and link in common", "no ids"],
)
@pytest.mark.parametrize("titles", [("Press release",) * 3, ("One", "Two", "Three"), ("",) * 3])
def test_things_that_have_the_ids_of_their_site_in_common_are_told_apart_by_their_texts(
    engine: Engine, ids: dict, titles: tuple[str, ...]
):
    texts = (
        "A scanner was bought for the cellar in Jena.",
        "Nurses hand a letter to the board of their hospital.",
        "The council wants lanes for buses before winter.",
    )
    things = [
        an_item(**{"url": "https://herald.example.org/press", **ids}, title=title, summary=text)
        for title, text in zip(titles, texts, strict=True)
    ]
    assert polled(engine, things[:1], things[:2], things, things[::-1], things[1:]) == [
        (1, 0), (1, 0), (1, 0), (0, 0), (0, 0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "link", ["https://herald.example.org/recalls", "https://herald.example.org/"]
)
@pytest.mark.parametrize("is_guid", [True, False])
def test_notices_of_one_page_that_differ_in_a_name_and_their_date_are_two_things(
    engine: Engine, link: str, is_guid: bool
):
    text = (
        "Lot {} tablets is recalled. Patients should ask their pharmacist, and must not stop their "
        "treatment on their own. More information is on our website, which nobody made."
    )
    earlier, later = (
        an_item(
            guid=link if is_guid else "",
            url=link,
            title="Medicine recall",
            summary=text.format(lot),
            published_at=moment,
        )
        for lot, moment in (("123 of Madeupab 14 mg", MONDAY), ("987 of Invented 0.5 mg", LATER))
    )
    both = [later, earlier]
    assert polled(engine, [earlier], both, both) == [(1, 0), (1, 0), (0, 0)]


@pytest.mark.parametrize(
    "guid", ["http://example.org:post-12/", "//news:abc", "http://[draft]", "http://", "x" * 5000]
)
def test_a_guid_that_looks_like_a_broken_address_stops_no_document(engine: Engine, guid: str):
    before, after = an_item(**KNOWN, guid=guid), an_item(**EDITED, guid=guid, published_at=LATER)
    other = an_item(guid="urn:2", url="https://herald.example.org/2/", title="Other news")
    both = [after, other, before]
    assert polled(engine, [before, other], both, both) == [(2, 0), (0, 1), (0, 0)]


def test_an_item_without_any_key_is_left_out(engine: Engine):
    nothing = Observation(guid="", url="", title="")
    with db.writing(engine) as session:
        assert entries.store(session, a_source(session), [nothing, an_item()], MONDAY).new == 1


def test_an_empty_document_forgets_nothing(engine: Engine):
    with db.writing(engine) as session:
        entries.store(session, a_source(session), [an_item()], MONDAY)
    with db.writing(engine) as session:
        entries.store(session, a_source(session), [], LATER)
    with db.writing(engine) as session:
        assert entries.store(session, a_source(session), [an_item()], LATER).new == 0


def test_the_first_poll_is_a_baseline_and_the_next_is_not(engine: Engine):
    with db.writing(engine) as session:
        entries.store(session, a_source(session, baselined=False), [an_item()], MONDAY)
    with db.writing(engine) as session:
        entries.store(
            session, a_source(session), [an_item(guid="urn:2", url="", title="Fresh")], LATER
        )
        baseline = {
            entry.title: entry.revisions[0].baseline for entry, _ in entries.listed(session)
        }
    assert baseline == {"A made-up headline": True, "Fresh": False}


def test_of_unchanged_items_no_entry_is_loaded(engine: Engine):
    items = [
        an_item(
            guid=f"g{number}", url=f"https://herald.example.org/{number}/", title=f"News {number}"
        )
        for number in range(3)
    ]
    with db.writing(engine) as session:
        entries.store(session, a_source(session), items, MONDAY)
    loaded: list[object] = []
    later = [*items[:2], replace(items[2], title="Other news")]
    with db.reading(engine) as session:
        event.listen(session, "loaded_as_persistent", lambda _, one: loaded.append(one))
        plan = edits.plan(session, session.query(Source).one(), later)
        titles = [one.title for one in loaded if isinstance(one, Entry)]
    assert (titles, len(plan.unchanged)) == (["News 2"], 2)


def test_going_back_to_an_older_wording_is_a_revision_too(engine: Engine):
    for number, title in enumerate(("Cut by 89%", "Cut by 86%", "Cut by 89%")):
        with db.writing(engine) as session:
            entries.store(
                session, a_source(session), [an_item(title=title)], MONDAY + timedelta(days=number)
            )
    with db.reading(engine) as session:
        (entry,) = session.query(Entry).all()
        assert [one.title for one in entry.revisions] == ["Cut by 89%", "Cut by 86%", "Cut by 89%"]


@pytest.mark.parametrize(
    ("before", "after", "material"),
    [
        ({"title": "Cut by 89%"}, {"title": "Cut by 86%"}, True),
        ({"body": "It enrolled 129 people."}, {"body": "It enrolled 192 people."}, True),
        ({"body": "It met its goal."}, {"body": "It did not meet its goal."}, True),
        ({"body": "It was safe."}, {"body": "It was safe, they said."}, False),
        ({"title": "A headline"}, {"title": "A  Headline"}, False),
        ({"summary": "Made up."}, {"summary": "Made-up!"}, False),
        ({"body": "They got 1,200 mg a month."}, {"body": "They got 1200 mg a month."}, False),
        ({"body": "They got 1,200 mg a month."}, {"body": "They got 1,200 g a month."}, True),
        ({"body": "It lasted 12 weeks."}, {"body": "It lasted 12 months."}, True),
        ({"body": "It fell by 50 percent."}, {"body": "It fell by 50%."}, False),
        ({"body": "Results came on 3 March."}, {"body": "Results came on 3 April."}, True),
        ({"body": "Results came on 3 mars."}, {"body": "Results came on 3 avril."}, True),
        ({"body": "A team at Sanofi led it."}, {"body": "A team at Biogen led it."}, True),
        ({"body": "The drug was effective."}, {"body": "The drug was ineffective."}, True),
        ({"body": "The drug isn't safe."}, {"body": "The drug is safe."}, True),
        ({"body": "Two groups took part."}, {"body": "Three groups took part."}, True),
        ({"body": "Das Mittel ist wirksam."}, {"body": "Das Mittel ist nicht wirksam."}, True),
        ({"body": "El fármaco es eficaz."}, {"body": "El fármaco no es eficaz."}, True),
        (
            {"body": "People recieved it. It ended."},
            {"body": "People received it. It ended."},
            False,
        ),
        ({"body": "It enrolled 129. It ended."}, {"body": "It ended. It enrolled 129."}, False),
    ],
)
def test_an_edit_is_material_when_what_it_states_changes(
    engine: Engine, before: dict, after: dict, material: bool
):
    _, (entry,) = stored_twice(engine, an_item(**before), an_item(**after))
    revision = entry.revisions[-1]
    assert (revision.number, revision.material) == (2, material)
    assert revision.kind is NewsKind.CORRECTED


def test_a_change_has_its_texts_before_and_after(engine: Engine):
    _, (entry,) = stored_twice(
        engine,
        an_item(body="It was made up. It enrolled 129 people. It ended."),
        an_item(body="It was made up. It enrolled 192 people. It ended."),
    )
    assert entry.revisions[-1].changes == [
        {
            "what": "text",
            "before": "It enrolled 129 people.",
            "after": "It enrolled 192 people.",
            "note": "129 → 192",
        }
    ]


def states(engine: Engine, *wordings: str, hours: int = 1) -> list[tuple[int, bool]]:
    """Store wordings one after another; return each revision's number and whether it is news."""
    for index, body in enumerate(wordings):
        with db.writing(engine) as session:
            entries.store(
                session,
                a_source(session),
                [an_item(body=body)],
                MONDAY + timedelta(hours=hours * index),
            )
    with db.reading(engine) as session:
        (entry,) = session.query(Entry).all()
        return [(one.number, one.material) for one in entry.revisions]


def test_an_entry_that_changes_at_every_poll_is_not_followed_into_every_change(engine: Engine):
    found = states(engine, *(f"Read {number} times." for number in range(60)))
    assert len(found) <= 1 + 3 * 3
    assert sum(material for _, material in found) <= 1 + 5


def test_a_postponed_change_is_not_lost(engine: Engine):
    wordings = [f"It enrolled {number} people." for number in (129, 130, 131, 132, 192)]
    found = states(engine, *wordings)
    assert found[-1] == (4, True)
    with db.writing(engine) as session:
        later = MONDAY + timedelta(days=2)
        assert (
            entries.store(session, a_source(session), [an_item(body=wordings[-1])], later).changed
            == 1
        )


def test_after_postponed_changes_the_same_bytes_are_parsed_again(installation: Installation):
    for number in range(6):
        installation.publish([Article("One", f"It enrolled {number} people.")])
        (result,) = poll.run(installation.at(MONDAY + timedelta(hours=number)), force=True)
    assert result.changed == 0
    (result,) = poll.run(installation.at(MONDAY + timedelta(days=3)), force=True)
    assert (result.status, result.changed) == ("ok", 1)


documents = st.lists(
    st.builds(
        an_item,
        guid=st.sampled_from(["", "a", "b", "c"]),
        url=st.sampled_from(["", "https://x.example.org/1", "https://x.example.org/2"]),
        title=st.sampled_from(["", "One", "Two"]),
        published_at=st.sampled_from([None, MONDAY, LATER]),
    ),
    max_size=6,
)


@settings(max_examples=60, deadline=None)
@given(documents=st.lists(documents, max_size=3))
def test_whatever_a_publisher_does_a_second_poll_of_it_finds_nothing_new(
    documents: list,
):
    engine = db.make_engine("sqlite:///:memory:")
    Base.metadata.create_all(engine)
    for document in documents:
        with db.writing(engine) as session:
            entries.store(session, a_source(session), document, MONDAY)
        with db.writing(engine) as session:
            assert entries.store(session, a_source(session), document, LATER).new == 0
    engine.dispose()
