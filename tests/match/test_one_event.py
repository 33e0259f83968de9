"""One story is one event: reports of two events stay apart however much they look alike."""

import pytest

from notifier.match.stories.fingerprint import fingerprint
from notifier.match.stories.story_index import StoryIndex, is_same_news

RELEASE = (
    "The Wolfsberg trial of frexalimab has enrolled all of its 812 people with relapsing multiple "
    "sclerosis, the made-up makers said in a statement. Half of them are given the antibody once a "
    "month, the others a tablet once a day, and nobody knows which until the end. Results are "
    "awaited in two years, and all who took part may have the antibody afterwards if it works."
)
DISCLAIMER = (
    "The texts of this portal were written with care. They are general and describe no single "
    "case, and nobody who works here knows the history of those who come. An examination in a "
    "practice remains necessary, and a course of tablets is never begun or ended on the ground of "
    "a text. The editors thank all who report mistakes."
)
PROFILE = (
    "Examplepharma is a maker of vaccines and antibodies with 91,000 people in 58 countries. Its "
    "laboratories in Lyon, Cambridge and Frankfurt work on illnesses of the nerves and of the "
    "blood, and its shares are traded in Paris and in New York. The group was founded in 1973 and "
    "has four businesses, the largest of which makes remedies for rare conditions."
)


def report(title: str, text: str = "", url: str = ""):
    return fingerprint(url, title, text)


def is_story(first, second) -> bool:
    """Compare both ways, and by the index."""
    same = is_same_news(first, second)
    assert is_same_news(second, first) is same
    for one, other in ((first, second), (second, first)):
        index = StoryIndex()
        index.add(1, 1, one)
        assert (index.find_first(2, other) == 1) is same
    return same


