"""An installation from before the modules were moved keeps working: database, settings, templates.

It lies in `tests/data/older_installation`, with a description of its people.
"""

import io
import re
import shutil
import sqlite3
import subprocess
from collections import Counter
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from notifier.cli.main import run
from notifier.deps import Deps, from_settings
from notifier.enums import DeliveryStatus, SubscriptionStatus
from notifier.settings import load
from notifier.store.models import Delivery, Digest, Entry, Subscription
from notifier.web.app import create
from tests.support.forms import FORM
from tests.support.mail_sink import Sink, html_of, text_of
from tests.support.news_site import Article, Site, rss
from tests.support.paths import DATA
from tests.support.visitor import Client
from tests.support.web_server import serving

OLDER = DATA / "older_installation"
PLACEHOLDER = "http://news-site.example.org"
TRIAL = "/api/v2/studies/NCT99990001"
# The last run of the older version was on Wednesday at 09:00.
WEDNESDAY = datetime(2026, 3, 4, 12, tzinfo=UTC)
THURSDAY = WEDNESDAY + timedelta(days=1)


@dataclass
class Older:
    """The installation in a folder of its own, beside a news site and a mail server."""

    folder: Path
    site: Site
    sink: Sink

    def run(self, moment: datetime) -> "Done":
        """Run `notifier run --once` at a moment."""
        return command("run", "--once", "--now", f"{moment:%Y-%m-%dT%H:%MZ}")

    def deps(self, moment: datetime = WEDNESDAY) -> Deps:
        """Open the installation at a moment, as every command does."""
        return replace(from_settings(load()), fixed_now=moment)

    def mail(self, name: str) -> EmailMessage:
        """A mail that the older version sent."""
        message = message_from_bytes((OLDER / "mails" / name).read_bytes(), policy=policy.default)
        assert isinstance(message, EmailMessage)
        return message


@dataclass
class Done:
    """The exit code of a command, and all that it printed."""

    exit_code: int
    output: str


def command(*arguments: str) -> Done:
    """Run a command of notifier."""
    output = io.StringIO()
    with redirect_stdout(output), redirect_stderr(output):
        exit_code = run(list(arguments))
    return Done(exit_code, output.getvalue())


@pytest.fixture
def older(tmp_path: Path, site: Site, sink: Sink, monkeypatch: pytest.MonkeyPatch) -> Older:
    """The installation as it was left; its own templates still have their old names."""
    folder = tmp_path / "installation"
    shutil.copytree(OLDER / "templates", folder / "templates")
    shutil.copy(OLDER / "notifier.toml", folder)
    (folder / "notifier.toml").chmod(0o600)
    (folder / "subscribers.db").touch(0o600)
    database = sqlite3.connect(folder / "subscribers.db")
    statements = (OLDER / "database.sql").read_text(encoding="utf-8")
    database.executescript(statements.replace(PLACEHOLDER, site.address))
    database.close()
    site.put("/feed/", (OLDER / "feed.xml").read_bytes())
    site.put(TRIAL, (OLDER / "trial.json").read_bytes(), "application/json")
    monkeypatch.setenv("NOTIFIER_CONFIG", str(folder / "notifier.toml"))
    monkeypatch.setenv("NOTIFIER_SMTP__PORT", str(sink.port))
    return Older(folder, site, sink)


@pytest.fixture
def renamed(older: Older) -> Older:
    """The installation after its operator ran the commands that rename the templates."""
    rename_templates(older)
    return older


def rename_templates(older: Older) -> None:
    """Run the commands that the refusal of the old names gives."""
    refusal = older.run(WEDNESDAY)
    assert refusal.exit_code != 0
    commands = "\n".join(line for line in refusal.output.splitlines() if line.startswith("mv "))
    subprocess.run(["sh", "-ec", commands], check=True, stdin=subprocess.DEVNULL)


def owed(deps: Deps) -> dict[str, str]:
    """The Message-IDs of the deliveries that wait, by the address."""
    with deps.reading() as session:
        waiting = session.query(Delivery).filter(Delivery.status == DeliveryStatus.PENDING)
        return {delivery.subscription.subscriber.email: delivery.message_id for delivery in waiting}


