"""A kernel in memory: it reads the same messages, its sets forget what is over, and it can be spoilt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from captive_portal.gate.netlink_wire import Item, Message, Place, changed
from captive_portal.gate.nft_runner import NftRefused


@dataclass
class SimulatedKernel:
    """Satisfies `Kernel`. Knobs: `refusal` for every change, `guest_side` gone, `pass_bytes`, `wipe`."""

    now_ms: Callable[[], int]
    refusal: NftRefused | None = None
    guest_side: bool = True
    texts: list[str] = field(default_factory=list)
    forgotten: list[int] = field(default_factory=list)
    sets: dict[str, dict[bytes, tuple[int, int, int | None]]] = field(default_factory=dict)

    def build(self, text: str) -> NftRefused | None:
        if self.refusal is not None:
            return self.refusal
        if "table netdev" in text and not self.guest_side:
            return NftRefused("No such device")
        self.texts.append(text)
        self.sets = {}
        return None

    def shape(self) -> str:
        whole = bool(self.texts) and "table netdev" in self.texts[-1]
        return self.texts[-1] if whole else ""

    def apply(self, messages: list[Message]) -> NftRefused | None:
        if self.refusal is not None:
            return self.refusal
        for change in map(changed, messages):
            members = self.sets.setdefault(change.set, {})
            if change.deletes and not change.elements:
                members.clear()
            for key, (timeout, used, mark) in change.elements.items():
                if change.deletes:
                    del members[key]
                elif key not in members:
                    members[key] = (self.now_ms() + timeout, used, mark)
        return None

    def get(self, place: Place, key: bytes) -> Item | None:
        return next((i for i in self.dump(place) if i.key == key), None)

    def dump(self, place: Place) -> list[Item]:
        now = self.now_ms()
        members = self.sets.get(place.set, {})
        return [Item(key, end - now, used) for key, (end, used, _) in members.items() if end > now]

    def forget_flows(self, mark: int) -> NftRefused | None:
        self.forgotten.append(mark)
        return None

    def isolate_ports(self, interface: str) -> int:
        return 0

    def pass_bytes(self, mac: str, count: int) -> None:
        """So much went to or came from a device."""
        members = self.sets["visits"]
        key = bytes.fromhex(mac.replace(":", ""))
        end, used, mark = members[key]
        members[key] = (end, used + count, mark)

    def wipe(self) -> None:
        """Somebody emptied the firewall."""
        self.texts.clear()
        self.sets = {}