OPPOSITES = [
    ("FDA places hold on {} in relapsing MS", "FDA lifts hold on {} in relapsing MS"),
    ("FDA suspends trial of {} after two deaths", "FDA resumes trial of {} after two deaths"),
    ("{} meets its main goal in Wolfsberg trial", "{} misses its main goal in Wolfsberg trial"),
    ("{} meets its goal in a late trial", "{} didn’t meet its goal in a late trial"),
    ("{} succeeds in large trial of relapsing MS", "{} fails in large trial of relapsing MS"),
    ("Agency approves {} for relapsing disease", "Agency rejects {} for relapsing disease"),
    ("Panel backs {} for relapsing MS in vote", "Panel votes against {} for relapsing MS in vote"),
    ("{} lowers disability in progressive MS", "{} lowers no disability in progressive MS"),
    ("{} works in people without relapses", "{} does not work in people without relapses"),
    ("{} proves effective in progressive disease", "{} proves ineffective in progressive disease"),
    ("Wolfsberg trial of {} shows benefit", "Wolfsberg trial of {} shows no benefit"),
    ("Makers start second large trial of {}", "Makers stop second large trial of {}"),
    ("First patient treated in trial of {} in MS", "Last patient treated in trial of {} in MS"),
    ("Onderzoek met {} gestart in Gent", "Onderzoek met {} gestopt in Gent"),
    ("Agency accepts application for {} in MS", "Makers withdraw application for {} in MS"),
    ("Positive results for {} in a late trial", "Negative results for {} in a late trial"),
    ("{} is safe in people with kidney disease", "{} is unsafe in people with kidney disease"),
    ("{} raises relapse rate in Wolfsberg study", "{} lowers relapse rate in Wolfsberg study"),
    ("Decision on {} is delayed by the agency", "Decision on {} is accelerated by the agency"),
    ("{} beats teriflunomide in late MS trial", "Teriflunomide beats {} in late MS trial"),
    ("Agency may approve {} for relapsing MS", "Agency will not approve {} for relapsing MS"),
    ("{} erreicht das Ziel der Studie nicht", "{} erreicht das Ziel der Studie"),
    ("{} verfehlt das Hauptziel der Studie", "{} erreicht das Hauptziel der Studie"),
    ("Behörde lässt {} bei Multipler Sklerose zu", "Behörde lehnt {} bei Multipler Sklerose ab"),
    ("Studie mit {} bei MS wird gestoppt", "Studie mit {} bei MS wird fortgesetzt"),
    ("Erste Patientin mit {} in Ulm behandelt", "Letzte Patientin mit {} in Ulm behandelt"),
    ("{} wirkt bei progredienter MS gut", "{} wirkt bei progredienter MS nicht gut"),
    ("Hersteller reicht {} bei der Behörde ein", "Hersteller zieht {} bei der Behörde zurück"),
    ("{} atteint l’objectif de son essai", "{} n’atteint pas l’objectif de son essai"),
    ("L’agence approuve {} dans la SEP récurrente", "L’agence rejette {} dans la SEP récurrente"),
    ("L’essai de {} débute en France", "L’essai de {} arrêté en France"),
    ("Premier patient traité par {} à Nantes", "Dernier patient traité par {} à Nantes"),
    ("{} efficace dans la SEP progressive", "{} inefficace dans la SEP progressive"),
    ("{} alcanza el objetivo de su ensayo", "{} no alcanza el objetivo de su ensayo"),
    ("La agencia aprueba {} para la esclerosis", "La agencia rechaza {} para la esclerosis"),
    ("{} reduce los brotes en adolescentes", "{} no reduce los brotes en adolescentes"),
    ("Primer paciente tratado con {} en Vigo", "Último paciente tratado con {} en Vigo"),
    ("{} достиг цели исследования в Туле", "{} не достиг цели исследования в Туле"),
    ("{} raggiunge l’obiettivo dello studio", "{} non raggiunge l’obiettivo dello studio"),
    ("{} atinge o objetivo do ensaio em Faro", "{} não atinge o objetivo do ensaio em Faro"),
    ("{} haalt het doel van de studie", "{} haalt het doel van de studie niet"),
    ("{} nådde målet i en studie i Lund", "{} nådde inte målet i en studie i Lund"),
    ("{} osiągnął cel badania w Łodzi", "{} nie osiągnął celu badania w Łodzi"),
    ("Comienza el ensayo de {} en mayores", "Cancelan el ensayo de {} en mayores"),
]
OTHER_EVENTS = [
    ("FDA approves {} for relapsing MS", "EMA approves {} for relapsing MS"),
    ("MHRA recommends {} for relapsing MS", "Swissmedic recommends {} for relapsing MS"),
    ("PMDA accepts the filing of {} in MS", "TGA accepts the filing of {} in MS"),
    ("NICE says yes to {} in relapsing MS", "G-BA says yes to {} in relapsing MS"),
    ("Health Canada clears {} for adults", "ANVISA clears {} for adults"),
    ("UPDATE 2-year data of {} in MS are out", "UPDATE 3-year data of {} in MS are out"),
    ("{} approved in Japan for relapsing MS", "{} approved in Brazil for relapsing MS"),
    ("Australian experts welcome {} for MS", "Austrian experts welcome {} for MS"),
    ("{} in den USA für MS zugelassen", "{} in Kanada für MS zugelassen"),
    ("Makers of {} complete FREXALT trial", "Makers of {} complete FREVIVA trial"),
    ("Trial NCT06141473 of {} in MS is full now", "Trial NCT06141486 of {} in MS is full now"),
    ("Phase 2 trial of {} in lupus begins", "Phase III trial of {} in lupus begins"),
    ("{} cuts new lesions by 89% in trial", "{} cuts new lesions by 42% in trial"),
    ("Trial of {} in MS enrols 640 people", "Trial of {} in MS enrols 900 people"),
    ("Trial tests 300 mg of {} for MS", "Trial tests 1,200 mg of {} for MS"),
    ("{} trial in MS: results after 12 weeks", "{} trial in MS: results after 48 weeks"),
    ("FDA to decide on {} for MS by March", "FDA to decide on {} for MS by June"),
    ("{} for MS: decision due on 12 June", "{} for MS: decision due on 28 June"),
    ("{} in teenagers with relapsing MS", "{} in pensioners with relapsing MS"),
    ("Six deaths in trial of {} reported", "Two deaths in trial of {} reported"),
    ("Plant for {} opens in Ulmenau today", "Plant for {} opens in Eichstett today"),
    ("{} and interferon beta-1a in MS", "{} and interferon beta-1b in MS"),
    ("{} for MS: part 1 of a series", "{} for MS: part 2 of a series"),
    ("Makers of {} sue rival over patent", "Rival sues makers of {} over a patent"),
]
SAME_HEADLINES = [
    ("{} lowers relapse rate in late trial", "{} lowers relapse rates in late trial!"),
    ("{} meets its main goal in late trial", "{} met its main goal in late trial"),
    ("{} cuts new lesions by 89.1% in trial", "{} cuts new lesions by 89% in trial"),
    ("Trial of {} in multiple sclerosis is full", "Trial of {} in MS is full"),
    ("Nearly 1,400 people join trial of {}", "1,395 people join trial of {}"),
    ("Phase III trial of {} in MS begins", "Phase 3 trial of {} in MS begins"),
    ("Agency authorises {} for relapsing MS", "Agency authorizes {} for relapsing MS"),
    ("Trial tests 600 mg of {} for MS", "Trial tests 600mg of {} for MS"),
    ("U.S. FDA approves {} for relapsing MS", "FDA approves {} for relapsing MS"),
    ("UPDATE 2-U.S. FDA approves {} for MS", "FDA approves {} for MS"),
    ("CORRECTED-FDA approves {} for relapsing MS", "FDA approves {} for relapsing MS"),
    ("Japan's PMDA approves {} for relapsing MS", "PMDA approves {} for relapsing MS"),
    ("G-BA sieht Zusatznutzen von {} bei MS", "Deutscher G-BA sieht Zusatznutzen von {} bei MS"),
    ("{} verringert Schübe in einer Studie", "{} verringert die Schübe in einer Studie"),
    ("{} réduit les poussées dans un essai", "{} réduit les poussées dans un essai clinique"),
    ("{} reduce los brotes en un ensayo", "{} reduce los brotes en un ensayo - Gaceta"),
    ("{} lowers relapse rate in late trial", "{} lowers relapse rate in late trial | Ulm Herald"),
    ("{} lowers rate in late trial - Ulm Herald", "{} lowers rate in late trial – Eich News"),
    ("{} not only meets its main goal in late trial", "{} meets its main goal in late trial"),
]


