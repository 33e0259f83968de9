"""A name is found however sites write it, and no other drug's name is taken for it."""

import pytest

from notifier.enums import TermKind, Tier
from notifier.match.names import substances
from notifier.match.names.name_variants import edits_between
from notifier.match.terms import TermSpec, Vocabulary
from tests.support.effort import measured
from tests.support.matching import judge_text

FOUND = {
    "a sign of a trade mark": [
        "Frexalimab™ slows lesions",
        "FREXALIMAB® for MS",
        "Frexalimab℠ in brief",
        "Frexalimab&trade; in brief",
        "Frexalimab&#8482; in brief",
        "Frexalimab(TM) in brief",
        "Frexalimab (R) in brief",
        "Frexalimabᵀᴹ in brief",
        "Frexalimab🅪 in brief",
        "FrexalimabTM in brief",
    ],
    "a mark of a reference": [
        "frexalimab¹² began",
        "frexalimab⁽³⁾ began",
        "frexalimab[12] began",
        "frexalimab* began",
        "frexalimab†‡ began",
        "frexalimabᵃ began",
        "frexalimab12 began",
        "frexalimab1,2 began",
        "NCT06141473⁴ began",
        "SAR441344¹,² began",
        "The FREXALT² trial began",
    ],
    "an invisible character": [
        "frexa\u00adlimab",
        "frexa\u200climab",
        "frexa\u2060limab",
        "fre\u034fxalimab",
        "frexalimab\ufe0f in brief",
        "frexa\u3164limab",
        "frexalimab\u200btrial begins",
        "the\u200bfrexalimab\u200bstudy begins",
        "SAR\u200b441344 begins",
    ],
    "another script beside it": [
        "制药公司的frexalimab在三期试验中",
        "frexalimabの試験が始まる",
        "「frexalimab」は抗体である",
        "SAR441344注射液的研究",
        "FREXALT試験が始まる",
        "NCT06141473の登録が始まる",
        "frexalimab은 임상에서",
        "frexalimab의 효과",
        "Frexalimab을 투여",
        "ยาfrexalimabในผู้ป่วย",
        "وfrexalimab في",
        "ה-frexalimab בטרשת",
        "הfrexalimab בטרשת",
        "frexalimabом лечат",
    ],
    "what Arabic, Hebrew, Korean, Russian or Greek joins to it": [
        "دراسة والفريكساليماب",
        "علاج بالفريكساليماب",
        "نتائج للفريكساليماب",
        "הפרקסלימאב בטרשת",
        "לפרקסלימאב בטרשת",
        "프렉살리맙에서는",
        "프렉살리맙군에서",
        "лечение фрексалимабом",
        "результаты фрексалимабу",
        "η μελέτη της φρεξαλιμάμπης",
    ],
    "another word that runs into it": [
        "#FrexalimabMS today",
        "#frexalimabms today",
        "#teamfrexalimab2026 today",
        "FrexalimabPhase3 begins",
        "MSFrexalimab begins",
        "FREXALIMABtrial begins",
        "Frexalimab_phase3 begins",
        "Done.Frexalimab/placebo",
    ],
    "a compound": [
        "Frexalimabstudie beginnt",
        "Ergebnisse der Frexalimabtherapie",
        "Frexalimabinfusionen im Vergleich",
        "Die Frexalimab-Studie",
        "Frexalimabbehandling i Norden",
        "patienter i frexalimabgruppen",
        "Frexalimabmonotherapie bei MS",
        "frexalimabinduzierte Übelkeit",
        "frexalimabnaive Patienten",
        "nach der Frexalimabumstellung",
        "Frexalimabverum gegen Placebo",
        "Frexalimabonderzoek begint",
        "Frexalimabhoito alkaa",
        "frexalimabkezelés kezdődik",
    ],
    "the ending of a case": [
        "leczenie frexalimabem",
        "dawka frexalimabu",
        "o frexalimabie",
        "léčba frexalimabů",
        "frexalimabin teho",
        "tutkimus frexalimabista",
        "hoito frexalimabilla",
        "frexalimab'ın etkisi",
        "frexalimabın etkisi",
        "frexalimabdan sonra",
        "a frexalimabról",
        "frexalimabbal kezelt",
        "Frexalimabs Wirkung",
        "frexalimabului",
        "frexalimabas",
        "frexalimabe",
        "Frexalimabum",
        "frexalimabnya",
        "freksalimabem",
        "freksalimabin",
    ],
    "digits in groups": [
        "SAR 441 344 begins",
        "SAR441 344 begins",
        "SAR-441-344 begins",
        "SAR441,344 begins",
        "SAR 441 344 300 mg",
        "NCT No. 06141473 begins",
        "NCT Nr. 06141473 beginnt",
        "NCT n° 06141473",
        "NCT № 06141473",
        "NCT number: 06141473",
        "NCT-0614-1473",
        "nct 061 414 73",
    ],
    "a slip": [
        "Frexalimumab",
        "Fraxilimab",
        "Frexilamab",
        "Frexalirnab",
        "Frexaliinab",
        "Frexa1imab",
        "Frexalimaab",
        "Freaxlimab",
        "Phrexalimab",
        "Freksalimab",
        "Frexzalimab",
        "FREXALİMAB",
        "ꜰʀᴇxᴀʟɪᴍᴀʙ",
        "𝐟𝐫𝐞𝐱𝐚𝐥𝐢𝐦𝐚𝐛",
        "F R E X A L I M A B",
        "frexali- mab",
    ],
}
NOT_FOUND = {
    "another drug": [
        "fianlimab", "cetrelimab", "frovatriptan", "frunevetmab", "rozanolixizumab", "feladilimab",
        "fresolimumab", "fremanezumab", "zalifrelimab", "favezelimab", "tirabrutinib", "axatilimab",
        "ezabenlimab", "faricimab", "fezolinetant", "fexofenadine", "felzartamab", "relatlimab",
    ],
    "a word that only begins or ends alike": [
        "A frexalimabian folly", "frexa", "limab", "Frexa Limb", "frexit", "Frixelomab",
    ],
    "a code that differs by a digit": [
        "SAR 441 345", "SAR 441 34", "SAR 441 3445", "SAR 44 1344 7", "AB 441 344", "SAR141344",
        "NCT No. 06141474", "NCT 0614 1474", "NCT 0614 1473 2", "NCT No. 0614147", "NCT061414731",
        "441 344",
    ],
}  # fmt: skip


