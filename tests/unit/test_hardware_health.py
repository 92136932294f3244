"""A node's body, read from a tree that a test builds: each trouble by its own name."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from hardware.health import readers
from hardware.health.canary import Came, CanaryResult, fly
from hardware.health.changes import BURST, ChangeDetector
from hardware.health.driver import CanaryCage, NodeHealth, UndervoltageLatch
from hardware.health.judge import Looked, judge
from hardware.health.readers import No, Space, read_space, read_vitals
from hardware.health.state import Cause, Health, Item, ItemState
from municipio.clock import TimeQuality
from municipio.devices import DeviceState, DeviceStatus

GIB = 1 << 30


@dataclass
class Pi:
    """A Raspberry Pi as its /sys and /proc show it."""

    root: Path

    def write(self, path: str, content: object) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{content}\n", encoding="utf-8")

    def remove(self, path: str) -> None:
        (self.root / path).unlink()

    def judged(self, **looked: object) -> Health:
        return judge(replace(Looked(read_vitals(self.root)), **looked))  # type: ignore[arg-type]  # each test names fields of Looked


VOLT = "sys/class/hwmon/hwmon1/in0_lcrit_alarm"
HEAT = "sys/class/thermal/thermal_zone0/temp"
HELD = "sys/class/thermal/cooling_device0/cur_state"
ERRORS = "sys/fs/ext4/mmcblk0p3/errors_count"
LIFE = "sys/block/mmcblk0/device/life_time"
RESERVE = "sys/block/mmcblk0/device/pre_eol_info"
BOOT = "proc/sys/kernel/random/boot_id"


@pytest.fixture
def pi(tmp_path: Path) -> Pi:
    built = Pi(tmp_path / "root")
    for path, content in {
        "proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.5\0",
        BOOT: "11111111-2222-4333-8444-555555555555",
        "sys/class/hwmon/hwmon0/name": "cpu_thermal",
        "sys/class/hwmon/hwmon1/name": "rpi_volt",
        VOLT: 0,
        HEAT: 51_234,
        "sys/class/thermal/cooling_device0/type": "cpufreq-cpu0",
        HELD: 0,
        "sys/class/thermal/cooling_device1/type": "gpio-fan",
        "sys/class/thermal/cooling_device1/cur_state": 1,
        ERRORS: 0,
        "sys/fs/ext4/mmcblk0p2/errors_count": 0,
        LIFE: "0x01 0x02",
        RESERVE: "0x01",
        "proc/meminfo": "MemTotal:  3884000 kB\nMemFree:  100 kB\nMemAvailable:  1900000 kB",
        "proc/loadavg": "0.50 0.80 0.60 1/200 999",
        **{f"sys/devices/system/cpu/cpu{n}/online": 1 for n in range(4)},
    }.items():
        built.write(path, content)
    return built


def test_a_healthy_pi_is_well_in_every_item_that_it_has(pi: Pi) -> None:
    health = pi.judged(
        space=Space(8 * GIB, 16 * GIB, 900, 1000),
        canary=CanaryResult(Came.BACK, 12),
        clock=TimeQuality.SYNCED,
        renderer="V3D 4.2.14.0",
    )

    assert {f.item for f in health.findings} == set(Item)
    assert {f.state for f in health.findings} == {ItemState.OK}
    assert health.status == DeviceStatus(DeviceState.READY)


@pytest.mark.parametrize(
    ("path", "content", "item", "state", "cause"),
    [
        (VOLT, 1, Item.SUPPLY, "fault", Cause.UNDERVOLTAGE),
        (VOLT, "", Item.SUPPLY, "unknown", Cause.NOT_READABLE),
        (HEAT, 76_000, Item.TEMPERATURE, "attention", Cause.HOT),
        (HEAT, 85_100, Item.TEMPERATURE, "fault", Cause.TOO_HOT),
        (HEAT, "warm", Item.TEMPERATURE, "unknown", Cause.NOT_READABLE),
        (HELD, 3, Item.THROTTLING, "attention", Cause.THROTTLED),
        (ERRORS, 1, Item.STORAGE_ERRORS, "fault", Cause.STORAGE_ERRORS),
        (LIFE, "0x03 0x08", Item.STORAGE_WEAR, "attention", Cause.STORAGE_WEARING),
        (LIFE, "0x0b 0x01", Item.STORAGE_WEAR, "fault", Cause.STORAGE_WORN),
        (RESERVE, "0x02", Item.STORAGE_WEAR, "attention", Cause.STORAGE_WEARING),
        (RESERVE, "0x03", Item.STORAGE_WEAR, "fault", Cause.STORAGE_WORN),
        ("proc/loadavg", "9 9.0 9 1/2 3", Item.LOAD, "attention", Cause.LOAD_HIGH),
        ("proc/loadavg", "", Item.LOAD, "unknown", Cause.NOT_READABLE),
        (
            "proc/meminfo",
            "MemTotal: 1000 kB\nMemAvailable: 50 kB",
            Item.MEMORY,
            "attention",
            Cause.MEMORY_LOW,
        ),
        ("proc/meminfo", "MemTotal: 0 kB", Item.MEMORY, "unknown", Cause.NOT_READABLE),
    ],
)
def test_each_trouble_is_named_and_is_the_state_of_the_node(
    pi: Pi, path: str, content: object, item: Item, state: str, cause: Cause
) -> None:
    pi.write(path, content)
    health = pi.judged()
    found = health.of(item)

    assert found is not None
    assert (found.state, found.cause) == (state, cause)
    assert health.status == DeviceStatus(DeviceState(state), cause.value)
    assert sum(f.state is not ItemState.OK for f in health.findings) == 1


@pytest.mark.parametrize(
    ("looked", "item", "cause"),
    [
        ({"undervoltage_seen": True}, Item.SUPPLY, Cause.UNDERVOLTAGE_SEEN),
        ({"space": Space(400 << 20, 16 * GIB, 9, 10)}, Item.SPACE, Cause.SPACE_LOW),
        ({"space": Space(50 << 20, 16 * GIB, 9, 10)}, Item.SPACE, Cause.SPACE_FULL),
        ({"space": Space(9 * GIB, 16 * GIB, 4, 100)}, Item.INODES, Cause.INODES_LOW),
        ({"space": No.ANSWER}, Item.SPACE, Cause.NOT_READABLE),
        ({"canary": CanaryResult(Came.DIFFERENT, 5)}, Item.STORAGE_TEST, Cause.STORAGE_FAILED),
        ({"canary": CanaryResult(Came.NOT_WRITTEN, 5)}, Item.STORAGE_TEST, Cause.STORAGE_FAILED),
        ({"canary": CanaryResult(Came.BACK, 5000)}, Item.STORAGE_TEST, Cause.STORAGE_SLOW),
        ({"canary_is_stuck": True}, Item.STORAGE_TEST, Cause.STORAGE_STUCK),
        ({"clock": TimeQuality.FLOOR}, Item.CLOCK, Cause.CLOCK_UNTRUSTED),
        ({"clock": TimeQuality.UNKNOWN}, Item.CLOCK, Cause.CLOCK_UNTRUSTED),
        ({"renderer": "llvmpipe (LLVM 15.0.6)"}, Item.SCREEN, Cause.SOFTWARE_RENDERER),
    ],
)
def test_what_no_file_of_the_kernel_tells_is_judged_too(
    pi: Pi, looked: dict[str, object], item: Item, cause: Cause
) -> None:
    found = pi.judged(**looked).of(item)

    assert found is not None
    assert found.cause is cause


def test_a_pi_whose_sensors_are_gone_is_unknown_and_another_machine_just_has_none(pi: Pi) -> None:
    pi.remove("sys/class/hwmon/hwmon1/name")
    pi.remove(HEAT)
    assert pi.judged().status == DeviceStatus(DeviceState.UNKNOWN, "not_readable")

    pi.write("proc/device-tree/model", "QEMU Virtual Machine")
    health = pi.judged()
    assert health.of(Item.SUPPLY) is None
    assert health.of(Item.TEMPERATURE) is None
    assert health.status.state is DeviceState.READY


def test_software_drawing_is_no_news_on_a_machine_without_a_graphics_processor(pi: Pi) -> None:
    pi.write("proc/device-tree/model", "QEMU Virtual Machine")

    found = pi.judged(renderer="llvmpipe").of(Item.SCREEN)
    assert found is not None
    assert found.state is ItemState.OK


def test_a_small_partition_is_not_low_because_it_is_small(pi: Pi) -> None:
    found = pi.judged(space=Space(200 << 20, 256 << 20, 9, 10)).of(Item.SPACE)

    assert found is not None
    assert found.state is ItemState.OK


def test_an_empty_tree_is_unknown_and_never_well(tmp_path: Path) -> None:
    health = judge(Looked(read_vitals(tmp_path)))

    assert health.findings == ()
    assert health.status.state is DeviceState.UNKNOWN


def test_hostile_files_are_figures_that_are_not_there(pi: Pi) -> None:
    for path in (VOLT, HEAT, HELD, ERRORS, LIFE, RESERVE, "proc/meminfo", "proc/loadavg"):
        for content in (b"\xff\xfe\0", b"9" * 200_000, b"-", b"0x", b":\n::\n", b"nan nan nan"):
            (pi.root / path).write_bytes(content)
            assert isinstance(pi.judged(), Health)


def test_the_real_machine_can_be_read() -> None:
    vitals = read_vitals()

    assert len(vitals.boot) == 36
    assert isinstance(vitals.memory_free_percent, int)
    assert isinstance(read_space(Path("/")), Space)
    assert read_space(Path("/does/not/exist")) is No.ANSWER


def test_files_are_never_read_whole_when_they_are_huge(pi: Pi) -> None:
    (pi.root / HEAT).write_bytes(b"5" * 1_000_000)

    read = readers.text(pi.root / HEAT)
    assert read is not None
    assert len(read) == readers.READ_MAX


def test_the_latch_holds_for_the_boot_and_over_restarts_of_the_program(tmp_path: Path) -> None:
    first = UndervoltageLatch(tmp_path)
    assert not first.see("boot-1", False)
    assert first.see("boot-1", True)
    assert first.see("boot-1", False)
    again = UndervoltageLatch(tmp_path)
    assert again.see("boot-1", False)
    assert not again.see("boot-2", False)


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\xff", b'{"boot": 5}'])
def test_a_spoiled_latch_file_is_an_empty_one(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "undervoltage.json").write_bytes(content)

    assert not UndervoltageLatch(tmp_path).see("boot-1", False)


def test_the_latch_is_written_once_a_boot(tmp_path: Path) -> None:
    latch = UndervoltageLatch(tmp_path)
    latch.see("boot-1", True)
    before = (tmp_path / "undervoltage.json").stat().st_mtime_ns
    for _ in range(100):
        latch.see("boot-1", True)

    assert (tmp_path / "undervoltage.json").stat().st_mtime_ns == before


def test_the_canary_comes_back_and_leaves_nothing(tmp_path: Path) -> None:
    for _ in range(3):
        assert fly(tmp_path).came is Came.BACK

    assert list(tmp_path.iterdir()) == []


def test_canaries_of_many_programs_do_not_meet(tmp_path: Path) -> None:
    came: list[Came] = []
    threads = [threading.Thread(target=lambda: came.append(fly(tmp_path).came)) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert came == [Came.BACK] * 16


def test_what_a_power_cut_left_in_flight_is_swept(tmp_path: Path) -> None:
    (tmp_path / ".canary-99999999-0").write_bytes(b"half")
    fly(tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_a_place_that_takes_nothing_fails_the_canary(tmp_path: Path) -> None:
    assert fly(tmp_path / "none").came is Came.NOT_WRITTEN


def test_a_card_that_holds_the_canary_is_stuck_and_only_one_ever_flies(tmp_path: Path) -> None:
    let_go = threading.Event()

    def dying_card(folder: Path) -> CanaryResult:
        let_go.wait(10)
        return CanaryResult(Came.NOT_WRITTEN, 9_000)

    cage = CanaryCage(tmp_path, every_s=0.0, test=dying_card)
    cage.tick(100.0)
    cage.tick(101.0)

    assert not cage.is_stuck(110.0)
    assert cage.is_stuck(116.0)
    assert sum(t.name == "canary" for t in threading.enumerate()) == 1
    let_go.set()
    until(lambda: cage.result is not None)


def until(holds: Callable[[], bool], within_s: float = 5.0) -> None:
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end, "it never came to hold"
        time.sleep(0.01)


@pytest.fixture
def watched(pi: Pi, tmp_path: Path) -> Iterator[NodeHealth]:
    (tmp_path / "data" / "run").mkdir(parents=True)
    built = NodeHealth(
        tmp_path / "data",
        clock=lambda: TimeQuality.RTC,
        renderer=lambda: "V3D",
        root=pi.root,
        look_every_s=0.05,
    )
    yield built
    built.close()


def test_a_node_is_watched_from_its_start(pi: Pi, watched: NodeHealth, tmp_path: Path) -> None:
    until(lambda: watched.status().state is DeviceState.READY)
    until(lambda: (h := watched.health()) is not None and h.of(Item.STORAGE_TEST) is not None)
    pi.write(VOLT, 1)
    until(lambda: watched.status().cause == "undervoltage", 1.0)
    pi.write(VOLT, 0)
    until(lambda: watched.status().cause == "undervoltage_seen", 1.0)

    assert (tmp_path / "data/run/undervoltage.json").exists()


def test_changes_are_told_once_and_only_when_they_last() -> None:
    ready, gone = DeviceStatus(DeviceState.READY), DeviceStatus(DeviceState.ABSENT, "no_answer")
    detector = ChangeDetector(settle_s=2.0)
    told = []
    for now, status in [(0, ready), (2, ready), (3, ready), (10, gone), (11, ready), (20, gone)]:
        told.append(detector.see("power", status, float(now)))
    told.append(detector.see("power", gone, 22.5))
    told.append(detector.see("power", gone, 99.0))

    changes = [c for c in told if c is not None]
    assert [(c.before, c.now) for c in changes] == [(None, ready), (ready, gone)]


def test_work_is_no_change_and_devices_do_not_mix() -> None:
    detector = ChangeDetector(settle_s=0.0)
    ready = DeviceStatus(DeviceState.READY)

    assert detector.see("printer", DeviceStatus(DeviceState.STARTING), 0.0) is None
    assert detector.see("printer", ready, 0.0) is not None
    assert detector.see("printer", DeviceStatus(DeviceState.BUSY), 1.0) is None
    assert detector.see("printer", ready, 2.0) is None
    assert detector.see("power", ready, 2.0) is not None


def test_a_device_that_flaps_all_day_does_not_fill_the_ledger() -> None:
    detector = ChangeDetector(settle_s=2.0)
    told = 0
    for second in range(0, 3600, 3):
        state = DeviceState.READY if second // 3 % 2 else DeviceState.ABSENT
        told += detector.see("power", DeviceStatus(state), float(second)) is not None
        told += detector.see("power", DeviceStatus(state), second + 2.5) is not None

    assert BURST <= told <= 60 + BURST
