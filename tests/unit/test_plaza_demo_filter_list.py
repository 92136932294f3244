"""The demonstration's node filters from its first minute, with names that are plainly invented."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from captive_portal.filter.database import Facts
from captive_portal.filter.lookup import Blocked, Filter
from captive_portal.filter.policy import Category, FilterPolicy
from captive_portal.filter.store import ListStore
from plaza.demo.filter_list import install_demo_list


def test_the_demonstration_blocks_its_invented_names(tmp_path: Path) -> None:
    private = Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    (tmp_path / "city.key").write_bytes(private)
    facts = install_demo_list(tmp_path / "city.key", tmp_path / "node")
    assert isinstance(facts, Facts)
    assert "demostración" in facts.notice
    found = Filter(ListStore(tmp_path / "node" / "filter"), FilterPolicy()).look_up(
        "www.apuestas.demostracion.example"
    )
    assert isinstance(found, Blocked)
    assert found.category is Category.GAMBLING
    assert [p.name for p in (tmp_path / "node" / "filter").iterdir()] == ["list.cdb"]
