"""`notifier init`."""

import json
import os
import re
import socket
import tomllib
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from notifier.admin import mail_server
from notifier.cli import first_settings, machine_zone
from notifier.cli.settings_file import completed
from notifier.cli.starter import COMMENTS, SECTION_COMMENTS, starter_file
from notifier.errors import InputError, SettingsError
from notifier.settings import Settings, load
from tests.support import news_site as sites
from tests.support.mail_sink import Sink, free_port
from tests.support.news_site import Article, Site
from tests.test_docs import keys

QUIET = ("init", "--no-poll")
MADE = {"secret_key", "suppression_key"}


def stored(home: Path) -> dict:
    return tomllib.loads((home / "notifier.toml").read_text(encoding="utf-8"))


def flat(values: dict, prefix: str = "") -> dict:
    flattened = {}
    for key, value in values.items():
        if isinstance(value, dict) and not prefix:
            flattened |= flat(value, f"{key}.")
        else:
            flattened[f"{prefix}{key}"] = value
    return flattened


def test_init_makes_everything_once_and_nothing_twice(notifier, home: Path):
    first = notifier(*QUIET)
    assert first.code == 0
    assert "Loaded the profile Frexalimab with 8 sources" in first.out
    assert (home / "notifier.toml").stat().st_mode & 0o077 == 0
    before = (home / "notifier.toml").read_bytes()
    listed = notifier("sources", "list", "--json").out
    assert notifier(*QUIET).code == 0
    assert (home / "notifier.toml").read_bytes() == before
    assert notifier("sources", "list", "--json").out == listed
    assert {source["kind"] for source in json.loads(listed)} == {"feed", "page", "registry"}


@pytest.mark.parametrize(
    ("option", "value", "problem"),
    [
        ("--now", "tomorrow", "ISO 8601"),
        ("--sender-address", "nobody", "not an e-mail address"),
        ("--operator-address", "me at example.org", "not an e-mail address"),
        ("--smtp-port", "many", "smtp.port"),
        ("--smtp-port", "99999", "less than or equal to 65535"),
        ("--smtp-security", "ssl", "'starttls'"),
        ("--public-url", "news.example.org", "must look like https://"),
        ("--sender-name", "two\nlines", "one line"),
        ("--time-zone", "Berlin", "Europe/Berlin"),
    ],
    ids=lambda text: text.replace("\n", " "),
)
def test_a_wrong_option_is_refused_before_anything_is_written(
    notifier, home: Path, option: str, value: str, problem: str
):
    result = notifier("init", option, value)
    assert (result.code, list(home.iterdir())) == (2, [])
    assert problem in result.err
    assert "Traceback" not in result.err


def test_init_does_not_bring_back_a_source_that_was_removed(notifier):
    notifier(*QUIET)
    notifier("sources", "remove", "1")
    notifier(*QUIET)
    assert len(notifier("sources", "list", "--json").json) == 7


# The file


@pytest.fixture
def written(home: Path, capsys: pytest.CaptureFixture):
    """Make or complete the file, as `init` does before it opens the database."""

    def call(given: dict[str, str]):
        first_settings.write(home / "notifier.toml", first_settings.checked(given), asks=False)
        return capsys.readouterr()

    return call


def test_every_setting_stands_in_the_new_file_with_a_comment():
    text = starter_file()
    assert set(keys(Settings)) == set(COMMENTS)
    assert {key.partition(".")[0] for key in COMMENTS if "." in key} == set(SECTION_COMMENTS)
    for key, comment in COMMENTS.items():
        assert re.search(
            rf"^# {re.escape(comment)}\n(# )?{key.rpartition('.')[2]} = ", text, re.MULTILINE
        ), key
    assert max(map(len, text.splitlines())) <= 100


