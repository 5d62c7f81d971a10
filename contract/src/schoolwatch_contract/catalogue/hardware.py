"""Maker, model and age of the machine."""

from schoolwatch_contract.catalogue.kinds import FactKind, Subject

SUBJECT = Subject(
    "hardware",
    "Để kiểm kê thiết bị và lập kế hoạch thay thế",
    "To take stock of devices and plan replacements",
    name=("Phần cứng", "Hardware"),
    facts=(
        FactKind("hardware.vendor", "technical", "Hãng sản xuất máy", "Maker of the machine"),
        FactKind("hardware.model", "technical", "Kiểu máy", "Model of the machine"),
        FactKind("hardware.bios_date", "technical", "Ngày của BIOS", "Date of the BIOS (YYYY-MM-DD)"),
        FactKind(
            "hardware.chassis",
            "technical",
            "Loại máy: để bàn, xách tay, máy chủ, máy ảo, loại khác",
            "Kind of machine: desktop, laptop, server, virtual or other",
        ),
        FactKind(
            "hardware.disk_type",
            "technical",
            "Loại ổ đĩa: ssd, hdd, virtual",
            "Kind of disk: ssd, hdd or virtual",
            labels=("disk",),
        ),
    ),
)
