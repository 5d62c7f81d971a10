"""The processor."""

from schoolwatch_contract.catalogue.kinds import FactKind, Metric, Subject

SUBJECT = Subject(
    "processor",
    "Để biết máy còn đủ sức dùng cho dạy học",
    "To know whether a machine still does its work",
    name=("Bộ xử lý", "Processor"),
    metrics=(
        Metric(
            "processor.busy",
            "ratio",
            "technical",
            "Phần thời gian bộ xử lý làm việc trong khoảng lấy mẫu",
            "Share of time the processor was busy while it was sampled",
        ),
        Metric(
            "processor.load",
            "load",
            "technical",
            "Tải trung bình 1 phút (chỉ có trên Linux)",
            "Load average of 1 minute (Linux only)",
        ),
        Metric("processor.count", "count", "technical", "Số bộ xử lý luận lý", "Logical processors"),
    ),
    facts=(FactKind("processor.model", "technical", "Kiểu bộ xử lý", "Model of the processor"),),
)
