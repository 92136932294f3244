"""The Captive Portal API (RFC 8908) as a value; RFC 8910 announces its address over DHCP."""

from __future__ import annotations

from typing import Any

CONTENT_TYPE = "application/captive+json"
DHCP_OPTION = 114
MAX_URI_BYTES = 255


def capport_document(
    *,
    captive: bool,
    portal_url: str,
    venue_url: str,
    can_extend: bool,
    seconds_left: int = 0,
    bytes_left: int | None = None,
) -> dict[str, Any]:
    """RFC 8908 section 5. What remains only says something while the device is not captive, and bytes only
    where they are limited."""
    document: dict[str, Any] = {
        "captive": captive,
        "user-portal-url": portal_url,
        "venue-info-url": venue_url,
        "can-extend-session": can_extend,
    }
    if not captive:
        document["seconds-remaining"] = seconds_left
        if bytes_left is not None:
            document["bytes-remaining"] = bytes_left
    return document


def announced_uri(api_url: str) -> str | None:
    """What DHCP option 114 may carry: an https URI of at most 255 bytes (RFC 8910 section 2), or nothing.

    Phones drop an http address, so announcing one would only cost the sheet its other triggers.
    """
    fits = api_url.startswith("https://") and len(api_url.encode()) <= MAX_URI_BYTES
    safe = all(33 <= ord(c) < 127 and c not in ',"\\' for c in api_url)
    return api_url if fits and safe else None
