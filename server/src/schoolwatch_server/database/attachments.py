"""Files that prove what a school declares: kept in the database, and so in every backup of it."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, delete, exists, func, insert, select

from schoolwatch_server.claims.evidence import FILES_MAX, SCHOOL_BYTES_MAX, EvidenceError, File
from schoolwatch_server.database import claims
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.reach import within
from schoolwatch_server.scope import Scope


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of an answer, without what is in it."""

    id: int
    claim_id: int
    name: str
    media_type: str
    size: int
    sha256: str


def add(conn: Connection, school_id: int, claim_id: int, file: File, now: float) -> Attachment:
    """Keeps a file with an answer; the same file twice is one. Raises `EvidenceError`."""
    a, b = t.attachment.c, t.attachment_body.c
    digest = hashlib.sha256(file.body).hexdigest()
    held = of_claims(conn, [claim_id]).get(claim_id, ())
    same = next((one for one in held if one.sha256 == digest), None)
    if same is not None:
        return same
    if len(held) >= FILES_MAX:
        raise EvidenceError("many", file.name)
    body = conn.scalar(select(b.id).where(b.school_id == school_id, b.sha256 == digest))
    if body is None:
        if bytes_of_school(conn, school_id) + len(file.body) > SCHOOL_BYTES_MAX:
            raise EvidenceError("full", file.name)
        new = insert(t.attachment_body).values(school_id=school_id, sha256=digest, body=file.body)
        body = conn.execute(new.returning(b.id)).scalar_one()
    row = {"name": file.name, "media_type": file.media_type, "size": len(file.body), "sha256": digest}
    made = insert(t.attachment).values(claim_id=claim_id, body_id=body, added_at=now, **row).returning(a.id)
    return Attachment(conn.execute(made).scalar_one(), claim_id, **row)  # type: ignore[arg-type]  # a row's


def carry_over(conn: Connection, from_claim: int, to_claim: int, now: float) -> None:
    """A new answer has the evidence of the one that came back; the files lie there once."""
    a = t.attachment.c
    columns = (a.body_id, a.name, a.media_type, a.size, a.sha256)
    for row in conn.execute(select(*columns).where(a.claim_id == from_claim).order_by(a.id)).mappings():
        conn.execute(insert(t.attachment).values(claim_id=to_claim, added_at=now, **row))


def remove(conn: Connection, attachment_id: int) -> None:
    """Takes a file from an answer; what no answer has any more is gone."""
    a, b = t.attachment.c, t.attachment_body.c
    body = conn.scalar(select(a.body_id).where(a.id == attachment_id))
    conn.execute(delete(t.attachment).where(a.id == attachment_id))
    conn.execute(delete(t.attachment_body).where(b.id == body, ~exists().where(a.body_id == body)))


def of_claims(conn: Connection, claim_ids: Collection[int]) -> dict[int, tuple[Attachment, ...]]:
    """The files of each of the answers, in the order in which they came."""
    a = t.attachment.c
    columns = (a.id, a.claim_id, a.name, a.media_type, a.size, a.sha256)
    found: dict[int, tuple[Attachment, ...]] = {}
    for row in conn.execute(select(*columns).where(a.claim_id.in_(list(claim_ids))).order_by(a.id)):
        one = Attachment(*row)
        found[one.claim_id] = (*found.get(one.claim_id, ()), one)
    return found


def counted(conn: Connection, scope: Scope) -> tuple[tuple[str, Attachment], ...]:
    """Each file that proves an answer which counts, with its question: what a report names as evidence."""
    held = [claim for each in claims.recognised(conn, scope).values() for claim in each.values()]
    files = of_claims(conn, [claim.id for claim in held])
    return tuple((claim.question, file) for claim in held for file in files.get(claim.id, ()))


def find(conn: Connection, scope: Scope, attachment_id: int) -> Attachment | None:
    """One file, when its school lies in the scope."""
    a = t.attachment.c
    columns = (a.id, a.claim_id, a.name, a.media_type, a.size, a.sha256)
    joined = t.attachment.join(t.claim).join(t.school)
    row = conn.execute(select(*columns).select_from(joined).where(within(scope), a.id == attachment_id))
    found = row.first()
    return None if found is None else Attachment(*found)


def body(conn: Connection, scope: Scope, attachment_id: int) -> bytes | None:
    """What is in a file, when its school lies in the scope."""
    a, b = t.attachment.c, t.attachment_body.c
    joined = t.attachment.join(t.attachment_body).join(t.school)
    query = select(b.body).select_from(joined).where(within(scope), a.id == attachment_id)
    return conn.scalar(query)


def bytes_of_school(conn: Connection, school_id: int) -> int:
    """How much all files of a school hold."""
    b = t.attachment_body.c
    return int(conn.scalar(select(func.sum(func.length(b.body))).where(b.school_id == school_id)) or 0)
