"""What the parts of the sound say together, and the texts and bytes of a voice. Sans-IO."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from municipio.devices import DeviceState, DeviceStatus

VOLUMES = (40, 55, 70, 85, 100)
"""Percent of the mixer. No step is silence: a person who hears nothing could not find the way back."""
FIRST_VOLUME = 2
"""Index into `VOLUMES` for every new person."""
CONTROLS = ("PCM", "Speaker", "Headphone", "Master")
VOICES = ("es-419", "es-mx", "es", "en-us", "en")
SPEED_MIN, SPEED_MAX = 80, 300
TEXT_MAX = 4000
PHRASE_MAX = 240
"""Characters said in one piece: the first sound does not wait for the whole screen."""

_CARD = re.compile(r"[A-Za-z0-9_]{1,31}", re.ASCII)
_JACK_CONTROL = re.compile(r"[A-Za-z0-9 /,_-]{1,44}", re.ASCII)
_END = re.compile(r"(?<=[.!?])\s+")
_VALUES = re.compile(rb"^\s*: values=(on|off)\b", re.MULTILINE)


class AudioCause(StrEnum):
    NO_CARD = "no_card"
    NO_VOICE = "no_voice"
    """The voice program is not there or makes no speech."""
    NO_PLAYER = "no_player"
    """The playing program is not there or fails."""
    MIXER = "mixer"
    """The volume could not be set: speech goes on as it is."""
    JACK_UNKNOWN = "jack_unknown"
    """Nobody knows whether headphones are in; nothing private is said."""
    SETTINGS = "settings"
    NO_ANSWER = "no_answer"


@dataclass(frozen=True, slots=True)
class AudioFacts:
    """What is known of each part; None where it was not tried yet. `headphones` only with a sensor."""

    card: bool | None = None
    voice: bool = True
    player: bool = True
    mixer: bool = True
    sensed: bool = False
    headphones: bool | None = None


def judge(facts: AudioFacts) -> DeviceStatus:
    """One state out of all parts; the part that matters most to a listener is named."""
    if facts.card is None:
        return DeviceStatus(DeviceState.STARTING)
    if not facts.card:
        return DeviceStatus(DeviceState.ABSENT, AudioCause.NO_CARD)
    if not facts.voice:
        return DeviceStatus(DeviceState.FAULT, AudioCause.NO_VOICE)
    if not facts.player:
        return DeviceStatus(DeviceState.FAULT, AudioCause.NO_PLAYER)
    if facts.sensed and facts.headphones is None:
        return DeviceStatus(DeviceState.UNKNOWN, AudioCause.JACK_UNKNOWN)
    if not facts.mixer:
        return DeviceStatus(DeviceState.ATTENTION, AudioCause.MIXER)
    return DeviceStatus(DeviceState.READY)


def may_speak(facts: AudioFacts, *, loudspeaker: bool) -> bool:
    """What a screen says is private: with a sensor it is said only into headphones."""
    private = loudspeaker or not facts.sensed or facts.headphones is True
    return facts.card is True and private


def louder(index: int) -> int:
    """The next step; after the loudest the softest."""
    return (index + 1) % len(VOLUMES)


def is_card_name(text: str) -> bool:
    return _CARD.fullmatch(text) is not None


def is_control_name(text: str) -> bool:
    return _JACK_CONTROL.fullmatch(text) is not None


def read_switch(output: bytes) -> bool | None:
    """The answer of `amixer cget` for a switch: on, off, or nothing that we understand."""
    found = _VALUES.search(output)
    return None if found is None else found[1] == b"on"


def phrases(text: str) -> list[str]:
    """A text in pieces to say one after another, cut at sentences, else at words.

    Control characters are blanks, and `[[`, which the voice would take for phonemes, is `[ [`.
    """
    clean = "".join(c if c.isprintable() else " " for c in text[:TEXT_MAX])
    clean = " ".join(clean.replace("[[", "[ [").split())
    pieces: list[str] = []
    for sentence in _END.split(clean):
        pieces += _cut(sentence)
    return [p for p in pieces if p]


def _cut(sentence: str) -> list[str]:
    pieces = []
    while len(sentence) > PHRASE_MAX:
        at = sentence.rfind(" ", 1, PHRASE_MAX)
        at = at if at > 0 else PHRASE_MAX
        pieces.append(sentence[:at])
        sentence = sentence[at:].lstrip()
    return [*pieces, sentence]


def whole_wav(raw: bytes) -> bytes | None:
    """A WAV from a pipe, whose header was written before its length was known, with true lengths.

    None for anything that is not a PCM WAV with sound in it (RIFF WAVE, chunks `fmt ` and `data`).
    """
    if len(raw) < 44 or raw[:4] != b"RIFF" or raw[8:12] != b"WAVE":
        return None
    at = 12
    while at + 8 <= len(raw):
        name, size = raw[at : at + 4], int.from_bytes(raw[at + 4 : at + 8], "little")
        if name == b"data":
            sound = raw[at + 8 : at + 8 + size]
            sound = sound[: len(sound) & ~1]
            head = raw[12:at] + b"data" + len(sound).to_bytes(4, "little")
            whole = b"RIFF" + (4 + len(head) + len(sound)).to_bytes(4, "little") + b"WAVE"
            return whole + head + sound if sound and b"fmt " in head else None
        at += 8 + size + (size & 1)
    return None


def seconds_of(wav: bytes) -> float:
    """How long a `whole_wav` sounds, from the bytes per second of its `fmt ` chunk."""
    at = wav.find(b"fmt ", 12) + 16
    rate = int.from_bytes(wav[at : at + 4], "little")
    return len(wav) / rate if rate else 0.0
