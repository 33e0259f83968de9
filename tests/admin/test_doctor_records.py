"""SPF and DMARC records as receivers read them, and the name servers that are asked."""

from collections.abc import Iterator

import pytest

from notifier.admin.doctor import dmarc, domains, name_servers, spf
from notifier.admin.doctor.name_servers import NameServers, NoAnswerError
from tests.support import name_server
from tests.support.name_server import Zone


@pytest.fixture(scope="module")
def running() -> Iterator[Zone]:
    with name_server.running() as zone:
        yield zone


@pytest.fixture
def zone(running: Zone, monkeypatch: pytest.MonkeyPatch) -> Zone:
    monkeypatch.setattr(name_servers, "_LIFETIME", 0.3)
    vars(running).update({**vars(Zone()), "port": running.port})
    return running


def texts(zone: Zone, **records: str) -> None:
    for name, record in records.items():
        domain = name.replace("__", ".").replace("dmarc.", "_dmarc.")
        zone.records[domain, "TXT"] = [record]


@pytest.mark.parametrize(
    ("record", "lookups", "void", "ending"),
    [
        ("v=spf1 -all", 0, 0, "-"),
        ("v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 ~all", 0, 0, "~"),
        ("V=SPF1 IP4:192.0.2.1 ?ALL", 0, 0, "?"),
        ("v=spf1 a mx -all", 2, 0, "-"),
        ("v=spf1 a:gone.example.org mx:gone.example.org -all", 2, 2, "-"),
        ("v=spf1 include:provider.example -all", 3, 0, "-"),
        ("v=spf1 redirect=provider.example", 3, 0, "~"),
        ("v=spf1 -all redirect=gone.example", 0, 0, "-"),
        ("v=spf1 exists:%{i}.list.example ptr a:%{d}.example ~all", 3, 0, "~"),
        ("v=spf1 exp=explain.example unknown=value -all", 0, 0, "-"),
        ("v=spf1", 0, 0, ""),
    ],
)
def test_look_ups_are_counted_as_receivers_count_them(
    zone: Zone, record: str, lookups: int, void: int, ending: str
):
    zone.records |= {
        ("example.org", "TXT"): [record],
        ("example.org", "A"): ["192.0.2.5"],
        ("example.org", "MX"): ["10 mx.example.org."],
        ("mx.example.org", "A"): ["192.0.2.6"],
        ("provider.example", "TXT"): ["v=spf1 a:out.provider.example include:more.example ~all"],
        ("out.provider.example", "A"): ["192.0.2.7"],
        ("more.example", "TXT"): ["v=spf1 ip4:192.0.2.8 -all"],
    }
    judged = spf.examine(NameServers(zone.address), "example.org")
    assert (judged.problem, judged.lookups, judged.void, judged.ending) == (
        "",
        lookups,
        void,
        ending,
    )


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        ("v=spf1 ip4 -all", "no IP address"),
        ("v=spf1 ip4:2001:db8::1 -all", "of the other kind"),
        ("v=spf1 ip6:192.0.2.1 -all", "of the other kind"),
        ("v=spf1 ip4:192.0.2.1/33 -all", "no IP address"),
        ("v=spf1 include -all", "names no domain"),
        ("v=spf1 include: -all", "no term"),
        ("v=spf1 all=x mx; -all", "no term"),
        ("v=spf1 all:example.org", "no term"),
        ("v=spf1 -all ip5:192.0.2.1", "no term"),
        ("v=spf1 redirect=two.example redirect=two.example", "two redirects"),
        ("v=spf1 include:two.example -all", "more than one SPF record"),
        ("v=spf1 include:none.example -all", "no SPF record"),
        ("v=spf1 include:example.org -all", "in a circle"),
        ("v=spf1 mx:many.example -all", "more than 10 hosts"),
    ],
)
def test_errors_of_a_record_are_those_of_receivers(zone: Zone, record: str, problem: str):
    zone.records |= {
        ("example.org", "TXT"): [record],
        ("two.example", "TXT"): ["v=spf1 -all", "v=spf1 ~all"],
        ("many.example", "MX"): [f"10 mx{number}.example." for number in range(11)],
    }
    assert problem in spf.examine(NameServers(zone.address), "example.org").problem


@pytest.mark.parametrize(
    ("record", "address", "allowed"),
    [
        ("v=spf1 ip4:192.0.2.0/24 -all", "192.0.2.77", True),
        ("v=spf1 ip4:192.0.2.0/24 -all", "192.0.3.1", False),
        ("v=spf1 a/24 -all", "192.0.2.200", True),
        ("v=spf1 a//64 -all", "2001:db8::beef", True),
        ("v=spf1 a -all", "2001:db8::beef", False),
        ("v=spf1 ?ip4:192.0.2.1 -all", "192.0.2.1", False),
        ("v=spf1 -include:all.example ip4:192.0.2.1 -all", "198.51.100.1", False),
        ("v=spf1 include:all.example -all", "198.51.100.1", True),
        ("v=spf1 +all", "198.51.100.1", True),
    ],
)
def test_the_addresses_that_may_send_are_known(
    zone: Zone, record: str, address: str, allowed: bool
):
    zone.records |= {
        ("example.org", "TXT"): [record],
        ("example.org", "A"): ["192.0.2.5"],
        ("example.org", "AAAA"): ["2001:db8::1"],
        ("all.example", "TXT"): ["v=spf1 ip4:198.51.100.0/24 -all"],
    }
    assert spf.examine(NameServers(zone.address), "example.org").allows(address) is allowed