def cases(table: dict[str, list[str]]) -> list:
    return [
        pytest.param(text, id=f"{kind}: {text}") for kind, texts in table.items() for text in texts
    ]


@pytest.mark.parametrize("text", cases(FOUND))
def test_the_name_is_found_however_it_is_written(text: str):
    judgement = judge_text(f"{text}. A study of a drug.")
    assert judgement.tier is Tier.ABOUT, judgement.reasons


@pytest.mark.parametrize("text", cases(NOT_FOUND))
def test_what_is_not_the_name_is_not_taken_for_it(text: str):
    judgement = judge_text(f"{text}. A study of a drug.")
    assert judgement.tier is Tier.NONE, judgement.reasons


@pytest.mark.parametrize(
    "title",
    [
        "Freviva trial in secondary progressive MS completes enrolment",
        "Sanofi's Frexalt study of 1,400 people is full",
        "Sanofi completes enrolment in Freviva",
        "The phase 3 Frexalt trial: 12 patients left",
        "FreViva study in relapsing MS",
        "Die Frexalt-Studie bei MS ist voll",
        "Essai Frexalt : 12 patients",
        "Frexalt試験に患者が登録された",
        "Frexalt (NCT06141473)",
        "Fabulinus trial in people with type 1 diabetes",
    ],
)
def test_a_trials_name_with_one_capital_counts_in_a_medical_headline(title: str):
    assert judge_text(title).tier is Tier.ABOUT


@pytest.mark.parametrize(
    "title",
    [
        "Fabulinus, a beetle of the high forest, and its study",
        "Freviva, a hotel by the sea, opens for patients",
        "Frexalt, a bakery, and its study of bread",
        "Alt-rock band Frexalt ends its trial separation",
        "A trial of the freviva diet in MS",
        "The Freviva hotel welcomes people with multiple sclerosis",
    ],
)
def test_a_word_that_looks_like_a_trials_name_is_another_word(title: str):
    assert judge_text(title, body="The weather was fine.").tier is Tier.NONE


@pytest.mark.parametrize(
    "title",
    [
        "New results confirm trial data in MS",
        "Confirm: study of patients with MS goes on",
        "Opera trial season opens for people with MS",
    ],
)
def test_a_trials_name_that_is_an_ordinary_word_counts_in_capitals_only(title: str):
    terms = [
        TermSpec(TermKind.TRIAL, "CONFIRM"),
        TermSpec(TermKind.TRIAL, "OPERA"),
        TermSpec(TermKind.INDICATION, "MS"),
    ]
    hits = Vocabulary({1: terms}).find(title)[1]
    assert [hit.term.text for hit in hits] == ["MS"]


