"""Matching: what concerns the therapy, what only sounds like it, and the reasons in plain words."""

import json
import re
import time
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.enums import TermKind, Tier
from notifier.errors import NotFoundError
from notifier.match import matches, profiles
from notifier.match.judging import Document, judge_document
from notifier.match.score import Judgement, judge
from notifier.match.spelling import normalize
from notifier.match.terms import TermSpec, Vocabulary
from notifier.pipeline import match, poll
from notifier.pipeline.run import run_once
from notifier.store.models import Match
from notifier.text.cleaning import fold
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import text_of
from tests.support.news_site import Article
from tests.support.paths import SHARED

BUNDLED = profiles.parse(profiles.bundled_file(), "the bundled profile")
VOCABULARY = Vocabulary({1: profiles.term_specs(BUNDLED)})


def judged(title: str = "", summary: str = "", body: str = "", categories: str = "") -> Judgement:
    words = Document(title, summary, body, categories)
    return judge_document(VOCABULARY, {1: BUNDLED.name}, words).get(1) or judge(BUNDLED.name, {})


@pytest.mark.parametrize(
    ("title", "reason"),
    [
        ("Frexalimab slows lesions", "the headline names frexalimab"),
        ("FREXALIMAB: what we know", "the headline names frexalimab"),
        ("What frexalimab's makers say", "the headline names frexalimab"),
        ("Frex\u00adalimab in MS", "the headline names frexalimab"),
        ("新薬フレキサリマブの試験", "the headline names フレキサリマブ"),
        ("SAR441344 enters phase 3", "the headline names SAR441344, a code name of frexalimab"),
        ("SAR-441344 enters phase 3", "the headline names SAR441344, a code name of frexalimab"),
        ("INX021, long ago", "the headline names INX"),
    ],
)
def test_a_headline_that_names_the_therapy_makes_it_the_subject(title: str, reason: str):
    found = judged(title)
    assert found.tier is Tier.ABOUT
    assert found.reasons[0].startswith(reason)


@pytest.mark.parametrize(
    "title",
    [
        "Sanofi reports its yearly figures",
        "Multiple sclerosis: what to eat",
        "Generic teriflunomide (Aubagio) reaches pharmacies",
        "Sanofi and multiple sclerosis and teriflunomide",
        "Amlitelimab, foralumab and temelimab",
        "SAR441345 and SAR44134",
        "Tolebrutinib review delayed",
        "A frexalimabian folly",
        "The CD40 receptor and CD4 cells",
        "",
    ],
)
def test_what_does_not_concern_the_therapy_does_not_match(title: str):
    assert judged(title).tier is Tier.NONE


@pytest.mark.parametrize("kind", ["Sanofi", "multiple sclerosis", "teriflunomide"])
def test_a_sponsor_an_indication_or_a_comparator_alone_says_why_it_does_not_match(kind: str):
    found = judged(f"News of {kind}")
    assert found.tier is Tier.NONE
    assert found.reasons == (f"the headline names {kind}, which alone does not concern frexalimab",)


def test_where_the_name_stands_decides_between_subject_and_mention():
    assert judged("A trial begins", summary="It tests frexalimab.").tier is Tier.ABOUT
    assert (
        judged("Five trials", "A list.", body="There are five. The fourth tests frexalimab.").tier
        is Tier.MENTION
    )
    assert judged("A trial", body="Frexalimab is tested. It goes on.").tier is Tier.ABOUT
    often = "A list. Frexalimab here, frexalimab there, frexalimab."
    assert judged("Five trials", "A list.", body=often).tier is Tier.ABOUT
    assert judged("A CD40L antibody", body="It was tested. It is frexalimab.").tier is Tier.ABOUT


@pytest.mark.parametrize(
    ("title", "reason"),
    [
        ("Another CD40L antibody", "the headline names CD40L, the target of frexalimab"),
        ("The CD40 ligand story", "the headline names CD40 ligand, the target of frexalimab"),
        (
            "Tegoprubart after a transplant",
            "the headline names tegoprubart, the class of frexalimab",
        ),
        (
            "Anti-CD40-ligand therapy",
            "the headline names anti-CD40 ligand, the class of frexalimab",
        ),
    ],
)
def test_its_target_or_its_class_makes_it_related(title: str, reason: str):
    found = judged(title)
    assert found.tier is Tier.RELATED
    assert reason in found.reasons


@pytest.mark.parametrize(
    ("title", "reason"),
    [
        ("FREXALT is enrolling patients", "the headline names FREXALT, a trial of frexalimab"),
        ("FREX-ALT trial fully enrolled", "the headline names FREXALT, a trial of frexalimab"),
        ("NCT06141486 updated", "the headline names NCT06141486, a trial of frexalimab"),
        ("Trial NCT 06141473 opens sites", "the headline names NCT06141473, a trial of frexalimab"),
        ("trial nct06141486 update", "the headline names NCT06141486, a trial of frexalimab"),
    ],
)
def test_a_headline_on_one_of_its_trials_is_about_it(title: str, reason: str):
    found = judged(title)
    assert found.tier is Tier.ABOUT
    assert reason in found.reasons


