"""The way back of a mail: what the mail server of the bounce address says to reports.

It is asked as reports come: from the null sender, by the address alone and with the token of a
mail. Nothing is sent.
"""

from notifier.admin.doctor.name_servers import NameServers
from notifier.deliver.outbox import new_message_id
from notifier.deliver.smtp.examination import Acceptance, ask_for
from notifier.deps import Deps
from notifier.settings import Smtp


def tagged(deps: Deps, message_id: str) -> str:
    """Return the envelope sender of a mail: the bounce address, with its token if it has one."""
    local, _, domain = deps.bounce_address.rpartition("@")
    token = deps.links.bounce_token(message_id)
    return f"{local}+{token}@{domain}"


def ask(deps: Deps, names: NameServers, port: int) -> tuple[Acceptance, Acceptance]:
    """Return the answers about the bounce address, without and with a token.

    Args:
        deps: the installation.
        names: the name servers.
        port: on which mail servers take mail from each other.

    Raises:
        NoAnswerError: a name server does not answer.
    """
    domain = deps.bounce_address.rpartition("@")[2]
    host = (names.mail_servers(domain) or [domain])[0]
    addresses = names.addresses(host)
    smtp = Smtp(
        host=addresses[0] if addresses else host,  # the server that the name servers named
        port=port,
        security="none",
        helo_name=deps.settings.smtp.helo_name,
        timeout_seconds=deps.settings.smtp.timeout_seconds,
    )
    recipients = [deps.bounce_address, tagged(deps, new_message_id(domain))]
    plain, with_token = ask_for(recipients, smtp)
    return plain, with_token
