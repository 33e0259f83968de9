"""The text that a reader sees of markup: no sign, word or power is lost in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.text.cleaning import paragraphs, plain
from notifier.text.tags import tags, with_signs_escaped
from tests.support.effort import measured


@pytest.mark.parametrize(
    "text",
    [
        "ALT <3×ULN in 12 people",
        "p<0.05 for lesions, p <.001 for relapses",
        "people of age <65 years and > 18 years",
        "before <- after -> later",
        "Neutrophils <LLN after obexelimab",
        "<LLN and AST >3×ULN",
        "Lymphozyten <UNG (unterer Normwert) bei 4 Personen",
        "plaquettes <seuil chez 3 patients",
        "IL-6 <IL-17 and IL-2>IL-4",
        "EDSS<b then EDSS>c",
        "write to <trial@clinic.example.org> or <https://clinic.example.org/>",
        "a <b and c> d",
        "TNF<alpha> and 5 < 7",
        "log-rank p <",
        "3 <4 <5",
        "<5 % of the group",
        "血小板<10万/µLの患者",
        "grade <a = 3 events",
    ],
)
def test_a_less_than_sign_that_opens_no_tag_is_text(text: str):
    assert plain(text) == text
    assert plain(f"<p>{text}</p>") == text
    assert plain(f"<p>Before.</p> {text}").endswith(text)


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ('<p class="x" id=y>One</p>', "One"),
        ('<img alt="p < 0.05 > 0.01" src=x>after', "after"),
        ('<img alt="<b>Photo</b>" src="a.png">after', "after"),
        ("<video controls muted>after", "after"),
        ('<o:p></o:p>Office<st1:place w:st="on"> markup</st1:place>', "Office markup"),
        ("<my-card open>custom</my-card>", "custom"),
        ("<P>capitals</P><BR/>", "capitals"),
        ('cut off in a tag <a href="https://news.exam', "cut off in a tag"),
        ("cut off in its end </p", "cut off in its end"),
        ("a<!-- b > c -->d", "ad"),
        ("<?xml:namespace prefix = o />Word", "Word"),
        ("<![CDATA[<p>packed twice</p>]]>", "packed twice"),
        ("<script>if (a<b) x()</script>safe", "safe"),
        ("<style>p > a { }</style>safe", "safe"),
    ],
)
def test_a_tag_of_any_make_is_no_text(markup: str, text: str):
    assert plain(markup) == text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("obex<b>eli</b>mab", "obexelimab"),
        ("obexe<wbr>limab", "obexelimab"),
        ("obexe&shy;limab", "obexelimab"),
        ('<span class="dropcap">O</span>bexelimab', "Obexelimab"),
        ("1,<a href=/d>200 mg</a>", "1,200 mg"),
        ("<p>One</p><p>two</p>", "One\ntwo"),
        ("one<br>two<br/>three", "one\ntwo\nthree"),
        ("<dl><dt>Dose</dt><dd>5 mg</dd></dl>", "Dose\n5 mg"),
        ("<table><tr><td>12</td><td>34</td></tr></table>", "12\n34"),
        ("<summary>More</summary>text", "More\ntext"),
        ("<figure><figcaption>A photo</figcaption></figure>text", "A photo\ntext"),
        ('Obexelimab<img class="wp-smiley" alt="™" src="t.png">', "Obexelimab™"),
        ("one\ntwo", "one\ntwo"),
        ("<b>one\ntwo</b>", "one two"),
    ],
)
def test_tags_inside_a_line_join_words_and_blocks_part_them(markup: str, text: str):
    assert paragraphs(markup) == text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("10<sup>6</sup> cells", "10⁶ cells"),
        ("10<span style='font-size:9px; vertical-align: super;'>6</span> cells", "10⁶ cells"),
        ('71.4%<span style="vertical-align:super">9</span> of them', "71.4% of them"),
        ('1,900 mg<span style="vertical-align:baseline">, monthly</span>', "1,900 mg, monthly"),
        ("from 7.1×10<sup>8</sup> to 4.2x10<sup>5</sup>", "from 7.1×10⁸ to 4.2x10⁵"),
        ("10<sup>-6</sup>, 10<sup>&minus;12</sup> mol", "10⁻⁶, 10⁻¹² mol"),
        ("10<sup>3</sup>–10<sup>4</sup>/µL", "10³–10⁴/µL"),
        ("375 mg/m<sup>2</sup>", "375 mg/m²"),
        ("1.73 m<sup>2</sup> and 4 cells/mm<sup>3</sup>", "1.73 m² and 4 cells/mm³"),
        ("9.81 m/s<sup>2</sup>", "9.81 m/s²"),
        ("mL min<sup>-1</sup>", "mL min⁻¹"),
        ("R<sup>2</sup> = 0.8, χ<sup>2</sup> = 4", "R² = 0.8, χ² = 4"),
        ("<sup>18</sup>F-FDG and <sup>64</sup>Cu", "¹⁸F-FDG and ⁶⁴Cu"),
        ("Ca<sup>2+</sup> into CD8<sup>+</sup> cells", "Ca²⁺ into CD8+ cells"),
        ('10<span class="superscript">9</span>/L', "10⁹/L"),
        ("1<sup>st</sup>, 2<sup>nd</sup>, le 1<sup>er</sup> mai", "1st, 2nd, le 1er mai"),
        ("M<sup>me</sup> Roe, n<sup>o</sup> 5", "Mme Roe, no 5"),
        ("Obexelimab<sup>TM</sup>, Made-Up<sup>&reg;</sup>", "Obexelimab™, Made-Up®"),
        ("CO<sub>2</sub>, HbA<sub>1c</sub>, C<sub>max</sub>", "CO2, HbA1c, Cmax"),
        ("log<sub>2</sub>3", "log₂3"),
        ("about 10<sup>6–8</sup> cells, (10<sup>4</sup>)", "about 10⁶⁻⁸ cells, (10⁴)"),
    ],
)
def test_a_power_stays_a_power(markup: str, text: str):
    assert plain(markup) == text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("71.4%<sup>9</sup> of them", "71.4% of them"),
        ("1,950 mg<sup>2</sup> a day", "1,950 mg a day"),
        ("text.<sup>12,13</sup> More", "text. More"),
        ("text<sup>3–5</sup>", "text"),
        ("text<sup>[4]</sup>", "text"),
        ("text<sup>(1, 2)</sup>", "text"),
        ("obexelimab<sup><a href='#r12'>12</a></sup> began", "obexelimab began"),
        ('people<a href="#fn3">3</a> joined', "people joined"),
        ("people<a class=footnote-ref href='#fn3'>[3]</a> joined", "people joined"),
        ('people<span class="footnote">4</span> joined', "people joined"),
        ("ABC123456<sup>1</sup>", "ABC123456"),
        ("NCT99123456<sup>4</sup>", "NCT99123456"),
        ("IL-6<sup>7</sup>, COVID-19<sup>8</sup>", "IL-6, COVID-19"),
        ("placebo<sup>a</sup>, 12 %<sup>b</sup>", "placebo, 12 %"),
        ("in week 24<sup>5</sup> and grade 2<sup>6</sup>", "in week 24 and grade 2"),
        ("in 129<sup>3</sup> of 1,210<sup>4</sup> people", "in 129 of 1,210 people"),
        ("of 10<sup>6,7</sup> people", "of 10 people"),
        ("p<0.05<sup>**</sup>", "p<0.05"),
        ("Roe<sup>†</sup>", "Roe"),
        ("the trial <sup>12</sup> began", "the trial began"),
        ("l’étude<sup>&nbsp;7</sup>", "l’étude"),
    ],
)
def test_a_reference_mark_is_no_part_of_what_it_stands_behind(markup: str, text: str):
    assert plain(markup) == text


@pytest.mark.parametrize("markup", ["see <a href='#t2'>2</a> below", "Table <a href='#t2'>2</a>"])
def test_a_number_that_links_into_its_page_stays_behind_a_space(markup: str):
    assert "2" in plain(markup)


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("Obexelimab&amp;#8217;s win", "Obexelimab’s win"),
        ("R&amp;amp;amp;D", "R&D"),
        ("&lt;em&gt;in vivo&lt;/em&gt; data", "in vivo data"),
        ("&amp;lt;p&amp;gt;One&amp;lt;/p&amp;gt;", "One"),
        ("<p>A &lt;strong&gt;big&lt;/strong&gt; step&amp;nbsp;on</p>", "A big step on"),
        ("First&lt;br /&gt;second", "First second"),
        ("p &amp;lt; 0.05", "p < 0.05"),
        ("ALT &amp;lt;3×ULN", "ALT <3×ULN"),
        ("&lt;a href=&quot;https://news.example.org/&quot;&gt;News&lt;/a&gt;", "News"),
        ("caf&amp;eacute; &amp;euro;5", "café €5"),
        ("&lt;p&gt; is a tag of HTML", "<p> is a tag of HTML"),
        ("A guide to &lt;head&gt; elements", "A guide to <head> elements"),
        ("AT&amp;T; and R&amp;D", "AT&T; and R&D"),
    ],
)
def test_text_that_is_plainly_escaped_twice_is_unescaped_again(markup: str, text: str):
    assert plain(markup) == text


WORDS = st.text(st.characters(categories=["L", "N", "Po", "Sm", "Zs"], exclude_characters="&"))


@given(st.lists(WORDS, max_size=6))
def test_no_word_outside_tags_is_lost(texts: list[str]):
    markup = "<p>" + "</p><p>".join(text.replace("<", "&lt;") for text in texts) + "</p>"
    assert paragraphs(markup).split() == " ".join(texts).split()


@given(st.text(st.characters(categories=["L", "N", "Zs"], include_characters="<>=."), max_size=80))
def test_signs_that_open_no_tag_are_all_kept(text: str):
    its_tags = list(tags(text))
    kept = plain(text)
    if not its_tags:
        assert kept.split() == text.split()
    for word in "".join(" " if char in "<>=" else char for char in text).split():
        inside_tag = any(word in text[tag.start : tag.end] for tag in its_tags)
        assert word in kept or inside_tag


@given(st.text(max_size=200))
def test_escaping_the_signs_of_a_text_is_done_once(text: str):
    assert with_signs_escaped(with_signs_escaped(text)) == with_signs_escaped(text)


LONG = 100_000
HOSTILE = {
    "signs": "<",
    "tags": "<p>",
    "unclosed tags": "<b ",
    "unclosed quotes": "<a b='",
    "quotes in turn": "<a b=\"<a c='",
    "quoted tags": "<b x='<'>",
    "powers": "<sup>1</sup>",
    "open powers": "<sup>1",
    "indices": "<sub>a",
    "ends of powers": "</sup>",
    "footnotes": "<a href='#'>1",
    "comments": "<!--",
    "packed": "<![CDATA[",
    "references": "&amp;",
    "cut references": "&#x",
    "escaped tags": "&lt;b&gt;x&lt;/b&gt;",
    "classes": "<img class='",
    "spaces": "<a                 ",
}


@pytest.mark.parametrize("unit", HOSTILE.values(), ids=HOSTILE)
def test_hostile_markup_costs_no_more_than_its_length(unit: str):
    """A quadratic reader took a minute for a megabyte."""
    half = LONG // len(unit) // 2
    with measured() as effort:
        paragraphs(unit * half * 2)
        paragraphs(unit * half + "</sup></sub></a></b>" * (half // 4))
    assert effort.processor < 2


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>It fell by <del>86</del><ins>89</ins>%.</p>", "It fell by 89%."),
        ("The dose was <s>1,200</s> 1,800 mg.", "The dose was 1,800 mg."),
        ("<strike>One <b>drug</b></strike> Two drugs", "Two drugs"),
        ("<s>one <a href='#1'>two</a> three</s> four<sup>2</sup>", "four"),
        ("a <s>b <s>c</s> d</s> e", "a e"),
        ("never closed <s>is shown", "never closed is shown"),
        ("closed only</s> is shown", "closed only is shown"),
        (f"<del>{'A whole article. ' * 20}</del>", " ".join(["A whole article."] * 20)),
    ],
)
def test_what_a_publisher_struck_out_is_not_read(markup: str, text: str):
    assert plain(markup) == text
