"""What every scanner, keypad, sound card and camera must do, simulated or (with `-m hw`) real.

Real devices are named by the settings file in PLAZA_HW_SETTINGS.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from hardware.audio.driver import AudioPlan, UsbAudio, build_audio
from hardware.audio.protocol import FIRST_VOLUME, VOLUMES
from hardware.audio.simulator import CARD, JACK_ID, AudioSimulator
from hardware.camera.driver import CameraPlan, ChildCamera, NoPhoto, Photo, Taking, build_camera
from hardware.camera.simulator import CameraSimulator
from hardware.keypad.driver import EvdevKeypad, build_keypad
from hardware.keypad.keys import TACTILE, Key, parse_key_map
from hardware.keypad.simulator import DEMO_ID, KeypadSimulator
from hardware.scanner.driver import SerialScanner, build_scanner
from hardware.scanner.protocol import TEXT_MAX
from hardware.scanner.simulator import ScannerSimulator
from hardware.transport.serial_port import PortProblem, open_port
from municipio.devices import DeviceState, DeviceStatus
from municipio.settings import Settings, parse_settings

S = DeviceState
FIVE = parse_settings({}).text("keypad.keys")


def until(holds: Callable[[], object], within_s: float = 8.0) -> None:
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end, "it never came to hold"
        time.sleep(0.02)


def becomes(device: Any, state: DeviceState, cause: str = "", within_s: float = 8.0) -> None:
    until(lambda: device.status() == DeviceStatus(state, cause), within_s)


# --- scanner


@dataclass
class ScannerRig:
    far: ScannerSimulator
    scanner: SerialScanner
    texts: list[str] = field(default_factory=list)


@pytest.fixture(params=[True, False], ids=["greets", "mute"])
def scanner(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[ScannerRig]:
    far = ScannerSimulator()
    far.link(tmp_path / "scanner")
    far.open()
    texts: list[str] = []
    near = SerialScanner(str(tmp_path / "scanner"), 115200, hello=request.param, found=texts.append)
    becomes(near, S.READY)
    yield ScannerRig(far, near, texts)
    near.close()
    far.close()


def test_a_code_is_heard_once_whatever_its_ending(scanner: ScannerRig) -> None:
    for at, ending in enumerate(("\r\n", "\r", "\n")):
        scanner.far.ending = ending
        scanner.far.scan(f"COA007-{at}")
    scanner.far.framed = True
    scanner.far.scan("Ñandú")
    until(lambda: len(scanner.texts) == 4)

    assert scanner.texts == ["COA007-0", "COA007-1", "COA007-2", "Ñandú"]


def test_a_code_is_heard_within_a_tenth_of_a_second(scanner: ScannerRig) -> None:
    begun = time.monotonic()
    scanner.far.scan("COA007")
    until(lambda: scanner.texts, 1.0)

    assert time.monotonic() - begun < 1.0


def test_rubbish_is_attention_and_a_good_code_ends_it(scanner: ScannerRig) -> None:
    scanner.far.garbage()
    becomes(scanner.scanner, S.ATTENTION, "garbage")
    scanner.far.scan("COA007")
    becomes(scanner.scanner, S.READY)

    assert scanner.texts == ["COA007"]


def test_endless_text_is_not_kept_and_the_next_code_is_read(scanner: ScannerRig) -> None:
    for _ in range(50):
        scanner.far.begin("x" * TEXT_MAX)
        time.sleep(0.005)
    time.sleep(0.3)
    scanner.far.scan("")
    time.sleep(0.2)
    scanner.far.scan("COA007")
    until(lambda: scanner.texts)

    assert scanner.texts == ["COA007"]


def test_a_scanner_that_is_pulled_and_put_back_is_found_again(scanner: ScannerRig) -> None:
    scanner.far.begin("300")
    scanner.far.unplug()
    becomes(scanner.scanner, S.ABSENT, "no_answer", 1.5)
    scanner.far.replug()
    becomes(scanner.scanner, S.READY)
    scanner.far.scan("COA007")
    until(lambda: scanner.texts)

    assert scanner.texts == ["COA007"]


def test_a_scanner_that_greets_and_falls_silent_is_unknown() -> None:
    far = ScannerSimulator()
    near = SerialScanner(far.open(), 115200, hello=True)
    becomes(near, S.READY)
    far.silence()
    becomes(near, S.UNKNOWN, "no_answer")
    far.speak()
    becomes(near, S.READY)
    near.close()
    far.close()


def test_a_port_of_another_program_is_unknown_and_said(tmp_path: Path) -> None:
    far = ScannerSimulator()
    held = open_port(far.open(), 115200)
    assert not isinstance(held, PortProblem)
    path = str(next(p for p in Path("/proc/self/fd").iterdir() if _is_pts(p)).readlink())
    near = SerialScanner(path, 115200)
    becomes(near, S.UNKNOWN, "port_busy")
    held.close()
    becomes(near, S.READY)
    near.close()
    far.close()


def _is_pts(link: Path) -> bool:
    try:
        return str(link.readlink()).startswith("/dev/pts/")
    except OSError:
        return False


def test_a_scanner_that_types_is_never_opened() -> None:
    near = SerialScanner("/dev/input/by-path/reader-event-kbd", 115200)
    becomes(near, S.FAULT, "keyboard_mode")
    near.close()


# --- keypad


@dataclass
class KeypadRig:
    far: KeypadSimulator
    keypad: EvdevKeypad
    keys: list[Key]
    path: str


@pytest.fixture
def keypad(tmp_path: Path) -> Iterator[KeypadRig]:
    far = KeypadSimulator(FIVE, TACTILE)
    far.link(tmp_path / "keypad")
    far.open()
    keys: list[Key] = []
    path = str(tmp_path / "keypad")
    near = EvdevKeypad(path, DEMO_ID, parse_key_map(FIVE, TACTILE), keys.append)
    becomes(near, S.READY)
    yield KeypadRig(far, near, keys, path)
    near.close()
    far.close()


def test_each_of_the_five_keys_is_heard(keypad: KeypadRig) -> None:
    keypad.far.press(Key.UP, Key.DOWN, Key.SELECT, Key.REPEAT, Key.VOLUME)
    until(lambda: len(keypad.keys) == 5)

    assert keypad.keys == keypad.far.pressed


def test_holding_a_key_is_one_press(keypad: KeypadRig) -> None:
    keypad.far.hold(Key.DOWN)
    keypad.far.repeat(Key.DOWN, 30)
    keypad.far.release(Key.DOWN)
    keypad.far.press(Key.UP)
    until(lambda: Key.UP in keypad.keys)

    assert keypad.keys == [Key.DOWN, Key.UP]


def test_a_keyboards_keys_do_not_pass(keypad: KeypadRig) -> None:
    for code in (1, 29, 30, 56, 59, 125):
        keypad.far.press_code(code)
    keypad.far.press(Key.UP)
    until(lambda: keypad.keys)

    assert keypad.keys == [Key.UP]


def test_another_device_in_its_place_is_refused_and_not_heard(keypad: KeypadRig) -> None:
    keypad.far.become("046d:c31c")
    becomes(keypad.keypad, S.FAULT, "wrong_device")
    keypad.far.press(Key.UP)
    keypad.far.become(DEMO_ID)
    becomes(keypad.keypad, S.READY)
    keypad.far.press(Key.DOWN)
    until(lambda: keypad.keys)

    assert keypad.keys == [Key.DOWN]


def test_a_keypad_that_is_pulled_and_put_back_is_found_again(keypad: KeypadRig) -> None:
    keypad.far.hold(Key.UP)
    until(lambda: keypad.keys)
    keypad.far.unplug()
    becomes(keypad.keypad, S.ABSENT, "no_answer", 1.5)
    keypad.far.replug()
    becomes(keypad.keypad, S.READY)
    keypad.far.press(Key.UP)
    until(lambda: len(keypad.keys) == 2)


def test_babble_and_lost_events_press_nothing(keypad: KeypadRig) -> None:
    keypad.far.babble(4000)
    keypad.far.drop()
    time.sleep(0.3)
    heard = list(keypad.keys)
    for _ in range(3):
        time.sleep(0.05)
        keypad.far.press(Key.SELECT)
    until(lambda: keypad.keys[-1:] == [Key.SELECT])

    assert heard == []


def test_a_shower_is_attention_and_passes(keypad: KeypadRig) -> None:
    for _ in range(60):
        keypad.far.press(Key.UP, Key.DOWN, Key.SELECT, Key.REPEAT)
        time.sleep(0.035)
    becomes(keypad.keypad, S.ATTENTION, "noise")
    becomes(keypad.keypad, S.READY)


@pytest.mark.parametrize(
    ("device_id", "keys"), [("", FIVE), ("keypad", FIVE), (DEMO_ID, "up=KEY_A"), (DEMO_ID, "")]
)
def test_a_keypad_with_unusable_settings_is_a_fault(device_id: str, keys: str) -> None:
    near = EvdevKeypad("/dev/null", device_id, parse_key_map(keys, TACTILE))
    becomes(near, S.FAULT, "settings")
    near.close()


# --- audio


@dataclass
class AudioRig:
    far: AudioSimulator
    audio: UsbAudio
    changes: list[bool]

    def texts(self) -> list[str]:
        return [line["text"] for line in self.far.said()]


def make_audio(far: AudioSimulator, jack: str, **more: Any) -> AudioRig:
    changes: list[bool] = []
    plan = AudioPlan(
        far.programs,
        far.cards,
        CARD,
        jack=jack,
        jack_port=str(far.folder / "jack"),
        jack_id=JACK_ID,
        **more,
    )
    return AudioRig(far, UsbAudio(plan, headphones_changed=changes.append), changes)


@pytest.fixture(params=["alsa", "evdev"])
def audio(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[AudioRig]:
    far = AudioSimulator(tmp_path, pace=0.02)
    far.link_jack(tmp_path / "jack")
    far.open_jack()
    rig = make_audio(far, request.param)
    becomes(rig.audio, S.READY)
    yield rig
    rig.audio.close()
    far.close()


def put_on(rig: AudioRig) -> None:
    rig.far.insert_headphones()
    until(lambda: rig.audio.headphones is True)


def test_headphones_are_noticed_going_in_and_out(audio: AudioRig) -> None:
    put_on(audio)
    audio.far.pull_headphones()
    until(lambda: audio.audio.headphones is False, 2.5)

    assert audio.changes[-2:] == [True, False]


def test_nothing_is_said_to_the_square(audio: AudioRig) -> None:
    audio.audio.say("Su adeudo es de 100 pesos.")
    time.sleep(0.5)

    assert audio.far.said() == []


def test_a_screen_is_said_sentence_by_sentence_into_the_right_card(audio: AudioRig) -> None:
    put_on(audio)
    audio.audio.say("Predial. Consulte y pague su impuesto.")
    until(lambda: len(audio.far.played()) == 2 and audio.far.played()[-1]["ended"])

    assert audio.texts() == ["Predial.", "Consulte y pague su impuesto."]
    assert audio.far.said()[0]["voice"] == "es-419"
    assert audio.far.played()[0]["card"] == f"plughw:CARD={CARD}"
    assert all("redial" not in " ".join(line["argv"]) for line in audio.far.said())


def test_a_newer_text_ends_the_older_one_and_only_the_newest_waits(audio: AudioRig) -> None:
    put_on(audio)
    audio.far._write(audio.far._read() | {"pace": 5})
    audio.audio.say("Una pantalla muy larga que nadie quiere oír entera.")
    until(lambda: audio.far.played())
    begun = time.monotonic()
    for at in range(40):
        audio.audio.say(f"Pantalla {at}.")
    until(lambda: audio.texts()[-1] == "Pantalla 39.")

    assert time.monotonic() - begun < 4
    assert not audio.far.played()[0]["ended"]
    assert len(audio.texts()) < 20


def test_pulling_the_headphones_silences_in_the_middle_of_a_word(audio: AudioRig) -> None:
    put_on(audio)
    audio.far._write(audio.far._read() | {"pace": 50})
    audio.audio.say("Su adeudo es de 100 pesos.")
    until(lambda: audio.far.played())
    audio.far.pull_headphones()
    until(lambda: not audio.audio.is_speaking, 3)

    assert not audio.far.played()[0]["ended"]


def test_a_wipe_silences_and_brings_back_the_first_volume(audio: AudioRig) -> None:
    put_on(audio)
    audio.far._write(audio.far._read() | {"pace": 50})
    loud = audio.audio.louder()
    until(lambda: audio.far.volumes()[-1:] == [f"{VOLUMES[FIRST_VOLUME + 1]}%"])
    audio.audio.say("Uno. Dos. Tres.")
    until(lambda: audio.far.played())
    audio.audio.wipe()
    until(lambda: not audio.audio.is_speaking)
    until(lambda: audio.far.volumes()[-1:] == [f"{VOLUMES[FIRST_VOLUME]}%"])

    assert loud == FIRST_VOLUME + 2
    assert audio.audio.volume == FIRST_VOLUME + 1
    assert len(audio.far.played()) == 1


def test_a_sound_card_that_is_pulled_and_put_back_is_found_again(audio: AudioRig) -> None:
    put_on(audio)
    audio.far.unplug()
    becomes(audio.audio, S.ABSENT, "no_card", 2.0)
    audio.audio.say("Nadie oye.")
    audio.far.plug()
    becomes(audio.audio, S.READY)
    until(lambda: audio.audio.headphones is True)
    audio.audio.say("Otra vez.")
    until(lambda: audio.texts())

    assert audio.texts() == ["Otra vez."]


@pytest.mark.parametrize(
    ("program", "mood", "cause"),
    [
        ("espeak-ng", "fail", "no_voice"),
        ("espeak-ng", "garbage", "no_voice"),
        ("espeak-ng", "flood", "no_voice"),
        ("aplay", "fail", "no_player"),
    ],
)
def test_a_voice_or_player_that_fails_is_a_fault_and_recovers(
    tmp_path: Path, program: str, mood: str, cause: str
) -> None:
    far = AudioSimulator(tmp_path)
    rig = make_audio(far, "none")
    becomes(rig.audio, S.READY)
    far.mood(program, mood)
    rig.audio.say("Hola.")
    becomes(rig.audio, S.FAULT, cause)
    far.mood(program, "ok")
    rig.audio.say("Hola.")
    becomes(rig.audio, S.READY)
    rig.audio.close()
    far.close()


def test_a_kiosk_without_the_programs_says_so_until_they_are_there(tmp_path: Path) -> None:
    far = AudioSimulator(tmp_path)
    far.uninstall("espeak-ng")
    far.mood("amixer", "fail")
    rig = make_audio(far, "none")
    becomes(rig.audio, S.FAULT, "no_voice")
    far.install("espeak-ng")
    becomes(rig.audio, S.ATTENTION, "mixer")
    far.mood("amixer", "ok")
    becomes(rig.audio, S.READY)
    rig.audio.close()
    far.close()


def test_a_socket_that_nobody_knows_is_unknown_and_silent(tmp_path: Path) -> None:
    far = AudioSimulator(tmp_path)
    far.mood("amixer", "garbage")
    rig = make_audio(far, "alsa")
    becomes(rig.audio, S.UNKNOWN, "jack_unknown")
    rig.audio.say("Nadie oye.")
    time.sleep(0.3)

    assert far.said() == []
    rig.audio.close()
    far.close()


def test_a_mixer_that_hangs_freezes_nobody(tmp_path: Path) -> None:
    far = AudioSimulator(tmp_path)
    far.mood("amixer", "hang")
    rig = make_audio(far, "none")
    begun = time.monotonic()
    rig.audio.louder()
    rig.audio.say("Hola.")
    took = time.monotonic() - begun
    becomes(rig.audio, S.ATTENTION, "mixer")

    assert took < 0.2
    rig.audio.close()
    far.close()


# --- camera


@pytest.fixture
def far_camera(tmp_path: Path) -> Iterator[CameraSimulator]:
    far = CameraSimulator(tmp_path / "camera")
    yield far
    far.close()


@pytest.fixture
def camera(far_camera: CameraSimulator) -> Iterator[ChildCamera]:
    near = ChildCamera(CameraPlan("simulator", str(far_camera.port), 640, 480))
    becomes(near, S.READY)
    yield near
    near.close()


def taken(camera: ChildCamera) -> Photo | NoPhoto:
    camera.shoot()
    until(lambda: not isinstance(camera.photo(), Taking), 15)
    result = camera.photo()
    assert not isinstance(result, Taking)
    return result


def test_a_picture_is_a_jpeg_without_tags_and_asking_does_not_wait(camera: ChildCamera) -> None:
    begun = time.monotonic()
    camera.shoot()
    took = time.monotonic() - begun
    busy = camera.status().state
    photo = taken(camera)

    assert took < 0.2
    assert busy is S.BUSY
    assert isinstance(photo, Photo)
    assert photo.jpeg[:2] == b"\xff\xd8"
    assert b"Exif" not in photo.jpeg
    assert camera.status() == DeviceStatus(S.READY)


def test_a_wipe_forgets_the_picture(camera: ChildCamera) -> None:
    assert isinstance(taken(camera), Photo)
    camera.wipe()

    assert camera.photo() == NoPhoto()


def test_a_wipe_in_the_middle_leaves_no_picture_and_no_process(
    camera: ChildCamera, far_camera: CameraSimulator
) -> None:
    far_camera.mood("hang")
    camera.shoot()
    until(lambda: _running(str(far_camera.port)))
    camera.wipe()
    until(lambda: not _running(str(far_camera.port)))
    far_camera.mood("ok")

    assert camera.photo() == NoPhoto()
    assert isinstance(taken(camera), Photo)


def _running(word: str) -> list[Path]:
    """Programs with this word among their arguments."""
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if word.encode() in place.read_bytes() and str(os.getpid()) not in place.parts:
                found.append(place)
        except OSError:
            continue
    return found


@pytest.mark.parametrize(
    ("mood", "cause"),
    [
        ("fail", "failed"),
        ("garbage", "not_a_picture"),
        ("truncated", "not_a_picture"),
        ("empty", "not_a_picture"),
        ("huge", "too_big"),
        ("flood", "too_big"),
    ],
)
def test_a_camera_that_fails_says_why_and_works_again(
    camera: ChildCamera, far_camera: CameraSimulator, mood: str, cause: str
) -> None:
    far_camera.mood(mood)

    assert taken(camera) == NoPhoto(cause)
    assert camera.status() == DeviceStatus(S.ATTENTION, cause)
    far_camera.mood("ok")
    assert isinstance(taken(camera), Photo)
    assert camera.status() == DeviceStatus(S.READY)


@pytest.mark.slow
def test_a_camera_that_never_answers_is_unknown(
    camera: ChildCamera, far_camera: CameraSimulator
) -> None:
    far_camera.mood("hang")

    assert taken(camera) == NoPhoto("no_answer")
    assert camera.status() == DeviceStatus(S.UNKNOWN, "no_answer")


def test_a_camera_that_is_pulled_and_put_back_is_found_again(
    camera: ChildCamera, far_camera: CameraSimulator
) -> None:
    far_camera.unplug()
    becomes(camera, S.ABSENT, "no_camera", 1.5)
    assert isinstance(taken(camera), NoPhoto)
    far_camera.replug()
    becomes(camera, S.READY)
    assert isinstance(taken(camera), Photo)


def test_a_camera_whose_program_is_not_installed_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "video0").touch()
    near = ChildCamera(CameraPlan("fswebcam", str(tmp_path / "video0"), programs=str(tmp_path)))
    becomes(near, S.FAULT, "no_program")
    assert taken(near) == NoPhoto("no_program")
    near.close()


def test_closing_leaves_no_thread_behind(tmp_path: Path) -> None:
    before = threading.active_count()
    far = AudioSimulator(tmp_path)
    devices = [
        make_audio(far, "alsa").audio,
        ChildCamera(CameraPlan("simulator", str(tmp_path / "none"))),
        SerialScanner(str(tmp_path / "none"), 9600),
        EvdevKeypad(str(tmp_path / "none"), DEMO_ID, parse_key_map(FIVE, TACTILE)),
    ]
    for device in devices:
        device.close()
    far.close()

    assert threading.active_count() == before


# --- the real things


@pytest.fixture
def real() -> Settings:
    import tomllib

    name = os.environ.get("PLAZA_HW_SETTINGS", "")
    if not name:
        pytest.skip("PLAZA_HW_SETTINGS names no settings file")
    return parse_settings(tomllib.loads(Path(name).read_text()))


@pytest.mark.hw
@pytest.mark.timeout(60)
@pytest.mark.parametrize("device", ["scanner", "keypad", "audio", "camera"])
def test_the_real_device_is_ready_and_does_its_work(real: Settings, device: str) -> None:
    if not real.flag(f"{device}.enabled"):
        pytest.skip(f"{device}.enabled is off")
    heard: list[object] = []
    if device == "scanner":
        scanner = build_scanner(real, heard.append)
        becomes(scanner, S.READY)
        until(lambda: heard, 30)  # scan any printed code
        scanner.close()
    elif device == "keypad":
        keypad = build_keypad(real, heard.append)
        becomes(keypad, S.READY)
        until(lambda: set(heard) == TACTILE, 30)  # press all five keys
        keypad.close()
    elif device == "audio":
        audio = build_audio(real)
        becomes(audio, S.READY)
        audio.say("Prueba de voz.")  # with headphones in
        until(lambda: audio.is_speaking, 3)
        until(lambda: not audio.is_speaking, 20)
        assert audio.status().state is S.READY
        audio.close()
    else:
        camera = build_camera(real)
        becomes(camera, S.READY)
        assert isinstance(taken(camera), Photo)
        camera.close()
