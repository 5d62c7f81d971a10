"""The roles that people have; what each may do is in `access`."""

from typing import Literal, get_args

Role = Literal["so_admin", "so_viewer", "commune", "school_head", "technician", "auditor"]


def as_role(text: str) -> Role:
    """The role of that name; raises `ValueError` naming those there are."""
    for role in get_args(Role):
        if role == text:
            return role  # type: ignore[no-any-return]  # get_args is untyped
    raise ValueError(f"{text!r} is not a role: {', '.join(get_args(Role))}")
