"""One voice at a time: a text becomes sound, phrase by phrase, and a newer text ends an older one.

espeak-ng gets the text on its standard input (the list of running programs is public) and answers
with sound on its output; aplay plays it. No text and no sound is ever a file.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from hardware.audio.protocol import phrases, seconds_of, whole_wav
from hardware.programs import Finished, ProgramCause, ProgramProblem, find_program, run_program

SYNTH_S = 8.0
WAV_MAX = 24_000_000
PLAY_MARGIN_S = 4.0


@dataclass(frozen=True, slots=True)
class VoicePlan:
    """Where the programs are, the card by its ALSA name, and how fast to speak."""

    programs: str
    card: str
    words_per_minute: int


class Voice:
    """`say` and `stop` return at once; the work is on a thread. `voice_works` and `player_works`
    tell how the last phrase went."""

    def __init__(self, plan: VoicePlan, language: Callable[[], str]) -> None:
        self._plan = plan
        self._language = language
        self._change = threading.Condition()
        self._wanted: str | None = None
        self._stop = threading.Event()
        self._closing = False
        self._busy = False
        self._had = {"espeak-ng": False, "aplay": False}
        self.voice_works = self.player_works = False
        self.look()
        self._thread = threading.Thread(target=self._run, name="voice", daemon=True)
        self._thread.start()

    @property
    def is_speaking(self) -> bool:
        return self._busy or self._wanted is not None

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def say(self, text: str) -> None:
        """Say this instead of whatever is being said. Only the newest text waits."""
        with self._change:
            self._stop.set()
            self._wanted = text
            self._change.notify_all()

    def stop(self) -> None:
        """Silence, and nothing that was to be said is kept."""
        with self._change:
            self._stop.set()
            self._wanted = None

    def close(self) -> None:
        with self._change:
            self._closing = True
            self._stop.set()
            self._wanted = None
            self._change.notify_all()
        self._thread.join(timeout=10)

    def look(self) -> None:
        """Notice a program that was installed since, or went away."""
        has = {name: find_program(self._plan.programs, name) is not None for name in self._had}
        if has["espeak-ng"] != self._had["espeak-ng"]:
            self.voice_works = has["espeak-ng"]
        if has["aplay"] != self._had["aplay"]:
            self.player_works = has["aplay"]
        self._had = has

    def try_again(self) -> None:
        """The card came back: what failed without it is forgiven."""
        self.voice_works, self.player_works = self._had["espeak-ng"], self._had["aplay"]

    def _run(self) -> None:
        while True:
            with self._change:
                while self._wanted is None and not self._closing:
                    self._busy = False
                    self._change.wait()
                if self._closing:
                    return
                text, self._wanted = self._wanted, None
                self._stop = stop = threading.Event()
                self._busy = True
            self._speak(text or "", stop)

    def _speak(self, text: str, stop: threading.Event) -> None:
        for phrase in phrases(text):
            wav = self._make(phrase, stop)
            if wav is None or stop.is_set() or not self._play(wav, stop):
                return

    def _make(self, phrase: str, stop: threading.Event) -> bytes | None:
        speed = str(self._plan.words_per_minute)
        argv = (
            f"{self._plan.programs}/espeak-ng",
            *("-v", self._language(), "-s", speed, "-b", "1", "--stdin", "--stdout"),
        )
        made = run_program(
            argv, stdin=phrase.encode(), timeout_s=SYNTH_S, output_max=WAV_MAX, stop=stop
        )
        if _was_stopped(made):
            return None
        good = isinstance(made, Finished) and made.code == 0
        wav = whole_wav(made.output) if good and isinstance(made, Finished) else None
        self.voice_works = wav is not None
        return wav

    def _play(self, wav: bytes, stop: threading.Event) -> bool:
        argv = (
            f"{self._plan.programs}/aplay",
            *("-q", "-t", "wav", "-D", f"plughw:CARD={self._plan.card}", "-"),
        )
        played = run_program(
            argv,
            stdin=wav,
            timeout_s=seconds_of(wav) + PLAY_MARGIN_S,
            output_max=4096,
            stop=stop,
        )
        if _was_stopped(played):
            return False
        self.player_works = isinstance(played, Finished) and played.code == 0
        return self.player_works


def _was_stopped(result: Finished | ProgramProblem) -> bool:
    return isinstance(result, ProgramProblem) and result.cause is ProgramCause.STOPPED
