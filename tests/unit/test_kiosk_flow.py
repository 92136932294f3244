"""Places, history, the idle warning and the wipe."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from kiosk.background import InlineBackground, ThreadBackground
from kiosk.flow import HANDS_FULL_S, Flow, Idle, IdlePhase, Place, Screen
from kiosk.language import Words


@pytest.fixture
def flow() -> Flow:
    return Flow(idle_warning_s=45, idle_wipe_s=20)


def test_back_returns_to_where_one_was_with_what_it_was_opened_with(flow: Flow) -> None:
    flow.go(Screen.TRAMITES)
    flow.go(Screen.TRAMITE, tramite_id="X")
    flow.go(Screen.AYUDA)
    flow.back()
    assert flow.place == Place(Screen.TRAMITE, {"tramite_id": "X"})


def test_back_never_returns_to_a_screen_that_did_something(flow: Flow) -> None:
    flow.go(Screen.PREDIAL_ADEUDO)
    flow.go(Screen.PAGO_TARJETA)
    flow.go(Screen.PAGO_RESULTADO)
    flow.go(Screen.AYUDA)
    flow.back()
    assert flow.place.screen is Screen.PREDIAL_ADEUDO


def test_back_at_the_first_screen_stays_there(flow: Flow) -> None:
    flow.back()
    assert flow.place.screen is Screen.HOME


def test_the_warning_comes_at_45_seconds_and_the_wipe_20_later(flow: Flow) -> None:
    wipes: list[str] = []
    flow.on_wipe = lambda: wipes.append("wiped")
    flow.go(Screen.REPORTE)
    flow.touched(100)
    flow.tick(144.9)
    assert flow.idle == Idle()
    flow.tick(145)
    assert flow.idle == Idle(IdlePhase.WARNING, 20)
    flow.tick(164.9)
    assert flow.idle.seconds_left == 1
    flow.tick(165)
    assert wipes == ["wiped"]
    assert flow.place.screen is Screen.HOME


def test_a_touch_answers_the_warning(flow: Flow) -> None:
    flow.touched(0)
    flow.tick(50)
    flow.touched(51)
    assert flow.idle == Idle()
    flow.tick(90)
    assert flow.idle == Idle()


def test_no_time_passes_while_a_screen_is_busy(flow: Flow) -> None:
    flow.touched(0)
    flow.tick(500, busy=True)
    flow.tick(540)
    assert flow.idle == Idle()


@pytest.mark.parametrize(
    ("screen", "stays_s"), [(Screen.PUESTA, HANDS_FULL_S), (Screen.TECNICO, 65)]
)
def test_a_technician_is_not_asked_and_the_screen_gives_way_in_the_end(
    flow: Flow, screen: Screen, stays_s: float
) -> None:
    told: list[Idle] = []
    flow.on_idle = told.append
    flow.go(screen)
    flow.touched(100)
    flow.tick(100 + stays_s - 0.1)
    assert flow.place.screen is screen

    flow.tick(100 + stays_s)

    assert flow.place.screen is Screen.HOME
    assert told == []


def test_nobody_is_warned_when_nobody_was_there(flow: Flow) -> None:
    flow.tick(0)
    flow.tick(1000)
    assert flow.idle == Idle()


def test_a_finished_session_is_wiped_at_once(flow: Flow) -> None:
    wipes: list[str] = []
    flow.on_wipe = lambda: wipes.append("wiped")
    flow.go(Screen.REPORTE)
    flow.end_session()
    assert wipes == ["wiped"]
    assert flow.place.screen is Screen.HOME


def test_inline_background_answers_at_once() -> None:
    got: list[int] = []
    InlineBackground().run(lambda: 7, got.append)
    assert got == [7]


def test_thread_background_works_elsewhere_and_delivers_through_post() -> None:
    posted: list[Callable[[], None]] = []
    arrived = threading.Event()

    def post(callback: Callable[[], None]) -> None:
        posted.append(callback)
        arrived.set()

    background = ThreadBackground(post)
    got: list[bool] = []
    here = threading.get_ident()
    background.run(lambda: threading.get_ident() != here, got.append)
    assert arrived.wait(5)
    assert got == []
    posted[0]()
    assert got == [True]
    background.close()


def test_an_error_in_the_background_is_raised_on_the_screens_thread() -> None:
    posted: list[Callable[[], None]] = []
    background = ThreadBackground(posted.append)

    def broken() -> int:
        raise RuntimeError("a mistake of ours")

    background.run(broken, lambda _: None)
    background.close()
    with pytest.raises(RuntimeError, match="mistake"):
        posted[0]()


def test_words_switch_tell_and_reset() -> None:
    words = Words({"es_MX": lambda t: t, "en": lambda t: t.upper()})
    told: list[str] = []
    words.subscribe(lambda: told.append(words.code))
    words.switch(words.next_code)
    assert words("hola") == "HOLA"
    assert words("") == ""
    words.reset()
    assert told == ["en", "es_MX"]
    with pytest.raises(KeyError):
        words.switch("xx")
