"""Every page and state of the portal against WCAG 2.2 AA: axe-core in Chromium, keyboard, large type.

`PLAZA_WIDTHS="320 360 390 430"` measures every state in both languages at each of these widths; without it
Spanish is measured on the narrowest telephone and English on a common one. `PLAZA_SHOTS=DIR` keeps pictures.
"""

from __future__ import annotations

import base64
import io
import json
import os
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import distribution
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import urlopen

import pytest
from PIL import Image
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

from captive_portal.app import create_app
from captive_portal.gate.visits import Limits
from captive_portal.hours import parse_hours
from captive_portal.languages import load_translations
from captive_portal.poster import Paper, render_poster
from captive_portal.server import make_server, stop_server
from captive_portal.service_note import ServiceToday
from captive_portal.simulator import (
    SimulatedLink,
    SimulatedNode,
    SimulatedPuttingUp,
    simulated_node,
)
from captive_portal.site import SiteProfile
from captive_portal.status_key import make_pass
from captive_portal.wifi.profile import WifiProfile
from municipio.usecases.ports import LinkState

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
MAX_PAGE = 15 * 1024
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
KEY = b"k" * 32
_WIDTHS = tuple(map(int, os.environ.get("PLAZA_WIDTHS", "").split()))
LONG = "No hay luz en toda la cuadra y de noche no se ve por donde se camina. " * 4


@dataclass
class Park:
    node: SimulatedNode
    url: str
    browser: webdriver.Chrome

    def go(self, path: str) -> None:
        self.browser.get(self.url + path)

    def press(self, css: str) -> None:
        """Press a button and wait for the page that follows."""
        old = self.browser.find_element(By.TAG_NAME, "html")
        self.browser.execute_script("arguments[0].click()", self.one(css))
        WebDriverWait(self.browser, 20).until(lambda b: _is_gone(old))

    def one(self, css: str) -> Any:
        return self.browser.find_element(By.CSS_SELECTOR, css)

    def type(self, **fields: str) -> None:
        for name, text in fields.items():
            field = self.one(f"[name={name}]")
            if field.tag_name == "select":
                Select(field).select_by_value(text)
            else:
                field.send_keys(text)


def _is_gone(element: Any) -> bool:
    try:
        return element.tag_name is None
    except Exception:
        return True


@contextmanager
def _open_park(browser: webdriver.Chrome, profile: SiteProfile | None = None) -> Iterator[Park]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        listen = f"127.0.0.1:{probe.getsockname()[1]}"
    node = simulated_node(listen=listen, profile=profile)
    node.status_key[0] = KEY
    server = make_server(create_app(replace(node.ports, putting_up=SimulatedPuttingUp())), listen)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield Park(node, f"http://{listen}", browser)
    finally:
        stop_server(server)
        thread.join(10)


def _axe() -> str:
    """The checker itself, put into every page before it is read; the pages' own policy lets nothing in."""
    found = distribution("axe-playwright-python").locate_file("axe_playwright_python/axe.min.js")
    return Path(str(found)).read_text("utf-8")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    if not (CHROMIUM.exists() and DRIVER.exists()):
        pytest.skip("NOT RUN: Chromium and its driver are not installed")
    options = Options()
    options.binary_location = str(CHROMIUM)
    for flag in (
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--hide-scrollbars", f"--user-data-dir={tmp_path_factory.mktemp('chromium')}",
    ):  # fmt: skip
        options.add_argument(flag)
    driver = webdriver.Chrome(options, Service(str(DRIVER)))
    driver.set_page_load_timeout(30)
    driver.execute_cdp_cmd("Page.enable", {})
    driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": _axe()})
    yield driver
    driver.quit()
    _photo_file().unlink(missing_ok=True)


@pytest.fixture
def park(browser: webdriver.Chrome) -> Iterator[Park]:
    with _open_park(browser) as opened:
        yield opened


# --- the states -------------------------------------------------------------------------------


def _page(path: str) -> Callable[[Park, str], None]:
    return lambda park, lang: park.go(f"/{lang}/{path}")


