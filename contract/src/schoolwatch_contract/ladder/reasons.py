"""What the code of each reason means, and its remedy."""

from typing import Final

from schoolwatch_contract.ladder import remedies
from schoolwatch_contract.ladder.words import Reason, Words


def _over(family: int, remedy: Words) -> dict[str, Reason]:
    """What asking the resolver over one family may come to."""
    said = {
        "timeout": ("không trả lời", "does not answer"),
        "refused": ("từ chối trả lời", "refuses to answer"),
        "unreachable": ("không đến được", "cannot be reached"),
        "no_name": ("nói tên không tồn tại", "says that the name does not exist"),
        "no_address": ("không cho địa chỉ IPv6 (AAAA)", "gives no IPv6 address (AAAA)"),
        "server_failed": ("báo lỗi", "reports an error"),
        "not_understood": ("trả lời sai định dạng", "gives a malformed answer"),
        "closed": ("ngắt kết nối", "hangs up"),
        "failed": ("không hỏi được", "cannot be asked"),
    }
    return {
        f"dns{family}_{outcome}": Reason(
            Words(f"máy chủ DNS hỏi qua IPv{family} {vi}", f"the resolver, asked over IPv{family}, {en}"),
            remedy,
        )
        for outcome, (vi, en) in said.items()
    }


_CONNECTING: Final = {
    "timeout": Words("kết nối IPv6 không có hồi đáp", "connections over IPv6 get no answer"),
    "refused": Words("kết nối IPv6 bị từ chối", "connections over IPv6 are refused"),
    "unreachable": Words("không có đường IPv6 ra Internet", "there is no way to the IPv6 Internet"),
    "closed": Words("kết nối IPv6 bị ngắt", "connections over IPv6 are cut"),
    "tls_timeout": Words(
        "kết nối được nhưng TLS không hoàn tất, thường do gói lớn bị mất",
        "connections come about, but TLS does not finish: often large packets are lost",
    ),
    "tls_failed": Words("kết nối được nhưng TLS lỗi", "connections come about, but TLS fails"),
    "no_name": Words("không phân giải được tên của đích", "the targets' names do not resolve"),
    "no_address": Words("đích không có địa chỉ IPv6", "the targets have no IPv6 address"),
    "failed": Words("không kết nối được qua IPv6", "no connection over IPv6"),
}
_CONNECTING_REMEDIES: Final = {
    "tls_timeout": remedies.PMTU,
    "no_name": remedies.RESOLVER_4,
    "no_address": remedies.RESOLVER_4,
}

