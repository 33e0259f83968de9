"""The source code keeps its rules: layers, writers of tables, transactions, clock, sizes, names.

Each rule is a function in `tests/support/architecture/`. It is tried twice: the package itself must
keep it, and a package with a planted violation must be refused with the file and the line.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.architecture import layers, style, writers
from tests.support.architecture.package import Package
from tests.support.architecture.planted import marked, named, planted
from tests.support.architecture.planted_rules import NEIGHBOURS, VIOLATIONS
from tests.support.architecture.planted_writes import HEADER, PLANTED_IN_HEALTH, READS, WRITES

ROOT = Path(__file__).parents[1]

# Imports run strictly to a lower layer or within the own room: a file or folder of this table.
LAYERS = {
    8: ("commands", ("cli",)),
    7: ("servers", ("web", "demo", "scheduler", "worker")),
    6: ("workflows", ("pipeline", "admin")),
    5: ("mails", ("messages",)),
    4: ("composition root", ("deps",)),
    3: ("stages", ("watch", "match", "digest", "deliver", "subscribers", "operators")),
    2: ("infrastructure", ("store", "render", "links", "settings")),
    1: ("ground", ("errors", "enums", "text", "email_addresses", "trial_fields", "i18n")),
}
# The single files of the ground count as one room: they hold what all share.
GROUND, STAGES = 1, 3

# The one file or folder that writes a table, by the name of the table's model.
WRITERS = {
    "Source": ("watch/sources.py", "watch/new_sources.py", "watch/edited_sources.py"),
    "SourceProfile": ("watch/sources.py", "watch/new_sources.py", "watch/edited_sources.py"),
    "Entry": ("watch/entries.py",),
    "Doubt": ("watch/doubts.py",),
    "EntryAlias": ("watch/identity.py",),
    "Revision": ("watch/entries.py",),
    "Article": ("watch/articles.py",),
    "ArticleRequest": ("watch/articles.py",),
    "Host": ("watch/hosts.py",),
    "ParsedItems": ("watch/parsed_items.py",),
    "Profile": ("match/profiles.py", "match/removed_profiles.py"),
    "ProfileRevision": ("match/profiles.py",),
    "Term": ("match/profiles.py", "match/removed_profiles.py"),
    "Examination": ("match/unjudged.py",),
    "Match": ("match/matches.py", "match/dropping.py", "match/joining.py"),
    "NearMiss": ("match/held.py",),
    "StoryKeys": ("match/recent_news.py",),
    "Digest": (
        "digest/digests.py",
        "digest/drafts.py",
        "digest/editing.py",
        "digest/decisions.py",
    ),
    "DigestItem": ("digest/item_rows.py", "digest/editing.py"),
    "Subscriber": ("subscribers/",),
    "Subscription": ("subscribers/",),
    "Consent": ("subscribers/consent.py",),
    "Suppression": ("subscribers/suppressions.py",),
    "Wording": ("subscribers/consent.py",),
    "RetiredLink": ("subscribers/address_changes.py",),
    "SignupRequest": ("subscribers/signup_requests.py",),
    "AddressChange": ("subscribers/address_changes.py",),
    "Delivery": ("deliver/outbox/",),
    "Notice": ("deliver/operator_mail.py",),
    "Note": ("digest/notes.py",),
    "HeldSuppression": ("subscribers/held_suppressions.py",),
    "WarmUp": ("deliver/outbox/warm_up.py",),
    "RateLimit": ("deliver/outbox/rate_limits.py",),
    "BounceReport": ("deliver/bounces/reports.py",),
    "Alarm": ("deliver/alerts.py",),
    "Told": ("digest/told_before.py",),
    "WeeklyCount": ("pipeline/weekly_counts.py",),
    "OperatorAccount": ("operators/accounts.py",),
    "OperatorSession": ("operators/sessions.py",),
    "LoginAttempt": ("operators/attempts.py",),
    "OperatorAction": ("operators/actions.py",),
    "Installation": (
        "store/keys.py",
        "store/clock.py",
        "store/heartbeat.py",
        "deliver/outbox/stop.py",
        "match/profiles.py",
        "match/canaries.py",
        "store/backup_state.py",
    ),
}

# A column that another file writes as well, or a table by statements that set one column; and why.
SECOND_WRITERS = {
    **{
        (f"Entry.{column}", "watch/presence.py"): (
            "Presence notes when its feed no longer listed an entry, and when its page was checked "
            "or missing; entries clears these when an entry is published again."
        )
        for column in ("left_at", "checked_at", "missing_since")
    },
    ("Revision", "watch/old_revisions.py"): (
        "The texts of old states are removed after their period; entries never changes a state."
    ),
    ("Profile", "match/matches.py"): (
        "The position is the last number given to a match of the profile: it moves in the "
        "transaction that stores the match, under the lock of the profile's row. One statement "
        "sets it, and nothing else."
    ),
    ("Revision", "match/unjudged.py"): (
        "Its statements set judge_requests, and nothing else. A revision waits from its first "
        "moment; only judging knows when it waits no longer, and when it waits again."
    ),
}

# Files that write tables which the code does not name.
UNTOLD_TABLES = {
    "store/keys.py": (
        "Each address hash of every table is made anew when a database takes its first key."
    ),
    "store/db/set_statements.py": "The temporary tables of SQLite that it makes itself.",
    "store/db/postgres_schemas.py": "The number of the migration, which Alembic writes as well.",
    "store/clock.py": "Times that a wrong clock stored are mended, whatever table they stand in.",
}

TRANSACTIONS = {
    "pipeline/": "The steps of the journey.",
    "admin/": "What an operator asks for.",
    "web/": "One request, one transaction.",
    "cli/": "One command, one transaction.",
    "deps.py": "The way to sessions for everybody above.",
    "demo/": "The demo prepares its own database.",
    "worker.py": "A job is enqueued in a transaction of its own.",
}

# The files that make sessions, and begin and commit by themselves.
SESSIONS = {
    "store/db/": "The one place that makes sessions and runs migrations.",
    "store/keys.py": "The first key is taken before there is a `Deps`.",
}

CLOCK = "deps.py"

# The files and folders that import a library, or one name of it.
LIBRARIES: dict[str, set[str]] = {
    "ahocorasick_rs": {"match/terms.py", "match/stories/site_words.py"},
    "aiohttp": {"watch/http/client.py", "watch/http/ssrf.py"},
    "aiosmtpd": {"demo/servers.py"},
    "alembic": {"store/"},
    "anyascii": {"match/names/name_variants.py"},
    "anyio": {"web/operator/own_threads.py"},
    "argon2": {"operators/passwords.py"},
    "asyncio": {
        "watch/http/client.py",
        "watch/http/handling.py",
        "web/server.py",
        "demo/servers.py",
        "worker.py",
    },
    "babel": {"i18n/catalog.py"},
    "cryptography": {"deliver/mime/dkim_keys.py"},
    "css_inline": {"render.py"},
    "dns": {"admin/doctor/name_servers.py"},
    "feedparser": {"watch/parsers/rss.py"},
    "flufl": {"deliver/bounces/prose.py"},
    "h11": {"web/server.py"},
    "http.client": {"admin/doctor/own_pages.py"},
    "imaplib": {"deliver/bounces/mailbox.py"},
    "itsdangerous": {"links.py"},
    "jinja2": {"render.py"},
    "lxml": {
        "watch/parsers/html_page.py",
        "watch/parsers/page_article.py",
        "watch/parsers/page_text.py",
        "watch/discovery.py",
        "watch/opml.py",
    },
    "multiprocessing": set(),
    "poplib": set(),
    "prometheus_client": {"web/metrics.py"},
    "procrastinate": {"worker.py"},
    "protego": {"watch/robots.py"},
    "rapidfuzz": {
        "match/stories/headlines.py",
        "match/names/name_variants.py",
        "match/stories/passages.py",
        "match/stories/story_index.py",
        "match/names/substances.py",
        "watch/compare/edit_distance.py",
    },
    "requests": set(),
    "rich": {"cli/"},
    "smtplib": {"deliver/smtp/connection.py"},
    "socket": {
        *("deliver/smtp/connection.py", "watch/http/ssrf.py", "web/listening.py"),
        "demo/servers.py",
    },
    "sqlalchemy.create_engine": {"store/db/engine.py"},
    "sqlalchemy.engine_from_config": set(),
    "sqlalchemy.ext.asyncio": set(),
    "sqlalchemy.orm.sessionmaker": set(),
    "ssl": {"deliver/smtp/connection.py", "deliver/bounces/mailbox.py"},
    "starlette": {"web/", "demo/servers.py"},
    "subprocess": {
        "cli/editor.py",
        "watch/parser_process/__init__.py",
        "deliver/mime/signing_pool.py",
        "store/db/postgres_programs.py",
    },
    "typer": {"cli/"},
    "urllib.request": set(),
    "uvicorn": {
        *("web/app.py", "web/preview_server.py", "web/proxies.py", "web/server.py"),
        "demo/servers.py",
    },
}

# The demo prints its own made-up story in colour; `__main__` answers --version before anything is
# loaded; the process that parses documents answers the one that started it.
PRINTING = {
    "cli/progress_bar.py",
    "cli/shared.py",
    "cli/demo.py",
    "__main__.py",
    "watch/parser_process/child.py",
    "deliver/mime/signing_child.py",
}
LOGGING = "cli/logs.py"

FUNCTION_LINES, FUNCTION_BRANCHES, FILE_LINES, LINE_LENGTH = 40, 12, 400, 100
# Functions that may be longer, as "cli/preview.py:preview".
LONGER_FUNCTIONS: set[str] = set()

EMPTY_FILE_NAMES = {
    "base",
    "common",
    "core",
    "helper",
    "helpers",
    "manager",
    "managers",
    "misc",
    "stuff",
    "tools",
    "util",
    "utils",
}
ALLOWED_FILE_NAMES = {"store/models/base.py"}
EMPTY_VARIABLE_NAMES = {
    "one",
    "found",
    "chosen",
    "told",
    "said",
    "it",
    "thing",
    "made",
    "data",
    "info",
}
# Methods that libraries call: their parameters and their promises are the library's.
LIBRARY_METHODS = {"data_received", "handle_data", "process_bind_param", "process_result_value"}

RULES: dict[str, Callable[[Package], list[str]]] = {
    "imports run to a lower layer or within the own room": lambda package: layers.layer_violations(
        package, LAYERS, GROUND, STAGES
    ),
    "every room has one layer": lambda package: layers.room_violations(package, LAYERS),
    "no imports run in a circle": layers.circle_violations,
    "a table is written in one place": lambda package: writers.table_violations(
        package, WRITERS, SECOND_WRITERS, UNTOLD_TABLES
    ),
    "every table has a writer": lambda package: writers.writer_table_violations(package, WRITERS),
    "transactions are opened at the top": lambda package: writers.transaction_violations(
        package, TRANSACTIONS, SESSIONS
    ),
    "there is one clock": lambda package: layers.clock_violations(package, CLOCK),
    "a library is imported where it belongs": lambda package: layers.library_violations(
        package, LIBRARIES
    ),
    "functions are short": lambda package: style.size_violations(
        package, FUNCTION_LINES, FUNCTION_BRANCHES, LONGER_FUNCTIONS
    ),
    "files are short": lambda package: style.file_length_violations(package, FILE_LINES),
    "lines are short": lambda package: style.line_violations(
        [package.root, package.root.parent / "tests", package.root.parent / "bench"], LINE_LENGTH
    ),
    "a file's name has a meaning": lambda package: style.file_name_violations(
        package, EMPTY_FILE_NAMES, ALLOWED_FILE_NAMES
    ),
    "a variable's name has a meaning": lambda package: style.local_name_violations(
        package, EMPTY_VARIABLE_NAMES, LIBRARY_METHODS
    ),
    "docstrings are there and say what": lambda package: style.docstring_violations(
        package, LIBRARY_METHODS
    ),
    "no page keeps half of what it refuses": layers.half_kept_violations,
    "one room prints": lambda package: layers.printing_violations(package, PRINTING),
    "one file sets the log up": lambda package: layers.logging_violations(package, LOGGING),
}


@pytest.fixture(scope="module")
def package() -> Package:
    return Package(ROOT / "notifier")


@pytest.mark.parametrize("rule", RULES)
def test_the_package_keeps_the_rule(package: Package, rule: str):
    violations = RULES[rule](package)
    assert not violations, f"{len(violations)} violations\n" + "\n".join(violations)


@pytest.mark.parametrize("form", WRITES)
def test_every_form_of_writing_a_table_is_seen(tmp_path: Path, form: str):
    code = HEADER + WRITES[form] + "\n"
    package = planted(tmp_path, {"watch/health.py": code})
    violations = writers.table_violations(
        package, WRITERS | {"Source": ("watch/health.py",)}, {}, {}
    )
    assert named(violations, "watch/health.py") == marked("watch/health.py", code)
    assert marked("watch/health.py", code)


@pytest.mark.parametrize("form", READS)
def test_reading_a_table_is_no_writing(tmp_path: Path, form: str):
    package = planted(tmp_path, {"watch/health.py": HEADER + READS[form] + "\n"})
    violations = writers.table_violations(package, WRITERS, {}, {})
    assert named(violations, "watch/health.py") == set()


def test_health_may_not_write_the_tables_of_others(tmp_path: Path):
    """The real package with a function more in one file."""
    shutil.copytree(
        ROOT / "notifier",
        tmp_path / "notifier",
        ignore=shutil.ignore_patterns("__pycache__", "locale"),
    )
    health = tmp_path / "notifier" / "watch" / "health.py"
    code = health.read_text(encoding="utf-8") + PLANTED_IN_HEALTH
    health.write_text(code, encoding="utf-8")
    violations = RULES["a table is written in one place"](Package(tmp_path / "notifier"))
    assert marked("watch/health.py", code) <= named(violations, "watch/health.py")


@pytest.mark.parametrize(
    ("rule", "place", "code"), VIOLATIONS, ids=[f"{rule}: {place}" for rule, place, _ in VIOLATIONS]
)
def test_a_planted_violation_is_named_with_file_and_line(
    tmp_path: Path, rule: str, place: str, code: str
):
    package = planted(tmp_path, NEIGHBOURS | {place: code})
    assert named(RULES[rule](package), place) == marked(place, code)


def test_every_rule_has_a_planted_violation():
    tried = {rule for rule, place, code in VIOLATIONS if marked(place, code)}
    assert tried == RULES.keys() - {"a table is written in one place"}


def test_a_room_of_the_table_must_exist(tmp_path: Path):
    package = planted(tmp_path, {})
    assert "scheduler:1: has a layer and does not exist" in layers.room_violations(package, LAYERS)
    twice = LAYERS | {7: ("servers", ("web", "watch"))}
    assert "watch:1: has several layers" in layers.room_violations(package, twice)


def test_an_exception_that_nothing_needs_is_refused(tmp_path: Path):
    code = "def f():\n    pass\n"
    package = planted(tmp_path, {"watch/a.py": code})
    assert style.size_violations(package, 40, 12, {"watch/a.py:f"}) == [
        "watch/a.py:f: need not be an exception"
    ]
    second = {("Profile.name", "watch/a.py"): "A reason."}
    assert "watch/a.py:1: does not write Profile.name" in writers.table_violations(
        package, {}, second, {}
    )
    assert "watch/a.py:1: need not be an exception" in writers.table_violations(
        package, {}, {}, {"watch/a.py": ""}
    )
    assert "watch/a.py:1: opens no transaction" in writers.transaction_violations(
        package, {"watch/a.py": ""}, {}
    )
    assert "watch/a.py:1: does not import os" in layers.library_violations(
        package, {"os": {"watch/a.py"}}
    )
    assert "watch/a.py:1: does not read the clock" in layers.clock_violations(package, "watch/a.py")
    assert "watch/a.py:1: does not print" in layers.printing_violations(package, {"watch/a.py"})
    assert "watch/a.py:1: does not set the log up" in layers.logging_violations(
        package, "watch/a.py"
    )


def test_a_second_writer_writes_its_column_alone(tmp_path: Path):
    code = (
        HEADER
        + "def f(p: Profile):\n    p.name = ''\n    p.document = {}  # here\n"
        + "    return Profile()  # here\n"
    )
    package = planted(tmp_path, {"watch/health.py": code})
    violations = writers.table_violations(
        package, WRITERS, {("Profile.name", "watch/health.py"): "A reason."}, {}
    )
    assert named(violations, "watch/health.py") == marked("watch/health.py", code)


def test_a_writer_that_writes_nothing_is_refused(tmp_path: Path):
    package = planted(tmp_path, {"watch/health.py": HEADER + "x = Profile()\n"})
    violations = writers.writer_table_violations(
        package,
        {"Profile": ("match/profiles.py", "match/removed_profiles.py"), "Gone": ("watch/",)},
    )
    assert "match/profiles.py:1: does not write Profile" in violations
    assert "store/models/__init__.py:1: there is no table Gone" in violations
    assert "store/models/subscribers.py:18: SourceProfile has no writer" in violations
