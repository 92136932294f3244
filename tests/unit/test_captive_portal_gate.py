"""The gate's wire, its door and the gate in memory."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from captive_portal.gate.client import GateClient
from captive_portal.gate.daemon import GateDaemon
from captive_portal.gate.memory import MemoryGate
from captive_portal.gate.protocol import (
    MAX_LINE,
    Grant,
    LineReader,
    ListEnded,
    ListVisits,
    Request,
    Restore,
    Revoke,
    Stats,
    clean_ip,
    decode_reply,
    decode_request,
    encode_request,
)
from captive_portal.gate.visits import (
    EndCause,
    EndedVisit,
    GateCause,
    GateStats,
    GateTrouble,
    Limits,
    Visit,
)
from captive_portal.pseudonym import DAY_MS, DayKey
from captive_portal.simulator import SimulatedClock

NEARLY = [
    b'{"verb":"grant","ip":"10.0.0.5","seconds":0}',
    b'{"verb":"grant","ip":"10.0.0.5","seconds":1e99}',
    b'{"verb":"grant","ip":["10.0.0.5"],"seconds":5}',
    b'{"verb":"list","ip":"fe80::1%lo"}',
    b'{"verb":"stats"}{"verb":"stats"}',
    b"[" * 3000,
    b'{"verb":"' + b"a" * 5000,
]


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock()


@pytest.fixture
def memory(clock: SimulatedClock) -> MemoryGate:
    return MemoryGate(clock.ms, DayKey(clock.ms))


@pytest.fixture
def door(memory: MemoryGate, tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "gate.sock"
    daemon = GateDaemon(memory, path, {os.getuid()})
    thread = threading.Thread(target=daemon.serve)
    thread.start()
    yield path
    daemon.stop()
    thread.join(5)


@pytest.fixture
def client(door: Path) -> GateClient:
    return GateClient(door)


@pytest.mark.parametrize(
    "request_",
    [
        Grant("10.0.0.5", 7200), Grant("10.0.0.5", 60, Limits(10**9, 512, 128)), Revoke("fd00::5"),
        ListVisits(), ListVisits("10.0.0.5"), ListEnded(), Restore(), Stats(),
    ],
)  # fmt: skip
def test_every_verb_survives_the_wire(request_: Request) -> None:
    assert decode_request(encode_request(request_).strip()) == request_


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[]",
        b'{"verb":"open"}',
        b'{"verb":"grant","ip":"10.0.0.5"}',
        b'{"verb":"grant","ip":"10.0.0.5","seconds":99999999}',
        b'{"verb":"grant","ip":"10.0.0.5; drop","seconds":5}',
        b'{"verb":"grant","ip":"224.0.0.1","seconds":5}',
        b'{"verb":"grant","ip":"fe80::1%eth0","seconds":5}',
        b'{"verb":"grant","ip":"10.0.0.5","seconds":5,"bytes":-1}',
        b'{"verb":"grant","ip":"10.0.0.5","seconds":5,"bytes":9223372036854775808}',
        b'{"verb":"grant","ip":"10.0.0.5","seconds":5,"bytes":true}',
        b'{"verb":"grant","ip":"10.0.0.5","seconds":5,"rate_down_kib_s":-5}',
        b'{"verb":"grant","ip":"10.0.0.5","seconds":5,"rate_up_kib_s":99999999}',
        b'{"verb":"list","ip":"10.0.0.5","ended":true}',
        b'{"verb":"revoke"}',
        b'{"verb":"stats","extra":1}',
        b"\xff\xfe",
    ],
)
def test_anything_else_is_refused_without_raising(line: bytes) -> None:
    answer = decode_request(line)

    assert isinstance(answer, GateTrouble)
    assert answer.cause is GateCause.BAD_REQUEST


@settings(max_examples=200)
@given(st.binary(max_size=400))
def test_no_bytes_make_the_parsers_raise(raw: bytes) -> None:
    decode_request(raw)
    decode_reply(raw)
    LineReader().feed(raw)


def test_a_line_over_the_limit_ends_the_conversation() -> None:
    reader = LineReader()

    assert reader.feed(b"x" * MAX_LINE) == []
    assert isinstance(reader.feed(b"x"), GateTrouble)


def test_one_address_has_one_spelling() -> None:
    assert clean_ip("::ffff:10.0.0.5") == "10.0.0.5"
    assert clean_ip("FD00::0005") == "fd00::5"
    assert clean_ip("0.0.0.0") is None


def test_the_five_verbs_over_the_socket(client: GateClient, clock: SimulatedClock) -> None:
    granted = client.grant("10.0.0.5", 100)
    assert isinstance(granted, Visit)
    assert granted.seconds_left == 100
    assert client.visits() == (granted,)
    assert client.restore() == 1

    clock.pass_seconds(40)
    seen = client.look("10.0.0.5")
    assert isinstance(seen, Visit)
    assert seen.seconds_left == 60

    revoked = client.revoke("10.0.0.5")
    assert isinstance(revoked, Visit)
    assert not revoked.is_open
    assert client.visits() == ()
    assert client.stats() == GateStats("memory", 0, 1, 1, 0)
    assert client.ended() == (EndedVisit(granted.device, EndCause.REVOKED, 40, 0),)
    assert client.ended() == ()


def test_a_long_list_arrives_whole(client: GateClient) -> None:
    for n in range(300):
        client.grant(f"10.0.{n // 250}.{n % 250 + 1}", 60)

    visits = client.visits()

    assert isinstance(visits, tuple)
    assert len(visits) == 300


def test_a_visit_ends_by_itself(memory: MemoryGate, clock: SimulatedClock) -> None:
    memory.grant("10.0.0.5", 10)

    clock.pass_seconds(10)

    assert not memory.look("10.0.0.5").is_open
    assert memory.visits() == ()


def test_a_visit_ends_by_its_bytes(memory: MemoryGate) -> None:
    memory.grant("10.0.0.5", 600, Limits(bytes=1000))
    memory.spend("10.0.0.5", 999)
    assert memory.look("10.0.0.5").bytes_left == 1

    memory.spend("10.0.0.5", 500)

    assert not memory.look("10.0.0.5").is_open
    stats = memory.stats()
    assert isinstance(stats, GateStats)
    assert (stats.ended_by_bytes, stats.bytes) == (1, 1499)
    told = memory.ended()
    assert isinstance(told, tuple)
    assert [(e.cause, e.bytes) for e in told] == [(EndCause.BYTES, 1499)]


def test_a_full_site_refuses_the_next_device_but_not_one_that_is_in(clock: SimulatedClock) -> None:
    gate = MemoryGate(clock.ms, DayKey(clock.ms), max_open=1)
    gate.grant("10.0.0.5", 600)

    refused = gate.grant("10.0.0.6", 600)

    assert isinstance(refused, GateTrouble)
    assert refused.cause is GateCause.FULL
    assert isinstance(gate.grant("10.0.0.5", 600), Visit)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.one_of(st.binary(max_size=300), st.sampled_from(NEARLY)), max_size=6))
def test_whatever_a_caller_sends_the_next_one_is_served(door: Path, pieces: list[bytes]) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
        peer.settimeout(10)
        peer.connect(str(door))
        with contextlib.suppress(OSError):
            peer.sendall(b"\n".join(pieces) + b"\n")
            peer.shutdown(socket.SHUT_WR)
            while peer.recv(65536):
                pass

    stats = GateClient(door, 10).stats()
    assert isinstance(stats, GateStats)
    assert stats.granted == 0


def test_an_oversized_request_is_answered_and_hung_up(door: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
        peer.settimeout(5)
        peer.connect(str(door))
        peer.sendall(b"x" * (MAX_LINE + 1))

        assert json.loads(peer.recv(4096))["cause"] == "bad_request"
        assert peer.recv(10) == b""


def test_a_stranger_is_hung_up_on(memory: MemoryGate, tmp_path: Path) -> None:
    daemon = GateDaemon(memory, tmp_path / "gate.sock", {os.getuid() + 1})
    thread = threading.Thread(target=daemon.serve)
    thread.start()

    answer = GateClient(tmp_path / "gate.sock").grant("10.0.0.5", 60)

    daemon.stop()
    thread.join(5)
    assert isinstance(answer, GateTrouble)
    assert answer.cause is GateCause.NO_ANSWER
    assert memory.visits() == ()


def test_no_daemon_is_trouble_not_an_exception(tmp_path: Path) -> None:
    answer = GateClient(tmp_path / "nobody.sock").look("10.0.0.5")

    assert isinstance(answer, GateTrouble)
    assert answer.cause is GateCause.NO_ANSWER


def test_a_pseudonym_lasts_one_day_and_is_not_the_address(clock: SimulatedClock) -> None:
    key = DayKey(clock.ms)
    today = key.name("02:00:00:00:00:01")

    assert key.name("02:00:00:00:00:01") == today
    assert len(today) == 10
    clock.boot_ms += DAY_MS
    assert key.name("02:00:00:00:00:01") != today
