"""Editions: the same news for patients and for clinicians, in four languages, with evidence."""

import json
import re
from datetime import timedelta

import pytest

from notifier.admin.preview import PreviewOptions, preview
from notifier.enums import Edition
from notifier.match import profiles
from notifier.pipeline import match, poll
from notifier.pipeline.run import run_once
from notifier.store.models import Digest, Subscription
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import html_of, text_of
from tests.support.mails import parsed
from tests.support.news_site import Article, rss
from tests.support.paths import PACKAGE

DAY = timedelta(days=1)
DATA = PACKAGE / "demo" / "data"
PAPER = Article(
    "Frexalimab lowers neurofilament in a placebo-controlled phase 2 trial",
    "Lesions and relapses were fewer. "
    "The paper is at https://doi.org/10.5555/Made-Up.2026 (NCT04879628).",
)

# Whole editions are composed on each database; SQLite shows them in the short run.
pytestmark = pytest.mark.postgresql_long


def after_the_baseline(installation: Installation, *articles: Article) -> None:
    run_once(installation.at(MONDAY))
    installation.publish(list(articles))
    run_once(installation.at(MONDAY + DAY))


def the_text(installation: Installation, email: str) -> str:
    (mail,) = installation.sink.to(email)
    return " ".join(text_of(mail).split())


def test_a_patient_gets_the_words_explained_and_a_clinician_the_papers(
    any_installation: Installation,
):
    installation = any_installation
    installation.subscribe("anna@example.org")
    installation.subscribe("doctor@example.org", edition="clinician")
    after_the_baseline(installation, PAPER)

    plain, clinical = (
        the_text(installation, "anna@example.org"),
        the_text(installation, "doctor@example.org"),
    )
    for meaning in (
        "In plain words neurofilament: a protein that damaged nerves set free into the blood",
        "placebo: a copy of the treatment without the drug in it, to compare with",
        "phase 2: a test in some hundred people: does it work, in which dose?",
        "Lesions: a damaged spot in the brain or spinal cord",
    ):
        assert meaning in plain
        assert meaning not in clinical
    for detail in (
        "Trial: NCT04879628, phase 2",
        "DOI: 10.5555/made-up.2026 https://doi.org/10.5555/made-up.2026",
    ):
        assert detail in clinical
        assert detail not in plain
    for part in (
        PAPER.title,
        "Lesions and relapses were fewer.",
        "Why it is here: the headline names frexalimab",
    ):
        assert part in plain
        assert part in clinical


def test_words_are_explained_once_in_the_order_they_come_and_not_more_than_four(
    any_installation: Installation,
):
    installation = any_installation
    installation.subscribe("anna@example.org")
    after_the_baseline(installation, PAPER)
    explained = re.findall(
        r"<br><strong>(\w[\w -]*)</strong>: ", html_of(installation.sink.messages[0])
    )
    assert explained == ["neurofilament", "placebo", "phase 2", "Lesions"]


def a_trial(**changes) -> bytes:
    record = json.loads((DATA / "trial-1.json").read_text())
    record["protocolSection"]["outcomesModule"] = {
        "primaryOutcomes": [{"measure": "Relapses in a year", "timeFrame": "36 months"}]
    }
    record["protocolSection"]["statusModule"].update(changes)
    return json.dumps(record).encode()


@pytest.mark.parametrize(
    ("language", "told", "clinical"),
    [
        (
            "de",
            (
                "Status: war „Nimmt Teilnehmende auf“, jetzt „Ausgesetzt“ "
                "Ende der Hauptmessungen: war „Juni 2027 (geschätzt)“, "
                "jetzt „Dezember 2027 (geschätzt)“ (6 Monate später)"
            ),
            "Primärer Abschluss: war",
        ),
        (
            "fr",
            (
                "Statut : était « Recrutement en cours », maintenant « Suspendu » Fin des "
                "mesures principales : était « juin 2027 (estimation) », maintenant "
                "« décembre 2027 (estimation) » (6 mois plus tard)"
            ),
            "Fin de la collecte principale : était",
        ),
        (
            "es",
            (
                "Estado: era «Reclutando», ahora «Suspendido» "
                "Fin de las mediciones principales: era «junio de 2027 (estimado)», "
                "ahora «diciembre de 2027 (estimado)» (6 meses después)"
            ),
            "Finalización primaria: era",
        ),
    ],
)
def test_a_changed_trial_is_worded_in_the_readers_language(
    any_installation: Installation, language: str, told: str, clinical: str
):
    installation = any_installation
    address = f"{installation.site.address}/api/v2/studies/NCT99990001"
    installation.site.put("/api/v2/studies/NCT99990001", a_trial())
    installation.adopt(sources=(address,))
    installation.subscribe("anna@example.org", language=language)
    installation.subscribe("doctor@example.org", language=language, edition="clinician")
    run_once(installation.at(MONDAY))
    later = {"date": "2027-12", "type": "ESTIMATED"}
    installation.site.put(
        "/api/v2/studies/NCT99990001",
        a_trial(overallStatus="SUSPENDED", primaryCompletionDateStruct=later),
    )
    run_once(installation.at(MONDAY + DAY))
    assert told in the_text(installation, "anna@example.org")
    assert clinical in the_text(installation, "doctor@example.org")
    assert "Relapses in a year (36 months)" in the_text(installation, "doctor@example.org")
    (mail,) = installation.sink.to("anna@example.org")
    assert f'<html lang="{language}"' in html_of(mail)
    label = f'aria-label="{mail["Subject"]}" lang="{language}"'
    assert f'<div role="article" aria-roledescription="email" {label}' in html_of(mail)


