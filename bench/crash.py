"""Kill a delivering process again and again, and count lost and repeated mails.

    python bench/crash.py [--rounds 20] [--kills 10]

Each round delivers a digest to 200 people over 4 connections; a process that delivers is killed
with SIGKILL at a random moment, ten times, then one finishes. The rounds are those of
`tests/journeys/test_crash.py`, on SQLite and on PostgreSQL. A round in which a mail is lost, or one
comes again with another Message-ID, ends the measurement with an error.

Goal: 0 lost; at most one mail a connection is sent again for each kill.
"""

import argparse
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import figures
from bench.figures import Figure, missing
from notifier.store import db
from tests.journeys.test_crash import CONNECTIONS, PEOPLE, crash, with_deliveries
from tests.support import mail_sink, news_site, postgres
from tests.support.installation import Installation


def count(url: str, kills: int, seed: int) -> tuple[int, int]:
    """Return the kills in the middle and the repeats of one round on an empty database."""
    engine = db.make_engine(url)
    db.upgrade(engine)
    with news_site.running() as site, mail_sink.running() as sink:
        installation = Installation(engine, site, sink)
        installation.adopt()
        counts = crash(with_deliveries(installation), kills, seed)
    engine.dispose()
    return counts


def measure(database: str, rounds: int, kills: int) -> list[Figure]:
    """Return what was repeated and lost on a kind of database."""
    counts = []
    with ExitStack() as stack:
        if database == "PostgreSQL":
            try:
                server = stack.enter_context(postgres.server())
            except postgres.NoPostgresError as error:
                return [missing(f"P8 lost mails, {database}", f"No server: {error}")]
        for seed in range(rounds):
            if database == "PostgreSQL":
                url = stack.enter_context(postgres.database(server))
            else:
                folder = stack.enter_context(tempfile.TemporaryDirectory())
                url = f"sqlite:///{folder}/subscribers.db"
            counts.append(count(url, kills, seed))
    killed, repeats = (sum(column) for column in zip(*counts, strict=True))
    note = f"{killed} kills in the middle of {rounds} lists of {PEOPLE} people."
    return [
        Figure(f"P8 lost mails, {database}", "ours <= 0", "mails", 0.0, note=note),
        Figure(
            f"P8 repeated mails, {database}",
            f"ours <= {CONNECTIONS}",
            "a kill",
            repeats / max(killed, 1),
            runs=[[again / max(times, 1)] for times, again in counts],
            note="One for each of the 4 connections may be in flight.",
        ),
    ]


def main() -> None:
    """Count on both kinds of database."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--kills", type=int, default=10)
    options = parser.parse_args()
    kinds = ("SQLite", "PostgreSQL")
    figures.show(
        figure for kind in kinds for figure in measure(kind, options.rounds, options.kills)
    )


if __name__ == "__main__":
    main()
