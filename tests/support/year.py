"""A year of ordinary life of 300 readers and eight mail providers, drawn by a seed.

Owns the mail servers, the readers and the truth: what each reader is owed, what reached whom, and
who may not be written to. It drives the product by its steps, its web pages and the mails that come
back, and looks only at the mails that arrived, at the suppressions and at the listed deliveries.
"""

import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from unittest.mock import patch

from aiosmtpd.controller import Controller
from sqlalchemy import event

from notifier.deliver import outbox
from notifier.enums import DeliveryStatus, SuppressionCause
from notifier.errors import StoreError
from notifier.pipeline import bounces, brake
from notifier.pipeline.run import run_once
from notifier.store.models import Delivery, Subscriber, Suppression
from notifier.subscribers import address_changes, held_suppressions, subscriptions
from notifier.web.app import create
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import Sink, text_of
from tests.support.news_site import Article
from tests.support.reports import a_complaint, a_report
from tests.support.visitor import Client

__all__ = ["DAYS", "OPERATOR", "PEOPLE", "Year"]

DAYS, PEOPLE = 365, 300
OPERATOR = "office@example.org"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PROVIDERS = tuple(f"provider{number}.example" for number in range(8))
# What a provider says to our mails for a while, at RCPT TO or after the dot: none of it is about
# the recipient.
ABOUT_US = (
    ("rcpt", "550 5.7.1 Service unavailable, client host [192.0.2.7] blocked using a list"),
    ("rcpt", "550 5.7.26 This mail is unauthenticated, which poses a risk to the sender"),
    ("rcpt", "550 5.1.8 <bounce@example.org>: Sender address rejected: Domain not found"),
    ("rcpt", "550 Sender verify failed: no such user bounce@example.org"),
    ("rcpt", "554 5.7.1 Helo command rejected: Host not found"),
    ("data", "554 5.7.1 Message rejected under policy 12"),
    ("data", "550 5.7.9 this message looks like spam"),
    ("rcpt", "451 4.7.1 Too much mail from your network, try again later"),
    ("data", "452 4.3.1 Insufficient system storage"),
)
FORM = "application/x-www-form-urlencoded"
_LIE = "550 5.1.1 The email account that you tried to reach does not exist"
# At the end of the year everything works, so that what is owed can arrive (a monthly digest, too).
_QUIET_DAYS = 40
# A closed mailbox is tried once or, while a person decides about many, a little more.
_MOST_VAIN_TRIES = 3
GONE_WORDS = (
    "550 5.1.1 <{}>: Recipient address rejected: User unknown",
    "550 5.1.10 recipient not found by SMTP address lookup",
    "550 No such user here",
    "550 5.2.1 The email account that you tried to reach is disabled",
)
FULL_WORDS = "452 4.2.2 The mailbox of the recipient is full"
NOTE = b"""Return-Path: <>
From: Somebody <%s>
To: %s
Subject: Automatic reply: your mail
Auto-Submitted: auto-replied

I am out of the office, and the address of my colleague does not exist any more.
"""


@dataclass
class Reader:
    """A reader, as the truth knows them.

    Attributes:
        name: the local part, which stays with the person when the address changes.
        address: the address that they read now.
        gone_at: the time from which their mailbox does not exist; None while it does.
        left_at: the time at which they left for good or complained; None while they did not.
        stories: the stories that they are owed, with the time of each.
    """

    name: str
    address: str
    gone_at: datetime | None = None
    left_at: datetime | None = None
    full_until: datetime = MONDAY
    greylisted: bool = False
    stories: dict[int, datetime] = field(default_factory=dict)

    @property
    def reads(self) -> bool:
        """True while mails can reach them and they want them."""
        return self.gone_at is None and self.left_at is None


