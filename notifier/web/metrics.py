"""The page `/metrics`: numbers for a monitoring system, in the text format of Prometheus.

Owns the names of the metrics. Their labels are statuses, lanes and states of sources; none names a
person or a therapy. Operators alone read them, as at `/healthz`: from this machine, or with
`web.metrics_token`.
"""

from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from notifier import __version__
from notifier.pipeline import measurements
from notifier.pipeline.measurements import Measurements
from notifier.store import db
from notifier.web import operator_access
from notifier.web.responses import deps_of

_REFUSAL = (
    "These numbers are for the operator: ask from the machine itself, or set web.metrics_token and "
    'send "Authorization: Bearer TOKEN".\n'
)


def metrics(request: Request) -> Response:
    """Answer with the numbers of this moment; 403 to everybody but an operator."""
    deps = deps_of(request)
    if not operator_access.is_operator(request, deps.settings.web.metrics_token):
        return PlainTextResponse(_REFUSAL, 403)
    with deps.reading() as session:
        numbers = measurements.read(session, deps.now(), db.newest_migration())
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Numbers(numbers))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)


class _Numbers(Collector):
    """The numbers as the library writes them.

    Args:
        numbers: those of a moment.
    """

    def __init__(self, numbers: Measurements) -> None:
        self._numbers = numbers

    def collect(self) -> Iterator[Metric]:
        """Yield each metric with its values."""
        numbers = self._numbers
        yield _by_label(
            "deliveries", "Mails by status; sent: those of all time.", "status", numbers.deliveries
        )
        yield _by_label(
            "backlog",
            "Mails that are due and wait, by lane.",
            "lane",
            {lane: each.number for lane, each in numbers.backlog.items()},
        )
        yield _by_label(
            "backlog_oldest_seconds",
            "For how long the first of these mails has been due.",
            "lane",
            {lane: each.oldest_seconds for lane, each in numbers.backlog.items()},
        )
        yield _by_label("sources", "Watched sources by health.", "health", numbers.sources)
        yield _by_label(
            "digests", "Digests that are not sent, by status.", "status", numbers.digests
        )
        yield from _single(numbers)


def _single(numbers: Measurements) -> Iterator[Metric]:
    ran_at = numbers.ran_at.timestamp() if numbers.ran_at is not None else 0.0
    values: dict[str, tuple[str, float]] = {
        "held_matches": ("Matches that wait for a person.", numbers.held_matches),
        "held_suppressions": ("Suppressions that wait for a person.", numbers.held_suppressions),
        "last_run_timestamp_seconds": ("When notifier last ran; 0: never.", ran_at),
        "silent": ("1 if notifier has not run for four hours.", numbers.is_silent),
        "sending_stopped": ("1 while a person has stopped the sending.", numbers.is_stopped),
        "restore_waiting": ("1 while a restore waits for a decision.", numbers.is_restored),
        "schema_version": ("The newest migration of the database.", numbers.schema),
    }
    for name, (text, value) in values.items():
        yield GaugeMetricFamily(f"notifier_{name}", text, float(value))
    build = GaugeMetricFamily("notifier_build_info", "The version.", labels=["version"])
    build.add_metric([__version__], 1)
    yield build


def _by_label(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(f"notifier_{name}", text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family
