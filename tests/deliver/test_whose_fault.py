"""Whose fault a refusal is: words about us, the recipient, the text, the load."""

import re
from typing import NamedTuple

import pytest

from notifier.deliver.bounces import policy
from notifier.deliver.bounces.diagnostics import Diagnostic, choose_status
from notifier.deliver.bounces.policy import Judgement, Stage, judge, wait_reason
from notifier.deliver.bounces.subjects import Parties, Subject
from notifier.enums import BounceKind, WaitReason

OURS = "bounce+abcdefghijklmnopqrstuvwxyz234567abcdef@letters.example.org"
THEIRS = "vera.lind@clinic.example"
PARTIES = Parties((OURS, "news@letters.example.org", "mx7.letters.example.org"), THEIRS)


def verdict(answer: str, stage: Stage = Stage.RCPT, parties: Parties = PARTIES) -> Judgement:
    """The verdict on an answer as a server gives it, with {from} and {to} filled in."""
    text = answer.replace("{from}", OURS).replace("{to}", THEIRS)
    reply_code, text = (text[:3], text[4:]) if stage is not Stage.REPORT else ("", text)
    diagnostic = Diagnostic(text, parties, stage)
    return judge(diagnostic.refusal(choose_status("", text), reply_code))


class Row(NamedTuple):
    """A line of the table in `policy.py`."""

    stage: Stage
    answer: str
    subject: Subject
    kind: BounceKind
    waits: WaitReason | None


def documented_rows() -> list[Row]:
    lines = re.findall(r"(?m)^\| (.+) \|$", policy.__doc__ or "")
    cells = [[cell.strip() for cell in line.split("|")] for line in lines if "---" not in line]
    return [
        Row(
            Stage(stage),
            answer,
            Subject(subject),
            BounceKind(kind),
            WaitReason(waits) if waits else None,
        )
        for stage, answer, subject, kind, waits in cells[1:]
    ]


@pytest.mark.parametrize("row", documented_rows(), ids=lambda row: f"{row.stage}: {row.answer}")
def test_the_table_of_the_policy_says_what_the_policy_does(row: Row):
    assert verdict(row.answer, row.stage) == Judgement(row.kind, row.subject, row.waits)