def test_a_trial_is_found_by_its_number_beside_its_acronym_in_small_letters():
    terms = [TermSpec(TermKind.TRIAL, "NCT01234567", ("DAWNLIGHT",))]
    (hit,) = Vocabulary({1: terms}).find("The dawnlight project (NCT01234567)")[1]
    assert (hit.spelling, hit.count) == ("NCT01234567", 1)


def test_a_form_of_the_name_is_called_no_misspelling():
    assert judge_text("Frexalimabin teho").reasons == ("the headline names frexalimab",)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("frexalimab", 1),
        ("Frexalimab-Studie", 1),
        ("Frexalimabstudie und frexalimab", 2),
        ("#FrexalimabMS", 1),
        ("frexalimabs", 1),
        ("frexalimab12", 1),
        ("frexali- mab", 1),
        ("frexalimibs frexalimib", 2),
    ],
)
def test_each_occurrence_is_counted_once(text: str, count: int):
    hits = Vocabulary({1: [TermSpec(TermKind.NAME, "frexalimab")]}).find(text)[1]
    assert [hit.count for hit in hits] == [count]


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("tolebrutinib", "tolibrutinip"),
        ("tolebrutinib", "tolebrutnb"),
        ("tolebrutinib", "tolebbrutiniib"),
        ("methylprednisolone", "metilprednisolone"),
        ("teriflunomide", "teriflunamyde"),
        ("ofatumumab", "ofatummab"),
        ("alemtuzumab", "alemtuzamab"),
        ("mitoxantrone", "rnitoxantrone"),
    ],
)
def test_a_misspelt_name_is_found(name: str, word: str):
    vocabulary = Vocabulary({1: [TermSpec(TermKind.NAME, name)]})
    (hit,) = vocabulary.find(f"a trial of {word}")[1]
    assert (hit.spelling, hit.written) == (name, word)


@pytest.mark.parametrize(
    ("kind", "spelling", "written"),
    [
        (TermKind.CODE, "IMU-838", ["IMU838", "IMU 838", "IMU\u2011838", "IMU-838"]),
        (TermKind.CODE, "BG-12", ["BG12", "BG 12"]),
        (TermKind.CODE, "CNM-Au8", ["CNMAu8", "CNM Au8", "CNM-Au-8"]),
        (TermKind.TARGET, "IL-17A", ["IL17A", "IL 17A", "IL\u201317A"]),
        (TermKind.TARGET, "CD154", ["CD-154", "CD 154"]),
        (TermKind.TARGET, "TNF-alpha", ["TNF-α", "TNFα", "TNF alpha", "anti-TNF-α"]),
        (TermKind.TARGET, "TGF-β", ["TGF-beta", "TGF-β1 TGFβ", "TGFβ"]),
        (TermKind.NAME, "interferon beta-1a",
         ["interferon β-1a", "Interferon-ß-1a", "interferon-β1a", "interferon beta1a"]),
        (TermKind.NAME, "vitamin D3", ["Vitamin-D3", "vitamin D₃", "vitamin D 3"]),
        (TermKind.NAME, "dimethyl fumarate",
         ["Dimethylfumarat", "dimethylfumarate", "dimethyl-fumarate", "#dimethylfumarate"]),
        (TermKind.NAME, "glatiramer acetate", ["Glatirameracetat", "glatiramer acetates"]),
    ],
)  # fmt: skip
def test_a_term_is_found_in_the_spellings_that_texts_have(
    kind: TermKind, spelling: str, written: list[str]
):
    vocabulary = Vocabulary({1: [TermSpec(kind, spelling)]})
    for text in written:
        hits = vocabulary.find(f"a trial of {text} in people").get(1, [])
        assert [hit.count for hit in hits] == [1], text


@pytest.mark.parametrize(
    ("kind", "spelling", "written"),
    [
        (TermKind.CODE, "IMU-838", ["IMU8388", "IMU 8 38 4", "XIMU838", "IMU-83"]),
        (TermKind.TARGET, "IL-17A", ["IL-17 a day", "IL-17F", "IL17", "IL 170A"]),
        (TermKind.NAME, "interferon beta-1a", ["interferon β-1b", "interferon α-1a"]),
        (TermKind.NAME, "CAR-T", ["a shopping cart"]),
        (TermKind.NAME, "dimethyl fumarate", ["diroximel fumarate", "dimethyl ether fumarate"]),
    ],
)
def test_another_term_is_not_taken_for_it(kind: TermKind, spelling: str, written: list[str]):
    vocabulary = Vocabulary({1: [TermSpec(kind, spelling)]})
    assert [text for text in written if vocabulary.find(f"a trial of {text} in people")] == []


