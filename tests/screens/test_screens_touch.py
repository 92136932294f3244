"""The whole path of a finger: window, target, presenter, next screen; and what must not act."""

from __future__ import annotations

import ctypes
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kiosk.app import KioskApp
from kiosk.background import InlineBackground
from kiosk.flow import Screen
from kiosk.house import House
from kiosk.presenters.frame import HeaderPresenter, IdlePresenter
from kiosk.remote import RemoteControl, RemoteServer
from kiosk.simulated_city import CLAVE
from kiosk.simulated_kiosk import SimulatedKiosk
from kiosk.theme import make_metrics, make_theme
from kiosk.widgets import skin
from kiosk.widgets.inventory import visible_targets, visible_words
from kiosk.window import finish_picture
from municipio.devices import ChargeState

Touch = Callable[[float, float], None]
Until = Callable[[Callable[[], bool]], None]


@pytest.fixture
def kiosk(words: Any) -> SimulatedKiosk:
    words.reset()
    return SimulatedKiosk(words=words)


@pytest.fixture
def app(window: Any, words: Any, kiosk: SimulatedKiosk) -> Iterator[KioskApp]:
    """The application over simulators, without its main loop: a test runs the frames."""
    from kivy.base import EventLoop

    skin.use(make_theme(make_metrics(1280, 800, 149)))
    header = HeaderPresenter(words, InlineBackground(), kiosk.settings, kiosk.world.link)
    idle = IdlePresenter(
        words, lambda: kiosk.flow.touched(time.monotonic()), kiosk.flow.end_session
    )
    house = House(words, kiosk.flow, header, idle, kiosk.presenters, kiosk.audio)
    made = KioskApp(house, locked=True)
    root = made.build()
    window.add_widget(root)
    if EventLoop.status != "started":
        EventLoop.start()
    for _ in range(4):
        EventLoop.idle()
    yield made
    made.conductor.stop()
    window.remove_widget(root)


def _center(app: KioskApp, key: str) -> tuple[float, float]:
    from kivy.core.window import Window

    found = {t.id: t.visible for t in visible_targets(app.stage.overlay or app.stage, Window.size)}
    box = found[key]
    return box.x + box.w / 2, box.y + box.h / 2


def _targets(app: KioskApp) -> set[str]:
    from kivy.core.window import Window

    return {t.id for t in visible_targets(app.stage, Window.size)}


def _texts(app: KioskApp) -> list[str]:
    from kivy.core.window import Window

    return [w.text for w in visible_words(app.stage, Window.size)]


def test_a_touch_on_a_choice_opens_its_screen(app: KioskApp, touch: Touch) -> None:
    touch(*_center(app, "home.predial"))

    assert app.conductor.screen is Screen.PREDIAL_CLAVE


def test_keys_type_what_they_say(app: KioskApp, touch: Touch) -> None:
    touch(*_center(app, "home.predial"))
    for digit in "062":
        touch(*_center(app, f"predial.key.{digit}"))

    assert any(text.startswith("06-2") for text in _texts(app))


def test_a_second_touch_at_once_does_not_act_twice(app: KioskApp) -> None:
    from kivy.base import EventLoop

    from kiosk.remote import press_at
    from kiosk.widgets.buttons import PushButton

    acts: list[str] = []
    button = PushButton(key="again", text="Otra vez", refractory_s=30)
    button.bind(on_act=lambda *_: acts.append("act"))
    app.stage.add_widget(button)
    EventLoop.idle()
    for _ in range(3):
        press_at(640, 400)
        EventLoop.idle()
        EventLoop.idle()

    assert acts == ["act"]


def _to_the_card(app: KioskApp, kiosk: SimulatedKiosk) -> None:
    keys = (f"predial.key.{digit}" for digit in CLAVE)
    for control in ("home.predial", *keys, "predial.continue", "beneficio.no", "pay.card"):
        kiosk.presenters[app.conductor.screen].activate(control)


def test_a_charge_started_before_the_first_tick_is_given_its_whole_time(
    app: KioskApp, kiosk: SimulatedKiosk
) -> None:
    _to_the_card(app, kiosk)
    card = kiosk.presenters[Screen.PAGO_TARJETA]
    card.activate("card.charge")
    card.tick(time.monotonic())

    states = [charge.state for charge in kiosk.world.terminal.charges.values()]
    assert states == [ChargeState.AT_TERMINAL]
    assert app.conductor.screen is Screen.PAGO_TARJETA


def test_a_hurried_second_press_on_charge_does_not_fall_on_cancel(
    app: KioskApp, kiosk: SimulatedKiosk, touch: Touch, until: Until
) -> None:
    _to_the_card(app, kiosk)
    until(lambda: "card.charge" in _targets(app) and not app.stage.guard.is_swallowing())
    hurried = time.monotonic()
    app.stage.guard.now = lambda: hurried  # however slow the machine is that runs this

    touch(*_center(app, "card.charge"))
    until(lambda: "card.cancel" in _targets(app))
    touch(*_center(app, "card.cancel"))

    states = [charge.state for charge in kiosk.world.terminal.charges.values()]
    assert states == [ChargeState.AT_TERMINAL]


