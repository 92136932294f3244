"""The enforcing gate without a kernel: what it tells netfilter, what it remembers, what it books."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from captive_portal.gate.configure import read_addresses, warnings_of
from captive_portal.gate.day_key import KeptDayKey
from captive_portal.gate.elements import RATE_UP, VISITS, Pass, end_visit, open_visit, replace_all
from captive_portal.gate.neighbours import decode_all, decode_answer, encode_question
from captive_portal.gate.netlink_wire import (
    HEADERS,
    Item,
    attributes,
    changed,
    decode,
    encode_batch,
    items,
)  # fmt: skip
from captive_portal.gate.nft import GatePolicy, NftGate, is_rotating
from captive_portal.gate.nft_runner import ArgvNft, NftRefused
from captive_portal.gate.ruleset import GuestSide, render_inet, render_tables
from captive_portal.gate.simulator import SimulatedKernel
from captive_portal.gate.store import LiveVisit, VisitStore
from captive_portal.gate.visits import EndCause, GateCause, GateStats, GateTrouble, Limits, Visit
from captive_portal.pseudonym import DAY_MS, DayKey
from captive_portal.simulator import SimulatedClock

MAC = "02:00:00:00:00:05"
KEY = bytes.fromhex("020000000005")
IP = "10.66.0.5"
SIDE = GuestSide("br-guest", "eth0", 8380)


@dataclass
class Neighbourhood:
    """10.66.0.N is behind 02:00:00:00:00:0N, while present."""

    present: bool = True

    def mac_of(self, ip: str) -> str | None:
        if not self.present or not ip.startswith("10.66.0."):
            return None
        return f"02:00:00:00:00:{int(ip.rpartition('.')[2]):02x}"

    def crowds(self) -> dict[str, int]:
        return {MAC: 9, "02:00:00:00:00:06": 1}


@dataclass
class Bench:
    gate: NftGate
    kernel: SimulatedKernel
    neighbours: Neighbourhood
    clock: SimulatedClock
    folder: Path

    def reborn(self) -> NftGate:
        """The gate's process died and began again; kernel and memory file system lived on."""
        return _gate(self)


def _gate(bench: Bench) -> NftGate:
    return NftGate(
        GatePolicy(SIDE, max_open=3),
        bench.kernel,
        bench.neighbours,
        VisitStore(bench.folder / "visits.ndjson"),
        bench.clock.ms,
        DayKey(bench.clock.ms),
    )


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench.__new__(Bench)
    made.clock, made.folder = SimulatedClock(), tmp_path
    made.kernel, made.neighbours = SimulatedKernel(made.clock.ms), Neighbourhood()
    made.gate = _gate(made)
    assert made.gate.start() == 0
    return made


@pytest.fixture
def clock_of_day() -> SimulatedClock:
    return SimulatedClock()


def _used(bench: Bench) -> dict[bytes, int]:
    return {item.key: item.used for item in bench.kernel.dump(VISITS)}


def test_a_grant_is_one_element_with_its_time_and_its_bytes(bench: Bench) -> None:
    visit = bench.gate.grant(IP, 7200, Limits(bytes=10**9))

    assert isinstance(visit, Visit)
    assert MAC not in repr(visit)
    assert (visit.seconds_left, visit.bytes_left, visit.rotating) == (7200, 10**9, True)
    assert bench.kernel.get(VISITS, KEY) == Item(KEY, 7_200_000, 0)


def test_a_second_grant_replaces_time_and_bytes_and_books_the_first(bench: Bench) -> None:
    bench.gate.grant(IP, 100)
    bench.kernel.pass_bytes(MAC, 500)

    visit = bench.gate.grant(IP, 50, Limits(bytes=1000, rate_up_kib_s=64))

    assert isinstance(visit, Visit)
    assert (visit.seconds_left, visit.bytes_used) == (50, 0)
    assert bench.kernel.get(RATE_UP, KEY) is not None
    told = bench.gate.ended()
    assert isinstance(told, tuple)
    assert [(e.cause, e.bytes) for e in told] == [(EndCause.REPLACED, 500)]


def test_who_is_not_on_the_guest_side_is_refused(bench: Bench) -> None:
    answer = bench.gate.grant("192.0.2.1", 60)

    assert isinstance(answer, GateTrouble)
    assert answer.cause is GateCause.UNKNOWN_NEIGHBOUR
    assert bench.kernel.dump(VISITS) == []


