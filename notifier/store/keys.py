"""Keyed hashes that recognise addresses which are not stored, or not any more.

Owns the hashes of addresses, of networks and of mailboxes, and the check that `suppression_key` is
the key that they were made with. The key comes with the session and is in no table. So a copy of
the database does not give an address away, and after a restore without the key, mails would go to
people who have refused them: such a start is refused.
"""

import hashlib
import hmac
import re
from collections.abc import Callable

from sqlalchemy import Connection, Engine, inspect, select, update
from sqlalchemy.orm import Session

from notifier.email_addresses import address_hash, rekeyed
from notifier.errors import SettingsError
from notifier.store.db import ADDRESS_KEY, connect, translate_db_errors
from notifier.store.models import Base, Installation

# In characters. Chosen by hand: `notifier init` makes keys of 43.
_SHORTEST_KEY = 16
# Tables with a column `address_hash`.
_HASHED_TABLES = ("suppression", "subscriber", "address_change")
_SALT = re.compile(r"[0-9a-f]{64}")


def require(key: str) -> None:
    """Refuse a start without `suppression_key`.

    Raises:
        SettingsError: the key is missing or too short.
    """
    if len(key) < _SHORTEST_KEY:
        raise SettingsError(
            f"suppression_key is {'too short' if key else 'not set'}:"
            " suppressed addresses could not be recognised.",
            "Run `notifier init`, which adds one to the settings; after a restore, take it from the"
            " backup.",
        )


def adopt(engine: Engine, key: str) -> None:
    """Check the key of this database, or set it if it has none yet.

    The first key is set for good; hashes that were made without a key are made again with it.

    Raises:
        SettingsError: the hashes in the database were made with another key.
        StoreError: the database is locked, read-only or unreachable.
    """
    with translate_db_errors(engine):
        with engine.connect() as connection:
            stored = connection.execute(select(Installation.key_fingerprint)).scalar_one()
        if stored is None:
            with engine.execution_options(sqlite_begin="IMMEDIATE").begin() as connection:
                stored = _set_key(connection, key)
    if stored != fingerprint(key):
        raise SettingsError(
            "suppression_key is not the one that this database was made with.",
            "Put the old key back (it is in the backup of the settings): with another one, people"
            " who refused mails, or whose mails came back, would get mails again.",
        )


def is_taken(engine: Engine) -> bool:
    """Tell whether a database has a key; a new one and one from before there were keys have none.

    Raises:
        SettingsError: `database_url` has an option that cannot be used.
        StoreError: the database cannot be used.
    """
    with connect(engine) as connection:
        inspector = inspect(connection)
        if not inspector.has_table("installation"):
            return False
        columns = {column["name"] for column in inspector.get_columns("installation")}
        if "key_fingerprint" not in columns:
            return False
        return connection.execute(select(Installation.key_fingerprint)).scalar() is not None


def _set_key(connection: Connection, key: str) -> str:
    """Store the key's fingerprint and rehash what was hashed without it.

    If another process has set a key meanwhile, nothing is changed.

    Returns:
        The fingerprint that is stored then.
    """
    installation = Base.metadata.tables["installation"]
    locked = select(installation.c.key_fingerprint).with_for_update()
    if (stored := connection.execute(locked).scalar_one()) is not None:
        return str(stored)
    for name in (*_HASHED_TABLES, "delivery", "held_suppression"):
        table = Base.metadata.tables[name]
        hashed = select(table.c.address_hash).where(table.c.address_hash != "").distinct()
        for (salted,) in connection.execute(hashed).all():
            matching = update(table).where(table.c.address_hash == salted)
            connection.execute(matching.values(address_hash=rekeyed(salted, key)))
    connection.execute(update(installation).values(key_fingerprint=fingerprint(key)))
    return fingerprint(key)


def fingerprint(key: str) -> str:
    """Return 16 hexadecimal digits that tell a key from another one without showing it."""
    return hashlib.sha256(f"notifier.suppression {key}".encode()).hexdigest()[:16]


def name_of_key(session: Session) -> str:
    """Return what tells the hashes of this installation from those of others: its key and salt."""
    return f"{fingerprint(_key(session))}.{session.scalars(select(Installation.salt)).one()}"


def may_adopt_salt(session: Session, name: str) -> bool:
    """Return whether this installation can go on with hashes that were made elsewhere.

    That is so for hashes of the same `suppression_key`, while no address was hashed here.

    Args:
        session: a reading session.
        name: the `name_of_key` of those hashes.
    """
    key, _, salt = name.partition(".")
    if key != fingerprint(_key(session)) or not _SALT.fullmatch(salt):
        return False
    tables = (Base.metadata.tables[table] for table in _HASHED_TABLES)
    return not any(session.execute(select(table).limit(1)).first() for table in tables)


def adopt_salt(session: Session, name: str) -> bool:
    """Take over the salt of hashes that were made elsewhere, if `may_adopt_salt` allows it.

    Args:
        session: a writing session.
        name: see `may_adopt_salt`.
    """
    if not may_adopt_salt(session, name):
        return False
    session.execute(update(Installation).values(salt=name.partition(".")[2]))
    return True


def hasher(session: Session) -> Callable[[str], str]:
    """Return the function that hashes an address in its normal form.

    For many addresses: the database is asked once.
    """
    salt, key = session.scalars(select(Installation.salt)).one(), _key(session)
    return lambda address: address_hash(address, salt, key)


def hash_of(session: Session, address: str) -> str:
    """Return the hash of one address in its normal form."""
    return hasher(session)(address)


def secret_name(session: Session, purpose: str, text: str) -> str:
    """Return a keyed hash by which a network or a mailbox can be counted, but not recognised.

    Args:
        session: one that carries the key.
        purpose: the kind of thing that is hashed; hashes of two purposes never equal each other.
        text: the text that is hashed.

    Returns:
        64 hexadecimal digits.
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
