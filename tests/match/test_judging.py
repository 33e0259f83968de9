"""Judging: texts get their tier, near misses are kept, and the reasons are in plain words."""

import re
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.admin.profile_import import import_profile
from notifier.enums import TermKind, Tier
from notifier.errors import NotFoundError
from notifier.match import held, matches, profiles
from notifier.match.judging import Document, judge_document
from notifier.match.names.spelling import normalize
from notifier.match.terms import TermSpec, Vocabulary
from notifier.pipeline import match, poll
from notifier.pipeline.run import run_once
from notifier.store.models import Match
from notifier.text.cleaning import fold
from notifier.watch import sources
from tests.support.effort import measured
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import text_of
from tests.support.matching import (
    BUNDLED,
    CORPORA,
    SAMPLES,
    VOCABULARY,
    judge_text,
    needs_corpora,
    read_lines,
)
from tests.support.news_site import Article, rss

pytestmark = pytest.mark.postgresql_long

SPELLINGS = read_lines(SAMPLES / "spelling.jsonl")
ALERTS = (Tier.ABOUT, Tier.MENTION)


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
    judgement = judge_text(title)
    assert judgement.tier is Tier.ABOUT
    assert judgement.reasons[0].startswith(reason)


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
def test_news_on_something_else_does_not_match(title: str):
    assert judge_text(title).tier is Tier.NONE


@pytest.mark.parametrize("kind", ["Sanofi", "multiple sclerosis", "teriflunomide"])
def test_a_sponsor_an_indication_or_a_comparator_alone_says_why_it_does_not_match(kind: str):
    judgement = judge_text(f"News of {kind}")
    assert judgement.tier is Tier.NONE
    assert judgement.reasons == (
        f"the headline names {kind}, which alone does not concern frexalimab",
    )


def test_the_place_of_the_name_decides_between_subject_and_mention():
    assert judge_text("A trial begins", summary="It tests frexalimab.").tier is Tier.ABOUT
    assert (
        judge_text(
            "Five trials", "A list.", body="There are five. The fourth tests frexalimab."
        ).tier
        is Tier.MENTION
    )
    assert judge_text("A trial", body="Frexalimab is tested. It goes on.").tier is Tier.ABOUT
    often = "A list. Frexalimab here, frexalimab there, frexalimab."
    assert judge_text("Five trials", "A list.", body=often).tier is Tier.ABOUT
    assert (
        judge_text("A CD40L antibody", body="It was tested. It is frexalimab.").tier is Tier.ABOUT
    )


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
def test_the_target_or_the_class_makes_a_text_related(title: str, reason: str):
    judgement = judge_text(title)
    assert judgement.tier is Tier.RELATED
    assert reason in judgement.reasons


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
def test_a_headline_on_a_trial_of_the_therapy_is_about_the_therapy(title: str, reason: str):
    judgement = judge_text(title)
    assert judgement.tier is Tier.ABOUT
    assert reason in judgement.reasons


