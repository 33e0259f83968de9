"""Lines that sites of many languages put around their texts are no correction; facts are one.

All texts are fictional.
"""

import pytest

from notifier.watch.diff import State, compare
from notifier.watch.set_lines import is_set_line

TEXT = "Most of them did well in the first year of the study."


def is_told(before: str, after: str) -> bool:
    states = (State(title="A diary", text=text, content={}) for text in (before, after))
    return compare(*states).material


AROUND = [
    "Mis à jour le 3 mars 2026",
    "Actualizado: 3 de marzo de 2026, 10:40 h",
    "Stand: 03.03.2026",
    "最終更新日：2026年3月3日",
    "Обновлено: 03.03.2026 10:40",
    "This article was last modified on March 3, 2026 at 4:12 PM.",
    "Von Anna Weber",
    "Par Luc Morel, le 3 mars",
    "Foto: Lena Roth/Fotohaus",
    "Crédit photo : M. Petit",
    "© 2026 Pictures House",
    "(Reporting by Ann Roe; Editing by Tim Poe)",
    "Temps de lecture : 4 min",
    "3 min de lectura",
    "Reading time: less than a minute",
    "阅读时间：4分钟",
    "Czas czytania: 3 min",
    "Leestijd: 2 minuten",
    "Tempo di lettura: 3 minuti",
    "Lesedauer: ca. 4 Min.",
    "読了時間: 約5分",
    "Время чтения: 4 мин",
    "This article takes about 4 minutes to read.",
    "Tempo de leitura: 2 minutos",
    "Lästid: 3 min",
    "Okuma süresi: 4 dakika",
    "Lesen Sie auch: Zehn Rezepte für den Frühling",
    "À lire aussi : Dix recettes du printemps",
    "Lea también: Diez recetas",
    "Read more: Ten recipes for spring",
    "Related: Ten recipes for spring",
    "Mehr lesen: Zehn Rezepte 2026",
    "See also: Novartis opens 3 sites",
    "Czytaj także: 10 przepisów",
    "Anzeige",
    "Sponsored: Try the pillow",
    "Publicité",
    "Sign up for our daily newsletter",
    "Folgen Sie uns auf Facebook und Instagram",
    "Abonnez-vous à notre newsletter",
    "Suscríbete a nuestro boletín",
    "Follow us on X and LinkedIn.",
    "Jetzt Newsletter abonnieren!",
    "Download our app for iOS and Android",
    "Support our journalism: donate today.",
    "2026;12(3):45-51. doi: 10.1000/fict.2026.12",
    "Volume 12, Issue 3, pages 45–51",
    "[Epub ahead of print]",
    "Citation: Fict J Neurol. 2026 Mar;12(3):45-51.",
    "PMID: 40012345",
    "Fict J Neurol. 2026 Mar 3. doi: 10.1000/x. Online ahead of print.",
    "Vol. 12, No. 3",
    "Image credit: Jo Roe / Picture House",
    "By Jane Roe, Health Correspondent",
    "Jane Roe, PhD | March 3, 2026",
    "Medically reviewed by Jo Roe, MD, on March 3, 2026",
    "Fact-checked by Tom Poe",
    "Written by Jo Roe",
    "Text: Jo Roe, Bild: Tom Poe",
    "Source: Wire Service",
    "Quelle: dpa",
    "Di Marco Neri",
    "Por Ana Ruiz",
    "Texte : Luc Morel",
    "Автор: Иван Петров",
    "文／田中太郎",
    "记者：王明",
    "First published: 3 March 2026",
    "Published Online: March 3, 2026",
    "Veröffentlicht am 3. März 2026",
    "Publié le 3 mars 2026 à 10h40",
    "Laatst bijgewerkt: 3 maart 2026",
    "Ultimo aggiornamento: 3 marzo 2026",
    "Zuletzt aktualisiert am 03.03.2026 um 10:40 Uhr",
    "更新时间：2026-03-03 10:40",
    "Aktualizacja: 3 marca 2026",
    "Senast uppdaterad 3 mars 2026",
    "Data de publicação: 03/03/2026",
    "Page last updated: 3 Mar 2026 | Next review due: 3 Mar 2029",
    "Listen to this article (4 min)",
    "Artikel anhören",
    "Skip to content",
    "Loading...",
    "Tags: MS, Sanofi, trial",
    "Schlagwörter: MS, Sanofi",
    "Filed under: Diaries, MS",
    "The post Frexalimab first appeared on Ulm News.",
    "Der Beitrag Frexalimab erschien zuerst auf Ulm News.",
    "L’article Frexalimab est apparu en premier sur Ulm News.",
    "Disclaimer: This site gives no medical advice.",
    "To contact the reporter on this story: Jo Roe in Ulm at jo@wire.test",
]


