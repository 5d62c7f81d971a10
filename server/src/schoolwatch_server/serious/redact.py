r"""Takes people out of a text before it leaves: user names in paths, mail addresses, telephone numbers. Pure.

A name that somebody wrote in a sentence can't be told from any other word: whoever sends the letter reads it.
"""

import re

HIDDEN = "[đã ẩn]"
_END = r"[^\\/:*?\"<>|\r\n]+"
"""What a folder's name may hold on Windows; on Linux it may hold more, and what is left over names nobody."""

_PATHS = re.compile(
    r"((?:[\\/]|\b[a-z]:[\\/]?)(?:users|documents and settings|home|người dùng)[\\/]+)"
    rf"(?!public\b|default\b|all users\b|{re.escape(HIDDEN)}){_END}",
    re.IGNORECASE,
)
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE = re.compile(r"(?<![\w.+-])(?:\+84|0)(?:[ .-]?\d){9,10}(?![\w-]|\.\d)")
_ACCOUNT = re.compile(r"(?<![\\/:\w.-])([A-Za-z0-9-]{1,15})\\(?!\\)([\w.-]+)(?![\\/\w])")
"""`DOMAIN\\user` that is not the beginning of a path."""


def path(text: str) -> str:
    r"""`C:\Users\[đã ẩn]\Downloads\a.exe` of the path of somebody's file."""
    return _PATHS.sub(rf"\1{HIDDEN}", text)


def text(told: str) -> str:
    """A text that people or programs wrote, without what names or reaches a person."""
    for pattern, with_ in ((_PATHS, rf"\1{HIDDEN}"), (_MAIL, HIDDEN), (_PHONE, HIDDEN)):
        told = pattern.sub(with_, told)
    return _ACCOUNT.sub(rf"\1\\{HIDDEN}", told)
