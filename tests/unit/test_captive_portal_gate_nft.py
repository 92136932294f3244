"""The enforcing gate without a kernel: what it would tell nftables, and what it remembers."""

from __future__ import annotations

import json
import socket
import struct
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from captive_portal.gate.neighbours import decode_answer, encode_question
from captive_portal.gate.nft import NftGate
from captive_portal.gate.nft_runner import ArgvNft, NftRefused
from captive_portal.gate.ruleset import Element, GuestSide, render_revoke, render_table
from captive_portal.gate.store import LiveVisit, VisitStore
from captive_portal.gate.visits import GateCause, GateTrouble, Visit
from captive_portal.pseudonym import DayKey
from captive_portal.simulator import SimulatedClock

MAC = "02:00:00:00:00:05"


@dataclass
class Firewall:
    """Accepts every command, or refuses each."""

    refusal: NftRefused | None = None
    seen: list[str] = field(default_factory=list)

    def run(self, commands: str) -> str | NftRefused:
        self.seen.append(commands)
        return self.refusal or ""


@dataclass
class OneNeighbour:
    present: bool = True

    def mac_of(self, ip: str) -> str | None:
        return MAC if self.present and ip == "10.66.0.5" else None


@dataclass
class Bench:
    gate: NftGate
    firewall: Firewall
    neighbour: OneNeighbour
    clock: SimulatedClock
    folder: Path

    def reborn(self) -> NftGate:
        return _gate(self)


def _gate(bench: Bench) -> NftGate:
    return NftGate(
        GuestSide("br-guest", "eth0", 8380),
        bench.firewall,
        bench.neighbour,
        VisitStore(bench.folder / "visits.ndjson"),
        bench.clock.ms,
        DayKey(bench.clock.ms),
    )


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench.__new__(Bench)
    made.firewall, made.neighbour = Firewall(), OneNeighbour()
    made.clock, made.folder = SimulatedClock(), tmp_path
    made.gate = _gate(made)
    return made


def test_a_grant_sets_a_new_deadline_in_one_transaction(bench: Bench) -> None:
    visit = bench.gate.grant("10.66.0.5", 7200)

    assert isinstance(visit, Visit)
    assert MAC not in repr(visit)
    (commands,) = bench.firewall.seen
    assert f"{MAC} timeout 7200s" in commands


def test_who_is_not_on_the_guest_side_is_refused(bench: Bench) -> None:
    answer = bench.gate.grant("192.0.2.1", 60)

    assert isinstance(answer, GateTrouble)
    assert answer.cause is GateCause.UNKNOWN_NEIGHBOUR
    assert bench.firewall.seen == []


def test_when_the_kernel_refuses_nothing_is_remembered(bench: Bench) -> None:
    bench.firewall.refusal = NftRefused("Operation not permitted")

    answer = bench.gate.grant("10.66.0.5", 60)

    assert isinstance(answer, GateTrouble)
    assert answer.cause is GateCause.FIREWALL
    assert bench.gate.visits() == ()


def test_visits_survive_a_crash_and_come_back_in_one_transaction(bench: Bench) -> None:
    bench.gate.grant("10.66.0.5", 100)
    bench.clock.pass_seconds(30)

    again = bench.reborn()

    assert again.restore() == 1
    assert f"{MAC} timeout 70s" in bench.firewall.seen[-1]
    assert bench.firewall.seen[-1].startswith("table inet plaza\ndelete table inet plaza")


def test_ended_and_revoked_visits_do_not_come_back(bench: Bench) -> None:
    bench.gate.grant("10.66.0.5", 100)
    bench.gate.revoke("10.66.0.5")

    assert bench.reborn().restore() == 0


def test_a_sleeping_phone_can_still_be_revoked(bench: Bench) -> None:
    bench.gate.grant("10.66.0.5", 100)
    bench.neighbour.present = False

    assert isinstance(bench.gate.revoke("10.66.0.5"), Visit)


def test_a_journal_line_cut_short_is_no_visit(tmp_path: Path) -> None:
    store = VisitStore(tmp_path / "visits.ndjson")
    store.append(LiveVisit(MAC, "10.66.0.5", 5000))
    with (tmp_path / "visits.ndjson").open("a") as file:
        file.write('{"m":"02:00:00:00:00:06","i":"10.')

    assert list(store.load(1000)) == [MAC]
    assert (tmp_path / "visits.ndjson").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", ["", 'x"; drop', "a b", "a" * 16, "$(id)", "eth0\n"])
def test_an_interface_name_cannot_become_a_rule(name: str) -> None:
    with pytest.raises(ValueError, match="not an interface name"):
        GuestSide(name, "eth0", 8380)


@settings(max_examples=100)
@given(st.text(max_size=30))
def test_only_a_hardware_address_becomes_an_element(text: str) -> None:
    with pytest.raises(ValueError, match="not a hardware address"):
        Element(text, 5)


def test_the_table_denies_by_default_and_asks_for_the_hardware_address() -> None:
    text = render_table(GuestSide("br-guest", "eth0", 8380))

    assert "hook forward priority filter; policy drop;" in text
    assert "tcp dport 80 redirect to :8380" in text
    assert "reject with tcp reset" in text
    assert "downlink6" in render_revoke(MAC, "fd00::5")


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


def test_the_live_visits_hold_only_what_a_restore_needs(bench: Bench) -> None:
    bench.gate.grant("10.66.0.5", 100)

    line = json.loads((bench.folder / "visits.ndjson").read_text())

    assert set(line) == {"m", "i", "d"}
