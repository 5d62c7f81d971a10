"""Which fields the forms of a plan and of a set of criteria have. Pure."""

from dataclasses import dataclass
from typing import Literal, get_args

from schoolwatch_server.packs.criteria import Provisional
from schoolwatch_server.packs.plan import TargetUnit
from schoolwatch_server.strict_yaml import Confidence

FieldKind = Literal[
    "text", "long", "day", "number", "target", "choice", "yes_no", "stages", "words", "measured"
]


@dataclass(frozen=True, slots=True)
class Field:
    """One field; its value is written in the pack under the same name."""

    name: str
    kind: FieldKind = "text"
    is_required: bool = False
    choices: tuple[str, ...] = ()
    first: str = ""


@dataclass(frozen=True, slots=True)
class Rows:
    """A list in a pack: as many rows of the same fields as somebody needs."""

    name: str
    fields: tuple[Field, ...]
    hidden: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shape:
    """The form of a kind of pack."""

    kind: Literal["plan", "criteria"]
    head: tuple[Field, ...]
    rows: tuple[Rows, ...]


_SURE = Field("confidence", "choice", choices=get_args(Confidence), first="V-law")

PLAN = Shape(
    "plan",
    (
        Field("vi", is_required=True),
        Field("number"),
        Field("date", "day"),
        Field("issuer", is_required=True),
        Field("former_places", "words"),
    ),
    (
        Rows(
            "items",
            (
                Field("vi", is_required=True),
                Field("measured", "measured"),
                Field("target", "target"),
                Field("unit", "choice", choices=get_args(TargetUnit), first="ratio"),
                Field("better", "choice", choices=("higher", "lower"), first="higher"),
                Field("deadline", "day"),
                Field("mandatory", "yes_no", first="true"),
                Field("levels", "stages"),
                Field("public_only", "yes_no", first="false"),
                Field("communes", "words"),
                Field("former_places", "words"),
                Field("clause", is_required=True),
                Field("quote", "long"),
                Field("note"),
                _SURE,
            ),
            ("id", "en"),
        ),
    ),
)
CRITERIA = Shape(
    "criteria",
    (
        Field("vi", is_required=True),
        Field("document", is_required=True),
        Field("applies_to", "stages"),
        Field("note"),
        Field("levels.basic", "number"),
        Field("levels.good", "number"),
        Field("levels.clause"),
        Field("levels.confidence", "choice", choices=get_args(Confidence), first="V-law"),
        Field("levels.mixed_confidence", "choice", choices=get_args(Confidence), first="P"),
    ),
    (
        Rows(
            "groups",
            (
                Field("code", is_required=True),
                Field("vi", is_required=True),
                Field("max", "number", is_required=True),
                _SURE,
            ),
            ("en",),
        ),
        Rows(
            "criteria",
            (
                Field("code", is_required=True),
                Field("group", is_required=True),
                Field("vi", is_required=True),
                Field("max", "number"),
                Field("mandatory", "yes_no", first="false"),
                Field("indicator", "measured"),
                Field("provisional", "choice", choices=get_args(Provisional)),
                Field("clause"),
                Field("note"),
                _SURE,
            ),
            ("en",),
        ),
    ),
)
SHAPES: dict[str, Shape] = {"plan": PLAN, "criteria": CRITERIA}
