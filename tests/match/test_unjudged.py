"""What waits to be judged: found by an index, judged once, and again when there is more to read."""

from datetime import timedelta

import pytest
from alembic import command
from sqlalchemy import Engine, event, select, text

from notifier.admin import profile_import
from notifier.deps import Deps
from notifier.match import batches, profiles, unjudged
from notifier.pipeline import match
from notifier.store import db
from notifier.store.models import Examination, Match, Revision
from notifier.watch import articles
from tests.support.installation import MONDAY, Installation
from tests.support.old_rows import OLD_ROWS
from tests.support.stored_news import store_entries

pytestmark = pytest.mark.postgresql_long

STAMP = "2026-03-02 09:00:00+00:00"
OLD_REVISION = {
    "entry_id": 1, "hash": "h", "kind": "new", "material": True, "baseline": False,
    "observed_at": STAMP, "url": "", "title": "T", "summary": "", "body": "", "author": "",
    "categories": "[]", "content": "{}", "changes": "[]", "origin": "document", "held_because": "",
}  # fmt: skip
OLD_NEWS = {
    "source": [
        OLD_ROWS["source"] | {"ttl_minutes": 0, "left_out": 0, "looks": "{}", "told_as": ""}
    ],
    "entry": [{
        "id": 1, "source_id": 1, "key": "k", "url": "https://x.example/1", "title": "T",
        "first_seen_at": STAMP,
    }],
    "revision": [OLD_REVISION | {"id": number, "number": number} for number in (1, 2, 3)],
    "examination": [{"revision_id": 2, "examined_at": STAMP}],
}  # fmt: skip
OTHER = 'slug = "other"\nname = "Madeupumab"\n[[terms]]\nkind = "name"\ntext = "madeupumab"\n'


def statements(deps: Deps) -> list[str]:
    """Return a list to which the text of each statement is added that runs from now on."""
    run: list[str] = []

    def note(*arguments) -> None:
        run.append(" ".join(arguments[2].lower().split()))

    event.listen(deps.engine, "before_cursor_execute", note)
    return run


def import_other(deps: Deps) -> None:
    with deps.writing() as session:
        profile_import.import_profile(session, profiles.parse(OTHER, "the other"), deps.now())


def test_a_run_with_nothing_to_judge_asks_one_question_and_reads_no_profile(
    any_installation: Installation,
):
    deps = any_installation.at(MONDAY)
    store_entries(any_installation, ["Frexalimab one"], ["a"])
    assert match.run(deps) == 1
    run = statements(deps)
    assert match.run(deps) == 0
    (question,) = [statement for statement in run if statement.startswith("select")]
    assert "from revision" in question


def test_what_waits_is_found_by_its_own_index(sqlite_engine: Engine):
    query = select(Revision.id).where(unjudged.waits()).order_by(Revision.id).limit(5)
    compiled = query.compile(sqlite_engine, compile_kwargs={"literal_binds": True})
    with sqlite_engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}").all()
    assert "ix_revision_unjudged" in plan[0][3]


def test_the_terms_are_read_once_for_all_runs_until_a_profile_is_imported(
    any_installation: Installation,
):
    deps = any_installation.at(MONDAY)
    run = statements(deps)
    for title in ("Frexalimab one", "Frexalimab two"):
        store_entries(any_installation, [title], ["a"])
        match.run(deps)
    assert len([statement for statement in run if "from term" in statement]) == 1
    import_other(deps)
    store_entries(any_installation, ["Madeupumab and frexalimab"], ["a"])
    with deps.writing() as session:
        session.execute(text("DELETE FROM source_profile"))
    run.clear()
    match.run(deps)
    assert len([statement for statement in run if "from term" in statement]) == 1
    with deps.reading() as session:
        assert {match.profile.slug for match in session.query(Match)} == {"frexalimab", "other"}


