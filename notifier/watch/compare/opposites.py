"""Opposites: words that turn what a sentence says when one stands in the place of the other.

Pure. Most words of the lists are no facts by themselves (`facts.py`): a text may gain or lose an
"after" without telling anything else. It tells something else when "after" became "before". Words
are known in English, German, French, Spanish, Italian and Dutch, the commonest in the Nordic
languages, Russian, Japanese, Chinese and Korean; pairs such as "possible" and "impossible" are
known by their beginnings. The lists were chosen by hand; not measured, because no set of labelled
edits exists.
"""

from collections.abc import Iterable, Sequence

from notifier.watch.compare.wording import Word, bare

# A paragraph for each question, with bars between its sides; an asterisk stands for any ending.
_QUESTIONS = """
rose risen rise rises rising climb* grew grow grows growing jump* surg* soar* up stieg*
gestiegen steigt steigen zugenommen wuchs* gewachsen hausse* monté montée grimp* subió suben
sube subido subida creció crece crecen salito salita sale steeg stegen stijgt gestegen
toegenomen ökade ökar ökat steg økte øker вырос* повыс* увелич* 増 增 升 증가* 상승*
| fell fallen fall falls falling drop* declin* shrank shrink* plung* down sank sanken sinkt
sinken gesunken fiel fielen gefallen abgenommen baiss* chut* recul* diminu* bajó bajan baja
bajado bajada cayó cae caen descend* sceso scesa scende daald* daalt gedaald afgenomen
minskade minskar minskat sjönk faldt falt synker сниз* упал* уменьш* 減 减 降 감소* 하락*

doubl* verdoppel* duplic* raddoppi*
| tripl* verdreifach* triplic*
| halve halved halves halving halbier* dimezz*

positiv* positif* positief* положительн* 陽 阳 양성*
| negativ* négatif* negatief* отрицательн* 陰 阴 음성*

gain gains gained gaining
| loss losses lose loses lost losing

won wins win gewonnen gewann
| lost loses lose verloren verlor

afew alittle unpeu unpoco einwenig
| few little peu poco wenig

above oberhalb dessus encima sopra boven выше
| below unterhalb dessous debajo sotto ниже

over über
| under unter

before vor avant antes prima voor före innan før до 前 이전*
| after nach après después dopo na efter etter после 后 後 이후*

began begun begin begins beginning started begonnen begann beginnt gestartet commenc* démarr*
comenz* empez* inizi*
| ended ends ending finish* conclud* beendet endet geendet fini finie finis acabó acabado
finaliz* finito finita

accept* grant* allow* permit* endors* erlaub* angenommen autoris* acept* accett* 承 批 승인*
| denied denies deny refus* declin* bann* ban bans forbid* prohibit* verbot* untersag* interdi*
deneg* prohib* rifiut* vietat* 却 拒 거부*

mice mouse rats rat monkeys animals mäuse* ratten souris animaux ratones animales topi animali
muizen мыш* крыс*
| people persons humans patients adults volunteers menschen patienten personnes humains personas
pacientes humanos persone pazienti mensen людей людях пациент*

mehr plus más più meer
| weniger moins menos meno minder

high hoch hohe hohen hoher hohes élevé élevée haut haute alto alta altos altas hoog hoge 高
| low niedrig* gering* faible* bas basse bajo baja bajos bajas basso bassa laag lage 低

long langer lange langes longue largo larga lungo lunga lang 長 长
| short kurz kurze kurzer kurzes court courte corto corta breve kort korte 短

strong stronger stark* fort forte fuerte* sterk*
| weak weaker schwach* faible* débil* debole* zwak*

common frequent frequently häufig* fréquent* frecuente* frequente* vaak often oft souvent
menudo spesso
| rare rarely seldom selten* rarement raro rara raros raras zelden

early earlier früh früher tôt temprano presto vroeg
| late later spät später tard tarde tardi laat

morning morgens matin mañana mattina
| evening night abends soir noche sera

encourag* promising ermutig* prometteu* alentador* incoraggiant*
| disappoint* enttäusch* décevant* decepcion* deludent*

healthy gesund* sain saine sains sano sana sanos
| ill sick krank* malade* enferm* malat*

male males männlich* hommes hombres uomini mannen мужчин* 男 남성*
| female females weiblich* femmes mujeres donne vrouwen женщин* 女 여성*

boy boys
| girl girls

older ältere* mayores
| younger jüngere* jóvenes

good gut gute guter gutes bon bonne bueno buena
| bad schlecht* mauvais* malo mala

true wahr vrai* verdader* vero
| false falsch* faux fausse fals*

inside innerhalb
| outside außerhalb

on
| off

上 이상*
| 下 이하*

成
| 失
"""
# Beginnings that turn a word, and beginnings that are each other's opposite.
_TURNING = ("un", "in", "im", "il", "ir", "non", "dis", "contra", "des")
_OPPOSED = (("hypo", "hyper"), ("hipo", "hiper"), ("ipo", "iper"), ("гипо", "гипер"),
            ("pre", "post"), ("under", "over"))  # fmt: skip
# In letters, of a word without such a beginning; in words, of each side of an edit in which one
# word stands in the place of another. Chosen by hand; not measured.
_SHORTEST_ROOT, _LONGEST_EDIT = 4, 6


# The sides that a word is on, each with the number of its question.
_Sides = frozenset[tuple[int, int]]


def _known() -> tuple[dict[str, _Sides], dict[str, _Sides]]:
    """Return the sides of whole words, and those of the beginnings of words."""
    whole: dict[str, set[tuple[int, int]]] = {}
    stems: dict[str, set[tuple[int, int]]] = {}
    for question, sides in enumerate(_QUESTIONS.split("\n\n")):
        for side, listed in enumerate(sides.split("|")):
            for word in listed.split():
                stem = word.removesuffix("*")
                known = whole if stem == word else stems
                known.setdefault(bare(stem), set()).add((question, side))
    return (
        {word: frozenset(sides) for word, sides in whole.items()},
        {stem: frozenset(sides) for stem, sides in stems.items()},
    )


_WORDS, _STEMS = _known()
_LONGEST_STEM = max(map(len, _STEMS))


def are_turned(gone: Sequence[Word], came: Sequence[Word]) -> bool:
    """Return whether an opposite stands in the place of a word.

    Args:
        gone: the words that were removed.
        came: the words that stand in their place.
    """
    if not gone or not came or max(len(gone), len(came)) > _LONGEST_EDIT:
        return False
    before, after = _sides(gone), _sides(came)
    lost, gained = before - after, after - before
    asked = {question for question, _ in gained}
    if any(question in asked for question, _ in lost):
        return True
    return any(_are_opposed(word.key, other.key) for word in gone for other in came)


def _sides(words: Iterable[Word]) -> _Sides:
    return frozenset(side for word in words for side in _sides_of(word.key))


def _sides_of(word: str) -> _Sides:
    if word in _WORDS:
        return _WORDS[word]
    for length in range(min(len(word), _LONGEST_STEM), 0, -1):
        if sides := _STEMS.get(word[:length]):
            return sides
    return frozenset()


def _are_opposed(word: str, other: str) -> bool:
    """Return whether two words differ by their beginnings alone, as possible and impossible do."""
    shorter, longer = sorted((word, other), key=len)
    beginning = longer.removesuffix(shorter)
    if beginning != longer and len(shorter) >= _SHORTEST_ROOT and beginning in _TURNING:
        return True
    return any(
        (word.startswith(first) and other == second + word[len(first) :])
        or (other.startswith(first) and word == second + other[len(first) :])
        for first, second in _OPPOSED
    )
