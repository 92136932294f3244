"""Frames that no honest phone sends, made with scapy inside a guest's namespace. Prints one JSON object."""

from __future__ import annotations

import json
import random
import sys
import time
from typing import Any

from scapy.all import (  # type: ignore[import-untyped]  # scapy ships no types
    ARP,
    BOOTP,
    DHCP,
    ICMP,
    IP,
    UDP,
    AsyncSniffer,
    DHCP6_InfoRequest,
    DHCP6OptOptReq,
    Ether,
    ICMPv6ND_NA,
    ICMPv6ND_RA,
    ICMPv6ND_RS,
    ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptPrefixInfo,
    ICMPv6NDOptSrcLLAddr,
    IPv6,
    Raw,
    conf,
    get_if_hwaddr,
    in6_getifaddr,
    sendp,
    sniff,
    srp1,
)

IFACE = "wlan0"
NODE4, NODE6, FAR4, FAR6 = "10.66.0.1", "fd66::1", "203.0.113.10", "2001:db8:1::10"
ALL = "ff:ff:ff:ff:ff:ff"
conf.verb = 0
conf.checkIPaddr = False  # a DHCP answer comes from elsewhere than the question went


def _me() -> str:
    return str(get_if_hwaddr(IFACE))


def router(count: str) -> dict[str, Any]:
    """Advertise ourselves as a better router."""
    frame = Ether(src=_me(), dst="33:33:00:00:00:01") / IPv6(
        src="fe80::bad", dst="ff02::1", hlim=255
    )
    frame /= ICMPv6ND_RA(routerlifetime=9000, prf=1) / ICMPv6NDOptSrcLLAddr(lladdr=_me())
    frame /= ICMPv6NDOptPrefixInfo(prefix="2001:db8:bad::", prefixlen=64)
    sendp([frame] * int(count), iface=IFACE)
    return {}


def gateway(count: str) -> dict[str, Any]:
    """Claim the node's addresses, by ARP and by neighbour advertisement."""
    arp = Ether(src=_me(), dst=ALL) / ARP(op=2, hwsrc=_me(), psrc=NODE4, hwdst=ALL, pdst=NODE4)
    na = Ether(src=_me(), dst="33:33:00:00:00:01") / IPv6(src=NODE6, dst="ff02::1", hlim=255)
    na /= ICMPv6ND_NA(tgt=NODE6, R=1, S=0, O=1) / ICMPv6NDOptDstLLAddr(lladdr=_me())
    from_us = (
        Ether(src=_me()) / IP(src=NODE4, dst=FAR4) / UDP(sport=9, dport=5000) / Raw(b"claimed")
    )
    sendp([arp, na, from_us] * int(count), iface=IFACE)
    return {}


def tunnel(node_mac: str) -> dict[str, Any]:
    """An ICMP tunnel's echo, 6to4 and GRE to the far side; `answers` is what came back."""
    head = Ether(src=_me(), dst=node_mac)
    here = "10.66.0.101"
    asked = {
        "icmp": head / IP(src=here, dst=FAR4) / ICMP(id=77) / Raw(b"t" * 600),
        "6to4": head
        / IP(src=here, dst=FAR4, proto=41)
        / Raw(bytes(IPv6(src="2002:a42:65::1", dst=FAR6))),
        "gre": head / IP(src=here, dst=FAR4, proto=47) / Raw(b"\0\0\x08\0" + b"g" * 40),
    }
    found = {}
    for name, frame in asked.items():
        back = srp1(frame, iface=IFACE, timeout=1)
        found[name] = back is not None and back.haslayer(IP) and back[IP].src == FAR4
    return {"answers": found}


def private6(node_mac: str, prefix: str) -> dict[str, Any]:
    """Packets from fresh IPv6 addresses of the right prefix, as privacy extensions make them."""
    for _ in range(20):
        here = prefix + f"{random.getrandbits(16):x}:{random.getrandbits(16):x}:7"
        frame = Ether(src=_me(), dst=node_mac) / IPv6(src=here, dst=FAR6) / UDP(sport=9, dport=5000)
        sendp(frame / Raw(b"x" * 8), iface=IFACE)
    return {}


