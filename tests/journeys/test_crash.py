"""A delivering process is killed: no mail is lost, at most one a connection is sent twice."""

import random
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from signal import SIGKILL

import pytest

from notifier.deliver.outbox import LEASE
from notifier.enums import DeliveryStatus
from notifier.pipeline import compose, deliver
from notifier.settings import Smtp
from notifier.store.models import Delivery
from tests.support import faulty_server
from tests.support.installation import MONDAY, Installation
from tests.support.paths import ROOT

CONNECTIONS = 4
PEOPLE = 200
SEED = 20260302


def crash(installation: Installation, kills: int, seed: int) -> tuple[int, int]:
    """Kill a delivering process again and again, each time a lease later, then let one finish.

    Return how many were killed in the middle, and how many mails were sent twice.
    """
    chance = random.Random(seed)
    url = installation.at(MONDAY).engine.url.render_as_string(hide_password=False)
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
        deps = replace(
            installation.at(moment),
            settings=installation.at(moment).settings.model_copy(
                update={"smtp": Smtp(port=server.port, security="none")}
            ),
        )
        deliver.run(deps)
        with deps.reading() as session:
            assert Counter(delivery.status for delivery in session.query(Delivery)) == {
                DeliveryStatus.SENT: PEOPLE
            }
            message_ids = {delivery.message_id for delivery in session.query(Delivery)}
        assert set(server.accepted) == message_ids, (
            "nobody is lost, and a repeat has the same Message-ID"
        )
        assert killed >= kills * 2 // 3, "most of them were killed in the middle"
        repeats = len(server.accepted) - PEOPLE
        assert repeats <= killed * CONNECTIONS, f"{repeats} repeats after {killed} kills"
    return killed, repeats


def with_deliveries(installation: Installation) -> Installation:
    """Return the installation with a composed digest for `PEOPLE` that was not sent yet."""
    compose.run(installation.at(installation.discover(PEOPLE)))
    return installation


@pytest.mark.long
def test_six_kills_lose_no_mail(installation: Installation):
    crash(with_deliveries(installation), 6, SEED)


@pytest.mark.long
def test_ten_kills_lose_no_mail_on_either_database(any_installation: Installation):
    crash(with_deliveries(any_installation), 10, SEED)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(20))
def test_two_hundred_kills_lose_no_mail(installation: Installation, seed: int):
    crash(with_deliveries(installation), 10, seed)
