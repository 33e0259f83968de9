"""Times and zones are read in one way: what a form or an option accepts can be used later."""

import io
import json
import zoneinfo
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
from alembic import command
from sqlalchemy import Connection, Engine, text

from notifier.cli import shared
from notifier.enums import Cadence
from notifier.errors import InputError, SettingsError
from notifier.i18n.catalog import language_of
from notifier.links import Purpose
from notifier.match import profiles
from notifier.pipeline.run import run_once
from notifier.settings import load
from notifier.store import db
from notifier.store.models import Subscription
from notifier.subscribers import import_export, list_files, schedule
from notifier.subscribers.choices import Choice
from notifier.subscribers.import_export import RowResult
from notifier.subscribers.schedule import Schedule
from notifier.text import times
from notifier.web import forms
from notifier.web.app import create
from tests.support.installation import MONDAY, Installation
from tests.support.news_site import Article
from tests.support.old_rows import OLD_ROWS
from tests.support.visitor import Answer, Client
from tests.support.web_server import serving

pytestmark = pytest.mark.postgresql_long

FORM = "application/x-www-form-urlencoded"
CHOICE = {
    "every": "daily",
    "at": "08:00",
    "time_zone": "UTC",
    "edition": "patient",
    "language": "en",
}

NOT_WALL_TIMES = [
    "0٣:00",  # Arabic-Indic digits
    "٠٨:٠٠",
    "०८:००",  # Devanagari
    "\uff10\uff18:\uff10\uff10",  # full width
    "𝟎𝟖:𝟎𝟎",  # mathematical bold
    "0৩:00",  # Bengali
    "1²:00",
    "08:60",
    "24:00",
    "8",
    "08:00:00",
    "+8:00",
    "08:00Z",
    "-1:00",
    "08\u200b:00",
    "",
]
NOT_ZONES = [
    "localtime",
    "posixrules",
    "Factory",
    "../zoneinfo/UTC",
    "/usr/share/zoneinfo/UTC",
    "Europe/../UTC",
    "Europe/Berlin/",
    "Europe//Berlin",
    "Europe",
    "europe/berlin",
    "utc",
    "Europe/Berlin\x00",
    "Europe\\Berlin",
    "zone.tab",
    "tzdata.zi",
    "EST5EDT4",
    "Mars/Olympus",
    "\ud800",
    "",
]
NOT_DAYS = [
    "20260320",
    "2026-W12-5",
    "2026-079",
    "2026-3-20",
    "٢٠٢٦-٠٣-٢٠",
    "\uff12\uff10\uff12\uff16-03-20",
    "2026-02-30",
    "2026-13-01",
    "0001-01-01",
    "9999-12-31",
    "2026-03-20T00:00",
    " 2026-03-20",
    "tomorrow",
    "",
]


@pytest.fixture
def client(any_installation: Installation) -> Iterator[Client]:
    with serving(create(any_installation.at(MONDAY))) as address:
        yield Client(address)


def preferences(made: Installation) -> str:
    deps = made.at(MONDAY)
    with deps.reading() as session:
        link_id = session.query(Subscription).one().link_id
        return f"/preferences/{deps.links.token(Purpose.PREFERENCES, link_id, MONDAY)}"


def stored(made: Installation) -> tuple:
    with made.at(MONDAY).reading() as session:
        subscription = session.query(Subscription).one()
        columns = [
            getattr(subscription, attribute.key)
            for attribute in Subscription.__mapper__.column_attrs
        ]
        return (
            *map(repr, columns),
            subscription.subscriber.time_zone,
            subscription.subscriber.language,
        )


def send(client: Client, path: str, **fields: str) -> Answer:
    return client.post(path, urlencode({**CHOICE, **fields}, errors="replace"), FORM)


def test_a_time_of_day_in_other_digits_is_refused_and_nothing_of_the_form_is_stored(
    any_installation: Installation, client: Client
):
    any_installation.subscribe("anna@example.org")
    before, path = stored(any_installation), preferences(any_installation)
    for at in NOT_WALL_TIMES:
        assert (
            send(client, path, at=at, time_zone="Europe/Paris", language="fr").status_code == 422
        ), ascii(at)
        assert stored(any_installation) == before, ascii(at)


