"""Operators: who may log in, for owners; and one's own password, for everybody."""

from threading import BoundedSemaphore

from sqlalchemy.orm import Session
from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import Route

from notifier.enums import Role
from notifier.errors import InputError, NotFoundError, NotifierError
from notifier.operators import accounts, actions, attempts, passwords
from notifier.operators.attempts import TooManyAttemptsError
from notifier.web import forms
from notifier.web.operator import login, rendering
from notifier.web.operator.access import action, page
from notifier.web.operator.visit import Visit

# Argon2 takes 64 MiB for each password: so many at once.
_HASHING = BoundedSemaphore(2)
_ROLES = {
    Role.EDITOR: "Editor: news, digests, profiles and sources",
    Role.OWNER: "Owner: that, and people, operators and the log",
}


def routes() -> list[Route]:
    """Return the addresses of the pages and of their forms."""
    return [
        Route("/operator/operators", page(show, for_owners=True), methods=["GET"]),
        *(
            Route(f"/operator/operators/{name}", action(handler, for_owners=True), methods=["POST"])
            for name, handler in (
                ("add", add),
                ("password", set_password),
                ("role", set_role),
                ("remove", remove),
            )
        ),
        Route("/operator/password", page(show_password), methods=["GET"]),
        Route("/operator/password", action(change_password), methods=["POST"]),
    ]


def show(visit: Visit) -> Response:
    """Show who may log in."""
    return _page(visit)


def add(visit: Visit, form: FormData) -> Response:
    """Add somebody who may log in."""
    try:
        wanted, stored = _role(forms.text(form, "role")), _new_name(visit, form)
    except InputError as error:
        return _page(visit, form, {"name": f"{error.problem} {error.fix}"})
    try:
        password_hash = _hash(_new_password(form))
    except InputError as error:
        return _page(visit, form, {"password": f"{error.problem} {error.fix}"})
    with visit.deps.writing() as session:
        accounts.add(session, stored, wanted, password_hash, visit.now)
        action_id = _record(
            session, visit, "operator_added", f"Added the {wanted} {stored}", stored
        )
    return rendering.done(visit, "operators", action_id)


def set_password(visit: Visit, form: FormData) -> Response:
    """Set a colleague's password, which ends their log-ins."""
    name = _colleague(visit, form)
    try:
        password_hash = _hash(_new_password(form))
    except InputError as error:
        return _page(visit, form, {f"password-{name}": f"{error.problem} {error.fix}"})
    with visit.deps.writing() as session:
        accounts.set_password(session, name, password_hash, visit.now)
        action_id = _record(session, visit, "password_set", f"Set the password of {name}", name)
    return rendering.done(visit, "operators", action_id)


def set_role(visit: Visit, form: FormData) -> Response:
    """Make a colleague an editor or an owner."""
    name, wanted, was = (
        _colleague(visit, form),
        _role(forms.text(form, "role")),
        forms.text(form, "was"),
    )
    with visit.deps.writing() as session:
        account = accounts.find(session, _settings_hash(visit), name)
        if account is not None and account.role != was:
            changed = actions.newest(session, about=f"operator {name}", limit=1)
            who = f" by {changed[0].name}" if changed else ""
            raise NotifierError(f"{name} was made {_a(account.role)} meanwhile{who}.")
        if wanted is not Role.OWNER:
            _require_other_owner(session, visit, name)
        accounts.set_role(session, name, wanted, visit.now)
        text = f"Made {name} {_a(wanted)}"
        action_id = _record(session, visit, "role_set", text, name)
    return rendering.done(visit, "operators", action_id)


def remove(visit: Visit, form: FormData) -> Response:
    """Remove a colleague, and end their log-ins."""
    name = _colleague(visit, form)
    with visit.deps.writing() as session:
        _require_other_owner(session, visit, name)
        accounts.remove(session, name)
        action_id = _record(
            session, visit, "operator_removed", f"Removed the operator {name}", name
        )
    return rendering.done(visit, "operators", action_id)


def show_password(visit: Visit) -> Response:
    """Show the form for one's own password."""
    return _password_page(visit)


