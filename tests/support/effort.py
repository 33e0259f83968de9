"""Time in seconds of one reference machine, so that limits against endless work hold on any.

The limits in the tests are against work that grows with the square of its input, and against
waiting for something that does not come. How fast something is, `bench/` measures.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

# What `_reference_work` took on the machine for which the limits were set: two cores of a small
# server in 2026 (20 million additions in half a second).
_REFERENCE_SECONDS = 0.010


@dataclass
class Effort:
    """What a block took: its fields are set when the block ends.

    Attributes:
        processor: Processor time of the whole process, in seconds of the reference machine.
        elapsed: Time on the clock without the time in which this thread could run and had no
            processor, in seconds of the reference machine.
    """

    processor: float = 0.0
    elapsed: float = 0.0


@contextmanager
def measured() -> Iterator[Effort]:
    """Measure a block; a machine that is slow before or after it gets more time for it."""
    effort = Effort()
    slowness = _slowness()
    processor, elapsed = time.process_time(), seconds_not_starved()
    try:
        yield effort
    finally:
        processor, elapsed = time.process_time() - processor, seconds_not_starved() - elapsed
        slowness = max(slowness, _slowness())
        effort.processor, effort.elapsed = processor / slowness, elapsed / slowness


def seconds_not_starved() -> float:
    """Return a clock that stands still while this thread could run and has no processor.

    Where the system does not count that time (it is Linux that does), it is any clock.
    """
    waited = 0
    with suppress(OSError):
        waited = int(Path("/proc/thread-self/schedstat").read_text().split()[1])
    return time.monotonic() - waited / 1e9


def _slowness() -> float:
    """Return how many times slower than the reference this machine is now, at least 1."""
    began = time.thread_time()
    _reference_work()
    return max(1.0, (time.thread_time() - began) / _REFERENCE_SECONDS)


def _reference_work() -> int:
    total = 0
    for number in range(400_000):
        total += number
    return total
