"""First boot: what a site file makes of a node, and that no power cut anywhere changes the end."""

from __future__ import annotations

import os
import random
import re
import stat
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from captive_portal.site import SiteProfile, parse_site
from municipio.settings import parse_settings
from municipio.site_code import is_site_code
from municipio.site_file.keys import KEYS
from municipio.site_file.node_files import lay_over, settings_of
from municipio.site_file.shape import STORED, Kind, Value
from municipio.site_file.state import SiteStanding
from municipio.site_file.write import write_site_file
from plaza.site import SitePlan, parse_site_file
from plaza.site.apply import apply_site, note_boot, note_stop
from plaza.site.disk import NodeDisk
from plaza.site.found import NEW_NAME, looks_like_site
from plaza.site.planner import LAST_GOOD, SECRETS, SITE_CODE_FILE
from plaza.site.steps import Blank, MakeKey, Place, Remove, Seen, Step, Write
from sync.datadir import DataDir
from sync.site_code import CodeAnswer, SiteCode
from sync.site_state import enrol_file, is_waiting, read_boots

SITE: dict[str, Value] = {
    "site.name": "Parque (demostración)", "site.number": 7, "city.url": "https://p.example/",
    "city.letters": "COA", "city.inegi": "30039", "city.code": "Z3WA-2M9D-XR4T-8WNH",
    "uplink.kind": "wifi-client", "uplink.ssid": "Oficinas", "uplink.password": "una clave 9",
    "wifi.ssid": "Plaza Libre", "wifi.staff_ssid": "Técnicos", "wifi.staff_password": "clave-del-personal",
    "printer.port": "usb://04b8:0e27", "technician.code": "40712885",
}  # fmt: skip
GOOD = write_site_file(SITE).encode()
WRONG = GOOD.replace(b"number = 7", b"nunber = 7")
SECRET_WORDS = (b"Z3WA", b"una clave 9", b"clave-del-personal", b"40712885")


@dataclass
class Node:
    """A real folder tree of one node."""

    root: Path

    def __post_init__(self) -> None:
        for folder in (self.boot, self.data.parent):
            folder.mkdir(parents=True, exist_ok=True)

    @property
    def boot(self) -> Path:
        return self.root / "boot"

    @property
    def data(self) -> Path:
        return self.root / "data" / "plaza"

    @property
    def system(self) -> Path:
        return self.root / "data" / "system"

    @property
    def disk(self) -> NodeDisk:
        return NodeDisk(self.boot, self.data, self.system)

    def put(self, raw: bytes, name: str = "plaza.toml") -> None:
        (self.boot / name).write_bytes(raw)

    def files(self) -> dict[str, bytes]:
        """Every file, but the random parts of the key and of the code's salt."""
        found = {
            str(p.relative_to(self.root)): p.read_bytes()
            for p in self.root.rglob("*")
            if p.is_file()
        }
        random_ones = [n for n in found if "node." in n or n.endswith("site-code.json")]
        return found | dict.fromkeys(random_ones, b"(random)")


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path)


def test_a_good_file_makes_a_node(node: Node) -> None:
    node.put(GOOD)

    done = apply_site(node.disk)

    assert done.state.standing is SiteStanding.GOOD
    settings = DataDir(node.data).settings()
    assert settings.node_code == "COA007"
    assert settings.text("central.url") == "https://p.example"
    assert settings.text("portal.gate") == "nft"
    assert settings.text("printer.port") == "usb://04b8:0e27"
    profile = parse_site((node.data / "site.toml").read_text())
    assert isinstance(profile, SiteProfile)
    assert profile.wifi.staff is not None
    assert profile.network.uplink == "wlan1"
    assert (
        "psk=una\\sclave\\s9"
        in (node.system / "networkmanager/plaza-uplink.nmconnection").read_text()
    )
    assert DataDir(node.data).node_key.exists()
    assert is_site_code((node.data / SITE_CODE_FILE).read_bytes(), "40712885")