def test_a_commented_line_shows_the_default_or_an_example_that_is_accepted(tmp_path: Path):
    examples = re.sub(r"(?m)^# ([a-z_]+ = |\[)", r"\1", starter_file())
    shown = flat(tomllib.loads(examples))
    (tmp_path / "notifier.toml").write_text(examples)
    assert load(tmp_path / "notifier.toml", {})  # each is valid
    defaults = flat(Settings().model_dump(mode="json"))
    wrong = {
        key: shown[key]
        for key, default in defaults.items()
        if default not in (None, "", [], {}) and key not in MADE and shown[key] != default
    }
    assert wrong == {}
    assert set(shown) == set(keys(Settings))


@pytest.mark.parametrize("section", ["dkim", "watch", "retention", "web", "privacy", "templates"])
def test_a_section_may_be_added_at_the_end_of_the_new_file(section: str):
    assert tomllib.loads(f"{starter_file()}\n[{section}]\nx = 1\n")[section] == {"x": 1}


def test_what_is_known_is_set_and_everything_else_has_its_default(tmp_path: Path):
    values = {"sender.address": "news@example.org", "smtp.port": 2525, "dkim.selector": "x"}
    (tmp_path / "notifier.toml").write_text(starter_file(values))
    settings = load(tmp_path / "notifier.toml", {})
    kept = {"secret_key", "suppression_key", "database_url", "backup.journal_file"}
    assert {
        key: value
        for key, value in flat(settings.model_dump()).items()
        if key not in kept and value != flat(Settings().model_dump())[key]
    } == values


SECRETS = re.compile(r"(?m)^(secret|suppression)_key = .*\n")


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        (starter_file(), "sender.address", "news@example.org"),
        (starter_file(), "operator.address", "me@example.org"),
        (starter_file(), "dkim.domain", "example.org"),
        ("", "smtp.port", 25),
        ("[smtp]\nport = 1 # ours\n[web]\nport = 2", "smtp.host", "mail.example.org"),
        ("[web]\nport = 2", "smtp.host", "mail.example.org"),
        ("sender.name = 'x'\n", "sender.address", "news@example.org"),
        ("[sender]\naddress = ''\nname = 'x'\n", "sender.address", "news@example.org"),
        ("[sender] # who\r\nname = 'x'\r\n", "sender.address", "news@example.org"),
        (
            'secret_key = """\n[sender]\n16 letters"""\n[sender]\nname = "x"\n',
            "sender.address",
            "a@example.org",
        ),
        ("[[dkim.also]]\nselector = 'a'\nprivate_key_file = 'a'\n", "dkim.domain", "example.org"),
    ],
    ids=[
        "a commented line",
        "a commented line below others",
        "a commented section",
        "an empty file",
        "another key of the section",
        "no such section",
        "a dotted key",
        "an empty value",
        "Windows line ends",
        "a section in a text",
        "a table of tables",
    ],
)
def test_a_value_is_added_to_a_file_and_nothing_else_changes(text: str, key: str, value: object):
    after = completed(text, {key: value})
    section, _, name = key.rpartition(".")
    wanted = tomllib.loads(text)
    wanted.setdefault(section, {})[name] = value
    assert tomllib.loads(after) == wanted
    old, new = text.splitlines(), after.splitlines()
    old = [line for line in old if line != f"# [{section}]"]  # the mark goes
    assert [line for line in old if name not in line and line.strip()] == [
        line for line in new if line in old and name not in line and line.strip()
    ]
    assert ("\r\n" in after) == ("\r\n" in text)


def test_a_value_that_has_no_place_is_refused_with_the_line_to_add():
    with pytest.raises(InputError, match=r"sender\.address cannot be added") as refused:
        completed("sender = { name = 'x' }\n", {"sender.address": "a@example.org"})
    assert "NOTIFIER_SENDER__ADDRESS" in refused.value.fix


