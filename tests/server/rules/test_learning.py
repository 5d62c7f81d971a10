"""What a school's network is known to have: first days, changes, a person's word, floods, many gateways."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from reports import Row
from schoolwatch_contract.records import Envelope, Reading
from schoolwatch_server import rules
from schoolwatch_server.rules.announced import announced
from schoolwatch_server.rules.follow import Cleared, Ended, Occurrence, follow
from schoolwatch_server.rules.learning import KNOWN_MAX, OTHERS, SAYS_MAX, STRANGERS_MAX, Learnt, Listening
from schoolwatch_server.rules.memory import LISTENING, Memory, pack, unpack
from schoolwatch_server.rules.sighted import Seen, part_of
from schoolwatch_server.rules.silence import fall_quiet
from schoolwatch_server.rules.subject import Subject, device

T = 1_800_000_000.0
HOUR, DAY = 3600.0, 86_400.0
ALL = {rule.id: rule for rule in rules.load()}
DHCP = ALL["dhcp_server_new"]
GATEWAY, SCHOOL = 7, 3
OURS = {"server": "10.0.0.1", "router": "10.0.0.1", "resolvers": "10.0.0.1"}


class Lan:
    """A school's gateways, from the hour on in which the first of them begins to listen."""

    def __init__(self, rule=DHCP, school: int = SCHOOL) -> None:
        self.rule, self.school = rule, school
        self.rules = [rule, *(one for one in ALL.values() if one.known_by == rule.id)]
        self.memory: Memory = {}
        self.rows = 0
        self.told: list[Occurrence] = []
        self.cleared: Cleared = {}
        self.ended: Ended = {}
        self.listen()

    def listen(self, hours: float = 0, gateway: int = GATEWAY, nic: str = "lan0", up: float = 1.0) -> None:
        readings = (Reading("sensor.up", up, {"nic": nic}),)
        self.rows += 1
        row = Row(self.rows, gateway, T + hours * HOUR)
        self._play(row, Envelope(1, row.taken_at, "1", readings), [])

    def see(
        self,
        hours: float,
        subject: str,
        *,
        gateway: int = GATEWAY,
        late: float = 0.0,
        kind: str = "",
        **detail: str,
    ) -> list[str]:
        """What comes of it; `late`: hours after which it came."""
        self.rows += 1
        at = T + hours * HOUR
        seen = Seen(
            self.rows, kind or self.rule.condition.sighting, subject, {"nic": "lan0", **detail},
            at, at + late * HOUR, bool(late), gateway, self.school,
        )  # fmt: skip
        row = Row(self.rows, gateway, at, late=bool(late), arrived=seen.arrived_at)
        self.listens_until(hours + late)
        return self._play(row, None, [seen])

    def listens_until(self, hours: float) -> None:
        """All gateways have listened without a gap since they began, as their reports say."""
        for kept in self.memory.values():
            if isinstance(held := kept.get(LISTENING), Listening):
                spans = {nic: ((since, T + hours * HOUR),) for nic, since in held.since.items()}
                kept[LISTENING] = replace(held, spans={nic: spans[nic] for nic in held.spans})

    def _play(self, row: Row, envelope: Envelope | None, sightings: list[Seen]) -> list[str]:
        changed, told = follow(
            self.rules, [(row, envelope)], self.memory, sightings={row.id: sightings}, cleared=self.cleared,
            ended=self.ended,
        )  # fmt: skip
        self.memory |= changed
        self.told += told
        return [one.event.kind for one in told]

    def clear(self, hours: float, part: str, rule: str = "") -> None:
        """A person closes the incident about it as no fault."""
        about = Subject("school", self.school, part)
        self.cleared = {**self.cleared, (rule or self.rule.id, about): (T + hours * HOUR,)}

    def end(self, hours: float, part: str) -> None:
        """A person says that it is known no more."""
        about = self.rule.id, Subject("school", self.school, part)
        self.ended = {**self.ended, about: (*self.ended.get(about, ()), T + hours * HOUR)}


