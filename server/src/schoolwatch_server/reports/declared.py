"""What schools declare of what nothing measures, once it was accepted or recognised; never their notes."""

from collections.abc import Iterator

from sqlalchemy import Connection

from schoolwatch_server.claims.questions import Question, of_school
from schoolwatch_server.database import attachments, claims
from schoolwatch_server.database.rows import SchoolRow
from schoolwatch_server.packs.asked import questions
from schoolwatch_server.reports.pen import Cell, Pen, instant
from schoolwatch_server.reports.table import Asked, Row, Table
from schoolwatch_server.scope import Scope
from schoolwatch_server.texts import pick

COLUMNS = (
    "question",
    "question_title",
    "declared_value",
    "unit",
    "declared_text",
    "as_of",
    "claim_state",
    "claim_since",
    "claim_files",
)


def _rows(conn: Connection, school: SchoolRow, asked: Asked, pen: Pen) -> Iterator[Row]:
    """A row a question that the school is asked: who has not declared is seen too."""
    scope = Scope("school", school.id)
    counted = claims.recognised(conn, scope).get(school.id, {})
    files = attachments.of_claims(conn, [claim.id for claim in counted.values()])
    for question in of_school(school.level, questions(asked.packs).values()):
        claim, row = counted.get(question.id), dict[str, Cell](dict.fromkeys(COLUMNS, ""))
        row |= {"question": question.id, "question_title": _title(question, pen), "unit": question.unit}
        if claim is None:
            row["claim_state"] = pen.text("claim_state.none_accepted")
        else:
            is_yes_no = question.kind == "yes_no" and claim.value is not None
            row["declared_value"] = (
                bool(claim.value) if is_yes_no else "" if claim.value is None else claim.value
            )
            row["declared_text"] = claim.text if question.kind == "text" else ""
            row["as_of"] = claim.as_of.isoformat()
            row["claim_state"] = pen.text(f"claim_state.{claim.state}")
            row["claim_since"] = instant(claim.decided_at)
            row["claim_files"] = len(files.get(claim.id, ()))
        yield row


def _title(question: Question, pen: Pen) -> str:
    if question.criterion is None:
        return pen.text(question.text_key)
    name = pick(question.criterion, pen.language)
    return f"{question.criterion.code}: {name}"


TABLE = Table("declared", COLUMNS, _rows)
