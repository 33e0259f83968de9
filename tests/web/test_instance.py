"""The proof that an address leads to this installation."""

import json
import secrets

import pytest

from tests.support.installation import MONDAY, Installation
from tests.support.visitor import Client


def test_the_proof_is_that_of_our_key_alone(installation: Installation, client: Client):
    nonce = secrets.token_hex(16)
    answer = client.get(f"/instance/{nonce}")
    links = installation.at(MONDAY).links
    assert json.loads(answer.text) == {"proof": links.proof(nonce), "proxy": "none"}
    assert answer.headers["Cache-Control"] == "no-store"
    installation.change(secret_key="another key that only the tests know")
    assert installation.at(MONDAY).links.proof(nonce) != links.proof(nonce)
    assert links.proof(nonce) != links.proof(nonce[::-1])


@pytest.mark.parametrize(
    "nonce", ["", "0", "0" * 31, "0" * 33, "G" * 32, "unsubscribe", "%2e%2e", "0" * 5000]
)
def test_only_a_nonce_is_signed(client: Client, nonce: str):
    assert client.get(f"/instance/{nonce}").status_code == 404


def test_it_cannot_be_posted_to(client: Client):
    assert client.post(f"/instance/{'0' * 32}").status_code == 405


def test_a_proof_is_no_link(installation: Installation, client: Client):
    """Whatever it signs opens nothing: no purpose takes it."""
    proof = json.loads(client.get(f"/instance/{'0' * 32}").text)["proof"]
    for path in ("unsubscribe", "preferences", "confirm", "never"):
        assert client.get(f"/{path}/{'0' * 32}.{proof}").status_code == 404
