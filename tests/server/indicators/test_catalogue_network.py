"""Indicators of lines and of the network on schools that were computed by hand, with the sums."""

from dataclasses import replace

import pytest

from judging import AT, DAY, judged, said
from schoolwatch_server.indicators.facts import (
    Contract,
    LineTests,
    Pair,
    Said,
    Site,
)
from schoolwatch_server.indicators.indicator import Counts

# --- lines: I-12, I-14, I-15, I-16 --------------------------------------------------------------------------

VNPT = Contract("VNPT", "fibre", 200.0, 100.0)
MOBILE = Contract("Viettel", "mobile", 30.0, None)
UNTOLD = Contract("VNPT", "", None, None)


@pytest.mark.parametrize(
    ("contracts", "fibre", "several"),
    [
        ((VNPT,), True, False),
        ((VNPT, MOBILE), True, True),
        ((MOBILE,), False, False),
        ((VNPT, replace(VNPT, provider=" vnpt ")), True, False),
        ((UNTOLD,), None, False),
        ((UNTOLD, MOBILE), None, True),
        ((VNPT, replace(MOBILE, provider="")), True, None),
        ((), None, None),
    ],
)
def test_contracts_say_fibre_and_providers(contracts: tuple, fibre, several) -> None:
    counts = Counts(contracts=contracts)
    for name, meets in (("fibre", fibre), ("several_providers", several)):
        got = judged(name, counts)
        assert (got.value, got.meets) == (None if meets is None else float(meets), meets)
        assert bool(got.reason) == (meets is None)


@pytest.mark.parametrize(
    ("students", "download", "target", "meets"),
    [
        # up to 400 pupils 20 Mbit/s, beyond them 50 kbit/s of each: 401 × 0.05 = 20.05, 1000 × 0.05 = 50
        (10, 20e6, 20, True),
        (400, 19.9e6, 20, False),
        (401, 20e6, 20.05, False),
        (1000, 50e6, 50, True),
    ],
)
def test_bandwidth_is_held_against_the_size_of_the_school(students, download, target, meets) -> None:
    counts = Counts(students_declared=students, line=LineTests(3, download, 10e6), contracts=(VNPT,))
    got = judged("bandwidth_standard", counts)
    assert (got.value, got.target, got.meets) == (
        pytest.approx(download / 1e6),
        pytest.approx(target),
        meets,
    )
    assert got.declared == 200.0  # as the contract says
    each = judged("bandwidth_per_student", counts)
    assert each.value == pytest.approx(download / 1e3 / students)


def test_a_line_is_measured_against_its_contract() -> None:
    # 150 of 200 Mbit/s are 75 %, under the pack's 80 %; up it is 90 of 100
    got = judged("line_of_contract", Counts(line=LineTests(3, 150e6, 90e6), contracts=(VNPT, MOBILE)))
    assert (got.value, got.meets) == (0.75, False)
    # 160 of 200 down are 80 %; 79 of 100 up are less and are told; of what nobody tested nothing is said
    for upload, value, way in ((79e6, 0.79, "upload"), (81e6, 0.8, "download"), (None, 0.8, "download")):
        told = judged("line_of_contract", Counts(line=LineTests(3, 160e6, upload), contracts=(VNPT, MOBILE)))
        assert (told.value, told.meets) == (pytest.approx(value), value >= 0.8)
        assert (way, 1) in told.parts
    assert judged("line_of_contract", Counts(contracts=(VNPT,))).reason == "no_tests"
    assert judged("line_of_contract", Counts(line=LineTests(3, 1e6))).reason == "no_contracts"
    none = Counts(students_declared=0, line=LineTests(3, 1e6))
    assert judged("bandwidth_per_student", none).reason == "no_students"
    assert judged("bandwidth_standard", Counts(students_declared=5)).meets is None


def test_online_teaching_needs_delay_and_upload() -> None:
    counts = Counts(devices_declared=10, quality=Pair(9, 10), line=LineTests(2, 50e6, 12e6))
    assert (judged("online_teaching", counts).value, judged("online_teaching", counts).meets) == (0.9, True)
    slow = replace(counts, line=LineTests(2, 50e6, 9e6))  # of 10 Mbit/s
    assert judged("online_teaching", slow).meets is False
    assert judged("online_teaching", slow).parts == (("slow_upload", 1),)


# --- the network: I-10, I-11 --------------------------------------------------------------------------------


SEVEN = said(network_diagram=1, firewall_ips=1, network_zones=1, network_monitored=1, second_line_plan=1)
"""With L5 and L8 of the computers these are seven of the ten checks."""

WIRED = Counts(devices_declared=10, link_known=10, wired=10, wired_100=9, clocks=Pair(10, 10))


