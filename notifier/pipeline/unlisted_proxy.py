"""Requests with `X-Forwarded-For` from a machine that `web.trusted_proxies` does not list.

Behind a proxy that is not listed, all visitors seem to be one network, whose limit of sign-ups is
soon reached; and nobody would notice. Owns the one report of it: a line in the log, a finding of
`/healthz`, and a mail to the operator. It names only addresses of private networks, because a
visitor can send the header as well.
"""

import ipaddress
import logging

from notifier.deliver import alerts
from notifier.deliver.alerts import Trouble
from notifier.deps import Deps
from notifier.pipeline.notices import enqueue_for_operator
from notifier.pipeline.problems import Problems

log = logging.getLogger("notifier")


def report(deps: Deps, peer: str) -> None:
    """Report such a request once, until the setting is changed.

    Args:
        deps: the installation.
        peer: the IP address that the request came from.
    """
    now, trouble = deps.now(), _trouble(deps, peer)
    with Problems().contained("Reporting a proxy"), deps.writing() as session:
        if not alerts.begin(session, trouble, now):
            return
        subject = "notifier: a proxy is not listed"
        enqueue_for_operator(deps, session, subject, f"{trouble.detail}\n\n{trouble.fix}", now)
        log.warning("%s %s", trouble.detail, trouble.fix)


def forget_if_changed(deps: Deps) -> None:
    """Forget the report if `web.trusted_proxies` was changed since, so that the next one counts."""
    with deps.reading() as session:
        detail = alerts.detail_of(session, alerts.PROXY)
    if detail and _setting(deps) not in detail:
        with deps.writing() as session:
            alerts.forget(session, alerts.PROXY)


def _setting(deps: Deps) -> str:
    return f'web.trusted_proxies is "{deps.settings.web.trusted_proxies}"'


def _trouble(deps: Deps, peer: str) -> Trouble:
    shown = f" ({peer})" if _is_private(peer) else ""
    return Trouble(
        alerts.PROXY,
        f"A request with X-Forwarded-For came from a machine{shown} that is not listed: "
        f"{_setting(deps)}. If it is your proxy, all visitors count as one network, and sign-ups "
        "are soon refused.",
        f"Put the proxy's address{shown} into web.trusted_proxies and restart `notifier serve`. If "
        "no proxy is in front of it, a visitor sent the header: nothing is to be done.",
    )


def _is_private(peer: str) -> bool:
    try:
        return ipaddress.ip_address(peer).is_private
    except ValueError:
        return False
