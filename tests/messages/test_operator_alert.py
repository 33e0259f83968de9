"""Mails to the operator: what to do about a trouble can be copied from them."""

import pytest

from notifier.messages.account_mail import operator_alert_spec
from notifier.pipeline.notices import enqueue_for_operator
from notifier.pipeline.run import run_once
from notifier.settings import Operator
from notifier.store.models import Notice
from tests.support.installation import MONDAY, Installation

LONG = "notifier deliveries retry " + " ".join(str(number) for number in range(1001, 1021))


def lines_of(text: str) -> list[str]:
    notice = Notice(to="office@example.org", subject="notifier: mails were given up", text=text)
    paragraphs = operator_alert_spec(notice, "<1@news.example.org>").values["paragraphs"]
    assert isinstance(paragraphs, list)
    return [line for paragraph in paragraphs for line in paragraph]


@pytest.mark.parametrize(
    ("line", "lines"),
    [
        (
            "To send it: notifier matches release 5",
            ["To send it:", "    notifier matches release 5"],
        ),
        (f"When that is mended: {LONG}", ["When that is mended:", f"    {LONG}"]),
        (
            "One answer: 550 no\nAt once: notifier deliveries retry",
            ["One answer: 550 no", "At once:", "    notifier deliveries retry"],
        ),
        ("notifier has not run since Tuesday", ["notifier has not run since Tuesday"]),
        ("Read `notifier bounces read` first.", ["Read `notifier bounces read` first."]),
    ],
)
def test_a_command_at_the_end_of_a_line_gets_its_own(line: str, lines: list[str]):
    assert lines_of(line) == lines


def test_a_long_command_is_not_broken_in_the_mail(installation: Installation):
    installation.change(operator=Operator(address="office@example.org"))
    deps = installation.at(MONDAY)
    with deps.writing() as session:
        text = f"Mails were given up.\n\nTo send them again: {LONG}"
        enqueue_for_operator(deps, session, "notifier: mails were given up", text, MONDAY)
    run_once(deps)

    (mail,) = installation.sink.to("office@example.org")
    text = mail.get_body(("plain",)).get_content()
    assert f"    {LONG}" in text.splitlines()
    assert f"<code>{LONG}</code>" in " ".join(mail.get_body(("html",)).get_content().split())
