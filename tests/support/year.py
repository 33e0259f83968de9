"""A year of ordinary life of 300 readers and eight mail providers, drawn by a seed.

Owns the readers, the weather and the truth: what each reader is owed, what reached whom, and who
may not be written to. It drives the product by its steps, its web pages and the mails that come
back. The servers' conversation is in `providers.py`, troubles of the machine in `troubles.py`, and
the judgement in `year_judgement.py`.
"""

import quopri
import random
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from unittest.mock import patch

from notifier.deliver.smtp import patience
from notifier.enums import Cadence, DeliveryStatus, Edition
from notifier.errors import NotifierError, StoreError
from notifier.match import profiles
from notifier.pipeline import bounces, brake, unsent
from notifier.pipeline.run import run_once
from notifier.settings import Operator
from notifier.store.models import Delivery
from notifier.subscribers import address_changes, held_suppressions, schedule, subscriptions
from notifier.subscribers.choices import Choice
from notifier.web.app import create
from tests.support import troubles
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import text_of
from tests.support.news_site import Article
from tests.support.providers import Providers
from tests.support.reports import a_complaint, a_report
from tests.support.visitor import Client
from tests.support.web_server import serving

DAYS, PEOPLE = 365, 300
OPERATOR = "office@example.org"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NAMES = tuple(f"provider{number}.example" for number in range(8))
# These take mails to closed mailboxes and report later that they could not deliver them.
REPORTING = frozenset(NAMES[6:])
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
# What a report says that is about us, or that passes: the mail is sent again.
COME_BACK = (
    ("5.7.1", "550 5.7.1 rejected: our filter dislikes an unknown host"),
    ("5.7.26", "550 5.7.26 Blocked, because the sender is not authenticated"),
    ("5.7.1", "554 5.7.1 Service unavailable; client host [192.0.2.7] blocked using bl.example"),
    ("5.2.2", "552 5.2.2 The mailbox of the recipient is full"),
    ("5.3.2", "550 5.3.2 System not accepting network messages"),
)
GONE_WORDS = (
    "550 5.1.1 <{}>: Recipient address rejected: User unknown",
    "550 5.1.10 recipient not found by SMTP address lookup",
    "550 No such user here",
    "550 5.2.1 The email account that you tried to reach is disabled",
)
FULL_WORDS = "452 4.2.2 The mailbox of the recipient is full"
GREYLISTED = "451 4.7.1 Greylisted, come back in five minutes"
_FORM = "application/x-www-form-urlencoded"
_LIE = "550 5.1.1 The email account that you tried to reach does not exist"
# At the end of the year everything works, so that what is owed can arrive (a monthly digest, too).
_QUIET_DAYS = 40
# The hours after the weather was drawn at which runs may be due. A run that finds nothing to do
# takes as long as ten mails, so there is one every second day.
_RUNS = (1, 9, 17)
_IDLE_EVERY = 2
_NOTE = b"""Return-Path: <>
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
        complained: True after a complaint, which cannot be taken back by a link.
        full_until: the time until which the mailbox is full.
        greylisted: True if their server puts off the first mail of each day.
        stories: the stories that they are owed, with the time of each.
    """

    name: str
    address: str
    gone_at: datetime | None = None
    left_at: datetime | None = None
    complained: bool = False
    full_until: datetime = MONDAY
    greylisted: bool = False
    stories: dict[int, datetime] = field(default_factory=dict)

    @property
    def reads(self) -> bool:
        """True while mails can reach them and they want them."""
        return self.gone_at is None and self.left_at is None


@dataclass(frozen=True)
class Received:
    """A mail that reached a mailbox, read as cheaply as possible.

    Attributes:
        at: the true time.
        address: the mailbox.
        sender: the envelope sender.
        message_id: its Message-ID, which every copy of it has.
        link: the link that ends the subscription.
        stories: the stories in it.
    """

    at: datetime
    address: str
    sender: str
    message_id: str
    link: str
    stories: frozenset[int]


@dataclass
class Loss:
    """The next answers to a mailbox that get lost: how many, and whether the mails are kept."""

    times: int
    kept: bool


