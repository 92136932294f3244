"""Is a version good: every part well for so long in a row, off line or not, and the old rows readable."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import apsw
import pytest

from municipio.facts import FactDraft, FactType
from municipio.payments import Payment, PaymentMethod, PaymentState
from municipio.site_file.state import SiteStanding, SiteState, encode_state
from municipio.usecases.ports import Recorded
from plaza.unit_control import MemoryUnits
from plaza.updates.health import Bad, Good, Health, Judge, Look, Part, Trial, Verdict, Waiting
from plaza.updates.health_look import Looker, read_old_rows
from sync.clock import SystemClock
from sync.datadir import DataDir
from sync.keys import NodeKey
from sync.kiosk_pulse import KioskPulse, write_pulse
from sync.site_state import state_file
from sync.wiring import Memory, open_memory

TRIAL = Trial(need_s=60, limit_s=120)


def look(at_s: float, *unwell: Part) -> Look:
    parts = {p: Health.UNWELL if p in unwell else Health.WELL for p in Part}
    return Look(at_s, parts, dict.fromkeys(unwell, "no"))


def judged(*looks: Look) -> Verdict:
    judge = Judge(TRIAL, looks[0].at_s)
    verdict: Verdict = Waiting(0)
    for one in looks:
        verdict = judge.see(one)
    return verdict


def test_good_is_well_for_so_long_in_a_row() -> None:
    assert judged(look(0), look(30), look(59)) == Waiting(59)
    assert judged(look(0), look(30), look(60)) == Good()
    assert judged(look(0), look(30), look(50, Part.PORTAL), look(60), look(110)) == Waiting(50)
    assert judged(look(0), look(50, Part.PORTAL), look(60), look(120)) == Good()


def test_bad_is_not_good_within_the_limit() -> None:
    first = judged(look(0, Part.KIOSK), look(120, Part.KIOSK))
    assert first == Waiting(0)
    assert judged(look(0, Part.KIOSK), look(121, Part.KIOSK)) == Bad("kiosk: no")
    assert judged(look(0, Part.KIOSK), look(121, Part.KIOSK, Part.LEDGER)) == Bad(
        "kiosk: no; ledger: no"
    )


def test_what_became_well_before_the_limit_may_end_its_time() -> None:
    late = [look(0, Part.KIOSK), look(119), look(150)]
    assert judged(*late) == Waiting(31)
    assert judged(*late, look(179)) == Good()
    assert judged(*late, look(160, Part.PORTAL)) == Bad("portal: no")
    assert judged(look(0, Part.KIOSK), look(125), look(126)) == Bad("kiosk: no")


def resting(at_s: float) -> Look:
    return Look(at_s, {Part.KIOSK: Health.RESTING, Part.PORTAL: Health.WELL}, {})


def test_the_trial_stands_still_while_the_sun_is_away() -> None:
    night = [look(0), look(20), *(resting(20.0 + n * 10) for n in range(1, 3000))]
    assert judged(*night) == Waiting(20)
    morning = night[-1].at_s
    assert judged(*night, look(morning + 39)) == Waiting(59)
    assert judged(*night, look(morning + 40)) == Good()
    assert judged(*night, look(morning + 10, Part.KIOSK)) == Waiting(0)
    assert judged(*night, look(morning + 110, Part.KIOSK)) == Bad("kiosk: no")
    assert judged(resting(0), resting(900), look(901)) == Waiting(0)


class Portal:
    status = 200


@contextmanager
def portal() -> Iterator[tuple[int, type[Portal]]]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(Portal.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port, Portal
    finally:
        server.shutdown()
        server.server_close()
        Portal.status = 200


class Node:
    def __init__(self, folder: Path, port: int, profile: str = "kiosk") -> None:
        self.data = DataDir(folder)
        self.data.create()
        NodeKey.create(self.data)
        text = f'[portal]\nlisten = "0.0.0.0:{port}"\n[node]\nprofile = "{profile}"\n'
        self.data.settings_file.write_text(text)
        self.units = MemoryUnits(["plaza-kiosk.service", "plaza-portal.service"])
        self.flips = 0

    def draw(self, more: int = 1) -> None:
        now = SystemClock().now()
        self.flips += more
        at = now.boot_ms + self.flips * 0
        pulse = KioskPulse(boot=now.boot, boot_ms=at, flips=self.flips, at_home=True, quiet_s=100)
        write_pulse(self.data.kiosk_file, pulse)

    def looker(self, rows_before: str = "") -> Looker:
        return Looker(self.data, self.units, self.data.path / "watchdog", rows_before=rows_before)

    def memory(self) -> Memory:
        memory = open_memory(self.data)
        assert isinstance(memory, Memory), memory
        return memory


def unwell(looker: Looker) -> set[Part]:
    found = looker.look()
    assert all(found.said[p] for p, h in found.parts.items() if h is Health.UNWELL)
    return {part for part, health in found.parts.items() if health is Health.UNWELL}


@pytest.fixture
def port() -> Iterator[int]:
    with portal() as (number, _):
        yield number


def test_a_node_off_line_is_well(tmp_path: Path, port: int) -> None:
    node = Node(tmp_path, port)
    looker = node.looker()
    node.draw()
    assert unwell(looker) == set()
    node.draw()
    found = looker.look()
    assert found.is_well
    assert found.parts[Part.WATCHDOG] is Health.ABSENT
    looker.close()


def test_each_part_is_missed(tmp_path: Path, port: int) -> None:
    node = Node(tmp_path, port)
    looker = node.looker()
    assert unwell(looker) == {Part.KIOSK}, "no sign of the kiosk"
    node.draw()
    assert unwell(looker) == set()
    threading.Event().wait(0.05)
    node.draw(more=0)
    assert unwell(looker) == {Part.KIOSK}, "it lives and draws nothing"
    node.draw()
    Portal.status = 500
    assert unwell(looker) == {Part.PORTAL}
    Portal.status = 404
    assert unwell(looker) == set()
    node.units.running["plaza-kiosk.service"] += 1
    assert unwell(looker) == {Part.PROGRAMS}
    assert unwell(looker) == set()
    node.units.running["plaza-portal.service"] = -1
    assert unwell(looker) == {Part.PROGRAMS}
    node.units.running["plaza-portal.service"] = 0
    (tmp_path / "watchdog").mkdir()
    (tmp_path / "watchdog" / "state").write_text("inactive\n")
    assert unwell(looker) == {Part.WATCHDOG}
    (tmp_path / "watchdog" / "state").write_text("active\n")
    assert unwell(looker) == set()
    looker.close()


def test_a_node_without_a_screen_needs_no_kiosk(tmp_path: Path, port: int) -> None:
    node = Node(tmp_path, port, "portal")
    looker = node.looker()
    assert looker.look().parts[Part.KIOSK] is Health.ABSENT
    assert unwell(looker) == set()
    looker.close()


def test_on_the_sun_a_stopped_kiosk_rests_and_a_dead_one_does_not(
    tmp_path: Path, port: int
) -> None:
    node = Node(tmp_path, port)
    with node.data.settings_file.open("a") as file:
        file.write('[energy]\nkind = "solar"\n')
    looker = node.looker()
    assert unwell(looker) == {Part.KIOSK}
    del node.units.running["plaza-kiosk.service"]
    found = looker.look()
    assert found.parts[Part.KIOSK] is Health.RESTING
    assert found.rests
    looker.close()


def test_a_node_that_waits_for_its_site_file_is_well(tmp_path: Path, port: int) -> None:
    """It has no ledger, so none is judged; its page and its screen, which say what is missing, are."""
    node = Node(tmp_path, port)
    state = SiteState(SiteStanding.WAITING, faults=("no hay plaza.toml",))
    state_file(node.data).write_bytes(encode_state(state))
    looker = node.looker()
    assert unwell(looker) == {Part.KIOSK}
    node.draw()
    found = looker.look()
    assert found.is_well
    assert found.parts[Part.LEDGER] is Health.ABSENT
    Portal.status = 500
    assert unwell(looker) == {Part.PORTAL}
    assert not node.data.ledger.exists(), "nothing is recorded under a name that will change"
    looker.close()


def test_a_portal_that_is_not_there_does_not_answer(tmp_path: Path) -> None:
    with portal() as (number, _):
        pass
    node = Node(tmp_path, number, "portal")
    looker = node.looker()
    assert unwell(looker) == {Part.PORTAL}
    looker.close()


def test_settings_and_ledgers_that_cannot_be_read_are_the_versions_fault(
    tmp_path: Path, port: int
) -> None:
    node = Node(tmp_path, port, "portal")
    good = node.data.settings_file.read_text()
    node.data.settings_file.write_text("[nada]\nx = 1\n")
    looker = node.looker()
    assert Part.LEDGER in unwell(looker)
    node.data.settings_file.write_text(good)
    assert unwell(looker) == set(), "and it is looked at again"
    looker.close()


def test_old_rows_are_read_as_programs_read_them(tmp_path: Path, port: int) -> None:
    node = Node(tmp_path, port, "portal")
    memory = node.memory()
    payment = Payment("k", "f", "c", 100, PaymentMethod.CASH, PaymentState.RECEIPTED, "l")
    draft = FactDraft(FactType.PAYMENT_TAKEN, {"amount_centavos": 100})
    assert isinstance(memory.ledger.record(draft, lambda _: [payment]), Recorded)
    assert read_old_rows(memory.ledger) == ""
    memory.close()
    db = apsw.Connection(str(node.data.ledger))
    db.execute("UPDATE payment SET body = '{\"key\": 7}'")
    db.close()
    looker = node.looker()
    found = looker.look()
    assert found.parts[Part.LEDGER] is Health.UNWELL
    looker.close()
    forgiving = node.looker(rows_before=found.said[Part.LEDGER])
    assert unwell(forgiving) == set(), "the version before could not read it either"
    forgiving.close()
