r"""Takes people out of a text before it leaves: user names in paths, mail addresses, telephone numbers. Pure.

A name that somebody wrote in a sentence can't be told from any other word: whoever sends the letter reads it.
"""

import re
import unicodedata

HIDDEN = "[đã ẩn]"
_STOP = r"[\\/:*?\"<>|\r\n]|%5C|%2F"
"""What ends a folder's name on Windows; on Linux it may hold more, and what is left over names nobody."""

_SLASH = r"(?:[\\/]|%5C|%2F)"
_PATHS = re.compile(
    rf"((?:{_SLASH}|\b[a-z](?::|%3A){_SLASH}?)"
    r"(?:users\$?|documents and settings|docume~\d|home|người dùng|(?:run/)?media)"
    rf"{_SLASH}+)"
    rf"(?!(?:public|default|all users)(?:{_STOP}|$)|{re.escape(HIDDEN)})(?:(?!{_STOP}).)+",
    re.IGNORECASE,
)
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE = re.compile(
    r"(?<![\w.+-])(?:\(?(?:\+|00)?84\)?|\(?0)(?:[\s.()\u2010-\u2015-]{0,2}\d){9,10}(?![\w-]|\.\d)"
)
_ACCOUNT = re.compile(r"(?<![\\/:\w.-])([A-Za-z0-9-]{1,15})\\(?!\\)([\w.-]+)(?![\\/\w])")
"""`DOMAIN\\user` that is not the beginning of a path."""


def path(text: str) -> str:
    r"""`C:\Users\[đã ẩn]\Downloads\a.exe` of the path of somebody's file."""
    return _PATHS.sub(rf"\1{HIDDEN}", text)


def text(told: str) -> str:
    """A text that people or programs wrote, composed (NFC), without what names or reaches a person."""
    told = unicodedata.normalize("NFC", told)
    for pattern, with_ in ((_PATHS, rf"\1{HIDDEN}"), (_MAIL, HIDDEN), (_PHONE, HIDDEN)):
        told = pattern.sub(with_, told)
    return _ACCOUNT.sub(rf"\1\\{HIDDEN}", told)
