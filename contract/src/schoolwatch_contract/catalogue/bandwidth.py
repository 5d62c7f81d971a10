"""The speed test of a school's line. A held-back result has another name, so that nothing can mistake it."""

from schoolwatch_contract.catalogue.kinds import Metric, Subject

SUBJECT = Subject(
    "bandwidth",
    "Để biết đường truyền của trường có đạt tốc độ theo hợp đồng không",
    "To know whether the school's line has the speed of its contract",
    name=("Tốc độ đường truyền", "Speed of the line"),
    metrics=(
        Metric(
            "bandwidth.download",
            "bit/s",
            "technical",
            "Tốc độ tải xuống của đường truyền, đo bằng NDT7",
            "Download throughput of the line, by NDT7",
            ("family",),
        ),
        Metric(
            "bandwidth.upload",
            "bit/s",
            "technical",
            "Tốc độ tải lên của đường truyền, theo số byte máy chủ nhận được",
            "Upload throughput of the line, by the bytes that the server received",
            ("family",),
            short=("Tốc độ tải lên của đường truyền, đo bằng NDT7", "Upload throughput of the line, by NDT7"),
        ),
        Metric(
            "bandwidth.limited_download",
            "bit/s",
            "technical",
            "Tốc độ tải xuống bị giới hạn: bởi máy chủ (server) hoặc máy đo (client); không vào chỉ số nào",
            "Download throughput held back: by the server or the measuring machine (client); enters no "
            "indicator",
            ("family", "limited_by"),
            short=(
                "Tốc độ tải xuống bị máy chủ hoặc máy đo giới hạn",
                "Download held back by server or client",
            ),
        ),
        Metric(
            "bandwidth.limited_upload",
            "bit/s",
            "technical",
            "Tốc độ tải lên bị giới hạn: bởi máy chủ (server) hoặc máy đo (client); không vào chỉ số nào",
            "Upload throughput held back: by the server or the measuring machine (client); enters no "
            "indicator",
            ("family", "limited_by"),
            short=("Tốc độ tải lên bị máy chủ hoặc máy đo giới hạn", "Upload held back by server or client"),
        ),
        Metric(
            "bandwidth.line_rate",
            "bit/s",
            "technical",
            "Tốc độ đường truyền tính cả phần đầu gói tin (khung Ethernet), như nhà mạng tính khi giới hạn; "
            "tốc độ tải xuống và tải lên chỉ tính dữ liệu",
            "Rate of the line with packet headers (Ethernet frames), as a provider's shaper counts it; "
            "throughput counts data alone",
            ("family", "direction"),
            short=("Tốc độ đường truyền tính cả phần đầu gói tin", "Rate of the line with packet headers"),
        ),
        Metric(
            "bandwidth.rtt_min",
            "s",
            "technical",
            "Thời gian khứ hồi nhỏ nhất trong phép đo: đường truyền không tải",
            "Smallest round-trip time during the test: the line without load",
            ("family", "direction"),
            short=(
                "Thời gian khứ hồi khi đường truyền không tải",
                "Round-trip time of the line without load",
            ),
        ),
        Metric(
            "bandwidth.rtt_loaded",
            "s",
            "technical",
            "Thời gian khứ hồi khi đường truyền đầy tải (trung vị)",
            "Round-trip time while the line was full (median)",
            ("family", "direction"),
        ),
        Metric(
            "bandwidth.server_share",
            "ratio",
            "technical",
            "Phần đường truyền của máy chủ đã bị chiếm trong lúc đo, mức cao nhất",
            "Largest share of the server's own line that was taken meanwhile, by tests and all else",
            ("direction",),
            short=("Phần đường truyền của máy chủ đã bị chiếm", "Share of the server's own line in use"),
        ),
        Metric(
            "bandwidth.busy",
            "ratio",
            "technical",
            "Phần bộ xử lý của máy đo bị chiếm trong phép đo",
            "Share of the measuring machine's processor in use during the test",
            short=("Phần bộ xử lý của máy đo bị chiếm", "Share of the measuring processor in use"),
        ),
        Metric(
            "bandwidth.bytes",
            "B",
            "technical",
            "Dung lượng mà phép đo đã tiêu tốn",
            "Bytes that the test cost",
        ),
    ),
)