def test_what_is_there_in_the_first_days_is_known_and_what_comes_later_is_an_incident_of_the_school() -> None:
    lan = Lan()
    assert lan.see(1, "ours", **OURS) == []
    assert lan.see(6 * 24, "printer", server="10.0.0.5") == []
    assert lan.see(8 * 24, "ours", **OURS) == []
    assert lan.see(8 * 24, "rogue", server="192.168.1.1", resolvers="192.168.1.1") == ["opened"]
    assert lan.see(8 * 24 + 1, "rogue", server="192.168.1.1", resolvers="192.168.1.1") == ["again"]
    assert {one.subject for one in lan.told} == {Subject("school", SCHOOL, "rogue")}
    assert lan.told[0].event.last.device == GATEWAY


def test_learning_goes_by_when_the_sensor_began_so_that_the_first_server_of_a_quiet_network_is_new() -> None:
    lan = Lan()
    assert lan.see(30 * 24, "rogue", **OURS) == ["opened"]


def test_where_no_sensor_said_that_it_listens_learning_begins_with_what_it_sees_first() -> None:
    lan = Lan()
    lan.memory.clear()
    assert lan.see(1, "ours", **OURS) == []
    assert lan.see(1 + 7 * 24, "rogue", **OURS) == ["opened"]


def test_a_deaf_sensor_learns_nothing_yet() -> None:
    lan = Lan()
    lan.memory.clear()
    lan.listen(up=0.0)
    lan.listen(20 * 24)
    assert lan.see(21 * 24, "ours", **OURS) == []


def test_a_new_gateway_learns_its_own_segment_and_knows_what_its_school_knows() -> None:
    lan = Lan()
    lan.see(1, "ours", **OURS)
    lan.listen(100 * 24, gateway=8)
    assert lan.see(101 * 24, "ours", gateway=8, **OURS) == []
    assert lan.see(101 * 24, "of the lab", gateway=8, server="10.1.0.1") == []
    assert lan.see(200 * 24, "of the lab", gateway=8, server="10.1.0.1") == []
    assert lan.see(200 * 24, "rogue", server="10.1.0.9") == ["opened"]


def test_what_a_new_gateway_learned_is_new_to_one_that_has_listened_for_long() -> None:
    """Else whoever plugs in something while a second gateway is put up would be the school's own."""
    lan = Lan()
    lan.see(1, "ours", **OURS)
    lan.listen(100 * 24, gateway=8)
    assert lan.see(101 * 24, "rogue", gateway=8, server="10.0.0.9") == []
    assert lan.see(101 * 24 + 1, "rogue", server="10.0.0.9") == ["opened"]
    assert lan.see(101 * 24 + 2, "rogue", gateway=8, server="10.0.0.9") == ["again"], "of the same one"
    assert {(one.rule.id, one.subject.part) for one in lan.told} == {("dhcp_server_new", "rogue")}


def test_so_is_what_a_known_server_gave_anew_in_a_new_gateways_first_days() -> None:
    lan, other = Lan(), {**OURS, "resolvers": "6.6.6.6"}
    lan.see(1, "ours", **OURS)
    lan.listen(100 * 24, gateway=8)
    assert lan.see(101 * 24, "ours", gateway=8, **other) == []
    assert lan.see(101 * 24 + 1, "ours", **other) == ["opened"]
    assert (lan.told[-1].rule.id, lan.told[-1].event.last.detail["before"]) == (
        "dhcp_server_changed",
        "server 10.0.0.1 · router 10.0.0.1 · resolvers 10.0.0.1",
    )
    lan.clear(101 * 24 + 2, "ours", "dhcp_server_changed")
    assert lan.see(101 * 24 + 3, "ours", **other) == ["known"]
    assert lan.see(150 * 24, "ours", gateway=8, **other) == lan.see(150 * 24, "ours", **other) == []


def test_what_came_out_of_order_in_the_first_days_stays_known() -> None:
    """A gateway without a line sends what is newest first: it had listened for long before we knew."""
    lan = Lan()
    lan.memory.clear()
    assert lan.see(20 * 24, "ours", **OURS) == []
    lan.listen(0)
    assert lan.see(1, "ours", late=21 * 24, **OURS) == []
    assert lan.see(22 * 24, "ours", **OURS) == []
    assert lan.see(22 * 24, "rogue", **OURS) == ["opened"]


