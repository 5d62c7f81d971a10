"""The log, loaded with its first line: most ticks have nothing to say, and loading it costs 5 ms of each."""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import logging

FORM: Final = "%(asctime)s %(levelname)s %(message)s"


def log(name: str) -> "logging.Logger":
    """The logger of a module; what it says goes to standard error, unless somebody has set up another way."""
    import logging

    logging.basicConfig(level=logging.INFO, format=FORM)  # nothing when there is a handler already
    return logging.getLogger(name)
