"""A sentence ends where a reader ends it: not at an abbreviation, an initial or a number."""

import pytest

from notifier.enums import Tier
from notifier.text.sentences import first_sentence_end
from tests.support.matching import judge_text

WHOLE = [
    "The U.S. Food and Drug Administration met.",
    "Dr. Sample and Prof. Muster met J. R. Smith.",
    "In the study, 89.5% had no lesions.",
    "The value was p < .001 in all.",
    "Trial No. 5 began on Jan. 3 in Springfield.",
    "Drugs, e.g. antibodies, i.e. proteins, were given.",
    "Sample Inc. said that Muster Corp. Europe paid.",
    "Frexalimab vs. Placebo was the question.",
    "It was shown by Sample et al. (2026) in Fig. 2.",
    "Patienten, z. B. Frauen, bzw. Kinder, nahmen am 3. März teil.",
    "Am 12. Kongress sprach Dr. med. Muster.",
    "Le Dr Exemple, p. ex. le 3 mars, parle.",
    "La EE. UU. Agencia habla de 1.200 mg por dosis.",
    "See www.example.org for version 2.0 of it.",
    "A Ph.D. Student spoke at 3 p.m. Eastern time.",
    "Approx. 40 people of St. Sample took part.",
    "Badania, np. Faza 3, są w toku.",
]
ENDS = [
    "It ended. ",
    "It ended! ",
    "Did it end? ",
    "It ended... ",
    "He said “It ended.” ",
    "(It ended.) ",
    "試験が始まった。",
    "试验开始了！",
    "परीक्षण शुरू हुआ।",
    "هل بدأت؟ ",
    "It was a trial of phase 3. ",
    "People live with MS. ",
    "It began in the U.S. ",
    "They were paid by Sample Inc. ",
    "It binds CD40L. ",
    "The answer was no. ",
    "It was done in 2025. ",
]


@pytest.mark.parametrize("sentence", WHOLE)
def test_a_full_stop_inside_a_sentence_does_not_end_it(sentence: str):
    assert first_sentence_end(f"{sentence} The next one follows.") == len(sentence)


@pytest.mark.parametrize("sentence", ENDS)
def test_a_sentence_ends_before_the_next_one(sentence: str):
    text = f"{sentence}The next one follows."
    assert text[: first_sentence_end(text)] == sentence.rstrip()


def test_a_text_without_a_stop_is_one_sentence():
    assert first_sentence_end("No stop") == 7
    assert first_sentence_end("") == 0
    assert first_sentence_end("One. Two. Three", 5) == 9


@pytest.mark.parametrize(
    ("body", "tier"),
    [
        ("The U.S. agency named frexalimab a drug to watch. It is new.", Tier.ABOUT),
        ("Of all, 89.5% of those on frexalimab felt well. It is new.", Tier.ABOUT),
        ("Laut Dr. Muster wirkt z. B. Frexalimab gut. Es ist neu.", Tier.ABOUT),
        ("There are many drugs. One of them is frexalimab. It is new.", Tier.MENTION),
        ("薬は多い。その一つはfrexalimabである。新しい。", Tier.MENTION),
        ("It began in the U.S. The drug is frexalimab. It is new.", Tier.MENTION),
    ],
)
def test_the_first_sentence_decides_what_a_text_is_about(body: str, tier: Tier):
    assert judge_text("Trial results for people with MS", body=body).tier is tier
