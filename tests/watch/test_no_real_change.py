"""What a site changes around its texts, and how it writes them, is no correction; what it says is.

All texts are fictional.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.watch.compare import surroundings
from notifier.watch.compare.diff import Difference, State, compare
from notifier.watch.compare.wording import words
from tests.support.effort import measured

LEAD = "Frexalimab was tried for a year in the clinic of Lindau. Nearly all people stayed in it."


def of_bodies(before: str, after: str) -> Difference:
    return compare(*(State(title="T", text=text, content={}) for text in (before, after)))


def of_titles(before: str, after: str, *sites: str) -> Difference:
    return compare(
        State(title=before, text=LEAD, content={}),
        State(title=after, text=LEAD, content={}, sites=sites),
    )


STYLE = {
    "capitals": ("The phase 3 trial went on.", "The Phase 3 trial went on."),
    "capitals of a title": ("the Trial of Hope", "The trial of hope"),
    "no-break hyphen": ("People with COVID-19 left.", "People with COVID\u201119 left."),
    "hyphen": ("A follow-up visit in SAR-441344.", "A followup visit in SAR441344."),
    "no-break space": ("They got 1,200 mg.", "They got 1,200\u00a0mg."),
    "thin space": ("They got 1,200 mg.", "They got 1\u2009200 mg."),
    "narrow space": ("Ils ont reçu 1 200 mg.", "Ils ont reçu 1\u202f200 mg."),
    "no separator": ("They got 1,200 mg.", "They got 1200mg."),
    "German separator": ("Sie bekamen 1.200 mg Wirkstoff.", "Sie bekamen 1200 mg Wirkstoff."),
    "Swiss separator": ("Sie bekamen 1'200 mg.", "Sie bekamen 1\u2019200 mg."),
    "number cut by a tag": ("They got 1, 200 mg.", "They got 1,200 mg."),
    "word cut by a tag": ("They got frexali mab.", "They got frexalimab."),
    "decimal comma": ("Sie fiel um 5.3 %.", "Sie fiel um 5,3 %."),
    "middle dot": ("It fell by 5.3%.", "It fell by 5·3%."),
    "trailing zero": ("It fell by 5.0%.", "It fell by 5%."),
    "number word": ("It took two weeks.", "It took 2 weeks."),
    "number of two words": ("Twenty-one people left.", "21 people left."),
    "German number word": ("Es nahmen einundzwanzig Menschen teil.", "Es nahmen 21 Menschen teil."),
    "French number word": ("Il a fallu trois mois.", "Il a fallu 3 mois."),
    "Spanish number word": ("Duró siete meses.", "Duró 7 meses."),
    "million": ("About 1.4 million people have it.", "About 1,400,000 people have it."),
    "percent": ("It fell by 50 percent.", "It fell by 50%."),
    "per cent": ("It fell by fifty per cent.", "It fell by 50 %."),
    "unit in a word": ("They got 5 mg.", "They got 5 milligrams."),
    "micro sign": ("They got 5 µg.", "They got 5 μg."),
    "registered name": ("They got Larchab and Ternimod.", "They got Larchab® and Ternimod™."),
    "signs in letters": ("They got Larchab in Ulm.", "They got Larchab(R) in Ulm."),
    "trade mark in letters": ("They got Larchab in Ulm.", "They got Larchab (TM) in Ulm."),
    "zero left out": ("It fell in both (P = 0.03).", "It fell in both (P=.03)."),
    "zero left out at the end": ("It fell, p = 0.03.", "It fell, P = .03."),
    "zero of a measure left out": ("They got 0.5% or 0.5 mg.", "They got .5% or .5mg."),
    "zeros left out": ("It was rare: p<0.001 in both.", "It was rare: p < .001 in both."),
    "Roman number": ("The phase III trial went on.", "The phase 3 trial went on."),
    "Roman number with a letter": ("A phase IIb trial.", "A phase 2b trial."),
    "range": ("It took 5-10 days.", "It took 5 to 10 days."),
    "minus": ("It changed by -5 points.", "It changed by −5 points."),
    "less than": ("That is rare (p<0.05).", "That is rare (p < 0.05)."),
    "contraction": ("It didn't help.", "It did not help."),
    "quotes": ('He said "it works".', "He said “it works”."),
    "dash": ("It works - he said.", "It works – he said."),
    "accents": ("Jose Muller led it.", "José Müller led it."),
    "British spelling": ("It was authorized.", "It was authorised."),
    "ampersand": ("Roche & Sanofi led it.", "Roche and Sanofi led it."),
    "ellipsis": ("It went on...", "It went on…"),
    "month abbreviated": ("It came on Oct. 3, 2025.", "It came on October 3, 2025."),
    "day before month": ("It came on 3 October 2025.", "It came on October 3, 2025."),
    "ISO date": ("It came on 3 October 2025.", "It came on 2025-10-03."),
    "German date": ("Es kam am 3. Oktober 2025.", "Es kam am 03.10.2025."),
    "French date": ("Il est venu le 3 octobre 2025.", "Il est venu le 3 oct. 2025."),
    "Spanish date": ("Llegó el 3 de octubre de 2025.", "Llegó el 3 octubre 2025."),
    "date with slashes": ("It came on 3 October 2025.", "It came on 10/03/2025."),
    "ordinal day": ("It came on 3 October.", "It came on October 3rd."),
    "weekday before a date": ("It came on 3 October 2025.", "It came on Friday, 3 October 2025."),
    "time of day": ("It begins at 5:30 p.m. sharp.", "It begins at 17:30 sharp."),
    "reference mark": ("It was safe in children.", "It was safe in children.3"),
    "raised reference mark": ("It was safe in children.", "It was safe in children.¹²"),
    "mark before the full stop": ("It was safe in children.", "It was safe in children3."),
    "mark in brackets": ("It was safe in children.", "It was safe in children [3,4]."),
    "asterisk": ("It was safe in children.", "It was safe in children.*"),
    "link": ("See the paper.", "See the paper (https://journal.example/a/12)."),
    "title before a name": ("Jane Roe led it.", "Dr. Jane Roe led it."),
    "paragraphs": ("It was safe. It ended.", "It was safe.\nIt ended."),
    "list instead of commas": ("Seen were headache, cold and fever.",
                               "Seen were:\nheadache,\ncold\nand fever."),
    "currency": ("It cost $5 million.", "It cost 5 million dollars."),
    "ordinal": ("It was the first trial.", "It was the 1st trial."),
    "compound number": ("A twenty-four-week trial.", "A 24-week trial."),
    "power": ("They got 10⁶ cells.", "They got 10^6 cells."),
    "thousands and decimals": ("Es waren 1.234,5 Liter.", "Es waren 1234,5 Liter."),
    "abbreviation": ("The U.S. agency agreed.", "The US agency agreed."),
    "short form": ("It helps in multiple sclerosis too.", "It helps in MS too."),
    "abbreviation in brackets": ("It helps in multiple sclerosis.",
                                 "It helps in multiple sclerosis (MS)."),
    "abbreviation explained": ("It helps in MS by now.",
                               "It helps in MS (multiple sclerosis) by now."),
    "short form of another": ("In relapsing MS it helps.", "In relapsing MS (RMS) it helps."),
    "plural of an abbreviation": ("Serious AEs were rare.", "Serious adverse events were rare."),
    "short form with points": ("It came in the U.K. now.", "It came in the United Kingdom now."),
    "agency with its full name": ("The FDA agreed to it in 2025.",
                                  "The Food and Drug Administration (FDA) agreed to it in 2025."),
    "mixed abbreviation": ("The neurofilament light chain fell.",
                           "The neurofilament light chain (NfL) fell."),
    "German abbreviation": ("Es hilft bei Multipler Sklerose gut.", "Es hilft bei MS gut."),
    "French abbreviation": ("La sclérose en plaques avance peu.", "La SEP avance peu."),
    "Spanish abbreviation": ("Frena la esclerosis múltiple (EM).", "Frena la esclerosis múltiple."),
    "another tense": ("The drug reduced relapses.", "The drug reduces relapses."),
    "another tense of a decision": ("The agency approves it.", "The agency approved it."),
    "another tense in German": ("Das Mittel verringert Schübe.", "Das Mittel verringerte Schübe."),
    "day of the print": ("The company said today that it works.",
                         "The company said on Monday that it works."),
    "day that is added": ("She told Tern that it works.", "She told Tern on Monday that it works."),
    "day abbreviated": ("It was said on Mon. in Lindau.", "It was said on Monday in Lindau."),
    "day of the print in German": ("Das teilte die Firma heute mit.",
                                   "Das teilte die Firma am Montag mit."),
    "can't": ("It can't cure the illness.", "It cannot cure the illness."),
    "zero before decimals": ("That was so (P = 0.03).", "That was so (p=.03)."),
    "two Roman numbers": ("The phase II/III trial began.", "The phase 2/3 trial began."),
    "Roman numbers with a word": ("Its phases I and II ended.", "Its phases 1 and 2 ended."),
    "Japanese Roman number": ("第III相試験が始まった。", "第3相試験が始まった。"),
    "Japanese number of a phase": ("第三相試験が始まった。", "第3相試験が始まった。"),
    "Chinese Roman number": ("III期临床试验开始。", "三期临床试验开始。"),
    "Chinese number of a phase": ("三期临床试验开始。", "3期临床试验开始。"),
    "British noun": ("A driving licence was needed.", "A driving license was needed."),
    "million in short": ("It costs $1.5m a year.", "It costs $1.5 million a year."),
    "billion in short": ("It costs $1.5B a year.", "It costs $1.5 billion a year."),
    "country of a dollar": ("It costs US$5,000.", "It costs $5,000."),
    "fold": ("It was ten-fold higher.", "It was tenfold higher."),
    "fold in digits": ("It was 3-fold higher.", "It was threefold higher."),
    "Spanish first": ("Llega el 1.º de marzo de 2025.", "Llega el 1 de marzo de 2025."),
    "Italian first": ("Arriva il 1° marzo 2025.", "Arriva il 1 marzo 2025."),
    "short German date": ("Es kam am 4.7.25.", "Es kam am 4. Juli 2025."),
    "sign of a trade mark": ("They got Terna for a year.", "They got Terna™ for a year."),
    "registered trade mark": ("They got Terna for a year.", "They got Terna (R) for a year."),
    "link that says where it opens": ("See the paper in it.",
                                      "See the paper (opens in a new tab) in it."),
    "German link": ("Siehe die Arbeit dazu.", "Siehe die Arbeit (öffnet in neuem Fenster) dazu."),
    "kind of a file": ("See the paper in it.", "See the paper [PDF] in it."),
    "size of a file": ("See the paper in it.", "See the paper (PDF, 1.2 MB) in it."),
    "legal form": ("It is made by Acme, Inc. alone.", "It is made by Acme alone."),
    "German legal form": ("Acme AG stellt es her.", "Acme stellt es her."),
    "ticker": ("It is made by Acme alone.", "It is made by Acme (NASDAQ: ACM) alone."),
    "two tickers": ("It is made by Acme alone.",
                    "It is made by Acme (Euronext: ACM and Nasdaq: ACMX) alone."),
    "per week": ("It is given once per week.", "It is given once a week."),
    "each week": ("It fell by 5% per year.", "It fell by 5% each year."),
    "unit of time behind a slash": ("They got 5 mg/day of it.", "They got 5 mg a day of it."),
    "daily": ("It is given once daily.", "It is given every day."),
    "monthly": ("It is given monthly.", "It is given once a month."),
    "every other week": ("It is given every other week.", "It is given every two weeks."),
    "half of a number": ("It ran for 2½ years.", "It ran for 2.5 years."),
    "half as a fraction": ("It ran for 2 1/2 years.", "It ran for 2.5 years."),
    "more than": ("More than 1,200 people left.", "Over 1,200 people left."),
    "fewer than": ("Fewer than 10 people left.", "Under 10 people left."),
    "years of an age": ("It is for those aged 18 years and older.",
                        "It is for those aged 18 and older."),
    "age with hyphens": ("She was a 57-year-old nurse.", "She was a 57 year old nurse."),
    "country with another name": ("It is sold in Turkey by now.", "It is sold in Türkiye by now."),
    "country of two words": ("It opened in the Czech Republic.", "It opened in Czechia."),
    "country in short": ("It came to the USA last.", "It came to the United States last."),
    "city with another name": ("A clinic in Kiev took part.", "A clinic in Kyiv took part."),
    "city in its own language": ("A clinic in Köln took part.", "A clinic in Cologne took part."),
    "German colon for women": ("Die Patienten bekamen es.", "Die Patient:innen bekamen es."),
    "German asterisk for women": ("Die Patienten bekamen es.", "Die Patient*innen bekamen es."),
    "German capital for women": ("Die Forscher sahen es.", "Die ForscherInnen sahen es."),
    "German women first": ("Die Patienten bekamen es.",
                           "Die Patientinnen und Patienten bekamen es."),
    "German women last": ("Die Ärzte sahen es.", "Die Ärzte und Ärztinnen sahen es."),
    "year left out": ("It came on 3 October 2025.", "It came on 3 October."),
    "order": ("It enrolled 129. It ended in May.", "It ended in May. It enrolled 129."),
    "full width": ("They got 1200 mg.", "They got １２００ mg."),
    "soft hyphen": ("They got frexalimab.", "They got frex\u00adali\u00admab."),
    "Japanese full stop": ("患者は129人です。安全でした。", "患者は129人です.安全でした。"),
}  # fmt: skip


@pytest.mark.parametrize("name", STYLE)
def test_another_way_of_writing_is_no_change(name: str):
    before, after = STYLE[name]
    for old, new in ((before, after), (after, before)):
        found = of_bodies(f"Lindau. {old} Ende.", f"Lindau. {new} Ende.")
        assert not found.material, found.changes


OTHER_WORDS = (
    ("Relapses rose by a third.", "Relapses grew by a third."),
    ("The trial has begun.", "The trial has started."),
    ("It is a common effect.", "It is a frequent effect."),
    ("It is a drug for multiple sclerosis.", "It is a drug against multiple sclerosis."),
    ("The patients went home after it.", "The patients went home."),
    ("It is taken in the early morning.", "It is taken early in the morning."),
    ("Afterwards the people formed a group.", "Then the people formed a group."),
    ("It may help people with it.", "It might help people with it."),
    ("It could help people with it.", "It may help people with it."),
    ("Die Zahl der Schübe stieg an.", "Die Zahl der Schübe nahm zu."),
    ("Un traitement pour la maladie.", "Un traitement contre la maladie."),
    ("The drug is given biweekly.", "The drug is given bi-weekly."),
    ("It is given semiannually.", "It is given semi-annually."),
    ("They took 5 mg a day.", "They took 5 mg daily."),
    ("They took two tablets a day.", "They took two tablets daily."),
    ("It is given once a week.", "It is given weekly."),
    ("It is given every month.", "It is given monthly."),
    ("It was given for a week.", "It was given for one week."),
    ("An hour later all was well.", "One hour later all was well."),
    ("It costs $9,000 a year.", "It costs $9,000 per year."),
    ("They took 10mg a day.", "They took 10 mg a day."),
    ("They took 50 µg a day.", "They took 50 µg daily."),
    ("It costs $1.5 million a year.", "It costs $1.5 million per year."),
    ("It falls by 5 percent a year.", "It falls by 5% a year."),
    ("It reaches 7,000 people a year.", "It reaches 7,000 people every year."),
    ("They need one shot a month.", "They need one shot monthly."),
    ("It was suspended in Ulm.", "It was suspending in Ulm."),
    ("They announced the suspension of it.", "They announced the suspensions of it."),
    ("The team clarified the plan of it.", "The team is clarifying the plan of it."),
    ("Les doses réduisent la douleur.", "Les doses réduisaient la douleur."),
    ("A little girl sang in the clinic.", "A little girl was singing in the clinic."),
    ("ARR (annualised relapse rate) fell.", "ARR fell."),
    ("Acme (NASDAQ: ACME) led it.", "Acme led it."),
    ("Acme (Euronext Paris: ACM; NASDAQ: ACME) led it.", "Acme led it."),
    ("Acme (Nasdaq GS: ACME and TSE: 4523) led it.", "Acme led it."),
    ("The trial confirmed it.", "The trial is confirming it."),
    ("Die Zulassung kam.", "Die Zulassungen kamen."),
)


@pytest.mark.parametrize(("before", "after"), OTHER_WORDS)
def test_other_words_for_the_same_are_no_change(before: str, after: str):
    for old, new in ((before, after), (after, before)):
        found = of_bodies(f"{LEAD} {old}", f"{LEAD} {new}")
        assert not found.material, found.changes


AROUND = (
    "Estimated reading time: 4 minutes",
    "5 min read",
    "Lesezeit: ca. 3 Minuten",
    "Temps de lecture : 4 min",
    "Tiempo de lectura: 6 minutos",
    "この記事は約4分で読めます",
    "Last updated: October 3, 2025",
    "Last reviewed on 3 May 2026 by Jane Roe, MD",
    "Medically reviewed by Jane Roe, MD, on May 3, 2026",
    "Zuletzt aktualisiert am 3. Oktober 2025",
    "Mis à jour le 3 octobre 2025 à 17:30",
    "Actualizado el 3 de octubre de 2025",
    "Last updated: day 9",
    "Page last updated: week 12, 2026",
    "Zuletzt aktualisiert: KW 12/2026",
    "Zuletzt aktualisiert: heute um 10:30 Uhr",
    "Dernière mise à jour : hier",
    "Última actualización: otoño 2026",
    "Last reviewed: Q2 2026",
    "Last updated: version 3.2",
    "Published 3 hours ago",
    "Posted on May 3, 2026 by Jane Roe",
    "By Jane Roe.",
    "By Jane Roe and John Doe, staff writer",
    "Von Jana Roh",
    "Par Jeanne Roe",
    "(Photo: Tern Pictures)",
    "Photo by Jane Roe / Getty Images",
    "Foto: Jana Roh",
    "Crédit photo : Jeanne Roe",
    "Image credit: Tern Pictures",
    "© 2026 Lindau Herald. All rights reserved.",
    "12 comments",
    "Comments (3)",
    "3 Kommentare",
    "Aucun commentaire",
    "1.2k views",
    "Leave a comment",
    "Share on Facebook",
    "Share | Tweet | Print",
    "Subscribe to our newsletter for 12 tips a week",
    "Sign up for our weekly newsletter!",
    "Abonnieren Sie unseren Newsletter",
    "About the author\nJane Roe writes in Lindau. She has written 300 articles for Acme.",
    "About the author: Jane Roe has written 300 articles.",
    "Über die Autorin\nJana Roh schreibt seit 2012 für Acme über Medizin.",
    "More from this author\nTen recipes for 2027",
    "Tags\nSanofi\nMS",
    "Previous article: Ten recipes for 2027",
    "Nächster Beitrag: Zehn Rezepte für 2027",
    "← Ten recipes for 2027",
    "Home > News > MS",
    "A version of this article appears in print on May 3, 2026, Section A.",
    "This summary was created by AI and checked by an editor of Acme.",
    "Log in or create a free account to read 3 more articles this month.",
    "Support our work\nDonate $5 a month.",
    "Follow us on Google News",
    "Add Lindau Herald as a preferred source on Google",
    "Follow Jane Roe on Bluesky",
    "Our Standards: The Tern Trust Principles.",
    "Purchase Licensing Rights",
    "-ENDS-",
    "Report a correction",
    "We use cookies on 12 partner sites.",
    "Accept all cookies",
    "Page 1 of 3",
    "Explore more\nTen recipes for 2027",
    "Read more",
    "Click here to read the original.",
    "This article was originally published by The Tern.",
    "Photo by Jane Roe on Unsplash.",
    "Weiterlesen »",
    "The post Frexalimab in Lindau appeared first on Lindau Herald.",
    "Tags: MS, frexalimab, Sanofi",
    "Filed under News, Sanofi",
    "Advertisement",
    "Anzeige",
    "Publicité",
    "Story continues below advertisement",
    "Advertisement\nTern vitamins: 3 boxes for 5 dollars. Not approved by Acme.",
    "Sponsored content: Tern vitamins, 3 for 2",
    "Related: Ten recipes for 2027",
    "Lesen Sie auch: Zehn Rezepte für 2027",
    "You might also like\nTen recipes for 2027\nA new chair for the Board of Lindau",
    "À lire aussi\nDix recettes pour 2027\nUne chaise pour Lindau",
    "Te puede interesar\nDiez recetas para 2027",
    "関連記事\n2027年の10のレシピ",
    "Table of contents\nWhat is frexalimab?\nSide effects in 2025\nWho is Sanofi?",
    "Inhalt\nWas ist Frexalimab?\nNebenwirkungen 2025",
    "Mult Scler J. 2026;32(14):411-420. doi: 10.9999/135245850000.",
    "Volume 12, Issue 3, pages 45–50",
)  # fmt: skip


@pytest.mark.parametrize("lines", AROUND)
@pytest.mark.parametrize("where", ["above", "below", "between"])
def test_what_a_site_puts_around_its_text_is_no_change(lines: str, where: str):
    parts = ["It met its goal in 129 people and was safe in Lindau for a year.", "It ended in May."]
    plain = "\n".join((LEAD, *parts))
    parts.insert({"above": 0, "between": 1, "below": 2}[where], lines)
    around = "\n".join((LEAD, *parts))
    for old, new in ((plain, around), (around, plain)):
        found = of_bodies(old, new)
        assert not found.material, found.changes


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("4 min read", "7 min read"),
        ("Last updated: day 9", "Last updated: day 18"),
        ("Updated: yesterday", "Updated: Spring 2026"),
        ("12 comments", "1,345 comments"),
        ("Last updated: 3 May 2026", "Last updated: 4 June 2026"),
        ("Mult Scler J. 2026 Nov 3:13524585. Online ahead of print.",
         "Mult Scler J. 2026 Dec;32(14):411-420. Epub 2026 Nov 3."),
        ("Annals of Larches, EarlyView.",
         "Annals of Larches, Volume 99, Issue 4, Page 512-520, April 2026."),
        ("Lindau Sclerosis Journal, Ahead of Print.",
         "Lindau Sclerosis Journal, Volume 32, Issue 5, Page 512-520, May 2026."),
        ("Tern Reviews Neurology, Published online: 03 March 2026; doi:10.0000/made-up-1",
         "Tern Reviews Neurology, Published online: 04 March 2026; doi:10.0000/made-up-1"),
        ("Front Larch. 2026 Jan 5;17:1500001. eCollection 2026.",
         "Front Larch. 2026 Jan 5;17:1500001."),
        ("By Jane Roe", "By John Doe"),
        ("Advertisement\nTern vitamins: 3 for 5 dollars.", "Advertisement\nNew shoes by Acme."),
        ("Related: Ten recipes", "Related: Two deaths in Bonn"),
    ],
)  # fmt: skip
def test_what_changes_in_the_lines_around_a_text_is_no_change(old: str, new: str):
    found = of_bodies(f"{LEAD}\n{old}", f"{LEAD}\n{new}")
    assert not found.material, found.changes


TOLD = {
    "number": ("It enrolled 380 members.", "It enrolled 83 members.", "83 members"),
    "digit": ("It fell by 89%.", "It fell by 86%.", "86%"),
    "decimal point lost": ("It fell by 5.3%.", "It fell by 53%.", "53%"),
    "decimal point lost in a long one": ("The ratio was 1.234.", "The ratio was 1234.", "1234"),
    "zero lost": ("It fell by 0.5 points.", "It fell by 5 points.", "5 points"),
    "thousands": ("They got 1,200 mg.", "They got 12,000 mg.", "12,000"),
    "unit": ("They got 5 mg.", "They got 5 g.", "5 g"),
    "unit of time": ("It took 12 weeks.", "It took 12 months.", "months"),
    "microgram": ("They got 5 mg.", "They got 5 µg.", "µg"),
    "number word": ("Two groups took part.", "Three groups took part.", "Three"),
    "number word and digits": ("Two groups took part.", "3 groups took part.", "3 groups"),
    "sign": ("It changed by 5 points.", "It changed by -5 points.", "-5"),
    "spread": ("It was 5 ± 2 points.", "It was 5 points.", "5 points"),
    "comparison": ("It was <5%.", "It was >5%.", ">5%"),
    "not": ("It met its goal.", "It did not meet its goal.", "not"),
    "not removed": ("It is not safe.", "It is safe.", "is safe"),
    "contraction": ("It is safe.", "It isn't safe.", "isn't"),
    "German not": ("Das Mittel ist sicher.", "Das Mittel ist nicht sicher.", "nicht"),
    "French not": ("Il est sûr.", "Il n'est pas sûr.", "pas"),
    "Italian not": ("Il farmaco funziona.", "Il farmaco non funziona.", "non"),
    "Dutch not": ("Het werkt bij kinderen.", "Het werkt niet bij kinderen.", "niet"),
    "Russian not": ("Препарат действует.", "Препарат не действует.", "не"),
    "Japanese not": ("薬は安全である。", "薬は安全でない。", "ない"),
    "Chinese not": ("该药有效。", "该药无效。", "无效"),
    "Korean not": ("약이 들었다.", "약이 듣지 않았다.", "않"),
    "outcome": ("It met its goal.", "It missed its goal.", "missed"),
    "drug": ("They got ocrelizumab.", "They got rituximab.", "rituximab"),
    "arm": ("Most of those on placebo left.", "Most of those on it left.", "on it"),
    "name": ("A team at Sanofi led it.", "A team at Biogen led it.", "Biogen"),
    "day": ("It came on 3 October 2025.", "It came on 8 October 2025.", "8 October"),
    "month": ("It came on 3 October 2025.", "It came on 3 November 2025.", "November"),
    "year": ("It came on Oct. 3, 2025.", "It came on October 3, 2026.", "2026"),
    "month alone": ("It ends in October.", "It ends in August.", "August"),
    "currency": ("It costs $5.", "It costs €5.", "€5"),
    "version": ("Version 2.0.1 is out.", "Version 2.1.0 is out.", "2.1.0"),
    "ratio": ("It helped 12/50 people.", "It helped 21/50 people.", "21/50"),
    "probability": ("It was so (p=0.04).", "It was so (p=0.40).", "0.40"),
    "hour": ("It begins at 5 p.m. sharp.", "It begins at 5 a.m. sharp.", "5 a.m."),
    "million": ("It hit 1.5 million people.", "It hit 1.5 billion people.", "billion"),
    "interval": ("HR 0.5 (0.3–0.8).", "HR 0.5 (0.3–0.9).", "0.9"),
    "fraction": ("It helped two-thirds.", "It helped one-third.", "one-third"),
    "country": ("It is approved in the EU.", "It is approved in the US.", "in the US"),
    "result behind updated": ("Updated: day 9 of 12.", "Updated: day 12 of 12.", "12 of 12"),
    "week of results": ("Week 24 of it ended.", "Week 48 of it ended.", "Week 48"),
    "doubt": ("It is safe.", "It is probably safe.", "probably"),
    "doubt of a verb": ("It works in children.", "It may work in children.", "may"),
    "German doubt of a verb": ("Es hilft Kindern.", "Es könnte Kindern helfen.", "könnte"),
    "recommended dose": ("Recommended: 1,200 mg.", "Recommended: 1,800 mg.", "1,800"),
    "dose below an ad's label": ("Advertisement\nThe dose of it is 1,200 mg a month.",
                                 "Advertisement\nThe dose of it is 1,800 mg a month.", "1,800"),
    "dose below other articles": ("Related: Ten recipes\nThe dose is 5 mg.",
                                  "Related: Ten recipes\nThe dose is 8 mg.", "8 mg"),
    "patients": ("It is open to adults.", "It is open to children.", "children"),
    "phase": ("The phase II trial ended.", "The phase 3 trial ended.", "phase 3"),
    "frequency": ("It is given once a month.", "It is given twice a month.", "twice"),
    "route": ("An oral drug.", "A drug.", "A drug"),
    "numbers that changed places": ("It helped 12 on it and 15 on placebo.",
                                    "It helped 15 on it and 12 on placebo.", "15 on it"),
    "names that changed places": ("They say that Acme beat Tern.", "They say that Tern beat Acme.",
                                  "Tern beat Acme"),
    "numbers of two sentences": ("With it 12 left.\nWith placebo 15 left.",
                                 "With it 15 left.\nWith placebo 12 left.", "With it 15"),
    "other abbreviation": ("The FDA agreed to it.", "The EMA agreed to it.", "EMA"),
    "words of another short form": ("The FDA agreed.", "The European Medicines Agency agreed.",
                                    "European"),
    "other abbreviation in brackets": ("It is for progressive multiple sclerosis (SPMS).",
                                       "It is for progressive multiple sclerosis (PPMS).", "PPMS"),
    "words in brackets": ("It is approved (in the EU).", "It is approved.", "approved"),
    "name in brackets": ("He works at Acme (Paris).", "He works at Acme (Lyon).", "Lyon"),
    "day of the week": ("The meeting is on Monday.", "The meeting is on Friday.", "Friday"),
    "outcomes that changed places": ("It reduced pain and increased relapses of it.",
                                     "It increased pain and reduced relapses of it.", "pain"),
    "decimals without a zero": ("That was so (p=.04).", "That was so (p=.40).", ".40"),
    "point before decimals lost": ("It was .5 points.", "It was 5 points.", "5 points"),
    "second of two phases": ("The phase I/II trial ended.", "The phase I/III trial ended.", "III"),
    "Japanese phase": ("第II相試験が始まった。", "第III相試験が始まった。", "III"),
    "sum in short": ("It costs $1.5m.", "It costs $1.5bn.", "bn"),
    "fold of it": ("It was threefold higher.", "It was fourfold higher.", "fourfold"),
    "dose beside preferred": ("Make 5 mg the preferred one.", "Make 8 mg the preferred one.", "8"),
    "place in brackets": ("It is open (in Bonn).", "It is open (in Kiel).", "Kiel"),
    "number in brackets": ("The result (p=0.04) was so.", "The result (p=0.40) was so.", "0.40"),
    "weeks between": ("It is given every other week.", "It is given every week.", "every week"),
    "daily or weekly": ("It is given daily.", "It is given weekly.", "weekly"),
    "times a day": ("It is given once daily.", "It is given twice daily.", "twice"),
    "half lost": ("It ran for 2½ years.", "It ran for 2 years.", "2 years"),
    "side of a limit": ("Over 1,200 people left.", "Under 1,200 people left.", "Under"),
    "other country": ("It is sold in Turkey now.", "It is sold in Tunisia now.", "Tunisia"),
    "other city": ("A clinic in Köln took part.", "A clinic in Bonn took part.", "Bonn"),
    "quotation of two sentences": ("Elle dit : « Cela dure. On compte 12 cas. »",
                                   "Elle dit : « Cela dure. On compte 21 cas. »", "21 cas"),
    "beginning of a quotation": ("« Il réduit de 89 %. Cela dure. »",
                                 "« Il réduit de 86 %. Cela dure. »", "86"),
    "dose below the author's name": ("About the author\nThe dose of it is 5 mg a day.",
                                     "About the author\nThe dose of it is 8 mg a day.", "8 mg"),
    "other German people": ("Die Patienten sahen es.", "Die Ärztinnen sahen es.", "Ärztinnen"),
    "rise": ("Relapses rose by 30%.", "Relapses fell by 30%.", "fell by 30%"),
    "up": ("The number of attacks went up.", "The number of attacks went down.", "went down"),
    "result": ("The result was positive.", "The result was negative.", "negative"),
    "factor": ("The risk of it doubled.", "The risk of it halved.", "halved"),
    "animals": ("It was tested in mice.", "It was tested in people.", "in people"),
    "beginning": ("Its trial has begun.", "Its trial has ended.", "has ended"),
    "turning beginning": ("It is available now.", "It is unavailable now.", "unavailable"),
    "opposed beginnings": ("It causes hypotension.", "It causes hypertension.", "hypertension"),
    "time of a meal": ("It is taken before meals.", "It is taken after meals.", "after meals"),
    "decision": ("The filing was accepted.", "The filing was declined.", "declined"),
    "often": ("It is a common effect.", "It is a rare effect.", "rare effect"),
    "limit": ("It is above the limit.", "It is below the limit.", "below"),
    "German rise": ("Die Zahl stieg um 30 %.", "Die Zahl sank um 30 %.", "sank"),
    "German time": ("Es wird vor dem Essen genommen.", "Es wird nach dem Essen genommen.", "nach"),
    "French result": ("Le résultat est positif.", "Le résultat est négatif.", "négatif"),
    "Spanish fall": ("El número subió mucho.", "El número bajó mucho.", "bajó"),
    "Russian fall": ("Число рецидивов выросло.", "Число рецидивов снизилось.", "снизилось"),
    "Japanese fall": ("患者数が増加した。", "患者数が減少した。", "減"),
    "Chinese fall": ("患者人数增加了。", "患者人数减少了。", "减"),
    "Korean fall": ("환자 수가 증가했다.", "환자 수가 감소했다.", "감소"),
    "sentence added": ("It ended.", "It ended. Three people died.", "Three people died"),
    "sentence removed": ("It was safe. It ended.", "It ended.", "It was safe"),
    "correction of an article": ("It was in Ulm.", "It was in a corrected article.", "corrected"),
    "number before a state of a paper": ("Early view: 12 left.", "Early view: 21 left.", "21"),
    "correction below": ("It ended.", "It ended.\nCorrection: the dose was 1,800 mg.", "1,800"),
    "how long and how often": ("It is taken for a week.", "It is taken weekly.", "weekly"),
    "once and often": ("It is given after a month.", "It is given monthly.", "monthly"),
    "how often and how long": ("An MRI is done yearly.", "An MRI is done after a year.", "a year"),
    "number behind an explained short form": ("ARR (annualised relapse rate, 0.12) was lower.",
                                              "ARR (annualised relapse rate, 0.21) was lower.",
                                              "0.21"),
    "percent behind an explained short form": ("ORR (objective response rate: 45%) was so.",
                                               "ORR (objective response rate: 54%) was so.", "54%"),
    "months in brackets": ("Few relapsed (six months: 12%).", "Few relapsed (six months: 21%).",
                           "21%"),
    "weeks in brackets": ("The dose rises (six weeks: 30 mg; later 60 mg).",
                          "The dose rises (six weeks: 40 mg; later 60 mg).", "40 mg"),
    "harmless": ("The drug is harmful.", "The drug is harmless.", "harmless"),
    "German compound": ("Acme erhält die Zulassung für Ternimod.",
                        "Acme erhält die Zulassungsempfehlung für Ternimod.", "empfehlung"),
    "German concerns": ("Der Rat bestätigt die Sicherheit von Ternimod.",
                        "Der Rat bestätigt die Sicherheitsbedenken von Ternimod.", "bedenken"),
    "few and a few": ("Few people relapsed on it.", "A few people relapsed on it.", "A few"),
    "little and a little": ("It has little benefit.", "It has a little benefit.", "a little"),
    "French little": ("Il a peu d'effet.", "Il a un peu d'effet.", "un peu"),
    "several deaths": ("They saw the death in it.", "They saw the deaths in it.", "deaths"),
    "blood that is donated": ("You must not:\ndonate blood for 7 days after it",
                              "You must not:\ndonate blood for 6 months after it", "6 months"),
    "dose of the start": ("Start/loading dose: 600 mg", "Start/loading dose: 300 mg", "300 mg"),
    "dose at home": ("Home/self-injection: 120 mg", "Home/self-injection: 210 mg", "210 mg"),
    "share behind a colon": ("It helped most (six in all: 12 women).",
                             "It helped most (six in all: 21 women).", "21 women"),
}  # fmt: skip
# A theme that the site changes in the same moment.
THEME = (
    "4 min read\n",
    "\nShare on Facebook\nAdvertisement\nYou might also like\nTen recipes for 2027",
)


@pytest.mark.parametrize("name", TOLD)
def test_what_a_text_says_is_a_change(name: str):
    before, after, _ = TOLD[name]
    for old, new in ((before, after), (after, before)):
        found = of_bodies(f"{LEAD}\n{old}", f"{LEAD}\n{new}")
        assert found.material, found.changes


@pytest.mark.parametrize("name", TOLD)
def test_a_change_amid_a_change_of_theme_is_shown_without_the_theme(name: str):
    before, after, shown = TOLD[name]
    above, below = THEME
    found = of_bodies(f"{LEAD}\n{before}", f"{above}{LEAD.upper()}\n{after}{below}")
    assert found.material
    text = " ".join(f"{change['before']} {change['after']}" for change in found.changes)
    assert shown in text
    assert not any(words in text for words in ("min read", "Facebook", "recipes", "LINDAU"))


HEADLINES = {
    "an agency's label": ("Frexalimab slows MS", "UPDATE 2-Frexalimab slows MS"),
    "a label": ("Frexalimab slows MS", "Breaking: Frexalimab slows MS"),
    "a label in German": ("Frexalimab bremst MS", "Aktualisiert: Frexalimab bremst MS"),
    "a label in brackets": ("Frexalimab slows MS", "Frexalimab slows MS (updated)"),
    "hash tags": ("Frexalimab slows MS", "Frexalimab slows MS #MS #news"),
    "capitals": ("Frexalimab Slows MS", "Frexalimab slows MS"),
    "quotes": ("'Frexalimab' slows MS", "“Frexalimab” slows MS"),
    "full stop": ("Frexalimab slows MS", "Frexalimab slows MS."),
    "number": ("Two trials of frexalimab", "2 trials of frexalimab"),
    "comments": ("Frexalimab slows MS (0 comments)", "Frexalimab slows MS (16 comments)"),
    "German comments": ("Frexalimab bremst MS – 3 Kommentare", "Frexalimab bremst MS"),
    "French comments": ("Le frexalimab freine la SEP [2 commentaires]",
                        "Le frexalimab freine la SEP [5 commentaires]"),
    "views": ("Frexalimab slows MS | 120 views", "Frexalimab slows MS | 1,345 views"),
    "comments before a site": ("Frexalimab slows MS (30 comments)",
                               "Frexalimab slows MS (31 comments) | Lindau Herald"),
    "comments before a site that counts on": ("Frexalimab slows MS (3 comments) | Lindau Herald",
                                              "Frexalimab slows MS (4 comments) | Lindau Herald"),
    "comments before an unknown site": ("Frexalimab slows MS – 3 replies | The Tern",
                                        "Frexalimab slows MS – 4 replies | The Tern"),
    "number before a site": ("Frexalimab slows MS (3) – Lindau Herald", "Frexalimab slows MS (4)"),
    "comments behind a site": ("Frexalimab slows MS | Lindau Herald (3 comments)",
                               "Frexalimab slows MS"),
    "counter in brackets": ("Frexalimab slows MS [3]", "Frexalimab slows MS [4]"),
    "site behind a bar": ("Frexalimab slows MS", "Frexalimab slows MS | Lindau Herald"),
    "site behind a dash": ("Frexalimab slows MS", "Frexalimab slows MS – Lindau Herald"),
    "site before a colon": ("Frexalimab slows MS", "Lindau Herald: Frexalimab slows MS"),
    "section behind a bar": ("Frexalimab slows MS", "Frexalimab slows MS | Health"),
    "protected": ("Frexalimab slows MS", "Protected: Frexalimab slows MS"),
    "German protected": ("Frexalimab bremst MS", "Geschützt: Frexalimab bremst MS"),
    "trade mark": ("Larchab slows MS", "Larchab™ slows MS"),
    "registered before a site": ("Larchab slows MS", "Larchab® slows MS | Lindau Herald"),
    "slip": ("Frexalimab slows progresion of MS", "Frexalimab slows progression of MS"),
    "abbreviation": ("Frexalimab slows multiple sclerosis", "Frexalimab slows MS"),
    "article": ("The frexalimab trial in MS ends", "Frexalimab trial in MS ends"),
    "other article": ("Sanofi starts a trial in MS", "Sanofi starts the trial in MS"),
    "French article": ("Le frexalimab freine la SEP", "Frexalimab freine la SEP"),
    "source behind a colon": ("Frexalimab slows MS: study", "Study: frexalimab slows MS"),
    "source behind a comma": ("Frexalimab slows MS, they say", "They say frexalimab slows MS"),
    "cut": ("Frexalimab slows disability in people with progressive MS",
            "Frexalimab slows disability in people with…"),
    "live": ("Frexalimab slows MS", "LIVE: Frexalimab slows MS"),
    "day of an update": ("Frexalimab slows MS", "Frexalimab slows MS (Updated Nov 12)"),
    "reference mark": ("Frexalimab slows MS in children", "Frexalimab slows MS in children*"),
}  # fmt: skip
TOLD_HEADLINES = {
    "number": ("Frexalimab cuts lesions by 89%", "Frexalimab cuts lesions by 86%"),
    "not": ("Frexalimab meets its goal", "Frexalimab does not meet its goal"),
    "word": ("Frexalimab offers hope", "Frexalimab offers little"),
    "agency behind a dash": ("Frexalimab trial is stopped", "Frexalimab trial is stopped – FDA"),
    "deaths behind a bar": ("Frexalimab trial ends", "Frexalimab trial ends | 3 deaths"),
    "prefix that negates": ("A typical case", "An atypical case"),
    "letter in brackets": ("Frexalimab in arm (A)", "Frexalimab in arm (B)"),
    "probability": ("Frexalimab slows MS, P = .03", "Frexalimab slows MS, P = .3"),
    "year in brackets": ("Frexalimab results (2025)", "Frexalimab results (2026)"),
    "who beats whom": ("Tern beats Acme in trial", "Acme beats Tern in trial"),
    "who sues whom": ("Tern: Acme lost its trial", "Acme: Tern lost its trial"),
    "verb, no article": ("Patients in frexalimab trial", "Patients die in frexalimab trial"),
    "cut of another": ("Frexalimab slows disability in people with MS",
                       "Frexalimab slows disability in men with…"),
    "deaths in an update": ("Frexalimab trial ends", "Frexalimab trial ends (updated: 3 deaths)"),
    "retracted": ("Frexalimab slows MS", "Retracted: Frexalimab slows MS"),
    "number of patients before a dash": ("Frexalimab trial (12 patients) – Lindau Herald",
                                         "Frexalimab trial (21 patients) – Lindau Herald"),
    "percent in brackets": ("Frexalimab slows MS (89%)", "Frexalimab slows MS (86%)"),
    "other news beside a site": ("Frexalimab helps | Lindau Herald",
                                 "Frexalimab harms | Lindau Herald"),
    "numbers that changed owners": ("Frexalimab: 45%, placebo: 12%", "45% placebo, 12% frexalimab"),
    "numbers that changed places": ("Deaths: 5, infections: 12", "5 infections, 12 deaths"),
    "a few": ("Few people benefit from frexalimab", "A few people benefit from frexalimab"),
    "words that changed owners": ("Deaths: five, infections: twelve",
                                  "five infections, twelve deaths"),
    "shares that changed owners": ("Frexalimab: half, placebo: third",
                                   "half placebo, third frexalimab"),
    "a little": ("Little benefit of frexalimab in MS", "A little benefit of frexalimab in MS"),
    "French a little": ("Peu d'effet du frexalimab", "Un peu d'effet du frexalimab"),
}  # fmt: skip


@pytest.mark.parametrize("name", HEADLINES)
def test_a_headline_that_says_the_same_is_no_change(name: str):
    for old, new in (HEADLINES[name], HEADLINES[name][::-1]):
        assert not of_titles(old, new, "Lindau Herald", "lindauherald").changes


@pytest.mark.parametrize("name", TOLD_HEADLINES)
def test_a_headline_that_says_something_else_is_a_change(name: str):
    for old, new in (TOLD_HEADLINES[name], TOLD_HEADLINES[name][::-1]):
        assert of_titles(old, new, "Lindau Herald", "lindauherald").material


# Sentences whose every digit is part of a number that counts.
SENTENCES = st.lists(
    st.builds(
        "{} {} {} of {}.".format,
        st.sampled_from(["The", "A", "Their", "This"]),
        st.sampled_from(["group", "trial", "clinic", "study", "team"]),
        st.sampled_from(["had", "saw", "counted", "lost"]),
        st.integers(1, 99_999).map(lambda number: f"{number} people"),
    ),
    min_size=1,
    max_size=8,
)
STYLES = {
    "capitals": str.upper,
    "spaces": lambda text: text.replace(" ", "\u00a0"),
    "lines": lambda text: text.replace(". ", ".\n"),
    "exclamation marks": lambda text: text.replace(".", "!"),
    "reading time": lambda text: f"4 min read\n{text}\nShare on Facebook",
}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("V " * 100_000, 8), ("I and " * 50_000, 8), ("phase " + "III/" * 50_000, 8)],
    ids=["Roman numbers", "Roman numbers with and", "phases"],
)
def test_many_numbers_cost_no_more_than_their_length(text: str, seconds: float):
    with measured() as effort:
        words(text)
    assert effort.processor < seconds


@pytest.mark.parametrize("sign", "·>|/›")
def test_a_line_of_signs_costs_no_more_than_its_length(sign: str):
    for line in (f"Home {sign * 200} p. 3", f"Home {f' {sign} x' * 55} 3."):
        with measured() as effort:
            surroundings.is_around(line)
        assert effort.processor < 0.5


@given(SENTENCES, st.sampled_from(sorted(STYLES)))
def test_style_alone_is_never_a_change(sentences: list[str], style: str):
    text = " ".join(sentences)
    found = of_bodies(text, STYLES[style](text))
    assert (found.changes, found.material) == ((), False)


@given(SENTENCES, st.data())
def test_another_digit_is_always_a_change(sentences: list[str], data: st.DataObject):
    text = " ".join(sentences)
    places = [place for place, char in enumerate(text) if char.isdigit()]
    place = data.draw(st.sampled_from(places))
    digit = data.draw(st.sampled_from("123456789").filter(lambda other: other != text[place]))
    assert of_bodies(text, f"{text[:place]}{digit}{text[place + 1 :]}").material


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_two_texts_are_compared_and_a_change_is_never_empty(old: str, new: str):
    found = of_bodies(old, new)
    assert all(change["before"] or change["after"] for change in found.changes)
    assert all(change["before"] != change["after"] for change in found.changes)
    assert not found.material or found.changes
    assert of_bodies(new, new) == Difference((), material=False)
