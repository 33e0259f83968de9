"""A quarter of ordinary life of twelve made-up sources, drawn by a seed.

Owns what the sites publish on each day, and the truth: which of it is news, a correction, a
withdrawal, or a change of a page or a trial. Pages that stand in the place of another one are drawn
from the field corpus if it lies beside the checkout. Everything in it is fictional.
"""

import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from html import escape

from notifier.enums import NewsKind
from tests.support.news_site import Site
from tests.support.paths import SHARED

DAYS, FEEDS, PAGES, TRIALS, LISTED = 90, 8, 2, 2, 10
DAY = timedelta(days=1)
# After an event a source rests for so many days, so that its consequences are told apart.
REST = 4
_IMPOSTORS = (
    (
        "<!DOCTYPE html><html><head><title>Just a moment...</title></head><body><h1>One moment</h1>"
        "<p>Checking your browser before you enter. Please enable JavaScript and "
        "cookies.</p></body></html>"
    ),
    (
        "<!DOCTYPE html><html><head><title>Maintenance</title></head><body><h1>We will be back</h1>"
        "<p>This site is down for maintenance.</p></body></html>"
    ),
    (
        "<!DOCTYPE html><html><head><title>Access denied</title></head><body><h1>Access denied</h1>"
        "<p>You have been blocked.</p></body></html>"
    ),
    (
        "<!DOCTYPE html><html><head><title>Log in</title></head><body><h1>Log in</h1><form><input "
        'name="user"><input type="password" name="password"></form></body></html>'
    ),
)
_SYLLABLES = (
    "al", "ber", "dor", "en", "fels", "gar", "hei", "ing", "kel", "lin", "mar", "nau", "ost", "pel",
    "rin", "sten", "tal", "ulm", "wie", "zeb",
)  # fmt: skip
_TOPICS = (
    "sleep", "heat", "walking", "memory", "work", "families", "nurses", "infusions", "costs",
    "travel", "sport", "diet", "pharmacies", "schools", "vaccines", "scans", "fatigue", "vision",
)  # fmt: skip
_STATUSES = ("ACTIVE_NOT_RECRUITING", "COMPLETED", "SUSPENDED", "RECRUITING")


def impostors() -> list[str]:
    """Return pages that are answered in the place of another one."""
    pages = list(_IMPOSTORS)
    for path in sorted((SHARED / "corpora" / "field" / "watch").glob("page-*.json")):
        case = json.loads(path.read_text(encoding="utf-8"))
        looks = case.get("looks", ())
        if case["kind"] == "not the document" and len(looks) == 3:
            answer = next(iter(looks[1].values()), None)
            html = answer.get("html") if isinstance(answer, dict) else None
            if isinstance(html, str) and not html.startswith("@") and "rexalimab" not in html:
                pages.append(html)
    return pages


@dataclass
class Truth:
    """What readers have to be told: for each kind, how often about whom; and what happened."""

    expected: Counter[tuple[NewsKind, str]] = field(default_factory=Counter)
    log: list[str] = field(default_factory=list)

    def add(self, kind: NewsKind, name: str) -> None:
        """Note that a reader is told this once."""
        self.expected[kind, name] += 1


@dataclass
class Post:
    """An article; its place is a name that occurs nowhere else."""

    number: int
    place: str
    topic: str
    published: datetime
    people: int
    goal_met: bool = True
    retracted: bool = False
    unlisted: bool = False
    gone: bool = False
    advert: str = ""
    credit: str = ""
    comments: int = 0
    corrected: bool = False

    @property
    def title(self) -> str:
        """Its headline as it was published first."""
        return f"Frexalimab and {self.topic}: a report from {self.place}"

    def paragraphs(self) -> list[str]:
        """Return its text."""
        goal = "met its goal" if self.goal_met else "did not meet its goal"
        return [
            f"In {self.place}, {self.people} people with multiple sclerosis had frexalimab.",
            "They got the antibody once a month. All of this is made up for a test.",
            f"The small study on {self.topic} {goal}, the clinic of {self.place} says.",
            f"It lasted {20 + self.number % 9} weeks, and {3 + self.number % 5} people left it.",
            "Nobody knows whether the result holds for others, the head of the clinic told us.",
            f"A larger study of {300 + 7 * self.number} people is to follow in {self.place}.",
        ]