@pytest.mark.parametrize("line", AROUND)
def test_a_line_that_a_site_adds_is_no_correction(line: str):
    assert not is_told(TEXT, f"{line}\n{TEXT}")
    assert not is_told(f"{TEXT}\n{line}", TEXT)


def test_a_dateline_is_no_correction():
    assert not is_told(TEXT, f"ULM, March 3 (Wire) - {TEXT}")


ALIKE = [
    ("Twenty-one people took part, ten percent of all.", "21 people took part, 10% of all."),
    ("Zwölf Menschen nahmen teil.", "12 Menschen nahmen teil."),
    ("It began on 3 March 2026.", "It began on March 3rd, 2026."),
    ("Es begann am 3. März 2026.", "Es begann am 03.03.2026."),
    ("It took place on 2026-03-03.", "It took place on Mar. 3, 2026."),
    ("In all 1 million doses were made.", "In all 1,000,000 doses were made."),
    ("Le 3 mars 2026, tout commença.", "Le 03/03/2026, tout commença."),
    ("El 3 de marzo de 2026 empezó.", "El 3 marzo 2026 empezó."),
    ("Veinte personas participaron.", "20 personas participaron."),
    ("Douze personnes ont participé.", "12 personnes ont participé."),
    ("In the phase III trial it worked.", "In the Phase 3 trial it worked."),
    ("Half the dose, 0.50 mg, was given.", "Half the dose, 0.5 mg, was given."),
    ("1.400 Menschen nahmen teil, 12,5 Prozent.", "1400 Menschen nahmen teil, 12,5 %."),
    ("1.400 Menschen nahmen teil, 12,5 Prozent.", "1 400 Menschen nahmen teil, 12,5 %."),
    ("€5 million were paid.", "5 million euros were paid."),
    ("It took 3 hrs.", "It took three hours."),
    ("At 5 p.m. it ended.", "At 5pm it ended."),
    ("Given q4w, at 1200mg.", "Given q4w, at 1,200 mg."),
    ("第3相試験を開始した。", "第３相試験を開始した。"),
    ("2026年3月3日に始まった。", "2026年03月03日に始まった。"),
    (
        "A placebo controlled follow up of 1200 people.",
        "A placebo-controlled follow-up of 1,200 people.",
    ),
    ('Il dit : "tout va bien", et part.', "Il dit : « tout va bien », et part."),
    ("The ﬁrst ﬂow was ofﬁcial.", "The first flow was official."),
    ("５０人が参加した。", "50人が参加した。"),
    ("It's the drug... they said -- at last.", "It’s the drug… they said — at last."),
    ("The trial's tumour clinic at Ulm.", "The trial's tumor clinic at Ulm."),
    ("Dr Roe said it works.", "Dr. Roe said it works."),
    ("They don't know.", "They do not know."),
    ("BREAKING NEWS: it works.", "Breaking news: It works."),
    ("Maße der Straße.", "Masse der Strasse."),
    ("It works [1,2].", "It works."),
    ("It works.", "It works.1"),
    ("The U.S. agency spoke.", "The US agency spoke."),
    ("E-mail us at web site.", "Email us at website."),
    ("12 likes", "15 likes"),
    ("1.2k views", "1.9k views"),
    ("3 Comments", "5 Comments"),
    ("Leave a comment", "7 comments"),
    ("5 Kommentare", "9 Kommentare"),
    ("4 commentaires", "8 commentaires"),
    ("Gefällt 12 Mal", "Gefällt 19 Mal"),
    ("Shares: 12", "Shares: 19"),
    ("Posted 3 hours ago", "Posted 5 hours ago"),
    ("há 3 dias", "há 4 dias"),
    ("il y a 3 jours", "il y a 4 jours"),
    ("vor 3 Stunden", "vor 5 Stunden"),
    ("hace 3 horas", "hace 5 horas"),
    ("3 дня назад", "4 дня назад"),
    ("閲覧数 120", "閲覧数 190"),
    ("Downloads: 1,204", "Downloads: 1,311"),
    ("Rated 4.5 out of 5 (12 votes)", "Rated 4.6 out of 5 (19 votes)"),
    ("Visitas: 1200", "Visitas: 1300"),
    ("120 Aufrufe", "190 Aufrufe"),
    ("Просмотров: 120", "Просмотров: 190"),
    ("Copyright 2025 Wire", "Copyright 2026 Wire"),
    ("Weiß man mehr? Nein", "Weiss man mehr? Nein"),
]


