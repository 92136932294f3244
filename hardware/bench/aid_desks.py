"""Keypads, headphones and a camera as the bench hands them to a person: every control a plain word."""

from __future__ import annotations

import time
from pathlib import Path

from hardware.audio.simulator import CARD, AudioSimulator
from hardware.camera.driver import CameraPlan, ChildCamera, Photo, Taking
from hardware.camera.simulator import CameraSimulator
from hardware.keypad.keys import Key
from hardware.keypad.simulator import KeypadSimulator
from municipio.settings import SETTINGS

FINGER_S = 0.1
"""From one key to the next: faster is a shower, which the kiosk takes for a broken contact."""
DIAL_MAX = 30
WIDTH, HEIGHT = 640, 480
PHOTO_S = 12.0


class KeypadDesk(KeypadSimulator):
    """Five tactile keys, or digits: the keys that the settings ship with."""

    def __init__(self, section: str, names: frozenset[Key], device_id: str) -> None:
        keys = next(s.default for s in SETTINGS if s.name == f"{section}.keys")
        super().__init__(str(keys), names, device_id)
        self._own_id = device_id

    def push(self, key: str) -> None:
        """One key by its name, down and up, as a finger does it."""
        self.hold(Key(key))
        time.sleep(FINGER_S / 2)
        self.release(Key(key))

    def dial(self, digits: str) -> None:
        """A whole number, key by key. ValueError for what has no key."""
        if not (digits.isdecimal() and digits.isascii() and len(digits) <= DIAL_MAX):
            raise ValueError(f"«{digits}» no son números")
        for digit in digits:
            self.push(digit)
            time.sleep(FINGER_S)

    def stick(self) -> None:
        """The first key stays down."""
        self.hold(next(iter(self._codes)))

    def let_go(self) -> None:
        self.release(next(iter(self._codes)))

    def chatter(self) -> None:
        """A worn contact."""
        self.shower(next(iter(self._codes)))

    def return_own(self) -> None:
        self.become(self._own_id)

    def state(self) -> dict[str, object]:
        return {**super().state(), "last": self.pressed[-1].value if self.pressed else ""}


class AudioDesk(AudioSimulator):
    """The sound card, its socket at a port of its own, and what was said through it."""

    def open(self) -> str:
        return self.open_jack()

    def link(self, path: Path) -> None:
        self.link_jack(path)

    def plug(self) -> None:
        super().plug()
        self.replug_jack()

    def unplug(self) -> None:
        """The whole card is pulled out, and its socket goes with it."""
        if (self.folder / "cards" / CARD).exists():
            super().unplug()
        self.unplug_jack()

    def lose_voice(self) -> None:
        self.mood("espeak-ng", "fail")

    def find_voice(self) -> None:
        self.mood("espeak-ng", "ok")

    def heard(self) -> list[str]:
        """Every phrase, oldest first: what a person with these headphones knows of the screen."""
        return [str(line["text"]) for line in self.said()]

    def state(self) -> dict[str, object]:
        heard = self.heard()
        return {**super().state(), "latest": heard[-1] if heard else ""}


class CameraDesk(CameraSimulator):
    """A camera whose picture can be looked at, taken by the node's own driver in its own process."""

    def __init__(self, port: Path) -> None:
        super().__init__(port)
        self._driver: ChildCamera | None = None
        self._jpeg = b""
        self.taken = 0
        self.refused = ""
        """Why the last picture was not taken."""

    def open(self) -> str:
        self._driver = ChildCamera(CameraPlan("simulator", str(self.port), WIDTH, HEIGHT))
        return str(self.port)

    def close(self) -> None:
        if self._driver is not None:
            self._driver.close()
        super().close()

    def cover(self) -> None:
        """A hand, or a sticker, before the lens."""
        self.mood("covered")

    def uncover(self) -> None:
        self.mood("ok")

    def spoil(self) -> None:
        """It answers with something that is no picture."""
        self.mood("garbage")

    def shoot(self) -> None:
        """Take one picture and keep it for the page. Waits for it."""
        if self._driver is None:
            return
        self._driver.shoot()
        end = time.monotonic() + PHOTO_S
        while isinstance(result := self._driver.photo(), Taking) and time.monotonic() < end:
            time.sleep(0.02)
        if isinstance(result, Photo):
            self._jpeg, self.refused = result.jpeg, ""
            self.taken += 1
        else:
            self.refused = getattr(result, "cause", "") or "no_answer"
        self._driver.wipe()

    def jpeg(self) -> bytes:
        """The newest picture; empty before the first."""
        return self._jpeg

    def state(self) -> dict[str, object]:
        return {**super().state(), "taken": self.taken, "refused": self.refused}
