"""Mails that come back and report no failure, in any language: they change nothing."""

import pytest

from notifier.deliver.bounces import parser
from notifier.enums import BounceKind
from tests.support.returned_mails import (
    GONE,
    PERSON,
    amazon,
    away,
    bounced,
    complaint,
    event,
    group,
    mail,
    parts,
    report,
    text,
)

LEFT = "Anna no longer works here. The address is no longer valid; write to ben@people.test."
AWAY_SUBJECTS = (
    "Out of office: News",
    "Automatic reply: News",
    "AutoReply: News",
    "Auto: On annual leave",
    "Abwesenheitsnotiz: News",
    "Automatische Antwort: News",
    "Réponse automatique : News",
    "Absence du bureau",
    "Respuesta automática: News",
    "Ausente de la oficina",
    "Resposta automática: News",
    "Ausência temporária: News",
    "Risposta automatica: News",
    "Fuori sede",
    "Automatisch antwoord: News",
    "Afwezigheidsbericht",
    "Autosvar: News",
    "Automatiskt svar: News",
    "Automatisk svar: Nyheter",
    "Fraværende",
    "Automaattinen vastaus: Uutiset",
    "Autoodpowiedź: Automatyczna odpowiedź",
    "Nieobecność w biurze",
    "Automatická odpověď: News",
    "Automatikus válasz: News",
    "Răspuns automat: News",
    "Otomatik yanıt: News",
    "Автоматический ответ: News",
    "Автоответ",
    "Автоматична відповідь: News",
    "Αυτόματη απάντηση: News",
    "תשובה אוטומטית: News",
    "رد تلقائي: News",
    "自動返信: News",
    "不在通知",
    "自动回复: News",
    "自動回覆: News",
    "자동 회신: News",
    "부재중 알림",
)


@pytest.mark.parametrize("fields", [(), ("Auto-Submitted: auto-generated",)])
@pytest.mark.parametrize("subject", AWAY_SUBJECTS)
def test_an_absence_note_in_any_language_is_no_bounce(subject: str, fields: tuple[str, ...]):
    (failure,) = parser.read(away(subject, f"Please try again later. {LEFT}", *fields)).failures
    assert failure.kind is BounceKind.AUTOREPLY


AUTOMATIC_FIELDS = (
    "Auto-Submitted: auto-replied",
    "Auto-Submitted: auto-generated",
    "Auto-Submitted: auto-notified",
    "Auto-Submitted: AUTO-REPLIED (vacation)",
    "X-Auto-Response-Suppress: All",
    "X-Autoreply: yes",
    "X-Autorespond: Re: News",
    "X-Autoreply-From: anna@people.test",
    "X-Vacation: yes",
    "Precedence: auto_reply",
    "X-Precedence: auto-reply",
    "X-MS-Exchange-Inbox-Rules-Loop: anna@people.test",
    "Precedence: junk",
    "Precedence: bulk",
    "In-Reply-To: <0123456789abcdef0123456789abcdef@example.org>",
    "X-Mailer: a program",
)


@pytest.mark.parametrize("return_path", ["<>", "", f"<{PERSON}>"])
@pytest.mark.parametrize("field", AUTOMATIC_FIELDS)
def test_a_reply_that_says_that_somebody_left_is_no_bounce(field: str, return_path: str):
    note = away("Thank you for your mail", LEFT, field, return_path=return_path)
    (failure,) = parser.read(note).failures
    assert failure.kind in (BounceKind.AUTOREPLY, BounceKind.NONE)


