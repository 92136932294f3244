"""What a kiosk is made of once it is built; wiring fills it with real things, tests with simulated ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kiosk.flow import Flow, Screen
from kiosk.language import Words
from kiosk.presenters.base import Presenter
from kiosk.presenters.frame import HeaderPresenter, IdlePresenter
from kiosk.speech import AudioMode
from municipio.devices import DeviceStatus


@dataclass(frozen=True, slots=True)
class House:
    """Presenters and what they share. A house that holds only one presenter is out of service."""

    words: Words
    flow: Flow
    header: HeaderPresenter
    idle: IdlePresenter
    presenters: Mapping[Screen, Presenter[Any]]
    audio: AudioMode
    close: Callable[[], None] = lambda: None
    forget: Callable[[], None] = lambda: None
    """At every wipe: what the devices still hold of the person."""
    statuses: Callable[[], Mapping[str, DeviceStatus]] = dict
    """How the kiosk's own devices are, by name: for who drives it from outside. Any thread."""
    watch: Callable[[], None] | None = None
    """Called ten times a second on the screen's thread: the door of who serves the kiosk."""
