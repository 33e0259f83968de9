"""Event words: the vocabulary by which a text states what happened.

Owns the lists of verbs, negations, numbers and units that `events.py` reads, and nothing else.
English, German, French and Spanish, with the commonest words of Italian, Portuguese and
Dutch; collected by hand from headlines about medicines; not measured. Words are written in small
letters without accents; an asterisk stands for any ending.
"""

from collections.abc import Mapping

from notifier.match.stories.word_lists import Words, words

# Axes on which a text states one thing or its opposite: "+" or "-" or, for the course of a trial,
# a word.
AXES: Words[tuple[str, str]] = Words(
    [
        (
            ("decision", "+"),
            (
                "approv* authoris* authoriz* licens* endors* clears cleared clearance lasst "
                "recommend* backs zugelassen* zulass* genehmig* empfiehl* empfohl* befurwort* "
                "approuv* autoris* recommand* aprueb* aprob* autoriz* recomiend* recomend* "
                "approva* "
                "aprov* goedgekeurd*"
            ),
        ),
        (
            ("decision", "-"),
            (
                "reject* refus* denies denied denial declin* rebuff* snub* rebuke* "
                "responseletter crl ablehn* abgelehnt lehnt verweiger* untersag* rejet* rechaz* "
                "denieg* deneg* respin* rifiut* recus* afgewezen"
            ),
        ),
        (
            ("hold", "-"),
            (
                "hold pause paused pauses pausing suspend* suspens* halt halts halted "
                "unterbr* pausier* ausgesetzt aussetz* interromp* interrumpe* sospen*"
            ),
        ),
        (
            ("hold", "+"),
            (
                "lift* resum* restart* unpaus* aufgehoben aufheb* hebt hob fortgesetzt "
                "wiederaufn* leve* levee reprend* reprise* levant* reanud* ripres* retom*"
            ),
        ),
        (
            ("goal", "+"),
            (
                "meet meets met achiev* reach* hit hits succeed* success* hails "
                "erreich* erfullt* gelingt gelang* erfolgreich* atteint* atteign* reussi* succes "
                "cumpl* alcanz* logr* exito* raggiung* atinge* haalt"
            ),
        ),
        (
            ("goal", "-"),
            (
                "miss misses missed missing fail* flop* unsuccess* verfehl* scheiter* "
                "gescheitert misserfolg* erfolglos* manqu* echou* echec* echoue* fracas* incumpl* "
                "falla* fallo* fallisc* manca* falha* mislukt*"
            ),
        ),
        (
            ("effect", "+"),
            (
                "effective effectively efficac* works worked helps helped benefit* "
                "improv* better superior outperform* beats wirksam* wirkt wirkung* hilft "
                "verbesser* "
                "uberlegen* schlagt besser efficace* efficaces amelior* superieur* bienfait* "
                "eficaz* "
                "eficac* mejor* superior* beneficio* funciona* effect effects effet "
                "effets efecto efectos"
            ),
        ),
        (
            ("effect", "-"),
            (
                "ineffect* ineffic* useless worse worsen* harm* inferior unwirksam* "
                "wirkungslos* verschlecht* unterlegen* schadet inefficac* aggrav* inferieur* "
                "ineficaz* "
                "ineficac* empeor* inferior*"
            ),
        ),
        (
            ("lowering", "+"),
            (
                "lower* reduc* cut cuts cutting slow slows slowed slowing decreas* "
                "curb* shrink* senk* gesenkt verringer* reduzier* verlangsam* bremst redui* "
                "ralenti* "
                "diminu* baisse* disminu* ralentiz* frena* riduc* reduz*"
            ),
        ),
        (
            ("raising", "+"),
            (
                "raise* raising increas* rises rising rose boost* doubl* erhoh* "
                "steiger* steigt steigen augment* hausse* accroit* aument* eleva*"
            ),
        ),
        (
            ("course", "start"),
            (
                "start starts started starting begin* began begun launch* initiat* "
                "opens opened opening commenc* beginn* startet* gestartet anlauf* eroffn* "
                "demarr* debut* "
                "lance* inicia* comienz* empieza* arranca* abre* avvia* inizia* gestart startas "
                "startade* alkoi"
            ),
        ),
        (
            ("course", "stop"),
            (
                "stop stops stopped stopping terminat* discontinu* abandon* drops "
                "dropped scrap* axes axed abort* cancel* stopp* gestoppt abgebrochen* abbruch* "
                "eingestellt einstell* arret* abandonn* detien* detuv* cancela* interrotto gestopt "
                "stopgezet stoppas ends ended endet beendet*"
            ),
        ),
        (
            ("course", "complete"),
            (
                "complet* conclud* abgeschlossen* abschluss* acheve* termine* finaliza* completa* "
                "ends ended endet beendet*"
            ),
        ),
        (
            ("filing", "+"),
            (
                "accept* submit* submission* files filed einreich* eingereicht reicht annimm* "
                "angenommen* nimmt depos* soumet* soumis* presenta* acept* aceita*"
            ),
        ),
        (
            ("filing", "-"),
            (
                "withdraw* withdrew pulls pulled zuruckgezogen* zuruckzieh* zieht ruckzug* "
                "retir* ritira*"
            ),
        ),
        (
            ("tone", "+"),
            (
                "positive positiv* favorable* favourable* encouraging safe safely good "
                "promising gunstig* ermutigend* vielversprechend* sicher favorables encourageant* "
                "prometteu* seguro segura promet* alentador*"
            ),
        ),
        (
            ("tone", "-"),
            (
                "negative negativ* unfavorable* unfavourable* discourag* disappoint* unsafe "
                "bad ungunstig* enttausch* unsicher defavorabl* decev* decevant* inseguro "
                "desfavorab* "
                "decepcion*"
            ),
        ),
        (
            ("timing", "-"),
            (
                "delay* postpon* verschieb* verschoben* verzoger* retard* report* "
                "repouss* retras* aplaz* rinvi*"
            ),
        ),
        (("timing", "+"), "accelerat* speeds earlier vorgezogen* beschleunig* accelere* adelant*"),
    ]
)
# The side that decides where a text states both: "fails to meet", "lifts the hold".
STRONGER = {"decision": "-", "goal": "-", "hold": "+", "filing": "-"}
# The last of these words on an axis is not a statement: "report" in a headline is a paper.
_NOT_STATED = words("report reports reported reporting reporter reporters")


