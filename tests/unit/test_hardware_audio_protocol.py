"""What the parts of the sound say together, and a voice's texts and bytes."""

from __future__ import annotations

import io
import shutil
import wave
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.audio.driver import AudioPlan
from hardware.audio.protocol import (
    FIRST_VOLUME,
    PHRASE_MAX,
    TEXT_MAX,
    VOLUMES,
    AudioCause,
    AudioFacts,
    judge,
    louder,
    may_speak,
    phrases,
    read_switch,
    seconds_of,
    whole_wav,
)
from hardware.programs import Finished, run_program
from municipio.devices import DeviceState, DeviceStatus

WELL = AudioFacts(card=True, sensed=True, headphones=True)


@pytest.mark.parametrize(
    ("facts", "state", "cause"),
    [
        (AudioFacts(), DeviceState.STARTING, ""),
        (WELL, DeviceState.READY, ""),
        (replace(WELL, headphones=False), DeviceState.READY, ""),
        (replace(WELL, card=False), DeviceState.ABSENT, AudioCause.NO_CARD),
        (replace(WELL, voice=False), DeviceState.FAULT, AudioCause.NO_VOICE),
        (replace(WELL, player=False), DeviceState.FAULT, AudioCause.NO_PLAYER),
        (replace(WELL, mixer=False), DeviceState.ATTENTION, AudioCause.MIXER),
        (replace(WELL, headphones=None), DeviceState.UNKNOWN, AudioCause.JACK_UNKNOWN),
        (
            replace(WELL, voice=False, player=False, mixer=False),
            DeviceState.FAULT,
            AudioCause.NO_VOICE,
        ),
    ],
)
def test_the_part_that_matters_most_is_named(
    facts: AudioFacts, state: DeviceState, cause: str
) -> None:
    assert judge(facts) == DeviceStatus(state, cause)


@pytest.mark.parametrize(
    ("facts", "loudspeaker", "speaks"),
    [
        (WELL, False, True),
        (replace(WELL, headphones=False), False, False),
        (replace(WELL, headphones=None), False, False),
        (replace(WELL, headphones=False), True, True),
        (replace(WELL, headphones=None, sensed=False), False, True),
        (replace(WELL, card=False), True, False),
    ],
)
def test_a_private_screen_is_said_only_where_one_person_hears_it(
    facts: AudioFacts, loudspeaker: bool, speaks: bool
) -> None:
    assert may_speak(facts, loudspeaker=loudspeaker) is speaks


def test_louder_goes_through_every_step_and_starts_again() -> None:
    steps = [FIRST_VOLUME]
    for _ in VOLUMES:
        steps.append(louder(steps[-1]))

    assert set(steps) == set(range(len(VOLUMES)))
    assert steps[-1] == FIRST_VOLUME
    assert min(VOLUMES) > 0


@pytest.mark.parametrize(
    ("output", "told"),
    [
        (b"numid=7,iface=CARD,name='Headphone Jack'\n  ; type=BOOLEAN\n  : values=on\n", True),
        (b"  : values=off\n", False),
        (b"  : values=onwards\n", None),
        (b"", None),
        (b"\xff\x00: values=on", None),
    ],
)
def test_the_mixers_answer_is_understood_or_unknown(output: bytes, told: bool | None) -> None:
    assert read_switch(output) is told


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", []),
        ("Predial.", ["Predial."]),
        ("Uno. Dos. ¿Tres? Sí", ["Uno.", "Dos.", "¿Tres?", "Sí"]),
        ("a\n\tb\x00c", ["a b c"]),
        ("[[voz]]", ["[ [voz]]"]),
        ("Folio: C O A; listo.", ["Folio: C O A; listo."]),
        ("12.50 pesos", ["12.50 pesos"]),
    ],
)
def test_a_text_is_said_sentence_by_sentence(text: str, pieces: list[str]) -> None:
    assert phrases(text) == pieces


@settings(max_examples=100)
@given(st.text(max_size=TEXT_MAX * 2))
def test_no_text_makes_a_long_phrase_or_an_unprintable_one(text: str) -> None:
    for piece in phrases(text):
        assert 0 < len(piece) <= PHRASE_MAX
        assert piece.isprintable()
        assert "[[" not in piece


def made_wav(frames: int) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(b"\x01\x00" * frames)
    return buffer.getvalue()


def test_a_sound_from_a_pipe_gets_its_true_length() -> None:
    true = made_wav(8000)
    piped = true[:4] + b"\x24\xf0\xff\x7f" + true[8:40] + b"\x00\xf0\xff\x7f" + true[44:]

    assert whole_wav(piped) == true
    assert seconds_of(true) == pytest.approx(1.0, abs=0.01)


@settings(max_examples=150)
@given(st.integers(0, 120), st.binary(max_size=20))
def test_bytes_that_are_no_sound_are_refused(cut: int, junk: bytes) -> None:
    wav = made_wav(20)
    mended = whole_wav(wav[:cut] + junk)

    assert whole_wav(junk) is None
    if mended is not None:
        with wave.open(io.BytesIO(mended)) as sound:
            assert len(sound.readframes(1000)) <= len(wav) + 20


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
@pytest.mark.parametrize("voice", ["es-419", "es-mx", "es", "en-us"])
def test_the_real_voice_makes_sound_from_standard_input(voice: str) -> None:
    argv = ["/usr/bin/espeak-ng", "-v", voice, "-s", "140", "-b", "1", "--stdin", "--stdout"]
    made = run_program(
        argv, stdin=b"Su adeudo: 7236 pesos con 9 centavos.", timeout_s=20, output_max=9**9
    )

    assert isinstance(made, Finished)
    wav = whole_wav(made.output)
    assert wav is not None
    assert 2 < seconds_of(wav) < 12


@pytest.mark.parametrize(
    "wrong",
    [
        {"card": ""},
        {"card": "a b"},
        {"card": "x;reboot"},
        {"control": "Other"},
        {"jack": "magic"},
        {"jack": "evdev"},
        {"jack": "alsa", "jack_control": "'; x"},
        {"words_per_minute": 20},
    ],
)
def test_a_word_that_may_not_stand_in_an_argument_is_refused(wrong: dict[str, object]) -> None:
    good = AudioPlan("/usr/bin", "/proc/asound", "Device")

    assert good.is_usable
    assert not replace(good, **wrong).is_usable
