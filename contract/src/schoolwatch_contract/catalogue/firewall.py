"""The host firewall."""

from schoolwatch_contract.catalogue.kinds import FactKind, Metric, Subject

SUBJECT = Subject(
    "firewall",
    "Để biết tường lửa của máy có bật",
    "To know whether the machine's firewall is on",
    name=("Tường lửa", "Firewall"),
    metrics=(
        Metric(
            "firewall.enabled",
            "boolean",
            "technical",
            "Tường lửa của máy đang bật (nguồn ufw.conf: theo thiết lập, có thể khác thực tế)",
            "The host firewall is on (source ufw.conf: as it is set up, which may differ from what works)",
            labels=(
                "source",
                "profile",
            ),
            short=("Tường lửa của máy đang bật", "The host firewall is on"),
        ),
        Metric(
            "firewall.service_running",
            "boolean",
            "technical",
            "Dịch vụ tường lửa của hệ điều hành đang chạy",
            "The operating system's firewall service is running",
        ),
    ),
    facts=(
        FactKind(
            "firewall.state",
            "technical",
            "Tường lửa: on, off, hoặc lý do không biết được",
            "Host firewall: on, off, or why it is not known",
            labels=(
                "source",
                "profile",
            ),
        ),
    ),
)
