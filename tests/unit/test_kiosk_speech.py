"""Audio mode: five keys walk every screen, and amounts and codes sound right."""

from __future__ import annotations

import pytest

from kiosk.flow import Screen
from kiosk.presenters.frame import HeaderPresenter, IdlePresenter
from kiosk.presenters.wording import TextEntry
from kiosk.simulated_kiosk import SimulatedKiosk
from kiosk.speech import say_amount, spell


@pytest.fixture
def kiosk() -> SimulatedKiosk:
    kiosk = SimulatedKiosk()
    kiosk.audio.toggle()
    return kiosk


@pytest.mark.parametrize(
    ("centavos", "said"),
    [
        (723609, "7236 pesos con 9 centavos"),
        (100, "1 pesos"),
        (0, "0 pesos"),
        (5, "0 pesos con 5 centavos"),
    ],
)
def test_amounts_are_said_without_points_or_commas(centavos: int, said: str) -> None:
    assert say_amount(centavos, str) == said


def test_codes_are_spelled_group_by_group() -> None:
    assert spell("COA007-P1") == "C O A 0 0 7, P 1"


def test_the_screen_is_said_when_the_mode_is_turned_on(kiosk: SimulatedKiosk) -> None:
    assert kiosk.speaker.said[-1].startswith("¿Qué necesita hacer hoy?")


def test_two_steps_and_a_press_open_predial(kiosk: SimulatedKiosk) -> None:
    kiosk.audio.next()
    kiosk.audio.next()
    assert kiosk.speaker.said[-1] == "Predial. Consulte y pague su impuesto, botón"
    kiosk.audio.press()
    assert kiosk.screen is Screen.PREDIAL_CLAVE
    assert kiosk.speaker.said[-1].startswith("Escriba su clave catastral")


def test_going_backwards_from_nowhere_reaches_the_last_control(kiosk: SimulatedKiosk) -> None:
    kiosk.audio.previous()
    assert kiosk.audio.current is not None
    assert kiosk.audio.current.id == "bar.language"


def test_a_disabled_control_says_so_and_does_nothing(kiosk: SimulatedKiosk) -> None:
    kiosk.tap("home.predial")
    while kiosk.audio.current is None or kiosk.audio.current.id != "predial.continue":
        kiosk.audio.next()
    kiosk.audio.press()
    assert "no disponible" in kiosk.speaker.said[-1]
    assert kiosk.screen is Screen.PREDIAL_CLAVE


def test_the_place_is_kept_while_the_same_screen_changes(kiosk: SimulatedKiosk) -> None:
    kiosk.tap("home.predial")
    kiosk.audio.next()
    kiosk.audio.press()
    assert kiosk.audio.current is not None
    assert kiosk.audio.current.id == "predial.key.1"


def test_listen_speaks_even_with_the_mode_off() -> None:
    kiosk = SimulatedKiosk()
    kiosk.tap("bar.help", "bar.listen")
    assert len(kiosk.speaker.said) == 1


def test_a_wipe_silences_the_mode(kiosk: SimulatedKiosk) -> None:
    kiosk.tap("home.reporte")
    kiosk.flow.end_session()
    assert not kiosk.audio.on


def test_the_accent_key_twice_is_a_dieresis() -> None:
    entry = TextEntry(10)
    for key in ("key.accent", "key.accent", "key.u", "key.u", "key.accent", "key.A"):
        assert entry.press(key)
    assert entry.text == "üuÁ"
    assert not entry.press("home.predial")


def test_the_header_says_what_still_works_off_line() -> None:
    kiosk = SimulatedKiosk()
    desk = kiosk.desk
    header = HeaderPresenter(desk.words, desk.background, desk.settings, kiosk.world.link)
    assert header.view.link.value == "unknown"
    header.tick(0)
    assert header.view.link_text == "En línea"
    kiosk.world.cut_network()
    header.tick(1)
    assert header.view.link_text == "En línea"
    header.tick(2)
    assert "se guarda y se envía después" in header.view.link_text


def test_the_idle_question_counts_down_and_can_be_answered() -> None:
    kiosk = SimulatedKiosk()
    answers: list[str] = []
    idle = IdlePresenter(
        kiosk.words, lambda: answers.append("stay"), lambda: answers.append("finish")
    )
    kiosk.flow.on_idle = idle.show
    idle.activate("idle.stay")
    kiosk.tap("home.reporte")
    kiosk.wait(50)
    assert idle.view.visible
    assert str(idle.view.seconds_left) in idle.view.text
    idle.activate("idle.stay")
    assert answers == ["stay"]