ABOUT_US = [
    # Our sender address, its domain, and what a callout to it found.
    "550 5.1.1 <{from}>: Sender address rejected: User unknown in relay recipient table",
    "550 <{from}>: Sender address rejected: undeliverable address: mailbox does not exist",
    "553 5.1.8 <{from}>... Domain of sender address letters.example.org does not exist",
    "501 5.1.8 Sender domain must exist",
    "550 unrouteable sender address",
    "550 Sender verify failed",
    (
        "550-Callback setup failed while verifying <{from}> 550-The initial connection was refused "
        "550 Sender verify failed"
    ),
    "550 Could not complete sender verify callout for <{from}>: No such user",
    "550 <{from}>: user unknown",
    "550 5.1.1 No such mailbox: {from}",
    "550 5.1.0 Unknown user news@letters.example.org",
    "550 Unknown recipient while checking the return path {from}",
    "553 sorry, your envelope sender domain must exist (#5.7.1)",
    "550 Invalid MAIL FROM: the account does not exist",
    "550 The return-path mailbox does not exist",
    "550 5.7.60 SMTP; Client does not have permissions to send as this sender",
    "553 5.7.1 <{from}>: Sender address rejected: not logged in",
    "550 5.2.0 STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied",
    "550 No such domain: letters.example.org",
    "550 DNS error: mx7.letters.example.org: host not found",
    "550 5.7.27 Sender address rejected: Domain letters.example.org does not accept mail (nullMX)",
    # The same in other languages.
    "550 5.1.0 <{from}>: Absenderadresse abgelehnt: Benutzer unbekannt",
    "550 Adresse d'expéditeur refusée : utilisateur inconnu",
    "550 Remitente rechazado: el usuario no existe",
    "550 Remetente recusado: usuário não existe, remetente bloqueado",
    "550 Mittente rifiutato: utente sconosciuto",
    "550 Afzender geweigerd: onbekende gebruiker",
    "550 Nadawca odrzucony: użytkownik nie istnieje",
    "550 Адрес отправителя отклонен: пользователь не найден",
    "550 送信者アドレスが拒否されました: ユーザーは存在しません",
    # Our host: its name, its address, its reputation.
    "550 5.7.1 <mx7>: Helo command rejected: Host not found",
    "504 5.5.2 <box>: Helo command rejected: need fully-qualified hostname",
    "550 Access denied - Invalid HELO name (See RFC2821 4.1.1.1)",
    "550 Bad HELO - Host impersonating domain name [mx7.letters.example.org]",
    "550 5.7.25 The IP address sending this message does not have a PTR record",
    "554 5.7.1 Client host rejected: cannot find your reverse hostname, [192.0.2.44]",
    (
        "550 5.7.1 Service unavailable, Client host [192.0.2.44] blocked using Spamhaus. To "
        "request removal see https://www.spamhaus.org/query/ip/192.0.2.44"
    ),
    "550 Message refused, your IP is listed at bl.example.net",
    "554 Your server is on our blacklist, unknown user",
    (
        "550 SC-001 Mail rejected by Windows Live Hotmail for policy reasons. Reasons may be "
        "related to content with spam-like characteristics or IP/domain reputation"
    ),
    (
        "550 5.7.1 Unfortunately, messages from [192.0.2.44] weren't sent. Please contact your "
        "Internet service provider since part of their network is on our block list (S3150)"
    ),
    (
        "550-Requested action not taken: mailbox unavailable 550 invalid DNS MX or A/AAAA resource "
        "record"
    ),
    "421 4.7.0 Your IP address 192.0.2.44 is temporarily blocked: poor reputation",
    "450 4.7.1 Client host rejected: cannot find your hostname, [192.0.2.44]",
    "554 IP-Adresse gesperrt: Empfänger nicht gefunden",
    # Log-in, relaying, encryption, authentication of mails, rules.
    "554 5.7.1 <{to}>: Relay access denied",
    "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain",
    "550 Relaying denied: domain of recipient does not exist here",
    "530 5.7.0 Must issue a STARTTLS command first",
    "530 Authentication required",
    "535 5.7.8 Error: authentication failed: account does not exist",
    (
        "550 5.7.1 Unauthenticated email from letters.example.org is not accepted due to domain's "
        "DMARC policy"
    ),
    "550 SPF check failed",
    "550 5.7.20 No passing DKIM signature found",
    (
        "550-5.7.26 This mail has been blocked because the sender is unauthenticated. 550-5.7.26 "
        "Gmail requires all senders to authenticate with either SPF or DKIM."
    ),
    (
        "550 5.7.515 Access denied, sending domain LETTERS.EXAMPLE.ORG doesn't meet the required "
        "authentication level"
    ),
    "554 5.7.1 <{to}>: Recipient address rejected: Access denied",
    "550 Administrative prohibition",
    "550-Requested action not taken: mailbox unavailable 550 Reject due to policy restrictions",
    "554 Transaction failed",
    "571 Delivery not authorized, message refused",
    (
        "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required; not "
        "authenticated senders"
    ),
    "550 Zugriff verweigert wegen Richtlinie",
    "550 Rejeté: politique de sécurité",
    "550 5.1.1 RCP-P2 Refused due to recipient preferences",
    # Our text.
    "554 5.7.1 Message contains link to unknown host, rejected as spam",
    "550 5.7.1 The content of this message looked like spam",
    "552 5.3.4 Message size exceeds fixed maximum message size",
    "550 Virus found, unknown user agent",
    "554 5.7.1 This message contains a blocked URL: domain not found",
    "550 Contenu refusé",
    "550 Bounce address check failed: recipient unknown",
    "550 Domínio do remetente inexistente",
    "550 unknown host mx7.letters.example.org",
    "550 Dominio del mittente non esiste",
    "550 发件人地址不存在",
    "550 Sorry, no access for this domain",
    "550 Envelope blocked - User Entry - https://community.example.net/docs/DOC-1369#550",
    "550-Requested action not taken: mailbox unavailable 550 Reverse DNS does not match",
    "550 5.1.1 SRS0=k3f9=ZZ=letters.example.org=bounce@relay.example.net: User unknown",
    "550 5.1.1 bounces+SRS=k3f9=ZZ=letters.example.org=bounce@relay.example.net: User unknown",
    "550 <anna+SRS=k3f9=ZZ=letters.example.org=bounce@relay.example.net>: no such user",
]


