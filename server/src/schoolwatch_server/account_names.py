"""What an account may be called: the audit log tells by the name alone who did something."""

import unicodedata

NAME_MAX = 80
"""Characters."""

COMMAND_LINE = "command line"
SERVER = "server"
RESTORE = "restore"
"""Who did what a person at the server's shell did, what the server does by itself, and after a restore."""

_OWN = frozenset({COMMAND_LINE, SERVER, RESTORE, "retention", "up"})
_OWN_BEGINNINGS = ("device ", "enrolment token ", "api token ")


def trouble(name: str) -> str:
    """Why no new account may have this name; empty when it may."""
    if not name or len(name) > NAME_MAX or not name.isprintable():
        return f"a name has 1 to {NAME_MAX} printable characters"
    if name != " ".join(name.split()):
        return "a name has no space at its ends and no two in a row"
    if is_the_servers(name):
        return f"{name!r} stands in the audit log for the server's own doings: choose another name"
    return ""


def is_the_servers(name: str) -> bool:
    """Whether the audit log writes it, or what reads like it, for somebody without an account."""
    plain = alike(name)
    return plain in _OWN or plain.startswith(_OWN_BEGINNINGS)


def alike(name: str) -> str:
    """The same for names that a reader takes for one: capitals, full-width letters, accents set apart."""
    return unicodedata.normalize("NFKC", name).casefold()
