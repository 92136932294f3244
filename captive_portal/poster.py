"""The sign beside an antenna: one printable page that a person understands without asking anybody.

Pure: a site's profile in, one self-contained HTML page out. Its size is that of the paper, its fonts are
the printer's, and nothing is fetched: a technician prints it from a browser without the Internet.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from jinja2 import Environment, PackageLoader, StrictUndefined

from captive_portal.ports import Translate
from captive_portal.qr import qr_path
from captive_portal.site import SiteProfile
from captive_portal.theme import DEFAULT_PRIMARY, primary_color
from captive_portal.truth import duration_words


class Paper(StrEnum):
    LETTER = "letter"
    A4 = "a4"


_SIZES_MM = {Paper.LETTER: ("215.9mm", "279.4mm"), Paper.A4: ("210mm", "297mm")}


def join_text(ssid: str) -> str:
    """What a camera reads to join an open network: the `WIFI:` text of ZXing, which Android and iOS take."""
    escaped = "".join("\\" + c if c in '\\;,:"' else c for c in ssid)
    return f"WIFI:T:nopass;S:{escaped};;"


def render_poster(
    profile: SiteProfile,
    translations: Mapping[str, Translate],
    *,
    paper: Paper = Paper.LETTER,
    city: str = "",
    primary: str = DEFAULT_PRIMARY,
) -> str:
    """The whole page, in the languages of the site; the first one is the large one."""
    environment = Environment(
        loader=PackageLoader("captive_portal"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    width, height = _SIZES_MM[paper]
    path, side = qr_path(join_text(profile.wifi.ssid), sturdy=True)
    tongues = [(language, translations[language]) for language in profile.languages]
    return environment.get_template("poster.html").render(
        tongues=tongues,
        site=profile.name,
        city=city,
        ssid=profile.wifi.ssid,
        ssid_mm=_fitting(len(profile.wifi.ssid), 16.0),
        typed=typed_address(profile.url),
        typed_mm=_fitting(len(typed_address(profile.url)), 12.0),
        qr_path=path,
        qr_side=side,
        lasts={
            language: duration_words(profile.session_s, _) if profile.session_s else ""
            for language, _ in tongues
        },
        width=width,
        height=height,
        primary=primary_color(primary),
    )


def typed_address(url: str) -> str:
    """What a person types: browsers add `http://` themselves; https they do not."""
    return url.removeprefix("http://").rstrip("/")


def _fitting(letters: int, most_mm: float) -> float:
    """Letter height that keeps a word on one line of some 175 mm, at 0.62 of its height a letter."""
    return round(min(most_mm, 175 / (0.62 * max(letters, 1))), 1)
