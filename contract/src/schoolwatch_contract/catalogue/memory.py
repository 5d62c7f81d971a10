"""The memory."""

from schoolwatch_contract.catalogue.kinds import Metric, Subject

SUBJECT = Subject(
    "memory",
    "Để biết máy còn đủ sức dùng cho dạy học",
    "To know whether a machine still does its work",
    name=("Bộ nhớ", "Memory"),
    metrics=(
        Metric("memory.size", "B", "technical", "Dung lượng bộ nhớ RAM", "Size of the memory"),
        Metric(
            "memory.available",
            "B",
            "technical",
            "Bộ nhớ RAM còn dùng được",
            "Memory that programs can still have",
        ),
    ),
)
