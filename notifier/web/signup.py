"""Sign-up: the form, and an answer that shows nothing about the address in it.

The page stores the request and answers; it takes the same time for every address. Only then is it
looked up whether the address is known, and only its owner is told, by mail.
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
from notifier.web import forms, mail_requests, own_data
from notifier.web.responses import browser_language, deps_of, render_message, render_page

# A field that people neither see nor reach; a visitor who fills it in is a program.
_HONEYPOT = "website"
# The longest address that a form accepts: 64 characters, "@" and 255 (RFC 5321, 4.5.3.1).
_LONGEST_ADDRESS = 320


def show_form(request: Request) -> Response:
    """Show the form with the default choice."""
    language = _language(request)
    values = {
        **_default_fields(request, language),
        "email": "",
        "profile": request.query_params.get("profile", ""),
    }
    return _form(request, language, values)


def _language(request: Request, code: str = "") -> Language:
    """Return the language of a code, else the visitor's."""
    return language_of(code) if code in LANGUAGES else browser_language(request)


def _default_fields(request: Request, language: Language) -> dict[str, str]:
    zone = deps_of(request).settings.schedule.time_zone
    choice = choices.default_choice(Cadence.WEEKLY, zone, language=language.code)
    return forms.fields_of(choice)


def _form(
    request: Request,
    language: Language,
    values: Mapping[str, str],
    errors: Mapping[str, str] | None = None,
) -> Response:
    """Return the page with the form.

    Args:
        request: the request.
        language: the visitor's language.
        values: the fields of the form.
        errors: the names of the fields that are not valid.
    """
    deps = deps_of(request)
    with deps.reading() as session:
        profiles = [(profile.slug, profile.name) for profile in archive.public_profiles(session)]
    if not profiles:
        closed = LazyMessage("Nobody can sign up here at the moment.")
        return render_message(request, closed, language=language)
    defaults = _default_fields(request, language)
    page_values = {
        **forms.options(language, defaults["time_zone"]),
        "usual": {"weekday": language.weekday(0), "at": defaults["at"]},
        "opened": bool(errors) or any(values.get(name) != text for name, text in defaults.items()),
        "values": values,
        "errors": errors or {},
        "profiles": profiles,
        "wording": consent.wording(language),
        "honeypot": _HONEYPOT,
        **own_data.facts(deps.settings),
    }
    return render_page(request, "signup", page_values, language, 422 if errors else 200)


async def subscribe(request: Request) -> Response:
    """Store a sign-up; an error is shown beside its field, and nothing about the address is."""
    form = await forms.form_of(request)
    values = {
        name: forms.text(form, name)
        for name in ("email", "profile", "consent", _HONEYPOT, *forms.FIELDS)
    }
    values["weekday"] = values["weekday"] or forms.text(form, "on")
    values["day"] = values["day"] or forms.text(form, "on")
    language = _language(request, forms.text(form, "spoken"))
    if values[_HONEYPOT]:
        return mail_requests.mailbox_page(request, language)
    defaults = _default_fields(request, language)
    values |= {name: default for name, default in defaults.items() if not values.get(name)}
    return await run_in_threadpool(_subscribe, request, language, values)


def _subscribe(request: Request, language: Language, values: dict[str, str]) -> Response:
    deps = deps_of(request)
    errors = forms.find_errors(values)
    with deps.reading() as session:
        slugs = [profile.slug for profile in archive.public_profiles(session)]
    values["profile"] = values["profile"] or (slugs[0] if len(slugs) == 1 else "")
    if values["profile"] not in slugs:
        errors["profile"] = "wrong"
    if values["consent"] != "yes":
        errors["consent"] = "missing"
    email = _parse_address(values["email"])
    if not email:
        errors["email"] = "wrong"
    if errors:
        return _form(request, language, values, errors)
    wish = signup_requests.to_json(values["profile"], forms.choice_of(values))
    return mail_requests.request_mail(request, language, SignupRequestKind.SUBSCRIBE, email, wish)


def _parse_address(text: str) -> str:
    """Return the normal form of an address; empty for a text that is not an address."""
    try:
        return normalize(text) if len(text) <= _LONGEST_ADDRESS else ""
    except AddressError:
        return ""


def show_link_form(request: Request) -> Response:
    """Show the form for those who lost the link to their preferences."""
    return _link_form(request, _language(request), problem=False)


def _link_form(request: Request, language: Language, *, problem: bool) -> Response:
    contact = deps_of(request).settings.contact
    values = {
        "problem": problem,
        "honeypot": _HONEYPOT,
        "contact": contact,
        "contact_url": mail_requests.contact_url(contact),
    }
    return render_page(request, "link_request", values, language, 422 if problem else 200)


async def request_link(request: Request) -> Response:
    """Store a request for a link; the answer is the same for every address."""
    form = await forms.form_of(request)
    language = _language(request, forms.text(form, "spoken"))
    email = _parse_address(forms.text(form, "email"))
    if forms.text(form, _HONEYPOT):
        return mail_requests.mailbox_page(request, language)
    if not email:
        return _link_form(request, language, problem=True)
    return await run_in_threadpool(
        mail_requests.request_mail, request, language, SignupRequestKind.LINK, email, None
    )
