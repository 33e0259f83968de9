"""The places of trials and of articles: which spellings of a country or a city are one place.

Pure. Countries are those that a registry has renamed or that people write in several ways, with
their names in ISO 3166 and in everyday English; cities those of more than 300,000 people with a
common English name of their own. The lists were made by hand; not measured.
"""

import re
from collections.abc import Sequence

from notifier.text.cleaning import fold
from notifier.watch.compare.wording import Word, bare, glued, words

_COUNTRIES = (
    "turkey|türkiye|turkiye|republic of turkey|republic of türkiye",
    "czechia|czech republic",
    "south korea|korea republic of|republic of korea|korea south|korea",
    "north korea|korea democratic people s republic of|korea democratic people s republic",
    "russia|russian federation",
    "united states|united states of america|usa|us|u s|u s a",
    "united kingdom|uk|great britain|united kingdom of great britain and northern ireland|u k",
    "macedonia|north macedonia|republic of north macedonia",
    "macedonia|macedonia the former yugoslav republic of|former yugoslav republic of macedonia",
    "moldova|moldova republic of|republic of moldova",
    "vietnam|viet nam",
    "taiwan|taiwan province of china|taiwan republic of china",
    "hong kong|china hong kong|hong kong china|hong kong sar|hong kong sar china",
    "iran|iran islamic republic of|islamic republic of iran",
    "syria|syrian arab republic",
    "laos|lao people s democratic republic",
    "netherlands|the netherlands|holland|kingdom of the netherlands",
    "tanzania|tanzania united republic of|united republic of tanzania",
    "ivory coast|cote d ivoire|côte d ivoire",
    "cape verde|cabo verde",
    "eswatini|swaziland",
    "myanmar|burma",
    "congo|congo republic of the|republic of the congo|congo brazzaville",
    "dr congo|democratic republic of the congo|congo the democratic republic of the",
    "bolivia|bolivia plurinational state of|plurinational state of bolivia",
    "venezuela|venezuela bolivarian republic of|bolivarian republic of venezuela",
    "brunei|brunei darussalam",
    "palestine|palestinian territories|palestinian territory occupied|state of palestine",
    "libya|libyan arab jamahiriya",
    "vatican|holy see|vatican city|holy see vatican city state",
    "gambia|the gambia",
    "bahamas|the bahamas",
    "east timor|timor leste",
    "slovakia|slovak republic",
    "kyrgyzstan|kyrgyz republic",
    "belarus|byelarus",
    "bosnia and herzegovina|bosnia herzegovina|bosnia & herzegovina|bosnia",
    "china|people s republic of china|china people s republic of|p r china|pr china",
    "united arab emirates|uae|the united arab emirates",
    "saudi arabia|kingdom of saudi arabia",
    "ireland|republic of ireland",
    "macau|macao|macao sar china",
    "trinidad and tobago|trinidad & tobago",
    "reunion|réunion",
    "germany|federal republic of germany|deutschland",
    "spain|españa", "austria|österreich", "switzerland|schweiz|suisse", "belgium|belgique|belgië",
    "italy|italia", "poland|polska", "sweden|sverige", "norway|norge", "denmark|danmark",
    "finland|suomi", "hungary|magyarország", "greece|hellas", "brazil|brasil", "mexico|méxico",
    "peru|perú", "japan|nippon", "croatia|hrvatska", "romania|românia", "ukraine|ukraina",
)  # fmt: skip
_CITIES = (
    "köln|koeln|koln|cologne", "münchen|muenchen|munchen|munich", "nürnberg|nuernberg|nuremberg",
    "düsseldorf|duesseldorf|dusseldorf", "göttingen|goettingen", "würzburg|wuerzburg",
    "tübingen|tuebingen", "münster|muenster", "lübeck|luebeck", "hannover|hanover",
    "braunschweig|brunswick", "frankfurt|frankfurt am main|frankfurt main|frankfurt a m",
    "halle|halle saale", "freiburg|freiburg im breisgau|freiburg i br",
    "wien|vienna", "zürich|zuerich|zurich", "genf|genève|geneve|geneva", "bern|berne",
    "basel|basle|bâle", "luzern|lucerne", "roma|rome", "milano|milan", "torino|turin",
    "napoli|naples", "firenze|florence", "venezia|venice", "genova|genoa", "padova|padua",
    "praha|prague", "warszawa|warsaw", "kraków|krakow|cracow", "wrocław|wroclaw|breslau",
    "łódź|lodz", "gdańsk|gdansk|danzig", "bucureşti|bucurești|bucuresti|bucharest",
    "beograd|belgrade",
    "athína|athina|athens|athenai", "thessaloníki|thessaloniki|thessalonica|salonica",
    "kyiv|kiev|kyyiv", "kharkiv|kharkov", "lviv|lvov|lemberg", "odesa|odessa", "dnipro|dnepr",
    "moskva|moscow", "sankt peterburg|saint petersburg|st petersburg|st. petersburg",
    "lisboa|lisbon", "sevilla|seville", "zaragoza|saragossa",
    "a coruña|la coruña",
    "bruxelles|brussels|brussel", "antwerpen|antwerp|anvers", "gent|ghent|gand",
    "brugge|bruges", "leuven|louvain", "liège|liege|luik", "den haag|the hague|s gravenhage",
    "københavn|kobenhavn|copenhagen", "göteborg|goteborg|gothenburg", "malmö|malmo",
    "århus|aarhus|arhus", "helsinki|helsingfors", "turku|åbo", "strasbourg|strassburg|straßburg",
    "marseille|marseilles", "lyon|lyons", "istanbul|i̇stanbul",
    "i̇zmir|izmir",
    "diyarbakır|diyarbakir", "eskişehir|eskisehir", "beijing|peking", "guangzhou|canton",
    "mumbai|bombay", "bengaluru|bangalore", "chennai|madras", "kolkata|calcutta", "pune|poona",
    "thiruvananthapuram|trivandrum", "kochi|cochin", "mysuru|mysore",
    "ho chi minh city|saigon|ho chi minh", "hanoi|ha noi", "tel aviv|tel aviv yafo|tel-aviv",
    "tehran|teheran", "busan|pusan", "daegu|taegu", "incheon|inchon", "hamedan|hamadan",
    "al qahirah|cairo|el qahira", "tunis|tunes",
    "mexico city|ciudad de méxico|méxico",
    "são paulo|sao paulo", "québec|quebec|quebec city", "montréal|montreal",
    "new york|new york city|nyc",
    "saint louis|st louis|st. louis", "washington|washington d c|washington dc",
    "luxembourg|luxemburg",
)  # fmt: skip


