"""The IPv6 ladder."""

from schoolwatch_contract.catalogue.kinds import FactKind, Metric, Subject

SUBJECT = Subject(
    "ipv6",
    "Để tính tỉ lệ thiết bị ở mỗi bậc IPv6 và chỉ ra bậc đầu tiên chưa đạt cùng cách khắc phục",
    "To compute the share of devices on each IPv6 rung, and to name the first failing one with its remedy",
    name=("Mức sẵn sàng IPv6", "IPv6 readiness"),
    metrics=(
        Metric(
            "ipv6.rung",
            "boolean",
            "technical",
            "Bậc sẵn sàng IPv6: 0 địa chỉ liên kết, 1 quảng bá của bộ định tuyến, 2 quảng bá có DNS, "
            "3 địa chỉ toàn cầu, 4 tuyến mặc định tới được, 5 DNS trả lời, 6 kết nối TCP và TLS, 7 gói lớn, "
            "8 được ưu tiên, 9 NAT64, 10 DHCP tùy chọn 108, 11 chỉ một bộ định tuyến quảng bá",
            "IPv6 ladder: 0 link-local address, 1 router advertisement, 2 it announces DNS, "
            "3 global address, 4 default route with a reachable next hop, 5 DNS answers, 6 TCP and TLS, "
            "7 large packets, 8 preferred, 9 NAT64, 10 DHCP option 108, 11 a single advertising router",
            labels=("rung",),
            short=("Bậc sẵn sàng IPv6", "Rungs of the IPv6 ladder"),
        ),
        Metric(
            "ipv6.rung.seconds",
            "s",
            "technical",
            "Thời gian của một bậc IPv6: đích đã trả lời chậm nhất",
            "Time of an IPv6 rung: the slowest target that answered",
            labels=("rung",),
        ),
        Metric(
            "ipv6.target.seconds",
            "s",
            "technical",
            "Thời gian một đích của bậc IPv6 trả lời; đích lấy từ thiết lập của máy chủ",
            "Time that a target of an IPv6 rung took; targets are those of the server's settings",
            labels=("rung", "target"),
            short=("Thời gian một đích của bậc IPv6 trả lời", "Time that a target of an IPv6 rung took"),
        ),
        Metric(
            "ipv6.connect.seconds",
            "s",
            "technical",
            "Thời gian mở kết nối TCP tới một đích, theo họ địa chỉ",
            "Time to open a TCP connection to a target, by address family",
            labels=("family", "target"),
        ),
        Metric(
            "ipv6.path_mtu",
            "B",
            "technical",
            "MTU của đường đi IPv6 tới một đích, theo hệ điều hành",
            "Path MTU to a target over IPv6, as the operating system knows it",
            labels=("target",),
            short=("MTU của đường đi IPv6 tới một đích", "Path MTU to a target over IPv6"),
        ),
        Metric(
            "ipv6.routers",
            "count",
            "technical",
            "Số bộ định tuyến gửi quảng bá IPv6 trên một liên kết mạng, nhiều nhất trong các liên kết",
            "Routers that advertise IPv6 on a link, the most of any link",
            short=("Số bộ định tuyến gửi quảng bá IPv6", "Routers that advertise IPv6"),
        ),
        Metric(
            "ipv6.router.lifetime",
            "s",
            "technical",
            "Thời hạn làm bộ định tuyến mặc định trong quảng bá; 0 là không phải tuyến mặc định",
            "Router lifetime advertised; 0 is not a default router",
            short=("Thời hạn làm bộ định tuyến mặc định", "Router lifetime advertised"),
        ),
        Metric(
            "ipv6.advertised.mtu",
            "B",
            "technical",
            "MTU ghi trong quảng bá của bộ định tuyến",
            "MTU that the router advertises",
        ),
    ),
    facts=(
        FactKind(
            "ipv6.rung.reason",
            "technical",
            "Vì sao bậc IPv6 đạt, không đạt hoặc chưa biết",
            "Why a rung of the IPv6 ladder is reached, missed or unknown",
            labels=("rung",),
        ),
        FactKind(
            "ipv6.target.outcome",
            "technical",
            "Kết quả thử một đích của bậc IPv6; đích lấy từ thiết lập của máy chủ",
            "What came of trying a target of an IPv6 rung; targets are those of the server's settings",
            labels=("rung", "target"),
        ),
        FactKind(
            "ipv6.advertised.flags",
            "technical",
            "Cờ của quảng bá: M địa chỉ qua DHCPv6, O thông tin khác qua DHCPv6",
            "Flags of the advertisement: M addresses by DHCPv6, O other information by DHCPv6",
        ),
        FactKind(
            "ipv6.advertised.prefixes",
            "organisational",
            "Các tiền tố IPv6 trong quảng bá",
            "IPv6 prefixes advertised",
        ),
        FactKind(
            "ipv6.nat64.prefix",
            "organisational",
            "Tiền tố NAT64 của mạng",
            "NAT64 prefix of the network",
        ),
    ),
)
