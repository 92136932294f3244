"""Keys, digits, codes and headphones walk a whole kiosk as a finger would, and leave no trace."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hardware.audio.protocol import FIRST_VOLUME, VOLUMES, louder
from hardware.audio.simulator import CARD, JACK_ID, AudioSimulator
from hardware.keypad.keys import NUMERIC, TACTILE, Key
from hardware.keypad.simulator import DEMO_ID, KeypadSimulator
from hardware.scanner.simulator import ScannerSimulator
from kiosk.aids import Aids, Mouth, press_on
from kiosk.aids_wiring import AidDevices
from kiosk.flow import Flow, IdlePhase, Screen
from kiosk.language import untranslated
from kiosk.presenters.frame import IdlePresenter
from kiosk.simulated_kiosk import SimulatedKiosk
from kiosk.speech import AudioMode
from municipio.facts import Lane
from municipio.identifiers import make_folio
from municipio.settings import parse_settings

CLAVE = "3003900101050150010012"


@dataclass
class Voice:
    """A voice that notes everything."""

    said: list[str] = field(default_factory=list)
    volume: int = FIRST_VOLUME
    wiped: int = 0

    def say(self, text: str) -> None:
        self.said.append(text)

    def stop(self) -> None:
        self.said.append("(silencio)")

    def louder(self) -> int:
        self.volume = louder(self.volume)
        return self.volume + 1

    def wipe(self) -> None:
        self.volume = FIRST_VOLUME
        self.wiped += 1


@dataclass
class Rig:
    kiosk: SimulatedKiosk
    aids: Aids
    voice: Voice

    def press(self, *keys: Key) -> None:
        for key in keys:
            self.aids.key(key)


@pytest.fixture
def rig() -> Rig:
    kiosk, mouth, voice = SimulatedKiosk(), Mouth(), Voice()
    mouth.voice = voice
    kiosk.speaker.say = voice.say  # type: ignore[method-assign]  # one ear for both
    aids = Aids(
        flow=kiosk.flow,
        presenters=kiosk.presenters,
        audio=kiosk.audio,
        mouth=mouth,
        words=str,
        mask=kiosk.settings.text("city.clave_mask"),
        now=lambda: kiosk.now_s,
    )
    return Rig(kiosk, aids, voice)


def known_clave(kiosk: SimulatedKiosk) -> str:
    return next(iter(kiosk.world.catalogue.liquidaciones))


# --- five keys


def test_the_first_key_turns_the_voice_on_and_presses_nothing(rig: Rig) -> None:
    rig.press(Key.SELECT)

    assert rig.kiosk.audio.on
    assert rig.kiosk.screen is Screen.HOME
    assert rig.voice.said[-1].startswith("¿Qué necesita hacer hoy?")


def test_five_keys_reach_predial_without_eyes(rig: Rig) -> None:
    rig.press(Key.REPEAT, Key.DOWN, Key.DOWN)
    heard = rig.voice.said[-1]
    rig.press(Key.SELECT)

    assert heard.startswith("Predial.")
    assert rig.kiosk.screen is Screen.PREDIAL_CLAVE


def test_up_goes_back_and_repeat_says_it_again(rig: Rig) -> None:
    rig.press(Key.REPEAT, Key.DOWN, Key.DOWN, Key.UP, Key.REPEAT)

    assert rig.voice.said[-1] == rig.voice.said[-2]
    assert rig.voice.said[-1] == rig.voice.said[-4]


def test_each_press_of_volume_is_a_step_and_is_said(rig: Rig) -> None:
    rig.press(*[Key.VOLUME] * len(VOLUMES))
    spoken = [s for s in rig.voice.said if s.startswith("Volumen")]

    assert len(set(spoken)) == len(VOLUMES)
    assert spoken[-1] == f"Volumen {FIRST_VOLUME + 1} de {len(VOLUMES)}"


def test_a_key_is_a_person_who_is_there(rig: Rig) -> None:
    rig.kiosk.tap("home.predial")
    rig.kiosk.wait(44)
    rig.press(Key.DOWN)
    rig.kiosk.wait(40)

    assert rig.kiosk.flow.idle.phase is IdlePhase.ACTIVE
    assert rig.kiosk.screen is Screen.PREDIAL_CLAVE


def test_when_asked_who_is_there_a_key_only_answers(rig: Rig) -> None:
    rig.kiosk.tap("home.predial")
    rig.press(Key.REPEAT, Key.UP)
    before = rig.kiosk.audio.current
    rig.kiosk.wait(50)
    assert rig.kiosk.flow.idle.phase is IdlePhase.WARNING
    rig.press(Key.SELECT)

    assert rig.kiosk.flow.idle.phase is IdlePhase.ACTIVE
    assert rig.kiosk.audio.current == before
    assert rig.kiosk.screen is Screen.PREDIAL_CLAVE


def test_whether_somebody_is_there_is_asked_aloud_once(rig: Rig) -> None:
    idle = IdlePresenter(rig.kiosk.words, lambda: None, lambda: None)
    idle.subscribe(rig.aids.idle)
    rig.kiosk.flow.on_idle = idle.show
    rig.press(Key.REPEAT)
    rig.kiosk.wait(55)

    assert sum("Sigue" in said for said in rig.voice.said) == 1


# --- digits


def test_digits_are_typed_and_enter_looks_the_clave_up(rig: Rig) -> None:
    clave = known_clave(rig.kiosk)
    rig.kiosk.tap("home.predial")
    rig.press(*(Key(c) for c in clave), Key.ERASE, Key(clave[-1]), Key.ENTER)

    assert rig.kiosk.screen in {Screen.PREDIAL_BENEFICIO, Screen.PREDIAL_ADEUDO}


def test_digits_are_typed_into_a_folio_too(rig: Rig) -> None:
    rig.kiosk.tap("bar.folio")
    rig.press(Key.N0, Key.N7)

    assert rig.kiosk.view.text == "07"


@pytest.mark.parametrize("key", sorted(NUMERIC))
def test_a_digit_where_none_is_asked_for_does_nothing(rig: Rig, key: Key) -> None:
    before = rig.kiosk.view
    rig.press(key)

    assert rig.kiosk.view == before


# --- codes


def test_last_years_receipt_opens_its_debt_from_the_first_screen(rig: Rig) -> None:
    rig.aids.scan(known_clave(rig.kiosk))

    assert rig.kiosk.screen in {Screen.PREDIAL_BENEFICIO, Screen.PREDIAL_ADEUDO}


def test_a_clave_replaces_what_was_typed(rig: Rig) -> None:
    rig.kiosk.tap("home.predial")
    rig.press(Key.N9, Key.N9)
    rig.aids.scan(CLAVE)

    assert rig.kiosk.view.formatted.replace("-", "") == CLAVE
    assert rig.kiosk.view.problem.startswith("No encontramos esa clave")


def test_a_scanned_clave_counts_as_a_look_up(rig: Rig) -> None:
    for _ in range(7):
        rig.aids.scan(CLAVE)

    assert "muchas consultas" in rig.kiosk.view.problem


def test_a_folio_is_looked_up(rig: Rig) -> None:
    folio = make_folio("COA007", Lane.REP, 1, 5)
    rig.aids.scan(folio)

    assert rig.kiosk.screen is Screen.FOLIO
    assert [r.value for r in rig.kiosk.view.rows] == [folio]


def test_a_second_folio_replaces_the_first(rig: Rig) -> None:
    folios = [make_folio("COA007", Lane.REP, 1, n) for n in (5, 6)]
    for folio in folios:
        rig.aids.scan(folio)

    assert [r.value for r in rig.kiosk.view.rows] == folios[1:]


def test_another_code_is_not_recognised_and_another_may_be_tried(rig: Rig) -> None:
    rig.kiosk.tap("bar.folio")
    rig.aids.scan("7501055300075")
    assert rig.kiosk.screen is Screen.AVISO
    assert rig.kiosk.view.headline == "No reconocemos ese código"
    rig.kiosk.tap("aviso.done")
    assert rig.kiosk.screen is Screen.FOLIO
    rig.aids.scan("WIFI:S:casa;;")
    rig.aids.scan(known_clave(rig.kiosk))

    assert rig.kiosk.screen in {Screen.PREDIAL_BENEFICIO, Screen.PREDIAL_ADEUDO}


def test_a_code_pulls_nobody_out_of_a_report(rig: Rig) -> None:
    rig.kiosk.flow.go(Screen.REPORTE)
    before = rig.kiosk.view
    rig.aids.scan(known_clave(rig.kiosk))
    rig.aids.scan("nada")

    assert rig.kiosk.view == before


# --- headphones and wipes


def test_headphones_bring_the_voice_and_take_it_along(rig: Rig) -> None:
    rig.aids.headphones(True)
    assert rig.kiosk.audio.on
    assert rig.voice.said[-1].startswith("¿Qué necesita hacer hoy?")
    rig.aids.headphones(False)

    assert not rig.kiosk.audio.on


def test_a_wipe_reaches_every_device(rig: Rig) -> None:
    forgotten: list[str] = []
    rig.aids.forgetful.append(lambda: forgotten.append("scanner"))
    rig.press(Key.VOLUME)
    rig.aids.wipe()

    assert rig.voice.wiped == 1
    assert rig.voice.volume == FIRST_VOLUME
    assert forgotten == ["scanner"]


def test_a_kiosk_out_of_service_ignores_keys_and_codes() -> None:
    flow, mouth = Flow(idle_warning_s=45, idle_wipe_s=20), Mouth()
    audio = AudioMode(mouth, str, lambda id: press_on(flow, {}, id))
    aids = Aids(
        flow=flow, presenters={}, audio=audio, mouth=mouth, words=str,
        mask="2-3-3-2-3-3-2-3-1", now=lambda: 0.0,
    )  # fmt: skip
    for key in Key:
        aids.key(key)
    aids.scan(CLAVE)
    press_on(flow, {}, "home.predial")
    aids.wipe()

    assert flow.place.screen is Screen.HOME


# --- from the wire to the screen


@pytest.fixture
def devices(tmp_path: Path) -> Iterator[tuple[SimulatedKiosk, ScannerSimulator, KeypadSimulator]]:
    """A kiosk wired to a simulated scanner, keypad and sound card; `post` is drained by `tick`."""
    far_audio = AudioSimulator(tmp_path / "audio")
    far_audio.link_jack(tmp_path / "jack")
    far_audio.open_jack()
    scanner = ScannerSimulator()
    scanner.link(tmp_path / "scanner")
    scanner.open()
    keys = parse_settings({}).text("keypad.keys")
    keypad = KeypadSimulator(keys, TACTILE)
    keypad.link(tmp_path / "keypad")
    keypad.open()
    settings = parse_settings(
        {
            "hardware": {"programs": far_audio.programs},
            "audio": {
                "enabled": True, "card": CARD, "cards": far_audio.cards, "jack": "evdev",
                "jack_port": str(tmp_path / "jack"), "jack_id": JACK_ID,
            },
            "scanner": {"enabled": True, "port": str(tmp_path / "scanner")},
            "keypad": {"enabled": True, "port": str(tmp_path / "keypad"), "id": DEMO_ID},
        }
    )  # fmt: skip
    kiosk = SimulatedKiosk()
    wired = AidDevices(settings, lambda work: work(), untranslated())
    wired.start(wired.join(kiosk.flow, kiosk.presenters, kiosk.audio))
    yield kiosk, scanner, keypad
    wired.close()
    for far in (far_audio, scanner, keypad):
        far.close()


def test_a_code_before_the_reader_and_a_key_on_the_keypad_reach_the_screen(
    devices: tuple[SimulatedKiosk, ScannerSimulator, KeypadSimulator],
) -> None:
    kiosk, scanner, keypad = devices
    end = time.monotonic() + 10
    while kiosk.screen is Screen.HOME and time.monotonic() < end:
        scanner.scan(known_clave(kiosk))
        time.sleep(0.3)
    while not kiosk.audio.on and time.monotonic() < end:
        keypad.press(Key.REPEAT)
        time.sleep(0.3)

    assert kiosk.screen in {Screen.PREDIAL_BENEFICIO, Screen.PREDIAL_ADEUDO}
    assert kiosk.audio.on


def test_a_kiosk_without_aids_opens_nothing_and_offers_no_voice() -> None:
    wired = AidDevices(parse_settings({}), lambda work: work(), untranslated())
    kiosk = SimulatedKiosk()
    before = threading.active_count()
    wired.start(wired.join(kiosk.flow, kiosk.presenters, kiosk.audio))

    assert threading.active_count() == before
    assert not wired.may_listen
    wired.close()
