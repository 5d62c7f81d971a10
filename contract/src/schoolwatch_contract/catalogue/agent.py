"""What the agent says of itself, and the server of an agent."""

from schoolwatch_contract.catalogue.kinds import FactKind, Metric, SightingKind, Subject

SUBJECT = Subject(
    "",
    "Để biết phần mềm đo còn làm việc và không mất số liệu",
    "To know that the agent works and that no report is lost",
    name=("Phần mềm đo SchoolWatch", "The SchoolWatch agent"),
    metrics=(
        Metric(
            "probe.ok", "boolean", "technical", "Phép đo làm việc được", "The probe worked", labels=("probe",)
        ),
        Metric(
            "probe.seconds",
            "s",
            "technical",
            "Thời gian của phép đo",
            "Time the probe took",
            labels=("probe",),
        ),
        Metric(
            "agent.memory",
            "B",
            "technical",
            "Bộ nhớ mà lần đo trước đã dùng, kể cả chương trình lớn nhất được gọi (chế độ giữ kết nối: mức "
            "cao nhất trong các lần xem mỗi giây, của mọi chương trình cùng lúc)",
            "Memory that the last cycle took, with the largest program that it called (while it stays "
            "connected: the most of what all of them held together, looked at each second)",
            short=("Bộ nhớ mà lần đo trước đã dùng", "Memory that the last cycle took"),
        ),
        Metric(
            "agent.processor",
            "s",
            "technical",
            "Thời gian bộ xử lý mà lần đo trước đã dùng",
            "Processor time that the last cycle took",
        ),
        Metric("agent.seconds", "s", "technical", "Thời gian của lần đo trước", "Time the last cycle took"),
        Metric(
            "agent.limit_met",
            "boolean",
            "technical",
            "Lần đo trước bị dừng vì vượt giới hạn của phần mềm đo",
            "The last cycle was cut short at a limit",
        ),
        Metric(
            "spool.envelopes",
            "count",
            "technical",
            "Số báo cáo chờ máy chủ xác nhận",
            "Reports held that the server has not acknowledged",
        ),
        Metric(
            "spool.bytes",
            "B",
            "technical",
            "Dung lượng báo cáo trên máy; báo cáo đã xác nhận được giữ thêm 7 ngày",
            "Bytes of the reports held; acknowledged ones stay for 7 days",
            short=("Dung lượng báo cáo trên máy", "Bytes of the reports held"),
        ),
        Metric(
            "spool.dropped",
            "count",
            "technical",
            "Số báo cáo cũ phải bỏ vì hết chỗ",
            "Old reports given up for want of room",
        ),
        Metric(
            "spool.oldest_age",
            "s",
            "technical",
            "Tuổi của báo cáo cũ nhất còn giữ",
            "Age of the oldest report held",
        ),
    ),
    facts=(
        FactKind(
            "agent.limit",
            "technical",
            "Giới hạn của phần mềm đo mà lần đo trước đã chạm: none, memory, processor, time; "
            "ended: bị hệ thống dừng",
            "The agent's own limit that the last cycle met: none, memory, processor, time; ended: by the "
            "system",
        ),
        FactKind("agent.mode", "technical", "Cách phần mềm đo chạy", "How the agent runs"),
        FactKind(
            "probe.failure",
            "technical",
            "Vì sao phép đo không làm được; dữ liệu cá nhân đã bị cắt",
            "Why a probe failed; personal data is cut",
            labels=("probe",),
        ),
    ),
    sightings=(
        SightingKind(
            "device.clone",
            "technical",
            "Hai máy dùng chung một danh tính: hai báo cáo khác nhau mang cùng một số, "
            "hoặc phần cứng đổi qua đổi lại (máy chủ nhận ra)",
            "Two machines share one identity: two different reports under one number, or hardware that "
            "alternates (seen by the server)",
        ),
        SightingKind(
            "device.changed",
            "technical",
            "Máy thay ổ đĩa, card mạng, bo mạch hoặc tên, hay được cài lại (máy chủ nhận ra)",
            "A machine with another disk, adapter, board or name, or installed anew (seen by the server)",
        ),
    ),
)