def test_secrets_leave_the_card_that_anybody_can_read(node: Node) -> None:
    node.put(GOOD.replace(b"\n", b"\r\n"))

    apply_site(node.disk)

    left = (node.boot / "plaza.toml").read_bytes()
    assert not any(word in left for word in SECRET_WORDS)
    assert left.count(b"\r\n") == left.count(b"\n")
    assert STORED.encode() in left
    assert stat.S_IMODE((node.system / SECRETS).stat().st_mode) == 0o600
    assert isinstance(parse_site_file(left), SitePlan)
    assert not any(word in (node.system / SECRETS).read_bytes() for word in (b"Z3WA", b"40712885"))


def test_networkd_may_read_its_file_whatever_the_umask(node: Node) -> None:
    before = os.umask(0o077)
    try:
        node.put(GOOD.replace(b'kind = "wifi-client"', b'kind = "ethernet"'))
        apply_site(node.disk)
    finally:
        os.umask(before)

    file = node.system / "network/10-plaza-uplink.network"
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert all(stat.S_IMODE(f.stat().st_mode) == 0o755 for f in (file.parent, file.parent.parent))


def test_every_other_boot_changes_nothing(node: Node) -> None:
    node.put(GOOD)
    apply_site(node.disk)
    before = node.files()

    assert apply_site(node.disk).changed == 0
    assert node.files() == before


def test_a_corrected_file_keeps_the_key_and_what_others_wrote(node: Node) -> None:
    node.put(GOOD)
    apply_site(node.disk)
    data = DataDir(node.data)
    key = data.node_key.read_bytes()
    data.settings_file.write_text(data.settings_file.read_text() + '\n[bank]\nclabe = "1" # mía\n')
    (node.data / "site.toml").write_text(
        "max_devices = 9\n" + (node.data / "site.toml").read_text()
    )
    left = (node.boot / "plaza.toml").read_text().replace('"Plaza Libre"', '"Plaza Nueva"')

    node.put(left.encode())
    apply_site(node.disk)

    assert data.node_key.read_bytes() == key
    assert data.settings().text("bank.clabe") == "1"
    assert "# mía" in data.settings_file.read_text()
    profile = parse_site((node.data / "site.toml").read_text())
    assert isinstance(profile, SiteProfile)
    assert (profile.max_devices, profile.wifi.ssid) == (9, "Plaza Nueva")
    assert "una\\sclave" in (node.system / "networkmanager/plaza-uplink.nmconnection").read_text()


def test_a_first_wrong_file_is_explained_and_nothing_is_served_under_a_false_name(
    node: Node,
) -> None:
    node.put(WRONG)

    done = apply_site(node.disk)

    told = (node.boot / "plaza-error.txt").read_bytes().decode("utf-8-sig")
    assert done.state.standing is SiteStanding.WAITING
    assert "«nunber» no existe" in told
    assert "\r\n" in told
    assert is_waiting(DataDir(node.data))
    assert DataDir(node.data).node_key.exists(), "the screens start, to explain"
    profile = parse_site((node.data / "site.toml").read_text())
    assert isinstance(profile, SiteProfile)
    assert "revise" in profile.wifi.ssid

    node.put(GOOD)
    assert apply_site(node.disk).state.standing is SiteStanding.GOOD
    assert not (node.boot / "plaza-error.txt").exists()
    assert not is_waiting(DataDir(node.data))


def test_a_later_wrong_file_leaves_the_last_good_plan_in_force(node: Node) -> None:
    node.put(GOOD)
    apply_site(node.disk)
    settings = DataDir(node.data).settings_file.read_bytes()

    node.put(WRONG)
    done = apply_site(node.disk)

    assert done.state.standing is SiteStanding.KEPT
    assert done.state.node == "COA007"
    assert DataDir(node.data).settings_file.read_bytes() == settings
    assert "últimos datos buenos" in (node.boot / "plaza-error.txt").read_text("utf-8-sig")
    assert (node.boot / "plaza.toml").read_bytes() == WRONG, "the technician's file is not touched"


def test_a_lost_file_comes_back(node: Node) -> None:
    node.put(GOOD)
    apply_site(node.disk)
    before = node.files()
    (node.boot / "plaza.toml").unlink()

    assert apply_site(node.disk).state.standing is SiteStanding.GOOD
    assert node.files() == before