@pytest.mark.parametrize(("first", "second"), OPPOSITES, ids=[pair[1] for pair in OPPOSITES])
def test_headlines_that_say_the_opposite_are_two_stories(first: str, second: str):
    one, other = (report(title.format("frexalimab")) for title in (first, second))
    assert not is_story(one, other)


@pytest.mark.parametrize(("first", "second"), OTHER_EVENTS, ids=[pair[1] for pair in OTHER_EVENTS])
def test_headlines_of_another_event_are_two_stories(first: str, second: str):
    one, other = (report(title.format("frexalimab")) for title in (first, second))
    assert not is_story(one, other)


@pytest.mark.parametrize(("first", "second"), [*OPPOSITES, *OTHER_EVENTS])
def test_a_shared_text_does_not_join_headlines_that_contradict(first: str, second: str):
    one, other = (report(title.format("frexalimab"), RELEASE) for title in (first, second))
    assert not is_story(one, other)


@pytest.mark.parametrize(
    ("first", "second"), SAME_HEADLINES, ids=[pair[1] for pair in SAME_HEADLINES]
)
def test_headlines_of_one_event_are_one_story(first: str, second: str):
    one, other = (report(title.format("Frexalimab")) for title in (first, second))
    assert is_story(one, other)


EDITS = [
    ("other rounding", [("812 people", "about 810 people")], True),
    ("other words", [("once a month", "monthly"), ("tablet", "pill")], True),
    ("another number of people", [("812", "912")], False),
    ("a part of the people", [("all of its 812 people", "300 people")], False),
    ("not enrolled", [("has enrolled", "has not enrolled")], False),
    ("not only enrolled", [("has enrolled", "has not only enrolled")], True),
    ("another agency", [("the made-up makers", "the FDA and the makers")], True),
    ("a sentence more", [("until the end.", "until the end. The trial began in 2024.")], True),
    ("background numbers", [("until the end.", "until the end. A million people have MS.")], True),
]
DECISION = (
    "The FDA approved the made-up antibody frexalimab on Friday for adults with relapsing multiple "
    "sclerosis, after the Herkules study had shown that it lowers the rate of relapses by 41.3 "
    "percent within 96 weeks. The dose is 1,200 mg each month. Doctors in the United States may "
    "prescribe it from March on, and the maker plans to ask other agencies within this year."
)
OTHER_DECISIONS = [
    ("the EMA", [("The FDA", "The EMA")], False),
    ("rejected", [("approved", "rejected")], False),
    ("another trial", [("Herkules study", "Perseus study")], False),
    ("another result", [("41.3 percent", "14.8 percent")], False),
    ("a rounded result", [("41.3 percent", "41 percent")], True),
    ("another duration", [("96 weeks", "48 weeks")], False),
    ("another dose", [("1,200 mg", "300 mg")], False),
    ("the same dose in grams", [("1,200 mg", "1.2 g")], True),
    ("another month", [("from March on", "from August on")], False),
    ("another country", [("the United States", "Japan")], False),
    ("raises", [("lowers the rate", "raises the rate")], False),
    ("does not lower", [("it lowers the rate", "it does not lower the rate")], False),
    ("printed on another day", [("on Friday", "on Saturday")], True),
    ("spelt in another English", [("percent", "per cent")], True),
]
IN_OTHER_LANGUAGES = [
    (
        (
            "Die erfundene Studie Adler mit dem Antikörper Frexalimab hat ihr Ziel erreicht, "
            "teilte der "
            "Hersteller am Montag mit. Bei 640 Menschen mit schubförmiger Multipler Sklerose "
            "sank die "
            "Zahl der Schübe um 38 Prozent. Die Zulassung in Europa soll noch in diesem Jahr "
            "beantragt "
            "werden, und alle Teilnehmenden dürfen das Mittel weiter bekommen."
        ),
        [
            ("erreicht", "verfehlt"),
            ("640", "460"),
            ("38 Prozent", "12 Prozent"),
            ("Europa", "Japan"),
            ("hat ihr Ziel erreicht", "hat ihr Ziel nicht erreicht"),
        ],
        [("teilte der Hersteller am Montag mit", "wie der Hersteller mitteilte"), ("38", "38,2")],
    ),
    (
        (
            "L’essai fictif Aigle de l’anticorps frexalimab a atteint son objectif, a annoncé "
            "lundi le "
            "fabricant. Chez 640 patients atteints de sclérose en plaques récurrente, le nombre de "
            "poussées a baissé de 38 pour cent. Une autorisation sera demandée en Europe cette "
            "année, "
            "et tous les participants pourront continuer à recevoir le produit ensuite."
        ),
        [
            ("640 patients", "240 patients"),
            ("38 pour cent", "12 pour cent"),
            ("Europe", "Suisse"),
            ("a atteint", "n’a pas atteint"),
        ],
        [("a annoncé lundi le fabricant", "selon son fabricant"), ("38 pour", "38,2 pour")],
    ),
    (
        (
            "El ensayo inventado Águila del anticuerpo frexalimab alcanzó su objetivo, anunció "
            "el lunes "
            "el fabricante. En 640 pacientes con esclerosis múltiple recurrente el número de "
            "brotes "
            "bajó un 38 por ciento. La autorización se pedirá este año en Europa, y todos los "
            "participantes podrán seguir recibiendo el producto después del final del ensayo."
        ),
        [
            ("640 pacientes", "240 pacientes"),
            ("38 por", "12 por"),
            ("Europa", "México"),
            ("alcanzó su", "no alcanzó su"),
        ],
        [("anunció el lunes el fabricante", "dijo su fabricante"), ("38 por", "38,2 por")],
    ),
]


