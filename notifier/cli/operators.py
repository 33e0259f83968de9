"""`notifier operators`."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from notifier.cli import shared
from notifier.cli.tables import Column, Kind

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from notifier.deps import Deps

app = shared.group("operators", "Who may log in to the operator pages of `notifier serve`.")

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="Small letters, digits, dots, or an e-mail address.")
]

_COLUMNS = (Column("name"), Column("role"), Column("since (UTC)", Kind.TIME, field="created_at"))
# More than the longest password in UTF-8, so that one that is too long is refused and not cut.
_LONGEST_LINE = 2_000


@app.command("add")
def add(
    name: Name,
    role: Annotated[
        str,
        typer.Option(
            metavar="ROLE", help="editor: news and digests; owner: people and settings, too."
        ),
    ] = "editor",
    now: shared.Now = "",
    json: shared.Json = False,
) -> None:
    """Add somebody who may log in to the operator pages.

    The password is asked for; without a terminal it is a line of standard input.
    """
    from notifier.enums import Role
    from notifier.operators import accounts, passwords

    wanted = shared.member(Role, role, "--role")
    accounts.named(name)
    with shared.open_deps(now) as deps:
        password_hash = passwords.hash_of(_ask_for_password())
        with deps.writing() as session:
            stored = accounts.add(session, name, wanted, password_hash, deps.now())
            _record(deps, session, "operator_added", f"Added the {wanted} {stored}", stored)
            owners = [
                account
                for account in accounts.listed(session, deps.settings.web.operator_password_hash)
                if account.role is Role.OWNER
            ]
        if json:
            shared.print_json({"name": stored, "role": wanted})
    shared.say(f"Added the {wanted} {stored}: {deps.settings.public_url}/operator/")
    if not owners:
        shared.say(
            "There is no owner, who may see people and the operators' log. To add one:\n"
            "    notifier operators add NAME --role owner"
        )


@app.command("remove")
def remove(name: Name, now: shared.Now = "") -> None:
    """Remove an operator, and end their log-ins."""
    from notifier.operators import accounts

    with shared.open_deps(now) as deps, deps.writing() as session:
        accounts.remove(session, name)
        _record(deps, session, "operator_removed", f"Removed the operator {name}", name)
        is_last = not accounts.exist(session, deps.settings.web.operator_password_hash)
    shared.say(f"Removed the operator {name.strip().lower()}.")
    if is_last:
        shared.say("Nobody is left who may log in: the operator pages do not exist any more.")


@app.command("list")
def list_(json: shared.Json = False) -> None:
    """Show who may log in."""
    from notifier.operators import accounts

    with shared.open_deps() as deps, deps.reading() as session:
        rows = [
            {
                "name": account.name,
                "role": account.role,
                "created_at": shared.as_time(account.created_at),
            }
            for account in accounts.listed(session, deps.settings.web.operator_password_hash)
        ]
    if json:
        shared.print_json(rows)
        return
    cells = [(row["name"], row["role"], row["created_at"] or "in the settings") for row in rows]
    shared.print_table(
        _COLUMNS, cells, "Nobody may log in. To add somebody: notifier operators add NAME"
    )


@app.command("password")
def password(
    name: Name,
    print_hash: Annotated[
        bool,
        typer.Option("--print", help="Store nothing, and print web.operator_password_hash."),
    ] = False,
    now: shared.Now = "",
) -> None:
    """Set an operator's password, which ends their log-ins.

    It is asked for; without a terminal it is a line of standard input.
    """
    from notifier.errors import InputError
    from notifier.operators import accounts, passwords

    if print_hash:
        if accounts.named(name) != accounts.FROM_SETTINGS:
            raise InputError(
                f"Only the operator {accounts.FROM_SETTINGS!r} has a password in the settings.",
                f"To set that of {name}: notifier operators password {name}",
            )
        shared.say(f'operator_password_hash = "{passwords.hash_of(_ask_for_password())}"')
        return
    with shared.open_deps(now) as deps:
        with deps.reading() as session:
            accounts.require(session, name)
        password_hash = passwords.hash_of(_ask_for_password())
        with deps.writing() as session:
            ended = accounts.set_password(session, name, password_hash, deps.now())
            _record(deps, session, "password_set", f"Set the password of {name}", name)
    ends = f" {ended} log-in{'s' * (ended != 1)} ended." if ended else ""
    shared.say(f"The password of {name.strip().lower()} is set.{ends}")


def _record(deps: "Deps", session: "Session", kind: str, text: str, name: str) -> None:
    from notifier.operators import actions

    actor = actions.Actor(shared.operator(), deps.now())
    actions.record(session, actor, kind, text, about=f"operator {name.strip().lower()}")


def _ask_for_password() -> str:
    """Ask twice on a terminal; read one line where there is none.

    Raises:
        InputError: it is empty, too weak, or the two differ.
    """
    from notifier.errors import InputError
    from notifier.operators import passwords

    if sys.stdin.isatty():
        text: str = typer.prompt("Password", hide_input=True)
        passwords.require_strong(text)
        if typer.prompt("The same again", hide_input=True) != text:
            raise InputError("The two passwords differ: nothing was changed.", "Try again.")
        return text
    text = sys.stdin.readline(_LONGEST_LINE).rstrip("\r\n")
    if not text:
        raise InputError(
            "No password was given.", "Run it in a terminal, or give the password in a pipe."
        )
    passwords.require_strong(text)
    return text
