"""Sealed files at the city, over WSGI: in parts, in order, and only whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask.testing import FlaskClient

from central.app import create_app
from central.attachments import MAX_UNFINISHED, read_attachment
from central.city import City
from central.context import Central
from central.keys import CityKey
from central.node_simulator import NodeSimulator
from central.nodes import add_node
from central.projector import Projector
from central.store import Store, open_store
from central.wiring import demo_perfil
from municipio.wire.attachment import MAX_ATTACHMENT_BYTES, attachment_path, part_path
from municipio.wire.envelope import SIGNATURE_HEADER, verify_body

CITY = City()
NOW = datetime(2026, 1, 20, 18, 0, tzinfo=UTC)
PHOTO = b"sealed photo"
NAME = hashlib.sha256(PHOTO).hexdigest()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path}/central.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def client(store: Store) -> FlaskClient:
    key = CityKey(Ed25519PrivateKey.generate())
    projector = Projector(store, CITY, lambda: NOW)
    client = create_app(
        Central(store, CITY, key, demo_perfil(), "ficha", lambda: NOW, projector)
    ).test_client()
    client.environ_base["plaza.city_key"] = key.public
    return client


@pytest.fixture
def node(store: Store) -> NodeSimulator:
    made = NodeSimulator()
    add_node(store, CITY.inegi, made.node, made.public, NOW, replace=False)
    return made


def ask(client: FlaskClient, node: NodeSimulator, name: str = NAME) -> dict[str, Any]:
    path = attachment_path(node.node, name)
    reply = client.get(path, headers=node.headers("GET", path))
    public = client.environ_base["plaza.city_key"]
    assert verify_body(reply.data, reply.headers[SIGNATURE_HEADER], public)
    found: dict[str, Any] = json.loads(reply.data)
    return found


def put(
    client: FlaskClient, node: NodeSimulator, body: bytes, first: int, *,
    name: str = NAME, size: int = len(PHOTO), path: str = "",
) -> tuple[int, dict[str, Any]]:  # fmt: skip
    where = path or part_path(node.node, name, size, first)
    reply = client.put(where, data=body, headers=node.headers("PUT", where, body))
    return reply.status_code, json.loads(reply.data)


def test_a_file_comes_in_parts_and_counts_once_it_is_whole(
    client: FlaskClient, node: NodeSimulator, store: Store
) -> None:
    assert ask(client, node)["received"] == 0
    _, after = put(client, node, PHOTO[:5], 0)
    assert (after["received"], after["complete"]) == (5, False)
    assert read_attachment(store, CITY.inegi, NAME) is None
    assert ask(client, node)["received"] == 5
    _, after = put(client, node, PHOTO[5:], 5)
    assert (after["received"], after["complete"]) == (len(PHOTO), True)
    assert read_attachment(store, CITY.inegi, NAME) == PHOTO
    assert put(client, node, PHOTO, 0) == (200, after)


def test_a_part_that_does_not_continue_changes_nothing_and_says_where_to_go_on(
    client: FlaskClient, node: NodeSimulator
) -> None:
    put(client, node, PHOTO[:5], 0)
    for first, body in ((0, PHOTO[:5]), (4, b"xyz"), (6, b"xyz")):
        assert put(client, node, body, first)[1]["received"] == 5


def test_a_wrong_hash_starts_again_from_the_first_byte(
    client: FlaskClient, node: NodeSimulator, store: Store
) -> None:
    _, after = put(client, node, b"sealed phot0", 0)
    assert (after["received"], after["complete"]) == (0, False)
    assert put(client, node, PHOTO, 0)[1]["complete"] is True
    assert read_attachment(store, CITY.inegi, NAME) == PHOTO


def test_what_is_too_large_or_outside_is_refused(client: FlaskClient, node: NodeSimulator) -> None:
    assert put(client, node, b"x", 0, size=MAX_ATTACHMENT_BYTES + 1)[0] == 413
    assert put(client, node, bytes(300_000), 0, size=400_000)[0] == 413
    assert put(client, node, b"xx", len(PHOTO) - 1)[0] == 400
    assert put(client, node, b"", 0)[0] == 400
    assert put(client, node, b"x", 0, name="../x")[0] in (400, 404)
    assert put(client, node, b"x", 0, name="AB" * 32)[0] == 400


def test_strangers_and_other_nodes_write_nothing(
    client: FlaskClient, node: NodeSimulator, store: Store
) -> None:
    assert put(client, NodeSimulator(), PHOTO, 0)[0] == 401
    other = NodeSimulator(node="COA008")
    add_node(store, CITY.inegi, other.node, other.public, NOW, replace=False)
    path = part_path(node.node, NAME, len(PHOTO), 0)
    assert put(client, other, PHOTO, 0, path=path)[0] == 403
    assert put(client, other, b"sealed phot", 0)[1]["received"] == 11
    assert ask(client, node)["received"] == 0


def test_what_a_node_never_finishes_is_bounded(client: FlaskClient, node: NodeSimulator) -> None:
    names = [hashlib.sha256(bytes([n])).hexdigest() for n in range(MAX_UNFINISHED + 2)]
    for name in names:
        put(client, node, b"half", 0, name=name, size=9)
    assert sum(ask(client, node, name)["received"] == 4 for name in names) == MAX_UNFINISHED