@pytest.mark.parametrize("answer", ABOUT_US)
def test_a_refusal_of_us_says_nothing_about_the_recipient(answer: str):
    judgement = verdict(answer)
    assert judgement.kind is BounceKind.SOFT
    assert judgement.waits_because is WaitReason.OURS


ABOUT_LOAD = [
    "550 5.4.5 Daily user sending limit exceeded",
    "552 Too many recipients",
    "554 5.7.0 Too many messages in this session",
    "550 You have reached your hourly sending quota",
    (
        "550-5.2.1 The user you are trying to contact is receiving mail at a rate that 550-5.2.1 "
        "prevents additional messages from being delivered."
    ),
    "554 Slow down, you are sending too fast",
    "550 5.3.2 System not accepting network messages",
    "452 4.5.3 Too many recipients",
    "550 Zu viele Verbindungen",
    "554 Trop de messages",
]


@pytest.mark.parametrize("answer", ABOUT_LOAD)
def test_a_refusal_for_load_says_nothing_about_the_recipient(answer: str):
    judgement = verdict(answer)
    assert (judgement.kind, judgement.subject) == (BounceKind.SOFT, Subject.LOAD)
    assert judgement.waits_because is (WaitReason.LOAD if answer.startswith("5") else None)


GONE = [
    "550 5.1.1 <{to}>: Recipient address rejected: User unknown in virtual mailbox table",
    (
        "550-5.1.1 The email account that you tried to reach does not exist. Please try 550-5.1.1 "
        "double-checking the recipient's email address for typos or 550 5.1.1 unnecessary "
        "spaces. Learn more at https://support.example.com/mail/?p=NoSuchUser"
    ),
    "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient {to} not found by SMTP address lookup",
    "550 5.5.0 Requested action not taken: mailbox unavailable",
    (
        "554 delivery error: dd This user doesn't have a clinic.example account ({to}) [0] - "
        "mta11.clinic.example"
    ),
    "550 Invalid Recipient - https://community.example.com/docs/policy#550",
    "550 No Such User Here",
    "550 unknown user <{to}>",
    "551 5.1.6 The recipient has moved, no forwarding address",
    "550 Mailbox not found",
    "550 5.1.1 Account closed",
    "550 5.2.1 Mailbox is inactive",
    "550 5.2.1 User disabled",
    "550 5.1.2 Bad destination system address",
    (
        "550 <{to}>: Host or domain name not found. Name service error for name=clinic.example "
        "type=MX: Host not found"
    ),
    "556 Domain does not accept mail",
    "550 5.1.10 Recipient address has null MX",
    "550 <{to}>: Recipient address rejected: Domain clinic.example does not accept mail (nullMX)",
    (
        "550 5.4.1 Recipient address rejected: Access denied. "
        "[AB1EUR05FT012.eop-eur05.prod.protection.outlook.com]"
    ),
    (
        "550 5.4.1 Recipient address rejected: Access denied. For more information see "
        "https://aka.ms/EXOSmtpErrors [AB1PEPF000011F1.eurprd05.prod.outlook.com "
        "2026-01-01T08:00:00.000Z 08DE000000000000]"
    ),
    (
        "550 5.4.1 All recipient addresses rejected : Access denied. For more information see "
        "https://aka.ms/EXOSmtpErrors [AB1PEPF000011F1.eurprd05.prod.outlook.com]"
    ),
    "550 5.4.1 Recipient address rejected: Access denied. AS(201806281)",
    "550 5.1.1 <{to}>: Recipient address rejected",
    "550 5.1.1 rejected",
    (
        "550 5.1.1 <{to}> user unknown; from=<{from}> to=<{to}> proto=ESMTP "
        "helo=<mx7.letters.example.org>"
    ),
    "550 Das Postfach {to} existiert nicht",
    "550 Empfänger unbekannt",
    "550 L'adresse {to} n'existe pas",
    "550 El buzón no existe",
    "550 Usuário desconhecido",
    "550 Utente sconosciuto",
    "550 De gebruiker bestaat niet",
    "550 Użytkownik nie istnieje",
    "550 Пользователь не найден",
    "550 ユーザーは存在しません",
    "550 收件人不存在",
    "550 Unroutable address",
    "553 sorry, this recipient is not in my validrcptto list (#5.7.1)",
    "550 Caixa postal não existe",
    "550 Mottagaren finns inte",
    "550 Böyle bir kullanıcı bulunamadı",
    "550 5.7.1 <{to}>: Recipient address rejected: User unknown in local recipient table",
    "550 sorry, no mailbox here by that name (#5.1.1 - chkuser)",
    "550 <{to}> is not a valid mailbox",
]


