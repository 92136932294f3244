"""What a technician types: the portal runs, Prometheus reads it on loopback, and a link opens its state."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families


@pytest.fixture
def free_port() -> Callable[[], int]:
    def find() -> int:
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            port: int = one.getsockname()[1]
            return port

    return find


@pytest.fixture
def run_portal(node: Any) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """`plaza portal run` as a program of its own, ended at the end."""
    with ExitStack() as stack:

        def start(*words: str) -> subprocess.Popen[str]:
            program = subprocess.Popen(
                [sys.executable, "-P", "-m", "plaza", "portal", "run",
                 "--data", str(node.data.path), *words],
                stderr=subprocess.PIPE, text=True, env=dict(os.environ),
            )  # fmt: skip

            def end() -> None:
                program.terminate()
                program.communicate(timeout=30)

            stack.callback(end)
            return program

        yield start


def _read(url: str) -> str:
    """The page, once the program listens."""
    end = time.monotonic() + 30
    while True:
        try:
            with urlopen(url, timeout=20) as answer:
                return str(answer.read().decode())
        except HTTPError:
            raise
        except URLError:
            assert time.monotonic() < end, url
            time.sleep(0.1)


def test_metrics_and_the_status_page_of_a_running_portal(
    node: Any,
    run_portal: Callable[..., subprocess.Popen[str]],
    free_port: Callable[[], int],
) -> None:
    listen, metrics = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    node.set(portal={"metrics_listen": metrics})
    run_portal("--listen", listen)
    _read(f"http://{listen}/es/")
    with pytest.raises(HTTPError) as hidden:
        urlopen(f"http://{listen}/es/tecnico?clave=x", timeout=20)
    hidden.value.close()
    assert hidden.value.code == 404, "there is no such page before somebody made a key"

    link = node.plaza("portal", "status-link", "--url", f"http://{listen}").output.strip()
    page = _read(link)
    families = {
        f.name: f for f in text_string_to_metric_families(_read(f"http://{metrics}/metrics"))
    }

    assert "Estado del portal" in page
    assert "Aparatos en línea" in page
    assert "sin lista que se pueda leer" in page
    assert families["plaza_gate_up"].samples[0].value == 1
    assert families["plaza_filter_readable"].samples[0].value == 0
    assert not re.search(r"127\.0\.0\.1|[0-9a-f]{2}(:[0-9a-f]{2}){5}", json.dumps(list(families)))


def test_metrics_for_the_whole_street_are_refused(
    node: Any,
    run_portal: Callable[..., subprocess.Popen[str]],
    free_port: Callable[[], int],
) -> None:
    node.set(portal={"metrics_listen": "0.0.0.0:9100"})

    program = run_portal("--listen", f"127.0.0.1:{free_port()}")
    _, trouble = program.communicate(timeout=60)

    assert program.returncode == 1
    assert "portal.metrics_listen" in trouble
    assert "Traceback" not in trouble
