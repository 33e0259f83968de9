"""A year of ordinary life of 300 readers: each gets what they are owed, once, and nobody else does.

Outages, refusals that are about us, greylisting, full and closed mailboxes, reports, complaints,
leaving, coming back, changes of address, lost answers, full disks, restarts and clock steps are
drawn by twenty seeds, which were fixed before the code was written that passes them.
"""

import pytest

from notifier.settings import Operator
from tests.support.installation import Installation
from tests.support.mail_sink import free_port
from tests.support.visitor import Client
from tests.support.web_server import serving
from tests.support.year import DAYS, OPERATOR, Providers, Year

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]


@pytest.mark.parametrize("seed", range(1, 21))
def test_a_year_brings_each_reader_what_they_are_owed(installation: Installation, seed: int):
    year = Year(installation, seed)
    year.server = Providers(year, free_port())
    smtp = installation.at(year.now).settings.smtp.model_copy(update={"port": year.server.port})
    installation.change(smtp=smtp, operator=Operator(address=OPERATOR))
    with year.server.answering(), serving(year.application) as address:
        year.client = Client(address)
        year.enrol()
        year.run()
        for _ in range(DAYS):
            year.pass_day()

    happened = "\n".join(year.log)
    assert year.published > DAYS / 10
    assert not year.after_leaving, f"{year.after_leaving}\n{happened}"
    assert not year.wrongly_suppressed(), f"{year.wrongly_suppressed()}\n{happened}"
    assert not year.repeated(), f"{year.repeated()}\n{happened}"
    assert not year.not_reached(), f"{year.not_reached()}\n{happened}"
    assert not year.written_to_in_vain(), f"{year.written_to_in_vain()}\n{happened}"
