"""An IMAP server (RFC 9051) with one user, for the part of the protocol that a reader needs."""

import base64
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

PASSWORD = "a password of the tests"


@dataclass
class Box:
    """The mails of a folder and the state of the server.

    Attributes:
        mails: the mails in INBOX, by UID.
        seen: UIDs with the flag Seen.
        hangs_up_after: how many mails are fetched before the connection is closed; None for no
            limit.
        offers: capabilities beyond the minimum.
        below_inbox: refuse folders beside INBOX, as some servers do.
        folders: the mails of other folders, which a client has created.
        deleted: UIDs that are marked as deleted; they stay until they are expunged.
        selected: the folder that a client has opened, if it is not INBOX.
        password: of the user.
    """

    mails: dict[int, bytes]
    port: int = 0
    seen: set[int] = field(default_factory=set)
    hangs_up_after: int | None = None
    offers: str = ""
    below_inbox: bool = False
    folders: dict[str, list[bytes]] = field(default_factory=dict)
    deleted: set[int] = field(default_factory=set)
    selected: str = ""
    password: str = PASSWORD
    commands: list[str] = field(default_factory=list)

    def speak(self, connection: socket.socket) -> None:
        """Answer one client until it logs out."""
        connection.sendall(b"* OK ready\r\n")
        fetched = 0
        lines = connection.makefile("rb")
        for line in lines:
            tag, _, command = line.decode("latin-1").strip().partition(" ")
            self.commands.append(command)
            if command.upper() == "AUTHENTICATE PLAIN":
                connection.sendall(b"+ \r\n")
                command = f"LOGIN {base64.b64decode(lines.readline()).decode()}"
            if command.upper().startswith("UID FETCH"):
                if fetched == self.hangs_up_after:
                    return
                fetched += 1
            for answer in self._answers(command):
                connection.sendall(answer + b"\r\n")
            connection.sendall(f"{tag} {self._end(command)}\r\n".encode())
            if command.upper() == "LOGOUT":
                return

    def _answers(self, command: str) -> list[bytes]:
        word, number = command.upper(), command.split()[2:3]
        if self.selected and not word.startswith(("SELECT", "EXAMINE")):
            return self._answers_in_folder(word, number)
        if word.startswith("CAPABILITY"):
            return [f"* CAPABILITY IMAP4REV1 {self.offers}".strip().encode()]
        if word.startswith("UID SEARCH UNSEEN"):
            unseen = sorted(self.mails.keys() - self.seen)
            return [b"* SEARCH " + " ".join(str(uid) for uid in unseen).encode()]
        if word.startswith("UID SEARCH HEADER"):
            wanted = command.rpartition(" ")[2].strip('"').encode()
            uids = [str(uid) for uid, mail in sorted(self.mails.items()) if wanted in mail]
            return [b"* SEARCH " + " ".join(uids).encode()]
        if word.startswith("UID FETCH"):
            mail = self.mails[int(number[0])][: int(re.search(r"<0\.(\d+)>", command)[1])]
            head = f"* 1 FETCH (UID {number[0]} BODY[]<0> {{{len(mail)}}}\r\n".encode()
            # A server may send data that was not requested.
            return [b"* 1 FETCH (FLAGS ())", head + mail + b")"]
        if word.startswith("UID STORE"):
            self.seen.add(int(number[0]))
            if "\\DELETED" in word:
                self.deleted.add(int(number[0]))
        if word.startswith("UID EXPUNGE"):
            self._remove(int(number[0]))
        return [b"* BYE"] if word == "LOGOUT" else []

    def _answers_in_folder(self, word: str, number: list[str]) -> list[bytes]:
        mails = self.folders[self.selected]
        if word.startswith("UID SEARCH ALL"):
            return [f"* SEARCH {' '.join(str(place) for place in range(len(mails)))}".encode()]
        if word.startswith("UID FETCH"):
            mail = mails[int(number[0])]
            return [b"* 1 FETCH (BODY[]<0> {%d}\r\n" % len(mail) + mail + b")"]
        if word.startswith("UID STORE"):
            self.deleted.add(int(number[0]))
        if word == "EXPUNGE":
            mails[:] = [mail for place, mail in enumerate(mails) if place not in self.deleted]
        return [b"* BYE"] if word == "LOGOUT" else []

    def _remove(self, number: int) -> None:
        self.deleted.discard(number)
        self.seen.discard(number)
        del self.mails[number]

    def _end(self, command: str) -> str:
        word, *arguments = command.split(" ", 3)
        if command.upper().startswith("LOGIN") and self.password not in command:
            return "NO [AUTHENTICATIONFAILED] wrong name or password"
        if command.upper().startswith(("SELECT", "EXAMINE")):
            folder = command.split(" ", 1)[1].strip('"')
            self.selected = folder if folder in self.folders else ""
            known = folder in ("INBOX", *self.folders)
            return "OK done" if known else "NO no such folder"
        if word.upper() == "CREATE":
            return self._create(arguments[0].strip('"'))
        if command.upper().startswith(("UID MOVE", "UID COPY")):
            return self._copy(
                int(arguments[1]), arguments[2].strip('"'), moves=arguments[0].upper() == "MOVE"
            )
        return "OK done"

    def _create(self, folder: str) -> str:
        if folder in self.folders or (self.below_inbox and not folder.startswith("INBOX.")):
            return "NO it cannot be made"
        self.folders[folder] = []
        return "OK made"

    def _copy(self, number: int, folder: str, *, moves: bool) -> str:
        if folder not in self.folders or (moves and "MOVE" not in self.offers):
            return "NO [TRYCREATE] no such folder"
        self.folders[folder].append(self.mails[number])
        if moves:
            self._remove(number)
        return "OK done"


@contextmanager
def running(
    mails: list[bytes], certificate: Path | None = None, hangs_up_after: int | None = None
) -> Iterator[Box]:
    """Start a server with these mails, whose UIDs start at 101.

    With a certificate it speaks TLS.
    """
    box = Box(
        {101 + number: mail for number, mail in enumerate(mails)}, hangs_up_after=hangs_up_after
    )
    listener = socket.create_server(("127.0.0.1", 0))
    box.port = listener.getsockname()[1]

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with suppress(OSError):
                    if certificate is not None:
                        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
                        context.load_cert_chain(certificate)
                        connection = context.wrap_socket(connection, server_side=True)
                    box.speak(connection)
                connection.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield box
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)
