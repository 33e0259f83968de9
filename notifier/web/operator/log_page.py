"""The operators' log as a page, for owners: all of it, or that of an operator or about a thing."""

from urllib.parse import urlencode

from starlette.responses import Response

from notifier.operators import accounts, actions
from notifier.web.operator import rendering
from notifier.web.operator.visit import Visit, number_of

_ROWS = 100
# What a filter may be; the columns of the table.
_LONGEST_NAME, _LONGEST_THING = 40, 60


def show(visit: Visit) -> Response:
    """Show who did what, the newest first, a hundred at a time."""
    query = visit.query
    before = number_of(query.get("before", ""))
    who = query.get("who", "").strip().lower()[:_LONGEST_NAME]
    about = query.get("about", "").strip().lower()[:_LONGEST_THING]
    with visit.deps.reading() as session:
        rows = actions.newest(session, about=about, name=who, before_id=before, limit=_ROWS + 1)
        hash_of_settings = visit.deps.settings.web.operator_password_hash
        names = [account.name for account in accounts.listed(session, hash_of_settings)]
        total = actions.number_stored(session)
    older = {"before": rows[_ROWS - 1].id, "who": who, "about": about} if len(rows) > _ROWS else {}
    values = {
        "rows": rows[:_ROWS],
        "older": urlencode({name: value for name, value in older.items() if value}),
        "total": total,
        "who": who,
        "about": about,
        "names": names if not who or who in names else [*names, who],
    }
    return rendering.show(visit, "log", values, section="log")
