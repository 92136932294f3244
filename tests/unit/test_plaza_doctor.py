"""The doctor: what it says of each thing that can be wrong, and that it always says what to do."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from captive_portal.gate.visits import GateCause, GateStats, GateTrouble
from central.dashboard_words import trouble_in_words
from central.fleet import Part
from hardware.health.state import Cause, Item, ItemState
from hardware.health.state import Finding as HealthItem
from kiosk.language import untranslated
from kiosk.presenters.tecnico_words import page
from kiosk.usecases.technician_desk import Round
from municipio.clock import TimeQuality
from municipio.facts import FactDraft, FactType
from municipio.site_file.state import SiteStanding, SiteState, encode_state
from municipio.usecases.ports import LinkReport, LinkState
from plaza.commands.doctor import doctor
from plaza.doctor.collect import collect
from plaza.doctor.finding import Area, Finding, State, worst
from plaza.doctor.host import CARD_ERROR, Host
from plaza.doctor.report import as_document, as_text, fact_for_the_city, line_for_the_city
from plaza.doctor.snapshot import (
    ClockSeen,
    ContactSeen,
    ContentSeen,
    DeviceSeen,
    DiskSeen,
    FilterSeen,
    NetworkSeen,
    QueueSeen,
    RadioSeen,
    ServiceSeen,
    Snapshot,
    VersionsSeen,
)  # fmt: skip
from plaza.doctor.table import examine
from plaza.doctor.words import LANGUAGES, words
from plaza.image import ImageInfo
from sync.clock import SystemClock
from sync.datadir import DataDir
from sync.doctor_note import FILE_NAME, fresh_note, read_note
from sync.site_state import state_file
from sync.wiring import CannotStart, open_memory

NOW = datetime(2026, 6, 1, 18, tzinfo=UTC)
IMAGE = ImageInfo("2026.6.1", "pi", "abc", "2026-06-01T00:00:00Z", "00", 5)

WELL = Snapshot(
    node="COA007",
    profile="kiosk",
    has_portal=True,
    settings_trouble="",
    devices=(DeviceSeen("printer", "ready", ""),),
    health=(HealthItem(Item.SPACE, ItemState.OK, None, 9000, "MiB"),),
    services=(ServiceSeen("sync", "active", "running", 0, "success", True),),
    network=NetworkSeen("eth0", True, True, True, "br-guest", True),
    radio=RadioSeen("wlan0", True, True, "MX", 12),
    disk=DiskSeen(True, False, True, 0),
    clock=ClockSeen(NOW, TimeQuality.SYNCED, True, True, False),
    contact=ContactSeen("online", NOW, "", True),
    queue=QueueSeen({"pay": 0}, None, 0, 0, 0, 1, "first"),
    filter=FilterSeen(date(2026, 5, 20), 100_000),
    content=ContentSeen(date(2026, 5, 30), "2026-05-30.1"),
    energy=None,
    versions=VersionsSeen("0.1.0", IMAGE, "Debian 13", "6.12", 5, 5),
)


def of(seen: Snapshot) -> list[Finding]:
    return [f for f in examine(seen) if f.state is not State.OK]


def test_a_node_that_is_well_has_no_finding_but_good_ones() -> None:
    assert of(WELL) == []
    assert {f.area for f in examine(WELL)} >= set(Area) - {
        Area.ENERGY, Area.UPDATES, Area.SITE,
    }  # fmt: skip


def _service(active: str, sub: str, restarts: int = 0, wanted: bool = True) -> Snapshot:
    one = ServiceSeen("portal", active, sub, restarts, "watchdog", wanted)
    return replace(WELL, services=(one,))


def _clock(**changes: object) -> Snapshot:
    return replace(WELL, clock=replace(WELL.clock, **changes))  # type: ignore[arg-type]


def _queue(**changes: object) -> Snapshot:
    assert WELL.queue is not None
    return replace(WELL, queue=replace(WELL.queue, **changes))  # type: ignore[arg-type]


def _contact(state: str, hours: int | None, trouble: str = "", key: bool = True) -> Snapshot:
    last = None if hours is None else NOW - timedelta(hours=hours)
    return replace(WELL, contact=ContactSeen(state, last, trouble, key))


def _gate(**changes: int) -> Snapshot:
    stats = GateStats("nft", open=3, granted=9, revoked=0, refused=0, max_open=50)
    return replace(WELL, gate=replace(stats, **changes))  # type: ignore[arg-type]


N, U, T = State.NOTICE, State.UNKNOWN, State.TROUBLE
CASES: list[tuple[str, Snapshot, Area, State, str]] = [
    ("access point that does NAT", _gate(routers=1), Area.NETWORK, N, "esconden a otros"),
    ("access point that does proxy ARP", _gate(crowded=2), Area.NETWORK, N, "esconden a otros"),
    ("full", _gate(open=50), Area.NETWORK, N, "llena"),
    ("gate not whole", _gate(whole=False), Area.NETWORK, T, "no está entero"),
    ("silent gate", replace(WELL, gate=GateTrouble(GateCause.NO_ANSWER, "")),
     Area.NETWORK, U, "no contesta"),
    ("settings", replace(WELL, settings_trouble="x"), Area.SITE, T, "ajustes"),
    ("silent printer", replace(WELL, devices=(DeviceSeen("printer", "unknown", "no_answer"),)),
     Area.HARDWARE, U, "Impresora"),
    ("printer without a word", replace(WELL, devices=(DeviceSeen("printer", "unknown", ""),)),
     Area.HARDWARE, U, "Impresora"),
    ("no paper", replace(WELL, devices=(DeviceSeen("printer", "attention", "paper_end"),)),
     Area.HARDWARE, N, "atención"),
    ("broken terminal", replace(WELL, devices=(DeviceSeen("terminal", "fault", "no_answer"),)),
     Area.HARDWARE, T, "Terminal"),
    ("worn card", replace(WELL, health=(
        HealthItem(Item.STORAGE_WEAR, ItemState.FAULT, Cause.STORAGE_WORN, 110, "%"),)),
     Area.DISK, T, "Desgaste"),
    ("sensor is silent", replace(WELL, health=(
        HealthItem(Item.SUPPLY, ItemState.UNKNOWN, Cause.NOT_READABLE),)),
     Area.HARDWARE, U, "Alimentación"),
    ("no systemd", replace(WELL, services=None), Area.SERVICES, U, "systemd"),
    ("failed", _service("failed", "failed"), Area.SERVICES, T, "No arranca: el portal"),
    ("restarts for ever", _service("activating", "auto-restart"), Area.SERVICES, T, "No arranca"),
    ("starting", _service("activating", "start"), Area.SERVICES, N, "arrancando"),
    ("stopped", _service("inactive", "dead"), Area.SERVICES, T, "Detenido: el portal"),
    ("restarted", _service("active", "running", 7), Area.SERVICES, N, "7 veces"),
    ("no uplink", replace(WELL, network=NetworkSeen("wwan0", False, False, False, "br", True)),
     Area.NETWORK, T, "wwan0"),
    ("no cable", replace(WELL, network=NetworkSeen("eth0", True, False, False, "br", True)),
     Area.NETWORK, T, "enlace"),
    ("no route", replace(WELL, network=NetworkSeen("eth0", True, True, False, "br", True)),
     Area.NETWORK, T, "ruta"),
    ("no guest side", replace(WELL, network=NetworkSeen("eth0", True, True, True, "br", False)),
     Area.NETWORK, T, "visitantes"),
    ("no radio", replace(WELL, radio=RadioSeen("wlan0", False, None, "", None)),
     Area.RADIO, T, "No existe"),
    ("radio silent", replace(WELL, radio=RadioSeen("wlan0", True, None, "MX", None)),
     Area.RADIO, U, "preguntar"),
    ("off the air", replace(WELL, radio=RadioSeen("wlan0", True, False, "MX", 0)),
     Area.RADIO, T, "no está en el aire"),
    ("other country", replace(WELL, radio=RadioSeen("wlan0", True, True, "US", 3)),
     Area.RADIO, T, "US"),
    ("data read-only", replace(WELL, disk=DiskSeen(True, True, True, 0)), Area.DISK, T, "solo lectura"),
    ("data elsewhere", replace(WELL, disk=DiskSeen(True, False, False, 0)), Area.DISK, T, "montada"),
    ("writable root", replace(WELL, disk=DiskSeen(False, False, True, 0)), Area.DISK, T, "sistema"),
    ("card errors", replace(WELL, disk=DiskSeen(True, False, True, 4)), Area.DISK, T, "arranque: 4"),
    ("no kernel log", replace(WELL, disk=DiskSeen(True, False, True, None)), Area.DISK, U, "kernel"),
    ("unsure time", _clock(quality=TimeQuality.FLOOR), Area.CLOCK, N, "no es segura"),
    ("solar without a battery clock", _clock(is_solar=True, says_rtc=False, has_rtc_device=False),
     Area.CLOCK, T, "Sitio solar sin reloj"),
    ("battery clock that is not there", _clock(has_rtc_device=False), Area.CLOCK, T, "no lo muestra"),
    ("no key", _contact("unknown", None, key=False), Area.CONTACT, N, "dado de alta"),
    ("never", _contact("offline", None), Area.CONTACT, N, "Nunca"),
    ("a day", _contact("offline", 30), Area.CONTACT, N, "30 horas"),
    ("a week", _contact("offline", 24 * 8), Area.CONTACT, T, "8 días"),
    ("refused", _contact("online", 0, "unknown_node"), Area.CONTACT, N, "unknown_node"),
    ("damaged ledger", _queue(damage="no se abre"), Area.QUEUE, T, "no se abre"),
    ("old queue", _queue(waiting={"pay": 3}, oldest=NOW - timedelta(days=9)), Area.QUEUE, T, "9 días"),
    ("slow queue", _queue(waiting={"rep": 3}, oldest=NOW - timedelta(hours=30)),
     Area.QUEUE, N, "30 horas"),
    ("quarantine", _queue(refused=2), Area.QUEUE, N, "cuarentena: 2"),
    ("lost photos", _queue(files_missing=1), Area.QUEUE, T, "debían enviarse: 1"),
    ("salvaged", _queue(epoch_reason="salvaged"), Area.QUEUE, N, "salvaged"),
    ("no list", replace(WELL, filter=FilterSeen(None)), Area.FILTER, T, "No hay lista"),
    ("list of the image", replace(WELL, filter=FilterSeen(date(2026, 1, 1), 9, True)),
     Area.FILTER, N, "imagen"),
    ("old list", replace(WELL, filter=FilterSeen(date(2026, 4, 20), 9)), Area.FILTER, N, "42 días"),
    ("ancient list", replace(WELL, filter=FilterSeen(date(2025, 6, 1), 9)), Area.FILTER, T, "365 días"),
    ("no content", replace(WELL, content=ContentSeen(None)), Area.CONTENT, T, "No hay contenido"),
    ("old content", replace(WELL, content=ContentSeen(date(2026, 4, 20))), Area.CONTENT, N, "42 días"),
    ("ancient content", replace(WELL, content=ContentSeen(date(2026, 1, 1))),
     Area.CONTENT, T, "151 días"),
    ("newer ledger", replace(WELL, versions=replace(WELL.versions, ledger_schema=9)),
     Area.VERSIONS, N, "más nueva"),
]  # fmt: skip


@pytest.mark.parametrize(("seen", "area", "state", "said"), [c[1:] for c in CASES],
                         ids=[c[0] for c in CASES])  # fmt: skip
def test_each_trouble_is_told_with_what_to_do_in_both_languages(
    seen: Snapshot, area: Area, state: State, said: str
) -> None:
    found = of(seen)

    assert any(f.area is area and f.state is state for f in found), found
    texts = {}
    for code in LANGUAGES:
        _ = words(code)
        told = [f for f in found if f.area is area and f.state is state]
        texts[code] = " ".join(f.what_in(_) for f in told)
        assert all(f.to_do_in(_) for f in told)
        assert "{" not in texts[code] + " ".join(f.to_do_in(_) for f in told)
    assert said in texts["es_MX"]
    assert texts["en"] != texts["es_MX"]


def test_a_node_without_a_sure_clock_judges_no_age() -> None:
    """Ninety days of a clock that stands in 1970 are not ninety days."""
    seen = replace(_clock(quality=TimeQuality.FLOOR), content=ContentSeen(date(2026, 1, 1)))

    assert [f.state for f in of(seen) if f.area is Area.CONTENT] == [State.UNKNOWN]


def test_a_portal_that_stands_still_by_profile_is_no_trouble() -> None:
    assert of(_service("inactive", "dead", wanted=False)) == []


def test_the_text_has_each_area_once_and_what_to_do_under_what_is_wrong() -> None:
    text = as_text("COA007", examine(replace(WELL, content=ContentSeen(None))), words())

    assert text.splitlines()[0] == "Nodo COA007: fallas: 1"
    assert text.count("\nContenido\n") == 1
    assert "[falla]      No hay contenido: ni trámites ni predial\n" in text
    assert "Qué hacer: Tráigalo: plaza sync pull" in text


def test_the_city_is_told_the_areas_in_trouble_once_and_nothing_else() -> None:
    bad = examine(replace(WELL, content=ContentSeen(None), settings_trouble="/secret/path"))
    draft = fact_for_the_city(bad, told="")

    assert isinstance(draft, FactDraft)
    assert draft.type is FactType.DEVICE_CHANGED
    assert draft.data == {
        "device": "doctor", "state": "attention", "cause": "content,site", "before": "",
    }  # fmt: skip
    assert fact_for_the_city(bad, told="attention content,site") is None
    assert line_for_the_city(examine(WELL)) == ("ready", "")


def test_notices_and_what_is_not_known_bring_nobody_to_the_node() -> None:
    unsure = examine(replace(WELL, services=None, disk=DiskSeen(True, False, True, None)))

    assert worst(unsure) is State.UNKNOWN
    assert line_for_the_city(unsure) == ("ready", "")


def test_the_citys_staff_read_the_areas_in_words() -> None:
    part = Part("device:doctor", "attention", "disk,clock", "", "", "")

    assert trouble_in_words("device:doctor", part) == "revisión: Memoria, Hora"


@pytest.mark.parametrize(
    "line",
    [
        "mmc0: error -110 whilst initialising SD card",
        "mmcblk0: mmc0:aaaa SC32G: Timeout waiting for hardware interrupt. mmc0: timeout",
        "I/O error, dev mmcblk0, sector 2048 op 0x1:(WRITE)",
        "EXT4-fs error (device mmcblk0p4): ext4_find_entry:1455",
        "device-mapper: verity: 179:2: data block 3 is corrupted",
    ],
)
def test_a_cards_errors_are_known_by_the_kernels_own_words(line: str) -> None:
    assert CARD_ERROR.search(line)


@pytest.mark.parametrize(
    "line", ["mmc0: new high speed SDHC card at address aaaa", "EXT4-fs (mmcblk0p4): mounted"]
)
def test_a_card_that_works_is_no_error(line: str) -> None:
    assert not CARD_ERROR.search(line)


# --- looking -----------------------------------------------------------------------------------

SHOWN = """\
Id=plaza-sync.service
LoadState=loaded
ActiveState=active
SubState=running
NRestarts=0
Result=success