class Year:
    """One year: readers and servers whose life a seed draws, and the clock."""

    def __init__(
        self, installation: Installation, seed: int, days: int = DAYS, people: int = PEOPLE
    ) -> None:
        self.days, self.people, self.quiet_days = days, people, min(_QUIET_DAYS, days // 2)
        self.installation, self.draw = installation, random.Random(seed)
        self.now, self.day = MONDAY, 0
        # What the clock of the machine shows: usually the true time.
        self.clock = MONDAY
        self.readers: list[Reader] = []
        self.by_address: dict[str, Reader] = {}
        self.gone_words: dict[str, str] = {}
        self.seen: set[tuple[str, int]] = set()
        self.published, self.polled = 0, 0
        self.articles: list[Article] = []
        self.log: list[str] = []
        self.got: dict[str, list[Received]] = defaultdict(list)
        self.operator_mails: list[tuple[datetime, str]] = []
        self.operator_read = 0
        # How many more copies of a mail may arrive: one for each lost answer, crash and report.
        self.may_repeat: Counter[str] = Counter()
        self.after_leaving: list[str] = []
        self.lost_by_crash: list[str] = []
        self.vain: Counter[str] = Counter()
        self.losses: dict[str, Loss] = {}
        self.moods: dict[str, tuple[str, str]] = {}
        self.moods_end: dict[str, datetime] = {}
        self.lied_to: dict[tuple[str, datetime], set[str]] = defaultdict(set)
        self.away_until = self.lied_until = MONDAY
        # Mails on the way back to us.
        self.returning: list[bytes] = []
        # The reader who leaves during the next run, and after how many mails.
        self.leaving: tuple[int, Reader] | None = None
        self.server = Providers(self.verdict, self.take)
        self.application = create(installation.at(MONDAY))
        self.client: Client

    def happened(self, what: str) -> None:
        """Note what happened, for the message of a failing test."""
        self.log.append(f"{self.now:%m-%d %H} {what}")

    # ---- what the servers say

    def verdict(self, address: str) -> str:
        """Return the answer to RCPT TO for an address."""
        provider = address.partition("@")[2]
        stage, words = self.moods.get(provider, ("", ""))
        reader = self.by_address.get(address)
        if stage == "rcpt":
            if words == _LIE and reader is not None:
                self.lied_to[provider, self.moods_end[provider]].add(reader.name)
            return words
        if reader is None:
            return "250 2.1.5 ok"
        if not self._is_read(reader, address):
            if provider not in REPORTING:
                self.vain[address] += 1
                return self.gone_words[reader.name].format(address)
        elif reader.full_until > self.now:
            return FULL_WORDS
        elif reader.greylisted and (address, self.day) not in self.seen:
            self.seen.add((address, self.day))
            return GREYLISTED
        return "250 2.1.5 ok"

    @staticmethod
    def _is_read(reader: Reader, address: str) -> bool:
        return reader.gone_at is None and reader.address == address

    def take(self, address: str, sender: str, octets: bytes) -> str:
        """Take a mail, or refuse it; return the answer, an empty one if it gets lost."""
        stage, words = self.moods.get(address.partition("@")[2], ("", ""))
        if stage == "data":
            return words
        loss = self.losses.get(address)
        mail = self._received(address, sender, octets)
        if loss is None or loss.kept:
            self._keep(mail, octets)
        if loss is None:
            return "250 2.0.0 kept"
        self.may_repeat[mail.message_id] += loss.kept
        loss.times -= 1
        if loss.times <= 0:
            del self.losses[address]
        return ""

    def _received(self, address: str, sender: str, octets: bytes) -> Received:
        """Read what matters of a mail; the parser of the library would take most of the time."""
        head, _, body = octets.replace(b"\r\n", b"\n").partition(b"\n\n")
        fields = head.replace(b"\n ", b" ").replace(b"\n\t", b" ").decode()
        message_id = re.search(r"(?im)^message-id:\s*(\S+)", fields)
        link = re.search(r"(?im)^list-unsubscribe:.*?<\s*(https://[^>]+)>", fields)
        stories = re.findall(rb"story(\d+)x", quopri.decodestring(body))
        return Received(
            self.now,
            address,
            sender,
            message_id[1] if message_id else "",
            re.sub(r"\s", "", link[1]) if link else "",
            frozenset(map(int, stories)),
        )

    def _keep(self, mail: Received, octets: bytes) -> None:
        if mail.address == OPERATOR:
            message = message_from_bytes(octets, policy=policy.default)
            words = f"{message['Subject']}\n{text_of(message)}".split()
            self.operator_mails.append((self.now, " ".join(words)))  # lines may break anywhere
            return
        reader = self.by_address[mail.address]
        if not self._is_read(reader, mail.address):
            self.vain[mail.address] += 1
            words = f"550 5.1.1 <{mail.address}>: user unknown"
            self.returning.append(a_report(mail.sender, "5.1.1", words, recipient=mail.address))
            return
        self.got[reader.name].append(mail)
        if reader.left_at is not None and reader.left_at < self.now:
            self.after_leaving.append(f"{reader.name} at {self.now}: {sorted(mail.stories)}")
        if self.leaving is not None:
            left, leaver = self.leaving
            self.leaving = (left - 1, leaver) if left else None
            if not left:
                self.leave(leaver)

    # ---- the readers

    def enrol(self) -> None:
        """Subscribe the readers, in all cadences."""
        for number in range(self.people):
            name = f"reader{number}"
            address = f"{name}@{NAMES[number % len(NAMES)]}"
            self.readers.append(Reader(name, address, greylisted=self.draw.random() < 0.1))
            self.by_address[address] = self.readers[-1]
            self.gone_words[name] = self.draw.choice(GONE_WORDS)
        with self.installation.at(MONDAY).writing() as session:
            profile = profiles.find(session, None)
            for reader in self.readers:
                choice = self._choice()
                one = subscriptions.subscribe(session, reader.address, profile, choice, MONDAY)
                subscriptions.confirm(session, one, "command line", "operator test", MONDAY)

    def _choice(self) -> Choice:
        cadence = self.draw.choices([*Cadence], [1, 3, 4, 2])[0]
        on = {Cadence.WEEKLY: "wednesday", Cadence.MONTHLY: "14"}.get(cadence)
        at = f"{self.draw.randrange(24):02}:00"
        parsed = schedule.parse_on(on, cadence)
        return Choice(schedule.Schedule(cadence, at, parsed, "UTC"), Edition.PATIENT, "en")

    def _last_mail(self, reader: Reader) -> Received | None:
        return self.got[reader.name][-1] if self.got[reader.name] else None

    def leave(self, reader: Reader) -> None:
        """Press the one-click link of the last mail."""
        mail = self._last_mail(reader)
        if mail is not None and reader.left_at is None:
            self.application.state.deps = self.installation.at(self.now)
            answer = self.client.post(mail.link, "List-Unsubscribe=One-Click", _FORM)
            assert answer.status_code == 200, answer.text
            reader.left_at = self.now
            self.happened(f"{reader.name} left")

    def _may_come_back(self, reader: Reader) -> bool:
        """Return whether somebody left, within the time in which taking it back is offered."""
        if reader.left_at is None or reader.complained or reader.gone_at is not None:
            return False
        return self.now - reader.left_at < 3 * DAY

    def come_back(self, reader: Reader) -> None:
        """Undo the leaving; the link of a mail to an earlier address offers no undo."""
        mail = self._last_mail(reader)
        assert mail is not None
        self.application.state.deps = self.installation.at(self.now)
        answer = self.client.post(mail.link, "do=undo", _FORM)
        if "You are subscribed again" in answer.text:
            reader.left_at = None
            self.happened(f"{reader.name} came back")
        else:
            assert mail.address != reader.address, answer.text

    def move(self, reader: Reader) -> None:
        """Change the address, as both confirm it; the old mailbox is closed.

        What its server says later of mails that were on the way is not about the new one.
        """
        address = f"{reader.name}.{self.day}@{self.draw.choice(NAMES)}"
        with self.installation.at(self.now).writing() as session:
            person = subscriptions.find_subscriber(session, reader.address)
            assert person is not None, f"{reader.name} is not stored any more"
            change = address_changes.ask(session, person, address, self.now)
            for side in address_changes.Side:
                address_changes.agree(session, change, side, self.now)
        mail = self._last_mail(reader)
        if mail is not None and self.draw.random() < 0.5:
            words = f"550 5.1.1 <{mail.address}>: user unknown"
            self.returning.append(a_report(mail.sender, "5.1.1", words, recipient=mail.address))
        self.by_address[address] = reader
        reader.address = address
        self.happened(f"{reader.name} reads {address} now")

    # ---- the mails that come back

    def draw_returns(self) -> None:
        """Draw automatic replies, delay warnings, reports and complaints."""
        for reader in self.readers:
            chance, mail = self.draw.random(), self._last_mail(reader)
            if mail is None or chance >= 0.0375:
                continue
            if chance < 0.02:
                self.returning.append(_NOTE % (mail.address.encode(), mail.sender.encode()))
            elif chance < 0.03:
                words = ("4.4.1", "connection timed out, still trying")
                self.returning.append(a_report(mail.sender, *words, "delayed", mail.address))
            elif chance < 0.036:
                words = self.draw.choice(COME_BACK)
                self.may_repeat[mail.message_id] += 1
                self.returning.append(a_report(mail.sender, *words, recipient=mail.address))
            elif reader.reads and self.now - mail.at < 30 * DAY:  # a later one proves nothing
                self.returning.append(a_complaint(mail.sender))
                # A complaint about a mail to an earlier address says nothing about the new one.
                if mail.address == reader.address:
                    reader.left_at, reader.complained = self.now, True
                    self.happened(f"{reader.name} complained")

    def read_returns(self) -> None:
        """Let the product read what came back."""
        returned, self.returning = self.returning, []
        if returned:
            bounces.read(self.installation.at(self.now), returned)

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
        draw, server = self.draw, self.server
        for provider, end in list(self.moods_end.items()):
            if end <= self.now:
                del self.moods[provider], self.moods_end[provider]
        if draw.random() < 0.08:
            self._set_mood(draw.choice(NAMES), draw.choice(ABOUT_US), draw.choice([0.3, 1, 3, 6]))
        if draw.random() < 0.02:
            # A provider says for some hours that nobody lives there, as a large one once did.
            self._set_mood(draw.choice(NAMES), ("rcpt", _LIE), draw.choice([0.2, 0.6]))
            self.lied_until = self.now + 2 * DAY
        if draw.random() < 0.03:
            self.away_until = self.now + draw.choice([0.2, 1, 4]) * DAY
            self.happened(f"the server is away until {self.away_until}")
        server.away = self.away_until > self.now
        server.session_limit = draw.choice([0, 0, 5, 20])
        server.pipelining = draw.random() < 0.7
        for reader in draw.sample(self.readers, max(1, self.people // 100)):
            self._live(reader)

    def _set_mood(self, provider: str, mood: tuple[str, str], days: float) -> None:
        self.moods[provider], self.moods_end[provider] = mood, self.now + days * DAY
        self.happened(f"{provider} says for {days} days: {mood}")

    def _live(self, reader: Reader) -> None:
        """Draw what a reader does this day."""
        draw, chance = self.draw, self.draw.random()
        if chance < 0.05 and reader.reads:
            reader.gone_at = self.now
            self.happened(f"{reader.name} has no mailbox any more")
        elif chance < 0.10 and reader.reads:
            self.leave(reader)
        elif chance < 0.12 and reader.reads:
            self.leaving = draw.randrange(20), reader
        elif chance < 0.5 and self._may_come_back(reader):
            self.come_back(reader)
        elif chance < 0.5:
            reader.full_until = self.now + draw.choice([0.5, 1.5]) * DAY
        elif chance < 0.55 and reader.reads:
            self.move(reader)
        elif chance < 0.65:
            self.losses[reader.address] = Loss(draw.choice([1, 1, 2]), draw.random() < 0.7)

    def decide(self) -> None:
        """Decide what an operator is asked to decide, knowing which mailboxes exist.

        Only what the operator was mailed about can be decided. Half of what was given up is sent
        again.
        """
        deps = self.installation.at(self.now)
        with deps.reading() as session:
            held = [
                (each.id, self.by_address[each.subscriber.email])
                for each in held_suppressions.listed(session, ())
            ]
        if held and self.now >= self.lied_until:
            gone = [number for number, reader in held if reader.gone_at is not None]
            there = [number for number, reader in held if reader.gone_at is None]
            if gone:
                brake.accept(deps, gone)
            if there:
                brake.dismiss(deps, there)
            self.happened(f"held: {len(gone)} accepted, {len(there)} dismissed")
        mails, self.operator_read = (
            self.operator_mails[self.operator_read :],
            len(self.operator_mails),
        )
        for _, text in mails:
            for ids in re.findall(r"deliveries retry((?: \d+)+)", text):
                if self.draw.random() < 0.5:
                    self._send_again([int(number) for number in ids.split()])

    def _send_again(self, ids: Sequence[int]) -> None:
        deps = self.installation.at(self.now)
        for number in ids:
            with deps.reading() as session:
                delivery = session.get(Delivery, number)
                message_id, status = delivery.message_id, delivery.status
            with suppress(NotifierError):  # it went out meanwhile
                unsent.retry(deps, [number])
                self.may_repeat[message_id] += status is DeliveryStatus.UNCERTAIN
        self.happened(f"the operator sent {ids} again")

    def run(self) -> None:
        """Run the steps at this moment; a database that cannot be written is tried again later."""
        with suppress(StoreError, troubles.Crash):
            run_once(self.installation.at(self.clock))
        self.polled = self.published

    def run_with_trouble(self) -> None:
        """Run on a full disk, or be killed in the middle, or stop, or run with a wrong clock."""
        trouble = self.draw.choice(["disk", "killed", "stopped", "clock"])
        self.happened(f"trouble: {trouble}")
        before = {name: len(mails) for name, mails in self.got.items()}
        if trouble == "disk":
            with troubles.full_disk(self.installation.at(self.now).engine):
                self.run()
        elif trouble == "killed":
            with troubles.killed_while_settling(self.draw.randrange(3)):
                self.run()
        elif trouble == "stopped":
            left = iter(range(self.draw.randrange(30)))
            with suppress(StoreError):
                run_once(self.installation.at(self.now), lambda: next(left, None) is None)
        else:
            self.clock += self.draw.choice([-3 * DAY, -HOUR, 2 * HOUR, 2 * DAY])
            self.run()
        if trouble in ("disk", "killed"):
            self._forgive(trouble, before)

    def _forgive(self, trouble: str, before: dict[str, int]) -> None:
        """Allow one more copy of what arrived in a run and could not be stored.

        That is one mail of each connection at most.
        """
        self.server.wait_for_the_last()
        arrived = [
            each for name, mails in self.got.items() for each in mails[before.get(name, 0) :]
        ]
        with self.installation.at(self.now).reading() as session:
            stored = Delivery.message_id, Delivery.status
            rows = session.query(*stored).filter(
                Delivery.message_id.in_([mail.message_id for mail in arrived])
            )
            unknown = {key for key, status in rows if status is not DeliveryStatus.SENT}
        self.may_repeat.update(unknown)
        if len(unknown) > self.installation.at(self.now).settings.smtp.connections:
            self.lost_by_crash.append(f"{self.now} {trouble}: {len(unknown)} mails")

    def _set_time(self, moment: datetime) -> None:
        self.now = self.clock = moment

    def pass_day(self) -> None:
        """Live one day: weather, news, mails that come back, and runs when something is due."""
        self.day += 1
        self._set_time(MONDAY + self.day * DAY)
        quiet = self.day > self.days - self.quiet_days
        if quiet:
            self.moods, self.server.away, self.server.session_limit = {}, False, 0
            self.losses.clear()
        else:
            self.change_weather()
            if self.draw.random() < 0.2:
                self.publish()
            if self.draw.random() < 0.2:
                self.draw_returns()
        self.decide()
        for hour in _RUNS:
            self._set_time(MONDAY + self.day * DAY + hour * HOUR)
            self.read_returns()
            if not quiet and self.draw.random() < 0.02:
                self.run_with_trouble()
                self._set_time(self.now + HOUR)
            is_idle_time = hour == _RUNS[0] and self.day % _IDLE_EVERY == 0
            if is_idle_time or self._something_is_due():
                self.run()

    def _something_is_due(self) -> bool:
        if self.polled < self.published:
            return True
        with self.installation.at(self.now).reading() as session:
            return troubles.something_is_due(session, self.now)

    def live(self) -> None:
        """Live the whole year."""
        no_pauses = patch.object(patience, "_PAUSES", (0.0, 0.0, 0.0))  # they have tests
        with no_pauses, self.server.answering(), serving(self.application) as address:
            smtp = self.installation.at(self.now).settings.smtp
            smtp = smtp.model_copy(update={"port": self.server.port})
            self.installation.change(smtp=smtp, operator=Operator(address=OPERATOR))
            self.client = Client(address)
            self.enrol()
            self.run()
            for _ in range(self.days):
                self.pass_day()
