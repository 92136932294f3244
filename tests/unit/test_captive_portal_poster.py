"""The poster: what a camera reads joins the network, and everything a person needs is on one page."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from captive_portal.languages import load_translations
from captive_portal.poster import Paper, join_text, render_poster
from captive_portal.qr import qr_path
from captive_portal.site import SiteProfile
from captive_portal.wifi.profile import WifiProfile
from plaza.cli import main as plaza

SITE = """
name = "Parque <Hidalgo> & Centro (demostración)"
url = "http://wifi.ejemplo.mx"
[visit]
session_s = 5400
[wifi]
ssid = "Coatzabierto"
"""


def _profile(ssid: str = "Coatzabierto") -> SiteProfile:
    return replace(
        SiteProfile(url="http://wifi.ejemplo.mx", session_s=5400), wifi=WifiProfile(ssid=ssid)
    )


def _scanned(path: str, side: int) -> str:
    """What a reader makes of the drawn modules."""
    pyzbar = pytest.importorskip("pyzbar.pyzbar", reason="libzbar0 is not installed")
    picture = Image.new("L", (side, side), 255)
    for x, y, run in re.findall(r"M(\d+) (\d+)h(\d+)", path):
        for step in range(int(run)):
            picture.putpixel((int(x) + step, int(y)), 0)
    large = picture.resize((side * 8, side * 8), Image.Resampling.NEAREST)
    found = pyzbar.decode(large)
    assert len(found) == 1
    return bytes(found[0].data).decode()


@pytest.mark.parametrize(
    ("ssid", "text"),
    [
        ("Coatzabierto", "WIFI:T:nopass;S:Coatzabierto;;"),
        ('a;b,c:d\\e"f', 'WIFI:T:nopass;S:a\\;b\\,c\\:d\\\\e\\"f;;'),
        ("Café del Ñandú 1", "WIFI:T:nopass;S:Café del Ñandú 1;;"),
    ],
)
def test_a_camera_reads_the_network_whatever_its_name_holds(ssid: str, text: str) -> None:
    assert join_text(ssid) == text
    if ssid.isascii():  # zbar guesses other alphabets; telephones take UTF-8
        assert _scanned(*qr_path(join_text(ssid), sturdy=True)) == text


@pytest.mark.parametrize("paper", list(Paper))
def test_the_page_holds_everything_in_both_languages_and_fetches_nothing(paper: Paper) -> None:
    page = render_poster(_profile(), load_translations(), paper=paper, city="Ejemplo")

    for words in (
        "Coatzabierto", "wifi.ejemplo.mx", "Internet gratis", "Free Internet", "DNS privado",
        "Private DNS", "1 h 30 min", "Aceptar y conectarme", "Accept and connect", "Ejemplo",
    ):  # fmt: skip
        assert words in page, words
    assert not re.search(r"(src|href)=|url\(|@import|<script", page)


def test_a_site_of_one_language_has_a_poster_of_one_language() -> None:
    page = render_poster(replace(_profile(), languages=("en",)), load_translations())

    assert '<html lang="en">' in page
    assert "Free Internet" in page
    assert "gratis" not in page


class _Texts(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)


def test_a_hostile_name_stays_a_name() -> None:
    page = render_poster(_profile("</p><script>x</script>"), load_translations())

    reader = _Texts()
    reader.feed(page)
    assert "script" not in reader.tags
    assert "&lt;script&gt;" in page


def test_the_command_makes_the_file(tmp_path: Path) -> None:
    site, out = tmp_path / "sitio.toml", tmp_path / "letrero.html"
    site.write_text(SITE, encoding="utf-8")

    told = CliRunner().invoke(
        plaza, ["portal", "sign", "--site", str(site), "--out", str(out), "--paper", "a4"]
    )

    assert told.exit_code == 0, told.output
    page = out.read_text(encoding="utf-8")
    assert "210mm" in page
    assert "Parque &lt;Hidalgo&gt; &amp; Centro" in page


@pytest.mark.parametrize(
    ("text", "words"),
    [("name = 3", "«name»"), ("nombre = 'x'", "unknown key"), ("[", "not TOML")],
)
def test_a_wrong_site_file_makes_no_poster_and_says_why(
    tmp_path: Path, text: str, words: str
) -> None:
    site, out = tmp_path / "sitio.toml", tmp_path / "letrero.html"
    site.write_text(text, encoding="utf-8")

    told = CliRunner().invoke(plaza, ["portal", "sign", "--site", str(site), "--out", str(out)])

    assert told.exit_code == 1
    assert words in told.output
    assert "line 1" in told.output
    assert not out.exists()


def test_a_place_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    site = tmp_path / "sitio.toml"
    site.write_text(SITE, encoding="utf-8")

    told = CliRunner().invoke(
        plaza, ["portal", "sign", "--site", str(site), "--out", str(tmp_path / "no" / "x.html")]
    )

    assert told.exit_code == 1
    assert "Traceback" not in told.output
