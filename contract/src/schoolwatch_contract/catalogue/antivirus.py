"""Antivirus products."""

from schoolwatch_contract.catalogue.kinds import FactKind, Metric, Subject

SUBJECT = Subject(
    "antivirus",
    "Để tính tỉ lệ máy có phần mềm diệt vi-rút đang chạy và cảnh báo khi nó dừng",
    "To compute the share of protected computers, and to warn when the protection stops",
    metrics=(
        Metric(
            "antivirus.products",
            "count",
            "technical",
            "Số phần mềm phòng chống mã độc tìm thấy",
            "Antivirus products found",
        ),
        Metric(
            "antivirus.running",
            "boolean",
            "technical",
            "Phần mềm phòng chống mã độc đang làm việc",
            "The product is at work as this machine's antivirus",
            labels=("product",),
        ),
        Metric(
            "antivirus.realtime",
            "boolean",
            "technical",
            "Bảo vệ thời gian thực đang bật",
            "Real-time protection is on",
            labels=("product",),
        ),
        Metric(
            "antivirus.signatures_current",
            "boolean",
            "technical",
            "Phần mềm tự báo mẫu nhận diện còn mới",
            "The product itself says that its signatures are current",
            labels=("product",),
        ),
        Metric(
            "antivirus.signature_age",
            "s",
            "technical",
            "Tuổi của mẫu nhận diện mã độc",
            "Age of the signatures",
            labels=("product",),
        ),
    ),
    facts=(
        FactKind(
            "antivirus.name",
            "technical",
            "Tên phần mềm phòng chống mã độc, đúng như phần mềm tự xưng",
            "Name of the antivirus product, as it calls itself",
            labels=("product",),
        ),
        FactKind(
            "antivirus.version",
            "technical",
            "Phiên bản phần mềm phòng chống mã độc",
            "Version of the antivirus product",
            labels=("product",),
        ),
        FactKind(
            "antivirus.signature_version",
            "technical",
            "Phiên bản mẫu nhận diện mã độc",
            "Version of its signatures",
            labels=("product",),
        ),
        FactKind(
            "antivirus.mode",
            "technical",
            "Chế độ làm việc, đúng như hệ điều hành báo",
            "Mode of the product, as the operating system says it",
            labels=("product",),
        ),
    ),
)