NO_REPORTS = {
    "an ordinary reply that quotes a report": away(
        "Re: Undelivered Mail Returned to Sender",
        f"What does this mean?\n\n> <{PERSON}>: host mx.people.test said: {GONE}\n",
        return_path=f"<{PERSON}>",
    ),
    "an ordinary reply that copies a report": away(
        "AW: Mail delivery failed",
        f"I got this from my server:\n\nThis is the qmail-send program.\n<{PERSON}>:\n{GONE}\n",
        return_path=f"<{PERSON}>",
    ),
    "a question with a report in its text": away(
        "Mail delivery failed?",
        f"Hello, my colleague got this, can you help?\n> {GONE}\n",
        return_path=f"<{PERSON}>",
    ),
    "a forwarded report, as text": away(
        "Fwd: Undelivered Mail Returned to Sender",
        f"----- Forwarded message -----\n{GONE}\n",
        return_path=f"<{PERSON}>",
    ),
    "a reply with the number 550": away(
        "Re: News", "Call me at room 550, the old user is unknown there.", return_path=""
    ),
    "a reply to a headline about a failure": away(
        "Re: Trial failure: study could not show a benefit",
        "The host is unknown to me. 5.1.1 is the section. User unknown.",
        return_path="",
    ),
    "a challenge with a link": away(
        "Please confirm your message",
        "Your message is being held. Click here to have it delivered:\nhttps://cr.people.test/x",
    ),
    "a challenge of a mail system": mail(
        "I only take mail from approved senders.\nConfirm that you are a person, and your "
        "mail will "
        "be delivered once you click:\nhttps://cr.people.test/x",
        subject="Sender verification",
        sender="postmaster@people.test",
    ),
    "a challenge in German": away(
        "Ihre Nachricht an Anna", "Bitte bestätigen Sie Ihre Nachricht: https://cr.people.test/x"
    ),
    "a challenge in French": away(
        "Votre message est en attente",
        "Veuillez cliquer sur ce lien pour vous authentifier : https://cr.people.test/x",
    ),
    "a challenge in Russian": away(
        "Подтвердите отправку", "Для доставки перейдите по ссылке https://cr.people.test/x"
    ),
    "a read receipt": parts(
        text("Your message was read."),
        "Content-Type: message/disposition-notification\n\n"
        f"Final-Recipient: rfc822; {PERSON}\n"
        "Disposition: manual-action/MDN-sent-manually; displayed",
        kind="report; report-type=disposition-notification",
        subject="Read: News",
        sender=PERSON,
    ),
    "a receipt that it was deleted unread": parts(
        text("Your message was deleted without being read."),
        "Content-Type: message/disposition-notification\n\n"
        f"Final-Recipient: rfc822; {PERSON}\nDisposition: automatic-action/MDN-sent-automatically;"
        " deleted\nFailure: no such user",
        kind="report; report-type=disposition-notification",
        subject="Not read: News",
        sender=PERSON,
    ),
    "a receipt (RFC 6533)": parts(
        text("Gelesen."),
        "Content-Type: message/global-disposition-notification\n\n"
        f"Final-Recipient: utf-8; {PERSON}\nDisposition: manual-action/MDN-sent-manually; "
        "displayed",
        subject="Gelesen: News",
        sender=PERSON,
    ),
    "a receipt in plain text": away("Gelesen: News", "Ihre Nachricht wurde am Montag gelesen."),
    "delivered": report(group("delivered", "2.0.0", "250 ok")),
    "delivered (RFC 6533)": report(
        group("delivered", "2.0.0", "250 ok"), kind="global-delivery-status"
    ),
    "relayed": report(group("relayed", "2.0.0", "250 ok")),
    "expanded": report(group("expanded", "2.0.0")),
    "delivered, in prose": mail(
        "Your message was successfully delivered to the destination(s) listed "
        f"below.\n\n<{PERSON}>\n",
        subject="Successful Mail Delivery Report",
    ),
    "relayed, in prose": mail(
        f"Die Zustellung an folgende Empfänger wurde erfolgreich weitergeleitet:\n{PERSON}\n",
        subject="Weitergeleitet: News",
        sender="postmaster@people.test",
    ),
    "an absence note of the postmaster": mail(
        "Wir sind im Urlaub.", subject="Abwesenheitsnotiz", sender="postmaster@people.test"
    ),
    "a report that signatures fail": complaint("Feedback-Type: auth-failure"),
    "a report that a mail is no spam": complaint("Feedback-Type: not-spam"),
    "a report of DMARC": parts(
        text("Report Domain: example.org"),
        "Content-Type: application/gzip\nContent-Transfer-Encoding: base64\n\nH4sIAAAA",
        subject="Report Domain: example.org Submitter: people.test",
        sender="noreply-dmarc-support@people.test",
    ),
    "Amazon SES, delivered": event(amazon("Delivery", delivery={"recipients": [PERSON]})),
    "Amazon SES, delivered, with the answer of the server": event(
        amazon("Delivery", delivery={"smtpResponse": "250 2.6.0 Message received"})
    ),
    "Mailgun, delivered": event({"event-data": {"event": "delivered", "recipient": PERSON}}),
    "Postmark, an automatic reply": event(
        {"RecordType": "Bounce", "Type": "AutoResponder", "TypeCode": 32, "Email": PERSON}
    ),
    "JSON that is none of this": event({"event": "opened", "email": PERSON}),
    "a reply that quotes the fields of a report": away(
        "Re: Undelivered Mail",
        "What now?\n"
        + "".join(f"> {line}\n" for line in group("failed", "5.1.1", GONE).split("\n")),
        return_path=f"<{PERSON}>",
    ),
    "a reply that copies the event of a service": event(
        amazon("Bounce", bounce=bounced("Permanent", GONE)),
        subject="Re: what is this",
        sender=PERSON,
    ),
    "a question that copies a report": away(
        "Mail delivery failed",
        f"Since Monday I get this when I write to Ben:\n<{PERSON}>:\n{GONE}\n",
        return_path=f"<{PERSON}>",
    ),
    "a question from a mail program": away(
        "Undeliverable: why?", f"{PERSON}\n{GONE}\n", "User-Agent: Some Mail/1.0", return_path=""
    ),
    "a challenge without a link": mail(
        "Your message was kept. Simply reply to this message, and it will be delivered once you"
        " have confirmed it.",
        subject="Please confirm your message",
        sender="postmaster@people.test",
    ),
    "delivered, in prose, with its code": mail(
        f"<{PERSON}>: 250 2.0.0 Ok, was delivered to mailbox\n",
        subject="Delivery Status Notification (Success)",
    ),
    "a list that waits for its moderator": mail(
        "Your mail awaits moderator approval. 5.1.1 and 550 are part of its text.",
        subject="Your message to Chat awaits moderator approval",
        sender="chat-bounces@people.test",
        return_path="<chat-bounces@people.test>",
    ),
    "a ticket": away(
        "Ihre Anfrage 550 ist eingegangen", "Wir antworten bald.", "Auto-Submitted: auto-generated"
    ),
    "a new address": away(
        "My new address", "I have moved. The old address does not exist any more: 550 5.1.6."
    ),
    "an advertisement": away(
        "Delivery of your parcel", "Your parcel could not be delivered. https://parcel.test/x"
    ),
}