def link(mail: EmailMessage, purpose: str) -> str:
    """The path of a link in a mail."""
    match = re.search(rf"https://news\.example\.org(/{purpose}/\S+)", text_of(mail))
    assert match, purpose
    return match[1]


def test_own_templates_with_old_names_are_refused_with_the_commands_that_rename_them(
    older: Older,
):
    refusal = older.run(WEDNESDAY)
    assert refusal.exit_code == 2
    for name in (
        "email/mail.txt.j2",
        "email/digest.txt.j2",
        "email/frame.html.j2",
        "web/page.html.j2",
    ):
        assert name in refusal.output
    assert older.sink.messages == [], "nothing is done before the templates are renamed"
    rename_templates(older)
    files = older.folder / "templates"
    assert sorted(
        file.relative_to(files).as_posix() for file in files.rglob("*") if file.is_file()
    ) == [
        "email/base.html.j2",
        "email/digest.txt.j2",
        "email/digest_body.txt.j2",
        "web/base.html.j2",
    ]
    assert older.run(WEDNESDAY).exit_code == 0


def test_the_settings_are_understood(older: Older):
    settings = load()
    assert settings.sender.name == "Example Society"
    assert settings.sender.list_id == "digest.example.org"
    assert settings.sender.bounce_address == "returns@example.org"
    assert settings.sender.discreet is False
    assert settings.smtp.port == older.sink.port, "the environment wins over the file"
    assert settings.smtp.rate_per_second == 500
    assert settings.smtp.domain_rates == {"example.net": 50}
    assert settings.smtp.when_uncertain == "hold"
    assert settings.watch.interval_minutes == 30
    assert settings.watch.user_agent == "example-notifier/1 (+https://news.example.org)"
    assert settings.schedule.time_zone == "Europe/Berlin"
    assert settings.schedule.sign_of_life is True
    assert settings.schedule.quiet_minutes == 10
    assert settings.subscriptions.renewal_months == 24
    assert settings.operator.address == "operator@example.org"
    assert settings.contact == "https://www.example.org/privacy"
    assert settings.web.metrics_token == "a-token-of-this-example"
    assert settings.templates.directory == (older.folder / "templates").resolve()
    assert settings.database_url.endswith(f"{older.folder}/subscribers.db")


def test_what_was_owed_goes_out_under_its_message_id_and_once(renamed: Older):
    waiting = owed(renamed.deps())
    assert set(waiting) == {"anna@example.org", "cleo@example.org", "heidi@example.org"}
    assert renamed.run(WEDNESDAY).exit_code == 0
    sent = renamed.sink.messages
    assert Counter(mail["To"] for mail in sent) == {
        "anna@example.org": 1,
        "cleo@example.org": 1,
        "heidi@example.org": 1,
        "ida@example.org": 1,
    }
    for address, message_id in waiting.items():
        (mail,) = renamed.sink.to(address)
        assert mail["Message-ID"] == message_id
    for name in ("anna", "cleo"):
        (mail,) = renamed.sink.to(f"{name}@example.org")
        text = " ".join(text_of(mail).split())
        assert "was “Frexalimab cuts lesions by 89%”, now “Frexalimab cuts lesions by 86%”" in text
        assert "Frexalimab study widens" in text
        assert "Status: was “Recruiting”, now “Suspended”" in text
    (question,) = renamed.sink.to("heidi@example.org")
    assert question["Subject"] == "Please confirm your subscription to news about Frexalimab"
    (question,) = renamed.sink.to("ida@example.org")
    assert "chaque semaine, le vendredi à 18:00 (Europe/Paris)" in text_of(question)
    assert renamed.run(WEDNESDAY).exit_code == 0
    assert renamed.run(WEDNESDAY + timedelta(hours=2)).exit_code == 0
    assert len(sent) == 4, "nothing is sent twice"


