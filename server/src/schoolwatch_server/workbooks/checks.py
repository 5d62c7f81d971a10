"""The list of hand checks: how many computers of a room somebody found working, and on which day."""

from schoolwatch_server.workbooks import cells
from schoolwatch_server.workbooks.faults import Faults
from schoolwatch_server.workbooks.listing import Listing, Row
from schoolwatch_server.workbooks.rooms import COMPUTERS_MAX
from schoolwatch_server.workbooks.table import Field


def _complete(row: Row, faults: Faults) -> None:
    """No more computers work than there are."""
    room, working = row.cells.get("room"), row.cells.get("computers_working")
    there = row.known.computers.get(str(room))
    if there is not None and isinstance(working, int) and working > there:
        faults.add(row.number, "computers_working", "more_than_room", value=working, all=there)


LISTING = Listing(
    (
        Field("room", ("Tên phòng", "Phòng", "Phòng máy", "Room"), cells.text, True),
        Field(
            "checked_on",
            ("Ngày kiểm tra", "Ngày kiểm kê", "Checked on"),
            cells.day,
            True,
            format="DD/MM/YYYY",
        ),
        Field(
            "computers_working",
            ("Số máy hoạt động", "Số máy dùng được", "Máy hoạt động", "Computers working"),
            cells.up_to(COMPUTERS_MAX),
            format="0",
        ),
    ),
    key=("room", "checked_on"),
    needed=("computers_working",),
    refers={"room": "room"},
    past=("checked_on",),
    complete=_complete,
)
