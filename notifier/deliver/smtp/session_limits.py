"""Refusals of a session: answers about how much we send, whichever mail they were given to.

Pure. Servers limit the mails of a connection, of a minute or of a day, and say so at any command,
with any code. Such an answer says nothing about the mail: over another connection, or later, the
same mail is accepted. An answer about the recipient's own limits (a full mailbox, too many mails to
one person) is none.
"""

import re

# Characters of an answer that are searched.
_SEARCHED = 2000
# The expressions were written from the documentation and the sources of Postfix, Exim, sendmail,
# and Exchange, and from the published error lists of Gmail, Yahoo, Orange, La Poste, Comcast, GMX
# and Amazon SES. Chosen by hand; not measured.
_MANY = re.compile(
    r"(?i)\bslow(?:ing)? down|\bthrottl|too (?:fast|quickly|much mail|frequent)"
    r"|too many (?:\w+ ){0,2}(?:messages?|e?-?mails?|mail|recipients|connections|sessions|requests"
    r"|commands|transactions|deliveries|attempts)"
    r"|(?:messages?|e?-?mails?|recipients|transactions) (?:count )?(?:per|in (?:this|one)"
    r"|for this) (?:\w+ )?(?:session|connection|hour|minute|day)"
    r"|(?:session|connections?|rate|send(?:ing|er)?|submission|hourly|daily|outgoing|outbound"
    r"|concurren\w+|messages?|thread) (?:\w+ ){0,2}(?:limit|quota)"
    r"|(?:limit|quota) (?:\w+ ){0,2}(?:per|for|of|in) (?:\w+ )?(?:session|connection|hour|minute"
    r"|day|sender)|rate[- ](?:limit|exceeded)|(?:sending|connection|message|mail) rate"
    r"|unusual (?:rate|volume)|unexpected volume|server (?:is )?(?:too )?busy"
    r"|trop de (?:connexions|messages|courriels)|zu viele (?:verbindungen|nachrichten|e-?mails)"
    r"|demasiad[oa]s (?:conexiones|mensajes|correos)|troppe connessioni|troppi messaggi"
)
# About the recipient, or about this one message.
_OF_RECIPIENT = re.compile(
    r"(?i)\b(?:is|are) receiving|receiv\w+ (?:mail|messages|e-?mails?) (?:too|at)|mailbox|inbox"
    r"|over ?quota|storage|message (?:is )?too (?:large|big)|(?:message|mail) size|size limit"
    r"|grey ?list|gray ?list|receive limit"
    r"|(?:messages?|e?-?mails?) on (?:the |this )?server"
)


def is_about_session(step: str, code: int, text: str) -> bool:
    """Return whether a refusal is about the connection or our speed, not about the mail.

    Args:
        step: the command that was answered, or ``END`` for the end of a message.
        code: the reply code (RFC 5321, 4.2), 400 to 599.
        text: the words of the answer.
    """
    if code == 421:  # the server closes the connection (RFC 5321, 3.8)
        return True
    if step == "MAIL FROM" and code < 500:
        return True
    searched = text[:_SEARCHED]
    return bool(_MANY.search(searched)) and not _OF_RECIPIENT.search(searched)