def test_an_open_stranger_does_not_become_known_to_a_gateway_that_comes_then() -> None:
    lan = Lan()
    lan.see(20 * 24, "rogue", **OURS)
    lan.listen(20 * 24 + 1, gateway=8)
    assert lan.see(20 * 24 + 2, "rogue", gateway=8, **OURS) == ["again"]
    assert {str(one.subject) for one in lan.told} == {f"school:{SCHOOL}:rogue"}


def test_a_known_server_that_gives_other_resolvers_is_an_incident_that_says_what_was_known() -> None:
    lan = Lan()
    lan.see(1, "ours", **OURS)
    assert lan.see(9 * 24, "ours", **{**OURS, "resolvers": "6.6.6.6"}) == ["opened"]
    assert lan.told[-1].rule.id == "dhcp_server_changed"
    detail = lan.told[-1].event.last.detail
    assert detail["resolvers"] == "6.6.6.6"
    assert detail["before"] == "server 10.0.0.1 · router 10.0.0.1 · resolvers 10.0.0.1"
    assert lan.see(9 * 24 + 1, "ours", **OURS) == [], "what is known stays known"


def test_an_answer_that_gives_less_is_no_change_and_one_that_gives_more_is_one() -> None:
    """What a DHCP server answers depends on what it was asked for."""
    lan = Lan()
    lan.see(1, "ours", **{**OURS, "resolvers": "10.0.0.1 8.8.8.8"})
    assert lan.see(9 * 24, "ours", server="10.0.0.1", resolvers="8.8.8.8") == []
    assert lan.see(9 * 24 + 1, "ours", server="10.0.0.1") == []
    assert lan.see(9 * 24 + 2, "ours", server="10.0.0.1", resolvers="8.8.8.8 6.6.6.6") == ["opened"]
    assert (
        lan.told[-1].event.last.detail["before"]
        == "server 10.0.0.1 · router 10.0.0.1 · resolvers 10.0.0.1 8.8.8.8"
    )


def test_what_a_person_calls_no_fault_is_known_from_then_on_until_it_changes() -> None:
    lan = Lan()
    new = {"server": "10.0.0.7", "router": "10.0.0.1", "resolvers": "10.0.0.1"}
    assert lan.see(9 * 24, "new", **new) == ["opened"]
    lan.clear(9 * 24 + 2, "new")
    assert lan.see(9 * 24 + 3, "new", **new) == ["known"]
    assert lan.see(40 * 24, "new", **new) == []
    assert lan.see(41 * 24, "new", **{**new, "router": "10.0.0.7"}) == ["opened"]
    assert lan.see(41 * 24, "other", **new) == ["opened"]


def test_what_a_known_server_gives_anew_is_known_once_a_person_says_so() -> None:
    lan, other = Lan(), {**OURS, "resolvers": "6.6.6.6"}
    lan.see(1, "ours", **OURS)
    assert lan.see(9 * 24, "ours", **other) == ["opened"]
    lan.clear(9 * 24 + 1, "ours", "dhcp_server_changed")
    assert lan.see(9 * 24 + 2, "ours", **other) == ["known"]
    assert lan.see(10 * 24, "ours", **OURS) == lan.see(11 * 24, "ours", **other) == []
    lan.cleared = {}
    assert lan.see(12 * 24, "ours", **OURS) == [], "the word was about what is new, not about the machine"
    assert lan.see(12 * 24, "ours", **other) == ["opened"]
    assert {one.rule.id for one in lan.told} == {"dhcp_server_changed"}


def test_where_changes_are_switched_off_a_known_server_opens_nothing() -> None:
    lan = Lan()
    lan.rules[1] = replace(lan.rules[1], enabled=False)
    lan.see(1, "ours", **OURS)
    assert lan.see(9 * 24, "ours", **{**OURS, "resolvers": "6.6.6.6"}) == []
    assert lan.see(9 * 24, "rogue", **OURS) == ["opened"]


