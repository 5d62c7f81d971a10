"""IP addresses, only counted."""

from schoolwatch_contract.catalogue.kinds import FactKind, Metric, Subject

SUBJECT = Subject(
    "addresses",
    "Để biết mức sẵn sàng IPv6; chỉ đếm địa chỉ",
    "To know the readiness for IPv6; addresses are only counted",
    name=("Địa chỉ IP", "IP addresses"),
    metrics=(
        Metric(
            "address.count",
            "count",
            "technical",
            "Số địa chỉ IP theo loại; bản thân địa chỉ không được gửi",
            "IP addresses by scope; the addresses themselves are not sent",
            labels=(
                "nic",
                "family",
                "scope",
            ),
        ),
    ),
    facts=(
        FactKind(
            "address.source",
            "technical",
            "Cách máy có địa chỉ: dhcp, static, slaac, dhcpv6",
            "How the addresses came: dhcp, static, slaac, dhcpv6",
            labels=(
                "nic",
                "family",
            ),
        ),
    ),
)
