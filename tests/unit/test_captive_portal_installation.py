"""The portal that is being put up: its list behind the site code, what it notes, and a wrong first file."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from captive_portal.app import create_app
from captive_portal.putting_up import NodePuttingUp
from captive_portal.simulator import SimulatedNode, simulated_node
from captive_portal.status_key import key_file, load_key
from captive_portal.waiting import create_waiting_app
from municipio.acceptance import Sight
from municipio.site_code import site_code_note
from sync.acceptance import SightBook
from sync.datadir import DataDir
from sync.site_code import CODE_NAME

BASE = "http://127.0.0.1:8380"
CODE = "40712885"


@pytest.fixture
def data(tmp_path: Path) -> DataDir:
    place = DataDir(tmp_path)
    place.create()
    (tmp_path / "site-state.json").write_text('{"standing":"good","node":"COA007"}')
    (place.node_key.parent / CODE_NAME).write_bytes(site_code_note(CODE, b"salt"))
    return place


@pytest.fixture
def node(data: DataDir) -> SimulatedNode:
    plain = simulated_node()
    ports = plain.ports
    up = NodePuttingUp(data, SightBook(data), ports.link, ports.clock, ports.site.node_code, False)
    ports = replace(
        ports, putting_up=up, status_key=lambda: load_key(key_file(data.node_key.parent))
    )
    return replace(plain, ports=ports)


@pytest.fixture
def phone(node: SimulatedNode) -> FlaskClient:
    return create_app(node.ports).test_client()


def ask(phone: FlaskClient, path: str, address: str = "10.66.0.20") -> TestResponse:
    return phone.get(path, base_url=BASE, environ_base={"REMOTE_ADDR": address})


def enter(phone: FlaskClient, code: str, address: str = "10.66.0.20") -> TestResponse:
    form = ask(phone, "/es/instalacion", address).text
    found = re.search(r'name="seal" value="([^"]+)"', form)
    seal = found[1] if found else ""
    return phone.post(
        "/es/instalacion", base_url=BASE, environ_base={"REMOTE_ADDR": address},
        data={"seal": seal, "codigo": code},
    )  # fmt: skip


def test_the_site_code_opens_the_list_once_for_the_phone_that_typed_it(phone: FlaskClient) -> None:
    opened = enter(phone, CODE)
    assert opened.status_code == 303
    shown = ask(phone, opened.headers["Location"])

    assert "Corte de luz" in shown.text
    assert "Puesta en marcha" in shown.text
    assert ask(phone, opened.headers["Location"], "10.66.0.21").status_code == 403
    assert "ya no abre" in ask(phone, "/es/instalacion").text
    assert (
        ask(phone, opened.headers["Location"].replace("instalacion", "tecnico")).status_code == 200
    )


def test_wrong_codes_are_refused_and_soon_not_even_judged(
    phone: FlaskClient, data: DataDir
) -> None:
    answers = [enter(phone, "00000000").status_code for _ in range(6)]

    assert answers == [403, 403, 403, 403, 403, 429]
    assert enter(phone, CODE, "10.66.0.30").status_code == 303


def test_a_form_from_elsewhere_is_not_believed(phone: FlaskClient) -> None:
    sent = phone.post("/es/instalacion", base_url=BASE, data={"seal": "x", "codigo": CODE})

    assert sent.status_code == 400


def test_the_portal_notes_that_a_phone_joined_and_saw_the_page(
    phone: FlaskClient, data: DataDir
) -> None:
    ask(phone, "/es/", "127.0.0.1")
    assert SightBook(data).read() == frozenset()

    phone.get("/generate_204", base_url="http://connectivitycheck.gstatic.com",
              environ_base={"REMOTE_ADDR": "10.66.0.20"})  # fmt: skip
    assert SightBook(data).read() == {Sight.JOINED}

    ask(phone, "/es/")
    assert SightBook(data).read() == {Sight.JOINED, Sight.PAGE}


def test_a_node_without_a_site_file_has_no_such_page() -> None:
    phone = create_app(simulated_node().ports).test_client()

    assert phone.get("/es/instalacion", base_url=BASE).status_code == 404


@pytest.mark.parametrize("path", ["/", "/generate_204", "/hotspot-detect.html", "/a/b?c=d"])
def test_a_wrong_first_file_is_explained_whatever_a_phone_asks(path: str) -> None:
    phone = create_waiting_app(("Línea 6: «nunber» <b>no</b> existe.",)).test_client()

    shown = phone.get(path, base_url="http://connectivitycheck.gstatic.com")

    assert shown.status_code == 200
    assert "Línea 6: «nunber» &lt;b&gt;no&lt;/b&gt; existe." in shown.text
    assert "default-src 'none'" in shown.headers["Content-Security-Policy"]
