"""`notifier operators`: who may log in to the operator pages."""

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from notifier.cli.main import app
from notifier.errors import NotifierError
from notifier.operators import accounts, actions, passwords, sessions
from notifier.settings import Web
from tests.support.installation import MONDAY, SUPPRESSION_KEY, Installation
from tests.support.operators import PASSWORD, add_operator

pytestmark = pytest.mark.postgresql_long


def run(made: Installation, *arguments: str, typed: str = "") -> tuple[int, str, str]:
    environment = {
        "NOTIFIER_DATABASE_URL": made.at(MONDAY).engine.url.render_as_string(hide_password=False),
        "NOTIFIER_SUPPRESSION_KEY": SUPPRESSION_KEY,
        "NOTIFIER_SECRET_KEY": made.at(MONDAY).settings.secret_key,
    }
    result = CliRunner().invoke(app, ["operators", *arguments], env=environment, input=typed)
    error = result.exception
    refusal = f"{error.problem} {error.fix}" if isinstance(error, NotifierError) else ""
    return result.exit_code, result.stdout, f"{result.stderr}{refusal}"


def names(made: Installation) -> list[tuple[str, str]]:
    with made.at(MONDAY).reading() as session:
        return [(account.name, account.role) for account in accounts.listed(session, None)]


def test_an_operator_is_added_with_a_password_from_a_pipe(any_installation):
    code, out, _ = run(any_installation, "add", "Anna", "--role", "owner", typed=f"{PASSWORD}\n")
    assert (code, names(any_installation)) == (0, [("anna", "owner")])
    assert "/operator/" in out
    with any_installation.at(MONDAY).reading() as session:
        account = accounts.find(session, None, "ANNA")
        assert passwords.is_right(account.password_hash, PASSWORD)
        assert not passwords.is_right(account.password_hash, PASSWORD + "x")
        assert [action.text for action in actions.newest(session)] == ["Added the owner anna"]


def test_who_adds_only_an_editor_is_told_that_there_is_no_owner(installation):
    _, out, _ = run(installation, "add", "ben", typed=f"{PASSWORD}\n")
    assert "There is no owner" in out
    assert names(installation) == [("ben", "editor")]


@pytest.mark.parametrize(
    ("arguments", "typed", "refusal"),
    [
        (["add", "anna"], "short\n", "has 5 characters"),
        (["add", "anna"], "\n", "No password was given"),
        (["add", "anna"], "", "No password was given"),
        (["add", "anna"], "aaaaaaaaaaaaaaaa\n", "different characters"),
        (["add", "anna"], "a" * 3000 + "\n", "characters; 12 to 200"),
        (["add", "anna", "--role", "boss"], f"{PASSWORD}\n", "Choose one of: editor, owner"),
        (["add", "an na"], f"{PASSWORD}\n", "cannot be the name"),
        (["add", "\x1b[31m"], f"{PASSWORD}\n", "cannot be the name"),
        (["add", "ä"], f"{PASSWORD}\n", "cannot be the name"),
        (["password", "anna"], f"{PASSWORD}\n", "no operator 'anna'"),
        (["password", "anna", "--print"], f"{PASSWORD}\n", "Only the operator 'operator'"),
        (["remove", "anna"], "", "no operator 'anna'"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_reason(installation, arguments, typed, refusal):
    code, _, err = run(installation, *arguments, typed=typed)
    assert code in (1, 2)
    assert refusal in err
    assert names(installation) == []


def test_a_name_is_given_once(installation):
    add_operator(installation)
    code, _, err = run(installation, "add", "ANNA", typed=f"{PASSWORD}\n")
    assert code
    assert "There is an operator anna already" in err


def test_a_new_password_and_a_removal_end_the_log_ins(any_installation):
    add_operator(any_installation)
    for command in ("password", "remove"):
        with any_installation.at(MONDAY).writing() as session:
            sessions.begin(session, "anna", "mark", MONDAY)
        run(any_installation, command, "anna", typed="another set of words\n")
        with any_installation.at(MONDAY).writing() as session:
            assert sessions.end_all(session, "anna") == 0
    assert names(any_installation) == []


def test_the_list_shows_the_account_of_the_settings(installation, monkeypatch):
    code, out, _ = run(installation, "password", "operator", "--print", typed=f"{PASSWORD}\n")
    stored = out.split('"')[1]
    assert passwords.is_right(stored, PASSWORD)
    monkeypatch.setenv("NOTIFIER_WEB__OPERATOR_PASSWORD_HASH", stored)
    code, out, _ = run(installation, "list")
    assert code == 0
    assert "in the settings" in out


@pytest.mark.parametrize("text", ["", "hunter2", "$2b$12$abcdefgh", "$argon2id$v=19$m=1,t=1,p=1$"])
def test_a_setting_that_is_no_hash_is_refused_without_being_repeated(text):
    with pytest.raises(ValidationError) as refused:
        Web(operator_password_hash=text)
    assert "must be a hash of argon2" in str(refused.value)
