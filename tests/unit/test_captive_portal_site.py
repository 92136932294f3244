"""A site file: every key checked, every mistake named with its line and the nearest known key."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from captive_portal.site import SiteProblem, SiteProfile, parse_site, site_of_settings
from municipio.settings import parse_settings

WHOLE = """
name = "Parque de prueba (demostración)"
url = "http://wifi.example.org"
languages = ["en", "es"]
max_devices = 80
open_hours = ["lun-vie 06:00-22:00"]
walled_garden = ["GOB.mx.", "911.example.org"]

[visit]
session_s = 3600
session_bytes = 500000000
daily_s = 7200
daily_bytes = 1000000000
cool_down_s = 1800
rate_down_kib_s = 512
rate_up_kib_s = 128

[network]
guest = "guest0"
uplink = "up0"
ipv4 = "10.66.0.0/24"
ipv6 = "fd66::/64"
checks = ["203.0.113.10:80", "[2001:db8::1]:53"]

[capport]
url = "https://wifi.example.org/captive-portal/api"
listen = "0.0.0.0:8443"
cert = "keys/portal.crt"
key = "keys/portal.key"
"""


def test_an_empty_file_is_a_valid_small_site() -> None:
    site = parse_site("")

    assert isinstance(site, SiteProfile)
    assert (site.session_s, site.max_devices, site.daily_s) == (7200, 0, 0)
    assert str(site.network.gateway4) == "10.66.0.1/22"
    assert site.network.gateway6 is None


def test_every_key_arrives() -> None:
    site = parse_site(WHOLE)

    assert isinstance(site, SiteProfile)
    assert site.languages == ("en", "es")
    assert site.walled_garden == ("gob.mx", "911.example.org")
    assert (site.session_s, site.session_bytes) == (3600, 500_000_000)
    assert (site.daily_s, site.daily_bytes, site.cool_down_s) == (7200, 1_000_000_000, 1800)
    assert (site.rate_down_kib_s, site.rate_up_kib_s, site.max_devices) == (512, 128, 80)
    assert str(site.network.gateway6) == "fd66::1/64"
    assert site.network.checks == ("203.0.113.10:80", "[2001:db8::1]:53")
    assert site.capport_cert == Path("keys/portal.crt")
    assert site.capport_url == "https://wifi.example.org/captive-portal/api"


@pytest.mark.parametrize(
    ("text", "key", "line", "nearest"),
    [
        ('nombre = "x"', "nombre", 1, "name"),
        ("\n[visit]\nsesion_s = 60", "visit.sesion_s", 3, "visit.session_s"),
        ("[visitas]\nsession_s = 60", "visitas", 1, "visit"),
        ("[visit]\nsession_s = 90000", "visit.session_s", 2, ""),
        ("[visit]\nsession_s = true", "visit.session_s", 2, ""),
        ("[visit]\nsession_bytes = -1", "visit.session_bytes", 2, ""),
        ('visit = "x"', "visit", 1, ""),
        ('max_devices = "many"', "max_devices", 1, ""),
        ('languages = ["fr"]', "languages", 1, ""),
        ('languages = ["es", "es"]', "languages", 1, ""),
        ('open_hours = ["always"]', "open_hours", 1, ""),
        ('url = "ftp://x.org"', "url", 1, ""),
        ('url = "http://x.org/path"', "url", 1, ""),
        ('url = "http://a b"', "url", 1, ""),
        ('url = "http://x:99999"', "url", 1, ""),
        ('url = "http://[::1"', "url", 1, ""),
        ('walled_garden = ["no spaces allowed"]', "walled_garden", 1, ""),
        ('walled_garden = ["x.org/@evil"]', "walled_garden", 1, ""),
        ('[network]\nguest = "eth0; reboot"', "network.guest", 2, ""),
        ('[network]\nipv4 = "10.66.0.1/24"', "network.ipv4", 2, ""),
        ('[network]\nipv4 = "10.66.0.0/30"', "network.ipv4", 2, ""),
        ('[network]\nipv6 = "10.66.0.0/24"', "network.ipv6", 2, ""),
        ('[network]\nchecks = ["x y"]', "network.checks", 2, ""),
        ('[capport]\nurl = "http://x.org/captive-portal/api"', "capport.url", 2, ""),
        ('[capport]\nurl = "https://x.org/api"', "capport.url", 2, ""),
        ('[capport]\nlisten = "8443"', "capport.listen", 2, ""),
        ('[capport]\ncert = "a.pem"', "capport.cert", 2, ""),
        ('[filter]\nsafesearch = "si"', "filter.safesearch", 2, ""),
        ("[filter]\nblok = []", "filter.blok", 2, "filter.block"),
        ("[wifi]\nchannel = 12", "wifi.channel", 2, ""),
        ('[wifi]\nsid = "x"', "wifi.sid", 2, "wifi.ssid"),
        ('name = ""', "name", 1, ""),
        ('name = "two\\nlines"', "name", 1, ""),
        ("name = ", "", 1, ""),
    ],
)
def test_a_mistake_names_its_key_its_line_and_what_was_perhaps_meant(
    text: str, key: str, line: int, nearest: str
) -> None:
    problem = parse_site(text)

    assert isinstance(problem, SiteProblem)
    assert (problem.key, problem.line, problem.nearest) == (key, line, nearest)
    assert problem.message
    assert "\n" not in str(problem)


def test_the_settings_of_a_node_are_its_site_when_there_is_no_file() -> None:
    document = {"portal": {"session_min": 30, "uplink": "wwan0", "ssid": "Plaza de prueba"}}

    site = site_of_settings(parse_settings(document))

    assert (site.session_s, site.network.uplink, site.wifi.ssid) == (
        1800,
        "wwan0",
        "Plaza de prueba",
    )
    over = parse_site("max_devices = 5", site)
    assert isinstance(over, SiteProfile)
    assert (over.session_s, over.max_devices) == (1800, 5)


def test_a_file_without_an_end_is_refused() -> None:
    assert isinstance(parse_site("# " + "x" * 70_000), SiteProblem)


@given(st.text(max_size=300) | st.builds(lambda a, b: f"{a} = {b}", st.text(), st.text()))
@settings(max_examples=150, deadline=None)
def test_whatever_the_file_holds_the_answer_is_a_profile_or_a_problem(text: str) -> None:
    assert isinstance(parse_site(text), SiteProfile | SiteProblem)


def test_the_example_of_the_reference_page_is_a_valid_site() -> None:
    page = Path(__file__).parents[2] / "docs/reference/sitio.md"
    example = page.read_text("utf-8").split("```toml\n")[1].split("```")[0]

    site = parse_site(example)

    assert isinstance(site, SiteProfile), site
    assert site.max_devices == 250
