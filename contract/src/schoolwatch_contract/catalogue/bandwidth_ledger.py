"""What the speed test has cost, and why planned tests were not made."""

from schoolwatch_contract.catalogue.kinds import FactKind, Metric, Subject

SUBJECT = Subject(
    "bandwidth_ledger",
    "Để phép đo tốc độ không vượt hạn mức dữ liệu, và để biết vì sao thiếu kết quả",
    "So that speed tests stay within their data budget, and to know why a result is missing",
    name=("Hạn mức dữ liệu của phép đo", "Data budget of speed tests"),
    metrics=(
        Metric(
            "bandwidth.month_bytes",
            "B",
            "technical",
            "Dung lượng các phép đo tốc độ đã tiêu tốn trong tháng",
            "Bytes that speed tests cost this month",
        ),
        Metric(
            "bandwidth.skips",
            "count",
            "technical",
            "Số phép đo tốc độ theo kế hoạch bị bỏ qua trong tháng, theo lý do",
            "Planned speed tests that were skipped this month, by reason",
            ("reason",),
            short=("Số phép đo tốc độ bị bỏ qua trong tháng", "Speed tests skipped this month"),
        ),
    ),
    facts=(
        FactKind(
            "bandwidth.skipped",
            "technical",
            "Vì sao phép đo tốc độ theo kế hoạch gần nhất bị bỏ qua",
            "Why the last planned speed test was skipped",
        ),
        FactKind(
            "bandwidth.server",
            "technical",
            "Máy chủ mà lần đo tốc độ gần nhất kết nối tới",
            "Server of the last speed test",
        ),
        FactKind(
            "bandwidth.congestion_control",
            "technical",
            "Thuật toán điều khiển tắc nghẽn của máy chủ",
            "The server's congestion control",
            ("direction",),
        ),
    ),
)
