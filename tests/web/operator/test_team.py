"""Operators for owners, one's own password, and the log by operator and thing."""

import re
from datetime import timedelta

import pytest

from notifier.enums import Role
from notifier.operators import accounts, actions, attempts, passwords
from notifier.settings import Web
from tests.support.forms import visiting
from tests.support.installation import MONDAY, Installation
from tests.support.operators import PASSWORD, Operator, add_operator, password_hash

pytestmark = pytest.mark.postgresql_long

NEW = "five other words entirely here"


def roles(made: Installation) -> dict[str, str]:
    with made.at(MONDAY).reading() as session:
        return {each.name: str(each.role) for each in accounts.listed(session, None)}


def entries(made: Installation) -> list[str]:
    with made.at(MONDAY).reading() as session:
        texts = [f"{each.name}: {each.text}" for each in actions.newest(session)]
    return [text for text in texts if "Logged" not in text]


def act(browser: Operator, path: str, **fields: str):
    return browser.act("/operator/operators", f"/operator/operators/{path}", **fields)


def test_an_owner_adds_a_colleague_who_logs_in(any_operator, any_installation):
    answer = act(any_operator, "add", name="Ben", role="editor", password=NEW, again=NEW)
    page = any_operator.follow(answer, "/operator/operators/add").text
    assert "Added the editor ben." in page
    assert roles(any_installation) == {"anna": "owner", "ben": "editor"}
    assert entries(any_installation) == ["anna: Added the editor ben"]
    with any_installation.at(MONDAY).reading() as session:
        assert passwords.is_right(accounts.find(session, None, "ben").password_hash, NEW)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"name": "an na"}, "This cannot be the name of an operator."),
        ({"name": "ANNA"}, "There is an operator anna already."),
        ({"name": ""}, "This cannot be the name of an operator."),
        ({"role": "boss"}, "Choose editor or owner."),
        ({"password": "short", "again": "short"}, "The password has 5 characters"),
        ({"again": "another"}, "The two passwords differ."),
    ],
)
def test_what_cannot_be_added_is_refused_and_what_was_typed_stays(
    operator, installation, fields, problem
):
    given = {"name": "ben", "role": "owner", "password": NEW, "again": NEW} | fields
    answer = act(operator, "add", **given)
    assert answer.status_code == 422
    assert problem in answer.text
    assert f'value="{given["name"]}"' in answer.text
    assert NEW not in answer.text
    assert roles(installation) == {"anna": "owner"}


def test_a_colleague_gets_another_role_password_and_is_removed(operator, installation):
    add_operator(installation, "ben", "editor")
    act(operator, "role", name="ben", role="owner", was="editor")
    assert roles(installation)["ben"] == "owner"
    act(operator, "password", name="ben", password=NEW, again=NEW)
    with installation.at(MONDAY).reading() as session:
        assert passwords.is_right(accounts.find(session, None, "ben").password_hash, NEW)
    act(operator, "remove", name="ben")
    assert roles(installation) == {"anna": "owner"}
    assert entries(installation) == [
        "anna: Removed the operator ben",
        "anna: Set the password of ben",
        "anna: Made ben an owner",
    ]


@pytest.mark.parametrize(
    ("path", "fields"),
    [("role", {"role": "editor"}), ("remove", {}), ("password", {"password": NEW, "again": NEW})],
)
def test_nobody_does_this_to_the_own_account(operator, installation, path, fields):
    answer = act(operator, path, name="anna", **fields)
    assert answer.status_code == 422
    assert "your own account" in answer.text
    assert roles(installation) == {"anna": "owner"}
    assert entries(installation) == []


def test_the_last_owner_stays(any_installation):
    add_operator(any_installation)
    with any_installation.at(MONDAY).writing() as session:
        assert accounts.is_last_owner(session, None, "anna")
        assert not accounts.is_last_owner(session, password_hash(), "anna")
        accounts.add(session, "ben", Role.EDITOR, password_hash(), MONDAY)
        assert accounts.is_last_owner(session, None, "anna")
        assert not accounts.is_last_owner(session, None, "ben")
        accounts.set_role(session, "ben", Role.OWNER, MONDAY)
        assert not accounts.is_last_owner(session, None, "anna")


def test_a_role_that_another_owner_changed_meanwhile_is_not_changed_again(operator, installation):
    add_operator(installation, "ben", "editor")
    act(operator, "role", name="ben", role="owner", was="editor")
    answer = act(operator, "role", name="ben", role="owner", was="editor")
    assert answer.status_code == 409
    assert "ben was made an owner meanwhile by anna." in answer.text


