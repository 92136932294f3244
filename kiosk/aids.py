"""The ways in for who does not touch or read the screen: keys, digits, scanned codes and headphones.

Everything here runs on the screen's thread and acts through the same doors as a finger: focus, `activate`
and the intents of presenters. A code that nobody asked for never pulls a person out of what they do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from hardware.audio.protocol import VOLUMES
from hardware.keypad.keys import NUMERIC, Key
from kiosk.flow import Flow, IdlePhase, Screen
from kiosk.presenters.base import FocusItem, Presenter, Role
from kiosk.presenters.folio import FolioPresenter
from kiosk.presenters.predial_clave import PredialClavePresenter
from kiosk.presenters.views import IdleView
from kiosk.speech import AudioMode
from municipio.scans import ScannedClave, ScannedFolio, UnknownScan, read_scan

Gettext = Callable[[str], str]
Presenters = Mapping[Screen, Presenter[Any]]

SCAN_SCREENS = frozenset({Screen.HOME, Screen.PREDIAL_CLAVE, Screen.FOLIO})
"""Where a scanned code is an answer to what the screen asks."""

_GO_ON = {
    Screen.PREDIAL_CLAVE: "predial.continue",
    Screen.FOLIO: "folio.look",
    Screen.TECNICO: "tecnico.enter",
    Screen.PUESTA: "puesta.enter",
}
"""What the numeric keypad's enter presses, where the screen has one way on."""


class LoudVoice(Protocol):
    """`hardware.audio.driver.UsbAudio`, as far as the kiosk knows it."""

    def say(self, text: str) -> None: ...

    def stop(self) -> None: ...

    def louder(self) -> int: ...

    def wipe(self) -> None: ...


class Mouth:
    """The kiosk's speaker: silent until it is given a voice, which is after the first screen."""

    voice: LoudVoice | None = None

    def say(self, text: str) -> None:
        if self.voice is not None:
            self.voice.say(text)

    def stop(self) -> None:
        if self.voice is not None:
            self.voice.stop()


def press_on(flow: Flow, presenters: Presenters, id: str) -> None:
    """Press a control of the screen where the flow is."""
    presenter = presenters.get(flow.place.screen)
    if presenter is not None:
        presenter.activate(id)


class Aids:
    """What keys, codes and headphones do. `now` is the monotonic clock of the flow."""

    def __init__(
        self,
        *,
        flow: Flow,
        presenters: Presenters,
        audio: AudioMode,
        mouth: Mouth,
        words: Gettext,
        mask: str,
        now: Callable[[], float],
    ) -> None:
        self._flow = flow
        self._presenters = presenters
        self._audio = audio
        self._mouth = mouth
        self._words = words
        self._mask = mask
        self._now = now
        self._asked_whether_here = False
        self.forgetful: list[Callable[[], None]] = []
        """What else must forget the person: the scanner, the camera."""

    def key(self, key: Key) -> None:
        """A key of either keypad. After "¿Sigue aquí?" it only says that the person is."""
        waited = self._flow.idle.phase is IdlePhase.WARNING
        self._flow.touched(self._now())
        if waited:
            self._audio.repeat()
        elif key in NUMERIC:
            self._numeric(key)
        elif key is Key.VOLUME:
            self._louder()
        elif not self._audio.on:
            self._audio.toggle()
        else:
            self._walk(key)

    def scan(self, text: str) -> None:
        """A code was read. It is used where a clave or a folio is asked for, and on the first screen."""
        place = self._flow.place
        again = place.screen is Screen.AVISO and isinstance(place.params.get("cause"), UnknownScan)
        presenter = self._presenters.get(place.screen)
        if presenter is None or presenter.view.busy or not (again or place.screen in SCAN_SCREENS):
            return
        self._flow.touched(self._now())
        meaning = read_scan(text, self._mask)
        match meaning:
            case ScannedClave(clave):
                self._look_up_clave(clave.digits)
            case ScannedFolio(folio):
                self._look_up_folio(folio.text)
            case UnknownScan():
                self._flow.go(Screen.AVISO, cause=meaning)

    def headphones(self, inside: bool) -> None:
        """Who puts headphones in wants to hear; who pulls them out takes the voice along."""
        if inside:
            self._flow.touched(self._now())
        if inside is not self._audio.on:
            self._audio.toggle()

    def idle(self, view: IdleView) -> None:
        """Ask aloud, once, whether somebody is still there."""
        if view.visible and not self._asked_whether_here and self._audio.on:
            self._mouth.say(view.speech)
        self._asked_whether_here = view.visible

    def wipe(self) -> None:
        """Nothing of the person stays in a device."""
        if self._mouth.voice is not None:
            self._mouth.voice.wipe()
        for forget in self.forgetful:
            forget()

    def _walk(self, key: Key) -> None:
        steps: dict[Key, Callable[[], None]] = {
            Key.UP: self._audio.previous,
            Key.DOWN: self._audio.next,
            Key.SELECT: self._audio.press,
            Key.REPEAT: self._audio.repeat,
        }
        steps[key]()

    def _louder(self) -> None:
        if self._mouth.voice is not None:
            step = self._mouth.voice.louder()
            _ = self._words
            text = _("Volumen {n} de {total}")
            self._mouth.say(text.format(n=step, total=len(VOLUMES)))

    def _numeric(self, key: Key) -> None:
        """The key on the screen with the same name, where there is one."""
        place = self._flow.place
        presenter = self._presenters.get(place.screen)
        if presenter is None:
            return
        if key is Key.ENTER:
            if place.screen in _GO_ON:
                presenter.activate(_GO_ON[place.screen])
            return
        focus: tuple[FocusItem, ...] = presenter.view.focus
        for item in focus:
            named = item.id.rpartition(".")[2] == key.value and "key." in item.id
            if named and item.role is Role.KEY:
                presenter.activate(item.id)
                return

    def _look_up_clave(self, digits: str) -> None:
        presenter = self._open(Screen.PREDIAL_CLAVE)
        if isinstance(presenter, PredialClavePresenter):
            presenter.clear()
            presenter.type(digits)
            presenter.look_up()

    def _look_up_folio(self, folio: str) -> None:
        presenter = self._open(Screen.FOLIO)
        if isinstance(presenter, FolioPresenter):
            presenter.type(folio)
            presenter.look()

    def _open(self, screen: Screen) -> Presenter[Any] | None:
        """The screen's presenter, freshly entered: an answer still under way no longer counts."""
        presenter = self._presenters.get(screen)
        if presenter is None:
            return None
        if self._flow.place.screen is screen:
            presenter.leave()
            presenter.enter()
        else:
            self._flow.go(screen)
        return presenter