ABOUT_A_TRIAL = (
    "The made-up makers met doctors in Wolfsberg on Tuesday to speak of the antibody frexalimab. "
    "{} More than 900 people take part, half of them are given the antibody each month, and all "
    "results will be shown at a congress in spring, where doctors and patients may ask questions."
)
OTHER_FACTS = [
    ("The agency placed a hold on the trial.", "The agency lifted its hold on the trial."),
    ("The agency will place a hold on it.", "The agency will lift the hold on it."),
    ("The trial begins in Spain.", "The trial ends in Spain."),
    ("The trial is in relapsing MS.", "The trial is in progressive MS."),
    ("Die Studie läuft bei schubförmiger MS.", "Die Studie läuft bei progredienter MS."),
    ("The agency will decide by 4 March.", "The agency will decide by 4 June."),
]
SAME_FACTS = [
    ("The trial ends in Spain.", "The trial is completed in Spain."),
    ("It is for relapsing MS.", "It is for relapsing MS, or RRMS."),
    ("The agency lifted its hold on it.", "The agency has lifted a hold on it."),
]


@pytest.mark.parametrize(("first", "second"), OTHER_FACTS, ids=[two for _, two in OTHER_FACTS])
def test_one_other_fact_in_an_equal_text_makes_another_story(first: str, second: str):
    one, other = ABOUT_A_TRIAL.format(first), ABOUT_A_TRIAL.format(second)
    assert not is_story(report("News of frexalimab", one), report("An antibody", other))


