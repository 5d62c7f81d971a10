"""DOCX: the report form of a serious incident as an official letter, with dots for what nobody knows.

The form of the letter is that of Nghị định 30/2020/NĐ-CP (`letter`). No document at hand gives the form's own
fields: they are a proposal of this project after the duty itself (cause, scope, remedy).
"""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from schoolwatch_server.reports.files import letterhead, words
from schoolwatch_server.reports.files.letterhead import BLANK
from schoolwatch_server.serious import evidence
from schoolwatch_server.serious.form import Form, Measured
from schoolwatch_server.texts import Language, Texts, Voice

if TYPE_CHECKING:
    from schoolwatch_server.reports.files.letter import Letter

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_LANGUAGE: Language = "vi"
_DOTS = BLANK * 3
_WIDE, _NARROW = 0.66, 0.34

Rows = list[tuple[str, ...]]


def render(form: Form, texts: Texts) -> bytes:
    """The whole file: the same form gives the same bytes. Official letters are Vietnamese."""
    from schoolwatch_server.reports.files.letter import Letter  # here: only who asks for a letter needs it

    say = Voice(texts, _LANGUAGE, "serious.form")
    marks = [say("exercise")] if form.is_exercise else []
    marks += [texts.get(_LANGUAGE, "file.simulated")] if form.is_simulated else []
    about = say(f"about.{form.step}", number=form.incident)
    letter = Letter(about, " · ".join(marks), form.made_at, _LANGUAGE)
    _heads(form, letter, texts)
    letter.title(say(f"title.{form.step}"))
    letter.title(about)
    letter.line()
    letter.middle(f"{texts.get(_LANGUAGE, 'file.letter.to')}: {_recipient(form)}")
    if form.is_exercise:
        letter.paragraph(say("exercise_told"), bold=True)
    letter.paragraph(say(f"opening.{form.step}", document=form.document, clause=form.clause))
    _parts(form, letter, say)
    letter.paragraph(f"{say('close')}./.", keep=True)
    receivers = (
        texts.get(_LANGUAGE, "file.letter.as_above"),
        f"{texts.get(_LANGUAGE, 'file.letter.kept')} {BLANK}.",
    )
    signer = texts.get(_LANGUAGE, f"file.letter.signer.{form.sender}")
    letterhead.end(letter, texts.get(_LANGUAGE, "file.letter.receivers"), receivers, signer)
    return letter.bytes()


def _heads(form: Form, letter: "Letter", texts: Texts) -> None:
    def text(key: str, **values: object) -> str:
        return texts.get(_LANGUAGE, f"file.letter.{key}", **values)

    name = {"province": form.place.province, "commune": form.place.commune}.get(form.sender)
    above = text("committee", name=name).upper() if name else BLANK
    year = form.made_at.astimezone(words.VIETNAM).year
    letterhead.heads(
        letter,
        (above, form.office.upper() or BLANK),
        (text("country"), text("motto")),
        text("number"),
        text("day", place=letterhead.place(form.town) or BLANK, year=year),
    )


def _recipient(form: Form) -> str:
    if form.recipient is None:
        return BLANK * 2
    known = (form.recipient.name, form.recipient.address, form.recipient.email)
    return "; ".join(one for one in known if one)


def _parts(form: Form, letter: "Letter", say: Voice) -> None:
    numbers = iter(range(1, 12))
    for key, heads, rows in _tables(form, say):
        letter.heading(f"{next(numbers)}. {say(f'part.{key}')}")
        if key == "about":
            letter.table((say("column.what"), say("column.told")), rows, (_NARROW, _WIDE))
        elif rows:
            letter.table(tuple(say(f"column.{head}") for head in heads), rows, _widths(len(heads)))
        else:
            letter.paragraph(say(f"none.{key}"))
    if form.left_out:
        letter.paragraph(say("left_out", count=form.left_out))
    for name in form.to_fill:
        letter.heading(f"{next(numbers)}. {say(f'fill.{name}')}")
        for _ in range(2):
            letter.paragraph(_DOTS, indent=False)


