"""What is refused of an entry of the calendar, as the problem that its form or its program is told."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from schoolwatch_server.api.problems import bad_field, not_found
from schoolwatch_server.calendar_entries import FaultError
from schoolwatch_server.calendar_places import UnseenError


@contextmanager
def refused(text: Callable[..., str], *, in_form: bool = False) -> Iterator[None]:
    """`text` says a key in the words of who asks; a form's field is called as the form calls it."""
    try:
        yield
    except FaultError as error:
        right = text(f"calendar.fault.{error.fault}", **error.values)
        raise bad_field(error.field, right, text(f"calendar.{error.field}") if in_form else "") from error
    except UnseenError as error:
        raise not_found(error.what, error.name) from error
