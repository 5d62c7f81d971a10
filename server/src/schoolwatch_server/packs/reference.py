"""A set of references: definitions, lines to compare with, and what each control can be shown by. Pure."""

from typing import Annotated, Literal

import msgspec

from schoolwatch_server.packs.plan import Stage
from schoolwatch_server.strict_yaml import Confidence, Id, Title, Version


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One of them: a number, a definition, or a control with the signals that show it.

    `value` None: there is no number, or none was found (`confidence` then says NF). `students_up_to` and
    `students_above` are the sizes of school that a line is for. `level` is the level of system that a control
    begins at. `signals` are indicators and metrics of this program.
    """

    id: Id
    vi: Title
    en: str = ""
    indicator: Id | None = None
    value: Annotated[float, msgspec.Meta(ge=0)] | None = None
    unit: str = ""
    better: Literal["higher", "lower"] = "higher"
    students_up_to: Annotated[int, msgspec.Meta(ge=1)] | None = None
    students_above: Annotated[int, msgspec.Meta(ge=0)] | None = None
    levels: tuple[Stage, ...] = ()
    level: Annotated[int, msgspec.Meta(ge=1, le=5)] | None = None
    signals: tuple[str, ...] = ()
    document: Title
    clause: str = ""
    note: str = ""
    confidence: Confidence


class Reference(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """References of one subject; a higher version of the same id replaces it as a whole."""

    kind: Literal["reference"]
    id: Id
    version: Version
    vi: Title
    en: str = ""
    note: str = ""
    entries: tuple[Entry, ...]

    @property
    def name(self) -> str:
        """`bandwidth@1`."""
        return f"{self.id}@{self.version}"

    def entry(self, wanted: str) -> Entry | None:
        """The entry of that id."""
        return next((entry for entry in self.entries if entry.id == wanted), None)
