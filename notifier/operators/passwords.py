"""Passwords: how one is stored, and which is too weak. Argon2id with the library's parameters.

Parameters: RFC 9106, section 4, the second recommendation (64 MiB, 3 passes).
"""

import hashlib
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from notifier.errors import InputError

# In characters (NIST SP 800-63B-4 asks for 15 where a password is the only proof, and for at most
# the same limit on length to be 64 or more). Twelve keep what people choose in reach of memory;
# ten guesses a quarter of an hour are no danger to them.
SHORTEST, LONGEST = 12, 200


def require_strong(password: str) -> None:
    """Refuse a password that is too short or too long, or one character over and over.

    Raises:
        InputError: why; the password is not repeated.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise InputError(
            f"The password has {len(password)} characters; {SHORTEST} to {LONGEST} are allowed.",
            "Four or five words that have nothing to do with each other are easy to remember.",
        )
    if len(set(password)) < 5:
        raise InputError(
            "The password has fewer than five different characters.", "Choose another one."
        )


def hash_of(password: str) -> str:
    """Return how a password is stored: ``$argon2id$v=19$m=65536,t=3,p=4$SALT$HASH``."""
    return PasswordHasher().hash(password)


def is_right(password_hash: str, password: str) -> bool:
    """Return whether a password is the one that was stored.

    It takes 64 MiB and a core for about 50 ms: the caller limits how many are checked at once.

    Args:
        password_hash: as `hash_of` returned it; empty for an account that does not exist: it takes
            as long, and the answer is no.
        password: what was typed.
    """
    if len(password) > LONGEST:
        return False
    try:
        PasswordHasher().verify(password_hash or _hash_of_nothing(), password)
    except (Argon2Error, InvalidHashError):
        return False
    return bool(password_hash)


def mark_of(password_hash: str) -> str:
    """Return a name of a stored password, which changes with it: 64 hexadecimal digits."""
    return hashlib.sha256(password_hash.encode()).hexdigest()


@cache
def _hash_of_nothing() -> str:
    return PasswordHasher().hash("a password that nobody has")
