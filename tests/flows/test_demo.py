"""The demonstration holds what it promises: the tour headless, and the bench page in a browser."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from waitress import create_server

from plaza.demo.bench_app import create_bench, receipt_stems
from plaza.demo.plan import Plan, Ports
from plaza.demo.stage import Stage


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_the_tour_plays_a_citizens_day_and_leaves_its_proof(tmp_path: Path) -> None:
    out = tmp_path / "tour"
    played = subprocess.run(
        [sys.executable, "-P", "-m", "plaza", "demo", "--tour", "--out", str(out)],
        capture_output=True, text=True,
    )  # fmt: skip
    summary = json.loads((out / "summary.json").read_text())

    assert played.returncode == 0, played.stdout + played.stderr
    assert summary["ok"] is True
    assert [s["step"] for s in summary["steps"] if not s["ok"]] == []
    assert len(list((out / "screens").glob("*.png"))) >= 12
    for kind in ("bin", "txt", "png"):
        assert len(list((out / "receipts").glob(f"0*.{kind}"))) >= 5
    facts = [json.loads(line) for line in (out / "facts.ndjson").read_text().splitlines()]
    assert {f["type"] for f in facts} >= {
        "node.started", "payment.intended", "payment.taken", "receipt.printed",
        "payment.pase_issued", "report.filed", "terms.accepted",
    }  # fmt: skip


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    running = Stage(Plan(tmp_path_factory.mktemp("demo"), Ports.free()), window=False)
    running.prepare()
    try:
        running.start()
        bench = create_server(
            create_bench(running), host="127.0.0.1", port=running.plan.ports.bench, threads=8
        )
        threading.Thread(target=bench.run, daemon=True).start()
        yield running
        bench.close()
    finally:
        running.stop()


@pytest.fixture(scope="module")
def browser(stage: Stage, open_browser: Callable[[str], Chrome]) -> Chrome:
    return open_browser(f"{stage.plan.bench_url}/")


def _until(true: Callable[[], bool], timeout_s: float = 15) -> None:
    deadline = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


@pytest.mark.browser
def test_a_click_on_the_live_screen_is_a_touch_on_the_kiosk(stage: Stage, browser: Chrome) -> None:
    image = browser.find_element(By.ID, "screen")
    _until(lambda: browser.execute_script("return arguments[0].naturalWidth", image) == 1280)
    home = next(t for t in stage.kiosk_remote.targets()["targets"] if t["id"] == "home.tramites")
    x, y = home["x"] + home["w"] / 2, home["y"] + home["h"] / 2

    browser.execute_script(
        "const [img, x, y] = arguments; const box = img.getBoundingClientRect();"
        "img.dispatchEvent(new MouseEvent('click', {bubbles: true,"
        " clientX: box.left + x * box.width / img.naturalWidth,"
        " clientY: box.top + y * box.height / img.naturalHeight}))",
        image, x, y,
    )  # fmt: skip

    _until(lambda: stage.kiosk_remote.targets()["screen"] == "tramites")


@pytest.mark.browser
def test_the_switches_change_the_world_and_the_page_says_so(stage: Stage, browser: Chrome) -> None:
    browser.find_element(By.CSS_SELECTOR, "[data-do=cut]").click()
    _until(lambda: browser.find_element(By.ID, "link").text == "Red cortada")

    assert not stage.cable.whole

    browser.find_element(By.CSS_SELECTOR, "[data-do=restore]").click()
    _until(lambda: browser.find_element(By.ID, "link").text == "Red conectada")

    assert stage.cable.whole


@pytest.mark.browser
def test_the_portal_is_shown_as_a_phone(browser: Chrome) -> None:
    frame = browser.find_element(By.TAG_NAME, "iframe")
    browser.switch_to.frame(frame)
    heading = browser.find_element(By.TAG_NAME, "h1").text
    browser.switch_to.default_content()

    assert heading


@pytest.mark.browser
def test_a_paper_appears_on_the_page_when_it_comes_out(stage: Stage, browser: Chrome) -> None:
    stage.kiosk_remote.tap("tramites.search")
    _until(lambda: any(t["id"] == "key.a" for t in stage.kiosk_remote.targets()["targets"]))
    for letter in "acta":
        stage.kiosk_remote.tap(f"key.{letter}")
    _until(lambda: _results(stage) != [])
    stage.kiosk_remote.tap(_results(stage)[0])
    _until(lambda: stage.kiosk_remote.targets()["screen"] == "tramite")
    stage.kiosk_remote.tap("tramite.print")
    _until(lambda: receipt_stems(stage.plan.receipts) != [])

    _until(lambda: len(browser.find_elements(By.CSS_SELECTOR, "#receipts img")) == 1)


def _results(stage: Stage) -> list[str]:
    targets = stage.kiosk_remote.targets()["targets"]
    return [t["id"] for t in targets if t["id"].startswith("tramites.open.")]


@pytest.mark.browser
def test_another_site_cannot_pull_the_plug(stage: Stage) -> None:
    client = create_bench(stage).test_client()
    base = f"http://127.0.0.1:{stage.plan.ports.bench}"

    foreign = client.post(
        "/do/kiosk-kill", headers={"Origin": "http://malo.example"}, base_url=base
    )
    rebound = client.get("/", base_url="http://malo.example")

    assert foreign.status_code == 403
    assert rebound.status_code == 400
    assert stage.kiosk.running