@pytest.mark.parametrize("path", ["operators", "operators/add", "operators/remove"])
def test_an_editor_has_nothing_to_do_with_accounts(installation, path):
    add_operator(installation, role="editor")
    add_operator(installation, "ben")
    with visiting(installation) as client:
        browser = Operator(client)
        browser.log_in()
        answer = (
            browser.act("/operator/", f"/operator/{path}", name="ben")
            if "/" in path
            else browser.get(f"/operator/{path}")
        )
    assert answer.status_code == 403
    assert roles(installation) == {"anna": "editor", "ben": "owner"}


def test_ones_own_password_is_changed_and_other_log_ins_end(any_installation):
    add_operator(any_installation, role="editor")
    with visiting(any_installation) as client:
        here, elsewhere = Operator(client), Operator(client)
        here.log_in()
        elsewhere.log_in()
        answer = here.act(
            "/operator/password", "/operator/password", old=PASSWORD, password=NEW, again=NEW
        )
        assert "Changed the own password." in here.follow(answer, "/operator/password").text
        assert elsewhere.get("/operator/").status_code == 303
        assert Operator(client).log_in("anna", NEW).status_code == 303
    assert entries(any_installation) == ["anna: Changed the own password"]


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"old": "wrong"}, "This is not your password."),
        ({"old": ""}, "This is not your password."),
        ({"password": "short"}, "The password has 5 characters"),
        ({"again": "another"}, "The two passwords differ."),
    ],
)
def test_a_password_is_changed_only_with_the_old_one_and_a_good_new_one(
    operator, installation, fields, problem
):
    given = {"old": PASSWORD, "password": NEW, "again": NEW} | fields
    answer = operator.act("/operator/password", "/operator/password", **given)
    assert answer.status_code == 422
    assert problem in answer.text
    assert PASSWORD not in answer.text
    assert operator.get("/operator/").status_code == 200
    assert entries(installation) == []


def test_the_old_password_can_be_guessed_as_often_as_at_the_log_in(operator, monkeypatch):
    monkeypatch.setattr(attempts, "MOST", 2)

    def guess(old: str) -> int:
        given = {"old": old, "password": NEW, "again": NEW}
        return operator.act("/operator/password", "/operator/password", **given).status_code

    assert [guess("wrong"), guess("wrong"), guess(PASSWORD)] == [422, 422, 429]


def test_the_password_of_the_settings_is_not_changed_here(installation):
    installation.change(web=Web(operator_password_hash=password_hash()))
    with visiting(installation) as client:
        browser = Operator(client)
        browser.log_in("operator")
        assert "is in the settings of the server" in browser.get("/operator/password").text
        assert "is in the settings of the server" in browser.get("/operator/operators").text
        answer = browser.act(
            "/operator/password", "/operator/password", old=PASSWORD, password=NEW, again=NEW
        )
    assert answer.status_code == 409


def test_the_log_is_shown_by_operator_and_by_thing(operator, installation):
    with installation.at(MONDAY).writing() as session:
        for number in range(103):
            actor = actions.Actor("ben" if number % 2 else "clara", MONDAY)
            about = f"digest {number % 3}"
            actions.record(session, actor, "approved", f"Approved {number}", about=about)
    whole = operator.get("/operator/log").text
    assert "All about digest 1" in whole
    of_ben = operator.get("/operator/log?who=Ben").text
    assert set(re.findall(r"Approved (\d+)", of_ben)) == {str(each) for each in range(1, 103, 2)}
    of_digest = operator.get("/operator/log?who=ben&about=digest+1").text
    assert set(re.findall(r"Approved (\d+)", of_digest)) == {
        str(each) for each in range(103) if each % 2 and each % 3 == 1
    }
    assert "Nothing like that is in the log." in operator.get("/operator/log?about=digest+7").text
    older = re.search(r'href="\./(log\?before=\d+)"', whole)
    assert "Approved 0" in operator.get(f"/operator/{older[1]}").text


@pytest.mark.parametrize("query", ["who=%00", "about=%ff", "who=" + "a" * 500, "before=x"])
def test_a_filter_that_nothing_can_be_like_shows_a_page(operator, query):
    assert operator.get(f"/operator/log?{query}").status_code == 200


def test_a_removed_colleague_is_out_at_once(operator, installation):
    add_operator(installation, "ben")
    with visiting(installation, MONDAY + timedelta(minutes=1)) as client:
        ben = Operator(client)
        ben.log_in("ben")
        act(operator, "remove", name="ben")
        assert ben.get("/operator/").status_code == 303
