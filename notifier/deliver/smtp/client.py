"""SMTP client: sends messages over kept connections and reports each answer.

An attempt that fails is a value, never an exception, with the server's words in it for a person to
read. The loop is `sending.py`'s, what outlives a run is `server.py`'s.
"""

from collections.abc import Callable, Sequence

from notifier.deliver.outbox import Outcome, SendResult
from notifier.deliver.smtp.connection import ServerDownError
from notifier.deliver.smtp.protocol import OutgoingMessage
from notifier.deliver.smtp.queue import Queue
from notifier.deliver.smtp.sending import Arrivals, Sending, Settle, nothing_arrives
from notifier.deliver.smtp.server import Server
from notifier.settings import Smtp

__all__ = ["Arrivals", "ServerDownError", "Settle", "Transport"]


class Transport:
    """The way to the mail server, over at most as many connections as the settings allow."""

    def __init__(self, smtp: Smtp) -> None:
        self._server = Server(smtp)

    def send(
        self,
        messages: Sequence[OutgoingMessage],
        settle: Settle,
        start_in: float = 0.0,
        stop: Callable[[], bool] = lambda: False,
        arrivals: Arrivals = nothing_arrives,
    ) -> str:
        """Send messages, and have each answer stored.

        Args:
            messages: the messages.
            settle: stores outcomes: all that came since the last call.
            start_in: seconds until the first message may start, where there is a rate limit.
            stop: returns True when no further message is to start; started ones are finished,
                within a minute.
            arrivals: asked between two messages for what is to go out before the others.

        Returns:
            The reason why the server cannot be used; empty if it can. Messages that were not tried
            are settled as such.

        Raises:
            Exception: an error of `settle` or `arrivals`; the outcome of started messages is then
                unknown.
        """
        self._server.start_later(start_in)
        sending = Sending(self._server, Queue(messages), settle, stop, arrivals)
        try:
            problem = sending.run()
        finally:
            sending.leave()
        if not sending.queue:
            return ""
        not_tried, waits = SendResult.NOT_TRIED, sending.waits_because
        settle(
            [
                Outcome(outgoing.attempt, not_tried, problem, waits_because=waits)
                for outgoing in sending.queue
            ]
        )
        return problem

    def start_later(self, seconds: float) -> None:
        """Let no message start for a time, where there is a rate limit."""
        self._server.start_later(seconds)

    def close(self) -> None:
        """Close the connections, which are kept from one `send` to the next until then."""
        self._server.close()
