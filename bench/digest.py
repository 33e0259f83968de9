"""Measure the cost of one recipient of a digest, as ratios in one run.

    python bench/digest.py

A digest of 12 items is rendered once for all subscribers who get the same; for each of them only
the frame is joined. Goal: at most 1/40 of a Jinja render for each. Beside it: the whole message
built the simple way (rendered, inlined and encoded for every recipient).
"""

import statistics
import sys
import time
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from notifier.deliver.mime.message import compile_message
from tests.support.installation import MONDAY
from tests.support.mails import SENDER, TEMPLATES, a_digest, a_digest_spec, an_item

RECIPIENTS = 20_000


def per_call(call, times: int) -> float:
    """Return the seconds per call, the median of five rounds."""
    rounds = []
    for _ in range(5):
        start = time.perf_counter()
        for number in range(times):
            call(number)
        rounds.append((time.perf_counter() - start) / times)
    return statistics.median(rounds)


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

    join, render, whole = per_call(joined, RECIPIENTS), per_call(rendered, 200), per_call(plain, 50)
    frame = per_call(lambda _: TEMPLATES.render("email/digest.html.j2", values), 500)
    size = len(joined(1))
    print(f"message of 12 items: {size} bytes")
    print(f"joined for a recipient: {join * 1e6:.1f} µs, {1 / join:,.0f} a second")
    print(
        f"Jinja render of the digest, html and text: {render * 1e6:.0f} µs = "
        f"{render / join:.0f} × (goal: 40 ×)"
    )
    print(f"Jinja render of the frame alone: {frame * 1e6:.0f} µs = {frame / join:.0f} ×")
    print(
        f"rendered, inlined and encoded for everyone: {whole * 1e6:.0f} µs = {whole / join:.0f} ×"
    )


if __name__ == "__main__":
    main()