@pytest.mark.parametrize(("first", "second"), SAME_FACTS, ids=[two for _, two in SAME_FACTS])
def test_one_fact_in_other_words_is_one_story(first: str, second: str):
    one, other = ABOUT_A_TRIAL.format(first), ABOUT_A_TRIAL.format(second)
    assert is_story(report("News of frexalimab", one), report("An antibody", other))


def test_the_date_of_a_decision_at_the_beginning_is_none_of_a_print():
    first = f"On Monday the agency set 4 March for frexalimab. {RELEASE}"
    second = first.replace("March", "June")
    assert not is_story(report("News of frexalimab", first), report("An antibody", second))
    printed = f"Wolfsberg, 4 March. {RELEASE}"
    again = printed.replace("March", "June")
    assert is_story(report("News of frexalimab", printed), report("An antibody", again))


def edited(text: str, edits: list[tuple[str, str]]) -> str:
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    return text


TEXT_PAIRS = [
    *((f"release, {why}", RELEASE, edited(RELEASE, edits), same) for why, edits, same in EDITS),
    *((why, DECISION, edited(DECISION, edits), same) for why, edits, same in OTHER_DECISIONS),
    *(
        (f"{edit[0]} to {edit[1]}", text, edited(text, [edit]), same)
        for text, other, equal in IN_OTHER_LANGUAGES
        for edits, same in ((other, False), (equal, True))
        for edit in edits
    ),
]


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [pair[1:] for pair in TEXT_PAIRS],
    ids=[pair[0] for pair in TEXT_PAIRS],
)
def test_an_edit_of_a_text_parts_the_stories_if_it_changes_the_event(
    first: str, second: str, same: bool
):
    assert is_story(report("In the morning", first), report("An antibody", second)) is same


