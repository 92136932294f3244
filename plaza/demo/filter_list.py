"""The demonstration's name list: the one that an image brings, signed by the demonstration's city."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from captive_portal.filter.baseline import build_baseline
from captive_portal.filter.database import Facts, Unusable
from captive_portal.filter.signing import trailer
from captive_portal.filter.store import ListStore


def install_demo_list(city_key: Path, node: Path) -> Facts | Unusable:
    """Build, sign with the city's private key (PEM) and install into the node's data directory."""
    key = load_pem_private_key(city_key.read_bytes(), None)
    assert isinstance(key, Ed25519PrivateKey)
    store = ListStore(node / "filter")
    fresh = store.folder / ".baseline.cdb"
    build_baseline(fresh)
    with fresh.open("ab") as stream:
        stream.write(trailer(fresh, key.sign, key.public_key()))
    found = store.install(fresh, key.public_key())
    fresh.unlink()
    return found
