"""Profiles: read from files, checked, stored and exported; a wrong file changes nothing."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from notifier.admin.profile_import import estimate_matches, import_profile
from notifier.cli.main import exit_code_of
from notifier.enums import Tier
from notifier.errors import InputError, NotFoundError, ProfileError
from notifier.match import judging, profile_changes, profiles
from notifier.match.past_entries import Estimate
from notifier.match.terms import Vocabulary
from notifier.pipeline import match, poll
from notifier.pipeline.run import failing_canaries
from notifier.store import db
from notifier.store.models import Match
from tests.support.installation import MONDAY, Installation
from tests.support.news_site import Article

pytestmark = pytest.mark.postgresql_long

GOOD = 'slug = "x"\nname = "X"\n[[terms]]\nkind = "name"\ntext = "examplimab"\n'


def test_the_bundled_profile_holds_the_facts_of_the_therapy():
    bundled = profiles.parse(profiles.bundled_file(), "the bundled profile")
    assert {trial.id for trial in bundled.trials} == {
        "NCT04879628",
        "NCT06141473",
        "NCT06141486",
        "NCT06111586",
        "NCT07325292",
    }
    kinds = {term.kind for term in bundled.terms}
    assert {"name", "code", "target", "class", "sponsor", "indication", "comparator"} <= kinds
    spellings = {spelling for term in bundled.terms for spelling in (term.text, *term.also)}
    assert {
        "frexalimab",
        "SAR441344",
        "INX-021",
        "CD40L",
        "CD154",
        "CD40 ligand",
        "Sanofi",
        "Aubagio",
    } <= spellings
    assert len(bundled.sources) == 7
    assert str(bundled.stage_as_of) == "2025-10-02"


def test_an_exported_profile_is_the_one_that_was_imported(engine: Engine):
    bundled = profiles.parse(profiles.bundled_file(), "the bundled profile")
    with db.writing(engine) as session:
        text = profiles.export(profiles.save(session, bundled, MONDAY))
    assert profiles.parse(text, "the export") == bundled


def test_importing_again_replaces_the_terms(engine: Engine):
    with db.writing(engine) as session:
        profiles.save(session, profiles.parse(GOOD, "a test"), MONDAY)
    with db.writing(engine) as session:
        stored = profiles.save(
            session, profiles.parse(GOOD.replace("examplimab", "otherlimab"), "a test"), MONDAY
        )
        assert [term.text for term in stored.terms] == ["otherlimab"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("slug = ", "not valid TOML"),
        (GOOD.replace('"x"', '"Not A Slug"'), "slug"),
        (GOOD.replace("kind", "kidn"), "terms.1.kidn|terms.1.kind"),
        (GOOD.replace('"name"', '"nonsense"'), "terms.1.kind"),
        (GOOD.replace("examplimab", " - "), "terms.1.text"),
        (GOOD.replace("examplimab", "MS"), "too short"),
        (GOOD.replace("examplimab", "a"), "too short"),
        ('slug = "x"\nname = "X"\n', "terms"),
        (GOOD + '[[trials]]\nid = "NCT123"\n', "trials.1.id"),
        ('sources = ["ftp://x"]\n' + GOOD, "sources.1"),
        ('colour = "red"\n' + GOOD, "no key colour"),
    ],
)
def test_a_wrong_file_is_refused_with_the_place_and_the_reason(text: str, problem: str):
    with pytest.raises(ProfileError, match=problem) as refused:
        profiles.parse(text, "wrong.toml")
    assert refused.value.problem.startswith("wrong.toml")
    assert refused.value.fix
    assert exit_code_of(refused.value) == 2


def test_several_files_with_one_slug_are_refused(tmp_path: Path):
    for name in ("a.toml", "b.toml"):
        (tmp_path / name).write_text(GOOD)
    with pytest.raises(ProfileError, match="another of these files"):
        profiles.read_files([tmp_path / "a.toml", tmp_path / "b.toml"])


def test_a_profile_must_be_named_only_if_several_are_stored(engine: Engine):
    with db.writing(engine) as session:
        with pytest.raises(NotFoundError, match="No profile is stored"):
            profiles.find(session, None)
        profiles.save(session, profiles.parse(GOOD, "a test"), MONDAY)
        assert profiles.find(session, None).slug == "x"
        profiles.save(session, profiles.parse(GOOD.replace('"x"', '"y"'), "a test"), MONDAY)
        with pytest.raises(InputError, match="Several profiles"):
            profiles.find(session, None)
        with pytest.raises(NotFoundError, match="no profile z"):
            profiles.find(session, "z")


@pytest.mark.parametrize("slug", profiles.bundled_slugs())
def test_every_bundled_profile_can_be_imported_and_keeps_its_canaries(slug: str):
    file = profiles.parse(profiles.bundled_file(slug), slug)
    assert file.slug == slug
    assert file.canaries
    assert (
        judging.check_canaries(file.model_dump(mode="json"), profiles.term_specs(file), file.name)
        == []
    )


def test_a_headline_matches_the_profile_of_its_therapy_and_no_other():
    files = [profiles.parse(profiles.bundled_file(slug), slug) for slug in profiles.bundled_slugs()]
    vocabulary = Vocabulary({file.slug: profiles.term_specs(file) for file in files})
    names = {file.slug: file.name for file in files}
    for file in files:
        document = judging.Document(f"{file.name} news")
        judgements = judging.judge_document(vocabulary, names, document)
        tiers = {slug: judgement.tier for slug, judgement in judgements.items()}
        assert tiers == {file.slug: Tier.ABOUT}


def test_a_canary_that_fails_refuses_the_import(engine: Engine):
    text = GOOD + '[[canaries]]\ntitle = "Something else"\ntier = "about"\n'
    with (
        db.writing(engine) as session,
        pytest.raises(ProfileError, match="is none, and must be about"),
    ):
        import_profile(session, profiles.parse(text, "a test"), MONDAY)


@pytest.mark.parametrize("word", ["treatment", "Multiple Sclerosis", "clinical trials"])
def test_a_term_that_would_match_everything_is_refused_with_its_line(word: str):
    with pytest.raises(
        ProfileError, match=r"wrong.toml, line \d+, term 1: .* would match almost everything"
    ):
        profiles.parse(GOOD.replace("examplimab", word), "wrong.toml")


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (("kind", "kidn"), 3),
        (('"name"', '"nonsense"'), 4),
        (("examplimab", " - "), 5),
        (('"x"', '"Not A Slug"'), 1),
    ],
)
def test_the_line_of_a_wrong_value_is_reported(change: tuple[str, str], line: int):
    text = 'slug = "x"\nname = "X"\n[[terms]]\nkind = "name"\ntext = "examplimab"\n'
    with pytest.raises(ProfileError, match=rf"line {line}\b"):
        profiles.parse(text.replace(*change), "wrong.toml")


def test_the_history_shows_what_each_import_changed(engine: Engine):
    texts = (GOOD, GOOD, GOOD.replace("examplimab", "otherlimab"), 'stage = "New"\n' + GOOD)
    for day, text in enumerate(texts):
        with db.writing(engine) as session:
            stored = profiles.save(
                session, profiles.parse(text, "a test"), MONDAY + timedelta(days=day)
            )
    with db.reading(engine) as session:
        states = profiles.history(session, stored)
        assert [(state.number, (state.imported_at - MONDAY).days) for state in states] == [
            (1, 0),
            (2, 2),
            (3, 3),
        ]
        assert profile_changes.lines(states[0].document, states[1].document) == [
            "term added: name otherlimab",
            "term removed: name examplimab",
        ]
        assert "stage changed: New" in profile_changes.lines(states[1].document, states[2].document)


@pytest.mark.parametrize(
    ("entries", "about", "is_meaningful", "is_broad"),
    [(0, 0, False, False), (19, 19, False, False), (20, 6, True, False), (20, 7, True, True)],
)
def test_a_profile_is_broad_if_it_matches_more_than_three_tenths_of_enough_entries(
    entries: int, about: int, is_meaningful: bool, is_broad: bool
):
    matched = dict.fromkeys(Tier, 0) | {Tier.ABOUT: about, Tier.NONE: entries - about}
    estimate = Estimate(entries, matched, days=90)
    assert (estimate.is_meaningful, estimate.is_broad) == (is_meaningful, is_broad)


@pytest.mark.parametrize("include", [False, True])
def test_past_entries_that_an_import_matches_are_filed_or_owed(
    any_installation: Installation, include: bool
):
    installation = any_installation
    poll.run(installation.at(MONDAY))
    installation.publish([Article("Examplimab in the past")])
    deps = installation.at(MONDAY + timedelta(hours=1))
    poll.run(deps)
    match.run(deps)
    text = f'sources = ["{installation.feed}"]\n{GOOD}'
    with deps.writing() as session:
        result = import_profile(
            session, profiles.parse(text, "a test"), deps.now(), include_past=include
        )
        assert result.older_matches == 1
        estimate = estimate_matches(session, profiles.parse(text, "a test"), deps.now())
        assert (estimate.entries, estimate.matched[Tier.ABOUT], estimate.share) == (1, 1, 1.0)
        assert [match.filed for match in session.query(Match)] == [not include]


def test_an_error_names_no_more_profiles_than_a_person_reads(engine: Engine):
    files = [profiles.parse(GOOD.replace('"x"', f'"x{number}"'), "a test") for number in range(30)]
    with db.writing(engine) as session:
        profiles.save_all(session, files, MONDAY)
        with pytest.raises(NotFoundError) as refused:
            profiles.find(session, "z")
        assert profiles.find(session, "x29").slug == "x29"
        with pytest.raises(InputError, match="Several profiles"):
            profiles.find(session, None)
    assert refused.value.fix.endswith("x18, x19, and others (see: notifier profiles list).")


def test_canaries_that_passed_are_judged_again_after_an_import_only(
    any_installation: Installation, monkeypatch: pytest.MonkeyPatch
):
    deps = any_installation.at(MONDAY)
    judged: list[str] = []
    real = judging.check_canaries

    def check_canaries(document, terms, name):
        judged.append(name)
        return real(document, terms, name)

    monkeypatch.setattr(judging, "check_canaries", check_canaries)
    for _ in range(2):
        assert failing_canaries(deps) == []
    assert judged == ["Frexalimab"]
    with deps.writing() as session:
        profiles.save(session, profiles.parse(GOOD, "a test"), MONDAY)
    assert failing_canaries(deps) == []
    assert judged == ["Frexalimab", "Frexalimab", "X"]
