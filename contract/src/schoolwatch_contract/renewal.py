"""How a device's key and password are renewed: offered over HTTPS, taken up after a restart of its system.

The device proves itself as for a speed test's slot (see slot.py): with its key to be offered new ones, with
the new key to take them up. It does the latter in a later start of its system than it was offered them in: so
a computer whose disk is put back at each start never takes up what it would forget, and goes on with the old.
"""

from typing import Annotated, Final

import msgspec

OFFER: Final = "/api/v1/device/credential"
TAKE_UP: Final = "/api/v1/device/credential/taken"


class Offered(msgspec.Struct, frozen=True):
    """New key (hex) and broker password; `made_at` is when they were made, UTC seconds by the server."""

    key: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    password: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    made_at: Annotated[float, msgspec.Meta(ge=0)]

    def __repr__(self) -> str:  # neither must get into a log
        return f"Offered(made_at={self.made_at})"