def test_a_record_of_endless_includes_ends(zone: Zone):
    for number in range(100):
        includes = f"include:{number + 1}.example include:{number + 2}.example"
        zone.records[f"{number}.example", "TXT"] = [f"v=spf1 {includes} -all"]
    judged = spf.examine(NameServers(zone.address), "0.example")
    assert "look-ups" in judged.problem
    assert len(zone.asked) < 100


def test_the_policy_of_a_domain_is_found_above_it(zone: Zone):
    texts(zone, dmarc__example__org="v=DMARC1; p=reject; sp=quarantine")
    names = NameServers(zone.address)
    above = dmarc.examine(names, "news.example.org")
    assert (above.place, above.policy, above.owner) == ("example.org", "quarantine", "example.org")
    assert dmarc.examine(names, "example.org").policy == "reject"


def test_a_missing_policy_means_none(zone: Zone):
    texts(zone, dmarc__example__org="v=DMARC1; rua=mailto:a@example.org")
    assert dmarc.examine(NameServers(zone.address), "example.org").policy == "none"


def test_a_public_suffix_does_not_own_what_is_below_it(zone: Zone):
    texts(
        zone,
        dmarc__example="v=DMARC1; p=none; psd=y",
        dmarc__a__example="v=DMARC1; p=reject",
        dmarc__b__example="v=DMARC1; p=reject",
    )
    names = NameServers(zone.address)
    policy = dmarc.examine(names, "a.example")
    assert policy.owner == "a.example"
    assert dmarc.is_aligned(names, policy, "mail.a.example", "dkim")
    assert not dmarc.is_aligned(names, policy, "b.example", "dkim")


def test_a_record_that_says_that_it_is_the_owner_ends_the_walk(zone: Zone):
    texts(
        zone,
        dmarc__example__org="v=DMARC1; p=reject",
        dmarc__part__example__org="v=DMARC1; p=none; psd=n",
    )
    names = NameServers(zone.address)
    policy = dmarc.examine(names, "news.part.example.org")
    assert (policy.place, policy.owner) == ("part.example.org", "part.example.org")
    assert not dmarc.is_aligned(names, policy, "example.org", "spf")


def test_several_records_above_a_domain_with_its_own_do_not_matter(zone: Zone):
    texts(zone, dmarc__news__example__org="v=DMARC1; p=reject")
    zone.records["_dmarc.example.org", "TXT"] = ["v=DMARC1; p=none", "v=DMARC1; p=reject"]
    names = NameServers(zone.address)
    assert dmarc.examine(names, "news.example.org").crowded == ""
    assert dmarc.examine(names, "other.example.org").crowded == "example.org"


def test_strict_alignment_wants_the_same_domain(zone: Zone):
    texts(zone, dmarc__example__org="v=DMARC1; p=reject; aspf=s")
    names = NameServers(zone.address)
    policy = dmarc.examine(names, "example.org")
    assert not dmarc.is_aligned(names, policy, "bounce.example.org", "spf")
    assert dmarc.is_aligned(names, policy, "bounce.example.org", "dkim")


def test_a_long_name_costs_few_questions(zone: Zone):
    name = ".".join(f"l{number}" for number in range(40)) + ".example"
    dmarc.examine(NameServers(zone.address), name)
    assert len(zone.asked) == 8


@pytest.mark.parametrize(
    "text", ["DMARC1; p=none", "p=none; v=DMARC1", "v=dmarc1; p=none", "v=spf1 -all", "", "v=;"]
)
def test_other_texts_are_no_dmarc_records(zone: Zone, text: str):
    zone.records["_dmarc.example.org", "TXT"] = [text]
    assert dmarc.examine(NameServers(zone.address), "example.org").place == ""


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("news.example.org", "example.org"),
        ("a.b.example.co.uk", "example.co.uk"),
        ("example.org", "example.org"),
        ("Example.ORG.", "example.org"),
        ("localhost", "localhost"),
    ],
)
def test_the_owner_of_a_name_is_told_by_its_labels(name: str, owner: str):
    assert domains.registrable(name) == owner


def test_a_long_answer_comes_by_tcp(zone: Zone):
    long = "v=DKIM1; p=" + "A" * 900
    zone.records["key.example.org", "TXT"] = [long]
    assert NameServers(zone.address).texts("key.example.org") == [long]
    assert len(zone.asked) == 2


def test_a_question_is_asked_once(zone: Zone):
    names = NameServers(zone.address)
    zone.broken.add("b.example")
    for _ in range(3):
        assert names.texts("a.example") == []
        with pytest.raises(NoAnswerError):
            names.texts("b.example")
    assert zone.asked.count(("a.example", "TXT")) == 1
    assert zone.asked.count(("b.example", "TXT")) == 1


@pytest.mark.parametrize("name", ["a" * 64 + ".example", "a..example", "x." * 200])
def test_a_name_that_cannot_be_asked_for_is_no_crash(zone: Zone, name: str):
    with pytest.raises(NoAnswerError):
        NameServers(zone.address).texts(name)


@pytest.mark.parametrize(
    ("server", "parsed"),
    [
        ("192.0.2.1", ("192.0.2.1", 53)),
        ("192.0.2.1:5353", ("192.0.2.1", 5353)),
        ("2001:db8::1", ("2001:db8::1", 53)),
        ("[2001:db8::1]:5353", ("2001:db8::1", 5353)),
    ],
)
def test_the_address_of_a_name_server_is_read(server: str, parsed: tuple[str, int]):
    assert name_servers.parse_server(server) == parsed
