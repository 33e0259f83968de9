"""A process that only delivers, so that the crash tests can kill it at any moment."""

import sys
from datetime import datetime

from notifier.deps import Deps
from notifier.pipeline import deliver
from notifier.settings import Smtp
from notifier.store import db
from tests.support.installation import settings_for


def main() -> None:
    database, port, moment = sys.argv[1], int(sys.argv[2]), datetime.fromisoformat(sys.argv[3])
    smtp = Smtp(port=port, security="none", connections=4, timeout_seconds=5)
    deliver.run(Deps(settings_for(port, smtp=smtp), db.make_engine(database), moment))


if __name__ == "__main__":
    main()