def test_a_form_with_a_time_zone_that_only_some_machines_have_stores_nothing(
    any_installation: Installation, client: Client
):
    any_installation.subscribe("anna@example.org")
    before, path = stored(any_installation), preferences(any_installation)
    for zone in NOT_ZONES:
        assert send(client, path, time_zone=zone, at="09:00").status_code == 422, ascii(zone)
        assert stored(any_installation) == before, ascii(zone)


@pytest.mark.parametrize("zone", NOT_ZONES, ids=ascii)
def test_a_time_zone_that_only_some_machines_have_is_refused_by_lists_and_settings(
    zone: str, tmp_path: Path
):
    with pytest.raises(InputError):
        schedule.parse_zone(zone)
    with pytest.raises(SettingsError, match=r"schedule\.time_zone"):
        load(
            None,
            {
                "NOTIFIER_SCHEDULE__TIME_ZONE": zone,
                "NOTIFIER_CONFIG": str(_settings_file(tmp_path)),
            },
        )


def _settings_file(folder: Path) -> Path:
    file = folder / "notifier.toml"
    file.write_text("")
    return file


def test_the_form_offers_only_time_zones_that_every_machine_knows():
    offered = forms.options(language_of("en"), "UTC")["time_zones"]
    assert {"UTC", "Europe/Berlin", "America/New_York", "US/Eastern", "Asia/Calcutta"} <= set(
        offered
    )
    assert not {"localtime", "posixrules", "Factory"} & set(offered)
    assert [name for name in offered if name.startswith(("posix", "right"))] == []
    for name in offered:
        assert Schedule(Cadence.DAILY, "08:00", None, name).next_after(MONDAY) is not None


def test_a_time_zone_is_found_on_a_machine_without_zone_files(
    monkeypatch: pytest.MonkeyPatch,
):
    before = zoneinfo.TZPATH
    zoneinfo.reset_tzpath(to=())
    try:
        zoneinfo.ZoneInfo.clear_cache()
        assert times.zone("Asia/Kathmandu").key == "Asia/Kathmandu"
    finally:
        zoneinfo.reset_tzpath(to=before)


def test_digests_go_on_after_a_form_with_digits_of_another_script(
    any_installation: Installation, client: Client
):
    made = any_installation
    made.subscribe("anna@example.org")
    run_once(made.at(MONDAY))
    assert send(client, preferences(made), at="0٣:00").status_code == 422
    made.publish([Article("Frexalimab slows lesions")])
    run_once(made.at(MONDAY + timedelta(days=1)))
    assert [mail["To"] for mail in made.sink.messages] == ["anna@example.org"]


def test_a_pause_until_no_day_of_the_next_five_years_changes_nothing(
    any_installation: Installation, client: Client
):
    any_installation.subscribe("anna@example.org", zone="Pacific/Kiritimati")
    before, path = stored(any_installation), preferences(any_installation)
    for until in (
        *(day for day in NOT_DAYS if day == day.strip()),
        "2026-03-01",
        "2031-03-03",
        "2100-01-01",
    ):
        body = urlencode({"do": "pause", "until": until})
        assert client.post(path, body, FORM).status_code == 422, ascii(until)
        assert stored(any_installation) == before, ascii(until)


def test_a_pause_may_last_up_to_five_years(any_installation: Installation, client: Client):
    any_installation.subscribe("anna@example.org")
    path = preferences(any_installation)
    for until in ("2026-03-03", "2026-03-20", "2028-02-29", "2031-03-02"):
        assert (
            client.post(path, urlencode({"do": "pause", "until": until}), FORM).status_code == 200
        )
        with any_installation.at(MONDAY).reading() as session:
            assert session.query(Subscription).one().paused_until == datetime.fromisoformat(
                until
            ).replace(tzinfo=UTC)