REASONS: Final[dict[str, Reason]] = {
    "link_local": Reason(Words("có địa chỉ liên kết cục bộ", "there is a link-local address")),
    "no_link_local": Reason(
        Words("không có địa chỉ liên kết cục bộ", "no link-local address"),
        Words(
            "Bật IPv6 trên card mạng: trên Windows đánh dấu “Internet Protocol Version 6 (TCP/IPv6)”; "
            "trên Linux đặt net.ipv6.conf.all.disable_ipv6=0.",
            "Switch IPv6 on for the adapter: on Windows tick “Internet Protocol Version 6 (TCP/IPv6)”; "
            "on Linux set net.ipv6.conf.all.disable_ipv6=0.",
        ),
    ),
    "advertisement": Reason(Words("đã nhận quảng bá", "an advertisement was heard")),
    "route_from_advertisement": Reason(
        Words("tuyến mặc định đến từ quảng bá", "the default route is from an advertisement")
    ),
    "address_from_advertisement": Reason(
        Words("địa chỉ được tạo từ quảng bá", "an address was made from an advertisement")
    ),
    "no_advertisement": Reason(Words("không thấy quảng bá nào", "no advertisement"), remedies.ROUTER_IPV6),
    "not_permitted": Reason(remedies.CANNOT_LISTEN, remedies.ANOTHER_PC),
    "no_network": Reason(
        Words(
            "máy không có địa chỉ nào: cáp chưa cắm, Wi-Fi chưa nối hoặc không có DHCP",
            "the machine has no address at all: cable out, Wi-Fi not connected, or no DHCP",
        )
    ),
    "not_heard": Reason(Words("chưa nghe được quảng bá", "no advertisement was heard")),
    "rdnss": Reason(Words("quảng bá có máy chủ DNS", "the advertisement names resolvers")),
    "no_rdnss": Reason(
        Words("quảng bá không báo máy chủ DNS", "the advertisement names no resolver"),
        Words(
            "Bật RDNSS (RFC 8106) trong phần RA của bộ định tuyến: máy Android và mạng chỉ có IPv6 cần nó.",
            "Switch RDNSS (RFC 8106) on in the router's RA: Android and networks without IPv4 need it.",
        ),
    ),
    "slaac": Reason(Words("tự tạo từ quảng bá (SLAAC)", "made from the advertisement (SLAAC)")),
    "temporary": Reason(Words("địa chỉ tạm thời (RFC 8981)", "temporary address (RFC 8981)")),
    "dhcpv6": Reason(Words("do DHCPv6 cấp", "given by DHCPv6")),
    "static": Reason(Words("đặt bằng tay", "set by hand")),
    "not_told": Reason(Words("không rõ nguồn địa chỉ", "source of the address not told")),
    "no_address": Reason(Words("không có địa chỉ toàn cầu", "no global address"), remedies.PREFIX),
    "prefix_not_64": Reason(
        Words(
            "bộ định tuyến quảng bá tiền tố không dài 64 bit: máy không tự tạo được địa chỉ",
            "the router advertises a prefix that is not 64 bits long: no address can be made from it",
        ),
        remedies.PREFIX_64,
    ),
    "offer_not_taken": Reason(
        Words(
            "bộ định tuyến có quảng bá tiền tố nhưng máy không tạo địa chỉ",
            "the router advertises a prefix, but this computer makes no address from it",
        ),
        remedies.OWN_SETTINGS,
    ),
    "dhcpv6_gave_nothing": Reason(
        Words(
            "bộ định tuyến báo lấy địa chỉ qua DHCPv6 (cờ M) nhưng máy không được cấp địa chỉ nào",
            "the router says that addresses come by DHCPv6 (flag M), but this computer was given none",
        ),
        remedies.DHCPV6,
    ),
    "ula_only": Reason(
        Words("chỉ có địa chỉ nội bộ (ULA)", "unique local addresses (ULA) only"),
        remedies.PREFIX,
    ),
    "6to4_only": Reason(
        Words("chỉ có 6to4, không được tính", "6to4 only, which does not count"), remedies.PREFIX
    ),
    "teredo_only": Reason(
        Words("chỉ có Teredo, không được tính", "Teredo only, which does not count"), remedies.PREFIX
    ),
    "next_hop_answers": Reason(Words("bộ định tuyến trả lời", "the router answers")),
    "no_route": Reason(
        Words("không có tuyến mặc định IPv6", "no IPv6 default route"),
        Words(
            "Máy phải nhận tuyến mặc định từ RA: kiểm tra thiết lập nhận RA của máy "
            "(Linux: accept_ra, accept_ra_defrtr; Windows: RouterDiscovery) và phần mềm VPN hay bảo mật "
            "đã xóa tuyến; trên bộ định tuyến đặt AdvDefaultLifetime lớn hơn 0.",
            "The PC must take its default route from the RA: see its settings (Linux: accept_ra, "
            "accept_ra_defrtr; Windows: RouterDiscovery) and VPN or security programs that took the route "
            "away; on the router set AdvDefaultLifetime above 0.",
        ),
    ),
    "router_lifetime_0": Reason(
        Words(
            "bộ định tuyến quảng bá thời hạn 0: không nhận làm tuyến mặc định",
            "the router advertises a lifetime of 0: it is no default router",
        ),
        remedies.DEFAULT_ROUTE,
    ),
    "next_hop_silent": Reason(
        Words(
            "có tuyến mặc định nhưng bộ định tuyến không trả lời",
            "there is a default route, but its router does not answer",
        ),
        remedies.NEXT_HOP,
    ),
    "next_hop_not_asked": Reason(
        Words("chưa biết bộ định tuyến có trả lời không", "whether the router answers is not known")
    ),
    "route_without_next_hop": Reason(
        Words("tuyến mặc định không có bộ định tuyến kế tiếp", "the default route has no next hop")
    ),
    "no_target": Reason(
        Words("chưa cấu hình đích để thử", "no target is configured"),
        Words(
            "Người quản trị máy chủ ghi các máy đích của tỉnh vào phần [ipv6] của server.toml.",
            "The server's administrator names the province's hosts in [ipv6] of server.toml.",
        ),
    ),
    "not_tried": Reason(Words("chưa thử được", "could not be tried")),
    "no_resolver": Reason(
        Words("máy không có máy chủ DNS nào", "the computer has no resolver"),
        Words(
            "Để máy nhận DNS từ DHCP hoặc RA, hoặc đặt máy chủ DNS trên card mạng.",
            "Let the computer take its resolvers from DHCP or the RA, or set them on the adapter.",
        ),
    ),
    "dns_answers_anything": Reason(
        Words(
            "DNS trả lời tên nào cũng cùng một địa chỉ, kể cả tên không thể tồn tại",
            "DNS gives every name the same address, also one that can't exist",
        ),
        remedies.SIGN_IN,
    ),
    "dns_answers": Reason(Words("các máy chủ DNS đều trả lời", "the resolvers answer")),
    "dns_answers_over_v4": Reason(
        Words(
            "DNS trả lời qua IPv4; không có máy chủ DNS IPv6", "DNS answers over IPv4; no resolver has IPv6"
        )
    ),
    "v6_only_name_fails": Reason(
        Words(
            "không phân giải được tên của vùng chỉ có máy chủ IPv6",
            "a name of a zone with IPv6 servers alone does not resolve",
        ),
        Words(
            "Máy chủ DNS của trường hoặc nhà mạng chưa có IPv6 để hỏi ra ngoài: "
            "bật IPv6 cho nó hoặc đổi máy chủ DNS khác.",
            "The school's or provider's resolver has no IPv6 itself: give it IPv6, or use another one.",
        ),
    ),
    **_over(4, remedies.RESOLVER_4),
    **_over(6, remedies.RESOLVER_6),
    **{
        f"v6_{outcome}": Reason(means, _CONNECTING_REMEDIES.get(outcome, remedies.FIREWALL_443))
        for outcome, means in _CONNECTING.items()
    },
    "v6_lost_to_a_stranger": Reason(
        Words(
            "kết nối IPv6 không thành trong khi có hơn một máy tự xưng là bộ định tuyến",
            "connections over IPv6 fail while more than one machine says that it is the router",
        ),
        remedies.ROGUE,
    ),
    "neither_family": Reason(
        Words(
            "cả IPv4 lẫn IPv6 đều không kết nối được đến đích nào",
            "no target is reached, neither over IPv4 nor over IPv6",
        ),
        remedies.NEITHER,
    ),
    "answered_by_another": Reason(
        Words(
            "có máy khác trả lời thay cho đích (chứng thư của tên khác)",
            "something else answers in a target's place (a certificate of another name)",
        ),
        remedies.SIGN_IN,
    ),
    "all_hosts_reached": Reason(Words("mọi đích đều kết nối được", "every target was reached")),
    "some_hosts_fail": Reason(
        Words("có đích không kết nối được, đích khác thì được", "some targets fail, others are reached")
    ),
    "server_without_v6": Reason(
        Words("máy chủ của Sở chưa có địa chỉ IPv6", "the department's server has no IPv6 address")
    ),
    "server_unreachable": Reason(
        Words(
            "đến được các đích khác nhưng không đến được máy chủ của Sở qua IPv6",
            "other targets are reached, the department's server is not, over IPv6",
        ),
        Words(
            "Báo người quản trị máy chủ: dịch vụ phải nghe trên IPv6 và tường lửa phải mở cổng của nó.",
            "Tell the server's administrator: it must listen on IPv6, and its firewall let its port through.",
        ),
    ),
    "no_v6_connection": Reason(
        Words("chưa có kết nối IPv6 nào để thử", "there is no IPv6 connection to try it on")
    ),
    "large_packets_pass": Reason(Words("gói lớn đi qua được", "large packets pass")),
    "large_packets_lost": Reason(
        Words(
            "gói nhỏ qua được, gói lớn mất không dấu vết (hố đen MTU)",
            "small packets pass, large ones vanish (path MTU black hole)",
        ),
        remedies.PMTU,
    ),
    "no_answer_to_large": Reason(
        Words("các đích không trả lời yêu cầu lớn", "the targets do not answer a large request")
    ),
    "v6_preferred": Reason(Words("chương trình dùng IPv6 trước", "programs use IPv6 first")),
    "v6_alone": Reason(Words("chỉ IPv6 kết nối được", "only IPv6 connects")),
    "v4_preferred": Reason(
        Words("chương trình dùng IPv4 trước", "programs use IPv4 first"),
        Words(
            "Máy cần địa chỉ IPv6 toàn cầu, không chỉ ULA; đưa bảng ưu tiên về mặc định của RFC 6724 "
            "(Linux: /etc/gai.conf; Windows: netsh interface ipv6 show prefixpolicies).",
            "The PC needs a global IPv6 address, not only a ULA; bring the preference table back to that of "
            "RFC 6724 (Linux: /etc/gai.conf; Windows: netsh interface ipv6 show prefixpolicies).",
        ),
    ),
    "pref64": Reason(Words("RA báo tiền tố NAT64", "the RA announces a NAT64 prefix")),
    "nat64_prefix": Reason(Words("có DNS64", "there is DNS64")),
    "nat64_works": Reason(Words("đến được máy IPv4 qua NAT64", "an IPv4 host is reached through NAT64")),
    "nat64_silent": Reason(
        Words("có DNS64 nhưng NAT64 không chuyển tiếp", "there is DNS64, but NAT64 forwards nothing"),
        remedies.NAT64,
    ),
    "nat64_absent": Reason(
        Words("không có NAT64; mạng có IPv4 nên không cần", "no NAT64; with IPv4 none is needed")
    ),
    "nat64_missing": Reason(
        Words("mạng không có IPv4 và không có NAT64", "neither IPv4 nor NAT64"), remedies.NAT64
    ),
    "dns_fails": Reason(Words("không hỏi được DNS", "DNS cannot be asked")),
    "option_108_offered": Reason(Words("DHCP có báo", "DHCP offers it")),
    "option_108_absent": Reason(
        Words("DHCP không báo; không bắt buộc", "DHCP does not offer it; it need not")
    ),
    "dhcp_silent": Reason(Words("không có máy chủ DHCP nào trả lời", "no DHCP server answers")),
    "one_router": Reason(Words("chỉ nghe một bộ định tuyến", "a single router was heard")),
    "several_routers": Reason(
        Words(
            "nghe nhiều bộ định tuyến: có thể là dự phòng, có thể là máy lạ",
            "several routers were heard: spares, or a stranger",
        ),
        Words(
            "Đối chiếu số bộ định tuyến với sơ đồ mạng của trường; nếu thừa, tìm và gỡ thiết bị lạ.",
            "Compare with the school's plan of its network; if there is one too many, find and remove it.",
        ),
    ),
    "6to4_advertised": Reason(
        Words("có máy quảng bá tiền tố 6to4 (2002::/16)", "something advertises a 6to4 prefix (2002::/16)"),
        remedies.ROGUE,
    ),
}
"""By code; a code may also be several joined by `+`."""
