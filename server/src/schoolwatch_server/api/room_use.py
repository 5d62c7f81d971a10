"""GET /api/v1/room-use: how long the computers of rooms were on and in use, week by week, never of one."""

from schoolwatch_server.api import shapes
from schoolwatch_server.api.problems import not_found
from schoolwatch_server.api.query import Cursor, Limit, SchoolCode
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.api.times import rfc3339
from schoolwatch_server.database import registry, room_use
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.use import QUANTITIES, WEEK

Json = dict[str, object]
_UNITS = {"on": "s/d", "active": "s/d", "boots": "count/d"}


def weeks(
    who: Who, server: Server, school: SchoolCode = None, limit: Limit = 100, cursor: Cursor = 0
) -> Json:
    """Rooms' weeks in the order in which they were summed; each is summed once and never changes.

    A mean is of a computer on a day of which it told; without one `hidden` says why.
    """
    least = server.config.privacy.room_devices
    with begin_read(server.engine) as conn:
        row = None if school is None else registry.school_by_code(conn, school, who.scope)
        if school is not None and row is None:
            raise not_found("school", school)
        found = room_use.after(
            conn,
            who.scope,
            least=least,
            after=cursor,
            limit=limit + 1,
            school_id=None if row is None else row.id,
        )
    return {
        "least_devices": least,
        "room_use": [_json(use) for use in found[:limit]],
        "next": found[limit - 1].id if len(found) > limit else None,
    }


def _json(use: room_use.RoomUse) -> Json:
    means = {quantity: use.mean(quantity) for quantity in QUANTITIES}
    return {
        "school": {"code": use.school_code, "name": use.school},
        "room": use.room,
        "role": use.role,
        "from": rfc3339(use.week),
        "to": rfc3339(use.week + WEEK),
        "days": use.days,
        **{
            quantity: {
                "mean": mean.value,
                "unit": _UNITS[quantity],
                "devices": mean.devices,
                "device_days": mean.device_days,
                "hidden": mean.hidden,
            }
            for quantity, mean in means.items()
        },
    }


ROUTES = (Route("GET", "/api/v1/room-use", weeks, "read", "Use of rooms by week", answer=shapes.RoomUse),)