def test_when_the_kernel_refuses_nothing_is_remembered(bench: Bench) -> None:
    bench.kernel.refusal = NftRefused("Operation not permitted")

    answer = bench.gate.grant(IP, 60)

    assert isinstance(answer, GateTrouble)
    assert answer.cause is GateCause.FIREWALL
    assert bench.gate.visits() == ()


def test_a_full_site_refuses_the_next_device(bench: Bench) -> None:
    for n in (5, 6, 7):
        bench.gate.grant(f"10.66.0.{n}", 60)

    answer = bench.gate.grant("10.66.0.8", 60)

    assert isinstance(answer, GateTrouble)
    assert answer.cause is GateCause.FULL
    bench.clock.pass_seconds(60)
    assert isinstance(bench.gate.grant("10.66.0.8", 60), Visit)


def test_visits_survive_a_crash_with_what_they_used(bench: Bench) -> None:
    bench.gate.grant(IP, 100, Limits(bytes=1000))
    bench.kernel.pass_bytes(MAC, 400)
    bench.clock.pass_seconds(30)
    built = len(bench.kernel.texts)

    again = bench.reborn()

    assert again.start() == 1
    assert bench.kernel.get(VISITS, KEY) == Item(KEY, 70_000, 400)
    assert again.restore() == 1
    assert bench.kernel.get(VISITS, KEY) == Item(KEY, 70_000, 400)
    assert len(bench.kernel.texts) == built, "a whole firewall is not taken away"
    look = again.look(IP)
    assert isinstance(look, Visit)
    assert look.bytes_left == 600


def test_whoever_is_in_the_kernel_without_being_in_the_books_is_put_out(bench: Bench) -> None:
    bench.gate.grant(IP, 100)
    bench.kernel.apply(open_visit(Pass("02:00:00:00:00:09", 9, 60_000, Limits())))

    assert bench.reborn().start() == 1
    assert _used(bench) == {KEY: 0}


def test_ended_and_revoked_visits_do_not_come_back(bench: Bench) -> None:
    bench.gate.grant(IP, 100)
    bench.gate.grant("10.66.0.6", 10)
    bench.gate.revoke(IP)
    bench.clock.pass_seconds(20)

    assert bench.reborn().start() == 0
    assert bench.kernel.dump(VISITS) == []


def test_a_visit_that_ended_while_the_gate_was_down_is_still_booked(bench: Bench) -> None:
    bench.gate.grant(IP, 10)
    bench.clock.pass_seconds(60)

    again = bench.reborn()
    again.start()

    told = again.ended()
    assert isinstance(told, tuple)
    assert [(e.cause, e.seconds) for e in told] == [(EndCause.TIME, 10)]


def test_a_visit_that_used_up_its_bytes_is_booked_once_and_its_flows_are_forgotten(
    bench: Bench,
) -> None:
    bench.gate.grant(IP, 100, Limits(bytes=1000))
    bench.kernel.pass_bytes(MAC, 1500)

    look = bench.gate.look(IP)

    assert isinstance(look, Visit)
    assert not look.is_open
    assert bench.kernel.forgotten == [1]
    told = bench.gate.ended()
    assert isinstance(told, tuple)
    assert [e.cause for e in told] == [EndCause.BYTES]
    assert bench.gate.ended() == ()


def test_the_last_reading_before_the_end_is_what_a_visit_used(bench: Bench) -> None:
    bench.gate.grant(IP, 10)
    bench.kernel.pass_bytes(MAC, 777)
    bench.clock.boot_ms += 9_900
    bench.gate.last_readings()
    bench.clock.pass_seconds(1)

    bench.gate.sweep()

    told = bench.gate.ended()
    assert isinstance(told, tuple)
    assert [(e.cause, e.bytes) for e in told] == [(EndCause.TIME, 777)]
    assert bench.kernel.forgotten == [1]


def test_a_sleeping_phone_can_still_be_revoked(bench: Bench) -> None:
    bench.gate.grant(IP, 100)
    bench.neighbours.present = False

    assert isinstance(bench.gate.revoke(IP), Visit)
    assert _used(bench) == {}


