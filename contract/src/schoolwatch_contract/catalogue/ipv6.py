"""The IPv6 ladder."""

from schoolwatch_contract.catalogue.kinds import FactKind, Metric, Subject

SUBJECT = Subject(
    "ipv6",
    "Để tính tỉ lệ thiết bị ở mỗi bậc IPv6",
    "To compute the share of devices on each IPv6 rung",
    metrics=(
        Metric(
            "ipv6.rung",
            "boolean",
            "technical",
            "Bậc sẵn sàng IPv6: 0 có địa chỉ liên kết, 1 nhận được thông báo của bộ định tuyến, "
            "2 thông báo có DNS, 3 có địa chỉ toàn cầu, 4 có tuyến mặc định tới được",
            "IPv6 ladder: 0 link-local address, 1 router advertisement seen, "
            "2 it announces DNS, 3 global address, 4 default route with a reachable next hop",
            labels=("rung",),
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
    ),
)