def test_what_a_person_ends_is_unknown_from_then_on_also_in_the_first_days() -> None:
    lan = Lan()
    lan.see(1, "ours", **OURS)
    lan.see(2, "rogue", **OURS)
    lan.end(3, "rogue")
    assert lan.see(2.5, "rogue", late=0.4, **OURS) == [], "before it was said"
    assert lan.see(4, "rogue", **OURS) == ["opened"]
    assert lan.see(5, "rogue", **OURS) == ["again"]
    assert lan.see(6, "ours", **OURS) == []
    assert {one.rule.id for one in lan.told} == {DHCP.id}
    lan.clear(7, "rogue")
    assert lan.see(8, "rogue", **OURS) == ["known"]
    assert lan.see(9, "rogue", **OURS) == []
    lan.end(10, "rogue")
    assert lan.see(11, "rogue", **OURS) == ["opened"], "the earlier word is not asked again"


def test_when_something_known_was_last_seen_is_remembered_to_a_day() -> None:
    lan, memories = Lan(), []
    for hours in (1, 2, 30, 31, 8 * 24):
        lan.see(hours, "ours", **OURS)
        memories.append(lan.memory[Subject("school", SCHOOL)][DHCP.id].seen["ours"])
    first, day, week = T + HOUR, T + 30 * HOUR, T + 8 * DAY
    assert memories == [(first, first), (first, first), (first, day), (first, day), (first, week)]


@pytest.mark.parametrize(
    ("rule", "part", "details"),
    [
        ("arp_spoofed", "gateway 10.0.0.1", {"role": "gateway", "address": "10.0.0.1"}),
        ("nd_spoofed", "gateway", {"role": "gateway"}),
    ],
)
def test_who_takes_a_routers_address_is_known_by_a_persons_word_alone(
    rule: str, part: str, details: dict[str, str]
) -> None:
    """Two routers that stand in for each other; and somebody else, who poses as them later."""
    lan = Lan(ALL[rule])
    assert lan.see(1, "second", **details) == ["opened"], "nothing is learned by itself"
    assert lan.see(2, "first", **details) == ["again"]
    lan.clear(3, part)
    assert [lan.see(4, "second", **details), lan.see(5, "first", **details)] == [["known"], ["known"]]
    for day in range(2, 40):
        assert lan.see(day * 24, "second", **details) == lan.see(day * 24 + 1, "first", **details) == []
    assert lan.see(41 * 24, "bad", **details) == ["opened"]
    assert lan.told[-1].event.last.detail["before"] == "subject first second"
    lan.cleared = {}
    assert lan.see(50 * 24, "second", **details) == ["closed", "opened"], "the word was taken back"


def test_a_word_about_one_address_teaches_nothing_about_another() -> None:
    lan = Lan(ALL["arp_spoofed"])
    lan.see(1, "second", role="gateway", address="10.0.0.1")
    lan.clear(2, "gateway 10.0.0.1")
    assert lan.see(3, "second", role="gateway", address="10.0.0.1") == ["known"]
    assert lan.see(4, "second", role="gateway", address="10.9.0.1") == ["opened"]
    assert lan.see(5, "second", role="own", address="10.0.0.1") == ["opened"]


def test_a_word_that_was_taken_back_holds_no_more() -> None:
    lan = Lan()
    lan.see(9 * 24, "new", **OURS)
    lan.clear(9 * 24 + 2, "new")
    lan.see(9 * 24 + 3, "new", **OURS)
    lan.cleared = {}
    assert lan.see(9 * 24 + 4, "new", **OURS) == ["opened"]


def test_what_was_announced_otherwise_before_the_word_was_not_what_it_was_about() -> None:
    lan = Lan()
    lan.see(9 * 24, "new", resolvers="10.0.0.1")
    lan.clear(9 * 24 + 2, "new")
    assert lan.see(9 * 24 + 3, "new", resolvers="6.6.6.6") == ["again"]


