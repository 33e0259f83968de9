"""Checks of the installation: settings, files, database, disk, backup, clock, zones, keys."""

import re
import shutil
from importlib.metadata import version

from sqlalchemy import func, select

from notifier.admin.doctor.backups import check_backup, check_journal, check_restore
from notifier.admin.doctor.check import Check
from notifier.admin.doctor.domains import registrable
from notifier.admin.doctor.examined import Examined
from notifier.admin.doctor.findings import Result, failed, not_checked, ok, warning
from notifier.email_addresses import PROVIDERS, domain_of, provider_of
from notifier.errors import NotifierError, SettingsError
from notifier.store import clock, db, keys
from notifier.store.files import readable_by_others
from notifier.store.models import Installation, Subscriber
from notifier.text import times

# The share of a disk that is free, and the bytes without which nothing can be stored any more.
# Both chosen by hand; not measured.
_FREE_SHARE, _LEAST_FREE = 0.15, 100_000_000
# Zones change their rules several times a year. Chosen by hand; not measured.
_ZONE_DATA_YEARS = 2
# Domains of mail providers, in whose name only their own servers may send.
_FREE = frozenset((*PROVIDERS, *PROVIDERS.values()))
# The shortest `secret_key` that signs links (`links.py`).
_SHORTEST_KEY = 16


def _settings(examined: Examined) -> Result:
    expected = "a settings file that can be used"
    problem = examined.settings_problem
    if problem is not None:
        return failed(expected, problem.problem, problem.fix)
    if not examined.options.config.exists():
        return ok(expected, "no settings file: environment variables and defaults are used")
    return ok(expected, str(examined.options.config))


def _sender(examined: Examined) -> Result:
    expected = "an address in the From line"
    address = examined.settings.sender.address
    if not address:
        return failed(expected, "not set", "Set sender.address: no mail goes out before.")
    domain, server = domain_of(address), registrable(examined.settings.smtp.host)
    if domain in _FREE and provider_of(f"x@{server}") != provider_of(address):
        return warning(
            expected,
            f"{domain} belongs to a mail provider",
            "Set sender.address to one of a domain of your own: receivers refuse mails in the name "
            f"of {domain} from other servers.",
        )
    return ok(expected, address)


def _postal_address(examined: Examined) -> Result:
    expected = "a postal address in the footer of every mail, as laws require"
    if not examined.settings.sender.postal_address:
        return failed(expected, "not set", "Set sender.postal_address: no mail goes out before.")
    return ok(expected, "set")


def _operator(examined: Examined) -> Result:
    expected = "somebody is mailed when something breaks"
    if examined.settings.operator.address is None:
        return warning(
            expected,
            "operator.address is not set",
            "Set operator.address; or let cron mail you the news of this command:\n"
            "    notifier doctor --show-changes",
        )
    return ok(expected, examined.settings.operator.address)


def _secret_key(examined: Examined) -> Result:
    expected = f"a random secret_key of at least {_SHORTEST_KEY} characters"
    key = examined.settings.secret_key
    if len(key) < _SHORTEST_KEY:
        return failed(
            expected,
            "too short" if key else "not set",
            "Set secret_key to 32 random characters; `notifier init` writes one into new settings.",
        )
    if len(set(key)) < _SHORTEST_KEY // 2:
        return warning(
            expected,
            "it repeats few characters: links could be forged",
            "Set secret_key to 32 random characters, and secret_key_previous to the old one.",
        )
    return ok(expected, f"{len(key)} characters")


def _templates(examined: Examined) -> Result:
    expected = "templates that can be rendered"
    try:
        assert examined.deps.templates
    except SettingsError as error:
        return failed(expected, error.problem, error.fix)
    own = examined.settings.templates.directory
    return ok(expected, str(own) if own else "our own")


def _file_modes(examined: Examined) -> Result:
    expected = "no other user may open settings, keys and database"
    dkim, database = examined.settings.dkim, examined.database_file
    files = [examined.options.config, dkim.private_key_file]
    files += [key.private_key_file for key in dkim.also]
    if database is not None:
        files += [database.with_name(f"{database.name}{end}") for end in ("", "-wal", "-shm")]
    open_files = readable_by_others([file for file in files if file is not None])
    if open_files:
        names = " ".join(str(file) for file in open_files)
        return warning(expected, f"every user may open {names}", f"chmod o= {names}")
    return ok(expected, "only their owner and group")


def _database(examined: Examined) -> Result:
    expected = "a database that can be read"
    try:
        if examined.database_problem is not None:
            raise examined.database_problem
        db.migrations(examined.deps.engine)
    except SettingsError as error:
        examined.database_problem = error
        return failed(expected, error.problem, error.fix)
    engine = examined.deps.engine
    return ok(expected, f"{engine.dialect.name}: {engine.url.database}")


