"""The list of IT contacts and their deputies: personal data, which no preview shows."""

from collections.abc import Mapping

from schoolwatch_server.workbooks import cells
from schoolwatch_server.workbooks.listing import Listing
from schoolwatch_server.workbooks.table import Field

KINDS: Mapping[str, tuple[str, ...]] = {
    "it_contact": ("Đầu mối CNTT", "Phụ trách CNTT", "Cán bộ CNTT", "Đầu mối", "IT contact"),
    "deputy": ("Người thay thế", "Dự phòng", "Phó", "Deputy"),
}

PERSONAL = ("name", "phone", "email")

LISTING = Listing(
    (
        Field(
            "kind",
            ("Vai trò", "Nhiệm vụ", "Role"),
            cells.one_of(KINDS),
            True,
            words=KINDS,
        ),
        Field("name", ("Họ và tên", "Họ tên", "Người phụ trách", "Name"), cells.text),
        Field(
            "phone",
            ("Điện thoại công vụ", "Điện thoại", "Số điện thoại", "SĐT", "Work phone"),
            cells.phone,
        ),
        Field("email", ("Thư điện tử công vụ", "Thư điện tử", "Email", "E-mail"), cells.email),
    ),
    key=("kind",),
    needed=("name",),
    private=frozenset(PERSONAL),
)
