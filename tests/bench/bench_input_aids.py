"""Scanner, keypad, sound and camera: from the wire to the callback, to the first sound, and idle."""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from hardware.audio.driver import AudioPlan, UsbAudio
from hardware.audio.simulator import CARD, JACK_ID, AudioSimulator
from hardware.camera.driver import CameraPlan, ChildCamera, Taking
from hardware.camera.simulator import CameraSimulator
from hardware.keypad.driver import EvdevKeypad
from hardware.keypad.keys import TACTILE, Key, parse_key_map
from hardware.keypad.simulator import DEMO_ID, KeypadSimulator
from hardware.scanner.driver import SerialScanner
from hardware.scanner.simulator import ScannerSimulator
from municipio.devices import DeviceState
from municipio.settings import parse_settings

FIVE = parse_settings({}).text("keypad.keys")
TIMES = 40
IDLE_S = 5.0


def tell(what: str, value: float, unit: str, goal: str = "") -> None:
    row = {"what": what, "value": round(value, 2), "unit": unit} | ({"goal": goal} if goal else {})
    print(json.dumps(row, ensure_ascii=False), flush=True)


def p95_ms(act: Callable[[int], object], heard: list[object]) -> float:
    taken = []
    for n in range(TIMES):
        before, begun = len(heard), time.perf_counter()
        act(n)
        while len(heard) == before:
            time.sleep(0.0002)
        taken.append((time.perf_counter() - begun) * 1000)
        time.sleep(0.05)
    return statistics.quantiles(taken, n=20)[-1]


def ready(device: SerialScanner | EvdevKeypad | UsbAudio | ChildCamera) -> None:
    while device.status().state is not DeviceState.READY:
        time.sleep(0.02)


def main() -> None:
    heard: list[object] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        far_scanner, far_keypad = ScannerSimulator(), KeypadSimulator(FIVE, TACTILE)
        far_audio, far_camera = AudioSimulator(folder), CameraSimulator(folder / "camera")
        far_audio.link_jack(folder / "jack")
        far_audio.open_jack()
        keys = parse_key_map(FIVE, TACTILE)
        scanner = SerialScanner(far_scanner.open(), 115200, hello=True, found=heard.append)
        keypad = EvdevKeypad(far_keypad.open(), DEMO_ID, keys, heard.append)
        plan = AudioPlan(
            far_audio.programs, far_audio.cards, CARD,
            jack="evdev", jack_port=str(folder / "jack"), jack_id=JACK_ID,
        )  # fmt: skip
        audio = UsbAudio(plan, headphones_changed=heard.append)
        camera = ChildCamera(CameraPlan("simulator", str(far_camera.port)))
        devices = (scanner, keypad, audio, camera)
        for device in devices:
            ready(device)
        tell("input aids: code on the wire to text", p95_ms(
            lambda n: far_scanner.scan(f"3003900101050150{n:06d}"), heard), "ms p95", "<= 50")  # fmt: skip
        tell("input aids: key down to callback", p95_ms(
            lambda n: far_keypad.press(Key.UP), heard), "ms p95", "<= 50")  # fmt: skip
        tell("input aids: headphones in or out to callback", p95_ms(
            lambda n: far_audio.pull_headphones() if n % 2 else far_audio.insert_headphones(),
            heard), "ms p95", "<= 1000")  # fmt: skip
        far_audio.insert_headphones()
        time.sleep(0.2)
        begun, before = time.perf_counter(), len(far_audio.played())
        audio.say("¿Qué necesita hacer hoy?")
        while len(far_audio.played()) == before:
            time.sleep(0.001)
        tell(
            "input aids: text to first sound", (time.perf_counter() - begun) * 1000, "ms", "<= 500"
        )
        begun = time.perf_counter()
        camera.shoot()
        while isinstance(camera.photo(), Taking):
            time.sleep(0.005)
        tell("input aids: picture asked to clean JPEG", (time.perf_counter() - begun) * 1000, "ms")
        time.sleep(1.0)
        cpu = time.process_time()
        time.sleep(IDLE_S)
        share = (time.process_time() - cpu) / IDLE_S * 100
        for device in devices:
            device.close()
        for far in (far_scanner, far_keypad, far_audio, far_camera):
            far.close()
        tell("input aids: four idle drivers and their simulators", share, "% of a core", "< 2")


if __name__ == "__main__":
    main()