@pytest.mark.parametrize(
    "below",
    [
        DISCLAIMER,
        PROFILE,
        f"About Examplepharma {PROFILE}",
        "Forward-looking statements. " + PROFILE.replace("has", "expects"),
        (
            "Fragen Sie Ihre Ärztin, bevor Sie etwas an der Behandlung ändern. Dieser Text ersetzt "
            "keine Untersuchung, und niemand haftet für Fehler. Die Angaben wurden sorgfältig "
            "geprüft, "
            "sie können aber veraltet sein. Wer Nebenwirkungen bemerkt, meldet sie in der Praxis."
        ),
        (
            "Ces informations sont données à titre informatif et ne remplacent pas une "
            "consultation. "
            "Aucune décision ne doit être prise sur la base d’un texte de ce site, et la "
            "rédaction ne "
            "répond pas des erreurs. Merci de signaler les fautes à la rédaction par courrier."
        ),
        (
            "Esta información no sustituye la consulta. Nadie debe cambiar un tratamiento por "
            "haber "
            "leído algo en esta página, y la redacción no responde de los errores. Los textos se "
            "revisan una vez al año, y las fuentes se citan al final de cada uno de los artículos."
        ),
    ],
    ids=["disclaimer", "profile", "about", "outlook", "German", "French", "Spanish"],
)
@pytest.mark.parametrize("before", [True, False], ids=["above", "below"])
def test_what_stands_below_every_text_makes_no_story(below: str, before: bool):
    def text(own: str) -> str:
        return f"{below} {own}" if before else f"{own} {below}"

    first = report(
        "Frexalimab in pharmacies of Ulmenau", text("Ulmenau’s pharmacies stock frexalimab.")
    )
    second = report(
        "Examplepharma opens a plant near Eichstett",
        text("Frexalimab will be made in the plant near Eichstett."),
    )
    assert not is_story(first, second)


def test_a_release_with_the_company_described_below_it_is_one_story():
    first = report(
        "Trial of frexalimab in Wolfsberg is full", f"{RELEASE}\nAbout Examplepharma\n{PROFILE}"
    )
    second = report("All places taken in study of an antibody", f"From our wire. {RELEASE}")
    assert is_story(first, second)


def test_a_shorter_print_of_a_release_is_one_story():
    second = report("Antibody study is full", RELEASE[: RELEASE.index(" Results")])
    assert is_story(report("Frexalimab trial closes its doors", RELEASE), second)


TITLE = "Frexalimab slows disability in made-up trial of Wolfsberg"


def copy(title: str, outlet: str, text: str = "", dash: str = " - "):
    return report(
        f"{title}{dash}{outlet}", text or f"{title} {outlet}", "https://search.example.org/rss/1"
    )


@pytest.mark.parametrize(
    "outlet",
    [
        "Wolfsberg Medical Herald",
        "MSN",
        "wolfsberg-online.example",
        "Das Ärzteblatt",
        "Le Monde",
        "El País",
        "Pharmacy Times Canada",
        "The American Journal of Managed Care",
        "Yahoo Finance",
        "朝日新聞",
        "FDA News",
        "News24",
    ],
)
def test_a_copy_of_a_news_search_joins_its_original(outlet: str):
    original = report(TITLE, RELEASE, "https://herald.example.org/1")
    assert is_story(original, copy(TITLE, outlet))


@pytest.mark.parametrize("dash", [" - ", " – ", " — ", " | ", " · ", " « "])
def test_an_outlet_behind_any_dash_is_no_part_of_the_headline(dash: str):
    assert is_story(report(TITLE, "The trial met its goal."), copy(TITLE, "Ulm Herald", dash=dash))


def test_copies_from_two_outlets_are_one_story():
    assert is_story(copy(TITLE, "Ulm Herald"), copy(TITLE, "Reuters", dash=" | "))