def test_a_trial_further_down_without_the_name_makes_a_text_related():
    assert (
        judge_text("Trials to watch", body="There are many. FREVIVA is a trial of phase 3.").tier
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
def test_similar_acronyms_and_trial_numbers_do_not_match(
    title: str,
):
    assert judge_text(title).tier is Tier.NONE


@pytest.mark.parametrize(
    "written",
    [
        "frexilimab",
        "frexalimib",
        "fraxelimab",
        "frexaliimab",
        "frexlimab",
        "fréxalimab",
    ],
)
def test_a_misspelt_name_is_found_and_the_reason_says_so(written: str):
    judgement = judge_text(f"New data on {written}")
    assert judgement.tier is Tier.ABOUT
    assert (
        judgement.reasons[0] == f"the headline names {written.lower()}, a misspelling of frexalimab"
    )


@pytest.mark.parametrize(
    "other",
    [
        "amlitelimab",
        "temelimab",
        "foralumab",
        "obexelimab",
        "iscalimab",
        "bleselumab",
        "relatlimab",
        "refanezumab",
        "SAR441566",
        "SAR444200",
        "SAR 441345",
        "CD40LG",
        "sCD40L",
        "CD40",
    ],
)
def test_names_and_codes_of_other_drugs_do_not_match(other: str):
    assert judge_text(f"Trial of {other} begins").tier is Tier.NONE


def test_the_name_of_a_stored_drug_is_not_a_misspelling_of_another():
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
def test_another_drug_in_another_script_is_not_found(written: str):
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
def test_a_name_with_unusual_characters_is_found(title: str):
    assert judge_text(title).tier is Tier.ABOUT


@pytest.mark.parametrize(
    "body",
    [
        "Ocrevus news. Recommended Reading: Frexalimab trial opens. More of Ocrevus.",
        (
            "It is long enough to be an article of its own.\n"
            "Recommended Reading\nFrexalimab trial opens\nTwo more"
        ),
        "Text. Related: frexalimab slows lesions",
        "Ein Text. Lesen Sie auch: Frexalimab bremst",
        "Un texte. À lire aussi : le frexalimab avance",
        "Een tekst. Lees ook: Frexalimab remt MS",
        "Tekst. Czytaj także: Frexalimab w badaniu",
        "Текст. Читайте также: Фрексалимаб замедляет",
        "En text. Läs också: Frexalimab bromsar MS",
        "A text. In case you missed it: Frexalimab slows MS",
        "A text of the clinic. Advertisement: Ask about frexalimab. It goes on for long.",
        "Text of some length.\nAbout the author\nShe has written of frexalimab",
        "A text that goes on and on. Read more: frexalimab, explained",
        "A text of it. [Related: Frexalimab slows MS] It goes on. And it ends here, as said.",
        "A text of it. (Read also: Frexalimab slows MS) It goes on. And it ends here, as said.",
        "A text that goes on. Related video: Frexalimab slows MS",
        "A text that goes on and on.\nMore MS news\nFrexalimab slows MS",
        "A text that goes on and on.\nMore like this\nFrexalimab slows MS",
        "A text that goes on and on.\nSimilar articles\nFrexalimab slows MS",
        "A text that goes on and on.\nWhat to read next\nFrexalimab slows MS",
        "Ein Text dazu. Lesen Sie dazu auch: Frexalimab bremst MS",
        "Ein Text dazu. Das könnte Sie auch interessieren: Frexalimab bremst MS",
        "Un texte. À lire également : le frexalimab avance",
        "Un texto. También te puede interesar: Frexalimab frena la EM",
        "Un testo. Potrebbe interessarti anche: Frexalimab rallenta la SM",
        "本文です。\nあわせて読みたい：フレキサリマブの試験",
    ],
)
def test_a_name_only_in_a_pointer_to_another_article_does_not_count(body: str):
    assert judge_text("MS roundup", body=body).tier is Tier.NONE


@pytest.mark.parametrize(
    "body",
    [
        "Work related to frexalimab goes on.",
        "An advertisement of frexalimab was seen in the town.",
        "The sponsored trial of frexalimab goes on.",
        (
            "Recommended Reading: Ocrevus. The trial of frexalimab goes on, "
            "and it is told here in a sentence of its own."
        ),
        (
            "Related news\nOne\nA long sentence of the article itself follows, "
            "and it speaks of frexalimab.\nEnd.\nEnd."
        ),
        "Tags and frexalimab. See also the trial of frexalimab.",
    ],
)
def test_the_text_around_a_pointer_still_counts(body: str):
    assert judge_text("MS roundup", body=body).tier in (Tier.ABOUT, Tier.MENTION)


def test_a_pointer_in_a_summary_does_not_count():
    pointed = judge_text(
        "Ocrelizumab lowers relapses", "It helped people. Related: Frexalimab slows MS."
    )
    assert (pointed.tier, pointed.near_miss_tier) == (Tier.NONE, Tier.MENTION)
    for summary in ("Latest news: frexalimab was approved.", "Frexalimab helped. Read more »"):
        assert judge_text("MS news of the week", summary).tier is Tier.ABOUT


@pytest.mark.parametrize(
    "body",
    [
        "[Related: Ocrevus fails] Frexalimab met its goal, as was told. It is so.",
        "One. (See also: Ocrevus fails) Frexalimab met its goal, as was told. It is so.",
        "One. More MS news: frexalimab met its goal, as was told. It is so.",
        "The trial of frexalimab (see also: NCT06141473) goes on.",
    ],
)
def test_a_pointer_in_brackets_ends_with_them(body: str):
    assert judge_text("MS roundup", body=f"{body} {'And so on. ' * 20}").tier in ALERTS


def test_a_sponsor_beside_the_name_raises_the_score():
    assert judge_text("Frexalimab by Sanofi for MS").score > judge_text("Frexalimab").score


def test_an_excluded_term_prevents_a_match_unless_the_headline_names_the_therapy():
    terms = [TermSpec(TermKind.NAME, "frexalimab"), TermSpec(TermKind.EXCLUDE, "veterinary")]
    vocabulary = Vocabulary({1: terms})

    def tier(document: Document) -> Tier:
        return judge_document(vocabulary, {1: "Frexalimab"}, document)[1].tier

    assert tier(Document("Veterinary news", "frexalimab in cats")) is Tier.NONE
    assert tier(Document("Frexalimab news", "not veterinary")) is Tier.ABOUT


word_lists = st.lists(
    st.sampled_from(
        ["frexalimab", "CD40L", "SAR 441344", "Sanofi", "x", "—", "\u200b", "xfrexalimabians", "MS"]
    )
)


@settings(max_examples=150, deadline=None)
@given(word_lists, st.sampled_from([" ", "-", ", ", "\n"]))
def test_the_automaton_finds_exactly_what_a_search_word_by_word_finds(parts: list[str], glue: str):
    text = glue.join(parts)
    terms = {hit.term.text for hit in VOCABULARY.find(text).get(1, [])}
    padded = f" {fold(text)} "
    expected = {
        spec.text
        for spec in profiles.term_specs(BUNDLED)
        if any(f" {fold(spelling)} " in padded for spelling in (spec.text, *spec.also))
        or (spec.text == "SAR441344" and " sar 441344 " in padded)
    }
    assert terms == expected


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
def test_many_profiles_get_the_hits_that_a_regular_expression_for_each_gives(
    terms: dict, parts: list[str]
):
    text = " ".join(parts)
    counts = {
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
    assert counts == expected


@given(st.text(st.characters(), max_size=500))
def test_any_text_is_judged(text: str):
    assert 0 <= judge_text(text, text, text).score <= 1


@pytest.mark.parametrize("spelling", SPELLINGS, ids=[spelling["written"] for spelling in SPELLINGS])
def test_the_spellings_of_the_made_up_sample_are_found_as_labelled(spelling: dict):
    vocabulary = Vocabulary({1: [TermSpec(TermKind.NAME, "frexalimab")]})
    hits = vocabulary.find(f"x {spelling['written']} y").get(1, [])
    assert [hit.term.text for hit in hits] == ([spelling["name"]] if spelling["name"] else [])


def test_every_alert_of_the_made_up_sample_is_found_and_no_other():
    items = read_lines(SAMPLES / "labelled.jsonl")
    labelled = {item["id"] for item in items if item["label"] in ALERTS}
    assert len(labelled) == 25
    assert alerts_among(items) == labelled


@needs_corpora
def test_every_alert_of_the_labelled_set_is_found_and_no_other():
    items = read_lines(CORPORA / "dev.jsonl")
    labelled = {item["id"] for item in items if item["label"] in ALERTS}
    assert len(labelled) == 24
    assert alerts_among(items) == labelled


def alerts_among(items: list[dict]) -> set[str]:
    return {
        item["id"]
        for item in items
        if judge_text(item["title"], item["summary"], item["body"]).tier in ALERTS
    }


def test_matching_again_adds_nothing(any_installation: Installation):
    any_installation.publish([Article("Frexalimab"), Article("Sanofi")])
    deps = any_installation.at(MONDAY)
    poll.run(deps)
    assert match.run(deps) == 2
    assert match.run(deps) == 0
    with deps.reading() as session:
        assert session.query(Match).one().position == 1


def test_a_source_of_one_profile_does_not_feed_another(any_installation: Installation):
    installation = any_installation
    deps = installation.at(MONDAY)
    with deps.writing() as session:
        other = BUNDLED.model_copy(update={"slug": "other", "name": "Other"})
        profiles.save(session, other, MONDAY)
    installation.publish([Article("Frexalimab")])
    poll.run(deps)
    match.run(deps)
    with deps.reading() as session:
        assert [match.profile.slug for match in session.query(Match)] == ["frexalimab"]


def test_a_source_without_a_profile_feeds_every_profile(any_installation: Installation):
    installation = any_installation
    deps = installation.at(MONDAY)
    with deps.writing() as session:
        profiles.save(
            session, BUNDLED.model_copy(update={"slug": "other", "name": "Other"}), MONDAY
        )
        sources.add(session, installation.site.put("/open/", "x"), MONDAY)
    installation.site.put("/open/", rss([Article("Frexalimab")]))
    poll.run(deps)
    match.run(deps)
    with deps.reading() as session:
        assert {match.profile.slug for match in session.query(Match)} == {"frexalimab", "other"}


def test_a_profile_imported_later_matches_past_entries_and_mails_nothing(
    any_installation: Installation,
):
    installation = any_installation
    deps = installation.at(MONDAY)
    with deps.writing() as session:
        sources.remove(session, "1", MONDAY)
        sources.add(session, installation.feed, MONDAY)
    installation.publish([])
    poll.run(deps)
    installation.publish([Article("Madeupumab returns")])
    poll.run(installation.at(MONDAY), force=True)
    match.run(deps)
    other = profiles.parse(
        'slug = "other"\nname = "Madeupumab"\n[[terms]]\nkind = "name"\ntext = "madeupumab"\n',
        "a test",
    )
    with deps.writing() as session:
        assert import_profile(session, other, MONDAY).older_matches == 1
    with deps.reading() as session:
        assert session.query(Match).one().filed


def test_near_misses_are_held_with_their_reason_and_can_be_released(any_installation: Installation):
    installation = any_installation
    installation.subscribe("anna@example.org", every="daily", at="08:00")
    deps = installation.at(MONDAY)
    poll.run(deps)
    match.run(deps)
    installation.publish(
        [
            Article("Sanofi and multiple sclerosis", "News without the name."),
            Article("FREXALT, the album", "Out now."),
            Article("Weather", "Rain."),
        ]
    )
    deps = installation.at(MONDAY + timedelta(hours=1))
    poll.run(deps)
    match.run(deps)
    with deps.reading() as session:
        near_misses = {
            near_miss.entry.title: (near_miss.id, near_miss.tier, near_miss.reasons)
            for near_miss in held.listed(session)
        }
    assert set(near_misses) == {"Sanofi and multiple sclerosis", "FREXALT, the album"}
    assert near_misses["FREXALT, the album"][1:] == (
        Tier.ABOUT,
        ["it names FREXALT, but speaks of no medicine"],
    )
    run_once(installation.at(MONDAY + timedelta(days=1)))
    assert installation.sink.to("anna@example.org") == []

    with deps.writing() as session:
        matches.release(session, near_misses["FREXALT, the album"][0], deps.now())
    with deps.writing() as session:
        with pytest.raises(NotFoundError):
            matches.release(session, near_misses["FREXALT, the album"][0], deps.now())
        assert [near_miss.entry.title for near_miss in held.listed(session)] == [
            "Sanofi and multiple sclerosis"
        ]
    run_once(installation.at(MONDAY + timedelta(days=2)))
    (mail,) = installation.sink.to("anna@example.org")
    assert "FREXALT, the album" in text_of(mail)
    assert "a person released it" in " ".join(text_of(mail).split())


@pytest.mark.parametrize(
    "body",
    [
        "Ocrevus has a label. Read more »\nFrexalimab met its goal. Read more »\nEnd. Read more »",
        "Ocrevus has a new label. Read more » Frexalimab met its goal. Read more » The end.",
        "Ocrevus hat ein Etikett. Weiterlesen →\nFrexalimab traf sein Ziel. Weiterlesen →",
        "Ocrevus a une étiquette. Lire la suite »\nFrexalimab a atteint son but. Lire la suite »",
        "Ocrevus tiene etiqueta. Leer más »\nFrexalimab cumplió su meta. Leer más »",
        "Ocrevus news.\nRead more\nFrexalimab met its goal.\nRead more\nThe end.\nRead more",
        "Latest news: frexalimab was approved by the agency.",
        "ICYMI: frexalimab was approved by the agency.",
        "In case you missed it: frexalimab was approved by the agency.",
        "Editor's choice: frexalimab was approved by the agency. Nobody was surprised.",
        "Don't miss: frexalimab was approved by the agency.",
        "Top stories: frexalimab was approved by the agency.",
        "MS news.\nIn other news: frexalimab was approved. And more of it follows in the text.",
        "One. Related: Ocrevus fails\nFrexalimab met its goal, and that is news. It is so.",
        "One. Read more: Ocrevus fails\nFrexalimab met its goal, and that is news. It is so.",
    ],
)
def test_a_pointer_to_one_item_does_not_swallow_the_next(body: str):
    assert judge_text("MS news of the week", body=f"{body} {'And so on. ' * 20}").tier in ALERTS


@pytest.mark.parametrize(
    "body",
    [
        "Ocrevus news of today.\nRead more\nFrexalimab slows MS\nTwo more",
        "Ocrevus news of today. And of yesterday, and more. Latest news: Frexalimab slows MS",
        "Ocrevus news of today. Related » Frexalimab slows MS. Ocrevus goes on.",
    ],
)
def test_a_title_behind_a_pointer_still_does_not_count(body: str):
    assert judge_text("MS news of the week", body=body).tier is Tier.NONE


def test_a_text_excluded_by_a_pointer_or_a_term_is_a_near_miss():
    pointed = judge_text(
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
    assert judge_text("Weather").near_miss_tier is None


@pytest.mark.parametrize(
    "text",
    [
        "\x00\x07" * 2_000_000,
        pytest.param("Read more: x. " * 700_000, marks=pytest.mark.long),
        pytest.param("frexalima " * 1_000_000, marks=pytest.mark.long),
        "\u0301" * 2_000_000,
        "ab" * 5_000_000,
        "x" * 90_000 + "\nRelated\n" + "y " * 40_000,
        pytest.param("Related\n" * 1_000_000, marks=pytest.mark.long),
        pytest.param("фрексали " * 600_000, marks=pytest.mark.long),
        pytest.param("aф" * 1_000_000, marks=pytest.mark.long),
        pytest.param("&amp;" * 2_000_000, marks=pytest.mark.long),
    ],
    ids=lambda text: repr(text[:8]),
)
def test_a_huge_or_meaningless_text_is_judged_in_bounded_time(text: str):
    with measured() as effort:
        judge_text("x", body=f"{text} frexalimab")
    assert effort.processor < 30
