"""Network links."""

from schoolwatch_contract.catalogue.kinds import FactKind, Metric, Subject

SUBJECT = Subject(
    "links",
    "Để tính tỉ lệ kết nối có dây từ 100 Mbit/s và 1 Gbit/s",
    "To compute the share of wired links of 100 Mbit/s and 1 Gbit/s",
    metrics=(
        Metric(
            "link.up",
            "boolean",
            "technical",
            "Kết nối mạng đang có tín hiệu",
            "The link is up",
            labels=("nic",),
        ),
        Metric("link.speed", "bit/s", "technical", "Tốc độ kết nối", "Speed of the link", labels=("nic",)),
        Metric(
            "link.mtu",
            "B",
            "technical",
            "Cỡ gói tin lớn nhất của kết nối",
            "Largest packet of the link",
            labels=("nic",),
        ),
    ),
    facts=(
        FactKind(
            "link.medium",
            "technical",
            "Kết nối có dây hay không dây",
            "Medium of the link: wired or wireless",
            labels=("nic",),
        ),
        FactKind(
            "link.duplex",
            "technical",
            "Chế độ song công",
            "Duplex of the link: full or half",
            labels=("nic",),
        ),
    ),
)
