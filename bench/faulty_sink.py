"""A mail server for measurements that also refuses, puts off, and answers slowly.

    python bench/faulty_sink.py

Prints its port and serves until it is ended. What it does depends on the domain of the recipient:
`example.com` accepts, `later.example` answers RCPT with 451, `gone.example` with 550, and
`slow.example` accepts after 0.2 seconds. Every tenth connection takes 100 mails and then says that
these are too many for one session, except from `YARDSTICK`. It offers PIPELINING (RFC 2920).
"""

import asyncio

DOMAINS = ("example.com",) * 17 + ("later.example", "gone.example", "slow.example")
# The sender of the program that is compared with.
YARDSTICK = b"yardstick@example.com"
_SLOW = 0.2
_EVERY, _MOST = 10, 100
_ANSWERS = {
    "later.example": b"451 4.3.0 The mailbox is busy, come back later\r\n",
    "gone.example": b"550 5.7.1 Not accepted here by policy of the recipient\r\n",
}


class _Session:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, most: int):
        self._reader, self._writer, self._most = reader, writer, most
        self._domain = ""
        self._taken = 0

    async def run(self) -> None:
        self._writer.write(b"220 sink.example ESMTP\r\n")
        while line := await self._reader.readline():
            word = line[:4].upper()
            if word == b"DATA":
                await self._message()
            elif word == b"QUIT":
                self._writer.write(b"221 2.0.0 bye\r\n")
                return
            else:
                self._answer(word, line)
            await self._writer.drain()

    def _answer(self, word: bytes, line: bytes) -> None:
        answer = b"250 2.0.0 ok\r\n"
        if word == b"EHLO":
            answer = b"250-sink.example\r\n250-PIPELINING\r\n250 8BITMIME\r\n"
        elif word == b"MAIL" and self._is_too_many(line):
            answer = b"451 4.7.1 too many messages in this session\r\n"
        elif word == b"RCPT":
            self._domain = line.decode("ascii", "replace").partition("@")[2].partition(">")[0]
            answer = _ANSWERS.get(self._domain, answer)
            if self._domain in _ANSWERS:
                self._domain = ""
        self._writer.write(answer)

    def _is_too_many(self, line: bytes) -> bool:
        # smtp-source ends at the first refusal.
        return 0 < self._most <= self._taken and YARDSTICK not in line

    async def _message(self) -> None:
        if not self._domain:
            self._writer.write(b"554 5.5.1 no valid recipients\r\n")
            return
        self._writer.write(b"354 go on\r\n")
        await self._writer.drain()
        await self._reader.readuntil(b"\r\n.\r\n")
        if self._domain == "slow.example":
            await asyncio.sleep(_SLOW)
        self._taken += 1
        self._domain = ""
        self._writer.write(b"250 2.0.0 taken\r\n")


async def main() -> None:
    sessions = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sessions
        sessions += 1
        try:
            await _Session(reader, writer, _MOST if sessions % _EVERY == 0 else 0).run()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=2**20)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