def test_one_of_its_trials_further_down_without_its_name_makes_it_related():
    assert (
        judged("Trials to watch", body="There are many. FREVIVA is a trial of phase 3.").tier
        is Tier.RELATED
    )


@pytest.mark.parametrize(
    "title",
    [
        "Alt-rock band Frexalt tours Europe",
        "FREVIVA, the album",
        "NCT061414731",
        "NCT06141474 begins",
    ],
)
def test_an_acronym_in_small_letters_or_out_of_medicine_and_a_number_that_is_off_do_not_match(
    title: str,
):
    assert judged(title).tier is Tier.NONE


@pytest.mark.parametrize(
    "written",
    [
        "frexilimab",
        "frexalimib",
        "fraxelimab",
        "frexaliimab",
        "frexlimab",
        "Frexalimabs",
        "fréxalimab",
    ],
)
def test_a_misspelt_name_is_found_and_said_to_be_one(written: str):
    found = judged(f"New data on {written}")
    assert found.tier is Tier.ABOUT
    assert found.reasons[0] == f"the headline names {written.lower()}, a misspelling of frexalimab"


@pytest.mark.parametrize(
    "other",
    ["amlitelimab", "temelimab", "foralumab", "obexelimab", "iscalimab", "bleselumab", "relatlimab", "refanezumab",
     "SAR441566", "SAR444200", "SAR 441345", "CD40LG", "sCD40L", "CD40"],
)  # fmt: skip
def test_what_only_sounds_alike_does_not_match(other: str):
    assert judged(f"Trial of {other} begins").tier is Tier.NONE


def test_a_slip_never_crosses_to_another_drug_that_is_stored():
    terms = {1: [TermSpec(TermKind.NAME, "frexalimab")], 2: [TermSpec(TermKind.NAME, "frexalumab")]}
    assert set(Vocabulary(terms).find("frexalumab")) == {2}


@pytest.mark.parametrize(
    "written",
    [
        "фрексалимаб",
        "фрексалимаба",
        "프렉살리맙은",
        "フレキサリマブ投与",
        "φρεξαλιμάμπη",
        "فريكساليماب",
        "פרקסלימאב",
        "ফ্রেক্সালিমাব",
    ],
)
def test_a_name_in_another_script_is_found(written: str):
    bare = Vocabulary({1: [TermSpec(TermKind.NAME, "frexalimab")]})
    assert judge_document(bare, {1: "Frexalimab"}, Document(f"x {written} y"))[1].tier is Tier.ABOUT


@pytest.mark.parametrize(
    "written", ["тирабрутиниб", "форалумаб", "окрелизумаб", "фрекс", "препарат", "исследование"]
)
def test_another_drug_in_another_script_is_not(written: str):
    names = [TermSpec(TermKind.NAME, name) for name in ("frexalimab", "tolebrutinib")]
    assert Vocabulary({1: names}).find(written) == {}


@pytest.mark.parametrize(
    "title",
    [
        "frex\u0430limab",
        "\uff46\uff52\uff45\uff58alimab",
        "frexa-\nlimab",
        "frexa- limab",
        "frexalimab&rsquo;s",
        "fre\u200bxalimab",
    ],
)
def test_a_name_in_any_disguise_is_found(title: str):
    assert judged(title).tier is Tier.ABOUT


@pytest.mark.parametrize(
    "body",
    [
        "Ocrevus news. Recommended Reading: Frexalimab trial opens. More of Ocrevus.",
        "It is long enough to be an article of its own.\nRecommended Reading\nFrexalimab trial opens\nTwo more",
        "Text. Related: frexalimab slows lesions",
        "Ein Text. Lesen Sie auch: Frexalimab bremst",
        "Un texte. À lire aussi : le frexalimab avance",
        "Text of some length.\nAbout the author\nShe has written of frexalimab",
        "A text that goes on and on. Read more: frexalimab, explained",
    ],
)
def test_what_a_text_only_points_to_does_not_count(body: str):
    assert judged("MS roundup", body=body).tier is Tier.NONE


@pytest.mark.parametrize(
    "body",
    [
        "Work related to frexalimab goes on.",
        "Recommended Reading: Ocrevus. The trial of frexalimab goes on, and it is told here in a sentence of its own.",
        "Related news\nOne\nA long sentence of the article itself follows, and it speaks of frexalimab.\nEnd.\nEnd.",
        "Tags and frexalimab. See also the trial of frexalimab.",
    ],
)
def test_the_text_around_a_pointer_still_counts(body: str):
    assert judged("MS roundup", body=body).tier in (Tier.ABOUT, Tier.MENTION)


