"""File systems."""

from schoolwatch_contract.catalogue.kinds import FactKind, Metric, Subject

SUBJECT = Subject(
    "disk",
    "Để biết ổ đĩa sắp đầy",
    "To know when a disk fills up",
    name=("Dung lượng ổ đĩa", "Disk space"),
    metrics=(
        Metric(
            "disk.size", "B", "technical", "Dung lượng ổ đĩa", "Size of the file system", labels=("mount",)
        ),
        Metric(
            "disk.free",
            "B",
            "technical",
            "Dung lượng còn trống cho người dùng thường",
            "Space free to ordinary users",
            labels=("mount",),
        ),
    ),
    facts=(
        FactKind(
            "disk.state",
            "technical",
            "Vì sao không biết dung lượng ổ đĩa",
            "Why a file system's size is not known",
            labels=("mount",),
        ),
    ),
)
