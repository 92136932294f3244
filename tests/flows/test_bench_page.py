"""The bench page in a browser: devices, journal, and a scenario that waits for the technician's hands."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from waitress import create_server

from hardware.bench.devices import DEVICES, vocabulary
from hardware.bench.reading import parse_scenario
from hardware.bench.scenario import Scenario
from plaza.demo.bench_app import create_bench
from plaza.demo.plan import Plan, Ports
from plaza.demo.show import Show

LESSON = b"""
title: Una lecci\xc3\xb3n corta
summary: Se corta la red y se quita el papel.
learn: [Que el banco espera a quien aprende.]
devices: [printer, terminal, cash, sun, scanner, keypad, numpad, audio, camera]
steps:
  - say: Alguien corta la fibra.
    turn: Corte la red.
    network: cut
  - say: Y se acaba el papel.
    turn: Quite el papel.
    printer: paper_out
  - expect: {text: Sin conexi\xc3\xb3n}
    within: 20s
"""


@pytest.fixture(scope="module")
def show(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Show]:
    lesson = parse_scenario(LESSON, "leccion.yaml", vocabulary())
    assert isinstance(lesson, Scenario), str(lesson)
    running = Show(
        Plan(tmp_path_factory.mktemp("bench"), Ports.free()), window=False, speed=50, practice=True
    )
    try:
        running.open(lesson)
        page = create_server(
            create_bench(running.stage, running),
            host="127.0.0.1", port=running.plan.ports.bench, threads=8,
        )  # fmt: skip
        threading.Thread(target=page.run, daemon=True).start()
        yield running
        page.close()
    finally:
        running.close()


@pytest.fixture(scope="module")
def browser(show: Show, open_browser: Callable[[str], Chrome]) -> Chrome:
    return open_browser(f"{show.plan.bench_url}/")


def _until(true: Callable[[], object], what: str, timeout_s: float = 20) -> None:
    deadline = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.1)


def _press(browser: Chrome, css: str) -> None:
    browser.execute_script("document.querySelector(arguments[0]).click()", css)


def _text(browser: Chrome, css: str) -> str:
    return browser.find_element(By.CSS_SELECTOR, css).text


@pytest.mark.browser
@pytest.mark.slow
def test_every_device_has_a_picture_its_controls_and_nothing_is_clipped(
    show: Show, browser: Chrome
) -> None:
    _until(lambda: len(browser.find_elements(By.CSS_SELECTOR, ".device svg")) == 9, "nine pictures")
    clipped = browser.execute_script(
        "return [...document.querySelectorAll('button, select, h2, .words')].filter(e => e.offsetParent"
        " && (e.scrollWidth > e.clientWidth + 1 || e.getBoundingClientRect().right > innerWidth))"
        ".map(e => e.textContent)"
    )

    assert clipped == []
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 1500
    for name in show.stage.props.devices:
        box = browser.find_element(By.ID, f"device-{name}")
        shown = box.find_elements(By.CSS_SELECTOR, "button[data-verb]")
        assert len(shown) == len(DEVICES[name].buttons)
    assert browser.get_log("browser") == []


@pytest.mark.browser
@pytest.mark.slow
def test_a_person_at_the_page_listens_presses_keys_and_looks_through_the_camera(
    show: Show, browser: Chrome
) -> None:
    kiosk = show.stage.kiosk_remote
    _until(lambda: kiosk.devices()["keypad"]["state"] == "ready", "the keypad is there")
    _until(lambda: kiosk.devices()["audio"]["state"] == "ready", "the voice is there")
    _press(browser, "[data-verb=headphones_in]")
    _until(lambda: "¿Qué necesita" in _text(browser, "#device-audio .face"), "what the voice says")
    heard = _text(browser, "#device-audio .face")
    _press(browser, "#device-keypad [data-args='[\"down\"]']")
    _until(lambda: _text(browser, "#device-audio .face") != heard, "the first control is read")
    _press(browser, "#device-audio [data-verb=headphones_out]")
    _press(browser, "#device-camera [data-verb=shoot]")
    _until(lambda: "1 foto" in _text(browser, "#device-camera .face"), "a picture")
    _press(browser, "#device-numpad [data-verb=unplug]")
    _until(
        lambda: "No está conectado" in _text(browser, "#device-numpad .words"), "the node's words"
    )
    _press(browser, "#device-numpad [data-verb=replug]")


@pytest.mark.browser
@pytest.mark.slow
def test_the_journal_scrolls_beside_the_kiosk(browser: Chrome) -> None:
    _until(lambda: "Arrancó el nodo" in _text(browser, "#journal"), "the first fact is shown")
    _until(lambda: "entregado" in _text(browser, "#journal"), "and that the city holds it")


@pytest.mark.browser
@pytest.mark.slow
def test_a_lesson_waits_for_the_hands_of_who_learns(show: Show, browser: Chrome) -> None:
    _press(browser, "#play")
    _until(lambda: "Su turno. Corte la red." in _text(browser, "#now"), "the first turn")
    assert show.stage.cable.whole

    _press(browser, "[data-do=cut]")
    _until(lambda: "Su turno. Quite el papel." in _text(browser, "#now"), "the second turn")
    assert "Red cortada" in _text(browser, "#link")

    _press(browser, "#do-it")
    _until(lambda: "todo se cumplió" in _text(browser, "#now"), "the end", 30)
    _until(lambda: "papel" in _text(browser, "#device-printer .words").lower(), "its words")


@pytest.mark.slow
def test_the_page_takes_only_what_its_buttons_carry(show: Show) -> None:
    client = create_bench(show.stage, show).test_client()
    base = {"base_url": f"http://127.0.0.1:{show.plan.ports.bench}"}

    def ask(path: str, *args: object) -> int:
        return client.post(path, json={"args": list(args)}, **base).status_code

    assert ask("/device/printer/load_paper") == 200
    assert ask("/device/cash/coin", 5.0) == 200
    assert ask("/device/scanner/scan", "0620000101023005000007") == 200
    assert ask("/device/numpad/dial", "0620") == 200
    assert ask("/device/numpad/dial", "no") == 409
    assert ask("/device/numpad/press", "f1") == 400
    assert ask("/device/cash/coin", 1e12) == 400
    assert ask("/device/scanner/scan", "x" * 300) == 400
    assert ask("/device/scanner/scan", "a\nb") == 400
    assert ask("/device/printer/close") == 404
    assert ask("/device/card/remove") == 404
    assert ask("/story/open/nada") == 404
    assert ask("/story/nada") == 404
    assert client.get("/font/x.ttf", **base).status_code == 404
