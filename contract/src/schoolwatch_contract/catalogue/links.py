"""Network links."""

from schoolwatch_contract.catalogue.kinds import FactKind, Metric, Subject

SUBJECT = Subject(
    "links",
    "Để tính tỉ lệ kết nối có dây từ 100 Mbit/s và 1 Gbit/s, biết lưu lượng và lỗi đường dây",
    "To compute the share of wired links of 100 Mbit/s and 1 Gbit/s, and to know traffic and faulty cables",
    name=("Kết nối mạng", "Network links"),
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
        Metric(
            "link.in_octets",
            "B",
            "technical",
            "Tổng số byte đã nhận từ khi nạp trình điều khiển",
            "Bytes received since the driver was loaded",
            labels=("nic",),
        ),
        Metric(
            "link.out_octets",
            "B",
            "technical",
            "Tổng số byte đã gửi từ khi nạp trình điều khiển",
            "Bytes sent since the driver was loaded",
            labels=("nic",),
        ),
        Metric(
            "link.in_errors",
            "count",
            "technical",
            "Số gói tin nhận bị lỗi",
            "Packets received with errors",
            labels=("nic",),
        ),
        Metric(
            "link.out_errors",
            "count",
            "technical",
            "Số gói tin gửi bị lỗi",
            "Packets that errors kept from being sent",
            labels=("nic",),
        ),
        Metric(
            "link.in_discards",
            "count",
            "technical",
            "Số gói tin nhận bị bỏ vì thiếu bộ nhớ đệm",
            "Packets received and dropped for want of buffers",
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