def test_a_firewall_that_somebody_emptied_is_built_again_with_what_was_used(bench: Bench) -> None:
    bench.gate.grant(IP, 100, Limits(bytes=1000))
    bench.kernel.pass_bytes(MAC, 300)
    assert bench.gate.check(count=True)
    bench.kernel.wipe()

    assert not bench.gate.check()

    assert _used(bench) == {KEY: 300}
    stats = bench.gate.stats()
    assert isinstance(stats, GateStats)
    assert (stats.whole, stats.rebuilt) == (True, 1)
    assert bench.gate.check()


def test_a_visit_that_somebody_took_out_comes_back(bench: Bench) -> None:
    bench.gate.grant(IP, 100)
    bench.kernel.sets["visits"].clear()

    assert not bench.gate.check(count=True)

    assert _used(bench) == {KEY: 0}


def test_without_its_interface_the_gate_denies_and_waits_for_it(bench: Bench) -> None:
    bench.gate.grant(IP, 100)
    bench.kernel.guest_side = False
    bench.kernel.wipe()

    assert not bench.gate.check()
    stats = bench.gate.stats()
    assert isinstance(stats, GateStats)
    assert not stats.whole
    assert bench.kernel.texts[-1] == render_inet(SIDE)
    assert "nobody passes" in warnings_of(stats)[0]

    bench.kernel.guest_side = True
    bench.gate.check()
    assert bench.gate.check()
    assert _used(bench) == {KEY: 0}


def test_a_crash_renames_nobody_and_a_new_day_does(
    clock_of_day: SimulatedClock, tmp_path: Path
) -> None:
    path = tmp_path / "day.key"
    name = KeptDayKey(clock_of_day.ms, path).name(MAC)

    assert KeptDayKey(clock_of_day.ms, path).name(MAC) == name
    assert path.stat().st_mode & 0o777 == 0o600
    clock_of_day.boot_ms += DAY_MS
    later = KeptDayKey(clock_of_day.ms, path)
    assert later.name(MAC) != name
    assert KeptDayKey(clock_of_day.ms, path).name(MAC) == later.name(MAC)


def test_a_day_key_cut_short_or_of_another_boot_is_made_anew(
    clock_of_day: SimulatedClock, tmp_path: Path
) -> None:
    path = tmp_path / "day.key"
    for content in (b"", b"x" * 39, (10**15).to_bytes(8, "big") + b"k" * 32):
        path.write_bytes(content)

        name = KeptDayKey(clock_of_day.ms, path).name(MAC)

        assert KeptDayKey(clock_of_day.ms, path).name(MAC) == name


def test_an_access_point_that_hides_its_guests_is_told(bench: Bench) -> None:
    bench.kernel.sets["routers"] = {KEY: (10**9, 0, None)}

    stats = bench.gate.stats()

    assert isinstance(stats, GateStats)
    assert (stats.routers, stats.crowded) == (1, 1)
    assert any("bridge mode" in warning for warning in warnings_of(stats))


def test_a_journal_line_cut_short_is_no_visit(tmp_path: Path) -> None:
    store = VisitStore(tmp_path / "visits.ndjson")
    store.append(LiveVisit(MAC, IP, 5000))
    with (tmp_path / "visits.ndjson").open("a") as file:
        file.write('["02:00:00:00:00:06","10.')

    assert list(store.load()) == [MAC]
    assert (tmp_path / "visits.ndjson").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", ["", 'x"; drop', "a b", "a" * 16, "$(id)", "eth0\n"])
def test_an_interface_name_cannot_become_a_rule(name: str) -> None:
    with pytest.raises(ValueError, match="not an interface name"):
        GuestSide(name, "eth0", 8380)


@settings(max_examples=100)
@given(st.text(max_size=30))
def test_only_a_hardware_address_becomes_an_element(text: str) -> None:
    with pytest.raises(ValueError):
        Pass(text, 1, 5, Limits())


def test_the_tables_deny_by_default_and_ask_for_the_mark_of_the_visit() -> None:
    text = render_tables(SIDE)

    assert "hook forward priority filter; policy drop;" in text
    assert "ether saddr @allow meta mark != 0 accept" in text
    assert "tcp dport 80 redirect to :8380" in text
    assert "meta mark set ether daddr map @visits accept\n    drop" in text


