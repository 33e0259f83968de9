"""The operator's own templates: they stand in for ours file by file, and a broken one is refused at the start."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from notifier.admin import template_check
from notifier.admin.preview import PreviewOptions, preview
from notifier.deps import Deps, from_settings
from notifier.errors import SettingsError
from notifier.pipeline import match, poll
from notifier.render import Templates, template_folder
from notifier.settings import TemplateFiles, load
from tests.deliver.test_message import parsed
from tests.support.installation import MONDAY, Installation, settings_for
from tests.support.mail_sink import html_of, text_of
from tests.support.news_site import Article


@pytest.fixture
def own(tmp_path: Path) -> Path:
    folder = tmp_path / "own"
    (folder / "email").mkdir(parents=True)
    (folder / "web").mkdir()
    return folder


def with_templates(made: Installation, own: Path) -> Deps:
    made.change(templates=TemplateFiles(directory=own))
    return made.at(MONDAY)


def test_a_template_of_theirs_stands_in_for_ours_and_the_others_stay(
    installation: Installation, own: Path
):
    (own / "email" / "item.html.j2").write_text(
        '<h3><a href="{{ item.url }}">OURS: {{ item.title }}</a></h3>\n'
    )
    deps = with_templates(installation, own)
    installation.publish([Article("Frexalimab <b>slows</b> lesions")])
    poll.run(deps)
    match.run(deps)
    shown = preview(deps, PreviewOptions(since=timedelta(days=30)))
    assert shown is not None
    html = html_of(parsed(shown.message))
    assert "OURS: Frexalimab" in html
    assert "<b>" not in html
    assert "Not medical advice" in html
    assert "OURS" not in text_of(parsed(shown.message))


def test_their_words_are_translated_where_the_catalogues_know_them(own: Path):
    (own / "web" / "notice.html.j2").write_text(
        '{{ _("Preferences") }} {{ _("Only ours") }} {{ problem }}'
    )
    templates = Templates(own)
    assert (
        templates.render("web/notice.html.j2", {"problem": "<"}, "de")
        == "Einstellungen Only ours &lt;"
    )


@pytest.mark.parametrize(
    ("name", "content", "line", "problem"),
    [
        ("email/item.html.j2", "one\ntwo\n{% for %}\n", 3, "Expected an expression"),
        ("email/mail.txt.j2", "{{ headline }}\n{% if %}", 2, "Expected an expression"),
        ("web/page.html.j2", "{% block a %}\n{% nothing %}", 2, "unknown tag 'nothing'"),
        ("email/item.html.j2", "\n{{ item.title | louder }}", 2, "No filter named 'louder'"),
        ("email/style.css", "body {% { }", 1, "tag name expected"),
    ],
)
def test_a_template_that_cannot_be_read_is_refused_at_the_start(
    tmp_path: Path, own: Path, name: str, content: str, line: int, problem: str
):
    (own / name).write_text(content)
    settings = settings_for(
        25, database_url=f"sqlite:///{tmp_path}/s.db", templates=TemplateFiles(directory=own)
    )
    with pytest.raises(SettingsError) as refused:
        from_settings(settings)
    assert f"{own / name}, line {line}: " in refused.value.problem
    assert problem in refused.value.problem


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("email/item.html.j2", "{{ item.title }}\n{{ item.nonsense }}", 2),
        ("email/digest.txt.j2", "\n\n{{ digest.nothing }}", 3),
        ("email/mail.html.j2", "{{ 1 / 0 }}", 1),
        ("email/confirmation.txt.j2", "{{ whose }}", 1),
        ("email/quiet.html.j2", "{{ quiet.loud }}", 1),
    ],
)
def test_a_template_that_asks_for_what_is_not_there_is_refused_by_the_rehearsal(
    installation: Installation, own: Path, name: str, content: str, line: int
):
    (own / name).write_text(content)
    deps = with_templates(installation, own)
    with pytest.raises(SettingsError) as refused:
        template_check.check_templates(deps)
    assert f"{own / name}, line {line}: " in refused.value.problem


def test_our_own_templates_pass_the_rehearsal(installation: Installation):
    template_check.check_templates(installation.at(MONDAY))
    template_check.check_templates(replace(installation.at(MONDAY), settings=settings_for(25)))


def test_a_file_that_stands_in_for_none_is_refused(own: Path):
    (own / "email" / "digets.html.j2").write_text("x")
    with pytest.raises(SettingsError, match=r"digets\.html\.j2 stands in for no template"):
        Templates(own)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path):
    with pytest.raises(SettingsError, match=r"templates\.directory: there is no folder"):
        Templates(tmp_path / "nowhere")


def test_a_file_that_is_no_text_is_refused(own: Path):
    (own / "email" / "item.html.j2").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="no UTF-8 text"):
        Templates(own)


def test_a_relative_folder_counts_from_the_settings_file(tmp_path: Path, own: Path):
    config = tmp_path / "notifier.toml"
    config.write_text('[templates]\ndirectory = "own"\n')
    assert load(config, {}).templates.directory == own


def test_every_template_of_ours_compiles():
    templates = Templates()
    names = [
        path.relative_to(template_folder()).as_posix() for path in template_folder().rglob("*.j2")
    ]
    assert {"email/mail.html.j2", "email/mail.txt.j2", "web/page.html.j2"} <= set(names)
    for name in names:
        assert templates._environment("de").get_template(name).name == name