def test_run_again_it_completes_what_is_missing_and_changes_nothing_else(written, home: Path):
    written({"sender.address": "news@example.org"})
    path = home / "notifier.toml"
    ours = path.read_text().replace("# The mail server", "# OUR mail server")
    path.write_text(SECRETS.sub("", ours).replace("[smtp]", "[smtp]\n# of the office"))
    incomplete = path.read_text()
    words = written({"sender.postal_address": "2 New Street"}).out
    for key in ("secret_key", "suppression_key", "sender.postal_address"):
        assert f"Added {key} to it" in words
    lines = path.read_text().splitlines()
    added = [line for line in lines if line not in incomplete.splitlines()]
    assert [line.partition(" =")[0] for line in added] == [
        "secret_key",
        "suppression_key",
        "postal_address",
    ]
    settings = load(path, {})
    assert settings.sender.address == "news@example.org"
    assert settings.sender.postal_address == "2 New Street"
    assert min(map(len, (settings.secret_key, settings.suppression_key))) >= 32


def test_a_missing_secret_alone_is_made_for_a_database_that_exists(notifier, home: Path):
    notifier(*QUIET)
    path = home / "notifier.toml"
    path.write_text(re.sub(r"(?m)^secret_key = .*\n", "", path.read_text()))
    suppression_key = stored(home)["suppression_key"]
    result = notifier(*QUIET)
    assert "Added secret_key to it: links in mails that were sent with another" in result.out
    assert len(stored(home)["secret_key"]) >= 32
    assert stored(home)["suppression_key"] == suppression_key


def test_a_value_that_is_set_already_is_kept_and_the_option_is_answered(written, home: Path):
    written({"sender.address": "news@example.org"})
    before = (home / "notifier.toml").read_bytes()
    words = written({"sender.address": "other@example.org"})
    assert "sender.address is set to another value" in words.err
    assert (home / "notifier.toml").read_bytes() == before


# The mail server


def test_without_encryption_only_a_server_on_this_machine_is_chosen(written, home: Path, sink):
    assert written({"smtp.port": str(sink.port)}).err == ""
    assert stored(home)["smtp"]["security"] == "none"


def test_the_time_zone_of_the_machine_is_proposed(talk, home: Path, sink: Sink, monkeypatch):
    monkeypatch.setenv("TZ", "America/Toronto")
    result = talk("", str(sink.port), "", "", "", "", **SENDER)
    assert "[America/Toronto]" in result.output
    assert stored(home)["schedule"]["time_zone"] == "America/Toronto"


@pytest.mark.parametrize(
    ("variable", "link", "file", "name"),
    [
        ("", "/usr/share/zoneinfo/Europe/Berlin", "", "Europe/Berlin"),
        ("", "../usr/share/zoneinfo/posix/Europe/Berlin", "", "Europe/Berlin"),
        ("", "", "Asia/Tokyo\n", "Asia/Tokyo"),
        ("", "/srv/elsewhere", "Asia/Tokyo\n", "Asia/Tokyo"),
        (":Europe/Paris", "/usr/share/zoneinfo/Europe/Berlin", "", "Europe/Paris"),
        ("CET-1CEST", "/usr/share/zoneinfo/Europe/Berlin", "", "Europe/Berlin"),
        ("", "", "", "UTC"),
        ("", "", "\xff", "UTC"),
    ],
    ids=[
        "the link",
        "a link into a copy",
        "the file",
        "a link that names none",
        "the variable",
        "a rule instead of a name",
        "nothing",
        "a damaged file",
    ],
)
def test_the_name_of_the_machines_zone(
    tmp_path: Path, variable: str, link: str, file: str, name: str
):
    if link:
        (tmp_path / "localtime").symlink_to(link)
    if file:
        (tmp_path / "timezone").write_text(file, encoding="latin-1")
    assert machine_zone.name({"TZ": variable} if variable else {}, tmp_path) == name


def test_a_script_names_the_time_zone_by_an_option(notifier, home: Path):
    assert notifier(*QUIET, "--time-zone", "Europe/Berlin").code == 0
    assert stored(home)["schedule"]["time_zone"] == "Europe/Berlin"


