"""The camera for the kiosk: ask for a picture, look later whether it is there, forget it.

Every call returns at once. A picture lives in memory alone, one at a time, and is gone after `wipe`.
"""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from hardware.camera.limits import CAPTURE_S, CLEAN_MAX
from hardware.camera.programs import PROGRAMS, SIZES, is_installed, is_port
from hardware.camera.protocol import CameraCause, outcome, status_of
from hardware.programs import run_program
from municipio.devices import DeviceState, DeviceStatus
from municipio.settings import Settings

LOOK_S = 0.9
SILENCE_S = 3.0
CHILD_S = CAPTURE_S + 4.0


@dataclass(frozen=True, slots=True)
class CameraPlan:
    """The section `[camera]`: `port` is the device whose presence is watched."""

    program: str
    port: str
    width: int = 1280
    height: int = 960
    programs: str = "/usr/bin"

    @property
    def is_usable(self) -> bool:
        sizes = self.width in SIZES and self.height in SIZES
        return self.program in PROGRAMS and is_port(self.port) and sizes


@dataclass(frozen=True, slots=True)
class Photo:
    """A JPEG without tags. It shows a person: keep it nowhere."""

    jpeg: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Taking:
    """The camera is at it."""


@dataclass(frozen=True, slots=True)
class NoPhoto:
    """Why the last picture was not taken; an empty cause when none was asked for."""

    cause: str = ""


class ChildCamera:
    """`shoot`, then `photo` until it is no longer `Taking`."""

    def __init__(self, plan: CameraPlan) -> None:
        self._plan = plan
        self._lock = threading.Lock()
        self._result: Photo | Taking | NoPhoto = NoPhoto()
        self._stop = threading.Event()
        self._trouble: CameraCause | None = None
        self._present: bool | None = None
        self._beat = time.monotonic()
        self._closing = threading.Event()
        self._shots: list[threading.Thread] = []
        self._thread = threading.Thread(target=self._run, name="camera", daemon=True)
        self._thread.start()

    def status(self) -> DeviceStatus:
        with self._lock:
            taking = isinstance(self._result, Taking)
            if not self._plan.is_usable:
                return status_of(CameraCause.SETTINGS)
            if time.monotonic() - self._beat > SILENCE_S:
                return status_of(CameraCause.NO_ANSWER)
            if self._present is None:
                return DeviceStatus(DeviceState.STARTING)
            if not self._present:
                return status_of(CameraCause.NO_CAMERA)
            if not is_installed(self._plan.programs, self._plan.program):
                return status_of(CameraCause.NO_PROGRAM)
            return DeviceStatus(DeviceState.BUSY) if taking else status_of(self._trouble)

    def shoot(self) -> None:
        """Take a picture; the one before is forgotten. While one is being taken, nothing."""
        with self._lock:
            if isinstance(self._result, Taking) or self._closing.is_set():
                return
            if not self._plan.is_usable:
                self._result = NoPhoto(CameraCause.SETTINGS)
                return
            self._result = Taking()
            self._stop = stop = threading.Event()
            shot = threading.Thread(
                target=self._take, args=(stop,), name="camera-shot", daemon=True
            )
            self._shots = [s for s in self._shots if s.is_alive()] + [shot]
        shot.start()

    def photo(self) -> Photo | Taking | NoPhoto:
        with self._lock:
            return self._result

    def wipe(self) -> None:
        """The person is gone: so is the picture, and one under way is ended."""
        with self._lock:
            self._stop.set()
            self._result = NoPhoto()

    def close(self) -> None:
        self._closing.set()
        self.wipe()
        for thread in (self._thread, *self._shots):
            thread.join(timeout=10)

    def _run(self) -> None:
        while not self._closing.is_set():
            present = self._plan.is_usable and Path(self._plan.port).exists()
            with self._lock:
                self._beat = time.monotonic()
                if present and self._present is False:
                    self._trouble = None
                self._present = present
            self._closing.wait(LOOK_S)

    def _take(self, stop: threading.Event) -> None:
        plan = self._plan
        words = (plan.program, plan.programs, plan.port, str(plan.width), str(plan.height))
        told = outcome(
            run_program(
                (sys.executable, "-P", "-m", "hardware.camera.child", *words),
                timeout_s=CHILD_S,
                output_max=CLEAN_MAX,
                stop=stop,
            )
        )
        with self._lock:
            if stop.is_set() or told is None:
                return
            taken = isinstance(told, bytes)
            self._trouble = None if isinstance(told, bytes) else told
            self._result = Photo(told) if isinstance(told, bytes) else NoPhoto(told)
            if not taken and not Path(plan.port).exists():
                self._present = False


def build_camera(settings: Settings) -> ChildCamera:
    """From the section `[camera]`."""
    return ChildCamera(
        CameraPlan(
            program=settings.text("camera.program"),
            port=settings.text("camera.port"),
            width=settings.number("camera.width"),
            height=settings.number("camera.height"),
            programs=settings.text("hardware.programs"),
        )
    )
