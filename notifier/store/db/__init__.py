"""The database: engine, sessions, schema, and what differs between SQLite and PostgreSQL.

`from notifier.store import db` gives all of it. It creates the tables and knows nothing of their
meaning.
"""

from notifier.store.db.backups import kept_name
from notifier.store.db.deleted_rows import PERSONAL_TABLES, scrub
from notifier.store.db.engine import BUSY_TIMEOUT_MS, connect, connect_options, make_engine
from notifier.store.db.failures import translate_db_errors
from notifier.store.db.prepared import Prepared
from notifier.store.db.schema import (
    NewerSchemaError,
    alembic_config,
    changing_schema,
    migrations,
    newest_migration,
    require_known_schema,
    upgrade,
)
from notifier.store.db.server_clock import ServerClock
from notifier.store.db.sessions import ADDRESS_KEY, Run, reading, small_transactions, writing
from notifier.store.db.set_statements import (
    Change,
    SetChange,
    enlarge_cache,
    rows_as_table,
    shrink_cache,
)
from notifier.store.db.statements import (
    MOST_COUNTED,
    count_some,
    domain_of_column,
    in_chunks,
    insert_all_missing,
    insert_missing,
    refresh_statistics,
    take_turns,
)

__all__ = [
    "ADDRESS_KEY",
    "BUSY_TIMEOUT_MS",
    "MOST_COUNTED",
    "PERSONAL_TABLES",
    "Change",
    "NewerSchemaError",
    "Prepared",
    "Run",
    "ServerClock",
    "SetChange",
    "alembic_config",
    "changing_schema",
    "connect",
    "connect_options",
    "count_some",
    "domain_of_column",
    "enlarge_cache",
    "in_chunks",
    "insert_all_missing",
    "insert_missing",
    "kept_name",
    "make_engine",
    "migrations",
    "newest_migration",
    "reading",
    "refresh_statistics",
    "require_known_schema",
    "rows_as_table",
    "scrub",
    "shrink_cache",
    "small_transactions",
    "take_turns",
    "translate_db_errors",
    "upgrade",
    "writing",
]