def _offline(path: str, **more: Any) -> Callable[[Park, str], None]:
    def show(park: Park, lang: str) -> None:
        _cut(park.node.link)
        for name, value in more.items():
            setattr(park.node.link, name, value)
        park.go(f"/{lang}/{path}")

    return show


def _cut(link: SimulatedLink) -> None:
    link.state, link.waiting = LinkState.OFFLINE, 14
    link.since, link.last_carried = "2026-01-19T22:40:00.000Z", "2026-01-19T22:32:00.000Z"


def _accept(park: Park, lang: str) -> None:
    park.go(f"/{lang}/")
    park.press("form button")


def _code(park: Park, lang: str) -> None:
    _accept(park, lang)
    park.press("form.box button")


def _report(park: Park, lang: str) -> None:
    park.go(f"/{lang}/reporte")
    park.type(service_code="bache", colonia="Centro", street="Hidalgo 12", description=LONG)
    park.press("form .main")


def _report_with_photo(park: Park, lang: str) -> None:
    _filled_report(park, lang)
    park.press("form .main")


def _filled_report(park: Park, lang: str) -> None:
    park.go(f"/{lang}/reporte")
    park.type(service_code="bache", colonia="Centro", street="Hidalgo 12", description=LONG)
    park.one("[name=photo_kept]").send_keys(str(_photo_file()))


def _photo_file() -> Path:
    path = Path(os.environ.get("TMPDIR", "/tmp")) / f"plaza-photo-{os.getpid()}.jpg"
    if not path.exists():
        out = io.BytesIO()
        Image.effect_noise((640, 480), 60).convert("RGB").save(out, "JPEG")
        path.write_bytes(out.getvalue())
    return path


def _broken_report(park: Park, lang: str) -> None:
    _filled_report(park, lang)
    park.one("[name=phone]").send_keys("12345")
    park.press("form .main")


def _photo_notice(park: Park, lang: str) -> None:
    park.go(f"/{lang}/foto?codigo=luna-mesa-tren-pato")
    park.press("form .main")


def _photo_added(park: Park, lang: str) -> None:
    _report_with_photo(park, lang)
    folio = park.browser.current_url.partition("/listo/")[2].partition("?")[0]
    park.go(f"/{lang}/foto/lista/{folio}")


def _known_folio(park: Park, lang: str) -> None:
    _report(park, lang)
    folio = park.browser.current_url.partition("/listo/")[2].partition("?")[0]
    park.go(f"/{lang}/folio?folio={folio}")


def _appealed(park: Park, lang: str) -> None:
    park.go(f"/{lang}/bloqueado?nombre=adult.bloqueada.example")
    park.type(motivo="escuela")
    park.press("form .main")


def _wrong_code(park: Park, lang: str) -> None:
    park.go(f"/{lang}/codigo")
    park.type(codigo="luna mesa tren pato")
    park.press("form .main")


def _status(park: Park, lang: str) -> None:
    node = park.node
    _cut(node.link)
    node.ports.gate.grant("10.66.0.5", 600, Limits(bytes=200_000_000))
    given = make_pass(KEY, node.ports.site.node_code, node.clock.now())
    park.go(f"/{lang}/tecnico?clave={quote(given)}")


def _installation(park: Park, lang: str) -> None:
    given = make_pass(KEY, park.node.ports.site.node_code, park.node.clock.now())
    park.go(f"/{lang}/instalacion?clave={quote(given)}")


def _wrong_site_code(park: Park, lang: str) -> None:
    park.go(f"/{lang}/instalacion")
    park.type(codigo="00000000")
    park.press("form .main")


def _filter_lost(park: Park, lang: str) -> None:
    park.node.filter.unreadable = True
    park.go(f"/{lang}/bloqueado?nombre=adult.bloqueada.example")


