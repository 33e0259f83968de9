"""Keys: by what an installation recognises addresses that it does not store, or not any more.

Owns the hashes of addresses, of networks and of mailboxes, and the check that `suppression_key` is
the one they were made with. The key comes with the session and stands in no table: a copy of the
database gives no address away, and a backup without the key would write to everybody who ever said
no.
"""

import hashlib
import hmac
from collections.abc import Callable

from sqlalchemy import Connection, Engine, inspect, select, update
from sqlalchemy.orm import Session

from notifier.email_addresses import address_hash, rekeyed
from notifier.errors import SettingsError
from notifier.store.db import ADDRESS_KEY, connect
from notifier.store.models import Base, Installation

_SHORTEST_KEY = 16
_HASHED = ("suppression", "subscriber", "address_change")


def require(key: str) -> None:
    """Refuse a start without `suppression_key`.

    Raises:
        SettingsError: it is missing or too short.
    """
    if len(key) < _SHORTEST_KEY:
        raise SettingsError(
            f"suppression_key is {'too short' if key else 'not set'}: suppressed addresses could not be recognised.",
            "Run `notifier init`, which adds one to the settings; after a restore, take it from the backup.",
        )


def adopt(engine: Engine, key: str) -> None:
    """Take the key for this database: the first one is taken for good, and hashes from before it are made anew.

    Raises:
        SettingsError: the hashes in the database were made with another key.
    """
    with engine.connect() as connection:
        found = connection.execute(select(Installation.key_fingerprint)).scalar_one()
    if found is None:
        with engine.execution_options(sqlite_begin="IMMEDIATE").begin() as connection:
            found = _take(connection, key)
    if found != fingerprint(key):
        raise SettingsError(
            "suppression_key is not the one that this database was made with.",
            "Put the old key back (the backup of the settings holds it): with another one, people who said no, or "
            "whose mails came back, would be written to again.",
        )


def is_taken(engine: Engine) -> bool:
    """Whether a database was made with a key already; one without tables, or from before there were keys, was not.

    Raises:
        SettingsError: `database_url` has an option that cannot be used.
        StoreError: the database cannot be used.
    """
    with connect(engine) as connection:
        columns = inspect(connection)
        if not columns.has_table("installation"):
            return False
        if "key_fingerprint" not in {
            column["name"] for column in columns.get_columns("installation")
        }:
            return False
        return connection.execute(select(Installation.key_fingerprint)).scalar() is not None


def _take(connection: Connection, key: str) -> str:
    """Note the key's fingerprint and rehash what was hashed without it, unless another process just did."""
    installation = Base.metadata.tables["installation"]
    chosen = select(installation.c.key_fingerprint).with_for_update()
    if (found := connection.execute(chosen).scalar_one()) is not None:
        return str(found)
    for name in _HASHED:
        table = Base.metadata.tables[name]
        for (salted,) in connection.execute(select(table.c.address_hash)).all():
            changed = update(table).where(table.c.address_hash == salted)
            connection.execute(changed.values(address_hash=rekeyed(salted, key)))
    connection.execute(update(installation).values(key_fingerprint=fingerprint(key)))
    return fingerprint(key)


def fingerprint(key: str) -> str:
    """By what a key is told from another without being shown: 16 hexadecimal digits."""
    return hashlib.sha256(f"notifier.suppression {key}".encode()).hexdigest()[:16]


def hasher(session: Session) -> Callable[[str], str]:
    """What gives the hash of a normal address; for many of them, the database is asked once."""
    salt, key = session.scalars(select(Installation.salt)).one(), _key(session)
    return lambda address: address_hash(address, salt, key)


def hash_of(session: Session, address: str) -> str:
    """The hash of one address in its normal form."""
    return hasher(session)(address)


def secret_name(session: Session, purpose: str, text: str) -> str:
    """A keyed hash by which a network or a mailbox is counted, and which says nothing to who reads it.

    Args:
        session: one that carries the key.
        purpose: what is named: hashes of one purpose never equal those of another.
        text: what is named.
    """
    salt = session.scalars(select(Installation.salt)).one()
    return hmac.new(
        f"{salt} {_key(session)}".encode(), f"{purpose} {text}".encode(), hashlib.sha256
    ).hexdigest()


def _key(session: Session) -> str:
    key = session.info.get(ADDRESS_KEY)
    assert isinstance(key, str)
    assert key, "a session that recognises addresses must be opened with suppression_key"
    return key