def test_a_sponsor_beside_the_name_raises_the_score():
    assert judged("Frexalimab by Sanofi for MS").score > judged("Frexalimab").score


def test_an_excluded_term_ends_it_unless_the_headline_names_the_therapy():
    terms = [TermSpec(TermKind.NAME, "frexalimab"), TermSpec(TermKind.EXCLUDE, "veterinary")]
    vocabulary = Vocabulary({1: terms})

    def tier(words: Document) -> Tier:
        return judge_document(vocabulary, {1: "Frexalimab"}, words)[1].tier

    assert tier(Document("Veterinary news", "frexalimab in cats")) is Tier.NONE
    assert tier(Document("Frexalimab news", "not veterinary")) is Tier.ABOUT


words = st.lists(
    st.sampled_from(
        ["frexalimab", "CD40L", "SAR 441344", "Sanofi", "x", "—", "\u200b", "xfrexalimabians", "MS"]
    )
)


@settings(max_examples=150, deadline=None)
@given(words, st.sampled_from([" ", "-", ", ", "\n"]))
def test_the_automaton_finds_just_what_looking_word_by_word_finds(parts: list[str], glue: str):
    text = glue.join(parts)
    found = {hit.term.text for hit in VOCABULARY.find(text).get(1, [])}
    padded = f" {fold(text)} "
    expected = {
        spec.text
        for spec in profiles.term_specs(BUNDLED)
        if any(f" {fold(one)} " in padded for one in (spec.text, *spec.also))
        or (spec.text == "SAR441344" and " sar 441344 " in padded)
    }
    assert found == expected


short = st.sampled_from(["ab", "abc", "ab cd", "x1", "x-2", "CD", "ef", "νόσος", "薬", "q"])
catalogues = st.dictionaries(
    st.integers(0, 6),
    st.lists(
        st.builds(TermSpec, st.sampled_from([TermKind.TARGET, TermKind.SPONSOR]), short),
        min_size=1,
        max_size=4,
    ),
    min_size=1,
)


@settings(max_examples=200, deadline=None)
@given(
    catalogues, st.lists(st.one_of(short, st.sampled_from(["CD", "Ef", "zz", "-"])), max_size=12)
)
def test_many_profiles_at_once_get_what_a_regular_expression_for_each_would_give(
    terms: dict, parts: list[str]
):
    text = " ".join(parts)
    found = {
        key: {hit.term: hit.count for hit in hits}
        for key, hits in Vocabulary(terms).find(text).items()
    }
    expected: dict[int, dict] = {}
    for key, specs in terms.items():
        for spec in specs:
            word = re.escape(fold(spec.text))
            pattern = word if "薬" in spec.text else rf"(?<= ){word}(?= )"
            count = len(re.findall(rf"(?={pattern})", normalize(text)))
            if count and (spec.text != "CD" or "CD" in parts):
                expected.setdefault(key, {})[spec] = count
    assert found == expected


@given(st.text(st.characters(), max_size=500))
def test_any_text_is_judged(text: str):
    assert 0 <= judged(text, text, text).score <= 1


@pytest.mark.skipif(
    not (SHARED / "corpora").exists(), reason="the corpora are not beside the project"
)
def test_no_headline_that_concerns_a_reader_is_missed_in_the_labelled_set():
    lines = (
        (SHARED / "corpora" / "relevance" / "dev.jsonl").read_text(encoding="utf-8").splitlines()
    )
    items = [json.loads(line) for line in lines]
    alerts = {one["id"] for one in items if one["label"] in ("about", "mention")}
    found = {
        one["id"]
        for one in items
        if judged(one["title"], one["summary"], one["body"]).tier in (Tier.ABOUT, Tier.MENTION)
    }
    assert len(alerts) == 24
    assert found == alerts


def test_matching_again_adds_nothing(any_installation: Installation):
    any_installation.publish([Article("Frexalimab"), Article("Sanofi")])
    deps = any_installation.at(MONDAY)
    poll.run(deps)
    assert match.run(deps) == 2
    assert match.run(deps) == 0
    with deps.reading() as session:
        assert session.query(Match).one().position == 1


def test_a_source_of_one_profile_does_not_feed_another(any_installation: Installation):
    made = any_installation
    deps = made.at(MONDAY)
    with deps.writing() as session:
        other = BUNDLED.model_copy(update={"slug": "other", "name": "Other"})
        profiles.save(session, other, MONDAY)
    made.publish([Article("Frexalimab")])
    poll.run(deps)
    match.run(deps)
    with deps.reading() as session:
        assert [one.profile.slug for one in session.query(Match)] == ["frexalimab"]


