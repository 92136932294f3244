"""A phone-sized Chromium without JavaScript walks through the portal, off line too."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from captive_portal.app import create_app
from captive_portal.server import make_server, stop_server
from captive_portal.simulator import RunningClock, SimulatedNode, simulated_node
from municipio.usecases.ports import LinkState

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]
CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")


@dataclass
class Park:
    node: SimulatedNode
    url: str


@pytest.fixture
def park() -> Iterator[Park]:
    """A portal on a free port, with the memory gate."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        listen = f"127.0.0.1:{probe.getsockname()[1]}"
    node = simulated_node(listen=listen, clock=RunningClock())
    server = make_server(create_app(node.ports), listen)
    thread = threading.Thread(target=server.run)
    thread.start()
    yield Park(node, f"http://{listen}")
    stop_server(server)
    thread.join(5)
    assert not thread.is_alive()


@pytest.fixture(scope="module", params=["without JavaScript", "with JavaScript"])
def phone(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[webdriver.Chrome]:
    if not (CHROMIUM.exists() and DRIVER.exists()):
        pytest.skip("NOT RUN: Chromium and its driver are not installed")
    options = Options()
    options.binary_location = str(CHROMIUM)
    for flag in (
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--lang=es", f"--user-data-dir={tmp_path_factory.mktemp('chromium')}",
    ):  # fmt: skip
        options.add_argument(flag)
    preferences: dict[str, object] = {"intl.accept_languages": "es-MX,es"}
    if request.param == "without JavaScript":
        preferences["profile.managed_default_content_settings.javascript"] = 2
    options.add_experimental_option("prefs", preferences)
    browser = webdriver.Chrome(options, Service(str(DRIVER)))
    _resize(browser, 390)
    yield browser
    browser.quit()


def _resize(browser: webdriver.Chrome, width: int) -> None:
    metrics = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def _tap(browser: webdriver.Chrome, css: str, until: str) -> None:
    """Tap and wait for an address that contains `until`."""
    browser.find_element(By.CSS_SELECTOR, css).click()
    deadline = time.monotonic() + 8
    while until not in browser.current_url:
        assert time.monotonic() < deadline, browser.current_url
        time.sleep(0.05)


def _text(browser: webdriver.Chrome) -> str:
    return browser.find_element(By.TAG_NAME, "body").text


def test_one_tap_and_the_page_says_how_long(park: Park, phone: webdriver.Chrome) -> None:
    phone.get(park.url)
    assert "Conéctese a internet" in _text(phone)

    _tap(phone, "form button.main", "/es/en-linea")

    assert "Ya puede navegar" in _text(phone)
    said = _text(phone)
    assert "2 horas" in said or "1 h 59 min" in said, "a started second counts as one"
    assert len(park.node.ledger.facts) == 1
    assert phone.get_cookies() == []


def test_off_line_a_report_gets_a_folio(park: Park, phone: webdriver.Chrome) -> None:
    park.node.link.state, park.node.link.waiting = LinkState.OFFLINE, 14
    phone.get(park.url)
    assert "Sin internet por ahora" in _text(phone)
    assert "14 solicitudes esperan" in _text(phone)
    _tap(phone, "a.main", "/reporte")

    Select(phone.find_element(By.ID, "service_code")).select_by_value("bache")
    for field, words in (
        ("colonia", "Centro"),
        ("street", "Hidalgo 12"),
        ("description", "Hay un hoyo muy hondo."),
    ):
        phone.find_element(By.ID, field).send_keys(words)
    _tap(phone, "form button.main", "/reporte/listo/")

    folio = phone.find_element(By.CSS_SELECTOR, ".folio").text
    assert folio.startswith("COA007-R1-")
    assert "sale solo en cuanto vuelva" in _text(phone)
    _tap(phone, ".facts a", "/folio?folio=")
    assert "Reporte ciudadano" in _text(phone)


def test_a_tramite_is_found_in_plain_words(park: Park, phone: webdriver.Chrome) -> None:
    phone.get(f"{park.url}/es/tramites")
    phone.find_element(By.ID, "q").send_keys("acta")
    _tap(phone, "form button.main", "q=acta")

    _tap(phone, ".list a", "/tramites/COA-")

    assert "Qué llevar" in _text(phone)
    assert "El gobierno ya lo tiene" in _text(phone)


@pytest.mark.parametrize("width", [320, 360, 390, 430])
@pytest.mark.parametrize("language", ["es", "en"])
def test_no_page_is_wider_than_the_phone_and_targets_are_large(
    park: Park, phone: webdriver.Chrome, width: int, language: str
) -> None:
    _resize(phone, width)
    for path in ("", "servicios", "emergencias", "folio", "tramites", "reporte", "terminos"):
        phone.get(f"{park.url}/{language}/{path}")

        sizes = phone.execute_cdp_cmd("Page.getLayoutMetrics", {})
        assert sizes["cssContentSize"]["width"] <= width, path
        for target in phone.find_elements(By.CSS_SELECTOR, "button, .tile, .call, .list a"):
            assert target.size["height"] >= 48, path
    _resize(phone, 390)
