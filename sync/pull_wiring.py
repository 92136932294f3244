"""Pulling, built from a node's data directory; and what the last round came to, for screens."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tuf.api.metadata import TargetFile

from municipio.facts import format_time
from municipio.wire.envelope import SIGNATURE_HEADER, verify_body
from municipio.wire.keys import PublicKey
from sync.answers import Refused
from sync.keys import KeyMissing, NodeKey, load_city_key, write_new
from sync.pull import (
    Install,
    NotPulled,
    Pulled,
    PulledFile,
    PullTrouble,
    Trust,
    UpToDate,
    pull_content,
    pull_file,
    pull_listed,
    pull_small,
)
from sync.transport import Courier
from sync.tuf_fetcher import CityFetcher, FolderFetcher
from sync.whole_file import replace_file
from sync.whole_folder import NodeContent
from sync.wiring import CannotStart, Memory, build_courier

Outcome = Pulled | UpToDate | NotPulled


@dataclass(frozen=True)
class Puller:
    """One node's way to its city's repository, or to a mirror of it; `close` after use."""

    memory: Memory
    city: PublicKey
    trust: Trust
    courier: Courier
    mirror: Path | None

    def content(self, tell: Callable[[str], None]) -> Outcome:
        """One round of content, noted in `run/pull.json`."""
        settings = self.memory.settings
        content = NodeContent(
            self.memory.data,
            self.city,
            settings.text("city.inegi"),
            settings.flag("node.padron"),
            tell,
        )
        install = Install(content.install, content.install_delta)
        catalogue = self.memory.data.catalogue
        outcome = pull_content(self.trust, self._fetcher(), self.memory.clock, catalogue, install)
        _note(self.memory, outcome)
        return outcome

    def file(self, target: str, known: str, place: Path) -> PulledFile | NotPulled | None:
        """Any other target, unpacked at `place`; None when there is none but the `known` one."""
        return pull_file(self.trust, self._fetcher(), self.memory.clock, target, known, place)

    def small(self, targets: Sequence[str], limit: int) -> dict[str, bytes] | NotPulled:
        """Small targets as they travel; what the city does not offer is left out."""
        return pull_small(self.trust, self._fetcher(), self.memory.clock, targets, limit)

    def listed(
        self, index: str, limit: int, names: Callable[[bytes], Sequence[str]]
    ) -> list[TargetFile] | NotPulled:
        """What the city signed about the targets that a list names."""
        clock = self.memory.clock
        return pull_listed(self.trust, self._fetcher(), clock, index, limit, names)

    def close(self) -> None:
        self.courier.close()

    def _fetcher(self) -> CityFetcher | FolderFetcher:
        return CityFetcher(self.courier) if self.mirror is None else FolderFetcher(self.mirror)


def build_puller(
    memory: Memory, mirror: Path | None, use: str = "content"
) -> Puller | CannotStart | NotPulled:
    """`use` keeps what programs that run side by side are fetching apart."""
    key, city = NodeKey.load(memory.data), load_city_key(memory.data)
    if isinstance(key, KeyMissing):
        return CannotStart(key.detail)
    if isinstance(city, KeyMissing):
        return CannotStart(city.detail)
    courier = build_courier(memory.settings, key)
    if isinstance(courier, KeyMissing):
        return CannotStart(courier.detail)
    root = _first_root(memory, city, courier)
    if isinstance(root, NotPulled):
        courier.close()
        _note(memory, root)
        return root
    home = memory.data.path / "tuf"
    draft = home / (f"draft-{use}" if mirror is None else f"draft-{use}-stick")
    trust = Trust(home / "metadata", draft, root)
    return Puller(memory, city, trust, courier, mirror)


def _first_root(memory: Memory, city: PublicKey, courier: Courier) -> bytes | NotPulled:
    """Kept for ever once the city's key has vouched for it."""
    path = memory.data.path / "tuf" / "root.json"
    if path.exists():
        return path.read_bytes()
    reply = courier.get("/v1/tuf-root")
    if isinstance(reply, Refused):
        return NotPulled(PullTrouble.UNREACHABLE, reply.detail)
    if not verify_body(reply.body, reply.headers.get(SIGNATURE_HEADER.lower()), city):
        return NotPulled(PullTrouble.NOT_BELIEVED, "the first root is not signed by the city")
    if reply.status != 200:
        return NotPulled(PullTrouble.UNREACHABLE, "the city publishes nothing yet")
    path.parent.mkdir(exist_ok=True, mode=0o750)
    write_new(path, reply.body, 0o644)
    return reply.body


def _note(memory: Memory, outcome: Outcome) -> None:
    """`run/pull.json`: for the technician's page and `plaza sync status`."""
    now = memory.clock.now()
    state = outcome.trouble.value if isinstance(outcome, NotPulled) else "current"
    note = {
        "state": state,
        "version": "" if isinstance(outcome, NotPulled) else outcome.version,
        "at": "" if now.time is None else format_time(now.time),
    }
    replace_file(memory.data.run / "pull.json", json.dumps(note).encode())
