"""`notifier subscribe` and `notifier unsubscribe`."""

from tests.support.command_line import NOW
from tests.support.mail_sink import Sink


def test_a_person_is_asked_confirmed_and_unsubscribed(ready, sink: Sink):
    result = ready(
        "subscribe",
        "anna@example.org",
        "--every",
        "weekly",
        "--on",
        "friday",
        "--time-zone",
        "Europe/Paris",
    )
    assert "weekly, on Friday at 08:00 (Europe/Paris), pending" in result.out
    assert ready("run", "--once").code == 0
    assert sink.messages[0]["Subject"] == "Please confirm your subscription"
    again = ready("subscribe", "anna@example.org", "--confirmed")
    assert "confirmed" in again.out
    shown = ready("subscribers", "show", "anna@example.org", "--json").json
    assert shown["consent"][0]["attested_by"].startswith("operator ")
    assert ready("unsubscribe", "anna@example.org", "--profile", "frexalimab").out.startswith(
        "Ended 1 subscription of"
    )
    gone = ready("unsubscribe", "anna@example.org")
    assert gone.code == 1
    assert "nothing was ended" in gone.err


def test_a_suppressed_address_is_refused_until_it_is_unsuppressed(ready):
    ready("subscribers", "suppress", "anna@example.org", "--reason", "complained")
    refused = ready("subscribe", "anna@example.org")
    assert refused.code == 1
    assert "suppressed: complained" in refused.err
    assert ready("subscribers", "unsuppress", "anna@example.org").code == 0
    assert ready("subscribe", "anna@example.org").code == 0


def test_a_subscription_takes_an_edition_and_a_language(ready):
    result = ready(
        "subscribe", "anna@example.org", "--edition", "clinician", "--language", "de", *NOW
    )
    assert result.code == 0
    (person,) = ready("subscribers", "list", "--json").json
    assert (person["language"], person["subscriptions"][0]["edition"]) == ("de", "clinician")


def test_one_address_gets_at_most_three_confirmation_mails_an_hour(ready, sink: Sink):
    for _ in range(3):
        assert ready("subscribe", "anna@example.org", *NOW).code == 0
        ready("run", "--once", *NOW)
    refused = ready("subscribe", "anna@example.org", *NOW)
    assert refused.code == 1
    assert "within the hour" in refused.err
    assert len(sink.messages) == 3
