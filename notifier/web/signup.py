"""Signing up: the form, and what is answered to it: the same, in the same time, whoever is named in it.

The page stores the request and answers; only then is it looked up whether the address is known, and
only its owner is told, by mail.
"""

from collections.abc import Mapping

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from notifier.digest import archive
from notifier.email_addresses import normalize
from notifier.enums import Cadence, SignupRequestKind
from notifier.errors import AddressError
from notifier.i18n.catalog import LANGUAGES, Language, language_of
from notifier.i18n.messages import LazyMessage
from notifier.pipeline import signup_requests
from notifier.subscribers import choices, consent
from notifier.web import forms, mail_requests
from notifier.web.responses import deps_of, notice, page, spoken_by

# A field that people neither see nor reach; who fills it in is a program.
_HONEYPOT = "website"
_LONGEST_ADDRESS = 320


def form(request: Request) -> Response:
    """The form, with the usual choice in it."""
    spoken = _spoken(request)
    zone = deps_of(request).settings.schedule.time_zone
    usual = forms.fields_of(choices.default_choice(Cadence.WEEKLY, zone, language=spoken.code))
    return _form(
        request, spoken, {**usual, "email": "", "profile": request.query_params.get("profile", "")}
    )


def _spoken(request: Request, code: str = "") -> Language:
    asked = code or request.query_params.get("language", "")
    return language_of(asked) if asked in LANGUAGES else spoken_by(request)


def _form(
    request: Request,
    spoken: Language,
    values: Mapping[str, str],
    errors: Mapping[str, str] | None = None,
) -> Response:
    deps = deps_of(request)
    with deps.reading() as session:
        offered = [(profile.slug, profile.name) for profile in archive.public_profiles(session)]
    if not offered:
        return notice(request, LazyMessage("Nobody can sign up here at the moment."), spoken=spoken)
    shown = {
        **forms.options(spoken),
        "values": values,
        "errors": errors or {},
        "profiles": offered,
        "wording": consent.wording(spoken),
        "honeypot": _HONEYPOT,
    }
    return page(request, "signup", shown, spoken, 422 if errors else 200)


async def subscribe(request: Request) -> Response:
    """Take a sign-up; what is wrong with its fields is told beside them, whose address it is to nobody."""
    sent = await forms.form_of(request)
    values = {
        name: forms.text(sent, name)
        for name in ("email", "profile", "consent", _HONEYPOT, *forms.FIELDS)
    }
    values["weekday"] = values["weekday"] or forms.text(sent, "on")
    values["day"] = values["day"] or forms.text(sent, "on")
    spoken = _spoken(request, forms.text(sent, "spoken"))
    if values[_HONEYPOT]:
        return mail_requests.look_into_mailbox(request, spoken)
    usual = forms.fields_of(
        choices.default_choice(
            Cadence.WEEKLY, deps_of(request).settings.schedule.time_zone, language=spoken.code
        )
    )
    values |= {name: usual[name] for name in usual if not values.get(name)}
    return await run_in_threadpool(_subscribe, request, spoken, values)


def _subscribe(request: Request, spoken: Language, values: dict[str, str]) -> Response:
    deps = deps_of(request)
    errors = forms.problem_with(values)
    with deps.reading() as session:
        slugs = [profile.slug for profile in archive.public_profiles(session)]
    values["profile"] = values["profile"] or (slugs[0] if len(slugs) == 1 else "")
    if values["profile"] not in slugs:
        errors["profile"] = "wrong"
    if values["consent"] != "yes":
        errors["consent"] = "missing"
    email = _address(values["email"])
    if not email:
        errors["email"] = "wrong"
    if errors:
        return _form(request, spoken, values, errors)
    wish = signup_requests.to_json(values["profile"], forms.choice_of(values))
    return mail_requests.ask(request, spoken, SignupRequestKind.SUBSCRIBE, email, wish)


def _address(text: str) -> str:
    try:
        return normalize(text) if len(text) <= _LONGEST_ADDRESS else ""
    except AddressError:
        return ""


def link_form(request: Request) -> Response:
    """The form for who lost the link to their preferences."""
    return page(
        request, "link_request", {"problem": False, "honeypot": _HONEYPOT}, _spoken(request)
    )


async def link(request: Request) -> Response:
    """Take the wish for a link; the answer is the same for everybody."""
    sent = await forms.form_of(request)
    spoken = _spoken(request, forms.text(sent, "spoken"))
    email = _address(forms.text(sent, "email"))
    if forms.text(sent, _HONEYPOT):
        return mail_requests.look_into_mailbox(request, spoken)
    if not email:
        return page(request, "link_request", {"problem": True, "honeypot": _HONEYPOT}, spoken, 422)
    return await run_in_threadpool(
        mail_requests.ask, request, spoken, SignupRequestKind.LINK, email, None
    )
