"""The log: readable lines on a terminal, JSON lines otherwise, with times and ids only."""

import json
import logging
import os
import pty
import subprocess
import sys
from datetime import datetime

import pytest

from notifier.cli import logs
from notifier.cli.run import log_report
from notifier.deliver.outbox import SendResult
from notifier.pipeline.deliver import Sent
from notifier.pipeline.poll_result import PollResult
from notifier.pipeline.run import Report

PROGRAM = (
    "import logging; from notifier.cli import logs; logs.set_up();"
    "logging.getLogger('notifier').warning('source %d: gone', 3);"
    "logging.getLogger('notifier').info('stopping');"
    "logging.getLogger('aiohttp').info('chatter')"
)


def record(message: str, *values: object, error: Exception | None = None) -> logging.LogRecord:
    trace = (type(error), error, error.__traceback__) if error is not None else None
    made = logging.LogRecord("notifier", logging.ERROR, "app.py", 1, message, values, trace)
    made.created = 1_772_442_000.25
    return made


def test_a_line_for_a_person_begins_with_time_and_level():
    line = logs.PrintableFormatter().format(record("source %d: gone", 3))
    assert line == "2026-03-02 09:00:00Z error: source 3: gone"


def test_a_line_for_programs_is_one_document_with_time_level_and_ids():
    line = logs.JsonFormatter().format(record("Delivery 12 of digest 3\nfailed: %s", "Größe"))
    assert json.loads(line) == {
        "time": "2026-03-02T09:00:00.250+00:00",
        "level": "error",
        "logger": "notifier",
        "message": "Delivery 12 of digest 3\nfailed: Größe",
        "ids": {"delivery": 12, "digest": 3},
    }
    assert "\n" not in line
    assert line.isascii()


def test_no_address_is_in_the_message_or_the_trace_of_a_line_for_programs():
    try:
        int("anna@example.org")
    except ValueError as error:
        line = logs.JsonFormatter().format(record("for <anna@example.org>", error=error))
    assert "anna" not in line
    assert "ValueError: invalid literal" in json.loads(line)["trace"]


def test_in_a_pipe_each_line_is_a_document_and_libraries_are_quiet():
    result = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=True)
    assert b"stopping" not in result.stderr
    lines = [json.loads(line) for line in result.stderr.splitlines()]
    assert [(each["level"], each["message"]) for each in lines] == [("warning", "source 3: gone")]
    assert all(datetime.fromisoformat(each["time"]).tzinfo for each in lines)


def test_a_service_also_logs_what_it_does():
    program = PROGRAM.replace("logs.set_up();", "logs.set_up(); logs.tell_what_is_done();")
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    messages = [json.loads(line)["message"] for line in result.stderr.splitlines()]
    assert messages == ["source 3: gone", "stopping"]


def test_on_a_terminal_warnings_alone_are_shown_and_readable():
    main, other = pty.openpty()
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stderr=other, stdout=other) as process:
        process.wait(timeout=60)
        os.close(other)
        shown = os.read(main, 10_000).decode()
    os.close(main)
    assert shown.splitlines()[0].endswith("Z warning: source 3: gone")
    assert "stopping" not in shown


def test_a_service_logs_what_a_run_did_in_numbers_and_ids(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO, "notifier")
    failed = PollResult(3, "https://news.example.org/feed/", "feed", "failed", error="HTTP 500")
    sent = Sent({SendResult.ACCEPTED: 2, SendResult.DEFERRED: 1})
    log_report(Report([failed], 4, 1, sent))
    lines = [json.loads(logs.JsonFormatter().format(each)) for each in caplog.records]
    assert lines[0]["numbers"] == {
        "polled": 1,
        "new": 0,
        "changed": 0,
        "matched": 4,
        "composed": 1,
        "accepted": 2,
        "not_accepted": 1,
    }
    assert (lines[1]["ids"], lines[1]["message"]) == ({"source": 3}, "source 3: HTTP 500")
    assert "news.example.org" not in caplog.text
