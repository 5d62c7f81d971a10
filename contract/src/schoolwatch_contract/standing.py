"""How a device stands with the server: it asks with the same proof as for a speed test's slot (see slot.py).

A device that enrolled waits until somebody lets it in; meanwhile nothing of it is taken, and the one thing
that it may ask is this.
"""

from typing import Final, Literal

import msgspec

PATH: Final = "/api/v1/device/standing"

Standing = Literal["pending", "approved", "refused"]


class Answer(msgspec.Struct, frozen=True):
    """`refused` also stands for a device that was let in and lost that again."""

    standing: Standing
