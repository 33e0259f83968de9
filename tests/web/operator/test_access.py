"""Who gets into the operator pages, and who does not."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from notifier.operators import accounts, actions
from notifier.settings import TemplateFiles, Web
from tests.support.forms import visiting
from tests.support.installation import MONDAY, Installation
from tests.support.operators import (
    PASSWORD,
    Operator,
    add_operator,
    password_hash,
    token_in,
)

PAGES = ("/operator/", "/operator/login", "/operator", "/operator/log", "/operator/style.css")


def texts(made: Installation) -> list[str]:
    with made.at(MONDAY).reading() as session:
        return [f"{action.name}: {action.text}" for action in actions.newest(session)]


@pytest.mark.parametrize("path", PAGES)
def test_without_operators_there_are_no_pages(client, path):
    assert client.get(path).status_code == 404
    assert client.post("/operator/login", "name=anna&password=x").status_code == 404


def test_a_page_leads_to_the_log_in_and_from_there_back(installation):
    add_operator(installation)
    with visiting(installation) as client:
        browser = Operator(client)
        first = browser.get("/operator/log?before=7")
        assert first.status_code == 303
        login = browser.follow(first, "/operator/log")
        assert 'name="next" value="log?before=7"' in login.text
        answer = browser.log_in(place="log?before=7")
        assert answer.headers["location"].endswith("log?before=7")
        assert "Who did what" in browser.follow(answer, "/operator/login").text


def test_the_cookies_are_for_https_and_for_no_script(installation):
    add_operator(installation)
    with visiting(installation) as client:
        browser = Operator(client)
        answer = browser.log_in()
        sent = answer.headers.get_all("set-cookie")
    cookies = [cookie for cookie in sent if "notifier_op" in cookie]
    assert len(cookies) == 1
    assert {"HttpOnly", "Secure", "SameSite=lax", "Path=/"} <= set(cookies[0].split("; "))


def test_the_operator_of_the_settings_is_an_owner(installation):
    installation.change(web=Web(operator_password_hash=password_hash()))
    with visiting(installation) as client:
        browser = Operator(client)
        assert browser.log_in("Operator").status_code == 303
        assert browser.get("/operator/log").status_code == 200


@pytest.mark.parametrize(
    ("name", "password"), [("anna", "four quiet words her"), ("nobody", PASSWORD), ("", "")]
)
def test_a_wrong_name_and_a_wrong_password_have_the_same_answer(installation, name, password):
    add_operator(installation)
    with visiting(installation) as client:
        answer = Operator(client).log_in(name, password)
    assert answer.status_code == 401
    assert "The name or the password is wrong." in answer.text
    assert PASSWORD not in answer.text


def test_after_ten_wrong_passwords_even_the_right_one_must_wait(installation):
    add_operator(installation)
    with visiting(installation) as client:
        stranger = Operator(client)
        assert [stranger.log_in("anna", "wrong").status_code for _ in range(10)] == [401] * 10
        refused = stranger.log_in()
        assert refused.status_code == 429
        assert refused.headers["retry-after"] == "900"
    with visiting(installation, MONDAY + timedelta(minutes=16)) as client:
        assert Operator(client).log_in().status_code == 303


def test_a_stranger_does_not_lock_out_who_logged_in_before(installation):
    add_operator(installation)
    with visiting(installation) as client:
        owner, stranger = Operator(client), Operator(client, "203.0.113.9")
        owner.log_in()
        owner.act("/operator/", "/operator/logout")
        for _ in range(12):
            stranger.log_in("anna", "wrong")
        assert stranger.log_in().status_code == 429
        assert owner.log_in().status_code == 303


def test_of_a_thousand_guesses_at_once_ten_are_looked_at(installation):
    add_operator(installation)
    with visiting(installation) as client:
        browser = Operator(client)
        opened = re.search(r'name="opened" value="([^"]+)"', browser.get("/operator/login").text)[1]
        fields = {"name": "anna", "password": "wrong", "opened": opened}
        with ThreadPoolExecutor(8) as pool:
            answers = list(
                pool.map(lambda _: browser.send("/operator/login", fields).status_code, range(60))
            )
    assert answers.count(401) == 10
    assert answers.count(429) == 50


def test_a_stranger_does_not_lock_out_who_has_a_new_password(any_installation):
    add_operator(any_installation)
    with visiting(any_installation) as client:
        owner, stranger = Operator(client), Operator(client)
        owner.log_in()
        with any_installation.at(MONDAY).writing() as session:
            accounts.set_password(session, "anna", password_hash("another set of words"), MONDAY)
        for _ in range(10):
            stranger.log_in("anna", "wrong")
        assert owner.log_in("anna", "another set of words").status_code == 303


def test_nor_the_operator_of_the_settings_who_has_a_new_password(installation):
    installation.change(web=Web(operator_password_hash=password_hash()))
    with visiting(installation) as client:
        owner = Operator(client)
        owner.log_in("operator")
        cookies = owner.cookies
    installation.change(web=Web(operator_password_hash=password_hash("another set of words")))
    with visiting(installation) as client:
        owner, stranger = Operator(client), Operator(client)
        owner.cookies = cookies
        for _ in range(10):
            stranger.log_in("operator", "wrong")
        assert owner.log_in("operator", "another set of words").status_code == 303


def test_who_set_the_own_password_is_still_known_in_all_their_browsers(installation):
    add_operator(installation)
    with visiting(installation) as client:
        desk, phone, stranger = Operator(client), Operator(client), Operator(client)
        desk.log_in()
        phone.log_in()
        new = "another set of words"
        answer = desk.act(
            "/operator/password", "/operator/password", old=PASSWORD, password=new, again=new
        )
        assert answer.status_code == 303
        for _ in range(10):
            stranger.log_in("anna", "wrong")
        assert phone.log_in("anna", new).status_code == 303
        desk.act("/operator/", "/operator/logout")
        assert desk.log_in("anna", new).status_code == 303


def test_a_browser_of_a_removed_operator_is_a_stranger_to_a_new_one_of_the_same_name(installation):
    add_operator(installation)
    with visiting(installation) as client:
        former, stranger = Operator(client), Operator(client)
        former.log_in()
        with installation.at(MONDAY).writing() as session:
            accounts.remove(session, "anna")
        add_operator(installation)
        for _ in range(10):
            stranger.log_in("anna", "wrong")
        assert former.log_in().status_code == 429


def test_a_new_password_ends_the_log_in(installation):
    installation.change(web=Web(operator_password_hash=password_hash()))
    with visiting(installation) as client:
        browser = Operator(client)
        browser.log_in("operator")
        assert browser.get("/operator/").status_code == 200
    installation.change(web=Web(operator_password_hash=password_hash("another set of words")))
    with visiting(installation) as client:
        cookies, browser = browser.cookies, Operator(client)
        browser.cookies = cookies
        assert "login" in browser.get("/operator/").headers["location"]
        assert "Your log-in has ended." in browser.get("/operator/login").text


def test_a_removed_operator_is_out(installation):
    add_operator(installation)
    add_operator(installation, "ben")
    with visiting(installation) as client:
        browser = Operator(client)
        browser.log_in()
        with installation.at(MONDAY).writing() as session:
            accounts.remove(session, "anna")
        assert browser.get("/operator/").status_code == 303


def test_a_form_after_the_log_in_ended_shows_what_was_written(installation):
    add_operator(installation)
    with visiting(installation) as client:
        browser = Operator(client)
        browser.log_in()
        token = token_in(browser.get("/operator/").text)
        cookies = browser.cookies
    with visiting(installation, MONDAY + timedelta(hours=13)) as client:
        browser = Operator(client)
        browser.cookies = cookies
        answer = browser.send("/operator/logout", {"token": token, "note": "Dear <b>readers</b>"})
    assert answer.status_code == 401
    assert "Dear &lt;b&gt;readers&lt;/b&gt;" in answer.text
    assert token not in answer.text


@pytest.mark.parametrize("token", ["", "0" * 64, "é"])
def test_a_form_without_the_right_token_changes_nothing(operator, token):
    assert operator.send("/operator/logout", {"token": token}).status_code == 403
    assert operator.get("/operator/").status_code == 200


def test_a_token_of_another_log_in_is_refused(installation):
    add_operator(installation)
    with visiting(installation) as client:
        first, second = Operator(client), Operator(client)
        first.log_in()
        second.log_in()
        token = token_in(first.get("/operator/").text)
        assert second.send("/operator/logout", {"token": token}).status_code == 403


def test_a_form_of_another_site_is_refused(installation):
    add_operator(installation)
    with visiting(installation) as client:
        browser = Operator(client)
        browser.log_in()
        token = token_in(browser.get("/operator/").text)
        answer = client.request(
            "POST",
            "/operator/logout",
            f"token={token}",
            "application/x-www-form-urlencoded",
            Cookie=f"notifier_operator={browser.cookies['notifier_operator']}",
            Origin="https://evil.example",
        )
    assert answer.status_code == 403


def test_log_in_needs_the_cookie_of_its_own_form(installation):
    add_operator(installation)
    with visiting(installation) as client:
        browser = Operator(client)
        assert browser.log_in(opened="forged").status_code == 403
        answer = Operator(client).send(
            "/operator/login", {"name": "anna", "password": PASSWORD, "opened": ""}
        )
    assert answer.status_code == 403


def test_after_the_log_out_the_token_of_the_browser_opens_nothing(installation):
    add_operator(installation)
    with visiting(installation) as client:
        browser = Operator(client)
        browser.log_in()
        cookies = dict(browser.cookies)
        browser.act("/operator/", "/operator/logout")
        assert "notifier_operator" not in browser.cookies
        browser.cookies = cookies
        assert browser.get("/operator/").status_code == 303


def test_an_editor_sees_no_log(installation):
    add_operator(installation, role="editor")
    with visiting(installation) as client:
        browser = Operator(client)
        browser.log_in()
        assert browser.get("/operator/log").status_code == 403
        assert ">Log<" not in browser.get("/operator/").text


@pytest.mark.parametrize(
    "place",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "../archive",
        "a\r\nb",
        "javascript:alert(1)",
    ],
)
def test_a_log_in_leads_to_no_other_site(installation, place):
    add_operator(installation)
    with visiting(installation) as client:
        answer = Operator(client).log_in(place=place)
    assert answer.status_code == 303
    assert answer.headers["location"] == "./"


def test_the_log_tells_who_logged_in(operator, installation):
    operator.act("/operator/", "/operator/logout")
    assert texts(installation) == ["anna: Logged out", "anna: Logged in"]


def test_a_get_changes_nothing(operator, installation):
    before = len(texts(installation))
    for path in PAGES:
        operator.get(path)
    assert operator.get("/operator/logout").status_code == 405
    assert len(texts(installation)) == before


def test_what_only_who_runs_the_server_can_mend_is_no_advice_to_an_editor(
    operator, installation, tmp_path
):
    own = tmp_path / "templates"
    (own / "operator").mkdir(parents=True)
    (own / "operator" / "log.html.j2").write_text("{{ nothing.there }}")
    installation.change(templates=TemplateFiles(directory=own))
    with visiting(installation) as client:
        browser = Operator(client)
        browser.log_in()
        answer = browser.get("/operator/log")
    assert answer.status_code == 422
    assert "log.html.j2" not in answer.text