STATES: dict[str, Callable[[Park, str], None]] = {
    "welcome": _page(""),
    "welcome-offline": _offline(""),
    "welcome-offline-battery": _offline("", today=ServiceToday("07:00", "19:00")),
    "welcome-unknown": _offline("", state=LinkState.UNKNOWN),
    "online": _accept,
    "online-offline": lambda park, lang: (_cut(park.node.link), _accept(park, lang))[1],
    "code": _code,
    "resume": _page("codigo"),
    "resume-wrong": _wrong_code,
    "services": _page("servicios"),
    "services-offline": _offline("servicios"),
    "emergency": _page("emergencias"),
    "tramites": _page("tramites"),
    "tramites-found": _page("tramites?q=acta"),
    "tramites-none": _page("tramites?q=zzz"),
    "tramite": _page("tramites/COA-T-RC-ACT-1"),
    "report": _page("reporte"),
    "report-photo-chosen": _filled_report,
    "report-wrong": _broken_report,
    "filed": _report,
    "filed-offline": lambda park, lang: (_cut(park.node.link), _report(park, lang))[1],
    "filed-with-photo": _report_with_photo,
    "photo": _page("foto"),
    "photo-wrong": _photo_notice,
    "photo-added": _photo_added,
    "folio": _page("folio"),
    "folio-found": _known_folio,
    "folio-none": _page("folio?folio=COA007-R1-000999-X"),
    "blocked": _page("bloqueado?nombre=adult.bloqueada.example"),
    "blocked-fraud": _page("bloqueado?nombre=phishing.bloqueada.example"),
    "blocked-here": _page("bloqueado?nombre=x.y.bloqueada.example"),
    "not-blocked": _page("bloqueado?nombre=municipio.example"),
    "appealed": _appealed,
    "filter-lost": _filter_lost,
    "terms": _page("terminos"),
    "privacy": _page("privacidad"),
    "not-found": _page("nada"),
    "status": _status,
    "status-refused": _page("tecnico"),
    "installation": _installation,
    "installation-code": _page("instalacion"),
    "installation-wrong-code": _wrong_site_code,
}

_LIMITED = SiteProfile(
    session_s=7200, session_bytes=500_000_000, daily_s=7200, max_devices=1, cool_down_s=600
)


def _full(park: Park, lang: str) -> None:
    park.node.ports.gate.grant("10.66.0.9", 900)
    park.go(f"/{lang}/")


def _rested(park: Park, lang: str) -> None:
    _accept(park, lang)
    park.node.clock.pass_seconds(7201)
    park.go(f"/{lang}/")


LIMITED_STATES: dict[str, tuple[SiteProfile, Callable[[Park, str], None]]] = {
    "full": (replace(_LIMITED), _full),
    "day-used-up": (replace(_LIMITED, max_devices=0), _rested),
    "resting": (replace(_LIMITED, daily_s=0), _rested),
    "closed": (SiteProfile(open_hours=parse_hours(["lun-vie 20:00-22:00"])), _page("")),
    "welcome-limited": (replace(_LIMITED), _page("")),
}


# --- measuring --------------------------------------------------------------------------------


def _resize(browser: webdriver.Chrome, width: int) -> None:
    metrics = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def _violations(browser: webdriver.Chrome) -> list[str]:
    found: dict[str, Any] = browser.execute_async_script(
        "const done = arguments[arguments.length - 1];"
        "axe.run(document, {runOnly: {type: 'tag', values: arguments[0]},"
        " rules: {'color-contrast-enhanced': {enabled: true}, 'target-size': {enabled: true}},"
        " resultTypes: ['violations', 'incomplete']})"
        ".then(r => done({v: r.violations, i: r.incomplete})).catch(e => done({error: String(e)}))",
        TAGS,
    )
    assert "error" not in found, found
    return [
        f"{rule['id']}: {node['html'][:160]} ({node['failureSummary'][:200]})"
        for rule in found["v"]
        for node in rule["nodes"]
    ]


