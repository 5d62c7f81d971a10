"""Passwords of people: hashed with argon2id, a few at a time, and what a new one must be like.

Parameters of argon2id are argon2-cffi's defaults (RFC 9106's second recommended option: 64 MiB, 3 passes).
"""

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Literal

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error

PASSWORD_MIN = 10
PASSWORD_MAX = 200
"""Characters of a password that a person chooses (longer ones would only cost time)."""

DIFFERENT = 5
"""Different characters that a password has at least."""

Weakness = Literal["length", "digits", "repeats", "name"]

_hasher = PasswordHasher()
_hashing = threading.BoundedSemaphore(2)  # each takes 64 MiB: a flood of logins must not take the memory
_waiting = threading.BoundedSemaphore(8)  # nor all the threads that answer requests


class BusyError(Exception):
    """Too many passwords are being checked just now: try again in a few seconds."""


def hash_password(password: str) -> str:
    """An argon2id hash with its own salt. Raises `BusyError`."""
    with _turn():
        return _hasher.hash(password)


def verify_password(password_hash: str | None, password: str) -> bool:
    """Whether the password is the hash's; without a hash it takes as long and is False.

    Raises `BusyError`.
    """
    with _turn():
        try:
            return bool(_hasher.verify(password_hash or _nobody(), password)) and password_hash is not None
        except (Argon2Error, ValueError):  # what is no hash, or no text that has UTF-8
            return False


def is_outdated(password_hash: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)


def weakness(password: str, name: str) -> Weakness | None:
    """Why somebody would guess this password first; None when nothing simple does.

    Digits alone are telephone numbers and birthdays. NIST SP 800-63B asks for length and no rule of mixed
    kinds of characters.
    """
    if not PASSWORD_MIN <= len(password) <= PASSWORD_MAX:
        return "length"
    if password.isdecimal():
        return "digits"
    if len(set(password)) < DIFFERENT:
        return "repeats"
    return "name" if len(name) > 2 and name.casefold() in password.casefold() else None


def new_password() -> str:
    """A random password of 100 bits that can be read out on the telephone."""
    return "-".join(_letters(5) for _ in range(4))


def new_recovery_code() -> str:
    """A random code of 79 bits: what is kept of it needs no slow hash."""
    return "-".join(_letters(4) for _ in range(4))


def warm_up() -> None:
    """Makes the hash that unknown names are checked against, so that the first one is not slower."""
    _nobody()


def _letters(count: int) -> str:
    letters = "abcdefghjkmnpqrstuvwxyz23456789"  # none that looks like another
    return "".join(secrets.choice(letters) for _ in range(count))


@contextmanager
def _turn() -> Iterator[None]:
    if not _waiting.acquire(blocking=False):
        raise BusyError
    try:
        with _hashing:
            yield
    finally:
        _waiting.release()


@cache
def _nobody() -> str:
    return _hasher.hash(secrets.token_urlsafe(32))