def test_an_action_that_fails_half_way_leaves_nothing_behind(
    any_installation: Installation, client: Client, monkeypatch: pytest.MonkeyPatch
):
    from notifier.web import preferences as pages

    def half_done(visit, form):
        visit.subscription.urgent = True
        visit.subscription.subscriber.language = "fr"
        visit.session.flush()
        raise ValueError("refused")

    any_installation.subscribe("anna@example.org")
    before = stored(any_installation)
    monkeypatch.setitem(pages.ACTIONS, "save", half_done)
    assert send(client, preferences(any_installation)).status_code == 422
    assert stored(any_installation) == before


def test_a_sign_up_with_a_wrong_time_of_day_is_refused_and_stores_nothing(
    any_installation: Installation, client: Client
):
    for at in NOT_WALL_TIMES[:-1]:
        fields = {**CHOICE, "at": at, "email": "a@example.org", "consent": "yes"}
        assert client.post("/subscribe", urlencode(fields), FORM).status_code == 422, ascii(at)
    with any_installation.at(MONDAY).reading() as session:
        assert session.execute(text("SELECT count(*) FROM enquiry")).scalar() == 0


NOT_DAYS_OF_A_MONTH = ["٥", "\uff15", "²", "0", "32", "1_0", "+5", "5.0", "-1", "9" * 30]


def test_a_line_of_a_list_with_such_a_value_is_invalid_and_the_next_is_imported(
    any_installation: Installation,
):
    in_lists = ("08:00:00", "europe/berlin", "utc")  # people write so, forms do not
    wrong = [{"at": at} for at in NOT_WALL_TIMES if at.strip() and at not in in_lists]
    wrong += [{"time_zone": zone} for zone in NOT_ZONES if zone and zone not in in_lists]
    wrong += [{"every": "monthly", "on": day} for day in NOT_DAYS_OF_A_MONTH]
    rows = [{"email": f"a{number}@example.org", **values} for number, values in enumerate(wrong)]
    file = io.StringIO(
        "".join(json.dumps(row) + "\n" for row in [*rows, {"email": "last@example.org"}])
    )
    with any_installation.at(MONDAY).writing() as session:
        terms = import_export.ImportOptions(
            {"frexalimab": profiles.find(session, None)}, "UTC", "operator test"
        )
        report = import_export.import_rows(
            session, list_files.read(file, json_lines=True), terms, MONDAY
        )
    assert [fate for _, fate, _ in report.lines] == [RowResult.INVALID] * len(rows) + [
        RowResult.ADDED
    ]


@pytest.mark.parametrize("at", NOT_WALL_TIMES, ids=ascii)
def test_a_choice_with_a_wrong_time_of_day_is_refused(at: str):
    with pytest.raises(InputError):
        Choice(Schedule(Cadence.DAILY, at, None, "UTC"))


@pytest.mark.parametrize(
    ("cadence", "on"),
    [
        (Cadence.WEEKLY, None),
        (Cadence.WEEKLY, 7),
        (Cadence.WEEKLY, -1),
        (Cadence.MONTHLY, None),
        (Cadence.MONTHLY, 0),
        (Cadence.MONTHLY, 32),
        (Cadence.DAILY, 1),
    ],
)
def test_a_day_that_never_comes_is_refused_at_once(cadence: Cadence, on: int | None):
    with pytest.raises(InputError):
        Choice(Schedule(cadence, "08:00", on, "UTC"))
    if cadence is Cadence.WEEKLY or on is None:
        with pytest.raises(ValueError, match="never"):
            Schedule(cadence, "08:00", on, "UTC").next_after(MONDAY)


@pytest.mark.parametrize("at", NOT_WALL_TIMES, ids=ascii)
def test_a_wrong_time_of_day_is_refused_by_its_parser_and_by_the_schedule(at: str):
    with pytest.raises(InputError):
        schedule.parse_at(at)
    with pytest.raises(ValueError, match="time of day"):
        Schedule(Cadence.DAILY, at, None, "UTC").next_after(MONDAY)


