"""A year of ordinary life of 300 readers: each gets what they are owed, once, and nobody else does.

Outages, refusals that are about us, greylisting, full and closed mailboxes, reports, complaints,
leaving, coming back, changes of address, lost answers, full disks, restarts and clock steps are
drawn by twenty seeds, which were fixed before the code was written that passes them.
"""

import pytest

from tests.support import year_judgement
from tests.support.installation import Installation
from tests.support.year import DAYS, PEOPLE, Year


@pytest.mark.parametrize(
    ("seed", "days", "people"),
    [
        pytest.param(
            21, 60, 40, marks=[pytest.mark.long, pytest.mark.timeout(300)], id="two months"
        ),
        *(
            pytest.param(
                seed,
                DAYS,
                PEOPLE,
                marks=[pytest.mark.long, pytest.mark.timeout(1800)],
                id=f"a year by seed {seed}",
            )
            for seed in range(1, 21)
        ),
    ],
)
def test_life_brings_each_reader_what_they_are_owed(
    installation: Installation, seed: int, days: int, people: int
):
    year = Year(installation, seed, days, people)
    year.live()

    assert year.published > days / 15
    faults = year_judgement.faults(year)
    happened = "\n".join(year.log)
    assert not faults, f"{faults}\n{happened}"
