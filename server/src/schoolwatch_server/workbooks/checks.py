"""The list of hand checks: how many computers of a room somebody found working, and on which day."""

from schoolwatch_server.workbooks import cells
from schoolwatch_server.workbooks.listing import Listing
from schoolwatch_server.workbooks.rooms import COMPUTERS_MAX
from schoolwatch_server.workbooks.table import Field

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
)
