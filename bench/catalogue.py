"""The measurements of `make bench`: what each runs, what it proves, and what it does not.

Owns the names for `ONLY=`, the sizes of a quick and of a full run, the sentences of the pages, and
which curves are drawn. It measures nothing and knows no results.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Curve:
    """A plot: what is counted along the horizontal axis, and the unit of the vertical one.

    Attributes:
        along: The key of `Figure.at` along the horizontal axis, which is logarithmic.
        unit: Only figures in this unit are drawn.
        title: The heading of the plot.
    """

    along: str
    unit: str
    title: str


@dataclass(frozen=True)
class Bench:
    """One measurement.

    Attributes:
        name: What `ONLY=` takes.
        goals: The goals that it measures, as in "P1".
        title: Its heading on the page.
        scripts: The commands in a quick run: file and arguments, each printing figures.
        full: The commands with `FULL=1`.
        proves: What follows from its figures.
        leaves_open: What does not.
        closes: What would close the gap where a goal is missed.
        curves: What is drawn beside the ratios.
        timeout_minutes: After this time a quick run is given up; a full one after ten times that.
    """

    name: str
    goals: tuple[str, ...]
    title: str
    scripts: tuple[str, ...]
    full: tuple[str, ...]
    proves: str
    leaves_open: str
    closes: str = ""
    curves: tuple[Curve, ...] = ()
    timeout_minutes: float = 5


BENCHES = (
    Bench(
        name="startup",
        goals=("P9",),
        title="How light a command starts",
        scripts=("startup.py --rounds 9",),
        full=("startup.py --rounds 25",),
        proves="A command that only answers loads neither database nor HTTP client.",
        leaves_open="Nothing about commands that do work, nor about a start from a cold disk.",
    ),
    Bench(
        name="polling",
        goals=("P4",),
        title="Polling many sources",
        scripts=(
            "polling.py --sources 500 --rounds 1",
            "polling.py --growth 10 100 500 --rounds 1",
        ),
        full=(
            "polling.py --sources 500 --rounds 5",
            "polling.py --growth 10 100 1000 5000 --rounds 1",
        ),
        proves=(
            "When nothing changed, the checks of each address and answer, and the notes in the "
            "database, cost little beside the requests themselves; parsing decides a first cycle."
        ),
        leaves_open=(
            "Real sites are slower than a server on loopback, and have names that must be looked "
            "up: there waiting dominates, and the number of sites asked at once decides."
        ),
        closes=(
            "In a first cycle one document is parsed (17 ms for a feed of ten articles, whose "
            "texts are cleaned as well) while the one before it is stored, each in one process: a "
            "third core and a second parser process would take part of it. Without news, the "
            "checks of each address and answer are what is left."
        ),
        curves=(Curve("sources", "s", "A poll by the number of sources"),),
    ),
    Bench(
        name="feeds",
        goals=(),
        title="One long feed",
        scripts=("feeds.py --items 1000 --rounds 3",),
        full=("feeds.py --items 5000 --rounds 5",),
        proves="What has not changed is not parsed or stored again.",
        leaves_open="Nothing about feeds whose items all change with each request.",
    ),
    Bench(
        name="matching",
        goals=("P5",),
        title="Matching thousands of therapies",
        scripts=(
            "matching.py --rounds 3",
            "importing.py --profiles 100 1000",
            "matching_growth.py --rounds 3 --entries 10000 100000",
        ),
        full=(
            "matching.py",
            "importing.py --profiles 100 1000 5000",
            "matching_growth.py",
            "matching_growth.py --postgresql",
        ),
        proves="The cost of a text hardly depends on how many therapies are watched.",
        leaves_open=(
            "The texts and terms are random syllables; in real news more terms are met, and each "
            "that is met costs the time of judging it."
        ),
        curves=(
            Curve("profiles", "ms", "Matching by the number of profiles"),
            Curve("profiles", "s", "Importing by the number of profiles"),
            Curve("entries", "ms", "Matching 200 new entries by what is in the store"),
        ),
    ),
    Bench(
        name="digest",
        goals=(),
        title="A recipient's share of a digest",
        scripts=("digest.py",),
        full=("digest.py",),
        proves="A digest is rendered once; what is left for each recipient is joining bytes.",
        leaves_open="Signing and sending, which are measured below.",
    ),
    Bench(
        name="composing",
        goals=(),
        title="A sign-up while digests are composed",
        scripts=("composing.py --rounds 1", "composing.py --rounds 1 --postgresql"),
        full=("composing.py --rounds 5", "composing.py --rounds 5 --postgresql"),
        proves="The web pages answer while digests are rendered and stored.",
        leaves_open=(
            "The three processes share two cores here, so the same rendering without storing is "
            "the comparison that counts."
        ),
    ),
    Bench(
        name="lists",
        goals=(),
        title="Importing and exporting a list",
        scripts=("lists.py --people 10000",),
        full=("lists.py --people 100000",),
        proves="A list of this length is imported and exported in one go, in bounded memory.",
        leaves_open="Lists of other systems, whose words and columns take longer to recognise.",
        curves=(Curve("people", "s", "Importing by the length of the list"),),
    ),
    Bench(
        name="deliver",
        goals=("P1", "P2", "P3"),
        title="Delivering mails",
        scripts=(
            "delivery.py --people 8000 --rounds 3",
            "delivery.py --people 8000 --rounds 1 --postgresql",
        ),
        full=(
            "delivery.py --people 20000 --rounds 3",
            "delivery.py --people 20000 --rounds 3 --postgresql",
        ),
        proves=(
            "Reading who is next, signing links, joining, sending and writing down each answer "
            "together keep up with a program that sends one fixed message and keeps no record."
        ),
        leaves_open=(
            "The sink takes everything at once, on loopback and without TLS. A real server is "
            "slower, so that it and its limits decide; what refusals and delays cost is measured "
            "separately below."
        ),
        closes=(
            "A mail takes about 150 µs of one core here: 37 to settle it in the database, 15 to "
            "claim it, the rest to write its own links and to hand it over; smtp-source sends one "
            "fixed message. More connections or a second process hide part of it. "
            "Signing has a price for each mail that no arrangement takes away: at 10 KB the "
            "signature alone is a large part of what the goal allows. More cores, or a faster "
            "signature in the library, would close it."
        ),
        timeout_minutes=8,
    ),
    Bench(
        name="lengths",
        goals=("P7",),
        title="Delivering to a list that grows",
        scripts=(
            "delivery.py --flatness 1000 10000 50000",
            "delivery.py --flatness 1000 10000 50000 --postgresql",
        ),
        full=(
            "delivery.py --flatness 1000 10000 100000 1000000",
            "delivery.py --flatness 1000 10000 100000 1000000 --postgresql",
        ),
        proves="A delivery costs no more on a longer list, and the process no more memory.",
        leaves_open=(
            "On PostgreSQL the server's own processes come on top of the processor time; they are "
            "in the elapsed time, since all share two cores here."
        ),
        curves=(
            Curve("people", "µs/mail", "A delivery by the length of the list"),
            Curve("people", "MB", "Memory of the delivering process"),
            Curve("people", "bytes/person", "The store by the length of the list"),
        ),
        timeout_minutes=8,
    ),
    Bench(
        name="run",
        goals=("P0",),
        title="The whole run",
        scripts=("run_once.py --people 20000 --rounds 1",),
        full=(
            "run_once.py --people 20000 --rounds 5",
            "run_once.py --people 20000 --rounds 5 --connections 0",
        ),
        proves=(
            "Polling, matching, planning and sending together, from the start of the process to "
            "its end, keep up with a program that only sends."
        ),
        leaves_open="The mail server is on the same two cores, and takes its share of them.",
        closes=(
            "Of 4.4 s on SQLite, 0.9 are the start of Python and its libraries, 0.5 composing and "
            "planning, the rest sending; a longer list has a smaller share of the first two. On "
            "PostgreSQL the server's own work shares the two cores: it belongs on a third. The "
            "libraries alone take 85 MB. Signing is as described above."
        ),
    ),
    Bench(
        name="faulty",
        goals=(),
        title="Delivering to servers that refuse and hesitate",
        scripts=("run_once.py --faults --people 5000 --rounds 1 --keys none",),
        full=("run_once.py --faults --people 20000 --rounds 5 --keys none",),
        proves=(
            "Refused and deferred mails, domains that answer late, and sessions that are closed "
            "early cost their own share and do not stop the rest."
        ),
        leaves_open="The shares are made up; those of a real list are smaller and come in waves.",
    ),
    Bench(
        name="plan",
        goals=("P6",),
        title="Planning a digest",
        scripts=(
            "planning.py --growth --people 100000 --database sqlite",
            "planning.py --growth --people 100000 --database postgresql",
        ),
        full=tuple(
            f"planning.py --people 1000000 --database {database} {options}"
            for database in ("sqlite", "postgresql")
            for options in ("--growth", "--case told", "--case merging")
        ),
        proves=(
            "Who gets what is decided in the database: time grows with the list, memory does not."
        ),
        leaves_open="Lists in which everybody was told something else before: more groups.",
        closes=(
            "A third of the time is storing deliveries with their five indexes, a fifth (on "
            "PostgreSQL a third) the new due time of each subscription, whose index changes with "
            "it; on PostgreSQL a fifth is the check of foreign keys. One row for all who share a "
            "schedule, instead of a due time with each subscription, would close part of it."
        ),
        curves=(
            Curve("people", "s", "Planning by the length of the list"),
            Curve("people", "MB", "Memory of planning by the length of the list"),
        ),
    ),
    Bench(
        name="tick",
        goals=("P10",),
        title="A tick with nothing due",
        scripts=("tick.py --sizes 1000,100000", "tick.py --postgresql --sizes 1000,100000"),
        full=(
            "tick.py --sizes 1000,10000,100000,1000000",
            "tick.py --postgresql --sizes 1000,10000,100000,1000000",
        ),
        proves="An idle program reads indexes, whatever the store holds.",
        leaves_open="A store that no longer fits in memory, where an index is read from a disk.",
        closes=(
            "One read of an index for each profile, and on PostgreSQL 45 round trips of one "
            "statement each: fewer profiles or fewer, larger statements."
        ),
        curves=(Curve("subscribers", "ms", "An idle tick by the size of the store"),),
    ),
    Bench(
        name="work",
        goals=("P11", "P12"),
        title="Several workers",
        scripts=("workers.py --mails 2000 --rounds 1", "confirmations.py --people 50000"),
        full=("workers.py --full", "confirmations.py --people 200000"),
        proves=(
            "Workers share a list without sending anything twice, a killed one's mails are sent by "
            "the others, and what somebody just asked for overtakes a long digest."
        ),
        leaves_open=(
            "Workers on more than one machine: here all of them, the database and the mail server "
            "share two cores, so what four add to two says little."
        ),
        timeout_minutes=8,
        curves=(Curve("workers", "mails/s", "Mails a second by the number of workers"),),
    ),
    Bench(
        name="pgbouncer",
        goals=(),
        title="Through PgBouncer",
        scripts=("pgbouncer.py",),
        full=("pgbouncer.py",),
        proves=(
            "In transaction mode everything works that lasts no longer than a transaction, and "
            "with prepare_threshold=none notifier needs nothing else; only LISTEN is lost."
        ),
        leaves_open="PgBouncer 1.21 and newer, which can keep prepared statements.",
    ),
    Bench(
        name="crash",
        goals=("P8",),
        title="Killing the delivering process",
        scripts=("crash.py --rounds 1",),
        full=("crash.py --rounds 20",),
        proves="A process that is killed at any moment loses no mail, and repeats only those "
        "that were on their way, with the same Message-ID.",
        leaves_open="A machine that loses power: there the disk's own promises count as well.",
    ),
)

NAMES = tuple(bench.name for bench in BENCHES)


def named(names: list[str]) -> list[Bench]:
    """Return the measurements of these names, or all without any.

    Raises:
        SystemExit: There is no such measurement.
    """
    unknown = sorted(set(names) - set(NAMES))
    if unknown:
        raise SystemExit(f"There is no measurement {', '.join(unknown)}: {', '.join(NAMES)}.")
    return [bench for bench in BENCHES if not names or bench.name in names]
