"""The city's pages in Chromium: each against WCAG 2.2 AA by axe-core, on a telephone and on a desk."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.expected_conditions import staleness_of
from selenium.webdriver.support.wait import WebDriverWait
from waitress.server import create_server

from central.app import create_app
from central.cases import import_states
from central.city import City
from central.context import Central
from central.demo import demo_services, demo_tramites
from central.fleet import set_place
from central.indicators import replace_services, replace_tramites
from central.ingest import Taken, take_batch
from central.keys import CityKey
from central.node_simulator import NodeSimulator
from central.nodes import NodeState, add_node, set_state
from central.projections import project
from central.projector import Projector
from central.store import Store, open_store
from central.wiring import demo_perfil
from municipio.clock import Instant, TimeQuality
from municipio.facts import FactType, Lane
from municipio.wire.batch import Batch, decode_batch

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
CITY = City()
NOW = datetime(2026, 1, 20, 18, 0, tzinfo=UTC)
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
FOLIO = NodeSimulator(node="COA001").folio(Lane.REP, 1)
DOUBLED = NodeSimulator(node="COA001").folio(Lane.REP, 2)
"""A copy of the node's card gave this one too."""


@dataclass(frozen=True)
class Town:
    store: Store
    url: str
    browser: webdriver.Chrome


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    if not (CHROMIUM.exists() and DRIVER.exists()):
        pytest.skip("NOT RUN: Chromium and its driver are not installed")
    options = Options()
    options.binary_location = str(CHROMIUM)
    for flag in (
        "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        f"--user-data-dir={tmp_path_factory.mktemp('chromium')}",
    ):  # fmt: skip
        options.add_argument(flag)
    driver = webdriver.Chrome(options, Service(str(DRIVER)))
    driver.set_page_load_timeout(60)
    axe = distribution("axe-playwright-python").locate_file("axe_playwright_python/axe.min.js")
    driver.execute_cdp_cmd("Page.enable", {})
    driver.execute_cdp_cmd(
        "Page.addScriptToEvaluateOnNewDocument", {"source": Path(str(axe)).read_text("utf-8")}
    )
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def town(browser: webdriver.Chrome, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    store = open_store(f"sqlite:///{tmp_path_factory.mktemp('city')}/c.sqlite")
    key = CityKey(Ed25519PrivateKey.generate())
    projector = Projector(store, CITY, lambda: NOW)
    central = Central(store, CITY, key, demo_perfil(), "ficha", lambda: NOW, projector)
    with store.begin() as connection:
        replace_services(connection, CITY.inegi, demo_services())
        replace_tramites(connection, CITY.inegi, demo_tramites())
    for number in (1, 2):
        a_busy_node(store, node := NodeSimulator(node=f"COA{number:03d}"))
        a_copied_card(store, node)
    changes = (
        f"folio,estado,fecha\n{FOLIO},Desarrollo,2026-01-20\n{FOLIO},Atendido,2026-01-20 11:00"
    )
    import_states(store, CITY.inegi, changes.encode(), "cambios.csv", CITY.zone, NOW)
    set_state(store, CITY.inegi, "COA002", NodeState.WAITING)
    server = create_server(create_app(central), host="127.0.0.1", port=0)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield Town(store, f"http://127.0.0.1:{server.effective_port}", browser)
    server.close()
    thread.join(20)
    store.close()


def a_busy_node(store: Store, node: NodeSimulator) -> None:
    add_node(store, CITY.inegi, node.node, node.public, NOW, replace=False)
    dark = Instant(None, TimeQuality.UNKNOWN, "b", 3_600_000)
    lit = Instant(NOW - timedelta(hours=20), TimeQuality.SYNCED, "b", 30 * 3_600_000)
    paper = {"device": "printer", "state": "attention", "cause": "paper_end"}
    node.record(FactType.NODE_STARTED, {"version": "1.2.0", "reason": "salvaged"}, dark)
    node.record(FactType.DEVICE_CHANGED, paper, dark)
    dates = {"content": "2026-01-19", "filter_list": "2025-11-02"}
    node.record(FactType.NODE_CONTENT_CHANGED, dates, lit)
    consulted = {tramite.id: 50 - n for n, tramite in enumerate(demo_tramites()[:30])}
    node.record(FactType.TRAMITE_CONSULTED, {"consulted": consulted}, lit)
    for service in demo_services()[:6]:
        report = {"service_code": service.code, "colonia": "IQUISA", "channel": "kiosco"}
        node.record(FactType.REPORT_FILED, {**report, "sealed": "-", "recipient": "siac"}, dark)
    photo = {"sha256": "a" * 64, "bytes": 5, "media_type": "image/jpeg"}
    added = {"folio": node.folio(Lane.REP, 1), "recipient": "siac", "attachments": [photo]}
    node.record(FactType.REPORT_PHOTO_ADDED, added, lit)
    node.record(FactType.TERMS_ACCEPTED, {"language": "es_MX"}, lit)
    node.pay("0620000101023005000007", "L1", 109_560)
    for lane in Lane:
        batch = decode_batch(node.batch(lane))
        assert isinstance(batch, Batch)
        assert isinstance(take_batch(store, CITY.inegi, batch, NOW), Taken)
    project(store, CITY.inegi, CITY.zone, NOW)
    set_place(store, CITY.inegi, node.node, 18.13, -94.45 - int(node.node[3:]) / 100, NOW)


def a_copied_card(store: Store, node: NodeSimulator) -> None:
    """It speaks second, so what it had filed under folios of the card comes in a later epoch."""
    copy, later = (
        NodeSimulator(node=node.node),
        NodeSimulator(node=node.node, epoch=2, key=node.key),
    )
    for service in demo_services()[:2]:
        inner = copy.record(FactType.REPORT_FILED, {"service_code": service.code, "sealed": "-"})
    wrapped = {"fact": inner.decode(), "reason": "other_future"}
    later.record(FactType.REPORT_RECOVERED, wrapped)
    batch = decode_batch(later.batch(Lane.REP))
    assert isinstance(batch, Batch)
    assert isinstance(take_batch(store, CITY.inegi, batch, NOW), Taken)
    project(store, CITY.inegi, CITY.zone, NOW)


PAGES = {
    "fleet": ("/flota?token=ficha", "la lista del filtro es del 02/11/2025"),
    "node": ("/flota/COA001?token=ficha", "arrancó con la versión 1.2.0"),
    "node-waiting": ("/flota/COA002?token=ficha", "Espera su aprobación"),
    "month": ("/indicadores?token=ficha&mes=2026-01", demo_tramites()[0].name),
    "facts": ("/?token=ficha", "payment.taken"),
    "case": (f"/expediente?token=ficha&folio={FOLIO}", "llegó una foto"),
    "trail": ("/accesos?token=ficha", "vio"),
    "folio": (f"/f/{FOLIO}", "Qué ha pasado"),
    "folio-of-two": (f"/f/{DOUBLED}", "Vaya a la ventanilla"),
    "case-of-two": (f"/expediente?token=ficha&folio={DOUBLED}", "Dos asuntos con un folio"),
    "node-of-two": ("/flota/COA001?token=ficha", "Folios de dos asuntos"),
    "new-site": ("/sitios/nuevo?token=ficha", "Hace el código de alta"),
    "updates": ("/actualizaciones?token=ficha", "Actualizaciones"),
    "stranger": ("/flota", "Falta la clave de acceso"),
}


@pytest.mark.parametrize(
    ("name", "width"),
    [*((name, 360) for name in sorted(PAGES)), *((name, 1280) for name in ("fleet", "month"))],
)
def test_each_page_can_be_used_by_everybody(town: Town, name: str, width: int) -> None:
    path, said = PAGES[name]
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    town.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    town.browser.get(town.url + path)

    assert said in town.browser.find_element(By.TAG_NAME, "body").text
    assert town.browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert faults(town.browser) == []


def faults(browser: webdriver.Chrome) -> list[Any]:
    """What axe-core finds wrong: rule and place."""
    found = browser.execute_async_script(
        "const done = arguments[arguments.length - 1];"
        "axe.run(document, {runOnly: {type: 'tag', values: arguments[0]}}).then(done)",
        TAGS,
    )
    assert len(found["passes"]) > 10, "the checker read the page"
    return [(v["id"], [node["html"][:200] for node in v["nodes"]]) for v in found["violations"]]


def test_a_node_is_approved_with_one_press(town: Town) -> None:
    town.browser.get(f"{town.url}/flota/COA002?token=ficha")
    button = town.browser.find_element(By.CSS_SELECTOR, "form button")
    button.click()
    WebDriverWait(town.browser, 30).until(staleness_of(button))  # the next page is here
    text = town.browser.find_element(By.TAG_NAME, "body").text

    assert "Hecho. Quedó en el registro de accesos." in text
    assert "Espera su aprobación" not in text
    town.browser.get(f"{town.url}/accesos?token=ficha")
    assert "aprobó el nodo" in town.browser.find_element(By.TAG_NAME, "body").text
