"""The section `[store]` of the settings: a store of series beside the server's own database."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec

Kind = Literal["embedded", "influxdb", "victoriametrics"]

_NAME = msgspec.Meta(pattern=r"^[\x20-\x7e]*$", max_length=200)


class SeriesStore(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where series are written besides the server's own database; `embedded` is nowhere.

    InfluxDB 1.x has a `database`, InfluxDB 1.8, 2 and 3 have a `bucket`. `retention_days` is what the store
    itself keeps (0: not known); `reads` has the console's graphs of devices come from it.
    """

    kind: Kind = "embedded"
    url: Annotated[str, msgspec.Meta(max_length=500)] = ""
    database: Annotated[str, _NAME] = ""
    org: Annotated[str, _NAME] = ""
    bucket: Annotated[str, _NAME] = ""
    token_file: str = ""
    ca_file: str = ""
    retention_days: Annotated[int, msgspec.Meta(ge=0, le=36600)] = 0
    reads: bool = False

    @property
    def place(self) -> str:
        """Which store it is: one that was never written to is filled from the beginning."""
        return " ".join((self.kind, self.url.rstrip("/"), self.database, self.org, self.bucket))


def trouble(section: SeriesStore) -> str | None:
    """What is wrong with the section, the key first, and what to do; None when it can be used or is off."""
    if section.kind == "embedded":
        return None
    try:
        parts = urlsplit(section.url)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        is_address = False
    if not is_address or parts.query or parts.fragment or parts.username or not section.url.isascii():
        return "store.url: is no http:// or https:// address without ?, # and @: write the store's own"
    if section.kind == "influxdb" and bool(section.database) == bool(section.bucket):
        return (
            "store.bucket: InfluxDB 1.x has a `database`, InfluxDB 1.8, 2 and 3 a `bucket`: write one of them"
        )
    return None
