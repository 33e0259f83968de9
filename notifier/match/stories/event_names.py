"""Event names: agencies, countries, companies and phrases that a headline names.

Owns the names by which `events.py` tells one event from another. In English, German, French and
Spanish, with the commonest of Italian and Portuguese; collected by hand; not measured. Words
are written in small letters without accents; an asterisk stands for any ending.
"""

from collections.abc import Mapping

from notifier.match.stories.word_lists import Words, words

# Several words that are read as one, by their first word.
_PHRASES = {
    "multiple sclerosis": "ms",
    "multiple sklerose": "ms",
    "multipler sklerose": "ms",
    "multiplen sklerose": "ms",
    "sclerose en plaques": "ms",
    "sclerosi multipla": "ms",
    "esclerosis multiple": "ms",
    "esclerose multipla": "ms",
    "u s": "usa",
    "u s a": "usa",
    "u k": "uk",
    "e u": "eu",
    "united states": "usa",
    "vereinigte staaten": "usa",
    "vereinigten staaten": "usa",
    "etats unis": "usa",
    "estados unidos": "usa",
    "united kingdom": "uk",
    "great britain": "uk",
    "royaume uni": "uk",
    "reino unido": "uk",
    "european union": "eu",
    "europaische union": "eu",
    "union europeenne": "eu",
    "union europea": "eu",
    "new zealand": "newzealand",
    "nouvelle zelande": "newzealand",
    "nueva zelanda": "newzealand",
    "south africa": "southafrica",
    "afrique du sud": "southafrica",
    "south korea": "southkorea",
    "coree du sud": "southkorea",
    "corea del sur": "southkorea",
    "saudi arabia": "saudiarabia",
    "arabie saoudite": "saudiarabia",
    "hong kong": "hongkong",
    "czech republic": "czechia",
    "per cent": "percent",
    "pour cent": "percent",
    "por ciento": "percent",
    "por cento": "percent",
    "per cento": "percent",
    "food and drug administration": "fda",
    "european medicines agency": "ema",
    "europaische arzneimittel agentur": "ema",
    "europaischen arzneimittel agentur": "ema",
    "europaische arzneimittelagentur": "ema",
    "europaischen arzneimittelagentur": "ema",
    "agence europeenne des medicaments": "ema",
    "agencia europea de medicamentos": "ema",
    "agencia europea del medicamento": "ema",
    "committee for medicinal products for human use": "chmp",
    "european commission": "eucommission",
    "europaische kommission": "eucommission",
    "europaischen kommission": "eucommission",
    "commission europeenne": "eucommission",
    "comision europea": "eucommission",
    "health canada": "healthcanada",
    "sante canada": "healthcanada",
    "g ba": "gba",
    "gemeinsamer bundesausschuss": "gba",
    "gemeinsame bundesausschuss": "gba",
    "paul ehrlich institut": "pei",
    "haute autorite de sante": "hautesante",
    "therapeutic goods administration": "tga",
    "pharmaceuticals and medical devices agency": "pmda",
    "medicines and healthcare products regulatory agency": "mhra",
    "national institute for health and care excellence": "nice",
    "scottish medicines consortium": "smc",
    "national medical products administration": "nmpa",
    "complete response letter": "responseletter",
    "turns down": "rejects",
    "turned down": "rejected",
    "falls short": "misses",
    "fell short": "missed",
    "green light": "approval",
    "grunes licht": "zulassung",
    "feu vert": "approval",
    "luz verde": "approval",
    "kicks off": "starts",
    "kicked off": "started",
    "called off": "cancelled",
    "lehnt ab": "abgelehnt",
    "bricht ab": "abgebrochen",
}
_LONGEST_PHRASE = max(len(phrase.split()) for phrase in _PHRASES)
_FIRST_WORDS = {phrase.split()[0] for phrase in _PHRASES}


def joined(words: list[str]) -> list[str]:
    """Return the words with each known phrase as one word: multiple sclerosis, MS."""
    if _FIRST_WORDS.isdisjoint(words):
        return words
    result: list[str] = []
    place = 0
    while place < len(words):
        length = 1
        if words[place] in _FIRST_WORDS:
            for longer in range(_LONGEST_PHRASE, 1, -1):
                joined_word = _PHRASES.get(" ".join(words[place : place + longer]))
                if joined_word is not None and place + longer <= len(words):
                    result.append(joined_word)
                    length = longer
                    break
            else:
                result.append(words[place])
        else:
            result.append(words[place])
        place += length
    return result


