"""A visitor of the pages: plain HTTP to the running application, without cookies or redirects."""

from dataclasses import dataclass
from email.message import Message
from http.client import HTTPConnection


@dataclass
class Answer:
    """An answer of the application."""

    status_code: int
    headers: Message
    text: str


class Client:
    """A visitor at one address of the application."""

    def __init__(self, address: str) -> None:
        self._host = address.removeprefix("http://")

    def request(
        self, method: str, address: str, body: str = "", kind: str = "", **headers: str
    ) -> Answer:
        connection = HTTPConnection(self._host, timeout=10)
        path = address.removeprefix("https://news.example.org")
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(
            method, path, body.encode(), {"Content-Type": kind, **named} if kind else named
        )
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        return Answer(response.status, response.headers, text)

    def get(self, address: str, **headers: str) -> Answer:
        return self.request("GET", address, **headers)

    def post(self, address: str, body: str = "", kind: str = "") -> Answer:
        return self.request("POST", address, body, kind)