def test_a_source_without_a_profile_feeds_every_profile(any_installation: Installation):
    from notifier.watch import sources

    made = any_installation
    deps = made.at(MONDAY)
    with deps.writing() as session:
        profiles.save(
            session, BUNDLED.model_copy(update={"slug": "other", "name": "Other"}), MONDAY
        )
        sources.add(session, made.site.put("/open/", "x"), MONDAY)
    from tests.support.news_site import rss

    made.site.put("/open/", rss([Article("Frexalimab")]))
    poll.run(deps)
    match.run(deps)
    with deps.reading() as session:
        assert {one.profile.slug for one in session.query(Match)} == {"frexalimab", "other"}


def test_a_profile_that_comes_later_is_held_against_the_past_and_mails_nothing(
    any_installation: Installation,
):
    made = any_installation
    deps = made.at(MONDAY)
    with deps.writing() as session:
        from notifier.watch import sources

        sources.remove(session, "1", MONDAY)
        sources.add(session, made.feed, MONDAY)
    made.publish([])
    poll.run(deps)
    made.publish([Article("Madeupumab returns")])
    poll.run(made.at(MONDAY), force=True)
    match.run(deps)
    other = profiles.parse(
        'slug = "other"\nname = "Madeupumab"\n[[terms]]\nkind = "name"\ntext = "madeupumab"\n',
        "a test",
    )
    from notifier.admin.profile_import import import_profile

    with deps.writing() as session:
        assert import_profile(session, other, MONDAY).older_matches == 1
    with deps.reading() as session:
        assert session.query(Match).one().filed


def test_near_misses_are_held_with_their_reason_and_can_be_released(any_installation: Installation):
    made = any_installation
    made.subscribe("anna@example.org", every="daily", at="08:00")
    deps = made.at(MONDAY)
    poll.run(deps)
    match.run(deps)
    made.publish(
        [
            Article("Sanofi and multiple sclerosis", "News without the name."),
            Article("FREXALT, the album", "Out now."),
            Article("Weather", "Rain."),
        ]
    )
    deps = made.at(MONDAY + timedelta(hours=1))
    poll.run(deps)
    match.run(deps)
    with deps.reading() as session:
        found = {
            one.entry.title: (one.id, one.tier, one.reasons)
            for one in matches.list_near_misses(session)
        }
    assert set(found) == {"Sanofi and multiple sclerosis", "FREXALT, the album"}
    assert found["FREXALT, the album"][1:] == (
        Tier.ABOUT,
        ["it names FREXALT, but speaks of no medicine"],
    )
    run_once(made.at(MONDAY + timedelta(days=1)))
    assert made.sink.to("anna@example.org") == []

    with deps.writing() as session:
        matches.release(session, found["FREXALT, the album"][0], deps.now())
    with deps.writing() as session:
        with pytest.raises(NotFoundError):
            matches.release(session, found["FREXALT, the album"][0], deps.now())
        assert [one.entry.title for one in matches.list_near_misses(session)] == [
            "Sanofi and multiple sclerosis"
        ]
    run_once(made.at(MONDAY + timedelta(days=2)))
    (mail,) = made.sink.to("anna@example.org")
    assert "FREXALT, the album" in text_of(mail)
    assert "a person released it" in " ".join(text_of(mail).split())


def test_what_only_a_pointer_or_an_exclusion_kept_out_is_held():
    pointed = judged(
        "MS roundup", body="Ocrevus news. Recommended Reading: Frexalimab trial opens."
    )
    assert (pointed.tier, pointed.near_miss_tier) == (Tier.NONE, Tier.MENTION)
    vocabulary = Vocabulary(
        {1: [TermSpec(TermKind.NAME, "frexalimab"), TermSpec(TermKind.EXCLUDE, "veterinary")]}
    )
    kept_out = judge_document(
        vocabulary, {1: "Frexalimab"}, Document("Veterinary news", "frexalimab in cats")
    )[1]
    assert (kept_out.tier, kept_out.near_miss_tier) == (Tier.NONE, Tier.ABOUT)
    assert judged("Weather").near_miss_tier is None


@pytest.mark.parametrize(
    "text",
    [
        "\x00\x07" * 2_000_000,
        "Read more: x. " * 700_000,
        "frexalima " * 1_000_000,
        "\u0301" * 2_000_000,
        "ab" * 5_000_000,
        "x" * 90_000 + "\nRelated\n" + "y " * 40_000,
        "Related\n" * 1_000_000,
        "фрексали " * 600_000,
        pytest.param("aф" * 1_000_000, marks=pytest.mark.long),
        pytest.param("&amp;" * 2_000_000, marks=pytest.mark.long),
    ],
    ids=lambda text: repr(text[:8]),
)
def test_a_huge_or_senseless_text_is_judged_in_bounded_time(text: str):
    began = time.monotonic()
    judged("x", body=f"{text} frexalimab")
    assert time.monotonic() - began < 30