def axes_of(word: str) -> list[tuple[str, str]]:
    """Return the axes and sides that a word states."""
    return [] if word in _NOT_STATED else AXES.of(word)


# Negate what follows.
NEGATORS: Words[bool] = Words(
    [
        (
            True,
            (
                "no not never without neither nor none cannot hardly barely unable lack* kein* "
                "ohne nie "
                "niemals weder sans jamais aucun* sin nunca ningun* tampoco non nao sem geen "
                "zonder senza "
                "nessun* mai nenhum* nem inte ikke ej ei eivat utan uten uden bez degil не нет "
                "ни без"
            ),
        )
    ]
)
# Negate the nearest statement before or behind them.
TWO_SIDED_NEGATORS = words("nicht pas niet")
# Negate the word before them as well: "lowers no relapses".
QUANTIFIERS: Words[bool] = Words([(True, "no kein* aucun* ningun* geen")])
# Verbs that negate the verb behind them: "fails to meet", "refuses to approve".
NEGATING_VERBS: Words[bool] = Words(
    [
        (
            True,
            (
                "fail* refus* reject* declin* denies denied misses missed verfehl* scheiter* lehnt "
                "verweiger* echou* fracas* rechaz* falla*"
            ),
        )
    ]
)
# Behind a negator they take the negation away: "not only", "no fewer than".
UNNEGATING = words(
    "only just merely simply solely nur bloss allein seulement uniquement solo solamente "
    "unicamente "
    "fewer less later more sooner weniger spater moins menos soltanto apenas alleen"
)
# Say that something is expected, not that it happened.
EXPECTATIONS: Words[bool] = Words(
    [
        (
            True,
            (
                "may might could would should will expect* plan* set to awaits await* likely "
                "hopes hope "
                "poised upcoming konnte* soll* wird werde* plant erwart* geplant voraussichtlich "
                "pourrait devrait attend* prevoi* prevu* podria* preve* espera* puede* if ob si"
            ),
        )
    ]
)

_ORDER_WORDS: Words[str] = Words(
    [
        (
            "first",
            (
                "first erst erste erster ersten erstes premier* premiere* primer primera primero "
                "primo prima eerste"
            ),
        ),
        ("second", "second zweit* deuxieme seconde segund* secondo"),
        ("third", "third dritt* troisieme tercer*"),
        ("last", "last final letzt* dernier* derniere* ultim* laatste"),
    ]
)
# What is counted in the course of a trial; "last week" and "first quarter" are not.
COUNTED: Words[bool] = Words(
    [
        (
            True,
            (
                "patient* participant* person* people volunteer* subject* adult* child* woman man "
                "teilnehm* proband* mensch* frau mann erwachsene* kind pacient* paciente* adulto* "
                "site sites centre centers center centres dose doses dosing infusion* visit* "
                "cohort* "
                "zentrum zentren dosis besuch* centro* cohorte* cohorte arm paz*"
            ),
        )
    ]
)