def test_what_comes_late_of_the_first_days_is_known_and_a_late_stranger_is_one_late_incident() -> None:
    lan = Lan()
    assert lan.see(24, "ours", late=24 * 10, **OURS) == []
    assert lan.see(24 * 9, "rogue", late=24 * 5, **OURS) == ["opened"]
    assert lan.see(24 * 10, "rogue", late=24 * 4, **OURS) == ["again"]
    assert lan.see(24 * 9 + 5, "rogue", late=24 * 5, **OURS) == []
    assert lan.told[0].event.late
    assert lan.told[0].event.since == T + 9 * DAY
    assert lan.told[0].event.last.arrived_at == T + 14 * DAY


def test_a_flood_of_faked_routers_is_ten_incidents_and_one_of_all_the_others() -> None:
    lan = Lan()
    for number in range(300):
        lan.see(10 * 24 + number / 100, f"fake{number}", **OURS)
    opened = [one.subject.part for one in lan.told if one.event.kind == "opened"]
    assert len(opened) == STRANGERS_MAX + 1
    assert opened[-1] == OTHERS
    assert sum(len(kept) for kept in lan.memory.values()) < 20, "and what is remembered has a bound"
    lan.listens_until(12 * 24)
    _, closed = fall_quiet([DHCP], lan.memory, T + 12 * DAY)
    assert [one.event.kind for one in closed] == ["closed"] * (STRANGERS_MAX + 1)


def test_a_flood_in_the_first_days_fills_no_memory_and_hides_nothing() -> None:
    lan = Lan()
    lan.see(1, "ours", **OURS)
    for number in range(200):
        lan.see(2 + number / 100, f"fake{number}", **OURS)
    (learnt,) = [kept for each in lan.memory.values() for kept in each.values() if isinstance(kept, Learnt)]
    assert len(learnt.known) == KNOWN_MAX
    assert lan.told[0].event.kind == "opened"
    assert lan.see(8 * 24, "ours", **OURS) == []


def test_a_machine_that_announces_ever_new_things_in_the_first_days_is_not_known_with_all_of_them() -> None:
    lan = Lan()
    for number in range(100):
        lan.see(1 + number / 100, "ours", resolvers=f"10.0.0.{number}")
    assert "opened" in [one.event.kind for one in lan.told]
    (learnt,) = [kept for each in lan.memory.values() for kept in each.values() if isinstance(kept, Learnt)]
    assert len(learnt.known["ours"]) == SAYS_MAX


def test_a_device_of_no_school_keeps_its_own() -> None:
    lan = Lan(school=0)
    lan.see(1, "ours", **OURS)
    lan.see(9 * 24, "rogue", **OURS)
    assert [one.subject for one in lan.told] == [Subject("device", GATEWAY, "rogue")]


def test_what_a_restart_reads_back_is_what_was_remembered() -> None:
    lan = Lan()
    kept = lan.memory[device(GATEWAY)]
    assert unpack(pack(kept)) == kept == {LISTENING: Listening({"lan0": T}, {"lan0": ((T, T),)})}


def test_a_row_that_is_judged_twice_changes_nothing() -> None:
    lan = Lan()
    lan.see(9 * 24, "rogue", **OURS)
    memory = dict(lan.memory)
    lan.rows -= 1
    assert lan.see(9 * 24, "rogue", **OURS) == []
    assert lan.memory == memory


@pytest.mark.parametrize(
    ("rule", "details"),
    [
        ("router_killed", {"by": "other", "router": "r"}),
        ("arp_spoofed", {"role": "gateway", "address": "10.0.0.1"}),
        ("arp_spoofed", {"role": "own"}),
        ("nd_spoofed", {"role": "gateway"}),
        ("dad_denied", {"answers": "3"}),
    ],
)
def test_what_is_hostile_opens_on_the_first_day(rule: str, details: dict[str, str]) -> None:
    assert ALL[rule].is_attack
    assert Lan(ALL[rule]).see(1, "bad", **details) == ["opened"]


@pytest.mark.parametrize(
    ("rule", "details"),
    [
        ("router_killed", {"by": "itself", "router": "r"}),
        ("arp_spoofed", {"role": "other"}),
        ("arp_conflict", {"role": "other", "changes": "3"}),
        ("arp_conflict", {"role": "other"}),
        ("arp_conflict", {"role": "other", "changes": "many"}),
        ("arp_conflict", {"role": "gateway", "address": "10.0.0.1", "changes": "9"}),
        ("nd_spoofed", {"role": "other"}),
        ("dad_denied", {"answers": "2"}),
    ],
)
def test_what_is_usual_opens_nothing(rule: str, details: dict[str, str]) -> None:
    assert Lan(ALL[rule]).see(100 * 24, "some", **details) == []