@dataclass
class Feed:
    """A site with a feed."""

    number: int
    name: str
    posts: list[Post] = field(default_factory=list)
    scheme: int = 0
    themed: bool = False
    named: bool = False
    typographic: bool = False
    shifted: bool = False
    answer: str = ""
    until: int = 0
    busy: int = 0


@dataclass
class Document:
    """A therapy page or a trial record."""

    number: int
    name: str
    dose: int = 1200
    side_effects: list[str] = field(default_factory=lambda: ["headache", "the common cold"])
    status: str = "RECRUITING"
    people: int = 1400
    capitals: bool = False
    renamed: bool = False
    updated: int = 0
    advert: bool = False
    answer: str = ""
    until: int = 0
    busy: int = 0


class Quarter:
    """The sites of a quarter.

    Args:
        site: the server on which all of them are.
        seed: draws the events.
        begin: the day before the first one.
    """

    def __init__(self, site: Site, seed: int, begin: datetime) -> None:
        self.site, self.begin, self.day = site, begin, 0
        self.chance = random.Random(seed)
        self.truth = Truth()
        self.impostors = impostors()
        self.posts = 0
        self.places: set[str] = set()
        self.feeds = [Feed(number, self._place()) for number in range(FEEDS)]
        self.pages = [Document(number, self._place()) for number in range(PAGES)]
        self.trials = [Document(number, self._place()) for number in range(TRIALS)]
        for feed in self.feeds:
            for _ in range(LISTED):
                self._write(feed, known=True)
        self.publish()

    @property
    def now(self) -> datetime:
        """The moment of today's poll."""
        return self.begin + self.day * DAY

    @property
    def feed_addresses(self) -> list[str]:
        """The addresses of the feeds."""
        return [f"{self.site.address}/{feed.number}/feed/" for feed in self.feeds]

    @property
    def page_addresses(self) -> list[str]:
        """The addresses of the therapy pages."""
        return [f"{self.site.address}/guide/{page.number}/" for page in self.pages]

    @property
    def trial_addresses(self) -> list[str]:
        """The addresses of the trial records."""
        return [
            f"{self.site.address}/api/v2/studies/{self._trial_id(trial)}" for trial in self.trials
        ]

    def pass_day(self) -> None:
        """Let a day pass: events happen, and all sites publish their present state."""
        self.day += 1
        for source in (*self.feeds, *self.pages, *self.trials):
            if source.until <= self.day:
                source.answer = ""
        quiet = self.day > DAYS - 2 * REST
        for feed in self.feeds:
            if self.chance.random() < 0.12 and not quiet:
                self._write(feed)
            if feed.busy <= self.day and self.chance.random() < 0.3 and not quiet:
                feed.busy = self.day + REST
                self._happen(self.chance.choice(self._feed_events), feed)
            for post in feed.posts:
                post.comments += post.comments and self.chance.randrange(3)
        for document, events in (
            *((page, self._page_events) for page in self.pages),
            *((trial, self._trial_events) for trial in self.trials),
        ):
            if document.busy <= self.day and self.chance.random() < 0.25 and not quiet:
                document.busy = self.day + REST
                self._happen(self.chance.choice(events), document)
        self.publish()

    def _happen(self, event: Callable, source: Feed | Document) -> None:
        event(source)
        what = source.answer.partition(">")[2][:80] if "<" in source.answer else source.answer
        self.truth.log.append(
            f"day {self.day}: {source.name} {event.__name__} {what}".replace("_", " ")
        )

    # ---- what happens -----------------------------------------------------------------------

    @property
    def _feed_events(self) -> Sequence[Callable[[Feed], None]]:
        return (
            self._correct, self._correct, self._retract, self._remove, self._theme,
            self._name_in_headlines, self._typography, self._move, self._shift, self._fail,
            self._impostor, self._empty, self._cut, self._advertise, self._credit, self._comments,
        )  # fmt: skip

    @property
    def _page_events(self) -> Sequence[Callable[[Document], None]]:
        return (
            self._change_dose, self._add_side_effect, self._fail, self._impostor, self._cut,
            self._update, self._advert_on_page,
        )  # fmt: skip

    @property
    def _trial_events(self) -> Sequence[Callable[[Document], None]]:
        return (
            self._change_status, self._change_people, self._fail, self._impostor, self._part,
            self._capitals, self._rename, self._update,
        )  # fmt: skip

    def _write(self, feed: Feed, *, known: bool = False) -> None:
        place = self._place()
        age = timedelta(hours=self.chance.randrange(1, 20)) + (
            LISTED * DAY if known else timedelta()
        )
        post = Post(
            self.posts, place, self.chance.choice(_TOPICS), self.now - age,
            self.chance.randrange(20, 900),
        )  # fmt: skip
        self.posts += 1
        feed.posts.append(post)
        if not known:
            self.truth.add(NewsKind.NEW, place)

    def _told(self, feed: Feed) -> list[Post]:
        """Return posts that were told as news a few days ago and are listed."""
        return [
            post
            for post in self._listed(feed)
            if post.published > self.begin
            and post.published < self.now - REST * DAY
            and not (post.corrected or post.retracted)
        ]

    def _correct(self, feed: Feed) -> None:
        for post in self._told(feed)[-1:]:
            post.corrected = True
            if self.chance.random() < 0.5:
                post.people += self.chance.randrange(11, 90)
            else:
                post.goal_met = not post.goal_met
            self.truth.add(NewsKind.CORRECTED, post.place)

    def _retract(self, feed: Feed) -> None:
        for post in self._told(feed)[-1:]:
            post.retracted = True
            self.truth.add(NewsKind.WITHDRAWN, post.place)

    def _remove(self, feed: Feed) -> None:
        for post in self._told(feed)[-1:]:
            post.unlisted = post.gone = post.retracted = True
            self.truth.add(NewsKind.WITHDRAWN, post.place)

    def _theme(self, feed: Feed) -> None:
        feed.themed = not feed.themed

    def _name_in_headlines(self, feed: Feed) -> None:
        feed.named = not feed.named

    def _typography(self, feed: Feed) -> None:
        feed.typographic = not feed.typographic

    def _move(self, feed: Feed) -> None:
        feed.scheme += 1

    def _shift(self, feed: Feed) -> None:
        feed.shifted = not feed.shifted

    def _advertise(self, feed: Feed) -> None:
        for post in self._told(feed)[-1:]:
            post.advert = "Advertisement: Example Bikes, now half the price in all our shops!"

    def _credit(self, feed: Feed) -> None:
        for post in self._told(feed)[-1:]:
            post.credit = "Photo: Jo Example / Example Pictures"

    def _comments(self, feed: Feed) -> None:
        for post in self._told(feed)[-1:]:
            post.comments = 1

    def _fail(self, source: Feed | Document) -> None:
        self._answer(source, self.chance.choice(("500", "503", "404", "429")))

    def _impostor(self, source: Feed | Document) -> None:
        self._answer(source, self.chance.choice(self.impostors))

    def _empty(self, source: Feed | Document) -> None:
        self._answer(source, "empty")

    def _cut(self, source: Feed | Document) -> None:
        self._answer(source, "cut", days=1)

    def _part(self, source: Document) -> None:
        self._answer(source, "part", days=1)

    def _answer(self, source: Feed | Document, answer: str, days: int | None = None) -> None:
        source.answer = answer
        source.until = self.day + (days or self.chance.choice((1, 1, 2)))

    def _change_dose(self, page: Document) -> None:
        page.dose += self.chance.choice((-100, 100, 300))
        self.truth.add(NewsKind.PAGE_CHANGE, page.name)

    def _add_side_effect(self, page: Document) -> None:
        page.side_effects.append(f"{self._place()} fever")
        self.truth.add(NewsKind.PAGE_CHANGE, page.name)

    def _change_status(self, trial: Document) -> None:
        trial.status = self.chance.choice(
            [status for status in _STATUSES if status != trial.status]
        )
        self.truth.add(NewsKind.TRIAL_CHANGE, trial.name)

    def _change_people(self, trial: Document) -> None:
        trial.people += 100
        self.truth.add(NewsKind.TRIAL_CHANGE, trial.name)

    def _capitals(self, trial: Document) -> None:
        trial.capitals = not trial.capitals

    def _rename(self, trial: Document) -> None:
        trial.renamed = not trial.renamed

    def _update(self, document: Document) -> None:
        document.updated = self.day

    def _advert_on_page(self, page: Document) -> None:
        page.advert = not page.advert

    # ---- what is published ------------------------------------------------------------------

    def publish(self) -> None:
        """Put the present state of all sites on the server."""
        self.site.put("/", "<html><body><h1>Made-up news</h1></body></html>", "text/html")
        for feed in self.feeds:
            self._put(feed, f"/{feed.number}/feed/", self._rss(feed), "application/rss+xml")
            for post in feed.posts[-3 * LISTED :]:
                path = self._path(feed, post)
                if post.gone:
                    self.site.fail(path, 410)
                else:
                    self.site.put(path, self._article(post), "text/html; charset=utf-8")
        for page in self.pages:
            self._put(page, f"/guide/{page.number}/", self._page(page), "text/html; charset=utf-8")
        for trial in self.trials:
            path = f"/api/v2/studies/{self._trial_id(trial)}"
            self._put(trial, path, self._record(trial), "application/json")

    def _put(self, source: Feed | Document, path: str, body: str, kind: str) -> None:
        if source.answer.isdigit():
            self.site.fail(path, int(source.answer))
        elif source.answer.startswith("<"):
            self.site.put(path, source.answer, "text/html; charset=utf-8")
        elif source.answer == "cut":
            self.site.put(path, body[: len(body) * 3 // 5], kind)
        else:
            self.site.put(path, body, kind)

    def _listed(self, feed: Feed) -> list[Post]:
        return [post for post in feed.posts if not post.unlisted][-LISTED:]

    def _path(self, feed: Feed, post: Post) -> str:
        section = ("news", "articles", "a", "stories")[feed.scheme % 4]
        return f"/{feed.number}/{section}{feed.scheme // 4 or ''}/{post.place.lower()}/"

    def _rss(self, feed: Feed) -> str:
        posts = [] if feed.answer == "empty" else self._listed(feed)[::-1]
        items = "".join(self._item(feed, post) for post in posts)
        return (
            '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" '
            'xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>'
            f"<title>{feed.name} Herald (fictional)</title><link>{self.site.address}/</link>"
            f"{items}</channel></rss>"
        )

    def _item(self, feed: Feed, post: Post) -> str:
        title = f"RETRACTED: {post.title}" if post.retracted else post.title
        title += f" ({post.comments} comments)" if post.comments else ""
        title += f" | {feed.name} Herald" if feed.named else ""
        link = self.site.address + self._path(feed, post)
        guid = f"{self.site.address}/{feed.number}/?p={post.number + 10_000 * feed.scheme}"
        published = post.published + timedelta(hours=feed.shifted)
        text = self._text(feed, post)
        return (
            f"<item><title>{escape(title)}</title><link>{link}</link>"
            f'<guid isPermaLink="false">{guid}</guid>'
            f"<pubDate>{format_datetime(published)}</pubDate>"
            f"<content:encoded>{escape(text)}</content:encoded></item>"
        )

    def _text(self, feed: Feed, post: Post) -> str:
        paragraphs = post.paragraphs()
        if feed.typographic:
            paragraphs = [text.replace(", the", ",\u00a0the") for text in paragraphs]
        if post.credit:
            paragraphs.insert(0, post.credit)
        if post.advert:
            paragraphs.insert(2, post.advert)
        if feed.themed:
            paragraphs.insert(0, "3 min read")
        text = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
        if feed.themed:
            others = [other for other in self._listed(feed) if other is not post][:3]
            links = "".join(f"<li><a href='/'>{other.title}</a></li>" for other in others)
            text += f"<h3>Related articles</h3><ul>{links}</ul>"
        return text

    def _article(self, post: Post) -> str:
        text = "".join(f"<p>{paragraph}</p>" for paragraph in post.paragraphs())
        return (
            f"<!DOCTYPE html><html><head><title>{post.title}</title></head><body><main><article>"
            f"<h1>{post.title}</h1>{text}</article></main></body></html>"
        )

    def _page(self, page: Document) -> str:
        effects = ", ".join(page.side_effects)
        advert = '<aside class="ad"><p>Advertisement: Bikes!</p></aside>' if page.advert else ""
        updated = f"<p>Last updated: day {page.updated}</p>" if page.updated else ""
        return (
            '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
            f"<title>Frexalimab for MS: a guide by {page.name}</title></head><body>"
            '<header><nav><a href="/">Home</a></nav></header><main><article>'
            f"<h1>Frexalimab for MS: a guide by {page.name}</h1>{updated}"
            f"<h2>What is frexalimab?</h2><p>Frexalimab is an antibody given as {page.dose} mg by "
            f"infusion once a month in trials of multiple sclerosis at {page.name}.</p>{advert}"
            f"<h2>Side effects</h2><p>The most common side effects were {effects}, in 12 of 129 "
            "people.</p><h2>Trials</h2><p>Two late trials are under way in about 2,500 people with "
            "relapsing or progressive disease.</p></article></main>"
            "<footer><p>Made-up clinics</p></footer></body></html>"
        )

    def _trial_id(self, trial: Document) -> str:
        return f"NCT9910{trial.number:04}"

    def _record(self, trial: Document) -> str:
        city, country = ("ULM" if trial.capitals else "Ulm"), "Germany"
        abroad = "Türkiye" if trial.renamed else "Turkey"
        modules = {
            "identificationModule": {
                "nctId": self._trial_id(trial),
                "briefTitle": f"Frexalimab in Relapsing MS, {trial.name} Study",
            },
            "statusModule": {
                "overallStatus": trial.status,
                "startDateStruct": {"date": "2025-03", "type": "ACTUAL"},
                "primaryCompletionDateStruct": {"date": "2028-06", "type": "ESTIMATED"},
                "lastUpdatePostDateStruct": {"date": f"2026-03-{1 + trial.updated % 28:02}"},
            },
            "conditionsModule": {"conditions": ["Relapsing Multiple Sclerosis"]},
            "sponsorCollaboratorsModule": {"leadSponsor": {"name": "Made-up Sponsor"}},
            "designModule": {
                "studyType": "INTERVENTIONAL",
                "phases": ["PHASE3"],
                "enrollmentInfo": {"count": trial.people, "type": "ESTIMATED"},
            },
            "armsInterventionsModule": {
                "interventions": [{"type": "DRUG", "name": "Frexalimab"}],
            },
            "outcomesModule": {
                "primaryOutcomes": [{"measure": "Relapse rate", "timeFrame": "about 3 years"}]
            },
            "contactsLocationsModule": {
                "locations": [
                    {"facility": "Made-up Clinic", "city": city, "country": country},
                    {"facility": "Made-up Hospital", "city": "Izmir", "country": abroad},
                ]
            },
        }
        kept = list(modules)[:3] if trial.answer == "part" else list(modules)
        protocol = {name: modules[name] for name in kept}
        return json.dumps({"protocolSection": protocol, "hasResults": False})

    def _place(self) -> str:
        while True:
            syllables = self.chance.sample(_SYLLABLES, 3)
            place = "".join(syllables).capitalize()
            if place not in self.places:
                self.places.add(place)
                return place