def _is_cut_off(browser: webdriver.Chrome) -> list[str]:
    """What sticks out of the page to the right, or is hidden inside a box that is too small."""
    found: list[str] = browser.execute_script(
        """
        const out = [], width = document.documentElement.clientWidth;
        for (const e of document.querySelectorAll('body *')) {
          const box = e.getBoundingClientRect(), style = getComputedStyle(e);
          if (e.closest('.skip') || e.closest('svg') || !box.width) continue;
          if (box.right > width + 1) out.push('sticks out: ' + e.outerHTML.slice(0, 90));
          const clips = ['hidden', 'clip'].includes(style.overflowX) && e.tagName !== 'INPUT';
          if (clips && e.scrollWidth > e.clientWidth + 1) out.push('clipped: ' + e.outerHTML.slice(0, 90));
        }
        if (document.documentElement.scrollWidth > width + 1) out.push('the page scrolls sideways');
        return out.slice(0, 5);
        """
    )
    return found


def _bytes(park: Park) -> int:
    """Of the page as it is parsed, and its style sheet."""
    html, sheet = park.browser.execute_script(
        "return [document.documentElement.outerHTML, document.querySelector('link[rel]').href]"
    )
    with urlopen(sheet, timeout=20) as answer:
        return len(html.encode()) + len(answer.read())


def _shoot(park: Park, name: str, lang: str, width: int) -> None:
    folder = os.environ.get("PLAZA_SHOTS")
    if not folder:
        return
    Path(folder).mkdir(parents=True, exist_ok=True)
    sizes = park.browser.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
    clip = {"x": 0, "y": 0, "width": width, "height": sizes["height"], "scale": 1}
    shot = park.browser.execute_cdp_cmd(
        "Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip}
    )
    Path(folder, f"{name}-{lang}-{width}.png").write_bytes(base64.b64decode(shot["data"]))


def _judge(park: Park, name: str, lang: str) -> list[str]:
    """Everything wrong with the page that is open, at each width and with larger and wider type."""
    wrong: list[str] = []
    if (size := _bytes(park)) >= MAX_PAGE:
        wrong.append(f"{size} bytes with its sheet")
    for width in _WIDTHS or {"es": (320,), "en": (390,)}[lang]:
        _resize(park.browser, width)
        wrong += [f"{width} px: {v}" for v in _violations(park.browser)]
        wrong += [f"{width} px: {v}" for v in _is_cut_off(park.browser)]
        _shoot(park, name, lang, width)
    for what, css in (
        ("text at 200 %", "html{font-size:200% !important}"),
        (
            "wide text (WCAG 1.4.12)",
            "*{line-height:1.5 !important;letter-spacing:.12em !important;"
            "word-spacing:.16em !important}p{margin-bottom:2em !important}",
        ),
    ):
        park.browser.execute_script(
            "const s = new CSSStyleSheet(); s.replaceSync(arguments[0]);"
            "document.adoptedStyleSheets = [s];",
            css,
        )
        wrong += [f"{what}: {v}" for v in _is_cut_off(park.browser)]
        if what.startswith("text"):
            _shoot(park, f"{name}-large", lang, width)
    return wrong


@pytest.mark.parametrize("lang", ["es", "en"])
@pytest.mark.parametrize("name", STATES)
def test_every_page_and_state_is_wcag_2_2_aa(
    browser: webdriver.Chrome, name: str, lang: str
) -> None:
    with _open_park(browser) as park:
        _resize(browser, 390)
        STATES[name](park, lang)

        assert _judge(park, name, lang) == []
        assert browser.find_element(By.TAG_NAME, "html").get_attribute("lang") == lang


@pytest.mark.parametrize("lang", ["es", "en"])
@pytest.mark.parametrize("name", LIMITED_STATES)
def test_every_refusal_is_wcag_2_2_aa(browser: webdriver.Chrome, name: str, lang: str) -> None:
    profile, show = LIMITED_STATES[name]
    with _open_park(browser, profile) as park:
        _resize(browser, 390)
        show(park, lang)

        assert _judge(park, name, lang) == []


# --- keyboard ---------------------------------------------------------------------------------