def _tables(form: Form, say: Voice) -> Iterator[tuple[str, tuple[str, ...], Rows]]:
    yield "about", (), list(_about(form, say))
    yield "devices", ("device", "room"), [(one.device, one.room or BLANK) for one in form.devices]
    found: Rows = [
        (_title(one), _value(one, say), _when(one.measured_at), _arrived(one, say)) for one in form.measured
    ]
    found += [(one.title, _detail(one.subject, one.detail), _when(one.seen_at), "") for one in form.seen]
    yield "evidence", ("what", "value", "measured", "arrived"), found
    yield "done", ("when", "done", "by"), [(_when(one.at), one.text, one.by) for one in form.done]


def _widths(columns: int) -> tuple[float, ...]:
    return {2: (0.5, 0.5), 3: (0.25, 0.5, 0.25), 4: (0.34, 0.26, 0.2, 0.2)}[columns]


def _about(form: Form, say: Voice) -> Iterator[tuple[str, str]]:
    """What is known of the incident, line by line; dots for what is not."""
    yield say("line.what"), form.title
    yield say("line.why"), form.why
    yield say("line.severity"), say("severity", severity=form.severity, because=form.serious_because)
    yield say("line.where"), _place(form, say)
    yield say("line.started"), _when(form.started_at)
    late = f" ({say('late')})" if form.is_late else ""
    yield say("line.detected"), f"{_when(form.detected_at)}{late}"
    yield say("line.due"), _when(form.due_at)
    if form.step == "report":
        yield say("line.notice"), form.notice_reference or BLANK
    yield say("line.state"), form.state
    yield say("line.ended"), _when(form.ended_at) if form.ended_at else say("not_ended")
    yield say("line.responsible"), form.responsible or BLANK
    yield (
        say("line.basis"),
        say("basis", document=form.document, clause=form.clause, confidence=form.confidence),
    )
    yield say("line.number"), say("number", number=form.incident, rule=form.rule, version=form.rule_version)


def _place(form: Form, say: Voice) -> str:
    place = form.place
    school = place.school and (f"{place.school} ({place.school_code})" if place.school_code else place.school)
    known = [one for one in (school, place.commune, place.province) if one]
    return ", ".join(known) if known else say("place.server") if place.kind == "server" else BLANK


_SPANS = ((86400, "day"), (3600, "hour"), (60, "minute"))


def _title(one: Measured) -> str:
    labels = ", ".join(one.labels.values())
    return f"{one.title} ({labels})" if labels else one.title


def _value(one: Measured, say: Voice) -> str:
    value = one.value
    if value is None:
        return say("unknown")
    if isinstance(value, str):
        return evidence.told(one.name, value, say.texts, _LANGUAGE)
    if one.unit == "boolean" and value in (0, 1):
        return say("yes" if value else "no")
    if one.unit == "ratio":
        return words.percent(value, _LANGUAGE)
    if one.unit == "s" and value >= 60:
        size, name = next(pair for pair in _SPANS if value >= pair[0])
        return f"{words.number(value / size, _LANGUAGE)} {say.texts.get(_LANGUAGE, f'unit.{name}.0')}"
    unit = "" if one.unit in ("", "count", "boolean") else f" {one.unit}"
    return f"{words.number(value, _LANGUAGE)}{unit}"


def _arrived(one: Measured, say: Voice) -> str:
    if one.received_at is None or one.measured_at is None:
        return BLANK
    waited = (one.received_at - one.measured_at).total_seconds()
    return _when(one.received_at) if waited >= 60 else say("at_once")


def _detail(subject: str, detail: dict[str, str]) -> str:
    return "; ".join((subject, *(f"{name}: {value}" for name, value in detail.items())))


def _when(at: datetime | None) -> str:
    return BLANK if at is None else words.instant(at.timestamp())