@pytest.mark.parametrize("form", NO_REPORTS)
def test_what_reports_no_failure_is_no_bounce(form: str):
    kinds = {failure.kind for failure in parser.read(NO_REPORTS[form]).failures}
    assert kinds <= {BounceKind.NONE, BounceKind.AUTOREPLY}


DELAYED = {
    "RFC 3464": report(group("delayed", "4.4.1", "connection timed out")),
    "RFC 3464 with a hard text": report(group("delayed", "4.1.1", "450 4.1.1 User unknown")),
    "RFC 6533": report(group("delayed", "4.4.1"), kind="global-delivery-status"),
    "an action in other words": report(group("deferred", "4.4.1")),
    "Exim": mail(
        "A message that you sent has not yet been delivered to one or more of "
        "its\nrecipients after "
        f"more than 24 hours on the queue on mx.people.test.\n\n  {PERSON}\n    Delay reason: "
        "Connection timed out\n\nNo action is required on your part. Delivery attempts "
        "will continue "
        "for\nsome time. Eventually the mail delivery software will give up.\n",
        subject="Warning: message 1abCdE-0001 delayed 24 hours",
        fields=("Auto-Submitted: auto-replied",),
    ),
    "sendmail": mail(
        "    **********************************************\n"
        "    **      THIS IS A WARNING MESSAGE ONLY      **\n"
        "    **  YOU DO NOT NEED TO RESEND YOUR MESSAGE  **\n\n"
        f"   ----- The following addresses had transient non-fatal errors -----\n<{PERSON}>\n\n"
        "   ----- Transcript of session follows -----\n451 4.4.1 reply: read error\n"
        "Warning: message still undelivered after 4 hours\n"
        "Will keep trying until message is 5 days old\n",
        subject="Warning: could not send message for past 4 hours",
    ),
    "Postfix, in prose": mail(
        "# THIS IS A WARNING ONLY.  YOU DO NOT NEED TO RESEND YOUR MESSAGE. #\n\n"
        "Your message could not be delivered for more than 4 hour(s).\nIt will be retried "
        "until it is "
        f"5 day(s) old.\n\n<{PERSON}>: connect to mx.people.test: Connection timed out\n",
        subject="Delayed Mail (still being retried)",
    ),
    "qmail": mail(
        "Hi. This is the qmail-send program at mx.people.test.\nYour message has not been "
        "delivered "
        f"yet to the following addresses. I will keep trying.\n\n<{PERSON}>:\n",
        subject="Warning: message delayed",
    ),
    "Gmail": mail(
        f"There was a temporary problem delivering your message to {PERSON}. Gmail will "
        "retry for 46 "
        "more hours. You'll be notified if the delivery fails permanently.",
        subject="Delivery Status Notification (Delay)",
        sender="Mail Delivery Subsystem <mailer-daemon@googlemail.test>",
    ),
    "OpenSMTPD": mail(
        "    Hi!\n\n    This is the MAILER-DAEMON, please DO NOT REPLY to this email.\n\n"
        "    A message is delayed for more than 4 hours for the following\n    list of "
        "recipients:\n\n"
        f"{PERSON}: 451 Network error on destination MXs\n\n"
        "    Please note that this is only a temporary failure report.\n",
        subject="Delivery status notification: warning",
    ),
    "Exchange in German": mail(
        f"Die Zustellung an folgende Empfänger verzögert sich:\n{PERSON}\nDiese Nachricht "
        "wurde noch "
        "nicht zugestellt. Es wird weiterhin versucht, sie zuzustellen.",
        subject="Zustellung verzögert: News",
        sender="postmaster@people.test",
    ),
    "Exchange in French": mail(
        f"La remise à ces destinataires est retardée :\n{PERSON}\nCe message n'a pas encore "
        "été remis."
        " Les tentatives de remise se poursuivront.",
        subject="Remise différée : News",
        sender="postmaster@people.test",
    ),
    "Exchange in Spanish": mail(
        f"Se ha retrasado la entrega a:\n{PERSON}\nEste mensaje no se ha entregado todavía. "
        "Se seguirá "
        "intentando entregarlo.",
        subject="Entrega retrasada: News",
        sender="postmaster@people.test",
    ),
    "Exchange in Portuguese": mail(
        f"A entrega está atrasada:\n{PERSON}\nEsta mensagem ainda não foi entregue. "
        "Continuaremos a "
        "tentar entregá-la.",
        subject="Entrega atrasada: News",
        sender="postmaster@people.test",
    ),
    "Exchange in Italian": mail(
        f"Recapito ritardato:\n{PERSON}\nIl messaggio non è ancora stato recapitato. I "
        "tentativi di "
        "recapito continueranno.",
        subject="Recapito ritardato: News",
        sender="postmaster@people.test",
    ),
    "in Dutch": mail(
        f"{PERSON}\nUw bericht is nog niet bezorgd. De server blijft het proberen.",
        subject="Bezorging vertraagd: News",
        sender="postmaster@people.test",
    ),
    "in Polish": mail(
        f"{PERSON}\nWiadomość nie została jeszcze dostarczona. Próby dostarczenia będą ponawiane.",
        subject="Opóźnione doręczenie",
        sender="postmaster@people.test",
    ),
    "in Russian": mail(
        f"{PERSON}\nВаше письмо ещё не доставлено. Попытки доставки будут продолжены.",
        subject="Доставка задерживается",
    ),
    "in Ukrainian": mail(
        f"{PERSON}\nВаш лист ще не доставлено. Спроби будуть продовжені.",
        subject="Затримка доставки",
    ),
    "in Swedish": mail(
        f"{PERSON}\nMeddelandet har ännu inte levererats. Servern fortsätter att försöka.",
        subject="Leveransen är försenad",
    ),
    "in Czech": mail(
        f"{PERSON}\nZpráva dosud nebyla doručena. Pokusy o doručení budou pokračovat.",
        subject="Doručení je zpožděno",
    ),
    "in Turkish": mail(
        f"{PERSON}\nİletiniz henüz teslim edilmedi. Yeniden denenecek.", subject="Teslimat gecikti"
    ),
    "in Japanese": mail(
        f"{PERSON}\nメールはまだ配信されていません。再試行されます。", subject="配信の遅延"
    ),
    "in Chinese": mail(f"{PERSON}\n您的邮件尚未送达，系统将继续尝试。", subject="邮件延迟通知"),
    "in Korean": mail(
        f"{PERSON}\n메시지가 아직 배달되지 않았습니다. 다시 시도합니다.", subject="배달 지연"
    ),
    "a relay that calls itself no-reply": mail(
        f"{PERSON}\n451 4.4.1 connection timed out. It will be retried until it is 5 days old.",
        subject="Delivery delayed: News",
        sender="no-reply@relay.people.test",
    ),
    "Amazon SES": event(
        amazon("DeliveryDelay", deliveryDelay={"delayedRecipients": [{"emailAddress": PERSON}]})
    ),
    "Mailgun": event(
        {
            "event-data": {
                "event": "failed",
                "severity": "temporary",
                "recipient": PERSON,
                "delivery-status": {"code": 452, "message": "4.2.2 full", "retry-seconds": 600},
            }
        }
    ),
    "SendGrid": event([{"event": "deferred", "email": PERSON, "response": "450 try again"}]),
}


@pytest.mark.parametrize("form", DELAYED)
def test_a_warning_that_a_mail_is_still_tried_is_no_bounce(form: str):
    (failure,) = parser.read(DELAYED[form]).failures
    assert (failure.kind, failure.recipient) == (BounceKind.DELAYED, PERSON)


def test_a_warning_tells_of_a_full_mailbox_and_is_still_no_reason_to_send_again():
    warning = mail(
        f"THIS IS A WARNING MESSAGE ONLY.\n\n     {PERSON}\n\nMessage will be retried for 2 more "
        "days\n450 4.2.2 mailbox full\n",
        subject="Delivery Status Notification (Delay)",
    )
    (failure,) = parser.read(warning).failures
    assert (failure.kind, failure.status, failure.still_tried) == (BounceKind.SOFT, "4.2.2", True)
