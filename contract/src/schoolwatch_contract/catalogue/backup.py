"""The last backup."""

from schoolwatch_contract.catalogue.kinds import FactKind, Metric, Subject

SUBJECT = Subject(
    "backup",
    "Để biết lần sao lưu gần nhất đã bao lâu",
    "To know how long ago the last backup was made",
    name=("Sao lưu", "Backup"),
    metrics=(
        Metric(
            "backup.age",
            "s",
            "technical",
            "Thời gian từ lần sao lưu gần nhất",
            "Time since the last backup",
            labels=("source",),
        ),
    ),
    facts=(
        FactKind(
            "backup.state",
            "technical",
            "Có bản sao lưu (found), hoặc lý do không biết được",
            "A backup was found, or why it is not known",
            labels=("source",),
        ),
    ),
)
