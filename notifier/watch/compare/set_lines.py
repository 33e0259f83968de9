"""Short lines that consist of set words and a date or a number: updates, reading times, counters.

Pure. Owns the words of such lines in about twenty languages. A line is one of them only if nothing
else stands in it, in whatever order: ``Page last updated: 3 Mar 2026 | Next review due: 2029``. It
knows nothing of the other lines that a site puts around its texts (`surroundings.py`). The lists
were chosen by hand; not measured.
"""

import re
from typing import NamedTuple

from notifier.watch.compare.numerals import DATE

# Characters of a line that is looked at.
_LONGEST = 120
_WORD = re.compile(r"[^\W\d_]+")
_DIGIT = re.compile(r"\d")
# A heart, a star, or a picture such as a thumb: before a counter.
_SYMBOL = re.compile("[\u2605\u2606\u2661\u2764\U0001f300-\U0001faff]")
_DATES = re.compile(rf"(?i){DATE}")
# A date with a month in a language that `numerals.py` does not know, and a month in digits; a time
# of day.
_OTHER_DATES = re.compile(
    r"\b\d{1,2}\.?\s(?:de\s)?[^\W\d_]{3,12}\.?\s(?:de\s)?(?:19|20)\d\d\b"
    r"|(?<![\d/])(?:0?[1-9]|1[0-2])/(?:19|20)\d\d\b"
)
_CLOCK = re.compile(r"\b\d{1,2}[:.h]\d\d(?!\d)(?:\s?[ap]\.?m\b\.?)?")
_MOMENT = "\x00"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.casefold().split())


_GLUE = _words(
    "at on by in the this of is was has been a an page article content story post date time last "
    "first next due and by um uhr am vom der die das diese dieser dieses seite artikel beitrag "
    "datum letzte letztes zuletzt wurde nächste h le la à les dernière cette cet page article "
    "première date el los a las última último última fecha esta este página artículo il alle ore "
    "ultimo ultima data questa pagina articolo op om het laatst laatste deze pagina em às esta "
    "artigo senast den sist sidst w dnia ostatnia o г в последнее дата utc gmt cet cest est edt "
    "pst pdt bst et de di del do da"
)
_UNITS = _words(
    "second seconds sec minute minutes min mins hour hours hr hrs day days week weeks month months "
    "year years sekunden minute minuten std stunde stunden tag tage tagen woche wochen monat "
    "monaten jahr jahren heure heures jour jours semaine semaines mois an ans minuto minutos hora "
    "horas día días dia dias semana semanas mes meses año años mês ano anos minuti ora ore giorno "
    "giorni settimana settimane mese mesi anno anni minuut uur dag dagen weken maand maanden jaar "
    "minut minuty minuta godzin godziny dni dzień tygodni miesiąc miesięcy timme timmar dagar "
    "vecka veckor timer dage uger minuutti minuuttia мин минут минуты час часа часов день дня дней "
    "неделю недели недель месяц месяца месяцев год года лет dakika dk saat gün hafta ay yıl "
    "分 分钟 "
    "分鐘 小时 時間 日 天 분 시간 일"
)


class _Kind(NamedTuple):
    """A kind of such lines.

    Attributes:
        named_by: the words of which one must be there.
        others: the further words that may be there.
        with_moment: whether a date or a time must be there, and no other digit.
    """

    named_by: frozenset[str]
    others: frozenset[str]
    with_moment: bool = False