def change_password(visit: Visit, form: FormData) -> Response:
    """Set one's own password, which ends all other log-ins of this name."""
    if _is_from_settings(visit):
        return _password_page(visit, status=409)
    try:
        new = _new_password(form)
    except InputError as error:
        return _password_page(visit, {"password": f"{error.problem} {error.fix}"}, 422)
    try:
        attempt = login.begin_attempt(visit.request, visit.deps, visit.name)
    except TooManyAttemptsError as error:
        return _password_page(visit, {"old": error.problem + " Wait a quarter of an hour."}, 429)
    with visit.deps.reading() as session:
        account = accounts.find(session, _settings_hash(visit), visit.name)
    old = form.get("old", "")
    with _HASHING:
        is_right = passwords.is_right(
            account.password_hash if account else "", old if isinstance(old, str) else ""
        )
    if not is_right:
        return _password_page(visit, {"old": "This is not your password."}, 422)
    password_hash = _hash(new)
    mark = passwords.mark_of(password_hash)
    with visit.deps.writing() as session:
        attempts.succeed(session, attempt)
        accounts.set_password(session, visit.name, password_hash, visit.now)
        begun = login.begin_session(session, visit.request, visit.name, mark, visit.now)
        text = "Changed the own password"
        action_id = _record(session, visit, "password_set", text, visit.name)
    response = rendering.done(visit, "password", action_id)
    login.keep_session(response, visit.deps, begun)
    return response


def _page(
    visit: Visit, form: FormData | None = None, wrong: dict[str, str] | None = None
) -> Response:
    with visit.deps.reading() as session:
        stored = accounts.listed(session, _settings_hash(visit))
    values = {
        "accounts": stored,
        "roles": _ROLES,
        "wrong": wrong or {},
        "name": forms.text(form, "name") if form is not None and "role" in form else "",
        "role": forms.text(form, "role", "editor") if form is not None else "editor",
        "shortest": passwords.SHORTEST,
        "longest": passwords.LONGEST,
    }
    status = 422 if wrong else 200
    return rendering.show(visit, "operators", values, section="operators", status=status)


def _password_page(
    visit: Visit, wrong: dict[str, str] | None = None, status: int = 200
) -> Response:
    values = {
        "wrong": wrong or {},
        "is_from_settings": _is_from_settings(visit),
        "shortest": passwords.SHORTEST,
        "longest": passwords.LONGEST,
    }
    return rendering.show(visit, "password", values, section="password", status=status)


def _colleague(visit: Visit, form: FormData) -> str:
    """Return the name of the stored account that a form is about; nobody's own.

    Raises:
        InputError: it is one's own.
        NotFoundError: there is none, or it is in the settings.
    """
    name = forms.text(form, "name").lower()
    if name == visit.name:
        raise InputError(
            "You cannot do this to your own account: nothing was changed.",
            "Another owner can.",
        )
    with visit.deps.reading() as session:
        account = accounts.find(session, _settings_hash(visit), name)
    if account is None:
        raise NotFoundError("This operator was removed meanwhile: nothing was changed.")
    if account.created_at is None:
        raise NotFoundError("This account is in the settings: only who runs the server changes it.")
    return account.name


def _new_name(visit: Visit, form: FormData) -> str:
    """Return the name of an account that is to be added.

    Raises:
        InputError: it cannot be one, or there is one of this name.
    """
    name = accounts.named(forms.text(form, "name"))
    with visit.deps.reading() as session:
        if accounts.find(session, _settings_hash(visit), name) is not None:
            raise InputError(f"There is an operator {name} already.", "Choose another name.")
    return name


def _require_other_owner(session: Session, visit: Visit, name: str) -> None:
    """Require that an owner is left without an account.

    Raises:
        NotifierError: it is the last one.
    """
    if accounts.is_last_owner(session, _settings_hash(visit), name):
        raise NotifierError(
            f"{name} is the last owner: nothing was changed.", "Make somebody else an owner first."
        )


def _new_password(form: FormData) -> str:
    """Return the new password of a form.

    Raises:
        InputError: it is too weak, or the two differ.
    """
    password, again = form.get("password", ""), form.get("again", "")
    if not isinstance(password, str) or not isinstance(again, str):
        raise InputError("A password is a text.")
    passwords.require_strong(password)
    if password != again:
        raise InputError("The two passwords differ.", "Type the same one twice.")
    return password


def _hash(password: str) -> str:
    with _HASHING:
        return passwords.hash_of(password)


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError:
        raise InputError("Choose editor or owner.") from None


def _a(role: Role) -> str:
    return f"an {role}"


def _is_from_settings(visit: Visit) -> bool:
    with visit.deps.reading() as session:
        account = accounts.find(session, _settings_hash(visit), visit.name)
    return account is not None and account.created_at is None


def _settings_hash(visit: Visit) -> str | None:
    return visit.deps.settings.web.operator_password_hash


def _record(session: Session, visit: Visit, kind: str, text: str, name: str) -> int:
    return actions.record(session, visit.actor, kind, text, about=f"operator {name}")
