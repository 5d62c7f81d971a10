"""Looks at real sites on loopback, which behave well and badly; names are those of a resolver of our own."""

import socket
import threading
import time
from pathlib import Path

import pytest

from schoolwatch_server.sites import visit
from schoolwatch_server.sites.address import Address
from schoolwatch_server.sites.look import OUR_LINE, Look, Tls, Way
from schoolwatch_server.sites.program import with_line
from schoolwatch_server.sites.visit import Line
from sitelab import OK, Authority, Names, Site, look_at, moves, says

NAME = "tot.vidu.vn"


@pytest.fixture(autouse=True)
def nobody_trusted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No authority of this machine is loaded, which takes longest of all."""
    monkeypatch.setenv("SSL_CERT_FILE", "/dev/null")
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))


@pytest.fixture
def names() -> Names:
    names = Names()
    names.put(NAME, "127.0.1.1")
    names.put("hai.vidu.vn", "127.0.1.1", "::1")
    names.put("chi6.vidu.vn", "::1")
    return names


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def test_a_good_site_without_ipv6_and_without_tls(names: Names) -> None:
    with Site() as site:
        url = f"http://{NAME}:{site.port}/"
        found = look_at(names, url, sites=[site])[url]
    assert (found.is_up, found.trouble, found.v4.status) == (True, "", 200)
    assert found.v4.seconds is not None
    assert 0 < found.v4.seconds < 20
    assert (found.v6.trouble, found.has_ipv6, found.has_https_over_ipv6) == ("no_record", False, False)
    assert found.leads_to_https is False
    [head] = [each for each in site.heads if each.startswith("GET")]
    told = head.lower()
    assert f"host: {NAME}" in told
    assert "cookie" not in told
    assert "referer" not in told
    assert "user-agent: schoolwatch" in told


def test_both_ways_over_tls_with_a_certificate_that_is_trusted(names: Names, authority: Authority) -> None:
    tls = authority.context("hai.vidu.vn", days=20)
    with Site(tls=tls) as v4, Site(ip="::1", port=v4.port, tls=tls) as v6:
        url = f"https://hai.vidu.vn:{v4.port}/"
        found = look_at(names, url, sites=[v4, v6], ca=authority.file)[url]
    assert (found.v4.status, found.v6.status) == (200, 200)
    assert (found.has_ipv6, found.has_https_over_ipv6) == (True, True)
    assert (found.tls.is_trusted, found.tls.trouble, found.tls.issuer) == (True, "", "CA thử")
    assert found.tls.version.startswith("TLSv1.")
    assert found.tls.expires_at is not None
    assert 19 < (found.tls.expires_at - time.time()) / 86400 <= 20


def test_a_site_over_ipv6_alone(names: Names) -> None:
    with Site(ip="::1") as site, Site() as ours:
        url = f"http://chi6.vidu.vn:{site.port}/"
        found = look_at(names, url, sites=[site, ours])[url]
    assert (found.is_up, found.v4.trouble, found.has_ipv6) == (True, "no_record", True)
    assert found.has_https_over_ipv6 is False


def test_an_ipv6_address_that_nothing_answers_at_is_no_ipv6(names: Names) -> None:
    with Site() as site, Site(ip="::1") as ours:
        url = f"http://hai.vidu.vn:{site.port}/"
        found = look_at(names, url, sites=[site, ours])[url]
    assert (found.is_up, found.v6.trouble, found.has_ipv6) == (True, "refused", False)


def test_where_our_own_line_lacks_ipv6_that_of_a_site_is_not_known(names: Names) -> None:
    with Site() as site:
        both, one = f"http://hai.vidu.vn:{site.port}/", f"http://{NAME}:{site.port}/"
        found = look_at(names, both, one, sites=[site])
    assert (found[both].is_up, found[both].v6.trouble, found[both].has_ipv6) == (True, "our_line", None)
    assert found[one].has_ipv6 is False, "DNS says so by itself"


@pytest.mark.parametrize(
    ("trouble", "host", "days", "is_ours", "self_signed"),
    [
        ("expired", NAME, -3, True, False),
        ("name", "khac.vidu.vn", 60, True, False),
        ("issuer", NAME, 60, False, False),
        ("self_signed", NAME, 60, True, True),
    ],
)
def test_a_certificate_that_browsers_refuse(
    names: Names, authority: Authority, trouble: str, host: str, days: float, is_ours: bool, self_signed: bool
) -> None:
    tls = authority.context(host, days=days, self_signed=self_signed)
    with Site(tls=tls) as site:
        url = f"https://{NAME}:{site.port}/"
        found = look_at(names, url, sites=[site], ca=authority.file if is_ours else None)[url]
    assert (found.tls.is_trusted, found.tls.trouble) == (False, trouble)
    assert found.tls.expires_at == pytest.approx(time.time() + days * 86400, abs=3600)
    assert found.is_up is True, "the page is there; that browsers warn is said beside it"


def test_a_site_that_speaks_no_tls_where_it_should(names: Names) -> None:
    with Site(says(b"HTTP/1.1 400 Bad\r\n\r\n"), is_hasty=True) as site:
        url = f"https://{NAME}:{site.port}/"
        found = look_at(names, url, sites=[site])[url]
    assert (found.is_up, found.v4.trouble) == (False, "tls")
    assert (found.tls.is_trusted, found.tls.trouble) == (False, "protocol")


def test_plain_http_leads_to_https(names: Names, authority: Authority) -> None:
    with Site(tls=authority.context(NAME)) as safe, Site(moves(f"https://{NAME}:{safe.port}/")) as plain:
        url = f"http://{NAME}:{plain.port}/"
        found = look_at(names, url, sites=[plain, safe], ca=authority.file)[url]
    assert (found.is_up, found.v4.is_https, found.leads_to_https) == (True, True, True)
    assert found.tls.is_trusted


@pytest.mark.parametrize(
    ("answer", "leads"),
    [(moves("https://tot.vidu.vn/"), True), (moves("/vi"), False), (says(OK), False), (None, None)],
)
def test_of_a_site_typed_with_https_the_plain_door_is_tried_too(
    names: Names, authority: Authority, monkeypatch: pytest.MonkeyPatch, answer, leads
) -> None:
    with Site(answer or says(OK)) as plain, Site(tls=authority.context(NAME)) as safe:
        monkeypatch.setattr(visit.addresses, "plain_of", lambda one: Address("http", one.host, plain.port))
        url = f"https://{NAME}:{safe.port}/"
        if answer is None:
            plain.close()
        known = (plain.port, safe.port)
        found = look_at(names, url, sites=[safe], ca=authority.file, ports=known)[url]
    assert (found.is_up, found.leads_to_https) == (True, leads)


def test_redirects_are_followed_five_times(names: Names) -> None:
    def answer(line: socket.socket, path: str) -> None:
        left = int(path[1:])
        (moves(f"/{left - 1}") if left else says(OK))(line, path)

    with Site(answer) as site:
        five, six = (f"http://{NAME}:{site.port}/{count}" for count in (5, 6))
        found = look_at(names, five, six, sites=[site])
    assert found[five].is_up is True
    assert (found[six].is_up, found[six].trouble) == (False, "redirects")


def test_a_loop_that_asks_for_a_cookie_is_no_site_that_is_down(names: Names) -> None:
    with Site(moves("/", "Set-Cookie: a=b")) as site, Site(moves("/")) as loop:
        cookie, plain = f"http://{NAME}:{site.port}/", f"http://{NAME}:{loop.port}/"
        found = look_at(names, cookie, plain, sites=[site, loop])
    assert (found[cookie].is_up, found[cookie].trouble) == (None, "cookies")
    assert (found[plain].is_up, found[plain].trouble) == (False, "redirects")
    assert "a=b" not in "".join(site.heads)


@pytest.mark.parametrize(
    ("status", "is_up", "trouble"),
    [
        (204, True, ""),
        (403, None, "denied"),
        (404, False, "status"),
        (429, None, "denied"),
        (503, False, "status"),
    ],
)
def test_what_an_answer_means(names: Names, status: int, is_up: bool | None, trouble: str) -> None:
    with Site(says(f"HTTP/1.1 {status} Said\r\nContent-Length: 0\r\n\r\n".encode())) as site:
        url = f"http://{NAME}:{site.port}/"
        found = look_at(names, url, sites=[site])[url]
    assert (found.is_up, found.trouble, found.v4.status) == (is_up, trouble, status)


def test_a_site_that_drips_holds_nothing(names: Names) -> None:
    def drip(line: socket.socket, path: str) -> None:
        for letter in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 10_000:
            line.sendall(bytes([letter]))
            time.sleep(0.05)

    def after(line: socket.socket, path: str) -> None:
        time.sleep(0.3)
        moves("/")(line, path)

    names.put("cham.vidu.vn", "127.0.1.2")
    with Site(drip) as site, Site(after, ip="127.0.1.2") as slow:
        drips, moved = f"http://{NAME}:{site.port}/", f"http://cham.vidu.vn:{slow.port}/"
        found = look_at(names, drips, moved, sites=[site, slow], seconds=0.5)
    assert (found[drips].is_up, found[drips].trouble) == (False, "timeout")
    assert (found[moved].is_up, found[moved].trouble) == (False, "timeout"), "all its answers have one time"


def test_neither_a_body_nor_a_head_is_read_without_end(names: Names) -> None:
    sent = {"body": 0, "head": 0}

    def pour(kind: str, first: bytes):
        def answer(line: socket.socket, path: str) -> None:
            line.sendall(first)
            while sent[kind] < 100_000_000:
                sent[kind] += line.send(b"X-More: " + b"a" * 65_000 + b"\r\n")

        return answer

    with (
        Site(pour("body", b"HTTP/1.1 200 OK\r\nContent-Length: 100000000000\r\n\r\n")) as body,
        Site(pour("head", b"HTTP/1.1 200 OK\r\n")) as head,
    ):
        endless, heads = (f"http://{NAME}:{each.port}/" for each in (body, head))
        found = look_at(names, endless, heads, sites=[body, head])
    assert found[endless].is_up is True
    assert (found[heads].is_up, found[heads].trouble) == (False, "broken")
    assert sent["body"] < 20_000_000
    assert sent["head"] < 40_000_000, "tried twice, and what the system holds between both ends"


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"\r\n",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://[\r\n\r\n",
    ],
)
def test_what_is_no_web_server_is_down(names: Names, said: bytes) -> None:
    with Site(says(said)) as site:
        url = f"http://{NAME}:{site.port}/"
        found = look_at(names, url, sites=[site])[url]
    assert found.is_up is False
    assert found.trouble in {"broken", "redirect"}


def test_a_name_that_is_not_there_and_one_whose_door_is_closed(names: Names) -> None:
    with Site() as site, Site() as gone:
        gone.close()
        nobody, closed = f"http://khong.vidu.vn:{site.port}/", f"http://{NAME}:{gone.port}/"
        found = look_at(names, nobody, closed, sites=[site], ports=(site.port, gone.port))
    assert (found[nobody].is_up, found[nobody].trouble, found[nobody].has_ipv6) == (False, "no_name", None)
    assert (found[closed].is_up, found[closed].trouble, found[closed].has_ipv6) == (False, "refused", False)


# --- the server's own network is nobody's to ask ------------------------------------------------------


@pytest.mark.parametrize(
    "place",
    [
        "http://127.0.0.1:{port}/",
        "http://127.0.0.2:{port}/",
        "http://noi-bo.vidu.vn:{port}/",
        "http://lan.vidu.vn:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://[::ffff:7f00:1]:{port}/",
        "http://[64:ff9b::7f00:1]:{port}/",
        "http://[fe80::1]:{port}/",
        "http://2130706433:{port}/",
        "http://0x7f.0.0.1:{port}/",
        "http://017700000001:{port}/",
        "http://localhost:{port}/",
        "//127.0.0.1:{port}/admin",
        "http://tot.vidu.vn@127.0.0.1:{port}/",
        "http://tot.vidu.vn\\@127.0.0.1:{port}/",
        "gopher://127.0.0.1:{port}/",
    ],
)
def test_a_redirect_leads_nobody_into_the_servers_own_network(names: Names, place: str) -> None:
    names.put("noi-bo.vidu.vn", "127.0.1.1", "127.0.0.1")
    names.put("lan.vidu.vn", "10.0.0.1", "192.168.1.1")
    names.put("localhost", "127.0.0.1")
    with Site(ip="127.0.0.1") as victim, Site(moves(place.format(port=victim.port))) as site:
        url = f"http://hai.vidu.vn:{site.port}/"
        with Site(moves(place.format(port=victim.port)), ip="::1", port=site.port) as other:
            known = (site.port, victim.port)
            found = look_at(names, url, sites=[site, other], ports=known)[url]
        assert found.is_up is not True
        assert found.trouble in {"forbidden", "redirect"}
        assert victim.connections == 0


@pytest.mark.parametrize(
    "addresses",
    ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::ffff:127.0.0.1", "fd00::1", "fe80::1", "64:ff9b::a00:1"],
)
def test_a_name_that_leads_there_is_not_asked(names: Names, addresses: str) -> None:
    names.put("xau.vidu.vn", addresses)
    with Site() as site:
        url = f"http://xau.vidu.vn:{site.port}/"
        found = look_at(names, url, sites=[site])[url]
    translated = addresses.startswith("64:")  # that is no address of the site at all
    assert found.is_up is (False if translated else None)
    assert found.trouble == ("no_record" if translated else "our_line" if ":" in addresses else "forbidden")


def test_of_several_addresses_one_that_is_forbidden_is_enough(names: Names) -> None:
    names.put("lan-lon.vidu.vn", "127.0.1.1", "127.0.0.1")
    with Site() as site:
        url = f"http://lan-lon.vidu.vn:{site.port}/"
        found = look_at(names, url, sites=[site])[url]
    assert (found.is_up, found.trouble) == (None, "forbidden")


def test_a_name_that_leads_elsewhere_the_second_time_gets_nobody_in(names: Names) -> None:
    """DNS rebinding: whatever is asked anew is looked at anew, and connections go where was looked."""
    with Site(ip="127.0.0.1") as victim, Site(ip="127.0.1.1", port=victim.port) as site, Site() as ours:
        url = f"http://doi.vidu.vn:{site.port}/"
        for first in range(4):
            names.then("doi.vidu.vn", *["127.0.1.1"] * first, "127.0.0.1")
            found = look_at(names, url, sites=[ours], ports=(site.port, ours.port))[url]
            assert found.is_up is not False
        assert victim.connections == 0
        names.then("doi.vidu.vn", "127.0.1.1")
        assert look_at(names, url, sites=[ours], ports=(site.port, ours.port))[url].is_up is True
        assert site.connections > 0


def test_a_port_that_no_site_has_is_not_asked(names: Names) -> None:
    with Site() as site, Site() as other:
        typed, moved = f"http://{NAME}:{other.port}/", f"http://{NAME}:{site.port}/"
        site._answer = moves(typed)
        found = look_at(names, typed, moved, sites=[site], ports=(site.port,))
    assert (found[typed].is_up, found[typed].trouble) == (None, "port")
    assert (found[moved].is_up, found[moved].trouble) == (None, "port")
    assert other.connections == 0


# --- our own line, and other people's servers ----------------------------------------------------------


def test_while_our_own_line_is_down_no_site_is_called_down_or_asked(names: Names) -> None:
    with Site() as site, Site() as gone:
        gone.close()
        url, port = f"http://{NAME}:{site.port}/", gone.port
        references = (f"127.0.1.1:{port}", "khong.vidu.vn:443")
        found = look_at(names, url, sites=[site], references=references)[url]
        assert found == OUR_LINE
        assert (found.is_up, found.has_ipv6, found.trouble) == (None, None, "our_line")
        assert site.connections == 0
        one_is_enough = (*references, f"127.0.1.1:{site.port}")
        assert look_at(names, url, sites=[site], references=one_is_enough)[url].is_up is True


def test_a_line_that_goes_meanwhile_takes_no_site_down() -> None:
    seen = Look(Way("timeout"), Way("no_record"))
    assert seen.is_up is False
    gone = with_line(seen, Line(v4=False, v6=False))
    assert (gone.is_up, gone.trouble, gone.v6.trouble) == (None, "our_line", "no_record")
    assert with_line(seen, Line(v4=True, v6=False)) == seen
    there = Look(Way("status", 503), Way("", 200))
    assert with_line(there, Line(v4=False, v6=True)).is_up is True


def test_sites_on_one_server_are_asked_one_after_the_other(names: Names) -> None:
    asked, together = threading.Lock(), list[str]()

    def answer(line: socket.socket, path: str) -> None:
        if not asked.acquire(blocking=False):
            together.append(path)
        else:  # over before it is answered: whoever has the answer may ask the next at once
            time.sleep(0.05)
            asked.release()
        line.sendall(OK)

    with Site(answer) as site, Site(ip="127.0.1.2") as other:
        urls = []
        for number in range(6):
            names.put(f"t{number}.vidu.vn", "127.0.1.1")
            urls.append(f"http://t{number}.vidu.vn:{site.port}/")
        names.put("rieng.vidu.vn", "127.0.1.2")
        urls.append(f"http://rieng.vidu.vn:{other.port}/")
        found = look_at(names, *urls, sites=[site, other], at_once=4)
    assert all(each.is_up for each in found.values())
    assert not together
    assert len([head for head in site.heads if head.startswith("GET")]) == 6


def test_one_lost_packet_takes_no_site_down(names: Names) -> None:
    tries = []

    def answer(line: socket.socket, path: str) -> None:
        tries.append(path)
        if len(tries) > 1:
            line.sendall(OK)

    with Site(answer) as site:
        url = f"http://{NAME}:{site.port}/"
        assert look_at(names, url, sites=[site])[url].is_up is True
    assert len(tries) == 2


@pytest.mark.parametrize(
    ("look", "is_up", "has_ipv6", "https"),
    [
        (Look(Way("", 200), Way("", 200, is_https=True), Tls()), True, True, True),
        (Look(Way("", 200), Way("status", 500, is_https=True), Tls()), True, True, False),
        (Look(Way("", 200), Way("denied", 403, is_https=True), Tls()), True, True, None),
        (Look(Way("", 200), Way("timeout"), Tls()), True, False, False),
        (Look(Way("timeout"), Way("timeout"), Tls()), False, None, None),
        (Look(Way("forbidden"), Way("timeout"), Tls()), None, None, None),
        (Look(Way("timeout"), Way("our_line"), Tls()), False, None, None),
        (Look(Way("no_record"), Way("our_line"), Tls()), None, None, None),
        (Look(Way("no_record"), Way("no_record"), Tls()), False, False, False),
        (Look(), None, None, None),
    ],
)
def test_what_is_told_of_a_site_by_both_ways(
    look: Look, is_up: bool | None, has_ipv6: bool | None, https: bool | None
) -> None:
    assert (look.is_up, look.has_ipv6, look.has_https_over_ipv6) == (is_up, has_ipv6, https)
