"""The uplink: seen to be down within ten seconds, whatever the city's server does."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Sequence

from captive_portal.simulator import SimulatedClock, SimulatedLink
from captive_portal.uplink import Targets, UplinkWatch, any_answers
from municipio.usecases.ports import LinkState


class Internet:
    def __init__(self) -> None:
        self.works = True
        self.carrier: bool | None = True

    def answers(self, addresses: Sequence[tuple[str, int]], patience_s: float) -> bool:
        return self.works

    def has_carrier(self, interface: str) -> bool | None:
        return self.carrier


def _watch(internet: Internet, city: SimulatedLink, *targets: str) -> UplinkWatch:
    return UplinkWatch(
        city, SimulatedClock(), targets, "up0",
        carrier=internet.has_carrier, answers=internet.answers,
    )  # fmt: skip


def test_two_failed_rounds_are_down_and_one_answer_is_up_again() -> None:
    internet, city = Internet(), SimulatedLink(LinkState.OFFLINE, waiting=3)
    watch = _watch(internet, city, "192.0.2.1:53")
    waits = [watch.look()]
    assert watch.report().state is LinkState.ONLINE, (
        "the city being silent is not the Internet's fault"
    )
    internet.works = False

    waits.append(watch.look())
    assert watch.report().state is LinkState.ONLINE
    waits.append(watch.look())
    down = watch.report()

    assert (down.state, down.waiting, down.since) == (
        LinkState.OFFLINE,
        3,
        "2026-01-20T18:00:00.000Z",
    )
    assert sum(waits[:2]) + 2 * 2 < 10, "rounds and their patience"
    internet.works = True
    watch.look()
    assert watch.report().state is LinkState.ONLINE


def test_a_cable_that_is_out_is_down_at_once() -> None:
    internet, city = Internet(), SimulatedLink()
    watch = _watch(internet, city, "192.0.2.1:53")
    watch.look()
    internet.carrier = False

    watch.look()

    assert watch.report().state is LinkState.OFFLINE


def test_without_targets_the_citys_answer_decides_unless_the_cable_is_out() -> None:
    internet, city = Internet(), SimulatedLink(LinkState.OFFLINE)
    watch = _watch(internet, city)
    watch.look()
    assert watch.report().state is LinkState.OFFLINE
    city.state = LinkState.ONLINE
    assert watch.report().state is LinkState.ONLINE
    internet.carrier = False
    watch.look()
    assert watch.report().state is LinkState.OFFLINE
    internet.carrier = True
    watch.look()
    assert watch.report().state is LinkState.ONLINE


def test_a_real_listener_answers_and_a_closed_port_does_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
        assert any_answers([("127.0.0.1", port)], 10)
    assert not any_answers([("127.0.0.1", port)], 10)
    assert not any_answers([], 10)


def test_names_are_resolved_beside_the_rounds() -> None:
    targets = Targets(["127.0.0.1:80", "[::1]:53", "localhost:81"])

    assert set(targets.addresses()) >= {("127.0.0.1", 80), ("::1", 53)}
    until = time.monotonic() + 20
    while 81 not in _ports(targets) and time.monotonic() < until:
        threading.Event().wait(0.05)
    assert 81 in _ports(targets)


def _ports(targets: Targets) -> set[int]:
    return {port for _, port in targets.addresses()}