# Agencies, by the name under which they are compared, with the country or union they decide for.
# The CHMP is a committee of the EMA.
REGULATORS: Mapping[str, tuple[frozenset[str], str]] = {
    word: (frozenset(names.split()), country)
    for word, names, country in (
        ("fda", "fda", "us"),
        ("responseletter", "fda", "us"),
        ("crl", "fda", "us"),
        ("ema", "ema", "eu"),
        ("chmp", "ema", "eu"),
        ("prac", "prac", "eu"),
        ("eucommission", "commission", "eu"),
        ("mhra", "mhra", "gb"),
        ("nice", "nice", "gb"),
        ("smc", "smc", "gb"),
        ("swissmedic", "swissmedic", "ch"),
        ("pmda", "pmda", "jp"),
        ("mhlw", "mhlw", "jp"),
        ("tga", "tga", "au"),
        ("pbac", "pbac", "au"),
        ("healthcanada", "canada", "ca"),
        ("cadth", "cadth", "ca"),
        ("gba", "gba", "de"),
        ("iqwig", "iqwig", "de"),
        ("bfarm", "bfarm", "de"),
        ("pei", "pei", "de"),
        ("ansm", "ansm", "fr"),
        ("hautesante", "has", "fr"),
        ("aemps", "aemps", "es"),
        ("aifa", "aifa", "it"),
        ("anvisa", "anvisa", "br"),
        ("conitec", "conitec", "br"),
        ("cofepris", "cofepris", "mx"),
        ("anmat", "anmat", "ar"),
        ("nmpa", "nmpa", "cn"),
        ("cdsco", "cdsco", "in"),
        ("mfds", "mfds", "kr"),
        ("sfda", "sfda", "sa"),
        ("medsafe", "medsafe", "nz"),
        ("sahpra", "sahpra", "za"),
    )
}
# Agencies whose short name is also a word: only in capitals.
CAPITALS_ONLY = words("nice pei smc crl")

# The courses of multiple sclerosis, which have trials of their own.
FORMS: Words[str] = Words(
    [
        (
            "relapsing",
            "relapsing rrms schubformig* recurrent* recidivant* remittent*",
        ),
        ("progressive", "progressive progredient* progresiv* progressif progressiv* spms ppms"),
    ]
)
COUNTRIES: Words[str] = Words(
    [
        ("us", "usa america* amerika* american* amerikan* americain* estadounid* statunit*"),
        ("eu", "eu europ* europaisch*"),
        (
            "gb",
            (
                "uk britain british england english scotland scottish wales grossbritannien* "
                "britisch* britanni* angleterre inglaterra"
            ),
        ),
        ("de", "german* deutsch* allemagne allemand* aleman* deutschland*"),
        ("fr", "france french frankreich* franzos* francais* francia frances*"),
        ("es", "spain spanish spanien* spanisch* espagn* espana espanol*"),
        ("it", "italy italian* italien* italia*"),
        ("ch", "switzerland swiss schweiz* suisse* suiza suizo*"),
        ("at", "austria* osterreich* autrich*"),
        ("nl", "netherlands dutch niederland* hollan* pays-bas neerland*"),
        ("be", "belgi*"),
        ("se", "sweden swedish schwed* sued* suecia sueco*"),
        ("dk", "denmark danish danemark* danisch* dinamarc* danois*"),
        ("no", "norway norwegian* norweg* norveg* noruega*"),
        ("fi", "finland* finnish finnisch* finland* finlandia"),
        ("pl", "poland polish polen polnisch* pologne polon*"),
        ("cz", "czech* tschech* tcheq* checa"),
        ("pt", "portug*"),
        ("gr", "greece greek griech* grece grecia"),
        ("ie", "ireland irish irland* irlanda"),
        ("hu", "hungar* ungarn ungar* hongr*"),
        ("ro", "romania* rumani* rouman*"),
        ("tr", "turkey turkish turkiye turkei turk* turqu*"),
        ("ru", "russia* russland* russie rusia"),
        ("ua", "ukrain* ucrania"),
        ("ca", "canad* kanad*"),
        ("mx", "mexic* mexik*"),
        ("br", "brazil* brasil* bresil*"),
        ("ar", "argentin*"),
        ("cl", "chile chilean* chilen*"),
        ("co", "colombia* kolumbi* colombie*"),
        ("au", "australi*"),
        ("nz", "newzealand neuseeland*"),
        ("jp", "japan* japon*"),
        ("cn", "china chinese chines* chinois* chine"),
        ("in", "india indian* indien indisch* inde indienne*"),
        ("kr", "southkorea korea* sudkorea* coree coreen* corea corean*"),
        ("tw", "taiwan*"),
        ("sg", "singap*"),
        ("hk", "hongkong*"),
        ("sa", "saudiarabia saudi*"),
        ("il", "israel*"),
        ("eg", "egypt* agypt* egipto"),
        ("za", "southafrica sudafrika* sudafrica*"),
        ("th", "thailand* thailand*"),
        ("ae", "emirates emirate emirats emiratos"),
    ]
)
COMPANIES = words(
    "sanofi genzyme roche genentech novartis biogen merck bayer bristol celgene teva viatris "
    "janssen "
    "immunexpress immunic pfizer amgen ucb gsk lilly abbvie astrazeneca takeda sandoz"
)