def test_a_release_outside_the_target_does_nothing(app: KioskApp) -> None:
    from kivy.base import EventLoop
    from kivy.core.window import Window

    from kiosk.remote import RemoteTouch

    x, y = _center(app, "home.reporte")
    width, height = Window.size
    finger = RemoteTouch("remote", "slides", (x / width, 1 - y / height))
    EventLoop.post_dispatch_input("begin", finger)
    finger.move((0.5, 0.98))
    EventLoop.post_dispatch_input("update", finger)
    EventLoop.post_dispatch_input("end", finger)
    EventLoop.idle()

    assert app.conductor.screen is Screen.HOME


def test_touches_right_after_a_wake_up_are_swallowed(app: KioskApp, touch: Touch) -> None:
    app.stage.guard.swallow(0.3)
    touch(*_center(app, "home.mas"))
    swallowed = app.conductor.screen
    time.sleep(0.3)
    touch(*_center(app, "home.mas"))

    assert (swallowed, app.conductor.screen) == (Screen.HOME, Screen.MAS_SERVICIOS)


def test_the_language_button_changes_every_word_in_place(app: KioskApp, touch: Touch) -> None:
    touch(*_center(app, "bar.language"))

    assert "Español" in _texts(app)


def test_the_place_of_the_five_keys_is_seen_without_any_sound(
    app: KioskApp, kiosk: SimulatedKiosk
) -> None:
    stage = app.stage
    assert stage._ring_color.rgba[3] == 0
    kiosk.audio.next()
    here = kiosk.audio.current
    assert here is not None
    stage.ring(here.id)
    drawn = stage._ring_color.rgba[3]
    stage.ring("")

    assert (drawn, stage._ring_color.rgba[3]) == (1, 0)


def test_a_screen_that_nobody_touches_is_not_drawn_again_at_every_tick(
    app: KioskApp, window: Any
) -> None:
    from kivy.base import EventLoop

    drawn: list[bool] = []
    window.bind(on_flip=lambda *_: drawn.append(True))

    for _ in range(8):
        app.conductor.tick()
        EventLoop.idle()

    assert len(drawn) <= 1


def test_pictures_that_nobody_sees_do_not_wait_in_memory(app: KioskApp, window: Any) -> None:
    from kivy.base import EventLoop

    window.bind(on_flip=finish_picture)
    held = []
    for _ in range(10):
        window.canvas.ask_update()
        EventLoop.idle()
        held.append(_allocated())
    window.unbind(on_flip=finish_picture)

    assert max(held[2:]) - held[1] < 5_000_000


class _Heap(ctypes.Structure):
    _fields_ = [("figures", ctypes.c_size_t * 10)]  # struct mallinfo2


def _allocated() -> int:
    """Bytes of the C library's heap that are in use (`uordblks`)."""
    libc = ctypes.CDLL(None)
    libc.mallinfo2.restype = _Heap
    return int(libc.mallinfo2().figures[7])


def test_escape_and_f1_lead_nowhere(app: KioskApp) -> None:
    from kivy.base import EventLoop
    from kivy.core.window import Window

    for key in (27, 282):
        Window.dispatch("on_keyboard", key, 0, None, [])
    EventLoop.idle()

    assert app.open_settings() is False
    assert EventLoop.status == "started"
    assert Window.dispatch("on_request_close") is True


def test_the_bench_sees_and_touches_through_the_socket(
    app: KioskApp, until: Until, tmp_path: Path
) -> None:
    server = RemoteServer(tmp_path / "kiosk.sock", RemoteControl(app))
    server.start()
    replies: list[Any] = []
    asked = (
        {"op": "targets"}, {"op": "tap", "id": "home.reporte"}, {"op": "tap", "id": "nobody"},
        {"op": "targets"}, {"op": "frame"}, {"op": "devices"}, {"op": "dance"},
    )  # fmt: skip
    client = threading.Thread(target=_ask, args=(tmp_path / "kiosk.sock", asked, replies))
    client.start()
    until(lambda: not client.is_alive())
    server.close()
    before, tapped, missed, after, frame, devices, odd = replies

    assert before["screen"] == "home"
    assert {t["id"] for t in before["targets"]} >= {"home.tramites", "bar.help"}
    assert tapped == {"ok": True}
    assert "nobody" in missed["error"]
    assert after["screen"] == "reporte"
    assert frame[:8] == b"\x89PNG\r\n\x1a\n"
    assert devices == {"devices": {}}
    assert "dance" in odd["error"]
    assert not (tmp_path / "kiosk.sock").exists()


def test_the_bench_is_told_when_the_screen_takes_no_touch_yet_instead_of_losing_it(
    app: KioskApp, until: Until, tmp_path: Path
) -> None:
    server = RemoteServer(tmp_path / "kiosk.sock", RemoteControl(app))
    server.start()
    replies: list[Any] = []
    asked = ({"op": "tap", "id": "home.reporte"}, {"op": "targets"})
    app.stage.guard.swallow(60)
    client = threading.Thread(target=_ask, args=(tmp_path / "kiosk.sock", asked, replies))
    client.start()
    until(lambda: not client.is_alive())
    server.close()
    app.stage.guard.swallow(0)
    refused, after = replies

    assert "just changed" in refused["error"]
    assert after["screen"] == "home"


def _ask(path: Path, requests: tuple[dict[str, str], ...], replies: list[Any]) -> None:
    with socket.socket(socket.AF_UNIX) as plug:
        plug.connect(str(path))
        stream = plug.makefile("rwb")
        for request in requests:
            stream.write(json.dumps(request).encode() + b"\n")
            stream.flush()
            reply = json.loads(stream.readline())
            size = reply.get("png_bytes")
            replies.append(stream.read(size) if size else reply)
