"""The energy program with its own ledger, files and switches; the controller and the boot are ours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner

from captive_portal.service_note import read_service
from hardware.power.state import Confidence, PowerState, nothing_known
from municipio.clock import Instant, TimeQuality
from municipio.devices import DeviceState, DeviceStatus
from municipio.energy import Band, Wake
from municipio.usecases.ports import LinkReport, LinkState
from plaza.commands.energy import energy
from plaza.demo.journal import Journal
from plaza.doctor.finding import State
from plaza.energy_check import EnergySeen, energy_findings, look_at_energy
from plaza.energy_files import read_proof
from plaza.energy_mind import Rules
from plaza.energy_plan import Hours, Service, hours_of
from plaza.energy_program import EnergyProgram, Parts
from plaza.energy_simulator import SimulatedEdge
from plaza.energy_wake import Phase, Proof
from plaza.quiet import Busy
from sync.database import LedgerDamaged, LedgerUnreadable
from sync.datadir import DataDir
from sync.energy_note import read_energy
from sync.ledger import SqliteLedger, open_ledger


class Sky:
    """The controller, the clock and the link of a node, as a test says."""

    def __init__(self) -> None:
        self.boot, self.ms = "boot-1", 0
        self.time: datetime | None = datetime(2026, 7, 6, 18, 0, tzinfo=UTC)
        self.percent: int | None = 80
        self.cause = ""
        self.link = LinkReport(LinkState.ONLINE, 0)

    def now(self) -> Instant:
        quality = TimeQuality.RTC if self.time else TimeQuality.UNKNOWN
        return Instant(self.time, quality, self.boot, self.ms)

    def report(self) -> LinkReport:
        return self.link

    def status(self) -> DeviceStatus:
        known = self.percent is not None
        return DeviceStatus(DeviceState.READY if known else DeviceState.UNKNOWN, self.cause)

    def power(self) -> PowerState:
        if self.percent is None:
            return nothing_known(9.0)
        sun_ma = 2000 if self.percent >= 50 else -500
        return PowerState(self.percent, 12_500, sun_ma, 3, 6, 25, 0.1, Confidence.MEASURED)

    def close(self) -> None:
        pass


class Node:
    def __init__(self, folder: Path) -> None:
        self.data = DataDir(folder)
        self.data.create()
        self.sky, self.edge = Sky(), SimulatedEdge()
        opened = open_ledger(self.data.ledger, self.sky, "COA007", "30039")
        assert not isinstance(opened, LedgerDamaged)
        self.ledger: SqliteLedger = opened
        self.busy: Busy | None = None
        self.rules = Rules()
        self.program = self.started()

    def started(self) -> EnergyProgram:
        parts = Parts(
            controller=self.sky,
            edge=self.edge,
            ledger=self.ledger,
            link=self.sky,
            clock=self.sky,
            busy=lambda: self.busy,
            zone=ZoneInfo("America/Mexico_City"),
            note_file=self.data.energy_file,
            service_file=self.data.run / "service.json",
            proof_file=self.data.path / "wake.json",
        )
        return EnergyProgram(parts, self.rules)

    def pass_s(self, seconds: int, every: int = 20) -> None:
        for _ in range(0, seconds, every):
            self.sky.ms += every * 1000
            self.program.step()

    def facts(self) -> list[dict[str, object]]:
        return [f["data"] for f in Journal(self.data.ledger, "COA007", "30039").facts()]

    @property
    def phase(self) -> Phase:
        return self.program.mind.watch.phase


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    here = Node(tmp_path / "node")
    yield here
    here.ledger.close()


def test_a_band_is_switched_published_and_told_once(node: Node) -> None:
    node.pass_s(60)
    node.sky.percent = 30
    node.pass_s(600)
    assert node.edge.screen_percent == 25
    assert node.edge.on[Service.KIOSK]
    note = read_energy(node.data.energy_file)
    assert note is not None
    assert (note.band, note.why, note.soc_percent) == (Band.RESERVE, "charge", 30)
    told = [(f["level"], f["before"], f["why"]) for f in node.facts()]
    assert told == [("full", "", "charge"), ("reserve", "full", "charge")]


def test_a_silent_controller_is_save_and_the_fact_says_unknown(node: Node) -> None:
    node.pass_s(60)
    node.sky.percent, node.sky.cause = None, "no_answer"
    node.pass_s(60)
    assert node.facts()[-1]["level"] == "unknown"
    assert node.facts()[-1]["band"] == "save"


def test_a_node_without_a_sure_way_back_rests_awake_and_serves_when_the_sun_returns(
    node: Node,
) -> None:
    node.sky.percent = 9
    node.pass_s(1200)
    assert node.phase is Phase.RESTING
    assert not node.edge.halted
    assert not any(node.edge.on.values())
    assert (node.edge.screen_percent, node.edge.antennas, node.edge.usb) == (0, False, False)
    node.sky.percent = 75
    node.pass_s(4 * 3600, every=60)
    assert all(node.edge.on.values())
    assert (node.edge.screen_percent, node.edge.antennas) == (100, True)


def test_guard_that_comes_while_somebody_pays_leaves_their_screen_lit(node: Node) -> None:
    node.pass_s(60)
    node.busy = Busy.PAYMENT
    node.sky.percent = 9
    node.pass_s(300)
    assert node.program.mind.held.band is Band.GUARD
    assert node.edge.on[Service.KIOSK]
    assert not node.edge.on[Service.RADIO]
    node.busy = None
    node.pass_s(300)
    assert not node.edge.on[Service.KIOSK]


def test_a_proven_alarm_is_armed_told_remembered_and_only_then_the_node_halts(node: Node) -> None:
    node.rules = Rules(Wake.RTC_ALARM, proof=Proof())
    file = node.data.path / "wake.json"
    file.write_text('{"wake":"rtc_alarm","halts":1,"returns":1}')
    node.program = node.started()
    node.sky.percent = 9
    node.pass_s(1200)
    assert node.edge.halted
    assert node.edge.armed_s == 4 * 3600
    assert node.facts()[-1]["halts"] == "rtc_alarm"
    assert read_proof(file) == Proof(Wake.RTC_ALARM, 2, 1, "boot-1")
    node.sky.boot, node.sky.ms = "boot-2", 0
    node.program = node.started()
    assert read_proof(file) == Proof(Wake.RTC_ALARM, 2, 2)


@pytest.mark.parametrize("refused", ["arm", "halt"])
def test_a_node_whose_alarm_or_halt_fails_stays_awake(node: Node, refused: str) -> None:
    node.rules = Rules(Wake.RTC_ALARM)
    file = node.data.path / "wake.json"
    file.write_text('{"wake":"rtc_alarm","halts":1,"returns":1}')
    node.program = node.started()
    node.edge.refuses = {refused}
    node.sky.percent = 9
    node.pass_s(3600)
    assert not node.edge.halted
    assert node.phase is Phase.RESTING
    assert read_proof(file) == Proof(Wake.RTC_ALARM, 1, 1), "nothing is proven by a halt refused"


def test_a_card_that_fails_does_not_keep_a_node_from_saving_its_battery(node: Node) -> None:
    def damaged() -> Busy | None:
        raise LedgerUnreadable("simulated")

    node.pass_s(60)
    node.program.parts = replace(node.program.parts, busy=damaged)
    node.ledger.close()
    node.sky.percent = 9
    node.pass_s(1200)
    assert node.phase is Phase.RESTING
    assert not any(node.edge.on.values())


def test_a_switch_that_did_not_move_is_pressed_again(node: Node) -> None:
    node.pass_s(60)
    node.edge.refuses = {"light"}
    node.sky.percent = 40
    node.pass_s(60)
    assert node.edge.screen_percent == 100
    node.edge.refuses = set()
    node.pass_s(120)
    assert node.edge.screen_percent == 40


def test_a_program_that_died_in_guard_does_not_light_the_screen_again(node: Node) -> None:
    node.sky.percent = 9
    node.pass_s(1200)
    node.edge.pressed.clear()
    node.program = node.started()
    node.program.step()
    assert node.program.mind.held.band is Band.GUARD
    assert node.edge.screen_percent == 0


def test_visitors_read_until_when_the_radio_is_on_today(node: Node) -> None:
    node.rules = Rules(hours=Hours(radio=hours_of("07:00-11:00; 11:30-21:00")))
    node.program = node.started()
    ask = read_service(node.data.run / "service.json", node.sky)
    node.pass_s(60)
    assert ask() is None, "with a full battery nothing limits the service"
    node.sky.percent = 45
    node.pass_s(120)
    today = ask()
    assert today is not None
    assert today.until == "21:00", "18:00 UTC is noon at the place"


def solar(data: DataDir, **values: str) -> None:
    lines = "".join(f'{name} = "{value}"\n' for name, value in values.items())
    data.settings_file.write_text(f'[energy]\nkind = "solar"\n{lines}')


def test_status_and_plan_are_read_by_people_and_machines(node: Node) -> None:
    solar(node.data, wake="controller_voltage")
    asked = CliRunner().invoke(energy, ["status", "--data", str(node.data.path), "--json"])
    document = json.loads(asked.output)
    assert (document["band"], document["why"]) == ("save", "stale")
    assert (document["may_halt"], document["why_not"]) == (False, "needs_the_cut")
    plain = CliRunner().invoke(energy, ["status", "--data", str(node.data.path)])
    assert "el programa de energía no responde" in plain.output
    table = json.loads(CliRunner().invoke(energy, ["plan", "--json"]).output)
    assert [table[b.value]["payments"] for b in Band] == [True, True, False, False]


def test_the_wake_test_refuses_what_would_not_wake(node: Node) -> None:
    for wake in ("none", "controller_voltage"):
        solar(node.data, wake=wake)
        asked = CliRunner().invoke(energy, ["wake-test", "--yes", "--data", str(node.data.path)])
        assert asked.exit_code == 1
        assert not (node.data.path / "wake.json").exists()


def test_the_program_ends_well_on_the_grid(node: Node) -> None:
    asked = CliRunner().invoke(energy, ["run", "--data", str(node.data.path)])
    assert (asked.exit_code, "grid" in asked.output) == (0, True)


def look(node: Node) -> EnergySeen:
    return look_at_energy(node.data, node.data.settings(), node.sky, node.data.path / "no-sys")


def test_doctor_refuses_a_solar_site_without_a_declared_wake_path(node: Node) -> None:
    assert energy_findings(look(node)) == (), "the grid needs none"
    solar(node.data)
    worst = energy_findings(look(node))[0]
    assert worst.state is State.TROUBLE
    assert "energy.wake" in worst.to_do
    solar(node.data, wake="rtc_alarm")
    assert energy_findings(look(node))[0].state is State.TROUBLE, "this board has no such clock"
    solar(node.data, wake="external_timer")
    assert energy_findings(look(node))[0].state is State.NOTICE, "never seen to work"
    (node.data.path / "wake.json").write_text('{"wake":"external_timer","halts":2,"returns":2}')
    assert energy_findings(look(node))[0].state is State.OK
    solar(node.data, wake="controller_voltage", radio_hours="de 7 a 9", usb_ports="../1")
    states = [f.state for f in energy_findings(look(node))]
    assert states == [State.OK, State.NOTICE, State.TROUBLE, State.TROUBLE]