def test_a_copy_with_its_headline_cut_joins_its_original():
    assert is_story(report(TITLE), report("Frexalimab slows disability in made-up trial…"))
    assert is_story(report(TITLE), copy("Frexalimab slows disability in made-up ...", "Ulm Herald"))


def test_a_copy_of_a_short_headline_joins_its_original():
    assert is_story(report("Frexalimab slows MS"), copy("Frexalimab slows MS", "Ulm Herald"))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("The agency’s word on frexalimab - Approved", "The agency’s word on frexalimab"),
        ("Frexalimab trial in MS - First Patient", "Frexalimab trial in MS - Last Patient"),
        ("Antibody meets goal in MS trial - Sanofi", "Antibody meets goal in MS trial - Roche"),
        ("Frexalimab trial in relapsing MS - Part 1", "Frexalimab trial in relapsing MS - Part 2"),
        ("Frexalimab in MS, a study - Design", "Frexalimab in MS, a study - Results"),
        ("Frexalimab approved for MS - Japan", "Frexalimab approved for MS - Canada"),
    ],
)
def test_words_behind_a_dash_that_state_something_are_no_outlet(first: str, second: str):
    assert not is_story(report(first), report(second))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("The FDA granted it on Friday.", "The Swissmedic letter came on Friday."),
        ("It cut relapses by 41 percent.", "It cut relapses by 12 percent."),
        ("All 640 patients were treated.", "All 120 patients were treated."),
        ("The HERKULES trial met its goal.", "The PERSEUS trial met its goal."),
        ("The goal was met.", "The goal was missed."),
    ],
)
def test_equal_headlines_above_other_facts_are_two_stories(first: str, second: str):
    title = "Frexalimab: the news that all waited for"
    assert not is_story(report(title, first), report(title, second))
    assert is_story(report(title, first), report(title, f"{first} More is not known."))


def test_a_country_that_only_one_headline_names_makes_another_story():
    first = report("FDA approves frexalimab for relapsing MS", "It was said today.")
    second = report("FDA approves frexalimab for relapsing MS in Canada", "So it was heard.")
    assert not is_story(first, second)


def test_records_of_two_trials_are_two_stories_whatever_their_titles():
    title = "A study of frexalimab in adults with relapsing multiple sclerosis"
    records = [
        fingerprint(f"https://registry.example.org/{number}", title, RELEASE, number)
        for number in ("NCT06000001", "NCT06000002")
    ]
    assert not is_story(*records)
    assert is_story(
        records[0], fingerprint("https://other.example.org/1", title, "", "NCT06000001")
    )
    article = report(title, RELEASE, "https://news.example.org/a")
    index = StoryIndex()
    index.add(1, 1, records[0])
    index.add(2, 2, article, 1)
    assert index.find_first(3, records[1]) is None


def test_a_report_joins_no_story_that_it_contradicts_in_part():
    index = StoryIndex()
    index.add(1, 1, report("Frexalimab and the agency: a decision", RELEASE))
    placed = report("FDA places hold on the frexalimab trial", RELEASE)
    assert index.find_first(2, placed) == 1
    index.add(2, 2, placed, 1)
    assert index.find_first(3, report("FDA lifts hold on the frexalimab trial", RELEASE)) is None
    assert index.find_first(4, report("A hold on the frexalimab trial", RELEASE)) == 1


def test_a_background_paper_joins_no_opposite_news():
    text = "The antibody was tested before (doi 10.5555/made-up.9)."
    assert not is_story(
        report("FDA places hold on frexalimab", text), report("FDA lifts hold on frexalimab", text)
    )
    assert is_story(
        report("Paper: 89% fewer lesions", text), report("Lesions fell by 92% with antibody", text)
    )


def test_a_front_page_is_no_page_of_an_article():
    address = "https://herald.example.org/"
    assert not is_story(report("Frexalimab in Ulm", "", address), report("A new ward", "", address))
