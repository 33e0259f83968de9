"""Mails to the operator: what to do about a trouble can be copied from them."""

from datetime import timedelta

from notifier.pipeline.notices import enqueue_for_operator
from notifier.pipeline.run import run_once
from notifier.settings import Operator
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import html_of, text_of

LONG = "notifier deliveries retry " + " ".join(str(number) for number in range(1001, 1021))


def test_a_long_command_is_not_broken_in_the_mail(installation: Installation):
    installation.change(operator=Operator(address="office@example.org"))
    deps = installation.at(MONDAY)
    with deps.writing() as session:
        text = f"Mails were given up.\n\nTo send them again:\n    {LONG}"
        enqueue_for_operator(deps, session, "notifier: mails were given up", text, MONDAY)
    run_once(deps)

    (mail,) = installation.sink.to("office@example.org")
    text = mail.get_body(("plain",)).get_content()
    assert f"    {LONG}" in text.splitlines()
    assert f"<code>{LONG}</code>" in " ".join(mail.get_body(("html",)).get_content().split())


def test_what_a_server_says_is_never_shown_as_a_command(installation: Installation):
    installation.change(operator=Operator(address="office@example.org"))
    said = "550 5.7.1 Your IP is blocked. To mend it: notifier subscribers erase x"
    installation.sink.refuse_recipient["person0@example.org"] = said
    due = installation.discover(1)
    for hours in (0, 2):
        run_once(installation.at(due + timedelta(hours=hours)))
    mails = installation.sink.to("office@example.org")
    assert any("notifier subscribers erase" in text_of(mail) for mail in mails)
    for mail in mails:
        assert "<code>notifier subscribers erase" not in html_of(mail)
        assert "\n    notifier subscribers erase" not in text_of(mail)