def test_a_write_protected_card_serves_all_the_same(node: Node) -> None:
    class Protected(NodeDisk):
        def do(self, step: Step) -> bool:
            if isinstance(step, Blank) or getattr(step, "place", None) is Place.BOOT:
                raise OSError(30, "Read-only file system", "plaza.toml")
            return super().do(step)

    node.put(GOOD)

    done = apply_site(Protected(node.boot, node.data, node.system))

    assert done.state.standing is SiteStanding.GOOD
    assert "Read-only" in done.refused[0]
    assert DataDir(node.data).settings().node_code == "COA007"


def test_no_file_at_all_asks_for_one(node: Node) -> None:
    assert apply_site(node.disk).state.standing is SiteStanding.WAITING
    assert "no hay ningún archivo" in (node.boot / "plaza-error.txt").read_text("utf-8-sig")


@pytest.mark.parametrize(
    "name", ["plaza.toml.txt", "Plaza.toml", "plaza (1).toml", "PLAZA.TOML.TXT"]
)
def test_names_that_windows_gives_are_found(node: Node, name: str) -> None:
    node.put(GOOD, name)

    assert apply_site(node.disk).state.standing is SiteStanding.GOOD
    names = {n for n in (p.name for p in node.boot.iterdir()) if n.lower() != "plaza.toml"}
    assert names == set()


def test_two_files_are_not_guessed_between(node: Node) -> None:
    node.put(GOOD, "plaza (1).toml")
    node.put(GOOD, "plaza (2).toml")

    assert "varios" in apply_site(node.disk).state.faults[0]


def test_a_card_that_served_one_place_is_not_made_another(node: Node) -> None:
    node.put(GOOD)
    apply_site(node.disk)
    DataDir(node.data).ledger.write_bytes(b"(a ledger)")

    node.put((node.boot / "plaza.toml").read_bytes().replace(b"number = 7", b"number = 8"))

    assert "ya atendió como COA007" in apply_site(node.disk).state.faults[0]


def test_a_secret_that_is_not_here_is_asked_for_again(node: Node) -> None:
    node.put(GOOD.replace(b"una clave 9", STORED.encode()))

    assert "escríbalo otra vez" in apply_site(node.disk).state.faults[0]


def test_hand_written_settings_that_would_stop_the_node_give_way(node: Node) -> None:
    node.put(GOOD)
    node.data.mkdir()
    (node.data / "settings.toml").write_text("[kiosk]\nwidht = 3\n")
    (node.data / "site.toml").write_text("[wifi]\nwidth_mhz = 40\n")

    apply_site(node.disk)

    assert DataDir(node.data).settings().node_code == "COA007"
    assert isinstance(parse_site((node.data / "site.toml").read_text()), SiteProfile)


def test_hand_written_settings_that_a_windows_editor_saved_are_kept(node: Node) -> None:
    node.put(GOOD)
    node.data.mkdir()
    own = "[card]\r\nenabled = true\r\n".encode("utf-8-sig")
    (node.data / "settings.toml").write_bytes(own)

    apply_site(node.disk)

    assert DataDir(node.data).settings().flag("card.enabled")
    assert DataDir(node.data).settings().node_code == "COA007"


def test_a_portal_alone_has_no_screen_and_only_lte_has_a_modem(node: Node) -> None:
    node.put(
        write_site_file(
            SITE | {"site.profile": "portal", "uplink.kind": "lte", "uplink.apn": "i.x"}
        ).encode()
    )

    apply_site(node.disk)

    assert (node.system / "off/kiosk").exists()
    assert not (node.system / "off/modem").exists()
    assert not DataDir(node.data).settings().flag("node.padron")
    assert DataDir(node.data).settings().text("node.profile") == "portal"
    assert "apn=i.x" in (node.system / "networkmanager/plaza-uplink.nmconnection").read_text()


