"""Answers of schools in whatever state, with a file, as if people had taken the steps."""

import itertools

from sqlalchemy import Engine, insert

from schoolwatch_server.claims.evidence import accept
from schoolwatch_server.claims.states import STEPS, State
from schoolwatch_server.database import attachments
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_write

PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
LAST_STEP = {after: step for (_, step), (after, _) in STEPS.items()}
_numbers = itertools.count(1)


def put_claim(
    engine: Engine, school_id: int, state: State, question: str = "studio", *, now: float, value: float = 1.0
) -> tuple[int, int]:
    """The numbers of a new answer and of its file."""
    number = next(_numbers)
    row = {"school_id": school_id, "question": question, "revision": number, "value": value, "state": state}
    row |= {"as_of": "2026-01-05", "created_at": now, "created_by": "lan", "changed_at": now + number / 1000}
    with begin_write(engine) as conn:
        claim = int(conn.execute(insert(t.claim).values(**row).returning(t.claim.c.id)).scalar_one())
        step = LAST_STEP.get(state)
        if step is not None:
            told = {"at": now, "step": step, "actor": "lan", "role": "school_head", "remark": "xem lại"}
            conn.execute(insert(t.claim_event).values(claim_id=claim, **told))
        file = attachments.add(conn, school_id, claim, accept(f"minh chứng {number}.pdf", PDF), now)
    return claim, file.id
