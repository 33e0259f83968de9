"""A process that signs: hashes come in, signatures go out, in their order.

It reads nothing but what `signing_pool.py` writes, and ends when that pipe is closed. First come
the keys: their number in one byte, then for each its length in four bytes and the key in PEM. Then
come requests: the number of the key in one byte, and a SHA-256. Each is answered by the length of
the signature in two bytes, and the signature. All numbers are big-endian.
"""

import sys
from typing import IO

from notifier.deliver.mime import dkim_keys

READY = b"."
HASH_LENGTH = 32


def main() -> None:
    """Sign what is asked for on standard input until it ends."""
    sign_all(sys.stdin.buffer, sys.stdout.buffer)


def sign_all(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Read the keys, then answer each request."""
    (number,) = requests.read(1)
    keys = []
    for _ in range(number):
        length = int.from_bytes(requests.read(4), "big")
        keys.append(dkim_keys.load_key(requests.read(length)))
    answers.write(READY)
    answers.flush()
    while len(request := requests.read(1 + HASH_LENGTH)) == 1 + HASH_LENGTH:
        signature = dkim_keys.sign_hash(keys[request[0]], request[1:])
        answers.write(len(signature).to_bytes(2, "big") + signature)
        answers.flush()
