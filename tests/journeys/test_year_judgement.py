"""The judgement on a simulated year: it finds faults, and excuses only what has a reason."""

import pytest

from notifier.enums import SuppressionCause
from notifier.subscribers import subscriptions, suppressions
from tests.support import year_judgement
from tests.support.installation import MONDAY, Installation
from tests.support.year import HOUR, Reader, Received, Year

ANNA = "anna@provider0.example"


@pytest.fixture
def year(installation: Installation) -> Year:
    """A year with one reader, to whom nothing happened yet."""
    lived = Year(installation, seed=0)
    lived.readers = [Reader("anna", ANNA)]
    lived.by_address[ANNA] = lived.readers[0]
    installation.subscribe(ANNA)
    return lived


def received(key: str, *stories: int) -> Received:
    return Received(MONDAY, ANNA, "", key, "", frozenset(stories))


@pytest.mark.parametrize(
    ("mails", "allowed", "wrong"),
    [
        (["a"], {}, 0),
        (["a", "a"], {"a": 1}, 0),
        (["a", "a"], {}, 2),
        (["a", "a", "a"], {"a": 1}, 2),
        (["a", "a"], {"b": 1}, 2),
        (["a", "b"], {}, 1),
        (["a", "b"], {"a": 1}, 0),
        (["a", "a", "b"], {"a": 1}, 1),
    ],
)
def test_each_reason_allows_one_more_copy_of_its_own_mail(
    year: Year, mails: list[str], allowed: dict[str, int], wrong: int
):
    year.got["anna"] = [received(key, 7) for key in mails]
    year.may_repeat.update(allowed)
    assert len(year_judgement.repeated(year)) == wrong


def test_what_was_owed_and_neither_came_nor_was_named_is_missing(year: Year):
    year.readers[0].stories = {1: MONDAY, 2: MONDAY}
    year.got["anna"] = [received("a", 2)]
    assert year_judgement.not_reached(year) == ["anna: [1]"]
    year.readers[0].left_at = MONDAY
    assert year_judgement.not_reached(year) == []


@pytest.mark.parametrize(
    ("text", "ids", "names_all"),
    [
        ("1 digest mail was given up notifier deliveries retry 12", {12}, False),
        ("Digest 3 reached nobody notifier deliveries retry 4 5 If nobody", {4, 5}, False),
        ("2 mails are in doubt notifier deliveries retry 8 9", {8, 9}, False),
        ("40 digest mails were given up notifier deliveries retry You get this", set(), True),
        ("servers refuse us; at once: notifier deliveries retry", set(), False),
    ],
)
def test_only_a_mail_about_lost_mails_names_some(
    year: Year, text: str, ids: set[int], *, names_all: bool
):
    year.operator_mails = [(MONDAY, text)]
    assert year_judgement._named_ids(year) == (ids, MONDAY if names_all else None)


@pytest.mark.parametrize(
    ("cause", "change", "wrong"),
    [
        (SuppressionCause.BOUNCED, {}, ["anna"]),
        (SuppressionCause.BOUNCED, {"gone_at": MONDAY}, []),
        (SuppressionCause.COMPLAINED, {"left_at": MONDAY}, []),
        (SuppressionCause.COMPLAINED, {}, ["anna"]),
        (SuppressionCause.BOUNCED, {"left_at": MONDAY}, ["anna"]),
    ],
)
def test_only_addresses_that_do_not_exist_are_rightly_suppressed(
    year: Year, cause: SuppressionCause, change: dict, wrong: list[str]
):
    with year.installation.at(MONDAY).writing() as session:
        suppressions.add(session, subscriptions.hash_of(session, ANNA), cause, "", MONDAY)
    for name, value in change.items():
        setattr(year.readers[0], name, value)
    assert year_judgement.wrongly_suppressed(year) == wrong


@pytest.mark.parametrize(("number", "wrong"), [(5, 0), (6, 6)])
def test_a_lie_excuses_no_more_than_the_brake_lets_pass(year: Year, number: int, wrong: int):
    names = [f"reader{index}" for index in range(number)]
    for name in names:
        address = f"{name}@provider1.example"
        year.installation.subscribe(address)
        year.by_address[address] = Reader(name, address)
        year.readers.append(year.by_address[address])
    with year.installation.at(MONDAY).writing() as session:
        for name in names:
            key = subscriptions.hash_of(session, f"{name}@provider1.example")
            suppressions.add(session, key, SuppressionCause.BOUNCED, "5.1.1", MONDAY)
    year.lied_to["provider1.example", MONDAY + HOUR] = set(names)
    assert len(year_judgement.wrongly_suppressed(year)) == wrong
