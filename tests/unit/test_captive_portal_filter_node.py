"""From a node's data directory to the files of its daemons."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from captive_portal.filter.build import BuildPlan, build
from captive_portal.filter.node import CannotRender, own_names, read_site, render
from captive_portal.filter.ports import WAITING_PORT
from captive_portal.filter.signing import trailer
from captive_portal.gate.configure import read_addresses
from captive_portal.site import Network, SiteProfile
from municipio.wire.keys import public_pem
from plaza.cli import main
from sync.datadir import DataDir

CITY = Ed25519PrivateKey.generate()
SITE = """
url = "http://wifi.ciudad.example"
walled_garden = ["jardin.example"]
[network]
ipv4 = "10.77.0.0/24"
[filter]
categories = ["adult"]
hours = { adult = "07:00-15:00" }
block = ["propio.example"]
"""


@pytest.fixture
def data(tmp_path: Path) -> DataDir:
    data = DataDir(tmp_path / "nodo")
    data.create()
    data.city_pub.write_bytes(public_pem(CITY.public_key()))
    (data.path / "site.toml").write_text(SITE)
    return data


def signed_list(path: Path, key: Ed25519PrivateKey = CITY) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    build(BuildPlan([], path, date(2026, 1, 10)))
    with path.open("ab") as stream:
        stream.write(trailer(path, key.sign, key.public_key()))
    return path


def test_the_daemons_files_come_from_the_site(data: DataDir, tmp_path: Path) -> None:
    signed_list(data.path / "filter" / "list.cdb")
    out = tmp_path / "run"
    done = CliRunner().invoke(
        main,
        ["filter", "render", "--data", str(data.path), "--out", str(out), "--seen-at", "/run/x"],
    )
    assert done.exit_code == 0, done.output
    dnsdist, names = (out / "dnsdist.conf").read_text(), (out / "names.conf").read_text()
    assert f'listen = {{"10.77.0.1:53", "10.77.0.1:{WAITING_PORT}"}}' in dnsdist
    assert 'lists = {"/run/x/list.cdb", "/usr/share/plaza/filter/baseline.cdb"}' in dnsdist
    assert 'garden = {"jardin.example", "wifi.ciudad.example"}' in dnsdist
    assert "hostsdir=/run/x/safe\n" in names
    assert "nftset=/jardin.example/" in names
    assert "forcesafesearch.google.com" in names
    assert len(read_addresses(out / "doh.txt")) > 100
    assert (out / "environment").read_text() == "TZ=America/Mexico_City\n"
    assert "216.239.38.120" in (data.path / "filter" / "safe" / "hosts").read_text()


def test_a_list_that_is_not_the_citys_is_set_aside(data: DataDir, tmp_path: Path) -> None:
    ours = signed_list(data.path / "filter" / "list.cdb", Ed25519PrivateKey.generate())
    baseline = signed_list(tmp_path / "baseline.cdb")
    baseline.write_bytes(baseline.read_bytes()[:-1] + b"x")
    made = render(
        data,
        SiteProfile(),
        tmp_path / "run",
        city=CITY.public_key(),
        zone="UTC",
        baseline=baseline,
    )
    assert len(made.refused) == 2
    assert not ours.exists()
    assert ours.with_name("list.refused").exists()
    assert made.lists == (str(ours),)


def test_a_site_that_cannot_be_read_is_told(data: DataDir, tmp_path: Path) -> None:
    settings = data.settings()
    (data.path / "site.toml").write_text("[filter]\ncategories = ['porn']\n")
    with pytest.raises(CannotRender, match=r"filter\.categories"):
        read_site(data, settings, None)
    with pytest.raises(CannotRender, match="no such file"):
        read_site(data, settings, tmp_path / "nada.toml")
    words = ["filter", "render", "--data", str(data.path), "--out", str(tmp_path / "run")]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 1
    assert done.output.startswith("Error: ")
    assert not (tmp_path / "run").exists()


def test_the_nodes_own_names_are_those_of_its_pages() -> None:
    profile = SiteProfile(
        url="http://10.66.0.1:8380", capport_url="https://wifi.ciudad.example/captive-portal/api"
    )
    assert own_names(profile) == ("wifi.ciudad.example",)


def test_a_zone_of_the_settings_cannot_become_a_line(data: DataDir, tmp_path: Path) -> None:
    with pytest.raises(CannotRender):
        render(data, SiteProfile(), tmp_path / "run", city=None, zone="UTC\nLD_PRELOAD=/x")


def test_guests_with_public_addresses_are_answered(data: DataDir, tmp_path: Path) -> None:
    profile = SiteProfile(network=Network(ipv6="2001:db8:66::/64"))
    render(data, profile, tmp_path / "run", city=None, zone="UTC")
    text = (tmp_path / "run" / "dnsdist.conf").read_text()
    assert '"2001:db8:66::/64"' in text[text.index("clients =") : text.index("trusted =")]
    assert '"[2001:db8:66::1]:53"' in text
    assert 'node6 = {"2001:db8:66::1"}' in text
