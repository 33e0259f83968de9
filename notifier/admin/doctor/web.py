"""Checks of the web pages: the public address leads here, and one click unsubscribes.

All requests go to `public_url`, as those of readers do, and change nothing: the links belong to
nobody.
"""

import hmac
import ipaddress
import json
from urllib.parse import urlsplit

from notifier.admin.doctor import domains, sample_mail
from notifier.admin.doctor.check import Check
from notifier.admin.doctor.examined import Examined
from notifier.admin.doctor.findings import (
    Result,
    Status,
    certificate,
    failed,
    not_checked,
    ok,
    warning,
)
from notifier.admin.doctor.own_pages import Visit, visit
from notifier.deliver import alerts

_ONE_CLICK = "List-Unsubscribe=One-Click"
_SERVE = (
    "Start `notifier serve`, and let the web server in front of it pass requests on; see "
    "docs/running.md."
)


def _address(examined: Examined) -> Result:
    expected = "a public_url that readers reach, over https"
    url = examined.settings.public_url
    parts = urlsplit(url)
    if _is_local(parts.hostname or ""):
        return failed(
            expected,
            f"{url} is reached from this machine alone",
            "Set public_url to the address of the web pages, such as https://news.example.org.",
        )
    if parts.scheme != "https":
        return failed(
            expected,
            f"{url} is not encrypted: mail programs ignore the link to unsubscribe (RFC 8058)",
            "Put a web server with a certificate in front, and let public_url begin with https://.",
        )
    return ok(expected, url)


def _is_local(host: str) -> bool:
    return host == "localhost" or (_is_number(host) and ipaddress.ip_address(host).is_loopback)


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _reachable(examined: Examined) -> Result:
    expected = "the public address answers, with a valid certificate"
    answer = examined.web_answer
    if answer.is_untrusted:
        return failed(
            expected, answer.error, "Renew the certificate of the web server for this name."
        )
    if answer.error:
        return failed(
            expected,
            answer.error,
            f"Check the DNS of {urlsplit(examined.settings.public_url).hostname} and its firewall. "
            f"{_SERVE}",
        )
    if answer.status >= 500:
        return failed(expected, f"it answers {answer.status}", _SERVE)
    return ok(expected, f"it answers {answer.status}")


def _certificate(examined: Examined) -> Result:
    return certificate(
        examined.web_answer.expires,
        examined.now,
        "Renew the certificate of the web server, and see why it was not renewed by itself: "
        "from then on no link of any mail opens.",
    )


def _instance(examined: Examined) -> Result:
    expected = "the public address leads to this installation"
    answer = examined.web_answer
    proof = _document(answer).get("proof", "")
    wanted = examined.deps.links.proof(examined.web_nonce)
    if isinstance(proof, str) and hmac.compare_digest(proof.encode(), wanted.encode()):
        return ok(expected, "it proves that it has our secret_key")
    if 300 <= answer.status < 400:
        actual = f"it redirects to {answer.headers.get('location', 'another address')}"
        fix = "Set public_url to the address that answers without a redirect."
    elif answer.status != 200:
        actual = f"it answers {answer.status}: another site, or an older notifier"
        fix = f"Let every path of public_url lead to `notifier serve`. {_SERVE}"
    elif proof:
        actual = "it is a notifier with another secret_key"
        fix = "Restart `notifier serve` with the settings of this installation."
    else:
        actual = "another program answers"
        fix = f"Let every path of public_url lead to `notifier serve`. {_SERVE}"
    return failed(expected, actual, fix)


def _document(answer: Visit) -> dict[str, object]:
    try:
        document = json.loads(answer.body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _one_click(examined: Examined) -> Result:
    expected = "one click unsubscribes: POST is answered with 200, GET and forged links do nothing"
    url = sample_mail.one_click_url(examined.deps, examined.now)
    posted = visit("POST", url, _ONE_CLICK)
    if posted.status != 200:
        return failed(
            expected,
            f"the POST is answered with {posted.status or posted.error}"
            + (" (a redirect, which RFC 8058 forbids)" if 300 <= posted.status < 400 else ""),
            "Let the web server pass POST requests to /unsubscribe/ on as they are: no redirect, "
            "no log-in, no cookie, no check of the browser.",
        )
    forged = visit("POST", f"{url[:-4]}AAAA", _ONE_CLICK)
    if forged.status == 200:
        return failed(
            expected,
            "a forged link is accepted, too: what answers is not notifier",
            f"Let /unsubscribe/ lead to `notifier serve`. {_SERVE}",
        )
    return ok(expected, "a link that belongs to nobody was acknowledged")


def _unsubscribe_host(examined: Examined) -> Result:
    expected = "the host of the unsubscribe link belongs to the sender's domain"
    host = urlsplit(examined.settings.public_url).hostname or ""
    sender = examined.sender_domain
    if _is_number(host) or _is_local(host):
        return not_checked(expected, f"{host} is no name of a domain")
    if domains.registrable(host) == domains.registrable(sender):
        return ok(expected, f"{host}, {sender}")
    return warning(
        expected,
        f"{host} is not below {domains.registrable(sender)}",
        f"Serve the pages under a name such as news.{domains.registrable(sender)}: some mail "
        "programs and filters distrust links to other domains.",
    )


def _proxy(examined: Examined) -> Result:
    expected = "visitors are told apart: the proxy in front is listed and names them"
    seen = _document(examined.web_answer).get("proxy")
    fix = (
        "Put the proxy's address into web.trusted_proxies, and restart `notifier serve`: otherwise "
        "all visitors count as one network, and sign-ups are soon refused."
    )
    if seen == "unlisted":
        return warning(expected, "a proxy passes requests on that is not listed", fix)
    if examined.status_of("installation.schema") is Status.OK:
        with examined.deps.reading() as session:
            stored = alerts.detail_of(session, alerts.PROXY)
        if stored:
            return warning(expected, stored, fix)
    if seen == "none" and urlsplit(examined.settings.public_url).scheme == "https":
        return warning(
            expected,
            "the proxy does not say for whom it asks (X-Forwarded-For)",
            "Let the web server in front set X-Forwarded-For and X-Forwarded-Proto.",
        )
    if seen not in ("listed", "none"):
        return not_checked(expected, "the pages do not say")
    return ok(expected, f"web.trusted_proxies is {examined.settings.web.trusted_proxies}")


_NEEDS = ("installation.settings", "installation.secret_key")

CHECKS = (
    Check("web.address", _address, _NEEDS),
    Check("web.reachable", _reachable, _NEEDS),
    Check("web.certificate", _certificate, ("web.reachable",)),
    Check("web.instance", _instance, ("web.reachable",)),
    Check("web.one_click", _one_click, ("web.instance",)),
    Check("web.unsubscribe_host", _unsubscribe_host, ("installation.sender",)),
    Check("web.proxy", _proxy, ("web.instance",), reads=("installation.schema",)),
)
