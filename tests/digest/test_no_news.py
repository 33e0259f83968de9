"""Signs of life: who hears nothing for a month is told, once, how often we looked; silence can be trusted."""

from datetime import timedelta

from notifier.pipeline.run import run_once
from notifier.settings import Schedule
from notifier.store.models import Digest
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import html_of, text_of
from tests.support.news_site import Answer, Article

DAY = timedelta(days=1)


def run(made: Installation, days: int, first: int = 0) -> None:
    for day in range(first, days):
        run_once(made.at(MONDAY + day * DAY))


def alive(made: Installation) -> None:
    made.change(schedule=Schedule(time_zone="UTC", sign_of_life=True))


def test_silence_stays_silent_unless_it_is_wished_otherwise(any_installation: Installation):
    any_installation.subscribe("anna@example.org")
    run(any_installation, 40)
    assert any_installation.sink.messages == []


def test_after_a_month_of_silence_one_mail_says_how_often_we_looked(any_installation: Installation):
    made = any_installation
    alive(made)
    made.subscribe("anna@example.org")
    made.subscribe("ben@example.org", every="immediate")
    run(made, 30)
    assert made.sink.messages == []
    run(made, 45, first=30)
    assert len(made.sink.messages) == 2
    (mail,) = made.sink.to("anna@example.org")
    assert mail["Subject"] == "Your digest: nothing new this month"
    assert mail["List-Unsubscribe"]
    one_line = " ".join(text_of(mail).split())
    assert (
        "Nothing new in the last 30 days: we looked 31 times at 1 source and found nothing to tell you."
        in one_line
    )
    assert "All of them are well." in one_line
    assert "Where Frexalimab stands" in html_of(mail)
    with made.at(MONDAY).reading() as session:
        assert [len(one.items) for one in session.query(Digest)] == [0] * session.query(
            Digest
        ).count()


def test_a_source_that_fails_is_named_and_not_called_well(any_installation: Installation):
    made = any_installation
    alive(made)
    made.subscribe("anna@example.org")
    run(made, 5)
    made.site.answers["/feed/"] = Answer(500)
    run(made, 40, first=5)
    (mail,) = made.sink.to("anna@example.org")
    one_line = " ".join(text_of(mail).split())
    assert (
        "These cannot be read at the moment, and whoever runs this was told: The Example Herald"
        in one_line
    )
    assert "All of them are well" not in one_line


def test_who_is_owed_something_is_not_told_that_there_is_nothing(any_installation: Installation):
    made = any_installation
    alive(made)
    made.subscribe("anna@example.org", every="monthly", on="31")
    run(made, 2)
    made.publish([Article("Frexalimab slows lesions")])
    run(made, 29, first=2)
    assert made.sink.messages == []
    made.publish([Article("Frexalimab slows lesions"), Article("Frexalimab again", slug="again")])
    run(made, 35, first=29)
    subjects = [mail["Subject"] for mail in made.sink.messages]
    assert subjects == ["Your monthly digest: 2 items"]


def test_news_start_the_month_anew(any_installation: Installation):
    made = any_installation
    alive(made)
    made.subscribe("anna@example.org")
    run(made, 20)
    made.publish([Article("Frexalimab slows lesions")])
    run(made, 50, first=20)
    assert [mail["Subject"] for mail in made.sink.messages] == ["Your daily digest: 1 item"]
    run(made, 54, first=50)
    assert made.sink.messages[-1]["Subject"] == "Your digest: nothing new this month"


def test_nothing_that_was_not_counted_is_said_where_nothing_is_watched(
    any_installation: Installation,
):
    made = any_installation
    alive(made)
    made.subscribe("anna@example.org")
    with made.at(MONDAY).writing() as session:
        from notifier.watch import sources

        sources.remove(session, "1", MONDAY)
    run(made, 40)
    assert made.sink.messages == []