@pytest.mark.parametrize("answer", GONE)
@pytest.mark.parametrize("stage", [Stage.RCPT, Stage.END, Stage.REPORT])
def test_a_mailbox_or_domain_that_does_not_exist_is_a_hard_failure(answer: str, stage: Stage):
    assert verdict(answer, stage) == Judgement(BounceKind.HARD, Subject.RECIPIENT)


@pytest.mark.parametrize("stage", [Stage.HELO, Stage.MAIL])
@pytest.mark.parametrize("answer", GONE)
def test_the_same_words_before_a_recipient_is_named_are_about_us(answer: str, stage: Stage):
    judgement = verdict(answer, stage)
    assert (judgement.kind, judgement.waits_because) == (BounceKind.SOFT, WaitReason.OURS)


@pytest.mark.parametrize("answer", [f"4{answer[1:]}" for answer in GONE])
def test_a_temporary_code_never_suppresses(answer: str):
    answer = re.sub(r"(?<![\d.])5(?=\.\d+\.\d)|(?<!\S)5(?=\d\d-)", "4", answer)
    assert verdict(answer).kind is BounceKind.SOFT


@pytest.mark.parametrize(
    "answer",
    [
        "552 5.2.2 <{to}>: Mailbox full",
        "550 5.1.1 The mailbox of {to} is over quota",
        "552 5.2.2 The email account that you tried to reach is over quota and inactive",
        "550 User {to} has exceeded the storage quota",
        "550 Das Postfach ist voll",
        "550 5.2.1 Mailbox temporarily disabled",
        "552 Requested mail action aborted: exceeded storage allocation",
        "550 User has too many messages on the server.",
        "550 Benutzer hat zu viele Mails auf dem Server.",
        "550 User has exhausted allowed storage space.",
    ],
)
def test_a_full_or_closed_mailbox_exists(answer: str):
    assert verdict(answer) == Judgement(BounceKind.SOFT, Subject.MAILBOX)


SWITCHED_OFF = [
    "554 30 Sorry, your message to {to} cannot be delivered. This mailbox is disabled (554.30).",
    "554 Sorry your message to {to} cannot be delivered. This account has been disabled [#102].",
    "550 <{to}>: account suspended",
    "550 {to}: user suspended",
    "550 Mailbox currently suspended",
    "550 Mailbox is frozen",
    "554 Disabled mailbox",
    "550 5.2.0 <{to}>: mailbox disabled by its owner",
    "554 Recipient is suspended",
    "550 5.0.0 Inbox of {to} has been archived",
]


@pytest.mark.parametrize("answer", SWITCHED_OFF)
@pytest.mark.parametrize("stage", [Stage.RCPT, Stage.END, Stage.REPORT])
def test_a_mailbox_that_is_switched_off_is_no_refusal_of_us(answer: str, stage: Stage):
    assert verdict(answer, stage) == Judgement(BounceKind.SOFT, Subject.MAILBOX)


@pytest.mark.parametrize("answer", ["550 User suspended", "550 Account has been disabled"])
def test_an_account_without_a_name_is_the_readers_in_a_report_and_may_be_ours_before(answer: str):
    assert verdict(answer, Stage.REPORT) == Judgement(BounceKind.SOFT, Subject.MAILBOX)
    assert verdict(answer).waits_because is WaitReason.OURS


