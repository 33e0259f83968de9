"""Settings: checked at the start, refused with the key, the problem and the fix."""

from pathlib import Path

import pytest

from notifier.cli.main import exit_code_of
from notifier.cli.starter import starter_file
from notifier.errors import SettingsError
from notifier.settings import load, secret_files


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "notifier.toml"


def test_without_a_file_everything_has_its_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    settings = load(None, {})
    assert settings.smtp.port == 25
    assert settings.smtp.security == "starttls"
    assert settings.watch.interval_minutes == 30
    assert settings.sender.discreet is True
    assert settings.schedule.quiet_minutes == 15


def test_the_environment_wins_over_the_file(file: Path):
    file.write_text('public_url = "https://a.example.org"\n[smtp]\nport = 25\n')
    environ = {"NOTIFIER_SMTP__PORT": "587", "NOTIFIER_PUBLIC_URL": "https://b.example.org/"}
    settings = load(file, environ)
    assert (settings.smtp.port, settings.public_url) == (587, "https://b.example.org")


@pytest.mark.parametrize(
    ("written", "used"),
    [
        ("https://bücher.example/", "https://xn--bcher-kva.example"),
        ("https://bücher.example:8443/news", "https://xn--bcher-kva.example:8443/news"),
        ("https://例え.テスト", "https://xn--r8jz45g.xn--zckzah"),
        ("https://news.example.org/über uns", "https://news.example.org/%C3%BCber%20uns"),
        ("https://news.example.org/%C3%BCber", "https://news.example.org/%C3%BCber"),
        ("https://www.example.org/~news/a_b-c", "https://www.example.org/~news/a_b-c"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("HTTPS://News.Example.org", "https://News.Example.org"),
    ],
)
def test_the_address_of_our_pages_is_used_in_ascii(file: Path, written: str, used: str):
    file.write_text(f'public_url = "{written}"\n', encoding="utf-8")
    assert load(file, {}).public_url == used


def test_a_mark_that_an_editor_puts_before_the_text_is_no_part_of_it(file: Path, tmp_path: Path):
    file.write_text('public_url = "https://a.example.org"\n[smtp]\nport = 26\n', "utf-8-sig")
    password = tmp_path / "password"
    password.write_text("geheim\r\n", "utf-8-sig")
    settings = load(file, {"NOTIFIER_SMTP__PASSWORD_FILE": str(password)})
    assert (settings.public_url, settings.smtp.port) == ("https://a.example.org", 26)
    assert settings.smtp.password == "geheim"


@pytest.mark.parametrize("name", ["secret_key", "secret_key_previous", "suppression_key"])
@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_key_keeps_the_mark_in_its_file_so_that_it_stays_the_key_that_signed(
    file: Path, tmp_path: Path, name: str, end: str
):
    file.touch()
    key = tmp_path / "key"
    key.write_bytes(f"\ufeff{'k' * 40}{end}".encode())
    settings = load(file, {f"NOTIFIER_{name.upper()}_FILE": str(key)})
    assert getattr(settings, name) == "\ufeff" + "k" * 40


@pytest.mark.parametrize(
    ("variable", "section", "key"),
    [
        ("NOTIFIER_SMTP__PASSWORD_FILE", "smtp", "password"),
        ("NOTIFIER_SMTP__USERNAME_FILE", "smtp", "username"),
        ("NOTIFIER_WEB__METRICS_TOKEN_FILE", "web", "metrics_token"),
        ("NOTIFIER_SENDER__NAME_FILE", "sender", "name"),
    ],
)
def test_no_other_value_in_a_file_has_the_mark(
    file: Path, tmp_path: Path, variable: str, section: str, key: str
):
    file.touch()
    value = tmp_path / "value"
    value.write_text("a-value-of-at-least-32-characters", "utf-8-sig")
    settings = load(file, {variable: str(value)})
    assert getattr(getattr(settings, section), key) == "a-value-of-at-least-32-characters"


def test_the_password_of_the_mailbox_has_no_mark(tmp_path: Path):
    password = tmp_path / "password"
    password.write_text("geheim\r\n", "utf-8-sig")
    environ = {"NOTIFIER_IMAP_PASSWORD_FILE": str(password)}
    assert secret_files.value("IMAP_PASSWORD", environ) == "geheim"


@pytest.mark.parametrize(
    "text", [" https://a.example.org", "https://a.example.org/ ", "\thttps://a.example.org\n"]
)
def test_space_around_the_public_address_is_not_in_the_links_of_mails(file: Path, text: str):
    file.touch()
    assert load(file, {"NOTIFIER_PUBLIC_URL": text}).public_url == "https://a.example.org"


def test_a_secret_may_lie_in_a_file_that_the_environment_names(file: Path, tmp_path: Path):
    files = {"password": "pa ss=wörd\n", "key": "k" * 20, "number": "587\r\n"}
    for name, text in files.items():
        (tmp_path / name).write_bytes(text.encode())
    environ = {
        "NOTIFIER_SMTP__PASSWORD_FILE": str(tmp_path / "password"),
        "NOTIFIER_SECRET_KEY_FILE": str(tmp_path / "key"),
        "NOTIFIER_SMTP__PORT_FILE": str(tmp_path / "number"),
        "NOTIFIER_DKIM__PRIVATE_KEY_FILE": "own.pem",
        "NOTIFIER_IMAP_PASSWORD_FILE": str(tmp_path / "missing, but read by `bounces` alone"),
    }
    file.touch()
    settings = load(file, environ)
    assert settings.smtp.password == "pa ss=wörd"
    assert (settings.secret_key, settings.smtp.port) == ("k" * 20, 587)
    assert settings.dkim.private_key_file == file.parent / "own.pem"
    environ = {"NOTIFIER_IMAP_PASSWORD_FILE": str(tmp_path / "password")}
    assert secret_files.value("IMAP_PASSWORD", environ) == "pa ss=wörd"
    assert secret_files.value("IMAP_PASSWORD", {"NOTIFIER_IMAP_PASSWORD": "x"}) == "x"
    assert secret_files.value("IMAP_PASSWORD", {}) == ""


@pytest.mark.parametrize(
    ("content", "others", "part"),
    [
        (None, {}, "cannot be read: No such file"),
        (b"x" * 10_001, {}, "no text of at most 10,000 bytes"),
        (b"secret \xff\xfe", {}, "no text of at most"),
        (b"secret", {"NOTIFIER_SMTP__PASSWORD": "secret too"}, "are both set"),
    ],
    ids=["missing", "too large", "not a text", "given twice"],
)
def test_a_secret_file_that_cannot_be_used_is_refused_and_not_repeated(
    file: Path, tmp_path: Path, content: bytes | None, others: dict[str, str], part: str
):
    secret = tmp_path / "password"
    if content is not None:
        secret.write_bytes(content)
    file.touch()
    with pytest.raises(SettingsError) as refused:
        load(file, {"NOTIFIER_SMTP__PASSWORD_FILE": str(secret), **others})
    assert part in refused.value.problem
    assert "NOTIFIER_SMTP__PASSWORD_FILE" in refused.value.problem
    assert "secret" not in f"{refused.value.problem} {refused.value.fix}"
    assert refused.value.fix


def test_the_file_may_be_named_by_the_environment(file: Path):
    file.write_text("[smtp]\nport = 2525\n")
    assert load(None, {"NOTIFIER_CONFIG": str(file)}).smtp.port == 2525


def test_a_relative_path_of_the_database_starts_at_the_settings_file(file: Path):
    file.write_text('database_url = "sqlite:///data.db"\n')
    assert load(file, {}).database_url == f"sqlite:///{file.parent}/data.db"


@pytest.mark.parametrize(
    ("content", "environ", "parts"),
    [
        ("[smtp]\nprot = 25", {}, ["smtp.prot", "Did you mean port?"]),
        ("[smpt]\nport = 25", {}, ["smpt", "Did you mean smtp?"]),
        ("[smtp]\nport = 70000", {}, ["smtp.port = 70000", "less than or equal to 65535"]),
        ("[smtp]\nport = 'x'", {}, ["smtp.port", "integer"]),
        ("[smtp]\nsecurity = 'ssl'", {}, ["smtp.security", "'starttls'"]),
        ("", {"NOTIFIER_SMTP__PORT": "many"}, ["NOTIFIER_SMTP__PORT"]),
        ("", {"NOTIFIER_SMTP__PROT": "1"}, ["NOTIFIER_SMTP__PROT", "Did you mean port?"]),
        (
            "",
            {"NOTIFIER_PUBLIC_URI": "https://x.example.org"},
            ["NOTIFIER_PUBLIC_URI", "Did you mean public_url?"],
        ),
        ("public_url = 'ftp://x'", {}, ["public_url", "https://news.example.org"]),
        ("public_url = 'https://bü_cher.example'", {}, ["public_url", "no domain can have"]),
        ("public_url = 'https://my news.test'", {}, ["public_url"]),
        ("[schedule]\ntime_zone = 'Mars/Olympus'", {}, ["schedule.time_zone", "Europe/Berlin"]),
        ("[sender]\naddress = 'nobody'", {}, ["sender.address", "not an e-mail address"]),
        ('[sender]\nname = "a\\nBcc: x"', {}, ["sender.name", "one line"]),
        ("[smtp\nport", {}, ["not valid TOML", "line 1"]),
        ("[smtp]\nhelo_name = 'localhost'", {}, ["smtp.helo_name", "mail.example.org"]),
        ("[smtp]\nhelo_name = 'mail server.example'", {}, ["smtp.helo_name", "full name"]),
        ("[smtp]\nhelo_name = '-a.example.org'", {}, ["smtp.helo_name", "full name"]),
        ("[smtp]\nhelo_name = '192.0.2.1'", {}, ["smtp.helo_name", "in brackets"]),
        ("[smtp]\nhelo_name = '[mail.example.org]'", {}, ["smtp.helo_name", "in brackets"]),
        ('[smtp]\nhelo_name = "a.example.org\\nMAIL"', {}, ["smtp.helo_name", "full name"]),
        (
            f"[sender]\nbounce_address = '{'b' * 26}@example.org'",
            {},
            ["sender.bounce_address", "25 characters", "sender.bounce_tags"],
        ),
        ("[sender]\nbounce_tags = 'perhaps'", {}, ["sender.bounce_tags"]),
        ("[review]\nrequired = true", {}, ["operator.address is not set", "[operator]"]),
        ("[review]\nlead_hours = 337", {}, ["review.lead_hours", "336"]),
    ],
)
def test_a_wrong_setting_is_refused_with_key_problem_and_fix(
    file: Path, content: str, environ: dict[str, str], parts: list[str]
):
    file.write_text(content)
    with pytest.raises(SettingsError) as refused:
        load(file, environ)
    message = f"{refused.value.problem} {refused.value.fix}"
    assert all(part in message for part in parts), message
    assert exit_code_of(refused.value) == 2


@pytest.mark.parametrize(
    "name", ["mail.example.org", "mx-1.example.org", "[192.0.2.1]", "[IPv6:2001:db8::1]"]
)
def test_a_full_name_or_an_address_in_brackets_is_a_name_for_the_greeting(file: Path, name: str):
    file.write_text(f"[smtp]\nhelo_name = '{name}'\n")
    assert load(file, {}).smtp.helo_name == name


def test_without_tokens_a_bounce_address_may_be_long(file: Path):
    address = f"{'b' * 64}@example.org"
    file.write_text(f"[sender]\nbounce_address = '{address}'\nbounce_tags = false\n")
    assert load(file, {}).sender.bounce_address == address


def test_a_refused_secret_is_not_repeated(file: Path):
    file.write_text("secret_key = 12345\n[smtp]\npassword = 67890\n")
    with pytest.raises(SettingsError) as refused:
        load(file, {})
    assert "12345" not in refused.value.problem
    assert "67890" not in refused.value.problem


def test_a_file_that_was_named_must_exist(tmp_path: Path):
    with pytest.raises(SettingsError, match="no settings file") as refused:
        load(tmp_path / "nowhere.toml", {})
    assert "notifier init" in refused.value.fix


def test_the_variables_of_the_test_suite_are_not_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    surrounding = {
        "NOTIFIER_REQUIRE_PG": "1",
        "NOTIFIER_TEST_DATABASE_URL": "x",
        "NOTIFIER_CHROMIUM": "y",
    }
    assert load(None, surrounding) == load(None, {})


def test_the_first_settings_file_is_valid_and_has_a_secret_of_its_own(file: Path):
    file.write_text(starter_file())
    assert len(load(file, {}).secret_key) >= 32
    assert starter_file() != starter_file()
