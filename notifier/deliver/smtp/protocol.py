"""Dialogue: what is said on one connection to a mail server, without the connection (RFC 5321, 3.3; RFC 2920).

Bytes of the server go in; bytes for it and answers about deliveries come out. Where the server
offers PIPELINING, one write carries the end of a message and the envelope of the next, a round trip
a mail; else the commands go one by one.

A message is handed over only after the answer to the one before was written down: a crash can
repeat one mail a connection, no more. Whether the server took a message is unknown from the dot
that ends it to the answer.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from notifier.deliver.outbox import Outcome, SendResult
from notifier.deliver.redaction import safe

_END = b".\r\n"
_LONGEST_REPLY = 100_000
_MOST_LINES = 1000


class OutgoingMessage(NamedTuple):
    """One message on its way.

    Attributes:
        delivery_id: what is settled by the answer.
        envelope_from: where reports about it come back to.
        envelope_to: the recipient.
        message: makes its RFC 5322 bytes when it is sent: CRLF line ends, the last line too, and
            none that begins with a dot, so that nothing has to be changed on the way (RFC 5321,
            4.5.2).
    """

    delivery_id: int
    envelope_from: str
    envelope_to: str
    message: Callable[[], bytes]

    def commands(self) -> tuple[str, str, str]:
        """What goes before the message."""
        return (
            f"MAIL FROM:<{self.envelope_from}>\r\n",
            f"RCPT TO:<{self.envelope_to}>\r\n",
            "DATA\r\n",
        )


class SenderRefusedError(Exception):
    """The server takes no mail from our address at all, whoever the recipient is; the text is its answer."""


class ProtocolError(Exception):
    """The server said what no server says at that place."""


class SmtpProtocol:
    """One connection's talk.

    Args:
        pipelining: whether commands may go together.
        following: gives the next parcel, or None when there is none (or none yet).
    """

    def __init__(
        self, following: Callable[[], OutgoingMessage | None], *, pipelining: bool
    ) -> None:
        self._following, self.pipelining = following, pipelining
        self._in = b""
        self._out: list[bytes] = []
        self._said: list[bytes] = []  # the lines of the present answer
        self._expected: deque[str] = deque()
        self._refusal: Outcome | None = None
        self._parcel: OutgoingMessage | None = None
        self._ending: OutgoingMessage | None = None
        self._wanted = False
        self._behind = (
            False  # whether only the envelope of a message went out, with the end of the one before
        )
        self._unsettled = False
        self.outcomes: list[Outcome] = []
        self.over = False

    @property
    def idle(self) -> bool:
        """Whether nothing is under way: another message may begin, or leave be taken."""
        return (
            self._parcel is None
            and self._ending is None
            and not self._expected
            and not self._unsettled
        )

    @property
    def pending(self) -> str:
        """The command whose answer is waited for."""
        return self._expected[0] if self._expected else ""

    def output(self) -> bytes:
        """What is to be sent."""
        out, self._out = self._out, []
        return b"".join(out)

    def begin(self) -> bool:
        """Begin the next message, where there is one; returns whether there was."""
        self._parcel = self._following()
        if self._parcel is None:
            return False
        self._envelope(self._parcel)
        return True

    def _envelope(self, parcel: OutgoingMessage) -> None:
        self._refusal, self._wanted = None, False
        commands = parcel.commands()
        if self.pipelining:
            self._out.append("".join(commands).encode())
            self._expected.extend(("MAIL FROM", "RCPT TO", "DATA"))
        else:
            self._say("MAIL FROM", commands[0].encode())

    def _say(self, step: str, octets: bytes) -> None:
        self._out.append(octets)
        self._expected.append(step)

    def received(self, octets: bytes) -> None:
        """Take what the server said.

        Raises:
            SenderRefusedError: it refuses our sender for good.
            OutOfStepError: it said what makes no sense here.
        """
        *lines, self._in = (self._in + octets).split(b"\n")
        for line in lines:
            if self.over:
                return
            if line[3:4] == b"-":
                self._said.append(line[4:])
                self._check_length()
                continue
            if not line[:3].isdigit():
                raise ProtocolError(
                    f"an answer without a code: {safe(line[:60].decode('utf-8', 'replace'))}"
                )
            self._said.append(line[4:])
            if self._expected:
                self._answer(self._expected.popleft(), int(line[:3]))
            elif line[:3] == b"421":
                self.over = True
            else:
                raise ProtocolError("an answer that nobody asked for")
            self._said.clear()
        self._check_length()

    def _check_length(self) -> None:
        if len(self._in) > _LONGEST_REPLY or len(self._said) > _MOST_LINES:
            raise ProtocolError("an answer without an end")

    def _answer(self, step: str, code: int) -> None:
        if step == "END":
            assert self._ending is not None
            parcel, self._ending = self._ending, None
            if code == 250:
                self._tell(Outcome(parcel.delivery_id, SendResult.ACCEPTED))
            else:
                self._tell(_refusal(parcel, "the message", code, self._said))
        elif step in ("MAIL FROM", "RCPT TO", "DATA"):
            self._answer_to_envelope(step, code)
        elif step == "VOID":
            self._conclude()
        elif not self.begin():
            return
        if code == 421:
            self.over = True

    def _answer_to_envelope(self, step: str, code: int) -> None:
        assert self._parcel is not None
        self._behind = False
        good = code == 354 if step == "DATA" else 200 <= code < 300
        if not good and self._refusal is None:
            if step == "MAIL FROM" and 500 <= code < 600:
                raise SenderRefusedError(
                    f"{code} {safe(_words(self._said), self._parcel.envelope_to)}"
                )
            if code == 354:
                raise ProtocolError("a message was asked for too early")
            self._refusal = _refusal(self._parcel, step, code, self._said)
        if code == 421:
            self._conclude()
        elif self.pipelining and step != "DATA":
            return
        elif self._refusal is not None:
            if good:  # it waits for a message that has no recipient: an empty one ends that
                self._say("VOID", _END)
            else:
                self._conclude()
                self._say("RSET", b"RSET\r\n")
        elif step == "DATA":
            self._wanted = True
            if not self._unsettled:
                self._hand_over()
        else:
            following = {"MAIL FROM": ("RCPT TO", 1), "RCPT TO": ("DATA", 2)}[step]
            self._say(following[0], self._parcel.commands()[following[1]].encode())

    def _conclude(self) -> None:
        """Tell a refusal; another message may begin."""
        refusal, self._refusal, self._parcel = self._refusal, None, None
        if refusal is not None:
            self._tell(refusal)
        if not self._expected and self.pipelining and refusal is None:
            self.begin()

    def _tell(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        self._unsettled = True

    def settled(self) -> None:
        """All answers that were told are written down: what waited for that goes on."""
        self._unsettled = False
        if self._parcel is not None and self._wanted:
            self._hand_over()
        elif self._parcel is None and not self._expected and not self.over:
            self.begin()

    def _hand_over(self) -> None:
        """Send the message, and begin the next with the same write where that is understood."""
        assert self._parcel is not None
        self._out += (self._parcel.message(), _END)
        self._expected.append("END")
        self._ending, self._parcel, self._wanted = self._parcel, None, False
        if self.pipelining:
            self._behind = self.begin()

    def broken(self, why: str) -> OutgoingMessage | None:
        """The connection is gone: tell what that means for what was under way.

        Returns:
            A parcel that was not tried and can go over another connection.
        """
        self.over = True
        ending, parcel, self._ending, self._parcel = self._ending, self._parcel, None, None
        self._expected.clear()
        if ending is not None:
            said = f"the connection ended after the message was handed over: {safe(why, ending.envelope_to)}"
            self._tell(Outcome(ending.delivery_id, SendResult.UNKNOWN, said))
        if self._behind:
            return parcel
        if parcel is not None:
            said = f"the connection ended before the message was handed over: {safe(why, parcel.envelope_to)}"
            self._tell(Outcome(parcel.delivery_id, SendResult.DEFERRED, said))
        return None

    def given_up(self) -> OutgoingMessage | None:
        """Take back what was begun and not handed over; nothing is told of it."""
        self.over = True
        parcel, self._parcel = self._parcel, None
        return parcel


def _refusal(parcel: OutgoingMessage, step: str, code: int, said: Sequence[bytes]) -> Outcome:
    words = _words(said)
    shown = f"the server answered {code} to {step}: {safe(words, parcel.envelope_to)}"
    if not 500 <= code < 600:
        return Outcome(parcel.delivery_id, SendResult.DEFERRED, shown)
    if step != "RCPT TO":
        return Outcome(parcel.delivery_id, SendResult.REFUSED, shown)
    from notifier.deliver.bounces import parser  # it is large, and most mails are taken

    status = parser.status_in(words)
    judged, reason = parser.verdict(status, words), parser.code_of(status, str(code))
    return Outcome(
        parcel.delivery_id, SendResult.REFUSED, shown, parcel.envelope_to, judged, reason
    )


def _words(said: Sequence[bytes]) -> str:
    return b" ".join(said).decode("utf-8", "replace")
