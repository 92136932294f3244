"""dnsmasq behind the filter: the cache, the safe substitutes, the node's own names.

It answers names on the loopback alone; guests reach it only through dnsdist. On a node the same process
also gives addresses (`captive_portal.dhcp`); alone it is what tests and benches measure.
"""

from __future__ import annotations

from captive_portal.dhcp import GuestNetwork, render_dnsmasq
from captive_portal.filter.plan import FilterPlan
from captive_portal.filter.safesearch import substitutes

NAMES_PER_LINE = 40
CACHE = "cache-size=150"
"""dnsdist keeps the answers. dnsmasq 2.90 with 10,000 of its own spends three times the processor on each
new name (measured: 75 instead of 25 us), and most questions that reach it are new."""
_ALONE = (
    "listen-address=127.0.0.1",
    "bind-interfaces",
    "no-hosts",
    CACHE,
    "dns-forward-max=1000",
    "domain-needed",
    "bogus-priv",
)


def render_names(plan: FilterPlan) -> str:
    """A name cache without addresses; every value was checked by the plan."""
    lines = [f"port={plan.cache_port}", *_ALONE]
    if plan.upstream:
        lines.append("no-resolv")
        lines += [f"server={server}" for server in plan.upstream]
    return "\n".join([*lines, *_filter_lines(plan)]) + "\n"


def render_node(plan: FilterPlan, guests: GuestNetwork) -> str:
    """The node's whole dnsmasq: addresses for the guests, names for the filter.

    Raises ValueError when `guests` would answer names itself.
    """
    if guests.dns_port != plan.cache_port:
        raise ValueError("the guests' names go through the filter, not to dnsmasq itself")
    # The uplink's resolvers change while the node runs, unless a technician fixed them.
    kept = [
        line
        for line in render_dnsmasq(guests).splitlines()
        if line != "no-poll" and not line.startswith("cache-size=")
    ]
    return "\n".join([*kept, CACHE, *_filter_lines(plan)]) + "\n"


def _filter_lines(plan: FilterPlan) -> list[str]:
    lines = ["log-facility=-", "local=/invalid/", "local=/onion/", f"hostsdir={plan.safe_hosts}"]
    for target, names in substitutes(plan.policy).items():
        for first in range(0, len(names), NAMES_PER_LINE):
            lines.append(f"cname={','.join(names[first : first + NAMES_PER_LINE])},{target},300")
    own = ",".join(_own_addresses(plan))
    return [*lines, *(f"host-record={name},{own}" for name in plan.own)]


def _own_addresses(plan: FilterPlan) -> list[str]:
    """At most one of each family: what `host-record` takes."""
    four = [a for a in plan.listen if ":" not in a][:1]
    six = [a for a in plan.listen if ":" in a and not a.lower().startswith("fe80")][:1]
    return four + six
