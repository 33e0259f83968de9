"""A database as a large installation has it after a year, filled by SQL: nothing in it is due.

For measurements and for tests of what grows with the store. The rows are made by the database
itself, in one statement a table; their texts say nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, select, text

from notifier.store.models import Base, Profile
from notifier.watch.parsers.observation import READING

# The digests that every subscriber got, a month apart.
_ROUNDS = 5


@dataclass(frozen=True)
class Sizes:
    """How many rows there are; every subscriber got five digests."""

    subscribers: int = 1_000_000
    profiles: int = 5_000
    sources: int = 5_000
    entries: int = 1_000_000
    matches: int = 200_000


class _Filler:
    """Inserts rows of one database: what differs between SQLite and PostgreSQL."""

    def __init__(self, connection: Connection, now: datetime) -> None:
        self._connection, self._now = connection, now
        self._is_sqlite = connection.dialect.name == "sqlite"

    def insert(self, table: str, rows: int, first: int = 1, /, **columns: str) -> None:
        """Insert rows; `i` in the expressions of their columns is the number of the row.

        Columns that are not named are NULL, or have the default of the database.
        """
        missing = [
            column.name
            for column in Base.metadata.tables[table].columns
            if not (column.nullable or column.server_default is not None or column.name == "id")
            and column.name not in columns
        ]
        assert not missing, f"{table}: {missing}"
        names = ", ".join(f'"{name}"' for name in columns)
        values = ", ".join(columns.values())
        last = first + rows - 1
        if self._is_sqlite:
            prefix = (
                f"WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n"
                f" WHERE i < {last})"
            )
            source = "n"
        else:
            prefix, source = "", f"generate_series({first}, {last}) AS n(i)"
        if self._is_sqlite:
            self._connection.exec_driver_sql("PRAGMA cache_size = -400000")
        self._connection.exec_driver_sql(
            f'INSERT INTO "{table}" ({names}) {prefix} SELECT {values} FROM {source}'.replace(
                "%", "%%" if not self._is_sqlite else "%"
            )
        )
        self._connection.commit()

    def ago(self, days: float, minutes: str = "0") -> str:
        """Return the SQL of a moment so many days ago, and some minutes later."""
        base = self._now - timedelta(days=days)
        if self._is_sqlite:
            start = f"{base:%Y-%m-%d %H:%M:%S}"
            return f"strftime('%Y-%m-%d %H:%M:%f000', '{start}', '+' || ({minutes}) || ' minutes')"
        return f"timestamptz '{base.isoformat()}' + ({minutes}) * interval '1 minute'"

    def json(self, document: str) -> str:
        """Return the SQL of a JSON document."""
        return f"'{document}'" if self._is_sqlite else f"CAST('{document}' AS json)"

    def hex(self, prefix: str) -> str:
        """Return the SQL of 64 hexadecimal digits that differ for each row."""
        if self._is_sqlite:
            return f"printf('{prefix}%063x', i)"
        return f"'{prefix}' || lpad(to_hex(i), 63, '0')"


def fill(engine: Engine, sizes: Sizes, now: datetime) -> None:
    """Fill the database of an installation that has one profile; nothing is due at `now`.

    Args:
        engine: of an upgraded database with the bundled profile.
        sizes: how many rows there are.
        now: the time at which nothing is due.
    """
    with engine.connect() as connection:
        first_id = connection.scalars(select(Profile.id)).one()
        filler = _Filler(connection, now)
        _fill_profiles(connection, filler, sizes, first_id)
        _fill_sources(filler, sizes)
        _fill_matches(filler, sizes)
        _fill_people(filler, sizes)
        _fill_deliveries(filler, sizes)
        connection.execute(
            text("UPDATE profile SET position = :highest"),
            {"highest": sizes.matches // sizes.profiles + 1},
        )
        connection.exec_driver_sql("ANALYZE")
        connection.commit()
    engine.dispose()
    if engine.dialect.name != "sqlite":
        _continue_numbers(engine)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM (ANALYZE)")


def _continue_numbers(engine: Engine) -> None:
    """Let PostgreSQL give the next row of each table a number that none has."""
    with engine.begin() as connection:
        for table in Base.metadata.sorted_tables:
            name = f"pg_get_serial_sequence('{table.name}', 'id')"
            if "id" in table.c and connection.exec_driver_sql(f"SELECT {name}").scalar():
                connection.exec_driver_sql(
                    f"SELECT setval({name}, (SELECT coalesce(max(id), 0) + 1 FROM {table.name}))"
                )


def _fill_profiles(connection: Connection, filler: _Filler, sizes: Sizes, first_id: int) -> None:
    """Copy the stored profile: each therapy has its document, without its terms."""
    more = sizes.profiles - 1
    for table, where in (("source_profile", "true"), ("entry", "true"), ("source", "true")):
        connection.exec_driver_sql(f'DELETE FROM "{table}" WHERE {where}')
    connection.execute(text("UPDATE profile SET id = 1 WHERE id = :id"), {"id": first_id})
    if more:
        filler.insert(
            "profile",
            more,
            2,
            id="i",
            slug="'therapy-' || i",
            name="'Therapy ' || i",
            summary="'A therapy.'",
            stage="'Investigational'",
            document="(SELECT document FROM profile WHERE id = 1)",
            imported_at=filler.ago(400),
            position="0",
        )


def _fill_sources(filler: _Filler, sizes: Sizes) -> None:
    profiles, sources = sizes.profiles, sizes.sources
    filler.insert(
        "source",
        sources,
        id="i",
        kind="'feed'",
        url="'https://news' || i || '.example.org/feed/'",
        name="'News ' || i",
        authority="'news'",
        created_at=filler.ago(400),
        next_poll_at=filler.ago(-0.01, "i % 300"),
        last_success_at=filler.ago(0.3, "i % 300"),
        baselined_at=filler.ago(399),
        changed_at=filler.ago(20, "i % 9000"),
        expected_by=filler.ago(-20),
        ttl_minutes="0",
        told_as="''",
        failures="0",
        left_out="0",
        looks=filler.json("{}"),
        reading=str(READING),
    )
    filler.insert("source_profile", sources, source_id="i", profile_id=f"1 + i % {profiles}")
    filler.insert(
        "entry",
        sizes.entries,
        id="i",
        source_id=f"1 + i % {sources}",
        key="'link:' || i",
        url="'https://news.example.org/' || i",
        title="'Lesions were fewer in group ' || i",
        first_seen_at=filler.ago(380, "i / 2"),
    )
    filler.insert(
        "revision",
        sizes.entries,
        id="i",
        entry_id="i",
        number="1",
        hash=filler.hex("a"),
        kind="'new'",
        material="true",
        baseline="false",
        observed_at=filler.ago(380, "i / 2"),
        url="'https://news.example.org/' || i",
        title="'Lesions were fewer in group ' || i",
        summary="''",
        body="'The trial enrolled adults with relapsing disease, and so on, for group ' || i",
        author="''",
        categories=filler.json("[]"),
        content=filler.json("{}"),
        changes=filler.json("[]"),
        origin="'document'",
        held_because="''",
        reading=str(READING),
    )
    filler.insert("examination", sizes.entries, revision_id="i", examined_at=filler.ago(1))


def _fill_matches(filler: _Filler, sizes: Sizes) -> None:
    profiles = sizes.profiles
    filler.insert(
        "match",
        sizes.matches,
        id="i",
        profile_id=f"1 + i % {profiles}",
        revision_id="i",
        entry_id="i",
        position=f"1 + i / {profiles}",
        kind="'new'",
        tier="'about'",
        score="0.9",
        reasons=filler.json("[]"),
        filed="false",
        urgent="false",
        dropped_because="''",
        created_at=filler.ago(30),
    )


def _fill_people(filler: _Filler, sizes: Sizes) -> None:
    """Store subscribers of whom 1 in 20 paused, and 1 in 20 left."""
    filler.insert(
        "subscriber",
        sizes.subscribers,
        id="i",
        email="'person' || i || '@example.org'",
        address_hash=filler.hex("b"),
        language="CASE i % 4 WHEN 0 THEN 'fr' WHEN 1 THEN 'de' ELSE 'en' END",
        time_zone="CASE i % 3 WHEN 0 THEN 'Europe/Paris' ELSE 'UTC' END",
        created_at=filler.ago(300),
        soft_bounces="0",
        bounced_hash="''",
    )
    filler.insert(
        "subscription",
        sizes.subscribers,
        id="i",
        subscriber_id="i",
        profile_id=f"1 + i % {sizes.profiles}",
        cadence="CASE i % 5 WHEN 0 THEN 'monthly' WHEN 1 THEN 'immediate' ELSE 'weekly' END",
        at="'08:00'",
        on="CASE i % 5 WHEN 0 THEN 1 WHEN 1 THEN NULL ELSE i % 7 END",
        edition="'patient'",
        status="CASE i % 20 WHEN 7 THEN 'paused' WHEN 8 THEN 'ended' ELSE 'confirmed' END",
        link_id="'link' || i",
        position=f"{sizes.matches // sizes.profiles + 1}",
        next_due_at=f"CASE i % 5 WHEN 1 THEN NULL ELSE {filler.ago(-0.1, 'i % 9000')} END",
        introduced="''",
        heard_at=filler.ago(20),
        hidden=filler.json("[]"),
        urgent="false",
        paused_until=f"CASE i % 20 WHEN 7 THEN {filler.ago(-9)} ELSE NULL END",
        created_at=filler.ago(300),
        asked_at=filler.ago(300),
        confirmed_at=filler.ago(299),
        ended_at=f"CASE i % 20 WHEN 8 THEN {filler.ago(40)} ELSE NULL END",
    )


def _fill_deliveries(filler: _Filler, sizes: Sizes) -> None:
    profiles, people = sizes.profiles, sizes.subscribers
    digests = _ROUNDS * profiles
    filler.insert(
        "digest",
        digests,
        id="i",
        key="'key' || i",
        profile_id=f"1 + (i - 1) % {profiles}",
        cadence="'weekly'",
        edition="'patient'",
        language="'en'",
        group_key=filler.hex("c"),
        window="'1-2/' || i",
        status="'sent'",
        subject="'News'",
        headline="'News'",
        body_html="'<p>News</p>'",
        body_text="'News'",
        left_out="0",
        composed_at=filler.ago(130, f"(i - 1) / {profiles} * 43200"),
    )
    filler.insert(
        "digest_item",
        min(digests, sizes.matches - 1),
        digest_id="i",
        match_id="i",
        revision_id="i",
        kind="'new'",
        rank="1",
    )
    sent = filler.ago(130, f"(i - 1) / {people} * 43200")
    status = "CASE i % 200 WHEN 0 THEN 'failed' WHEN 1 THEN 'suppressed' ELSE 'sent' END"
    filler.insert(
        "delivery",
        _ROUNDS * people,
        id="i",
        kind="'digest'",
        # Each subscriber gets the digests of the own profile, one in each round.
        digest_id=f"(i - 1) / {people} * {profiles} + (1 + (i - 1) % {people}) % {profiles} + 1",
        subscription_id=f"1 + (i - 1) % {people}",
        message_id="'<' || i || '@example.org>'",
        status=status,
        address_hash="''",
        claim="''",
        lane="2",
        attempts="1",
        created_at=sent,
        due_at=sent,
        next_attempt_at=sent,
        given_up_at=sent,
        sent_at=f"CASE WHEN i % 200 > 1 THEN {sent} ELSE NULL END",
        uncertain_times="0",
        reported="true",
        waits_because="''",
        ended_because="CASE i % 200 WHEN 1 THEN 'merged' ELSE '' END",
    )
