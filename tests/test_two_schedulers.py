"""Two schedulers beside each other: one due time is served once, on SQLite and on PostgreSQL."""

import threading
from dataclasses import replace
from datetime import timedelta

from notifier import pipeline
from notifier.store import db
from notifier.store.models import Delivery, Digest
from tests.conftest import MONDAY, Installation
from tests.site import Article


def test_a_due_time_is_served_once_however_many_schedulers_see_it(any_installation: Installation):
    made = any_installation
    for number in range(20):
        made.subscribe(f"person{number}@example.org")
    pipeline.poll(made.at(MONDAY))
    made.publish([Article("Frexalimab slows lesions")])
    tuesday = made.at(MONDAY + timedelta(days=1))
    pipeline.poll(tuesday)
    pipeline.match(tuesday)
    url = tuesday.engine.url.render_as_string(hide_password=False)
    schedulers = [replace(tuesday, engine=db.make_engine(url)) for _ in range(4)]
    threads = [threading.Thread(target=pipeline.compose, args=(deps,)) for deps in schedulers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for deps in schedulers:
        deps.engine.dispose()
    with tuesday.reading() as session:
        assert session.query(Digest).count() == 1
        assert session.query(Delivery).count() == 20
        assert len({one.subscription_id for one in session.query(Delivery)}) == 20
