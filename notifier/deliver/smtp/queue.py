"""The queue of messages that have not started: lane by lane, each in its order."""

from collections import deque
from collections.abc import Iterable, Iterator

from notifier.deliver.smtp.protocol import OutgoingMessage
from notifier.enums import Lane


class Queue:
    """Messages in the order of their lanes.

    Args:
        messages: the first messages.
    """

    def __init__(self, messages: Iterable[OutgoingMessage]) -> None:
        self._lanes: dict[int, deque[OutgoingMessage]] = {lane: deque() for lane in Lane}
        self._number = 0
        self.add(messages)

    def __len__(self) -> int:
        return self._number

    def __iter__(self) -> Iterator[OutgoingMessage]:
        for lane in self._lanes.values():
            yield from lane

    @property
    def first_lane(self) -> int | None:
        """The first lane in which something waits; None if nothing does."""
        return next((lane for lane, waiting in self._lanes.items() if waiting), None)

    def add(self, messages: Iterable[OutgoingMessage]) -> None:
        """Add messages behind those of their lanes."""
        for outgoing in messages:
            self._lanes[outgoing.lane].append(outgoing)
            self._number += 1

    def put_back(self, outgoing: OutgoingMessage) -> None:
        """Put a message that was taken before those of its lane."""
        self._lanes[outgoing.lane].appendleft(outgoing)
        self._number += 1

    def take(self, *, first_lane_last: bool = False) -> OutgoingMessage:
        """Take the next message.

        Args:
            first_lane_last: True to take one of the first lane only if there is no other.
        """
        lanes = [lane for lane, waiting in self._lanes.items() if waiting]
        if first_lane_last and len(lanes) > 1 and lanes[0] == Lane.ASKED:
            del lanes[0]
        self._number -= 1
        return self._lanes[lanes[0]].popleft()
