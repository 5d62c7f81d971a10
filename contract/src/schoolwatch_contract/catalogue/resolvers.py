"""Configured name servers."""

from schoolwatch_contract.catalogue.kinds import FactKind, Metric, Subject

SUBJECT = Subject(
    "resolvers",
    "Để tìm lỗi mạng của nhà trường",
    "To find faults of the school's network",
    name=("Phân giải tên miền", "Name servers"),
    metrics=(
        Metric(
            "resolver.count",
            "count",
            "technical",
            "Số máy chủ phân giải tên miền được cấu hình",
            "Configured name servers",
            labels=("family",),
        ),
    ),
    facts=(
        FactKind(
            "resolver.address",
            "organisational",
            "Địa chỉ máy chủ phân giải tên miền; phần định danh thiết bị của IPv6 đã bị cắt",
            "Address of a name server; an IPv6 interface identifier is cut",
            labels=(
                "family",
                "order",
            ),
        ),
    ),
)