def order_of(word: str) -> str:
    """Return ``first``, ``second``, ``third``, ``last``, or an empty text."""
    return next(iter(_ORDER_WORDS.of(word)), "")


MONTHS: Words[str] = Words(
    [
        ("1", "january januar janner janvier enero gennaio janeiro jan"),
        ("2", "february februar feber fevrier febrero febbraio fevereiro feb"),
        ("3", "marz marzo mars marco"),
        ("4", "april avril abril aprile"),
        ("5", "mai mayo maggio maio"),
        ("6", "june juni juin junio giugno junho"),
        ("7", "july juli juillet julio luglio julho"),
        ("8", "august aout agosto"),
        ("9", "september septembre septiembre settembre setembro sept"),
        ("10", "october oktober octobre octubre ottobre outubro oct okt"),
        ("11", "november novembre noviembre novembro nov"),
        ("12", "december dezember decembre diciembre dicembre dezembro dec dez"),
    ]
)
# Months that are also other words: only beside a number or one of the words below.
UNSURE_MONTHS = {"march": "3", "may": "5"}
BEFORE_MONTHS = words("by in until before since of during early mid late from")
# Before the date of a decision: no date of a print follows them.
BEFORE_DECISION_DATES = words(
    "by until till before set sets for bis zum vor avant hasta antes entro prima ate uiterlijk"
)

NUMBER_WORDS: Mapping[str, int] = {
    word: number
    for number, words in (
        (2, "two zwei deux dos"),
        (3, "three drei trois tres"),
        (4, "four vier quatre cuatro"),
        (5, "five funf cinq cinco"),
        (6, "six sechs seis"),
        (7, "seven sieben sept siete"),
        (8, "eight acht huit ocho"),
        (9, "nine neun neuf nueve"),
        (10, "ten zehn dix diez"),
        (11, "eleven elf onze once"),
        (12, "twelve zwolf douze doce"),
    )
    for word in words.split()
}
# Also words of other languages or months.
AMBIGUOUS_NUMBERS = words("once sept elf")
UNITS: Words[str] = Words(
    [
        ("%", "percent percentage prozent"),
        ("mg", "mg milligram*"),
        ("µg", "µg μg mcg microgram* mikrogramm*"),
        ("g", "g gram*"),
        ("ml", "ml"),
        ("day", "day days tag tage tagen jour jours dia dias giorni dagen"),
        ("week", "week weeks weekly woche* wochig* semaine* semana* settiman* weken"),
        ("month", "month months monthly monat* mois mes meses mesi maanden"),
        ("year", "year years yearly jahr jahre jahren jahrig* an ans annee* ano anos anni jaar"),
        (
            "people",
            (
                "people patient* participant* person* adult* volunteer* subject* teilnehm* "
                "proband* mensch* erwachsen* paciente* pacient* sujets adulto* pazient* "
                "children kinder enfants ninos women frauen femmes mujeres"
            ),
        ),
        ("times", "fold times fach mal fois veces"),
        ("million", "million* millon* mio m"),
        ("billion", "billion* milliard* bn mrd"),
    ]
)
PHASES = {
    "i": 1,
    "ii": 2,
    "iii": 3,
    "iv": 4,
    "ia": 1,
    "ib": 1,
    "iia": 2,
    "iib": 2,
    "iiia": 3,
    "iiib": 3,
}
PHASE_WORDS = words("phase fase phases fases faza")
TRIAL_WORDS: Words[bool] = Words(
    [(True, "trial* stud* studie* essai* etude* ensayo* estudio* sperimentazion* studio")]
)
# Before a rounded number.
ABOUT = words(
    "about nearly almost around approximately roughly some over than circa ca rund etwa fast knapp "
    "uber gut environ pres quelque plus als unos unas casi cerca alrededor mas aproximadamente"
)
# Beside "effect": an unwanted one.
SIDE = ("side", "adverse", "advers", "second", "indesir", "unerwunscht", "neben")
EFFECTS = words("effect effects effet effets efecto efectos")
# Turn a headline into another event without being verbs or negations.
TURNING = words("against gegen contre contra off again erneut nouveau nueva wieder interim another")
# Beats what, or is beaten: the order of the words counts.
COMPARING = words(
    "than versus vs beats beat outperforms outperformed over schlagt ubertrifft als surpasse bat "
    "que "
    "supera superior inferior overtakes replaces follows before after vor nach avant apres"
)