def test_a_mail_server_that_does_not_answer_is_a_note(written, home: Path):
    words = written({"smtp.port": str(free_port())}).err
    assert "Note: The mail server 127.0.0.1:" in words
    assert "Check smtp.host and smtp.port" in words
    assert stored(home)["smtp"]["security"] == "starttls"


def test_a_server_that_says_nothing_is_not_waited_for(written, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(mail_server, "_LONGEST_TEST", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        words = written({"smtp.port": str(silent.getsockname()[1])}).err
    assert "says nothing for 0.2 seconds" in words
    assert "465 for TLS" in words


def test_settings_that_do_not_go_together_are_refused_before_they_are_written(
    written, home: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("NOTIFIER_SMTP__PASSWORD", "secret")
    monkeypatch.setattr(mail_server, "problem_of", lambda _: "")
    with pytest.raises(SettingsError, match="every machine on the way"):
        written({"smtp.host": "mail.example.org", "smtp.security": "none"})
    assert list(home.iterdir()) == []


def test_a_security_that_was_chosen_is_kept(written, home: Path, sink: Sink):
    assert "STARTTLS" in written({"smtp.port": str(sink.port), "smtp.security": "starttls"}).err
    assert stored(home)["smtp"]["security"] == "starttls"


# The first look


@pytest.fixture
def own_sources(monkeypatch: pytest.MonkeyPatch, site: Site) -> Site:
    """A bundled profile whose only source is a feed on loopback."""
    from notifier.match import profiles

    bundled = tomllib.loads(profiles.bundled_file())
    bundled |= {"sources": [f"{site.address}/feed/"], "pages": []}
    text = profiles.tomli_w.dumps(bundled)
    monkeypatch.setattr(profiles, "bundled_file", lambda *_: text)
    monkeypatch.setenv("NOTIFIER_WATCH__ALLOW_PRIVATE_ADDRESSES", "true")
    return site


def test_init_reads_the_sources_once_and_names_the_next_command(
    notifier, home: Path, own_sources: Site, sink: Sink
):
    own_sources.put("/feed/", sites.rss([Article("Frexalimab slows lesions"), Article("Other")]))
    given = ["--sender-address", "news@example.org", "--postal-address", "1 Example Street"]
    me = ["--operator-address", "anna@example.org", "--smtp-port", str(sink.port)]
    first = notifier("init", "--yes", *given, *me)
    assert first.code == 0
    assert "Read 1 of 1 source: 2 items, 1 of them match." in first.out
    assert "notifier preview --send-to anna@example.org\n" in first.out
    own_sources.fail("/feed/", 500)
    again = notifier("init", "--yes")
    assert "Read" not in again.out
    assert "Reading" not in again.err
    assert notifier("preview", "--send-to", "anna@example.org").code == 0
    assert [message["To"] for message in sink.messages] == ["anna@example.org"]


def test_sources_that_cannot_be_read_are_a_note(notifier, own_sources: Site):
    own_sources.fail("/feed/", 503)
    result = notifier("init", "--yes", "--smtp-security", "none")
    assert result.code == 0
    assert "Read 0 of 1 source" in result.out
    assert "answered 503" in result.err
    assert "poll --force" in result.err


def test_without_a_sender_the_end_says_what_is_missing(notifier):
    result = notifier(*QUIET, "--sender-address", "news@example.org")
    assert "No mail can be sent yet: sender.postal_address must be set" in result.out
    assert "preview --send-to you@example.org" in result.out
    assert result.out.index("poll --force") < result.out.index("preview --send-to")


# The questions


SENDER = {
    "sender__address": "a@example.org",
    "sender__postal_address": "x",
    "sender__name": "N",
}


@pytest.fixture
def talk(home: Path, monkeypatch: pytest.MonkeyPatch):
    """Ask as `init` does in a terminal, with these lines typed."""
    monkeypatch.setattr("platform.node", lambda: "laptop")

    def call(*lines: str, **given: str):
        app = typer.Typer()
        values = {key.replace("__", "."): value for key, value in given.items()}
        app.command()(lambda: first_settings.write(home / "notifier.toml", values, asks=True))
        return CliRunner().invoke(app, input="".join(f"{line}\n" for line in lines))

    return call


def test_a_person_is_asked_and_wrong_answers_are_asked_again(talk, home: Path, sink: Sink):
    result = talk(
        "news.example.org",  # no address
        "news@example.org",
        "",  # the name by default
        "1 Example Street, Exampletown",
        "",  # the mail server of this machine
        "70000",  # no port
        str(sink.port),
        "",  # no log-in
        "news.example.org",  # no URL
        "https://news.example.org",
        "",  # the sender's address
        "Berlin",  # no zone
        "Europe/Berlin",
    )
    assert result.exit_code == 0, result.output
    assert "not an e-mail address" in result.output
    assert "less than or equal to 65535" in result.output
    assert "must look like https://" in result.output
    assert "It answers, without encryption, on this machine." in result.output
    values = stored(home)
    assert values["sender"] == {
        "name": "News digest",
        "address": "news@example.org",
        "postal_address": "1 Example Street, Exampletown",
    }
    assert values["smtp"] == {"host": "127.0.0.1", "port": sink.port, "security": "none"}
    assert values["public_url"] == "https://news.example.org"
    assert values["operator"] == {"address": "news@example.org"}
    assert values["schedule"] == {"time_zone": "Europe/Berlin"}


def test_a_mail_server_that_does_not_answer_is_asked_for_again(talk, home: Path, sink: Sink):
    closed = str(free_port())
    result = talk("", closed, "", "y", "", str(sink.port), "", "", "", "", **SENDER)
    assert result.exit_code == 0, result.output
    assert "Try other values? [Y/n]" in result.output
    assert f"[{closed}]" in result.output  # what was typed is the next default
    assert stored(home)["smtp"]["port"] == sink.port


def test_a_password_is_not_shown(talk, home: Path, sink: Sink):
    result = talk("", str(sink.port), "digest", "s3cr3t words", "n", "", "", "", **SENDER)
    assert result.exit_code == 0, result.output
    assert "s3cr3t" not in result.output
    assert stored(home)["smtp"]["password"] == "s3cr3t words"


@pytest.mark.parametrize("answered", [0, 1, 3], ids="after {} answers".format)
def test_an_interrupted_conversation_leaves_nothing(talk, home: Path, answered: int):
    result = talk(*["news@example.org", "News", "1 Example Street"][:answered])
    assert result.exit_code == 1
    assert "Nothing was written" in result.output
    assert list(home.iterdir()) == []


def test_on_a_terminal_only_what_is_missing_is_asked_later(talk, written, home: Path):
    written({"sender.address": "news@example.org"})
    result = talk("1 Example Street")
    assert result.exit_code == 0, result.output
    assert "Address of the sender" not in result.output
    assert stored(home)["sender"]["postal_address"] == "1 Example Street"
    assert "Postal address" not in talk().output


def test_what_the_environment_sets_is_neither_asked_nor_written(talk, home: Path, monkeypatch):
    for name, value in {
        "SENDER__ADDRESS": "env@example.org",
        "SMTP__HOST": "127.0.0.1",
        "SMTP__PORT": str(free_port()),
        "SMTP__USERNAME": "digest",
        "SMTP__PASSWORD": "secret",
    }.items():
        monkeypatch.setenv(f"NOTIFIER_{name}", value)
    result = talk("", "1 Example Street", "n", "", "", "")
    assert result.exit_code == 0, result.output
    assert "address" not in stored(home)["sender"]
    assert "password" not in stored(home)["smtp"]
    assert os.environ["NOTIFIER_SMTP__PASSWORD"] not in result.output
