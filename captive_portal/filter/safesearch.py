"""Safe modes that search engines and YouTube offer by name: who becomes whom (their own instructions).

A name here answers with a CNAME to the operator's safe address, in IPv4 only. The addresses of the safe
names are looked up now and then on the uplink and kept in a hosts file for dnsmasq; a safe name that was
never resolved points to the node itself, so that an unsafe answer is never the substitute.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from captive_portal.filter.policy import FilterPolicy, Youtube

_GOOGLE_TLDS = """
com ad ae com.af com.ag al am co.ao com.ar as at com.au az ba com.bd be bf bg com.bh bi bj com.bn com.bo
com.br bs bt co.bw by com.bz ca cat cd cf cg ch ci co.ck cl cm cn com.co co.cr com.cu cv com.cy cz de dj
dk dm com.do dz com.ec ee com.eg es com.et fi com.fj fm fr ga ge gg com.gh com.gi gl gm gr com.gt gy
com.hk hn hr ht hu co.id ie co.il im co.in iq is it je com.jm jo co.jp co.ke com.kh ki kg co.kr com.kw kz
la com.lb li lk co.ls lt lu lv com.ly co.ma md me mg mk ml com.mm mn com.mt mu mv mw com.mx com.my co.mz
com.na com.ng com.ni ne nl no com.np nr nu co.nz com.om com.pa com.pe com.pg com.ph com.pk pl pn com.pr
ps pt com.py com.qa ro rs ru rw com.sa com.sb sc se com.sg sh si sk com.sl sm sn so sr st com.sv td tg
co.th com.tj tl tm tn to com.tr tt com.tw co.tz com.ua co.ug co.uk com.uy co.uz com.vc co.ve co.vi com.vn
vu ws co.za co.zm co.zw
"""
GOOGLE_NAMES: tuple[str, ...] = tuple(f"www.google.{tld}" for tld in _GOOGLE_TLDS.split())

SEARCHERS: Mapping[str, tuple[str, ...]] = {
    "forcesafesearch.google.com": GOOGLE_NAMES,
    "strict.bing.com": ("bing.com", "www.bing.com", "edgeservices.bing.com"),
    "safe.duckduckgo.com": (
        "duckduckgo.com", "www.duckduckgo.com", "start.duckduckgo.com", "html.duckduckgo.com",
        "lite.duckduckgo.com", "noai.duckduckgo.com",
    ),
    "strict-safe-search.ecosia.org": ("ecosia.org", "www.ecosia.org"),
    "safesearch.pixabay.com": ("pixabay.com", "www.pixabay.com"),
}  # fmt: skip

YOUTUBE_NAMES = (
    "www.youtube.com", "m.youtube.com", "youtubei.googleapis.com", "youtube.googleapis.com",
    "www.youtube-nocookie.com",
)  # fmt: skip
_YOUTUBE = {
    Youtube.MODERATE: "restrictmoderate.youtube.com",
    Youtube.STRICT: "restrict.youtube.com",
}

# Addresses that their operators publish as fixed; the others change and are only looked up.
PUBLISHED: Mapping[str, str] = {
    "forcesafesearch.google.com": "216.239.38.120",
    "restrict.youtube.com": "216.239.38.120",
    "restrictmoderate.youtube.com": "216.239.38.119",
    "strict.bing.com": "204.79.197.220",
}

_HOSTS_LINE = re.compile(r"([0-9.]{7,15}) ([a-z0-9.-]{4,253})")
Resolve = Callable[[str], list[str]]
"""IPv4 addresses of a name, asked on the uplink; empty when there is no answer."""


def substitutes(policy: FilterPolicy) -> dict[str, tuple[str, ...]]:
    """Safe name -> names that become it at this site."""
    found: dict[str, tuple[str, ...]] = {}
    if policy.safesearch:
        found |= SEARCHERS
    if policy.youtube in _YOUTUBE:
        found[_YOUTUBE[policy.youtube]] = YOUTUBE_NAMES
    return found


def all_targets() -> tuple[str, ...]:
    return (*SEARCHERS, *_YOUTUBE.values())


def read_hosts(text: str) -> dict[str, str]:
    """Address by safe name; lines that are not ours are left out."""
    found = {}
    for line in text.splitlines():
        parts = _HOSTS_LINE.fullmatch(line)
        if parts and parts[2] in all_targets() and _is_address(parts[1]):
            found[parts[2]] = parts[1]
    return found


def renew(known: Mapping[str, str], node: str, resolve: Resolve | None = None) -> dict[str, str]:
    """An address for every safe name: looked up, else the last known, else published, else the node's.

    An answer that is not a public address is none: a login page on the uplink lies about every name.
    """
    fresh = {}
    for target in all_targets():
        answers = [a for a in (resolve(target) if resolve else []) if _is_public(a)]
        last = known.get(target, "")
        kept = last if _is_public(last) else PUBLISHED.get(target, node)
        fresh[target] = kept if not answers or kept in answers else min(answers)
    return fresh


def hosts_text(addresses: Mapping[str, str]) -> str:
    return "".join(f"{a} {name}\n" for name, a in sorted(addresses.items()))


def renew_file(path: Path, node: str, resolve: Resolve | None = None) -> bool:
    """Bring the hosts file up to date; True when it changed. An unchanged file is not written again."""
    try:
        before = path.read_text("ascii")
    except (OSError, UnicodeDecodeError):
        before = ""
    text = hosts_text(renew(read_hosts(before), node, resolve))
    if text == before:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    # dnsmasq reads every file of the folder but those with a dot in front.
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(text, "ascii")
    fresh.chmod(0o644)
    fresh.replace(path)
    return True


def _is_address(text: str) -> bool:
    try:
        return bool(ipaddress.IPv4Address(text))
    except ValueError:
        return False


def _is_public(text: str) -> bool:
    return _is_address(text) and ipaddress.IPv4Address(text).is_global
