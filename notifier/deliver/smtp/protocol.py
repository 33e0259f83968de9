"""SMTP protocol: the commands and answers on one connection, without the connection.

Sans I/O (RFC 5321, 3.3; RFC 2920): the server's bytes go in, our bytes and the outcomes of
deliveries come out. Where the server offers PIPELINING, one write carries the end of a message and
the envelope of the next, which costs one round trip per mail. Otherwise commands go one by one.

A message is handed over only after the answer to the one before was stored, so that a crash repeats
at most one mail per connection. Between the dot that ends a message and its answer it is unknown
whether the server took the message.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from notifier.deliver.outbox import Attempt, Outcome, SendResult
from notifier.deliver.redaction import safe
from notifier.deliver.smtp.session_limits import is_about_session
from notifier.enums import Lane

_END = b".\r\n"
# The longest answer, in bytes without a line end and in lines. RFC 5321, 4.5.3.1.5 allows lines of
# 512 bytes. Chosen by hand; not measured.
_LONGEST_REPLY = 100_000
_MOST_LINES = 1000


class OutgoingMessage(NamedTuple):
    """One message for the mail server.

    Attributes:
        attempt: the delivery that the answer settles, and the claim under which it is sent.
        envelope_from: the address for reports about it.
        envelope_to: the recipient.
        message: returns the bytes (RFC 5322) when they are sent. Every line ends with CRLF, the
            last one too, and none begins with a dot, so that nothing has to be changed on the way
            (RFC 5321, 4.5.2).
        lane: its place in the order of sending, from 0 (`enums.Lane`).
    """

    attempt: Attempt
    envelope_from: str
    envelope_to: str
    message: Callable[[], bytes]
    lane: int = Lane.OTHERS

    def commands(self) -> tuple[str, str, str]:
        """Return the commands before the message: MAIL FROM, RCPT TO and DATA."""
        return (
            f"MAIL FROM:<{self.envelope_from}>\r\n",
            f"RCPT TO:<{self.envelope_to}>\r\n",
            "DATA\r\n",
        )


class RefusedError(Exception):
    """A refusal that is not about the mail which it was given to; the connection is useless.

    Attributes:
        outgoing: that mail.
        answer: the server's answer, without the address of the recipient.
    """

    def __init__(self, outgoing: OutgoingMessage, answer: str) -> None:
        super().__init__(answer)
        self.outgoing, self.answer = outgoing, answer


class SenderRefusedError(RefusedError):
    """A refusal of our sender address, for every recipient."""


class SessionRefusedError(RefusedError):
    """A refusal of the connection, or of the speed at which we send."""


class ProtocolError(Exception):
    """An answer that the protocol does not allow at this point."""


class SmtpProtocol:
    """The state of the protocol on one connection.

    Args:
        next_message: returns the next message; None if there is none, or none yet.
        pipelining: True to send several commands at once.

    Attributes:
        outcomes: results that are not settled yet; the caller empties the list.
        accepted: the number of mails that the server accepted.
        over: True when the connection can no longer be used.
    """

    def __init__(
        self, next_message: Callable[[], OutgoingMessage | None], *, pipelining: bool
    ) -> None:
        self._next_message, self.pipelining = next_message, pipelining
        self._input = b""
        self._output: list[bytes] = []
        self._reply: list[bytes] = []  # the lines of the present answer
        self._expected: deque[str] = deque()  # the commands without an answer yet, in order
        self._refusal: Outcome | None = None
        # The message whose envelope was sent, and the one whose end was sent.
        self._current: OutgoingMessage | None = None
        self._ending: OutgoingMessage | None = None
        # True when the server has asked for the current message (354).
        self._wanted = False
        # True while of the current message only the envelope was sent, with the end of the one
        # before.
        self._only_envelope_sent = False
        # True until the reported outcomes are stored.
        self._unsettled = False
        # A message whose end was sent, and which the server did not take because of the session.
        self._returned: OutgoingMessage | None = None
        self.outcomes: list[Outcome] = []
        self.accepted = 0
        self.over = False

    @property
    def idle(self) -> bool:
        """True when nothing is under way: a message may begin, or the connection be closed."""
        return (
            self._current is None
            and self._ending is None
            and not self._expected
            and not self._unsettled
        )

    @property
    def pending(self) -> str:
        """The command whose answer comes next; empty if there is none."""
        return self._expected[0] if self._expected else ""

    def carries(self, lane: int) -> bool:
        """Return whether a message of a lane is under way."""
        return any(
            message is not None and message.lane == lane
            for message in (self._current, self._ending)
        )

    def output(self) -> bytes:
        """Return the bytes to send, and forget them."""
        pieces, self._output = self._output, []
        return b"".join(pieces)

    def begin(self) -> bool:
        """Begin the next message; return whether there was one."""
        self._current = self._next_message()
        if self._current is None:
            return False
        self._send_envelope(self._current)
        return True

    def _send_envelope(self, outgoing: OutgoingMessage) -> None:
        self._refusal, self._wanted = None, False
        commands = outgoing.commands()
        if self.pipelining:
            self._output.append("".join(commands).encode())
            self._expected.extend(("MAIL FROM", "RCPT TO", "DATA"))
        else:
            self._send("MAIL FROM", commands[0].encode())

    def _send(self, step: str, octets: bytes) -> None:
        self._output.append(octets)
        self._expected.append(step)

    def received(self, octets: bytes) -> None:
        """Process bytes from the server.

        Raises:
            SenderRefusedError: the server refuses our sender for good.
            SessionRefusedError: it takes no further mail over this connection, or at this speed.
            ProtocolError: the protocol does not allow this answer here.
        """
        *lines, self._input = (self._input + octets).split(b"\n")
        for line in lines:
            if self.over:
                return
            if line[3:4] == b"-":
                self._reply.append(line[4:])
                self._check_length()
                continue
            if not line[:3].isdigit():
                raise ProtocolError(
                    f"an answer without a code: {safe(line[:60].decode('utf-8', 'replace'))}"
                )
            self._reply.append(line[4:])
            if self._expected:
                self._answer(self._expected.popleft(), int(line[:3]))
            elif line[:3] == b"421":
                self.over = True
            else:
                raise ProtocolError("an answer without a command")
            self._reply.clear()
        self._check_length()

    def _check_length(self) -> None:
        if len(self._input) > _LONGEST_REPLY or len(self._reply) > _MOST_LINES:
            raise ProtocolError("an answer without an end")

    def _answer(self, step: str, code: int) -> None:
        if step == "END":
            self._answer_to_message(code)
        elif step in ("MAIL FROM", "RCPT TO", "DATA"):
            self._answer_to_envelope(step, code)
        elif step == "VOID":
            self._conclude()
        elif not self.begin():
            return
        if code == 421:
            self.over = True

    def _answer_to_message(self, code: int) -> None:
        """Process the answer to the end of a message: its first digit decides (RFC 5321, 4.2.1)."""
        ended = self._ending
        assert ended is not None
        if not (200 <= code < 300 or 400 <= code < 600):
            raise ProtocolError(f"the answer {code} to a message")  # taken or not: nobody knows
        self._ending = None
        if code < 300:
            self.accepted += 1
            self._report(Outcome(ended.attempt, SendResult.ACCEPTED))
        elif is_about_session("END", code, _text(self._reply)):
            self._returned = ended
            raise SessionRefusedError(ended, self._shown(code, "the message", ended))
        else:
            self._report(_refusal(ended, "the message", code, self._reply))

    def _shown(self, code: int, step: str, outgoing: OutgoingMessage) -> str:
        return f"{code} to {step}: {safe(_text(self._reply), outgoing.envelope_to)}"

    def _answer_to_envelope(self, step: str, code: int) -> None:
        assert self._current is not None
        self._only_envelope_sent = False
        good = code == 354 if step == "DATA" else 200 <= code < 300
        if not good and self._refusal is None:
            if 400 <= code < 600:
                self._raise_if_not_about_mail(step, code, self._current)
            if code == 354:
                raise ProtocolError("the server requested the message too early")
            self._refusal = _refusal(self._current, step, code, self._reply)
        if self.pipelining and step != "DATA":
            return
        if self._refusal is not None:
            if good:  # the server waits for a message without a recipient: an empty one ends that
                self._send("VOID", _END)
            else:
                self._conclude()
                self._send("RSET", b"RSET\r\n")
        elif step == "DATA":
            self._wanted = True
            if not self._unsettled:
                self._hand_over()
        else:
            next_step, index = {"MAIL FROM": ("RCPT TO", 1), "RCPT TO": ("DATA", 2)}[step]
            self._send(next_step, self._current.commands()[index].encode())

    def _raise_if_not_about_mail(self, step: str, code: int, outgoing: OutgoingMessage) -> None:
        """Raise an error if a refusal is about us: nothing has been handed over.

        Raises:
            SenderRefusedError, SessionRefusedError: the refusal.
        """
        if is_about_session(step, code, _text(self._reply)):
            raise SessionRefusedError(outgoing, self._shown(code, step, outgoing))
        if step == "MAIL FROM":
            raise SenderRefusedError(outgoing, self._shown(code, step, outgoing))

    def _conclude(self) -> None:
        """Report a refusal; another message may begin."""
        refusal, self._refusal, self._current = self._refusal, None, None
        if refusal is not None:
            self._report(refusal)
        if not self._expected and self.pipelining and refusal is None:
            self.begin()

    def _report(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        self._unsettled = True

    def settled(self) -> None:
        """Continue after all reported outcomes were stored."""
        self._unsettled = False
        if self._current is not None and self._wanted:
            self._hand_over()
        elif self._current is None and not self._expected and not self.over:
            self.begin()

    def _hand_over(self) -> None:
        """Send the message; with pipelining, begin the next one in the same write."""
        assert self._current is not None
        self._output += (self._current.message(), _END)
        self._expected.append("END")
        self._ending, self._current, self._wanted = self._current, None, False
        if self.pipelining:
            self._only_envelope_sent = self.begin()

    def broken(self, reason: str) -> OutgoingMessage | None:
        """Report what the end of the connection means for the messages under way.

        Returns:
            A message that was not tried and can be sent over another connection.
        """
        self.over = True
        ending, current, self._ending, self._current = self._ending, self._current, None, None
        self._expected.clear()
        if ending is not None:
            text = (
                "the connection ended after the message was handed over: "
                f"{safe(reason, ending.envelope_to)}"
            )
            self._report(Outcome(ending.attempt, SendResult.UNKNOWN, text))
        if self._only_envelope_sent:
            return current
        if current is not None:
            text = (
                "the connection ended before the message was handed over: "
                f"{safe(reason, current.envelope_to)}"
            )
            self._report(Outcome(current.attempt, SendResult.DEFERRED, text))
        return None

    def abandon(self, reason: str) -> list[OutgoingMessage]:
        """End the use of the connection; a message whose end was sent is reported as unknown.

        Args:
            reason: why, for a person to read.

        Returns:
            The messages that were not handed over, or not taken because of the session.
        """
        current, self._current = self._current, None
        returned, self._returned = self._returned, None
        self.broken(reason)
        return [message for message in (returned, current) if message is not None]


def _refusal(outgoing: OutgoingMessage, step: str, code: int, reply: Sequence[bytes]) -> Outcome:
    """Return the outcome of an answer that accepts nothing.

    Args:
        outgoing: the message.
        step: the command, or ``the message``.
        code: the reply code.
        reply: the lines of the answer without the code.
    """
    # Slow to import, and most mails are accepted.
    from notifier.deliver.smtp.refusals import outcome_of

    sender, recipient = outgoing.envelope_from, outgoing.envelope_to
    return outcome_of(outgoing.attempt, sender, recipient, step, code, _text(reply))


def _text(reply: Sequence[bytes]) -> str:
    return b" ".join(reply).decode("utf-8", "replace")