def _tab_through(browser: webdriver.Chrome) -> list[dict[str, Any]]:
    """Where the focus goes, tab by tab, until it leaves the page; with how it is shown."""
    stops: list[dict[str, Any]] = []
    for _ in range(60):
        webdriver.ActionChains(browser).send_keys(Keys.TAB).perform()
        stop = browser.execute_script(
            """
            const e = document.activeElement;
            if (!e || e === document.body) return null;
            const s = getComputedStyle(e), box = e.getBoundingClientRect();
            const all = [...document.querySelectorAll(
              'a[href],button,input:not([type=hidden]),select,textarea')];
            return {i: all.indexOf(e), outline: s.outlineStyle !== 'none' ? parseFloat(s.outlineWidth) : 0,
                    seen: box.width > 0 && box.left >= 0 && box.right <= innerWidth + 1};
            """
        )
        if stop is None or (stops and stop["i"] <= stops[-1]["i"]):
            return stops
        stops.append(stop)
    return stops


@pytest.mark.parametrize(
    "name", ["welcome", "welcome-offline", "report", "photo", "blocked", "resume", "tramites"]
)
def test_the_keyboard_reaches_everything_in_order_and_shows_where_it_is(
    park: Park, name: str
) -> None:
    _resize(park.browser, 390)
    STATES[name](park, "es")

    stops = _tab_through(park.browser)

    count = park.browser.execute_script(
        "return document.querySelectorAll('a[href],button,input:not([type=hidden]),select,textarea').length"
    )
    assert [stop["i"] for stop in stops] == list(range(count))
    assert all(stop["outline"] >= 2 and stop["seen"] for stop in stops), stops


def test_a_report_can_be_made_with_the_keyboard_alone(park: Park) -> None:
    park.go("/es/reporte")
    keys = webdriver.ActionChains(park.browser)
    park.one("#service_code").send_keys("B")
    for text in ("Centro", "Hidalgo 12", "", "", "Hay un hoyo muy hondo."):
        keys.send_keys(Keys.TAB).send_keys(text)
    for _ in range(5):
        keys.send_keys(Keys.TAB)
    keys.send_keys(Keys.ENTER).perform()
    WebDriverWait(park.browser, 20).until(lambda b: "/listo/" in b.current_url)

    assert json.loads(park.node.ledger.facts[0])["data"]["service_code"] == "bache"


def test_an_error_takes_the_focus_and_is_named(park: Park) -> None:
    _broken_report(park, "es")

    focused = park.browser.switch_to.active_element
    assert focused.get_attribute("name") == "phone"
    assert focused.get_attribute("aria-invalid") == "true"
    described = park.one(f"#{focused.get_attribute('aria-describedby')}")
    assert "diez dígitos" in described.text


# --- the poster -------------------------------------------------------------------------------


@pytest.mark.parametrize("paper", list(Paper))
@pytest.mark.parametrize("ssid", ["WiFi", "Coatzabierto", "Internet-Parque-Independencia-32"])
def test_the_poster_fits_its_page(
    browser: webdriver.Chrome, tmp_path: Path, paper: Paper, ssid: str
) -> None:
    site = SiteProfile(
        name="Parque Independencia, Centro (demostración)",
        url="http://wifi.ayuntamiento-de-ejemplo.gob.mx",
        wifi=WifiProfile(ssid=ssid),
    )
    file = tmp_path / "letrero.html"
    page = render_poster(site, load_translations(), paper=paper, city="Ayuntamiento de Ejemplo")
    file.write_text(page, encoding="utf-8")
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.get(file.as_uri())

    width, height, scroll_width, scroll_height = browser.execute_script(
        "const m = document.querySelector('main');"
        "return [m.clientWidth, m.clientHeight, m.scrollWidth, m.scrollHeight]"
    )
    sheet = browser.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})

    pdf = base64.b64decode(sheet["data"])
    assert (scroll_width, scroll_height) == (width, height), "something is cut off"
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 1
    assert [v for v in _violations(browser) if "region" not in v] == []
    if folder := os.environ.get("PLAZA_SHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        Path(folder, f"poster-{paper.value}-{len(ssid)}.pdf").write_bytes(pdf)