def _schema(examined: Examined) -> Result:
    current, newest = db.migrations(examined.deps.engine)
    expected = f"the schema of this version, {newest}"
    if current == newest:
        return ok(expected, newest)
    if current is None:
        return failed(expected, "no tables yet", "notifier init")
    if current > newest:
        return failed(
            expected, f"{current}, of a newer notifier", "Install that version of notifier."
        )
    return failed(expected, f"{current}, of an older notifier", "notifier db upgrade")


def _suppression_key(examined: Examined) -> Result:
    expected = "the suppression_key that this database was made with"
    key = examined.settings.suppression_key
    try:
        keys.require(key)
    except NotifierError as error:
        return failed(expected, error.problem, error.fix)
    with examined.deps.reading() as session:
        stored = session.scalars(select(Installation.key_fingerprint)).one_or_none()
    if stored is not None and stored != keys.fingerprint(key):
        return failed(
            expected,
            "another one",
            "Put the old key back from the backup of the settings: with another one, people who "
            "refused mails would get mails again.",
        )
    return ok(expected, "present" if stored else "present; the database has none yet")


def _disk(examined: Examined) -> Result:
    expected = f"at least {_FREE_SHARE:.0%} of the disk free"
    if examined.database_file is None:
        return not_checked(expected, "the disk of a database server is not seen from here")
    folder = examined.data_folder.resolve()
    usage = shutil.disk_usage(folder)
    # Rounded, so that noise is no change.
    actual = f"{usage.free / usage.total:.0%} free at {folder}"
    fix = f"Make room on the disk of {folder}."
    if usage.free < _LEAST_FREE:
        return failed(expected, actual, fix)
    if usage.free < _FREE_SHARE * usage.total:
        return warning(expected, actual, fix)
    return ok(expected, actual)


def _clock(examined: Examined) -> Result:
    expected = "a clock that was never ahead"
    with examined.deps.reading() as session:
        wrong = clock.finding(session, examined.now)
        behind = clock.is_before_everything(session, examined.now)
    fix = "Set the clock (timedatectl set-ntp true); if it is right: notifier clock --accept"
    if behind:
        return failed(expected, "it shows a time before everything that is stored here", fix)
    if wrong:
        return warning(expected, wrong.partition(". ")[0], fix)
    return ok(expected, f"{examined.now:%Y-%m-%d %H:%M} UTC")


def _zones(examined: Examined) -> Result:
    expected = "every stored time zone is known, and the rules of zones are recent"
    with examined.deps.reading() as session:
        rows = session.execute(
            select(Subscriber.time_zone, func.count()).group_by(Subscriber.time_zone)
        ).all()
    unknown = {str(name): number for name, number in rows if not _is_zone(str(name))}
    if unknown:
        names = ", ".join(f"{name} ({number})" for name, number in sorted(unknown.items()))
        return warning(
            expected,
            f"unknown: {names}; their digests come by schedule.time_zone",
            "pip install --upgrade tzdata; or choose another zone for them: "
            "notifier subscribe EMAIL --time-zone ZONE",
        )
    release = version("tzdata")
    year = re.match(r"\d{4}", release)
    if year is None or examined.now.year - int(year[0]) >= _ZONE_DATA_YEARS:
        return warning(expected, f"rules of {release}", "pip install --upgrade tzdata")
    return ok(expected, f"rules of {release}")


def _is_zone(name: str) -> bool:
    try:
        times.zone(times.successor(name))
    except ValueError:
        return False
    return True


_STORED = ("installation.schema",)

CHECKS = (
    Check("installation.settings", _settings, stops_mail=True),
    Check("installation.sender", _sender, ("installation.settings",), stops_mail=True),
    Check(
        "installation.postal_address", _postal_address, ("installation.settings",), stops_mail=True
    ),
    Check("installation.operator", _operator, ("installation.settings",)),
    Check("installation.secret_key", _secret_key, ("installation.settings",), stops_mail=True),
    Check("installation.templates", _templates, ("installation.settings",), stops_mail=True),
    Check("installation.file_modes", _file_modes, ("installation.settings",)),
    Check("installation.database", _database, ("installation.settings",), stops_mail=True),
    Check("installation.schema", _schema, ("installation.database",), stops_mail=True),
    Check("installation.suppression_key", _suppression_key, _STORED, stops_mail=True),
    Check("installation.disk", _disk, ("installation.database",), stops_mail=True),
    Check("installation.backup", check_backup, _STORED),
    Check("installation.journal", check_journal, _STORED),
    Check("installation.restore", check_restore, _STORED, stops_mail=True),
    Check("installation.clock", _clock, _STORED, stops_mail=True),
    Check("installation.zones", _zones, _STORED),
)
