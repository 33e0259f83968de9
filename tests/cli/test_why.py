"""`notifier why` on the command line: its text, its JSON and its exit codes."""

import pytest

from tests.support import news_site as sites
from tests.support.command_line import LATER, NOW
from tests.support.news_site import Article, Site

ADDRESS = "https://herald.example.org/frexalimab-calms-the-disease/"
ASK = ["why", "--to", "anna@example.org", "--entry", ADDRESS, *LATER]


@pytest.fixture
def sent(ready, site: Site):
    """The command line of an installation that sent Anna a digest."""
    ready("subscribe", "anna@example.org", "--confirmed", "--every", "daily", *NOW)
    ready("run", "--once", *NOW)
    site.put("/feed/", sites.rss([Article("Frexalimab calms the disease")]))
    ready("run", "--once", *LATER)
    return ready


def test_the_text_fits_into_80_columns_and_tells_the_whole_journey(
    sent, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COLUMNS", "80")
    result = sent(*ASK)
    assert result.code == 0
    assert max(map(len, result.out.splitlines())) <= 80
    words = " ".join(result.out.split())
    assert "anna@example.org, frexalimab, daily, confirmed: SENT" in words
    assert "in digest 1, as revision 1" in words
    assert "the headline names frexalimab" in words
    assert "2026-03-03 08:00 sent" in words


def test_the_json_document_has_the_answer_at_its_top(sent):
    document = sent(*ASK, "--json").json
    answer = {"outcome": "sent", "matched": True, "held": False, "sent": True, "digest": 1}
    assert {key: document[key] for key in answer} == answer
    assert (document["revision"], document["tier"]) == (1, "about")
    assert document["sent_at"].startswith("2026-03-03T08:00:00")
    assert document["entry"]["url"] == ADDRESS
    assert document["reasons"] == ["the headline names frexalimab"]
    (account,) = document["accounts"]
    assert account["deliveries"][0]["message_id"].startswith("<")
    assert [step["step"] for step in account["steps"]][-1] == "sent"


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--to", "ben@example.org", "--entry", ADDRESS], 1, "Nobody is stored"),
        (["--to", "anna@example.org", "--entry", "https://x.example.org/"], 1, "No entry with"),
        (["--to", "anna@example.org", "--entry", "9"], 1, "no entry 9"),
        (["--to", "anna", "--entry", ADDRESS], 2, "not a usable e-mail address"),
        (["--to", "anna@example.org", "--entry", "two words"], 2, "neither"),
        (["--to", "anna@example.org", "--entry", ADDRESS, "--profile", "x"], 1, "x"),
        (["--to", "anna@example.org"], 2, "--entry"),
    ],
    ids=["nobody", "unknown", "unknown id", "no address", "words", "no profile", "no entry"],
)
def test_what_cannot_be_answered_is_one_sentence_and_an_exit_code(sent, options, code, words):
    result = sent("why", *options)
    assert (result.code, result.out) == (code, "")
    assert words in result.err
    assert "Traceback" not in result.err


def test_an_entry_that_concerns_no_therapy_says_so(sent, site: Site):
    site.put("/feed/", sites.rss([Article("Rain in the north", slug="rain")]))
    sent("poll", "--now", "2026-03-03T12:00Z")
    result = sent("why", "--to", "anna@example.org", "--entry", "2", *LATER)
    assert result.code == 0
    assert "NOT MATCHED" in result.out
    assert "names nothing of the terms of Frexalimab" in " ".join(result.out.split())