@pytest.mark.parametrize(
    "answer",
    [
        "550 Your mailbox has been suspended",
        "554 Outgoing mail of this mailbox is disabled",
        "550 Sending mailbox disabled, write to {to}",
        "554 <{from}>: mailbox disabled",
        "554 5.7.1 {to}: account suspended for spam",
        "535 5.7.8 Authentication failed: account disabled",
        "550 5.7.1 Service disabled",
    ],
)
@pytest.mark.parametrize("stage", [Stage.RCPT, Stage.REPORT])
def test_an_account_of_ours_that_is_switched_off_is_about_us(answer: str, stage: Stage):
    assert wait_reason(verdict(answer, stage).subject) is WaitReason.OURS


@pytest.mark.parametrize(
    "answer",
    ["550 5.2.1 <{to}>: mailbox disabled", "550 5.1.1 {to}: account suspended"],
)
def test_the_code_of_a_mailbox_that_does_not_exist_counts_more(answer: str):
    assert verdict(answer).kind is BounceKind.HARD


@pytest.mark.parametrize(
    "answer",
    [
        "550 Domain not found",
        "550 Unknown host",
        "550 Name service error: no such domain",
    ],
)
def test_a_name_that_is_not_said_to_be_the_recipients_suppresses_nobody(answer: str):
    assert verdict(answer).kind is BounceKind.SOFT


@pytest.mark.parametrize(
    "answer",
    [
        "5.4.7 delivery time expired, host unknown",
        "5.4.7 Delivery expired (message too old): DNS: NXDOMAIN",
        "5.4.7 - Delivery expired; no such domain",
        "4.4.7 Message delayed too long, host clinic.example not found",
        "5.4.7 smtp; The message was in the queue for 5 days. Name or service not known",
        "5.4.7 unrouteable domain, retry timeout exceeded",
        "5.4.7 Nachricht abgelaufen: Domäne clinic.example nicht gefunden",
        "5.4.7 délai dépassé, domaine clinic.example introuvable",
        "5.4.7 caducado: el dominio clinic.example no existe",
        "5.4.7 unable to deliver in 120 hours, last answer: 450 user unknown",
    ],
)
def test_a_mail_whose_time_was_over_got_no_final_answer(answer: str):
    assert verdict(answer, Stage.REPORT).kind is BounceKind.SOFT


UNREACHED = [
    "4.4.1 connect to mx.clinic.example[192.0.2.9]:25: Connection timed out",
    "4.4.1 connect to mx.clinic.example[192.0.2.9]:25: Connection refused",
    "4.4.1 connect to mx.clinic.example[2001:db8::9]:25: Network is unreachable",
    "4.4.1 connect to mx.clinic.example[192.0.2.9]:25: Operation timed out",
    "4.4.2 lost connection with mx.clinic.example[192.0.2.9] while sending RCPT TO",
    "4.4.2 conversation with mx.clinic.example[192.0.2.9] timed out while sending MAIL FROM",
    "4.4.7 QUEUE.Expired; message expired",
    "4.4.7 550 4.4.7 Message expired: unable to deliver in 840 minutes. 421 4.4.0 timeout",
    "5.4.7 [internal] exceeded max time without delivery",
    "5.4.316 Message expired, connection refused(Socket error code 10061)",
    "5.0.0 retry timeout exceeded",
    "5.4.6 mail for clinic.example loops back to myself",
    "5.4.6 mail forwarding loop for {to}",
    "554 5.4.14 Hop count exceeded - possible mail loop ATTR34",
    "4.0.0 Network error on destination MXs",
    "connect to mx.clinic.example[192.0.2.9]:587: Connection refused",
    "4.4.1 The recipient server did not accept our requests to connect. [mx: timed out]",
]


@pytest.mark.parametrize("answer", UNREACHED)
def test_a_report_that_the_recipients_server_was_not_reached_is_no_refusal_of_us(answer: str):
    judgement = verdict(answer, Stage.REPORT)
    assert (judgement.kind, judgement.waits_because) == (BounceKind.SOFT, None)
    assert judgement.subject in (Subject.NETWORK, Subject.UNKNOWN)


