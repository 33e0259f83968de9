"""The database: engine, sessions, schema, and what differs between SQLite and PostgreSQL.

`from notifier.store import db` gives all of it. It creates the tables and knows nothing of their
meaning.
"""

from notifier.store.db.deleted_rows import PERSONAL_TABLES, scrub
from notifier.store.db.engine import BUSY_TIMEOUT_MS, connect, make_engine
from notifier.store.db.prepared import Prepared
from notifier.store.db.schema import alembic_config, newest_migration, upgrade
from notifier.store.db.sessions import ADDRESS_KEY, Run, reading, small_transactions, writing
from notifier.store.db.statements import in_chunks, insert_missing, take_turns

__all__ = [
    "ADDRESS_KEY",
    "BUSY_TIMEOUT_MS",
    "PERSONAL_TABLES",
    "Prepared",
    "Run",
    "alembic_config",
    "connect",
    "in_chunks",
    "insert_missing",
    "make_engine",
    "newest_migration",
    "reading",
    "scrub",
    "small_transactions",
    "take_turns",
    "upgrade",
    "writing",
]