def test_a_run_locks_the_profiles_that_get_a_match_and_no_other(
    any_installation: Installation,
):
    deps = any_installation.at(MONDAY)
    import_other(deps)
    store_entries(any_installation, ["Frexalimab one"], ["a"])
    run = statements(deps)
    match.run(deps)
    (lock,) = [each for each in run if each.startswith("select profile.id, profile.position from")]
    assert "where profile.id in" in lock
    assert ("for update" in lock) is (deps.engine.dialect.name == "postgresql")


@pytest.mark.parametrize("first_judged", [True, False], ids=["judged before", "never judged"])
def test_a_text_that_opens_while_its_teaser_is_judged_is_judged_again(
    any_installation: Installation, monkeypatch: pytest.MonkeyPatch, first_judged: bool
):
    installation = any_installation
    deps = installation.at(MONDAY)
    (revision_id,) = store_entries(installation, ["News of the week"], ["A teaser."])
    if first_judged:
        match.run(deps)
        with deps.writing() as session:
            unjudged.requeue(session, revision_id)
    real = batches.judge
    opened: list[bool] = []

    def judge(batch):
        if not opened:
            opened.append(True)
            with deps.writing() as session:
                entry_id = session.get_one(Revision, revision_id).entry_id
                articles.store(session, entry_id, "Frexalimab slows lesions. " * 20, MONDAY)
                unjudged.requeue(session, revision_id)
        return real(batch)

    monkeypatch.setattr(batches, "judge", judge)
    match.run(deps)
    with deps.reading() as session:
        assert session.query(Match).count() == 1
        assert session.query(Examination).count() == 1
        assert session.get_one(Revision, revision_id).judge_requests == 0


def test_removed_records_of_judgements_have_nothing_judged_again(any_installation: Installation):
    deps = any_installation.at(MONDAY)
    store_entries(any_installation, ["Frexalimab one"], ["a"])
    match.run(deps)
    with deps.writing() as session:
        session.query(Examination).delete()
    assert match.run(deps) == 0


@pytest.mark.parametrize(
    ("waiting_before", "judged_again"), [(True, 1), (False, 0)], ids=["it waited", "it was judged"]
)
def test_an_import_has_only_that_judged_again_which_it_did_not_judge_itself(
    any_installation: Installation, waiting_before: bool, judged_again: int
):
    deps = any_installation.at(MONDAY)
    store_entries(any_installation, ["Old news"], ["a"])
    if not waiting_before:
        match.run(deps)
    store_entries(any_installation, ["Newer news"], ["a"])
    match.run(deps) if not waiting_before else None
    file = profiles.parse(OTHER, "the other")
    with deps.reading() as session:
        past = profile_import.judge_past(session, file, MONDAY)
    match.run(deps)
    with deps.writing() as session:
        profile_import.import_profile(session, file, MONDAY, past=past)
    assert match.run(deps) == 2 * judged_again


def test_an_upgrade_keeps_waiting_what_had_not_been_judged(engine: Engine):
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.connection.driver_connection.execute("PRAGMA foreign_keys=OFF")
        config = db.alembic_config()
        config.attributes["connection"] = connection
        command.downgrade(config, "0008")
        for table, rows in OLD_NEWS.items():
            for row in rows:
                columns, values = ", ".join(row), ", ".join(f":{name}" for name in row)
                connection.execute(text(f"INSERT INTO {table} ({columns}) VALUES ({values})"), row)
        connection.commit()
        connection.invalidate()
    assert db.upgrade(engine) is True
    with db.reading(engine) as session:
        assert unjudged.waiting_ids(session) == {1, 3}
        assert unjudged.next_ids(session, 1) == [1]


def test_entries_that_wait_in_many_batches_are_all_judged_oldest_first(
    any_installation: Installation, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(batches, "BATCH", 2)
    deps = any_installation.at(MONDAY + timedelta(hours=1))
    store_entries(any_installation, [f"Frexalimab {number}" for number in range(5)], ["a"] * 5)
    assert match.run(deps) == 5
    with deps.reading() as session:
        titles = [found.revision.title for found in session.query(Match).order_by(Match.position)]
    assert titles == [f"Frexalimab {number}" for number in range(5)]
