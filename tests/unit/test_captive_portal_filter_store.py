"""The node's list: signed, swapped by rename, kept however old; and why a name does not resolve."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from captive_portal.filter.build import BuildPlan, build
from captive_portal.filter.cdb import CdbReader
from captive_portal.filter.database import Facts, Unusable
from captive_portal.filter.lookup import Allowed, Blocked, Filter, Unreadable
from captive_portal.filter.policy import Category, FilterPolicy, parse_policy
from captive_portal.filter.reading import ListFile
from captive_portal.filter.signing import TRAILER_BYTES, check_signature, is_signed, trailer
from captive_portal.filter.store import ListStore

CITY = Ed25519PrivateKey.generate()
Make = Callable[..., Path]


@pytest.fixture
def signed(tmp_path: Path) -> Make:
    def make(name: str, day: date, key: Ed25519PrivateKey = CITY, **texts: str) -> Path:
        files = []
        for category, text in texts.items():
            path = tmp_path / f"{name}-{category}.txt"
            path.write_text(text)
            files.append(ListFile(path, Category(category)))
        out = tmp_path / f"{name}.cdb"
        build(BuildPlan(files, out, day))
        with out.open("ab") as stream:
            stream.write(trailer(out, key.sign, key.public_key()))
        return out

    return make


@pytest.fixture
def store(tmp_path: Path) -> ListStore:
    return ListStore(tmp_path / "filter", tmp_path / "baseline.cdb")


def test_a_signed_list_is_still_a_cdb_and_any_changed_byte_is_noticed(
    signed: Make, tmp_path: Path
) -> None:
    path = signed("a", date(2026, 1, 10), adult="malo.example\n")
    assert is_signed(path)
    assert check_signature(path, CITY.public_key()) is None
    assert len(CdbReader(path).tail()) == TRAILER_BYTES
    raw = path.read_bytes()
    for place in (2048, len(raw) // 2, len(raw) - 20, len(raw) - 1):
        path.write_bytes(raw[:place] + bytes((raw[place] ^ 1,)) + raw[place + 1 :])
        assert isinstance(check_signature(path, CITY.public_key()), Unusable)
    path.write_bytes(raw + b"x")
    assert isinstance(check_signature(path, CITY.public_key()), Unusable)
    path.write_bytes(raw[:-TRAILER_BYTES])
    assert not is_signed(path)


def test_a_good_list_is_installed_and_dated_after_the_one_before(
    signed: Make, store: ListStore
) -> None:
    first = signed("a", date(2026, 1, 10), adult="malo.example\n")
    assert isinstance(store.install(first, CITY.public_key()), Facts)
    future = 4_000_000_000
    os.utime(store.list_file, (future, future))
    second = signed("b", date(2026, 1, 11), adult="peor.example\n")
    assert isinstance(store.install(second, CITY.public_key()), Facts)
    assert store.list_file.stat().st_mtime == future + 1
    assert [p.name for p in store.folder.iterdir()] == ["list.cdb"]


def test_a_list_that_is_not_the_citys_whole_or_newer_leaves_the_one_in_use(
    signed: Make, store: ListStore, tmp_path: Path
) -> None:
    store.install(signed("a", date(2026, 1, 10), adult="malo.example\n"), CITY.public_key())
    before = store.list_file.read_bytes()
    stranger = signed("b", date(2026, 2, 1), Ed25519PrivateKey.generate(), adult="x.example\n")
    old = signed("c", date(2026, 1, 9), adult="x.example\n")
    cut = tmp_path / "cut.cdb"
    cut.write_bytes(before[:-300])
    for bad, why in ((stranger, "trusts"), (old, "before"), (cut, "cut short"), (tmp_path, "")):
        try:
            found = store.install(bad, CITY.public_key())
        except OSError:
            continue
        assert isinstance(found, Unusable)
        assert why in found.detail
        assert str(bad) in found.detail
    assert store.list_file.read_bytes() == before
    assert [p.name for p in store.folder.iterdir()] == ["list.cdb"]
    assert isinstance(store.install(old, CITY.public_key(), older=True), Facts)


def test_the_image_baseline_serves_until_the_citys_list_comes(
    signed: Make, store: ListStore
) -> None:
    assert isinstance(store.serving(), Unusable)
    signed("baseline", date(2025, 1, 1), adult="malo.example\n")
    serving = store.serving()
    assert not isinstance(serving, Unusable)
    assert serving.is_baseline
    store.install(signed("a", date(2026, 1, 10), adult="malo.example\n"), CITY.public_key())
    serving = store.serving()
    assert not isinstance(serving, Unusable)
    assert (serving.is_baseline, serving.facts.date) == (False, "2026-01-10")


def policy(**doc: object) -> FilterPolicy:
    made = parse_policy(doc)
    assert isinstance(made, FilterPolicy)
    return made


def test_a_block_page_learns_the_gravest_category_and_since_when(
    signed: Make, store: ListStore
) -> None:
    store.install(
        signed("a", date(2026, 1, 10), adult="malo.example\n", malware="x.malo.example\n"),
        CITY.public_key(),
    )
    site = Filter(store, policy(allow=["y.malo.example"], block=["propio.example", "gob.example"]))
    since = date(2026, 1, 10)
    assert site.look_up("WWW.malo.example.") == Blocked(Category.ADULT, since, "malo.example")
    assert site.look_up("a.x.malo.example") == Blocked(Category.MALWARE, since, "x.malo.example")
    assert site.look_up("y.malo.example") == Allowed()
    assert site.look_up("a.propio.example") == Blocked(None, None, "propio.example")
    assert site.look_up("www.gob.mx") == Allowed()
    assert site.look_up("bueno.example") == Allowed()
    assert site.look_up("\x00<script>") == Allowed()
    facts = site.facts()
    assert isinstance(facts, Facts)
    assert facts.date == "2026-01-10"


def test_a_category_that_the_site_opens_or_opens_now_is_allowed(
    signed: Make, store: ListStore
) -> None:
    store.install(signed("a", date(2026, 1, 10), gambling="juego.example\n"), CITY.public_key())
    assert Filter(store, policy(categories=["adult"])).look_up("juego.example") == Allowed()
    site = Filter(store, policy(hours={"gambling": "lun-vie 07:00-15:00"}))
    monday, sunday = datetime(2026, 1, 12, 8, 0), datetime(2026, 1, 11, 8, 0)  # noqa: DTZ001
    assert isinstance(site.look_up("juego.example", monday), Blocked)
    assert site.look_up("juego.example", sunday) == Allowed()


def test_a_new_list_is_noticed_and_no_list_is_said(signed: Make, store: ListStore) -> None:
    site = Filter(store, policy())
    assert isinstance(site.look_up("malo.example"), Unreadable)
    assert isinstance(site.facts(), Unreadable)
    store.install(signed("a", date(2026, 1, 10), adult="malo.example\n"), CITY.public_key())
    assert isinstance(site.look_up("malo.example"), Blocked)
    store.install(signed("b", date(2026, 1, 11), adult="otro.example\n"), CITY.public_key())
    assert site.look_up("malo.example") == Allowed()
    assert isinstance(site.look_up("otro.example"), Blocked)
    store.list_file.write_bytes(b"roto" * 1000)
    assert isinstance(site.look_up("otro.example"), Unreadable)