def test_no_lan_passes_by_what_nobody_said() -> None:
    # L1, L2, L3, L5, L6, L7, L8 pass: seven of seven known; L4 and L9 are needed and unknown
    got = judged("lan_standard", replace(WIRED, said=SEVEN))
    assert (got.numerator, got.denominator, got.coverage, got.meets) == (7, 10, 0.7, None)
    assert got.value is None
    assert ("L5_yes", 1) in got.parts
    assert {("L4_yes", 0), ("L4_no", 0)} <= set(got.parts)


def test_a_lan_passes_by_what_is_measured_and_what_was_accepted() -> None:
    # with L4 and L9 accepted nine of ten are known and passed, the needed L2, L4, L8 and L9 among them
    both = replace(WIRED, said=SEVEN | said(managed_devices=1, secure_administration=1))
    got = judged("lan_standard", both)
    assert (got.value, got.coverage, got.meets, got.basis) == (0.9, 0.9, True, "hybrid")
    # L10 of 400 days ago is none: nine of ten passed, the tenth failed
    old = both.said | {"unknown_devices_checked": Said(1, "accepted", AT - 400 * DAY)}
    late = judged("lan_standard", replace(both, said=old))
    assert (late.value, late.meets) == (0.9, True)
    assert ("L10_no", 1) in late.parts
    # nine of ten are no use without a needed one: Telnet is open
    open_ = judged("lan_standard", replace(both, said=both.said | said(secure_administration=0)))
    assert (open_.value, open_.meets) == (0.8, False)


def test_few_computers_are_no_network() -> None:
    # 4 of 10 computers are seen, 40 %: that their clocks and ports are right says nothing of the others
    few = replace(WIRED, link_known=4, wired=4, wired_100=4, clocks=Pair(4, 4), said=SEVEN)
    parts = dict(judged("lan_standard", few).parts)
    assert (parts["L5_yes"], parts["L5_no"], parts["L8_yes"], parts["L8_no"]) == (0, 0, 0, 0)
    # where nobody declared how many there are, nothing is known either
    parts = dict(judged("lan_standard", replace(WIRED, devices_declared=None)).parts)
    assert (parts["L5_yes"], parts["L8_yes"]) == (0, 0)


def test_a_lan_without_a_firewall_fails_whatever_is_unknown() -> None:
    got = judged("lan_standard", Counts(said=said(firewall_ips=0)))
    assert (got.value, got.meets) == (None, False)
    old = {"network_diagram": Said(1, "accepted", AT - 400 * DAY)}
    assert ("L1_no", 1) in judged("lan_standard", Counts(said=old)).parts
    # four that failed leave at most six of the seven that are asked for
    no = said(network_zones=0, network_monitored=0, second_line_plan=0)
    assert judged("lan_standard", replace(WIRED, wired_100=8, said=no)).meets is False
    assert judged("lan_standard", replace(WIRED, said=no)).meets is None


V4 = said(website_ipv6=1)
NO_V4 = said(website_ipv6=0)
OLD_V4 = {"website_ipv6": Said(1, "accepted", AT - 400 * DAY)}


@pytest.mark.parametrize(
    ("rungs", "works", "claims", "step", "meets"),
    [
        ((10, 0, 0, 0, 0, 0), Pair(), {}, 0, False),
        # one of ten has a route: the line has a prefix
        ((5, 4, 0, 0, 0, 1), Pair(), {}, 1, False),
        # 9 of 10 are the 90 % of V2; of what nobody tried nothing is said
        ((1, 0, 0, 0, 0, 9), Pair(), {}, 2, None),
        ((1, 0, 0, 0, 0, 9), Pair(8, 10), {}, 2, False),
        # one that works of one that tried is not 90 % of ten: nine more may
        ((1, 0, 0, 0, 0, 9), Pair(1, 1), V4, 2, None),
        # two failed, so at most 8 of 10 can work
        ((1, 0, 0, 0, 0, 9), Pair(1, 3), V4, 2, False),
        # V3 is reached, of the website nobody said anything, or too long ago
        ((1, 0, 0, 0, 0, 9), Pair(9, 10), {}, 3, None),
        ((1, 0, 0, 0, 0, 9), Pair(9, 10), OLD_V4, 3, None),
        ((1, 0, 0, 0, 0, 9), Pair(9, 10), NO_V4, 3, False),
        ((1, 0, 0, 0, 0, 9), Pair(9, 10), V4, 4, True),
        # a website makes no network
        ((10, 0, 0, 0, 0, 0), Pair(), V4, 0, False),
    ],
)
def test_ipv6_is_told_as_far_as_it_is_known(rungs, works: Pair, claims, step: int, meets) -> None:
    counts = Counts(devices_declared=10, ipv6_known=10, ipv6_rung=rungs, ipv6_works=works, said=claims)
    got = judged("ipv6_transition", counts)
    assert (got.value, got.target, got.meets) == (step, 4.0, meets)
    assert (f"V{step}", 1) in got.parts
    assert ("V5", 0) in got.parts
    few = judged("ipv6_transition", replace(counts, devices_declared=20))
    assert (few.value, few.meets, few.reason) == (None, None, "coverage_below_floor")


