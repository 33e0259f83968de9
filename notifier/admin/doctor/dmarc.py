"""DMARC records (RFC 9989): the policy of a domain, found by the tree walk, and alignment.

Nothing is known of settings. `pct`, `rf` and `ri`, which the older RFC 7489 had, no longer exist.
"""

import re
from dataclasses import dataclass, field

from notifier.admin.doctor import domains
from notifier.admin.doctor.name_servers import NameServers

# RFC 9989, 4.10: a walk begins at most so many labels deep, after the name itself.
_MOST_LABELS = 7
POLICIES = ("none", "quarantine", "reject")
# Tags of RFC 7489 that RFC 9989 has taken out.
GONE = ("pct", "rf", "ri")
_TAG = re.compile(r"\s*([A-Za-z]+)\s*=([^;]*)")


@dataclass(frozen=True)
class Dmarc:
    """The DMARC policy that applies to a domain.

    Attributes:
        domain: the From domain.
        place: the domain that publishes the record; empty without one.
        tags: of the record, by name.
        owner: the organizational domain: names below it are aligned with each other.
        crowded: a name with several records, which count as none; empty if there is none.
    """

    domain: str
    place: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    owner: str = ""
    crowded: str = ""

    @property
    def policy(self) -> str:
        """The treatment of mail that is not aligned; a missing `p` means ``none``."""
        is_parents = self.place != self.domain
        policy = self.tags.get("sp", "") if is_parents else ""
        return (policy or self.tags.get("p", "none")).lower()

    def is_strict(self, mechanism: str) -> bool:
        """Return whether the same domain is wanted, for ``spf`` or ``dkim``."""
        return self.tags.get(f"a{mechanism}", "r").lower() == "s"


def examine(names: NameServers, domain: str) -> Dmarc:
    """Find the policy of a From domain.

    Raises:
        NoAnswerError: a name server does not answer.
    """
    walked, crowded = _walk(names, domain)
    owner = _owner(domain, walked)
    place = domain if domain in walked else owner if owner in walked else ""
    # Several records of a parent matter only to a domain that has none of its own.
    crowded = "" if place == domain else crowded
    return Dmarc(domain, place, walked.get(place, {}), owner, crowded)


def is_aligned(names: NameServers, dmarc: Dmarc, domain: str, mechanism: str) -> bool:
    """Return whether a domain is aligned with the From domain.

    Args:
        names: the name servers.
        dmarc: the policy of the From domain.
        domain: of the envelope sender for ``spf``, the `d=` of a signature for ``dkim``.
        mechanism: ``spf`` or ``dkim``.
    """
    if domain.lower() == dmarc.domain.lower():
        return True
    if dmarc.is_strict(mechanism):
        return False
    walked, _ = _walk(names, domain)
    if not walked and not dmarc.place:  # nobody publishes anything: by the name alone
        return domains.registrable(domain) == domains.registrable(dmarc.domain)
    return _owner(domain, walked) == dmarc.owner


def _walk(names: NameServers, domain: str) -> tuple[dict[str, dict[str, str]], str]:
    """Return the records from a domain up to the top, by domain, and a name with several."""
    labels = domain.lower().rstrip(".").split(".")
    starts = [0, *range(max(1, len(labels) - _MOST_LABELS), len(labels))]
    walked: dict[str, dict[str, str]] = {}
    crowded = ""
    for start in starts:
        name = ".".join(labels[start:])
        records = [
            tags for text in names.texts(f"_dmarc.{name}") if (tags := tags_of(text, "DMARC1"))
        ]
        if len(records) > 1:
            crowded = crowded or name
        if len(records) != 1:
            continue
        walked[name] = records[0]
        if records[0].get("psd", "u").lower() in ("y", "n"):
            break
    return walked, crowded


def _owner(domain: str, walked: dict[str, dict[str, str]]) -> str:
    """Return the organizational domain (RFC 9989, 4.10.2)."""
    domain = domain.lower()
    for name, tags in walked.items():
        public = tags.get("psd", "u").lower()
        if public == "n":
            return name
        if public == "y" and name != domain:
            below = len(name.split(".")) + 1
            return ".".join(domain.split(".")[-below:])
    return min(walked, key=lambda name: name.count("."), default=domain)


def tags_of(text: str, version: str) -> dict[str, str]:
    """Return the tags of a record by name in lower case; none if it is of another kind.

    Args:
        text: the record.
        version: what its first tag, `v`, must say.
    """
    parts = [_TAG.fullmatch(part) for part in text.split(";") if part.strip()]
    pairs = [(part[1].lower(), part[2].strip()) for part in parts if part is not None]
    if not pairs or pairs[0] != ("v", version):
        return {}
    return dict(pairs)