def test_later_news_go_on_where_the_older_version_ended(renamed: Older):
    renamed.run(WEDNESDAY)
    before = len(renamed.sink.messages)
    feed = (OLDER / "feed.xml").read_text(encoding="utf-8")
    new = rss([Article("Frexalimab is safe", "A made-up report.", slug="safe")])
    (item,) = re.findall(r"<item>.*?</item>", new)
    renamed.site.put("/feed/", feed.replace("<item>", f"{item}<item>", 1))
    for moment in (THURSDAY, THURSDAY + timedelta(minutes=20)):
        assert renamed.run(moment).exit_code == 0
    later = {mail["To"]: " ".join(text_of(mail).split()) for mail in renamed.sink.messages[before:]}
    assert set(later) == {"anna@example.org", "ben@example.org", "cleo@example.org"}
    assert len(renamed.sink.messages) == before + 3
    for name in ("anna", "cleo"):
        text = later[f"{name}@example.org"]
        assert "Frexalimab is safe" in text
        for earlier in ("lesions by", "study widens", "Suspended"):
            assert earlier not in text, "that was sent before"
    weekly = later["ben@example.org"]
    for title in ("lesions by 86%", "Frexalimab study widens", "Frexalimab is safe"):
        assert title in weekly
    assert "89%" not in weekly, "the entry is news in its newest state"
    assert "before anybody subscribed" not in weekly
    assert "Status: war „Nimmt Teilnehmende auf“, jetzt „Ausgesetzt“" in weekly
    with renamed.deps().reading() as session:
        assert session.query(Entry).count() == 6, "no entry was stored twice"


def test_the_own_templates_are_used(renamed: Older):
    renamed.run(WEDNESDAY)
    (mail,) = renamed.sink.to("anna@example.org")
    assert "Example Society, member of the Example Federation" in text_of(mail)
    assert "The Example Federation greets you." in html_of(mail)
    renamed.run(THURSDAY)
    (weekly,) = renamed.sink.to("ben@example.org")
    assert "Chosen by the Example Society." in text_of(weekly)
    with serving(create(renamed.deps())) as address:
        assert "A page of the Example Federation." in Client(address).get("/").text


def test_links_in_older_mails_work(renamed: Older):
    to_anna, to_cleo, to_dora = (
        renamed.mail(name) for name in ("01-anna.eml", "03-cleo.eml", "02-dora.eml")
    )
    with serving(create(renamed.deps())) as address:
        client = Client(address)
        for path in (link(to_anna, "archive"), "/archive/1"):
            page = client.get(path)
            assert page.status_code == 200
            banner, _, body = page.text.partition('<table class="mail"')
            assert "Frexalimab cuts lesions by <del>89%</del> → <ins>86%</ins>" in banner
            assert "Frexalimab cuts lesions by 89%" in body
        preferences = client.get(link(to_anna, "preferences"))
        assert preferences.status_code == 200
        assert 'value="08:00"' in preferences.text
        confirm = link(to_dora, "confirm")
        assert client.get(confirm).status_code == 200
        assert client.post(confirm).status_code == 200
        (leave,) = re.findall(r"<(https://[^>]+)>", to_cleo["List-Unsubscribe"])
        answer = client.post(leave, "List-Unsubscribe=One-Click", FORM)
        assert answer.status_code == 200
    with renamed.deps().reading() as session:
        statuses = {
            subscription.subscriber.email: subscription.status
            for subscription in session.query(Subscription)
        }
    assert statuses["dora@example.org"] is SubscriptionStatus.CONFIRMED
    assert statuses["cleo@example.org"] is SubscriptionStatus.ENDED
    assert statuses["anna@example.org"] is SubscriptionStatus.CONFIRMED
    renamed.run(WEDNESDAY)
    assert renamed.sink.to("cleo@example.org") == [], "who left is not sent what was owed"


def test_what_the_older_version_stored_is_read_by_commands(renamed: Older):
    for arguments in (
        ("digests", "list"),
        ("digests", "show", "3"),
        ("matches", "list"),
        ("deliveries", "list"),
        ("subscribers", "list", "--json"),
        ("sources", "list"),
        ("profiles", "list"),
    ):
        done = command(*arguments)
        assert done.exit_code == 0, (arguments, done.output)
    with renamed.deps().reading() as session:
        windows = {digest.window for digest in session.query(Digest)}
    assert "3-4/2026-03-03T08:00Z" in windows
