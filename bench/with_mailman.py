"""Measure Mailman 3's personalised delivery; `delivery.py` starts this with Mailman's Python.

    python bench/with_mailman.py PORT RECIPIENTS BYTES

It prints the mails per second of Mailman's delivery agent, without its start and its queues.
"""

import email
import sys
import tempfile
import time
from pathlib import Path

from mailman.core.initialize import initialize

CONFIG = """
[mailman]
layout: here
[paths.here]
var_dir: {folder}
[mta]
smtp_host: 127.0.0.1
smtp_port: {port}
verp_personalized_deliveries: yes
max_recipients: 1
[database]
url: sqlite:///{folder}/mailman.db
"""


def main() -> None:
    port, people, size = (int(argument) for argument in sys.argv[1:])
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "mailman.cfg"
        file.write_text(CONFIG.format(folder=folder, port=port))
        initialize(str(file))
        # These modules can only be imported after Mailman has read its settings.
        from mailman.database.transaction import transaction
        from mailman.email.message import Message
        from mailman.interfaces.domain import IDomainManager
        from mailman.interfaces.listmanager import IListManager
        from mailman.interfaces.mailinglist import Personalization
        from mailman.mta.deliver import deliver
        from zope.component import getUtility

        with transaction():
            getUtility(IDomainManager).add("example.org")
            digest = getUtility(IListManager).create("digest@example.org")
            digest.personalize, digest.preferred_language = Personalization.individual, "en"
        head = (
            "From: digest@example.org\nTo: digest@example.org\nSubject: Your digest\n"
            "Message-ID: <1@example.org>\n\n"
        )
        message = email.message_from_string(
            head + "Nothing of it is true.\n" * (size // 23), Message
        )
        recipients = {f"person{number}@example.com" for number in range(people)}
        started = time.perf_counter()
        deliver(digest, message, {"recipients": recipients, "original_size": size})
        print(people / (time.perf_counter() - started))


if __name__ == "__main__":
    main()