def test_without_ipv4_is_told_apart_from_the_transition() -> None:
    ready = Counts(said=said(ipv6_only_tested=1))
    assert ("V5", 1) in judged("ipv6_transition", ready).parts
    assert judged("ipv6_transition", ready).meets is None


@pytest.mark.parametrize("name", ["lan_standard", "ipv6_transition"])
def test_what_is_asked_of_public_schools_is_asked_of_no_other(name: str) -> None:
    # one public school that fails, one private that would pass: 0 of 1, and not 1 of 2
    fails = Counts(
        devices_declared=10, ipv6_known=10, ipv6_rung=(10, 0, 0, 0, 0, 0), said=said(firewall_ips=0)
    )
    all_ = said(managed_devices=1, secure_administration=1, website_ipv6=1)
    passes = replace(
        WIRED, ipv6_known=10, ipv6_rung=(0, 0, 0, 0, 0, 10), ipv6_works=Pair(10, 10), said=SEVEN | all_
    )
    assert judged(name, passes).meets is True
    private = replace(passes, is_public=False)
    alone = judged(name, private)
    assert (alone.value is not None, alone.target, alone.meets) == (True, None, None)
    got = judged(name, fails, private, level="commune")
    assert (got.value, got.numerator, got.denominator) == (0.0, 0, 1)
    assert sum(count for part, count in got.parts if part in ("V0", "V4", "L2_yes", "L2_no")) == 1
    assert judged(name, private, level="commune").reason == "not_applicable"


# --- the website ------------------------------------------------------------------------------------------


def site(is_up: bool | None, is_trusted: bool | None = None, ipv6: bool | None = None) -> Site:
    return Site(is_up, is_trusted, ipv6, ipv6, AT + 40 * DAY, AT - 3600)


@pytest.mark.parametrize(
    ("seen", "value"),
    [
        (site(True, True), 1),
        (site(True, False), 0),
        (site(False), 0),
        (site(False, True), 0),
        (site(None, True), None),
        (site(True, None), None),
    ],
)
def test_a_website_is_what_the_server_saw_of_it_whatever_was_declared(seen: Site, value) -> None:
    for declared in ({}, said(website=1), said(website=0)):
        got = judged("website", Counts(site=seen, said=declared))
        assert (got.value, got.meets, got.basis) == (value, None if value is None else bool(value), "hybrid")
        assert got.reason == ("site_unknown" if value is None else "")
        assert got.declared == (declared["website"].value if declared else None)
        assert dict(got.parts) == {
            "looked": 1,
            "up": int(seen.is_up is True),
            "trusted": int(seen.is_trusted is True),
            "ipv6": 0,
        }


def test_a_website_that_nobody_looked_at_is_as_declared() -> None:
    got = judged("website", Counts(said=said(website=1)))
    assert (got.value, got.meets, got.declared_state) == (1, True, "accepted")
    assert judged("website", Counts()).reason == "no_claim"
    # of four schools one is down, one unknown: 2 of 3 known is under the coverage of 80 %; of five, 3 of 4
    four = [Counts(site=site(True, True)), Counts(said=said(website=1)), Counts(site=site(False))]
    few = judged("website", *four, Counts(site=site(None)), level="province")
    assert (few.value, few.coverage) == (None, 0.75)
    many = judged("website", *four, Counts(site=site(True, True)), Counts(site=site(None)), level="province")
    assert (many.value, many.numerator, many.denominator, many.coverage) == (0.75, 3, 4, 0.8)


def test_the_website_over_ipv6_is_what_the_server_saw_of_it() -> None:
    reached = Counts(
        devices_declared=10, ipv6_known=10, ipv6_rung=(1, 0, 0, 0, 0, 9), ipv6_works=Pair(9, 10), said=NO_V4
    )
    seen = judged("ipv6_transition", replace(reached, site=site(True, True, True)))
    assert (seen.value, seen.meets) == (4, True)
    assert judged("ipv6_transition", replace(reached, site=site(True, True, False), said=V4)).meets is False
    assert judged("ipv6_transition", replace(reached, site=site(None), said=V4)).meets is True