def test_an_address_that_goes_to_and_fro_is_one_incident_whoever_of_the_two_is_told() -> None:
    lan = Lan(ALL["arp_spoofed"])
    kinds = [
        kind
        for minute, who in enumerate(["bad", "router", "bad", "router"])
        for kind in lan.see(
            24 + minute / 60, who, gateway=GATEWAY + minute % 2, role="gateway", address="10.0.0.1"
        )
    ]
    assert kinds == ["opened", "again", "again", "again"]


def test_what_a_sensor_tells_for_an_hour_is_one_sighting() -> None:
    lan = Lan(ALL["arp_spoofed"])
    told = [lan.see(24, "bad", role="gateway", address="10.0.0.1") for _ in range(4)]
    assert told == [["opened"], [], [], []]


@pytest.mark.parametrize(
    ("prefixes", "other", "is_same"),
    [
        ("2402:800:6102:1::/64", "2402:800:7aaa:9::/64", True),  # one provider, another day
        ("2402:800:6102:1::/64", "2001:ee0:1:2::/64", False),
        ("fd12:3456:789a:1::/64", "fd12:3456:789a:2::/64", True),
        ("fd12:3456:789a:1::/64", "fd12:3456:789b:1::/64", False),
        ("fe80::1", "fe80::2", False),
        ("fe80::1", "FE80:0:0::0001", True),
        ("fe80::1%eth0", "fe80::1%eth1", False),
        ("fe80::1%", "fe80::1%", True),
        ("10.0.0.1 10.0.0.2", "10.0.0.2 10.0.0.1", True),
        ("10.0.0.1", "10.0.0.2", False),
        ("", "10.0.0.2", False),
        ("no address", "no address", True),
    ],
)
def test_the_same_announcement_is_the_same_when_a_provider_gives_another_prefix(
    prefixes: str, other: str, *, is_same: bool
) -> None:
    by = ("prefixes",)
    said = announced(by, {"prefixes": prefixes}), announced(by, {"prefixes": other})
    assert (set(said[0]) == set(said[1])) is is_same


steps = st.lists(
    st.tuples(st.integers(0, 400), st.sampled_from("abc"), st.sampled_from("xy"), st.sampled_from([7, 8])),
    max_size=30,
)


hours = st.integers(0, 400)


@given(steps, st.lists(st.integers(1, 5), min_size=1, max_size=9), hours, hours)
def test_batches_change_nothing(
    entries: list[tuple[int, str, str, int]], sizes: list[int], cleared_at: int, ended_at: int
) -> None:
    told: Mapping[int, list[Seen]] = {
        n: [
            Seen(n, "dhcp.offer", who, {"nic": "l", "router": says}, T + h * HOUR, T + h * HOUR, False, by, 3)
        ]
        for n, (h, who, says, by) in enumerate(entries, 1)
    }
    both = [DHCP, ALL["dhcp_server_changed"]]
    cleared = {(rule.id, Subject("school", 3, "a")): (T + cleared_at * HOUR,) for rule in both}
    ended = {(DHCP.id, Subject("school", 3, "b")): (T + ended_at * HOUR,)}
    rows = [(Row(n, seen[0].device, seen[0].seen_at), None) for n, seen in told.items()]
    whole_memory, whole = follow(both, rows, {}, sightings=told, cleared=cleared, ended=ended)
    memory: Memory = {}
    parts: list[Occurrence] = []
    start = 0
    while start < len(rows):
        size = sizes[start % len(sizes)]
        changed, more = follow(
            both, rows[start : start + size], memory, sightings=told, cleared=cleared, ended=ended
        )
        memory |= changed
        parts += more
        start += size
    assert parts == list(whole)
    assert memory == whole_memory
    assert all(part_of(DHCP, seen) in "abc" for each in told.values() for seen in each)
