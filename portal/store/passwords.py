"""Passwords: made, hashed (argon2id) and checked. Hashing takes about 50 ms: call it in a thread."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that is misread on paper: no i l o 0 1
_HASHER = PasswordHasher()  # RFC 9106 low memory: 64 MiB, 3 passes


def make_password(token_bytes: Callable[[int], bytes] = secrets.token_bytes) -> str:
    """A one-time password to be typed from paper: four groups of four, about 79 bits."""
    letters: list[str] = []
    while len(letters) < 16:
        # Bytes past the last whole multiple are thrown away: each letter is equally likely.
        letters += [_LETTERS[b % len(_LETTERS)] for b in token_bytes(32) if b < 256 - 256 % len(_LETTERS)]
    return "-".join("".join(letters[start : start + 4]) for start in range(0, 16, 4))


def hash_password(password: str) -> str:
    return _HASHER.hash(password)


def check_password(hashed: str, password: str) -> bool:
    """True when `password` is the one hashed; an account without a hash (empty) takes as long and is never right."""
    try:
        return _HASHER.verify(hashed or _nobody(), password) and bool(hashed)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobody() -> str:
    # What an unknown login is compared with, so that the answer takes as long as for a known one.
    return _HASHER.hash(secrets.token_hex(16))