@pytest.mark.parametrize(
    "answer",
    [
        "421 4.7.0 Try again later, closing connection.",
        "421 4.7.0 Error: too many connections from 192.0.2.1",
        "421 4.7.0 Messages from 192.0.2.1 temporarily deferred due to unexpected volume",
        "450 4.7.1 Connection rate limit exceeded, message expired",
        "451 4.7.1 Service unavailable - try again later",
        "554 5.7.1 Connection blocked by policy",
        "554 5.7.1 Client host [192.0.2.1] blocked, connection closed",
        "554 5.7.1 <{from}>: Sender address rejected, connection closed",
        "552 5.3.4 Message too large, connection closed",
        "554 Connection refused",
        "host mx.elsewhere.test[192.0.2.9] said: 554 connection not possible (in reply to RCPT TO)",
    ],
)
def test_a_refusal_of_us_stays_one_where_a_report_speaks_of_the_connection(answer: str):
    assert wait_reason(verdict(answer, Stage.REPORT).subject) is not None


@pytest.mark.parametrize("answer", ["554 5.4.6 too many hops", "550 connection expired"])
def test_an_answer_about_the_network_waits_because_our_own_server_gave_it(answer: str):
    assert verdict(answer).waits_because is WaitReason.LOAD


def test_a_report_about_a_domain_that_does_not_exist_needs_no_name():
    assert verdict("550 No such domain.", Stage.REPORT).kind is BounceKind.HARD


@pytest.mark.parametrize(
    "answer",
    [
        "5.4.4 SMTPSEND.DNS.NonExistentDomain; nonexistent domain",
        "554 5.4.4 smtp; non-existent domain",
        "5.1.2 <{to}>: nonexistent domain clinic.example",
    ],
)
def test_a_report_about_a_nonexistent_domain_is_about_the_recipients(answer: str):
    assert verdict(answer, Stage.REPORT).kind is BounceKind.HARD


@pytest.mark.parametrize(
    "answer",
    [
        "550 5.7.1 a link to a nonexistent domain is not taken",
        "553 5.1.8 nonexistent domain",
        "550 <{from}>: nonexistent domain",
    ],
)
def test_a_nonexistent_domain_that_may_be_ours_suppresses_nobody(answer: str):
    assert verdict(answer, Stage.REPORT).kind is BounceKind.SOFT
    assert verdict(answer).kind is BounceKind.SOFT


@pytest.mark.parametrize(
    "answer", ["550 Host unknown", "550 5.4.4 Unknown host", "5.0.0 no such host"]
)
def test_a_report_about_a_host_that_does_not_exist_needs_no_name_either(answer: str):
    assert verdict(answer, Stage.REPORT).kind is BounceKind.HARD


@pytest.mark.parametrize(
    "answer",
    [
        "550 5.7.1 not accepted: the mail came by an unknown host",
        "554 5.7.1 a text with the name of an unknown host is not taken",
        "550 5.6.0 host not found for a name in this text",
        "550 5.3.2 host unknown to our gateway",
    ],
)
def test_a_report_whose_code_names_a_rule_is_not_about_the_domain_for_a_host_in_it(answer: str):
    judgement = verdict(answer, Stage.REPORT)
    assert judgement.kind is BounceKind.SOFT
    assert judgement.waits_because is not None


@pytest.mark.parametrize(
    "answer",
    [
        "553 5.1.3 Bad recipient address syntax",
        "550 Kein Anschluss",
        "550 5.2.0 sorry",
        "550 #5.1.0 Address rejected.",
        "550 mailbox unavailable",
        "550 Requested action not taken: mailbox unavailable",
        "553 5.6.7 SMTPUTF8 is needed for this address",
    ],
)
def test_an_answer_that_says_nothing_known_ends_the_mail_and_suppresses_nobody(answer: str):
    judgement = verdict(answer)
    assert (judgement.kind, judgement.waits_because) == (BounceKind.SOFT, None)


def test_words_are_judged_by_the_address_beside_them_where_both_are_named():
    assert verdict("550 User unknown: <{to}> (message from {from})").kind is BounceKind.HARD
    assert verdict("550 User unknown: <{from}>. It wrote to <{to}>").kind is BounceKind.SOFT


def test_our_own_domain_names_nobody_where_a_recipient_has_it_too():
    parties = Parties(("bounce@letters.example.org",), "vera@letters.example.org")
    mine = verdict("550 <bounce@letters.example.org>: User unknown", parties=parties)
    theirs = verdict("550 User vera@letters.example.org unknown", parties=parties)
    host = verdict("550 Domain letters.example.org not found", parties=parties)
    assert (mine.kind, theirs.kind, host.kind) == (
        BounceKind.SOFT,
        BounceKind.HARD,
        BounceKind.SOFT,
    )


