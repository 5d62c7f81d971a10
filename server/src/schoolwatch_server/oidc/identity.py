"""Somebody as a provider knows them."""

from dataclasses import dataclass

SUBJECT_MAX = 255
"""Characters of a `sub` (OpenID Connect Core 1.0 §2)."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Proved by an ID token; `has_second_factor`: and the provider asked for one, as the settings say."""

    issuer: str
    subject: str
    has_second_factor: bool


def is_subject(text: object) -> bool:
    """Whether a provider could call somebody so: 1 to 255 printable ASCII characters, no space around."""
    return (
        isinstance(text, str)
        and 0 < len(text) <= SUBJECT_MAX
        and text.isascii()
        and text.isprintable()
        and text == text.strip()
    )
