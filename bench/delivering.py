"""Deliver what is due in a database, and print the cost; `delivery.py` starts this process.

    python bench/delivering.py URL PORT CONNECTIONS [KEY]

With 0 connections it takes as many as the settings have by default.
"""

import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.figures import cpu_seconds, peak_mb
from notifier.deps import Deps
from notifier.pipeline import deliver
from notifier.settings import Dkim, Settings, Smtp
from notifier.store import db

NOW = datetime(2026, 3, 3, 9, tzinfo=UTC)


def main() -> None:
    url, port, connections, *keys = sys.argv[1:]
    dkim = Dkim(domain="example.org", private_key_file=keys[0]) if keys else Dkim()
    chosen = {"connections": int(connections)} if int(connections) else {}
    smtp = Smtp(port=int(port), security="none", **chosen)
    sender = {
        "name": "Example Society",
        "address": "digest@example.org",
        "postal_address": "1 Example Street",
    }
    settings = Settings(
        public_url="https://news.example.org",
        secret_key="x" * 32,
        suppression_key="y" * 32,
        sender=sender,
        smtp=smtp,
        dkim=dkim,
    )
    deps = Deps(settings, db.make_engine(url), NOW)
    with cpu_seconds() as spent:
        started = time.perf_counter()
        sent = deliver.run(deps)
        seconds = time.perf_counter() - started
        cost = {"seconds": seconds, "cpu": spent(), "peak": peak_mb()}
    print(json.dumps({"accepted": sent.accepted, **cost}))


if __name__ == "__main__":
    main()
