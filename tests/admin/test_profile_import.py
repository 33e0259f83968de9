"""An import of many profiles: all or none, the same as one by one, past entries judged once."""

import pytest
from sqlalchemy import select

from notifier.admin import profile_import
from notifier.deps import Deps
from notifier.errors import ProfileError
from notifier.match import judging, profiles
from notifier.match.profile_file import ProfileFile
from notifier.pipeline import match
from notifier.store.models import Match, Profile, ProfileRevision, Source, SourceProfile, Term
from notifier.watch import sources
from tests.support.installation import MONDAY, Installation
from tests.support.stored_news import store_entries

NAMES = ("madeupumab", "inventimod", "fictizumab")
TITLES = [
    "Frexalimab in a trial with madeupumab",
    "Inventimod lowers lesions in a made-up trial",
    "Inventimod lowers the lesions in a made-up trial",
    "Fictizumab and inventimod compared",
    "News of the week",
]


def file_of(name: str, *, tier: str = "about", **addresses: tuple[str, ...]) -> ProfileFile:
    text = (
        f'slug = "{name}"\nname = "{name.title()}"\n[[terms]]\nkind = "name"\ntext = "{name}"\n'
        f'[[canaries]]\ntitle = "{name} works"\ntier = "{tier}"\n'
    )
    return profiles.parse(text, name).model_copy(update=addresses)


def import_together(deps: Deps, files: list[ProfileFile]) -> list[profile_import.ImportResult]:
    with deps.reading() as session:
        past = profile_import.judge_past_of_all(session, files, MONDAY)
    with deps.writing() as session:
        return profile_import.import_all(session, files, past, MONDAY)


def stored(deps: Deps) -> list[object]:
    """Return what is stored of profiles, sources and matches, without the numbers of rows."""
    with deps.reading() as session:
        links = (
            select(Source.url, Profile.slug)
            .join(SourceProfile, SourceProfile.source_id == Source.id)
            .join(Profile, Profile.id == SourceProfile.profile_id)
        )
        found = session.scalars(select(Match).order_by(Match.profile_id, Match.position)).all()
        places = {report.id: place for place, report in enumerate(found)}
        return [
            session.query(Profile.slug, Profile.name, Profile.position, Profile.document)
            .order_by(Profile.id)
            .all(),
            session.query(Term.kind, Term.text).order_by(Term.profile_id, Term.id).all(),
            session.query(ProfileRevision.number, ProfileRevision.document)
            .order_by(ProfileRevision.profile_id)
            .all(),
            session.query(Source.url, Source.kind, Source.name, Source.authority, Source.reading)
            .order_by(Source.url)
            .all(),
            sorted(map(tuple, session.execute(links))),
            [
                (one.profile.slug, one.revision.title, one.position, one.tier, one.filed,
                 places.get(one.story))
                for one in found
            ],
        ]  # fmt: skip


def addresses(installation: Installation) -> dict[str, dict[str, tuple[str, ...]]]:
    """Return addresses that are new, shared, known, removed, and a trial's record."""
    return {
        "madeupumab": {
            "sources": ("https://one.example.org/feed/", "https://shared.example.org/feed/"),
            "pages": ("https://one.example.org/page/", "https://removed.example.org/"),
        },
        "inventimod": {
            "sources": (installation.feed, "https://shared.example.org/feed/"),
        },
        "fictizumab": {
            "sources": ("https://r.example.org/api/v2/studies/NCT00000001",),
        },
    }


def prepared(installation: Installation) -> Deps:
    deps = installation.at(MONDAY)
    with deps.writing() as session:
        session.query(Source).filter(Source.kind == "feed").first().profiles = []
        sources.add(session, "https://removed.example.org/", MONDAY)
        sources.remove(session, "https://removed.example.org/", MONDAY)
    store_entries(installation, TITLES, ["a"] * len(TITLES))
    match.run(deps)
    return deps


def import_one_by_one(deps: Deps, files: list[ProfileFile]) -> list[profile_import.ImportResult]:
    results = []
    for file in files:
        with deps.writing() as session:
            results.append(profile_import.import_profile(session, file, MONDAY))
    return results