@pytest.mark.parametrize(
    "place",
    [
        "(in reply to MAIL FROM command)",
        "SMTP error from remote mail server after MAIL FROM:<{from}>:",
        "mx.clinic.example [192.0.2.9] did not like our MAIL FROM:",
    ],
)
def test_a_report_that_says_that_our_sender_was_refused_suppresses_nobody(place: str):
    said = f"{place} 550 5.1.1 No such user"
    assert verdict(said, Stage.REPORT).kind is BounceKind.SOFT


@pytest.mark.parametrize(
    ("answer", "kind", "subject"),
    [
        (
            (
                "This is the mail system at host relay.hoster.test.\n\n<{to}>: connect to "
                "mx.elsewhere.test[192.0.2.9]:25: Connection timed out"
            ),
            BounceKind.SOFT,
            Subject.NETWORK,
        ),
        (
            "This is the mail system at host smtp-relay.hoster.test.\n\n<{to}>: it did not work",
            BounceKind.SOFT,
            Subject.UNKNOWN,
        ),
        (
            "host antispam.hoster.test[192.0.2.9] said: 550 5.1.1 <{to}>: User unknown",
            BounceKind.HARD,
            Subject.RECIPIENT,
        ),
        (
            (
                "host virus-content.hoster.test [2001:db8::9]\n SMTP error from remote mail server "
                "after RCPT TO:<{to}>:\n 550 No such user here"
            ),
            BounceKind.HARD,
            Subject.RECIPIENT,
        ),
        (
            (
                "Hi. This is the qmail-send program at relay.hoster.test.\n<{to}>:\nSorry, no "
                "mailbox here by that name. (#5.1.1)"
            ),
            BounceKind.HARD,
            Subject.RECIPIENT,
        ),
        (
            "... while talking to policy.hoster.test.:\n>>> RCPT To:<{to}>\n<<< 550 5.1.1 Unknown",
            BounceKind.HARD,
            Subject.RECIPIENT,
        ),
        (
            "Reporting-MTA: dns; spam.hoster.test\n550 5.1.1 <{to}>: User unknown",
            BounceKind.HARD,
            Subject.RECIPIENT,
        ),
    ],
)
def test_the_name_of_a_server_says_nothing(answer: str, kind: BounceKind, subject: Subject):
    judgement = verdict(answer, Stage.REPORT)
    assert (judgement.kind, judgement.subject) == (kind, subject)


@pytest.mark.parametrize(
    "answer",
    [
        "550 5.1.1 rejected by antispam.hoster.test",
        "550 mailbox unavailable, see https://antispam.hoster.test/why",
        "host relay.hoster.test[192.0.2.9] said: 550 relay not permitted",
        "host mx.hoster.test[192.0.2.9] said: 554 5.7.1 <{to}>: looks like spam, user unknown",
        "554 5.7.1 Client host [192.0.2.1] blocked using spam.hoster.test",
        "550 192.0.2.1 found at zen.spamhaus.org (127.0.0.4)",
        "550 refer to bl.spamcop.net [127.0.0.2]",
        "550 5.1.1 <relay.hoster.test[192.0.2.1]>: Client host rejected: cannot find your name",
        "host mx.hoster.test[192.0.2.9] refused to talk to me: 554 listed at zen.hoster.test",
    ],
)
def test_what_is_said_beside_the_name_of_a_server_counts(answer: str):
    judgement = verdict(answer, Stage.REPORT)
    assert (judgement.kind, judgement.waits_because) == (BounceKind.SOFT, WaitReason.OURS)


@pytest.mark.parametrize(
    "text",
    [
        "host " + "a." * 3_000,
        "a.b " * 1_500,
        f"{'a' * 63}." * 90,
        "host a.b[" * 600,
        "user " * 4_000,
        "5.1.1 " * 4_000,
        "a@b.example " * 2_000,
        "no " * 9_000,
    ],
)
def test_hostile_words_are_judged_soon(text: str):
    assert verdict(f"550 {text}").kind in (BounceKind.HARD, BounceKind.SOFT)
