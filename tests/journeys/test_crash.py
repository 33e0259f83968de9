"""kill -9 at any moment of the sending: nobody is lost, and what is repeated was in flight, one mail a connection."""

import random
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from signal import SIGKILL

import pytest

from notifier.deliver.outbox import LEASE
from notifier.enums import DeliveryStatus
from notifier.pipeline import compose, deliver
from notifier.store.models import Delivery
from tests.support import faulty_server
from tests.support.installation import MONDAY, Installation
from tests.support.paths import ROOT

CONNECTIONS = 4
PEOPLE = 200
SEED = 20260302


def crash(made: Installation, kills: int, seed: int) -> None:
    """Kill a delivering process again and again, each time a lease later, then let one finish."""
    chance = random.Random(seed)
    url = made.at(MONDAY).engine.url.render_as_string(hide_password=False)
    moment = MONDAY + timedelta(days=1)
    killed = 0
    with faulty_server.running(slow=0.004) as server:
        for _ in range(kills):
            before = len(server.accepted)
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "tests.support.delivering_process",
                    url,
                    str(server.port),
                    moment.isoformat(),
                ],
                cwd=ROOT,
                stderr=subprocess.DEVNULL,
            )
            while not len(server.accepted) > before and process.poll() is None:
                time.sleep(0.001)
            time.sleep(chance.random() * 0.02)
            process.kill()
            killed += process.wait() == -SIGKILL
            moment += LEASE + timedelta(seconds=1)
        time.sleep(0.1)
        from dataclasses import replace

        from notifier.settings import Smtp

        deps = replace(
            made.at(moment),
            settings=made.at(moment).settings.model_copy(
                update={"smtp": Smtp(port=server.port, security="none")}
            ),
        )
        deliver.run(deps)
        with deps.reading() as session:
            assert Counter(one.status for one in session.query(Delivery)) == {
                DeliveryStatus.SENT: PEOPLE
            }
            owed = {one.message_id for one in session.query(Delivery)}
        assert set(server.accepted) == owed, "nobody is lost, and a repeat has the same Message-ID"
        assert killed >= kills * 2 // 3, "most of them were killed in the middle"
        repeats = len(server.accepted) - PEOPLE
        assert repeats <= killed * CONNECTIONS, f"{repeats} repeats after {killed} kills"


def owed(made: Installation) -> Installation:
    """So many people are owed a digest that nobody sent yet."""
    compose.run(made.at(made.discover(PEOPLE)))
    return made


def test_a_sample_of_kills_loses_nobody(installation: Installation):
    crash(owed(installation), 6, SEED)


@pytest.mark.long
def test_kills_lose_nobody_on_either_database(any_installation: Installation):
    crash(owed(any_installation), 10, SEED)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(20))
def test_two_hundred_kills_lose_nobody(installation: Installation, seed: int):
    crash(owed(installation), 10, seed)
