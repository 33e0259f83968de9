"""The demo: the whole journey, with digests that contain only news about the therapy."""

import fcntl
import os
import pickle
import re
import shlex
import shutil
from pathlib import Path

import pytest

from notifier.cli.demo import commands_to_try
from notifier.cli.main import run
from notifier.demo import story as demo
from notifier.errors import InputError


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> demo.Story:
    """The demo, run once for all workers: the first one runs it while the others wait."""
    own = tmp_path_factory.getbasetemp()
    shared = own if worker_id == "master" else own.parent
    told = shared / "demo.pickle"
    with (shared / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not told.exists():
            told.write_bytes(pickle.dumps(demo.run(shared / "demo" / "out")))
    return pickle.loads(told.read_bytes())


def texts(story: demo.Story, person: str) -> list[str]:
    return [
        file.with_suffix(".txt").read_text() for to, _, file in story.mails if to.startswith(person)
    ]


def test_each_person_gets_what_they_asked_for_when_they_asked_for_it(story: demo.Story):
    assert [(to.partition("@")[0], subject) for to, subject, _ in story.mails] == [
        ("newcomer", "Please confirm your subscription"),
        ("editor", "Your digest: 6 items"),
        ("clinic", "Your daily digest: 6 items"),
        ("editor", "Your digest: 1 item"),
        ("clinic", "Your daily digest: 1 item"),
        ("anna", "Your weekly digest: 6 items"),
    ]


def test_nothing_irrelevant_is_in_a_digest(story: demo.Story):
    for person in ("anna", "clinic", "editor"):
        for text in texts(story, person):
            assert not re.search(
                r"tolebrutinib|Walking poles|Generic teriflunomide|garden|Vitamin|yearly figures",
                text,
            )
    (weekly,) = texts(story, "anna")
    for title in (
        "Frexalimab cuts new lesions by 86%",
        "Under-the-skin option",
        "Five trials",
        "CD40L antibody",
    ):
        assert title in " ".join(weekly.split())


def test_the_baseline_is_mailed_to_nobody(story: demo.Story):
    assert not any(
        "Two-year frexalimab data" in text
        for person in ("anna", "clinic")
        for text in texts(story, person)
    )


def test_a_correction_reaches_those_who_were_sent_the_old_figure(story: demo.Story):
    assert "89%" in texts(story, "clinic")[0]
    assert "CORRECTED SINCE WE WROTE" in texts(story, "clinic")[1]
    assert "CORRECTED" not in texts(story, "anna")[0]


def test_the_changed_trial_and_the_changed_page_are_described(story: demo.Story):
    (weekly,) = texts(story, "anna")
    assert "Status: was “Recruiting”, now “Active, not recruiting”" in weekly
    assert "Section “How it is given”" in weekly
    assert "Columns" not in weekly


def test_an_unchanged_document_is_answered_with_304_within_a_day(story: demo.Story):
    assert story.answers[304] >= 3


def test_each_mail_is_stored_in_three_formats(story: demo.Story):
    for _, _, file in story.mails:
        assert all(file.with_suffix(ending).stat().st_size for ending in (".eml", ".html", ".txt"))


@pytest.mark.long
def test_the_demo_replaces_its_own_folder_and_no_other(story: demo.Story, tmp_path: Path):
    own, other = tmp_path / "own", tmp_path / "other"
    shutil.copytree(story.folder, own)
    assert len(demo.run(own).mails) == 6
    other.mkdir()
    (other / "letter.txt").write_text("mine")
    with pytest.raises(InputError, match="not the demo's"):
        demo.run(other)
    assert (other / "letter.txt").read_text() == "mine"


def test_the_commands_that_it_names_show_something(
    story: demo.Story, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    opened: list[str] = []
    monkeypatch.setattr("typer.launch", opened.append)
    monkeypatch.chdir(story.folder.parent)
    for line in commands_to_try(story):
        assert run(shlex.split(line)[1:]) == 0, line
        os.environ.pop("NOTIFIER_CONFIG")
        shown = capsys.readouterr()
        assert "nothing to send" not in shown.out
        assert len(shown.out.splitlines()) >= 1
    assert [Path(path).name for path in opened] == ["digest.html"]


@pytest.mark.long
def test_with_a_public_address_all_links_lead_there(tmp_path: Path):
    address = "http://127.0.0.1:8765"
    told = demo.run(tmp_path / "out", address)
    for _, _, file in told.mails:
        text = file.with_suffix(".txt").read_text()
        assert demo.PUBLIC_URL not in text
        assert f"{address}/" in text


def test_news_of_three_outlets_is_one_item_with_two_more_links(story: demo.Story):
    (weekly,) = texts(story, "anna")
    one_line = " ".join(weekly.split())
    assert (
        "Press release: a study of frexalimab under the skin begins https://company.example.org/"
        in one_line
    )
    other_outlets = one_line.partition("Also told by:")[2]
    assert (
        "Under-the-skin option moves ahead for people who dislike infusions (The Example Herald"
        in other_outlets
    )
    assert (
        "Sanofi begins a study of its antibody under the skin (The Example Wire (fictional), news)"
        in other_outlets
    )
    assert one_line.count("About 160 people") == 1
