"""What a phone does, as a script that runs inside the phone's namespace and prints one JSON object.

`get URL`, `tcp HOST PORT`, `udp HOST PORT`, `drip URL SECONDS`, `join URL PICTURE`.
"""

from __future__ import annotations

import http.client
import json
import socket
import sys
import tempfile
import time
from typing import Any
from urllib.parse import urlsplit


def get(url: str) -> dict[str, Any]:
    """One GET, redirects not followed."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=3)
    asked = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection.request("GET", asked)
    answer = connection.getresponse()
    return {
        "status": answer.status,
        "location": answer.headers.get("Location", ""),
        "connection": answer.headers.get("Connection", ""),
        "body": answer.read(4000).decode(),
    }


def tcp(host: str, port: str) -> dict[str, Any]:
    socket.create_connection((host, int(port)), timeout=3).close()
    return {}


def udp(host: str, port: str) -> dict[str, Any]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.settimeout(1)
        peer.connect((host, int(port)))
        peer.send(b"hola")
        return {"echo": peer.recv(100).decode()}


def drip(url: str, seconds: str) -> dict[str, Any]:
    """Download for so long; `lasted_s` is when the last byte came, cut or reset."""
    parts = urlsplit(url)
    with socket.create_connection((parts.netloc, 80), timeout=3) as peer:
        peer.sendall(f"GET {parts.path} HTTP/1.0\r\nHost: {parts.netloc}\r\n\r\n".encode())
        peer.settimeout(0.2)
        started = last = time.monotonic()
        total = 0
        while time.monotonic() - started < float(seconds):
            try:
                data = peer.recv(65536)
            except TimeoutError:
                continue
            except ConnectionResetError:
                break
            if not data:
                break
            total, last = total + len(data), time.monotonic()
    return {"bytes": total, "lasted_s": last - started}


def join(url: str, picture: str) -> dict[str, Any]:
    """Open a page in Chromium, tap the button of whatever portal appears, open the page again."""
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.by import By

    options = Options()
    options.binary_location = "/usr/bin/chromium"
    with tempfile.TemporaryDirectory() as profile:
        for flag in (
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--window-size=390,844", f"--user-data-dir={profile}",
        ):  # fmt: skip
            options.add_argument(flag)
        browser = webdriver.Chrome(options, Service("/usr/bin/chromedriver"))
        try:
            browser.set_page_load_timeout(20)
            browser.get(url)
            seen = {"first_url": browser.current_url, "first_title": browser.title}
            browser.find_element(By.CSS_SELECTOR, "form button.main").click()
            until = time.monotonic() + 8
            while "/en-linea" not in browser.current_url and time.monotonic() < until:
                time.sleep(0.1)
            seen |= {"joined_url": browser.current_url, "joined_title": browser.title}
            seen["joined_text"] = browser.find_element(By.TAG_NAME, "main").text[:200]
            browser.save_screenshot(picture)
            browser.get(url)
            seen |= {"then_url": browser.current_url, "then_title": browser.title}
        finally:
            browser.quit()
    return seen


if __name__ == "__main__":
    verb, *arguments = sys.argv[1:]
    began = time.monotonic()
    try:
        result = {"ok": True} | {"get": get, "tcp": tcp, "udp": udp, "drip": drip, "join": join}[
            verb
        ](*arguments)
    except OSError as e:
        result = {"ok": False, "error": type(e).__name__}
    print(json.dumps(result | {"seconds": time.monotonic() - began}))