@pytest.mark.parametrize(
    ("text", "value"), [("8:05", time(8, 5)), ("00:00", time()), ("23:59", time(23, 59))]
)
def test_a_time_of_day_is_read(text: str, value: time):
    assert times.wall_time(text) == value
    assert schedule.parse_at(text) == value.strftime("%H:%M")


@pytest.mark.parametrize("text", NOT_DAYS, ids=ascii)
def test_only_one_form_of_a_day_is_read(text: str):
    with pytest.raises(ValueError, match=r"day|month|year"):
        times.day(text)


def test_days_ahead_reach_from_today_to_the_same_day_in_five_years():
    today = date(2028, 2, 29)
    assert times.day_ahead("2028-02-29", today) == today
    assert times.day_ahead("2033-02-28", today) == date(2033, 2, 28)
    for outside in ("2028-02-28", "2033-03-01"):
        with pytest.raises(ValueError, match="five years"):
            times.day_ahead(outside, today)


@pytest.mark.parametrize(
    "text",
    [
        *[text for text in NOT_DAYS if text not in ("", "2026-03-20T00:00")],
        "20260301T080000",
        "2026-03-01T08",
        "2026-03-01T08:00+01",
        "2026-03-01T08:00:00+0100",
        "2026-03-01T25:00",
        "2026-03-01T08:00+24:00",
        "2026-03-01x08:00",
        "2026-03-01T08:00:00.٥",
        "9999-12-31T23:59:59-23:59",
        "0001-01-01T00:00:00+23:59",
        "now",
    ],
    ids=ascii,
)
@pytest.mark.parametrize("option", ["--now", "--until", "--since"])
def test_a_moment_on_the_command_line_in_another_form_is_refused(text: str, option: str):
    with pytest.raises(InputError, match=option):
        shared.moment(text, option)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-03-01T08:00", datetime(2026, 3, 1, 8, tzinfo=UTC)),
        ("2026-03-01T08:00:00+01:00", datetime(2026, 3, 1, 7, tzinfo=UTC)),
        ("2026-03-01t08:00:00.25z", datetime(2026, 3, 1, 8, 0, 0, 250_000, tzinfo=UTC)),
        ("2026-03-01 08:00:00-05:30", datetime(2026, 3, 1, 13, 30, tzinfo=UTC)),
    ],
)
def test_a_moment_on_the_command_line_is_read(text: str, moment: datetime):
    assert shared.moment(text) == moment


def test_an_upgrade_corrects_schedules_that_no_run_could_use(engine: Engine):
    wrong = [
        ("0\u0663:00", "localtime"),
        ("\u0667:30", "Europe/Paris"),
        ("99:99", "right/UTC"),
        ("08:15", "UTC"),
    ]
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.connection.driver_connection.execute("PRAGMA foreign_keys=OFF")
        config = db.alembic_config()
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")
        _insert(connection, "profile", OLD_ROWS["profile"])
        for number, (at, zone) in enumerate(wrong, 1):
            person = {
                **OLD_ROWS["subscriber"],
                "id": number,
                "address_hash": f"h{number}",
                "time_zone": zone,
            }
            _insert(connection, "subscriber", person)
            row = {
                **OLD_ROWS["subscription"],
                "id": number,
                "subscriber_id": number,
                "link_id": f"l{number}",
                "at": at,
            }
            _insert(connection, "subscription", row)
        connection.commit()
        connection.invalidate()
    db.upgrade(engine)
    with db.reading(engine) as session:
        everybody = session.query(Subscription).order_by(Subscription.id)
        corrected = [
            (subscription.at, subscription.subscriber.time_zone) for subscription in everybody
        ]
    assert corrected == [
        ("03:00", "UTC"),
        ("07:30", "Europe/Paris"),
        ("08:00", "UTC"),
        ("08:15", "UTC"),
    ]


def _insert(connection: Connection, table: str, row: dict[str, object]) -> None:
    columns, values = ", ".join(f'"{name}"' for name in row), ", ".join(f":{name}" for name in row)
    connection.execute(text(f"INSERT INTO {table} ({columns}) VALUES ({values})"), row)
