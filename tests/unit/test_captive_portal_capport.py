"""RFC 8908 and RFC 8910: the API's document, its headers, and when DHCP may announce it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from jsonschema import Draft202012Validator

from captive_portal.app import create_app
from captive_portal.capport import announced_uri
from captive_portal.gate.visits import Limits
from captive_portal.simulator import simulated_node
from captive_portal.site import SiteProfile
from municipio.usecases.ports import LinkState

API = "http://127.0.0.1:8380/captive-portal/api"
SCHEMA = {
    "type": "object",
    "required": ["captive"],
    "properties": {
        "captive": {"type": "boolean"},
        "user-portal-url": {"type": "string", "format": "uri"},
        "venue-info-url": {"type": "string", "format": "uri"},
        "can-extend-session": {"type": "boolean"},
        "seconds-remaining": {"type": "integer", "minimum": 0},
        "bytes-remaining": {"type": "integer", "minimum": 0},
    },
}
"""RFC 8908 section 5, table 1."""


def test_the_document_follows_the_rfc_before_and_after_acceptance() -> None:
    node = simulated_node()
    phone = create_app(node.ports).test_client()
    before = phone.get(API, headers={"Accept": "application/captive+json"})
    node.ports.gate.grant("127.0.0.1", 600)
    after = phone.get(API)

    for answer in (before, after):
        Draft202012Validator(SCHEMA).validate(answer.json or answer.get_json(force=True))
        assert answer.content_type == "application/captive+json"
        assert answer.headers["Cache-Control"].startswith("private")
        assert len(answer.data) <= 4096
    assert before.get_json(force=True)["captive"] is True
    assert "seconds-remaining" not in before.get_json(force=True)
    assert after.get_json(force=True)["captive"] is False
    assert after.get_json(force=True)["seconds-remaining"] == 600


def test_while_the_link_is_down_every_device_is_captive() -> None:
    node = simulated_node()
    node.ports.gate.grant("127.0.0.1", 600)
    node.link.state = LinkState.OFFLINE

    answer = create_app(node.ports).test_client().get(API)

    assert answer.get_json(force=True)["captive"] is True


def test_bytes_are_told_where_they_are_limited_and_only_to_who_may_pass() -> None:
    node = simulated_node()
    phone = create_app(node.ports).test_client()
    node.ports.gate.grant("127.0.0.1", 600, Limits(1_000_000))
    node.ports.gate.spend("127.0.0.1", 400_000)  # type: ignore[attr-defined]  # the memory gate

    document = phone.get(API).get_json(force=True)

    Draft202012Validator(SCHEMA).validate(document)
    assert document["bytes-remaining"] == 600_000
    node.ports.gate.revoke("127.0.0.1")
    assert "bytes-remaining" not in phone.get(API).get_json(force=True)


@pytest.mark.parametrize(
    ("rules", "extends"), [({}, True), ({"cool_down_s": 60}, False), ({"daily_s": 60}, False)]
)
def test_a_session_can_be_extended_where_nobody_rests_and_nothing_is_rationed(
    rules: dict[str, int], extends: bool
) -> None:
    node = simulated_node(profile=replace(SiteProfile(), **rules))  # type: ignore[arg-type]  # whole numbers

    document = create_app(node.ports).test_client().get(API).get_json(force=True)

    assert document["can-extend-session"] is extends


@pytest.mark.parametrize(
    "accept", ["application/captive+json", "*/*", "text/html", "", "\xff;q=x", "a" * 3000]
)
def test_whatever_a_client_says_it_accepts_the_answer_is_the_document(accept: str) -> None:
    answer = create_app(simulated_node().ports).test_client().get(API, headers={"Accept": accept})

    assert answer.status_code == 200
    assert answer.content_type == "application/captive+json"


@pytest.mark.parametrize(
    ("url", "announced"),
    [
        ("https://wifi.example.org/captive-portal/api", True),
        ("http://10.66.0.1/captive-portal/api", False),
        ("", False),
        ("https://" + "x" * 255, False),
        ("https://example.org/\nserver=192.0.2.1", False),
        ("https://example.org/,quote", False),
    ],
)
def test_only_a_safe_https_uri_is_announced(url: str, announced: bool) -> None:
    assert (announced_uri(url) is not None) is announced
