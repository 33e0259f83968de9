"""The profile file: its keys and tables, and the check of each value.

Pydantic models of the TOML document that docs/profiles.md describes. `match/profiles.py` reads such
files and stores them.
"""

import re
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from notifier.enums import TermKind, Tier
from notifier.i18n.catalog import LANGUAGES
from notifier.text.cleaning import fold, storable
from notifier.text.urls import web_address

# Numbers of ClinicalTrials.gov, of the European registers (EudraCT, and CTIS with two digits more),
# and of the ISRCTN registry.
_TRIAL_ID = re.compile(r"NCT[0-9]{8}|[0-9]{4}-[0-9]{6}-[0-9]{2}(-[0-9]{2})?|ISRCTN[0-9]{8}")


def _checked_url(url: str) -> str:
    if not web_address(url):
        raise ValueError("must begin with https:// or http://")
    return _checked_text(url)


def _checked_trial_id(text: str) -> str:
    if not _TRIAL_ID.fullmatch(text):
        raise ValueError("is not a trial number, such as NCT06141473 or 2023-503190-38-00")
    return text


def _checked_text(text: str) -> str:
    if storable(text) != text:
        raise ValueError("holds a control character")
    return text


def _checked_spelling(text: str) -> str:
    if not fold(text):
        raise ValueError("is empty")
    return _checked_text(text).strip()


def _checked_language(code: str) -> str:
    if code not in LANGUAGES:
        raise ValueError(f"is not a language of notifier; these are: {', '.join(LANGUAGES)}")
    return code


Language = Annotated[str, AfterValidator(_checked_language)]
Url = Annotated[str, AfterValidator(_checked_url)]
Text = Annotated[str, AfterValidator(_checked_text)]
Spelling = Annotated[str, AfterValidator(_checked_spelling)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TermPart(_Part):
    """A ``[[terms]]`` table."""

    kind: TermKind
    text: Spelling
    also: tuple[Spelling, ...] = ()


class CanaryPart(_Part):
    """A ``[[canaries]]`` table: a known text, and the tier that it must always get."""

    title: Spelling
    summary: Text = ""
    body: Text = ""
    tier: Tier


class TrialPart(_Part):
    """A ``[[trials]]`` table."""

    id: Annotated[str, AfterValidator(_checked_trial_id)]
    acronym: Text = ""
    phase: Text = ""
    about: Text = ""


class ApprovalPart(_Part):
    """An ``[[approvals]]`` table: the therapy's state in a country or in the EU.

    Attributes:
        where: a country code of ISO 3166-1 (two letters), or ``EU``.
        status: the regulator's decision.
        since: the year of the decision.
        as_of: the day on which this was checked.
    """

    where: Spelling
    status: Literal["approved", "not approved", "under review", "refused", "withdrawn"]
    since: Annotated[int, Field(ge=1900, le=2100)] | None = None
    as_of: date | None = None


class TranslationPart(_Part):
    """A ``[translations.xx]`` table: the texts for readers of another language."""

    summary: Text = ""
    stage: Text = ""
    facts: dict[Text, Text | list[Text]] = {}


class ProfileFile(_Part):
    """A whole profile file; the keys are those of a therapy's public profile."""

    slug: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
    name: Spelling
    summary: Text = ""
    stage: Text = ""
    stage_as_of: date | None = None
    public: bool = False
    approvals: tuple[ApprovalPart, ...] = ()
    pages: tuple[Url, ...] = ()
    sources: tuple[Url, ...] = ()
    facts: dict[Text, Text | list[Text]] = {}
    terms: Annotated[tuple[TermPart, ...], Field(min_length=1)]
    trials: tuple[TrialPart, ...] = ()
    canaries: tuple[CanaryPart, ...] = ()
    translations: dict[Language, TranslationPart] = {}