@pytest.mark.parametrize(("before", "after"), ALIKE)
def test_what_is_written_or_counted_another_way_is_no_correction(before: str, after: str):
    assert not is_told(f"{TEXT}\n{before}", f"{TEXT}\n{after}")


TOLD = [
    ("It met the goal of the trial in adults.", "It did not meet the goal of the trial in adults."),
    ("The score fell by -0.3 points.", "The score rose by 0.3 points."),
    ("It was seen in <5 of them.", "It was seen in >5 of them."),
    ("The dose was 1.5 mg a day.", "The dose was 15 mg a day."),
    ("Counts were 10⁶ per litre.", "Counts were 10⁹ per litre."),
    ("The agency decides on 3 March 2026.", "The agency decides on 3 May 2026."),
    ("Relapses decreased in the study.", "Relapses increased in the study."),
    ("Das Mittel wirkt bei Kindern.", "Das Mittel wirkt bei Kindern nicht."),
    ("Es gab Todesfälle in der Studie.", "Es gab keine Todesfälle in der Studie."),
    ("The dose was 5 mg.", "The dose was 5 µg."),
    ("It is a phase 2 trial.", "It is a phase 3 trial."),
    ("Change was 0.3 in the arm.", "Change was -0.3 in the arm."),
    ("Le médicament est sûr.", "Le médicament n’est pas sûr."),
    ("研究达到了主要终点。", "研究未达到主要终点。"),
    ("主要評価項目を達成した。", "主要評価項目を達成しなかった。"),
    ("Препарат был эффективен.", "Препарат не был эффективен."),
    ("Updated results: 12 of 40 relapsed.", "Updated results: 21 of 40 relapsed."),
    ("Photo: a rash after the dose, in 3 of 9.", "Photo: a rash after the dose, in 8 of 9."),
    ("Lek jest skuteczny.", "Lek nie jest skuteczny."),
    ("Läkemedlet är säkert.", "Läkemedlet är inte säkert."),
    ("Lääke on turvallinen.", "Lääke ei ole turvallinen."),
    ("İlaç etkili.", "İlaç etkili değil."),
    ("약이 효과가 있다.", "약이 효과가 없다."),
    ("Lék je účinný.", "Lék není účinný."),
    ("Η θεραπεία είναι ασφαλής.", "Η θεραπεία δεν είναι ασφαλής."),
    ("O remédio é seguro.", "O remédio não é seguro."),
    ("Il farmaco è sicuro.", "Il farmaco non è sicuro."),
    ("Het middel is veilig.", "Het middel is niet veilig."),
    ("الدواء آمن.", "الدواء غير آمن."),
    ("התרופה בטוחה.", "התרופה אינה בטוחה."),
    ("The agency approved the drug in June.", "The agency rejected the drug in June."),
    ("Patients in Germany may join.", "Patients in France may join."),
    ("It is given every two weeks.", "It is given every four weeks."),
    ("It is given twice daily.", "It is given once daily."),
    ("It is safe in pregnancy.", "It is unsafe in pregnancy."),
    ("Two people died of clots.", "Two people had clots."),
    ("Use it in adults above 18.", "Use it in adults above 12."),
    ("It caused 1 in 10 falls.", "It caused 1 in 100 falls."),
    ("Hazard ratio 0.72 (95% CI 0.60-0.86).", "Hazard ratio 0.72 (95% CI 0.60-1.06)."),
    ("p<0.05 in all.", "p>0.05 in all."),
    ("The trial is open to women.", "The trial is closed to women."),
    ("Die Studie wurde fortgesetzt.", "Die Studie wurde abgebrochen."),
    ("L’essai a réussi.", "L’essai a échoué."),
    ("Se aprobó el fármaco.", "Se rechazó el fármaco."),
    ("The infusion takes 30 minutes.", "The infusion takes 30 hours."),
    ("It is taken as a tablet.", "It is taken as an infusion."),
    ("The drug is a CD40L blocker.", "The drug is a CD20 blocker."),
    ("Dr. Anna Roe leads it.", "Dr. Berta Poe leads it."),
    ("Last updated results show 5 deaths.", "Last updated results show 9 deaths."),
    ("The study has 3 arms.", "The study has 4 arms."),
    ("Sponsored by Sanofi, the trial began.", "Sponsored by Biogen, the trial began."),
    ("Read more than 12 pages: 5 died.", "Read more than 12 pages: 8 died."),
    ("Related deaths: 2", "Related deaths: 4"),
    ("Views: the panel voted 9 to 1.", "Views: the panel voted 1 to 9."),
    ("Reviewed by the FDA on 3 March 2026.", "Reviewed by the FDA on 3 May 2026."),
    ("Published results: 3 strokes", "Published results: 5 strokes"),
    ("Source: 12 hospitals", "Source: 21 hospitals"),
    (
        "Advertisement of the drug was banned in 3 lands.",
        "Advertisement of the drug was banned in 8 lands.",
    ),
    ("Cost: €1,200 a year", "Cost: €12,000 a year"),
    ("38.5 °C was the limit.", "39.5 °C was the limit."),
    ("Stand: 12 Todesfälle", "Stand: 21 Todesfälle"),
    ("12 patients", "21 patients"),
    ("Visits: 4 in the first year", "Visits: 8 in the first year"),
    ("Contact your doctor.", "Contact your doctor if you have a fever above 38."),
    (
        "Results are expected in the first half of 2027.",
        "Results are expected in the second half of 2027.",
    ),
    ("Q1 2027 is the date.", "Q3 2027 is the date."),
    ("Side effects were mild.", "Side effects were severe."),
    ("Most did well.", "Some did well."),
    ("All patients recovered.", "Most patients recovered."),
    ("Both trials met their goals.", "One trial met its goals."),
    ("Die meisten Patienten wurden gesund.", "Wenige Patienten wurden gesund."),
    ("Do not stop the drug.", "Stop the drug."),
]


@pytest.mark.parametrize(("before", "after"), TOLD)
def test_another_fact_is_a_correction(before: str, after: str):
    assert is_told(f"{TEXT}\n{before}", f"{TEXT}\n{after}")


@pytest.mark.parametrize(
    "line",
    [
        "Updated results: 12 of 40",
        "Reviewed 12 of 40 cases on 3 March 2026",
        "Reading 3 people",
        "Visits: 4 in the first year",
        "3 days",
        "3 March 2026",
        "5 deaths",
        "12 views of the panel",
        "Half-life: 3 weeks",
    ],
)
def test_a_line_with_any_other_word_is_text(line: str):
    assert not is_set_line(line)