@pytest.mark.parametrize(
    ("language", "subject", "reason", "box"),
    [
        ("de", "Ihre tägliche Ausgabe: 1 Meldung",
         "Warum es hier steht: die Überschrift nennt frexalimab",
         "Nicht zugelassen: Vereinigte Staaten, Europäische Union. Stand: 2. Oktober 2025."),
        ("fr", "Votre lettre du jour : 1 information",
         "Pourquoi c’est ici : le titre cite frexalimab",
         "Non autorisé : États-Unis, Union européenne. État au 2 octobre 2025."),
        ("es", "Su resumen diario: 1 noticia", "Por qué está aquí: el titular nombra frexalimab",
         "No autorizado: Estados Unidos, Unión Europea. A fecha de 2 de octubre de 2025."),
    ],
)  # fmt: skip
def test_our_words_are_translated_and_the_publishers_words_stay(
    any_installation: Installation, language: str, subject: str, reason: str, box: str
):
    installation = any_installation
    installation.subscribe("anna@example.org", language=language)
    after_the_baseline(installation, Article("Frexalimab slows lesions", "A made-up summary."))
    (mail,) = installation.sink.messages
    one_line = " ".join(text_of(mail).split())
    assert mail["Subject"] == subject
    for words in (reason, box, "Frexalimab slows lesions", "A made-up summary."):
        assert words in one_line
    for english in (
        "Why it is here",
        "Not medical advice",
        "Leave this digest",
        "Where Frexalimab stands",
        "As of",
    ):
        assert english not in one_line


def test_people_of_other_languages_and_editions_get_digests_of_their_own(
    any_installation: Installation,
):
    installation = any_installation
    for number, (language, edition) in enumerate(
        (("en", "patient"), ("de", "patient"), ("de", "clinician"))
    ):
        for twin in range(2):
            installation.subscribe(
                f"p{number}{twin}@example.org", language=language, edition=edition
            )
    after_the_baseline(installation, PAPER)
    with installation.at(MONDAY).reading() as session:
        found = {(one.language, one.edition) for one in session.query(Digest)}
        assert session.query(Digest).count() == 3
    assert found == {("en", Edition.PATIENT), ("de", Edition.PATIENT), ("de", Edition.CLINICIAN)}
    assert len(installation.sink.messages) == 6


def test_the_profile_is_shown_in_the_first_digest_and_again_when_it_changed(
    any_installation: Installation,
):
    installation = any_installation
    installation.subscribe("anna@example.org")
    run_once(installation.at(MONDAY))

    def next_text(day: int, articles: int) -> str:
        installation.publish(
            [Article(f"Frexalimab news {number}", slug=str(number)) for number in range(articles)]
        )
        run_once(installation.at(MONDAY + day * DAY))
        return " ".join(text_of(installation.sink.messages[-1]).split())

    first, second = next_text(1, 1), next_text(2, 2)
    assert "Frexalimab in short: An antibody that blocks CD40L" in first
    assert "How it is given: Infusion into a vein once a month" in first
    assert "FREXALT (phase 3)" in first
    assert "in short" not in second
    assert "Where Frexalimab stands: Investigational" in first
    assert "Where Frexalimab stands: Investigational" in second

    with installation.at(MONDAY).writing() as session:
        file = profiles.parse(profiles.export(profiles.find(session, None)), "the export")
        more_terms = file.model_copy(
            update={"terms": (*file.terms, file.terms[0].model_copy(update={"text": "frexa"}))}
        )
        profiles.save(session, more_terms, MONDAY)
    assert "in short" not in next_text(3, 3), "a new spelling is nothing a reader is shown"

    with installation.at(MONDAY).writing() as session:
        profiles.save(session, file.model_copy(update={"stage": "Under review"}), MONDAY)
    changed = next_text(4, 4)
    assert "Where Frexalimab stands: Under review." in changed
    assert "Frexalimab in short, brought up to date: An antibody" in changed
    assert "in short" not in next_text(5, 5)