_KINDS = (
    _Kind(
        _words(
            "update updated updates modified reviewed review published posted edited checked "
            "revised online released created current retrieved accessed printed prepared "
            "preparation generated today yesterday heute gestern hoy ayer oggi ieri vandaag "
            "gisteren abgerufen gedruckt générée consulté consultado aktualisiert "
            "aktualisierung geändert änderung stand received accepted eingereicht angenommen "
            "veröffentlicht veröffentlichung bearbeitet geprüft überprüft erstellt jour publié "
            "publiée publication modifié modifiée actualisé actualizado actualizada actualización "
            "publicado publicada publicación revisado revisada modificado aggiornato aggiornamento "
            "pubblicato pubblicazione bijgewerkt gepubliceerd gewijzigd atualizado atualizada "
            "atualização publicação revisão uppdaterad uppdaterat publicerad opdateret oppdatert "
            "publisert udgivet päivitetty julkaistu aktualizacja opublikowano zaktualizowano "
            "aktualizováno publikováno обновлено обновлён обновлен опубликовано изменено "
            "оновлено güncelleme güncellendi yayınlanma frissítve actualizat diperbarui "
            "更新 更新日 最終更新 最終更新日 最終更新日時 公開日 更新日時 更新时间 发布时间 "
            "发布 最后更新 "
            "更新時間 업데이트 수정 최종수정 입력"
        ),
        _GLUE | _words("mis mise medically clinically fact originally full we also as ist es"),
        with_moment=True,
    ),
    _Kind(
        _words(
            "reading read lesezeit lesedauer lecture lectura lettura leestijd leitura czytania "
            "lästid læsetid lesetid lukuaika чтения читать okuma čtení 阅读时间 阅读时长 閱讀時間 "
            "読了時間 この記事は約 読了目安 읽는"
        ),
        _UNITS
        | _GLUE
        | _words(
            "to takes take time temps tiempo tempo czas czasu время doba süresi estimated average "
            "less than about approx approximately ca circa env environ unos unas de di del der "
            "minuta minute geschätzte estimé estimado stimato weniger als einer moins d une 约 約 "
            "で読めます 小于 short long"
        ),
    ),
    _Kind(
        _words(
            "views view reads likes shares comments replies downloads votes vote ratings rated "
            "claps accesses altmetric cited citations citation zitiert readers helpful useful "
            "viewed gelesen "
            "lu leído letto aufrufe klicks kommentare gefällt stimmen vues partages commentaires "
            "visitas vistas lecturas comentarios visualizzazioni letture commenti weergaven "
            "reacties visualizações visualizacoes comentários wyświetleń komentarzy odsłon "
            "visningar kommentarer visninger просмотров просмотры комментариев комментарии "
            "прочтений görüntülenme yorum 閲覧数 閲覧 浏览 浏览量 阅读量 阅读 点赞 评论 コメント "
            "いいね 조회수 조회 댓글 추천"
        ),
        _words(
            "k m mal the out of stars star average no rating total page article me gusta j aime "
            "people this and by von mal fois veces volte times metrics online currently found was "
            "yes 次 件 条 회 개 количество"
        ),
    ),
    _Kind(
        _words("ago vor hace há fa geleden temu назад önce sedan siden sitten il před 前 전 voor"),
        _UNITS | _words("y a about posted published updated veröffentlicht publié publicado ca"),
    ),
)


def is_set_line(line: str) -> bool:
    """Return whether a line consists of the set words of one kind and a date or a number."""
    if len(line) > _LONGEST or not _DIGIT.search(line):
        return _is_less_than_a_minute(line)
    text = _DATES.sub(_MOMENT, line)
    if _SYMBOL.search(line) and not _WORD.search(line):
        return True
    text = _CLOCK.sub(_MOMENT, _OTHER_DATES.sub(_MOMENT, text))
    its_words = frozenset(_WORD.findall(text.casefold()))
    has_moment, has_number = _MOMENT in text, bool(_DIGIT.search(text))
    return any(
        not its_words.isdisjoint(kind.named_by)
        and its_words <= kind.named_by | kind.others
        and (has_moment and not has_number if kind.with_moment else has_number and not has_moment)
        for kind in _KINDS
    )


def _is_less_than_a_minute(line: str) -> bool:
    """Return whether a line is a reading time without a number."""
    its_words = frozenset(_WORD.findall(line[:_LONGEST].casefold()))
    reading = _KINDS[1]
    return (
        len(line) <= _LONGEST
        and not its_words.isdisjoint(reading.named_by)
        and not its_words.isdisjoint(("minute", "minuten", "minuto", "min"))
        and its_words <= reading.named_by | reading.others
    )
