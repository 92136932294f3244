"""How each system asks "am I online?", as a table, and the exact answer it takes for yes.

Sources: AOSP NetworkMonitor and its config.xml; ChromiumOS shill portal_detector; Apple's
hotspot-detect page; Microsoft NCSI; Firefox captive portal service; NetworkManager nm-connectivity.
Before acceptance every one of them gets a redirect to the portal, which is what opens its sheet.
"""

from __future__ import annotations

from dataclasses import dataclass

_APPLE = b"<HTML><HEAD><TITLE>Success</TITLE></HEAD><BODY>Success</BODY></HTML>"
_FIREFOX = (
    b'<meta http-equiv="refresh" content="0;url=https://support.mozilla.org/kb/captive-portal"/>'
)
_NM_ONLINE = (("X-NetworkManager-Status", "online"),)


@dataclass(frozen=True, slots=True)
class Success:
    """The answer that means "this network reaches the Internet"."""

    status: int
    body: bytes = b""
    content_type: str = "text/plain"
    headers: tuple[tuple[str, str], ...] = ()


_204 = Success(204)


@dataclass(frozen=True, slots=True)
class Probe:
    """One question of one system. An empty `hosts` never occurs; names are lower case."""

    system: str
    hosts: tuple[str, ...]
    path: str
    success: Success


_APPLE_OK = Success(200, _APPLE, "text/html")
_NM_OK = Success(200, b"NetworkManager is online\n", headers=_NM_ONLINE)
_KINDLE = (
    b"<html><head><title>Kindle Reachability Probe Page</title></head>"
    b"<body>81ce4465-7167-4dcb-835b-dcc9e44c112a</body></html>"
)
_OLD_APPLE = (
    "www.apple.com", "captive.apple.com", "www.itools.info", "www.ibook.info", "www.airport.us",
    "www.thinkdifferent.us", "www.appleiphonecell.com",
)  # fmt: skip

PROBES: tuple[Probe, ...] = (
    Probe(
        "android",
        (
            "connectivitycheck.gstatic.com",
            "connectivitycheck.android.com",
            "www.google.com",
            "clients3.google.com",
            "play.googleapis.com",
            "developers.google.cn",
            "connectivitycheck.grapheneos.network",
            "connect.rom.miui.com",
            "conn1.oppomobile.com",
            "wifi.vivo.com.cn",
            "connectivitycheck.cbg-app.huawei.com",
            "connectivitycheck.platform.hicloud.com",
            "connectivitycheck.platform.hihonorcloud.com",
            "fireoscaptiveportal.com",
            "edge.microsoft.com",
        ),
        "/generate_204",
        _204,
    ),
    Probe("android", ("www.google.com", "connectivitycheck.gstatic.com"), "/gen_204", _204),
    Probe("edge", ("edge.microsoft.com",), "/captiveportal/generate_204", _204),
    Probe(
        "chromeos",
        ("www.gstatic.com", "clients1.google.com", "safebrowsing.google.com", "www.googleapis.com"),
        "/generate_204",
        _204,
    ),
    Probe(
        "apple",
        ("captive.apple.com", "www.apple.com", "gsp1.apple.com"),
        "/hotspot-detect.html",
        _APPLE_OK,
    ),
    Probe("apple", _OLD_APPLE, "/library/test/success.html", _APPLE_OK),
    Probe("apple", ("captive.apple.com",), "/", _APPLE_OK),
    Probe(
        "windows",
        ("www.msftconnecttest.com", "ipv6.msftconnecttest.com"),
        "/connecttest.txt",
        Success(200, b"Microsoft Connect Test"),
    ),
    Probe(
        "windows",
        ("www.msftncsi.com", "ipv6.msftncsi.com"),
        "/ncsi.txt",
        Success(200, b"Microsoft NCSI"),
    ),
    Probe(
        "firefox",
        ("detectportal.firefox.com",),
        "/canonical.html",
        Success(200, _FIREFOX, "text/html"),
    ),
    Probe("firefox", ("detectportal.firefox.com",), "/success.txt", Success(200, b"success\n")),
    Probe("networkmanager", ("nmcheck.gnome.org",), "/check_network_status.txt", _NM_OK),
    Probe("networkmanager", ("ping.archlinux.org",), "/nm-check.txt", _NM_OK),
    Probe("networkmanager", ("network-test.debian.org",), "/nm", _NM_OK),
    Probe("networkmanager", ("conncheck.opensuse.org",), "/", _NM_OK),
    Probe(
        "networkmanager",
        ("fedoraproject.org",),
        "/static/hotspot.txt",
        Success(200, b"OK\n", headers=_NM_ONLINE),
    ),
    Probe("networkmanager", ("networkcheck.kde.org",), "/", Success(200, b"OK\n")),
    Probe(
        "networkmanager",
        ("connectivity-check.ubuntu.com", "connectivity-check.ubuntu.com."),
        "/",
        Success(204, headers=_NM_ONLINE),
    ),
    Probe(
        "kindle",
        ("spectrum.s3.amazonaws.com",),
        "/kindle-wifi/wifistub.html",
        Success(200, _KINDLE, "text/html"),
    ),
)

_BY_ADDRESS = {(host, p.path): p for p in PROBES for host in p.hosts}
_BY_PATH = {p.path: p for p in reversed(PROBES) if p.path != "/"}
_ANYWHERE = {"/generate_204": PROBES[0], "/gen_204": PROBES[1]}
"""Makers of phones move this question to names of their own; its path and its answer stay."""
_ANY_PATH = {"captive.apple.com": PROBES[4]}
"""Apple's sheet also asks this name for pages that it makes up."""


def find_probe(host: str, path: str, *, own_host: bool = False) -> Probe | None:
    """The probe that a request is. With `own_host` (asked of the portal by its own name or address,
    as some systems do after a DHCP option) the path alone decides."""
    if own_host:
        return _BY_PATH.get(path)
    name = host.lower().partition(":")[0]
    return _BY_ADDRESS.get((name, path)) or _ANYWHERE.get(path) or _ANY_PATH.get(name)
