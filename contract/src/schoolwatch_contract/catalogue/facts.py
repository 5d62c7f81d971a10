"""Every fact that an agent sends, and every sighting."""

from schoolwatch_contract.catalogue.kinds import FactKind, SightingKind

_ALL = (
    FactKind("os.name", "system", "technical", "Tên hệ điều hành", "Name of the operating system"),
    FactKind(
        "os.version", "system", "technical", "Phiên bản hệ điều hành", "Version of the operating system"
    ),
    FactKind("os.build", "system", "technical", "Bản dựng hoặc nhân hệ điều hành", "Build or kernel"),
    FactKind("os.arch", "system", "technical", "Kiến trúc bộ xử lý", "Processor architecture"),
    FactKind(
        "os.kind",
        "system",
        "technical",
        "Loại hệ điều hành: máy trạm (client) hay máy chủ (server)",
        "Kind of operating system: of a client or a server",
    ),
    FactKind("processor.model", "processor", "technical", "Kiểu bộ xử lý", "Model of the processor"),
    FactKind("hardware.vendor", "hardware", "technical", "Hãng sản xuất máy", "Maker of the machine"),
    FactKind("hardware.model", "hardware", "technical", "Kiểu máy", "Model of the machine"),
    FactKind("hardware.bios_date", "hardware", "technical", "Ngày của BIOS", "Date of the BIOS (YYYY-MM-DD)"),
    FactKind(
        "hardware.chassis",
        "hardware",
        "technical",
        "Loại máy: để bàn, xách tay, máy chủ, máy ảo, loại khác",
        "Kind of machine: desktop, laptop, server, virtual or other",
    ),
    FactKind(
        "hardware.disk_type",
        "hardware",
        "technical",
        "Loại ổ đĩa: ssd, hdd, virtual",
        "Kind of disk: ssd, hdd or virtual",
        ("disk",),
    ),
    FactKind(
        "link.medium",
        "links",
        "technical",
        "Kết nối có dây hay không dây",
        "Medium of the link: wired or wireless",
        ("nic",),
    ),
    FactKind(
        "link.duplex", "links", "technical", "Chế độ song công", "Duplex of the link: full or half", ("nic",)
    ),
    FactKind(
        "route.default",
        "routes",
        "organisational",
        "Chặng kế tiếp của tuyến mặc định; phần định danh thiết bị của IPv6 đã bị cắt",
        "Next hop of the default route; an IPv6 interface identifier is cut",
        ("family", "nic"),
    ),
    FactKind(
        "resolver.address",
        "resolvers",
        "organisational",
        "Địa chỉ máy chủ phân giải tên miền; phần định danh thiết bị của IPv6 đã bị cắt",
        "Address of a name server; an IPv6 interface identifier is cut",
        ("family", "order"),
    ),
    FactKind(
        "address.source",
        "addresses",
        "technical",
        "Cách máy có địa chỉ: dhcp, static, slaac, dhcpv6",
        "How the addresses came: dhcp, static, slaac, dhcpv6",
        ("nic", "family"),
    ),
    FactKind(
        "antivirus.name",
        "antivirus",
        "technical",
        "Tên phần mềm phòng chống mã độc, đúng như phần mềm tự xưng",
        "Name of the antivirus product, as it calls itself",
        ("product",),
    ),
    FactKind(
        "antivirus.version",
        "antivirus",
        "technical",
        "Phiên bản phần mềm phòng chống mã độc",
        "Version of the antivirus product",
        ("product",),
    ),
    FactKind(
        "antivirus.signature_version",
        "antivirus",
        "technical",
        "Phiên bản mẫu nhận diện mã độc",
        "Version of its signatures",
        ("product",),
    ),
    FactKind(
        "antivirus.mode",
        "antivirus",
        "technical",
        "Chế độ làm việc, đúng như hệ điều hành báo",
        "Mode of the product, as the operating system says it",
        ("product",),
    ),
    FactKind(
        "firewall.state",
        "firewall",
        "technical",
        "Tường lửa: on, off, hoặc lý do không biết được",
        "Host firewall: on, off, or why it is not known",
        ("source", "profile"),
    ),
    FactKind(
        "ipv6.rung.reason",
        "ipv6",
        "technical",
        "Vì sao bậc IPv6 đạt, không đạt hoặc chưa biết",
        "Why a rung of the IPv6 ladder is reached, missed or unknown",
        ("rung",),
    ),
    FactKind("agent.mode", "", "technical", "Cách phần mềm đo chạy", "How the agent runs"),
    FactKind(
        "probe.failure",
        "",
        "technical",
        "Vì sao phép đo không làm được; dữ liệu cá nhân đã bị cắt",
        "Why a probe failed; personal data is cut",
        ("probe",),
    ),
)

FACTS: dict[str, FactKind] = {fact.name: fact for fact in _ALL}

_SIGHTINGS = (
    SightingKind(
        "device.clone",
        "",
        "technical",
        "Hai báo cáo khác nhau mang cùng một số: có thể hai máy dùng chung một danh tính",
        "Two different reports under one number: two machines may share one identity (seen by the server)",
    ),
)

SIGHTINGS: dict[str, SightingKind] = {sighting.name: sighting for sighting in _SIGHTINGS}