@pytest.mark.parametrize(
    ("name", "word", "text"),
    [
        ("frexalimab", "フレクサリマブ", "フレクサリマブの試験"),
        ("frexalimab", "フレクサリマブ", "新薬フレクサリマブが登場"),
        ("tolebrutinib", "トレブルチニブ", "トレブルチニブは"),
        ("tolebrutinib", "トレブルチニブ", "MS治療薬「トレブルチニブ」"),
        ("alemtuzumab", "アレムツズマブ", "アレムツズマブ投与後"),
        ("natalizumab", "ナタリズマブ", "ナタリズマブが有効"),
        ("fingolimod", "フィンゴリモド", "フィンゴリモドとリツキシマブ"),
    ],
)
def test_a_name_in_katakana_is_found_once_wherever_it_stands(name: str, word: str, text: str):
    (hit,) = Vocabulary({1: [TermSpec(TermKind.NAME, name)]}).find(text)[1]
    assert (hit.spelling, hit.written, hit.count) == (name, word, 1)


@pytest.mark.parametrize(
    "text",
    [
        "リツキシマブの",
        "イマチニブは",
        "イブルチニブ錠",
        "ザヌブルチニブ",
        "チラブルチニブ",
        "プラットフォームの",
    ],
)
def test_another_name_in_katakana_is_not_found(text: str):
    names = ("frexalimab", "tolebrutinib", "alemtuzumab", "natalizumab", "fingolimod")
    vocabulary = Vocabulary({name: [TermSpec(TermKind.NAME, name)] for name in names})
    assert vocabulary.find(text) == {}


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("natalizumab", "satralizumab"),
        ("laquinimod", "paquinimod"),
        ("lapatinib", "afatinib"),
        ("prednisone", "prednisolone"),
        ("tolebrutinib", "tirabrutinib"),
        ("enspryng", "inspiring"),
        ("phenobarbital", "pentobarbital"),
        ("frexalimab", "frexelimap"),
        ("ozanimod", "ozamod"),
        ("tolebrutinib", "tulobrutinap"),
    ],
)
def test_another_name_or_a_word_too_far_away_is_no_misspelling(name: str, word: str):
    vocabulary = Vocabulary({1: [TermSpec(TermKind.NAME, name)]})
    assert vocabulary.find(f"a trial of {word} and {word}s") == {}


def test_a_misspelling_of_another_drug_is_not_taken_for_a_name_that_is_further_away():
    vocabulary = Vocabulary({1: [TermSpec(TermKind.NAME, "natalizumab")]})
    assert vocabulary.find("a trial of sattralizumab") == {}
    assert set(vocabulary.find("a trial of natallizumab")) == {1}


def test_a_short_name_has_no_misspellings_and_a_word_is_no_ending():
    vocabulary = Vocabulary({1: [TermSpec(TermKind.NAME, "ocrevus")]})
    assert vocabulary.find("ocrevas") == {}
    assert vocabulary.find("ocrevusly") == {}
    assert set(vocabulary.find("Ocrevusta")) == {1}


def test_the_bundled_list_holds_plain_names_each_once():
    names = substances.names()
    assert len(names) > 2000
    assert all(name.isascii() and name.isalpha() and name.islower() for name in names)
    assert {"frexalimab", "tolebrutinib", "fresolimumab", "feladilimab", "kesimpta"} <= names


def test_no_name_of_the_bundled_list_is_found_as_another():
    names = sorted(name for name in substances.names() if len(name) >= 8)
    vocabulary = Vocabulary(
        {name: [TermSpec(TermKind.NAME, name)] for name in names},
    )
    text = " ".join(names)
    assert {key: len(hits) for key, hits in vocabulary.find(text).items()} == dict.fromkeys(
        names, 1
    )
    for name in ("frexalimab", "tolebrutinib", "ocrelizumab", "ofatumumab", "natalizumab"):
        only = Vocabulary({1: [TermSpec(TermKind.NAME, name)]})
        (hit,) = only.find(text)[1]
        assert (hit.count, hit.written) == (1, "")


def test_the_nearest_name_wins():
    assert edits_between("frexalimumab", "frexalimab") == 2
    terms = {name: [TermSpec(TermKind.NAME, name)] for name in ("evobrutinib", "tolebrutinib")}
    assert set(Vocabulary(terms).find("evobrutinip and toleburtinib")) == set(terms)


def test_a_text_made_of_misspellings_costs_time_in_proportion_to_its_length():
    vocabulary = Vocabulary({1: [TermSpec(TermKind.NAME, "tolebrutinib")]})
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = [f"t{a}lebru{b}in{c}b" for a in letters for b in letters for c in letters[:9]]
    with measured() as effort:
        vocabulary.find(" ".join(words))
    assert effort.processor < 5, "it was 25 seconds with a slower distance"