def test_inner_dns_ports_cannot_be_reached_from_outside() -> None:
    text = render_tables(GuestSide("br-guest", "eth0", 8380, 0, 5300, 5301))

    assert "th dport { 5300, 5301 } drop" in text
    assert "ether saddr @allow redirect to :5300" in text
    assert "udp dport 53 redirect to :5301" in text


@pytest.mark.parametrize(
    "changes",
    [
        {"gateway4": "10.0.0.1 accept"}, {"gateway6": "fd00::1 }"}, {"portal_port": 0},
        {"names_port": 70000}, {"api_port": -1}, {"pool": 0},
    ],
)  # fmt: skip
def test_no_value_of_the_guest_side_becomes_a_rule(changes: dict[str, object]) -> None:
    values = {"interface": "br-guest", "uplink": "eth0", "portal_port": 8380} | changes

    with pytest.raises(ValueError):
        GuestSide(**values)  # type: ignore[arg-type]  # wrong on purpose


def test_blocked_servers_are_addresses_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "doh.txt"
    path.write_text("# servers\n192.0.2.1\n2001:db8::/48 # a network\n\n")
    assert read_addresses(path) == ("192.0.2.1/32", "2001:db8::/48")

    path.write_text("192.0.2.1\n192.0.2.2 } accept\n")
    with pytest.raises(ValueError, match="line 2"):
        read_addresses(path)


def test_a_visit_reads_back_as_it_was_written() -> None:
    one = Pass(MAC, 7, 5000, Limits(1000, 0, 64), 10)

    seen = [changed(m) for m in open_visit(one)]

    assert {c.set for c in seen} == {"allow", "visits", "rate_up", "rate_down"}
    assert seen[-2].elements == {KEY: (5000, 10, 7)}
    assert seen[-1].set == "rate_up"
    assert all(c.deletes for c in map(changed, end_visit(MAC, 7)[1::2]))


def test_ten_thousand_visits_fit_their_messages() -> None:
    passes = [
        Pass(f"02:00:00:00:{n >> 8:02x}:{n & 255:02x}", n + 1, 9, Limits()) for n in range(10_000)
    ]

    messages = replace_all(passes)

    assert max(len(m.body) for m in messages) < 65_000
    assert sum(len(changed(m).elements) for m in messages) == 20_000


@settings(max_examples=200)
@given(st.binary(max_size=300))
def test_no_bytes_of_netlink_make_the_readers_raise(raw: bytes) -> None:
    for answer in decode(raw):
        items(answer.body)
    items(raw)
    attributes(raw)
    decode_all(raw, 3)


def test_a_transaction_reads_back_message_by_message() -> None:
    batch = encode_batch(open_visit(Pass(MAC, 7, 5000, Limits())), 40)

    answers = decode(batch)

    assert [a.seq for a in answers] == [40, *range(40, 50), 50]
    assert len(batch) > HEADERS * len(answers)


@pytest.mark.parametrize(("mac", "rotating"), [(MAC, True), ("a4:5e:60:00:00:01", False)])
def test_an_address_made_up_by_the_device_is_recognised(mac: str, rotating: bool) -> None:
    assert is_rotating(mac) is rotating


def test_the_program_that_is_not_there_is_a_refusal() -> None:
    assert isinstance(ArgvNft("/nonexistent/nft").run("list ruleset"), NftRefused)


def test_the_kernels_answer_gives_the_hardware_address() -> None:
    assert decode_answer(_neighbour(0x02, MAC)) == MAC
    assert decode_answer(_neighbour(0x20, MAC)) is None
    assert len(encode_question("10.66.0.5", 3)) == 16 + 12 + 8


@settings(max_examples=200)
@given(st.binary(max_size=200))
def test_no_answer_of_the_kernel_makes_the_parser_raise(raw: bytes) -> None:
    decode_answer(raw)
    decode_answer(_neighbour(0x02, MAC)[:16] + raw)


def _neighbour(state: int, mac: str) -> bytes:
    address = bytes.fromhex(mac.replace(":", ""))
    body = struct.pack("=BBHiHBB", socket.AF_INET, 0, 0, 3, state, 0, 1)
    body += struct.pack("=HH", 8, 1) + bytes([10, 66, 0, 5])
    body += struct.pack("=HH", 10, 2) + address + b"\0\0"
    return struct.pack("=IHHII", 16 + len(body), 28, 0, 1, 0) + body
