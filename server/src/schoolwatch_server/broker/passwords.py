"""Passwords of the broker's users, as hashes that mosquitto and our own amqtt plugin both read.

The form is mosquitto's: `$7$<rounds>$<salt>$<hash>`, PBKDF2 with HMAC-SHA-512, salt and hash in base64
(mosquitto's `mosquitto_passwd`; 12 bytes of salt, 64 of hash, 101 rounds by default).
Passwords are made by the server from 256 random bits, so the rounds need not slow down guessing,
and a login costs well under a millisecond: no storm of logins can stop the broker.
"""

import base64
import binascii
import hashlib
import hmac
import secrets

ROUNDS = 101
_SALT = 12
_MOST_ROUNDS = 10_000_000


def new_password() -> str:
    """256 random bits as text that is safe in any file."""
    return secrets.token_urlsafe(32)


def hash_password(password: str, rounds: int = ROUNDS) -> str:
    """A salted hash of the password; the salt is new each time."""
    salt = secrets.token_bytes(_SALT)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, rounds)
    return f"$7${rounds}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def verify(password: str, hashed: str) -> bool:
    """Whether the password gives this hash; anything that is no hash of ours is False."""
    fields = hashed.split("$")
    if len(fields) != 5 or fields[:2] != ["", "7"] or not (fields[2].isascii() and fields[2].isdigit()):
        return False
    rounds = int(fields[2]) if len(fields[2]) <= 8 else 0
    if not 1 <= rounds <= _MOST_ROUNDS:
        return False
    try:
        salt = base64.b64decode(fields[3], validate=True)
        digest = base64.b64decode(fields[4], validate=True)
    except (binascii.Error, ValueError):
        return False
    candidate = password.encode("utf-8", "surrogatepass")
    return hmac.compare_digest(hashlib.pbkdf2_hmac("sha512", candidate, salt, rounds), digest)
