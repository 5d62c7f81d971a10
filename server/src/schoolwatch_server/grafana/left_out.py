"""What is measured or judged and is on no panel, each with the reason: a test asks for one or the other."""

from collections.abc import Mapping
from typing import Final

_OF_A_PERSON: Final = (
    "how one computer is used says when somebody worked: it is summed by room, and no page, file or query "
    "shows it of one computer"
)

LEFT_OUT: Final[Mapping[str, str]] = {
    "use.on": _OF_A_PERSON,
    "use.active": _OF_A_PERSON,
    "use.boots": _OF_A_PERSON,
}
"""By the name of a metric, the id of an indicator or that of a rule."""
