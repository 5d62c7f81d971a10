"""Use of computers in labs and classrooms, which is shown of rooms alone."""

from schoolwatch_contract.catalogue.kinds import FactKind, Metric, Subject

SUBJECT = Subject(
    "use",
    "Để biết phòng máy và phòng học có được dùng, cộng theo phòng; không đo ở nơi khác",
    "To know whether labs and classrooms are used, summed by room; measured nowhere else",
    name=("Sử dụng máy", "Use"),
    metrics=(
        Metric(
            "use.on",
            "s",
            "aggregated",
            "Số giây máy bật trong chu kỳ đo này",
            "Seconds that the computer was on in this cycle",
        ),
        Metric(
            "use.active",
            "s",
            "aggregated",
            "Số giây tính là có người dùng trong chu kỳ này; "
            "cả chu kỳ nếu có gõ phím hay di chuột, nếu không là 0",
            "Seconds that count as in use in this cycle; "
            "all of it when somebody typed or moved the mouse, else 0",
        ),
        Metric(
            "use.boots",
            "count",
            "aggregated",
            "Số lần khởi động từ chu kỳ đo trước",
            "Starts of the operating system since the last cycle",
        ),
    ),
    facts=(
        FactKind(
            "use.input",
            "technical",
            "Nguồn cho biết máy có người dùng: logind hoặc wtsapi32",
            "What tells whether the computer is in use: logind or wtsapi32",
        ),
    ),
)
