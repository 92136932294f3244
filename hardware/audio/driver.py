"""The sound card of the voice mode: present or not, headphones in or not, how loud, and what it says.

It is a speaker for the kiosk: `say`, `stop`. Every call returns at once; card, socket and volume are
looked at from a thread of its own, once a second.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from hardware.audio.jack import EvdevJack, ask_amixer
from hardware.audio.protocol import (
    CONTROLS,
    FIRST_VOLUME,
    SPEED_MAX,
    SPEED_MIN,
    VOICES,
    VOLUMES,
    AudioCause,
    AudioFacts,
    is_card_name,
    is_control_name,
    judge,
    louder,
    may_speak,
)
from hardware.audio.voice import Voice, VoicePlan
from hardware.programs import Finished, run_program
from hardware.transport.event_port import is_device_id
from municipio.devices import DeviceState, DeviceStatus
from municipio.settings import Settings

LOOK_S = 0.9
SILENCE_S = 4.0
"""A look may wait `MIXER_S` for each of two programs."""
MIXER_S = 1.0


@dataclass(frozen=True, slots=True)
class AudioPlan:
    """The section `[audio]`. `jack` is none, alsa or evdev."""

    programs: str
    cards: str
    card: str
    control: str = "PCM"
    jack: str = "none"
    jack_control: str = "Headphone Jack"
    jack_port: str = ""
    jack_id: str = ""
    loudspeaker: bool = False
    words_per_minute: int = 140

    @property
    def is_usable(self) -> bool:
        """Every word of it may stand in a program's arguments."""
        jack = {
            "none": True,
            "alsa": is_control_name(self.jack_control),
            "evdev": is_device_id(self.jack_id),
        }
        return (
            is_card_name(self.card)
            and self.control in CONTROLS
            and jack.get(self.jack, False)
            and SPEED_MIN <= self.words_per_minute <= SPEED_MAX
        )


class UsbAudio:
    """`headphones_changed` is called from the audio's threads, once per change."""

    def __init__(
        self,
        plan: AudioPlan,
        *,
        language: Callable[[], str] = lambda: VOICES[0],
        headphones_changed: Callable[[bool], None] = lambda _: None,
    ) -> None:
        self._plan = plan
        self._changed = headphones_changed
        self._lock = threading.RLock()
        self._facts = AudioFacts(sensed=plan.jack != "none")
        self._volume = FIRST_VOLUME
        self._applied = -1
        self._beat = time.monotonic()
        self._wake = threading.Event()
        self._closing = False
        self._voice: Voice | None = None
        self._jack: EvdevJack | None = None
        self._thread: threading.Thread | None = None
        if plan.is_usable:
            self._start(language)

    def _start(self, language: Callable[[], str]) -> None:
        plan = self._plan
        self._voice = Voice(VoicePlan(plan.programs, plan.card, plan.words_per_minute), language)
        if plan.jack == "evdev":
            self._jack = EvdevJack(plan.jack_port, plan.jack_id, self._sensed)
        self._thread = threading.Thread(target=self._run, name="audio", daemon=True)
        self._thread.start()

    # --- for the kiosk

    def status(self) -> DeviceStatus:
        if self._voice is None:
            return DeviceStatus(DeviceState.FAULT, AudioCause.SETTINGS)
        if time.monotonic() - self._beat > SILENCE_S or not self._voice.is_alive:
            return DeviceStatus(DeviceState.UNKNOWN, AudioCause.NO_ANSWER)
        return judge(self._all_facts())

    @property
    def headphones(self) -> bool | None:
        """In, out, or nobody knows."""
        return self._facts.headphones

    @property
    def volume(self) -> int:
        """The step, 1 to `len(VOLUMES)`."""
        return self._volume + 1

    @property
    def is_speaking(self) -> bool:
        return self._voice is not None and self._voice.is_speaking

    def say(self, text: str) -> None:
        """Into the headphones; nothing when nobody should hear it, or nothing can be heard."""
        if self._voice is not None and may_speak(self._facts, loudspeaker=self._plan.loudspeaker):
            self._voice.say(text)

    def stop(self) -> None:
        if self._voice is not None:
            self._voice.stop()

    def louder(self) -> int:
        """One step up, the softest after the loudest; the new step, 1 to `len(VOLUMES)`."""
        with self._lock:
            self._volume = louder(self._volume)
        self._wake.set()
        return self.volume

    def wipe(self) -> None:
        """The next person: silence, and the volume as it always begins."""
        self.stop()
        with self._lock:
            self._volume = FIRST_VOLUME
        self._wake.set()

    def close(self) -> None:
        self._closing = True
        self._wake.set()
        for part in (self._jack, self._voice):
            if part is not None:
                part.close()
        if self._thread is not None:
            self._thread.join(timeout=10)

    # --- the audio's own thread

    def _run(self) -> None:
        while not self._closing:
            self._beat = time.monotonic()
            self._look()
            self._wake.wait(LOOK_S)
            self._wake.clear()

    def _look(self) -> None:
        present = (Path(self._plan.cards) / self._plan.card).exists()
        with self._lock:
            was, self._facts = self._facts.card, replace(self._facts, card=present)
        if self._voice is not None:
            self._voice.look()
        if not present:
            self.stop()
            self._applied = -1
            if self._plan.jack == "alsa":
                self._sensed(None)
            return
        if was is False and self._voice is not None:
            self._voice.try_again()
        if self._volume != self._applied:
            self._set_volume(self._volume)
        if self._plan.jack == "alsa":
            self._sensed(ask_amixer(self._plan.programs, self._plan.card, self._plan.jack_control))

    def _set_volume(self, index: int) -> None:
        argv = (
            f"{self._plan.programs}/amixer",
            *("-q", "-c", self._plan.card, "sset", self._plan.control, f"{VOLUMES[index]}%"),
        )
        done = run_program(argv, timeout_s=MIXER_S, output_max=4096)
        worked = isinstance(done, Finished) and done.code == 0
        self._applied = index if worked else -1
        with self._lock:
            self._facts = replace(self._facts, mixer=worked)

    def _sensed(self, headphones: bool | None) -> None:
        """What the socket says now; whoever pulls the plug must not be heard by the square."""
        with self._lock:
            was, self._facts = self._facts.headphones, replace(self._facts, headphones=headphones)
        if was == headphones:
            return
        if not may_speak(self._facts, loudspeaker=self._plan.loudspeaker):
            self.stop()
        if headphones is not None:
            self._changed(headphones)
        elif was:
            self._changed(False)

    def _all_facts(self) -> AudioFacts:
        assert self._voice is not None, "only a started audio is asked"
        return replace(self._facts, voice=self._voice.voice_works, player=self._voice.player_works)


def build_audio(
    settings: Settings,
    *,
    english: Callable[[], bool] = lambda: False,
    headphones_changed: Callable[[bool], None] = lambda _: None,
) -> UsbAudio:
    """From the section `[audio]`. `english` is asked before every phrase."""
    text, number = settings.text, settings.number
    spanish, other = text("audio.voice"), text("audio.voice_en")
    plan = AudioPlan(
        programs=text("hardware.programs"),
        cards=text("audio.cards"),
        card=text("audio.card"),
        control=text("audio.control"),
        jack=text("audio.jack"),
        jack_control=text("audio.jack_control"),
        jack_port=text("audio.jack_port"),
        jack_id=text("audio.jack_id"),
        loudspeaker=settings.flag("audio.loudspeaker"),
        words_per_minute=number("audio.words_per_minute"),
    )
    return UsbAudio(
        plan,
        language=lambda: other if english() else spanish,
        headphones_changed=headphones_changed,
    )
