"""An operator at a browser: cookies, log-in, and forms with their token."""

import re
from functools import cache
from http.cookies import SimpleCookie
from urllib.parse import urldefrag, urlencode, urljoin

from argon2 import PasswordHasher

from notifier.enums import Role
from notifier.operators import accounts
from tests.support.forms import FORM
from tests.support.installation import MONDAY, Installation
from tests.support.visitor import Answer, Client

PASSWORD = "four quiet words here"
_TOKEN = re.compile(r'name="token" value="([0-9a-f]{64})"')
_OPENED = re.compile(r'name="opened" value="([^"]+)"')


@cache
def password_hash(password: str = PASSWORD) -> str:
    """Return the stored form of a password, which is checked in a millisecond instead of 50."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(password)


def add_operator(made: Installation, name: str = "anna", role: str = "owner") -> None:
    """Store an operator with the password `PASSWORD`."""
    with made.at(MONDAY).writing() as session:
        accounts.add(session, name, Role(role), password_hash(), MONDAY)


class Operator:
    """An operator's browser, which keeps cookies and follows no redirect by itself."""

    def __init__(self, client: Client, network: str = "198.51.100.7") -> None:
        self._client = client
        self._network = network
        self.cookies: dict[str, str] = {}

    def get(self, path: str) -> Answer:
        """Open a page; the path begins with ``/operator/``."""
        return self._keep(self._client.get(path, **self._headers()))

    def send(self, path: str, fields: dict[str, str] | list[tuple[str, str]]) -> Answer:
        """Send a form as it is."""
        return self._keep(
            self._client.request("POST", path, urlencode(fields), FORM, **self._headers())
        )

    def act(self, page: str, path: str, **fields: str) -> Answer:
        """Open a page, and send a form of it with its token."""
        token = token_in(self.get(page).text)
        return self.send(path, {"token": token, **fields})

    def log_in(
        self, name: str = "anna", password: str = PASSWORD, place: str = "", **fields: str
    ) -> Answer:
        """Open the log-in, and send it."""
        opened = _OPENED.search(self.get("/operator/login").text)
        assert opened is not None, "somebody is logged in already"
        given = {"name": name, "password": password, "opened": opened[1], "next": place}
        return self.send("/operator/login", given | fields)

    def follow(self, answer: Answer, path: str) -> Answer:
        """Open the page that an answer to a request of `path` leads to."""
        assert answer.status_code in (303, 308), (answer.status_code, answer.text)
        return self.get(urldefrag(urljoin(path, answer.headers["location"])).url)

    def _headers(self) -> dict[str, str]:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return {"X_Forwarded_For": self._network, **({"Cookie": cookies} if cookies else {})}

    def _keep(self, answer: Answer) -> Answer:
        for header in answer.headers.get_all("set-cookie") or ():
            for name, morsel in SimpleCookie(header).items():
                if morsel.value and morsel["max-age"] != "0":
                    self.cookies[name] = morsel.value
                else:
                    self.cookies.pop(name, None)
        return answer


def token_in(page: str) -> str:
    """Return the token of the forms on a page."""
    match = _TOKEN.search(page)
    assert match is not None, page[:2000]
    return match[1]