class Providers(Sink):
    """The mail servers behind our relay: they answer by the state of each provider and mailbox."""

    def __init__(self, year: "Year", port: int) -> None:
        super().__init__(port)
        self.year = year
        self.away = False
        self.moods: dict[str, tuple[str, str]] = {}
        self.session_limit = 0
        self.lose_answers: set[str] = set()
        self.seen: set[tuple[str, str]] = set()
        self.tries: Counter[str] = Counter()
        self.vain: Counter[str] = Counter()

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Answer on the port until the end."""
        controller = Controller(self, hostname="127.0.0.1", port=self.port)
        controller.start()
        try:
            yield
        finally:
            controller.stop()

    async def handle_EHLO(self, _server, session, _envelope, hostname, responses):  # noqa: N802
        if self.away:
            return ["421 4.3.2 The system is away"]
        session.host_name, session.mails = hostname, 0
        return responses

    async def handle_MAIL(self, _server, session, envelope, address, options):  # noqa: N802
        if self.away:
            return "421 4.3.2 The system is away"
        if self.session_limit and session.mails >= self.session_limit:
            return "421 4.7.0 Too many messages in this session"
        session.mails += 1
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 ok"

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802
        answer = self._verdict(address.lower())
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    def _verdict(self, address: str) -> str:
        self.tries[address] += 1
        stage, words = self.moods.get(address.partition("@")[2], ("", ""))
        if stage == "rcpt":
            if words == _LIE and (told := self.year.by_address.get(address)) is not None:
                self.year.lied_to[self.year.moods_end[address.partition("@")[2]]].add(told.name)
            return words
        reader = self.year.by_address.get(address)
        return "250 2.1.5 ok" if reader is None else self._verdict_of_mailbox(address, reader)

    def _verdict_of_mailbox(self, address: str, reader: Reader) -> str:
        if reader.gone_at is not None or reader.address != address:
            self.vain[address] += 1
            return self.year.gone_words[reader.name].format(address)
        if reader.full_until > self.year.now:
            return FULL_WORDS
        if reader.greylisted and (address, self.year.day) not in self.seen:
            self.seen.add((address, self.year.day))
            return "451 4.7.1 Greylisted, come back in five minutes"
        return "250 2.1.5 ok"

    async def handle_DATA(self, server, _session, envelope):  # noqa: N802
        recipient = envelope.rcpt_tos[0].lower()
        stage, words = self.moods.get(recipient.partition("@")[2], ("", ""))
        if stage == "data":
            return words
        self.year.arrived(recipient, envelope.mail_from, envelope.content)
        if recipient in self.lose_answers:
            self.lose_answers.discard(recipient)
            self.year.may_repeat[recipient] += 1
            server.transport.close()
        return "250 2.0.0 kept"


class Year:
    """One year: readers and servers whose life a seed draws, and the clock."""

    def __init__(
        self, installation: Installation, seed: int, days: int = DAYS, people: int = PEOPLE
    ) -> None:
        self.days, self.people = days, people
        self.installation, self.draw = installation, random.Random(seed)
        self.now, self.day = MONDAY, 0
        self.readers: list[Reader] = []
        self.by_address: dict[str, Reader] = {}
        self.by_name: dict[str, Reader] = {}
        self.gone_words: dict[str, str] = {}
        self.published = 0
        self.articles: list[Article] = []
        self.got: dict[str, list[tuple[datetime, frozenset[int]]]] = defaultdict(list)
        self.may_repeat: Counter[str] = Counter()
        self.last_mail: dict[str, tuple[str, EmailMessage]] = {}
        self.operator_mails: list[str] = []
        self.after_leaving: list[str] = []
        self.complained: set[str] = set()
        self.log: list[str] = []
        self.lied_to: dict[datetime, set[str]] = defaultdict(set)
        self.moods_end: dict[str, datetime] = {}
        self.away_until = self.lied_until = MONDAY
        self.application = create(installation.at(MONDAY))
        self.server: Providers
        self.client: Client

    # ---- the mails that arrive

    def arrived(self, address: str, sender: str, octets: bytes) -> None:
        """Keep what a mail said and to whom."""
        message = message_from_bytes(octets, policy=policy.default)
        if address == OPERATOR:
            self.operator_mails.append(f"{message['Subject']}\n{text_of(message)}")
            return
        reader = self.by_address[address]
        text = text_of(message)
        stories = frozenset(int(number) for number in re.findall(r"story(\d+)x", text))
        self.got[reader.name].append((self.now, stories))
        self.last_mail[reader.name] = (sender, message)
        if stories and reader.left_at is not None and reader.left_at < self.now:
            self.after_leaving.append(f"{reader.name} at {self.now}: {sorted(stories)}")

    # ---- the readers

    def enrol(self) -> None:
        """Subscribe the readers, in all cadences."""
        for number in range(self.people):
            name = f"reader{number}"
            address = f"{name}@{PROVIDERS[number % len(PROVIDERS)]}"
            reader = Reader(name, address, greylisted=self.draw.random() < 0.1)
            self.readers.append(reader)
            self.by_address[address] = self.by_name[name] = reader
            self.gone_words[name] = self.draw.choice(GONE_WORDS)
            every = self.draw.choices(["immediate", "daily", "weekly", "monthly"], [1, 3, 4, 2])[0]
            on = {"weekly": "wednesday", "monthly": "14"}.get(every)
            self.installation.subscribe(address, every, f"{self.draw.randrange(24):02}:00", on)

    def leave(self, reader: Reader) -> None:
        """Press the one-click link of the last mail."""
        link = self._link(reader)
        if link:
            self.application.state.deps = self.installation.at(self.now)
            answer = self.client.post(link, "List-Unsubscribe=One-Click", FORM)
            assert answer.status_code == 200, answer.text
            reader.left_at = self.now
            self.log.append(f"{self.now:%m-%d %H} {reader.name} left")

    def come_back(self, reader: Reader) -> None:
        """Undo the leaving, within the time in which that is offered."""
        link = self._link(reader)
        self.application.state.deps = self.installation.at(self.now)
        answer = self.client.post(link, "do=undo", FORM)
        if answer.status_code == 200 and "undo" not in answer.text.lower():
            reader.left_at = None
            self.log.append(f"{self.now:%m-%d %H} {reader.name} came back")

    def _may_come_back(self, reader: Reader) -> bool:
        if reader.left_at is None or reader.address in self.complained:
            return False
        return self.now - reader.left_at < 3 * DAY

    def _link(self, reader: Reader) -> str:
        if reader.name not in self.last_mail:
            return ""
        listed = str(self.last_mail[reader.name][1]["List-Unsubscribe"])
        return re.search(r"<(https://[^>]+)>", listed)[1]

    def move(self, reader: Reader) -> None:
        """Change the address, as both confirm it; the old mailbox is closed."""
        address = f"{reader.name}.{self.day}@{self.draw.choice(PROVIDERS)}"
        with self.installation.at(self.now).writing() as session:
            person = subscriptions.find_subscriber(session, reader.address)
            if person is None:
                return
            change = address_changes.ask(session, person, address, self.now)
            for side in address_changes.Side:
                address_changes.agree(session, change, side, self.now)
        self.by_address[address] = reader
        reader.address = address
        self.log.append(f"{self.now:%m-%d %H} {reader.name} reads {address} now")

    def lose_mailbox(self, reader: Reader) -> None:
        """Close a mailbox for good."""
        reader.gone_at = self.now
        self.log.append(f"{self.now:%m-%d %H} {reader.name} has no mailbox any more")

    # ---- the mails that come back

    def come_backs(self) -> None:
        """Draw automatic replies, delay warnings, soft reports and complaints."""
        mails = []
        for name, (sender, _) in sorted(self.last_mail.items()):
            reader = self.by_name[name]
            chance = self.draw.random()
            if chance < 0.02:
                mails.append(NOTE % (reader.address.encode(), sender.encode()))
            elif chance < 0.03:
                words = ("4.4.1", "connection timed out, still trying")
                mails.append(a_report(sender, *words, "delayed", reader.address))
            elif chance < 0.035:
                words = ("5.7.1", "550 5.7.1 rejected: our filter dislikes an unknown host")
                self.may_repeat[reader.address] += 1
                mails.append(a_report(sender, *words, recipient=reader.address))
            elif chance < 0.0365 and reader.reads:
                reader.left_at = self.now
                self.complained.add(reader.address)
                self.log.append(f"{self.now:%m-%d %H} {name} complained")
                mails.append(a_complaint(sender))
        bounces.read(self.installation.at(self.now), mails)

    # ---- the days

    def publish(self) -> None:
        """Publish one article, which each reader that is there now is owed."""
        number = self.published
        self.published += 1
        places = ("Arbeck", "Bexheim", "Corvano", "Drumlin", "Estrava", "Fennby", "Gorlice")
        place, other = places[number % 7], places[(number // 7) % 7]
        title = f"Frexalimab and the {number + 11} {other} walkers of {place}"
        summary = (
            f"A made-up club of {place} walked {number * 3 + 5} miles with {number + 11} people of "
            f"{other} who had frexalimab, and wrote down step {number * 7 + 2}."
        )
        self.articles.insert(0, Article(title, summary, slug=f"story{number}x"))
        self.installation.publish(self.articles[:20])
        for reader in self.readers:
            if reader.left_at is None:
                reader.stories[number] = self.now

    def change_weather(self) -> None:
        """Draw the moods of servers and mailboxes of this day, and what readers do."""
        draw = self.draw
        for provider, end in list(self.moods_end.items()):
            if end <= self.now:
                self.server.moods.pop(provider, None)
                del self.moods_end[provider]
        if draw.random() < 0.08:
            provider = draw.choice(PROVIDERS)
            self.server.moods[provider] = draw.choice(ABOUT_US)
            self.moods_end[provider] = self.now + draw.choice([0.3, 1, 3, 6]) * DAY
            self.log.append(f"{self.now:%m-%d %H} {provider}: {self.server.moods[provider]}")
        if draw.random() < 0.02:
            # A provider says for some hours that nobody lives there, as a large one once did.
            provider = draw.choice(PROVIDERS)
            self.server.moods[provider] = ("rcpt", _LIE)
            self.moods_end[provider] = self.now + draw.choice([0.2, 0.6]) * DAY
            self.lied_until = self.now + 2 * DAY
            self.log.append(f"{self.now:%m-%d %H} {provider} calls everybody unknown")
        if draw.random() < 0.03:
            self.away_until = self.now + draw.choice([0.2, 1, 4]) * DAY
            self.log.append(f"{self.now:%m-%d %H} the server is away until {self.away_until}")
        self._decide_about_held()
        self.server.away = self.away_until > self.now
        self.server.session_limit = draw.choice([0, 0, 5, 20])
        self._live()

    def _decide_about_held(self) -> None:
        """Decide as an operator who knows which mailboxes exist, two days after the wrong answers.

        Only what the operator was mailed about can be decided.
        """
        deps = self.installation.at(self.now)
        with deps.reading() as session:
            held = [
                (each.id, self.by_address[each.subscriber.email])
                for each in held_suppressions.listed(session, ())
            ]
        if not held or self.now < self.lied_until:
            return
        gone = [number for number, reader in held if reader.gone_at is not None]
        there = [number for number, reader in held if reader.gone_at is None]
        if gone:
            brake.accept(deps, gone)
        if there:
            brake.dismiss(deps, there)
        self.log.append(f"{self.now:%m-%d %H} held: {len(gone)} accepted, {len(there)} dismissed")

    def _live(self) -> None:
        """Draw what three readers do this day."""
        draw = self.draw
        for reader in draw.sample(self.readers, 3):
            chance = draw.random()
            if chance < 0.05 and reader.reads:
                self.lose_mailbox(reader)
            elif chance < 0.12 and reader.reads:
                self.leave(reader)
            elif chance < 0.3 and self._may_come_back(reader):
                self.come_back(reader)
            elif chance < 0.5:
                reader.full_until = self.now + draw.choice([0.5, 1.5]) * DAY
            elif chance < 0.55 and reader.reads:
                self.move(reader)
            elif chance < 0.65:
                self.server.lose_answers.add(reader.address)

    def run(self) -> None:
        """Run the steps at this moment; a database that cannot be written is tried again later."""
        with suppress(StoreError, Crash):
            run_once(self.installation.at(self.now))

    def run_with_trouble(self) -> None:
        """Run on a full disk, or be killed in the middle, or stop, or run with a wrong clock."""
        trouble = self.draw.choice(["disk", "killed", "stopped", "clock"])
        self.log.append(f"{self.now:%m-%d %H} trouble: {trouble}")
        before = Counter({name: len(mails) for name, mails in self.got.items()})
        if trouble == "disk":
            with full_disk(self.installation):
                self.run()
        elif trouble == "killed":
            with killed_while_settling(self.draw.randrange(3)):
                self.run()
        elif trouble == "stopped":
            left = iter(range(self.draw.randrange(30)))
            with suppress(StoreError):
                run_once(self.installation.at(self.now), lambda: next(left, None) is None)
        else:
            right = self.now
            self.now += self.draw.choice([-3 * DAY, -HOUR, 2 * HOUR, 2 * DAY])
            self.run()
            self.now = right
        if trouble in ("disk", "killed"):  # what arrived may not have been stored
            for name, mails in self.got.items():
                self.may_repeat[self.by_name[name].address] += len(mails) - before[name]

    def pass_day(self) -> None:
        """Live one day: weather, news, mails that come back, and four runs."""
        self.day += 1
        self.now = MONDAY + self.day * DAY
        quiet = self.day > self.days - _QUIET_DAYS
        if quiet:
            self.server.moods, self.server.away, self.server.session_limit = {}, False, 0
            self.server.lose_answers.clear()
        else:
            self.change_weather()
            if self.draw.random() < 0.2:
                self.publish()
            if self.draw.random() < 0.2:
                self.come_backs()
        for hour in (1, 7, 13, 19):
            self.now = MONDAY + self.day * DAY + hour * HOUR
            if not quiet and self.draw.random() < 0.02:
                self.run_with_trouble()
                self.now += HOUR
            self.run()

    # ---- the judgement

    def not_reached(self) -> list[str]:
        """Return what somebody was owed, did not get, and no mail to the operator names."""
        missing = []
        suppressed = set(self._suppressed_and_there())
        told = "\n".join(self.operator_mails)
        for reader in self.readers:
            if reader.reads:
                got = Counter(story for _, stories in self.got[reader.name] for story in stories)
                lost = [story for story in reader.stories if not got[story]]
                if lost and reader.name not in suppressed and not self._named(reader, told):
                    missing.append(f"{reader.name}: {lost}")
        return missing

    def _named(self, reader: Reader, told: str) -> bool:
        with self.installation.at(self.now).reading() as session:
            failed = (
                session.query(Delivery)
                .filter(Delivery.status.in_(DeliveryStatus.LOST | {DeliveryStatus.UNCERTAIN}))
                .all()
            )
            person = subscriptions.find_subscriber(session, reader.address)
            ids = {one.id for one in person.subscriptions} if person else set()
            digests = [one.digest_id for one in failed if one.subscription_id in ids]
        return any(re.search(rf"digests? [^.]*\b{digest}\b", told) for digest in digests)

    def repeated(self) -> list[str]:
        """Return what somebody got more often than once without a reason."""
        wrong = []
        for reader in self.readers:
            allowed = sum(
                number
                for address, number in self.may_repeat.items()
                if self.by_address.get(address) is reader
            )
            got = Counter(story for _, stories in self.got[reader.name] for story in stories)
            more = sum(number - 1 for number in got.values())
            mails = Counter(stories for _, stories in self.got[reader.name] if stories)
            if more and sum(number - 1 for number in mails.values()) + more > 2 * allowed * 4:
                wrong.append(f"{reader.name}: {[s for s, n in got.items() if n > 1]}")
        return wrong

    def wrongly_suppressed(self) -> list[str]:
        """Return the readers whose address exists and is suppressed for a bounce.

        Up to five that a provider wrongly called unknown cannot be told from real ones.
        """
        wrong = self._suppressed_and_there()
        for names in self.lied_to.values():
            of_this_lie = [name for name in wrong if name in names]
            if len(of_this_lie) <= 5:
                wrong = [name for name in wrong if name not in names]
        return wrong

    def _suppressed_and_there(self) -> list[str]:
        with self.installation.at(self.now).reading() as session:
            causes = {row.address_hash: row.cause for row in session.query(Suppression)}
            return [
                reader.name
                for person in session.query(Subscriber)
                if causes.get(person.address_hash) is SuppressionCause.BOUNCED
                and (reader := self.by_address.get(person.email)) is not None
                and reader.gone_at is None
                and reader.address == person.email
            ]

    def written_to_in_vain(self) -> list[str]:
        """Return the closed mailboxes that were tried again and again."""
        return [
            f"{address}: {number}"
            for address, number in self.server.vain.items()
            if number > _MOST_VAIN_TRIES
        ]


class Crash(BaseException):
    """The process is killed."""


@contextmanager
def killed_while_settling(number: int) -> Iterator[None]:
    """Kill the process when it stores that mails were accepted, after so many times."""
    store, left = outbox.settle_accepted, iter(range(number))

    def die(*arguments: object) -> None:
        if next(left, None) is None:
            raise Crash
        store(*arguments)

    with patch.object(outbox, "settle_accepted", die):
        yield


@contextmanager
def full_disk(installation: Installation) -> Iterator[None]:
    """Let the database grow no further."""
    engine = installation.at(MONDAY).engine

    def fill(connection: object, *_: object) -> None:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")

    def empty(connection: object, *_: object) -> None:
        connection.execute("PRAGMA max_page_count = 1073741823")

    event.listen(engine, "checkout", fill)
    event.listen(engine, "checkin", empty)
    try:
        yield
    finally:
        event.remove(engine, "checkout", fill)
        event.remove(engine, "checkin", empty)