def test_every_choice_of_a_site_file_is_a_setting_that_a_node_takes() -> None:
    sun = {"energy.kind": "solar", "energy.wake": "rtc_alarm", "energy.port": "/dev/ttyS3"}
    rest = {"uplink.apn": "i.x", "terminal.port": "/dev/ttyS1", "terminal.point_id": "P-1"}
    for key in KEYS:
        for value, _words in key.choices:
            one = value if key.kind is Kind.CHOICE else (value,)
            plan = parse_site_file(write_site_file(SITE | sun | rest | {key.name: one}).encode())
            if isinstance(plan, SitePlan):
                parse_settings(tomllib.loads(lay_over("", settings_of(plan, "", ""))))
            else:
                assert (key.name, value) == ("energy.wake", "none")


def test_a_cable_needs_no_network_manager(node: Node) -> None:
    fixed = {
        "uplink.kind": "ethernet",
        "uplink.address": "192.168.1.20/24",
        "uplink.gateway": "192.168.1.1",
    }
    node.put(GOOD)
    apply_site(node.disk)
    node.put(write_site_file(SITE | fixed).encode())

    apply_site(node.disk)

    text = (node.system / "network/10-plaza-uplink.network").read_text()
    assert "Name=eth0" in text
    assert "Address=192.168.1.20/24\nGateway=192.168.1.1\nDNS=192.168.1.1" in text
    assert (node.system / "off/networkmanager").exists()
    assert not list(node.system.glob("networkmanager/*"))


def test_the_code_waits_for_a_signal(node: Node) -> None:
    node.put(GOOD)
    apply_site(node.disk)

    assert b"Z3WA-2M9D-XR4T-8WNH" in enrol_file(DataDir(node.data)).read_bytes()


def test_the_site_code_opens_once_and_never_beside_the_citys_list(node: Node) -> None:
    node.put(GOOD)
    apply_site(node.disk)
    door = SiteCode(DataDir(node.data))

    assert door.may_open()
    assert door.try_code("00000000") is CodeAnswer.WRONG
    assert door.try_code("40712885") is CodeAnswer.OPENED
    assert door.try_code("40712885") is CodeAnswer.CLOSED
    assert not door.may_open()


def test_ten_wrong_site_codes_close_the_door(node: Node) -> None:
    node.put(GOOD)
    apply_site(node.disk)
    door = SiteCode(DataDir(node.data))

    answers = [door.try_code(f"0000000{n}") for n in range(10)]

    assert set(answers) == {CodeAnswer.WRONG}
    assert door.try_code("40712885") is CodeAnswer.CLOSED


def test_a_pulled_plug_is_noticed_and_an_orderly_stop_is_none(node: Node) -> None:
    data = DataDir(node.data)
    note_boot(node.disk, node.data, "uno")
    note_boot(node.disk, node.data, "uno")
    note_stop(node.disk, node.data)
    note_boot(node.disk, node.data, "dos")
    assert (read_boots(data).power_cuts, read_boots(data).starts) == (0, 2)

    note_boot(node.disk, node.data, "tres")

    assert (read_boots(data).power_cuts, read_boots(data).starts) == (1, 3)


# --- power cuts


CUTS = int(os.environ.get("PLAZA_SITE_CUTS", "25"))
"""Seeds a case; `make worlds` takes many more."""


class PowerCut(Exception):
    pass