def starve(count: str, source: str) -> dict[str, Any]:
    """DHCP DISCOVER and REQUEST with made-up hardware addresses, from our own or from made-up senders."""
    got = set()
    for n in range(int(count)):
        made_up = f"02:99:{random.getrandbits(8):02x}:{n >> 8:02x}:{n & 255:02x}:01"
        src = _me() if source == "own" else made_up
        raw = bytes.fromhex(made_up.replace(":", ""))
        base = Ether(src=src, dst=ALL) / IP(src="0.0.0.0", dst="255.255.255.255")
        base /= UDP(sport=68, dport=67) / BOOTP(chaddr=raw, xid=n + 1, flags=0x8000)
        offer = srp1(
            base / DHCP(options=[("message-type", "discover"), "end"]), iface=IFACE, timeout=0.06,
            filter="udp and src port 67",
        )  # fmt: skip
        if offer is None or not offer.haslayer(BOOTP):
            continue
        ip = offer[BOOTP].yiaddr
        options = [("message-type", "request"), ("requested_addr", ip), ("server_id", NODE4), "end"]
        sendp(base / DHCP(options=options), iface=IFACE)
        got.add(ip)
    return {"leases": len(got)}


def listen(seconds: str, mac: str) -> dict[str, Any]:
    """Frames of another guest that reach us, and router advertisements of anybody but the node."""
    seen = sniff(iface=IFACE, timeout=float(seconds))
    return {
        "from_other": sum(f.src == mac for f in seen),
        "routers": sorted({f.src for f in seen if f.haslayer(ICMPv6ND_RA)}),
    }


def options(node: str) -> dict[str, Any]:
    """What the node announces of its portal: DHCPv4, and router advertisements for some seconds."""
    raw = bytes.fromhex(_me().replace(":", ""))
    ask = Ether(src=_me(), dst=ALL) / IP(src="0.0.0.0", dst="255.255.255.255")
    ask /= UDP(sport=68, dport=67) / BOOTP(chaddr=raw, xid=7, flags=0x8000)
    ask /= DHCP(options=[("message-type", "discover"), ("param_req_list", [1, 3, 6, 114]), "end"])
    offer = srp1(ask, iface=IFACE, timeout=3, filter="udp and src port 67")
    found = (
        {str(o[0]): str(o[1]) for o in offer[DHCP].options if isinstance(o, tuple)} if offer else {}
    )
    return {"dhcp4": found}


def portal6(node_mac: str) -> dict[str, Any]:
    """Options of the portal over IPv6: DHCPv6 103, and 37 in the router's advertisements."""
    link = in6_getifaddr_link()
    ask = Ether(src=_me(), dst="33:33:00:01:00:02") / IPv6(src=link, dst="ff02::1:2")
    ask /= UDP(sport=546, dport=547) / DHCP6_InfoRequest(trid=5) / DHCP6OptOptReq(reqopts=[23, 103])
    reply = srp1(ask, iface=IFACE, timeout=3, filter="udp and dst port 546")
    found6 = b"https://" in bytes(reply) if reply is not None else False
    seen: list[str] = []

    def hear(frame: Any) -> bool:
        raw = bytes(frame[IPv6].payload)
        at = 16
        while at + 8 <= len(raw) and raw[at + 1]:
            if raw[at] == 37:
                seen.append(raw[at + 2 : at + raw[at + 1] * 8].rstrip(b"\0").decode())
            at += raw[at + 1] * 8
        return bool(seen)

    sniffer = AsyncSniffer(
        iface=IFACE, lfilter=lambda f: f.haslayer(ICMPv6ND_RA), stop_filter=hear, timeout=15
    )
    sniffer.start()
    until = time.monotonic() + 14
    while not seen and time.monotonic() < until:
        solicit = Ether(src=_me(), dst="33:33:00:00:00:02") / IPv6(
            src=link, dst="ff02::2", hlim=255
        )
        sendp(solicit / ICMPv6ND_RS(), iface=IFACE)
        time.sleep(1)
    return {"dhcp6": found6, "advertised": seen[:1]}


def in6_getifaddr_link() -> str:
    return next(a for a, scope, name in in6_getifaddr() if name == IFACE and a.startswith("fe80"))


VERBS = {
    f.__name__: f for f in (router, gateway, tunnel, private6, starve, listen, options, portal6)
}

if __name__ == "__main__":
    verb, *arguments = sys.argv[1:]
    start = time.monotonic()
    result = VERBS[verb](*arguments)
    print(json.dumps(result | {"seconds": time.monotonic() - start}))
