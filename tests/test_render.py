"""The operator's own templates replace the built-in ones; a broken one is refused at the start."""

import re
import shlex
import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from notifier.admin import template_check
from notifier.admin.preview import PreviewOptions, preview
from notifier.cli.main import exit_code_of
from notifier.deps import Deps, from_settings
from notifier.errors import SettingsError
from notifier.pipeline import match, poll
from notifier.render import Templates, template_folder
from notifier.settings import TemplateFiles, load
from tests.support.installation import MONDAY, Installation, settings_for
from tests.support.mail_sink import html_of, text_of
from tests.support.mails import parsed
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


def test_an_own_template_replaces_the_built_in_one_and_the_others_stay(
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


def test_texts_of_own_templates_are_translated_if_the_catalogues_have_them(own: Path):
    (own / "web" / "message.html.j2").write_text(
        '{{ _("Preferences") }} {{ _("Only ours") }} {{ problem }}'
    )
    templates = Templates(own)
    assert (
        templates.render("web/message.html.j2", {"problem": "<"}, "de")
        == "Einstellungen Only ours &lt;"
    )


@pytest.mark.parametrize(
    ("name", "content", "line", "problem"),
    [
        ("email/item.html.j2", "one\ntwo\n{% for %}\n", 3, "Expected an expression"),
        ("email/digest.txt.j2", "{{ headline }}\n{% if %}", 2, "Expected an expression"),
        ("web/base.html.j2", "{% block a %}\n{% nothing %}", 2, "unknown tag 'nothing'"),
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
        ("email/digest_body.txt.j2", "\n\n{{ digest.nothing }}", 3),
        ("email/digest.html.j2", "{{ 1 / 0 }}", 1),
        ("email/confirmation.txt.j2", "{{ whose }}", 1),
        ("email/no_news.html.j2", "{{ quiet.loud }}", 1),
    ],
)
def test_a_template_that_reads_a_missing_variable_is_refused_by_the_check(
    installation: Installation, own: Path, name: str, content: str, line: int
):
    (own / name).write_text(content)
    deps = with_templates(installation, own)
    with pytest.raises(SettingsError) as refused:
        template_check.check_templates(deps)
    assert f"{own / name}, line {line}: " in refused.value.problem


def test_the_built_in_templates_pass_the_check(installation: Installation):
    template_check.check_templates(installation.at(MONDAY))
    template_check.check_templates(replace(installation.at(MONDAY), settings=settings_for(25)))


def test_a_file_that_replaces_no_template_is_refused(own: Path):
    (own / "email" / "digets.html.j2").write_text("x")
    with pytest.raises(SettingsError, match=r"digets\.html\.j2 replaces no template"):
        Templates(own)


# Every file as it was named before version 0.1.0, with its name now.
OLD_NAMES = {
    "email/digest.html.j2": "email/digest_body.html.j2",
    "email/digest.txt.j2": "email/digest_body.txt.j2",
    "email/frame.html.j2": "email/base.html.j2",
    "email/mail.html.j2": "email/digest.html.j2",
    "email/mail.txt.j2": "email/digest.txt.j2",
    "email/note.html.j2": "email/account.html.j2",
    "email/note.txt.j2": "email/account.txt.j2",
    "email/notice.html.j2": "email/operator_alert.html.j2",
    "email/notice.txt.j2": "email/operator_alert.txt.j2",
    "email/quiet.html.j2": "email/no_news.html.j2",
    "email/quiet.txt.j2": "email/no_news.txt.j2",
    "web/fields.html.j2": "web/form_fields.html.j2",
    "web/left.html.j2": "web/unsubscribed.html.j2",
    "web/link.html.j2": "web/link_request.html.j2",
    "web/never.html.j2": "web/suppressed.html.j2",
    "web/notice.html.j2": "web/message.html.j2",
    "web/page.html.j2": "web/base.html.j2",
    "web/page.js": "web/base.js",
    "web/showroom.css": "web/preview.css",
    "web/showroom.html.j2": "web/preview.html.j2",
    "web/showroom.js": "web/preview.js",
}
NAMES_THAT_STAYED = (
    "email/evidence.html.j2",
    "email/evidence.txt.j2",
    "email/item.html.j2",
    "web/digest.html.j2",
)


def as_before(name: str) -> str:
    """Return a built-in template with the names of templates and variables before version 0.1.0."""
    text = (template_folder() / name).read_text()
    for old, new in (
        ("email/frame", "email/base"),
        ("web/page", "web/base"),
        ("web/fields", "web/form_fields"),
    ):
        text = text.replace(f'"{new}.html.j2"', f'"{old}.html.j2"')
    return re.sub(r"\bview(?= = |\.)", "of", text)


def from_before(own: Path, *names: str) -> Path:
    for name in names:
        (own / name).write_text(as_before(OLD_NAMES.get(name, name)))
    return own


def commands_against(own: Path) -> str:
    """Return the commands in the refusal of a folder with old names."""
    with pytest.raises(SettingsError) as refused:
        Templates(own)
    assert exit_code_of(refused.value) == 2
    advice, _, commands = refused.value.fix.partition("\n")
    assert advice.startswith("Rename them with these commands")
    return commands


def run_in_a_shell(commands: str) -> None:
    subprocess.run(["/bin/sh", "-e"], input=commands, text=True, check=True, timeout=30)


def files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_all_old_names_are_refused_together_and_the_commands_rename_them(
    installation: Installation, tmp_path: Path
):
    own = tmp_path / "it's an $old folder; rm"
    for part in ("email", "web"):
        (own / part).mkdir(parents=True)
    from_before(own, *OLD_NAMES, *NAMES_THAT_STAYED)
    commands = commands_against(own)
    assert len(commands.splitlines()) == len(OLD_NAMES)
    run_in_a_shell(commands)
    assert files_in(own) == {*OLD_NAMES.values(), *NAMES_THAT_STAYED}
    for old, new in OLD_NAMES.items():
        assert (own / new).read_text() == as_before(new), old
    template_check.check_templates(with_templates(installation, own))


@pytest.mark.parametrize("name", [*OLD_NAMES, "email/evidence.html.j2", "email/evidence.txt.j2"])
def test_an_old_template_works_beside_the_built_in_ones_once_it_is_renamed(
    installation: Installation, own: Path, name: str
):
    from_before(own, name)
    if name in OLD_NAMES:
        commands = commands_against(own)
        assert shlex.split(commands) == ["mv", "-i", str(own / name), str(own / OLD_NAMES[name])]
        run_in_a_shell(commands)
    assert files_in(own) == {OLD_NAMES.get(name, name)}
    deps = with_templates(installation, own)
    template_check.check_templates(deps)
    quiet = {
        "looked": "a",
        "health": "b",
        "therapy": "c",
        "evidence": {"stage": "d", "approvals": ["e"], "as_of": None},
    }
    shared = {"language": "en", "chosen_language": "", "root": "./"}
    shared |= {"sender_name": "s", "postal_address": ""}
    asking = {"problem": True, "honeypot": "h", "contact": "c", "contact_url": "mailto:c"}
    for template, values in (
        ("email/no_news.html.j2", {"quiet": quiet}),
        ("email/no_news.txt.j2", {"quiet": quiet}),
        ("web/link_request.html.j2", {**shared, **asking}),
        ("web/message.html.j2", {**shared, "problem": "p", "fix": ""}),
    ):
        assert deps.templates.render(template, values) == Templates().render(template, values)


@pytest.mark.parametrize("kind", ["html", "txt"])
def test_a_digest_template_is_an_old_one_only_if_it_is_a_body(own: Path, kind: str):
    mail, body = own / "email" / f"digest.{kind}.j2", own / "email" / f"digest_body.{kind}.j2"
    mail.write_text((template_folder() / "email" / mail.name).read_text())
    body.write_text((template_folder() / "email" / body.name).read_text())
    Templates(own)  # both have their new names
    (own / "email" / f"mail.{kind}.j2").write_text(mail.read_text())
    assert shlex.split(commands_against(own))[:3] == [
        "mv",
        "-i",
        str(own / "email" / f"mail.{kind}.j2"),
    ]
    body.rename(mail)
    assert shlex.split(commands_against(own))[:4] == ["mv", "-i", str(mail), str(body)]


def test_the_commands_replace_no_file_without_asking(own: Path):
    (own / "web" / "page.html.j2").write_text("old")
    (own / "web" / "base.html.j2").write_text("new")
    subprocess.run(
        ["/bin/sh", "-c", commands_against(own)], stdin=subprocess.DEVNULL, check=False, timeout=30
    )
    assert (own / "web" / "base.html.j2").read_text() == "new"
    assert (own / "web" / "page.html.j2").read_text() == "old"


def test_a_digest_template_that_cannot_be_read_is_refused_before_a_command_is_given(own: Path):
    from_before(own, "email/mail.html.j2")
    (own / "email" / "digest.html.j2").write_text("\n{% for %}")
    with pytest.raises(SettingsError, match=r"digest\.html\.j2, line 2: "):
        Templates(own)


def test_a_folder_that_does_not_exist_is_refused(tmp_path: Path):
    with pytest.raises(SettingsError, match=r"templates\.directory: there is no folder"):
        Templates(tmp_path / "nowhere")


def test_a_file_that_is_not_text_is_refused(own: Path):
    (own / "email" / "item.html.j2").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="not UTF-8 text"):
        Templates(own)


def test_a_relative_folder_starts_at_the_settings_file(tmp_path: Path, own: Path):
    config = tmp_path / "notifier.toml"
    config.write_text('[templates]\ndirectory = "own"\n')
    assert load(config, {}).templates.directory == own


def test_every_built_in_template_compiles():
    templates = Templates()
    names = [
        path.relative_to(template_folder()).as_posix() for path in template_folder().rglob("*.j2")
    ]
    assert {"email/digest.html.j2", "email/digest.txt.j2", "web/base.html.j2"} <= set(names)
    for name in names:
        assert templates._environment("de").get_template(name).name == name


def test_no_line_of_a_template_is_longer_than_160_characters():
    lines = [
        (path.name, number, len(line))
        for path in template_folder().rglob("*.*")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
    ]
    assert len(lines) > 800
    assert [line for line in lines if line[2] > 160] == []
