"""What a technician is to set, where several reasons have the same remedy."""

from typing import Final

from schoolwatch_contract.ladder.words import Words

ROUTER_IPV6: Final = Words(
    "Vào trang quản trị bộ định tuyến của trường, bật IPv6 cho mạng LAN (RA/SLAAC). "
    "Nếu cổng WAN chưa có IPv6: đề nghị nhà mạng cấp IPv6 (DHCPv6-PD).",
    "On the school's router switch IPv6 on for the LAN (RA/SLAAC). "
    "If its WAN side has no IPv6: ask the provider for it (DHCPv6-PD).",
)
PREFIX: Final = Words(
    "Đề nghị nhà mạng cấp tiền tố IPv6 cho trường (DHCPv6-PD, từ /56 đến /60), "
    "rồi bật quảng bá tiền tố đó trong mạng LAN.",
    "Ask the provider to delegate an IPv6 prefix to the school (DHCPv6-PD, /56 to /60), "
    "then let the router advertise it on the LAN.",
)
PREFIX_64: Final = Words(
    "Trên bộ định tuyến, quảng bá trong mạng LAN một tiền tố dài đúng /64, lấy từ tiền tố nhà mạng cấp.",
    "On the router advertise a prefix of exactly /64 on the LAN, out of the one that the provider gave.",
)
OWN_SETTINGS: Final = Words(
    "Kiểm tra thiết lập IPv6 của máy: Linux: accept_ra và autoconf bằng 1; Windows: lệnh netsh interface "
    "ipv6 show interface báo Router Discovery là enabled; phần mềm bảo mật không chặn ICMPv6 loại 134. "
    "Cũng có thể địa chỉ đã bị máy khác dùng.",
    "See to this computer's IPv6 settings: on Linux accept_ra and autoconf are 1; on Windows netsh "
    "interface ipv6 show interface says that Router Discovery is enabled; no security program blocks "
    "ICMPv6 type 134. Or another machine has the address already.",
)
DHCPV6: Final = Words(
    "Trên bộ định tuyến, bật máy chủ DHCPv6 cho mạng LAN, hoặc bật tự cấu hình (AdvAutonomous, SLAAC); "
    "máy Android chỉ dùng được cách thứ hai.",
    "On the router switch on the DHCPv6 server for the LAN, or autoconfiguration (AdvAutonomous, SLAAC); "
    "Android can use only the latter.",
)
DEFAULT_ROUTE: Final = Words(
    "Trên bộ định tuyến đặt thời hạn bộ định tuyến (AdvDefaultLifetime) lớn hơn 0, thường là 1800 giây, "
    "và kiểm tra cổng WAN có tuyến mặc định IPv6.",
    "On the router set the router lifetime (AdvDefaultLifetime) above 0, usually 1800 seconds, "
    "and see that its WAN side has an IPv6 default route.",
)
FIREWALL_443: Final = Words(
    "Kiểm tra tường lửa IPv6 của bộ định tuyến có cho kết nối đi ra cổng 443 không, "
    "và cổng WAN có đến được Internet IPv6 không; nếu vẫn lỗi, báo nhà mạng.",
    "See that the router's IPv6 firewall lets connections out to port 443, "
    "and that its WAN side reaches the IPv6 Internet; if it stays, tell the provider.",
)
PMTU: Final = Words(
    "Cho phép ICMPv6 loại 2 (Packet Too Big) đi qua mọi tường lửa. Trong khi chờ: đặt MTU quảng bá trong RA "
    "(AdvLinkMTU) bằng MTU của đường WAN, ví dụ 1492 với PPPoE, hoặc 1280.",
    "Let ICMPv6 type 2 (Packet Too Big) through every firewall. Until then: advertise the WAN's MTU in the "
    "RA (AdvLinkMTU), for instance 1492 with PPPoE, or 1280.",
)
RESOLVER_6: Final = Words(
    "Kiểm tra máy chủ DNS ghi trong RA hoặc DHCPv6: có chạy, có nghe trên địa chỉ IPv6 và tường lửa có cho "
    "cổng 53 (UDP và TCP) qua IPv6 không; nếu không sửa được, đổi sang máy chủ DNS khác của nhà mạng.",
    "See that the resolver named in the RA or by DHCPv6 runs, listens on its IPv6 address, and that the "
    "firewall lets port 53 (UDP and TCP) through over IPv6; else name another resolver of the provider.",
)
RESOLVER_4: Final = Words(
    "Máy chủ DNS mà DHCP cấp phải trả lời bản ghi AAAA. Cập nhật hoặc thay máy chủ DNS; "
    "tắt mọi bộ lọc bỏ bản ghi AAAA.",
    "The resolver that DHCP names must answer for AAAA records. Update or replace it; "
    "switch off whatever filters AAAA records.",
)
NAT64: Final = Words(
    "Mạng không có IPv4 cần NAT64 và DNS64: bật trên bộ định tuyến hoặc đề nghị nhà mạng cung cấp, "
    "hoặc cấp lại IPv4 cho mạng LAN.",
    "A network without IPv4 needs NAT64 and DNS64: switch them on at the router or ask the provider, "
    "or give the LAN IPv4 again.",
)
ROGUE: Final = Words(
    "Tìm máy đang chia sẻ kết nối Internet (Windows ICS) hoặc bộ phát Wi-Fi cắm nhầm và tắt việc chia sẻ. "
    "Bật RA Guard (RFC 6105) trên bộ chuyển mạch nếu có.",
    "Find the PC that shares its Internet connection (Windows ICS), or a Wi-Fi box plugged in wrongly, and "
    "switch the sharing off. Switch RA Guard (RFC 6105) on at the switches if they have it.",
)
SIGN_IN: Final = Words(
    "Mở trình duyệt xem có trang đăng nhập mạng không và đăng nhập; đề nghị người quản lý mạng cho máy này "
    "đi thẳng, không qua trang đăng nhập hay bộ lọc. Nếu mạng không có trang nào như vậy: kiểm tra máy chủ "
    "DNS ghi trên bộ định tuyến có đúng của nhà mạng không, và chứng thư của đích có đúng tên không.",
    "See in a browser whether the network has a sign-in page, and sign in; ask whoever runs the network to "
    "let this computer past sign-in page and filter. If there is no such page: see that the resolvers set on "
    "the router are the provider's own, and that the target's certificate is for its name.",
)
NEITHER: Final = Words(
    "Kiểm tra đường truyền Internet trước. Nếu trường chỉ ra Internet qua máy chủ proxy: đề nghị mở đường đi "
    "thẳng đến các đích. Nếu Internet vẫn dùng được: báo người quản trị máy chủ kiểm tra các đích.",
    "See to the Internet line first. If the school reaches the Internet through a proxy alone: ask for a "
    "direct way to the targets. If the Internet works: tell the server's administrator to check them.",
)
CANNOT_LISTEN: Final = Words(
    "phần mềm đo không nghe mạng được (trên Windows; trên Linux khi thiếu quyền quản trị)",
    "the agent cannot listen (on Windows; on Linux when it lacks the right)",
)
"""What it means, beside its remedy: it says whose computers it is of."""

ANOTHER_PC: Final = Words(
    "Không phải lỗi của mạng. Muốn biết mức này: chạy schoolwatch-agent doctor với quyền quản trị "
    "trên một máy Linux trong cùng mạng.",
    "No fault of the network. To know this rung: run schoolwatch-agent doctor as administrator "
    "on a Linux computer of the same network.",
)
NEXT_HOP: Final = Words(
    "Kiểm tra bộ định tuyến có đang chạy không và tường lửa của nó có chặn ICMPv6 "
    "(Neighbor Discovery, loại 133 đến 137) không.",
    "See that the router runs, and that its firewall does not block ICMPv6 "
    "(Neighbor Discovery, types 133 to 137).",
)

SLOW: Final = Words(
    "IPv6 thông nhưng chậm: so sánh với IPv4 cùng đích; nếu chỉ IPv6 chậm, báo nhà mạng "
    "kèm thời gian đo được.",
    "IPv6 works but is slow: compare with IPv4 to the same target; if IPv6 alone is slow, tell the provider "
    "with the times measured.",
)
