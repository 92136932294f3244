"""`nuevo-sitio.html` in a real browser, from a file and without a network: what it makes, a node believes."""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from municipio.site_file.form import spec_document
from municipio.site_file.keys import KEYS
from municipio.site_file.shape import Key, Kind, Value
from municipio.site_file.write import write_site_file
from plaza.site import SitePlan, parse_site_file
from plaza.site.page import offline_page

pytestmark = pytest.mark.browser

CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
TYPED = {
    "site.name": 'Parque «Juárez» "Sur" (demostración)', "site.number": "12",
    "city.url": "https://plaza.ciudad.example", "city.letters": "COA", "city.inegi": "30039",
    "city.code": "k7qf 2m9d xr4t 8wnh", "uplink.apn": "internet.example", "wifi.ssid": "Plaza Ñandú",
    "wifi.staff_ssid": "Técnicos", "wifi.staff_password": 'clave\\"larga\'9', "technician.code": "40712885",
}  # fmt: skip
CHOSEN = {"site.profile": "portal", "site.languages": "en,es", "uplink.kind": "lte",
          "energy.kind": "solar", "energy.wake": "rtc_alarm"}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("card")
    (place / "nuevo-sitio.html").write_text(offline_page("0.0.0"), encoding="utf-8")
    return place


@pytest.fixture(scope="module")
def browser(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    if not (CHROMIUM.exists() and DRIVER.exists()):
        pytest.skip("NOT RUN: Chromium and its driver are not installed")
    options = Options()
    options.binary_location = str(CHROMIUM)
    for flag in (
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--lang=es", f"--user-data-dir={tmp_path_factory.mktemp('chromium')}",
        "--window-size=800,1000",
    ):  # fmt: skip
        options.add_argument(flag)
    options.add_experimental_option("prefs", {"download.default_directory": str(folder)})
    one = webdriver.Chrome(options, Service(str(DRIVER)))
    behaviour = {"behavior": "allow", "downloadPath": str(folder)}
    one.execute_cdp_cmd("Page.setDownloadBehavior", behaviour)
    one.execute_cdp_cmd("Network.enable", {})
    one.execute_cdp_cmd("Network.emulateNetworkConditions", {
        "offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0,
    })  # fmt: skip
    yield one
    one.quit()


@pytest.fixture
def page(browser: webdriver.Chrome, folder: Path) -> webdriver.Chrome:
    browser.get((folder / "nuevo-sitio.html").as_uri())
    return browser


def _press(page: webdriver.Chrome) -> None:
    button = page.find_element(By.CSS_SELECTOR, "#form button")
    page.execute_script("arguments[0].scrollIntoView()", button)
    button.click()


def _fill(page: webdriver.Chrome) -> None:
    for name, value in CHOSEN.items():
        Select(page.find_element(By.ID, name)).select_by_value(value)
    for name, value in TYPED.items():
        field = page.find_element(By.ID, name)
        field.clear()
        field.send_keys(value)


def test_what_is_filled_in_is_a_file_that_a_node_believes(
    page: webdriver.Chrome, folder: Path
) -> None:
    _fill(page)
    _press(page)

    saved = folder / "plaza.toml"
    end = time.monotonic() + 20
    while not saved.exists() and time.monotonic() < end:
        time.sleep(0.1)
    raw = saved.read_bytes()
    plan = parse_site_file(raw)
    assert isinstance(plan, SitePlan), plan
    assert raw.startswith(b"\xef\xbb\xbf")
    assert raw.count(b"\r\n") == raw.count(b"\n")
    assert plan.text("site.name") == TYPED["site.name"]
    assert plan.text("wifi.staff_password") == TYPED["wifi.staff_password"]
    assert plan.texts("site.languages") == ("en", "es")
    assert plan.text("energy.wake") == "rtc_alarm"
    shown = page.execute_script('return document.getElementById("text").value')
    assert shown == write_site_file(plan.values), "the page writes as the program does"


def test_an_empty_sheet_says_what_is_missing_and_makes_nothing(page: webdriver.Chrome) -> None:
    _press(page)

    told = page.find_element(By.ID, "faults")
    assert told.is_displayed()
    assert "Nombre del lugar" in told.text
    assert page.execute_script("return document.activeElement.id") == "faults"
    assert not page.find_element(By.ID, "done").is_displayed()


def test_only_what_applies_is_asked(page: webdriver.Chrome) -> None:
    apn = page.find_element(By.ID, "uplink.apn")
    assert not apn.is_displayed()

    Select(page.find_element(By.ID, "uplink.kind")).select_by_value("lte")

    assert apn.is_displayed()


def test_the_page_holds_these_very_keys_and_asks_nobody() -> None:
    page = offline_page("0.0.0")
    held = re.search(r'<script type="application/json" id="spec">(.*?)</script>', page, re.S)

    assert held is not None
    assert json.loads(held[1]) == spec_document()
    assert not re.search(r"(src|href)=[\"']?(https?:)?//", page)
    assert "default-src 'none'" in page


AWKWARD: tuple[Value, ...] = (
    "", "x", "COA", "30039", "a" * 130, "ñ" * 17, "eth0", "wlan0", "7", "usb://04b8:0e27", "1.2.3.4",
    "192.168.1.20/24", "999.1.1.1", "https://a.example", "http://a b", "06:00-22:00", "24:00-01:00",
    "12345678", "contraseña", "clave|barra 12345", "abcdefghijklm", "con\u200binvisible", "a'''b", "\u00a0x",
)  # fmt: skip


def _some(key: Key, chance: random.Random) -> Value:
    if key.kind is Kind.CHOICE:
        return chance.choice([value for value, _ in key.choices])
    if key.kind is Kind.LIST:
        return chance.choice([("es",), ("en", "es"), ()])
    if key.kind is Kind.NUMBER:
        return chance.choice([0, 1, 6, 13, 36, 149, 178, 999, 1000, -1])
    if key.name in ("uplink.address", "wifi.staff_ssid"):  # others hang on them
        return chance.choice(["", key.example])
    usable = [v for v in AWKWARD if v == str(v).strip()]
    return chance.choice([*usable, key.default, key.example, key.example])


def test_page_and_node_refuse_the_same_values(page: webdriver.Chrome) -> None:
    chance = random.Random(6)
    cases: list[dict[str, Value]] = [{k.name: _some(k, chance) for k in KEYS} for _ in range(300)]

    script = """return arguments[0].map((values) => {
      for (const key of keys) if (!applies(key, values)) values[key.name] = key.default;
      return judge(values).map(([key]) => key.name).sort();
    })"""
    told: list[list[str]] = page.execute_script(script, [_plain(case) for case in cases])

    for case, by_page in zip(cases, told, strict=True):
        expected = _refused(case)
        assert by_page == expected, {n: case[n] for n in {*by_page} ^ {*expected}}


def _plain(case: dict[str, Value]) -> dict[str, Any]:
    return {n: list(v) if isinstance(v, tuple) else v for n, v in case.items()}


def _refused(case: dict[str, Value]) -> list[str]:
    result = parse_site_file(write_site_file(case).encode())
    return [] if isinstance(result, SitePlan) else sorted(f.key for f in result)