@pytest.mark.parametrize("import_files", [import_together, import_one_by_one])
def test_profiles_imported_together_are_stored_as_one_by_one(
    any_installation: Installation, import_files
):
    installation = any_installation
    deps = prepared(installation)
    wanted = addresses(installation)
    results = import_files(deps, [file_of(name, **wanted[name]) for name in NAMES])
    assert [(result.slug, result.new_sources, result.older_matches) for result in results] == [
        ("madeupumab", 4, 1),
        ("inventimod", 0, 3),
        ("fictizumab", 1, 1),
    ]
    kept, terms, history, watched, links, found = stored(deps)
    assert [(row.slug, row.position) for row in kept] == [
        ("frexalimab", 1),
        ("madeupumab", 1),
        ("inventimod", 3),
        ("fictizumab", 1),
    ]
    assert [row.text for row in terms[-3:]] == list(NAMES)
    assert [row.number for row in history] == [1, 1, 1, 1]
    kinds = {row.url: str(row.kind) for row in watched if row.url != installation.feed}
    assert kinds == {
        "https://one.example.org/feed/": "feed",
        "https://one.example.org/page/": "page",
        "https://r.example.org/api/v2/studies/NCT00000001": "registry",
        "https://removed.example.org/": "feed",
        "https://shared.example.org/feed/": "feed",
    }
    # The installation's own feed stays for all profiles.
    assert links == [
        ("https://one.example.org/feed/", "madeupumab"),
        ("https://one.example.org/page/", "madeupumab"),
        ("https://r.example.org/api/v2/studies/NCT00000001", "fictizumab"),
        ("https://removed.example.org/", "madeupumab"),
        ("https://shared.example.org/feed/", "inventimod"),
        ("https://shared.example.org/feed/", "madeupumab"),
    ]
    inventimod = [row for row in found if row[0] == "inventimod"]
    assert [row[1] for row in inventimod] == [TITLES[1], TITLES[2], TITLES[3]]
    first = found.index(inventimod[0])
    assert [row[5] for row in inventimod] == [first, first, None]
    assert all(row[4] for row in found if row[0] != "frexalimab")


def test_an_entry_is_judged_once_for_all_profiles_of_an_import(
    any_installation: Installation, monkeypatch: pytest.MonkeyPatch
):
    deps = prepared(any_installation)
    judged: list[str] = []
    real = judging.judge_document

    def judge_document(vocabulary, names, document):
        judged.append(document.title)
        return real(vocabulary, names, document)

    monkeypatch.setattr(judging, "judge_document", judge_document)
    import_together(deps, [file_of(name) for name in NAMES])
    assert sorted(title for title in judged if title in TITLES) == sorted(TITLES)


def test_of_several_profiles_none_is_stored_if_one_is_refused(any_installation: Installation):
    deps = prepared(any_installation)
    before = stored(deps)
    files = [file_of("madeupumab"), file_of("inventimod", tier="related")]
    with pytest.raises(ProfileError, match=r"inventimod: a canary fails"):
        import_together(deps, files)
    assert stored(deps) == before


def test_an_edited_profile_matches_only_what_it_had_not_matched(any_installation: Installation):
    deps = prepared(any_installation)
    import_together(deps, [file_of(name) for name in NAMES])
    edited = file_of("madeupumab").model_copy(
        update={"terms": (*file_of("madeupumab").terms, *file_of("inventimod").terms)}
    )
    (result,) = import_together(deps, [edited])
    assert result.older_matches == 3
    with deps.reading() as session:
        profile = profiles.find(session, "madeupumab")
        assert [term.text for term in profile.terms] == ["madeupumab", "inventimod"]
        assert len(profiles.history(session, profile)) == 2


def test_the_progress_counts_the_entries_and_then_the_profiles(any_installation: Installation):
    deps = prepared(any_installation)
    files = [file_of(name) for name in NAMES]
    shown: list[tuple[int, int, str]] = []
    with deps.reading() as session:
        past = profile_import.judge_past_of_all(
            session, files, MONDAY, progress=lambda *now: shown.append(now)
        )
    with deps.writing() as session:
        profile_import.import_all(session, files, past, MONDAY, lambda *now: shown.append(now))
    assert shown[0] == (5, 5, "entries that were seen before")
    assert shown[-1] == (3, 3, "profiles stored")
    assert all(done <= total for done, total, _ in shown)
