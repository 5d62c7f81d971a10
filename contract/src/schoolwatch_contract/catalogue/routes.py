"""Default routes."""

from schoolwatch_contract.catalogue.kinds import FactKind, Subject

SUBJECT = Subject(
    "routes",
    "Để tìm lỗi mạng của nhà trường",
    "To find faults of the school's network",
    name=("Định tuyến", "Routes"),
    facts=(
        FactKind(
            "route.default",
            "organisational",
            "Chặng kế tiếp của tuyến mặc định; phần định danh thiết bị của IPv6 đã bị cắt",
            "Next hop of the default route; an IPv6 interface identifier is cut",
            labels=(
                "family",
                "nic",
            ),
        ),
    ),
)