def test_a_later_subscriber_gets_an_introduction_in_their_first_digest(
    any_installation: Installation,
):
    installation = any_installation
    installation.subscribe("anna@example.org")
    after_the_baseline(installation, Article("Frexalimab news", slug="1"))
    installation.subscribe("ben@example.org", moment=MONDAY + DAY)
    installation.publish(
        [Article("Frexalimab news", slug="1"), Article("Frexalimab more", slug="2")]
    )
    run_once(installation.at(MONDAY + 2 * DAY))
    assert "in short" in text_of(installation.sink.to("ben@example.org")[0])
    assert "in short" not in text_of(installation.sink.to("anna@example.org")[1])


def test_a_profile_without_stage_and_approvals_has_no_evidence_box(any_installation: Installation):
    installation = any_installation
    with installation.at(MONDAY).writing() as session:
        file = profiles.parse(profiles.bundled_file(), "the bundled profile")
        profiles.save(
            session,
            file.model_copy(update={"stage": "", "approvals": (), "stage_as_of": None}),
            MONDAY,
        )
    installation.subscribe("anna@example.org")
    after_the_baseline(installation, PAPER)
    assert "stands" not in text_of(installation.sink.messages[0])


def test_the_oldest_date_is_the_date_of_the_evidence_box(any_installation: Installation):
    installation = any_installation
    with installation.at(MONDAY).writing() as session:
        approved = 'where = "EU"\nstatus = "approved"\nsince = 2025\nas_of = 2025-09-01'
        text = re.sub(r'where = "EU"\nstatus = .*\nas_of = .*', approved, profiles.bundled_file())
        profiles.save(session, profiles.parse(text, "the file"), MONDAY)
    installation.subscribe("anna@example.org")
    after_the_baseline(installation, PAPER)
    one_line = " ".join(text_of(installation.sink.messages[0]).split())
    approvals = "Approved: European Union (since 2025). Not approved: United States."
    assert f"{approvals} As of 1 September 2025." in one_line


HEBREW = "פרקסלימאב frexalimab מאט נגעים"


def test_a_headline_in_a_right_to_left_script_is_kept(any_installation: Installation):
    installation = any_installation
    installation.subscribe("anna@example.org")
    after_the_baseline(installation, Article(HEBREW, f"{HEBREW}."))
    (mail,) = installation.sink.messages
    style = "margin:18px 0 0;font:bold 18px/25px Arial,sans-serif"
    assert f'<h3 dir="rtl" lang="he" style="{style}"><a href=' in html_of(mail)
    assert HEBREW in html_of(mail)
    assert HEBREW in text_of(mail)


@pytest.mark.parametrize("language", ["en", "de", "fr", "es"])
@pytest.mark.parametrize("edition", list(Edition))
def test_the_plain_text_contains_all_words_and_links_of_the_html(
    installation: Installation, language: str, edition: Edition
):
    installation.site.put("/feed/", rss([PAPER]))
    poll.run(installation.at(MONDAY))
    match.run(installation.at(MONDAY))
    shown = preview(
        installation.at(MONDAY), PreviewOptions(since=DAY, language=language, edition=edition)
    )
    assert shown is not None
    mail = parsed(shown.message)
    visible = re.sub(r"<(style|title).*?</\1>|<[^>]+>", " ", html_of(mail), flags=re.DOTALL)
    words = set(re.findall(r"\w{4,}", visible.lower()))
    assert words - set(re.findall(r"\w{4,}", text_of(mail).lower())) == set()
    assert set(re.findall(r'href="(https?:[^"]+)"', html_of(mail))) <= set(
        re.findall(r"https?://\S+", text_of(mail))
    )


def test_a_subscription_keeps_its_edition_and_its_language(any_installation: Installation):
    installation = any_installation
    installation.subscribe("anna@example.org", language="fr", edition="clinician")
    with installation.at(MONDAY).reading() as session:
        one = session.query(Subscription).one()
        assert (one.edition, one.subscriber.language) == (Edition.CLINICIAN, "fr")