@dataclass
class CuttableDisk:
    """The three places in memory, at the grain of what a real card does between two flushes."""

    files: dict[tuple[Place, str], bytes] = field(default_factory=dict)
    left: int = 1_000_000
    chance: random.Random = field(default_factory=random.Random)

    def look(self) -> Seen:
        at = self.files.get
        boot = {n: raw for (p, n), raw in self.files.items() if p is Place.BOOT}
        return Seen(
            boot={
                n: raw for n, raw in boot.items() if looks_like_site(n) or n == "plaza-error.txt"
            },
            settings=at((Place.DATA, "settings.toml"), b"").decode(),
            rules=at((Place.DATA, "site.toml"), b"").decode(),
            last_good=at((Place.SYSTEM, LAST_GOOD), b""),
            secrets=at((Place.SYSTEM, SECRETS), b""),
            site_code=at((Place.DATA, SITE_CODE_FILE), b""),
            salt=b"salt",
        )

    def do(self, step: Step) -> bool:
        match step:
            case Write(place, name, content):
                self._tick()
                self.files[place, name] = content
            case Remove(place, name):
                self._tick()
                self.files.pop((place, name), None)
            case MakeKey():
                self._tick()
                self.files.setdefault((Place.DATA, "keys/node.key"), b"key")
            case Blank(name, content):
                self._blank(name, content)
        return True

    def _tick(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise PowerCut

    def _blank(self, name: str, content: bytes) -> None:
        if self.files.get((Place.BOOT, name)) == content:
            return
        if self.files.get((Place.BOOT, NEW_NAME)) != content:
            self._slowly(NEW_NAME, b"", content)
        for place, old in list(self.files):
            if place is Place.BOOT and looks_like_site(old) and old != NEW_NAME:
                before = self.files[place, old]
                self._slowly(old, before, bytes(len(before)))
        self._tick()
        self.files[Place.BOOT, name] = self.files.pop((Place.BOOT, NEW_NAME))

    def _slowly(self, name: str, before: bytes, after: bytes) -> None:
        """A cut leaves the beginning new and the rest old, by whole sectors."""
        for _ in range(3):
            try:
                self._tick()
            except PowerCut:
                at = 512 * self.chance.randrange(len(after) // 512 + 1)
                self.files[Place.BOOT, name] = after[:at] + before[at:]
                raise
        self.files[Place.BOOT, name] = after


def _uncut(*files: bytes) -> dict[tuple[Place, str], bytes]:
    disk = CuttableDisk()
    for raw in files:
        disk.files[Place.BOOT, "plaza.toml"] = raw
        apply_site(disk)
    return disk.files


LATER = GOOD.replace(b"Plaza Libre", b"Plaza Nueva").replace(b"una clave 9", b"otra clave 1")


@pytest.mark.parametrize(
    "first", [GOOD, WRONG, GOOD.replace(b"\n", b"\r\n")], ids=["good", "wrong", "crlf"]
)
def test_a_cut_in_any_step_and_running_it_again_end_the_same(first: bytes) -> None:
    expected = _uncut(first)

    for seed in range(CUTS):
        chance = random.Random(seed)
        disk = CuttableDisk({(Place.BOOT, "plaza.toml"): first}, chance=chance)
        for _ in range(chance.randrange(1, 5)):
            disk.left = chance.randrange(30)
            try:
                apply_site(disk)
            except PowerCut:
                continue
        disk.left = 1_000_000
        apply_site(disk)
        assert disk.files == expected, f"seed {seed}"


def test_cuts_while_a_changed_file_is_applied_end_the_same() -> None:
    expected = _uncut(GOOD, LATER)

    for seed in range(CUTS):
        chance = random.Random(seed)
        disk = CuttableDisk(dict(_uncut(GOOD)), chance=chance)
        disk.files[Place.BOOT, "plaza.toml"] = LATER
        for _ in range(chance.randrange(1, 5)):
            disk.left = chance.randrange(30)
            try:
                apply_site(disk)
            except PowerCut:
                continue
        disk.left = 1_000_000
        apply_site(disk)
        assert disk.files == expected, f"seed {seed}"


def test_a_cut_between_any_two_steps_on_a_real_disk_ends_the_same(tmp_path: Path) -> None:
    whole = Node(tmp_path / "whole")
    whole.put(GOOD)
    apply_site(whole.disk)
    expected = {n: _no_path(raw) for n, raw in whole.files().items()}

    for cut in range(1, 20, 3):
        node = Node(tmp_path / str(cut))
        node.put(GOOD)
        apply_partly(node.disk, cut)
        apply_site(node.disk)
        assert {n: _no_path(raw) for n, raw in node.files().items()} == expected, f"cut {cut}"


def apply_partly(disk: NodeDisk, steps: int) -> None:
    from plaza.site.planner import plan_steps

    for step in plan_steps(disk.look())[:steps]:
        disk.do(step)


def _no_path(raw: bytes) -> bytes:
    return re.sub(rb"/[^\"\n]*/data/plaza", b"DATA", raw)


def test_settings_are_toml_that_a_person_can_read(node: Node) -> None:
    node.put(GOOD)
    apply_site(node.disk)

    document = tomllib.loads((node.data / "settings.toml").read_text())

    assert document["node"]["site"] == "Parque (demostración)"
