"""The operating system."""

from schoolwatch_contract.catalogue.kinds import FactKind, Subject

SUBJECT = Subject(
    "system",
    "Để biết hệ điều hành nào còn được hỗ trợ",
    "To know which operating systems are still supported",
    name=("Hệ điều hành", "Operating system"),
    facts=(
        FactKind("os.name", "technical", "Tên hệ điều hành", "Name of the operating system"),
        FactKind("os.version", "technical", "Phiên bản hệ điều hành", "Version of the operating system"),
        FactKind(
            "os.edition",
            "technical",
            "Ấn bản hệ điều hành, ví dụ Professional, EnterpriseS (LTSC)",
            "Edition of the operating system, such as Professional or EnterpriseS (LTSC)",
        ),
        FactKind("os.build", "technical", "Bản dựng hoặc nhân hệ điều hành", "Build or kernel"),
        FactKind("os.arch", "technical", "Kiến trúc bộ xử lý", "Processor architecture"),
        FactKind(
            "os.kind",
            "technical",
            "Loại hệ điều hành: máy trạm (client) hay máy chủ (server)",
            "Kind of operating system: of a client or a server",
        ),
    ),
)
