"""Two schedulers beside each other: one due time is served once, on SQLite and on PostgreSQL."""

import threading
from dataclasses import replace

import pytest
from sqlalchemy import text

from notifier import scheduler
from notifier.pipeline import compose
from notifier.store import db
from notifier.store.models import Delivery, Digest
from tests.support.installation import MONDAY, Installation


def test_a_due_time_is_served_once_however_many_schedulers_see_it(any_installation: Installation):
    tuesday = any_installation.at(any_installation.discover(20))
    url = tuesday.engine.url.render_as_string(hide_password=False)
    schedulers = [replace(tuesday, engine=db.make_engine(url)) for _ in range(4)]
    threads = [threading.Thread(target=compose.run, args=(deps,)) for deps in schedulers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for deps in schedulers:
        deps.engine.dispose()
    with tuesday.reading() as session:
        assert session.query(Digest).count() == 1
        assert session.query(Delivery).count() == 20
        assert len({delivery.subscription_id for delivery in session.query(Delivery)}) == 20


def test_a_scheduler_of_an_older_version_ends_when_the_schema_is_a_newer_ones(
    installation: Installation,
):
    deps = installation.at(MONDAY)
    with deps.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(db.NewerSchemaError, match="newer notifier"):
        scheduler.run(deps, lambda _report: None, stop=threading.Event())