def _plain(name: str) -> str:
    return " ".join(bare(word) for word in fold(name).split())


def _by_spelling(places: tuple[str, ...]) -> dict[str, str]:
    return {
        _plain(spelling): _plain(spellings.partition("|")[0])
        for spellings in places
        for spelling in spellings.split("|")
    }


_COUNTRY_OF, _CITY_OF = _by_spelling(_COUNTRIES), _by_spelling(_CITIES)
# A name in brackets behind another one: "Turkey (Türkiye)".
_ASIDE = re.compile(r"\s*\([^()]{0,80}\)")


def country(name: str) -> str:
    """Return one name for all spellings of a country."""
    plain = _plain(name)
    return _COUNTRY_OF.get(plain) or _one_name(name, _COUNTRY_OF)


def city(name: str) -> str:
    """Return one name for all spellings of a city."""
    plain = _plain(name)
    return _CITY_OF.get(plain) or _one_name(name, _CITY_OF)


def is_one_place(words_of: Sequence[Word], others: Sequence[Word]) -> bool:
    """Return whether some words are spellings of one country or city; both in the lists."""
    name, other = (
        " ".join(word.key for word in side).removeprefix("the ") for side in (words_of, others)
    )
    return any(
        name in known and known[name] == known.get(other) for known in (_COUNTRY_OF, _CITY_OF)
    )


def _one_name(name: str, known: dict[str, str]) -> str:
    outside = _plain(_ASIDE.sub("", name)) or _plain(name)
    return known.get(outside, outside)


def site(text: str) -> str:
    """Return one form of all spellings of a site: ``facility, city, country``."""
    parts = ["", "", *text.split(", ")]
    # A country may have a comma of its own: "Korea, Republic of".
    if _plain(", ".join(parts[-2:])) in _COUNTRY_OF:
        parts[-2:] = [", ".join(parts[-2:])]
    *facility, town, land = parts
    return f"{glued(words(' '.join(facility)))}, {city(town)}, {country(land)}"
