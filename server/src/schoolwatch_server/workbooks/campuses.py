"""The list of campuses (điểm trường): where else than at its main place a school teaches."""

from schoolwatch_server.workbooks import cells
from schoolwatch_server.workbooks.listing import Listing
from schoolwatch_server.workbooks.table import Field

LISTING = Listing(
    (Field("name", ("Tên điểm trường", "Điểm trường", "Cơ sở", "Campus"), cells.text, True),), key=("name",)
)
