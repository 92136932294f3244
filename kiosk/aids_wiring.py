"""Builds the input aids that a node's settings name, and hands what they tell to the screen's thread."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from kiosk.aids import Aids, Mouth, Presenters
from kiosk.background import Post
from kiosk.flow import Flow
from kiosk.language import ENGLISH, Words
from kiosk.speech import AudioMode
from municipio.devices import DeviceState, DeviceStatus
from municipio.settings import Settings


class Aid(Protocol):
    def status(self) -> DeviceStatus: ...

    def close(self) -> None: ...


class AidDevices:
    """Nothing is opened before `start`, which is after the first screen is on the glass."""

    def __init__(self, settings: Settings, post: Post, words: Words) -> None:
        self._settings, self._post, self._words = settings, post, words
        self._open: dict[str, Aid] = {}
        self.mouth = Mouth()

    @property
    def may_listen(self) -> bool:
        """Whether a button may offer to read aloud: not where only headphones are spoken into."""
        aloud = self._settings.flag("audio.loudspeaker")
        unsensed = self._settings.text("audio.jack") == "none"
        return self._settings.flag("audio.enabled") and (aloud or unsensed)

    def join(self, flow: Flow, presenters: Presenters, audio: AudioMode) -> Aids:
        """What the devices will speak to, once they are started."""
        return Aids(
            flow=flow,
            presenters=presenters,
            audio=audio,
            mouth=self.mouth,
            words=self._words,
            mask=self._settings.text("city.clave_mask"),
            now=time.monotonic,
        )

    def start(self, aids: Aids) -> None:
        has, post = self._settings.flag, self._post
        if has("audio.enabled"):
            self._start_audio(lambda inside: post(lambda: aids.headphones(inside)))
        if has("scanner.enabled"):
            from hardware.scanner.driver import build_scanner

            scanner = build_scanner(self._settings, lambda text: post(lambda: aids.scan(text)))
            aids.forgetful.append(scanner.wipe)
            self._open["scanner"] = scanner
        if has("keypad.enabled"):
            from hardware.keypad.driver import build_keypad

            self._open["keypad"] = build_keypad(self._settings, lambda k: post(lambda: aids.key(k)))
        if has("numpad.enabled"):
            from hardware.keypad.driver import build_numpad

            self._open["numpad"] = build_numpad(self._settings, lambda k: post(lambda: aids.key(k)))
        if has("camera.enabled"):
            from hardware.camera.driver import build_camera

            camera = build_camera(self._settings)
            aids.forgetful.append(camera.wipe)
            self._open["camera"] = camera

    def status(self, name: str) -> DeviceStatus:
        """How an aid is, by its name in the registry of devices; STARTING before `start`."""
        device = self._open.get(name)
        return DeviceStatus(DeviceState.STARTING) if device is None else device.status()

    def close(self) -> None:
        self.mouth.voice = None
        for device in self._open.values():
            device.close()

    def _start_audio(self, headphones_changed: Callable[[bool], None]) -> None:
        from hardware.audio.driver import build_audio

        voice = build_audio(
            self._settings,
            english=lambda: self._words.code == ENGLISH,
            headphones_changed=headphones_changed,
        )
        self.mouth.voice = voice
        self._open["audio"] = voice
