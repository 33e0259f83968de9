"""A pointer to the rest of a text goes; the text that it stands behind stays."""

import pytest

from notifier.text.cleaning import paragraphs
from notifier.text.pointers import without_end_pointer
from notifier.watch.parsers.feed_text import own_text

OWN = "A made-up trial met its goal in Oslo."


@pytest.mark.parametrize(
    "pointer",
    [
        "Continue reading",
        "Continue reading →",
        "Read more »",
        "Read more…",
        "[Read more]",
        "Read full story",
        "Weiterlesen",
        "Weiterlesen »",
        "Mehr lesen …",
        "Lire la suite",
        "Lire la suite de l’article",
        "Seguir leyendo",
        "Leer más",
        "Leggi tutto",
        "Continua a leggere",
        "Leia mais",
        "Lees verder",
        "Czytaj dalej",
        "Läs mer",
        "Devamını oku",
        "Читать далее",
        "続きを読む",
        "阅读全文",
        "Continue reading A trial in Oslo →",
        "Continue reading “A trial in Oslo”",
    ],
)
def test_a_pointer_at_the_end_becomes_an_ellipsis(pointer: str):
    for between in (" ", "\n", " … "):
        text = without_end_pointer(f"{OWN}{between}{pointer}", "A trial in Oslo")
        assert text in (f"{OWN} …", f"{OWN} … …"[:-2])
    assert without_end_pointer(pointer, "A trial in Oslo") == ""


@pytest.mark.parametrize(
    "text",
    [
        "People should continue reading",
        "To learn more. They did.",
        "We know more",
        "Read more about how lumetacept works in people with MS and what comes next",
        "It helps to read more.\nThe end of the text.",
        "Weiterlesen kann man hier nicht, sagt die Klinik.",
        "",
    ],
)
def test_words_of_the_text_are_no_pointer(text: str):
    assert without_end_pointer(text) == text


LINK = "https://herald.example.org/one/"
HOME = "https://herald.example.org/"
ITEM, SITE = f'<a href="{LINK}">A trial</a>', f'<a href="{HOME}">H</a>'
MORE = f'<a class="more-link" href="{LINK}">Weiterlesen <span>A trial</span></a>'
LONG = "of 129 people, half of whom were women over sixty, met its goal in Oslo."


@pytest.mark.parametrize(
    ("closing", "link", "kept"),
    [
        (f"The post {ITEM} appeared first on {SITE}.", LINK, ""),
        (f"Der Beitrag {ITEM} erschien zuerst auf {SITE}.", LINK, ""),
        (f"投稿 {ITEM} は {SITE} に最初に表示されました。", LINK, ""),
        (f"Artykuł {ITEM} pochodzi z serwisu {SITE}.", LINK, ""),
        (f'It did. <a href="{LINK}">Continue reading</a>', LINK, "It did. …"),
        (f"It did. {MORE}", LINK, "It did. …"),
        (f'It did, says <a href="{LINK}">our page</a>.', LINK, "It did, says our page."),
        (f'It did, says <a href="{HOME}trials/">a page</a>.', HOME, "It did, says a page."),
        (f'It did, say <a href="{HOME}">we</a>.', HOME, "It did, say we."),
        (f"{ITEM} {LONG}", LINK, f"A trial {LONG}"),
    ],
)
def test_a_closing_paragraph_goes_only_if_it_says_where_the_item_appeared(closing, link, kept):
    text = own_text(f"<p>Lead.</p><p>{closing}</p>", "A trial", link, paragraphs)
    assert text == f"Lead.\n{kept}".strip()
