"""Domains: who owns a name, without asking anybody.

Pure. Receivers of mail find the owner by the DNS (`dmarc.py`); this is for names of web hosts, and
for domains that publish nothing.
"""

import re

# Domains of two parts below which strangers register theirs (``co.uk``); only the usual forms.
_SHARED = re.compile(r"(?:ac|co|com|edu|go|gov|ne|net|or|org)\.[a-z]{2}")


def registrable(name: str) -> str:
    """Return the part of a name that somebody registered: ``example.org`` of ``a.example.org``."""
    labels = name.lower().rstrip(".").split(".")
    size = 3 if _SHARED.fullmatch(".".join(labels[-2:])) else 2
    return ".".join(labels[-size:])
