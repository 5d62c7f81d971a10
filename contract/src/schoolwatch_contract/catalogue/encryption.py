"""Encryption of disks."""

from schoolwatch_contract.catalogue.kinds import FactKind, Metric, Subject

SUBJECT = Subject(
    "encryption",
    "Để biết dữ liệu trên máy bị mất có đọc được hay không",
    "To know whether the data of a lost computer can be read",
    name=("Mã hóa ổ đĩa", "Disk encryption"),
    metrics=(
        Metric(
            "encryption.enabled",
            "boolean",
            "technical",
            "Ổ đĩa đang được mã hóa và bảo vệ",
            "The volume is encrypted and its key is protected",
            labels=("volume",),
        ),
    ),
    facts=(
        FactKind(
            "encryption.state",
            "technical",
            "Trạng thái mã hóa, hoặc lý do không biết được",
            "State of encryption, or why it is not known",
            labels=("volume",),
        ),
        FactKind(
            "encryption.volume_kind",
            "technical",
            "Loại ổ đĩa: hệ thống (system), dữ liệu (data), tháo rời (removable)",
            "Kind of volume: system, data or removable",
            labels=("volume",),
        ),
    ),
)
