"""Quality of the path to the gateway, the server and other hosts."""

from schoolwatch_contract.catalogue.kinds import FactKind, Metric, Subject

_LABELS = ("target", "family")

SUBJECT = Subject(
    "quality",
    "Để phân biệt lỗi mạng trong trường với lỗi đường truyền",
    "To tell a fault of the school's network from one of its line",
    name=("Chất lượng đường truyền", "Quality of the path"),
    metrics=(
        Metric(
            "quality.latency",
            "s",
            "technical",
            "Độ trễ: trung vị thời gian khứ hồi của 10 gói; "
            "target là gateway (bộ định tuyến), server (máy chủ) hoặc máy được cấu hình",
            "Latency: median round trip of 10 echoes; target is gateway, server or a configured host",
            labels=_LABELS,
            short=("Độ trễ (trung vị của 10 gói)", "Latency (median of 10 echoes)"),
        ),
        Metric(
            "quality.jitter",
            "s",
            "technical",
            "Biến thiên độ trễ: trung bình chênh lệch giữa hai lần khứ hồi liên tiếp",
            "Jitter: mean difference of successive round trips",
            labels=_LABELS,
            short=("Biến thiên độ trễ", "Jitter"),
        ),
        Metric(
            "quality.loss",
            "ratio",
            "technical",
            "Tỉ lệ mất gói: phần không có trả lời trong một giây",
            "Loss: part of the echoes without an answer within a second",
            labels=_LABELS,
            short=("Tỉ lệ mất gói", "Packet loss"),
        ),
    ),
    facts=(
        FactKind(
            "quality.method",
            "technical",
            "Cách đo độ trễ: icmp hoặc tcp (thời gian kết nối)",
            "How latency is measured: icmp, or tcp (time to connect)",
            labels=_LABELS,
        ),
    ),
)
