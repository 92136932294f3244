"""Which file of the boot partition is the site's: Windows and browsers give one file many names."""

from __future__ import annotations

import re
from collections.abc import Mapping

from municipio.site_file.fault import SiteFault

SITE_NAME = "plaza.toml"
NEW_NAME = "plaza.new"
"""A blanked file on its way to become `plaza.toml`."""
ERROR_NAME = "plaza-error.txt"
_LIKE = re.compile(r"(?i)plaza[^/]{0,40}\.toml(\.txt)?")


def looks_like_site(name: str) -> bool:
    return bool(_LIKE.fullmatch(name)) or name.lower() == NEW_NAME


def is_blanked(raw: bytes) -> bool:
    """Empty, or overwritten with zeros at least in part: no text in any encoding holds four of them."""
    return not raw or bytes(4) in raw


def find_site(files: Mapping[str, bytes]) -> tuple[str, bytes] | SiteFault | None:
    """The name and bytes of the site's file; None where there is none at all.

    One that was being blanked when the power went is as if it were not there.
    """
    whole = {n: raw for n, raw in files.items() if not is_blanked(raw)}
    by_lower = {n.lower(): n for n in whole}
    for wanted in (SITE_NAME, f"{SITE_NAME}.txt"):
        if wanted in by_lower:
            name = by_lower[wanted]
            return name, whole[name]
    others = [n for n in whole if _LIKE.fullmatch(n)]
    if len(others) > 1:
        names = ", ".join(sorted(others))
        return SiteFault(f"hay varios archivos ({names}); deje uno solo, con el nombre {SITE_NAME}")
    if not others and NEW_NAME in by_lower:
        others = [by_lower[NEW_NAME]]
    return (others[0], whole[others[0]]) if others else None
