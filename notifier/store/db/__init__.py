"""The database: engine, sessions, schema, and what differs between SQLite and PostgreSQL.

`from notifier.store import db` gives all of it. It creates the tables and knows nothing of their
meaning.
"""

from notifier.store.db.deleted_rows import PERSONAL_TABLES, scrub
from notifier.store.db.engine import BUSY_TIMEOUT_MS, connect, connect_options, make_engine
from notifier.store.db.prepared import Prepared
from notifier.store.db.schema import (
    alembic_config,
    changing_schema,
    migrations,
    newest_migration,
    require_known_schema,
    upgrade,
)
from notifier.store.db.server_clock import ServerClock
from notifier.store.db.sessions import ADDRESS_KEY, Run, reading, small_transactions, writing
from notifier.store.db.statements import (
    MOST_COUNTED,
    count_some,
    in_chunks,
    insert_missing,
    refresh_statistics,
    take_turns,
)

__all__ = [
    "ADDRESS_KEY",
    "BUSY_TIMEOUT_MS",
    "MOST_COUNTED",
    "PERSONAL_TABLES",
    "Prepared",
    "Run",
    "ServerClock",
    "alembic_config",
    "changing_schema",
    "connect",
    "connect_options",
    "count_some",
    "in_chunks",
    "insert_missing",
    "make_engine",
    "migrations",
    "newest_migration",
    "reading",
    "refresh_statistics",
    "require_known_schema",
    "scrub",
    "small_transactions",
    "take_turns",
    "upgrade",
    "writing",
]
