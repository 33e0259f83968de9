"""Measure the cost of one recipient of a digest, as ratios in one run.

    python bench/digest.py

A digest of 12 items is rendered once for all subscribers who get the same; for each of them only
the frame is joined. Goal: at most 1/40 of a Jinja render for each. Beside it: the whole message
built the simple way (rendered, inlined and encoded for every recipient).
"""

import sys
from collections.abc import Callable
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import figures
from bench.figures import alternate, compared
from notifier.deliver.mime.message import compile_message
from tests.support.installation import MONDAY
from tests.support.mails import SENDER, TEMPLATES, a_digest, a_digest_spec, an_item

RECIPIENTS = 20_000


def microseconds(call: Callable[[int], object], times: int) -> float:
    """Return the time of a call, the mean of many."""

    def many() -> None:
        for number in range(times):
            call(number)

    return figures.seconds(many) / times * 1e6


def main() -> None:
    digest = a_digest(
        *(
            an_item(title=f"A made-up headline {n}", summary="Nothing of it is true. " * 10)
            for n in range(12)
        )
    )
    spec = a_digest_spec(digest)
    template = compile_message(spec, SENDER, TEMPLATES.mail_page, TEMPLATES.render)
    values = {**spec.values, **spec.personal, "language": "en", "subject": spec.subject}
    values |= {
        "sender_name": SENDER.name,
        "postal_address": SENDER.postal_address,
        "digest": digest,
    }

    def spec_for(number: int):
        url = f"{spec.personal['leave_url']}{number}"
        personal = {**spec.personal, "leave_url": url}
        return replace(
            spec,
            to=f"p{number}@example.org",
            message_id=f"<{number}@example.org>",
            personal=personal,
        )

    def joined(number: int) -> bytes:
        return template.render(spec_for(number).recipient, MONDAY)

    def rendered(_number: int) -> None:
        TEMPLATES.render("email/digest_body.html.j2", {"digest": digest})
        TEMPLATES.render("email/digest_body.txt.j2", {"digest": digest})
        TEMPLATES.render("email/digest.html.j2", values)
        TEMPLATES.render("email/digest.txt.j2", values)

    def plain(_number: int) -> bytes:
        message = EmailMessage()
        message.set_content(TEMPLATES.render("email/digest.txt.j2", values), cte="quoted-printable")
        html = TEMPLATES.mail_page("email/digest.html.j2", values)
        message.add_alternative(html, subtype="html", cte="quoted-printable")
        return message.as_bytes()

    def frame(_number: int) -> None:
        TEMPLATES.render("email/digest.html.j2", values)

    simple = {
        "rendering the digest": (rendered, 200, "ratio <= 0.025"),
        "rendering the frame alone": (frame, 500, ""),
        "rendering, inlining and encoding the mail": (plain, 50, ""),
    }
    cases = {"join": lambda: microseconds(joined, RECIPIENTS)}
    cases |= {
        name: lambda call=call, times=times: microseconds(call, times)
        for name, (call, times, _) in simple.items()
    }
    times = alternate(cases, rounds=5)
    note = f"A message of 12 items, {len(joined(1)):,} bytes."
    figures.show(
        compared(
            f"A recipient's share, beside {name}",
            times["join"],
            times[name],
            against=name,
            goal=goal,
            unit="µs",
            note=note,
        )
        for name, (_, _, goal) in simple.items()
    )


if __name__ == "__main__":
    main()
