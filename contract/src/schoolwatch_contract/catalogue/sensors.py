"""What a gateway hears on the school's network: who acts as router, gives addresses, poses as another.

A sighting's subject is the device that sent the frame, as a pseudonym: HMAC-SHA-256 of its MAC under the
school's key, 32 hex digits, the same as `identity.hint` of kind `mac` where that device has an agent.
"""

from schoolwatch_contract.catalogue.kinds import FactKind, Metric, SightingKind, Subject

SUBJECT = Subject(
    "sensors",
    "Để phát hiện thiết bị giả làm máy cấp địa chỉ hay bộ định tuyến, mạo danh thiết bị khác, và để đếm "
    "thiết bị "
    "trong mạng của trường; địa chỉ MAC ở lại nhà trường",
    "To detect who poses as a DHCP server or router or as another device, and to count the devices of the "
    "school's network; MAC addresses stay at the school",
    name=("Cảm biến mạng", "Network sensors"),
    metrics=(
        Metric(
            "sensor.up",
            "boolean",
            "technical",
            "Cảm biến mạng có đang nghe trên liên kết này; 0 là không nghe, không phải là an toàn",
            "Whether the sensor listens on this link; 0 is deaf, which is not safe",
            labels=("nic",),
            short=("Cảm biến mạng có đang nghe", "Whether the sensor listens"),
        ),
        Metric(
            "sensor.frames",
            "count",
            "technical",
            "Số khung ARP, DHCP, ICMPv6 nghe được trong một giờ qua",
            "ARP, DHCP and ICMPv6 frames heard in the last hour",
            labels=("nic",),
        ),
        Metric(
            "sensor.dropped",
            "count",
            "technical",
            "Số khung hệ điều hành bỏ trong một giờ qua vì cảm biến không kịp đọc",
            "Frames that the system dropped in the last hour because the sensor was too slow",
            labels=("nic",),
            short=("Số khung bị bỏ trong một giờ qua", "Frames dropped in the last hour"),
        ),
        Metric(
            "sensor.untold",
            "count",
            "technical",
            "Số lần phát hiện trong một giờ qua vượt giới hạn bộ nhớ nên không được báo riêng",
            "Sightings of the last hour beyond the sensor's bounds, which are not told one by one",
            labels=("nic",),
            short=("Số lần phát hiện không được báo riêng", "Sightings not told one by one"),
        ),
        Metric(
            "lan.stations",
            "count",
            "technical",
            "Số thiết bị khác nhau nghe được trong mạng một giờ qua",
            "Different devices heard on the network in the last hour",
            labels=("nic",),
        ),
        Metric(
            "lan.new_stations",
            "count",
            "technical",
            "Số thiết bị nghe được lần đầu trong một giờ qua; chưa biết trong ngày đầu cảm biến chạy",
            "Devices heard for the first time in the last hour; unknown on the sensor's first day",
            labels=("nic",),
            short=("Số thiết bị nghe được lần đầu trong một giờ qua", "Devices first heard in the last hour"),
        ),
    ),
    facts=(
        FactKind(
            "sensor.state",
            "technical",
            "Cảm biến trên liên kết này: watching, no_link, not_running",
            "The sensor on this link: watching, no_link, not_running",
            labels=("nic",),
        ),
        FactKind(
            "lan.gateway",
            "pseudonymised",
            "Thiết bị đang giữ địa chỉ cổng mặc định IPv4 của liên kết này, dưới dạng bí danh",
            "The device that has the address of this link's IPv4 default gateway, as a pseudonym",
            labels=("nic",),
        ),
    ),
    sightings=(
        SightingKind(
            "dhcp.offer",
            "pseudonymised",
            "Một máy cấp địa chỉ DHCP trả lời (OFFER hoặc ACK): địa chỉ của nó, bộ định tuyến và DNS nó cấp",
            "A DHCP server answers (OFFER or ACK): its address, the router and resolvers that it gives",
            details=("nic", "oui", "server", "router", "resolvers", "gives", "relayed"),
        ),
        SightingKind(
            "dhcp6.advertise",
            "pseudonymised",
            "Một máy cấp địa chỉ DHCPv6 trả lời (ADVERTISE hoặc REPLY): định danh của nó dưới dạng bí danh, "
            "những gì nó cấp",
            "A DHCPv6 server answers (ADVERTISE or REPLY): its identifier as a pseudonym, what it gives",
            details=("nic", "oui", "server", "resolvers", "gives", "preference"),
        ),
        SightingKind(
            "ra.router",
            "pseudonymised",
            "Một bộ định tuyến quảng bá IPv6: địa chỉ của nó dưới dạng bí danh, tiền tố cắt còn /64, thời "
            "hạn (giây), "
            "cờ M và O, mức ưu tiên, DNS, MTU",
            "A router advertises IPv6: its address as a pseudonym, prefixes cut to /64, its lifetime (s), "
            "flags M and O, preference, resolvers, MTU",
            details=(
                "nic",
                "oui",
                "router",
                "prefixes",
                "lifetime",
                "flags",
                "preference",
                "resolvers",
                "mtu",
            ),
        ),
        SightingKind(
            "ra.ended",
            "pseudonymised",
            "Quảng bá với thời hạn 0 cho một bộ định tuyến từng có thời hạn: do chính nó (by=itself) hay "
            "thiết bị khác "
            "(by=other) gửi; was là thiết bị đã quảng bá trước đó",
            "An advertisement with lifetime 0 for a router that had one: sent by itself or by another device "
            "(by: itself, other); was is who advertised it before",
            details=("nic", "oui", "router", "by", "was", "was_oui"),
        ),
        SightingKind(
            "arp.moved",
            "pseudonymised",
            "Một địa chỉ IPv4 chuyển sang thiết bị khác (was là thiết bị trước): vai trò của địa chỉ "
            "(role: gateway, "
            "own, other; chỉ gateway mới gửi địa chỉ), số lần đổi trong một giờ, số giây thiết bị trước "
            "đã im lặng, "
            "thiết bị thực sự gửi khung nếu khác",
            "An IPv4 address is another device's than before (was): the address's role (gateway, own, "
            "other; the "
            "address itself is sent for gateway alone), changes in the last hour, seconds for which the "
            "device before had been silent, who really sent the frame if another",
            details=("nic", "oui", "was", "was_oui", "role", "address", "changes", "silence", "sender"),
        ),
        SightingKind(
            "nd.moved",
            "pseudonymised",
            "Một địa chỉ IPv6 chuyển sang thiết bị khác, như arp.moved; cờ của thông báo: R bộ định tuyến, "
            "S được hỏi, O ghi đè",
            "An IPv6 address is another device's than before, as arp.moved; flags of the advertisement: R "
            "router, "
            "S solicited, O override",
            details=("nic", "oui", "was", "was_oui", "role", "flags", "changes", "silence", "sender"),
        ),
        SightingKind(
            "nd.dad_answered",
            "pseudonymised",
            "Một thiết bị nhận là của mình các địa chỉ IPv6 mà máy khác đang định dùng: số địa chỉ và số "
            "máy bị trả lời "
            "trong một giờ; một lần là trùng địa chỉ, nhiều lần là cản trở",
            "A device claims IPv6 addresses that others are about to take: addresses and devices answered "
            "in the "
            "last hour; once is a duplicate, many times an obstruction",
            details=("nic", "oui", "answers", "askers"),
        ),
    ),
)
