"""The school that this machine belongs to when nobody has made another: "Trường mẫu"."""

import time

from sqlalchemy import Engine

from schoolwatch_server.database import counts, declarations, pages, registry
from schoolwatch_server.database.engine import begin_write
from schoolwatch_server.enrolment import issue_enrolment_token
from schoolwatch_server.scope import EVERYTHING

PLACE_CODE = "MAU"
SCHOOL_CODE = "TRUONG-MAU"


ROOM = "Máy chủ"


def ensure(engine: Engine, *, wants_agent: bool) -> None:
    """Makes province, commune, school and room, unless the school is there from an earlier start.

    Where this machine is not measured and there are schools, nobody needs one more.
    """
    now = time.time()
    with begin_write(engine) as conn:
        if registry.school_by_code(conn, SCHOOL_CODE, EVERYTHING) is not None:
            return
        if not wants_agent and counts.schools_of(conn, EVERYTHING, 1):
            return
        province = next((p.id for p in registry.provinces(conn, EVERYTHING) if p.code == PLACE_CODE), None)
        province = province or registry.create_province(conn, PLACE_CODE, "Tỉnh mẫu")
        commune = next((c.id for c in registry.communes(conn, EVERYTHING) if c.code == PLACE_CODE), None)
        commune = commune or registry.create_commune(conn, province, PLACE_CODE, "Xã mẫu")
        school = registry.create_school(conn, commune, SCHOOL_CODE, "Trường mẫu", "THCS", now)
        registry.create_room(conn, school, ROOM, "office")
        declarations.declare(conn, school, "devices", 1, now, "up")  # this machine: true by construction


def token(engine: Engine) -> str | None:
    """An enrolment token for one use within a quarter of an hour; None without the school."""
    with begin_write(engine) as conn:
        school = registry.school_by_code(conn, SCHOOL_CODE, EVERYTHING)
        if school is None:
            return None
        room = next((r.id for r in pages.rooms(conn, school.id) if r.name == ROOM), None)
    return issue_enrolment_token(
        engine, school.id, room, 15 / 1440, 1, now=time.time(), by="up", admits="at_once"
    )
