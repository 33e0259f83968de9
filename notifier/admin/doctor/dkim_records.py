"""Checks of DKIM: each public key in the DNS is the one of our key, and a signed mail verifies."""

from functools import partial

from notifier.admin.doctor import dmarc, sample_mail
from notifier.admin.doctor.examined import Examined
from notifier.admin.doctor.findings import Result, failed, not_checked, ok, warning
from notifier.admin.doctor.name_servers import NameServers
from notifier.deliver.mime.dkim_keys import Signer
from notifier.deliver.mime.dkim_verification import Verification, verify
from notifier.deliver.outbox import new_message_id
from notifier.errors import SettingsError
from notifier.messages.digest_mail import build_message

# The headers that both have to be signed, so that mailbox programs offer to unsubscribe by one
# click (RFC 8058, 4).
UNSUBSCRIBE_HEADERS = ("list-unsubscribe", "list-unsubscribe-post")


def check_records(examined: Examined) -> Result:
    """Compare the published keys with ours."""
    expected = "the DNS publishes the public key of each of our keys"
    try:
        signers = examined.deps.signers
    except SettingsError as error:
        return failed(expected, error.problem, error.fix)
    if not signers:
        return warning(
            expected,
            "mails are not signed",
            "Make a key and publish it; Google and others refuse bulk mail without DKIM:\n"
            "    notifier dkim",
        )
    results = [_check_record(examined, signer, expected) for signer in signers]
    return min(results, key=lambda result: ("failed", "warning", "ok").index(result.status))


def _check_record(examined: Examined, signer: Signer, expected: str) -> Result:
    name, text = signer.record()
    records = [tags for text in examined.names.texts(name) if "p" in (tags := key_tags(text))]
    if problem := _problem(records, key_tags(text), name):
        publish = f"Publish this TXT record, and no other, at {name}:\n    {text}"
        return failed(expected, problem, publish)
    if "y" in records[0].get("t", "").split(":"):
        return warning(
            expected,
            f"the key at {name} is marked as a test (t=y): receivers may ignore signatures",
            f"Remove t=y from the record at {name}.",
        )
    return ok(expected, name)


def _problem(records: list[dict[str, str]], ours: dict[str, str], name: str) -> str:
    """Return why receivers cannot verify our signatures by these records; empty if they can."""
    if len(records) != 1:
        number = f"{len(records)} keys" if records else "no key"
        return f"{number} at {name}: there must be one"
    record = records[0]
    if not record["p"]:
        return f"the key at {name} is revoked (p is empty)"
    if "".join(record["p"].split()) != ours["p"] or record.get("k", "rsa") != ours["k"]:
        return f"another key at {name}: every signature of ours fails"
    if "sha256" not in record.get("h", "sha256").split(":"):
        return f"the key at {name} does not allow SHA-256 (h=)"
    return ""


def key_tags(text: str) -> dict[str, str]:
    """Return the tags of the record of a key; `v` may be missing (RFC 6376, 3.6.1)."""
    whole = text if text.lstrip().lower().startswith("v") else f"v=DKIM1; {text}"
    return dmarc.tags_of(whole, "DKIM1")


def key_record(names: NameServers, domain: str, selector: str) -> dict[str, str]:
    """Return the tags of the only key under a selector of a domain; none if there are several."""
    texts = names.texts(f"{selector}._domainkey.{domain}")
    records = [tags for text in texts if "p" in (tags := key_tags(text))]
    return records[0] if len(records) == 1 else {}


def check_signature(examined: Examined) -> Result:
    """Sign a mail as digests are signed, and verify it as receivers do."""
    expected = "a signed mail verifies, with both unsubscribe headers covered"
    deps = examined.deps
    if not deps.signers:
        return not_checked(expected, "mails are not signed")
    message_id = new_message_id(deps.mail_domain)
    spec = sample_mail.spec(deps, f"doctor@{examined.sender_domain}", message_id, examined.now)
    message = build_message(deps.for_preview(), spec, examined.now)
    verifications = verify(message, partial(key_record, examined.names))
    return judge(verifications, len(deps.signers), expected)


def judge(verifications: list[Verification], number: int, expected: str) -> Result:
    """Judge the signatures of a mail.

    Args:
        verifications: those of our domain.
        number: how many there should be.
        expected: the words for it.
    """
    for verification in verifications:
        name = f"{verification.selector}._domainkey.{verification.domain}"
        if verification.problem:
            return failed(
                expected,
                f"{name}: {verification.problem}",
                "Publish the key that dns.dkim names; if that is right, something on the way "
                "changes mails.",
            )
        if uncovered := [
            header for header in UNSUBSCRIBE_HEADERS if header not in verification.names
        ]:
            return failed(
                expected,
                f"{name} does not cover {', '.join(uncovered)}",
                "Let notifier sign the mails, and not the mail server alone: notifier dkim",
            )
    if len(verifications) < number:
        return failed(
            expected,
            f"{len(verifications)} of {number} signatures",
            "Something removes signatures: look at milters and footers in the mail server.",
        )
    return ok(
        expected, ", ".join(f"{each.selector}._domainkey.{each.domain}" for each in verifications)
    )
