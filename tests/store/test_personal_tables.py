"""The tables that are cleaned after an erasure are all tables with rows about a person."""

import pytest
from sqlalchemy import Column, ForeignKey, Integer, MetaData, String, Table

from notifier.store import db
from notifier.store.models import Base

# Columns in which an address or its hash is stored; an address has up to 320 characters.
ADDRESS_COLUMNS = {"email", "to", "recipient", "address", "address_hash"}
LONGEST_ADDRESS = 320


def has_an_address(table: Table) -> bool:
    return any(
        column.name in ADDRESS_COLUMNS or getattr(column.type, "length", None) == LONGEST_ADDRESS
        for column in table.columns
    )


def personal_tables(metadata: MetaData) -> set[str]:
    """Return the tables with an address, and those that refer to them, directly or over others."""
    personal = {table.name for table in metadata.tables.values() if has_an_address(table)}
    known = 0
    while known != len(personal):
        known = len(personal)
        personal |= {
            table.name
            for table in metadata.tables.values()
            if any(key.column.table.name in personal for key in table.foreign_keys)
        }
    return personal


def test_every_table_about_a_person_is_cleaned_after_an_erasure():
    assert set(db.PERSONAL_TABLES) == personal_tables(Base.metadata)
    assert len(db.PERSONAL_TABLES) == len(set(db.PERSONAL_TABLES))


def with_a_new_table(*columns: Column) -> MetaData:
    """Return all tables and a new one with these columns."""
    metadata = MetaData()
    for table in Base.metadata.tables.values():
        table.to_metadata(metadata)
    Table("new_table", metadata, Column("id", Integer, primary_key=True), *columns)
    return metadata


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("subscriber_id", ForeignKey("subscriber.id")),
        ("subscription_id", ForeignKey("subscription.id")),
        ("delivery_id", ForeignKey("delivery.id")),
        ("email", String()),
        ("address_hash", String(64)),
        ("second_mailbox", String(320)),
    ],
)
def test_a_new_table_about_a_person_is_seen(name: str, content: ForeignKey | String):
    metadata = with_a_new_table(Column(name, content))
    assert personal_tables(metadata) == {*db.PERSONAL_TABLES, "new_table"}


def test_a_new_table_about_something_else_is_not_seen():
    metadata = with_a_new_table(
        Column("profile_id", ForeignKey("profile.id")), Column("name", String())
    )
    assert personal_tables(metadata) == set(db.PERSONAL_TABLES)
