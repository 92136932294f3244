"""Which doors of the node are open, as elements of the sets in `images/overlay/usr/lib/plaza/node.nft`.

The table itself denies; it is loaded before any network is up and does not need this program. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from captive_portal.gate.ruleset import NAMES_PORT, GuestSide

TABLE = "inet plaza_node"
SSH_PORT = 22
DHCP_PORTS = (67, 547)


@dataclass(frozen=True, slots=True)
class Doors:
    """`guests` are interfaces, the others ports. Raises ValueError for what is no port."""

    guests: tuple[str, ...]
    guest_udp: tuple[int, ...]
    guest_tcp: tuple[int, ...]
    other_tcp: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for port in (*self.guest_udp, *self.guest_tcp, *self.other_tcp):
            if not 0 < port < 65536:
                raise ValueError(f"{port} is not a port")


def doors_of(side: GuestSide, *, ssh: bool, more: Iterable[int] = ()) -> Doors:
    """For guests the portal, names and addresses; for everybody else SSH, if this node has a key for it.

    `more` are further ports for everybody but guests: a virtual node's forwarded ones.
    """
    names = {NAMES_PORT, side.names_port, side.strict_names_port}
    web = {port for port in (side.portal_port, side.api_port) if port}
    other = {*more, *([SSH_PORT] if ssh else [])}
    return Doors(
        (side.interface,),
        tuple(sorted({*names, *DHCP_PORTS})),
        tuple(sorted(names | web)),
        tuple(sorted(other)),
    )


def render_open(doors: Doors) -> str:
    """One transaction: what was open before and is not named here is closed."""
    sets: dict[str, Iterable[str | int]] = {
        "guests": [f'"{name}"' for name in doors.guests],
        "guest_udp": doors.guest_udp,
        "guest_tcp": doors.guest_tcp,
        "other_tcp": doors.other_tcp,
    }
    lines = []
    for name, members in sets.items():
        lines.append(f"flush set {TABLE} {name}")
        listed = ", ".join(map(str, members))
        if listed:
            lines.append(f"add element {TABLE} {name} {{ {listed} }}")
    return "\n".join(lines) + "\n"