Id=plaza-kiosk.service
LoadState=loaded
ActiveState=inactive
SubState=dead
NRestarts=0
Result=success

Id=plaza-wifi.service
LoadState=loaded
ActiveState=inactive
SubState=dead
NRestarts=0
Result=success

Id=plaza-gate.service
LoadState=not-found
ActiveState=inactive
SubState=dead
NRestarts=0
Result=success
"""
STATIONS = (
    "Station 02:66:00:00:00:0a (on wlan0)\n\tsignal: -40\nStation 02:66:00:00:00:0b (on wlan0)\n"
)


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A root of files such as the kernel shows."""
    root = tmp_path / "root"
    for name, text in {
        "proc/self/mountinfo": (
            "1 0 254:0 / / ro,relatime - squashfs /dev/dm-0 ro\n"
            "2 1 179:4 / /data ro,noatime - ext4 /dev/mmcblk0p4 rw,commit=5\n"
        ),
        "proc/net/route": "Iface\tDestination\neth0\t00000000\t0101A8C0\t0003\n",
        "proc/sys/kernel/osrelease": "6.12.1\n",
        "etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\n',
        "sys/class/net/eth0/flags": "0x1003\n",
        "sys/class/net/eth0/carrier": "1\n",
        "sys/class/net/wlan0/flags": "0x1003\n",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def programs(answers: dict[str, str]) -> Callable[[Sequence[str]], str | None]:
    """Programs that print what is asked for by their first words, and fail where nothing is."""

    def run(argv: Sequence[str]) -> str | None:
        line = " ".join(argv)
        return next((said for words_, said in answers.items() if line.startswith(words_)), None)

    return run


def test_the_machine_is_read_from_the_kernel_and_from_systemd(machine: Path) -> None:
    host = Host(machine, programs({
        "systemctl show": SHOWN,
        "iw dev wlan0 info": "Interface wlan0\n\ttype AP\n\tchannel 6\n",
        "iw reg get": "global\ncountry MX: DFS-FCC\n",
        "iw dev wlan0 station dump": STATIONS,
        "journalctl -k": "mmc0: error -110\nall well\n",
    }))  # fmt: skip

    services = host.services(kiosk=False, portal=True)
    assert services is not None
    assert [(s.name, s.wanted) for s in services] == [
        ("sync", True), ("kiosk", False), ("wifi", False),
    ]  # fmt: skip
    assert host.network("eth0", "br-guest") == NetworkSeen(
        "eth0", True, True, True, "br-guest", False
    )
    assert host.radio("wlan0") == RadioSeen("wlan0", True, True, "MX", 2)
    assert host.disk(Path("/data/plaza"), True) == DiskSeen(True, False, True, 1)


def test_a_machine_that_says_nothing_is_unknown_and_never_well(machine: Path) -> None:
    host = Host(machine, programs({}))

    assert host.services(kiosk=True, portal=True) is None
    assert host.radio("wlan0").on_air is None
    assert host.disk(Path("/data/plaza"), True).kernel_errors is None


def test_the_seen_file_system_is_the_deepest_one_that_holds_the_data(machine: Path) -> None:
    read_only = (machine / "proc/self/mountinfo").read_text().replace("rw,commit", "ro,commit")
    (machine / "proc/self/mountinfo").write_text(read_only)
    host = Host(machine, programs({}))

    assert host.disk(Path("/data/plaza"), True).data_read_only


def node(folder: Path, settings: str = "") -> DataDir:
    data = DataDir(folder)
    folder.mkdir()
    data.settings_file.write_text(settings)
    memory = open_memory(data)
    assert not isinstance(memory, CannotStart)
    memory.ledger.record(
        FactDraft(FactType.DEVICE_CHANGED, {"device": "printer", "state": "ready"})
    )
    memory.close()
    return data


def test_a_whole_node_is_looked_at_and_nothing_of_its_memory_changes(
    tmp_path: Path, machine: Path
) -> None:
    data = node(tmp_path / "node", '[energy]\nkind = "solar"\n[node]\nsite = "Plaza"\n')
    seen = collect(data, Host(machine, programs({})))

    assert seen.node == "COA007"
    assert seen.queue is not None
    assert seen.queue.waiting == {"vit": 1}
    assert seen.versions.ledger_schema == seen.versions.writes_schema
    assert seen.versions.system == "Debian GNU/Linux 13 (trixie)"
    assert seen.clock.is_solar
    found = examine(seen)
    assert {Area.ENERGY, Area.CLOCK} <= {f.area for f in found if f.state is State.TROUBLE}
    assert not (data.run / FILE_NAME).exists()


def test_settings_that_cannot_be_read_are_told_and_the_rest_is_looked_at(
    tmp_path: Path, machine: Path
) -> None:
    data = node(tmp_path / "node")
    data.settings_file.write_text("[node]\nnumbre = 3\n")

    seen = collect(data, Host(machine, programs({})))

    assert "node.number" in seen.settings_trouble
    assert seen.health


def test_a_node_that_waits_for_its_site_file_tells_its_screen_and_does_not_fail(
    tmp_path: Path,
) -> None:
    data = DataDir(tmp_path)
    data.create()
    state = SiteState(SiteStanding.WAITING, faults=("no hay plaza.toml",))
    state_file(data).write_bytes(encode_state(state))

    ended = CliRunner().invoke(doctor, ["--data", str(data.path), "--tell"])

    assert ended.exit_code == 0, ended.output
    assert (data.run / FILE_NAME).exists()
    assert not data.ledger.exists()


def test_the_command_tells_the_city_once_and_leaves_a_note_for_the_screen(tmp_path: Path) -> None:
    data = node(tmp_path / "node", '[energy]\nkind = "solar"\n')

    for _ in range(2):
        ended = CliRunner().invoke(doctor, ["--data", str(data.path), "--tell", "--json"])
        assert ended.exit_code == 0, ended.output
    assert json.loads(ended.stdout)["state"] == "trouble"
    note = read_note(data.run / FILE_NAME)
    assert note is not None
    assert "energy" in note.told
    memory = open_memory(data)
    assert not isinstance(memory, CannotStart)
    rows = memory.ledger.reading()
    with rows as db:
        bodies = [bytes(b).decode() for (b,) in db.execute("SELECT body FROM fact ORDER BY seq")]
    memory.close()
    assert sum('"device":"doctor"' in body for body in bodies) == 1
    assert fresh_note(data.run / FILE_NAME, SystemClock().now()) == note


def test_the_exit_code_says_whether_somebody_must_do_something(tmp_path: Path) -> None:
    solar = node(tmp_path / "solar", '[energy]\nkind = "solar"\n')

    assert CliRunner().invoke(doctor, ["--data", str(solar.path)]).exit_code == 1


def test_the_technicians_page_shows_what_is_wrong_and_what_to_do(tmp_path: Path) -> None:
    data = node(tmp_path / "node", '[energy]\nkind = "solar"\n')
    CliRunner().invoke(doctor, ["--data", str(data.path), "--tell"])
    note = fresh_note(data.run / FILE_NAME, SystemClock().now())
    seen = Round((), None, LinkReport(LinkState.ONLINE, 0), None, examination=note)

    for language in LANGUAGES:
        title, rows = page(seen, None, untranslated(), language)[0]
        assert title == "Revisión del nodo"
        told = [row for row in rows if row.label.startswith(("Sitio solar", "Solar site"))]
        assert len(told) >= 2
        assert all(row.text for row in told)


def test_the_document_for_machines_has_every_finding() -> None:
    document = as_document("COA007", examine(WELL), words())

    assert document["state"] == "ok"
    assert json.loads(json.dumps(document)) == document
