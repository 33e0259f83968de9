"""Profiles: in from a file, checked, out again the same; what is wrong is refused and leaves the stored one alone."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from notifier.errors import NotFoundError, ProfileError, SettingsError
from notifier.match import profiles
from notifier.store import db
from tests.conftest import MONDAY

GOOD = 'slug = "x"\nname = "X"\n[[terms]]\nkind = "name"\ntext = "examplimab"\n'


def test_the_bundled_profile_holds_the_facts_of_the_therapy():
    bundled = profiles.parse(profiles.bundled_file(), "the bundled profile")
    assert {one.id for one in bundled.trials} == {
        "NCT04879628",
        "NCT06141473",
        "NCT06141486",
        "NCT06111586",
        "NCT07325292",
    }
    kinds = {term.kind for term in bundled.terms}
    assert {"name", "code", "target", "class", "sponsor", "indication", "comparator"} <= kinds
    spellings = {spelling for term in bundled.terms for spelling in (term.text, *term.also)}
    assert {"frexalimab", "SAR441344", "INX-021", "CD40L", "CD154", "CD40 ligand", "Sanofi", "Aubagio"} <= spellings
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
        stored = profiles.save(session, profiles.parse(GOOD.replace("examplimab", "otherlimab"), "a test"), MONDAY)
        assert [term.text for term in stored.terms] == ["otherlimab"]


@pytest.mark.parametrize(
    ("text", "said"),
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
def test_a_wrong_file_is_refused_with_the_place_and_the_reason(text: str, said: str):
    with pytest.raises(ProfileError, match=said) as refused:
        profiles.parse(text, "wrong.toml")
    assert refused.value.problem.startswith("wrong.toml")
    assert refused.value.fix
    assert refused.value.exit_code == 2


def test_several_files_with_one_slug_are_refused(tmp_path: Path):
    for name in ("a.toml", "b.toml"):
        (tmp_path / name).write_text(GOOD)
    with pytest.raises(ProfileError, match="another of these files"):
        profiles.read_files([tmp_path / "a.toml", tmp_path / "b.toml"])


def test_the_only_profile_need_not_be_named_but_one_of_several_must(engine: Engine):
    with db.writing(engine) as session:
        with pytest.raises(NotFoundError, match="No profile is stored"):
            profiles.find(session, None)
        profiles.save(session, profiles.parse(GOOD, "a test"), MONDAY)
        assert profiles.find(session, None).slug == "x"
        profiles.save(session, profiles.parse(GOOD.replace('"x"', '"y"'), "a test"), MONDAY)
        with pytest.raises(SettingsError, match="Several profiles"):
            profiles.find(session, None)
        with pytest.raises(NotFoundError, match="no profile z"):
            profiles.find(session, "z")
